// Command bench measures Weir and systems with the same interfaces beside it: the
// same requests, on the same machine, one after another in one run.
//
// The load generator costs little, so that on a small machine it takes little from
// what it measures: requests are built before, as bytes, and are sent over raw
// connections that are kept alive; of answers it looks at the status, the length
// and one or two members. Loads are closed loops (each connection sends its next
// request when it has the answer to the last), except for put to effect, which
// keeps to a rate. Every scenario has a fresh server with an empty directory, a
// warm-up and repetitions; the report has their medians.
//
// See docs/benchmarks.md for what each scenario measures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// bench is what the scenarios of a run share.
type bench struct {
	dir         string // of this run, removed at its end
	warmup      time.Duration
	duration    time.Duration // of a repetition
	repetitions int
	id          string            // in the names of what is created
	zips        map[string][]byte // of the counting function, by language, made when first needed
	log         *log.Logger
}

// scenario is something to measure: load with a server that is running, life with
// a target that it starts itself.
type scenario struct {
	name  string
	needs ability
	load  func(ctx context.Context, b *bench, s *server) ([]figure, error)
	life  func(ctx context.Context, b *bench, t target) ([]figure, error)
}

var scenarios = []scenario{
	{name: "put", needs: streams, load: measurePut},
	{name: "scan", needs: streams, load: measureScan},
	{name: "update", needs: tables, load: measureUpdate},
	{name: "hot", needs: tables, load: measureHot},
	{name: "putitem", needs: tables, load: measurePutItem},
	{name: "getitem", needs: tables, load: measureGetItem},
	{name: "effect", needs: goFunctions | rapid, load: measureEffect(effectLoad{rate: effectRate, reads: effectReads})},
	{name: "effect-rows", needs: goFunctions | rapid, load: measureEffect(effectLoad{rate: effectRate, reads: effectReads, ownRows: true})},
	{name: "effect-slow", needs: goFunctions, load: measureEffect(effectLoad{rate: effectSlow})},
	{name: "pipeline", needs: goFunctions, load: measurePipeline(goLanguage)},
	{name: "pipeline-python", needs: pythonFunctions, load: measurePipeline(pythonLanguage)},
	{name: "pipeline-node", needs: nodeFunctions, load: measurePipeline(nodeLanguage)},
	{name: "idlemapping", needs: goFunctions, load: measureIdleMapping},
	{name: "startup", needs: startable, life: measureStartup},
	{name: "idle", needs: startable, life: measureIdle},
}

type options struct {
	weir, endpoint, dir, cache string
	only, peers                string
	python                     string
	out, json                  string
	warmup, duration           time.Duration
	repetitions                int
}

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		os.Exit(1)
	}
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.weir, "weir", "", "binary to measure; without it ./cmd/weir is built")
	f.StringVar(&o.endpoint, "endpoint", "", "measure the server that runs at http://host:port instead of starting weir")
	f.StringVar(&o.dir, "dir", "", "directory for the servers' data, on the disk to be measured (default: for temporary files)")
	f.StringVar(&o.cache, "cache", "", "directory into which peers are installed (default: weir-bench in the user's cache)")
	f.StringVar(&o.only, "only", "", "scenarios, separated by commas (default all): "+names(scenarios, func(s scenario) string { return s.name }))
	f.StringVar(&o.peers, "peers", names(peers, func(p peer) string { return p.name }), "peers to measure as well, separated by commas, or none")
	f.StringVar(&o.python, "python", "", "interpreter for functions and peers in Python (default: "+systemPython+", else the first on PATH)")
	f.StringVar(&o.out, "out", "", "file for the Markdown report, which is also printed")
	f.StringVar(&o.json, "json", "", "file for the report as JSON")
	f.DurationVar(&o.warmup, "warmup", 2*time.Second, "load before measuring")
	f.DurationVar(&o.duration, "duration", 5*time.Second, "duration of a repetition")
	f.IntVar(&o.repetitions, "repeat", 3, "repetitions")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.repetitions < 1 || o.duration <= 0 || o.warmup < 0:
		return o, errors.New("-repeat and -duration must be positive, -warmup not negative")
	}
	return o, nil
}

func names[T any](all []T, name func(T) string) string {
	var list []string
	for _, v := range all {
		list = append(list, name(v))
	}
	return strings.Join(list, ",")
}

