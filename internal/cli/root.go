// Package cli is the command line of Weir, one file for each command.
//
// Commands other than up and demo are clients: they talk to a running server at
// --endpoint and know nothing that an SDK could not know.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// app is what commands share.
type app struct {
	out, err io.Writer
	endpoint string
	json     bool
}

const (
	defaultEndpoint = "http://127.0.0.1:4566"
	endpointEnv     = "WEIR_ENDPOINT"
)

// Main runs the command line and returns the exit code: 0 for success, 1 for
// failure, 2 for a command line that makes no sense.
func Main(args []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), endSignals()...)
	defer stop()
	// A second signal ends the process at once, should ending cleanly take too long.
	context.AfterFunc(ctx, stop)
	root := newRoot(&app{out: out, err: errOut})
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		var left leftError
		if errors.As(err, &left) {
			fmt.Fprintln(errOut, "weir:", left)
		}
		return 130 // interrupted, as shells say it
	}
	fmt.Fprintln(errOut, "weir:", err)
	if errors.Is(err, syscall.EADDRINUSE) {
		fmt.Fprintln(errOut, "Is a server running there already? Choose another address with --listen, such as 127.0.0.1:0 for any free port.")
	}
	var usage usageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

// endSignals are what ends a command cleanly. A terminal that closes hangs up; who
// ignores that, with nohup, goes on ignoring it.
func endSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// leftError says what an interrupted command left to go on or to be done.
type leftError string

func (e leftError) Error() string { return string(e) }

func (leftError) Unwrap() error { return context.Canceled }

// usageError is a mistake in the command line itself.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "weir",
		Short: "Run streaming-analytics applications on one machine",
		Long: `Weir runs streaming-analytics applications: events flow in, and while they flow
functions turn them into counters, tables, metrics and alarms. It speaks the APIs
of Kinesis, Lambda, DynamoDB, SQS, SNS, S3 and CloudWatch, so SDKs, the AWS CLI and
templates of SAM and CloudFormation work unchanged.`,
		Example: `  weir up                          # run the server
  eval "$(weir env)"               # point the AWS CLI and SDKs at it
  weir deploy template.yaml        # create what a template declares
  weir demo                        # see it all at work`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			maybe := ""
			if near := c.SuggestionsFor(args[0]); len(near) > 0 {
				maybe = "; did you mean " + strings.Join(near, " or ") + "?"
			}
			return usageError{fmt.Errorf("unknown command %q%s\nSee '%s --help'", args[0], maybe, c.CommandPath())}
		},
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			a.endpoint = strings.TrimRight(a.endpoint, "/")
			return checkEndpoint(a.endpoint)
		},
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w\nSee '%s --help'", err, c.CommandPath())}
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.endpoint, "endpoint", endpointDefault(), "address of the server (environment: "+endpointEnv+")")
	flags.BoolVar(&a.json, "json", false, "print machine-readable JSON")
	root.AddCommand(upCommand(a), envCommand(a), versionCommand(a), putCommand(a), tailCommand(a),
		statusCommand(a), deployCommand(a), destroyCommand(a), runtimesCommand(a), demoCommand(a))
	return root
}

func checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usageError{fmt.Errorf("--endpoint %s: want an address such as %s", endpoint, defaultEndpoint)}
	}
	return nil
}

func endpointDefault() string {
	if e := os.Getenv(endpointEnv); e != "" {
		return e
	}
	return defaultEndpoint
}

// exactArgs is cobra.ExactArgs with an error that names what is missing.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		given := len(args)
		if i := slices.Index(args, ""); i >= 0 && i < len(names) {
			given = i
		}
		if given < len(names) {
			return usageError{fmt.Errorf("%s needs %s\nSee '%s --help'", c.CommandPath(), names[given], c.CommandPath())}
		}
		if len(args) > len(names) {
			return usageError{fmt.Errorf("%s takes no argument %q\nSee '%s --help'", c.CommandPath(), args[len(names)], c.CommandPath())}
		}
		return nil
	}
}

// printJSON writes a value as one line of JSON.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
