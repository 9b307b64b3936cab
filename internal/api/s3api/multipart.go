package s3api

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/weirstream/weir/internal/object"
)

const maxList = 1000

func (x *exchange) createUpload() error {
	m, err := x.meta()
	if err != nil {
		return err
	}
	u, err := x.h.buckets.StartUpload(x.r.Context(), object.Upload{
		Bucket: x.bucket, Key: x.key, Meta: m,
		Algorithm: object.Algorithm(strings.ToUpper(x.r.Header.Get("X-Amz-Checksum-Algorithm"))),
		Type:      object.ChecksumType(strings.ToUpper(x.r.Header.Get("X-Amz-Checksum-Type"))),
	})
	if err != nil {
		return err
	}
	if u.Algorithm != "" {
		x.w.Header().Set("X-Amz-Checksum-Algorithm", string(u.Algorithm))
		x.w.Header().Set("X-Amz-Checksum-Type", string(u.Type))
	}
	return x.document(struct {
		XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
		Bucket   string
		Key      string
		UploadId string
	}{Bucket: x.bucket, Key: x.key, UploadId: u.ID.String()})
}

func (x *exchange) upload() (object.Upload, error) {
	return x.h.buckets.Upload(x.r.Context(), x.bucket, x.key, x.query.Get("uploadId"))
}

func (x *exchange) uploadPart() error {
	number, err := strconv.Atoi(x.query.Get("partNumber"))
	if err != nil || number < 1 || number > 10_000 {
		return invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", x.query.Get("partNumber"))
	}
	u, err := x.upload()
	if err != nil {
		return err
	}
	if x.r.Header.Get("X-Amz-Copy-Source") != "" {
		return x.copyPart(u, number)
	}
	body, want, err := x.payload()
	if err != nil {
		return err
	}
	if u.Type == object.Composite && want.Algorithm == "" {
		return invalidRequest("Checksum Type mismatch occurred, expected checksum Type: " + strings.ToLower(string(u.Algorithm)) + ", actual checksum Type: null")
	}
	p, err := x.h.buckets.WritePart(x.r.Context(), u, number, body, want)
	if err != nil {
		return err
	}
	x.w.Header().Set("Etag", `"`+p.ETag+`"`)
	if p.Checksum != "" {
		x.w.Header().Set(checksumHeader(p.Algorithm), p.Checksum)
	}
	return x.nothing(http.StatusOK)
}

func (x *exchange) copyPart(u object.Upload, number int) error {
	c, err := x.source()
	if err != nil {
		return err
	}
	defer c.Close()
	first, length := int64(0), c.Object.Size
	if text := x.r.Header.Get("X-Amz-Copy-Source-Range"); text != "" {
		from, last, ok := parseRange(text, c.Object.Size)
		_, after, _ := strings.Cut(text, "-")
		if ok && from >= c.Object.Size && last == c.Object.Size-1 && !strings.HasPrefix(text, "bytes=-") && after != "" {
			return invalidRequest("The specified copy range is invalid for the source object size")
		}
		if asked, err := strconv.ParseInt(after, 10, 64); !ok || err != nil || asked >= c.Object.Size || strings.HasPrefix(text, "bytes=-") {
			why := "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
			if ok && err == nil {
				why = fmt.Sprintf("Range specified is not valid for source object of size: %d", c.Object.Size)
			}
			return invalidArgument(why, "x-amz-copy-source-range", text)
		}
		first, length = from, last-from+1
	}
	body := c.Range(first, length)
	defer body.Close()
	p, err := x.h.buckets.WritePart(x.r.Context(), u, number, body, object.Expected{Size: length})
	if err != nil {
		return err
	}
	out := struct {
		XMLName      xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyPartResult"`
		LastModified string
		ETag         string
		checksums
	}{LastModified: timestamp(p.Modified), ETag: `"` + p.ETag + `"`}
	if p.Checksum != "" {
		*out.of(p.Algorithm) = p.Checksum
	}
	return x.document(out)
}

// completion is the document that completes an upload.
type completion struct {
	Parts []struct {
		PartNumber *int
		ETag       *string
		checksums
	} `xml:"Part"`
}

