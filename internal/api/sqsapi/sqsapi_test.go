package sqsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/queue"
	"github.com/weirstream/weir/internal/store"
)

type fixture struct {
	*sqs.Client
	t      *testing.T
	server string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	queues, err := queue.Open(queue.Config{DB: db, Identity: catalog.DefaultIdentity})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := api.NewHandler(api.Config{Services: []*api.Service{New(queues)}, Identity: catalog.DefaultIdentity})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		if err := errors.Join(queues.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return &fixture{t: t, server: server.URL, Client: sqs.New(sqs.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})}
}

func (f *fixture) queue(name string, attributes map[string]string) string {
	f.t.Helper()
	out, err := f.CreateQueue(f.t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		f.t.Fatal(err)
	}
	return *out.QueueUrl
}

// The client checks all digests itself.
func TestSendReceiveDelete(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	q := f.queue("jobs", map[string]string{"VisibilityTimeout": "60"})
	if want := f.server + "/000000000000/jobs"; q != want {
		t.Errorf("url %s, want %s", q, want)
	}
	attributes := map[string]types.MessageAttributeValue{
		"Author": {DataType: aws.String("String"), StringValue: aws.String("John Grisham")}, "WeeksOn": {DataType: aws.String("Number"), StringValue: aws.String("6")},
		"Title": {DataType: aws.String("String"), StringValue: aws.String("The Whistler")},
	}
	sent, err := f.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("hello é"), MessageAttributes: attributes})
	if err != nil || *sent.MD5OfMessageAttributes != "d25a6aea97eb8f585bfa92d314504a92" || sent.SequenceNumber != nil {
		t.Fatal(sent, err)
	}
	_, err = f.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("a"), MessageBody: aws.String("b1")}, {Id: aws.String("b"), MessageBody: aws.String("b2"), MessageAttributes: map[string]types.MessageAttributeValue{
			"x": {DataType: aws.String("Binary.png"), BinaryValue: []byte{0, 255}}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q, MaxNumberOfMessages: 10, WaitTimeSeconds: 5,
		MessageAttributeNames: []string{"Auth.*", "x"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})
	if err != nil || len(got.Messages) != 3 {
		t.Fatal(got, err)
	}
	m := got.Messages[0]
	if *m.Body != "hello é" || *m.MessageId != *sent.MessageId || m.Attributes["ApproximateReceiveCount"] != "1" || m.Attributes["SenderId"] != "000000000000" ||
		len(m.MessageAttributes) != 1 || *m.MD5OfMessageAttributes == *sent.MD5OfMessageAttributes {
		t.Errorf("message: %+v", m)
	}
	if m := got.Messages[2]; string(m.MessageAttributes["x"].BinaryValue) != "\x00\xff" || m.MessageAttributes["x"].StringValue != nil {
		t.Errorf("binary: %+v", m)
	}
	entries := []types.DeleteMessageBatchRequestEntry{{Id: aws.String("bad"), ReceiptHandle: aws.String("x")}}
	for i, m := range got.Messages {
		entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: m.ReceiptHandle})
	}
	deleted, err := f.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q, Entries: entries})
	if err != nil || len(deleted.Successful) != 3 || len(deleted.Failed) != 1 || *deleted.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Error(deleted, err)
	}
	// Of a message that is gone the entry of a batch is told something else than a single request.
	handle := got.Messages[0].ReceiptHandle
	shown, err := f.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{{Id: aws.String("0"), ReceiptHandle: handle, VisibilityTimeout: 1}}})
	if err != nil || len(shown.Failed) != 1 || *shown.Failed[0].Code != "ReceiptHandleIsInvalid" || !shown.Failed[0].SenderFault ||
		*shown.Failed[0].Message != "Message does not exist or is not available for visibility timeout change" {
		t.Error(shown, err)
	}
	_, err = f.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &q, ReceiptHandle: handle, VisibilityTimeout: 1})
	if refused := (smithy.APIError)(nil); !errors.As(err, &refused) || refused.ErrorCode() != "InvalidParameterValue" {
		t.Error(err)
	}
	all, err := f.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil || len(all.Attributes) != 12 || all.Attributes["ApproximateNumberOfMessages"] != "0" || all.Attributes["VisibilityTimeout"] != "60" {
		t.Error(all, err)
	}
}

