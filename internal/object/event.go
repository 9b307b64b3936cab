package object

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// timeLayout is how events tell time.
const timeLayout = "2006-01-02T15:04:05.000Z"

// event is one change for one destination.
type event struct {
	region, account, bucket, rule string
	kind                          Kind
	object                        Object
	sequencer                     uint64
	origin                        Origin
}

type eventIdentity struct {
	PrincipalID string `json:"principalId"`
}

type eventBucket struct {
	Name  string        `json:"name"`
	Owner eventIdentity `json:"ownerIdentity"`
	ARN   string        `json:"arn"`
}

type eventObject struct {
	Key       string `json:"key"`
	Size      *int64 `json:"size,omitempty"`
	ETag      string `json:"eTag,omitempty"`
	Sequencer string `json:"sequencer,omitempty"`
}

type eventRecord struct {
	Version  string        `json:"eventVersion"`
	Source   string        `json:"eventSource"`
	Region   string        `json:"awsRegion"`
	Time     string        `json:"eventTime"`
	Name     string        `json:"eventName"`
	Identity eventIdentity `json:"userIdentity"`
	Request  struct {
		SourceIP string `json:"sourceIPAddress"`
	} `json:"requestParameters"`
	Response struct {
		RequestID string `json:"x-amz-request-id"`
		HostID    string `json:"x-amz-id-2"`
	} `json:"responseElements"`
	S3 struct {
		SchemaVersion string      `json:"s3SchemaVersion"`
		Rule          string      `json:"configurationId"`
		Bucket        eventBucket `json:"bucket"`
		Object        eventObject `json:"object"`
	} `json:"s3"`
}

// document is the event as destinations get it.
func (e event) document() []byte {
	when := e.object.Modified
	if e.kind == RemovedDelete || e.kind == TaggingPut || e.kind == TaggingDelete {
		when = now()
	}
	r := eventRecord{Version: "2.1", Source: "aws:s3", Region: e.region, Time: when.Format(timeLayout), Name: string(e.kind)}
	r.Identity.PrincipalID = "AWS:" + or(e.origin.Principal, e.account)
	r.Request.SourceIP = or(e.origin.SourceIP, "127.0.0.1")
	r.Response.RequestID, r.Response.HostID = e.origin.RequestID, e.origin.HostID
	r.S3.SchemaVersion, r.S3.Rule = "1.0", e.rule
	r.S3.Bucket = eventBucket{Name: e.bucket, Owner: eventIdentity{e.account}, ARN: "arn:aws:s3:::" + e.bucket}
	r.S3.Object = eventObject{Key: eventKey(e.object.Key), ETag: e.object.ETag, Sequencer: fmt.Sprintf("%018X", e.sequencer)}
	switch e.kind {
	case RemovedDelete:
	case TaggingPut, TaggingDelete:
		r.Version, r.S3.Object.Sequencer = "2.3", ""
	default:
		r.S3.Object.Size = &e.object.Size
	}
	return encode(map[string][]eventRecord{"Records": {r}})
}

// testEvent is what queues and topics get when they become destinations.
func testEvent(bucket string, origin Origin) []byte {
	return encode(struct {
		Service   string
		Event     string
		Time      string
		Bucket    string
		RequestID string `json:"RequestId"`
		HostID    string `json:"HostId"`
	}{"Amazon S3", "s3:TestEvent", time.Now().UTC().Format(timeLayout), bucket, origin.RequestID, origin.HostID})
}

// encode writes plain structs of texts and numbers, which always have a JSON form.
func encode(v any) []byte {
	doc, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return doc
}

// eventKey is a key as in a form, but for slashes.
func eventKey(key string) string {
	return strings.NewReplacer("%2F", "/", "%2A", "*").Replace(url.QueryEscape(key))
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
