package kinesisapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/fxamacker/cbor/v2"
)

const streamS = "arn:aws:kinesis:us-east-1:000000000000:stream/s"

// listen serves the fixture's handler over HTTP/1.1 and HTTP/2 without TLS, as the
// program does.
func (f *fixture) listen() *httptest.Server {
	server := httptest.NewUnstartedServer(f.handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	f.t.Cleanup(server.Close)
	return server
}

// plainBodies hides that request bodies can write themselves: how the SDK's end can
// have a connection closed (docs/coverage/kinesis.md), which is not tested here.
type plainBodies struct{}

func (plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.WithContext(r.Context()) // a copy
	r.Body = struct{ io.ReadCloser }{r.Body}
	return http.DefaultTransport.RoundTrip(r)
}

func (f *fixture) client() *kinesis.Client {
	return kinesis.New(kinesis.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(f.listen().URL), RetryMaxAttempts: 1, HTTPClient: &http.Client{Transport: plainBodies{}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		}),
	})
}

func (f *fixture) register(name string) (arn string) {
	f.t.Helper()
	var out struct{ Consumer struct{ ConsumerARN string } }
	answer := f.must("RegisterStreamConsumer", `{"StreamARN":"`+streamS+`","ConsumerName":"`+name+`"}`)
	if err := json.Unmarshal([]byte(answer), &out); err != nil {
		f.t.Fatal(err)
	}
	return out.Consumer.ConsumerARN
}

func TestGoClientFollowsAShard(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := f.client()
	f.must("CreateStream", `{"StreamName":"s","ShardCount":1}`)
	arn := f.register("c")
	f.must("PutRecord", `{"StreamName":"s","PartitionKey":"k","Data":"YQ=="}`)
	in := &kinesis.SubscribeToShardInput{
		ConsumerARN: &arn, ShardId: aws.String("shardId-000000000000"), StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon},
	}
	out, err := client.SubscribeToShard(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.SubscribeToShard(ctx, in)
	var busy *types.ResourceInUseException
	if want := "Another active subscription exists for this consumer: 000000000000:s:shardId-000000000000:c"; !errors.As(err, &busy) || busy.ErrorMessage() != want {
		t.Errorf("second subscription: %v", err)
	}
	var data []string
	var last types.SubscribeToShardEvent
	for e := range out.GetStream().Events() {
		last = e.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent).Value
		for _, r := range last.Records {
			data = append(data, string(r.Data))
		}
		switch len(data) {
		case 1:
			f.must("PutRecord", `{"StreamName":"s","PartitionKey":"k","Data":"Yg=="}`)
		case 2:
			if len(last.Records) > 0 {
				f.must("UpdateShardCount", `{"StreamName":"s","TargetShardCount":2,"ScalingType":"UNIFORM_SCALING"}`)
			}
		}
	}
	if err := out.GetStream().Err(); err != nil || strings.Join(data, "") != "ab" {
		t.Errorf("%q, %v", data, err)
	}
	if len(last.ChildShards) != 2 || last.ContinuationSequenceNumber != nil || aws.ToString(last.ChildShards[1].ShardId) != "shardId-000000000002" {
		t.Errorf("last event %+v", last)
	}
}

func TestGoClientIsToldThatTheConsumerIsGone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	client := f.client()
	f.must("CreateStream", `{"StreamName":"s","ShardCount":1}`)
	arn := f.register("c")
	out, err := client.SubscribeToShard(context.Background(), &kinesis.SubscribeToShardInput{
		ConsumerARN: &arn, ShardId: aws.String("shardId-000000000000"), StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeLatest},
	})
	if err != nil {
		t.Fatal(err)
	}
	<-out.GetStream().Events()
	f.must("DeregisterStreamConsumer", `{"ConsumerARN":"`+arn+`"}`)
	for range out.GetStream().Events() {
		t.Error("an event after the end")
	}
	var gone *types.ResourceNotFoundException
	if err := out.GetStream().Err(); !errors.As(err, &gone) || gone.ErrorMessage() != "Consumer c, account 000000000000 not found." {
		t.Error(err)
	}
}

// frames sends a request and reads the frames of the answer; the decoder checks
// their sums.
func frames(t *testing.T, client *http.Client, url, mediaType string, body []byte) (*http.Response, func() (eventstream.Message, error)) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("X-Amz-Target", "Kinesis_20131202.SubscribeToShard")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	decoder := eventstream.NewDecoder()
	return resp, func() (eventstream.Message, error) { return decoder.Decode(resp.Body, nil) }
}

