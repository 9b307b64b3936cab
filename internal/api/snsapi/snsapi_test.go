package snsapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/notify"
	"github.com/weirstream/weir/internal/store"
)

type fixture struct {
	t      *testing.T
	url    string
	topics *notify.Topics
	client *sns.Client
	got    chan map[string]any // by the subscriber
	hook   string              // its URL
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, got: make(chan map[string]any, 10)}
	subscriber := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		f.got <- body
	}))
	f.hook = subscriber.URL + "/hook"
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	f.url = server.URL
	if f.topics, err = notify.Open(notify.Config{DB: db, Identity: catalog.DefaultIdentity, Endpoint: server.URL}); err != nil {
		t.Fatal(err)
	}
	handler, err = api.NewHandler(api.Config{Services: []*api.Service{New(f.topics)}, Fallback: Pages(f.topics, nil), Identity: catalog.DefaultIdentity})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Close()
		subscriber.Close()
		if err := errors.Join(f.topics.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	f.client = sns.New(sns.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	return f
}

func (f *fixture) wait() map[string]any {
	f.t.Helper()
	select {
	case body := <-f.got:
		return body
	case <-time.After(10 * time.Second):
		f.t.Fatal("nothing was delivered")
		return nil
	}
}

func (f *fixture) get(url string) (int, string) {
	f.t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func (f *fixture) topic(name string) string {
	f.t.Helper()
	out, err := f.client.CreateTopic(f.t.Context(), &sns.CreateTopicInput{Name: &name, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
	if err != nil {
		f.t.Fatal(err)
	}
	return *out.TopicArn
}

func codeOf(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

// The links in messages work as they are: confirm, certificate, unsubscribe.
func TestLinks(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	arn := f.topic("ops")
	sub, err := f.client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &arn, Protocol: aws.String("http"), Endpoint: &f.hook})
	if err != nil || *sub.SubscriptionArn != "pending confirmation" {
		t.Fatal(sub, err)
	}
	asked := f.wait()
	status, body := f.get(asked["SubscribeURL"].(string))
	if status != 200 || !strings.Contains(body, "<SubscriptionArn>"+arn+":") {
		t.Errorf("confirm: %d %s", status, body)
	}
	if _, err := f.client.Publish(ctx, &sns.PublishInput{TopicArn: &arn, Message: aws.String("m"), Subject: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
	note := f.wait()
	if note["Message"] != "m" || note["Subject"] != "s" {
		t.Errorf("notification: %v", note)
	}
	if status, body := f.get(note["SigningCertURL"].(string)); status != 200 || !strings.HasPrefix(body, "-----BEGIN CERTIFICATE") {
		t.Errorf("certificate: %d %s", status, body)
	}
	if status, _ := f.get(f.url + notify.CertificatePath + "other.pem"); status != 404 {
		t.Errorf("another certificate: %d", status)
	}
	if status, body := f.get(note["UnsubscribeURL"].(string)); status != 200 || !strings.HasPrefix(body, "<UnsubscribeResponse") {
		t.Errorf("unsubscribe: %d %s", status, body)
	}
	if kind := f.wait()["Type"]; kind != "UnsubscribeConfirmation" {
		t.Errorf("farewell: %v", kind)
	}
	list, err := f.client.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: &arn})
	if err != nil || len(list.Subscriptions) != 0 {
		t.Errorf("subscriptions: %v, %v", list, err)
	}
}

func TestMailPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	arn := f.topic("ops")
	if _, err := f.client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &arn, Protocol: aws.String("email"), Endpoint: aws.String("me@example.org")}); err != nil {
		t.Fatal(err)
	}
	link := func(id uint64) string {
		m, err := f.topics.Outbox().Get(id)
		if err != nil {
			t.Fatal(err)
		}
		_, link, _ := strings.Cut(m.Body, f.url)
		link, _, _ = strings.Cut(link, "\n")
		return f.url + link
	}
	if status, body := f.get(f.url + notify.ConfirmPath + "?TopicArn=" + arn + "&Token=<b>"); status != 400 || strings.Contains(body, "<b>") {
		t.Errorf("bad token: %d %s", status, body)
	}
	if status, body := f.get(link(1)); status != 200 || !strings.Contains(body, "<h1>Subscription confirmed</h1>") {
		t.Errorf("confirm: %d %s", status, body)
	}
	if _, err := f.client.Publish(ctx, &sns.PublishInput{TopicArn: &arn, Message: aws.String("m")}); err != nil {
		t.Fatal(err)
	}
	if status, body := f.get(link(2)); status != 200 || !strings.Contains(body, "<h1>Subscription removed</h1>") {
		t.Errorf("unsubscribe: %d %s", status, body)
	}
	if status, _ := f.get(f.url + notify.UnsubscribePath + "?SubscriptionArn=x"); status != 400 {
		t.Errorf("unsubscribe x: %d", status)
	}
	attributes, err := f.client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &arn})
	if err != nil || attributes.Attributes["SubscriptionsDeleted"] != "1" {
		t.Errorf("attributes: %v, %v", attributes, err)
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	arn := f.topic("ops")
	sub, err := f.client.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &arn, Protocol: aws.String("http"), Endpoint: &f.hook, ReturnSubscriptionArn: true,
		Attributes: map[string]string{"RawMessageDelivery": "false"},
	})
	if err != nil {
		t.Fatal(err)
	}
	token := f.wait()["Token"].(string)
	confirmed, err := f.client.ConfirmSubscription(ctx, &sns.ConfirmSubscriptionInput{TopicArn: &arn, Token: &token, AuthenticateOnUnsubscribe: aws.String("true")})
	if err != nil || *confirmed.SubscriptionArn != *sub.SubscriptionArn {
		t.Fatal(confirmed, err)
	}
	if status, body := f.get(f.url + "/?Action=Unsubscribe&SubscriptionArn=" + *sub.SubscriptionArn); status != 403 || !strings.Contains(body, "<Code>AuthorizationError</Code>") {
		t.Errorf("unsigned unsubscribe: %d %s", status, body)
	}
	batch, err := f.client.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: &arn, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: aws.String("a"), Message: aws.String("one"), MessageAttributes: map[string]types.MessageAttributeValue{
			"b": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1}}, "s": {DataType: aws.String("String"), StringValue: aws.String("x")},
		}},
	}})
	if err != nil || len(batch.Successful) != 1 || len(batch.Failed) != 0 {
		t.Errorf("batch: %+v, %v", batch, err)
	}
	_, err = f.client.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: &arn, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: aws.String("a"), Message: aws.String("one")}, {Id: aws.String("b"), Message: aws.String("{}"), MessageStructure: aws.String("json")},
	}})
	if err == nil || !strings.Contains(err.Error(), "No default entry") {
		t.Errorf("batch with a malformed message: %v", err)
	}
	if got := fmt.Sprint(f.wait()["MessageAttributes"]); got != "map[b:map[Type:Binary Value:AAE=] s:map[Type:String Value:x]]" {
		t.Errorf("attributes: %s", got)
	}
	_, err = f.client.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{SubscriptionArn: sub.SubscriptionArn, AttributeName: aws.String("DeliveryPolicy"),
		AttributeValue: aws.String(`{"healthyRetryPolicy":{"numRetries":1}}`)})
	if err != nil {
		t.Error(err)
	}
	attributes, err := f.client.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: sub.SubscriptionArn})
	if err != nil || attributes.Attributes["ConfirmationWasAuthenticated"] != "true" || !strings.Contains(attributes.Attributes["EffectiveDeliveryPolicy"], `"numRetries":1`) {
		t.Errorf("attributes: %v, %v", attributes, err)
	}
	_, err1 := f.client.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &arn, AttributeName: aws.String("DisplayName"), AttributeValue: aws.String("Ops")})
	_, err2 := f.client.TagResource(ctx, &sns.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("x"), Value: aws.String("y")}}})
	_, err3 := f.client.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"k"}})
	tags, err4 := f.client.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: &arn})
	if err := errors.Join(err1, err2, err3, err4); err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "x" {
		t.Errorf("tags: %v, %v", tags, err)
	}
	all, err := f.client.ListSubscriptions(ctx, &sns.ListSubscriptionsInput{})
	if err != nil || len(all.Subscriptions) != 1 || *all.Subscriptions[0].Owner != "000000000000" {
		t.Errorf("subscriptions: %v, %v", all, err)
	}
	_, err1 = f.client.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: sub.SubscriptionArn})
	_, err2 = f.client.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &arn})
	if err := errors.Join(err1, err2); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	arn := f.topic("ops")
	publish := func(change func(*sns.PublishInput)) error {
		in := &sns.PublishInput{TopicArn: &arn, Message: aws.String("m")}
		change(in)
		_, err := f.client.Publish(ctx, in)
		return err
	}
	_, tagged := f.client.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: aws.String(arn + "x")})
	tag := types.Tag{Key: aws.String("k"), Value: aws.String("v")}
	_, twice := f.client.TagResource(ctx, &sns.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{tag, tag}})
	_, fifo := f.client.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("a.fifo")})
	_, filter := f.client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &arn, Protocol: aws.String("http"), Endpoint: &f.hook, Attributes: map[string]string{"FilterPolicy": "[]"}})
	_, missing := f.client.PutDataProtectionPolicy(ctx, &sns.PutDataProtectionPolicyInput{ResourceArn: &arn, DataProtectionPolicy: aws.String("{}")})
	_, action := f.client.AddPermission(ctx, &sns.AddPermissionInput{TopicArn: &arn, Label: aws.String("l"), AWSAccountId: []string{"1"}, ActionName: []string{"Fly"}})
	_, token := f.client.ListTopics(ctx, &sns.ListTopicsInput{NextToken: aws.String("%")})
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"action":        {action, "InvalidParameter"},
		"unknown topic": {publish(func(in *sns.PublishInput) { in.TopicArn = aws.String(arn + "x") }), "NotFound"},
		"no target":     {publish(func(in *sns.PublishInput) { in.TopicArn = nil }), "InvalidParameter"},
		"two targets":   {publish(func(in *sns.PublishInput) { in.TargetArn = &arn }), "InvalidParameter"},
		"phone":         {publish(func(in *sns.PublishInput) { in.TopicArn, in.PhoneNumber = nil, aws.String("+15550100") }), "InvalidParameter"},
		"empty subject": {publish(func(in *sns.PublishInput) { in.Subject = aws.String("") }), "InvalidParameter"},
		"structure":     {publish(func(in *sns.PublishInput) { in.MessageStructure = aws.String("xml") }), "InvalidParameter"},
		"group":         {publish(func(in *sns.PublishInput) { in.MessageGroupId = aws.String("g g") }), "InvalidParameter"},
		"deduplication": {publish(func(in *sns.PublishInput) { in.MessageDeduplicationId = aws.String("d") }), "InvalidParameter"},
		"attribute": {publish(func(in *sns.PublishInput) {
			in.MessageAttributes = map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String")}}
		}), "ParameterValueInvalid"},
		"endpoint": {publish(func(in *sns.PublishInput) {
			in.TopicArn, in.TargetArn = nil, aws.String(strings.Replace(arn, ":000000000000:", ":000000000000:endpoint/", 1))
		}), "InvalidParameter"},
		"tags":           {tagged, "ResourceNotFound"},
		"tag twice":      {twice, "InvalidParameter"},
		"fifo":           {fifo, "InvalidParameter"},
		"filter":         {filter, "InvalidParameter"},
		"not there":      {missing, "InvalidAction"},
		"bad page token": {token, "InvalidParameter"},
	} {
		if got := codeOf(c.err); got != c.want {
			t.Errorf("%s: %v, want %s", name, c.err, c.want)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range 205 {
		if _, err := f.topics.CreateTopic(t.Context(), fmt.Sprintf("t%03d", i), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	pages := sns.NewListTopicsPaginator(f.client, &sns.ListTopicsInput{})
	var sizes []int
	next := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, topic := range page.Topics {
			if want := fmt.Sprintf("t%03d", next); !strings.HasSuffix(*topic.TopicArn, want) {
				t.Fatalf("topic %d is %s", next, *topic.TopicArn)
			}
			next++
		}
		sizes = append(sizes, len(page.Topics))
	}
	if fmt.Sprint(sizes) != "[100 100 5]" {
		t.Errorf("pages of %v", sizes)
	}
}

// Values outside of the API model are refused with all of them told.
func TestValuesOutsideOfTheModel(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	arn := f.topic("ops")
	long := strings.Repeat("a", 257)
	_, created := f.client.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("b"), Tags: []types.Tag{{Key: aws.String(""), Value: &long}}})
	_, tagged := f.client.TagResource(ctx, &sns.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: &long, Value: aws.String("")}}})
	_, untagged := f.client.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{""}})
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"create": {created, "2 validation errors detected: Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '" + long + "' at 'tags.1.member.value' failed to satisfy constraint: Member must have length less than or equal to 256"},
		"tag":    {tagged, "1 validation error detected: Value '" + long + "' at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128"},
		"untag":  {untagged, "1 validation error detected: Value '[]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]"},
	} {
		if c.err == nil || codeOf(c.err) != "ValidationError" || !strings.HasSuffix(c.err.Error(), c.want) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	for _, form := range []string{"TagResource&ResourceArn=" + arn, "UntagResource&ResourceArn=" + arn, "AddPermission&TopicArn=" + arn, "RemovePermission&TopicArn=" + arn} {
		if status, body := f.get(f.url + "/?Action=" + form); status != http.StatusBadRequest || !strings.Contains(body, "Member must not be null") {
			t.Errorf("%s: %d %s", form, status, body)
		}
	}
}
