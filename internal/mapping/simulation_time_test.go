package mapping

import (
	"flag"
	"strings"
	"testing"
	"time"
)

var simulationRepeated = flag.Int("repeated", 25, "how many seeds TestSimulationRepeats runs twice")

// TestSimulationRepeats wants the history of a seed to be the same whenever it is
// played, to the nanosecond: else a failure could not be repeated.
func TestSimulationRepeats(t *testing.T) {
	t.Parallel()
	eachSeed(t, *simulationRepeated, func(t *testing.T, seed uint64) {
		first, second := simulate(t, seed, false), simulate(t, seed, false)
		if first != second {
			t.Errorf("seed %d has two histories:\n%s", seed, firstDifference(first, second))
		}
	})
}

// firstDifference shows where two histories part.
func firstDifference(a, b string) string {
	was := strings.Split(a, "\n")
	is := strings.Split(b, "\n")
	n := 0
	for n < min(len(was), len(is)) && was[n] == is[n] {
		n++
	}
	around := func(lines []string) string { return strings.Join(lines[max(n-3, 0):min(n+2, len(lines))], "\n") }
	return around(was) + "\nand\n" + around(is)
}

// A history has to be the same whenever it is played, though the goroutines of a
// mapping run beside each other and nobody knows which of those that can run at one
// instant is first. So each has instants of its own. Virtual time goes by in turns
// of a microsecond; in each turn, every goroutine that touches what others see has
// the nanosecond of its slot. All durations are whole turns, those of the mapping
// and those that the simulation draws, so who has had its instant once stays in its
// slot. It comes there when it calls into the simulation:
//
//   - the reader of a shard with every Read, which also takes time, so that what it
//     put into the queues of lanes before is fetched before there is more;
//   - a lane with Expired, the first thing it asks about records that it delivers.
//
// Goroutines that wake together (a record came, a window is over for all shards, a
// limit of age is reached, the mapping stops) do nothing before that which another
// one of them could see. What is left to chance is a batching window that ends in
// the very nanosecond in which the reader has another record for its lane: in one of
// a million histories.
const turn = time.Microsecond

// The slots. Timers that stand for a time of day, such as the end of a window, have
// slot 0.
const (
	scriptSlot = 1
	shardSlots = 12 // of the reader and ten lanes
)

// readerSlot is the slot of the goroutine that reads a shard and, without others,
// is its lane.
func (s *simShard) readerSlot() int { return (s.number + 1) * shardSlots }

// laneSlot is the slot of one lane of several, which is that of a key.
func (s *simShard) laneSlot(def Definition, key string) int {
	if n := def.lanes(); n > 1 {
		return s.readerSlot() + 1 + laneOf(key, n)
	}
	return s.readerSlot()
}

// untilSlot returns how long it is from now until the next instant of a slot, 0 when
// it is now.
func (w *world) untilSlot(slot int) time.Duration {
	return (time.Duration(slot) - time.Since(w.start)%turn + turn) % turn
}

// enter waits for the slot of the calling goroutine.
func (w *world) enter(slot int) {
	if d := w.untilSlot(slot); d > 0 {
		time.Sleep(d)
	}
}

// enterNext is enter, but not at this instant.
func (w *world) enterNext(slot int) {
	time.Sleep(time.Nanosecond)
	w.enter(slot)
}
