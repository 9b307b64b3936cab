package pages

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/console"
	"github.com/weirstream/weir/internal/notify"
)

type topics struct{ Domains }

func (t topics) Topics(ctx context.Context) ([]console.Topic, error) {
	var out []console.Topic
	for _, arn := range t.Domains.Topics.Topics() {
		a, err := catalog.ParseARN(arn)
		if err != nil {
			return nil, err
		}
		topic := console.Topic{Name: a.Resource, ARN: arn}
		subs, err := t.Domains.Topics.Subscriptions(ctx, arn)
		if err != nil {
			continue // deleted meanwhile
		}
		for _, sub := range subs {
			topic.Subscriptions = append(topic.Subscriptions, console.Subscription{
				Protocol: sub.Protocol, Endpoint: sub.Endpoint, Confirmed: sub.ListedARN() == sub.ARN,
			})
		}
		out = append(out, topic)
	}
	return out, nil
}

type outbox struct{ Domains }

// previewLength is how much of a mail's body a list shows.
const previewLength = 140

func (o outbox) Mails(_ context.Context, before string, limit int) (console.MailPage, error) {
	id, err := mailID(before)
	if err != nil {
		return console.MailPage{}, err
	}
	mails, err := o.Domains.Outbox.List(id, limit)
	if err != nil {
		return console.MailPage{}, err
	}
	total, err := o.Domains.Outbox.Len()
	page := console.MailPage{Total: total}
	for _, m := range mails {
		page.Mails = append(page.Mails, mail(m))
	}
	if len(mails) == limit {
		page.Next = strconv.FormatUint(mails[limit-1].ID, 10)
	}
	return page, err
}

func (o outbox) Mail(_ context.Context, id string) (console.MailDetail, error) {
	n, err := mailID(id)
	if err != nil {
		return console.MailDetail{}, err
	}
	m, err := o.Domains.Outbox.Get(n)
	if errors.Is(err, notify.ErrNoMail) {
		return console.MailDetail{}, fmt.Errorf("%w: mail %s", console.ErrNotFound, id)
	}
	return console.MailDetail{Mail: mail(m), Body: m.Body}, err
}

func mail(m notify.Mail) console.Mail {
	preview := strings.Join(strings.Fields(m.Body), " ")
	if runes := []rune(preview); len(runes) > previewLength {
		preview = string(runes[:previewLength]) + "…"
	}
	return console.Mail{ID: strconv.FormatUint(m.ID, 10), Time: m.Time, From: m.From, To: m.To, Subject: m.Subject, Preview: preview}
}

func mailID(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	id, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is no mail", console.ErrInvalid, s)
	}
	return id, nil
}