// parts are those to use, with their checksums: of the upload's algorithm, or if they
// have none of it, of another one.
func (c completion) parts(a object.Algorithm) ([]object.Part, error) {
	var parts []object.Part
	for _, p := range c.Parts {
		if p.PartNumber == nil || p.ETag == nil {
			return nil, malformedXML(nil)
		}
		part := object.Part{Number: *p.PartNumber, ETag: strings.Trim(*p.ETag, `"`)}
		for _, other := range algorithms {
			if value := *p.of(other); value != "" && (part.Checksum == "" || other == a) {
				part.Algorithm, part.Checksum = other, value
			}
		}
		parts = append(parts, part)
	}
	return parts, nil
}

func (x *exchange) completeUpload() error {
	var in completion
	if x.r.ContentLength == 0 {
		return invalidRequest("You must specify at least one part")
	}
	sum, err := x.takeChecksum()
	if err != nil {
		return err
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	condition, err := x.writeCondition()
	if err != nil {
		return err
	}
	size, err := x.expectedSize()
	if err != nil {
		return err
	}
	c := object.Completion{Type: sum.Type, Size: size, Condition: condition, Origin: x.origin()}
	var o object.Object
	if c.Upload, err = x.upload(); err == nil {
		if c.Upload.Algorithm != "" {
			c.Algorithm, c.Checksum = sum.Algorithm, sum.Value
		}
		if c.Parts, err = in.parts(c.Upload.Algorithm); err != nil {
			return err
		}
		o, err = x.h.buckets.CompleteUpload(x.r.Context(), c)
	}
	if errors.Is(err, &object.Error{Code: object.NoSuchUpload}) {
		o, err = x.h.buckets.Completed(x.r.Context(), x.bucket, x.key, x.query.Get("uploadId"))
	}
	if err != nil {
		return err
	}
	return x.completed(o)
}

// expectedSize reads what the size of the object is to be, nil if nothing is said.
func (x *exchange) expectedSize() (*int64, error) {
	text := x.r.Header.Get("X-Amz-Mp-Object-Size")
	if text == "" {
		return nil, nil
	}
	size, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return nil, invalidRequest("Value for x-amz-mp-object-size header is invalid: '" + text + "'")
	case size < 0:
		return nil, invalidRequest("Value for x-amz-mp-object-size header is less than zero: '" + text + "'")
	}
	return &size, nil
}

// takeChecksum takes the checksum out of the header of a request that completes an
// upload: it is that of the object, with the number of parts after it if it is one
// of checksums, and not of the request's body.
func (x *exchange) takeChecksum() (sum object.Checksum, err error) {
	for _, a := range algorithms {
		if value := x.r.Header.Get(checksumHeader(a)); value != "" {
			if sum.Value != "" {
				return object.Checksum{}, errSeveralChecksums
			}
			sum = object.Checksum{Algorithm: a, Value: value}
			x.r.Header.Del(checksumHeader(a))
		}
	}
	if digest, _, _ := strings.Cut(sum.Value, "-"); digest != "" {
		if err := checkDigest(sum.Algorithm, checksumHeader(sum.Algorithm), digest); err != nil {
			return object.Checksum{}, err
		}
	}
	if sum.Type, err = checksumType(x.r.Header); err != nil {
		return object.Checksum{}, err
	}
	return sum, nil
}

// checksumType reads what kind of checksum a client asks for, "" if it says nothing.
func checksumType(head http.Header) (object.ChecksumType, error) {
	switch t := object.ChecksumType(strings.ToUpper(head.Get("X-Amz-Checksum-Type"))); t {
	case "", object.Composite, object.FullObject:
		return t, nil
	default:
		return "", invalidRequest("Value for x-amz-checksum-type header is invalid.")
	}
}

func (x *exchange) completed(o object.Object) error {
	return x.document(struct {
		XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
		Location string
		Bucket   string
		Key      string
		ETag     string
		checksums
	}{Location: "http://" + x.r.Host + x.r.URL.EscapedPath(), Bucket: x.bucket, Key: x.key, ETag: `"` + o.ETag + `"`, checksums: checksumsOf(o.Checksum)})
}

