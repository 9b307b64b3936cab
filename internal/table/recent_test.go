package table

import (
	"bytes"
	"fmt"
	"testing"
)

func TestRecent(t *testing.T) {
	t.Parallel()
	var r recent
	key := func(i int) []byte { return fmt.Appendf(nil, "key %d", i) }
	holds := func(i int, want string) {
		t.Helper()
		if got, ok := r.find(key(i)); !ok || string(got) != want {
			t.Errorf("key %d: %q, %v, want %q", i, got, ok, want)
		}
	}
	lacks := func(i int) {
		t.Helper()
		if got, ok := r.find(key(i)); ok {
			t.Errorf("key %d: %q, want none", i, got)
		}
	}
	lacks(0)
	memory := []byte("a")
	r.keep(key(0), memory)
	memory[0] = 'x'
	holds(0, "a")
	for i := 1; i <= recentItems; i++ {
		holds(0, "a")
		r.keep(key(i), []byte("b"))
	}
	lacks(1)
	holds(0, "a")
	holds(recentItems, "b")

	before, _ := r.find(key(0))
	r.keep(key(0), []byte("c"))
	holds(0, "c")
	if string(before) != "a" {
		t.Errorf("what was found before is now %q", before)
	}
	r.keep(key(0), bytes.Repeat([]byte("d"), recentBytes+1))
	lacks(0)
	r.forget(key(recentItems))
	lacks(recentItems)
	holds(2, "b")
}
