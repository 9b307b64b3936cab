package notify

import (
	"maps"
	"slices"
	"sync"
)

// index finds subscriptions by topic and by token.
type index struct {
	mu     sync.RWMutex
	topics map[string]map[string]struct{} // topic ARN -> subscription ARNs
	tokens map[string]string              // token -> subscription ARN
	known  map[string]string              // subscription ARN -> its token here
	// filters are those of the subscriptions that have one, by ARN.
	filters map[string]*filter
}

func newIndex() *index {
	return &index{topics: map[string]map[string]struct{}{}, tokens: map[string]string{}, known: map[string]string{}, filters: map[string]*filter{}}
}

// put adds or changes a subscription; f is its filter, nil for none.
func (x *index) put(s Subscription, f *filter) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.tokens, x.known[s.ARN])
	x.tokens[s.Token], x.known[s.ARN] = s.ARN, s.Token
	if x.topics[s.TopicARN] == nil {
		x.topics[s.TopicARN] = map[string]struct{}{}
	}
	x.topics[s.TopicARN][s.ARN] = struct{}{}
	if delete(x.filters, s.ARN); f != nil {
		x.filters[s.ARN] = f
	}
}

func (x *index) remove(s Subscription) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.tokens, x.known[s.ARN])
	delete(x.known, s.ARN)
	delete(x.filters, s.ARN)
	delete(x.topics[s.TopicARN], s.ARN)
	if len(x.topics[s.TopicARN]) == 0 {
		delete(x.topics, s.TopicARN)
	}
}

// of returns the ARNs of a topic's subscriptions, in order.
func (x *index) of(topicARN string) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Sorted(maps.Keys(x.topics[topicARN]))
}

func (x *index) byToken(token string) (subscriptionARN string) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.tokens[token]
}

// filter returns the filter of a subscription, nil if it has none.
func (x *index) filter(subscriptionARN string) *filter {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.filters[subscriptionARN]
}