func TestFrames(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must("CreateStream", `{"StreamName":"s","ShardCount":2}`)
	f.must("PutRecord", `{"StreamName":"s","PartitionKey":"k","ExplicitHashKey":"0","Data":"YQ=="}`)
	f.must("MergeShards", `{"StreamName":"s","ShardToMerge":"0","AdjacentShardToMerge":"1"}`)
	url := f.listen().URL
	h2 := &http.Transport{Protocols: new(http.Protocols)}
	h2.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(h2.CloseIdleConnections)
	for _, c := range []struct {
		name, mediaType string
		client          *http.Client
		major           int
	}{
		{"one", "application/x-amz-json-1.1", http.DefaultClient, 1},
		{"two", "application/x-amz-json-1.1", &http.Client{Transport: h2}, 2},
		{"binary", "application/x-amz-cbor-1.1", http.DefaultClient, 1},
	} {
		in := map[string]any{"ConsumerARN": f.register(c.name), "ShardId": "0", "StartingPosition": map[string]any{"Type": "TRIM_HORIZON"}}
		encode, decode := json.Marshal, json.Unmarshal
		if c.name == "binary" {
			encode, decode = cbor.Marshal, cbor.Unmarshal
		}
		body, err := encode(in)
		if err != nil {
			t.Fatal(err)
		}
		resp, next := frames(t, c.client, url, c.mediaType, body)
		if resp.StatusCode != http.StatusOK || resp.ProtoMajor != c.major || resp.Header.Get("Content-Type") != "application/vnd.amazon.eventstream" || resp.Header.Get("X-Amz-Id-2") == "" {
			t.Errorf("%s: %s %d %v", c.name, resp.Proto, resp.StatusCode, resp.Header)
		}
		for _, want := range []string{"initial-response", "SubscribeToShardEvent", "SubscribeToShardEvent"} {
			msg, err := next()
			if err != nil {
				t.Fatalf("%s: %s: %v", c.name, want, err)
			}
			kind, event, content := msg.Headers.Get(":message-type"), msg.Headers.Get(":event-type"), msg.Headers.Get(":content-type")
			var payload map[string]any
			if err := decode(msg.Payload, &payload); err != nil || kind.String() != "event" || event.String() != want || content.String() != c.mediaType {
				t.Errorf("%s: %v %v %v %q, %v", c.name, kind, event, content, msg.Payload, err)
			}
		}
		if _, err := next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: after the last frame: %v", c.name, err)
		}
	}
}

func TestConsumerRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must("CreateStream", `{"StreamName":"s","ShardCount":1}`)
	arn := f.register("c")
	other := f.register("other")
	f.refused("RegisterStreamConsumer", `{"ConsumerName":"c"}`, `{"__type":"ValidationException","message":"1 validation error detected: Value null at 'streamARN' failed to satisfy constraint: Member must not be null"}`)
	f.refused("RegisterStreamConsumer", `{"StreamARN":"`+streamS+`","ConsumerName":"a b"}`, `{"__type":"ValidationException","message":"1 validation error detected: Value 'a b' at 'consumerName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"}`)
	f.refused("RegisterStreamConsumer", `{"StreamARN":"`+streamS+`2","ConsumerName":"c"}`, `{"__type":"ResourceNotFoundException","message":"Stream s2 under account 000000000000 not found."}`)
	f.refused("DescribeStreamConsumer", `{"ConsumerARN":"`+arn+`","StreamARN":"`+streamS+`","ConsumerName":"other"}`, `{"__type":"InvalidArgumentException","message":"ConsumerARN `+arn+` does not mean the same consumer as StreamARN and ConsumerName."}`)
	f.refused("DescribeStreamConsumer", `{"ConsumerName":"c"}`, `{"__type":"InvalidArgumentException","message":"Either ConsumerARN or both StreamARN and ConsumerName must be provided."}`)
	f.refused("DescribeStreamConsumer", `{"StreamARN":"`+streamS+`","ConsumerName":"none"}`, `{"__type":"ResourceNotFoundException","message":"Consumer none, account 000000000000 not found."}`)
	f.refused("SubscribeToShard", `{"ConsumerARN":"`+arn+`","ShardId":"0"}`, `{"__type":"ValidationException","message":"1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null"}`)
	f.refused("SubscribeToShard", `{"ConsumerARN":"`+arn+`","ShardId":"0","StartingPosition":{"Type":"AT_SEQUENCE_NUMBER","SequenceNumber":"340282366920938463463374607431768211456"}}`,
		`{"__type":"InvalidArgumentException","message":"StartingSequenceNumber 340282366920938463463374607431768211456 used in SubscribeToShard on shard shardId-000000000000 in stream s under account 000000000000 is invalid."}`)
	f.refused("ListStreamConsumers", `{"StreamARN":"`+streamS+`","NextToken":"x"}`, `{"__type":"InvalidArgumentException","message":"NextToken is invalid."}`)

	f.must("TagResource", `{"ResourceARN":"`+arn+`","Tags":{"a":"1","b":"2"}}`)
	f.must("TagResource", `{"ResourceARN":"`+streamS+`","Tags":{"c":"3"}}`)
	f.must("UntagResource", `{"ResourceARN":"`+arn+`","TagKeys":["a","z"]}`)
	for resource, want := range map[string]string{arn: `{"Tags":[{"Key":"b","Value":"2"}]}`, streamS: `{"Tags":[{"Key":"c","Value":"3"}]}`, other: `{"Tags":[]}`} {
		if got := f.must("ListTagsForResource", `{"ResourceARN":"`+resource+`"}`); got != want {
			t.Errorf("tags of %s: %s", resource, got)
		}
	}
	f.refused("TagResource", `{"ResourceARN":"`+arn+`9","Tags":{"a":"1"}}`, `{"__type":"ResourceNotFoundException","message":"Consumer c, account 000000000000 not found."}`)
}

