package stackapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/weirstream/weir/internal/stack"
	"github.com/weirstream/weir/internal/stack/template"
)

func TestFailures(t *testing.T) {
	t.Parallel()
	h := handler{log: slog.New(slog.DiscardHandler)}
	for _, test := range []struct {
		err    error
		status int
		want   string
	}{
		{fmt.Errorf("wait: %w", stack.ErrClosed), http.StatusServiceUnavailable, stack.ErrClosed.Error()},
		{fmt.Errorf("wait: %w", context.Canceled), http.StatusServiceUnavailable, stack.ErrClosed.Error()},
		{fmt.Errorf("stack a: %w", stack.ErrNotFound), http.StatusNotFound, "stack a: " + stack.ErrNotFound.Error()},
		{template.Problems{{Line: 3, LogicalID: "A", Message: "no"}}, http.StatusBadRequest, "line 3: A: no"},
		{errors.New("/secret: broken"), http.StatusInternalServerError, "internal error; the server's log says more"},
	} {
		if f, status := h.failure(test.err); status != test.status || f.Message != test.want {
			t.Errorf("%v: %d %q", test.err, status, f.Message)
		}
	}
}
