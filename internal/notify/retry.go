package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// policy says when a failed delivery is tried again: at once, then after the
// shortest delay, then after delays that grow from the shortest to the longest,
// then after the longest.
type policy struct {
	MinDelay   int    `json:"minDelayTarget"` // seconds
	MaxDelay   int    `json:"maxDelayTarget"` // seconds
	NumRetries int    `json:"numRetries"`     // in all
	NoDelay    int    `json:"numNoDelayRetries"`
	AtMin      int    `json:"numMinDelayRetries"`
	AtMax      int    `json:"numMaxDelayRetries"`
	Backoff    string `json:"backoffFunction"` // linear, arithmetic, geometric, exponential
}

// The policies of the protocols. That of HTTP endpoints can be changed.
var (
	httpPolicy   = policy{MinDelay: 20, MaxDelay: 20, NumRetries: 3, Backoff: "linear"}
	lambdaPolicy = policy{MinDelay: 1, MaxDelay: 20, NumRetries: 100_015, NoDelay: 3, AtMin: 2, AtMax: 100_000, Backoff: "exponential"}
	mailPolicy   = policy{MinDelay: 10, MaxDelay: 600, NumRetries: 50, AtMin: 2, AtMax: 38, Backoff: "exponential"}
)

const (
	maxRetries     = 100
	maxDelaySecond = 3600
)

// delay returns how long to wait before a retry, counted from 1; ok is false when
// there is none left.
func (p policy) delay(retry int) (d time.Duration, ok bool) {
	if retry > p.NumRetries {
		return 0, false
	}
	growing := p.NumRetries - p.NoDelay - p.AtMin - p.AtMax
	seconds := float64(p.MaxDelay)
	switch n := retry - p.NoDelay; {
	case n <= 0:
		seconds = 0
	case n <= p.AtMin:
		seconds = float64(p.MinDelay)
	case n <= p.AtMin+growing:
		seconds = p.grown(n-p.AtMin, growing)
	}
	return time.Duration(seconds * float64(time.Second)), true
}

// grown is the n-th of so many growing delays. The service publishes the shapes
// of its functions as a picture only: linear is a straight line from the shortest
// to the longest delay, arithmetic and geometric bend below it, exponential most.
func (p policy) grown(n, of int) float64 {
	low, high := float64(p.MinDelay), float64(p.MaxDelay)
	if of <= 1 || low >= high {
		return low
	}
	x := float64(n-1) / float64(of-1)
	switch p.Backoff {
	case "arithmetic":
		return low + (high-low)*x*(1+x)/2
	case "geometric":
		return low + (high-low)*x*x
	case "exponential":
		return low * math.Pow(high/low, x)
	default:
		return low + (high-low)*x
	}
}

func (p policy) check() error {
	switch {
	case p.MinDelay < 1 || p.MinDelay > p.MaxDelay:
		return errors.New("minDelayTarget must be at least 1 and not greater than maxDelayTarget")
	case p.MaxDelay > maxDelaySecond:
		return fmt.Errorf("maxDelayTarget must be less than or equal to %d", maxDelaySecond)
	case p.NumRetries < 0 || p.NumRetries > maxRetries:
		return fmt.Errorf("numRetries must be between 0 and %d", maxRetries)
	case min(p.NoDelay, p.AtMin, p.AtMax) < 0 || max(p.NoDelay, p.AtMin, p.AtMax) > maxRetries || p.NoDelay+p.AtMin+p.AtMax > p.NumRetries:
		return errors.New("numRetries must be at least numNoDelayRetries + numMinDelayRetries + numMaxDelayRetries")
	case !slices.Contains([]string{"linear", "arithmetic", "geometric", "exponential"}, p.Backoff):
		return errors.New("backoffFunction must be linear, arithmetic, geometric or exponential")
	}
	total := time.Duration(0)
	for i := 1; i <= p.NumRetries; i++ {
		d, _ := p.delay(i)
		total += d
	}
	if total > maxDelaySecond*time.Second {
		return fmt.Errorf("the total of all delays must be less than or equal to %d seconds", maxDelaySecond)
	}
	return nil
}

// requestPolicy changes the requests to HTTP endpoints.
type requestPolicy struct {
	ContentType string `json:"headerContentType"`
}

// throttlePolicy bounds the tries to reach an HTTP endpoint.
type throttlePolicy struct {
	PerSecond int `json:"maxReceivesPerSecond"`
}

// pause is the time from one try to the next at the earliest.
func (p *throttlePolicy) pause() time.Duration {
	if p == nil {
		return 0
	}
	return time.Second / time.Duration(p.PerSecond)
}

