package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	requestTimeout  = 30 * time.Second
	maxRequestBytes = 1 << 20
	maxItems        = 200  // of one page
	maxLogEvents    = 2000 // of one request
	maxMails        = 100  // of one page
	maxHistory      = 100  // entries of an alarm's history
	maxQueries      = 500  // metrics of one request, as of GetMetricData
	maxQueryPoints  = 10_000
	latestTime      = 253_402_300_799 // end of the year 9999, Unix seconds
)

// endpoint answers one request with something to encode as JSON.
type endpoint func(r *http.Request) (any, error)

// route turns "GET mail" into the pattern of the path under the prefix.
func route(pattern string) string {
	method, path, _ := strings.Cut(pattern, " ")
	return method + " " + Prefix + "api/" + path
}

func (c *Console) answer(serve endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		body, err := serve(r.WithContext(ctx))
		if err != nil {
			c.fail(w, r, err)
			return
		}
		doc, err := json.Marshal(body)
		if err != nil {
			c.fail(w, r, fmt.Errorf("encode: %w", err))
			return
		}
		writeJSON(w, http.StatusOK, doc)
	}
}

func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody is there to read an answer
	}
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, ErrInvalid):
		status = http.StatusBadRequest
	case errors.Is(err, context.DeadlineExceeded):
		status = http.StatusGatewayTimeout
	}
	doc, encodeErr := json.Marshal(map[string]string{"error": c.explain(err)})
	if encodeErr != nil {
		doc = []byte(`{}`)
	}
	writeJSON(w, status, doc)
}

// explain returns the text of an error that a page may show, and logs those that
// it may not.
func (c *Console) explain(err error) string {
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrInvalid):
		return err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "that took too long"
	}
	c.log.Error("console request failed", "error", err)
	return "internal error; the server's log says more"
}

func writeJSON(w http.ResponseWriter, status int, doc []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(doc) // the browser is gone when this fails
}

func (c *Console) tableItems(r *http.Request) (any, error) {
	if c.cfg.Tables == nil {
		return nil, ErrNotFound
	}
	form := r.URL.Query()
	limit, err := limitOf(r, 50, maxItems)
	if err != nil {
		return nil, err
	}
	q := ItemQuery{
		Table:      r.PathValue("name"),
		Hash:       form.Get("hash"),
		RangeOp:    form.Get("op"),
		Range:      form.Get("range"),
		Descending: form.Get("order") == "desc",
		Limit:      limit,
		Start:      form.Get("start"),
	}
	if q.RangeOp != "" && q.Hash == "" {
		return nil, fmt.Errorf("%w: a range key can only be asked for under a hash key", ErrInvalid)
	}
	switch q.RangeOp {
	case "", "=", "<", "<=", ">", ">=", "begins_with":
	default:
		return nil, fmt.Errorf("%w: unknown comparison %q", ErrInvalid, q.RangeOp)
	}
	page, err := c.cfg.Tables.Items(r.Context(), q)
	page.Items = notNil(page.Items)
	return page, err
}

func (c *Console) functionLog(r *http.Request) (any, error) {
	if c.cfg.Logs == nil {
		return nil, ErrNotFound
	}
	limit, err := limitOf(r, logTail, maxLogEvents)
	if err != nil {
		return nil, err
	}
	events, err := c.cfg.Logs.Tail(r.Context(), r.PathValue("name"), r.URL.Query().Get("before"), limit)
	return notNil(events), err
}

// DashboardDetail is a dashboard's body as it was put.
type DashboardDetail struct {
	Name string `json:"name"`
	Body string `json:"body"`
}

func (c *Console) dashboard(r *http.Request) (any, error) {
	if c.cfg.Dashboards == nil {
		return nil, ErrNotFound
	}
	name := r.PathValue("name")
	body, err := c.cfg.Dashboards.DashboardBody(r.Context(), name)
	return DashboardDetail{name, body}, err
}

func (c *Console) metrics(r *http.Request) (any, error) {
	if c.cfg.Metrics == nil {
		return nil, ErrNotFound
	}
	q, err := readQueries(r.Body)
	if err != nil {
		return nil, err
	}
	results, err := c.cfg.Metrics.Query(r.Context(), q)
	if err != nil {
		return nil, err
	}
	for i := range results {
		dropUnencodable(&results[i])
	}
	return notNil(results), nil
}

