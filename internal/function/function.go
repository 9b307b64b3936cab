// Package function owns functions: their definitions and code packages, the
// processes that run them, their invocations, and their logs.
//
// [Functions] is the door to functions, [Logs] to log groups, [Runtimes] to the
// interpreters and SDKs on the machine.
//
// # Environments
//
// A function runs in execution environments. Each is one process that talks to
// a Runtime API of its own, over a loopback listener, and takes one invocation
// at a time; a [pool] per function starts environments when invocations wait,
// keeps them warm and reaps them. What a process prints goes, line by line,
// to a log stream of its environment, between the START, END and REPORT lines of
// the invocation that it was printed in.
//
// An environment ends when its process ends, and its process ends with it:
// each has a process group of its own which is killed as a whole, on a timeout,
// when it uses more memory than its function has, when it has been idle for
// long, when its function changes, and on Close. On Linux the kernel kills
// it when the server ends in any other way.
//
// # Invariants
//
//   - An invocation gets exactly one outcome. It is delivered to at most one
//     process, once.
//   - A definition is changed only after its code package is on disk; packages
//     without a definition are dropped on Open.
//   - The unpacked code is a cache: it may be removed whenever no server runs.
//   - The lines of an invocation, START first, REPORT last, are in the log in
//     order, and before the lines of the next one of the same environment.
//
// # Layout in the store
//
//	catalog "function"  name -> Definition (JSON)
//	catalog "functionversion"  name:number -> Definition of a published version (JSON)
//	catalog "functionnumber"  name -> the last version of a function that was deleted (JSON)
//	catalog "functionalias"  name:alias -> Alias (JSON)
//	catalog "loggroup"  name -> LogGroup (JSON)
//	catalog "eventinvoke" name:qualifier -> EventInvokeConfig (JSON)
//	07 sha256[32] chunk u32 -> up to 1 MiB of a code package (a zip)
//	08 group string, 00                          -> state of the group (JSON)
//	08 group string, 01, stream string           -> log stream (JSON)
//	08 group string, 02, time ms u64, seq u64    -> stream number u32, ingestion time ms u64, text
//	0e 'e' number u64                            -> asynchronous event, or document to deliver (JSON)
//	0e 'p' number u64                            -> the document
package function

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/transaction"
)

// Config is what Functions need. Zero values of the numbers mean defaults.
type Config struct {
	DB       *store.DB
	Identity catalog.Identity
	Log      *slog.Logger
	Meter    *meter.Meter
	Logs     *Logs
	Runtimes *Runtimes
	// Transactions hold back the effects of exactly-once functions.
	Transactions *transaction.Transactions
	// CodeDir is the folder of the cache of unpacked code.
	CodeDir string
	// Endpoint is the URL at which SDKs inside of functions find the server.
	Endpoint string
	// IdleTimeout is how long an unused environment is kept; 10 minutes.
	IdleTimeout time.Duration
	// AccountConcurrency bounds the invocations that run or wait at one time, over
	// all functions; 0 means no bound.
	AccountConcurrency int
}

const (
	defaultIdleTimeout = 10 * time.Minute
	// maxEnvironments bounds the processes of one version of a function, whatever
	// limits there are; further invocations wait.
	maxEnvironments = 1000
)

// Functions is the set of functions of a server.
type Functions struct {
	db           *store.DB
	identity     catalog.Identity
	arnPrefix    string // of functions
	log          *slog.Logger
	meter        *meter.Meter
	logs         *Logs
	runtimes     *Runtimes
	transactions *transaction.Transactions
	codeDir      string
	endpoint     string
	idleTimeout  time.Duration

	defs       *catalog.Collection[Definition]
	versions   *catalog.Collection[Definition]
	aliases    *catalog.Collection[Alias]
	numbers    *catalog.Collection[int] // last versions of deleted functions
	bootstraps *bootstraps
	spawner    *spawner
	strays     *strays
	startSlots chan struct{}
	start      func(*pool, Definition) // launch, but for tests
	callers    sync.Map                // access key id -> *environment
	total      *meters
	account    account
	async      *asyncQueue
	watch      *watcher

	changing sync.Mutex // held while definitions change
	linking  sync.Mutex
	unpacks  unpacks

	mu     sync.RWMutex
	fleets map[string]*fleet // by the name of the function
	closed bool

	lifetime   context.Context // ends when Close is called
	end        context.CancelFunc
	background sync.WaitGroup
	closeOnce  sync.Once
}

