package pattern

import (
	"maps"
	"strings"
)

const (
	// maxBranches is how many alternatives $or may make, multiplied out.
	maxBranches = 1000
	// maxConditions bounds the conditions of all branches.
	maxConditions = 1 << 16

	maxPolicyKeys  = 5
	maxPolicyTexts = 150
)

// branch is conditions that must all hold, by path. The names on the way to a
// field are joined by dots.
type branch map[string]*condition

// expand writes a pattern out as branches. ok is false if they are too many.
func expand(o object) (branches []branch, ok bool) {
	if countBranches(o) > maxBranches {
		return nil, false
	}
	var e expansion
	branches = e.object(o, nil, []branch{{}})
	return branches, !e.overflow
}

// countBranches returns how many branches expand makes. It saturates.
func countBranches(o object) int {
	n := 1
	for _, m := range o {
		factor := 1
		switch {
		case m.fields != nil:
			factor = countBranches(m.fields)
		case m.or != nil:
			factor = 0
			for _, alternative := range m.or {
				factor = min(factor+countBranches(alternative), maxBranches+1)
			}
		}
		n = min(n*factor, maxBranches+1)
	}
	return n
}

// expansion writes out a pattern. With overflow, the conditions are too many and
// what it returns is not complete.
type expansion struct {
	overflow bool
}

// object adds the conditions of an object to each of the branches; $or
// multiplies them.
func (e *expansion) object(o object, path []string, branches []branch) []branch {
	for _, m := range o {
		inner := append(path[:len(path):len(path)], m.name)
		switch {
		case m.condition != nil:
			for _, b := range branches {
				b[strings.Join(inner, ".")] = m.condition
			}
		case m.fields != nil:
			branches = e.object(m.fields, inner, branches)
		default:
			branches = e.or(m.or, path, branches)
		}
		if e.count(branches); e.overflow {
			return nil
		}
	}
	return branches
}

func (e *expansion) or(alternatives []object, path []string, branches []branch) (all []branch) {
	for _, alternative := range alternatives {
		copies := make([]branch, len(branches))
		for i, b := range branches {
			copies[i] = maps.Clone(b)
		}
		all = append(all, e.object(alternative, path, copies)...)
		if e.count(all); e.overflow {
			return nil
		}
	}
	return all
}

func (e *expansion) count(branches []branch) {
	n := 0
	for _, b := range branches {
		n += len(b)
	}
	e.overflow = e.overflow || n > maxConditions
}

// check applies the limits of a dialect. It returns a reason, "" if all is well.
func check(o object, d Dialect) string {
	if d == EventBridge && wildcardsTooComplex(o) {
		return reasonWildcards
	}
	g := grammars[d]
	if !g.topic {
		return ""
	}
	if g.flat && nested(o) {
		return reasonNested
	}
	keys := map[string]bool{}
	for _, m := range o {
		keys[m.name] = true
	}
	if len(keys) > maxPolicyKeys {
		return reasonKeys
	}
	if combinations(o, 1) > maxPolicyTexts {
		return reasonPolicySize
	}
	return ""
}

func nested(o object) bool {
	for _, m := range o {
		if m.fields != nil {
			return true
		}
		for _, alternative := range m.or {
			if nested(alternative) {
				return true
			}
		}
	}
	return false
}

// combinations returns the size of a filter policy: the product, over its
// fields, of the number of values times how deep the field is nested. The
// alternatives of $or are added. It saturates.
func combinations(o object, depth int) int {
	n := 1
	for _, m := range o {
		factor := 0
		switch {
		case m.condition != nil:
			factor = m.condition.size * depth
		case m.fields != nil:
			factor = combinations(m.fields, depth+1)
		default:
			for _, alternative := range m.or {
				factor = min(factor+combinations(alternative, depth), maxPolicyTexts+1)
			}
		}
		n = min(n*factor, maxPolicyTexts+1)
	}
	return n
}
