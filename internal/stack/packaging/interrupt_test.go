package packaging

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestInterruptedBuildsClearAway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	begun, cleared := filepath.Join(dir, "begun"), filepath.Join(dir, "cleared")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- command(ctx, dir, nil, "sh", "-c", "trap 'touch cleared; exit 1' INT; touch begun; while :; do sleep 0.01; done")
	}()
	for {
		if _, err := os.Stat(begun); err == nil {
			break
		}
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := os.Stat(cleared); err != nil {
		t.Error(err)
	}
}
