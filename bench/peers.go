package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// peer is a system that Weir is measured beside. It is installed once, into a
// directory of the cache that carries its version.
type peer struct {
	name, version string
	offers        ability
	install       func(ctx context.Context, dir, version string) error
	start         func(ctx context.Context, dir, installed string) (*server, error)
}

const inMemory = "in memory: nothing outlives the process"

var peers = []peer{
	{"kinesalite", "3.3.3", streams, installNode("kinesalite"), startNode("kinesalite")},
	{"dynalite", "4.0.0", tables, installNode("dynalite"), startNode("dynalite")},
	{"moto", "5.2.1", streams | tables, installMoto, startMoto},
}

// installTimeout bounds fetching and unpacking a peer.
const installTimeout = 10 * time.Minute

// target installs the peer unless it is there, and returns it as a target.
func (p peer) target(ctx context.Context, cache string) (target, error) {
	dir := filepath.Join(cache, p.name+"-"+p.version)
	done := filepath.Join(dir, "installed")
	if _, err := os.Stat(done); err != nil {
		ctx, cancel := context.WithTimeout(ctx, installTimeout)
		defer cancel()
		if err := os.RemoveAll(dir); err != nil {
			return target{}, err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return target{}, err
		}
		if err := p.install(ctx, dir, p.version); err != nil {
			return target{}, err
		}
		if err := os.WriteFile(done, nil, 0o644); err != nil {
			return target{}, err
		}
	}
	return target{
		name: p.name, version: p.version, keeps: inMemory, offers: p.offers | startable,
		start: func(ctx context.Context, work string) (*server, error) { return p.start(ctx, work, dir) },
	}, nil
}

// installNode installs a package of npm. Install scripts would compile an on-disk
// store, which is not used, so they do not run.
func installNode(name string) func(ctx context.Context, dir, version string) error {
	return func(ctx context.Context, dir, version string) error {
		if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private":true}`), 0o644); err != nil {
			return err
		}
		return command(ctx, dir, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", name+"@"+version)
	}
}

// startNode runs a server with its default options. Its own command would listen
// on all interfaces, so it is started through its module.
func startNode(name string) func(ctx context.Context, work, installed string) (*server, error) {
	return func(ctx context.Context, work, installed string) (*server, error) {
		script := fmt.Sprintf(`const s = require(%q)({}); s.listen(0, "127.0.0.1", () => console.log("ready http://127.0.0.1:" + s.address().port))`,
			filepath.Join(installed, "node_modules", name))
		return startAnnouncing(ctx, work, "ready ", "node", "-e", script)
	}
}

func installMoto(ctx context.Context, dir, version string) error {
	if err := command(ctx, dir, "python3", "-m", "venv", "."); err != nil {
		return err
	}
	return command(ctx, dir, filepath.Join(dir, "bin", "pip"), "install", "--quiet", "moto[server]=="+version)
}

func startMoto(ctx context.Context, work, installed string) (*server, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return startSilent(ctx, work, addr, filepath.Join(installed, "bin", "python3"), "-m", "moto.server", "-H", "127.0.0.1", "-p", port)
}

// command runs a program; its error carries the last line that the program printed.
func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%s is not installed", name)
	}
	lines := strings.Split(string(bytes.TrimSpace(out)), "\n")
	return fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, lines[len(lines)-1])
}
