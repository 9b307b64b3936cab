package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// cdkTemplate is how the names of templates end that the AWS CDK writes.
const cdkTemplate = ".template.json"

// cdkStackName is the name of the stack of a template that the AWS CDK wrote, false
// when it is none.
func cdkStackName(path string) (string, bool) {
	base := filepath.Base(path)
	id, ok := strings.CutSuffix(base, cdkTemplate)
	if !ok || id == "" {
		return "", false
	}
	var manifest struct {
		Artifacts map[string]struct {
			Properties struct{ TemplateFile, StackName string }
		}
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "manifest.json")) // #nosec G304 -- beside the file that the user names
	if err == nil {
		err = json.Unmarshal(text, &manifest)
	}
	if err != nil {
		return id, true // the file is named after the stack unless the manifest says otherwise
	}
	for artifact, a := range manifest.Artifacts {
		if a.Properties.TemplateFile != base {
			continue
		}
		if a.Properties.StackName != "" {
			return a.Properties.StackName, true
		}
		return artifact, true
	}
	return id, true
}

// findCDKTemplate finds the template in a folder that the AWS CDK wrote, "" when
// there is none.
func findCDKTemplate(dir string) (string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*"+cdkTemplate))
	if err != nil || len(names) == 0 {
		return "", err
	}
	if len(names) > 1 {
		return "", usageError{fmt.Errorf("%s holds several templates: name one of %s", dir, strings.Join(names, ", "))}
	}
	return names[0], nil
}
