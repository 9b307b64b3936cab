package function

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
)

// initTimeout is what a process may take, beside the function's own timeout,
// until it asks for its first event.
const initTimeout = 10 * time.Second

// startError is a reason why a process cannot be started that lies with the
// function, not with the server.
type startError struct {
	errorType string
	text      string
	cause     error // may be nil
}

func (e *startError) Error() string { return e.text }
func (e *startError) Unwrap() error { return e.cause }

func badEntrypoint(text string, cause error) error {
	return &startError{errorType: "Runtime.InvalidEntrypoint", text: text, cause: cause}
}

// launch starts an environment in the background.
func (f *Functions) launch(p *pool, def Definition) {
	f.background.Go(func() {
		f.startSlots <- struct{}{}
		defer func() { <-f.startSlots }()
		if p.wanted() {
			f.startEnvironment(p, def)
		}
	})
}

// startEnvironment starts a process and what belongs to it.
func (f *Functions) startEnvironment(p *pool, def Definition) {
	e, childOutput, err := f.newEnvironment(p, def)
	if err != nil {
		f.log.Error("cannot start a function", "function", def.Name, "error", err)
		p.notStarted(func(inv *invocation) { inv.end(outcome{err: err}) })
		return
	}
	e.output.note("INIT_START Runtime Version: " + runtimeVersion(def.Runtime) +
		"\tRuntime Version ARN: " + RuntimeVersionARN(f.identity.Partition, f.identity.Region, def.Runtime) + "\n")
	proc, err := f.startProcess(p, e, childOutput)
	_ = childOutput.Close() // the process has its own
	if err != nil {
		f.giveUp(p, e, err)
		return
	}
	e.mu.Lock()
	e.proc = proc
	killed := e.killedFor != notKilled
	e.mu.Unlock()
	if killed {
		proc.kill()
	}
	f.background.Go(e.output.follow)
	f.background.Go(func() {
		e.supervise()
		f.callers.Delete(e.credentials.AccessKeyID)
		f.strays.of(e.credentials.AccessKeyID)
	})
}

// newEnvironment prepares all of an environment but the process, and returns the
// process's end of the output beside it.
func (f *Functions) newEnvironment(p *pool, def Definition) (*environment, *os.File, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen for the runtime of %s: %w", def.Name, err)
	}
	now := time.Now()
	e := &environment{
		def:          def,
		host:         p,
		timeout:      time.Duration(def.TimeoutSeconds) * time.Second,
		stream:       now.UTC().Format("2006/01/02/") + "[" + def.VersionName() + "]" + strings.ReplaceAll(uuid.NewString(), "-", ""),
		credentials:  newCredentials(def.ExactlyOnce()),
		listener:     listener,
		transactions: f.transactions,
		created:      now,
		first:        true,
		open:         map[*apiConn]struct{}{},
	}
	out, childOutput, err := newOutput(func(at time.Time, line []byte) {
		f.logs.append(def.LogGroup, e.stream, at, line)
	})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("pipe for the output of %s: %w", def.Name, err), listener.Close())
	}
	e.output = out
	e.timer = time.AfterFunc(initTimeout+e.timeout, e.expire)
	e.timer.Stop() // until beginInit
	return e, childOutput, nil
}

// startProcess starts the process of an environment, which may call the Runtime
// API before this returns.
func (f *Functions) startProcess(p *pool, e *environment, childOutput *os.File) (*process, error) {
	spec, err := f.command(f.lifetime, e)
	if err != nil {
		return nil, err
	}
	spec.output = childOutput
	if !p.adopt(e) {
		return nil, ErrClosed
	}
	f.callers.Store(e.credentials.AccessKeyID, e)
	f.watch.look()
	e.beginInit()
	f.background.Go(e.accept)
	proc, err := f.spawner.start(spec)
	// A process that is just being started elsewhere holds, for the moment until
	// it runs its own program, every file that was open in the server, so also one
	// that was being unpacked.
	for try := 0; errors.Is(err, syscall.ETXTBSY) && try < 50 && sleep(f.lifetime, 10*time.Millisecond); try++ {
		proc, err = f.spawner.start(spec)
	}
	if err != nil {
		f.callers.Delete(e.credentials.AccessKeyID)
		return nil, entrypointError(err)
	}
	return proc, nil
}

