package s3api

import (
	"net/http"
)

// level is what the path of a request names.
type level uint8

const (
	service level = iota
	bucket
	object_
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
		{http.MethodGet, service, ""}: (*exchange).listBuckets,

		{http.MethodPut, bucket, ""}:         (*exchange).createBucket,
		{http.MethodHead, bucket, ""}:        (*exchange).headBucket,
		{http.MethodDelete, bucket, ""}:      (*exchange).deleteBucket,
		{http.MethodGet, bucket, ""}:         (*exchange).listObjects,
		{http.MethodPost, bucket, ""}:        (*exchange).postForm,
		{http.MethodPost, bucket, "delete"}:  (*exchange).deleteObjects,
		{http.MethodGet, bucket, "versions"}: (*exchange).listVersions,
		{http.MethodGet, bucket, "uploads"}:  (*exchange).listUploads,

		{http.MethodGet, bucket, "tagging"}:      (*exchange).getBucketTagging,
		{http.MethodPut, bucket, "tagging"}:      (*exchange).putBucketTagging,
		{http.MethodDelete, bucket, "tagging"}:   (*exchange).deleteBucketTagging,
		{http.MethodGet, bucket, "policy"}:       (*exchange).getPolicy,
		{http.MethodPut, bucket, "policy"}:       (*exchange).putPolicy,
		{http.MethodDelete, bucket, "policy"}:    (*exchange).deletePolicy,
		{http.MethodGet, bucket, "notification"}: (*exchange).getNotification,
		{http.MethodPut, bucket, "notification"}: (*exchange).putNotification,

		{http.MethodGet, object_, ""}:           (*exchange).getObject,
		{http.MethodHead, object_, ""}:          (*exchange).getObject,
		{http.MethodPut, object_, ""}:           (*exchange).putObject,
		{http.MethodDelete, object_, ""}:        (*exchange).deleteObject,
		{http.MethodGet, object_, "tagging"}:    (*exchange).getObjectTagging,
		{http.MethodPut, object_, "tagging"}:    (*exchange).putObjectTagging,
		{http.MethodDelete, object_, "tagging"}: (*exchange).deleteObjectTagging,

		{http.MethodPost, object_, "uploads"}:    (*exchange).createUpload,
		{http.MethodPut, object_, "uploadId"}:    (*exchange).uploadPart,
		{http.MethodGet, object_, "uploadId"}:    (*exchange).listParts,
		{http.MethodPost, object_, "uploadId"}:   (*exchange).completeUpload,
		{http.MethodDelete, object_, "uploadId"}: (*exchange).abortUpload,
	}
	for part, answer := range unsetParts {
		operations[route{http.MethodGet, bucket, part}] = answer
	}
}

// operation finds what a request asks for.
func (x *exchange) operation() (operation, error) {
	at := route{method: x.r.Method}
	switch {
	case x.key != "":
		at.level = object_
	case x.bucket != "":
		at.level = bucket
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
