package cli

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRequestBodiesAreOnlyRead(t *testing.T) {
	t.Parallel()
	seen := ""
	transport := requestBodies{roundTrip(func(r *http.Request) (*http.Response, error) {
		if _, writes := r.Body.(io.WriterTo); writes {
			t.Error("the body writes itself")
		}
		text, err := io.ReadAll(r.Body)
		seen = string(text)
		return nil, err
	})}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	before := r.Body
	if _, err := transport.RoundTrip(r); err != nil || seen != "body" || r.Body != before {
		t.Errorf("%v, read %q", err, seen)
	}
}
