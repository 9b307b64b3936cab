package notify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	userAgent   = "Amazon Simple Notification Service Agent"
	contentType = "text/plain; charset=UTF-8"
	// maxAnswer is what is read of an answer, to keep the connection.
	maxAnswer = 64 << 10
)

// newHTTPClient returns the client for endpoints. It takes a redirect for an
// answer.
func newHTTPClient(cfg Config) *http.Client {
	dial, proxy := cfg.Dial, func(*http.Request) (*url.URL, error) { return nil, nil }
	if dial == nil {
		dial, proxy = (&net.Dialer{Timeout: attemptTimeout}).DialContext, http.ProxyFromEnvironment
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dial, Proxy: proxy, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second,
			TLSHandshakeTimeout: attemptTimeout, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post delivers a notice to an HTTP endpoint. Statuses of 500 and above are
// failures; those from 400 are the subscriber's own affair and not tried again.
func (t *Topics) post(ctx context.Context, topic Topic, sub Subscription, n notice) error {
	body := []byte(n.Message)
	raw := sub.Raw && n.Kind == kindNotification
	if !raw {
		e, err := t.seal(topic, sub, n)
		if err != nil {
			return err
		}
		if body, err = e.json(); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.Endpoint, bytes.NewReader(body))
	if err != nil {
		return permanentError{err}
	}
	for name, value := range map[string]string{
		"User-Agent": userAgent, "Accept-Encoding": "gzip,deflate", "Connection": "Keep-Alive", "Content-Type": contentType,
		"x-amz-sns-message-type": n.Kind, "x-amz-sns-message-id": n.ID, "x-amz-sns-topic-arn": topic.ARN,
	} {
		req.Header.Set(name, value)
	}
	if n.Kind != kindConfirmation {
		req.Header.Set("x-amz-sns-subscription-arn", sub.ARN)
	}
	if raw {
		req.Header.Set("x-amz-sns-rawdelivery", "true")
	}
	if p := effectivePolicy(topic, sub); p.Request != nil && p.Request.ContentType != "" {
		req.Header.Set("Content-Type", p.Request.ContentType)
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // only the status matters
	if resp.StatusCode < 200 || resp.StatusCode >= 500 {
		return fmt.Errorf("endpoint answered %s", resp.Status)
	}
	return nil
}
