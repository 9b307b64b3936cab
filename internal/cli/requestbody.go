package cli

import (
	"io"
	"net/http"
)

// requestBodies hides from net/http that the bodies of the SDK's requests can write
// themselves. Once the SDK has an answer it closes the body, which then tells io.EOF
// when asked to write itself; net/http, which asks once more after a large body has
// been sent, takes that for a failure and closes the connection while the answer is
// read. The faster the server, the likelier.
type requestBodies struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b requestBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.WithContext(r.Context()) // a copy
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return b.next.RoundTrip(r)
}
