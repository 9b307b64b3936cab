// Package packaging turns the local code of a template's functions into the zips
// that go to the server with the template.
//
// It runs where the code is, on the machine of who deploys. Go source is compiled,
// dependencies of Python and Node functions are installed, Maven projects are built,
// makefiles are run, and folders are packed. The same code gives the same bytes, so that deploying again
// changes nothing: entries are sorted and carry a fixed time.
package packaging

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/stack/resource"
	"github.com/weirstream/weir/internal/stack/sam"
	"github.com/weirstream/weir/internal/stack/template"
)

// Options say where the code of a template is.
type Options struct {
	// Dir is the folder of the template; paths in it are relative to that.
	Dir string
	// Name is the name of the template's file, by which tools that make templates
	// name the files beside it; "" when there are none.
	Name string
	// Parameters are those of the deployment, as paths and runtimes may depend on
	// them. Hidden ones may be missing.
	Parameters map[string]string
	// Progress, when set, is given a line for every step that takes time.
	Progress func(line string)
}

// Function is a function of a template whose code is local.
type Function struct {
	LogicalID string
	Line      int
	Runtime   string
	Handler   string
	// Path is the folder or file as the template has it.
	Path string
	// BuildMethod is the BuildMethod of the function's Metadata, "" when not given.
	BuildMethod string
	// Binary is that of the BuildProperties of the function's Metadata, the program that
	// the method rust-cargolambda is to take; "" when not given.
	Binary string
	// Prepared says that another tool has made the code ready: it is packed as it is.
	Prepared bool
}

// Functions lists the functions of a template whose code is local. The error is a
// template.Problems.
func Functions(text []byte, parameters map[string]string) ([]Function, error) {
	return functions(text, parameters, nil)
}

func functions(text []byte, parameters map[string]string, assets assets) ([]Function, error) {
	setting := template.Setting{Identity: catalog.DefaultIdentity}
	parsed, err := template.ParseFor(text, parameters, setting)
	if err != nil {
		return nil, err
	}
	parsed.Rules = nil // they may be about the server, which has checked them
	supplyHidden(parsed, parameters)
	expanded, err := sam.Expand(parsed, sam.Inputs{Parameters: parameters})
	if err != nil {
		return nil, err
	}
	bound, err := expanded.Bind(parameters, setting)
	if err != nil {
		return nil, err
	}
	var functions []Function
	for _, r := range bound.Resources {
		if r.Type != "AWS::Lambda::Function" {
			continue
		}
		properties, err := bound.Eval(r.LogicalID, r.Properties, unknown{})
		if err != nil {
			return nil, err
		}
		path, local := resource.LocalCode(properties)
		f := Function{LogicalID: r.LogicalID, Line: properties.Get("Code").Line, Path: path}
		if !local {
			if f.Path, f.Prepared = assets.find(properties.Get("Code")); !f.Prepared {
				continue
			}
		}
		f.Runtime, f.Handler = scalar(properties.Get("Runtime")), scalar(properties.Get("Handler"))
		f.BuildMethod = scalar(r.Metadata.Get("BuildMethod"))
		f.Binary = scalar(r.Metadata.Get("BuildProperties").Get("Binary"))
		// What 'sam build' has built says so, and still has the method.
		f.Prepared = f.Prepared || r.Metadata.Get("SamResourceId") != nil
		functions = append(functions, f)
	}
	return functions, nil
}

// supplyHidden gives hidden parameters that are missing a value of any kind: the
// server keeps what an earlier deployment gave for itself, and code does not depend
// on a secret.
func supplyHidden(t *template.Template, given map[string]string) {
	for i, p := range t.Parameters {
		if _, ok := given[p.Name]; p.NoEcho && !ok && p.Default == nil {
			value := "hidden"
			t.Parameters[i] = &template.Parameter{Name: p.Name, Line: p.Line, Type: "String", Default: &value}
		}
	}
}

func scalar(n *template.Node) string {
	if !n.IsScalar() {
		return ""
	}
	return n.Text
}

// unknown is the template.Resolver of who has no server to ask.
type unknown struct{}

func (unknown) Ref(id string, line int) (*template.Node, error) {
	return template.Unknown(line, "{{"+id+"}}"), nil
}

func (unknown) Attribute(id, name string, line int) (*template.Node, error) {
	return template.Unknown(line, "{{"+id+"."+name+"}}"), nil
}

func (unknown) Import(name string, line int) (*template.Node, error) {
	return template.Unknown(line, "{{"+name+"}}"), nil
}