// choose returns the entries of all that a list names, in the order of all.
func choose[T any](all []T, name func(T) string, list string) ([]T, error) {
	wanted := strings.Split(list, ",")
	for _, w := range wanted {
		if !slices.ContainsFunc(all, func(v T) bool { return name(v) == w }) {
			return nil, fmt.Errorf("%q is none of %s", w, names(all, name))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(v T) bool { return !slices.Contains(wanted, name(v)) }), nil
}

func run(args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	chosen, beside := scenarios, []peer(nil)
	if o.only != "" {
		if chosen, err = choose(scenarios, func(s scenario) string { return s.name }, o.only); err != nil {
			return fmt.Errorf("-only: %w", err)
		}
	}
	if o.peers != "none" {
		if beside, err = choose(peers, func(p peer) string { return p.name }, o.peers); err != nil {
			return fmt.Errorf("-peers: %w", err)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp(o.dir, "weir-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	b := &bench{
		dir: dir, warmup: o.warmup, duration: o.duration, repetitions: o.repetitions,
		id: strconv.FormatInt(time.Now().Unix(), 36), log: log.New(stderr, "", log.Ltime),
	}
	r := &report{
		Date: time.Now().UTC(), Warmup: o.warmup.String(), Duration: o.duration.String(), Repetitions: o.repetitions,
	}
	if r.Machine, err = describeMachine(ctx, dir); err != nil {
		return fmt.Errorf("looking at the machine: %w", err)
	}
	if r.Python, err = findPython(ctx, o.python); err != nil {
		return err
	}
	if err := r.Python.putFirst(filepath.Join(dir, "bin")); err != nil {
		return err
	}
	subject, err := b.subject(ctx, o)
	if err != nil {
		return err
	}
	cache, err := cacheDir(o.cache)
	if err != nil {
		return err
	}
	if beside != nil {
		r.NoPipeline = noPipeline
	}
	// What is installed into a virtual environment belongs to its interpreter.
	cache = filepath.Join(cache, "python"+r.Python.Version)
	targets := append([]target{subject}, b.installed(ctx, cache, beside, r)...)
	if err := b.measureAll(ctx, chosen, targets, r); err != nil {
		return err
	}
	if err := write(r, o, stdout); err != nil {
		return err
	}
	return r.failure(subject.name)
}

// cacheDir is the absolute path of a directory, by default one in the user's cache.
func cacheDir(given string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "weir-bench"), err
}

// subject is what the run is about: Weir, or what runs at the endpoint.
func (b *bench) subject(ctx context.Context, o options) (target, error) {
	if o.endpoint != "" {
		return running(o.endpoint)
	}
	binary := o.weir
	if binary == "" {
		binary = filepath.Join(b.dir, "weir")
		b.log.Print("building weir")
		if err := goBuild(ctx, binary, "./cmd/weir"); err != nil {
			return target{}, err
		}
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return target{}, err
	}
	return weirTarget(ctx, binary)
}

// installed returns the peers that can be had, and notes the others in the report.
func (b *bench) installed(ctx context.Context, cache string, wanted []peer, r *report) []target {
	var targets []target
	for _, p := range wanted {
		b.log.Printf("installing %s %s, unless it is there", p.name, p.version)
		t, err := p.target(ctx, cache)
		if err != nil {
			r.Unavailable = append(r.Unavailable, about{Name: p.name, Version: p.version, Keeps: err.Error()})
			continue
		}
		targets = append(targets, t)
	}
	return targets
}

// measureAll runs each scenario with each target that offers what it needs. It
// goes on after a failure, which it notes, but not when ctx has ended.
func (b *bench) measureAll(ctx context.Context, chosen []scenario, targets []target, r *report) error {
	for _, t := range targets {
		r.Targets = append(r.Targets, about{t.name, t.version, t.keeps, t.records})
	}
	for _, sc := range chosen {
		for _, t := range targets {
			if t.offers&sc.needs != sc.needs {
				continue
			}
			b.log.Printf("%s: %s", sc.name, t.name)
			figures, err := b.measure(ctx, sc, t)
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			if err != nil {
				b.log.Printf("%s: %s failed: %v", sc.name, t.name, err)
				r.Failed = append(r.Failed, outcome{sc.name, t.name, err.Error()})
			}
			r.add(sc.name, t.name, figures)
		}
	}
	return nil
}

func (b *bench) measure(ctx context.Context, sc scenario, t target) (figures []figure, err error) {
	if sc.life != nil {
		return sc.life(ctx, b, t)
	}
	err = b.with(ctx, t, func(s *server) error {
		figures, err = sc.load(ctx, b, s)
		return err
	})
	return figures, err
}

// with starts a target with an empty directory, and removes both when do has ended.
func (b *bench) with(ctx context.Context, t target, do func(*server) error) error {
	dir, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := t.start(ctx, dir)
	if err != nil {
		return fmt.Errorf("starting %s: %w", t.name, err)
	}
	defer s.stop()
	s.offers, s.records = t.offers, t.records
	if err := do(s); err != nil {
		return s.explain(err)
	}
	return nil
}

// name is the name of something that a scenario creates, unlike those of other runs.
func (b *bench) name(what string) string { return "bench-" + what + "-" + b.id }

func write(r *report, o options, stdout io.Writer) error {
	text := r.markdown()
	if _, err := io.WriteString(stdout, text); err != nil {
		return err
	}
	if o.out != "" {
		if err := os.WriteFile(o.out, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if o.json == "" {
		return nil
	}
	f, err := os.Create(o.json)
	if err != nil {
		return err
	}
	return errors.Join(r.writeJSON(f), f.Close())
}
