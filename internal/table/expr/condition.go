package expr

import (
	"github.com/weirstream/weir/internal/table/attr"
)

// condition is a parsed condition, filter or key condition expression.
type condition struct {
	syntax
	root *node
}

type operator byte

const (
	opNone operator = iota // a lone operand in parentheses, which is no condition
	opAnd
	opOr
	opNot
	opEqual
	opNotEqual
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opBetween
	opIn
	opCall // of the function that args[0] is
)

var operatorNames = [...]string{
	"", "AND", "OR", "NOT", "=", "<>", "<", "<=", ">", ">=", "BETWEEN", "IN", "",
}

func (o operator) String() string { return operatorNames[o] }

// node is a part of a condition: AND, OR and NOT have kids, all others have
// operands.
type node struct {
	op      operator
	kids    []*node
	args    []operand
	grouped bool // in parentheses
}

type operandKind byte

const (
	operandPath operandKind = iota
	operandValue
	operandCall
)

// operand is something that has a value.
type operand struct {
	kind operandKind
	id   int       // of the path or the value in the syntax
	name string    // of the function
	at   int       // position of the function in the text
	args []operand // of the function
}

func parseCondition(text string) (*condition, error) {
	p, err := newParser(text, "AND", "OR", "NOT", "BETWEEN", "IN")
	if err != nil {
		return nil, err
	}
	root := p.or(false)
	if err := p.end(); err != nil {
		return nil, err
	}
	misuseSize(p, root)
	switch {
	case p.redundant:
		return nil, attr.Invalidf("The expression has redundant parentheses;")
	case p.flaw != nil:
		return nil, p.flaw
	}
	if err := p.checkOperators(); err != nil {
		return nil, err
	}
	return &condition{p.syntax, root}, nil
}

// misuseSize finds a size that stands where a condition should be.
func misuseSize(p *parser, n *node) {
	if n.op == opCall && n.args[0].name == "size" {
		p.note(n.args[0].at, misusedFunction("size"))
	}
	for _, kid := range n.kids {
		misuseSize(p, kid)
	}
}

// The methods below read a condition by descent. In a group, that is at the start
// of what is in parentheses, a lone operand may stand instead of a condition.

func (p *parser) or(group bool) *node {
	n := p.and(group)
	for p.accept("OR") {
		p.operators++
		n = &node{op: opOr, kids: []*node{n, p.and(false)}}
	}
	return n
}

func (p *parser) and(group bool) *node {
	n := p.not(group)
	for p.accept("AND") {
		p.operators++
		n = &node{op: opAnd, kids: []*node{n, p.not(false)}}
	}
	return n
}

func (p *parser) not(group bool) *node {
	if p.accept("NOT") {
		p.operators++
		return &node{op: opNot, kids: []*node{p.not(false)}}
	}
	return p.comparison(group)
}

var comparators = map[string]operator{
	"=": opEqual, "<>": opNotEqual, "<": opLess, "<=": opLessEqual, ">": opGreater, ">=": opGreaterEqual,
}

// comparison reads a comparison, a function, or a condition in parentheses.
func (p *parser) comparison(group bool) *node {
	left := p.left()
	if left.op != opNone && left.op != opCall {
		return left
	}
	op := comparators[p.tok.text]
	switch {
	case op != opNone:
		p.advance()
		return p.compare(op, left.args[0], p.operand())
	case p.accept("BETWEEN"):
		low := p.operand()
		p.expect("AND")
		return p.compare(opBetween, left.args[0], low, p.operand())
	case p.accept("IN"):
		args := append(left.args, p.arguments()...)
		if n := len(args) - 1; n > maxInList && p.inOperands == 0 {
			p.inOperands = n
		}
		return p.compare(opIn, args...)
	case left.op == opNone && (!group || !p.tok.is(")")):
		p.fail()
	}
	return left
}

// left reads what a comparison begins with.
func (p *parser) left() *node {
	if !p.tok.is("(") {
		return lone(p.operand())
	}
	p.advance()
	n := p.or(true)
	p.closeGroup(n.grouped)
	n.grouped = true
	if n.op == opNone {
		p.extendPath(n.args[0])
	}
	return n
}

func lone(o operand) *node {
	if o.kind == operandCall {
		return &node{op: opCall, args: []operand{o}}
	}
	return &node{args: []operand{o}}
}

// closeGroup ends what is in parentheses. If that is in parentheses itself, one
// pair is redundant.
func (p *parser) closeGroup(grouped bool) {
	p.redundant = p.redundant || grouped
	p.expect(")")
}

func (p *parser) compare(op operator, args ...operand) *node {
	p.operators++
	p.checkMisuse(args)
	return &node{op: op, args: args}
}

// checkMisuse notes functions that stand where only a value can; size is the one
// function that has a value.
func (p *parser) checkMisuse(args []operand) {
	for _, a := range args {
		if a.kind == operandCall && a.name != "size" {
			p.note(a.at, misusedFunction(a.name))
		}
	}
}

// operand reads what a comparison compares.
func (p *parser) operand() operand {
	switch {
	case p.accept("("):
		nested := p.tok.is("(")
		o := p.operand()
		p.closeGroup(nested)
		p.extendPath(o)
		return o
	case p.tok.kind == tokenValue:
		return operand{kind: operandValue, id: p.value()}
	case p.tok.kind == tokenName && !p.isKeyword(p.tok) && scan(p.text, p.tok.end).is("("):
		return p.call()
	}
	return operand{kind: operandPath, id: p.path()}
}

func (p *parser) call() operand {
	p.operators++
	t := p.advance()
	o := operand{kind: operandCall, name: t.text, at: t.start}
	o.args = p.arguments()
	p.checkMisuse(o.args)
	_, known := arity[o.name]
	switch {
	case known:
	case updateFunctions[o.name]:
		p.note(o.at, attr.Invalidf("The function is not allowed in a condition expression; function: %s", o.name))
	default:
		p.note(o.at, invalidFunction(o.name))
	}
	return o
}

// arguments reads a list of operands in parentheses.
func (p *parser) arguments() []operand {
	p.expect("(")
	args := []operand{p.operand()}
	for p.accept(",") {
		args = append(args, p.operand())
	}
	p.expect(")")
	return args
}

// extendPath continues a path that began in parentheses.
func (p *parser) extendPath(o operand) {
	if o.kind == operandPath && p.err == nil {
		p.syntax.paths[o.id] = p.steps(p.syntax.paths[o.id])
	}
}
