package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

const (
	defaultFrom         = "AWS Notifications <no-reply@sns.amazonaws.com>"
	confirmationSubject = "AWS Notification - Subscription Confirmation"
	defaultSubject      = "AWS Notification Message"
	smtpPort            = 25
	smtpsPort           = 465
	// ConfirmPath and UnsubscribePath are the pages that the links in mail lead to.
	ConfirmPath     = "/_weir/sns/confirm"
	UnsubscribePath = "/_weir/sns/unsubscribe"
)

// mailer hands mail to an SMTP server.
type mailer struct {
	host string // "" when there is none
	opts []gomail.Option
	from netmail.Address
}

func newMailer(cfg Config) (*mailer, error) {
	sender := cfg.MailFrom
	if sender == "" {
		sender = defaultFrom
	}
	from, err := netmail.ParseAddress(sender)
	if err != nil {
		return nil, fmt.Errorf("sender of mail %q: %w", sender, err)
	}
	m := &mailer{from: *from}
	if cfg.SMTP == "" {
		return m, nil
	}
	if err := m.configure(cfg.SMTP); err != nil {
		return nil, fmt.Errorf("SMTP server: %w", err)
	}
	if cfg.Dial != nil {
		m.opts = append(m.opts, gomail.WithDialContextFunc(gomail.DialContextFunc(cfg.Dial)))
	}
	if _, err := gomail.NewClient(m.host, m.opts...); err != nil {
		return nil, fmt.Errorf("SMTP server: %w", err)
	}
	return m, nil
}

// configure reads host:port, smtp://user:password@host:port or smtps://... Errors
// do not repeat the text, which may hold a password.
func (m *mailer) configure(server string) error {
	if !strings.Contains(server, "://") {
		server = "smtp://" + server
	}
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" {
		return errors.New("the address must be host:port, smtp://[user:password@]host:port or smtps://[user:password@]host:port")
	}
	port := smtpPort
	m.opts = []gomail.Option{gomail.WithTimeout(attemptTimeout)}
	switch u.Scheme {
	case "smtp":
		m.opts = append(m.opts, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	case "smtps":
		port = smtpsPort
		m.opts = append(m.opts, gomail.WithSSL())
	default:
		return errors.New("the address must begin with smtp:// or smtps://")
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		// A server on this machine has a certificate of its own making, if any.
		m.opts = append(m.opts, gomail.WithTLSConfig(&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}))
	}
	if text := u.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil {
			return errors.New("the port is not a number")
		}
	}
	m.opts = append(m.opts, gomail.WithPort(port))
	if u.User != nil {
		password, _ := u.User.Password()
		m.opts = append(m.opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	m.host = u.Hostname()
	return nil
}

func (m *mailer) configured() bool { return m.host != "" }

// send hands a mail over. What the server refuses for good is a permanent error.
func (m *mailer) send(ctx context.Context, mail Mail) error {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(msg.From(mail.From), msg.To(mail.To)); err != nil {
		return permanentError{err}
	}
	msg.Subject(mail.Subject)
	msg.SetDateWithValue(mail.Time)
	_, domain, _ := strings.Cut(m.from.Address, "@")
	msg.SetMessageIDWithValue(fmt.Sprintf("%d.%d@%s", mail.Time.UnixNano(), mail.ID, domain))
	msg.SetBodyString(gomail.TypeTextPlain, mail.Body)
	client, err := gomail.NewClient(m.host, m.opts...)
	if err != nil {
		return permanentError{err}
	}
	err = client.DialAndSendWithContext(ctx, msg)
	var refused *gomail.SendError
	if errors.As(err, &refused) && !refused.IsTemp() && refused.ErrorCode() >= 500 {
		return permanentError{err}
	}
	return err
}

// mail makes a delivery by mail. Without a server, because it was configured away
// since, the mail stays in the outbox.
func (t *Topics) mail(ctx context.Context, d delivery) error {
	if !t.mailer.configured() || d.Mail == nil {
		return nil
	}
	return t.mailer.send(ctx, *d.Mail)
}

// compose writes the mail for a notice.
func (t *Topics) compose(topic Topic, sub Subscription, n notice) (Mail, error) {
	from := t.mailer.from
	if topic.DisplayName != "" {
		from.Name = topic.DisplayName
	}
	m := Mail{Time: n.Time, From: from.String(), To: sub.Endpoint, Subject: n.Subject}
	if n.Kind == kindConfirmation {
		m.Subject = confirmationSubject
		m.Body = t.confirmationText(topic, n)
		return m, nil
	}
	if m.Subject == "" {
		m.Subject = defaultSubject
	}
	body := n.Message
	if sub.Protocol == protocolMailJSON {
		e, err := t.seal(topic, sub, n)
		if err != nil {
			return Mail{}, err
		}
		doc, err := e.json()
		if err != nil {
			return Mail{}, err
		}
		body = string(doc)
	}
	m.Body = body + t.footer(sub)
	return m, nil
}

func (t *Topics) confirmationText(topic Topic, n notice) string {
	return "You have chosen to subscribe to the topic: \n" + topic.ARN + "\n\n" +
		"To confirm this subscription, click or visit the link below (If this was in error no action is necessary): \n" +
		"Confirm subscription\n" +
		t.cfg.Endpoint + ConfirmPath + "?TopicArn=" + topic.ARN + "&Token=" + n.Token + "\n\n" +
		"Please do not reply directly to this email.\n"
}

func (t *Topics) footer(sub Subscription) string {
	return "\n\n--\n" +
		"If you wish to stop receiving notifications from this topic, please click or visit the link below to unsubscribe:\n" +
		t.cfg.Endpoint + UnsubscribePath + "?SubscriptionArn=" + sub.ARN + "&Endpoint=" + url.QueryEscape(sub.Endpoint) + "\n\n" +
		"Please do not reply directly to this email.\n"
}
