// Package webanalytics holds the example application web-analytics: its templates,
// the source of its functions and the events it counts.
//
// The functions are packages of Weir's own module. Where the example is extracted
// it is a module of its own; functions.mod and functions.sum become its go.mod and
// go.sum.
package webanalytics

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Files is the example as it is in its folder.
//
//go:embed README.md template.yaml template-python.yaml functions.mod functions.sum
//go:embed data count-events publish-metrics python/*.py
var Files embed.FS

// Names of files in the example.
const (
	Template       = "template.yaml"
	PythonTemplate = "template-python.yaml"
	EventsFile     = "data/web-events.jsonl"
	CountsFile     = "data/web-events-hourly.csv"
)

// Events returns the recorded events, one JSON object per line.
func Events() ([]byte, error) { return Files.ReadFile(EventsFile) }

// Counts returns the counts per kind of event and hour that must come out, as
// comma-separated lines.
func Counts() ([]byte, error) { return Files.ReadFile(CountsFile) }

// Extract writes the example into a folder, so that its template can be deployed
// from there.
func Extract(dir string) error {
	return fs.WalkDir(Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(path, "_test.go") {
			return err
		}
		target := filepath.Join(dir, filepath.FromSlash(path))
		if d.IsDir() {
			if err := os.MkdirAll(target, 0o755); err != nil {
				return fmt.Errorf("extract the example: %w", err)
			}
			return nil
		}
		switch path {
		case "functions.mod", "functions.sum":
			target = filepath.Join(dir, "go"+filepath.Ext(path))
		}
		content, err := Files.ReadFile(path)
		if err == nil {
			err = os.WriteFile(target, content, 0o644)
		}
		if err != nil {
			return fmt.Errorf("extract the example: %w", err)
		}
		return nil
	})
}
