package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/weirstream/weir/internal/api/stackapi"
	"github.com/weirstream/weir/internal/stack"
	"github.com/weirstream/weir/internal/stack/packaging"
)

// templateNames are looked for when no template is named.
var templateNames = []string{"template.yaml", "template.yml", "template.json"}

type deployOptions struct {
	template, stackName string
	parameters          []string
	tags                []string
}

func deployCommand(a *app) *cobra.Command {
	var o deployOptions
	c := &cobra.Command{
		Use:   "deploy [TEMPLATE]",
		Short: "Create or update what a template declares",
		Long: `Deploy takes a SAM or CloudFormation template (template.yaml in this directory unless
another is named), builds and packs the functions whose code is local, and makes the
server create or update the stack. It prints each step and the outputs.

What 'sam build', 'cdk synth' or 'serverless package' wrote is taken as it is, with the
code beside the template.

Everything that is wrong with a template is reported at once, with lines, before
anything is touched. Parameters and tags that are not given stay as an earlier
deployment of the stack gave them.`,
		Example: `  weir deploy examples/web-analytics/template.yaml
  weir deploy --stack-name prod --parameter BucketMinutes=15
  weir deploy .aws-sam/build                   # after 'sam build'
  weir deploy cdk.out/App.template.json        # after 'cdk synth'
  weir deploy .serverless                      # after 'serverless package'`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) <= 1 {
				return nil
			}
			return exactArgs("TEMPLATE")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.template = args[0]
			}
			return a.explain(a.deploy(c.Context(), o))
		},
	}
	c.Flags().StringVar(&o.stackName, "stack-name", "", "name of the stack (default: the folder of the template, or the name that the CDK or the Serverless Framework has)")
	c.Flags().StringArrayVar(&o.parameters, "parameter", nil, "value of a template parameter, Key=Value; can be repeated")
	c.Flags().StringArrayVar(&o.tags, "tag", nil, "tag for the stack and its resources, Key=Value; can be repeated")
	return c
}

func (a *app) deploy(ctx context.Context, o deployOptions) error {
	path, err := findTemplate(o.template)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path) // #nosec G304 -- the file that the user names
	if err != nil {
		return err
	}
	if o.stackName == "" {
		if o.stackName, err = stackNameOf(path); err != nil {
			return err
		}
	}
	parameters, err := keyValues("--parameter", o.parameters)
	if err != nil {
		return err
	}
	tags, err := keyValues("--tag", o.tags)
	if err != nil {
		return err
	}
	return a.deployTemplate(ctx, path, o.stackName, stackapi.Request{Template: string(text), Parameters: parameters, Tags: tags})
}

// deployTemplate checks a template, packs its code and has the server deploy it.
func (a *app) deployTemplate(ctx context.Context, path, name string, req stackapi.Request) error {
	// The template is checked before functions are built, which takes long.
	var plan *stack.Plan
	err := a.stackCall(ctx, http.MethodPost, name, "/plan", path, req, func(m stackapi.Message) { plan = m.Plan })
	if err != nil {
		return err
	}
	if plan == nil {
		return a.strange("without a plan")
	}
	req.Code, err = packaging.Package(ctx, []byte(req.Template), packaging.Options{
		Dir: filepath.Dir(path), Name: filepath.Base(path), Parameters: a.withKept(req.Parameters, plan.Kept), Progress: a.progressLine,
	})
	if ctx.Err() != nil {
		return leftError("interrupted; nothing was changed")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var result *stack.Result
	err = a.stackCall(ctx, http.MethodPost, name, "", path, req, func(m stackapi.Message) {
		result = m.Result
	})
	if ctx.Err() != nil {
		return leftError("interrupted; the server goes on with stack " + name + ", which its console shows; deploy again when it is done")
	}
	if err != nil {
		return err
	}
	if result == nil {
		return a.strange("without a result")
	}
	return a.printDeployed(result)
}

// withKept adds the parameters that the stack keeps, and tells of them.
func (a *app) withKept(given map[string]string, kept []stack.Parameter) map[string]string {
	all := map[string]string{}
	maps.Copy(all, given)
	for _, p := range kept {
		a.progressLine(fmt.Sprintf("parameter %s = %s is kept from the last deployment", p.Key, p.Value))
		if !p.Hidden {
			all[p.Key] = p.Value
		}
	}
	return all
}

func (a *app) progressLine(line string) {
	if !a.json {
		fmt.Fprintln(a.err, line)
	}
}

func (a *app) printDeployed(r *stack.Result) error {
	if a.json {
		return a.printJSON(r)
	}
	verb := "deployed"
	if !r.Changed {
		verb = "is up to date"
	}
	fmt.Fprintf(a.out, "stack %s %s\n", r.Name, verb)
	for _, o := range r.Outputs {
		line := fmt.Sprintf("  %s = %s", o.Key, o.Value)
		if o.ExportName != "" {
			line += "  (exported as " + o.ExportName + ")"
		}
		fmt.Fprintln(a.out, line)
	}
	return nil
}

func destroyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "destroy STACK",
		Short:   "Remove a stack and everything that it made",
		Example: `  weir destroy web-analytics`,
		Args:    exactArgs("STACK"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.explain(a.destroy(c.Context(), args[0]))
		},
	}
}

