package s3api

import "net/http"

// level is what the path of a request names.
type level uint8

const (
	atService level = iota
	atBucket
	atObject
)

// route finds an operation: by method, by what the path names, and by the parameter
// that names a part of it.
type route struct {
	method string
	level  level
	part   string
}

// parts are the parameters that make another operation of a request. A request with
// one of them is never taken for one without.
var parts = []string{
	"abac", "accelerate", "acl", "analytics", "annotation", "annotations", "attributes", "cors", "delete", "encryption", "encryptionConfiguration",
	"intelligent-tiering", "inventory", "legal-hold", "lifecycle", "location", "logging", "metadataConfiguration", "metadataInventoryTable", "metadataJournalTable",
	"metadataTable", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock",
	"renameObject", "replication", "requestPayment", "restore", "retention", "select", "session", "tagging", "torrent",
	"uploads", "uploadId", "versioning", "versions", "website",
}

type operation func(*exchange) error

var operations map[route]operation

func init() {
	operations = map[route]operation{
		{http.MethodGet, atService, ""}: (*exchange).listBuckets,

		{http.MethodPut, atBucket, ""}:         (*exchange).createBucket,
		{http.MethodHead, atBucket, ""}:        (*exchange).headBucket,
		{http.MethodDelete, atBucket, ""}:      (*exchange).deleteBucket,
		{http.MethodGet, atBucket, ""}:         (*exchange).listObjects,
		{http.MethodPost, atBucket, ""}:        (*exchange).postForm,
		{http.MethodPost, atBucket, "delete"}:  (*exchange).deleteObjects,
		{http.MethodGet, atBucket, "versions"}: (*exchange).listVersions,
		{http.MethodGet, atBucket, "uploads"}:  (*exchange).listUploads,

		{http.MethodGet, atBucket, "tagging"}:      (*exchange).getBucketTagging,
		{http.MethodPut, atBucket, "tagging"}:      (*exchange).putBucketTagging,
		{http.MethodDelete, atBucket, "tagging"}:   (*exchange).deleteBucketTagging,
		{http.MethodGet, atBucket, "policy"}:       (*exchange).getPolicy,
		{http.MethodPut, atBucket, "policy"}:       (*exchange).putPolicy,
		{http.MethodDelete, atBucket, "policy"}:    (*exchange).deletePolicy,
		{http.MethodGet, atBucket, "notification"}: (*exchange).getNotification,
		{http.MethodPut, atBucket, "notification"}: (*exchange).putNotification,

		{http.MethodPut, atBucket, "acl"}: (*exchange).putACL,
		{http.MethodGet, atObject, "acl"}: (*exchange).acl,
		{http.MethodPut, atObject, "acl"}: (*exchange).putACL,

		{http.MethodGet, atObject, ""}:           (*exchange).getObject,
		{http.MethodHead, atObject, ""}:          (*exchange).getObject,
		{http.MethodPut, atObject, ""}:           (*exchange).putObject,
		{http.MethodDelete, atObject, ""}:        (*exchange).deleteObject,
		{http.MethodGet, atObject, "attributes"}: (*exchange).getObjectAttributes,
		{http.MethodGet, atObject, "tagging"}:    (*exchange).getObjectTagging,
		{http.MethodPut, atObject, "tagging"}:    (*exchange).putObjectTagging,
		{http.MethodDelete, atObject, "tagging"}: (*exchange).deleteObjectTagging,

		{http.MethodPost, atObject, "uploads"}:    (*exchange).createUpload,
		{http.MethodPut, atObject, "uploadId"}:    (*exchange).uploadPart,
		{http.MethodGet, atObject, "uploadId"}:    (*exchange).listParts,
		{http.MethodPost, atObject, "uploadId"}:   (*exchange).completeUpload,
		{http.MethodDelete, atObject, "uploadId"}: (*exchange).abortUpload,
	}
	for part, answer := range unsetParts {
		operations[route{http.MethodGet, atBucket, part}] = answer
	}
}

// operation finds what a request asks for.
func (x *exchange) operation() (operation, error) {
	at := route{method: x.r.Method}
	switch {
	case x.key != "":
		at.level = atObject
	case x.bucket != "":
		at.level = atBucket
	}
	for _, part := range parts {
		if x.query.Has(part) {
			at.part = part
			break
		}
	}
	if op := operations[at]; op != nil {
		return op, nil
	}
	if at.part != "" {
		return nil, notImplemented(x.r.Method + " ?" + at.part)
	}
	return nil, &apiError{code: "MethodNotAllowed", status: http.StatusMethodNotAllowed, message: "The specified method is not allowed against this resource."}
}
