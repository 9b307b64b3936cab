package s3api

import (
	"encoding/xml"
	"net/http"
	"strings"
)

// bucketOwnerEnforced is the ownership of objects that the service gives a new bucket:
// the owner of the bucket owns all objects, and access control lists have no effect.
const bucketOwnerEnforced = "BucketOwnerEnforced"

// cannedACLs are the access control lists that have a name, and whether one gives
// nobody but the owner any right.
var cannedACLs = map[string]bool{
	"": true, "private": true, "bucket-owner-full-control": true,
	"public-read": false, "public-read-write": false, "authenticated-read": false, "aws-exec-read": false, "bucket-owner-read": false, "log-delivery-write": false,
}

var errNoACL = &apiError{code: "AccessControlListNotSupported", status: http.StatusBadRequest, message: "The bucket does not allow ACLs"}

// refuseACL refuses lists that give others rights.
func (x *exchange) refuseACL() error {
	name := x.r.Header.Get("X-Amz-Acl")
	own, known := cannedACLs[name]
	if !known {
		return invalidArgument("The canned ACL is not valid", "x-amz-acl", name)
	}
	for header := range x.r.Header {
		own = own && !strings.HasPrefix(header, "X-Amz-Grant-")
	}
	switch {
	case own:
		return nil
	case x.r.Method == http.MethodPut && x.key == "" && !x.query.Has("acl"):
		return &apiError{code: "InvalidBucketAclWithObjectOwnership", status: http.StatusBadRequest, message: "Bucket cannot have ACLs set with ObjectOwnership's " + bucketOwnerEnforced + " setting"}
	default:
		return errNoACL
	}
}

// exists fails if there is no such bucket or object.
func (x *exchange) exists() error {
	if x.key == "" {
		_, err := x.h.buckets.Bucket(x.r.Context(), x.bucket)
		return err
	}
	_, err := x.h.buckets.Head(x.r.Context(), x.bucket, x.key)
	return err
}

// acl serves GetBucketAcl and GetObjectAcl.
func (x *exchange) acl() error {
	if err := x.noVersion(); err != nil {
		return err
	}
	if err := x.exists(); err != nil {
		return err
	}
	type grantee struct {
		Space string `xml:"xmlns:xsi,attr"`
		Type  string `xml:"xsi:type,attr"`
		ID    string
	}
	type grant struct {
		Grantee    grantee
		Permission string
	}
	return x.document(struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccessControlPolicy"`
		Owner   owner
		Grants  []grant `xml:"AccessControlList>Grant"`
	}{Owner: x.owner(), Grants: []grant{{grantee{"http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser", x.owner().ID}, "FULL_CONTROL"}}})
}

// putACL serves PutBucketAcl and PutObjectAcl. A named list that gives others rights
// was refused before; one in a document is not read.
func (x *exchange) putACL() error {
	if err := x.exists(); err != nil {
		return err
	}
	if x.r.Header.Get("X-Amz-Acl") == "" || x.r.ContentLength != 0 {
		return errNoACL
	}
	return x.nothing(http.StatusOK)
}

func (x *exchange) ownership() error {
	if err := x.exists(); err != nil {
		return err
	}
	return x.document(struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ OwnershipControls"`
		Who     string   `xml:"Rule>ObjectOwnership"`
	}{Who: bucketOwnerEnforced})
}
