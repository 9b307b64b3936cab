package console

import (
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	defer c.Close()
	for _, path := range []string{"", "tables/event-counters", "functions/x.txt", "dashboards/a%2Fb"} {
		w := get(c, http.MethodGet, path, "")
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(w.Body.String(), `id="app"`) {
			t.Errorf("%q: %d %v", path, w.Code, w.Header())
		}
		if w.Header().Get("Cache-Control") != "no-cache" || w.Header().Get("Etag") == "" {
			t.Errorf("%q: the page would be kept by browsers: %v", path, w.Header())
		}
	}
	for _, path := range []string{"assets/none.js", "assets/", "assets/../index.html"} {
		if w := get(c, http.MethodGet, path, ""); w.Code == http.StatusOK {
			t.Errorf("%q: %d", path, w.Code)
		}
	}
}

// TestBuild holds the embedded build to what pages may do: everything that the
// page names is there, and it names nothing of another origin.
func TestBuild(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	defer c.Close()
	page := get(c, http.MethodGet, "", "").Body.String()
	named := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(named) < 4 {
		t.Fatalf("the page names only %v", named)
	}
	for _, m := range named {
		if m[1] == Prefix || m[1] == "/_weir/metrics" {
			continue
		}
		path, ok := strings.CutPrefix(m[1], Prefix)
		if !ok {
			t.Errorf("the page names %s", m[1])
			continue
		}
		w := get(c, http.MethodGet, path, "")
		if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	foreign := regexp.MustCompile(`(?:@import|url\()\s*["']?(?:https?:)?//`)
	err := fs.WalkDir(embedded(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if contentTypes[path[strings.LastIndex(path, "."):]] == "" {
			t.Errorf("%s has no content type", path)
		}
		content, err := fs.ReadFile(embedded(), path)
		if foreign.Match(content) {
			t.Errorf("%s loads from elsewhere", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	defer c.Close()
	for _, path := range []string{"", "api/mail", "assets/none"} {
		h := get(c, http.MethodGet, path, "").Header()
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") {
			t.Errorf("%q: policy %s", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: %v", path, h)
		}
	}
}