// giveUp ends an environment that has no process and tells the invocation that
// waits for it why.
func (f *Functions) giveUp(p *pool, e *environment, err error) {
	e.timer.Stop()
	_ = e.listener.Close()
	p.abandon(e)
	p.notStarted(func(inv *invocation) {
		var start *startError
		if errors.As(err, &start) {
			e.reportFailedStart(inv, failedf(inv.id, start.errorType, "%v", start))
			return
		}
		if !errors.Is(err, ErrClosed) {
			f.log.Error("cannot start a function", "function", e.def.Name, "error", err)
		}
		inv.end(outcome{err: err})
	})
	e.output.close()
}

// command says what to run for an environment.
func (f *Functions) command(ctx context.Context, e *environment) (processSpec, error) {
	rt, err := runtimeNamed(e.def.Runtime)
	if err != nil {
		return processSpec{}, err
	}
	code, err := f.unpackedCode(e.def, rt)
	if err != nil {
		return processSpec{}, err
	}
	argv, err := f.entrypoint(ctx, e.def, rt, code)
	if err != nil {
		return processSpec{}, err
	}
	if wrapper := e.def.Environment["AWS_LAMBDA_EXEC_WRAPPER"]; wrapper != "" && rt.family != familyProvided {
		argv = append([]string{wrapper}, argv...)
	}
	return processSpec{
		argv: argv,
		dir:  code,
		env:  variables(e, f.identity.Region, f.endpoint, code, f.bootstraps.dir),
	}, nil
}

// entrypoint is the command line of a runtime.
func (f *Functions) entrypoint(ctx context.Context, def Definition, rt runtimeSpec, code string) ([]string, error) {
	if rt.family == familyProvided {
		name := "bootstrap"
		if rt.goExec {
			name = def.Handler
		}
		path := filepath.Join(code, filepath.FromSlash(name))
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, badEntrypoint(strconv.Quote(name)+" is not in the package", nil)
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, badEntrypoint("Couldn't find valid bootstrap(s): ["+path+"]", nil)
		}
		return []string{path}, nil
	}
	if rt.family == familyJava {
		return f.javaCommand(ctx, def, rt, code)
	}
	interpreter, err := f.runtimes.interpreter(ctx, rt)
	if err != nil {
		return nil, badEntrypoint(err.Error(), err)
	}
	script, err := f.bootstraps.path(rt.family)
	if err != nil {
		return nil, err
	}
	if rt.family == familyPython {
		// Unbuffered, so that what is printed is in the log before the result.
		return []string{interpreter.Path, "-u", script, f.runtimes.installDir(sdkBoto3)}, nil
	}
	if err := f.linkSDK(ctx, rt); err != nil {
		return nil, err
	}
	return []string{interpreter.Path, script}, nil
}

// linkSDK lets the packages of a Node runtime find its SDK: modules are searched
// upwards from where the importing file lies, so a link beside the unpacked
// packages does it, for both kinds of modules.
func (f *Functions) linkSDK(ctx context.Context, rt runtimeSpec) error {
	link := filepath.Join(f.codeDir, rt.unpackGroup(), "node_modules")
	sdk := f.runtimes.sdk(ctx, rt.sdk())
	f.linking.Lock()
	defer f.linking.Unlock()
	if target, err := os.Readlink(link); err == nil && target == sdk.Path {
		return nil
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("link SDK: %w", err)
	}
	if sdk.Path == "" {
		return nil
	}
	if err := os.Symlink(sdk.Path, link); err != nil {
		return fmt.Errorf("link SDK: %w", err)
	}
	return nil
}

// entrypointError tells a program that cannot be run from a server that cannot
// run one.
func entrypointError(err error) error {
	var path *fs.PathError
	switch {
	case errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("start process: %w", err)
	case errors.As(err, &path), errors.Is(err, exec.ErrNotFound):
		return badEntrypoint(err.Error(), err)
	}
	return fmt.Errorf("start process: %w", err)
}

// runtimeVersion is how the log names the version of a runtime.
func runtimeVersion(runtime string) string {
	for _, f := range []string{"python", "nodejs", "java"} {
		if rest, ok := strings.CutPrefix(runtime, f); ok {
			return f + ":" + strings.TrimSuffix(rest, ".x") + ".weir"
		}
	}
	name, rest, _ := strings.Cut(runtime, ".")
	return name + ":" + rest + ".weir"
}

// RuntimeVersionARN is the ARN that stands for a version of a runtime.
func RuntimeVersionARN(partition, region, runtime string) string {
	sum := sha256.Sum256([]byte(runtimeVersion(runtime)))
	return "arn:" + partition + ":lambda:" + region + "::runtime:" + hex.EncodeToString(sum[:])
}
