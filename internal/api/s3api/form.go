package s3api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

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
	key := strings.ReplaceAll(fields.Get("Key"), "${filename}", file.FileName())
	least, most, err := checkPolicy(fields)
	if err != nil {
		return err
	}
	x.key = key
	x.accessKeyID, _, _ = strings.Cut(fields.Get("X-Amz-Credential"), "/")
	for name := range fields {
		if strings.HasPrefix(name, "X-Amz-") || name == "Content-Type" || name == "Cache-Control" || name == "Content-Disposition" || name == "Content-Encoding" || name == "Expires" {
			x.r.Header.Set(name, fields.Get(name))
		}
	}
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
	o, err := x.h.buckets.Write(x.r.Context(), object.Put{
		Bucket: x.bucket, Key: key, Body: &sized{r: file, least: least, most: most}, Meta: m, Expected: object.Expected{Size: -1}, Origin: x.origin(), Form: true,
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
		q := target.Query()
		q.Set("bucket", x.bucket)
		q.Set("key", o.Key)
		q.Set("etag", etag)
		target.RawQuery = q.Encode()
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

// checkPolicy judges the policy of a form: its expiry and conditions. It returns
// the bounds of the size of the file.
func checkPolicy(fields http.Header) (least, most int64, err error) {
	most = 5 << 30
	if fields.Get("Policy") == "" {
		return 0, most, nil
	}
	denied := func(why string) error {
		return &apiError{code: "AccessDenied", status: http.StatusForbidden, message: "Invalid according to Policy: " + why}
	}
	doc, err := base64.StdEncoding.DecodeString(fields.Get("Policy"))
	var policy struct {
		Expiration time.Time         `json:"expiration"`
		Conditions []json.RawMessage `json:"conditions"`
	}
	if err != nil || json.Unmarshal(doc, &policy) != nil {
		return 0, 0, &apiError{code: "InvalidPolicyDocument", status: http.StatusBadRequest, message: "Invalid Policy: Invalid JSON."}
	}
	if time.Now().After(policy.Expiration) {
		return 0, 0, denied("Policy expired.")
	}
	for _, c := range policy.Conditions {
		var exact map[string]string
		if json.Unmarshal(c, &exact) == nil {
			for name, want := range exact {
				if !strings.EqualFold(name, "bucket") && fields.Get(name) != want {
					return 0, 0, denied(fmt.Sprintf(`Policy Condition failed: ["eq", "$%s", "%s"]`, name, want))
				}
			}
			continue
		}
		var list []any
		d := json.NewDecoder(bytes.NewReader(c))
		if d.Decode(&list) != nil || len(list) != 3 {
			return 0, 0, &apiError{code: "InvalidPolicyDocument", status: http.StatusBadRequest, message: "Invalid Policy: Invalid 'conditions' value."}
		}
		if list[0] == "content-length-range" {
			from, _ := list[1].(float64)
			to, _ := list[2].(float64)
			least, most = int64(from), int64(to)
			continue
		}
		name, _ := list[1].(string)
		want, _ := list[2].(string)
		name = strings.TrimPrefix(name, "$")
		got := fields.Get(name)
		if strings.EqualFold(name, "bucket") || list[0] == "starts-with" && strings.HasPrefix(got, want) || list[0] == "eq" && got == want {
			continue
		}
		return 0, 0, denied("Policy Condition failed: " + string(c))
	}
	return least, most, nil
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
