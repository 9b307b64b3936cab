package object

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	aFunction = "arn:aws:lambda:us-east-1:000000000000:function:f"
	aQueue    = "arn:aws:sqs:us-east-1:000000000000:q"
)

// listener is a destination that keeps what it is told, and fails as often as it is
// to.
type listener struct {
	mu       sync.Mutex
	failures []error
	got      []string
	times    []time.Time
}

func (l *listener) Find(_ context.Context, arn string) error {
	if strings.HasSuffix(arn, "absent") {
		return ErrUndeliverable
	}
	return nil
}

func (l *listener) Deliver(_ context.Context, _ string, event []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times = append(l.times, time.Now())
	if len(l.failures) > 0 {
		err := l.failures[0]
		l.failures = l.failures[1:]
		return err
	}
	l.got = append(l.got, string(event))
	return nil
}

// told returns the names and keys of the events so far.
func (l *listener) told() string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, doc := range l.got {
		var e struct {
			Event   string
			Records []eventRecord
		}
		if err := json.Unmarshal([]byte(doc), &e); err != nil {
			all = append(all, err.Error())
			continue
		}
		if e.Event != "" {
			all = append(all, e.Event)
		}
		for _, r := range e.Records {
			all = append(all, r.Name+" "+r.S3.Object.Key)
		}
	}
	return strings.Join(all, ", ")
}

func ptr(s string) *string { return &s }

func listening(t *testing.T, fs *vfs.MemFS, functions, queues *listener) *world {
	return openWorld(t, fs, func(c *Config) { c.Functions, c.Queues = functions, queues })
}

func TestEventsOfChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		functions, queues := &listener{}, &listener{}
		w := listening(t, vfs.NewMem(), functions, queues)
		defer w.close()
		w.create(t, "bucket")
		err := w.SetNotifications(t.Context(), "bucket", Notifications{Rules: []Rule{
			{Target: aFunction, Events: []string{"s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"}, Prefix: ptr("in/"), Suffix: ptr(".txt")},
			{Target: aQueue, Events: []string{"s3:ObjectCreated:CompleteMultipartUpload", "s3:ObjectTagging:*"}, Suffix: ptr(".bin")},
		}}, false, Origin{})
		if err != nil {
			t.Fatal(err)
		}
		w.put(t, "bucket", "in/a b@c.txt", "1")
		w.put(t, "bucket", "out/a.txt", "1")
		if _, err := w.Write(t.Context(), Put{Bucket: "bucket", Key: "in/form.txt", Body: strings.NewReader("1"), Expected: Expected{Size: -1}, Form: true}); err != nil {
			t.Fatal(err)
		}
		w.put(t, "bucket", "in/a.bin", "1")
		w.uploadInParts(t, "bucket", "in/b.bin", "2")
		if err := w.SetObjectTags(t.Context(), "bucket", "in/b.bin", map[string]string{"a": "b"}, Origin{}); err != nil {
			t.Fatal(err)
		}
		if err := w.Delete(t.Context(), "bucket", []string{"in/a b@c.txt", "in/absent.txt", "in/b.bin"}, Origin{}); err != nil {
			t.Fatal(err)
		}
		if got, want := functions.told(), "ObjectCreated:Put in/a+b%40c.txt, ObjectCreated:Post in/form.txt, ObjectRemoved:Delete in/a+b%40c.txt, ObjectRemoved:Delete in/absent.txt"; got != want {
			t.Errorf("function: %s", got)
		}
		if got, want := queues.told(), "s3:TestEvent, ObjectCreated:CompleteMultipartUpload in/b.bin, ObjectTagging:Put in/b.bin"; got != want {
			t.Errorf("queue: %s", got)
		}
	})
}

