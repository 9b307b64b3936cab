package stream

import (
	"bytes"
	"crypto/md5" // #nosec G501 -- the format's checksum; it protects nothing here
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// UserRecord is one of the records that a producer has packed into one.
type UserRecord struct {
	PartitionKey string
	Hash         *HashKey // explicit hash key, nil if there is none
	Data         []byte   // shared with the record that it came in
}

// aggregateMagic begins an aggregated record, the format of the Kinesis Producer
// Library:
//
//	magic, 4 bytes | message in protocol buffers | MD5 of the message, 16 bytes
//
//	message: 1 partition keys, repeated string
//	         2 explicit hash keys, repeated string
//	         3 records, repeated message: 1 index of the partition key, uint64
//	                                      2 index of the explicit hash key, uint64, optional
//	                                      3 data, bytes
//	                                      4 tags, ignored
var aggregateMagic = []byte{0xf3, 0x89, 0x9a, 0xc2}

// maxUserRecords bounds what one record is taken apart into. A record of 1 MiB
// holds fewer with more than a byte of data each.
const maxUserRecords = 1 << 17

var errAggregate = errors.New("not a well-formed aggregated record")

// Deaggregate returns the records that a record's data contains, in order; the
// index is what consumers call the sub-sequence number. ok is false for data that is
// not an aggregated record or that is malformed, and has to be taken as it is.
func Deaggregate(data []byte) (recs []UserRecord, ok bool) {
	message, found := bytes.CutPrefix(data, aggregateMagic)
	if !found || len(message) <= md5.Size {
		return nil, false
	}
	message, sum := message[:len(message)-md5.Size], message[len(message)-md5.Size:]
	if want := md5.Sum(message); !bytes.Equal(want[:], sum) { // #nosec G401 -- see the import
		return nil, false
	}
	var a aggregate
	if err := fields(message, a.field); err != nil {
		return nil, false
	}
	recs, err := a.resolve()
	return recs, err == nil && len(recs) > 0
}

// aggregate is a message as it is written; records refer to keys that may follow.
type aggregate struct {
	keys   []string
	hashes []HashKey
	recs   []packed
}

type packed struct {
	key, hash uint64
	has       [4]bool // by field number
	data      []byte
}

// fields calls field for every field of a message that is a number or bytes; n is
// the one, b the other.
func fields(message []byte, field func(num protowire.Number, kind protowire.Type, n uint64, b []byte) error) error {
	for len(message) > 0 {
		num, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return errAggregate
		}
		message = message[size:]
		var n uint64
		var b []byte
		switch kind {
		case protowire.VarintType:
			n, size = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			b, size = protowire.ConsumeBytes(message)
		default:
			size = protowire.ConsumeFieldValue(num, kind, message)
		}
		if size < 0 {
			return errAggregate
		}
		message = message[size:]
		if err := field(num, kind, n, b); err != nil {
			return err
		}
	}
	return nil
}

func (a *aggregate) field(num protowire.Number, kind protowire.Type, _ uint64, b []byte) error {
	if num > 3 {
		return nil // of a later version
	}
	if kind != protowire.BytesType || len(a.keys)+len(a.hashes)+len(a.recs) >= 3*maxUserRecords {
		return errAggregate
	}
	switch num {
	case 1:
		a.keys = append(a.keys, string(b))
	case 2:
		hash, err := ParseHashKey(string(b))
		if err != nil {
			return err
		}
		a.hashes = append(a.hashes, hash)
	case 3:
		var p packed
		if err := fields(b, p.field); err != nil {
			return err
		}
		a.recs = append(a.recs, p)
	}
	return nil
}

func (p *packed) field(num protowire.Number, kind protowire.Type, n uint64, b []byte) error {
	if num > 3 {
		return nil
	}
	if want := [...]protowire.Type{1: protowire.VarintType, 2: protowire.VarintType, 3: protowire.BytesType}; kind != want[num] {
		return errAggregate
	}
	p.has[num] = true
	switch num {
	case 1:
		p.key = n
	case 2:
		p.hash = n
	case 3:
		p.data = b
	}
	return nil
}

// resolve looks up the keys of the records.
func (a *aggregate) resolve() ([]UserRecord, error) {
	if len(a.recs) > maxUserRecords {
		return nil, errAggregate
	}
	out := make([]UserRecord, len(a.recs))
	for i, p := range a.recs {
		if !p.has[1] || !p.has[3] || p.key >= uint64(len(a.keys)) || p.has[2] && p.hash >= uint64(len(a.hashes)) {
			return nil, errAggregate
		}
		out[i] = UserRecord{PartitionKey: a.keys[p.key], Data: p.data}
		if p.has[2] {
			out[i].Hash = &a.hashes[p.hash]
		}
	}
	return out, nil
}
