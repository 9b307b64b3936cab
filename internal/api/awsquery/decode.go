package awsquery

import (
	"encoding/base64"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/weirstream/weir/internal/api/shape"
)

// Decode fills v, a struct described by t, from a form. Parameters that are not
// members are ignored. The error is a *FormError.
func (f *Form) Decode(t *shape.Type, v reflect.Value) error {
	return f.structure(&f.root, t, v, "")
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (f *Form) structure(n *node, t *shape.Type, v reflect.Value, path string) error {
	for _, name := range slices.Sorted(maps.Keys(n.kids)) {
		m := member(t, name)
		if m == nil {
			m = f.Flat.member(t, name)
		}
		if m == nil {
			continue
		}
		if err := f.value(n.kids[name], &m.Slot, v.Field(m.Field), join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

// member finds a member by its name on the wire, which may begin with a lower
// case letter where the Go field cannot.
func member(t *shape.Type, name string) *shape.Member {
	if m := t.MemberNamed(name); m != nil {
		return m
	}
	r, size := utf8.DecodeRuneInString(name)
	return t.MemberNamed(string(unicode.ToUpper(r)) + name[size:])
}

func (f *Form) value(n *node, s *shape.Slot, v reflect.Value, path string) error {
	switch s.Kind {
	case shape.Struct:
		if n.kids == nil {
			return nil
		}
		return f.structure(n, s.Type, s.Settle(v), path)
	case shape.Union:
		return f.union(n, s.Type, v, path)
	case shape.List:
		return f.list(n, s.Type, s.Settle(v), path)
	case shape.Map:
		return f.mapping(n, s.Type, s.Settle(v), path)
	}
	if !n.set {
		return nil
	}
	return scalar(n.value, s, s.Settle(v), path)
}

// union treats several variants as the other codecs do.
func (f *Form) union(n *node, t *shape.Type, v reflect.Value, path string) error {
	var held shape.Variants
	for _, m := range t.Members {
		kid := n.kids[m.Name]
		if kid == nil {
			continue
		}
		if err := f.value(kid, &m.Slot, m.SetVariant(v), join(path, m.Name)); err != nil {
			return err
		}
		if !held.Add(t, m, v) {
			return notA(m.Name, "the only member", path)
		}
	}
	return nil
}

func (f *Form) list(n *node, t *shape.Type, v reflect.Value, path string) error {
	elems := n.elements()
	if len(elems) == 0 && !n.set {
		return nil
	}
	v.Set(reflect.MakeSlice(t.Go, len(elems), len(elems)))
	for i, kid := range elems {
		if err := f.value(kid, &t.Elem, v.Index(i), path+".member."+strconv.Itoa(i+1)); err != nil {
			return err
		}
	}
	return nil
}

func (f *Form) mapping(n *node, t *shape.Type, v reflect.Value, path string) error {
	entries := n.entries()
	if len(entries) == 0 && !n.set {
		return nil
	}
	v.Set(reflect.MakeMap(t.Go))
	for i, kid := range entries {
		at := path + ".entry." + strconv.Itoa(i+1)
		k, val := kid.first("key", "Name", "Key"), kid.first("value", "Value")
		if k == nil {
			return notA("", "a map entry with a key", at)
		}
		elem := reflect.New(t.Go.Elem()).Elem()
		if val != nil {
			if err := f.value(val, &t.Elem, elem, at); err != nil {
				return err
			}
		}
		key := reflect.New(t.Go.Key()).Elem()
		key.SetString(k.value)
		v.SetMapIndex(key, elem)
	}
	return nil
}

func scalar(text string, s *shape.Slot, v reflect.Value, path string) error {
	switch s.Kind {
	case shape.String:
		v.SetString(text)
	case shape.Blob:
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return notA(text, "base64", path)
		}
		v.SetBytes(b)
	case shape.Bool:
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return notA(text, "a boolean", path)
		}
		v.SetBool(b)
	case shape.Byte, shape.Short, shape.Integer, shape.Long:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return notA(text, "an integer", path)
		}
		v.SetInt(n)
	case shape.Float, shape.Double:
		f, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil {
			return notA(text, "a number", path)
		}
		v.SetFloat(f)
	case shape.Time:
		t, ok := parseTime(text)
		if !ok {
			return notA(text, "an ISO 8601 timestamp", path)
		}
		v.Set(reflect.ValueOf(t))
	}
	return nil
}

// layouts are the forms of ISO 8601 that clients send; without a zone it is
// UTC.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02"}

func parseTime(text string) (time.Time, bool) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return shape.TimeOf(seconds), true
	}
	return time.Time{}, false
}