func TestEventDocument(t *testing.T) {
	t.Parallel()
	o := Object{Key: "a b@c", Size: 3, ETag: "etag", Modified: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
	e := event{region: "R", account: "1", bucket: "b", rule: "id", kind: CreatedPut, object: o, sequencer: 0x65C0B1E2D3F4A596,
		origin: Origin{RequestID: "req", HostID: "host", SourceIP: "192.0.2.1", Principal: "ID"}}
	const want = `{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"R","eventTime":"2025-01-01T00:00:00.000Z",` +
		`"eventName":"ObjectCreated:Put","userIdentity":{"principalId":"AWS:ID"},"requestParameters":{"sourceIPAddress":"192.0.2.1"},` +
		`"responseElements":{"x-amz-request-id":"req","x-amz-id-2":"host"},"s3":{"s3SchemaVersion":"1.0","configurationId":"id",` +
		`"bucket":{"name":"b","ownerIdentity":{"principalId":"1"},"arn":"arn:aws:s3:::b"},"object":{"key":"a+b%40c","size":3,"eTag":"etag","sequencer":"0065C0B1E2D3F4A596"}}}]}`
	if got := string(e.document()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEventsAreTriedUntilTheyAreTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		busy := errors.New("busy")
		functions := &listener{failures: []error{busy, busy, busy}}
		w := listening(t, vfs.NewMem(), functions, nil)
		defer w.close()
		w.create(t, "bucket")
		rules := Notifications{Rules: []Rule{{Target: aFunction, Events: []string{"s3:ObjectCreated:*"}}}}
		if err := w.SetNotifications(t.Context(), "bucket", rules, false, Origin{}); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		w.put(t, "bucket", "a", "")
		w.put(t, "bucket", "b", "")
		time.Sleep(time.Minute)
		if got := functions.told(); got != "ObjectCreated:Put a, ObjectCreated:Put b" {
			t.Errorf("told: %s", got)
		}
		if took := functions.times[3].Sub(begin); took != 7*time.Second {
			t.Errorf("the fourth try came after %v", took)
		}
		// What will never be taken does not hold up what follows.
		functions.failures = []error{fmt.Errorf("gone: %w", ErrUndeliverable)}
		w.put(t, "bucket", "c", "")
		w.put(t, "bucket", "d", "")
		if got := functions.told(); got != "ObjectCreated:Put a, ObjectCreated:Put b, ObjectCreated:Put d" {
			t.Errorf("told: %s", got)
		}
	})
}

func TestEventsOutliveTheServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		busy := errors.New("busy")
		w := listening(t, vfs.NewMem(), &listener{failures: []error{busy, busy, busy, busy, busy}}, nil)
		w.create(t, "bucket")
		rules := Notifications{Rules: []Rule{{Target: aFunction, Events: []string{"s3:ObjectCreated:*"}}}}
		if err := w.SetNotifications(t.Context(), "bucket", rules, false, Origin{}); err != nil {
			t.Fatal(err)
		}
		w.put(t, "bucket", "a", "")
		w.put(t, "bucket", "b", "")
		time.Sleep(3 * time.Second)
		w.close()
		functions := &listener{}
		w = listening(t, w.fs, functions, nil)
		defer w.close()
		if got := functions.told(); got != "ObjectCreated:Put a, ObjectCreated:Put b" {
			t.Errorf("told: %s", got)
		}
	})
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := listening(t, vfs.NewMem(), &listener{}, &listener{})
	w.create(t, "bucket")
	created := []string{"s3:ObjectCreated:*"}
	for _, test := range []struct {
		rules []Rule
		want  string
	}{
		{[]Rule{{Target: aFunction, Events: []string{"s3:ObjectCreated:Nothing"}}}, "InvalidArgument: The event 's3:ObjectCreated:Nothing' is not supported for notifications"},
		{[]Rule{{Target: "nonsense", Events: created}}, "InvalidArgument: The ARN could not be parsed"},
		{[]Rule{{Target: aQueue + "-absent", Events: created}}, "InvalidArgument: Unable to validate the following destination configurations"},
		{[]Rule{{Target: aQueue + ".fifo", Events: created}}, "InvalidArgument: Unable to validate the following destination configurations"},
		{[]Rule{{Target: "arn:aws:sns:us-east-1:000000000000:t", Events: created}}, "InvalidArgument: Unable to validate the following destination configurations"},
		{[]Rule{{ID: "x", Target: aQueue, Events: created, Prefix: ptr("a")}, {ID: "x", Target: aQueue, Events: created, Prefix: ptr("b")}}, "InvalidArgument: Same ID used for multiple configurations. IDs must be unique"},
		{[]Rule{{Target: aQueue, Events: created, Prefix: ptr("a")}, {Target: aFunction, Events: []string{"s3:ObjectCreated:Put"}, Prefix: ptr("ab"), Suffix: ptr("x")}}, "InvalidArgument: Configurations overlap. Configurations on the same bucket cannot share a common event type."},
		{[]Rule{{Target: aQueue, Events: created, Suffix: ptr("a")}, {Target: aFunction, Events: created, Suffix: ptr("b")}}, ""},
		{nil, ""},
	} {
		err := w.SetNotifications(t.Context(), "bucket", Notifications{Rules: test.rules}, false, Origin{})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%+v: %q, want %q", test.rules, got, test.want)
		}
	}
	absent := Notifications{Rules: []Rule{{Target: aQueue + "-absent", Events: created}}}
	if err := w.SetNotifications(t.Context(), "bucket", absent, true, Origin{}); err != nil {
		t.Errorf("unchecked: %v", err)
	}
}
