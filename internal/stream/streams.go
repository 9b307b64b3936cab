package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

// Config is what Open needs. Log and Meter may be nil.
type Config struct {
	DB       *store.DB
	Logs     *Logs
	Identity catalog.Identity
	Log      *slog.Logger
	Meter    *meter.Meter
}

// Streams is the set of Kinesis streams.
type Streams struct {
	cfg  Config
	defs *catalog.Collection[Definition]

	createMu sync.Mutex // serializes create and delete
	mu       sync.RWMutex
	byName   map[string]*Stream

	subs subscriptions

	stop     context.CancelFunc
	trimming sync.WaitGroup
}

// trimInterval is how often expired records are deleted. Readers do not see
// expired records whether they are deleted yet or not.
const trimInterval = time.Minute

// Open loads the streams of a store and starts deleting expired records.
func Open(cfg Config) (*Streams, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	defs, err := catalog.Load[Definition](cfg.DB, "stream")
	if err != nil {
		return nil, err
	}
	s := &Streams{cfg: cfg, defs: defs, byName: map[string]*Stream{}}
	s.subs.all, s.subs.watchers = map[subscriptionKey]*Subscription{}, map[*watcher]struct{}{}
	for _, def := range defs.All() {
		log, err := cfg.Logs.Open(def.Log, time.Duration(def.RetentionHours)*time.Hour)
		if err != nil {
			return nil, fmt.Errorf("open stream %s: %w", def.Name, err)
		}
		s.byName[def.Name] = newStream(s, def, log)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.trimming.Go(func() { s.trimLoop(ctx) })
	return s, nil
}

// Close stops background work. It does not close the store.
func (s *Streams) Close() error {
	s.stop()
	s.trimming.Wait()
	return nil
}

func (s *Streams) trimLoop(ctx context.Context) {
	ticker := time.NewTicker(trimInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, st := range s.All() {
			if err := st.log.Trim(); err != nil && !errors.Is(err, ErrNoLog) {
				s.cfg.Log.Error("delete expired records", "stream", st.Name(), "error", err)
			}
		}
	}
}

// CreateSpec describes a stream to be made. Zero values mean the defaults of the
// service.
type CreateSpec struct {
	Name           string
	Shards         int    // 0: 1 for Provisioned, 4 for OnDemand
	Mode           string // "": Provisioned when Shards is given, else OnDemand
	RetentionHours int
	MaxRecordKiB   int
	ShardMetrics   []string // of AllShardMetrics
	EncryptionKey  string   // "": not encrypted
	Tags           map[string]string
}

const (
	maxShards          = 20000
	maxOnDemand        = 50
	defaultOnDemand    = 4
	maxRecordKiB       = 10240
	minRetentionHours  = 24
	maxRetentionHours  = 8760
	maxPutRecordsBytes = 10 << 20
)

func (c *CreateSpec) fill() error {
	if c.Mode == "" {
		c.Mode = Provisioned
		if c.Shards == 0 {
			c.Mode = OnDemand
		}
	}
	if c.Shards == 0 {
		c.Shards = 1
		if c.Mode == OnDemand {
			c.Shards = defaultOnDemand
		}
	}
	if c.RetentionHours == 0 {
		c.RetentionHours = minRetentionHours
	}
	if c.MaxRecordKiB == 0 {
		c.MaxRecordKiB = DefaultMaxRecordKiB
	}
	if err := checkMaxRecord(c.MaxRecordKiB); err != nil {
		return err
	}
	return checkRetention(c.RetentionHours)
}

func checkMaxRecord(kib int) error {
	if kib < DefaultMaxRecordKiB || kib > maxRecordKiB {
		return errorf(Validation, "MaxRecordSizeInKiB must be between %d and %d.", DefaultMaxRecordKiB, maxRecordKiB)
	}
	return nil
}

func checkRetention(hours int) error {
	if hours < minRetentionHours {
		return errorf(InvalidArgument, "Minimum allowed retention period is %d hours. Requested retention period (%d hours) is too short.", minRetentionHours, hours)
	}
	if hours > maxRetentionHours {
		return errorf(InvalidArgument, "Maximum allowed retention period is %d hours. Requested retention period (%d hours) is too long.", maxRetentionHours, hours)
	}
	return nil
}

// Create makes a stream. It is active when Create returns.
func (s *Streams) Create(_ context.Context, spec CreateSpec) (*Stream, error) {
	if err := spec.fill(); err != nil {
		return nil, err
	}
	s.createMu.Lock()
	defer s.createMu.Unlock()
	if _, ok := s.defs.Get(spec.Name); ok {
		return nil, errorf(InUse, "Stream %s under account %s already exists.", spec.Name, s.cfg.Identity.Account)
	}
	if n := s.shardCount(); n+spec.Shards > maxShards {
		return nil, s.shardLimitError(n, spec.Shards)
	}
	now := time.Now()
	def := Definition{
		Name: spec.Name, Created: now.UnixMilli(), Mode: spec.Mode,
		RetentionHours: spec.RetentionHours, MaxRecordKiB: spec.MaxRecordKiB, ShardMetrics: sorted(spec.ShardMetrics), Tags: spec.Tags,
	}
	if spec.EncryptionKey != "" {
		def.Encryption = Encryption{{Key: spec.EncryptionKey, From: def.Created}}
	}
	for i, r := range evenRanges(spec.Shards) {
		def.Shards = append(def.Shards, Shard{Index: uint32(i), Created: now.Unix(), Range: r})
	}
	tx := s.cfg.DB.Begin()
	defer tx.Discard()
	log := s.cfg.Logs.Create(tx, spec.Shards, time.Duration(spec.RetentionHours)*time.Hour)
	def.Log = log.ID()
	if err := s.defs.PutIn(tx, def.Name, def); err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("create stream %s: %w", spec.Name, err)
	}
	st := newStream(s, def, log)
	s.mu.Lock()
	s.byName[def.Name] = st
	s.mu.Unlock()
	return st, nil
}

