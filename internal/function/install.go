package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// javaScriptClients are the packages of the AWS SDK for JavaScript v3 that
// Install gets: the clients of the services that Weir has, and what functions
// commonly use with them.
var javaScriptClients = []string{
	"@aws-sdk/client-cloudwatch", "@aws-sdk/client-cloudwatch-logs", "@aws-sdk/client-dynamodb",
	"@aws-sdk/client-dynamodb-streams", "@aws-sdk/client-firehose", "@aws-sdk/client-kinesis",
	"@aws-sdk/client-lambda", "@aws-sdk/client-s3", "@aws-sdk/client-sns", "@aws-sdk/client-sqs",
	"@aws-sdk/client-sts", "@aws-sdk/lib-dynamodb", "@aws-sdk/util-dynamodb",
}

// errNoInstaller says that pip or npm is missing.
var errNoInstaller = errors.New("the package installer is not there")

// installerPatience is how long an installer that was interrupted may take to end.
const installerPatience = 5 * time.Second

// Install gets the SDKs of a language ("python" or "node"), or the runtime
// interface client ("java"), into the folder of the runtimes, through pip, npm or
// Maven. The installer's output goes to progress.
func (r *Runtimes) Install(ctx context.Context, language string, progress io.Writer) error {
	if progress == nil {
		progress = io.Discard
	}
	switch language {
	case "python":
		return r.installPython(ctx, progress)
	case "node", "nodejs":
		if err := r.installNode(ctx, sdkJavaScriptV3, javaScriptClients, progress); err != nil {
			return err
		}
		return r.installNode(ctx, sdkJavaScriptV2, []string{"aws-sdk@2"}, progress)
	case "java":
		return r.installJava(ctx, progress)
	}
	return invalidf("there is nothing to install for %q; the languages are python, node and java", language)
}

func (r *Runtimes) installPython(ctx context.Context, progress io.Writer) error {
	interpreter, err := r.interpreter(ctx, runtimeSpec{name: "python3.13", family: familyPython, version: 13})
	if ctx.Err() != nil {
		return ctx.Err() // which is why none was found
	}
	if err != nil {
		return err
	}
	if err := exec.CommandContext(ctx, interpreter.Path, "-m", "pip", "--version").Run(); err != nil {
		return fmt.Errorf("%w: %s -m pip: %w", errNoInstaller, interpreter.Path, err)
	}
	return r.run(ctx, progress, r.dir, interpreter.Path, "-m", "pip", "install", "--upgrade", "--disable-pip-version-check",
		"--target", r.installDir(sdkBoto3), "boto3")
}

func (r *Runtimes) installNode(ctx context.Context, kind sdkKind, packages []string, progress io.Writer) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("%w: %w", errNoInstaller, err)
	}
	dir := filepath.Dir(r.installDir(kind))
	args := append([]string{"install", "--no-audit", "--no-fund", "--omit=dev", "--ignore-scripts", "--prefix", dir}, packages...)
	return r.run(ctx, progress, dir, npm, args...)
}

func (r *Runtimes) run(ctx context.Context, progress io.Writer, dir, program string, args ...string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("install SDK: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = progress, progress
	// Installers that are asked to end clear away what they have begun.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = installerPatience
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("install SDK: %s %s: %w", program, strings.Join(args, " "), err)
	}
	return nil
}

// packageVersion reads the version in a package.json, "" if it cannot be read.
func packageVersion(path string) string {
	doc, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	var manifest struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(doc, &manifest); err != nil {
		return ""
	}
	return manifest.Version
}
