package api

// ResponseWriter collects the body of a response. Its buffer belongs to the
// server and is reused; what is appended is sent when the operation returns
// without an error.
type ResponseWriter struct {
	buf []byte
}

// Bytes returns the body so far. Append to it and hand the result to Set:
//
//	b := w.Bytes()
//	b = append(b, ...)
//	w.Set(b)
func (w *ResponseWriter) Bytes() []byte { return w.buf }

// Set replaces the body.
func (w *ResponseWriter) Set(b []byte) { w.buf = b }

// Write appends p; it never fails.
func (w *ResponseWriter) Write(p []byte) (int, error) {
	w.buf = append(w.buf, p...)
	return len(p), nil
}

// WriteString appends s; it never fails.
func (w *ResponseWriter) WriteString(s string) (int, error) {
	w.buf = append(w.buf, s...)
	return len(s), nil
}
