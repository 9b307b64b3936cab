package function

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// strays ends what the processes of functions have started and moved out of their
// groups: nothing of an environment outlives it. They are known by the access key of
// the environment in their variables.
type strays struct {
	end func(match func(variable string) bool)

	mu    sync.Mutex
	keys  map[string]bool // of the environments that have ended since the last look
	ended chan struct{}   // of capacity 1
}

const (
	// strayPause is between two looks at all processes of the machine.
	strayPause        = 200 * time.Millisecond
	accessKeyVariable = "AWS_ACCESS_KEY_ID"
	taskRootVariable  = "LAMBDA_TASK_ROOT"
)

func newStrays(end func(match func(variable string) bool)) *strays {
	return &strays{end: end, keys: map[string]bool{}, ended: make(chan struct{}, 1)}
}

// endAll ends what a server that was killed has left behind, before anything is
// started: all that runs from the unpacked packages in codeDir.
func (s *strays) endAll(codeDir string) {
	prefix := taskRootVariable + "=" + codeDir + string(filepath.Separator)
	s.end(func(variable string) bool { return strings.HasPrefix(variable, prefix) })
}

// of notes that the environment with an access key has ended.
func (s *strays) of(accessKeyID string) {
	s.mu.Lock()
	s.keys[accessKeyID] = true
	s.mu.Unlock()
	select {
	case s.ended <- struct{}{}:
	default:
	}
}

// run ends strays until ctx does.
func (s *strays) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.ended:
			s.look()
			sleep(ctx, strayPause)
		}
	}
}

// look ends the strays of the environments that have ended since the last look.
func (s *strays) look() {
	s.mu.Lock()
	keys := s.keys
	s.keys = map[string]bool{}
	s.mu.Unlock()
	if len(keys) == 0 {
		return
	}
	s.end(func(variable string) bool {
		key, ok := strings.CutPrefix(variable, accessKeyVariable+"=")
		return ok && keys[key]
	})
}
