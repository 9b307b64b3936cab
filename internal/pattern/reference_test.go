package pattern

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The reference is the meaning of patterns written down with no thought of
// speed: a list of fields, a list of conditions, and all ways to choose fields.

// refObject is a JSON object with its members in order, duplicates included.
type refObject []refMember

type refMember struct {
	name  string
	value any // refObject, []any, string, json.Number, bool or nil
}

func refDecode(text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return refValue(d)
}

func refValue(d *json.Decoder) any {
	t, err := d.Token()
	if err != nil {
		panic(err) // the caller has checked the text
	}
	switch t {
	case json.Delim('{'):
		o := refObject{}
		for d.More() {
			name, _ := d.Token()
			o = append(o, refMember{name: name.(string), value: refValue(d)})
		}
		_, _ = d.Token()
		return o
	case json.Delim('['):
		a := []any{}
		for d.More() {
			a = append(a, refValue(d))
		}
		_, _ = d.Token()
		return a
	}
	return t
}

// refField is a field of an event. elements tells, for each array of objects
// that the field is in, in which of its elements.
type refField struct {
	path     string
	value    any
	elements map[int]int
}

type refArray struct {
	path     string
	id       int
	elements map[int]int // where the array is itself
}

type refEvent struct {
	fields []refField
	arrays []refArray
}

func (e *refEvent) add(v any, path []string, elements map[int]int) {
	switch v := v.(type) {
	case refObject:
		for _, m := range v {
			e.add(m.value, append(slices.Clone(path), m.name), elements)
		}
	case []any:
		id := len(e.arrays)
		e.arrays = append(e.arrays, refArray{path: strings.Join(path, "."), id: id, elements: elements})
		for i, item := range refFlat(v) {
			in := elements
			if _, ok := item.(refObject); ok {
				in = maps.Clone(elements)
				in[id] = i
			}
			e.add(item, path, in)
		}
	default:
		e.fields = append(e.fields, refField{path: strings.Join(path, "."), value: v, elements: elements})
	}
}

// refFlat replaces arrays in an array by their elements.
func refFlat(a []any) (flat []any) {
	for _, item := range a {
		if inner, ok := item.([]any); ok {
			flat = append(flat, refFlat(inner)...)
		} else {
			flat = append(flat, item)
		}
	}
	return flat
}

// ambiguous reports whether a path leads into an array of objects and also
// elsewhere, as in {"a":[{"b":1}],"a.b":2}. Then it is open whether one object
// has to satisfy all conditions.
func (e *refEvent) ambiguous() bool {
	for _, a := range e.arrays {
		for _, f := range e.fields {
			if _, in := f.elements[a.id]; !in && strings.HasPrefix(f.path, a.path+".") && refAgree(a.elements, f.elements) {
				return true
			}
		}
	}
	return false
}

func refAgree(a, b map[int]int) bool {
	for id, i := range a {
		if j, ok := b[id]; ok && i != j {
			return false
		}
	}
	return true
}

// refBranches writes out $or.
func refBranches(o refObject, path []string, branches []map[string][]any) []map[string][]any {
	for _, m := range o {
		inner := append(slices.Clone(path), m.name)
		switch v := m.value.(type) {
		case refObject:
			branches = refBranches(v, inner, branches)
		case []any:
			if m.name == "$or" {
				var all []map[string][]any
				for _, alternative := range v {
					for _, b := range branches {
						all = append(all, refBranches(alternative.(refObject), path, []map[string][]any{maps.Clone(b)})...)
					}
				}
				branches = all
				continue
			}
			for _, b := range branches {
				b[strings.Join(inner, ".")] = v
			}
		}
	}
	return branches
}

func refMatch(pattern, event []byte, d Dialect) (matched, ambiguous bool) {
	if !json.Valid(event) {
		return false, false
	}
	root, ok := refDecode(event).(refObject)
	if !ok {
		return false, false
	}
	var e refEvent
	e.add(root, nil, map[int]int{})
	for _, b := range refBranches(refDecode(pattern).(refObject), nil, []map[string][]any{{}}) {
		if refHolds(slices.Sorted(maps.Keys(b)), b, &e, map[int]int{}, nil, d) {
			return true, e.ambiguous()
		}
	}
	return false, e.ambiguous()
}

