package expr

import (
	"slices"

	"github.com/weirstream/weir/internal/table/attr"
)

// edit is what happens to one place in a document and to the places below it.
type edit struct {
	step  Step
	parts []*edit
	// leaf says that value replaces what is here; the zero Value removes it.
	leaf  bool
	value attr.Value
}

// add notes that the value at a path, seen from this place, is to be replaced.
func (e *edit) add(path Path, v attr.Value) {
	if len(path) == 0 {
		e.leaf, e.value = true, v
		return
	}
	for _, part := range e.parts {
		if part.step == path[0] {
			part.add(path[1:], v)
			return
		}
	}
	part := &edit{step: path[0]}
	e.parts = append(e.parts, part)
	part.add(path[1:], v)
}

// apply returns what becomes of the value at this place.
func (e *edit) apply(old attr.Value) (attr.Value, error) {
	switch {
	case e.leaf:
		return e.value, nil
	case e.parts[0].step.Index >= 0 && old.Kind() == attr.List:
		return e.applyToList(old)
	case e.parts[0].step.Index < 0 && old.Kind() == attr.Map:
		return e.applyToMap(old)
	}
	return attr.Value{}, errBadPath
}

func (e *edit) applyToMap(old attr.Value) (attr.Value, error) {
	changes := make([]attr.Attribute, len(e.parts))
	for i, part := range e.parts {
		v, err := part.apply(old.Item().Get(part.step.Name))
		if err != nil {
			return v, err
		}
		changes[i] = attr.Attribute{Name: part.step.Name, Value: v}
	}
	return attr.MapValue(old.Item().With(changes...)), nil
}

// applyToList changes elements by their old positions. Elements beyond the end are
// appended in the order of their positions, without gaps.
func (e *edit) applyToList(old attr.Value) (attr.Value, error) {
	parts := slices.Clone(e.parts)
	slices.SortFunc(parts, func(a, b *edit) int { return a.step.Index - b.step.Index })
	var elements []attr.Value
	position := 0
	for element := range old.Elements() {
		if len(parts) > 0 && parts[0].step.Index == position {
			v, err := parts[0].apply(element)
			if err != nil {
				return v, err
			}
			element, parts = v, parts[1:]
		}
		position++
		if element.Exists() {
			elements = append(elements, element)
		}
	}
	for _, part := range parts {
		v, err := part.apply(attr.Value{})
		if err != nil {
			return v, err
		}
		if v.Exists() {
			elements = append(elements, v)
		}
	}
	return attr.ListValue(elements...), nil
}
