package table

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table/attr"
)

// streamRetention is how long change records can be read, and how long a stream
// stays after it was disabled or its table deleted.
const streamRetention = 24 * time.Hour

// Shards of a new stream.
const (
	onDemandShards    = 4
	provisionedShards = 1
)

// streamDefinition is what the catalog keeps of a table's stream, under its ARN.
type streamDefinition struct {
	ARN      string
	Label    string
	Table    string
	View     StreamView
	Key      []KeyAttribute
	Created  time.Time
	Disabled time.Time // zero while it is enabled
	Log      stream.LogID
}

// ChangeStream is the changes of a table from when its stream was enabled to when it
// was disabled.
type ChangeStream struct {
	def    streamDefinition
	log    *stream.Log
	region string
}

// ARN returns the stream's ARN.
func (s *ChangeStream) ARN() string { return s.def.ARN }

// Table returns the name of the table.
func (s *ChangeStream) Table() string { return s.def.Table }

// View returns what the change records tell of an item.
func (s *ChangeStream) View() StreamView { return s.def.View }

// Log returns the log of the change records. The index of a shard in it is that of
// Shards.
func (s *ChangeStream) Log() *stream.Log { return s.log }

// ChangeShard is one shard of a ChangeStream.
type ChangeShard struct {
	ID     string
	Index  uint32
	Parent string // "" if it has none
	Closed bool
	// First and Last are the sequence numbers of the first record that the shard
	// ever had and, when it is closed, of its last.
	First, Last string
}

// Shards returns the shards in the order of their index.
func (s *ChangeStream) Shards() []ChangeShard {
	shards := make([]ChangeShard, s.log.Shards())
	for i := range shards {
		index := uint32(i)
		shards[i] = ChangeShard{ID: s.shardID(index), Index: index, First: SequenceNumber(1)}
		if s.log.Closed(index) {
			shards[i].Closed = true
			shards[i].Last = SequenceNumber(max(s.log.Tip(index), 2) - 1)
		}
	}
	return shards
}

// shardID builds an id of the form of the service: a number that grows with time and
// eight hexadecimal digits.
func (s *ChangeStream) shardID(index uint32) string {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%s/%d", s.def.ARN, index) // never fails
	return fmt.Sprintf("shardId-%020d-%08x", s.def.Created.UnixMilli()+int64(index), h.Sum32())
}

// shardIndex returns the index of the shard with an id.
func (s *ChangeStream) shardIndex(id string) (uint32, bool) {
	for i := range uint32(s.log.Shards()) {
		if s.shardID(i) == id {
			return i, true
		}
	}
	return 0, false
}

// shardOf returns the shard to which the changes of an item go.
func (s *ChangeStream) shardOf(storeKey []byte) uint32 {
	return scatterOf(storeKey) % uint32(s.log.Shards())
}

// Decode reads a record of the stream's log.
func (s *ChangeStream) Decode(shard uint32, r stream.Record) (Change, error) {
	c, err := decodeChange(r.Data)
	if err != nil {
		return c, fmt.Errorf("record %d of shard %d of %s: %w", r.Position, shard, s.def.ARN, err)
	}
	c.ID = changeID(s.log.ID(), shard, r.Position)
	c.Sequence = SequenceNumber(r.Position)
	c.Time = r.ArrivalTime().Truncate(time.Second)
	return c, nil
}

// AppendEventRecord appends a record of the stream's log as the JSON object that a
// function finds in the Records of its event.
func (s *ChangeStream) AppendEventRecord(dst []byte, shard uint32, r stream.Record) ([]byte, error) {
	c, err := s.Decode(shard, r)
	if err != nil {
		return dst, err
	}
	dst = append(dst, `{"eventID":"`...)
	dst = append(dst, c.ID...)
	dst = append(dst, `","eventName":"`...)
	dst = append(dst, c.Kind.String()...)
	dst = append(dst, `","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"`...)
	dst = append(dst, s.region...)
	dst = append(dst, `","dynamodb":{"ApproximateCreationDateTime":`...)
	dst = strconv.AppendInt(dst, c.Time.Unix(), 10)
	dst = append(dst, `.0,"Keys":`...)
	dst = attr.AppendItemJSON(dst, c.Keys)
	if c.HasNew {
		dst = append(dst, `,"NewImage":`...)
		dst = attr.AppendItemJSON(dst, c.New)
	}
	if c.HasOld {
		dst = append(dst, `,"OldImage":`...)
		dst = attr.AppendItemJSON(dst, c.Old)
	}
	dst = append(dst, `,"SequenceNumber":"`...)
	dst = append(dst, c.Sequence...)
	dst = append(dst, `","SizeBytes":`...)
	dst = strconv.AppendInt(dst, int64(c.Size()), 10)
	dst = append(dst, `,"StreamViewType":"`...)
	dst = append(dst, s.def.View...)
	dst = append(dst, `"},"eventSourceARN":"`...)
	dst = append(dst, s.def.ARN...)
	return append(dst, `"}`...), nil
}

