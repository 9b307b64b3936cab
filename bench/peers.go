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
	records       int // in the stream of a pipeline, so that it is done in seconds
	install       func(ctx context.Context, dir, version string) error
	start         func(ctx context.Context, work, installed string) (*server, error)
}

const inMemory = "in memory: nothing outlives the process"

var peers = []peer{
	{"kinesalite", kinesaliteVersion, streams | startable, 0, installNode("kinesalite"), startNode("kinesalite")},
	{"dynalite", dynaliteVersion, tables | startable, 0, installNode("dynalite"), startNode("dynalite")},
	{"moto", "5.2.1", streams | tables | startable, 0, installMoto, startMoto},
	{
		"ministack", "1.5.33", streams | tables | goFunctions | pythonFunctions | nodeFunctions | startable, slowRecords,
		installMinistack, startMinistack,
	},
	{"serverless-offline", "12.0.4", pythonFunctions | nodeFunctions, slowRecords, installServerless, startServerless},
}

const (
	kinesaliteVersion = "3.3.3"
	dynaliteVersion   = "4.0.0"

	// What functions import, as Lambda's own runtimes have it.
	nodeSDK = "@aws-sdk/client-dynamodb@3.1162.0"
	boto3   = "boto3==1.43.106" // of the botocore that ministack needs

	slowRecords = 100_000
)

// noPipeline are systems that were looked at and cannot run a pipeline here, with why.
var noPipeline = []about{
	{Name: "moto", Version: "5.2.1", Keeps: "runs functions in Docker only"},
	{Name: "localstack", Version: "4.14.0", Keeps: "runs functions in Docker only"},
	{Name: "floci, fakecloud, gopherstack, localemu, sam local", Keeps: "run functions in Docker only"},
	{Name: "awsim", Version: "0.8.0", Keeps: "its mappings read the first shard only, and give functions records without the form of Lambda's events"},
	{Name: "local-web-services", Version: "0.24.0", Keeps: "has no Kinesis"},
	{Name: "robotocore, AWS Emulator", Keeps: "not in a registry of packages"},
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
		name: p.name, version: p.version, keeps: inMemory, offers: p.offers, records: p.records,
		start: func(ctx context.Context, work string) (*server, error) { return p.start(ctx, work, dir) },
	}, nil
}

// installNode installs a package of npm.
func installNode(name string) func(ctx context.Context, dir, version string) error {
	return func(ctx context.Context, dir, version string) error {
		return npmInstall(ctx, dir, name+"@"+version)
	}
}

// npmInstall installs packages of npm. Install scripts would compile on-disk
// stores, which are not used, so they do not run.
func npmInstall(ctx context.Context, dir string, packages ...string) error {
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private":true}`), 0o644); err != nil {
		return err
	}
	return command(ctx, dir, "npm", append([]string{"install", "--ignore-scripts", "--no-audit", "--no-fund"}, packages...)...)
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

// pipInstall installs packages of PyPI into a virtual environment. That refers to its
// interpreter as it was called, so not by the link on PATH, which goes with this run.
func pipInstall(ctx context.Context, dir string, packages ...string) error {
	python, err := interpreterOnPath()
	if err != nil {
		return err
	}
	if err := command(ctx, dir, python, "-m", "venv", "."); err != nil {
		return err
	}
	return command(ctx, dir, filepath.Join(dir, "bin", "pip"), append([]string{"install", "--quiet"}, packages...)...)
}

func installMoto(ctx context.Context, dir, version string) error {
	return pipInstall(ctx, dir, "moto[server]=="+version)
}

func startMoto(ctx context.Context, work, installed string) (*server, error) {
	addr, port, err := freePort()
	if err != nil {
		return nil, err
	}
	return startSilent(ctx, work, addr, filepath.Join(installed, "bin", "python3"), "-m", "moto.server", "-H", "127.0.0.1", "-p", port)
}

// freePort returns a loopback address that was free a moment ago, and its port.
func freePort() (addr, port string, err error) {
	if addr, err = freeAddress(); err != nil {
		return "", "", err
	}
	_, port, err = net.SplitHostPort(addr)
	return addr, port, err
}

// installMinistack installs ministack with the SDKs that functions import.
func installMinistack(ctx context.Context, dir, version string) error {
	if err := pipInstall(ctx, dir, "ministack=="+version, boto3); err != nil {
		return err
	}
	return npmInstall(ctx, dir, nodeSDK)
}

// startMinistack runs ministack with its default options, except that it logs
// warnings only, as Weir does. It unpacks functions below TMPDIR, where those in
// Node look for modules upwards; functions in Go get its address from its own
// environment.
func startMinistack(ctx context.Context, work, installed string) (*server, error) {
	addr, port, err := freePort()
	if err != nil {
		return nil, err
	}
	if err := linkModules(work, installed); err != nil {
		return nil, err
	}
	return startSilent(ctx, work, addr, "env", "TMPDIR="+work, "BIND_HOST=127.0.0.1", "GATEWAY_PORT="+port, "LOG_LEVEL=WARNING",
		"AWS_ENDPOINT_URL=http://"+addr, filepath.Join(installed, "bin", "python3"), "-m", "ministack")
}

// linkModules lets what is in dir import the modules that are installed.
func linkModules(dir, installed string) error {
	return os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(dir, "node_modules"))
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
