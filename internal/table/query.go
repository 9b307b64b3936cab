package table

import (
	"time"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

// QueryRequest asks for items of one partition.
type QueryRequest struct {
	Table string
	Index string // "" for the table itself
	Expressions
	Start    Item // key after which to go on
	HasStart bool
	// StartInvalid tells what is wrong with where the request wants to start, if
	// anything.
	StartInvalid error
	Limit        int // 0 for none
	Backward     bool
	Consistent   bool
	CountOnly    bool
}

// Query reads a page of a partition. Errors that are the client's: InvalidError,
// NotFoundError.
func (t *Tables) Query(r *QueryRequest) (Page, error) {
	begun := time.Now()
	read, err := t.planQuery(r)
	return t.finishPage(opQuery, begun, read, err)
}

// planQuery checks a query and says what it reads. The table is acquired, unless
// there is no reading.
func (t *Tables) planQuery(r *QueryRequest) (*reading, error) {
	b, err := t.bindQuery(r)
	if err != nil {
		return nil, err
	}
	tab, err := t.acquire(r.Table)
	if err != nil {
		return nil, err
	}
	read, err := tab.planQuery(r, b)
	return t.planned(tab, read, err)
}

// planned keeps the table acquired for a reading that can be made.
func (t *Tables) planned(tab *table, read reading, err error) (*reading, error) {
	if err != nil {
		t.release()
		return nil, err
	}
	read.table = tab
	return &read, nil
}

func (t *Tables) bindQuery(r *QueryRequest) (expr.Bound, error) {
	invalid := r.StartInvalid
	if invalid == nil && r.KeyCondition == nil && (r.Legacy == nil || r.Legacy.KeyConditions == nil) {
		invalid = attr.Invalidf("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	return t.bind(&r.Expressions, invalid)
}

// finishPage reads a planned page as it is on disk, releases the table and measures.
func (t *Tables) finishPage(op operation, begun time.Time, read *reading, err error) (Page, error) {
	var p Page
	if err == nil {
		p, err = t.readPage(read)
	}
	return t.answerPage(op, begun, read, p, err)
}

func (t *Tables) readPage(read *reading) (Page, error) {
	defer t.locks.settleAll()
	defer t.release()
	return read.page(t.cfg.DB)
}

func (t *Tables) answerPage(op operation, begun time.Time, read *reading, p Page, err error) (Page, error) {
	if read == nil {
		t.observe(op, nil, begun, err)
		return Page{}, err
	}
	if err != nil {
		t.observe(op, read.table, begun, err)
		return Page{}, err
	}
	read.table.meters.readUnits.Observe(p.Units)
	read.table.meters.returnedItems[op].Observe(float64(p.Count))
	t.observe(op, read.table, begun, nil)
	return p, nil
}

func noIndex(name string) error {
	return attr.Invalidf("The table does not have the specified index: %s", name)
}

var errBadStart = attr.Invalidf("The provided starting key is invalid")

// planQuery checks a query against the table and says what it reads.
func (t *table) planQuery(r *QueryRequest, b expr.Bound) (reading, error) {
	if r.Index != "" {
		return reading{}, noIndex(r.Index)
	}
	if r.HasStart && r.Start.Len() != len(t.parts) {
		return reading{}, errBadStart
	}
	hash, rangeTerm, err := t.matchTerms(r, b.KeyTerms)
	if err != nil {
		return reading{}, err
	}
	read := reading{
		table: t, backward: r.Backward, limit: r.Limit, filter: b.Filter,
		projection: b.Projection, countOnly: r.CountOnly, consistent: r.Consistent,
	}
	if len(t.parts) == 1 {
		read.limit = 0 // there is one item at most, and so no next page
	}
	partition := t.partition(hash)
	read.lower, read.upper = rangeBounds(partition, rangeTerm)
	if r.HasStart {
		if err := t.checkStart(r.Start, hash, rangeTerm); err != nil {
			return read, err
		}
		read.resume(t.storeKey(r.Start))
	}
	if err := t.checkFilter(r, b.Filter); err != nil {
		return read, err
	}
	return read, t.checkPaths(b)
}

// matchTerms finds the conditions on the hash key and, if there is one, on the range
// key.
func (t *table) matchTerms(r *QueryRequest, terms []expr.KeyTerm) (hash Value, rangeTerm *expr.KeyTerm, err error) {
	for i, part := range t.parts {
		if r.HasStart {
			v := r.Start.Get(part.Name)
			if !v.Exists() {
				return hash, nil, errBadStart
			}
			if v.Kind() != part.kind() {
				return hash, nil, errKeyMismatch
			}
			if err := checkKeyValue(part, v, i == 0); err != nil {
				return hash, nil, err
			}
		}
		if len(t.parts) == 1 && len(terms) > 1 {
			return hash, nil, attr.Invalidf("Query key condition not supported")
		}
		term := findTerm(terms, part.Name)
		if term == nil {
			if i == 0 || len(terms) > 1 {
				return hash, nil, attr.Invalidf("Query condition missed key schema element: %s", part.Name)
			}
			continue
		}
		if err := checkTerm(part, term, i == 0); err != nil {
			return hash, nil, err
		}
		if i == 0 {
			hash = term.Values[0]
		} else {
			rangeTerm = term
		}
	}
	return hash, rangeTerm, nil
}

func findTerm(terms []expr.KeyTerm, name string) *expr.KeyTerm {
	for i := range terms {
		if terms[i].Name == name {
			return &terms[i]
		}
	}
	return nil
}

func checkTerm(part KeyAttribute, term *expr.KeyTerm, isHash bool) error {
	if term.Operator == expr.KeyUnsupported {
		return attr.Invalidf("Attempted conditional constraint is not an indexable operation")
	}
	for _, v := range term.Values {
		if v.Kind() != part.kind() {
			return invalidParameter("Condition parameter type does not match schema type")
		}
	}
	if isHash && term.Operator != expr.KeyEqual {
		return attr.Invalidf("Query key condition not supported")
	}
	for _, v := range term.Values {
		if err := checkKeyValue(part, v, isHash); err != nil {
			return err
		}
	}
	return nil
}

// rangeBounds returns the store keys between which the items of a partition are that
// a condition on the range key wants.
func rangeBounds(partition []byte, term *expr.KeyTerm) (lower, upper []byte) {
	lower, upper = partition, store.PrefixEnd(partition)
	if term == nil {
		return lower, upper
	}
	at := func(i int) []byte { return appendKeyValue(clip(partition), term.Values[i]) }
	switch term.Operator {
	case expr.KeyEqual:
		return at(0), after(at(0))
	case expr.KeyLess:
		return lower, at(0)
	case expr.KeyLessEqual:
		return lower, after(at(0))
	case expr.KeyGreater:
		return after(at(0)), upper
	case expr.KeyGreaterEqual:
		return at(0), upper
	case expr.KeyBetween:
		return at(0), after(at(1))
	default: // begins with
		prefix := appendKeyPrefix(clip(partition), term.Values[0])
		return prefix, store.PrefixEnd(prefix)
	}
}

// clip makes appending to b copy it.
func clip(b []byte) []byte { return b[:len(b):len(b)] }

// checkStart refuses a key that no page of the query can have ended with.
func (t *table) checkStart(start Item, hash Value, rangeTerm *expr.KeyTerm) error {
	sameHash := start.Get(t.parts[0].Name).Equal(hash)
	if rangeTerm == nil {
		if !sameHash {
			return attr.Invalidf("The provided starting key is outside query boundaries based on provided conditions")
		}
		if len(t.parts) == 1 {
			return attr.Invalidf("The provided exclusive start key is invalid: ExclusiveStartKey: {%s=AttributeValue: %s}", t.parts[0].Name, expr.Describe(hash))
		}
		return nil
	}
	if !satisfies(start.Get(rangeTerm.Name), rangeTerm) {
		return attr.Invalidf("The provided starting key does not match the range key predicate")
	}
	if !sameHash {
		return attr.Invalidf("The query can return at most one row and cannot be restarted")
	}
	return nil
}

// satisfies reports whether a range key is one that the condition wants.
func satisfies(v Value, term *expr.KeyTerm) bool {
	lower, upper := rangeBounds(nil, term)
	key := appendKeyValue(nil, v)
	return string(key) >= string(lower) && (upper == nil || string(key) < string(upper))
}

// checkFilter refuses a filter that names a key attribute, which the key condition is
// there for.
func (t *table) checkFilter(r *QueryRequest, filter *expr.Condition) error {
	if filter == nil {
		return nil
	}
	parameter := "Filter Expression"
	if r.Legacy != nil && r.Legacy.Filter != nil {
		parameter = "QueryFilter"
	}
	for _, part := range t.parts {
		for _, path := range filter.Paths() {
			if path[0].Name == part.Name {
				return attr.Invalidf("%s can only contain non-primary key attributes: Primary key attribute: %s", parameter, part.Name)
			}
		}
	}
	return nil
}