// ChangeStream returns the stream with an ARN, also one that is disabled but still
// readable. The error is a NotFoundError when there is none.
func (t *Tables) ChangeStream(arn string) (*ChangeStream, error) {
	s, err := t.openStream(arn)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, noStream(arn)
	}
	return s, nil
}

// openStream returns nil for a stream that does not exist or is gone.
func (t *Tables) openStream(arn string) (*ChangeStream, error) {
	def, ok := t.streams.Get(arn)
	if !ok || def.expired(time.Now()) {
		return nil, nil
	}
	log, err := t.cfg.Logs.Open(def.Log, streamRetention)
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", arn, err)
	}
	return &ChangeStream{def: def, log: log, region: t.cfg.Identity.Region}, nil
}

func (d *streamDefinition) expired(now time.Time) bool {
	return !d.Disabled.IsZero() && now.Sub(d.Disabled) > streamRetention
}

// enableStream makes a new stream for a table as part of tx and notes it in the
// table's definition. The stream can be used once tx is applied.
func (t *Tables) enableStream(tx *store.Tx, def *definition, view StreamView) (*ChangeStream, error) {
	now := time.Now().UTC()
	s := &ChangeStream{region: t.cfg.Identity.Region}
	for {
		label := now.Format("2006-01-02T15:04:05.000")
		s.def = streamDefinition{
			ARN:     t.tableARN(def.Name) + "/stream/" + label,
			Label:   label,
			Table:   def.Name,
			View:    view,
			Key:     def.Key,
			Created: now,
		}
		if _, taken := t.streams.Get(s.def.ARN); !taken {
			break
		}
		now = now.Add(time.Millisecond)
	}
	shards := provisionedShards
	if def.OnDemand {
		shards = onDemandShards
	}
	s.log = t.cfg.Logs.Create(tx, shards, streamRetention)
	s.def.Log = s.log.ID()
	def.Stream = s.def.ARN
	return s, t.streams.PutIn(tx, s.def.ARN, s.def)
}

// disableStream closes a stream as part of tx. The caller holds the lifecycle lock,
// so that nobody appends; it lets go of the returned appender after applying tx.
func (t *Tables) disableStream(tx *store.Tx, s *ChangeStream) (*stream.Appender, error) {
	def := s.def
	def.Disabled = time.Now().UTC()
	if err := t.streams.PutIn(tx, def.ARN, def); err != nil {
		return nil, err
	}
	shards := make([]uint32, s.log.Shards())
	for i := range shards {
		shards[i] = uint32(i)
	}
	a, err := s.log.Lock(shards...)
	if err != nil {
		return nil, fmt.Errorf("close stream %s: %w", def.ARN, err)
	}
	for _, i := range shards {
		if _, err := a.Close(tx, i); err != nil {
			a.Unlock()
			return nil, fmt.Errorf("close stream %s: %w", def.ARN, err)
		}
	}
	return a, nil
}

// trimStreams removes expired records and the streams that have expired as a whole.
func (t *Tables) trimStreams() error {
	now := time.Now()
	for _, def := range t.streams.All() {
		log, err := t.cfg.Logs.Open(def.Log, streamRetention)
		if err != nil {
			return fmt.Errorf("open stream %s: %w", def.ARN, err)
		}
		if !def.expired(now) {
			if err := log.Trim(); err != nil {
				return fmt.Errorf("trim stream %s: %w", def.ARN, err)
			}
			continue
		}
		tx := t.cfg.DB.Begin()
		t.streams.DeleteIn(tx, def.ARN)
		t.cfg.Logs.Drop(tx, log)
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("drop stream %s: %w", def.ARN, err)
		}
	}
	return nil
}