// A message belongs to the trace of the request that sends it, unless it says
// otherwise. Asking for the attributes "*" is asking for all.
func TestTraceOfRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.queue("q", nil)
	head := func(trace string) http.Header {
		return http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {"AmazonSQS.SendMessage"}, "X-Amzn-Trace-Id": {trace}}
	}
	const own = `,"MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=own"}}`
	for _, more := range []string{`,"MessageAttributes":{"Größe":{"DataType":"Number","StringValue":"7"}}`, own} {
		if status, body := f.post("/", head("Root=request"), `{"QueueUrl":"`+q+`","MessageBody":"m"`+more+`}`); status != 200 {
			t.Fatal(status, body)
		}
	}
	got, err := f.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q, MaxNumberOfMessages: 10,
		MessageAttributeNames: []string{"*"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"AWSTraceHeader"}})
	if err != nil || len(got.Messages) != 2 {
		t.Fatal(got, err)
	}
	first, second := got.Messages[0], got.Messages[1]
	if first.Attributes["AWSTraceHeader"] != "Root=request" || second.Attributes["AWSTraceHeader"] != "Root=own" || len(first.MessageAttributes) != 1 {
		t.Errorf("received: %+v, %+v", first, second)
	}
	status, body := f.form("/000000000000/q", "Action", "SendMessage", "MessageBody", "m", "MessageAttribute.1.Name", "a",
		"MessageAttribute.1.Value.DataType", "String", "MessageAttribute.1.Value.StringValue", "\x08")
	if status != 400 || !strings.Contains(body, "<Code>InvalidParameterValue</Code>") {
		t.Error(status, body)
	}
}

// Only other clients can say 0: the queue's wait and timeout must give way.
func TestZeroIsNotAbsent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.queue("jobs", map[string]string{"ReceiveMessageWaitTimeSeconds": "20", "DelaySeconds": "900"})
	began := time.Now()
	if status, body := f.json("ReceiveMessage", `{"QueueUrl":"`+q+`","WaitTimeSeconds":0}`); status != 200 || body != "{}" {
		t.Errorf("receive: %d %s", status, body)
	}
	if status, body := f.json("SendMessage", `{"QueueUrl":"`+q+`","MessageBody":"m","DelaySeconds":0}`); status != 200 {
		t.Errorf("send: %d %s", status, body)
	}
	if status, body := f.json("ReceiveMessage", `{"QueueUrl":"`+q+`","VisibilityTimeout":0}`); status != 200 || !strings.Contains(body, `"Body":"m"`) {
		t.Errorf("receive: %d %s", status, body)
	}
	if time.Since(began) > 10*time.Second {
		t.Error("a wait of 0 waited")
	}
}

func (f *fixture) json(operation, body string) (int, string) {
	f.t.Helper()
	return f.post("/", http.Header{"X-Amz-Target": {"AmazonSQS." + operation}, "Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Query-Mode": {"true"}}, body)
}

func (f *fixture) form(path string, fields ...string) (int, string) {
	f.t.Helper()
	v := url.Values{"Version": {"2012-11-05"}}
	for i := 0; i < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	return f.post(path, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, v.Encode())
}

func (f *fixture) post(path string, head http.Header, body string) (int, string) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.server+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header = head
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=id/20250101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	if e := resp.Header.Get("X-Amzn-Query-Error"); e != "" {
		return resp.StatusCode, e + " " + string(text)
	}
	return resp.StatusCode, string(text)
}

// between returns the texts of an XML element.
func between(body, element string) (texts []string) {
	for {
		_, rest, ok := strings.Cut(body, "<"+element+">")
		if !ok {
			return texts
		}
		var text string
		text, body, _ = strings.Cut(rest, "</"+element+">")
		texts = append(texts, text)
	}
}

