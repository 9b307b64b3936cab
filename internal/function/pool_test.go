package function

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeProgram stands for a process whose handler takes a set time, in a bubble
// of virtual time.
type fakeProgram struct {
	once sync.Once
	end  chan struct{}
}

func (p *fakeProgram) kill()              { p.once.Do(func() { close(p.end) }) }
func (p *fakeProgram) wait() string       { <-p.end; return "" }
func (p *fakeProgram) memory(bool) memory { return memory{} }

type noListener struct{ net.Listener }

func (noListener) Close() error { return nil }

// fakes starts environments without processes.
type fakes struct {
	startTime time.Duration // from launch to the first "next"
	workTime  time.Duration // from event to result
	dwell     time.Duration // from result to the next "next"
	// initFailure is reported at the start, nil for none.
	initFailure *failure

	mu      sync.Mutex
	started int
	running int
}

func (f *fakes) start(fs *Functions, p *pool, def Definition) {
	f.mu.Lock()
	f.started++
	f.running++
	f.mu.Unlock()
	program := &fakeProgram{end: make(chan struct{})}
	server, client := net.Pipe()
	conn := newAPIConn(server)
	e := &environment{
		def: def, host: p, timeout: time.Duration(def.TimeoutSeconds) * time.Second,
		listener: noListener{}, created: time.Now(), first: true, proc: program,
		open:        map[*apiConn]struct{}{conn: {}},
		credentials: newCredentials(false),
	}
	out, childOutput, err := newOutput(func(time.Time, []byte) {})
	if err != nil {
		panic(err)
	}
	e.output = out
	_ = childOutput.Close()
	e.timer = time.AfterFunc(initTimeout+e.timeout, e.expire)
	if !p.adopt(e) {
		return
	}
	fs.background.Go(func() {
		e.supervise()
		f.mu.Lock()
		f.running--
		f.mu.Unlock()
	})
	fs.background.Go(func() { f.work(e, conn, client, program) })
}

func (f *fakes) work(e *environment, conn *apiConn, client net.Conn, program *fakeProgram) {
	defer client.Close()
	pause := func(d time.Duration) bool {
		if d == 0 {
			// A timer that has expired already, in several goroutines of a bubble at
			// once, ends the race detector: https://go.dev/issue/78156.
			return true
		}
		select {
		case <-time.After(d):
			return true
		case <-program.end:
			return false
		}
	}
	if f.initFailure != nil {
		e.initFailed(*f.initFailure)
	}
	reader := bufio.NewReader(client)
	for wait := f.startTime; pause(wait); wait = f.dwell {
		asked := make(chan struct{})
		go func() { defer close(asked); e.next(conn) }() // delivers, and the pipe has no buffer
		res, err := http.ReadResponse(reader, nil)
		if err != nil {
			return
		}
		_ = res.Body.Close()
		<-asked
		if !pause(f.workTime) {
			return
		}
		e.respond(res.Header.Get("Lambda-Runtime-Aws-Request-Id"), outcome{payload: []byte("null")})
	}
}

func (f *fakes) counts() (started, running int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.started, f.running
}

// inBubble runs a test in virtual time with functions whose processes are fakes.
func inBubble(t *testing.T, f *fakes, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	pkg := zipOf(t, file{"bootstrap", 0o755, "x"})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.use(f)
		def := Definition{Name: "f", Runtime: "provided.al2023", TimeoutSeconds: 60}
		if _, err := w.Create(t.Context(), def, pkg); err != nil {
			t.Fatal(err)
		}
		test(t, w)
	})
}

