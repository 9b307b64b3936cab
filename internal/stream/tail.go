package stream

import "sync/atomic"

// tail keeps the most recent records of a shard in memory, so that a reader at
// the tip costs no disk read and no decoding. It holds consecutive positions
// from first on.
type tail struct {
	first Position
	recs  []Record
	bytes int64
}

const (
	// maxTailBytes bounds the tail of one shard while the budget lasts,
	// minTailBytes what it keeps when all shards together have used it up.
	maxTailBytes = 8 << 20
	minTailBytes = 64 << 10
	recordCost   = 64 // bytes of a Record itself
)

func cost(r Record) int64 { return int64(len(r.Data)+len(r.PartitionKey)) + recordCost }

// push adds records at the end and evicts at the front what is too much.
func (t *tail) push(recs []Record, budget *atomic.Int64) {
	if len(t.recs) == 0 {
		t.first = recs[0].Position
	}
	t.recs = append(t.recs, recs...)
	var added int64
	for _, r := range recs {
		added += cost(r)
	}
	t.bytes += added
	limit := int64(maxTailBytes)
	if budget.Add(-added) < 0 {
		limit = minTailBytes
	}
	if t.bytes > limit {
		t.evict(t.bytes-limit, budget)
	}
}

// evict drops records from the front until n bytes are free.
func (t *tail) evict(n int64, budget *atomic.Int64) {
	i, freed := 0, int64(0)
	for i < len(t.recs) && freed < n {
		freed += cost(t.recs[i])
		i++
	}
	t.drop(i, freed, budget)
}

// evictBefore drops the records before a position.
func (t *tail) evictBefore(p Position, budget *atomic.Int64) {
	i, freed := 0, int64(0)
	for i < len(t.recs) && t.recs[i].Position < p {
		freed += cost(t.recs[i])
		i++
	}
	t.drop(i, freed, budget)
}

func (t *tail) drop(n int, freed int64, budget *atomic.Int64) {
	clear(t.recs[:n]) // release the data; the array stays until append moves on
	t.recs = t.recs[n:]
	t.first += Position(n)
	t.bytes -= freed
	budget.Add(freed)
}

// slice returns records from a position in the tail up to last.
func (t *tail) slice(from, last Position, maxRecords, maxBytes int) []Record {
	recs := t.recs[from-t.first : last-t.first+1]
	n, size := 0, 0
	for n < len(recs) && n < maxRecords {
		size += len(recs[n].Data) + len(recs[n].PartitionKey)
		if size > maxBytes && n > 0 {
			break
		}
		n++
	}
	// A copy, because eviction clears the elements of the shared array.
	return append(make([]Record, 0, n), recs[:n]...)
}