// shardCount is the number of shards that can be read, which is what the limit is
// about.
func (s *Streams) shardCount() int {
	n := 0
	for _, st := range s.All() {
		for _, sh := range st.Definition().Shards {
			if !st.expired(sh) {
				n++
			}
		}
	}
	return n
}

func (s *Streams) shardLimitError(current, more int) error {
	return errorf(LimitExceeded, "This request would exceed the shard limit for the account %s in %s. Current shard count for the account: %d. Limit: %d. Number of additional shards that would have resulted from this request: %d. Refer to the AWS Service Limits page (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how to request higher limits.",
		s.cfg.Identity.Account, s.cfg.Identity.Region, current, maxShards, more)
}

// Delete removes a stream with its consumers and records. Readers that wait get
// ErrNoLog.
func (s *Streams) Delete(_ context.Context, name string) error {
	return s.delete(name, func(*Stream) error { return nil })
}

// delete removes a stream if check agrees.
func (s *Streams) delete(name string, check func(*Stream) error) error {
	s.createMu.Lock()
	defer s.createMu.Unlock()
	st, err := s.Get(name)
	if err != nil {
		return err
	}
	if err := check(st); err != nil {
		return err
	}
	tx := s.cfg.DB.Begin()
	s.defs.DeleteIn(tx, name)
	s.cfg.Logs.Drop(tx, st.log)
	tx.OnApply(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.byName, name)
	})
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("delete stream %s: %w", name, err)
	}
	s.dropConsumers(st)
	s.cfg.Meter.Forget(namespace, meter.Dimension{Name: "StreamName", Value: name})
	return nil
}

// Get returns the stream with a name.
func (s *Streams) Get(name string) (*Stream, error) {
	s.mu.RLock()
	st, ok := s.byName[name]
	s.mu.RUnlock()
	if !ok {
		return nil, errorf(NotFound, "Stream %s under account %s not found.", name, s.cfg.Identity.Account)
	}
	return st, nil
}

// All returns the streams by name.
func (s *Streams) All() []*Stream {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*Stream, 0, len(s.byName))
	for _, st := range s.byName {
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b *Stream) int { return strings.Compare(a.name, b.name) })
	return all
}

// ARN returns the ARN of a stream with the given name.
func (s *Streams) ARN(name string) string { return s.cfg.Identity.ARN("kinesis", "stream/"+name) }

// SetRetention changes how long records of a stream can be read.
func (s *Streams) SetRetention(_ context.Context, name string, hours int) error {
	if err := checkRetention(hours); err != nil {
		return err
	}
	return s.change(name, func(st *Stream, def *Definition) error {
		def.RetentionHours = hours
		st.log.SetRetention(time.Duration(hours) * time.Hour)
		return nil
	})
}

// IncreaseRetention is SetRetention for a period that is not shorter.
func (s *Streams) IncreaseRetention(ctx context.Context, name string, hours int) error {
	if err := s.checkRetentionChange(name, hours, func(now int) bool { return hours >= now }, "shorter", "Decrease"); err != nil {
		return err
	}
	return s.SetRetention(ctx, name, hours)
}

