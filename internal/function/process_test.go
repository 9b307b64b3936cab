package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func expectError(t *testing.T, r Result, want string) {
	t.Helper()
	got := strings.ReplaceAll(string(r.Payload), r.RequestID, "ID")
	if r.FunctionError != "Unhandled" || got != want {
		t.Errorf("got %q %s\nwant %s", r.FunctionError, got, want)
	}
}

func TestFailuresOfTheHandler(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	expectError(t, w.invoke("f", "fail", "no such thing"), `{"errorMessage":"no such thing","errorType":"errorString"}`)
	before := pidOf(t, w.invoke("f", "pid"))
	r := w.invoke("f", "panic", "oh no")
	var report struct{ ErrorMessage, ErrorType string }
	if err := json.Unmarshal(r.Payload, &report); err != nil || report.ErrorMessage != "oh no" || r.FunctionError != "Unhandled" {
		t.Errorf("panic: %+v %s", r, r.Payload)
	}
	if after := pidOf(t, w.invoke("f", "pid")); after == before {
		t.Error("a process that panicked is used again")
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f", func(d *Definition) { d.TimeoutSeconds = 1 })
	pid := pidOf(t, w.invoke("f", "pid"))
	expectError(t, w.invoke("f", "hang"), `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 1.00 seconds"}`)
	if alive(pid) {
		t.Error("the process is still there")
	}
	log := strings.Join(w.messages("/aws/lambda/f"), "")
	if !regexp.MustCompile(`(?s)START RequestId: \S+ Version: \$LATEST\nbefore hanging\n\S+Z \S+ Task timed out after 1.00 seconds\n\nEND RequestId: \S+\nREPORT [^\n]*\tStatus: timeout\n`).MatchString(log) {
		t.Errorf("log:\n%s", log)
	}
	w.invoke("f", "echo")
}

func TestExit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	expectError(t, w.invoke("f", "exit", 7), `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 7"}`)
	expectError(t, w.invoke("f", "exit", 0), `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited without providing a reason"}`)
	if log := strings.Join(w.messages("/aws/lambda/f"), ""); strings.Count(log, "before exiting") != 2 || strings.Count(log, "\tStatus: error\tError Type: Runtime.ExitError\n") != 2 {
		t.Errorf("log:\n%s", log)
	}
	w.invoke("f", "echo")
}

func TestKilledFromOutside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	pid := pidOf(t, w.invoke("f", "pid"))
	result := make(chan Result)
	go func() { result <- w.invoke("f", "hang") }()
	until(t, "the handler hangs", func() bool { return slices.Contains(w.messages("/aws/lambda/f"), "before hanging\n") })
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	expectError(t, <-result, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: signal: killed"}`)
}

func TestKilledWhileIdle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	pid := pidOf(t, w.invoke("f", "pid"))
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "the process is gone", func() bool { return !alive(pid) })
	until(t, "an invocation succeeds", func() bool { return w.invoke("f", "echo").FunctionError == "" })
}

func TestExitWhileStarting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f", func(d *Definition) {
		d.Environment = map[string]string{"EXIT_AT_START": "1", "PRINT_AT_START": "last words"}
	})
	for range 2 {
		expectError(t, w.invoke("f", "echo"), `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 3"}`)
	}
	log := w.messages("/aws/lambda/f")
	if len(log) != 10 || log[1] != "last words\n" || !strings.HasPrefix(log[2], "START ") || !strings.HasPrefix(log[4], "REPORT ") {
		t.Errorf("log: %q", log)
	}
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f", func(d *Definition) { d.TimeoutSeconds = 60 })
	expectError(t, w.invoke("f", "grow", 1000), `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: signal: killed"}`)
	m := regexp.MustCompile(`Memory Size: 128 MB\tMax Memory Used: (\d+) MB`).FindStringSubmatch(strings.Join(w.messages("/aws/lambda/f"), ""))
	if m == nil {
		t.Fatal("no REPORT")
	}
	if used, _ := strconv.Atoi(m[1]); used < 128 || used > 400 {
		t.Errorf("used %d MB", used)
	}
}

func TestPayloadLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f", func(d *Definition) { d.MemoryMB, d.TimeoutSeconds = 1024, 30 })
	if r := w.invoke("f", "big", MaxResponseBytes-2); len(r.Payload) != MaxResponseBytes || r.FunctionError != "" {
		t.Errorf("largest response: %d bytes, %q", len(r.Payload), r.FunctionError)
	}
	expectError(t, w.invoke("f", "big", MaxResponseBytes-1),
		`{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}`)
	event := eventFor("length", strings.Repeat("x", MaxPayloadBytes-len(eventFor("length", "x"))+1))
	r, err := w.Invoke(t.Context(), Invocation{Function: "f", Payload: event})
	if err != nil || string(r.Payload) != strconv.Itoa(MaxPayloadBytes) {
		t.Errorf("largest event: %s %v", r.Payload, err)
	}
	_, err = w.Invoke(t.Context(), Invocation{Function: "f", Payload: append(event, ' ')})
	if !errors.Is(err, ErrTooLarge) || err.Error() != "6291457 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)" {
		t.Errorf("one byte more: %v", err)
	}
}

func TestResponseThatIsNotJSONIsPassedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	if r := w.invoke("f", "raw", "not { json"); string(r.Payload) != "not { json" || r.FunctionError != "" {
		t.Errorf("got %s %q", r.Payload, r.FunctionError)
	}
}

func TestProcessesAreReused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	pids := map[int]int{}
	for range 300 {
		pids[pidOf(t, w.invoke("f", "pid"))]++
	}
	// On a busy machine a process may be late to ask for more, and be joined by
	// another one.
	if len(pids) > 5 {
		t.Errorf("%d processes for one invocation after the other", len(pids))
	}
}

func TestParallelInvocationsHaveTheirOwnProcesses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f", func(d *Definition) { d.TimeoutSeconds = 60 })
	const n = 4
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { w.invoke("f", "sleep", 3000) })
	}
	until(t, "all run at once", func() bool {
		running := 0
		for _, e := range w.environments() {
			e.mu.Lock()
			if e.state == envRunning {
				running++
			}
			e.mu.Unlock()
		}
		return running == n
	})
	wg.Wait()
}

func TestEnvironmentVariables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f", func(d *Definition) { d.Environment = map[string]string{"MINE": "x=y", "TZ": ":Europe/Berlin"} })
	var list []string
	if r := w.invoke("f", "env"); json.Unmarshal(r.Payload, &list) != nil {
		t.Fatalf("%s", r.Payload)
	}
	env := map[string]string{}
	for _, v := range list {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	want := map[string]string{
		"_HANDLER": "", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
		"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
		"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "LANG": "en_US.UTF-8", "MINE": "x=y", "TZ": ":Europe/Berlin",
	}
	for name, value := range want {
		if got, ok := env[name]; !ok || got != value {
			t.Errorf("%s = %q, %v", name, got, ok)
		}
	}
	for name, pattern := range map[string]string{
		"AWS_LAMBDA_LOG_STREAM_NAME": `^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`,
		"AWS_LAMBDA_RUNTIME_API":     `^127\.0\.0\.1:\d+$`,
		"AWS_ACCESS_KEY_ID":          `^ASIA[A-Z2-7]{16}$`,
		"AWS_SECRET_ACCESS_KEY":      `^.{40}$`,
		"AWS_SESSION_TOKEN":          `^.{100,}$`,
		"_X_AMZN_TRACE_ID":           `^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`,
	} {
		if !regexp.MustCompile(pattern).MatchString(env[name]) {
			t.Errorf("%s = %q", name, env[name])
		}
	}
	for _, name := range []string{"HOME", "AWS_EXECUTION_ENV", "GOCOVERDIR", "GOPATH"} {
		if v, ok := env[name]; ok {
			t.Errorf("%s = %q is passed on", name, v)
		}
	}
	c, ok := w.Caller(env["AWS_ACCESS_KEY_ID"])
	if !ok || c.Function != "f" || c.Credentials.SecretAccessKey != env["AWS_SECRET_ACCESS_KEY"] || c.RequestID != "" {
		t.Errorf("caller %+v %v", c, ok)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f", func(d *Definition) { d.TimeoutSeconds = 20 })
	r, err := w.Invoke(t.Context(), Invocation{
		Function: "f:$LATEST", Payload: eventFor("context"), ClientContext: "{\"custom\":{\"k\":\n\"v\"}}", RequestID: "given",
	})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Context struct {
			AwsRequestID, InvokedFunctionArn string
			ClientContext                    struct{ Custom map[string]string }
		}
		Left int
	}
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if c := got.Context; c.AwsRequestID != "given" || r.RequestID != "given" ||
		c.InvokedFunctionArn != "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST" || c.ClientContext.Custom["k"] != "v" {
		t.Errorf("context %s", r.Payload)
	}
	if got.Left < 15_000 || got.Left > 20_000 {
		t.Errorf("%d ms left", got.Left)
	}
}

func TestLogOfAnInvocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f", func(d *Definition) { d.Environment = map[string]string{"PRINT_AT_START": "starting"} })
	r, err := w.Invoke(t.Context(), Invocation{Function: "f", Payload: eventFor("say", "one\ntwo\nwithout end"), LogTail: true})
	if err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`\d+(\.\d\d)? (ms|MB)`)
	want := []string{
		"INIT_START Runtime Version: provided:al2023.weir\tRuntime Version ARN: " + RuntimeVersionARN("aws", "us-east-1", "provided.al2023") + "\n",
		"starting\n",
		"START RequestId: " + r.RequestID + " Version: $LATEST\n",
		"one\n", "two\n", "without end",
		"END RequestId: " + r.RequestID + "\n",
		"REPORT RequestId: " + r.RequestID + "\tDuration: N\tBilled Duration: N\tMemory Size: N\tMax Memory Used: N\tInit Duration: N\t\n",
	}
	texts := w.messages("/aws/lambda/f")
	got := slices.Clone(texts)
	got[len(got)-1] = number.ReplaceAllString(got[len(got)-1], "N")
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if tail := strings.Join(texts[2:], ""); string(r.LogTail) != tail {
		t.Errorf("tail %q\nwant %q", r.LogTail, tail)
	}
	r, err = w.Invoke(t.Context(), Invocation{Function: "f", Payload: eventFor("print", 1000), LogTail: true})
	if err != nil || len(r.LogTail) != tailBytes || !strings.Contains(string(r.LogTail), "END RequestId: "+r.RequestID) || strings.Contains(string(r.LogTail), "Init Duration") {
		t.Errorf("tail of %d bytes, %v: %s", len(r.LogTail), err, r.LogTail)
	}
}

func TestPrintingALot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f", func(d *Definition) { d.TimeoutSeconds = 60 })
	const lines = 100_000 // of 100 bytes
	w.invoke("f", "print", lines)
	var kinds []string
	printed := 0
	for _, m := range w.messages("/aws/lambda/f") {
		if strings.HasPrefix(m, "xxxxx") && len(m) == 100 {
			printed++
			continue
		}
		kind, _, _ := strings.Cut(m, " ")
		kinds = append(kinds, kind)
	}
	if printed != lines || !slices.Equal(kinds, []string{"INIT_START", "START", "END", "REPORT"}) {
		t.Errorf("%d lines, others %q", printed, kinds)
	}
}

func TestCloseLeavesNoProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	pids := []int{pidOf(t, w.invoke("f", "pid")), pidOf(t, w.invoke("f", "child"))}
	failed := make(chan error)
	go func() {
		_, err := w.Invoke(context.Background(), Invocation{Function: "f", Payload: eventFor("hang")})
		failed <- err
	}()
	until(t, "the handler hangs", func() bool { return slices.Contains(w.messages("/aws/lambda/f"), "before hanging\n") })
	if err := w.Functions.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !errors.Is(err, ErrClosed) {
		t.Errorf("the invocation in flight ended with %v", err)
	}
	for _, pid := range pids {
		until(t, fmt.Sprintf("process %d is gone", pid), func() bool { return !alive(pid) })
	}
	if _, err := w.Invoke(t.Context(), Invocation{Function: "f"}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestKilledServerLeavesNoProcess runs itself as a server that is killed.
func TestKilledServerLeavesNoProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties the life of a process to its parent's")
	}
	if pidFile := os.Getenv("WEIR_TEST_PID_FILE"); pidFile != "" {
		w := newWorld(t)
		w.create("f")
		pid := pidOf(t, w.invoke("f", "pid"))
		if err := os.WriteFile(pidFile, []byte(strconv.Itoa(pid)), 0o600); err != nil {
			t.Fatal(err)
		}
		w.invoke("f", "hang")
		return
	}
	t.Parallel()
	binary, err := buildHandler()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pidFile, handler := filepath.Join(dir, "pid"), filepath.Join(dir, "handler")
	if err := os.WriteFile(handler, binary, 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(os.Args[0], "-test.run=^TestKilledServerLeavesNoProcess$")
	server.Env = append(os.Environ(), "WEIR_TEST_PID_FILE="+pidFile, "WEIR_TEST_HANDLER="+handler,
		"TMPDIR="+dir) // what it does not get to remove goes with that
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	until(t, "the server has a function", func() bool {
		text, err := os.ReadFile(pidFile)
		pid, _ = strconv.Atoi(string(text))
		return err == nil && pid > 0
	})
	if !alive(pid) {
		t.Fatal("the function does not run")
	}
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait() // it was killed
	until(t, "the function is gone", func() bool { return !alive(pid) })
}

func TestEntrypoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		file file
		want string
	}{
		"missing":   {file{"main", 0o755, "x"}, "Couldn't find valid bootstrap(s): [DIR/bootstrap]"},
		"no-mode":   {file{"bootstrap", 0o644, "x"}, "fork/exec DIR/bootstrap: permission denied"},
		"no-format": {file{"bootstrap", 0o755, "x"}, "fork/exec DIR/bootstrap: exec format error"},
	} {
		def, err := w.Create(t.Context(), Definition{Name: name, Runtime: "provided.al2"}, zipOf(t, c.file))
		if err != nil {
			t.Fatal(err)
		}
		r := w.invoke(name, "echo")
		rt, _ := runtimeNamed(def.Runtime)
		r.Payload = []byte(strings.ReplaceAll(string(r.Payload), w.codePath(def.CodeSHA256, rt), "DIR"))
		expectError(t, r, `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: ID Error: `+c.want+`"}`)
	}
}

func TestUpdateEndsOldProcesses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	old := pidOf(t, w.invoke("f", "pid"))
	timeout := 9
	def, err := w.UpdateConfiguration(t.Context(), "f", ConfigurationUpdate{TimeoutSeconds: &timeout})
	if err != nil {
		t.Fatal(err)
	}
	if pid := pidOf(t, w.invoke("f", "pid")); pid == old {
		t.Error("the old process is used under the new configuration")
	}
	until(t, "the old process is gone", func() bool { return !alive(old) })
	if _, err := w.UpdateCode(t.Context(), "f", CodeUpdate{Package: zipOf(t, file{"bootstrap", 0o755, "#!/bin/sh\nexit 5\n"}), RevisionID: def.RevisionID}); err != nil {
		t.Fatal(err)
	}
	expectError(t, w.invoke("f", "echo"), `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 5"}`)
	if err := w.Delete(t.Context(), "f"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Invoke(t.Context(), Invocation{Function: "f"}); !errors.Is(err, ErrNotFound) ||
		err.Error() != "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST" {
		t.Errorf("after Delete: %v", err)
	}
}

func TestAbandonedInvocationGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f", func(d *Definition) { d.TimeoutSeconds = 30 })
	w.invoke("f", "echo")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := w.Invoke(ctx, Invocation{Function: "f", Payload: eventFor("sleep", 500)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	until(t, "it has ended by itself", func() bool {
		return strings.Count(strings.Join(w.messages("/aws/lambda/f"), ""), "REPORT RequestId") == 2
	})
}

func TestMeters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	w.invoke("f", "echo")
	w.invoke("f", "fail", "x")
	for _, m := range []*meters{w.existingFleet("f").meters, w.total} {
		invocations, _, _ := m.invocations.Totals()
		_, failed, _ := m.errors.Totals()
		durations, _, _ := m.duration.Totals()
		if invocations != 2 || failed != 1 || durations != 2 {
			t.Errorf("invocations %v errors %v durations %v", invocations, failed, durations)
		}
	}
}
