package mapping

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// The limits are smaller than real ones to make their handling cheap.
const (
	simMaxEvent = 20 << 10
	simMaxState = 2 << 10
)

// world is one simulated history: a source, a function, a destination, a mapping
// and a model of what the mapping may do.
//
// Whatever is random comes from the seed, by way of two rules. Only the script,
// which is one goroutine, draws from rng. All else that is decided while lanes run
// beside each other is a hash of the seed and of what the decision is about, so it
// does not depend on who comes first. That two of them never come at one instant is
// told in simulation_time_test.go.
type world struct {
	t    *testing.T
	seed uint64
	rng  *rand.Rand
	fs   *vfs.MemFS

	exactlyOnce bool
	start       time.Time
	uuid        string
	epoch       *epoch

	mu      sync.Mutex
	src     *simSource
	moods   moods
	runs    []simRun
	clock   time.Duration // by which the source's clock is off
	tries   map[string]int
	history []event
	failed  bool
}

// event is something that happened.
type event struct {
	at   time.Duration // since the start
	text string
}

// simRun is one run of the mapping: the time between two looks for its source.
type simRun struct {
	def   Definition
	began time.Time
}

// epoch is the process between two restarts. A dead one has crashed: what its
// goroutines still do has no consequences.
type epoch struct {
	w      *world
	db     *store.DB
	m      *Mappings
	dead   bool // guarded by world.mu
	killed chan struct{}
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 7)), fs: vfs.NewCrashableMem(), start: time.Now(),
		tries: map[string]int{}, src: &simSource{retention: 24 * time.Hour},
	}
	for range 1 + w.rng.IntN(3) {
		w.src.add()
	}
	if w.rng.IntN(10) == 0 {
		w.src.retention = time.Duration(60+w.rng.IntN(120)) * time.Second
	}
	w.exactlyOnce = w.rng.IntN(3) == 0
	w.moods = newMoods(w.rng)
	return w
}

// roll returns a number that depends on the seed and on what it is about.
func (w *world) roll(about string, of ...int) uint64 {
	h := w.seed*0x9e3779b97f4a7c15 + 1
	mix := func(x uint64) {
		h ^= x
		h *= 0xff51afd7ed558ccd
		h ^= h >> 32
	}
	for i := range len(about) {
		mix(uint64(about[i]))
	}
	for _, x := range of {
		mix(uint64(x) + 0x51)
	}
	mix(0)
	mix(0)
	return h
}

// chance is true in one of n cases, in none when n is 0.
func (w *world) chance(n int, about string, of ...int) bool {
	return n > 0 && w.roll(about, of...)%uint64(n) == 0
}

func (w *world) logf(format string, args ...any) {
	w.history = append(w.history, event{time.Since(w.start), fmt.Sprintf(format, args...)})
}

// violated notes that a promise was broken.
func (w *world) violated(format string, args ...any) {
	w.failed = true
	w.logf("VIOLATED: "+format, args...)
	w.t.Errorf(format, args...)
}

// story tells what happened, line by line with the seconds since the start.
func (w *world) story() string {
	// Events of one instant have no order of their own.
	slices.SortStableFunc(w.history, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.text, b.text))
	})
	var out strings.Builder
	for _, e := range w.history {
		fmt.Fprintf(&out, "%14.9f %s\n", e.at.Seconds(), e.text)
	}
	return out.String()
}

