package table

import (
	"time"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

// ScanRequest asks for items of a table.
type ScanRequest struct {
	Table string
	Index string // "" for the table itself
	Expressions
	Start    Item // key after which to go on
	HasStart bool
	// StartInvalid tells what is wrong with where the request wants to start, if
	// anything.
	StartInvalid error
	Limit        int // 0 for none
	Consistent   bool
	CountOnly    bool
	// Segments divides the table, Segment is the part that is asked for; 0 segments
	// for all of it.
	Segment, Segments int
}

// Scan reads a page of a table. Errors that are the client's: InvalidError,
// NotFoundError.
func (t *Tables) Scan(r *ScanRequest) (Page, error) {
	begun := time.Now()
	read, err := t.planScan(r)
	return t.finishPage(opScan, begun, read, err)
}

// planScan is planQuery for a scan.
func (t *Tables) planScan(r *ScanRequest) (*reading, error) {
	b, err := t.bind(&r.Expressions, r.StartInvalid)
	if err != nil {
		return nil, err
	}
	tab, err := t.acquire(r.Table)
	if err != nil {
		return nil, err
	}
	read, err := tab.planScan(r, b)
	return t.planned(tab, read, err)
}

func (t *table) planScan(r *ScanRequest, b expr.Bound) (reading, error) {
	if r.Index != "" {
		return reading{}, noIndex(r.Index)
	}
	read := reading{
		table: t, limit: r.Limit, filter: b.Filter, projection: b.Projection,
		countOnly: r.CountOnly, consistent: r.Consistent,
	}
	prefix := tablePrefix(t.id)
	read.lower, read.upper = prefix, store.PrefixEnd(prefix)
	if r.Segments > 0 {
		read.lower = store.AppendUint32(clip(prefix), segmentStart(r.Segment, r.Segments))
		if r.Segment+1 < r.Segments {
			read.upper = store.AppendUint32(clip(prefix), segmentStart(r.Segment+1, r.Segments))
		}
	}
	if r.HasStart {
		if err := t.checkKey(r.Start); err != nil {
			return read, attr.Invalidf("The provided starting key is invalid: %v", err)
		}
		key := t.storeKey(r.Start)
		if r.Segments > 0 && !inSegment(scatterOf(key), r.Segment, r.Segments) {
			return read, attr.Invalidf("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d", r.Segments, r.Segment)
		}
		read.resume(key)
	}
	return read, t.checkPaths(b)
}

// segmentStart returns the smallest partition hash of a segment.
func segmentStart(segment, segments int) uint32 {
	return uint32((uint64(segment)<<32 + uint64(segments) - 1) / uint64(segments))
}

func inSegment(hash uint32, segment, segments int) bool {
	return int(uint64(hash)*uint64(segments)>>32) == segment
}