func TestQueryProtocol(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	status, body := f.form("/", "Action", "CreateQueue", "QueueName", "old", "Attribute.1.Name", "DelaySeconds", "Attribute.1.Value", "0", "Tag.1.Key", "k", "Tag.1.Value", "v")
	if status != 200 || !strings.HasPrefix(body, `<CreateQueueResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><CreateQueueResult><QueueUrl>`) {
		t.Fatal(status, body)
	}
	const path = "/000000000000/old" // requests can be posted to the queue itself
	_, body = f.form(path, "Action", "SendMessage", "MessageBody", "<one>", "MessageAttribute.1.Name", "MyAttribute",
		"MessageAttribute.1.Value.DataType", "String", "MessageAttribute.1.Value.StringValue", "foobar")
	if got := between(body, "MD5OfMessageAttributes"); !slices.Equal(got, []string{"adb59cd4678ea5a855436b949cd07ab6"}) {
		t.Error(body)
	}
	_, body = f.form(path, "Action", "SendMessageBatch", "SendMessageBatchRequestEntry.1.Id", "a", "SendMessageBatchRequestEntry.1.MessageBody", "two",
		"SendMessageBatchRequestEntry.2.Id", "b", "SendMessageBatchRequestEntry.2.MessageBody", "\x01")
	if len(between(body, "SendMessageBatchResultEntry")) != 1 || !strings.Contains(strings.Join(between(body, "BatchResultErrorEntry"), ""), "<Code>InvalidMessageContents</Code>") {
		t.Error(body)
	}
	_, body = f.form(path, "Action", "ReceiveMessage", "MaxNumberOfMessages", "10", "AttributeName.1", "All", "MessageAttributeName.1", "All")
	messages := between(body, "Message")
	if len(messages) != 2 || !slices.Equal(between(messages[0], "Body"), []string{"&lt;one&gt;"}) ||
		!strings.Contains(messages[0], "<MessageAttribute><Name>MyAttribute</Name><Value><DataType>String</DataType>") ||
		!strings.Contains(messages[0], "<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>") {
		t.Fatal(body)
	}
	status, body = f.form(path, "Action", "DeleteMessage", "ReceiptHandle", between(messages[0], "ReceiptHandle")[0])
	if status != 200 || !strings.HasPrefix(body, "<DeleteMessageResponse") {
		t.Error(status, body)
	}
	_, body = f.form("/", "Action", "ListQueues")
	if got := between(body, "QueueUrl"); !slices.Equal(got, []string{f.server + path}) {
		t.Error(body)
	}
	_, body = f.form(path, "Action", "ListQueueTags")
	if !strings.Contains(body, "<ListQueueTagsResult><Tag><Key>k</Key><Value>v</Value></Tag></ListQueueTagsResult>") {
		t.Error(body)
	}
	status, body = f.form("/000000000000/none", "Action", "PurgeQueue")
	if status != 400 || !slices.Equal(between(body, "Code"), []string{"AWS.SimpleQueueService.NonExistentQueue"}) ||
		!slices.Equal(between(body, "Message"), []string{"The specified queue does not exist for this wsdl version."}) {
		t.Error(status, body)
	}
}

func TestErrorsOfBothProtocols(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.queue("jobs", nil)
	for operation, c := range map[string]struct{ body, want string }{
		"SendMessage":           {`{"QueueUrl":"` + q + `x","MessageBody":"m"}`, `AWS.SimpleQueueService.NonExistentQueue;Sender {"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}`},
		"ReceiveMessage":        {`{"QueueUrl":"` + q + `","MaxNumberOfMessages":11}`, `InvalidParameterValue;Sender {"__type":"com.amazonaws.sqs#InvalidParameterValueException","message":"Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."}`},
		"DeleteMessage":         {`{"QueueUrl":"` + q + `"}`, `MissingParameter;Sender {"__type":"com.amazonaws.sqs#MissingRequiredParameterException","message":"The request must contain the parameter ReceiptHandle."}`},
		"CreateQueue":           {`{"QueueName":"jobs","Attributes":{"DelaySeconds":"1"}}`, `QueueAlreadyExists;Sender {"__type":"com.amazonaws.sqs#QueueNameExists","message":"A queue already exists with the same name and a different value for attribute DelaySeconds"}`},
		"GetQueueUrl":           {`{"QueueName":"jobs","QueueOwnerAWSAccountId":"111111111111"}`, `AWS.SimpleQueueService.NonExistentQueue;Sender {"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}`},
		"SendMessageBatch":      {`{"QueueUrl":"jobs","Entries":[{"Id":"!","MessageBody":"m"}]}`, `AWS.SimpleQueueService.InvalidBatchEntryId;Sender {"__type":"com.amazonaws.sqs#InvalidBatchEntryId","message":"A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."}`},
		"CancelMessageMoveTask": {`{"TaskHandle":"x"}`, `InvalidParameterValue;Sender {"__type":"com.amazonaws.sqs#InvalidParameterValueException","message":"Value for parameter TaskHandle is invalid."}`},
	} {
		status, got := f.json(operation, c.body)
		if status != 400 || got != c.want {
			t.Errorf("%s: %d %s\nwant %s", operation, status, got, c.want)
		}
	}
	if status, got := f.json("StartMessageMoveTask", `{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:none"}`); status != 404 || !strings.HasPrefix(got, "ResourceNotFoundException;Sender") {
		t.Error(status, got)
	}
	// The AWS SDK for Go v1 does not ask for the old codes, but compares with them.
	plain := http.Header{"X-Amz-Target": {"AmazonSQS.GetQueueUrl"}, "Content-Type": {"application/x-amz-json-1.0"}}
	if status, got := f.post("/", plain, `{"QueueName":"none"}`); status != 400 || !strings.HasPrefix(got, "AWS.SimpleQueueService.NonExistentQueue;Sender {") {
		t.Error(status, got)
	}
}

