package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

func openTopics(t testing.TB, cfg Config) *Topics {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	cfg.DB, cfg.Identity, cfg.Endpoint = db, catalog.DefaultIdentity, "http://weir.example"
	topics, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(topics.Close(), topics.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return topics
}

// subscribed makes a topic with one confirmed subscription.
func subscribed(t testing.TB, topics *Topics, protocol, endpoint string) (topicARN string) {
	t.Helper()
	topicARN, err := topics.CreateTopic(t.Context(), "ops", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	arn, err := topics.Subscribe(t.Context(), SubscribeRequest{TopicARN: topicARN, Protocol: protocol, Endpoint: endpoint, ReturnARN: true})
	if err != nil {
		t.Fatal(err)
	}
	sub, _ := topics.subs.Get(arn)
	if _, err := topics.Confirm(t.Context(), topicARN, sub.Token, true, false); err != nil {
		t.Fatal(err)
	}
	return topicARN
}

// The outbox keeps the last thousand mails and hands each to a follower once.
func TestOutboxBoundAndFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		topics := openTopics(t, Config{})
		arn := subscribed(t, topics, "email", "a@b.example")
		box := topics.Outbox()
		ctx, stop := context.WithCancel(t.Context())
		var ids []uint64
		done := make(chan error)
		go func() {
			done <- box.Follow(ctx, 1, func(m Mail) error { ids = append(ids, m.ID); return nil })
		}()
		const n = maxMails + 20
		for i := range n {
			if _, err := topics.Publish(t.Context(), arn, Message{Subject: fmt.Sprint(i), Body: "x"}); err != nil {
				t.Fatal(err)
			}
			if i%50 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("follow ended with %v", err)
		}
		if len(ids) != n || ids[0] != 2 || ids[n-1] != n+1 {
			t.Errorf("followed %d mails, want %d", len(ids), n)
		}
		if kept, err := box.Len(); err != nil || kept != maxMails {
			t.Errorf("%d mails kept, %v", kept, err)
		}
		page, err := box.List(500, 3)
		if err != nil || len(page) != 3 || page[0].ID != 499 || page[2].ID != 497 {
			t.Errorf("page: %v, %v", page, err)
		}
		if _, err := box.Get(1); !errors.Is(err, ErrNoMail) {
			t.Errorf("the oldest mail: %v", err)
		}
		if m, err := box.Get(n + 1); err != nil || m.Subject != fmt.Sprint(n-1) {
			t.Errorf("the newest mail: %v, %v", m, err)
		}
	})
}

// Deliveries to one subscriber arrive in order, and what was published is counted.
func TestOrderAndMeasures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork()
		web := newSubscriber(network, "sub.example:80")
		defer web.server.Close()
		m := meter.New()
		topics := openTopics(t, Config{Dial: network.dial, Meter: m})
		arn := subscribed(t, topics, "http", "http://sub.example/")
		synctest.Wait()
		web.take()
		for i := range 100 {
			if _, err := topics.Publish(t.Context(), arn, Message{Body: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		got := web.take()
		if len(got) != 100 {
			t.Fatalf("%d deliveries", len(got))
		}
		for i, r := range got {
			var e envelope
			if err := json.Unmarshal([]byte(r.body), &e); err != nil || e.Message != fmt.Sprint(i) {
				t.Fatalf("delivery %d is %q, %v", i, e.Message, err)
			}
		}
		figures := map[string]float64{}
		m.Each(func(s *meter.Series) { _, figures[s.Name], _ = s.Totals() })
		if figures["NumberOfMessagesPublished"] != 100 || figures["NumberOfNotificationsDelivered"] != 100 || figures["PublishSize"] != 190 {
			t.Errorf("measured %v", figures)
		}
	})
}

