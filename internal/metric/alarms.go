package metric

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// Notifier publishes to topics. Bodies are by protocol, with one for "default".
type Notifier interface {
	Publish(ctx context.Context, topicARN, subject string, bodies map[string]string) error
}

// Invoker starts functions and returns when the event is accepted.
type Invoker interface {
	InvokeAsync(ctx context.Context, functionARN string, event []byte) error
}

// AlarmsConfig is the configuration of [OpenAlarms].
type AlarmsConfig struct {
	DB       *store.DB
	Identity catalog.Identity
	Metrics  *Metrics
	Notifier Notifier // nil: actions on topics fail
	Invoker  Invoker  // nil: actions on functions fail
	// ConsoleURL is where people see alarms, for mails; "" leaves the link out.
	ConsoleURL string
	Log        *slog.Logger // nil discards
}

// Alarms watches statistics and acts when an alarm changes its state. Its methods
// can be called concurrently.
//
// Every alarm is evaluated each minute (each ten seconds if its period is
// shorter than a minute), and also about a second after data for its metric
// arrived, so that a change does not wait for the minute to pass.
type Alarms struct {
	cfg     AlarmsConfig
	db      *store.DB
	id      catalog.Identity
	metrics *Metrics
	log     *slog.Logger
	defs    *catalog.Collection[Alarm]

	// changing serialises changes of alarms and their states.
	changing sync.Mutex
	last     stamp

	mu       sync.Mutex
	states   map[string]State
	byMetric map[string]map[string]struct{} // metric key -> names of alarms
	due      map[string]struct{}            // names of alarms to evaluate soon
	dueAt    time.Time                      // when, while due is not empty

	wake    chan struct{} // holds one token: due or the set of alarms changed
	pending chan struct{} // holds one token: there are actions to run
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// OpenAlarms loads the alarms and starts watching. Actions that a crash kept from
// being executed are executed now.
func OpenAlarms(cfg AlarmsConfig) (*Alarms, error) {
	defs, err := catalog.Load[Alarm](cfg.DB, "alarm")
	if err != nil {
		return nil, fmt.Errorf("alarms: %w", err)
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	a := &Alarms{
		cfg: cfg, db: cfg.DB, id: cfg.Identity, metrics: cfg.Metrics, log: log, defs: defs,
		states: map[string]State{}, byMetric: map[string]map[string]struct{}{}, due: map[string]struct{}{},
		wake: make(chan struct{}, 1), pending: make(chan struct{}, 1), stop: stop,
	}
	for _, def := range defs.All() {
		state, err := a.loadState(def.Name)
		if err != nil {
			stop()
			return nil, fmt.Errorf("alarm %s: %w", def.Name, err)
		}
		a.states[def.Name] = state
		a.follow(def)
	}
	signal(a.pending)
	unwatch := cfg.Metrics.watch(a.arrived)
	a.done.Go(func() {
		defer unwatch()
		a.watchForever(ctx)
	})
	a.done.Go(func() { a.actForever(ctx) })
	return a, nil
}

// Close stops watching and returns when running actions have ended.
func (a *Alarms) Close() error {
	a.stop()
	a.done.Wait()
	return nil
}

func (a *Alarms) loadState(name string) (s State, err error) {
	doc, ok, err := a.db.Get(alarmKey(name, whatState))
	if err != nil || !ok {
		return s, err
	}
	return s, json.Unmarshal(doc, &s)
}

// ARN returns the ARN of an alarm.
func (a *Alarms) ARN(name string) string { return a.id.ARN("cloudwatch", "alarm:"+name) }

// Put creates an alarm or replaces the configuration of one; its state and tags
// stay.
func (a *Alarms) Put(ctx context.Context, def Alarm) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := def.check(); err != nil {
		return err
	}
	now := time.Now()
	def.Updated = now
	a.changing.Lock()
	defer a.changing.Unlock()
	old, exists := a.defs.Get(def.Name)
	state := State{Value: StateInsufficientData, Reason: "Unchecked: Initial alarm creation", Updated: now, Transitioned: now}
	kind := configurationCreate
	if exists {
		def.Tags = old.Tags
		state, _ = a.state(def.Name)
		kind = configurationUpdate
	}
	tx := a.db.Begin()
	defer tx.Discard()
	if err := a.defs.PutIn(tx, def.Name, def); err != nil {
		return err
	}
	if err := a.writeState(tx, def.Name, state); err != nil {
		return err
	}
	if err := a.recordConfiguration(tx, kind, def, state, now); err != nil {
		return err
	}
	tx.OnApply(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if exists {
			a.unfollow(old)
		}
		a.states[def.Name] = state
		a.follow(def)
		a.markDue(def.Name)
	})
	return tx.Commit()
}

