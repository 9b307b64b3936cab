package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	webanalytics "github.com/weirstream/weir/examples/web-analytics"
	"github.com/weirstream/weir/examples/web-analytics/replay"
	"github.com/weirstream/weir/internal/api/stackapi"
	"github.com/weirstream/weir/internal/server"
)

const (
	demoStack = "web-analytics"
	// demoLength is how long the replay takes unless --speed says otherwise.
	demoLength = time.Minute
	// demoSettle is how long the pipeline may take to process the last events.
	demoSettle = 2 * time.Minute
	// exampleDir is where the example is in a clone of the repository.
	exampleDir = "examples/web-analytics"
)

type demoOptions struct {
	server serverFlags
	check  bool
	speed  float64
	python bool
}

func demoCommand(a *app) *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run the web-analytics example end to end",
		Long: `Demo starts a server, deploys the web-analytics example and replays 10,000 real
requests to a web server, 84 hours of them in about a minute, moved in time so that
the last one is recent. It prints the counters while they grow, checks them and the
metrics against the expected ones, and keeps serving until it is interrupted.`,
		Example: `  weir demo
  weir demo --speed 20000
  weir demo --check         # as fast as possible; exit 0 when all is as expected`,
		Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if o.check && !c.Flags().Changed("listen") {
				o.server.listen = "127.0.0.1:0"
			}
			return a.demo(c.Context(), o)
		},
	}
	o.server.register(c, defaultListen, "")
	c.Flags().Lookup("data-dir").Usage = "directory that keeps everything (default: a temporary one)"
	c.Flags().BoolVar(&o.check, "check", false, "replay as fast as possible, check, and end")
	c.Flags().Float64Var(&o.speed, "speed", 0, "how many times faster than it happened to replay (default: 84 hours in a minute)")
	c.Flags().BoolVar(&o.python, "python", false, "use the functions in Python instead of those in Go")
	return c
}

func (a *app) demo(ctx context.Context, o demoOptions) (err error) {
	if o.speed < 0 {
		return usageError{fmt.Errorf("--speed %v is negative", o.speed)}
	}
	work, err := os.MkdirTemp("", "weir-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if o.server.dataDir == "" {
		o.server.dataDir = filepath.Join(work, "data")
	}
	cfg, err := o.server.config(a)
	if err != nil {
		return err
	}
	s, err := server.Open(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	a.endpoint = s.Endpoint()
	if err := a.ready(s); err != nil {
		return err
	}
	err = a.deployDemo(ctx, o, work)
	if err == nil {
		err = a.replayDemo(ctx, o)
	}
	if ctx.Err() != nil {
		return leftError("interrupted before the events were checked")
	}
	if err != nil || o.check {
		return a.explain(err)
	}
	fmt.Fprintf(a.out, "\nThe console is at %s/_weir/console/ - press Ctrl-C to end.\n", s.Endpoint())
	<-ctx.Done()
	return nil
}

// deployDemo deploys the example from the clone that the command is run in, or
// else from the copy in the program.
func (a *app) deployDemo(ctx context.Context, o demoOptions, work string) error {
	dir := exampleDir
	if _, err := os.Stat(filepath.Join(dir, webanalytics.Template)); err != nil {
		dir = filepath.Join(work, "example")
		if err := webanalytics.Extract(dir); err != nil {
			return err
		}
	}
	name := webanalytics.Template
	if _, err := exec.LookPath("go"); err != nil && !o.python {
		fmt.Fprintln(a.err, "Go is not installed, so the functions in Python are used.")
		o.python = true
	}
	if o.python {
		name = webanalytics.PythonTemplate
	}
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path) // #nosec G304 -- the example
	if err != nil {
		return err
	}
	quiet := *a
	if !a.json {
		quiet.out = io.Discard
	}
	return quiet.deployTemplate(ctx, path, demoStack, stackapi.Request{Template: string(text)})
}

func (a *app) replayDemo(ctx context.Context, o demoOptions) error {
	run, err := a.newDemoRun(o)
	if err != nil {
		return err
	}
	return run.replayAndCheck(ctx)
}

// newDemoRun reads the events and what is expected of them.
func (a *app) newDemoRun(o demoOptions) (*demoRun, error) {
	text, err := webanalytics.Events()
	if err != nil {
		return nil, err
	}
	events, err := replay.Read(text)
	if err != nil {
		return nil, err
	}
	if text, err = webanalytics.Counts(); err != nil {
		return nil, err
	}
	want, err := replay.ReadCounts(text)
	if err != nil {
		return nil, err
	}
	r := &demoRun{app: a, events: events, want: want, shift: replay.Shift(events, time.Now()), speed: o.speed}
	if o.check {
		r.speed = 0
	} else if o.speed == 0 {
		r.speed = float64(replay.Span(events)) / float64(demoLength)
	}
	r.connect()
	return r, nil
}
