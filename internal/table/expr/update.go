package expr

import (
	"github.com/weirstream/weir/internal/table/attr"
)

// update is a parsed update expression.
type update struct {
	syntax
	actions []action
}

type section byte

const (
	sectionSet section = iota
	sectionRemove
	sectionAdd
	sectionDelete
	// sectionListAdd is what the older ADD does to a list: it appends.
	sectionListAdd
)

var sectionNames = [...]string{"SET", "REMOVE", "ADD", "DELETE", "ADD"}

func (s section) String() string { return sectionNames[s] }

// action changes what is at one path.
type action struct {
	section section
	path    int
	term    *term // nil for REMOVE
}

type termKind byte

const (
	termPath termKind = iota
	termValue
	termCall // of a function, or of + or -
)

// term is the right-hand side of an action.
type term struct {
	kind termKind
	id   int // of the path or value in the syntax
	name string
	at   int // position of the function in the text
	args []*term
}

func parseUpdate(text string) (*update, error) {
	p, err := newParser(text, "SET", "REMOVE", "ADD", "DELETE")
	if err != nil {
		return nil, err
	}
	u := &update{}
	var seen [len(sectionNames)]bool
	for first := true; first || p.tok.kind != tokenEnd; first = false {
		s, ok := p.section()
		if !ok {
			p.fail()
			break
		}
		if seen[s] && p.repeated == "" {
			p.repeated = s.String()
		}
		seen[s] = true
		u.actions = append(u.actions, p.action(s))
		for p.accept(",") {
			u.actions = append(u.actions, p.action(s))
		}
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	switch {
	case p.flaw != nil:
		return nil, p.flaw
	case p.repeated != "":
		return nil, attr.Invalidf(`The "%s" section can only be used once in an update expression;`, p.repeated)
	}
	if err := p.checkOperators(); err != nil {
		return nil, err
	}
	u.syntax = p.syntax
	return u, nil
}

func (p *parser) section() (section, bool) {
	for s := sectionSet; s <= sectionDelete; s++ {
		if p.accept(s.String()) {
			return s, true
		}
	}
	return 0, false
}

func (p *parser) action(s section) action {
	p.operators++
	a := action{section: s, path: p.path()}
	switch s {
	case sectionSet:
		p.expect("=")
		a.term = p.sum()
	case sectionAdd, sectionDelete:
		if p.tok.kind != tokenValue {
			p.fail()
		}
		a.term = &term{kind: termValue, id: p.value()}
	}
	return a
}

// sum reads what SET assigns: a term, or two with an operator between them, all of
// it possibly in parentheses.
func (p *parser) sum() *term {
	t := p.termOrSum()
	for _, op := range []string{"+", "-"} {
		if p.tok.is(op) && !t.isSum() {
			p.operators++
			p.advance()
			return &term{kind: termCall, name: op, args: []*term{p.operandTerm(t), p.operandTerm(p.term())}}
		}
	}
	return t
}

// term reads an operand, which a sum cannot be.
func (p *parser) term() *term {
	if p.accept("(") {
		t := p.term()
		p.expect(")")
		return t
	}
	return p.termOrSum()
}

// operandTerm notes when an operand is list_append, which can only stand alone.
func (p *parser) operandTerm(t *term) *term {
	if t.name == "list_append" {
		p.note(t.at, misusedFunction(t.name))
	}
	return t
}

func (t *term) isSum() bool { return t.name == "+" || t.name == "-" }

func (p *parser) termOrSum() *term {
	switch {
	case p.accept("("):
		t := p.sum()
		p.expect(")")
		return t
	case p.tok.kind == tokenValue:
		return &term{kind: termValue, id: p.value()}
	case p.tok.kind == tokenName && !p.isKeyword(p.tok) && scan(p.text, p.tok.end).is("("):
		return p.updateCall()
	}
	return &term{kind: termPath, id: p.path()}
}

func (p *parser) updateCall() *term {
	p.operators++
	name := p.advance()
	t := &term{kind: termCall, name: name.text, at: name.start}
	p.expect("(")
	t.args = append(t.args, p.operandTerm(p.term()))
	for p.accept(",") {
		t.args = append(t.args, p.operandTerm(p.term()))
	}
	p.expect(")")
	_, elsewhere := arity[t.name]
	switch {
	case updateFunctions[t.name]:
	case elsewhere:
		p.note(t.at, attr.Invalidf("The function is not allowed in an update expression; function: %s", t.name))
	default:
		p.note(t.at, invalidFunction(t.name))
	}
	return t
}

// updateFunctions are the functions that updates have.
var updateFunctions = map[string]bool{"if_not_exists": true, "list_append": true}

// Update is an update expression of one request.
type Update struct {
	syntax   *update
	env      env
	mismatch error // when ADD or DELETE meets another type
}

func (u *update) bind(scope *Scope) (*Update, error) {
	b := &Update{u, u.newEnv(), errBadType}
	for i := range u.paths {
		if err := b.env.bindPath(&u.syntax, scope, i); err != nil {
			return nil, err
		}
	}
	for i := range u.values {
		if err := b.env.bindValue(&u.syntax, scope, i); err != nil {
			return nil, err
		}
	}
	if err := checkPaths(b.Targets()); err != nil {
		return nil, err
	}
	for _, a := range u.actions {
		if err := b.checkOperand(a); err != nil {
			return nil, err
		}
	}
	for _, a := range u.actions {
		if err := b.checkTerm(a.term); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Targets returns the paths that the update changes.
func (u *Update) Targets() []Path {
	targets := make([]Path, len(u.syntax.actions))
	for i, a := range u.syntax.actions {
		targets[i] = u.env.paths[a.path]
	}
	return targets
}

// Creates reports whether the update makes an item that is not there. One that only
// takes away does not.
func (u *Update) Creates() bool {
	for _, a := range u.syntax.actions {
		if a.section != sectionRemove && a.section != sectionDelete {
			return true
		}
	}
	return len(u.syntax.actions) == 0
}

// Paths returns all paths that the expression refers to.
func (u *Update) Paths() []Path { return u.env.paths }

var typeNames = map[attr.Kind]string{
	attr.String: "STRING", attr.Number: "NUMBER", attr.Binary: "BINARY", attr.Null: "NULL",
	attr.Bool: "BOOLEAN", attr.List: "LIST", attr.Map: "MAP",
}

// checkOperand refuses to add or delete what is neither a number nor a set.
func (u *Update) checkOperand(a action) error {
	if a.section != sectionAdd && a.section != sectionDelete {
		return nil
	}
	k := u.env.values[a.term.id].Kind()
	if k.IsSet() || a.section == sectionAdd && k == attr.Number {
		return nil
	}
	return attr.Invalidf("Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: ALLOWED_FOR_%s_OPERAND", a.section, typeNames[k], a.section)
}

func (u *Update) checkTerm(t *term) error {
	if t == nil || t.kind != termCall {
		return nil
	}
	for _, a := range t.args {
		if err := u.checkTerm(a); err != nil {
			return err
		}
	}
	if len(t.args) != 2 {
		return operandCount(t.name, len(t.args))
	}
	want := attr.Number
	switch t.name {
	case "if_not_exists":
		if t.args[0].kind != termPath {
			return pathRequired(t.name)
		}
		if first := u.env.paths[t.args[0].id]; t.args[1].kind == termPath && first.equal(u.env.paths[t.args[1].id]) {
			return notDistinct(t.name, first)
		}
		return nil
	case "list_append":
		want = attr.List
	}
	for _, a := range t.args {
		if a.kind != termValue {
			continue
		}
		if k := u.env.values[a.id].Kind(); k != want {
			return operandType(t.name, k.String())
		}
	}
	return nil
}

var (
	errMissing = attr.Invalidf("The provided expression refers to an attribute that does not exist in the item")
	errBadPath = attr.Invalidf("The document path provided in the update expression is invalid for update")
	errBadType = attr.Invalidf("An operand in the update expression has an incorrect data type")
	errTooDeep = attr.Invalidf("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
)

// Apply returns the item that the update makes of an item, which it leaves as it
// is. Every right-hand side sees the item as it was before.
func (u *Update) Apply(it attr.Item) (attr.Item, error) {
	changes := make([]attr.Attribute, 0, len(u.syntax.actions))
	var edits *edit // of parts of attributes
	for _, a := range u.syntax.actions {
		path := u.env.paths[a.path]
		v, err := u.result(a, it)
		if err != nil {
			return attr.Item{}, err
		}
		if len(path) == 1 {
			changes = append(changes, attr.Attribute{Name: path[0].Name, Value: v})
			continue
		}
		if edits == nil {
			edits = &edit{}
		}
		edits.add(path, v)
	}
	if edits != nil {
		for _, e := range edits.parts {
			v, err := e.apply(it.Get(e.step.Name))
			if err != nil {
				return attr.Item{}, err
			}
			if v.Depth() > attr.MaxDepth {
				return attr.Item{}, errTooDeep
			}
			changes = append(changes, attr.Attribute{Name: e.step.Name, Value: v})
		}
	}
	return it.With(changes...), nil
}

// result returns the value that an action leaves at its path, the zero Value for
// none.
func (u *Update) result(a action, it attr.Item) (attr.Value, error) {
	switch a.section {
	case sectionRemove:
		return attr.Value{}, nil
	case sectionSet:
		return u.eval(a.term, it)
	}
	old, operand := u.env.paths[a.path].find(it), u.env.values[a.term.id]
	switch {
	case a.section == sectionDelete:
		if old.Exists() && old.Kind() != operand.Kind() {
			return old, u.mismatch
		}
		return attr.Difference(old, operand), nil
	case !old.Exists():
		return operand, nil
	case old.Kind() != operand.Kind():
		return old, u.mismatch
	case a.section == sectionListAdd:
		return attr.Concat(old, operand), nil
	case operand.Kind() == attr.Number:
		return attr.Add(old, operand)
	default:
		return attr.Union(old, operand), nil
	}
}

// eval returns the value of a right-hand side, which must have one.
func (u *Update) eval(t *term, it attr.Item) (attr.Value, error) {
	switch t.kind {
	case termValue:
		return u.env.values[t.id], nil
	case termPath:
		if v := u.env.paths[t.id].find(it); v.Exists() {
			return v, nil
		}
		return attr.Value{}, errMissing
	}
	if t.name == "if_not_exists" {
		if v := u.env.paths[t.args[0].id].find(it); v.Exists() {
			return v, nil
		}
		return u.eval(t.args[1], it)
	}
	want := attr.Number
	if t.name == "list_append" {
		want = attr.List
	}
	v, err := u.evalAs(want, t.args[0], it)
	if err != nil {
		return v, err
	}
	w, err := u.evalAs(want, t.args[1], it)
	if err != nil {
		return w, err
	}
	switch t.name {
	case "list_append":
		return attr.Concat(v, w), nil
	case "+":
		return attr.Add(v, w)
	}
	return attr.Subtract(v, w)
}

// evalAs returns the value of an operand, which must be of the given type.
func (u *Update) evalAs(want attr.Kind, t *term, it attr.Item) (attr.Value, error) {
	v, err := u.eval(t, it)
	if err == nil && v.Kind() != want {
		err = errBadType
	}
	return v, err
}
