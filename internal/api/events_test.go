package api_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	kintypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/weirstream/weir/internal/api"
)

// eventServer serves SubscribeToShard with the given events. Its requests end with
// the context; what run returned comes from the channel.
func eventServer(t *testing.T, ctx context.Context, run api.Events) (url string, ended <-chan error) {
	t.Helper()
	done := make(chan error, 1)
	events := api.Events(func(ctx context.Context, send func(context.Context, api.Event) error) error {
		err := run(ctx, send)
		done <- err
		return err
	})
	service := &api.Service{
		Name: "kinesis", TargetPrefix: "Kinesis_20131202", JSONVersion: "1.1", Dialect: api.Kinesis,
		Operations: []api.Operation{api.OpEvents("SubscribeToShard", schemas.SubscribeToShard, schemas.SubscribeToShardInput,
			func(context.Context, *kinesis.SubscribeToShardInput) (api.Events, error) { return events, nil })},
	}
	handler, err := api.NewHandler(api.Config{Services: []*api.Service{service}, Identity: identity})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, done
}

func subscribe(t *testing.T, url string) io.ReadCloser {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "Kinesis_20131202.SubscribeToShard")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp.Body
}

func event(size int) api.Event {
	return api.Event{Type: "SubscribeToShardEvent", Payload: &kintypes.SubscribeToShardEvent{
		Records: []kintypes.Record{{Data: make([]byte, size), PartitionKey: aws.String("k"), SequenceNumber: aws.String("1")}},
	}}
}

// A client that does not read holds its sender, but not the end of the server.
func TestEventsEndUnderAClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sent := make(chan int, 1000)
	url, ended := eventServer(t, ctx, func(ctx context.Context, send func(context.Context, api.Event) error) error {
		for i := 0; ; i++ {
			if err := send(ctx, event(1<<20)); err != nil {
				return err
			}
			sent <- i
		}
	})
	subscribe(t, url)
	for stuck := false; !stuck; { // until the buffers of the connection are full
		select {
		case <-sent:
		case <-time.After(200 * time.Millisecond):
			stuck = true
		}
	}
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a send to nobody succeeded")
		}
	case <-time.After(10 * time.Second):
		t.Error("the sender is still held")
	}
}

func TestEventsEndWithAnException(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err                 error
		exception, document string
	}{
		{nil, "", ""},
		{&kintypes.ResourceInUseException{Message: aws.String("taken")}, "ResourceInUseException", `{"message":"taken"}`},
		{&api.Error{Code: "ValidationException", Message: "no"}, "ValidationException", `{"message":"no"}`},
		{errors.New("a secret"), "InternalFailure", `{}`},
	} {
		url, _ := eventServer(t, context.Background(), func(ctx context.Context, send func(context.Context, api.Event) error) error {
			return errors.Join(send(ctx, event(1)), c.err)
		})
		body, decoder := subscribe(t, url), eventstream.NewDecoder()
		var kinds []string
		for {
			msg, err := decoder.Decode(body, nil)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			kind := msg.Headers.Get(":message-type").String()
			kinds = append(kinds, kind)
			if kind == "exception" && (msg.Headers.Get(":exception-type").String() != c.exception || string(msg.Payload) != c.document) {
				t.Errorf("%v: %v %s", c.err, msg.Headers, msg.Payload)
			}
		}
		want := "event event"
		if c.err != nil {
			want += " exception"
		}
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("%v: %s", c.err, got)
		}
	}
}
