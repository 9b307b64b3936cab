package s3api

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/object"
)

const (
	namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
	// maxDocument bounds the documents of requests: 10,000 parts with checksums.
	maxDocument = 4 << 20
)

// timestamp is a time as documents have it: to the second, and yet with milliseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") + ".000Z" }

type owner struct {
	ID          string
	DisplayName string `xml:",omitempty"`
}

func (x *exchange) owner() owner { return owner{ID: x.h.buckets.Account()} }

// decode reads the document of a request. An empty one is left as it is.
func (x *exchange) decode(v any) error {
	doc, err := x.readDocument()
	if err != nil || len(doc) == 0 {
		return err
	}
	if err := xml.Unmarshal(doc, v); err != nil {
		return malformedXML(err)
	}
	return nil
}

// readDocument reads the document of a request, and compares it with what the client
// says of it.
func (x *exchange) readDocument() ([]byte, error) {
	body, want, err := x.payload()
	if err != nil {
		return nil, err
	}
	doc, err := io.ReadAll(io.LimitReader(body, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(doc) > maxDocument {
		return nil, &apiError{code: "MaxMessageLengthExceeded", status: http.StatusBadRequest, message: "Your request was too large."}
	}
	return doc, want.Verify(doc)
}

func (x *exchange) listBuckets() error {
	type entry struct {
		Name         string
		CreationDate string
		BucketRegion string
	}
	out := struct {
		XMLName           xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
		Owner             owner
		Buckets           []entry `xml:"Buckets>Bucket"`
		Prefix            string  `xml:",omitempty"`
		ContinuationToken string  `xml:",omitempty"`
	}{Owner: x.owner(), Prefix: x.query.Get("prefix")}
	limit, err := x.number("max-buckets", 10_000, 1, 10_000)
	if err != nil {
		return err
	}
	for _, b := range x.h.buckets.Buckets() {
		if b.Name <= x.query.Get("continuation-token") || !strings.HasPrefix(b.Name, out.Prefix) {
			continue
		}
		if len(out.Buckets) == limit {
			out.ContinuationToken = out.Buckets[limit-1].Name
			break
		}
		out.Buckets = append(out.Buckets, entry{b.Name, timestamp(b.Created), x.regionOf(b)})
	}
	return x.document(out)
}

func (x *exchange) regionOf(b object.Bucket) string {
	if b.Location != "" {
		return b.Location
	}
	return x.h.buckets.Region()
}

// regionName is what a location constraint may be in the first region, but for "EU"
// and but for that region, which is where buckets without one are.
var regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)

func (x *exchange) createBucket() error {
	var in struct {
		LocationConstraint string
		Bucket             *struct{ Type string }
		Location           *struct{ Type string }
		Tags               []tag `xml:"Tags>Tag"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return err
	}
	if err := x.checkOwnership(); err != nil {
		return err
	}
	switch at := in.LocationConstraint; {
	case in.Bucket != nil || in.Location != nil:
		return notImplemented("A directory bucket")
	case x.r.Header.Get("X-Amz-Bucket-Object-Lock-Enabled") == "true":
		return notImplemented("Object lock")
	case cmp.Or(x.region, x.h.buckets.Region()) == "us-east-1" && (at == "us-east-1" || at != "" && at != "EU" && !regionName.MatchString(at)):
		e := &apiError{code: "InvalidLocationConstraint", status: http.StatusBadRequest, message: "The specified location-constraint is not valid"}
		e.detail("LocationConstraint", at)
		return e
	case at != "" && at != x.region && at != x.h.buckets.Region():
		return &apiError{code: "IllegalLocationConstraintException", status: http.StatusBadRequest, message: "The " + at + " location constraint is incompatible for the region specific endpoint this request was sent to."}
	}
	err = x.h.buckets.CreateBucket(x.r.Context(), x.bucket, in.LocationConstraint, tags)
	// In its first region the service creates a bucket again without a word.
	if again := (&object.Error{Code: object.BucketExists}); errors.Is(err, again) && x.h.buckets.Region() == "us-east-1" && in.LocationConstraint == "" {
		err = nil
	}
	if err != nil {
		return err
	}
	x.w.Header().Set("Location", "/"+x.bucket)
	return x.nothing(http.StatusOK)
}

// checkOwnership judges who is to own the objects of a new bucket.
func (x *exchange) checkOwnership() error {
	switch who := x.r.Header.Get("X-Amz-Object-Ownership"); who {
	case "", bucketOwnerEnforced:
		return nil
	case "BucketOwnerPreferred", "ObjectWriter":
		return notImplemented("The object ownership " + who)
	default:
		return invalidArgument("Invalid x-amz-object-ownership header: "+who, "x-amz-object-ownership", who)
	}
}

func (x *exchange) headBucket() error {
	b, err := x.h.buckets.Bucket(x.r.Context(), x.bucket)
	if err != nil {
		return err
	}
	x.w.Header().Set("X-Amz-Bucket-Region", x.regionOf(b))
	return x.nothing(http.StatusOK)
}

func (x *exchange) deleteBucket() error {
	if err := x.h.buckets.DeleteBucket(x.r.Context(), x.bucket); err != nil {
		return err
	}
	return x.nothing(http.StatusNoContent)
}

// unsetParts are the parts of a bucket that cannot be set here, answered as the
// service does for a bucket that has none.
var unsetParts = map[string]operation{
	"location":          (*exchange).location,
	"acl":               (*exchange).acl,
	"versioning":        empty("VersioningConfiguration"),
	"accelerate":        empty("AccelerateConfiguration"),
	"logging":           empty("BucketLoggingStatus"),
	"requestPayment":    (*exchange).requestPayment,
	"cors":              absent("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
	"lifecycle":         absent("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
	"encryption":        absent("ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found"),
	"publicAccessBlock": absent("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"),
	"ownershipControls": (*exchange).ownership,
	"website":           absent("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
	"replication":       absent("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
	"object-lock":       absent("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"),
	"policyStatus":      (*exchange).policyStatus,
}

// empty answers with an element that has nothing in it.
func empty(name string) operation {
	return func(x *exchange) error {
		if _, err := x.h.buckets.Bucket(x.r.Context(), x.bucket); err != nil {
			return err
		}
		return x.document(struct{ XMLName xml.Name }{xml.Name{Space: namespace, Local: name}})
	}
}

// absent answers that a bucket has no such configuration.
func absent(code, message string) operation {
	return func(x *exchange) error {
		if _, err := x.h.buckets.Bucket(x.r.Context(), x.bucket); err != nil {
			return err
		}
		e := &apiError{code: code, status: http.StatusNotFound, message: message}
		e.detail("BucketName", x.bucket)
		return e
	}
}

func (x *exchange) location() error {
	b, err := x.h.buckets.Bucket(x.r.Context(), x.bucket)
	if err != nil {
		return err
	}
	place := x.regionOf(b)
	if place == "us-east-1" {
		place = ""
	}
	return x.document(struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
		Text    string   `xml:",chardata"`
	}{Text: place})
}

func (x *exchange) requestPayment() error {
	if _, err := x.h.buckets.Bucket(x.r.Context(), x.bucket); err != nil {
		return err
	}
	return x.document(struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ RequestPaymentConfiguration"`
		Payer   string
	}{Payer: "BucketOwner"})
}

