package mapping

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

// Config is what Open needs. Log and Meter may be nil.
type Config struct {
	DB       *store.DB
	Identity catalog.Identity
	Sources  Sources
	Queues   Queues // nil when there are none
	Invoker  Invoker
	// Destinations may be nil when no mapping has one.
	Destinations Destinations
	Log          *slog.Logger
	Meter        *meter.Meter
	// Grace is how long Close lets invocations in flight finish; 0 means 5 s.
	Grace time.Duration
}

// Mappings is the set of event source mappings.
type Mappings struct {
	cfg  Config
	defs *catalog.Collection[Definition]

	// hard ends invocations in flight; it is cancelled when Grace is over.
	hard       context.Context
	cancelHard context.CancelFunc
	background sync.WaitGroup // transitions of mappings

	// jitter returns how much of a back-off is left out, at most the given time.
	jitter func(atMost time.Duration) time.Duration
	// The limits of events and window states, smaller in tests.
	maxEvent, maxState int

	defsMu sync.Mutex // held while a definition is judged against others and written
	mu     sync.Mutex
	byUUID map[string]*Mapping
	closed bool
}

// Open loads the mappings of a store. Nothing runs before Start.
func Open(cfg Config) (*Mappings, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Grace == 0 {
		cfg.Grace = 5 * time.Second
	}
	defs, err := catalog.Load[Definition](cfg.DB, "mapping")
	if err != nil {
		return nil, err
	}
	m := &Mappings{cfg: cfg, defs: defs, byUUID: map[string]*Mapping{}, maxEvent: maxEvent, maxState: maxWindowState}
	m.jitter = rand.N[time.Duration] // #nosec G404 -- spreads load
	m.hard, m.cancelHard = context.WithCancel(context.Background())
	for _, def := range defs.All() {
		mp, err := m.load(def)
		if err != nil {
			return nil, err
		}
		m.byUUID[def.UUID] = mp
	}
	return m, nil
}

// Start begins to process records. It is apart from Open because functions that
// are called need the whole server.
func (m *Mappings) Start() {
	for _, mp := range m.all() {
		mp.start()
	}
}

// Close stops all mappings. Invocations in flight may finish within the grace
// period and are cut off then; their records are delivered again after the next
// start.
func (m *Mappings) Close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	timer := time.AfterFunc(m.cfg.Grace, m.cancelHard)
	defer timer.Stop()
	defer m.cancelHard()
	m.stopAll()
	m.background.Wait()
	m.stopAll() // what an update that was under way has started again
	return nil
}

func (m *Mappings) stopAll() {
	var stopping sync.WaitGroup
	for _, mp := range m.all() {
		stopping.Go(mp.stop)
	}
	stopping.Wait()
}

func (m *Mappings) all() []*Mapping {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*Mapping, 0, len(m.byUUID))
	for _, mp := range m.byUUID {
		all = append(all, mp)
	}
	slices.SortFunc(all, func(a, b *Mapping) int { return strings.Compare(a.uuid, b.uuid) })
	return all
}

// Create makes a mapping and starts it. Records that arrive after Create has
// returned are delivered whatever the starting position.
func (m *Mappings) Create(_ context.Context, spec Spec) (View, error) {
	def, src, err := m.define(spec)
	if err != nil {
		return View{}, err
	}
	m.defsMu.Lock()
	defer m.defsMu.Unlock()
	if err := m.checkUnique(def); err != nil {
		return View{}, err
	}
	tx := m.cfg.DB.Begin()
	defer tx.Discard()
	if src != nil {
		if err := startingPoints(tx, src, def); err != nil {
			return View{}, err
		}
	}
	if err := m.defs.PutIn(tx, def.UUID, def); err != nil {
		return View{}, err
	}
	if err := tx.Commit(); err != nil {
		return View{}, fmt.Errorf("create mapping: %w", err)
	}
	mp, err := m.load(def)
	if err != nil {
		return View{}, err
	}
	m.mu.Lock()
	m.byUUID[def.UUID] = mp
	m.mu.Unlock()
	created := mp.View()
	if def.Enabled || !def.OfQueue() {
		created.State = Creating
	}
	mp.start()
	return created, nil
}

