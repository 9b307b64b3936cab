package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/server"
)

const (
	defaultListen  = "127.0.0.1:4566"
	defaultDataDir = ".weir"
)

// serverFlags are the options of commands that run a server.
type serverFlags struct {
	listen, dataDir, auth, limits, smtp, region, account, logLevel string

	allowHosts []string
}

func (f *serverFlags) register(c *cobra.Command, listen, dataDir string) {
	flags := c.Flags()
	flags.StringVar(&f.listen, "listen", listen, "address to listen on")
	flags.StringVar(&f.dataDir, "data-dir", dataDir, "directory that keeps everything")
	flags.StringVar(&f.auth, "auth", "off", "check signatures and policies: only off so far")
	flags.StringVar(&f.limits, "limits", "none", "enforce throughput limits: none, or aws for those of functions: 1000 concurrent invocations")
	flags.StringSliceVar(&f.allowHosts, "allow-host", nil, "name by which the server may be called besides addresses and localhost, and whose pages may call it; *.name for all under it; can be repeated")
	flags.StringVar(&f.smtp, "smtp", "", "mail server, host:port or smtp[s]://user:password@host:port; without it mail stays in the outbox")
	flags.StringVar(&f.region, "region", catalog.DefaultIdentity.Region, "region in ARNs")
	flags.StringVar(&f.account, "account", catalog.DefaultIdentity.Account, "account in ARNs, twelve digits")
	flags.StringVar(&f.logLevel, "log-level", "info", "what to log: debug, info, warn or error")
}

func (f *serverFlags) config(a *app) (server.Config, error) {
	if f.auth != "off" {
		return server.Config{}, usageError{fmt.Errorf("--auth %s is not implemented yet; only off is", f.auth)}
	}
	if f.limits != "none" && f.limits != "aws" {
		return server.Config{}, usageError{fmt.Errorf("--limits %s: want none or aws", f.limits)}
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return server.Config{}, usageError{fmt.Errorf("--log-level %s: want debug, info, warn or error", f.logLevel)}
	}
	if !regionName.MatchString(f.region) {
		return server.Config{}, usageError{fmt.Errorf("--region %q: want a name such as %s", f.region, catalog.DefaultIdentity.Region)}
	}
	for _, name := range f.allowHosts {
		if !allowedHost.MatchString(name) {
			return server.Config{}, usageError{fmt.Errorf("--allow-host %q: want a name without scheme and port, such as weir.example.com or *.example.com", name)}
		}
	}
	if _, _, err := net.SplitHostPort(f.listen); err != nil {
		return server.Config{}, usageError{fmt.Errorf("--listen %q: want an address and a port, such as %s", f.listen, defaultListen)}
	}
	if !isAccount(f.account) {
		return server.Config{}, usageError{fmt.Errorf("--account %s: want twelve digits", f.account)}
	}
	return server.Config{
		Listen: f.listen, DataDir: f.dataDir, SMTP: f.smtp, Version: Version, Limits: f.limits == "aws",
		AllowedHosts: f.allowHosts,
		Identity:     catalog.Identity{Partition: catalog.DefaultIdentity.Partition, Region: f.region, Account: f.account},
		Log:          slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level})),
	}, nil
}

var (
	regionName  = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	allowedHost = regexp.MustCompile(`^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
)

func isAccount(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) == 12
}

func upCommand(a *app) *cobra.Command {
	var f serverFlags
	c := &cobra.Command{
		Use:   "up",
		Short: "Run the server",
		Long: `Up runs the server in the foreground. When it accepts requests it prints one line,
'ready http://...', on standard output; logs go to standard error. It ends cleanly
on Ctrl-C and SIGTERM.`,
		Example: `  weir up
  weir up --listen 127.0.0.1:0 --data-dir /var/lib/weir --smtp localhost:25`,
		Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if f.dataDir == "" {
				return usageError{errors.New("--data-dir needs the name of a directory")}
			}
			cfg, err := f.config(a)
			if err != nil {
				return err
			}
			return a.up(c.Context(), cfg)
		},
	}
	f.register(c, defaultListen, defaultDataDir)
	return c
}

func (a *app) up(ctx context.Context, cfg server.Config) error {
	// Nobody reading the log any more does not end the server.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	start := time.Now()
	s, err := server.Open(cfg)
	if err != nil {
		return err
	}
	cfg.Log.Info("accepting requests", "endpoint", s.Endpoint(), "data", cfg.DataDir, "took", time.Since(start).Round(time.Millisecond))
	if err := a.ready(s); err != nil {
		return errors.Join(err, s.Close())
	}
	<-ctx.Done()
	cfg.Log.Info("stopping")
	return s.Close()
}

func (a *app) ready(s *server.Server) error {
	if a.json {
		return a.printJSON(map[string]string{"ready": s.Endpoint()})
	}
	_, err := fmt.Fprintf(a.out, "ready %s\n", s.Endpoint())
	return err
}