func (a *app) destroy(ctx context.Context, name string) error {
	err := a.stackCall(ctx, http.MethodDelete, name, "", "", nil, func(stackapi.Message) {})
	if ctx.Err() != nil {
		return leftError("interrupted; the server goes on removing stack " + name)
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]string{"Destroyed": name})
	}
	_, err = fmt.Fprintf(a.out, "stack %s removed\n", name)
	return err
}

// stackCall calls an operation on a stack, "" or "/plan", and prints its events. last
// gets the message with what came of it.
func (a *app) stackCall(ctx context.Context, method, name, operation, templatePath string, req any, last func(stackapi.Message)) error {
	body, err := json.Marshal(req)
	if err != nil {
		return err
	}
	address := a.endpoint + stackapi.Prefix + "/" + url.PathEscape(name) + operation
	httpReq, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(httpReq)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	steps := a.newSteps()
	defer steps.done()
	for lines := bufio.NewReader(resp.Body); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
			return errServerEnded
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		var m stackapi.Message
		if json.Unmarshal(line, &m) != nil {
			return a.strange(resp.Status)
		}
		switch {
		case m.Error != nil:
			return stackError(templatePath, m.Error)
		case m.Plan != nil || m.Result != nil:
			last(m)
			return nil
		case m.Event == nil:
			return a.strange(resp.Status)
		}
		steps.print(m.Event)
	}
}

// errServerEnded is what a client learns whose server ends with an operation under way.
var errServerEnded = errors.New("the server ended in the middle; its next start brings the stack into order, then try again")

// stackError words a failure with file and line of each problem.
func stackError(path string, f *stackapi.Failure) error {
	if len(f.Problems) == 0 {
		return errors.New(f.Message)
	}
	var lines []string
	for _, p := range f.Problems {
		where := path
		if p.Line > 0 {
			where = fmt.Sprintf("%s:%d", path, p.Line)
		}
		parts := []string{where, p.LogicalID, p.Message}
		if p.LogicalID == "" {
			parts = []string{where, p.Message}
		}
		line := strings.Join(parts, ": ")
		if p.Hint != "" {
			line += " (" + p.Hint + ")"
		}
		lines = append(lines, line)
	}
	return errors.New(strings.Join(lines, "\n"))
}

func findTemplate(given string) (string, error) {
	if given != "" {
		if info, err := os.Stat(given); err == nil && info.IsDir() {
			return findIn(given)
		}
		return given, nil
	}
	return findIn(".")
}

func findIn(dir string) (string, error) {
	for _, name := range templateNames {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	if path, err := findGenerated(dir); err != nil || path != "" {
		return path, err
	}
	return "", usageError{fmt.Errorf("%s holds none of %s; name a template", dir, strings.Join(templateNames, ", "))}
}

var notInName = regexp.MustCompile(`[^a-zA-Z0-9-]+`)

// stackNameOf makes a stack name of the folder of a template.
func stackNameOf(path string) (string, error) {
	if name := givenStackName(path); name != "" {
		return name, nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	name := strings.Trim(notInName.ReplaceAllString(filepath.Base(projectOf(filepath.Dir(abs))), "-"), "-")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "stack-" + name
	}
	return strings.TrimRight(name, "-"), nil
}

func keyValues(flag string, given []string) (map[string]string, error) {
	if len(given) == 0 {
		return nil, nil
	}
	out := map[string]string{}
	for _, s := range given {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return nil, usageError{fmt.Errorf("%s %q: want Key=Value", flag, s)}
		}
		out[key] = value
	}
	return out, nil
}
