package console

import (
	"context"
	"log/slog"
	"time"
)

const (
	// liveInterval is the time between two readings while somebody watches.
	liveInterval = 500 * time.Millisecond
	// idleInterval is the time between two readings while nobody does.
	idleInterval = stepLength
	// readTimeout bounds the reading of one list.
	readTimeout = 2 * time.Second
)

// sampler reads all lists into the state.
type sampler struct {
	lists map[string]func(context.Context) ([]observed, error)
	state *state
	log   *slog.Logger
	ill   map[string]string // error of each list that could not be read last time
}

func newSampler(cfg Config, st *state, log *slog.Logger) *sampler {
	return &sampler{lists: lists(cfg), state: st, log: log, ill: map[string]string{}}
}

// run reads until ctx ends; wake makes it read at once.
func (s *sampler) run(ctx context.Context, watched func() bool, wake <-chan struct{}) {
	for {
		s.read(ctx)
		interval := idleInterval
		if watched() {
			interval = liveInterval
		}
		timer := time.NewTimer(interval)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

func (s *sampler) read(ctx context.Context) {
	reading := make(map[string][]observed, len(s.lists))
	for kind, list := range s.lists {
		readCtx, cancel := context.WithTimeout(ctx, readTimeout)
		got, err := list(readCtx)
		cancel()
		if ctx.Err() != nil {
			return
		}
		s.report(kind, err)
		if err == nil {
			reading[kind] = got
		}
	}
	if err := s.state.apply(time.Now(), reading); err != nil {
		s.report("state", err)
	}
}

// report logs a failure when it is a new one, as the next reading is near.
func (s *sampler) report(kind string, err error) {
	if err == nil {
		delete(s.ill, kind)
		return
	}
	if s.ill[kind] == err.Error() {
		return
	}
	s.ill[kind] = err.Error()
	s.log.Warn("console cannot read a list", "list", kind, "error", err)
}

// The views below are the resources with the rates that were made of totals.

// StreamView is a stream as pages see it.
type StreamView struct {
	Stream
	RecordsPerSecond float64 `json:"recordsPerSecond"`
	BytesPerSecond   float64 `json:"bytesPerSecond"`
}

// FunctionView is a function as pages see it.
type FunctionView struct {
	Function
	InvocationsPerSecond float64 `json:"invocationsPerSecond"`
	ErrorsPerSecond      float64 `json:"errorsPerSecond"`
}

// TableView is a table as pages see it.
type TableView struct {
	Table
	WritesPerSecond float64 `json:"writesPerSecond"`
	ReadsPerSecond  float64 `json:"readsPerSecond"`
}

// MappingView is a mapping as pages see it.
type MappingView struct {
	Mapping
	RecordsPerSecond float64 `json:"recordsPerSecond"`
}

// lists returns the readers of the parts that cfg has, by kind.
func lists(cfg Config) map[string]func(context.Context) ([]observed, error) {
	all := map[string]func(context.Context) ([]observed, error){}
	if cfg.Server != nil {
		all["server"] = single(cfg.Server.ServerInfo)
	}
	if cfg.Streams != nil {
		all["streams"] = each(cfg.Streams.Streams, observeStream)
	}
	if cfg.Functions != nil {
		all["functions"] = each(cfg.Functions.Functions, observeFunction)
	}
	if cfg.Tables != nil {
		all["tables"] = each(cfg.Tables.Tables, observeTable)
	}
	if cfg.Mappings != nil {
		all["mappings"] = each(cfg.Mappings.Mappings, observeMapping)
	}
	if cfg.Alarms != nil {
		all["alarms"] = each(cfg.Alarms.Alarms, func(a Alarm) observed { return still(a.Name, a) })
	}
	if cfg.Topics != nil {
		all["topics"] = each(cfg.Topics.Topics, func(t Topic) observed { return still(t.Name, t) })
	}
	if cfg.Stacks != nil {
		all["stacks"] = each(cfg.Stacks.Stacks, func(s Stack) observed { return still(s.Name, s) })
	}
	if cfg.Dashboards != nil {
		all["dashboards"] = each(cfg.Dashboards.Dashboards, func(d Dashboard) observed { return still(d.Name, d) })
	}
	if cfg.Outbox != nil {
		all["mail"] = single(func(ctx context.Context) (MailSummary, error) { return summarize(ctx, cfg.Outbox) })
	}
	if cfg.Metrics != nil {
		all["metrics"] = single(func(context.Context) (uint64, error) { return cfg.Metrics.Revision(), nil })
	}
	return all
}

// each makes a reader of a list.
func each[T any](list func(context.Context) ([]T, error), observe func(T) observed) func(context.Context) ([]observed, error) {
	return func(ctx context.Context) ([]observed, error) {
		items, err := list(ctx)
		if err != nil {
			return nil, err
		}
		out := make([]observed, len(items))
		for i, item := range items {
			out[i] = observe(item)
		}
		return out, nil
	}
}

// single makes a reader of something of which there is one.
func single[T any](get func(context.Context) (T, error)) func(context.Context) ([]observed, error) {
	return func(ctx context.Context) ([]observed, error) {
		v, err := get(ctx)
		if err != nil {
			return nil, err
		}
		return []observed{still("", v)}, nil
	}
}

// still is a reading of something without rates.
func still(id string, view any) observed {
	return observed{id: id, view: func([2]float64) any { return view }}
}

func observeStream(s Stream) observed {
	return observed{
		id:     s.Name,
		totals: [2]float64{s.Records, s.Bytes},
		view:   func(rates [2]float64) any { return StreamView{s, rates[0], rates[1]} },
	}
}

func observeFunction(f Function) observed {
	return observed{
		id:     f.Name,
		totals: [2]float64{f.Invocations, f.Errors},
		view:   func(rates [2]float64) any { return FunctionView{f, rates[0], rates[1]} },
	}
}

func observeTable(t Table) observed {
	return observed{
		id:     t.Name,
		totals: [2]float64{t.Writes, t.Reads},
		view:   func(rates [2]float64) any { return TableView{t, rates[0], rates[1]} },
	}
}

func observeMapping(m Mapping) observed {
	return observed{
		id:     m.UUID,
		totals: [2]float64{m.Records, 0},
		level:  &m.IteratorAgeMS,
		view:   func(rates [2]float64) any { return MappingView{m, rates[0]} },
	}
}

func summarize(ctx context.Context, box Outbox) (MailSummary, error) {
	page, err := box.Mails(ctx, "", 1)
	if err != nil {
		return MailSummary{}, err
	}
	sum := MailSummary{Total: page.Total}
	if len(page.Mails) > 0 {
		sum.Newest = page.Mails[0].ID
	}
	return sum, nil
}