// define checks a request to create and fills in the defaults.
func (m *Mappings) define(spec Spec) (Definition, Source, error) {
	if err := spec.checkModel(); err != nil {
		return Definition{}, nil, err
	}
	service, err := parseSource(spec.SourceARN)
	if err != nil {
		return Definition{}, nil, err
	}
	if err := spec.check(); err != nil {
		return Definition{}, nil, err
	}
	if service == "sqs" {
		def, err := m.defineQueue(spec)
		return def, nil, err
	}
	at, err := spec.checkStarting(service == "dynamodb")
	if err != nil {
		return Definition{}, nil, err
	}
	f, err := m.lookup(spec.Function)
	if err != nil {
		return Definition{}, nil, err
	}
	src, err := m.cfg.Sources.Open(spec.SourceARN)
	if errors.Is(err, ErrSourceGone) {
		return Definition{}, nil, errorf(InvalidParameter, "Stream not found: %s", spec.SourceARN)
	}
	if err != nil {
		return Definition{}, nil, err
	}
	def := spec.apply(Definition{
		UUID: uuid.NewString(), SourceARN: spec.SourceARN, Enabled: true, BatchSize: defaultBatchSize,
		Starting: at, LastModified: time.Now().UnixMilli(), Tags: spec.Tags,
	}, &f)
	return def, src, def.check()
}

func (m *Mappings) lookup(ref string) (Function, error) {
	f, err := m.cfg.Invoker.Lookup(ref)
	if errors.Is(err, ErrFunctionNotFound) {
		return f, errorf(InvalidParameter, "Function does not exist")
	}
	return f, err
}

// startingPoints writes the first checkpoint of every shard that exists now, so
// that the meaning of LATEST does not depend on when reading really starts.
// Shards that appear later are read from their beginning.
func startingPoints(tx *store.Tx, src Source, def Definition) error {
	shards, err := src.Shards()
	if err != nil {
		return fmt.Errorf("list shards of %s: %w", def.SourceARN, err)
	}
	for _, sh := range shards {
		records, err := src.Open(sh.Key)
		if err != nil {
			return fmt.Errorf("open %s: %w", sh.ID, err)
		}
		next, err := records.Start(def.Starting)
		if err != nil {
			return fmt.Errorf("starting position in %s: %w", sh.ID, err)
		}
		tx.Set(checkpointKey(def.UUID, sh.Key), checkpoint{next: position{at: next}, done: records.Done(next)}.encode())
	}
	return nil
}

// checkUnique wants no other mapping from the source of a definition to its function.
func (m *Mappings) checkUnique(def Definition) error {
	for _, mp := range m.all() {
		other := mp.kept()
		if other.UUID != def.UUID && other.SourceARN == def.SourceARN && other.FunctionARN == def.FunctionARN && mp.View().State != Deleting {
			text := `The event source arn (" %s ") and function (" %s ") provided mapping already exists.`
			if def.OfQueue() {
				text = `An event source mapping with SQS arn (" %s ") and function (" %s ") already exists.`
			}
			return errorf(Conflict, text+" Please update or delete the existing mapping with UUID %s", def.SourceARN, def.FunctionName, other.UUID)
		}
	}
	return nil
}

func (m *Mappings) get(uuid string) (*Mapping, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mp, ok := m.byUUID[uuid]
	if !ok {
		return nil, errNotFound()
	}
	return mp, nil
}

func errNotFound() error { return errorf(NotFound, "The resource you requested does not exist.") }

// Get returns the mapping with a UUID.
func (m *Mappings) Get(uuid string) (View, error) {
	mp, err := m.get(uuid)
	if err != nil {
		return View{}, err
	}
	return mp.View(), nil
}

// List returns the mappings, by UUID. An empty source or function selects all; an
// unknown one selects nothing. A function is a name or an ARN; with a qualifier it
// selects the mappings of that version or alias, without one those of all.
func (m *Mappings) List(source, function string) []View {
	var views []View
	for _, mp := range m.all() {
		v := mp.View()
		if source != "" && v.SourceARN != source {
			continue
		}
		if function != "" && !v.calls(function) {
			continue
		}
		views = append(views, v)
	}
	return views
}