// deliveryPolicy is what subscribers by HTTP can choose. Policies name more
// members, mostly null as the service shows them, which are not implemented.
type deliveryPolicy struct {
	Healthy  *policy         `json:"healthyRetryPolicy,omitempty"`
	Request  *requestPolicy  `json:"requestPolicy,omitempty"`
	Throttle *throttlePolicy `json:"throttlePolicy,omitempty"`
	Sickly   any             `json:"sicklyRetryPolicy,omitempty"`
	Guard    bool            `json:"guaranteed,omitempty"`
}

func (p deliveryPolicy) check() error { return checkRest(p.Throttle, p.Sickly, p.Guard) }

// checkRest refuses what is not implemented rather than ignore it.
func checkRest(throttle *throttlePolicy, sickly any, guaranteed bool) error {
	switch {
	case throttle != nil && throttle.PerSecond < 1:
		return errors.New("maxReceivesPerSecond must be greater than or equal to 1")
	case sickly != nil:
		return errors.New("a sickly retry policy is not implemented")
	case guaranteed:
		return errors.New("guaranteed is not implemented")
	}
	return nil
}

// topicPolicy is the form for all HTTP subscriptions of a topic.
type topicPolicy struct {
	HTTP struct {
		Healthy          *policy         `json:"defaultHealthyRetryPolicy,omitempty"`
		DisableOverrides bool            `json:"disableSubscriptionOverrides"`
		Request          *requestPolicy  `json:"defaultRequestPolicy,omitempty"`
		Throttle         *throttlePolicy `json:"defaultThrottlePolicy,omitempty"`
		Sickly           any             `json:"defaultSicklyRetryPolicy,omitempty"`
		Guard            bool            `json:"guaranteed,omitempty"`
	} `json:"http"`
}

func (p topicPolicy) check() error {
	return checkRest(p.HTTP.Throttle, p.HTTP.Sickly, p.HTTP.Guard)
}

// parseDeliveryPolicy reads a policy from an attribute; what is not given is the default.
func parseDeliveryPolicy(doc string) (deliveryPolicy, error) {
	p := deliveryPolicy{Healthy: new(policy)}
	*p.Healthy = httpPolicy
	if err := strictJSON(doc, &p); err != nil {
		return deliveryPolicy{}, err
	}
	if err := p.check(); err != nil {
		return deliveryPolicy{}, err
	}
	if p.Healthy == nil {
		return p, nil
	}
	return p, p.Healthy.check()
}

func parseTopicPolicy(doc string) (topicPolicy, error) {
	var p topicPolicy
	p.HTTP.Healthy = new(policy)
	*p.HTTP.Healthy = httpPolicy
	if err := strictJSON(doc, &p); err != nil {
		return topicPolicy{}, err
	}
	if err := p.check(); err != nil {
		return topicPolicy{}, err
	}
	if p.HTTP.Healthy == nil {
		return p, nil
	}
	return p, p.HTTP.Healthy.check()
}

// strictJSON refuses members that are not implemented rather than ignore them.
func strictJSON(doc string, into any) error {
	dec := json.NewDecoder(strings.NewReader(doc))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("more than one JSON value")
	}
	return nil
}

// effectivePolicy is what holds for deliveries to an HTTP subscription.
func effectivePolicy(topic Topic, sub Subscription) deliveryPolicy {
	p := deliveryPolicy{Healthy: &httpPolicy}
	overrides := true
	if topic.DeliveryPolicy != "" {
		if t, err := parseTopicPolicy(topic.DeliveryPolicy); err == nil {
			p = merged(p, t.HTTP.Healthy, t.HTTP.Request, t.HTTP.Throttle)
			overrides = !t.HTTP.DisableOverrides
		}
	}
	if sub.DeliveryPolicy != "" && overrides {
		if s, err := parseDeliveryPolicy(sub.DeliveryPolicy); err == nil {
			p = merged(p, s.Healthy, s.Request, s.Throttle)
		}
	}
	return p
}

func merged(p deliveryPolicy, healthy *policy, request *requestPolicy, throttle *throttlePolicy) deliveryPolicy {
	if healthy != nil {
		p.Healthy = healthy
	}
	if request != nil {
		p.Request = request
	}
	if throttle != nil {
		p.Throttle = throttle
	}
	return p
}

// effectiveTopicPolicy is what holds for the HTTP subscriptions of a topic that
// have no policy of their own, as JSON.
func effectiveTopicPolicy(topic Topic) string {
	p := effectivePolicy(topic, Subscription{})
	var shown topicPolicy
	shown.HTTP.Healthy, shown.HTTP.Request, shown.HTTP.Throttle = p.Healthy, p.Request, p.Throttle
	if shown.HTTP.Request == nil {
		shown.HTTP.Request = &requestPolicy{contentType}
	}
	if set, err := parseTopicPolicy(topic.DeliveryPolicy); err == nil {
		shown.HTTP.DisableOverrides = set.HTTP.DisableOverrides
	}
	doc, err := json.Marshal(shown)
	if err != nil {
		return "" // plain structs of numbers and strings always encode
	}
	return string(doc)
}
