package function

import (
	"context"
	"os"
	"testing"
	"time"
)

// TestUnpackedCodeGoesWithItsFunction updates and deletes functions and looks at what
// is left of their code.
func TestUnpackedCodeGoesWithItsFunction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := zipOf(t, file{"bootstrap", 0o755, "#!/bin/sh\n"}, file{"a", 0o644, "1"})
	second := zipOf(t, file{"bootstrap", 0o755, "#!/bin/sh\n"}, file{"a", 0o644, "2"})
	def, err := w.Create(context.Background(), Definition{Name: "f", Runtime: "provided.al2023", Role: "arn:aws:iam::000000000000:role/r"}, first)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := runtimeNamed(def.Runtime)
	if err != nil {
		t.Fatal(err)
	}
	old := w.codePath(def.CodeSHA256, rt)
	if def, err = w.UpdateCode(context.Background(), "f", CodeUpdate{Package: second}); err != nil {
		t.Fatal(err)
	}
	current := w.codePath(def.CodeSHA256, rt)
	there := func(dir string) bool {
		_, err := os.Stat(dir)
		return err == nil
	}
	w.dropUnusedFolders(time.Now())
	if !there(old) || !there(current) {
		t.Error("code went that was asked for a moment ago")
	}
	later := time.Now().Add(cleanEvery)
	w.dropUnusedFolders(later)
	if there(old) || !there(current) {
		t.Errorf("after an update: old code %v, new code %v", there(old), there(current))
	}
	if err := w.Delete(context.Background(), "f"); err != nil {
		t.Fatal(err)
	}
	w.dropUnusedFolders(later)
	if there(current) {
		t.Error("code of a deleted function stays")
	}
	// The same code again is unpacked again.
	if def, err = w.Create(context.Background(), Definition{Name: "g", Runtime: "provided.al2023", Role: "arn:aws:iam::000000000000:role/r"}, first); err != nil {
		t.Fatal(err)
	}
	if !there(w.codePath(def.CodeSHA256, rt)) {
		t.Error("code that came back is not unpacked")
	}
}
