package function

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestPreparingIsNotInitializing has the time that a process may take to initialize
// begin when it is started, however long the server took to get that far.
func TestPreparingIsNotInitializing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, childOutput, err := new(Functions).newEnvironment(nil, Definition{Name: "f", TimeoutSeconds: 3})
		if err != nil {
			t.Fatal(err)
		}
		defer e.listener.Close()
		defer e.output.close()
		defer childOutput.Close()
		expect := func(after time.Duration, want killReason) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.killedFor != want {
				t.Errorf("killed for %v, want %v", e.killedFor, want)
			}
		}
		expect(time.Hour, notKilled)
		e.beginInit()
		expect(12999*time.Millisecond, notKilled)
		expect(time.Millisecond, killedTimeout)
	})
}
