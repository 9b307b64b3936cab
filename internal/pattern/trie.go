package pattern

import (
	"bytes"
	"slices"
	"strings"
)

// node is a place in the trie of names.
type node struct {
	names  []string // of the children, one by one
	kids   []*node
	index  map[string]*node // of the children, when they are many
	deep   bool             // a child has children
	leaves []leaf
	seen   []wordMask // the bits of all leaves
	// below has the bits of all leaves under the children; nil if there are none.
	below []uint64
}

// leaf is a condition on the field at a node, and its bits, one for each branch
// that has the condition.
type leaf struct {
	condition *condition
	bits      []wordMask
}

// wordMask is some bits of a set.
type wordMask struct {
	word int
	mask uint64
}

// bitBranch is the bits of a branch. Most have one group.
type bitBranch []bitGroup

type bitGroup struct {
	word     int
	required uint64 // conditions that a field must satisfy
	optional uint64 // those that hold as well if the field is absent
}

// manyNames is from how many children on a map is faster than comparing each.
const manyNames = 8

func (n *node) child(name []byte) *node {
	if n.index != nil {
		return n.index[string(name)]
	}
	for i, s := range n.names {
		if string(name) == s {
			return n.kids[i]
		}
	}
	return nil
}

// find returns the node for a name in an event, in which dots separate levels;
// nil if there is none.
func (n *node) find(name []byte) *node {
	if c := n.child(name); c != nil || !n.deep {
		return c
	}
	for {
		head, rest, more := bytes.Cut(name, []byte("."))
		if n = n.child(head); n == nil || !more {
			return n
		}
		name = rest
	}
}

// trie builds the trie of a number of branches.
type trie struct {
	root     *node
	nodes    int
	branches []bitBranch
	bits     int
}

// maxTrie bounds the memory of a trie, in words.
const maxTrie = 1 << 20

// newTrie returns nil if the trie would be too large.
func newTrie(branches []branch) *trie {
	t := &trie{root: &node{}, nodes: 1}
	for _, b := range branches {
		t.add(b)
	}
	if t.nodes*t.width() > maxTrie {
		return nil
	}
	t.finish(t.root)
	return t
}

// width is the number of words of a set of bits.
func (t *trie) width() int { return (t.bits + 63) / 64 }

// add gives the conditions of a branch their bits.
func (t *trie) add(b branch) {
	if free := -t.bits & 63; len(b) <= 64 && len(b) > free {
		t.bits += free // one group is faster than two
	}
	var groups bitBranch
	paths := make([]string, 0, len(b))
	for path := range b {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		c := b[path]
		word, mask := t.bits/64, uint64(1)<<(t.bits%64)
		t.bits++
		if len(groups) == 0 || groups[len(groups)-1].word != word {
			groups = append(groups, bitGroup{word: word})
		}
		g := &groups[len(groups)-1]
		if c.absent {
			g.optional |= mask
		} else {
			g.required |= mask
		}
		t.leaf(path, c, wordMask{word: word, mask: mask})
	}
	t.branches = append(t.branches, groups)
}

// leaf puts a condition to its node.
func (t *trie) leaf(path string, c *condition, bit wordMask) {
	n := t.root
	for name := range strings.SplitSeq(path, ".") {
		kid := n.child([]byte(name))
		if kid == nil {
			kid = &node{}
			n.addChild(name, kid)
			t.nodes++
		}
		n = kid
	}
	n.seen = addBit(n.seen, bit)
	for i := range n.leaves {
		if n.leaves[i].condition == c {
			n.leaves[i].bits = addBit(n.leaves[i].bits, bit)
			return
		}
	}
	n.leaves = append(n.leaves, leaf{condition: c, bits: []wordMask{bit}})
}

func (n *node) addChild(name string, kid *node) {
	n.names = append(n.names, name)
	n.kids = append(n.kids, kid)
	if len(n.names) < manyNames {
		return
	}
	if n.index == nil {
		n.index = make(map[string]*node)
		for i, s := range n.names {
			n.index[s] = n.kids[i]
		}
	}
	n.index[name] = kid
}

// addBit adds a bit that is higher than all that are in masks.
func addBit(masks []wordMask, bit wordMask) []wordMask {
	if last := len(masks) - 1; last >= 0 && masks[last].word == bit.word {
		masks[last].mask |= bit.mask
		return masks
	}
	return append(masks, bit)
}

// finish computes what is below each node.
func (t *trie) finish(n *node) {
	if len(n.kids) == 0 {
		return
	}
	n.below = make([]uint64, t.width())
	for _, kid := range n.kids {
		t.finish(kid)
		n.deep = n.deep || len(kid.kids) > 0
		for _, m := range kid.seen {
			n.below[m.word] |= m.mask
		}
		for w := range kid.below {
			n.below[w] |= kid.below[w]
		}
	}
}