// Open loads the functions of the store and starts what they need in the
// background; no process is started before it is needed.
func Open(cfg Config) (*Functions, error) {
	codeDir, err := filepath.Abs(cfg.CodeDir)
	if err != nil {
		return nil, fmt.Errorf("open functions: %w", err)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = defaultIdleTimeout
	}
	defs, err := catalog.Load[Definition](cfg.DB, "function")
	if err != nil {
		return nil, fmt.Errorf("open functions: %w", err)
	}
	f := &Functions{
		db: cfg.DB, identity: cfg.Identity, arnPrefix: ARN(cfg.Identity, "", ""), log: cfg.Log, meter: cfg.Meter, logs: cfg.Logs, runtimes: cfg.Runtimes, transactions: cfg.Transactions,
		codeDir: codeDir, endpoint: cfg.Endpoint, idleTimeout: cfg.IdleTimeout,
		defs:       defs,
		bootstraps: newBootstraps(codeDir),
		startSlots: make(chan struct{}, max(2, runtime.NumCPU())),
		account:    account{limit: int64(cfg.AccountConcurrency)},
		fleets:     map[string]*fleet{},
		unpacks:    unpacks{ready: map[string]*unpackOnce{}},
	}
	if f.versions, err = catalog.Load[Definition](f.db, "functionversion"); err != nil {
		return nil, fmt.Errorf("open functions: %w", err)
	}
	if f.numbers, err = catalog.Load[int](f.db, "functionnumber"); err != nil {
		return nil, fmt.Errorf("open functions: %w", err)
	}
	if f.aliases, err = catalog.Load[Alias](f.db, "functionalias"); err != nil {
		return nil, fmt.Errorf("open functions: %w", err)
	}
	f.start = f.launch
	f.total = newMeters(f.meter)
	f.account.reserve(f.defs.All())
	if err := f.dropUnused(); err != nil {
		return nil, fmt.Errorf("open functions: %w", err)
	}
	if f.async, err = loadAsyncQueue(f); err != nil {
		return nil, fmt.Errorf("open functions: %w", err)
	}
	f.lifetime, f.end = context.WithCancel(context.Background())
	f.strays = newStrays(endMatching)
	f.strays.endAll(codeDir)
	f.spawner = newSpawner()
	f.watch = newWatcher(f.environments)
	f.background.Go(func() { f.watch.run(f.lifetime) })
	f.background.Go(func() { f.strays.run(f.lifetime) })
	f.background.Go(f.reapIdle)
	for _, def := range f.defs.All() {
		f.findInterpreter(def)
	}
	return f, nil
}

// findInterpreter looks for what a function runs with ahead of its first
// invocation: an interpreter that is found through a script of a version manager
// takes a while.
func (f *Functions) findInterpreter(def Definition) {
	rt, err := runtimeNamed(def.Runtime)
	if err != nil || rt.family == familyProvided {
		return
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return
	}
	f.background.Go(func() {
		_, _ = f.runtimes.interpreter(f.lifetime, rt) // the invocation reports what is missing
	})
}

// Close ends all processes and returns when they are gone. Invocations that are
// in flight or wait end with ErrClosed; asynchronous ones run after the next
// start.
func (f *Functions) Close() error {
	f.closeOnce.Do(func() {
		f.mu.Lock()
		f.closed = true
		f.mu.Unlock()
		f.end()
		for _, p := range f.allPools() {
			p.close()
		}
		stop(f.environments()) // those of deleted functions too
		f.async.close()
		f.background.Wait()
		f.strays.look()
		f.spawner.close()
	})
	return nil
}

// reapIdle ends environments that have not been used for long, and removes the
// unpacked code that nothing uses any more.
func (f *Functions) reapIdle() {
	ticker := time.NewTicker(max(f.idleTimeout/20, time.Second))
	defer ticker.Stop()
	cleaned := time.Now()
	for {
		select {
		case <-f.lifetime.Done():
			return
		case now := <-ticker.C:
			for _, p := range f.allPools() {
				p.reap(now.Add(-f.idleTimeout))
			}
			if now.Sub(cleaned) >= cleanEvery {
				cleaned = now
				f.dropUnusedFolders(now)
			}
		}
	}
}

func (f *Functions) allPools() []*pool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var all []*pool
	for _, fl := range f.fleets {
		for _, p := range fl.pools {
			all = append(all, p)
		}
	}
	return all
}

// environments returns those that have, or are about to have, a process.
func (f *Functions) environments() []*environment {
	var all []*environment
	f.callers.Range(func(_, e any) bool {
		all = append(all, e.(*environment))
		return true
	})
	return all
}

// dropUnused removes what a crash may have left: packages in the store and
// unpacked folders that no definition refers to.
func (f *Functions) dropUnused() error {
	used := map[string]bool{}
	for _, def := range slices.Concat(f.defs.All(), f.versions.All()) {
		used[def.CodeSHA256] = true
	}
	stored, err := storedPackages(f.db)
	if err != nil {
		return err
	}
	unused := slices.DeleteFunc(stored, func(name string) bool { return used[name] })
	if len(unused) > 0 {
		tx := f.db.Begin()
		for _, name := range unused {
			dropPackageIn(tx, name)
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	if err := f.dropFolders(func(name string) bool { return used[name] }); err != nil {
		f.log.Warn("cannot clean up unpacked code", "error", err)
	}
	return nil
}