func TestLongPollIsWoken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.queue("jobs", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	got := make(chan error, 1)
	go func() {
		out, err := f.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q, WaitTimeSeconds: 20})
		if err == nil && (len(out.Messages) != 1 || *out.Messages[0].Body != "m") {
			err = fmt.Errorf("received %+v", out.Messages)
		}
		got <- err
	}()
	if _, err := f.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("m")}); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func TestAdministration(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	dead, q := f.queue("dead", nil), f.queue("jobs", nil)
	arn := "arn:aws:sqs:us-east-1:000000000000:dead"
	_, err := f.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &q, Attributes: map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":"1"}`}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q, AttributeNames: []types.QueueAttributeName{"RedrivePolicy"}})
	if err != nil || got.Attributes["RedrivePolicy"] != `{"deadLetterTargetArn":"`+arn+`","maxReceiveCount":1}` {
		t.Error(got, err)
	}
	sources, err := f.ListDeadLetterSourceQueues(ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dead})
	if err != nil || !slices.Equal(sources.QueueUrls, []string{q}) {
		t.Error(sources, err)
	}
	if _, err := f.AddPermission(ctx, &sqs.AddPermissionInput{QueueUrl: &q, Label: aws.String("l"), AWSAccountIds: []string{"1"}, Actions: []string{"ReceiveMessage"}}); err != nil {
		t.Error(err)
	}
	got, err = f.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q, AttributeNames: []types.QueueAttributeName{"Policy"}})
	if err != nil || !json.Valid([]byte(got.Attributes["Policy"])) || !strings.Contains(got.Attributes["Policy"], `"SQS:ReceiveMessage"`) {
		t.Error(got, err)
	}
	list, err := f.ListQueues(ctx, &sqs.ListQueuesInput{MaxResults: aws.Int32(1)})
	if err != nil || !slices.Equal(list.QueueUrls, []string{dead}) || list.NextToken == nil {
		t.Fatal(list, err)
	}
	list, err = f.ListQueues(ctx, &sqs.ListQueuesInput{MaxResults: aws.Int32(1), NextToken: list.NextToken})
	if err != nil || !slices.Equal(list.QueueUrls, []string{q}) || list.NextToken != nil {
		t.Error(list, err)
	}
	if _, err := f.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &q}); err != nil {
		t.Error(err)
	}
	var e smithy.APIError
	if _, err := f.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: &q}); !errors.As(err, &e) || e.ErrorCode() != "AWS.SimpleQueueService.NonExistentQueue" && e.ErrorCode() != "QueueDoesNotExist" {
		t.Error(err)
	}
}

// Parameters that are missing or unknown are refused, and not passed over.
func TestValuesOutsideOfTheModel(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.queue("jobs", nil)
	for _, c := range []struct{ operation, members, want string }{
		{"SetQueueAttributes", "", "The request must contain the parameter Attributes."},
		{"TagQueue", "", "The request must contain the parameter Tags."},
		{"UntagQueue", "", "The request must contain the parameter TagKeys."},
		{"ReceiveMessage", `,"AttributeNames":["SenderId","Height"]`, "Unknown Attribute Height."},
		{"ReceiveMessage", `,"MessageSystemAttributeNames":["Policy"]`, "Unknown Attribute Policy."},
	} {
		if status, body := f.json(c.operation, `{"QueueUrl":"`+q+`"`+c.members+`}`); status != http.StatusBadRequest || !strings.Contains(body, c.want) {
			t.Errorf("%+v: %d %s", c, status, body)
		}
	}
	if status, body := f.json("ReceiveMessage", `{"QueueUrl":"`+q+`","AttributeNames":["All","AWSTraceHeader","Policy"],"MessageSystemAttributeNames":["All","DeadLetterQueueSourceArn"]}`); status != http.StatusOK {
		t.Errorf("names that there are: %d %s", status, body)
	}
}