var noPolicy = absent("NoSuchBucketPolicy", "The bucket policy does not exist")

// policyStatus cannot tell whether a policy lets everybody in.
func (x *exchange) policyStatus() error {
	b, err := x.h.buckets.Bucket(x.r.Context(), x.bucket)
	if err != nil {
		return err
	}
	if b.Policy != "" {
		return notImplemented("The status of a policy")
	}
	return noPolicy(x)
}

func (x *exchange) getPolicy() error {
	b, err := x.h.buckets.Bucket(x.r.Context(), x.bucket)
	if err != nil {
		return err
	}
	if b.Policy == "" {
		return noPolicy(x)
	}
	x.send(http.StatusOK, "application/json", []byte(b.Policy))
	return nil
}

func (x *exchange) putPolicy() error {
	policy, err := x.readDocument()
	if err != nil {
		return err
	}
	if len(policy) == 0 || policy[0] != '{' || !json.Valid(policy) {
		return &apiError{code: "MalformedPolicy", status: http.StatusBadRequest, message: "Policies must be valid JSON and the first byte must be '{'"}
	}
	if err := x.h.buckets.SetPolicy(x.r.Context(), x.bucket, string(policy)); err != nil {
		return err
	}
	return x.nothing(http.StatusNoContent)
}

func (x *exchange) deletePolicy() error {
	if err := x.h.buckets.SetPolicy(x.r.Context(), x.bucket, ""); err != nil {
		return err
	}
	return x.nothing(http.StatusNoContent)
}

func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }
