package s3api

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/weirstream/weir/internal/object"
)

// meta reads what a client says of an object.
func (x *exchange) meta() (object.Meta, error) {
	head := x.r.Header
	m := object.Meta{
		ContentType: head.Get("Content-Type"), ContentLanguage: head.Get("Content-Language"),
		ContentDisposition: head.Get("Content-Disposition"), CacheControl: head.Get("Cache-Control"), Expires: head.Get("Expires"),
		StorageClass: head.Get("X-Amz-Storage-Class"),
	}
	// aws-chunked is how the body travels, not what it is.
	var encodings []string
	for e := range strings.SplitSeq(head.Get("Content-Encoding"), ",") {
		if e = strings.TrimSpace(e); e != "" && e != "aws-chunked" {
			encodings = append(encodings, e)
		}
	}
	m.ContentEncoding = strings.Join(encodings, ", ")
	if given := head.Get("Content-Encoding"); !strings.Contains(given, "aws-chunked") {
		m.ContentEncoding = given
	}
	for name, values := range head {
		if rest, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); ok {
			if m.User == nil {
				m.User = map[string]string{}
			}
			m.User[rest] = userMetadata(strings.Join(values, ","))
		}
	}
	var err error
	m.Tags, err = headerTags(head.Get("X-Amz-Tagging"))
	return m, err
}

// headerTags reads tags in the form of a query.
func headerTags(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, invalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.", "x-amz-tagging", text)
	}
	tags := map[string]string{}
	for key, values := range form {
		if len(values) > 1 {
			return nil, invalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.", "x-amz-tagging", text)
		}
		tags[key] = values[0]
	}
	return tags, nil
}

// writeCondition reads the conditions of a write.
func (x *exchange) writeCondition() (object.Condition, error) {
	var c object.Condition
	switch none := x.r.Header.Get("If-None-Match"); none {
	case "":
	case "*":
		c.IfNoneMatch = true
	default:
		return c, notImplemented("If-None-Match with another value than *")
	}
	c.IfMatch = strings.Trim(x.r.Header.Get("If-Match"), `"`)
	return c, nil
}

func (x *exchange) putObject() error {
	if x.query.Has("partNumber") {
		return invalidArgument("This operation does not accept a query-string part number without an upload ID.", "partNumber", x.query.Get("partNumber"))
	}
	if x.r.Header.Get("X-Amz-Copy-Source") != "" {
		return x.copyObject()
	}
	m, err := x.meta()
	if err != nil {
		return err
	}
	c, err := x.writeCondition()
	if err != nil {
		return err
	}
	body, want, err := x.payload()
	if err != nil {
		return err
	}
	o, err := x.h.buckets.Write(x.r.Context(), object.Put{
		Bucket: x.bucket, Key: x.key, Body: body, Meta: m, Expected: want, Condition: c, Origin: x.origin(),
	})
	if err != nil {
		return err
	}
	x.w.Header().Set("Etag", `"`+o.ETag+`"`)
	x.checksumHeaders(o.Checksum)
	return x.nothing(http.StatusOK)
}

