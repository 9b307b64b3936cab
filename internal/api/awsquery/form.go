// Package awsquery is the codec of the AWS query protocol: requests are forms
// whose keys spell a path ("MetricData.member.1.Value"), answers are XML.
//
// It works on descriptions of package shape alone, with or without a schema, as
// the SDKs of services that still speak this protocol have none. Number of
// nodes and depth of the tree that a form spells are bounded.
package awsquery

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a form.
const (
	maxDepth = 32
	maxNodes = 1 << 18
)

// FormError says why a form cannot be read.
type FormError struct{ Message string }

// Error returns the message.
func (e *FormError) Error() string { return e.Message }

// Form is a parsed request.
type Form struct {
	// Flat names the elements of flat lists and maps, if the service has such.
	Flat Flat

	root  node
	nodes int
}

// node is a step of a path. A key that ends here gives it a value.
type node struct {
	value string
	set   bool
	kids  map[string]*node
}

// Parse reads text in the form application/x-www-form-urlencoded, be it a body
// or the query of a URL.
func Parse(text string) (*Form, error) {
	f := &Form{}
	for text != "" {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(k)
		if err != nil {
			return nil, &FormError{Message: "Key is not correctly encoded: " + strconv.Quote(k)}
		}
		value, err := url.QueryUnescape(v)
		if err != nil {
			return nil, &FormError{Message: "Value of " + key + " is not correctly encoded"}
		}
		if err := f.insert(key, value); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *Form) insert(key, value string) error {
	n := &f.root
	for depth, rest, more := 0, key, true; more; depth++ {
		var step string
		step, rest, more = strings.Cut(rest, ".")
		kid := n.kids[step]
		if kid == nil {
			f.nodes++
			if depth >= maxDepth || f.nodes > maxNodes {
				return &FormError{Message: "The request has too many or too deeply nested parameters"}
			}
			if n.kids == nil {
				n.kids = map[string]*node{}
			}
			kid = &node{}
			n.kids[step] = kid
		}
		n = kid
	}
	n.value, n.set = value, true
	return nil
}

// Get returns the value of a key without dots, "" if it is absent.
func (f *Form) Get(key string) string {
	if n := f.root.kids[key]; n != nil {
		return n.value
	}
	return ""
}

// numbered returns the kids whose names are numbers, in order of the numbers.
func (n *node) numbered() []*node {
	if n == nil {
		return nil
	}
	byNumber := map[int]*node{}
	for name, kid := range n.kids {
		if i, err := strconv.Atoi(name); err == nil && i > 0 {
			byNumber[i] = kid
		}
	}
	nodes := make([]*node, 0, len(byNumber))
	for _, i := range slices.Sorted(maps.Keys(byNumber)) {
		nodes = append(nodes, byNumber[i])
	}
	return nodes
}

// elements returns the elements of a list: below "member", or directly.
func (n *node) elements() []*node {
	if m := n.kids["member"]; m != nil {
		return m.numbered()
	}
	return n.numbered()
}

// entries returns the entries of a map: below "entry", or directly.
func (n *node) entries() []*node {
	if e := n.kids["entry"]; e != nil {
		return e.numbered()
	}
	return n.numbered()
}

// first returns the first of the named kids that exists.
func (n *node) first(names ...string) *node {
	for _, name := range names {
		if kid := n.kids[name]; kid != nil {
			return kid
		}
	}
	return nil
}

func notA(value, what, path string) error {
	return &FormError{Message: fmt.Sprintf("Value (%s) for parameter %s is invalid. It is not %s.", value, path, what)}
}