func TestIdleEnvironmentsAreReaped(t *testing.T) {
	f := &fakes{workTime: time.Second}
	inBubble(t, f, func(t *testing.T, w *world) {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { w.invoke("f", "echo") })
		}
		wg.Wait()
		if _, running := f.counts(); running != 3 {
			t.Fatalf("%d environments for 3 invocations at once", running)
		}
		// One after the other needs only one: the other two become idle for good.
		for range 6 {
			time.Sleep(2 * time.Minute)
			w.invoke("f", "echo")
		}
		synctest.Wait()
		if _, running := f.counts(); running != 1 {
			t.Errorf("%d environments after 12 minutes of use of one", running)
		}
		time.Sleep(9 * time.Minute)
		if _, running := f.counts(); running != 1 {
			t.Errorf("%d environments after 9 idle minutes", running)
		}
		time.Sleep(2 * time.Minute)
		if _, running := f.counts(); running != 0 {
			t.Errorf("%d environments after 11 idle minutes", running)
		}
		if started, _ := f.counts(); started != 3 {
			t.Errorf("%d environments were started", started)
		}
	})
}

func TestEnvironmentThatIsAboutToReturnIsAwaited(t *testing.T) {
	f := &fakes{startTime: time.Second, workTime: 100 * time.Millisecond, dwell: 5 * time.Millisecond}
	inBubble(t, f, func(t *testing.T, w *world) {
		for range 20 {
			w.invoke("f", "echo")
		}
		if started, _ := f.counts(); started != 1 {
			t.Errorf("%d environments for one invocation after the other", started)
		}
	})
}

func TestEnvironmentThatDoesNotReturnIsReplaced(t *testing.T) {
	f := &fakes{workTime: 100 * time.Millisecond, dwell: time.Hour}
	inBubble(t, f, func(t *testing.T, w *world) {
		w.invoke("f", "echo")
		begin := time.Now()
		w.invoke("f", "echo")
		if took := time.Since(begin); took != f.workTime+returnGrace {
			t.Errorf("the second took %v", took)
		}
	})
}

func TestEnvironmentThatDoesNotReturnIsEnded(t *testing.T) {
	f := &fakes{workTime: 100 * time.Millisecond, dwell: time.Hour}
	inBubble(t, f, func(t *testing.T, w *world) {
		for range 5 {
			w.invoke("f", "echo")
		}
		time.Sleep(59 * time.Second)
		if _, running := f.counts(); running != 5 {
			t.Errorf("%d environments before the timeout is over", running)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if _, running := f.counts(); running != 0 {
			t.Errorf("%d environments that do not return are left", running)
		}
	})
}

func TestInitializationThatHasFailedEndsSoon(t *testing.T) {
	f := &fakes{startTime: time.Hour}
	inBubble(t, f, func(t *testing.T, w *world) {
		f.initFailure = &failure{errorType: "Mine", body: []byte(`"mine"`)}
		begin := time.Now()
		expectError(t, w.invoke("f", "echo"), `"mine"`)
		if took := time.Since(begin); took != lastWords {
			t.Errorf("it took %v", took)
		}
	})
}

func TestWaitingInvocationTakesWhatIsReadyFirst(t *testing.T) {
	f := &fakes{startTime: 10 * time.Second, workTime: time.Second}
	inBubble(t, f, func(t *testing.T, w *world) {
		w.invoke("f", "echo")
		var wg sync.WaitGroup
		begin := time.Now()
		wg.Go(func() { w.invoke("f", "echo") })
		wg.Go(func() { w.invoke("f", "echo") })
		wg.Wait()
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("two invocations took %v; the second should use the first one's environment", took)
		}
	})
}

func TestThrottling(t *testing.T) {
	f := &fakes{workTime: time.Second}
	inBubble(t, f, func(t *testing.T, w *world) {
		w.account.limit = 2
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { w.invoke("f", "echo") })
		}
		synctest.Wait()
		if _, err := w.Invoke(t.Context(), Invocation{Function: "f"}); !errors.Is(err, ErrThrottled) || err.Error() != "Rate Exceeded." {
			t.Errorf("got %v", err)
		}
		wg.Wait()
		w.invoke("f", "echo")
	})
}