// source opens the object that a copy is of, if its conditions hold. Clients write
// a space in its name as "%20" or, as in forms, "+".
func (x *exchange) source() (*object.Content, error) {
	text := x.r.Header.Get("X-Amz-Copy-Source")
	path, rawQuery, _ := strings.Cut(text, "?")
	path, err := url.QueryUnescape(path)
	bucket, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if err == nil && !ok {
		return nil, invalidArgument("Invalid copy source object key", "x-amz-copy-source", "x-amz-copy-source")
	}
	if err != nil || bucket == "" || key == "" {
		return nil, invalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source", text)
	}
	if version, found := strings.CutPrefix(rawQuery, "versionId="); found && version != "null" {
		return nil, &apiError{code: "NoSuchVersion", status: http.StatusNotFound, message: "The specified version does not exist."}
	}
	c, err := x.h.buckets.Get(x.r.Context(), bucket, key)
	if err != nil {
		return nil, err
	}
	conditions := http.Header{}
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		conditions.Set(name, x.r.Header.Get("X-Amz-Copy-Source-"+name))
	}
	if err := readCondition(conditions, c.Object); err != nil {
		if errors.Is(err, errNotModified) {
			err = &apiError{code: "PreconditionFailed", status: http.StatusPreconditionFailed, message: "At least one of the pre-conditions you specified did not hold"}
		}
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (x *exchange) copyObject() error {
	m, err := x.meta()
	if err != nil {
		return err
	}
	condition, err := x.writeCondition()
	if err != nil {
		return err
	}
	c := object.Copy{
		Bucket: x.bucket, Key: x.key, Condition: condition, Origin: x.origin(),
		Algorithm: object.Algorithm(strings.ToUpper(x.r.Header.Get("X-Amz-Checksum-Algorithm"))),
	}
	if err := x.directives(&c, m); err != nil {
		return err
	}
	if c.Source, err = x.source(); err != nil {
		return err
	}
	defer c.Source.Close()
	if c.Meta == nil && c.Tags == nil && m.StorageClass == "" && x.isSource() {
		return invalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	if c.Meta == nil {
		kept := c.Source.Object.Meta
		kept.StorageClass = m.StorageClass
		c.Meta = &kept
	}
	o, err := x.h.buckets.Copy(x.r.Context(), c)
	if err != nil {
		return err
	}
	return x.document(struct {
		XMLName      xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyObjectResult"`
		LastModified string
		ETag         string
		checksums
	}{LastModified: timestamp(o.Modified), ETag: `"` + o.ETag + `"`, checksums: checksumsOf(o.Checksum)})
}

// directives reads what of a copy is as in the request instead of as in the source.
func (x *exchange) directives(c *object.Copy, m object.Meta) error {
	switch d := x.r.Header.Get("X-Amz-Metadata-Directive"); d {
	case "", "COPY":
	case "REPLACE":
		c.Meta = &m
	default:
		return invalidArgument("Unknown metadata directive.", "x-amz-metadata-directive", d)
	}
	switch d := x.r.Header.Get("X-Amz-Tagging-Directive"); d {
	case "", "COPY":
	case "REPLACE":
		c.Tags = &m.Tags
	default:
		return invalidArgument("Unknown tagging directive.", "x-amz-tagging-directive", d)
	}
	return nil
}

// isSource reports whether a copy is of the object itself.
func (x *exchange) isSource() bool {
	path, _, _ := strings.Cut(x.r.Header.Get("X-Amz-Copy-Source"), "?")
	path, err := url.PathUnescape(path)
	return err == nil && strings.TrimPrefix(path, "/") == x.bucket+"/"+x.key
}

func (x *exchange) deleteObject() error {
	if err := x.noVersion(); err != nil {
		return err
	}
	c, err := x.writeCondition()
	if err != nil {
		return err
	}
	if c.IfMatch != "" {
		err = x.h.buckets.DeleteIf(x.r.Context(), x.bucket, x.key, c, x.origin())
	} else {
		err = x.h.buckets.Delete(x.r.Context(), x.bucket, []string{x.key}, x.origin())
	}
	if err != nil {
		return err
	}
	return x.nothing(http.StatusNoContent)
}

func (x *exchange) deleteObjects() error {
	var in struct {
		Quiet   bool
		Objects []struct {
			Key       string
			VersionId string
			ETag      string
		} `xml:"Object"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if len(in.Objects) == 0 || len(in.Objects) > object.MaxKeys {
		return malformedXML(nil)
	}
	type deleted struct {
		Key       string
		VersionId string `xml:",omitempty"`
	}
	type failed struct{ Key, VersionId, Code, Message string }
	out := struct {
		XMLName xml.Name  `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
		Deleted []deleted `xml:"Deleted"`
		Failed  []failed  `xml:"Error"`
	}{}
	var keys []string
	for _, o := range in.Objects {
		switch {
		case o.VersionId != "" && o.VersionId != "null":
			out.Failed = append(out.Failed, failed{o.Key, o.VersionId, "NoSuchVersion", "The specified version does not exist."})
		case o.ETag != "":
			out.Failed = append(out.Failed, failed{o.Key, o.VersionId, "NotImplemented", "Deleting several objects on conditions is not implemented by Weir"})
		default:
			keys = append(keys, o.Key)
			if !in.Quiet {
				out.Deleted = append(out.Deleted, deleted{o.Key, o.VersionId})
			}
		}
	}
	if err := x.h.buckets.Delete(x.r.Context(), x.bucket, keys, x.origin()); err != nil {
		return err
	}
	return x.document(out)
}

// checksums are the members of documents that carry a checksum.
type checksums struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

func checksumsOf(sum *object.Checksum) checksums {
	var c checksums
	if sum == nil {
		return c
	}
	*c.of(sum.Algorithm) = sum.Value
	c.ChecksumType = string(sum.Type)
	return c
}

// of returns the member of an algorithm.
func (c *checksums) of(a object.Algorithm) *string {
	switch a {
	case object.CRC32:
		return &c.ChecksumCRC32
	case object.CRC32C:
		return &c.ChecksumCRC32C
	case object.CRC64NVME:
		return &c.ChecksumCRC64NVME
	case object.SHA1:
		return &c.ChecksumSHA1
	default:
		return &c.ChecksumSHA256
	}
}
