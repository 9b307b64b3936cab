package stream

import (
	"bytes"
	"crypto/md5"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// seal adds to a message what makes it an aggregated record.
func seal(message []byte) []byte {
	sum := md5.Sum(message)
	return append(append(bytes.Clone(aggregateMagic), message...), sum[:]...)
}

func text(b []byte, num protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
}

func number(b []byte, num protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), n)
}

func packedRecord(key uint64, data string) []byte { return text(number(nil, 1, key), 3, data) }

func TestDeaggregate(t *testing.T) {
	t.Parallel()
	m := text(nil, 3, string(packedRecord(1, "first"))) // records may come before the keys
	m = text(m, 1, "k0")
	m = text(m, 1, "k1")
	m = text(m, 2, "340282366920938463463374607431768211455")
	m = text(m, 3, string(text(number(packedRecord(0, ""), 2, 0), 4, "a tag")))
	m = number(m, 9, 1) // of a later version
	recs, ok := Deaggregate(seal(m))
	if !ok || len(recs) != 2 {
		t.Fatalf("%+v %v", recs, ok)
	}
	if r := recs[0]; r.PartitionKey != "k1" || string(r.Data) != "first" || r.Hash != nil {
		t.Errorf("first %+v", r)
	}
	if r := recs[1]; r.PartitionKey != "k0" || len(r.Data) != 0 || r.Hash == nil || *r.Hash != MaxHashKey {
		t.Errorf("second %+v", r)
	}
}

func TestDeaggregateLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	good := text(text(nil, 1, "k"), 3, string(packedRecord(0, "d")))
	damaged := seal(good)
	damaged[len(damaged)-1] ^= 1
	for name, data := range map[string][]byte{
		"plain data":             []byte("hello"),
		"nothing":                nil,
		"magic alone":            aggregateMagic,
		"no message":             seal(nil),
		"another checksum":       damaged,
		"no records":             seal(text(nil, 1, "k")),
		"a key that is missing":  seal(text(text(nil, 1, "k"), 3, string(packedRecord(1, "d")))),
		"a hash that is missing": seal(text(text(nil, 1, "k"), 3, string(number(packedRecord(0, "d"), 2, 0)))),
		"a hash of words":        seal(text(good, 2, "none")),
		"a record without key":   seal(text(text(nil, 1, "k"), 3, string(text(nil, 3, "d")))),
		"a record without data":  seal(text(text(nil, 1, "k"), 3, string(number(nil, 1, 0)))),
		"a number for a key":     seal(number(good, 1, 1)),
		"text for an index":      seal(text(good, 3, string(text(text(nil, 1, "0"), 3, "d")))),
		"cut off":                seal(good[:len(good)-1]),
		"too many records":       seal(append(text(nil, 1, "k"), bytes.Repeat(text(nil, 3, string(packedRecord(0, ""))), maxUserRecords+1)...)),
	} {
		if recs, ok := Deaggregate(data); ok {
			t.Errorf("%s: %+v", name, recs)
		}
	}
}

func FuzzDeaggregate(f *testing.F) {
	f.Add(text(text(nil, 1, "k"), 3, string(packedRecord(0, "d"))))
	f.Add(text(text(text(nil, 1, "k"), 2, "5"), 3, string(number(packedRecord(0, "d"), 2, 0))))
	f.Fuzz(func(t *testing.T, message []byte) {
		Deaggregate(message)
		recs, ok := Deaggregate(seal(message))
		if !ok {
			return
		}
		size := 0
		for _, r := range recs {
			size += len(r.Data)
		}
		if len(recs) == 0 || len(recs) > maxUserRecords || size > len(message) {
			t.Errorf("%d records with %d bytes of a message of %d", len(recs), size, len(message))
		}
	})
}
