package stream

import (
	"math/big"
	"testing"
	"time"
)

func TestSequenceOfTheService(t *testing.T) {
	t.Parallel()
	const number = "49678482460581346101600187196640073254836262304238010370"
	q, err := ParseSequence(number)
	if err != nil {
		t.Fatal(err)
	}
	if q.Shard != 0 || q.String() != number {
		t.Errorf("got %+v, %s", q, q)
	}
	// The record was accepted at 1789809094.742.
	if d := 1789809094 - q.Time; d < 0 || d > 3 {
		t.Errorf("time %d differs from the arrival time by %d s", q.Time, d)
	}
}

func TestSequenceOfNeighbours(t *testing.T) {
	t.Parallel()
	// Distance between the starts of two shards of one stream, recorded.
	want, _ := new(big.Int).SetString("22300745198530623141535718272648361505980432", 10)
	a, _ := new(big.Int).SetString(Shard{Index: 0, Created: 1700000000}.First().String(), 10)
	b, _ := new(big.Int).SetString(Shard{Index: 1, Created: 1700000000}.First().String(), 10)
	if got := new(big.Int).Sub(b, a); got.Cmp(want) != 0 {
		t.Errorf("distance %s, want %s", got, want)
	}
}

func TestSequenceOrder(t *testing.T) {
	t.Parallel()
	sh := Shard{Index: 18, Created: 1700000000, Closed: 1700000100}
	last := sh.First().String()
	for _, r := range []Record{{Position: 1, Arrival: 1700000000999}, {Position: 2, Arrival: 1700000000999}, {Position: 1 << 50, Arrival: 1700000050000}} {
		s := sh.SequenceOf(r).String()
		if len(s) != sequenceDigits || s <= last {
			t.Errorf("%s does not follow %s", s, last)
		}
		last = s
	}
	if end := sh.Last().String(); end <= last {
		t.Errorf("end %s does not follow %s", end, last)
	}
	child := Shard{Index: 19, Created: sh.Closed + 1}
	if first := child.First().String(); first <= sh.Last().String() {
		t.Errorf("child's start %s does not follow the parent's end", first)
	}
}

func FuzzParseSequence(f *testing.F) {
	f.Add("49678482460581346101600187196640073254836262304238010370")
	f.Add("99999999999999999999999999999999999999999999999999999999")
	f.Add("0")
	f.Fuzz(func(t *testing.T, s string) {
		q, err := ParseSequence(s)
		if err == nil && q.String() != s {
			t.Errorf("%s became %s", s, q)
		}
	})
}

func FuzzParseIterator(f *testing.F) {
	it := Iterator{Stream: "s", Created: time.Now().UnixMilli(), Shard: 3, Next: 77, Issued: 1, Nonce: 5}
	f.Add(it.String())
	f.Add(`"` + it.String() + `"`)
	f.Add("AAAAAAAAAAE=")
	f.Fuzz(func(t *testing.T, s string) {
		it, err := ParseIterator(s)
		if err != nil {
			return
		}
		again, err := ParseIterator(it.String())
		if err != nil || again != it {
			t.Errorf("%+v became %+v, %v", it, again, err)
		}
	})
}

func TestHashRanges(t *testing.T) {
	t.Parallel()
	want := []string{
		"0", "113427455640312821154458202477256070484",
		"113427455640312821154458202477256070485", "226854911280625642308916404954512140969",
		"226854911280625642308916404954512140970", "340282366920938463463374607431768211455",
	}
	ranges := evenRanges(3)
	for i, r := range ranges {
		if r.Start.String() != want[2*i] || r.End.String() != want[2*i+1] {
			t.Errorf("range %d is %s-%s", i, r.Start, r.End)
		}
	}
	for key, shard := range map[string]int{"a": 0, "b": 1, "f": 1, "e": 2} {
		for i, r := range ranges {
			if r.Contains(HashOf(key)) != (i == shard) {
				t.Errorf("key %s and shard %d", key, i)
			}
		}
	}
	for _, s := range []string{"", "-1", "+1", " 1", "340282366920938463463374607431768211456", "999999999999999999999999999999999999999"} {
		if h, err := ParseHashKey(s); err == nil {
			t.Errorf("%q became %s", s, h)
		}
	}
	if h, err := ParseHashKey("340282366920938463463374607431768211455"); err != nil || h != MaxHashKey {
		t.Errorf("maximum: %v %v", h, err)
	}
}

func TestParseShardID(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]uint32{"shardId-000000000002": 2, "shardId-0": 0, "abc-00002": 2, "2": 2, "2147483647": 2147483647} {
		if got, ok := ParseShardID(in); !ok || got != want {
			t.Errorf("%q: %d %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "shardId", "shardId-", "shardId-1x", "shardId--1", "+1", "2147483648"} {
		if got, ok := ParseShardID(in); ok {
			t.Errorf("%q became %d", in, got)
		}
	}
}

func BenchmarkSequenceAppend(b *testing.B) {
	q := Sequence{ShardCreated: 1700000000, Shard: 3, Counter: 123456789, Time: 1700001000}
	buf := make([]byte, 0, 64)
	for b.Loop() {
		buf = q.Append(buf[:0])
	}
}
