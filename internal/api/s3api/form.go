package s3api

import (
	"encoding/xml"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/weirstream/weir/internal/object"
)

// maxFields bounds the fields of a form before its file.
const maxFields = 20 << 10

var errForm = &apiError{code: "MalformedPOSTRequest", status: http.StatusBadRequest, message: "The body of your POST request is not well-formed multipart/form-data."}

// postForm stores the file of a form that a browser has sent.
func (x *exchange) postForm() error {
	r, err := x.r.MultipartReader()
	if err != nil {
		return errForm
	}
	fields, file, err := readFields(r)
	if err != nil {
		return err
	}
	if fields.Get("Key") == "" {
		return invalidArgument("Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.", "key", "")
	}
	key := fields.Get("Key")
	if name := file.FileName(); name != "" {
		key = strings.ReplaceAll(key, "${filename}", name)
	}
	fields.Set("Key", key)
	fields.Set("Bucket", x.bucket) // whatever the form says
	least, most, err := checkPolicy(fields)
	if err != nil {
		return err
	}
	x.key = key
	x.accessKeyID, _, _ = strings.Cut(fields.Get("X-Amz-Credential"), "/")
	for name := range fields {
		if strings.HasPrefix(name, "X-Amz-") || name == "Content-Md5" || name == "Content-Type" || name == "Cache-Control" || name == "Content-Disposition" || name == "Content-Encoding" || name == "Expires" {
			x.r.Header.Set(name, fields.Get(name))
		}
	}
	x.r.Header.Set("X-Amz-Acl", fields.Get("Acl"))
	if fields.Get("Content-Type") == "" {
		x.r.Header.Del("Content-Type")
	}
	if err := x.refuseHeaders(); err != nil {
		return err
	}
	m, err := x.meta()
	if err != nil {
		return err
	}
	if doc := fields.Get("Tagging"); doc != "" {
		if m.Tags, err = parseTags([]byte(doc)); err != nil {
			return err
		}
	}
	want := object.Expected{Size: -1}
	if err := x.expectDigests(&want, nil); err != nil {
		return err
	}
	o, err := x.h.buckets.Write(x.r.Context(), object.Put{
		Bucket: x.bucket, Key: key, Body: &sized{r: file, least: least, most: most}, Meta: m, Expected: want, Origin: x.origin(), Form: true,
	})
	if err != nil {
		return err
	}
	return x.posted(fields, o)
}

// readFields reads the fields of a form up to its file.
func readFields(r *multipart.Reader) (http.Header, *multipart.Part, error) {
	fields, left := http.Header{}, maxFields
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, nil, invalidArgument("POST requires exactly one file upload per request.", "file", "0")
		}
		if err != nil {
			return nil, nil, errForm
		}
		if strings.EqualFold(part.FormName(), "file") {
			return fields, part, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, int64(left)+1))
		if left -= len(value) + len(part.FormName()); err != nil || left < 0 {
			return nil, nil, &apiError{code: "MaxPostPreDataLengthExceeded", status: http.StatusBadRequest, message: "Your POST request fields preceeding the upload file was too large."}
		}
		fields.Set(part.FormName(), string(value))
	}
}

// posted answers as the form asks for.
func (x *exchange) posted(fields http.Header, o object.Object) error {
	head := x.w.Header()
	etag := `"` + o.ETag + `"`
	place := "http://" + x.r.Host + strings.TrimSuffix(x.r.URL.EscapedPath(), "/") + "/" + (&url.URL{Path: o.Key}).EscapedPath()
	head.Set("Etag", etag)
	head.Set("Location", place)
	if target, err := url.Parse(fields.Get("Success_action_redirect")); err == nil && target.IsAbs() {
		if target.RawQuery != "" {
			target.RawQuery += "&"
		}
		target.RawQuery += "bucket=" + url.QueryEscape(x.bucket) + "&key=" + url.QueryEscape(o.Key) + "&etag=" + url.QueryEscape(etag)
		head.Set("Location", target.String())
		return x.nothing(http.StatusSeeOther)
	}
	switch fields.Get("Success_action_status") {
	case "200":
		return x.nothing(http.StatusOK)
	case "201":
		body, err := xml.Marshal(struct {
			XMLName                     xml.Name `xml:"PostResponse"`
			Location, Bucket, Key, ETag string
		}{Location: place, Bucket: x.bucket, Key: o.Key, ETag: etag})
		if err != nil {
			return err
		}
		x.send(http.StatusCreated, "application/xml", append([]byte(xml.Header), body...))
		return nil
	default:
		return x.nothing(http.StatusNoContent)
	}
}

// sized reads a file that must have a size within bounds.
type sized struct {
	r                 io.Reader
	least, most, size int64
}

// Read implements io.Reader.
func (s *sized) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.size += int64(n)
	switch {
	case s.size > s.most:
		return n, &apiError{code: "EntityTooLarge", status: http.StatusBadRequest, message: "Your proposed upload exceeds the maximum allowed size"}
	case err == io.EOF && s.size < s.least:
		return n, &apiError{code: "EntityTooSmall", status: http.StatusBadRequest, message: "Your proposed upload is smaller than the minimum allowed size"}
	}
	return n, err
}
