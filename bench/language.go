package main

import (
	"archive/zip"
	"bytes"
	"context"
	_ "embed" // the functions' sources
	"os"
	"path/filepath"
)

// language is what the counting function can be written in.
type language struct {
	name, runtime, handler string
	file                   string // in the package
	source                 []byte // of the file; nil when it is built
	install                string // what weir runtimes install gets for it
}

//go:embed countfunction/count.py
var pythonSource []byte

//go:embed countfunction/count.mjs
var nodeSource []byte

var (
	goLanguage     = language{name: "Go", runtime: "provided.al2023", handler: "bootstrap", file: "bootstrap"}
	pythonLanguage = language{name: "Python", runtime: "python3.11", handler: "count.handler", file: "count.py", source: pythonSource, install: "python"}
	nodeLanguage   = language{name: "Node", runtime: "nodejs20.x", handler: "count.handler", file: "count.mjs", source: nodeSource, install: "node"}
)

// functionZip is the counting function in a language, ready for CreateFunction.
func (b *bench) functionZip(ctx context.Context, l language) ([]byte, error) {
	if done, ok := b.zips[l.name]; ok {
		return done, nil
	}
	code := l.source
	if code == nil {
		binary := filepath.Join(b.dir, l.file)
		if err := goBuild(ctx, binary, "./bench/countfunction", "GOEXPERIMENT=jsonv2"); err != nil {
			return nil, err
		}
		var err error
		if code, err = os.ReadFile(binary); err != nil {
			return nil, err
		}
	}
	packed, err := pack(l.file, code)
	if err != nil {
		return nil, err
	}
	if b.zips == nil {
		b.zips = map[string][]byte{}
	}
	b.zips[l.name] = packed
	return packed, nil
}

// pack makes a zip file of one program.
func pack(name string, code []byte) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	header := &zip.FileHeader{Name: name, Method: zip.Deflate}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(code); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
