// Package lint holds the rules of the house as tests: a broken rule fails with the
// name of the file and what to do instead.
package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/weirstream/weir/"

// mayImport lists, for each domain package, the other packages of this module that
// it may import besides those below itself. What it needs of others it declares as
// an interface.
var mayImport = map[string][]string{
	"internal/store":        {},
	"internal/meter":        {},
	"internal/transaction":  {"internal/store", "internal/meter"},
	"internal/pattern":      {"internal/jsonscan"},
	"internal/accesspolicy": {},
	"internal/catalog":      {"internal/store"},
	"internal/stream":       {"internal/store", "internal/transaction", "internal/catalog", "internal/meter"},
	"internal/table":        {"internal/store", "internal/transaction", "internal/catalog", "internal/meter", "internal/jsonscan", "internal/stream"}, // one log implementation
	"internal/function":     {"internal/store", "internal/transaction", "internal/catalog", "internal/meter"},
	"internal/mapping":      {"internal/store", "internal/catalog", "internal/meter", "internal/pattern", "internal/jsonscan"},
	"internal/metric":       {"internal/store", "internal/transaction", "internal/catalog", "internal/meter"},
	"internal/notify":       {"internal/store", "internal/catalog", "internal/meter", "internal/pattern", "internal/accesspolicy"},
	"internal/queue":        {"internal/store", "internal/transaction", "internal/catalog", "internal/meter", "internal/accesspolicy"},
	"internal/stack":        {"internal/store", "internal/catalog"},
	"internal/console":      {},
}

func TestArrowsPointDown(t *testing.T) {
	t.Parallel()
	eachFile(t, func(path string, file *ast.File) {
		for domain, allowed := range mayImport {
			if !within(filepath.Dir(path), domain) || strings.HasSuffix(path, "_test.go") {
				continue
			}
			for _, spec := range file.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				pkg, ours := strings.CutPrefix(imported, module)
				if ours && !within(pkg, domain) && !slices.ContainsFunc(allowed, func(a string) bool { return within(pkg, a) }) {
					t.Errorf("%s imports %s: declare the small interface that %s needs, and let internal/server connect them", path, pkg, domain)
				}
			}
		}
	})
}

func within(pkg, root string) bool { return pkg == root || strings.HasPrefix(pkg, root+"/") }

// reflective packages make the linker keep every method of every type, which costs
// a quarter of the program's size and as much resident memory.
var reflective = []string{"text/template", "html/template"}

func TestNoTemplatesByReflection(t *testing.T) {
	t.Parallel()
	eachFile(t, func(path string, file *ast.File) {
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(reflective, imported) && within(filepath.Dir(path), "internal") {
				t.Errorf("%s imports %s: write the text with fmt and html.EscapeString", path, imported)
			}
		}
	})
}

func TestPackagesAreNamedForWhatTheyOwn(t *testing.T) {
	t.Parallel()
	bad := []string{"util", "utils", "common", "helper", "helpers", "manager", "types", "misc", "models", "base"}
	documented := map[string]bool{}
	eachFile(t, func(path string, file *ast.File) {
		if slices.Contains(bad, file.Name.Name) {
			t.Errorf("%s: package %s does not say what it owns", path, file.Name.Name)
		}
		dir := filepath.Dir(path)
		documented[dir] = documented[dir] || file.Doc != nil
	})
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment: say what it is for and what its invariants are", dir)
		}
	}
}

// eachFile calls f for every Go file of the module.
func eachFile(t *testing.T, f func(path string, file *ast.File)) {
	t.Helper()
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != "." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		f(path, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
