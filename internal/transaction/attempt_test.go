package transaction

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := open(t, vfs.NewMem())
		tx := s.Begin("f", nil)
		begin := func(call string) *Attempt {
			a, answer, err := tx.Attempt(t.Context(), call)
			if a == nil || err != nil {
				t.Fatalf("%s was answered %q: %v", call, answer, err)
			}
			return a
		}
		first := begin("a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := tx.Attempt(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("began beside another: %v", err)
		}
		go func() {
			time.Sleep(time.Second)
			first.End(nil)
		}()
		begin("a").End([]byte("1"))
		if a, answer, err := tx.Attempt(t.Context(), "a"); a != nil || string(answer) != "1" || err != nil {
			t.Errorf("performed twice: %v %q %v", a, answer, err)
		}
		for i := range 100 {
			begin(strconv.Itoa(i)).End(make([]byte, maxAnswers/50))
		}
		if n := len(tx.attempts.answered); n > 50 || n < 40 || tx.attempts.bytes > maxAnswers {
			t.Errorf("%d answers are kept, %d bytes", n, tx.attempts.bytes)
		}
		if a, answer, err := tx.Attempt(t.Context(), "a"); a != nil || answer != nil || !errors.Is(err, ErrTooLarge) {
			t.Errorf("performed twice since the answer is forgotten: %v %q %v", a, answer, err)
		}
		tx.Discard()
		if n := len(tx.attempts.calls); n != 0 || tx.attempts.bytes != 0 {
			t.Errorf("%d answers are kept after the end, %d bytes", n, tx.attempts.bytes)
		}
	})
}