// refHolds tries to satisfy the conditions on the paths with fields that agree
// about the elements they are in, or by the absence of fields.
func refHolds(paths []string, b map[string][]any, e *refEvent, chosen map[int]int, absent []string, d Dialect) bool {
	if len(paths) == 0 {
		return !slices.ContainsFunc(e.fields, func(f refField) bool {
			return slices.Contains(absent, f.path) && refAgree(chosen, f.elements)
		})
	}
	wanted := b[paths[0]]
	for _, f := range e.fields {
		if f.path != paths[0] || !refAgree(chosen, f.elements) || !refAny(wanted, f.value, d) {
			continue
		}
		with := maps.Clone(chosen)
		maps.Copy(with, f.elements)
		if refHolds(paths[1:], b, e, with, absent, d) {
			return true
		}
	}
	for _, w := range wanted {
		if o, ok := w.(refObject); ok && o[0].name == "exists" && o[0].value == false {
			return refHolds(paths[1:], b, e, chosen, append(slices.Clone(absent), paths[0]), d)
		}
	}
	return false
}

func refAny(wanted []any, v any, d Dialect) bool {
	return slices.ContainsFunc(wanted, func(w any) bool { return refOne(w, v, d) })
}

func refOne(w, v any, d Dialect) bool {
	o, ok := w.(refObject)
	if !ok {
		return refEqual(w, v, d)
	}
	s, isText := v.(string)
	operand := o[0].value
	text, _ := operand.(string)
	inner, fold := operand.(refObject) // of prefix or suffix: any case
	if fold && o[0].name != "anything-but" {
		text = inner[0].value.(string)
	}
	equal := strings.EqualFold
	if !fold {
		equal = func(a, b string) bool { return a == b }
	}
	switch o[0].name {
	case "prefix":
		return isText && slices.ContainsFunc(refCuts(s), func(i int) bool { return equal(s[:i], text) })
	case "suffix":
		return isText && slices.ContainsFunc(refCuts(s), func(i int) bool { return equal(s[i:], text) })
	case "equals-ignore-case":
		return isText && strings.EqualFold(s, text)
	case "wildcard":
		return isText && refWildcard(text).MatchString(s)
	case "exists":
		return operand.(bool)
	case "numeric":
		return refNumeric(operand.([]any), v, d)
	case "cidr":
		host, bits, _ := strings.Cut(strings.TrimRight(text, "/"), "/")
		n, _ := strconv.Atoi(bits)
		address, err := netip.ParseAddr(s)
		return isText && err == nil && netip.PrefixFrom(netip.MustParseAddr(host).Unmap(), n).Contains(address.Unmap())
	case "anything-but":
		return !refExcluded(operand, v, d)
	}
	panic("unknown operator " + o[0].name)
}

func refExcluded(operand, v any, d Dialect) bool {
	name := ""
	if o, ok := operand.(refObject); ok {
		name, operand = o[0].name, o[0].value
	}
	list, ok := operand.([]any)
	if !ok {
		list = []any{operand}
	}
	return slices.ContainsFunc(list, func(w any) bool {
		if name != "" {
			w = refObject{{name: name, value: w}}
		}
		return refOne(w, v, d)
	})
}

func refEqual(w, v any, d Dialect) bool {
	a, ok := w.(json.Number)
	b, ok2 := v.(json.Number)
	if !ok || !ok2 || d == Lambda {
		return w == v
	}
	return refRat(a, d).Cmp(refRat(b, d)) == 0
}

func refRat(n json.Number, d Dialect) *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic("not a number: " + n)
	}
	if d == MessageBody {
		r.Mul(r, big.NewRat(100_000, 1))
		r.SetFrac(new(big.Int).Quo(r.Num(), r.Denom()), big.NewInt(100_000))
	}
	return r
}

func refNumeric(terms []any, v any, d Dialect) bool {
	n, ok := v.(json.Number)
	if !ok {
		return false
	}
	for i := 0; i < len(terms); i += 2 {
		c := refRat(n, d).Cmp(refRat(terms[i+1].(json.Number), d))
		if !map[string]bool{"=": c == 0, "<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[terms[i].(string)] {
			return false
		}
	}
	return true
}

// refCuts returns the positions between the characters of a text.
func refCuts(s string) []int {
	cuts := []int{len(s)}
	for i := range s {
		cuts = append(cuts, i)
	}
	return cuts
}

// refWildcard turns a wildcard into a regular expression.
func refWildcard(text string) *regexp.Regexp {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '*':
			b.WriteString(".*")
			continue
		case '\\':
			i++
		}
		b.WriteString(regexp.QuoteMeta(text[i : i+1]))
	}
	return regexp.MustCompile(`^(?s:` + b.String() + `)$`)
}