func TestTimeoutInVirtualTime(t *testing.T) {
	f := &fakes{workTime: time.Hour}
	inBubble(t, f, func(t *testing.T, w *world) {
		begin := time.Now()
		expectError(t, w.invoke("f", "echo"), `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 60.00 seconds"}`)
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("timed out after %v", took)
		}
	})
}

func TestInitializationThatHangs(t *testing.T) {
	f := &fakes{startTime: time.Hour}
	inBubble(t, f, func(t *testing.T, w *world) {
		begin := time.Now()
		expectError(t, w.invoke("f", "echo"), `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 60.00 seconds"}`)
		if took := time.Since(begin); took != time.Minute+initTimeout {
			t.Errorf("timed out after %v", took)
		}
	})
}

// Whoever asks for an invocation is told when it begins: not before there is a process
// that takes it, or when there will be none.
func TestBeginOfAnInvocationIsTold(t *testing.T) {
	for _, test := range []struct {
		name   string
		starts time.Duration
		told   time.Duration
	}{
		{"slow start", 20 * time.Second, 20 * time.Second},
		{"no start", time.Hour, time.Minute + initTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, &fakes{startTime: test.starts, workTime: time.Second}, func(t *testing.T, w *world) {
				asked := time.Now()
				var told []time.Duration
				in := Invocation{Function: "f", Begins: func() { told = append(told, time.Since(asked)) }}
				if _, err := w.Invoke(t.Context(), in); err != nil {
					t.Error(err)
				}
				if !slices.Equal(told, []time.Duration{test.told}) {
					t.Errorf("told after %v, want %v", told, test.told)
				}
			})
		})
	}
}

func TestCanceledInvocationLeavesTheQueue(t *testing.T) {
	f := &fakes{startTime: time.Minute, workTime: time.Second}
	inBubble(t, f, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := w.Invoke(ctx, Invocation{Function: "f"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		begin := time.Now()
		w.invoke("f", "echo")
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("took %v; the environment that was starting should serve", took)
		}
		if started, _ := f.counts(); started != 1 {
			t.Errorf("%d environments were started", started)
		}
	})
}

func TestDeletedFunctionEndsItsEnvironments(t *testing.T) {
	f := &fakes{workTime: time.Second}
	inBubble(t, f, func(t *testing.T, w *world) {
		var wg sync.WaitGroup
		wg.Go(func() { w.invoke("f", "echo") })
		synctest.Wait()
		if err := w.Delete(t.Context(), "f"); err != nil {
			t.Fatal(err)
		}
		wg.Wait() // undisturbed
		synctest.Wait()
		if _, running := f.counts(); running != 0 {
			t.Errorf("%d environments are left", running)
		}
	})
}

func TestStartAndCloseManyTimes(t *testing.T) {
	f := &fakes{workTime: time.Millisecond}
	inBubble(t, f, func(t *testing.T, w *world) {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for {
					if _, err := w.Invoke(t.Context(), Invocation{Function: "f"}); err != nil {
						return
					}
				}
			})
		}
		time.Sleep(20 * time.Millisecond)
		for range 3 {
			wg.Go(func() {
				if err := w.Functions.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if _, running := f.counts(); running != 0 {
			t.Errorf("%d environments are left", running)
		}
	})
}

// TestEnvironmentIsIdleOnce lets the news that an environment has lost its connection
// come after that it has another one.
func TestEnvironmentIsIdleOnce(t *testing.T) {
	t.Parallel()
	p := newPool(Definition{}, 1, nil, nil)
	e := &environment{state: envIdle, host: p}
	p.ready(e)
	p.ready(e)
	p.unready(e)
	if len(p.idle) != 1 {
		t.Errorf("it is there %d times", len(p.idle))
	}
	e.state = envResponded
	p.unready(e)
	if len(p.idle) != 0 {
		t.Error("it is there without a connection")
	}
}