// open starts the process.
func (w *world) open() {
	db, err := store.Open("data", store.Options{FS: w.fs})
	if err != nil {
		w.t.Fatal(err)
	}
	e := &epoch{w: w, db: db, killed: make(chan struct{})}
	e.m, err = Open(Config{
		DB: db, Identity: catalog.DefaultIdentity, Sources: e, Invoker: e, Destinations: e,
		Grace: time.Duration(1+w.rng.IntN(5000)) * time.Millisecond,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	e.m.maxEvent, e.m.maxState = simMaxEvent, simMaxState
	e.m.jitter = func(atMost time.Duration) time.Duration {
		now := int(time.Since(w.start))
		return turn * time.Duration(w.roll("jitter", now)%uint64(atMost/turn+1))
	}
	w.epoch = e
	if w.uuid != "" {
		e.m.Start()
	}
}

// restart ends the process and starts another one. With crash it ends at once and
// loses what was not synced.
func (w *world) restart(crash bool) {
	old := w.epoch
	if crash {
		w.fs = w.fs.CrashClone(vfs.CrashCloneCfg{})
		w.mu.Lock()
		old.dead = true
		w.logf("crash")
		for _, sh := range w.src.shards {
			clear(sh.busy)
			sh.at = 0
		}
		w.mu.Unlock()
		close(old.killed)
	}
	if err := errors.Join(old.m.Close(), old.db.Close()); err != nil {
		w.t.Error(err)
	}
	uuid := w.uuid
	w.uuid = ""
	w.open()
	w.uuid = uuid
	w.compare(crash)
	w.mu.Lock()
	w.logf("restarted")
	w.mu.Unlock()
	w.epoch.m.Start()
}

// run returns the run of the mapping that is under way.
func (w *world) run() simRun {
	if len(w.runs) == 0 {
		return simRun{}
	}
	return w.runs[len(w.runs)-1]
}

// Open implements Sources. A run of the mapping begins with it.
func (e *epoch) Open(string) (Source, error) {
	w := e.w
	var def Definition
	if w.uuid != "" {
		v, err := e.m.Get(w.uuid)
		if err != nil {
			return nil, ErrSourceGone
		}
		def = v.Definition
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.src.gone || e.dead {
		return nil, ErrSourceGone
	}
	if w.uuid != "" {
		w.runs = append(w.runs, simRun{def: def, began: time.Now()})
		w.logf("run %d: %s", len(w.runs), describeDefinition(def))
		for _, r := range w.src.recs {
			r.unwanted = r.unwanted || !wants(def, r)
		}
		for _, sh := range w.src.shards {
			sh.newRun()
		}
	}
	return simOpen{e}, nil
}

// Shards implements Source, for all epochs.
func (e *epoch) Shards() ([]Shard, error) {
	time.Sleep(e.w.sourceTakes(-1))
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	var all []Shard
	for _, sh := range e.w.src.shards {
		s := Shard{Key: sh.id, ID: sh.id}
		for _, p := range sh.parents {
			s.Parents = append(s.Parents, p.id)
		}
		all = append(all, s)
	}
	return all, nil
}

// shard opens a shard.
func (e *epoch) shard(key string) ShardSource {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	for _, sh := range e.w.src.shards {
		if sh.id == key {
			return &simReader{e.w, e, sh}
		}
	}
	return nil
}

// simOpen is an epoch as a Source: both interfaces have a method Open.
type simOpen struct{ *epoch }

func (s simOpen) Open(key string) (ShardSource, error) { return s.shard(key), nil }

// Lookup implements Invoker.
func (e *epoch) Lookup(string) (Function, error) {
	return Function{Name: "f", ARN: functionARN, Role: "arn:aws:iam::000000000000:role/r"}, nil
}

// wants reports whether the filters of a definition let a record through.
func wants(def Definition, r *simRecord) bool {
	return len(def.Filters) == 0 || slices.Contains(def.Filters, filterOf(r.letter))
}

func filterOf(letter byte) string { return fmt.Sprintf(`{"data":{"f":["%c"]}}`, letter) }

func describeDefinition(d Definition) string {
	limit := "-"
	if d.RetryLimit != nil {
		limit = fmt.Sprint(*d.RetryLimit)
	}
	return fmt.Sprintf("batch=%d+%ds factor=%d tumbling=%ds age=%d retries=%s bisect=%t report=%t filters=%d destination=%t",
		d.BatchSize, d.BatchingWindow, d.lanes(), d.TumblingWindow, d.MaximumRecordAge, limit, d.Bisect, d.ReportItemFailures, len(d.Filters), d.OnFailure != "")
}

// effectKey is where the effects of a record are counted.
func effectKey(id int) []byte {
	return binary.BigEndian.AppendUint32(store.Key(store.DomainMeta, 5), uint32(id))
}

func (e *epoch) effects(id int) int {
	v, ok, err := e.db.Get(effectKey(id))
	if err != nil {
		e.w.t.Error(err)
	}
	if !ok {
		return 0
	}
	return int(v[0])
}

// simEffects are the effects of one invocation: one count for each record.
type simEffects struct {
	e     *epoch
	ids   []int
	clash bool
	apply func() // to the model, when they are committed
	over  bool
}

func (x *simEffects) end() {
	if x.over {
		x.e.w.t.Error("effects were ended twice")
	}
	x.over = true
}

// Commit implements Effects.
func (x *simEffects) Commit(add func(*store.Tx)) error {
	x.end()
	if x.clash {
		return ErrConflict
	}
	tx := x.e.db.Begin()
	for _, id := range x.ids {
		tx.Set(effectKey(id), []byte{byte(x.e.effects(id) + 1)})
	}
	add(tx)
	if err := tx.CommitLazily(); err != nil {
		return err
	}
	x.e.w.mu.Lock()
	defer x.e.w.mu.Unlock()
	if !x.e.dead {
		x.apply()
	}
	return nil
}

// Discard implements Effects.
func (x *simEffects) Discard() { x.end() }

func sleepOr(ctx context.Context, d time.Duration, killed chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-killed:
		return context.Canceled
	}
}
