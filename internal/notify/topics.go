package notify

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

// Invoker starts functions and returns when the event is accepted. An error that
// wraps ErrUndeliverable is not tried again.
type Invoker interface {
	InvokeAsync(ctx context.Context, functionARN string, event []byte) error
}

// Queues takes messages for queues and returns when they are on disk. An error that
// wraps ErrUndeliverable is not tried again.
type Queues interface {
	SendToQueue(ctx context.Context, queueARN string, m Message) error
}

// Config of [Open].
type Config struct {
	DB       *store.DB
	Identity catalog.Identity
	Log      *slog.Logger // nil discards
	Meter    *meter.Meter // nil measures nothing
	// Endpoint is this server as subscribers reach it, "http://host:port", for
	// links in messages.
	Endpoint string
	// Invoker starts the functions that are subscribed; nil fails those deliveries.
	Invoker Invoker
	// Queues are the queues that are subscribed; nil fails those deliveries.
	Queues Queues
	// SMTP is the server that mail goes to: "host:port", "smtp://user:pass@host:port"
	// or, for TLS from the start, "smtps://...". "" keeps mail in the outbox.
	SMTP string
	// MailFrom is the sender of mail, "Name <address>"; "" means the service's.
	MailFrom string
	// Dial replaces how connections to endpoints and the SMTP server are made.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Topics holds topics and subscriptions and delivers what is published. Its
// methods can be called concurrently.
type Topics struct {
	cfg    Config
	db     *store.DB
	log    *slog.Logger
	topics *catalog.Collection[Topic]
	subs   *catalog.Collection[Subscription]
	index  *index
	signer *signer
	outbox *Outbox
	queue  *queue
	mailer *mailer
	client *http.Client

	// changing serialises changes of definitions, and what gets a number. It is not
	// held while a delivery is made.
	changing sync.Mutex
}

// Open loads topics and subscriptions and goes on with what is to be delivered.
func Open(cfg Config) (*Topics, error) {
	cfg.Endpoint = strings.TrimSuffix(cfg.Endpoint, "/")
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	t := &Topics{cfg: cfg, db: cfg.DB, log: cfg.Log, index: newIndex(), signer: &signer{db: cfg.DB}}
	var err error
	if t.mailer, err = newMailer(cfg); err != nil {
		return nil, err
	}
	if t.topics, err = catalog.Load[Topic](cfg.DB, "topic"); err != nil {
		return nil, fmt.Errorf("topics: %w", err)
	}
	if t.subs, err = catalog.Load[Subscription](cfg.DB, "subscription"); err != nil {
		return nil, fmt.Errorf("topics: %w", err)
	}
	if t.outbox, err = loadOutbox(cfg.DB); err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	t.client = newHTTPClient(cfg)
	for _, sub := range t.subs.All() {
		f, err := filterOf(sub)
		if err != nil {
			return nil, fmt.Errorf("subscription %s: %w", sub.ARN, err)
		}
		t.index.put(sub, f)
	}
	if err := t.forgetExpired(); err != nil {
		return nil, fmt.Errorf("topics: %w", err)
	}
	if t.queue, err = loadQueue(t); err != nil {
		return nil, fmt.Errorf("deliveries: %w", err)
	}
	return t, nil
}

// forgetExpired drops subscriptions that were not confirmed, or not brought back,
// in time.
func (t *Topics) forgetExpired() error {
	tx := t.db.Begin()
	defer tx.Discard()
	now := time.Now()
	for _, sub := range t.subs.All() {
		if sub.State != SubscriptionConfirmed && now.After(sub.TokenUntil) {
			t.removeIn(tx, sub)
		}
	}
	return tx.Commit()
}

// Close interrupts deliveries and returns when they have ended. They are made
// when the store is opened again.
func (t *Topics) Close() error {
	t.queue.close()
	t.client.CloseIdleConnections()
	return nil
}

// Outbox returns the mail.
func (t *Topics) Outbox() *Outbox { return t.outbox }

// Certificate returns the certificate that verifies signed messages, in PEM, and
// the file name that it must be served as under CertificatePath.
func (t *Topics) Certificate() (name string, pem []byte, err error) { return t.signer.certificate() }

// Account returns the account that topics belong to.
func (t *Topics) Account() string { return t.cfg.Identity.Account }

// defaultAccess is the access policy of every topic: its owner may do everything.
func (t *Topics) defaultAccess(arn string) string {
	return fmt.Sprintf(`{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"%s","Condition":{"StringEquals":{"AWS:SourceOwner":"%s"}}}]}`,
		arn, t.cfg.Identity.Account)
}
