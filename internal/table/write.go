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

// PutItem puts an item. Errors that are the client's: InvalidError, NotFoundError,
// ConditionError.
func (t *Tables) PutItem(r *PutRequest) (WriteResult, error) {
	begun := time.Now()
	if r.Item.Size() > maxItemBytes {
		return t.refuse(opPutItem, errItemTooLarge)
	}
	b, err := t.bind(&r.Expressions, nil)
	if err != nil {
		return t.refuse(opPutItem, err)
	}
	tab, err := t.acquire(r.Table)
	if err != nil {
		return t.refuse(opPutItem, err)
	}
	w := write{table: tab, item: &r.Item, condition: b.Condition}
	err = tab.checkItem(r.Item)
	if err == nil {
		err = tab.checkPaths(b)
	}
	if err != nil {
		t.release()
		return t.refuse(opPutItem, err)
	}
	w.key = tab.keyOf(r.Item)
	w.storeKey = tab.storeKey(r.Item)
	return t.perform(opPutItem, begun, &w, r.Return, r.ReturnOnCondition)
}

var errItemTooLarge = attr.Invalidf("Item size has exceeded the maximum allowed size")

// UpdateItem changes an item. Errors are those of PutItem.
func (t *Tables) UpdateItem(r *UpdateRequest) (WriteResult, error) {
	begun := time.Now()
	b, err := t.bind(&r.Expressions, nil)
	if err != nil {
		return t.refuse(opUpdateItem, err)
	}
	tab, err := t.acquire(r.Table)
	if err != nil {
		return t.refuse(opUpdateItem, err)
	}
	w := write{table: tab, key: r.Key, condition: b.Condition, update: b.Update, upsert: true}
	err = tab.checkKey(r.Key)
	if err == nil {
		err = tab.checkUpdate(b.Update)
	}
	if err == nil {
		err = tab.checkPaths(b)
	}
	if err != nil {
		t.release()
		return t.refuse(opUpdateItem, err)
	}
	w.storeKey = tab.storeKey(r.Key)
	return t.perform(opUpdateItem, begun, &w, r.Return, r.ReturnOnCondition)
}

// DeleteItem deletes an item if it exists. Errors are those of PutItem.
func (t *Tables) DeleteItem(r *DeleteRequest) (WriteResult, error) {
	begun := time.Now()
	b, err := t.bind(&r.Expressions, nil)
	if err != nil {
		return t.refuse(opDeleteItem, err)
	}
	tab, err := t.acquire(r.Table)
	if err != nil {
		return t.refuse(opDeleteItem, err)
	}
	err = tab.checkKey(r.Key)
	if err == nil {
		err = tab.checkPaths(b)
	}
	if err != nil {
		t.release()
		return t.refuse(opDeleteItem, err)
	}
	w := write{table: tab, key: r.Key, storeKey: tab.storeKey(r.Key), condition: b.Condition}
	return t.perform(opDeleteItem, begun, &w, r.Return, r.ReturnOnCondition)
}

// refuse ends a write that never came to be judged.
func (t *Tables) refuse(op operation, err error) (WriteResult, error) {
	t.observe(op, nil, time.Time{}, err)
	return WriteResult{}, err
}

// perform commits one write and makes the answer.
func (t *Tables) perform(op operation, begun time.Time, w *write, ret ReturnValues, returnOnCondition bool) (WriteResult, error) {
	verdicts, err := t.commit([]*write{w})
	var res WriteResult
	if len(verdicts) > 0 {
		v := &verdicts[0]
		res.Units = v.writeUnits()
		w.table.meters.writeUnits.Observe(res.Units)
		if err == nil {
			res.Attributes = w.returned(v, ret)
		}
		var failed *ConditionError
		if errors.As(err, &failed) && returnOnCondition && v.existed {
			err = &ConditionError{Item: v.old, HasItem: true}
		}
	}
	t.observe(op, w.table, begun, err)
	if err != nil {
		return WriteResult{}, err
	}
	return res, nil
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
