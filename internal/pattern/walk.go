package pattern

// machine matches one event at a time. The walk notes in sets of bits which
// conditions had their field seen, and which were satisfied. A frame is a pair
// of such sets, named by where it begins in words: seen comes first, satisfied
// follows. Frame 0 is that of the event as a whole.
type machine struct {
	reader
	pattern *Pattern
	words   []uint64
}

// maxScratch is the largest buffer that a machine keeps, in bytes.
const maxScratch = 64 << 10

// machine returns a machine with an empty frame.
func (p *Pattern) machine() *machine {
	m := p.machines.Get().(*machine)
	m.words = m.words[:0]
	m.push()
	return m
}

func (m *machine) release() {
	m.data = nil
	if cap(m.scratch) > maxScratch {
		m.scratch = nil
	}
	m.pattern.machines.Put(m)
}

// begin starts to read a text.
func (m *machine) begin(text []byte) {
	m.reader = reader{data: text, scratch: m.scratch}
}

// push adds an empty frame.
func (m *machine) push() (frame int) {
	frame = len(m.words)
	for range 2 * m.pattern.width {
		m.words = append(m.words, 0)
	}
	return frame
}

// pop removes the frame that was pushed last.
func (m *machine) pop(frame int) { m.words = m.words[:frame] }

func (m *machine) seen(frame int) []uint64 { return m.words[frame:][:m.pattern.width] }

func (m *machine) satisfied(frame int) []uint64 {
	return m.words[frame+m.pattern.width:][:m.pattern.width]
}

// document walks an event, which must be an object.
func (m *machine) document(event []byte) bool {
	m.begin(event)
	if m.peek() != '{' {
		return false
	}
	m.object(m.pattern.root, 0)
	return m.ended()
}

// value reads a value that the pattern has a place for.
func (m *machine) value(n *node, frame int) {
	switch c := m.peek(); {
	case c == '{':
		m.object(n, frame)
	case c == '[':
		m.array(n, frame)
	case len(n.leaves) == 0:
		m.skip()
	default:
		if v := m.scalar(c); !m.failed {
			m.judge(n, v, frame)
		}
	}
}

func (m *machine) scalar(first byte) value {
	switch first {
	case '"':
		return value{kind: isString, text: m.text()}
	case 't':
		m.word("true")
		return value{kind: isTrue}
	case 'f':
		m.word("false")
		return value{kind: isFalse}
	case 'n':
		m.word("null")
		return value{kind: isNull}
	}
	return value{kind: isNumber, text: m.number()}
}

// judge notes what the value of a field satisfies.
func (m *machine) judge(n *node, v value, frame int) {
	seen, satisfied := m.seen(frame), m.satisfied(frame)
	for _, b := range n.seen {
		seen[b.word] |= b.mask
	}
	for i := range n.leaves {
		l := &n.leaves[i]
		if !l.condition.holds(v) {
			continue
		}
		for _, b := range l.bits {
			satisfied[b.word] |= b.mask
		}
	}
}

func (m *machine) object(n *node, frame int) {
	if n.below == nil {
		m.skip()
		return
	}
	if !m.enter() {
		return
	}
	for first := true; m.more(first, '}'); first = false {
		if kid := n.find(m.name()); kid != nil {
			m.value(kid, frame)
		} else {
			m.skip()
		}
	}
}

// array reads an array. Scalars in it are values of the field; of its objects
// one has to satisfy what is wanted below.
func (m *machine) array(n *node, frame int) {
	if n.below == nil {
		m.elements(n, frame, frame)
		return
	}
	result := m.push()
	m.elements(n, frame, result)
	seen, satisfied := m.seen(frame), m.satisfied(frame)
	for w := range seen {
		seen[w] |= m.seen(result)[w]
		satisfied[w] |= m.satisfied(result)[w]
	}
	m.pop(result)
}

// elements reads the elements of an array and of arrays in it, as if they were
// one.
func (m *machine) elements(n *node, frame, result int) {
	if !m.enter() {
		return
	}
	for first := true; m.more(first, ']'); first = false {
		switch m.peek() {
		case '{':
			m.element(n, result)
		case '[':
			m.elements(n, frame, result)
		default:
			m.value(n, frame)
		}
	}
}

// element reads an object in an array. For each branch that it satisfies, as
// far as the branch wants something here, its bits go to the result. For the
// others the result notes only what was seen, so that they fail unless another
// object satisfies them.
func (m *machine) element(n *node, result int) {
	if n.below == nil {
		m.skip()
		return
	}
	frame := m.push()
	m.object(n, frame)
	seen, satisfied := m.seen(frame), m.satisfied(frame)
	allSeen, allSatisfied := m.seen(result), m.satisfied(result)
	for _, b := range m.pattern.branches {
		if b.any(allSatisfied, n.below) {
			continue // by an element before this one
		}
		if b.any(satisfied, n.below) && b.holds(seen, satisfied, n.below) {
			for _, g := range b {
				mask := (g.required | g.optional) & n.below[g.word]
				allSeen[g.word] = allSeen[g.word]&^mask | satisfied[g.word]&mask
				allSatisfied[g.word] |= satisfied[g.word] & mask
			}
			continue
		}
		for _, g := range b {
			allSeen[g.word] |= seen[g.word] & (g.required | g.optional)
		}
	}
	m.pop(frame)
}

// any reports whether one of the conditions under a node is satisfied.
func (b bitBranch) any(satisfied, below []uint64) bool {
	for _, g := range b {
		if satisfied[g.word]&below[g.word]&(g.required|g.optional) != 0 {
			return true
		}
	}
	return false
}

// holds reports whether all conditions under a node hold.
func (b bitBranch) holds(seen, satisfied, below []uint64) bool {
	for _, g := range b {
		wanted := (g.required | g.optional&seen[g.word]) & below[g.word]
		if wanted&^satisfied[g.word] != 0 {
			return false
		}
	}
	return true
}

// decide reports whether one of the branches holds for the whole event.
func (m *machine) decide() bool {
	seen, satisfied := m.seen(0), m.satisfied(0)
next:
	for _, b := range m.pattern.branches {
		for _, g := range b {
			wanted := g.required | g.optional&seen[g.word]
			if wanted&^satisfied[g.word] != 0 {
				continue next
			}
		}
		return true
	}
	return false
}

// spoil makes all conditions at a node and below fail.
func (m *machine) spoil(n *node) {
	seen, satisfied := m.seen(0), m.satisfied(0)
	for _, b := range n.seen {
		seen[b.word] |= b.mask
		satisfied[b.word] &^= b.mask
	}
	for w, mask := range n.below {
		seen[w] |= mask
		satisfied[w] &^= mask
	}
}
