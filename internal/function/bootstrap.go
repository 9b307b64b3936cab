package function

import (
	"crypto/sha256"
	_ "embed" // the bootstraps of the managed runtimes
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

//go:embed bootstrap/bootstrap.py
var pythonBootstrap []byte

//go:embed bootstrap/bootstrap.mjs
var nodeBootstrap []byte

// bootstrapGroup is the folder of the bootstraps within the code cache.
const bootstrapGroup = "bootstrap"

// nativeGroup is the folder, likewise, of native libraries out of jars in packages.
const nativeGroup = "native"

// bootstraps writes the programs that run functions of managed runtimes to
// where interpreters can read them.
type bootstraps struct {
	dir string // named by content, so that versions do not disturb each other

	mu      sync.Mutex
	written map[string]bool
}

func newBootstraps(codeDir string) *bootstraps {
	sum := sha256.New()
	sum.Write(pythonBootstrap)
	sum.Write(nodeBootstrap)
	return &bootstraps{
		dir:     filepath.Join(codeDir, bootstrapGroup, hex.EncodeToString(sum.Sum(nil)[:8])),
		written: map[string]bool{},
	}
}

// path returns the bootstrap of a family of runtimes, written out.
func (b *bootstraps) path(f family) (string, error) {
	name, content := "bootstrap.py", pythonBootstrap
	if f == familyNode {
		name, content = "bootstrap.mjs", nodeBootstrap
	}
	path := filepath.Join(b.dir, name)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.written[name] {
		return path, nil
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return "", fmt.Errorf("write bootstrap: %w", err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return "", fmt.Errorf("write bootstrap: %w", err)
	}
	b.written[name] = true
	return path, nil
}
