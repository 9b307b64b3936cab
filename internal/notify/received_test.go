package notify

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"

	"github.com/cockroachdb/datadriven"
)

// usual are the headers that every request is to have, which are shown only when they
// are other ones.
var usual = map[string]string{"User-Agent": userAgent, "Accept-Encoding": "gzip,deflate", "Connection": "Keep-Alive"}

// requests shows what the HTTP endpoint got, with its signatures verified.
func (s *story) requests() string {
	var b strings.Builder
	for _, r := range s.web.take() {
		fmt.Fprintf(&b, "POST %s -> %d\n", r.path, r.status)
		for _, name := range []string{"Connection", "Content-Type", "Accept-Encoding", "User-Agent", "X-Amz-Sns-Message-Type", "X-Amz-Sns-Message-Id", "X-Amz-Sns-Topic-Arn", "X-Amz-Sns-Subscription-Arn", "X-Amz-Sns-Rawdelivery"} {
			if v := r.header.Get(name); v != usual[name] {
				fmt.Fprintf(&b, "  %s: %s\n", name, v)
			}
		}
		fmt.Fprintf(&b, "%s\n", s.verify(r.body))
	}
	return b.String()
}

// verify replaces the signature of an envelope by what its verification gave. It
// does so from the documented rules, not with the code under test.
func (s *story) verify(body string) string {
	var e map[string]any
	if json.Unmarshal([]byte(body), &e) != nil || e["Signature"] == nil {
		return body
	}
	text := func(name string) string { v, _ := e[name].(string); return v }
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if text("Type") != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	signed := ""
	for _, name := range names {
		if _, ok := e[name]; ok {
			signed += name + "\n" + text(name) + "\n"
		}
	}
	signature, err := base64.StdEncoding.DecodeString(text("Signature"))
	if err != nil {
		s.t.Error(err)
	}
	name, doc, err := s.topics.Certificate()
	if err != nil || text("SigningCertURL") != "http://127.0.0.1:4566/_weir/sns/"+name {
		s.t.Errorf("certificate at %s: %v", text("SigningCertURL"), err)
	}
	block, _ := pem.Decode(doc)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		s.t.Fatal(err)
	}
	key := cert.PublicKey.(*rsa.PublicKey)
	if text("SignatureVersion") == "2" {
		sum := sha256.Sum256([]byte(signed))
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	} else {
		sum := sha1.Sum([]byte(signed))
		err = rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature)
	}
	verdict := "verified"
	if err != nil {
		verdict = err.Error()
	}
	return strings.Replace(body, text("Signature"), verdict, 1)
}

// letters shows what the SMTP server got.
func (s *story) letters(d *datadriven.TestData) string {
	var b strings.Builder
	for _, letter := range s.post.take() {
		m, err := mail.ReadMessage(strings.NewReader(letter))
		if err != nil {
			s.t.Fatal(err)
		}
		for _, name := range []string{"From", "To", "Subject", "Date"} {
			fmt.Fprintf(&b, "%s: %s\n", name, m.Header.Get(name))
		}
		if d.HasArg("heads") {
			continue
		}
		body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil {
			s.t.Fatal(err)
		}
		fmt.Fprintf(&b, "\n%s\n", body)
	}
	return b.String()
}

func (s *story) mails(d *datadriven.TestData) (string, error) {
	limit := 10
	if s.arg(d, "last") != "" {
		limit = int(s.arg(d, "last")[0] - '0')
	}
	mails, err := s.topics.Outbox().List(0, limit)
	var b strings.Builder
	for _, m := range slices.Backward(mails) {
		fmt.Fprintf(&b, "%d %s from %s to %s: %s", m.ID, m.State, m.From, m.To, m.Subject)
		if m.Error != "" {
			fmt.Fprintf(&b, " (try %d: %s)", m.Tries, m.Error)
		}
		b.WriteByte('\n')
		if d.HasArg("bodies") {
			body, footer, _ := strings.Cut(m.Body, "\n\n--\n")
			fmt.Fprintf(&b, "%s\n--\n%s\n", s.verify(body), footer)
		}
	}
	return b.String(), err
}