func (x *exchange) abortUpload() error {
	u, err := x.upload()
	if err == nil {
		err = x.h.buckets.AbortUpload(x.r.Context(), u)
	}
	if err != nil {
		return err
	}
	return x.nothing(http.StatusNoContent)
}

func (x *exchange) listParts() error {
	u, err := x.upload()
	if err != nil {
		return err
	}
	limit, err := x.number("max-parts", maxList, 0, maxList)
	if err != nil {
		return err
	}
	after, err := x.number("part-number-marker", 0, 0, 10_000)
	if err != nil {
		return err
	}
	parts, more, err := x.h.buckets.Parts(x.r.Context(), u, after, limit)
	if err != nil {
		return err
	}
	type entry struct {
		PartNumber   int
		LastModified string
		ETag         string
		Size         int64
		checksums
	}
	out := struct {
		XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
		Bucket               string
		Key                  string
		UploadId             string
		PartNumberMarker     int
		NextPartNumberMarker int
		MaxParts             int
		IsTruncated          bool
		Parts                []entry `xml:"Part"`
		Initiator            owner
		Owner                owner
		StorageClass         string
		ChecksumAlgorithm    string `xml:",omitempty"`
		ChecksumType         string `xml:",omitempty"`
	}{
		Bucket: x.bucket, Key: x.key, UploadId: u.ID.String(), PartNumberMarker: after, NextPartNumberMarker: after, MaxParts: limit, IsTruncated: more,
		Initiator: x.owner(), Owner: x.owner(), StorageClass: classOf(u.Meta), ChecksumAlgorithm: string(u.Algorithm), ChecksumType: string(u.Type),
	}
	for _, p := range parts {
		e := entry{PartNumber: p.Number, LastModified: timestamp(p.Modified), ETag: `"` + p.ETag + `"`, Size: p.Size}
		if p.Checksum != "" {
			*e.of(p.Algorithm) = p.Checksum
		}
		out.Parts = append(out.Parts, e)
		out.NextPartNumberMarker = p.Number
	}
	return x.document(out)
}

func (x *exchange) listUploads() error {
	encode, err := x.encoder()
	if err != nil {
		return err
	}
	if x.query.Get("delimiter") != "" {
		return notImplemented("A delimiter of uploads")
	}
	limit, err := x.number("max-uploads", maxList, 1, maxList)
	if err != nil {
		return err
	}
	prefix, afterKey, afterID := x.query.Get("prefix"), x.query.Get("key-marker"), x.query.Get("upload-id-marker")
	if afterKey == "" {
		afterID = "" // it means nothing without a key
	}
	uploads, more, err := x.h.buckets.Uploads(x.r.Context(), x.bucket, prefix, afterKey, afterID, limit)
	if err != nil {
		return err
	}
	type entry struct {
		Key               string
		UploadId          string
		Initiator         owner
		Owner             owner
		StorageClass      string
		Initiated         string
		ChecksumAlgorithm string `xml:",omitempty"`
		ChecksumType      string `xml:",omitempty"`
	}
	out := struct {
		XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
		Bucket             string
		KeyMarker          string
		UploadIdMarker     string
		NextKeyMarker      string
		NextUploadIdMarker string
		Prefix             string `xml:",omitempty"`
		EncodingType       string `xml:",omitempty"`
		MaxUploads         int
		IsTruncated        bool
		Uploads            []entry `xml:"Upload"`
	}{
		Bucket: x.bucket, KeyMarker: encode(afterKey), UploadIdMarker: afterID, Prefix: encode(prefix), EncodingType: x.query.Get("encoding-type"),
		MaxUploads: limit, IsTruncated: more,
	}
	for _, u := range uploads {
		out.Uploads = append(out.Uploads, entry{
			Key: encode(u.Key), UploadId: u.ID.String(), Initiator: x.owner(), Owner: x.owner(), StorageClass: classOf(u.Meta),
			Initiated: timestamp(u.Initiated), ChecksumAlgorithm: string(u.Algorithm), ChecksumType: string(u.Type),
		})
		out.NextKeyMarker, out.NextUploadIdMarker = encode(u.Key), u.ID.String()
	}
	return x.document(out)
}