// Delete removes alarms; names that do not exist are skipped.
func (a *Alarms) Delete(ctx context.Context, names []string) error {
	if err := checkNames(ctx, names); err != nil {
		return err
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	tx := a.db.Begin()
	defer tx.Discard()
	now := time.Now()
	for _, name := range names {
		def, ok := a.defs.Get(name)
		if !ok {
			continue
		}
		state, _ := a.state(name)
		a.defs.DeleteIn(tx, name)
		tx.Delete(alarmKey(name, whatState))
		if err := a.recordConfiguration(tx, configurationDelete, def, state, now); err != nil {
			return err
		}
		tx.OnApply(func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.unfollow(def)
			delete(a.states, name)
		})
	}
	return tx.Commit()
}

const maxNames = 100

func checkNames(ctx context.Context, names []string) error {
	if len(names) > maxNames {
		return errorf(Validation, "AlarmNames must not be more than %d", maxNames)
	}
	return ctx.Err()
}

// EnableActions turns the actions of alarms on or off; evaluation goes on in any
// case. Names that do not exist are skipped.
func (a *Alarms) EnableActions(ctx context.Context, names []string, enabled bool) error {
	if err := checkNames(ctx, names); err != nil {
		return err
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	tx := a.db.Begin()
	defer tx.Discard()
	now := time.Now()
	for _, name := range names {
		def, ok := a.defs.Get(name)
		if !ok || def.ActionsEnabled == enabled {
			continue
		}
		def.ActionsEnabled, def.Updated = enabled, now
		if err := a.defs.PutIn(tx, name, def); err != nil {
			return err
		}
		state, _ := a.state(name)
		if err := a.recordConfiguration(tx, configurationUpdate, def, state, now); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Tag sets and removes tags of an alarm.
func (a *Alarms) Tag(name string, set map[string]string, remove []string) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	def, ok := a.defs.Get(name)
	if !ok {
		return &Error{Code: NotFound}
	}
	tags, err := retag(def.Tags, set, remove)
	if err != nil {
		return err
	}
	def.Tags = tags
	return a.defs.Put(name, def)
}

// SetState puts an alarm in a state, with the actions of that state if it is
// another. data is JSON or "". The next evaluation may change the state again.
func (a *Alarms) SetState(ctx context.Context, name, value, reason, data string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !slices.Contains([]string{StateInsufficientData, StateAlarm, StateOK}, value) {
		return errorf(Validation, "1 validation error detected: Value '%s' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]", value)
	}
	if len(reason) > maxReason || len(data) > maxReasonData {
		return errorf(Validation, "StateReason must not be longer than %d and StateReasonData not longer than %d characters", maxReason, maxReasonData)
	}
	if data != "" && !json.Valid([]byte(data)) {
		return errorf(InvalidFormat, "StateReasonData must be valid JSON")
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	def, ok := a.defs.Get(name)
	if !ok {
		return &Error{Code: NotFound}
	}
	old, _ := a.state(name)
	now := time.Now()
	next := State{Value: value, Reason: reason, ReasonData: data, Updated: now, Transitioned: old.Transitioned}
	return a.transition(def, old, next, now)
}

// transition moves an alarm to its next state, in one transaction with its
// history and the actions that follow from it. The caller holds changing.
func (a *Alarms) transition(def Alarm, old, next State, now time.Time) error {
	tx := a.db.Begin()
	defer tx.Discard()
	changed := old.Value != next.Value
	if changed {
		next.Transitioned = now
		if err := a.recordTransition(tx, def, old, next, now); err != nil {
			return err
		}
		if err := a.queueActions(tx, def, old, next, now); err != nil {
			return err
		}
	}
	if err := a.writeState(tx, def.Name, next); err != nil {
		return err
	}
	tx.OnApply(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.states[def.Name] = next
	})
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("state of alarm %s: %w", def.Name, err)
	}
	if changed {
		signal(a.pending)
	}
	return nil
}

func (a *Alarms) writeState(tx *store.Tx, name string, s State) error {
	doc, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("state of alarm %s: %w", name, err)
	}
	tx.Set(alarmKey(name, whatState), doc)
	return nil
}

