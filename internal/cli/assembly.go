package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirstream/weir/internal/stack/packaging"
)

// givenStackName is the name that a tool has for the stack of a template that it
// wrote, "" when none did.
func givenStackName(path string) string {
	if filepath.Base(path) == packaging.ServerlessTemplate {
		return serverlessStackName(path)
	}
	return cdkStackName(path)
}

// projectOf is the folder of the project of which 'sam build' has filled a folder;
// any other folder is one itself.
func projectOf(dir string) string {
	return strings.TrimSuffix(dir, filepath.Join(string(filepath.Separator), ".aws-sam", "build"))
}

// readBeside reads a JSON file that lies beside a template.
func readBeside(template, name string, into any) error {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(template), name)) // #nosec G304 -- beside the file that the user names
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// cdkStackName is named by the manifest of the assembly. Without one the file is
// named after the stack.
func cdkStackName(path string) string {
	base := filepath.Base(path)
	id, ok := strings.CutSuffix(base, packaging.CDKTemplate)
	if !ok {
		return ""
	}
	var manifest struct {
		Artifacts map[string]struct {
			Properties struct{ TemplateFile, StackName string }
		}
	}
	if err := readBeside(path, "manifest.json", &manifest); err != nil {
		return id
	}
	for _, artifact := range slices.Sorted(maps.Keys(manifest.Artifacts)) {
		a := manifest.Artifacts[artifact]
		if a.Properties.TemplateFile != base {
			continue
		}
		if a.Properties.StackName != "" {
			return a.Properties.StackName
		}
		return artifact
	}
	return id
}

// serverlessStackName is SERVICE-STAGE unless the service chooses a name.
func serverlessStackName(path string) string {
	var state struct {
		Service struct {
			Service  string
			Provider struct{ Stage, StackName string }
		}
	}
	err := readBeside(path, "serverless-state.json", &state)
	if err != nil || state.Service.Service == "" {
		return ""
	}
	if state.Service.Provider.StackName != "" {
		return state.Service.Provider.StackName
	}
	return state.Service.Service + "-" + state.Service.Provider.Stage
}

// findGenerated finds the template in a folder that a tool wrote, "" when there is
// none.
func findGenerated(dir string) (string, error) {
	if path := filepath.Join(dir, packaging.ServerlessTemplate); isFile(path) {
		return path, nil
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"+packaging.CDKTemplate))
	if err != nil || len(names) == 0 {
		return "", err
	}
	if len(names) > 1 {
		return "", usageError{fmt.Errorf("%s holds several templates: name one of %s", dir, strings.Join(names, ", "))}
	}
	return names[0], nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
