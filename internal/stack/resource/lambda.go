package resource

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/stack/template"
)

// PackageMember is the member of Code that stands for a package sent beside the
// template: its SHA-256, hexadecimal. A template holds the path of a folder or
// file on the machine of who deploys instead; [WithPackage] swaps the two.
const PackageMember = "WeirPackage"

// LocalCode returns the path that stands for the code of a function, false when
// its code is not local.
func LocalCode(properties *template.Node) (path string, ok bool) {
	code := properties.Get("Code")
	if !code.IsScalar() || strings.HasPrefix(code.Text, "s3://") {
		return "", false
	}
	return code.Text, true
}

// StoredCode reports whether the code of a function is said to be in a bucket. A
// package that is sent along takes its place, as who deploys has what some tool
// would have uploaded.
func StoredCode(properties *template.Node) bool {
	return properties.Get("Code").Get("S3Key") != nil
}

// WithPackage returns the properties of a function with a package for its code.
func WithPackage(properties *template.Node, sha256 string) *template.Node {
	out := template.Map(properties.Line)
	out.Entries = slices.Clone(properties.Entries)
	line := properties.Get("Code").Line
	return out.Set("Code", template.Map(line).Set(PackageMember, template.String(line, sha256)))
}

// functionSettings are the settings of a function with where its code is.
type functionSettings struct {
	FunctionSpec
	inline string
	sha256 string
	object objectCode
}

// code returns the zip of the function's code.
func (s functionSettings) code(ctx context.Context, p *Providers) ([]byte, error) {
	if s.sha256 != "" {
		return p.Package(ctx, s.sha256)
	}
	if s.object != (objectCode{}) {
		return s.object.read(ctx, p)
	}
	return inlineZip(s.Runtime, s.inline)
}

var lambdaFunction = define(Type{
	Name: "AWS::Lambda::Function", NameProperty: "FunctionName", NameLimit: 64,
	Properties: []string{"Architectures", "Code", "DeadLetterConfig", "Description", "Environment", "EphemeralStorage", "FunctionName", "Handler",
		"LoggingConfig", "MemorySize", "PackageType", "ReservedConcurrentExecutions", "Role", "Runtime", "Tags", "Timeout",
		"TracingConfig"},
	Unimplemented: []string{"CapacityProviderConfig", "CodeSigningConfigArn", "DurableConfig",
		"FileSystemConfigs", "FunctionScalingConfig", "ImageConfig", "KmsKeyArn", "Layers", "PublishToLatestPublished",
		"RecursiveLoop", "RuntimeManagementConfig", "SnapStart", "TenancyConfig", "VpcConfig"},
	Replace:    []string{"FunctionName", "PackageType"},
	Attributes: []string{"Arn"},
}, operations[functionSettings]{
	decode: decodeFunction,
	create: func(ctx context.Context, p *Providers, t Target, s functionSettings) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		var err error
		if s.Zip, err = s.code(ctx, p); err != nil {
			return Made{}, err
		}
		arn, err := p.Functions.CreateFunction(ctx, s.FunctionSpec)
		return named(s.Name, arn), err
	},
	update: func(ctx context.Context, p *Providers, t Target, old, s functionSettings) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		if s.sha256 != old.sha256 || s.inline != old.inline || s.object != old.object {
			var err error
			if s.Zip, err = s.code(ctx, p); err != nil {
				return Made{}, err
			}
		}
		return named(s.Name, t.Identity.ARN("lambda", "function:"+s.Name)), p.Functions.UpdateFunction(ctx, s.FunctionSpec)
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ functionSettings) error {
		return p.Functions.DeleteFunction(ctx, t.Name)
	},
})