// DecreaseRetention is SetRetention for a period that is not longer.
func (s *Streams) DecreaseRetention(ctx context.Context, name string, hours int) error {
	if err := s.checkRetentionChange(name, hours, func(now int) bool { return hours <= now }, "longer", "Increase"); err != nil {
		return err
	}
	return s.SetRetention(ctx, name, hours)
}

func (s *Streams) checkRetentionChange(name string, hours int, fits func(now int) bool, not, instead string) error {
	if err := checkRetention(hours); err != nil {
		return err
	}
	st, err := s.Get(name)
	if err != nil {
		return err
	}
	if now := st.Definition().RetentionHours; !fits(now) {
		return errorf(InvalidArgument, "Requested retention period (%d hours) for stream %s can not be %s than existing retention period (%d hours). Use %sRetentionPeriod API.", hours, name, not, now, instead)
	}
	return nil
}

// SetTags replaces the tags of a stream.
func (s *Streams) SetTags(_ context.Context, name string, tags map[string]string) error {
	return s.change(name, func(_ *Stream, def *Definition) error {
		def.Tags = tags
		return nil
	})
}

// change replaces a stream's definition by what edit makes of a copy.
func (s *Streams) change(name string, edit func(*Stream, *Definition) error) error {
	s.createMu.Lock()
	defer s.createMu.Unlock()
	st, err := s.Get(name)
	if err != nil {
		return err
	}
	def := st.Definition()
	if err := edit(st, &def); err != nil {
		return err
	}
	if err := s.defs.Put(name, def); err != nil {
		return fmt.Errorf("change stream %s: %w", name, err)
	}
	st.setDefinition(def)
	return nil
}

// Stream is one Kinesis stream.
type Stream struct {
	owner  *Streams
	name   string
	log    *Log
	state  atomic.Pointer[streamState]
	series streamSeries
}

// streamState is an immutable view of a definition, with its open shards in the
// order of their hash ranges for routing, and the series of all shards by index.
type streamState struct {
	def    Definition
	open   []Shard
	series []shardSeries
}

func newStream(owner *Streams, def Definition, log *Log) *Stream {
	st := &Stream{owner: owner, name: def.Name, log: log}
	st.series.open(owner.cfg.Meter, def.Name)
	st.setDefinition(def)
	return st
}

func (st *Stream) setDefinition(def Definition) {
	st.state.Store(&streamState{def: def, open: openShards(def.Shards), series: shardSeriesOf(st.owner.cfg.Meter, def)})
}

// openShards returns those of the shards that are open in the order of their hash
// ranges.
func openShards(shards []Shard) []Shard {
	var open []Shard
	for _, sh := range shards {
		if sh.Open() {
			open = append(open, sh)
		}
	}
	slices.SortFunc(open, func(a, b Shard) int { return a.Range.Start.Cmp(b.Range.Start) })
	return open
}

// Name returns the stream's name.
func (st *Stream) Name() string { return st.name }

// ARN returns the stream's ARN.
func (st *Stream) ARN() string { return st.owner.ARN(st.name) }

// Definition returns what the stream is. Do not change what it refers to.
func (st *Stream) Definition() Definition { return st.state.Load().def }

// Log returns the stream's records.
func (st *Stream) Log() *Log { return st.log }

// OpenShards returns how many shards take records.
func (st *Stream) OpenShards() int { return len(st.state.Load().open) }

// Shard returns a shard by its index.
func (st *Stream) Shard(index uint32) (Shard, bool) {
	shards := st.state.Load().def.Shards
	if int(index) >= len(shards) {
		return Shard{}, false
	}
	return shards[index], true
}

// route returns the open shard whose range holds h.
func (s *streamState) route(h HashKey) Shard {
	i, found := slices.BinarySearchFunc(s.open, h, func(sh Shard, h HashKey) int { return sh.Range.Start.Cmp(h) })
	if !found {
		i--
	}
	return s.open[i]
}

// Account returns the account that the streams belong to.
func (s *Streams) Account() string { return s.cfg.Identity.Account }

// GetShard returns the stream with a name if it has a shard of the given index.
// Its error names the shard also when the stream is missing.
func (s *Streams) GetShard(name string, index uint32) (*Stream, error) {
	st, err := s.Get(name)
	if err != nil {
		return nil, s.noShard(index, name)
	}
	if _, ok := st.Shard(index); !ok {
		return nil, s.noShard(index, name)
	}
	return st, nil
}
