package table

import (
	"errors"
	"time"

	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

// Expressions is the expressions of a request, with what their placeholders stand
// for, or the older parameters that say the same.
type Expressions struct {
	expr.Texts
	expr.Scope
	Legacy *expr.Legacy // nil if the request has none of the older parameters
}

// bind makes the expressions ready. startInvalid tells what is wrong with the start
// key of a query or scan, which is reported between the older parameters and the
// expressions.
func (t *Tables) bind(e *Expressions, startInvalid error) (expr.Bound, error) {
	var b expr.Bound
	var err error
	if e.Legacy != nil {
		if b, err = e.Legacy.Bind(); err != nil {
			return b, err
		}
	}
	if startInvalid != nil {
		return b, startInvalid
	}
	// Only KeyConditions may go with expressions, which then say all the rest.
	if e.Texts != (expr.Texts{}) {
		if b, err = t.cache.Bind(e.Texts, e.Scope); err != nil {
			return b, err
		}
	}
	if e.Legacy != nil && e.Legacy.KeyConditions != nil {
		b.KeyTerms, err = e.Legacy.KeyTerms()
	}
	return b, err
}

// ReturnValues says which attributes a write answers with.
type ReturnValues byte

// The choices.
const (
	ReturnNone ReturnValues = iota
	ReturnAllOld
	ReturnUpdatedOld
	ReturnAllNew
	ReturnUpdatedNew
)

// PutRequest asks to put an item in place of the one with the same key.
type PutRequest struct {
	Table string // name or ARN
	Item  Item
	Expressions
	Return            ReturnValues // none or all old
	ReturnOnCondition bool         // tell the item as it is when the condition fails
}

// UpdateRequest asks to change an item, or to make it.
type UpdateRequest struct {
	Table string
	Key   Item
	Expressions
	Return            ReturnValues
	ReturnOnCondition bool
}

// DeleteRequest asks to delete an item.
type DeleteRequest struct {
	Table string
	Key   Item
	Expressions
	Return            ReturnValues // none or all old
	ReturnOnCondition bool
}

// WriteResult is the answer to a write.
type WriteResult struct {
	Attributes Item // empty if none are to be told
	Units      float64
}

// reply says what a write is to be answered with.
type reply struct {
	op          operation
	values      ReturnValues
	onCondition bool // the item as it is, when the condition does not hold
}

// PutItem puts an item. Errors that are the client's: InvalidError, NotFoundError,
// ConditionError.
func (t *Tables) PutItem(r *PutRequest) (WriteResult, error) {
	begun := time.Now()
	w, err := t.planPut(r)
	return t.perform(begun, w, err, r.reply())
}

func (r *PutRequest) reply() reply { return reply{opPutItem, r.Return, r.ReturnOnCondition} }

// planPut checks a request and says what it does. The table is acquired, unless
// there is an error.
func (t *Tables) planPut(r *PutRequest) (*write, error) {
	if r.Item.Size() > maxItemBytes {
		return nil, errItemTooLarge
	}
	tab, b, err := t.plan(r.Table, &r.Expressions, func(s *schema, _ expr.Bound) error { return s.checkItem(r.Item) })
	if err != nil {
		return nil, err
	}
	return &write{table: tab, key: tab.keyOf(r.Item), storeKey: tab.storeKey(r.Item), item: &r.Item, condition: b.Condition}, nil
}

var errItemTooLarge = attr.Invalidf("Item size has exceeded the maximum allowed size")

// UpdateItem changes an item. Errors are those of PutItem.
func (t *Tables) UpdateItem(r *UpdateRequest) (WriteResult, error) {
	begun := time.Now()
	w, err := t.planUpdate(r)
	return t.perform(begun, w, err, r.reply())
}

func (r *UpdateRequest) reply() reply { return reply{opUpdateItem, r.Return, r.ReturnOnCondition} }

// planUpdate is planPut for a change.
func (t *Tables) planUpdate(r *UpdateRequest) (*write, error) {
	tab, b, err := t.plan(r.Table, &r.Expressions, func(s *schema, b expr.Bound) error {
		if err := s.checkKey(r.Key); err != nil {
			return err
		}
		return s.checkUpdate(b.Update)
	})
	if err != nil {
		return nil, err
	}
	return &write{table: tab, key: r.Key, storeKey: tab.storeKey(r.Key), condition: b.Condition, update: b.Update, upsert: true}, nil
}

// DeleteItem deletes an item if it exists. Errors are those of PutItem.
func (t *Tables) DeleteItem(r *DeleteRequest) (WriteResult, error) {
	begun := time.Now()
	w, err := t.planDelete(r)
	return t.perform(begun, w, err, r.reply())
}

func (r *DeleteRequest) reply() reply { return reply{opDeleteItem, r.Return, r.ReturnOnCondition} }

// planDelete is planPut for a deletion.
func (t *Tables) planDelete(r *DeleteRequest) (*write, error) {
	tab, b, err := t.plan(r.Table, &r.Expressions, func(s *schema, _ expr.Bound) error { return s.checkKey(r.Key) })
	if err != nil {
		return nil, err
	}
	return &write{table: tab, key: r.Key, storeKey: tab.storeKey(r.Key), condition: b.Condition}, nil
}

// plan makes the expressions of a write ready, acquires its table and lets check look
// at the request. The table is released again if there is an error.
func (t *Tables) plan(name string, e *Expressions, check func(*schema, expr.Bound) error) (*table, expr.Bound, error) {
	b, err := t.bind(e, nil)
	if err != nil {
		return nil, b, err
	}
	tab, err := t.acquire(name)
	if err != nil {
		return nil, b, err
	}
	err = check(&tab.schema, b)
	if err == nil {
		err = tab.checkPaths(b)
	}
	if err != nil {
		t.release()
		return nil, b, err
	}
	return tab, b, nil
}

// perform commits one planned write, unless planning it failed, and makes the
// answer.
func (t *Tables) perform(begun time.Time, w *write, err error, r reply) (WriteResult, error) {
	if err != nil {
		t.observe(r.op, nil, begun, err)
		return WriteResult{}, err
	}
	verdicts, err := t.commit([]*write{w})
	var v *verdict
	if len(verdicts) > 0 {
		v = &verdicts[0]
	}
	return t.answer(begun, w, v, err, r)
}

// answer says what became of a write. v is nil if it was not judged.
func (t *Tables) answer(begun time.Time, w *write, v *verdict, err error, r reply) (WriteResult, error) {
	res := WriteResult{}
	if v != nil {
		res.Units = v.writeUnits()
		w.table.meters.writeUnits.Observe(res.Units)
		res.Attributes, err = w.told(v, err, r)
	}
	t.observe(r.op, w.table, begun, err)
	if err != nil {
		return WriteResult{}, err
	}
	return res, nil
}

// told is what the client gets to know of the item: attributes, or an error that
// may have them.
func (w *write) told(v *verdict, err error, r reply) (Item, error) {
	if err == nil {
		return w.returned(v, r.values), nil
	}
	var failed *ConditionError
	if errors.As(err, &failed) && r.onCondition && v.existed {
		return Item{}, &ConditionError{Item: v.old, HasItem: true}
	}
	return Item{}, err
}

// returned selects the attributes to answer with.
func (w *write) returned(v *verdict, ret ReturnValues) Item {
	switch ret {
	case ReturnAllOld:
		return v.old
	case ReturnAllNew:
		return v.new
	case ReturnUpdatedOld:
		return w.updated(v.old)
	case ReturnUpdatedNew:
		return w.updated(v.new)
	}
	return Item{}
}

// updated returns the parts of an item that the update is about.
func (w *write) updated(it Item) Item {
	if w.update == nil {
		return Item{}
	}
	return expr.NewProjection(w.update.Targets()).Apply(it)
}

// checkUpdate refuses to change the key.
func (s *schema) checkUpdate(u *expr.Update) error {
	if u == nil {
		return nil
	}
	for _, part := range s.parts {
		for _, path := range u.Targets() {
			if path[0].Name == part.Name {
				return invalidParameter("Cannot update attribute %s. This attribute is part of the key", part.Name)
			}
		}
	}
	return nil
}

// checkPaths refuses expressions that look into a key attribute.
func (s *schema) checkPaths(b expr.Bound) error {
	if b.Update != nil {
		if err := s.checkScalar(b.Update.Paths()); err != nil {
			return err
		}
	}
	for _, c := range []*expr.Condition{b.Condition, b.Filter} {
		if c == nil {
			continue
		}
		if err := s.checkScalar(c.Paths()); err != nil {
			return err
		}
	}
	if b.Projection != nil {
		return s.checkScalar(b.Projection.Paths())
	}
	return nil
}

func (s *schema) checkScalar(paths []expr.Path) error {
	for _, part := range s.parts {
		for _, path := range paths {
			if len(path) > 1 && path[0].Name == part.Name {
				return attr.Invalidf("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: %s", part.Name)
			}
		}
	}
	return nil
}