func TestShardFilters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		start := time.Now().Unix()
		shards := func(filter string) string {
			t.Helper()
			var out struct{ Shards []struct{ ShardId string } }
			if err := json.Unmarshal([]byte(f.must("ListShards", `{"StreamName":"s"`+filter+`}`)), &out); err != nil {
				t.Fatal(err)
			}
			ids := ""
			for _, sh := range out.Shards {
				ids += strings.TrimPrefix(sh.ShardId, "shardId-00000000000")
			}
			return ids
		}
		of := func(kind string) string { return `,"ShardFilter":{"Type":"` + kind + `"}` }
		at := func(kind string, second float64) string {
			return fmt.Sprintf(`,"ShardFilter":{"Type":%q,"Timestamp":%.3f}`, kind, float64(start)+second)
		}
		check := func(when, filter, want string) {
			t.Helper()
			if got := shards(filter); got != want {
				t.Errorf("%s, %s: shards %s, want %s", when, filter, got, want)
			}
		}
		f.must("CreateStream", `{"StreamName":"s","ShardCount":2}`)
		time.Sleep(100 * time.Second)
		f.must("SplitShard", `{"StreamName":"s","ShardToSplit":"0","NewStartingHashKey":"1000"}`) // 2, 3
		time.Sleep(100 * time.Second)
		f.must("MergeShards", `{"StreamName":"s","ShardToMerge":"3","AdjacentShardToMerge":"1"}`) // 4
		when := "after a split and a merge"
		check(when, "", "01234")
		check(when, of("AT_LATEST"), "24")
		check(when, of("AT_TRIM_HORIZON"), "01")
		check(when, of("FROM_TRIM_HORIZON"), "01234")
		check(when, `,"ShardFilter":{"Type":"AFTER_SHARD_ID","ShardId":"shardId-000000000001"}`, "234")
		for second, want := range map[float64]string{-50: "01", 0: "01", 100: "01", 100.999: "01", 101: "123", 150: "123", 200: "123", 201: "24"} {
			check(when, at("AT_TIMESTAMP", second), want)
		}
		for second, want := range map[float64]string{-50: "01234", 100: "01234", 101: "1234", 201: "24"} {
			check(when, at("FROM_TIMESTAMP", second), want)
		}
		time.Sleep(24*time.Hour - 50*time.Second) // the horizon lies between both
		when = "a day later"
		check(when, "", "1234")
		check(when, of("AT_TRIM_HORIZON"), "123")
		check(when, at("FROM_TIMESTAMP", 0), "1234")
		check(when, at("AT_TIMESTAMP", 0), "123")
		f.refused("GetShardIterator", `{"StreamName":"s","ShardId":"0","ShardIteratorType":"TRIM_HORIZON"}`, `{"__type":"ResourceNotFoundException","message":"Shard shardId-000000000000 in stream s under account 000000000000 does not exist"}`)
		f.must("GetShardIterator", `{"StreamName":"s","ShardId":"1","ShardIteratorType":"TRIM_HORIZON"}`)
	})
}