func TestPolicyDelays(t *testing.T) {
	t.Parallel()
	seconds := func(p policy, n int) string {
		var all []string
		for i := 1; i <= n; i++ {
			d, ok := p.delay(i)
			if !ok {
				all = append(all, "end")
				break
			}
			all = append(all, fmt.Sprint(d.Round(time.Second/10).Seconds()))
		}
		return strings.Join(all, " ")
	}
	for name, c := range map[string]struct {
		p    policy
		n    int
		want string
	}{
		"http":        {httpPolicy, 9, "20 20 20 end"},
		"lambda":      {lambdaPolicy, 17, "0 0 0 1 1 1 1.4 1.9 2.7 3.8 5.3 7.4 10.3 14.3 20 20 20"},
		"mail":        {mailPolicy, 14, "10 10 10 15.8 24.8 39.1 61.7 97.2 153.3 241.5 380.7 600 600 600"},
		"linear":      {policy{MinDelay: 1, MaxDelay: 5, NumRetries: 5, Backoff: "linear"}, 6, "1 2 3 4 5 end"},
		"arithmetic":  {policy{MinDelay: 1, MaxDelay: 5, NumRetries: 5, Backoff: "arithmetic"}, 6, "1 1.6 2.5 3.6 5 end"},
		"geometric":   {policy{MinDelay: 1, MaxDelay: 5, NumRetries: 5, Backoff: "geometric"}, 6, "1 1.3 2 3.3 5 end"},
		"exponential": {policy{MinDelay: 1, MaxDelay: 16, NumRetries: 5, Backoff: "exponential"}, 6, "1 2 4 8 16 end"},
	} {
		if got := seconds(c.p, c.n); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestSMTPAddresses(t *testing.T) {
	t.Parallel()
	for server, ok := range map[string]bool{
		"mail.example:25": true, "127.0.0.1:2525": true, "[::1]:25": true, "smtp://u:p@mail.example:587": true, "smtps://mail.example": true,
		"http://mail.example": false, "smtp://:25": false, "mail.example:x": false, "smtp://mail.example/path": false,
	} {
		_, err := newMailer(Config{SMTP: server})
		if (err == nil) != ok {
			t.Errorf("%s: %v", server, err)
		}
	}
	if _, err := newMailer(Config{SMTP: "smtp://user:secret@mail.example:x"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells the password: %v", err)
	}
	if _, err := newMailer(Config{MailFrom: "nobody"}); err == nil {
		t.Error("a sender without an address was accepted")
	}
}

func FuzzParseStructure(f *testing.F) {
	f.Add(`{"default":"a","email":"b","n":1}`)
	f.Add(`{"default":1}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, body string) {
		text, bodies, err := ParseStructure(body)
		if err != nil {
			return
		}
		if _, ok := bodies["default"]; ok {
			t.Errorf("default is left among the bodies, next to %q", text)
		}
	})
}

// The service shows members that are not set as null; policies written after
// what it shows are taken.
func TestPoliciesWithUnsetMembers(t *testing.T) {
	t.Parallel()
	const healthy = `{"numRetries":0,"minDelayTarget":1,"maxDelayTarget":1}`
	sub, err := parseDeliveryPolicy(`{"healthyRetryPolicy":` + healthy + `,"sicklyRetryPolicy":null,"throttlePolicy":null,"guaranteed":false}`)
	if err != nil || sub.Healthy.NumRetries != 0 {
		t.Errorf("subscription: %+v, %v", sub, err)
	}
	topic, err := parseTopicPolicy(`{"http":{"defaultHealthyRetryPolicy":` + healthy + `,"defaultSicklyRetryPolicy":null,"defaultThrottlePolicy":null}}`)
	if err != nil || topic.HTTP.Healthy.NumRetries != 0 {
		t.Errorf("topic: %+v, %v", topic, err)
	}
}

func FuzzDeliveryPolicy(f *testing.F) {
	f.Add(`{"healthyRetryPolicy":{"numRetries":4,"minDelayTarget":5,"maxDelayTarget":35,"backoffFunction":"exponential"}}`)
	f.Add(`{"healthyRetryPolicy":null,"requestPolicy":{"headerContentType":"a"}}`)
	f.Add(`{"healthyRetryPolicy":{"numRetries":0},"sicklyRetryPolicy":null,"throttlePolicy":null,"guaranteed":false}`)
	f.Fuzz(func(t *testing.T, doc string) {
		p, err := parseDeliveryPolicy(doc)
		if err != nil || p.Healthy == nil {
			return
		}
		total := time.Duration(0)
		for i := 1; ; i++ {
			d, ok := p.Healthy.delay(i)
			if !ok {
				break
			}
			if d < 0 || i > maxRetries {
				t.Fatalf("retry %d after %v", i, d)
			}
			total += d
		}
		if total > time.Hour {
			t.Fatalf("retries go on for %v", total)
		}
	})
}

func BenchmarkPublish(b *testing.B) {
	topics := openTopics(b, Config{})
	arn := subscribed(b, topics, "email", "a@b.example")
	for b.Loop() {
		if _, err := topics.Publish(b.Context(), arn, Message{Body: "message"}); err != nil {
			b.Fatal(err)
		}
	}
}

// Of several wrong attributes the first by name is told.
func TestSameErrorEveryTime(t *testing.T) {
	t.Parallel()
	topics := openTopics(t, Config{})
	for range 30 {
		_, err := topics.CreateTopic(t.Context(), "ops", map[string]string{"SignatureVersion": "3", "DeliveryPolicy": "x", "Unknown": "y"}, nil)
		if err == nil || !strings.Contains(err.Error(), "DeliveryPolicy") {
			t.Fatal(err)
		}
	}
}
