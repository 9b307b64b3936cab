package expr

import (
	"container/list"
	"sync"

	"github.com/weirstream/weir/internal/table/attr"
)

// Kind is the place of an expression in a request.
type Kind byte

// The kinds of expressions, in the order in which they are checked.
const (
	KindUpdate Kind = iota
	KindCondition
	KindKeyCondition
	KindFilter
	KindProjection
)

var kindNames = [...]string{
	"UpdateExpression", "ConditionExpression", "KeyConditionExpression", "FilterExpression", "ProjectionExpression",
}

// String returns the name of the request's parameter.
func (k Kind) String() string { return kindNames[k] }

// Texts is the expressions of a request; nil stands for one that it does not have.
type Texts struct {
	Update, Condition, KeyCondition, Filter, Projection *string
}

// Bound is the expressions of a request, ready to be evaluated. What the request
// does not have is nil.
type Bound struct {
	Update     *Update
	Condition  *Condition
	KeyTerms   []KeyTerm // of the key condition
	Filter     *Condition
	Projection *Projection
}

// cacheSize bounds the syntax trees that a Cache keeps. A text has at most 4 KB, so
// that this is some megabytes at worst.
const cacheSize = 1024

// Cache parses expressions and keeps the syntax trees of those that were used last.
type Cache struct {
	mu      sync.Mutex
	entries map[cacheKey]*list.Element
	recent  list.List // of *cacheEntry, the most recent in front
}

// cacheKey names a parsed text. Conditions, key conditions and filters have the
// same syntax.
type cacheKey struct {
	kind Kind
	text string
}

type cacheEntry struct {
	key    cacheKey
	syntax any
}

// NewCache returns an empty cache.
func NewCache() *Cache { return &Cache{entries: map[cacheKey]*list.Element{}} }

// Bind parses the expressions of a request and resolves their placeholders. An
// error is an attr.InvalidError.
func (c *Cache) Bind(t Texts, scope Scope) (Bound, error) {
	var b Bound
	if err := scope.check(); err != nil {
		return b, err
	}
	var err error
	if b.Update, err = bind(c, KindUpdate, t.Update, parseUpdate, (*update).bind, &scope); err != nil {
		return b, err
	}
	if b.Condition, err = bind(c, KindCondition, t.Condition, parseCondition, (*condition).bind, &scope); err != nil {
		return b, err
	}
	keys, err := bind(c, KindKeyCondition, t.KeyCondition, parseCondition, (*condition).bind, &scope)
	if err != nil {
		return b, err
	}
	if b.Filter, err = bind(c, KindFilter, t.Filter, parseCondition, (*condition).bind, &scope); err != nil {
		return b, err
	}
	if b.Projection, err = bind(c, KindProjection, t.Projection, parseProjection, (*projection).bind, &scope); err != nil {
		return b, err
	}
	if err := scope.checkUnused(); err != nil {
		return b, err
	}
	if keys != nil {
		b.KeyTerms, err = keys.allKeyTerms()
	}
	return b, err
}

// bind parses a text, or finds it in the cache, and binds it.
func bind[S, B any](c *Cache, kind Kind, text *string, parse func(string) (*S, error), bindTo func(*S, *Scope) (*B, error), scope *Scope) (*B, error) {
	if text == nil {
		return nil, nil
	}
	key := cacheKey{kind, *text}
	if kind == KindKeyCondition || kind == KindFilter {
		key.kind = KindCondition
	}
	syntax, ok := c.get(key).(*S)
	if !ok {
		var err error
		if syntax, err = parse(*text); err != nil {
			return nil, attr.Invalidf("Invalid %s: %v", kind, err)
		}
		c.put(key, syntax)
	}
	b, err := bindTo(syntax, scope)
	if err != nil {
		return nil, attr.Invalidf("Invalid %s: %v", kind, err)
	}
	return b, nil
}

func (c *Cache) get(key cacheKey) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		return nil
	}
	c.recent.MoveToFront(element)
	return element.Value.(*cacheEntry).syntax
}

func (c *Cache) put(key cacheKey, syntax any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[key]; ok {
		return
	}
	c.entries[key] = c.recent.PushFront(&cacheEntry{key, syntax})
	if c.recent.Len() > cacheSize {
		oldest := c.recent.Remove(c.recent.Back()).(*cacheEntry)
		delete(c.entries, oldest.key)
	}
}
