package notify

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/weirstream/weir/internal/pattern"
)

// The scopes of filter policies: what of a message they look at.
const (
	scopeAttributes = "MessageAttributes"
	scopeBody       = "MessageBody"
)

const (
	attributeFilterPolicy = "FilterPolicy"
	attributeFilterScope  = "FilterPolicyScope"
)

// maxFilters is how many subscriptions of a topic can have a filter policy.
const maxFilters = 200

// filter is the filter policy of a subscription, compiled. A nil one lets all
// messages pass.
type filter struct {
	pattern *pattern.Pattern
	body    bool
}

// filterOf compiles the policy of a subscription, nil if it has none. An error is a
// *pattern.Error.
func filterOf(s Subscription) (*filter, error) {
	if s.FilterPolicy == "" {
		return nil, nil
	}
	body := s.filterScope() == scopeBody
	dialect := pattern.MessageAttributes
	if body {
		dialect = pattern.MessageBody
	}
	p, err := pattern.Compile(compact(s.FilterPolicy), dialect)
	if err != nil {
		return nil, err
	}
	return &filter{p, body}, nil
}

// compact takes the white space out of JSON. The service does so before it looks at a
// policy: the positions in its errors are those of the compact text.
func compact(document string) []byte {
	var b bytes.Buffer
	if json.Compact(&b, []byte(document)) != nil {
		return []byte(document) // its error is told by who reads it
	}
	return b.Bytes()
}

func (s Subscription) filterScope() string {
	if s.FilterScope == "" {
		return scopeAttributes
	}
	return s.FilterScope
}

// setFilter changes the filter policy; "" and an empty object take it away.
func (s *Subscription) setFilter(policy string) *Error {
	if strings.Join(strings.Fields(policy), "") == "{}" {
		policy = ""
	}
	s.FilterPolicy = policy
	return s.checkFilter()
}

// setScope changes what the filter policy looks at, also before there is one.
func (s *Subscription) setScope(scope string) *Error {
	if scope != scopeAttributes && scope != scopeBody {
		return invalid("FilterPolicyScope: Invalid value [%s]. Please use either MessageBody or MessageAttributes", scope)
	}
	s.FilterScope = scope
	return s.checkFilter()
}

// checkFilter refuses a policy that its scope does not understand.
func (s *Subscription) checkFilter() *Error {
	f, err := filterOf(*s)
	if err == nil && f != nil {
		err = f.pattern.CheckNumbers()
	}
	if err != nil {
		return invalid("%v", err)
	}
	return nil
}

// checkFilterCount refuses one filter policy too many on a topic.
func (t *Topics) checkFilterCount(sub Subscription) error {
	if sub.FilterPolicy == "" {
		return nil
	}
	others := 0
	for _, s := range t.subscriptionsOf(sub.TopicARN) {
		if s.FilterPolicy != "" && s.ARN != sub.ARN {
			others++
		}
	}
	if others >= maxFilters {
		return errorf(FilterLimit, "Filter policy limit exceeded: a topic can have %d filter policies", maxFilters)
	}
	return nil
}

// filterable is a message as filters see it.
type filterable struct {
	attributes []pattern.Attribute
	message    *Message
}

func newFilterable(m *Message) filterable {
	f := filterable{message: m}
	for name, a := range m.Attributes {
		f.attributes = append(f.attributes, pattern.Attribute{Name: name, Type: a.Type, Value: a.String})
	}
	return f
}

// passes reports whether a subscriber by a protocol wants the message.
func (f *filter) passes(m filterable, protocol string) bool {
	switch {
	case f == nil:
		return true
	case f.body:
		return f.pattern.Match([]byte(m.message.body(protocol)))
	}
	return f.pattern.MatchAttributes(m.attributes)
}

// filteredOut is the metric of messages that filters hold back. For each of them
// there are others, with an ending that tells why.
const filteredOut = "NumberOfNotificationsFilteredOut"

// reasons returns the endings of the metrics that count a message that was held
// back.
func (f *filter) reasons(m filterable, protocol string) []string {
	if f.body {
		body := []byte(m.message.body(protocol))
		if !json.Valid(body) || !strings.HasPrefix(strings.TrimSpace(string(body)), "{") {
			return []string{"-MessageBody", "-InvalidMessageBody"}
		}
		return []string{"-MessageBody"}
	}
	if len(m.attributes) == 0 {
		return []string{"-MessageAttributes", "-NoMessageAttributes"}
	}
	if slices.ContainsFunc(m.attributes, malformed) {
		return []string{"-MessageAttributes", "-InvalidAttributes"}
	}
	return []string{"-MessageAttributes"}
}

// malformed reports whether filters cannot read the value of an attribute.
func malformed(a pattern.Attribute) bool {
	var list []any
	switch kind, custom, _ := strings.Cut(a.Type, "."); {
	case kind == "Number":
		return !json.Valid([]byte(a.Value))
	case kind == "String" && strings.HasPrefix(custom+".", "Array."):
		return json.Unmarshal([]byte(a.Value), &list) != nil
	}
	return false
}

// countFiltered measures a message that was held back from a subscriber.
func (t *Topics) countFiltered(topic Topic, f *filter, m filterable, protocol string) {
	t.measure(topic.Name, filteredOut, "Count").Observe(1)
	for _, reason := range f.reasons(m, protocol) {
		t.measure(topic.Name, filteredOut+reason, "Count").Observe(1)
	}
}
