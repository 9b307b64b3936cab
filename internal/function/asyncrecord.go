package function

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/catalog"
)

// Bounds of what a target takes.
const (
	maxTopicBytes  = 262144
	maxQueueBytes  = 1048576
	maxErrorLength = 1024 // of a message in a dead-letter attribute
)

// eventRecord is what a destination is told of an asynchronous invocation.
type eventRecord struct {
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	RequestContext  requestContext   `json:"requestContext"`
	RequestPayload  json.RawMessage  `json:"requestPayload,omitempty"`
	ResponseContext *responseContext `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage  `json:"responsePayload,omitempty"`
}

type requestContext struct {
	RequestID   string    `json:"requestId"`
	FunctionARN string    `json:"functionArn"`
	Condition   condition `json:"condition"`
	InvokeCount int       `json:"approximateInvokeCount"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

// outgoing is a delivery with its document.
type outgoing struct {
	event asyncEvent
	body  []byte
}

// report returns what is to be delivered because an event has ended.
func (q *asyncQueue) report(ev asyncEvent, payload []byte, end ending) ([]outgoing, error) {
	var out []outgoing
	add := func(d delivery, body []byte) {
		out = append(out, outgoing{body: body, event: asyncEvent{
			Function: ev.Function, RequestID: ev.RequestID, Received: time.Now(), Bytes: len(body), Delivery: &d,
		}})
	}
	def, err := q.f.Get(ev.reference())
	if err == nil && def.DeadLetterARN != "" && end.condition != succeeded {
		add(delivery{Target: def.DeadLetterARN, DeadLetter: true, Attributes: deadLetterAttributes(ev, end)}, payload)
	}
	config := q.config(ev)
	target := config.Destinations.OnFailure
	if end.condition == succeeded {
		target = config.Destinations.OnSuccess
	}
	if err != nil || target == "" {
		return out, nil // of a function that is gone nothing is known
	}
	now := time.Now().UTC()
	body, err := q.record(ev, payload, end, now, target)
	if err != nil {
		return nil, err
	}
	add(delivery{Target: target, Key: objectKey(ev.Function, now)}, body)
	return out, nil
}

// record is the document for a destination. The payloads are left out when the
// target would refuse it with them.
func (q *asyncQueue) record(ev asyncEvent, payload []byte, end ending, now time.Time, target string) ([]byte, error) {
	r := eventRecord{
		Version:   "1.0",
		Timestamp: now.Format("2006-01-02T15:04:05.000Z"),
		RequestContext: requestContext{
			RequestID: ev.RequestID, Condition: end.condition, InvokeCount: ev.Attempts,
			FunctionARN: ARN(q.f.identity, ev.Function, q.config(ev).Qualifier),
		},
		RequestPayload: payload,
	}
	if end.result != nil {
		r.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: end.result.ExecutedVersion, FunctionError: end.result.FunctionError}
		r.ResponsePayload = document(end.result.Payload)
	}
	body, err := compact(r)
	if err == nil && len(body) > sizeLimit(target) {
		r.RequestPayload, r.ResponsePayload = nil, nil
		body, err = compact(r)
	}
	return body, err
}

// compact encodes a record as it is, without escapes for HTML.
func compact(r eventRecord) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(r)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// document returns what a function answered as a member of a JSON document: one
// that answers something else appears as a string.
func document(payload []byte) json.RawMessage {
	if json.Valid(payload) {
		return payload
	}
	return mustJSON(string(payload))
}

func sizeLimit(target string) int {
	arn, err := catalog.ParseARN(target)
	if err != nil {
		return maxQueueBytes
	}
	switch arn.Service {
	case "sns":
		return maxTopicBytes
	case "sqs":
		return maxQueueBytes
	case "lambda":
		return MaxAsyncPayloadBytes
	}
	return 2*MaxPayloadBytes + maxQueueBytes // more than there can be
}

// objectKey is the name of a record in a bucket.
func objectKey(function string, now time.Time) string {
	return "aws/lambda/async/" + function + now.Format("/2006/01/02/2006-01-02T15.04.05-") + uuid.NewString()
}

// deadLetterAttributes tell why an event went to the dead letters.
func deadLetterAttributes(ev asyncEvent, end ending) map[string]string {
	status, text := 200, ""
	if end.result != nil {
		var doc struct{ ErrorMessage string }
		if json.Unmarshal(end.result.Payload, &doc) == nil {
			text = doc.ErrorMessage
		}
	} else if end.err != nil {
		status, text = 500, end.err.Error()
		if errors.Is(end.err, ErrThrottled) {
			status = 429
		}
	}
	attributes := map[string]string{"RequestID": ev.RequestID, "ErrorCode": strconv.Itoa(status)}
	if text = cut(text, maxErrorLength); text != "" {
		attributes["ErrorMessage"] = text
	}
	return attributes
}

// cut returns at most n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
