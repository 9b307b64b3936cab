package pattern

import (
	"slices"
)

// maxComplexity is how many beginnings of wildcard texts may fit one text at
// once. Rules of event buses with more are refused.
const maxComplexity = 10

// maxStates bounds the search for the worst text.
const maxStates = 4000

// wildcardsTooComplex reports whether a field of the pattern has wildcards that
// are expensive to match: some text fits too many beginnings of them at once.
// "ab" fits three beginnings of "*ab*": "*", "*ab" and "*ab*".
func wildcardsTooComplex(o object) bool {
	for _, m := range o {
		if m.condition != nil && m.condition.tooComplex() || wildcardsTooComplex(m.fields) {
			return true
		}
		if slices.ContainsFunc(m.or, wildcardsTooComplex) {
			return true
		}
	}
	return false
}

func (c *condition) tooComplex() bool {
	var s search
	for _, t := range c.tests {
		switch t := t.(type) {
		case *glob:
			s.add(t)
		case *except:
			s.addList(t.tests)
		}
	}
	return len(s.roots) > 0 && s.tooComplex()
}

// state is a place in the texts of wildcards: between two bytes, or at a star
// (loop), where any byte leads back to it.
type state struct {
	loop bool
	next map[byte]*state
	star *state // the star that follows, if any
	id   int
}

// search walks through the sets of states that a text can be in.
type search struct {
	roots    []*state
	states   int
	alphabet []byte
}

func (s *search) state(loop bool) *state {
	s.states++
	return &state{loop: loop, next: map[byte]*state{}, id: s.states}
}

func (s *search) add(g *glob) { s.addList([]test{g}) }

// addList adds wildcards that count as one, so that what they begin with alike
// counts once.
func (s *search) addList(tests []test) {
	root := s.state(false)
	for _, t := range tests {
		g, ok := t.(*glob)
		if !ok {
			return
		}
		at := root
		for i, piece := range g.pieces {
			if i > 0 {
				if at.star == nil {
					at.star = s.state(true)
				}
				at = at.star
			}
			for _, c := range piece {
				if at.next[c] == nil {
					at.next[c] = s.state(false)
				}
				if !slices.Contains(s.alphabet, c) {
					s.alphabet = append(s.alphabet, c)
				}
				at = at.next[c]
			}
		}
	}
	s.roots = append(s.roots, root)
}

// tooComplex looks at all sets of states in which some text ends.
func (s *search) tooComplex() bool {
	other := byte(0) // a byte that no wildcard names
	for slices.Contains(s.alphabet, other) && other < 255 {
		other++
	}
	alphabet := append(s.alphabet, other)
	seen := map[string]bool{}
	queue := [][]*state{s.start()}
	for len(queue) > 0 {
		from := queue[0]
		queue = queue[1:]
		for _, c := range alphabet {
			to := step(from, c)
			if len(to) > maxComplexity {
				return true
			}
			if key := setKey(to); !seen[key] {
				if len(seen) == maxStates {
					return true
				}
				seen[key] = true
				queue = append(queue, to)
			}
		}
	}
	return false
}

func (s *search) start() (set []*state) {
	for _, root := range s.roots {
		set = append(set, root)
		if root.star != nil {
			set = append(set, root.star)
		}
	}
	return set
}

// step returns the states after one more byte, each once.
func step(from []*state, c byte) (to []*state) {
	reached := map[*state]bool{}
	reach := func(s *state) {
		if s != nil && !reached[s] {
			reached[s] = true
			to = append(to, s)
		}
	}
	for _, s := range from {
		if s.loop {
			reach(s)
		}
		next := s.next[c]
		reach(next)
		if next != nil {
			reach(next.star)
		}
	}
	return to
}

func setKey(set []*state) string {
	ids := make([]int, len(set))
	for i, s := range set {
		ids[i] = s.id
	}
	slices.Sort(ids)
	key := make([]byte, 0, 4*len(ids))
	for _, id := range ids {
		key = append(key, byte(id), byte(id>>8), byte(id>>16), byte(id>>24))
	}
	return string(key)
}