func decodeFunction(o *object) functionSettings {
	o.require("Code", "Role")
	var s functionSettings
	s.Name, s.Runtime, s.Handler, s.Role = o.text("FunctionName"), o.text("Runtime"), o.text("Handler"), o.text("Role")
	s.Description, s.TimeoutSeconds, s.MemoryMB = o.text("Description"), o.count("Timeout"), o.count("MemorySize")
	s.Tags = o.tags()
	s.ReservedConcurrency = o.integer("ReservedConcurrentExecutions")
	o.only("PackageType", "Zip")
	if !o.has("PackageType") || o.text("PackageType") == "Zip" {
		o.require("Runtime", "Handler")
	}
	if foreignRuntime.MatchString(s.Runtime) {
		o.fail(o.get("Runtime").Line, "Weir does not run the runtime %s yet", s.Runtime)
	}
	if architectures := o.texts("Architectures"); len(architectures) == 1 {
		s.Architecture = architectures[0]
	} else if len(architectures) > 1 {
		o.fail(o.get("Architectures").Line, "Architectures of a function must be one of x86_64 and arm64")
	}
	if letters := o.object("DeadLetterConfig"); letters != nil {
		s.DeadLetterARN = letters.text("TargetArn")
		letters.done()
	}
	if environment := o.object("Environment"); environment != nil {
		s.Environment = environment.textMap("Variables")
		environment.done()
	}
	if storage := o.object("EphemeralStorage"); storage != nil {
		s.EphemeralMB = storage.count("Size")
		storage.done()
	}
	if tracing := o.object("TracingConfig"); tracing != nil {
		s.Tracing = tracing.oneOf("Mode", "Active", "PassThrough")
		tracing.done()
	}
	if logging := o.object("LoggingConfig"); logging != nil {
		s.LogGroup = logging.text("LogGroup")
		logging.only("LogFormat", "Text")
		logging.done()
	}
	decodeCode(o, &s)
	return s
}

// maxInlineCode is the longest code in a template in bytes.
const maxInlineCode = 4 << 20

func decodeCode(o *object, s *functionSettings) {
	n := o.get("Code")
	switch {
	case n == nil:
		return
	case n.IsScalar():
		if _, ok := LocalCode(o.node); !ok {
			o.fail(n.Line, "Code must be an object with S3Bucket and S3Key, or the path of a folder or file")
		}
		return // the package is not known yet
	}
	code := o.object("Code")
	s.inline, s.sha256 = code.text("ZipFile"), code.text(PackageMember)
	switch {
	case len(s.inline) > maxInlineCode:
		o.fail(n.Line, "Property validation failure: [Length of value for property {/Code/ZipFile} is greater than maximum allowed length {%d}]", maxInlineCode)
	case code.has("ZipFile") && inlineName(s.Runtime) == "" && o.get("Runtime") != nil:
		o.fail(n.Line, "ZipFile can only be used when Runtime is set to either of nodejs or python.")
	case code.has("ImageUri"):
		o.fail(n.Line, "container images are not implemented")
		return
	case code.has("S3Bucket") || code.has("S3Key"):
		s.object = decodeObjectCode(code)
	case !code.has("ZipFile") && !code.has(PackageMember):
		o.fail(n.Line, "Property validation failure: [The property {/Code/ZipFile} is required]")
	}
	code.done()
}

var (
	pythonRuntime = regexp.MustCompile(`^python`)
	nodeRuntime   = regexp.MustCompile(`^nodejs`)
	// foreignRuntime is what would be refused only when the function is created, after
	// the resources before it.
	foreignRuntime = regexp.MustCompile(`^(?:ruby|dotnet)`)
)

// inlineName is the file that code in a template becomes, "" when the runtime
// takes none.
func inlineName(runtime string) string {
	switch {
	case pythonRuntime.MatchString(runtime):
		return "index.py"
	case nodeRuntime.MatchString(runtime):
		return "index.js"
	}
	return ""
}

// inlineZip packs code from a template, the same bytes for the same code.
func inlineZip(runtime, code string) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: inlineName(runtime), Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(0o644)
	f, err := w.CreateHeader(header)
	if err != nil {
		return nil, fmt.Errorf("pack inline code: %w", err)
	}
	if _, err := f.Write([]byte(code)); err != nil {
		return nil, fmt.Errorf("pack inline code: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack inline code: %w", err)
	}
	return b.Bytes(), nil
}