// Package builds and packs the local code of a template's functions and returns the
// zips by logical id. An error about the code names the function and says what to do.
func Package(ctx context.Context, text []byte, opts Options) (map[string][]byte, error) {
	assets, err := readAssets(opts)
	if err != nil {
		return nil, err
	}
	functions, err := functions(text, opts.Parameters, assets)
	if err != nil {
		return nil, err
	}
	zips := make(map[string][]byte, len(functions))
	done := map[Function][]byte{} // functions often share a folder
	for _, f := range functions {
		same := f
		same.LogicalID, same.Line = "", 0
		if f.BuildMethod == "makefile" {
			same.LogicalID = f.LogicalID
		}
		if same.Runtime != "go1.x" {
			same.Handler = ""
		}
		zip, ok := done[same]
		if !ok {
			b := builder{Function: f, opts: opts, dir: filepath.Join(opts.Dir, filepath.FromSlash(f.Path))}
			if filepath.IsAbs(f.Path) {
				b.dir = f.Path
			}
			if zip, err = b.build(ctx); err != nil {
				return nil, fmt.Errorf("function %s (line %d): %w", f.LogicalID, f.Line, err)
			}
			done[same] = zip
		}
		zips[f.LogicalID] = zip
	}
	return zips, nil
}

// builder packs the code of one function.
type builder struct {
	Function
	opts Options
	dir  string // the folder or file of the code
}

func (b builder) progress(format string, args ...any) {
	if b.opts.Progress != nil {
		b.opts.Progress(fmt.Sprintf("%s: %s", b.LogicalID, fmt.Sprintf(format, args...)))
	}
}

func (b builder) build(ctx context.Context) ([]byte, error) {
	info, err := os.Stat(b.dir)
	if err != nil {
		return nil, fmt.Errorf("its code %s cannot be read, paths are relative to the folder of the template: %w", b.Path, err)
	}
	if !info.IsDir() {
		return b.file()
	}
	if b.Prepared {
		return b.pack(b.dir)
	}
	switch b.BuildMethod {
	case "":
	case "go1.x":
		return b.goBuild(ctx)
	case "makefile":
		return b.make(ctx)
	case "rust-cargolambda":
		return b.rust(ctx)
	default:
		return nil, fmt.Errorf("BuildMethod %s is not implemented: build the code into %s yourself and remove BuildMethod from the function's Metadata", b.BuildMethod, b.Path)
	}
	switch {
	case strings.HasPrefix(b.Runtime, "provided"), b.Runtime == "go1.x":
		return b.provided(ctx)
	case strings.HasPrefix(b.Runtime, "python"):
		return b.python(ctx)
	case strings.HasPrefix(b.Runtime, "nodejs"):
		return b.node(ctx)
	case strings.HasPrefix(b.Runtime, "java"):
		return b.java(ctx)
	}
	return b.pack(b.dir)
}

// file packs code that is a single file: an archive as it is, anything else alone
// in an archive.
func (b builder) file() ([]byte, error) {
	switch strings.ToLower(filepath.Ext(b.dir)) {
	case ".zip", ".jar":
		data, err := os.ReadFile(b.dir)
		if err == nil && len(data) > maxUnpacked {
			err = fmt.Errorf("%s is larger than %d bytes", b.Path, maxUnpacked)
		}
		return data, err
	}
	return zipFile(b.dir)
}

// provided packs the code of a function that brings its own executable.
func (b builder) provided(ctx context.Context) ([]byte, error) {
	executable := b.executable()
	if _, err := os.Stat(filepath.Join(b.dir, executable)); err == nil {
		return b.pack(b.dir)
	}
	source, err := filepath.Glob(filepath.Join(b.dir, "*.go"))
	if err != nil {
		return nil, fmt.Errorf("look for Go source: %w", err)
	}
	if len(source) > 0 {
		return b.goBuild(ctx)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "Makefile")); err == nil {
		return b.make(ctx)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "Cargo.toml")); err == nil {
		return b.rust(ctx)
	}
	return nil, fmt.Errorf("%s has no executable named %s, no Go or Rust source to build one from, and no Makefile: put one of them there", b.Path, executable)
}

// executable is the name under which the runtime starts the code.
func (b builder) executable() string {
	if b.Runtime == "go1.x" && b.Handler != "" {
		return b.Handler
	}
	return "bootstrap"
}

func (b builder) pack(dir string) ([]byte, error) {
	zip, err := zipFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", b.Path, err)
	}
	b.progress("packed %s (%s)", b.Path, size(len(zip)))
	return zip, nil
}

// size writes a number of bytes for people.
func size(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