func readQueries(body io.Reader) (q MetricQueries, err error) {
	doc, err := io.ReadAll(io.LimitReader(body, maxRequestBytes+1))
	if err != nil {
		return q, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(doc) > maxRequestBytes {
		return q, fmt.Errorf("%w: longer than %d bytes", ErrInvalid, maxRequestBytes)
	}
	if err := json.Unmarshal(doc, &q); err != nil {
		return q, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if q.Start >= q.End {
		return q, fmt.Errorf("%w: start must be before end", ErrInvalid)
	}
	if q.Start < 0 || q.End > latestTime {
		return q, fmt.Errorf("%w: start and end are in Unix seconds", ErrInvalid)
	}
	if len(q.Queries) == 0 || len(q.Queries) > maxQueries {
		return q, fmt.Errorf("%w: between 1 and %d queries", ErrInvalid, maxQueries)
	}
	for _, one := range q.Queries {
		if one.Period <= 0 {
			return q, fmt.Errorf("%w: query %q has no period", ErrInvalid, one.ID)
		}
		if (q.End-q.Start)/int64(one.Period) > maxQueryPoints {
			return q, fmt.Errorf("%w: query %q has more than %d points", ErrInvalid, one.ID, maxQueryPoints)
		}
	}
	return q, nil
}

// dropUnencodable leaves out points that JSON has no notation for.
func dropUnencodable(r *MetricResult) {
	n := 0
	for i, v := range r.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		r.Times[n], r.Values[n] = r.Times[i], v
		n++
	}
	r.Times, r.Values = notNil(r.Times[:n]), notNil(r.Values[:n])
}

func (c *Console) alarmHistory(r *http.Request) (any, error) {
	if c.cfg.Alarms == nil {
		return nil, ErrNotFound
	}
	events, err := c.cfg.Alarms.AlarmHistory(r.Context(), r.PathValue("name"), maxHistory)
	return notNil(events), err
}

func (c *Console) stack(r *http.Request) (any, error) {
	if c.cfg.Stacks == nil {
		return nil, ErrNotFound
	}
	return c.cfg.Stacks.Stack(r.Context(), r.PathValue("name"))
}

// Status is the lists of what works, as they are now.
type Status struct {
	Server    ServerInfo `json:"server"`
	Streams   []Stream   `json:"streams"`
	Queues    []Queue    `json:"queues"`
	Tables    []Table    `json:"tables"`
	Functions []Function `json:"functions"`
	Mappings  []Mapping  `json:"mappings"`
}

func (c *Console) status(r *http.Request) (any, error) {
	ctx := r.Context()
	var st Status
	var errs [6]error
	if c.cfg.Server != nil {
		st.Server, errs[0] = c.cfg.Server.ServerInfo(ctx)
	}
	if c.cfg.Streams != nil {
		st.Streams, errs[1] = c.cfg.Streams.Streams(ctx)
	}
	if c.cfg.Tables != nil {
		st.Tables, errs[2] = c.cfg.Tables.Tables(ctx)
	}
	if c.cfg.Functions != nil {
		st.Functions, errs[3] = c.cfg.Functions.Functions(ctx)
	}
	if c.cfg.Mappings != nil {
		st.Mappings, errs[4] = c.cfg.Mappings.Mappings(ctx)
	}
	if c.cfg.Queues != nil {
		st.Queues, errs[5] = c.cfg.Queues.Queues(ctx)
	}
	st.Streams, st.Queues, st.Tables = notNil(st.Streams), notNil(st.Queues), notNil(st.Tables)
	st.Functions, st.Mappings = notNil(st.Functions), notNil(st.Mappings)
	return st, errors.Join(errs[:]...)
}

func (c *Console) mappingShards(r *http.Request) (any, error) {
	if c.cfg.Mappings == nil {
		return nil, ErrNotFound
	}
	shards, err := c.cfg.Mappings.MappingShards(r.Context(), r.PathValue("id"))
	return notNil(shards), err
}

func (c *Console) mails(r *http.Request) (any, error) {
	if c.cfg.Outbox == nil {
		return nil, ErrNotFound
	}
	limit, err := limitOf(r, 50, maxMails)
	if err != nil {
		return nil, err
	}
	page, err := c.cfg.Outbox.Mails(r.Context(), r.URL.Query().Get("before"), limit)
	page.Mails = notNil(page.Mails)
	return page, err
}

func (c *Console) mail(r *http.Request) (any, error) {
	if c.cfg.Outbox == nil {
		return nil, ErrNotFound
	}
	return c.cfg.Outbox.Mail(r.Context(), r.PathValue("id"))
}

// limitOf reads the query parameter limit.
func limitOf(r *http.Request, usual, most int) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%w: limit must be a number from 1 to %d", ErrInvalid, most)
	}
	return n, nil
}

// notNil makes an empty list of a nil one, which JSON would write as null.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
