package s3api

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/object"
)

// overrides are the parameters of a read that replace headers of the answer.
var overrides = map[string]string{
	"response-content-type":        "Content-Type",
	"response-content-language":    "Content-Language",
	"response-content-encoding":    "Content-Encoding",
	"response-content-disposition": "Content-Disposition",
	"response-cache-control":       "Cache-Control",
	"response-expires":             "Expires",
}

// noVersion refuses a version of an object: there is only the one that was never
// versioned.
func (x *exchange) noVersion() error {
	version := x.query.Get("versionId")
	if version == "" || version == "null" {
		return nil
	}
	e := &apiError{code: "NoSuchVersion", status: http.StatusNotFound, message: "The specified version does not exist."}
	e.detail("Key", x.key)
	e.detail("VersionId", version)
	return e
}

// getObject serves GET and HEAD.
func (x *exchange) getObject() error {
	if err := x.noVersion(); err != nil {
		return err
	}
	c, err := x.h.buckets.Get(x.r.Context(), x.bucket, x.key)
	if err != nil {
		return err
	}
	defer c.Close()
	o := c.Object
	head := x.w.Header()
	head.Set("Etag", `"`+o.ETag+`"`)
	head.Set("Last-Modified", httpTime(o.Modified))
	if err := readCondition(x.r.Header, o); err != nil {
		return err
	}
	offset, length, status, err := x.extent(c)
	if err != nil {
		return err
	}
	x.objectHeaders(o)
	if err := x.readChecksum(c, length); err != nil {
		return err
	}
	for parameter, name := range overrides {
		if value := x.query.Get(parameter); value != "" {
			head.Set(name, value)
		}
	}
	head.Set("Content-Length", strconv.FormatInt(length, 10))
	x.answered = true
	x.w.WriteHeader(status)
	if x.r.Method == http.MethodHead {
		return nil
	}
	r := c.Range(offset, length)
	defer r.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{x.w}, r, make([]byte, min(length+1, 128<<10)))
	return err
}

// objectHeaders tells what is known of an object.
func (x *exchange) objectHeaders(o object.Object) {
	head := x.w.Header()
	m := o.Meta
	head.Set("Accept-Ranges", "bytes")
	head.Set("Content-Type", "binary/octet-stream")
	for name, value := range map[string]string{
		"Content-Type": m.ContentType, "Content-Encoding": m.ContentEncoding, "Content-Language": m.ContentLanguage,
		"Content-Disposition": m.ContentDisposition, "Cache-Control": m.CacheControl, "Expires": m.Expires,
	} {
		if value != "" {
			head.Set(name, value)
		}
	}
	if m.StorageClass != "" && m.StorageClass != "STANDARD" {
		head.Set("X-Amz-Storage-Class", m.StorageClass)
	}
	for name, value := range m.User {
		head["x-amz-meta-"+name] = []string{metadataHeader(value)}
	}
	if len(m.Tags) > 0 {
		head.Set("X-Amz-Tagging-Count", strconv.Itoa(len(m.Tags)))
	}
}

// readChecksum tells the checksum of an object, or of a part of it that is read by its
// number. There is none for other ranges: a client compares it with what it gets.
func (x *exchange) readChecksum(c *object.Content, length int64) error {
	sum := c.Object.Checksum
	if sum == nil || !strings.EqualFold(x.r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		return nil
	}
	n, err := strconv.Atoi(x.query.Get("partNumber"))
	if err != nil || c.Object.Parts == 0 {
		if length == c.Object.Size {
			x.checksumHeaders(sum)
		}
		return nil
	}
	parts, _, err := c.Parts(0, n)
	if err != nil || len(parts) < n || parts[n-1].Checksum == "" {
		return err
	}
	x.checksumHeaders(&object.Checksum{Algorithm: parts[n-1].Algorithm, Value: parts[n-1].Checksum, Type: sum.Type})
	return nil
}

func (x *exchange) checksumHeaders(sum *object.Checksum) {
	if sum == nil {
		return
	}
	x.w.Header().Set(checksumHeader(sum.Algorithm), sum.Value)
	x.w.Header().Set("X-Amz-Checksum-Type", string(sum.Type))
}