// Update changes a mapping. The change takes effect when invocations in flight
// have ended; until then the mapping shows its old values. The answer has them too,
// but for mappings of queues.
func (m *Mappings) Update(_ context.Context, uuid string, spec Spec) (View, error) {
	mp, err := m.get(uuid)
	if err != nil {
		return View{}, err
	}
	if err := spec.check(); err != nil {
		return View{}, err
	}
	var f *Function
	if spec.Function != "" {
		found, err := m.lookup(spec.Function)
		if err != nil {
			return View{}, err
		}
		f = &found
	}
	m.defsMu.Lock()
	defer m.defsMu.Unlock()
	shown, err := mp.begin(func(d Definition) State { return updateState(d, spec) })
	if err != nil {
		return View{}, err
	}
	if err := m.change(mp, spec, f); err != nil {
		mp.end()
		return View{}, err
	}
	m.inBackground(func() {
		mp.stop()
		mp.end()
		mp.start()
	})
	if shown.OfQueue() {
		shown.Definition = mp.kept()
	}
	return shown, nil
}

// change writes the definition that a request makes of that of a mapping.
func (m *Mappings) change(mp *Mapping, spec Spec, f *Function) error {
	def := spec.apply(mp.kept(), f)
	if err := cmp.Or(spec.checkFor(def), def.check()); err != nil {
		return err
	}
	if f != nil {
		if err := cmp.Or(m.checkUnique(def), m.checkNewFunction(def, *f)); err != nil {
			return err
		}
	}
	def.LastModified = time.Now().UnixMilli()
	if err := m.defs.Put(mp.uuid, def); err != nil {
		return fmt.Errorf("update mapping %s: %w", mp.uuid, err)
	}
	mp.keep(def)
	return nil
}

// checkNewFunction judges the function that a mapping is to call from now on. A queue
// that is gone by now does not matter.
func (m *Mappings) checkNewFunction(def Definition, f Function) error {
	if !def.OfQueue() {
		return nil
	}
	q, err := m.openQueue(def.SourceARN)
	if errors.Is(err, ErrSourceGone) {
		return nil
	}
	if err != nil {
		return err
	}
	return checkTimeout(f, q)
}

func updateState(d Definition, spec Spec) State {
	switch {
	case spec.Enabled != nil && d.Enabled && !*spec.Enabled:
		return Disabling
	case spec.Enabled != nil && !d.Enabled && *spec.Enabled:
		return Enabling
	}
	return Updating
}

// Delete stops and removes a mapping. It is gone when invocations in flight have
// ended.
func (m *Mappings) Delete(_ context.Context, uuid string) (View, error) {
	mp, err := m.get(uuid)
	if err != nil {
		return View{}, err
	}
	m.defsMu.Lock()
	defer m.defsMu.Unlock()
	view, err := mp.begin(func(Definition) State { return Deleting })
	if err != nil {
		return View{}, err
	}
	// Gone from the store before the reply, so that a crash does not revive it.
	tx := m.cfg.DB.Begin()
	m.defs.DeleteIn(tx, uuid)
	if err := tx.Commit(); err != nil {
		mp.end()
		return View{}, fmt.Errorf("delete mapping %s: %w", uuid, err)
	}
	m.inBackground(func() {
		mp.stop()
		m.forget(uuid)
		close(mp.settled)
	})
	return view, nil
}

func (m *Mappings) forget(uuid string) {
	tx := m.cfg.DB.Begin()
	prefix := mappingPrefix(uuid)
	tx.DeleteRange(prefix, store.PrefixEnd(prefix))
	if err := tx.Commit(); err != nil {
		m.cfg.Log.Error("delete checkpoints", "mapping", uuid, "error", err)
	}
	forgetMeters(m.cfg.Meter, uuid)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byUUID, uuid)
}

func (m *Mappings) inBackground(f func()) { m.background.Go(f) }

func (m *Mappings) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

// ChangeTags replaces the tags of a mapping by what edit makes of a copy, which has no
// other effect on it.
func (m *Mappings) ChangeTags(_ context.Context, uuid string, edit func(tags map[string]string)) error {
	mp, err := m.get(uuid)
	if err != nil {
		return err
	}
	m.defsMu.Lock()
	defer m.defsMu.Unlock()
	if mp.View().State == Deleting {
		return errNotFound() // what is written now would come back after a restart
	}
	def := mp.kept()
	tags := maps.Clone(def.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	edit(tags)
	if err := checkTags(tags); err != nil {
		return err
	}
	def.Tags = tags
	if err := m.defs.Put(uuid, def); err != nil {
		return fmt.Errorf("tag mapping %s: %w", uuid, err)
	}
	mp.keep(def)
	mp.setTags(tags)
	return nil
}

// ARN returns the ARN of a mapping.
func (m *Mappings) ARN(uuid string) string {
	return m.cfg.Identity.ARN("lambda", "event-source-mapping:"+uuid)
}
