package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

func openQueues(t testing.TB) *Queues {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	queues, err := Open(Config{DB: db, Identity: catalog.DefaultIdentity, Meter: meter.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(queues.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return queues
}

func create(t testing.TB, qs *Queues, name string, attributes map[string]string) *Queue {
	t.Helper()
	q, err := qs.Create(t.Context(), name, attributes, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// Digests that were recorded from the service.
func TestDigests(t *testing.T) {
	t.Parallel()
	for want, attributes := range map[string]map[string]Attribute{
		"":                                 nil,
		"adb59cd4678ea5a855436b949cd07ab6": {"MyAttribute": {Type: "String", String: "foobar"}},
		"d25a6aea97eb8f585bfa92d314504a92": {
			"Title": {Type: "String", String: "The Whistler"}, "Author": {Type: "String", String: "John Grisham"}, "WeeksOn": {Type: "Number", String: "6"},
		},
		"8cbe4db156db8a94db8b801b7addb984": {"attr1": {Type: "Binary", Binary: []byte("traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01")}},
	} {
		if got := AttributesMD5(attributes); got != want {
			t.Errorf("%v: %s, want %s", attributes, got, want)
		}
	}
	if got := BodyMD5("foobar"); got != "3858f62230ac3c915f300c664312c63f" {
		t.Error(got)
	}
}

func TestMessagesThatAreRefused(t *testing.T) {
	t.Parallel()
	q := create(t, openQueues(t), "jobs", map[string]string{"MaximumMessageSize": "2048"})
	attribute := func(name string, a Attribute) Message {
		return Message{Body: "m", Attributes: map[string]Attribute{name: a}}
	}
	many := Message{Body: "m", Attributes: map[string]Attribute{}}
	for i := range 11 {
		many.Attributes[fmt.Sprint(i)] = Attribute{Type: "String", String: "v"}
	}
	text := Attribute{Type: "String", String: "v"}
	for name, c := range map[string]struct {
		m    Message
		want string // "" is accepted
	}{
		"as long as can be":   {Message{Body: strings.Repeat("x", 2048)}, ""},
		"a byte longer":       {Message{Body: strings.Repeat("x", 2049)}, "InvalidParameterValueException: One or more parameters are invalid. Reason: Message must be shorter than 2048 bytes."},
		"attributes count":    {Message{Body: strings.Repeat("x", 2048-7), Attributes: map[string]Attribute{"a": text}}, "shorter than 2048"},
		"empty":               {Message{}, "MissingRequiredParameterException: The request must contain the parameter MessageBody."},
		"control":             {Message{Body: "a\x00"}, "InvalidMessageContents: Invalid characters found."},
		"not UTF-8":           {Message{Body: "\xff"}, "InvalidMessageContents"},
		"replacement":         {Message{Body: "\uFFFD\t\U0001F600"}, ""},
		"not a character":     {Message{Body: "\uFFFE"}, "InvalidMessageContents"},
		"11 attributes":       {many, "Number of message attributes [11] exceeds the allowed maximum [10]."},
		"empty string":        {attribute("a", Attribute{Type: "String"}), "Message (user) attribute 'a' must contain a non-empty value of type 'String'."},
		"empty binary":        {attribute("a", Attribute{Type: "Binary.x"}), "must contain a non-empty value of type 'Binary'."},
		"not a number":        {attribute("a", Attribute{Type: "Number", String: "0x1"}), "Can't cast the value of message (user) attribute 'a' to a number."},
		"number":              {attribute("a", Attribute{Type: "Number.int", String: "-1e5"}), ""},
		"unknown type":        {attribute("a", Attribute{Type: "Text", String: "v"}), "The type of message (user) attribute 'a' is invalid."},
		"no type":             {attribute("a", Attribute{String: "v"}), "must contain non-empty message attribute type."},
		"name with space":     {attribute("a b", text), "attributes name can only contain"},
		"reserved name":       {attribute("AWS.x", text), "You can't use message attribute names beginning with"},
		"dots":                {attribute("a..b", text), "You can't use message attribute names beginning with"},
		"long name":           {attribute(strings.Repeat("a", 257), text), "names must be shorter than 256 Bytes"},
		"group, standard":     {Message{Body: "m", Group: new("g")}, ""},
		"id, standard":        {Message{Body: "m", DeduplicationID: new("d")}, "Value d for parameter MessageDeduplicationId is invalid."},
		"empty group":         {Message{Body: "m", Group: new("")}, "Value  for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length."},
		"group with a space":  {Message{Body: "m", Group: new("a b")}, "Value a b for parameter MessageGroupId is invalid."},
		"group of 129 letter": {Message{Body: "m", Group: new(strings.Repeat("a", 129))}, "MessageGroupId is invalid."},
	} {
		_, err := q.Prepare(t.Context(), c.m)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestAttributesThatAreRefused(t *testing.T) {
	t.Parallel()
	qs := openQueues(t)
	for _, c := range []struct{ name, attribute, value, want string }{
		{"jobs.fifo", "", "", "InvalidParameterValueException: Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"},
		{"", "", "", "1 to 80 in length"},
		{strings.Repeat("a", 81), "", "", "1 to 80 in length"},
		{"jobs", "FifoQueue", "true", "The name of a FIFO queue can only include"},
		{"jobs", "FifoQueue", "false", "InvalidAttributeName: Unknown Attribute FifoQueue."},
		{"jobs", "ContentBasedDeduplication", "true", "InvalidAttributeName: Unknown Attribute ContentBasedDeduplication."},
		{"jobs", "DeduplicationScope", "queue", "InvalidAttributeName: You can specify the DeduplicationScope only when FifoQueue is set to true."},
		{"jobs", "FifoThroughputLimit", "perQueue", "InvalidAttributeName: You can specify the FifoThroughputLimit only when FifoQueue is set to true."},
		{"jobs", "DelaySeconds", "901", "InvalidAttributeValue: Invalid value for the parameter DelaySeconds."},
		{"jobs", "MessageRetentionPeriod", "59", "Invalid value for the parameter MessageRetentionPeriod."},
		{"jobs", "VisibilityTimeout", "x", "Invalid value for the parameter VisibilityTimeout."},
		{"jobs", "Policy", "x", "Invalid value for the parameter Policy."},
		{"jobs", "QueueArn", "x", "InvalidAttributeName: Unknown Attribute QueueArn."},
		{"jobs", "KmsMasterKeyId", "x", "not implemented"},
		{"jobs", "RedriveAllowPolicy", `{"redrivePermission":"byQueue"}`, "sourceQueueArns must hold 1 to 10 ARNs."},
		{"jobs", "RedriveAllowPolicy", `{"redrivePermission":"x"}`, "redrivePermission must be"},
	} {
		attributes := map[string]string{}
		if c.attribute != "" {
			attributes[c.attribute] = c.value
		}
		if _, err := qs.Create(t.Context(), c.name, attributes, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	create(t, qs, "two", nil)
	for range 30 {
		_, err := qs.Create(t.Context(), "two", map[string]string{"VisibilityTimeout": "5", "DelaySeconds": "5", "MessageRetentionPeriod": "60"}, nil)
		if err == nil || !strings.HasSuffix(err.Error(), "attribute DelaySeconds") {
			t.Fatal("not the first of the attributes that differ:", err)
		}
	}
	q := create(t, qs, "a.fifo", map[string]string{"FifoQueue": "true"})
	if err := q.SetAttributes(t.Context(), map[string]string{"FifoQueue": "false"}); err == nil || !strings.Contains(err.Error(), "Modifying queue type is not supported.") {
		t.Error(err)
	}
	if _, err := q.Attributes(t.Context(), []string{"Nothing"}); err == nil {
		t.Error("an attribute that no queue has")
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	q := create(t, openQueues(t), "jobs", nil)
	ctx := t.Context()
	half := strings.Repeat("x", maxBatchBytes/2)
	for name, c := range map[string]struct {
		entries []Entry
		want    string
	}{
		"none":     {nil, "EmptyBatchRequest: There should be at least one SendMessageBatchRequestEntry in the request."},
		"eleven":   {make([]Entry, 11), "TooManyEntriesInBatchRequest: Maximum number of entries per request are 10. You have sent 11."},
		"bad id":   {[]Entry{{ID: "a:"}}, "InvalidBatchEntryId"},
		"same ids": {[]Entry{{ID: "a"}, {ID: "a"}}, "BatchEntryIdsNotDistinct: Id a repeated."},
		"too long": {[]Entry{{"a", Message{Body: half}}, {"b", Message{Body: half + "x"}}}, "BatchRequestTooLong: Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."},
	} {
		if _, err := q.SendBatch(ctx, c.entries); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	results, err := q.SendBatch(ctx, []Entry{{"a", Message{Body: half}}, {"b", Message{Body: half}}})
	if err != nil || results[0].Err != nil || results[1].Err != nil || q.Counts().Visible != 2 {
		t.Error(results[0].Err, err)
	}
}

// A message that is sent as part of a transaction is there when it commits, in the
// order of the commits, and not at all when it is discarded.
func TestSendInTransactions(t *testing.T) {
	t.Parallel()
	qs := openQueues(t)
	a, b := create(t, qs, "a", nil), create(t, qs, "b.fifo", map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"})
	ctx := t.Context()
	for _, commit := range []bool{false, true} {
		pa, err := a.Prepare(ctx, Message{Body: "m"})
		if err != nil {
			t.Fatal(err)
		}
		pb, err := b.Prepare(ctx, Message{Body: "m", Group: new("g")})
		if err != nil {
			t.Fatal(err)
		}
		tx := qs.db.Begin()
		s := qs.Lock(pb, pa, pb)
		for _, p := range []*Prepared{pa, pb, pb} {
			if _, err := s.Send(tx, p); err != nil {
				t.Fatal(err)
			}
		}
		if !commit {
			tx.Discard()
			s.Unlock()
		} else {
			if err := tx.Apply(); err != nil {
				t.Fatal(err)
			}
			s.Unlock()
			if n := a.Counts().Visible; n != 0 {
				t.Errorf("%d messages before they are on disk", n)
			}
			if err := tx.Wait(); err != nil {
				t.Fatal(err)
			}
		}
		want := 0
		if commit {
			want = 1 // the second to b is a duplicate
		}
		if got, gotB := a.Counts().Visible, b.Counts().Visible; got != want || gotB != want {
			t.Errorf("committed %v: %d and %d messages", commit, got, gotB)
		}
	}
}

// Many senders and receivers at once: nothing is lost, and nobody sees messages of
// a group out of order or two at a time.
func TestFIFOUnderLoad(t *testing.T) {
	t.Parallel()
	const groups, each, workers = 5, 60, 8
	qs := openQueues(t)
	q := create(t, qs, "q.fifo", map[string]string{"FifoQueue": "true"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var senders, receivers sync.WaitGroup
	for g := range groups {
		senders.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%d-%d", g, i)
				if _, err := q.Send(ctx, Message{Body: fmt.Sprint(i), Group: new(fmt.Sprint(g)), DeduplicationID: &id}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var mu sync.Mutex
	next, busy, done := map[string]int{}, map[string]bool{}, 0
	handle := func(got []Received) {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range got {
			if r.Body != fmt.Sprint(next[r.Group]) {
				t.Errorf("group %s: %s, want %d", r.Group, r.Body, next[r.Group])
			}
			next[r.Group]++
			if done++; done == groups*each {
				cancel()
			}
		}
		for _, r := range got {
			busy[r.Group] = false
		}
	}
	for w := range workers {
		receivers.Go(func() {
			for ctx.Err() == nil {
				got, err := q.Receive(ctx, ReceiveRequest{Max: new(1 + w%3), Wait: new(20)})
				if err != nil {
					return // the end
				}
				mu.Lock()
				for i, r := range got {
					if busy[r.Group] && (i == 0 || got[i-1].Group != r.Group) {
						t.Errorf("group %s is in flight twice", r.Group)
					}
					busy[r.Group] = true
				}
				mu.Unlock()
				handle(got)
				var handles []string
				for _, r := range got {
					handles = append(handles, r.Handle)
				}
				if _, err := q.DeleteAll(context.WithoutCancel(ctx), handles); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	receivers.Wait()
	if c := q.Counts(); done != groups*each || c.Visible+c.InFlight > 0 {
		t.Errorf("%d handled, %+v left", done, c)
	}
}

func FuzzMessage(f *testing.F) {
	m := stored{
		ID: uuid.New(), Sent: 1, VisibleFrom: 2, Receives: 3, FirstTime: 4, Group: "g", Dedup: "d", Sender: "s", Trace: "t", Origin: "o",
		Attributes: map[string]Attribute{"a": {Type: "String", String: "v"}, "b": {Type: "Binary", Binary: []byte{0}}}, Body: "body",
	}
	f.Add(m.encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMessage(b)
		if err != nil {
			return
		}
		again, err := decodeMessage(m.encode())
		if err != nil || !bytes.Equal(again.encode(), m.encode()) {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	})
}

func FuzzHandle(f *testing.F) {
	f.Add(handle{1, 2, 3}.String())
	f.Add("AQEB")
	f.Fuzz(func(t *testing.T, text string) {
		h, ok := parseHandle(text)
		if ok && h.String() != text {
			// Base64 has several forms of the same bytes; they mean the same message.
			if again, ok := parseHandle(h.String()); !ok || again != h {
				t.Errorf("%q is %+v", text, h)
			}
		}
	})
}

func BenchmarkSendReceiveDelete(b *testing.B) {
	db, err := store.Open(b.TempDir(), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	qs, err := Open(Config{DB: db, Identity: catalog.DefaultIdentity})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = errors.Join(qs.Close(), db.Close()) }()
	q := create(b, qs, "jobs", nil)
	body := strings.Repeat("x", 200)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			entries := make([]Entry, maxBatch)
			for i := range entries {
				entries[i] = Entry{ID: fmt.Sprint(i), Message: Message{Body: body}}
			}
			if _, err := q.SendBatch(b.Context(), entries); err != nil {
				b.Error(err)
			}
			got, err := q.Receive(b.Context(), ReceiveRequest{Max: new(maxBatch)})
			if err != nil {
				b.Error(err)
			}
			handles := make([]string, len(got))
			for i, r := range got {
				handles[i] = r.Handle
			}
			if _, err := q.DeleteAll(b.Context(), handles); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N*maxBatch)/b.Elapsed().Seconds(), "messages/s")
}