// extent finds the bytes that a read asks for: a part, a range, or all.
func (x *exchange) extent(c *object.Content) (offset, length int64, status int, err error) {
	size := c.Object.Size
	head := x.w.Header()
	if x.query.Has("partNumber") {
		if x.r.Header.Get("Range") != "" {
			return 0, 0, 0, invalidRequest("Cannot specify both Range header and partNumber query parameter")
		}
		n, err := strconv.Atoi(x.query.Get("partNumber"))
		if err != nil || n < 1 || n > 10_000 {
			return 0, 0, 0, invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", x.query.Get("partNumber"))
		}
		offset, length, ok := c.Part(n)
		if !ok {
			e := &apiError{code: "InvalidPartNumber", status: http.StatusRequestedRangeNotSatisfiable, message: "The requested partnumber is not satisfiable"}
			e.detail("PartNumberRequested", strconv.Itoa(n))
			e.detail("ActualPartCount", strconv.Itoa(max(1, c.Object.Parts)))
			return 0, 0, 0, e
		}
		if c.Object.Parts > 0 {
			head.Set("X-Amz-Mp-Parts-Count", strconv.Itoa(c.Object.Parts))
		}
		if size > 0 {
			head.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", offset, offset+length-1, size))
		}
		return offset, length, http.StatusPartialContent, nil
	}
	text := x.r.Header.Get("Range")
	first, last, ok := parseRange(text, size)
	if !ok {
		return 0, size, http.StatusOK, nil
	}
	if first >= size {
		e := &apiError{code: "InvalidRange", status: http.StatusRequestedRangeNotSatisfiable, message: "The requested range is not satisfiable"}
		e.detail("RangeRequested", text)
		e.detail("ActualObjectSize", strconv.FormatInt(size, 10))
		head.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		return 0, 0, 0, e
	}
	head.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, size))
	return first, last - first + 1, http.StatusPartialContent, nil
}

// parseRange reads a Range header. ok is false when it is to be ignored: when it is
// absent, malformed or asks for several ranges. first is at least size when there
// are no such bytes.
func parseRange(text string, size int64) (first, last int64, ok bool) {
	spec, found := strings.CutPrefix(text, "bytes=")
	from, to, cut := strings.Cut(spec, "-")
	if !found || !cut || strings.Contains(spec, ",") {
		return 0, 0, false
	}
	if from == "" {
		n, err := strconv.ParseInt(to, 10, 64)
		if err != nil || n < 0 {
			return 0, 0, false
		}
		if n == 0 {
			return size, size, true
		}
		return max(size-n, 0), size - 1, true
	}
	first, err := strconv.ParseInt(from, 10, 64)
	if err != nil || first < 0 {
		return 0, 0, false
	}
	if to == "" {
		return first, size - 1, true
	}
	last, err = strconv.ParseInt(to, 10, 64)
	if err != nil || last < first {
		return 0, 0, false
	}
	return first, min(last, size-1), true
}

// readCondition judges the conditions of a read, in the order of RFC 9110. A time
// in the future is no condition.
func readCondition(head http.Header, o object.Object) error {
	modified := o.Modified.Truncate(time.Second)
	failed := func(name string) error {
		e := &apiError{code: "PreconditionFailed", status: http.StatusPreconditionFailed, message: "At least one of the pre-conditions you specified did not hold"}
		e.detail("Condition", name)
		return e
	}
	if match := head.Get("If-Match"); match != "" {
		if !matches(match, o.ETag) {
			return failed("If-Match")
		}
	} else if t, err := http.ParseTime(head.Get("If-Unmodified-Since")); err == nil && modified.After(t) {
		return failed("If-Unmodified-Since")
	}
	if match := head.Get("If-None-Match"); match != "" {
		if matches(match, o.ETag) {
			return errNotModified
		}
	} else if t, err := http.ParseTime(head.Get("If-Modified-Since")); err == nil && !modified.After(t) && !t.After(time.Now()) {
		return errNotModified
	}
	return nil
}

// matches reports whether a list of entity tags has one.
func matches(list, etag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == "*" || strings.Trim(one, `"`) == etag {
			return true
		}
	}
	return false
}
