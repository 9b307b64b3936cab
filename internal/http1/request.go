package http1

import (
	"bytes"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
)

// start is how a plain request begins.
const start = "POST / HTTP/1.1\r\n"

// parse makes a request of its header, which begins with start and ends with an
// empty line. It returns nil for anything that is not certainly plain. blank is a
// request with nothing but the context.
func parse(header []byte, blank *http.Request) *http.Request {
	// One string for all values, and one array for their slices.
	text := string(header[len(start) : len(header)-len("\r\n")])
	fields := strings.Count(text, "\n")
	h := make(http.Header, fields)
	values := make([]string, 0, fields)
	for len(text) > 0 {
		var line string
		line, text, _ = strings.Cut(text, "\r\n")
		name, value, ok := field(line)
		if !ok {
			return nil
		}
		if h[name] != nil {
			if single(name) {
				return nil
			}
			h[name] = append(h[name], value)
			continue
		}
		values = append(values, value)
		h[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return request(h, blank)
}

// field takes a line of a header apart.
func field(line string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(line, ":")
	if !ok {
		return "", "", false
	}
	for i := range len(value) {
		if b := value[i]; b < ' ' && b != '\t' || b == 0x7f {
			return "", "", false
		}
	}
	name, ok = canonical(name)
	return name, strings.Trim(value, " \t"), ok
}

// single tells whether a header that decides how a request is read, or where it
// goes, may occur only once.
func single(name string) bool {
	return name == "Host" || name == "Content-Length" || name == "Connection" || name == "X-Amz-Target"
}

// unplain are headers with which a request is not plain.
var unplain = [...]string{"Transfer-Encoding", "Expect", "Upgrade", "Trailer", "Te"}

// request makes a request of a header that is well formed.
func request(h http.Header, blank *http.Request) *http.Request {
	for _, name := range unplain {
		if h[name] != nil {
			return nil
		}
	}
	host, length := h["Host"], h["Content-Length"]
	if host == nil || length == nil || !plainHost(host[0]) {
		return nil
	}
	n, err := strconv.ParseUint(length[0], 10, 40)
	if err != nil {
		return nil
	}
	last := false
	if c := h["Connection"]; c != nil {
		last = strings.EqualFold(c[0], "close")
		if !last && !strings.EqualFold(c[0], "keep-alive") {
			return nil
		}
	}
	delete(h, "Host")
	req := new(http.Request)
	*req = *blank
	req.Method, req.URL, req.RequestURI, req.Host = http.MethodPost, &url.URL{Path: "/"}, "/", host[0]
	req.Proto, req.ProtoMajor, req.ProtoMinor = "HTTP/1.1", 1, 1
	req.Header, req.ContentLength, req.Close = h, int64(n), last
	return req
}

// plainHost tells whether a host is a name or an address, with or without a port.
func plainHost(host string) bool {
	for i := range len(host) {
		if b := host[i]; !alphanumeric(b) && strings.IndexByte("-._:[]", b) < 0 {
			return false
		}
	}
	return host != ""
}

func alphanumeric(b byte) bool {
	return 'a' <= b|0x20 && b|0x20 <= 'z' || '0' <= b && b <= '9'
}

// canonical is the canonical form of a header's name, without building it for
// those that SDKs send; not ok if it is not a name.
func canonical(name string) (string, bool) {
	if known, ok := names[name]; ok {
		return known, true
	}
	for i := range len(name) {
		if b := name[i]; !alphanumeric(b) && b != '-' && b != '_' {
			return "", false
		}
	}
	return textproto.CanonicalMIMEHeaderKey(name), name != ""
}

// names has the names that SDKs send, as they spell them.
var names = func() map[string]string {
	all := map[string]string{}
	for _, name := range []string{
		"Host", "User-Agent", "Content-Length", "Content-Type", "Content-Encoding", "Connection", "Accept",
		"Accept-Encoding", "Authorization", "X-Amz-Target", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-User-Agent",
		"X-Amz-Api-Version", "X-Amz-Content-Sha256", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "X-Amzn-Query-Mode",
		"X-Amzn-Trace-Id", "Date", "Origin",
	} {
		all[name], all[strings.ToLower(name)] = name, name
	}
	// As the SDKs for Java and C++ and the CLI spell them.
	for _, name := range []string{"X-Amz-Sha256", "amz-sdk-retry", "X-Amz-Content-SHA256"} {
		all[name] = textproto.CanonicalMIMEHeaderKey(name)
	}
	return all
}()

// headerEnd is the size of the header that buf begins with, 0 if it goes on. from is
// how much of buf has been searched before. Lines that end without a carriage
// return, which net/http accepts, are not plain.
func headerEnd(buf []byte, from int) (size int, plain bool) {
	from = max(0, from-3)
	rest := buf[from:]
	at := bytes.Index(rest, []byte("\n\r\n"))
	if at >= 0 {
		rest = rest[:at]
	}
	if bytes.Contains(rest, []byte("\n\n")) {
		return 0, false
	}
	if at < 0 {
		return 0, true
	}
	return from + at + 3, true
}