func (a *Alarms) state(name string) (State, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.states[name]
	return s, ok
}

// Status is an alarm with its state.
type Status struct {
	Alarm
	State
	ARN string
}

// AlarmFilter selects alarms; what is zero selects all. Names and Prefix exclude
// each other.
type AlarmFilter struct {
	Names        []string
	Prefix       string
	State        string
	ActionPrefix string
	Limit        int // 1 to 100; 0 means 50
	Token        string
}

const defaultAlarms = 50

// Describe returns alarms in the order of their names, and a token for the
// following ones.
func (a *Alarms) Describe(ctx context.Context, f AlarmFilter) (found []Status, token string, err error) {
	if len(f.Names) > 0 && f.Prefix != "" {
		return nil, "", errorf(InvalidCombination, "AlarmNamePrefix and AlarmNames are mutually exclusive")
	}
	if err := checkNames(ctx, f.Names); err != nil {
		return nil, "", err
	}
	limit := f.Limit
	if limit == 0 {
		limit = defaultAlarms
	}
	if len(f.Names) > 0 {
		limit = max(limit, len(f.Names))
	}
	names := a.defs.Names()
	from, exact := slices.BinarySearch(names, f.Token)
	if exact {
		from++
	}
	for _, name := range names[from:] {
		if len(f.Names) > 0 && !slices.Contains(f.Names, name) || !strings.HasPrefix(name, f.Prefix) {
			continue
		}
		s, ok := a.Get(name)
		if !ok || !f.matches(s) {
			continue
		}
		if len(found) == limit {
			return found, found[limit-1].Name, nil
		}
		found = append(found, s)
	}
	return found, "", nil
}

func (f AlarmFilter) matches(s Status) bool {
	if f.State != "" && f.State != s.Value {
		return false
	}
	return f.ActionPrefix == "" || slices.ContainsFunc(
		slices.Concat(s.OKActions, s.AlarmActions, s.InsufficientData),
		func(arn string) bool { return strings.HasPrefix(arn, f.ActionPrefix) })
}

// Get returns an alarm by its name.
func (a *Alarms) Get(name string) (Status, bool) {
	def, ok := a.defs.Get(name)
	if !ok {
		return Status{}, false
	}
	state, ok := a.state(name)
	return Status{Alarm: def, State: state, ARN: a.ARN(name)}, ok
}

// ForMetric returns the alarms on a metric. Statistic, unit and period select
// further when they are not zero.
func (a *Alarms) ForMetric(id ID, statistic, unit string, period int64) []Status {
	a.mu.Lock()
	names := make([]string, 0, len(a.byMetric[id.key()]))
	for name := range a.byMetric[id.key()] {
		names = append(names, name)
	}
	a.mu.Unlock()
	slices.Sort(names)
	var found []Status
	for _, name := range names {
		s, ok := a.Get(name)
		if ok && (statistic == "" || s.stat().name == statistic) && (unit == "" || s.Unit == unit) && (period == 0 || s.Period == period) {
			found = append(found, s)
		}
	}
	return found
}

// follow and unfollow keep byMetric; the caller holds mu or is alone.
func (a *Alarms) follow(def Alarm) {
	key := def.Metric.key()
	if a.byMetric[key] == nil {
		a.byMetric[key] = map[string]struct{}{}
	}
	a.byMetric[key][def.Name] = struct{}{}
}

func (a *Alarms) unfollow(def Alarm) {
	key := def.Metric.key()
	delete(a.byMetric[key], def.Name)
	if len(a.byMetric[key]) == 0 {
		delete(a.byMetric, key)
	}
}

// signal puts a token into a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
