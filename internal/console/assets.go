package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// dist is the build of the web app in the folder web. `npm run build` there
// writes it; it is committed so that building Weir needs nothing but Go.
//
//go:embed all:dist
var dist embed.FS

func embedded() fs.FS {
	app, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name above is valid
	}
	return app
}

// securityPolicy lets a page load and talk to nothing but this server. Styles
// are set from scripts through the object model, which needs no exception.
const securityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; " +
	"img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'self'; " +
	"form-action 'none'; frame-ancestors 'none'"

func setSecurityHeaders(h http.Header) {
	h.Set("Content-Security-Policy", securityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// contentTypes are those of the files in a build; the system's own table of
// types differs from machine to machine.
var contentTypes = map[string]string{
	".html":  "text/html; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
	".txt":   "text/plain; charset=utf-8",
}

// assets serves the files of the web app, and its page for every path that is
// no file, as the app routes by itself.
type assets struct{ app fs.FS }

func newAssets(app fs.FS) http.Handler { return assets{app} }

func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, Prefix)
	isAsset := strings.HasPrefix(name, "assets/")
	if !isAsset && name != "licenses.txt" {
		name = "index.html"
	}
	content, err := fs.ReadFile(a.app, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	contentType, ok := contentTypes[path.Ext(name)]
	if !ok {
		contentType = "application/octet-stream"
	}
	w.Header().Set("Content-Type", contentType)
	if isAsset {
		// The name holds a hash of the content.
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		sum := sha256.Sum256(content)
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
		w.Header().Set("Cache-Control", "no-cache")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}
