// Package restjson is the codec of the REST JSON protocol: operations are found
// by method and path, and the members of their inputs and outputs are spread
// over path, query, headers, status and a JSON body, as the traits of the
// schemas say. The bodies are those of package awsjson.
package restjson

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
)

// Router finds the operation that a method and path mean. T is what the caller
// keeps of an operation.
type Router[T any] struct {
	routes map[string][]route[T] // by method, the most specific first
}

type route[T any] struct {
	uri      string
	segments []segment
	query    url.Values // must be present
	op       T
}

// segment is a literal or, with a label, any text.
type segment struct {
	literal string
	label   bool
	greedy  bool // takes all the rest of the path
}

// Labels holds the values of the labels of a path, in order, not yet unescaped.
type Labels []string

// Add adds an operation by the @http trait of its schema. It fails if the trait
// is absent or another operation has the same method and path.
func (r *Router[T]) Add(schema *smithy.Schema, op T) error {
	h, ok := smithy.SchemaTrait[*traits.HTTP](schema)
	if !ok {
		return fmt.Errorf("the operation's schema has no @http trait")
	}
	rt, err := parseRoute(h.URI, op)
	if err != nil {
		return err
	}
	for _, other := range r.routes[h.Method] {
		if other.uri == rt.uri {
			return fmt.Errorf("another operation has %s %s", h.Method, rt.uri)
		}
	}
	if r.routes == nil {
		r.routes = map[string][]route[T]{}
	}
	routes := append(r.routes[h.Method], rt)
	slices.SortStableFunc(routes, func(a, b route[T]) int {
		return cmp.Or(a.labels()-b.labels(), len(b.query)-len(a.query))
	})
	r.routes[h.Method] = routes
	return nil
}

// Status is the status that the @http trait of an operation's schema gives to a
// success.
func Status(schema *smithy.Schema) int {
	if h, ok := smithy.SchemaTrait[*traits.HTTP](schema); ok && h.Code != 0 {
		return h.Code
	}
	return http.StatusOK
}

func parseRoute[T any](uri string, op T) (route[T], error) {
	path, rawQuery, _ := strings.Cut(uri, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return route[T]{}, fmt.Errorf("path %s: %w", uri, err)
	}
	rt := route[T]{uri: uri, query: query, op: op}
	parts := split(path)
	for i, p := range parts {
		s := segment{literal: p}
		if strings.HasPrefix(p, "{") {
			s = segment{label: true, greedy: strings.HasSuffix(p, "+}")}
		}
		if s.greedy && i < len(parts)-1 {
			return route[T]{}, fmt.Errorf("path %s: a greedy label is not at the end", uri)
		}
		rt.segments = append(rt.segments, s)
	}
	return rt, nil
}

func (rt *route[T]) labels() int {
	n := 0
	for _, s := range rt.segments {
		if s.label {
			n++
		}
	}
	return n
}

// split cuts a path into segments; a slash at the end does not matter.
func split(path string) []string {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	return strings.Split(path, "/")
}

// Find returns the operation for a method and an escaped path.
func (r *Router[T]) Find(method, escapedPath string, query url.Values) (op T, labels Labels, ok bool) {
	routes := r.routes[method]
	if len(routes) == 0 {
		return op, nil, false
	}
	parts := split(escapedPath)
	for i := range routes {
		if labels, ok = routes[i].match(parts, query); ok {
			return routes[i].op, labels, true
		}
	}
	return op, nil, false
}

func (rt *route[T]) match(parts []string, query url.Values) (Labels, bool) {
	n := len(rt.segments)
	greedy := rt.segments[n-1].greedy
	if len(parts) != n && (!greedy || len(parts) < n) {
		return nil, false
	}
	var labels Labels
	for i, s := range rt.segments {
		switch {
		case s.greedy:
			labels = append(labels, strings.Join(parts[i:], "/"))
		case s.label && parts[i] != "":
			labels = append(labels, parts[i])
		case s.label || s.literal != parts[i]:
			return nil, false
		}
	}
	for k, want := range rt.query {
		if !query.Has(k) || want[0] != "" && query.Get(k) != want[0] {
			return nil, false
		}
	}
	return labels, true
}
