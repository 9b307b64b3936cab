package stream

import (
	"math/big"
	"time"
)

// expired reports whether a shard was closed longer ago than records are kept.
func (st *Stream) expired(sh Shard) bool {
	return !sh.Open() && sh.Closed < time.Now().Add(-st.log.Retention()).Unix()
}

// position finds where in a shard a starting position is. operation is named in
// the texts of errors.
func (st *Stream) position(sh Shard, start Start, operation string) (Position, error) {
	needsSequence := start.Type == AtSequence || start.Type == AfterSequence
	if needsSequence != (start.Sequence != "") {
		const must = "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. "
		if needsSequence {
			return 0, errorf(InvalidArgument, must+"Request specified %s and no StartingSequenceNumber.", start.Type)
		}
		return 0, errorf(InvalidArgument, must+"Request specified %s and also a StartingSequenceNumber.", start.Type)
	}
	switch start.Type {
	case Latest:
		return st.log.Tip(sh.Index), nil
	case TrimHorizon:
		p, err := st.log.Horizon(sh.Index)
		return p, st.gone(err)
	case AtTimestamp:
		return st.positionAtTime(sh, start.Timestamp)
	}
	q, err := st.checkSequence(sh, start.Sequence, operation)
	if err != nil {
		return 0, err
	}
	p, err := st.positionOf(sh, q, start.Type == AfterSequence)
	if err != nil {
		return 0, err
	}
	if !sh.Open() {
		p = min(p, sh.End)
	}
	return max(p, 1), nil
}

// positionOf returns the position of the first record at or after a sequence
// number. The number may lie between those of two records.
func (st *Stream) positionOf(sh Shard, q Sequence, after bool) (Position, error) {
	p := Position(q.Counter)
	recs, _, err := st.log.Read(sh.Index, p, 1, 0)
	if err != nil {
		return 0, st.gone(err)
	}
	if len(recs) > 0 && recs[0].Position == p {
		switch at := sh.SequenceOf(recs[0]).Time; {
		case q.Time < at:
			return p, nil
		case q.Time > at:
			return p + 1, nil
		}
	}
	if after {
		p++
	}
	return p, nil
}

func (st *Stream) positionAtTime(sh Shard, t time.Time) (Position, error) {
	if t.IsZero() {
		return 0, errorf(InvalidArgument, "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.")
	}
	if now := time.Now(); t.After(now) {
		return 0, errorf(InvalidArgument, "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: %d, currentTimestampInMillis: %d", t.UnixMilli(), now.UnixMilli())
	}
	p, err := st.log.PositionAt(sh.Index, t)
	return p, st.gone(err)
}

// checkSequence reads a sequence number that must belong to a shard. Numbers
// between those of records are fine.
func (st *Stream) checkSequence(sh Shard, number, operation string) (Sequence, error) {
	invalid := func(number, why string) error {
		return errorf(InvalidArgument, "StartingSequenceNumber %s used in %s on shard %s in stream %s under account %s is invalid%s.",
			number, operation, sh.ID(), st.name, st.owner.cfg.Identity.Account, why)
	}
	const foreign = " because it did not come from this stream"
	q, err := ParseSequence(number)
	if err != nil {
		old, ok := parseOldSequence(number)
		switch {
		case !ok:
			return q, invalid(number, "")
		case !old.valid:
			return q, invalid(old.normal, "")
		case old.shard == sh.Index:
			return q, invalid(old.normal, foreign)
		}
		q.Shard = old.shard
	} else if q.Counter > endCounter || q.Shard > maxShardIndex || q.ShardCreated >= maxShardTime {
		return q, invalid(number, "")
	}
	if q.Shard != sh.Index {
		return q, errorf(InvalidArgument, "Invalid StartingSequenceNumber. It encodes %s, while it was used in a call to a shard with %s", ShardID(q.Shard), sh.ID())
	}
	if q.ShardCreated != sh.Created {
		return q, invalid(number, foreign)
	}
	return q, nil
}

// oldSequence is what is told of sequence numbers of the service's first layout.
// No stream here has any, but the texts of errors read them. As a number of 128
// bits, from the most significant one:
//
//	 4 bits  constant 1, put there when it is missing
//	36 bits  creation time of the shard, epoch seconds
//	 8 bits  anything
//	64 bits  counter, less than 2^63
//	16 bits  shard index
type oldSequence struct {
	shard  uint32
	valid  bool
	normal string // the number with its constant
}

const (
	// maxShardTime is the first creation time of a shard, epoch seconds, that the
	// service refuses.
	maxShardTime  = 16025175000
	maxShardIndex = 1<<31 - 1
)

func parseOldSequence(number string) (oldSequence, bool) {
	n, ok := new(big.Int).SetString(number, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 {
		return oldSequence{}, false
	}
	for i := 125; i < 128; i++ {
		n.SetBit(n, i, 0)
	}
	n.SetBit(n, 124, 1)
	h := hashKeyFromBig(n)
	return oldSequence{
		shard:  uint32(h.Lo & 0xffff),
		valid:  h.Hi>>24&mask36 < maxShardTime && h.Hi&0x8000 == 0,
		normal: n.String(),
	}, true
}
