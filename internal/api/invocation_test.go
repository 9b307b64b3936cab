package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesisschemas "github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/transaction"
)

// fakeInvocations knows invocations by access key.
type fakeInvocations map[string]api.Invocation

func (f fakeInvocations) Invocation(key, token string) (api.Invocation, bool) {
	inv, ok := f[key]
	inv.Expired = inv.Expired || ok && token != "token"
	return inv, ok
}

// bucketOnly answers everything that is signed for S3.
type bucketOnly struct{}

func (bucketOnly) Claims(_ *http.Request, signedFor string) bool { return signedFor == "s3" }
func (bucketOnly) Has(*http.Request) bool                        { return false }
func (bucketOnly) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte("object"))
}

// TestCallsOfInvocations sends calls with the credentials of exactly-once
// environments and with others.
func TestCallsOfInvocations(t *testing.T) {
	t.Parallel()
	joined := func(ctx context.Context) string {
		if api.EffectsOf(ctx) != nil {
			return "held"
		}
		return "direct"
	}
	var last string
	put := func(ctx context.Context, _ *kinesis.PutRecordInput) (*kinesis.PutRecordOutput, error) {
		last = joined(ctx)
		return &kinesis.PutRecordOutput{}, nil
	}
	list := func(ctx context.Context, _ *kinesis.ListStreamsInput) (*kinesis.ListStreamsOutput, error) {
		last = joined(ctx)
		return &kinesis.ListStreamsOutput{}, nil
	}
	create := func(ctx context.Context, _ *kinesis.CreateStreamInput) (*kinesis.CreateStreamOutput, error) {
		last = joined(ctx)
		return &kinesis.CreateStreamOutput{}, nil
	}
	ended := func(context.Context, *kinesis.DeleteStreamInput) (*kinesis.DeleteStreamOutput, error) {
		return nil, transaction.ErrEnded
	}
	missing := func(context.Context, *kinesis.MergeShardsInput) (*kinesis.MergeShardsOutput, error) {
		return nil, errors.New("not implemented")
	}
	tx := transaction.Open(transaction.Config{}).Begin("f", nil)
	h, err := api.NewHandler(api.Config{
		Objects: bucketOnly{},
		Services: []*api.Service{{Name: "kinesis", TargetPrefix: "K", JSONVersion: "1.1", Dialect: api.Kinesis, Operations: []api.Operation{
			api.Op("PutRecord", kinesisschemas.PutRecord, kinesisschemas.PutRecordInput, kinesisschemas.PutRecordOutput, put).Held(),
			api.Op("ListStreams", kinesisschemas.ListStreams, kinesisschemas.ListStreamsInput, kinesisschemas.ListStreamsOutput, list),
			api.Op("CreateStream", kinesisschemas.CreateStream, kinesisschemas.CreateStreamInput, nil, create),
			api.Op("DeleteStream", kinesisschemas.DeleteStream, kinesisschemas.DeleteStreamInput, nil, ended),
			api.Op("MergeShards", kinesisschemas.MergeShards, kinesisschemas.MergeShardsInput, nil, missing).Missing(),
		}}},
		Invocations: fakeInvocations{"once": {Effects: tx}, "between": {}, "passes": {Effects: tx, PassOutside: true}, "gone": {Expired: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ key, token, call, want string }{
		{"anyone", "", "PutRecord", "direct"},
		{"once", "token", "PutRecord", "held"},
		{"once", "token", "ListStreams", "direct"},
		{"once", "token", "CreateStream", "weir:outside"},
		{"once", "forged", "PutRecord", "ExpiredToken"},
		{"once", "token", "DeleteStream", "weir:outside"},
		{"passes", "token", "CreateStream", "direct"},
		{"passes", "token", "DeleteStream", "has ended"},
		{"between", "token", "PutRecord", "between two invocations"},
		{"between", "token", "ListStreams", "direct"},
		{"once", "token", "MergeShards", "InternalFailure"}, // as for anyone
		{"gone", "token", "ListStreams", "ExpiredToken"},
		{"anyone", "", "s3 PUT", "object"},
		{"once", "token", "s3 GET", "object"},
		{"once", "token", "s3 PUT", "weir:outside"},
		{"passes", "token", "s3 PUT", "object"},
	} {
		last = ""
		service, method := "kinesis", http.MethodPost
		if verb, ok := strings.CutPrefix(c.call, "s3 "); ok {
			service, method = "s3", verb
		}
		r := httptest.NewRequest(method, "/", strings.NewReader("{}"))
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.key+"/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
		r.Header.Set("X-Amz-Security-Token", c.token)
		if service == "kinesis" {
			r.Header.Set("X-Amz-Target", "K."+c.call)
			r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := last + w.Body.String(); !strings.Contains(got, c.want) {
			t.Errorf("%s by %s: got %d %s, want %s", c.call, c.key, w.Code, got, c.want)
		}
	}
}

// TestObjectsSignedAsBefore puts objects with the signatures that came before Version
// 4, by the environment of an invocation and by others.
func TestObjectsSignedAsBefore(t *testing.T) {
	t.Parallel()
	h, err := api.NewHandler(api.Config{Objects: allObjects{}, Invocations: fakeInvocations{"once": {}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ url, authorization, want string }{
		{"/b/k?AWSAccessKeyId=once&Signature=s&Expires=1&x-amz-security-token=token", "", "weir:outside"},
		{"/b/k?AWSAccessKeyId=other&Signature=s&Expires=1", "", "object"},
		{"/b/k?x-amz-security-token=token", "AWS once:signature", "weir:outside"},
		{"/b/k", "AWS other:signature", "object"},
	} {
		r := httptest.NewRequest(http.MethodPut, c.url, nil)
		r.Header.Set("Authorization", c.authorization)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s: got %d %s, want %s", c.url, c.authorization, w.Code, w.Body, c.want)
		}
	}
}

// allObjects answers everything.
type allObjects struct{ bucketOnly }

func (allObjects) Claims(*http.Request, string) bool { return true }

// TestWritesAreAttemptedAgain sends a write as an SDK does that did not get the answer.
func TestWritesAreAttemptedAgain(t *testing.T) {
	t.Parallel()
	performed := 0
	put := func(_ context.Context, in *kinesis.PutRecordInput) (*kinesis.PutRecordOutput, error) {
		performed++
		if *in.PartitionKey == "fails" {
			return nil, errors.New("this time")
		}
		return &kinesis.PutRecordOutput{ShardId: aws.String(fmt.Sprint("shard-", performed))}, nil
	}
	tx := transaction.Open(transaction.Config{}).Begin("f", nil)
	h, err := api.NewHandler(api.Config{
		Services: []*api.Service{{Name: "kinesis", TargetPrefix: "K", JSONVersion: "1.1", Dialect: api.Kinesis, Operations: []api.Operation{
			api.Op("PutRecord", kinesisschemas.PutRecord, kinesisschemas.PutRecordInput, kinesisschemas.PutRecordOutput, put).Held(),
		}}},
		Invocations: fakeInvocations{"once": {Effects: tx}},
	})
	if err != nil {
		t.Fatal(err)
	}
	send := func(signer, call, key string) string {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"StreamName": "s", "Data": "", "PartitionKey": "`+key+`"}`))
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+signer+"/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0")
		r.Header.Set("X-Amz-Security-Token", "token")
		r.Header.Set("X-Amz-Target", "K.PutRecord")
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("Amz-Sdk-Invocation-Id", call)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	for i, c := range []struct {
		signer, call, key string
		performed         int
		want              string
	}{
		{"once", "1", "a", 1, "shard-1"},
		{"once", "1", "a", 1, "shard-1"}, // again
		{"once", "2", "a", 2, "shard-2"}, // another call
		{"once", "1", "b", 3, "shard-3"}, // an id that is not that of one call
		{"once", "3", "fails", 4, "InternalFailure"},
		{"once", "3", "fails", 5, "InternalFailure"}, // nothing was performed
		{"once", "", "a", 6, "shard-6"},
		{"once", "", "a", 7, "shard-7"},
		{"other", "1", "a", 8, "shard-8"},
		{"other", "1", "a", 9, "shard-9"}, // of no invocation
	} {
		if got := send(c.signer, c.call, c.key); performed != c.performed || !strings.Contains(got, c.want) {
			t.Errorf("%d: performed %d times, want %d: %s", i, performed, c.performed, got)
		}
	}
	for i := range 5 { // until the first answer is forgotten
		attempt, _, err := tx.Attempt(t.Context(), fmt.Sprint("large ", i))
		if err != nil {
			t.Fatal(err)
		}
		attempt.End(make([]byte, 1<<20))
	}
	if got := send("once", "1", "a"); performed != 9 || !strings.Contains(got, "the answer to an earlier attempt at the call is not known any more") {
		t.Errorf("performed %d times: %s", performed, got)
	}
}
