package queue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// eventRecord is a message in the event of a function, members in the order of
// Lambda.
type eventRecord struct {
	MessageID     string                    `json:"messageId"`
	ReceiptHandle string                    `json:"receiptHandle"`
	Body          string                    `json:"body"`
	System        eventSystem               `json:"attributes"`
	Attributes    map[string]eventAttribute `json:"messageAttributes"`
	AttributesMD5 json.RawMessage           `json:"md5OfMessageAttributes,omitempty"`
	BodyMD5       string                    `json:"md5OfBody"`
	Source        string                    `json:"eventSource"`
	SourceARN     string                    `json:"eventSourceARN"`
	Region        string                    `json:"awsRegion"`
}

type eventSystem struct {
	Receives        string `json:"ApproximateReceiveCount"`
	Trace           string `json:"AWSTraceHeader,omitempty"`
	Sent            string `json:"SentTimestamp"`
	Origin          string `json:"DeadLetterQueueSourceArn,omitempty"`
	Sequence        string `json:"SequenceNumber,omitempty"`
	Group           string `json:"MessageGroupId,omitempty"`
	Sender          string `json:"SenderId"`
	DeduplicationID string `json:"MessageDeduplicationId,omitempty"`
	FirstReceived   string `json:"ApproximateFirstReceiveTimestamp"`
}

type eventAttribute struct {
	String     string   `json:"stringValue,omitempty"`
	Binary     []byte   `json:"binaryValue,omitempty"`
	StringList []string `json:"stringListValues"`
	BinaryList []string `json:"binaryListValues"`
	Type       string   `json:"dataType"`
}

// AppendEvent appends the JSON object in which a function gets the message. The
// digest of attributes that there are none of is null when batches wait for more
// messages (windowed), and not there when they do not.
func (r *Received) AppendEvent(dst []byte, queueARN, region string, windowed bool) ([]byte, error) {
	record := eventRecord{
		MessageID: r.MessageID, ReceiptHandle: r.Handle, Body: r.Body,
		System: eventSystem{
			Receives: strconv.Itoa(r.Receives), Trace: r.Trace, Sent: epochMillis(r.Sent), Origin: r.Origin, Sequence: r.Sequence,
			Group: r.Group, Sender: r.Sender, DeduplicationID: r.DeduplicationID, FirstReceived: epochMillis(r.FirstReceived),
		},
		Attributes: map[string]eventAttribute{}, BodyMD5: BodyMD5(r.Body),
		Source: "aws:sqs", SourceARN: queueARN, Region: region,
	}
	switch sum := AttributesMD5(r.Attributes); {
	case sum != "":
		record.AttributesMD5 = json.RawMessage(`"` + sum + `"`)
	case windowed:
		record.AttributesMD5 = json.RawMessage("null")
	}
	for name, a := range r.Attributes {
		record.Attributes[name] = eventAttribute{a.String, a.Binary, []string{}, []string{}, a.Type}
	}
	b := bytes.NewBuffer(dst)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(record); err != nil {
		return dst, fmt.Errorf("event of message %s: %w", r.MessageID, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func epochMillis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
