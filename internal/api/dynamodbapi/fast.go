package dynamodbapi

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/jsonscan"
	"github.com/weirstream/weir/internal/table"
	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

// member is a set of members of a request.
type member uint32

const (
	hasTable member = 1 << iota
	hasItem
	hasKey
	hasUpdate
	hasCondition
	hasKeyCondition
	hasFilter
	hasProjection
	hasNames
	hasValues
	hasReturn
	hasReturnOnFailure
	hasReturnCapacity
	hasConsistent
	hasForward
	hasLimit
	hasStart
	hasSegment
	hasSegments
)

// Members that the operations can have on the fast path.
const (
	writeMembers  = hasTable | hasCondition | hasNames | hasValues | hasReturn | hasReturnOnFailure | hasReturnCapacity
	putMembers    = writeMembers | hasItem
	deleteMembers = writeMembers | hasKey
	updateMembers = writeMembers | hasKey | hasUpdate
	getMembers    = hasTable | hasKey | hasProjection | hasNames | hasConsistent | hasReturnCapacity
	pageMembers   = hasTable | hasFilter | hasProjection | hasNames | hasValues | hasReturnCapacity | hasConsistent | hasLimit | hasStart
	queryMembers  = pageMembers | hasKeyCondition | hasForward
	scanMembers   = pageMembers | hasSegment | hasSegments
)

var memberNames = map[string]member{
	"TableName": hasTable, "Item": hasItem, "Key": hasKey, "UpdateExpression": hasUpdate, "ConditionExpression": hasCondition,
	"KeyConditionExpression": hasKeyCondition, "FilterExpression": hasFilter, "ProjectionExpression": hasProjection,
	"ExpressionAttributeNames": hasNames, "ExpressionAttributeValues": hasValues, "ReturnValues": hasReturn,
	"ReturnValuesOnConditionCheckFailure": hasReturnOnFailure, "ReturnConsumedCapacity": hasReturnCapacity,
	"ConsistentRead": hasConsistent, "ScanIndexForward": hasForward, "Limit": hasLimit, "ExclusiveStartKey": hasStart,
	"Segment": hasSegment, "TotalSegments": hasSegments,
}

// request is what a fast decoder reads. It is valid where it matters: names fit their
// patterns, enumerations have a known value, every attribute value is well formed.
type request struct {
	has      member
	table    string
	item     table.Item // Item or Key
	start    table.Item
	texts    expr.Texts
	scope    expr.Scope
	returns  types.ReturnValue
	onFail   types.ReturnValuesOnConditionCheckFailure
	capacity types.ReturnConsumedCapacity
	strong   bool
	forward  bool
	limit    int32
	segment  int32
	segments int32

	scan   jsonscan.Scanner
	parser attr.Parser
}

// decode reads a request that has the required members and no others than the allowed
// ones. It reports false for everything unusual, which the general path then handles.
func (r *request) decode(body []byte, required, allowed member) bool {
	r.scan.Reset(body)
	r.parser.Grow(len(body))
	s := &r.scan
	if s.Kind() != jsonscan.Object || !s.Object() {
		return false
	}
	for name, more := s.Member(); more; name, more = s.Member() {
		m := memberNames[string(name)]
		// A member that comes twice is unusual as well.
		if m&allowed == 0 || m&r.has != 0 || !r.read(m) {
			return false
		}
		r.has |= m
	}
	return s.End() == nil && r.parser.Err() == nil && r.has&required == required && r.usual()
}

// read reads the value of a member.
func (r *request) read(m member) bool {
	switch m {
	case hasItem, hasKey:
		return r.readItem(&r.item)
	case hasStart:
		return r.readItem(&r.start)
	case hasNames:
		return r.readNames()
	case hasValues:
		return r.readValues()
	case hasConsistent:
		return r.readBool(&r.strong)
	case hasForward:
		return r.readBool(&r.forward)
	case hasLimit:
		return r.readInt(&r.limit)
	case hasSegment:
		return r.readInt(&r.segment)
	case hasSegments:
		return r.readInt(&r.segments)
	}
	if r.scan.Kind() != jsonscan.String {
		return false
	}
	text := string(r.scan.String())
	switch m {
	case hasTable:
		r.table = text
	case hasUpdate:
		r.texts.Update = &text
	case hasCondition:
		r.texts.Condition = &text
	case hasKeyCondition:
		r.texts.KeyCondition = &text
	case hasFilter:
		r.texts.Filter = &text
	case hasProjection:
		r.texts.Projection = &text
	case hasReturn:
		r.returns = types.ReturnValue(text)
	case hasReturnOnFailure:
		r.onFail = types.ReturnValuesOnConditionCheckFailure(text)
	case hasReturnCapacity:
		r.capacity = types.ReturnConsumedCapacity(text)
	}
	return true
}

func (r *request) readItem(to *table.Item) bool {
	if r.scan.Kind() != jsonscan.Object {
		return false
	}
	var err error
	*to, err = r.parser.Item(&r.scan)
	return err == nil && r.parser.Err() == nil
}

func (r *request) readNames() bool {
	if r.scan.Kind() != jsonscan.Object || !r.scan.Object() {
		return false
	}
	r.scope.Names = []expr.Name{}
	for name, more := r.scan.Member(); more; name, more = r.scan.Member() {
		placeholder := string(name)
		if r.scan.Kind() != jsonscan.String {
			return false
		}
		r.scope.Names = append(r.scope.Names, expr.Name{Placeholder: placeholder, Name: string(r.scan.String())})
	}
	return true
}

func (r *request) readValues() bool {
	if r.scan.Kind() != jsonscan.Object || !r.scan.Object() {
		return false
	}
	r.scope.Values = []expr.Value{}
	for name, more := r.scan.Member(); more; name, more = r.scan.Member() {
		placeholder := string(name)
		v, err := r.parser.MapValue(&r.scan)
		if err != nil || r.parser.Err() != nil {
			return false
		}
		r.scope.Values = append(r.scope.Values, expr.Value{Placeholder: placeholder, Value: v})
	}
	return true
}

func (r *request) readBool(to *bool) bool {
	if k := r.scan.Kind(); k != jsonscan.True && k != jsonscan.False {
		return false
	}
	*to = r.scan.Bool()
	return true
}

func (r *request) readInt(to *int32) bool {
	if r.scan.Kind() != jsonscan.Number {
		return false
	}
	n, err := strconv.ParseInt(string(r.scan.Number()), 10, 32)
	*to = int32(n)
	return err == nil
}

// usual reports whether the constraints of the API hold and the parameters go
// together.
func (r *request) usual() bool {
	name := r.table
	if len(name) < minName || len(name) > maxName || !namePattern.Match(name) {
		return false
	}
	if !oneOf(r.has, hasReturn, r.returns, returnValues) || !oneOf(r.has, hasReturnOnFailure, r.onFail, returnOnFailure) ||
		!oneOf(r.has, hasReturnCapacity, r.capacity, returnCapacityValues) {
		return false
	}
	if r.has&hasLimit != 0 && r.limit < 1 || !r.usualSegments() {
		return false
	}
	const withValues = hasUpdate | hasCondition | hasKeyCondition | hasFilter
	if r.has&hasNames != 0 && r.has&(withValues|hasProjection) == 0 || r.has&hasValues != 0 && r.has&withValues == 0 {
		return false
	}
	return distinctNames(r.scope.Names) && distinctValues(r.scope.Values)
}

func (r *request) usualSegments() bool {
	both := hasSegment | hasSegments
	switch r.has & both {
	case 0:
		return true
	case both:
		return r.segment >= 0 && r.segment < r.segments && r.segments <= maxSegments
	}
	return false
}

// oneOf reports whether a member is absent or has one of the allowed values.
func oneOf[S ~string](has, m member, value S, allowed []S) bool {
	return has&m == 0 || slices.Contains(allowed, value)
}

// distinctNames and distinctValues tell that no placeholder comes twice, of which the
// general path takes the last.
func distinctNames(names []expr.Name) bool {
	for i, n := range names {
		if slices.ContainsFunc(names[:i], func(o expr.Name) bool { return o.Placeholder == n.Placeholder }) {
			return false
		}
	}
	return true
}

func distinctValues(values []expr.Value) bool {
	for i, v := range values {
		if slices.ContainsFunc(values[:i], func(o expr.Value) bool { return o.Placeholder == v.Placeholder }) {
			return false
		}
	}
	return true
}

func (r *request) expressions() table.Expressions {
	return table.Expressions{Texts: r.texts, Scope: r.scope}
}

func (h handlers) putItemFast(ctx context.Context, body []byte, w *api.ResponseWriter) (bool, error) {
	var r request
	if !r.decode(body, hasTable|hasItem, putMembers) || checkOldOrNone(r.returns) != nil {
		return false, nil
	}
	res, err := h.items(ctx).PutItem(&table.PutRequest{
		Table: r.table, Item: r.item, Expressions: r.expressions(), Return: returns[r.returns], ReturnOnCondition: onFailure(r.onFail),
	})
	return r.answerWrite(w, res, err)
}

func (h handlers) deleteItemFast(ctx context.Context, body []byte, w *api.ResponseWriter) (bool, error) {
	var r request
	if !r.decode(body, hasTable|hasKey, deleteMembers) || checkOldOrNone(r.returns) != nil {
		return false, nil
	}
	res, err := h.items(ctx).DeleteItem(&table.DeleteRequest{
		Table: r.table, Key: r.item, Expressions: r.expressions(), Return: returns[r.returns], ReturnOnCondition: onFailure(r.onFail),
	})
	return r.answerWrite(w, res, err)
}

func (h handlers) updateItemFast(ctx context.Context, body []byte, w *api.ResponseWriter) (bool, error) {
	var r request
	if !r.decode(body, hasTable|hasKey, updateMembers) {
		return false, nil
	}
	res, err := h.items(ctx).UpdateItem(&table.UpdateRequest{
		Table: r.table, Key: r.item, Expressions: r.expressions(), Return: returns[r.returns], ReturnOnCondition: onFailure(r.onFail),
	})
	return r.answerWrite(w, res, err)
}

func (h handlers) getItemFast(ctx context.Context, body []byte, w *api.ResponseWriter) (bool, error) {
	var r request
	if !r.decode(body, hasTable|hasKey, getMembers) {
		return false, nil
	}
	res, err := h.items(ctx).GetItem(&table.GetRequest{Table: r.table, Key: r.item, Expressions: r.expressions(), Consistent: r.strong})
	if err != nil {
		return true, exception(err)
	}
	o := openObject(w)
	r.writeCapacity(&o, res.Units)
	if res.Exists {
		o.name("Item")
		o.buf = attr.AppendItemJSON(o.buf, res.Item)
	}
	o.close(w)
	return true, nil
}

func (h handlers) queryFast(ctx context.Context, body []byte, w *api.ResponseWriter) (bool, error) {
	r := request{forward: true}
	if !r.decode(body, hasTable|hasKeyCondition, queryMembers) {
		return false, nil
	}
	p, err := h.items(ctx).Query(&table.QueryRequest{
		Table: r.table, Expressions: r.expressions(), Start: r.start, HasStart: r.has&hasStart != 0,
		Limit: int(r.limit), Backward: !r.forward, Consistent: r.strong,
	})
	return r.answerPage(w, p, err)
}

func (h handlers) scanFast(ctx context.Context, body []byte, w *api.ResponseWriter) (bool, error) {
	var r request
	if !r.decode(body, hasTable, scanMembers) {
		return false, nil
	}
	p, err := h.items(ctx).Scan(&table.ScanRequest{
		Table: r.table, Expressions: r.expressions(), Start: r.start, HasStart: r.has&hasStart != 0,
		Limit: int(r.limit), Consistent: r.strong, Segment: int(r.segment), Segments: int(r.segments),
	})
	return r.answerPage(w, p, err)
}

func (r *request) answerWrite(w *api.ResponseWriter, res table.WriteResult, err error) (bool, error) {
	if err != nil {
		return true, exception(err)
	}
	o := openObject(w)
	if !res.Attributes.Empty() {
		o.name("Attributes")
		o.buf = attr.AppendItemJSON(o.buf, res.Attributes)
	}
	r.writeCapacity(&o, res.Units)
	o.close(w)
	return true, nil
}

func (r *request) answerPage(w *api.ResponseWriter, p table.Page, err error) (bool, error) {
	if err != nil {
		return true, exception(err)
	}
	o := openObject(w)
	r.writeCapacity(&o, p.Units)
	o.name("Count")
	o.buf = strconv.AppendInt(o.buf, int64(p.Count), 10)
	o.name("Items")
	o.buf = append(o.buf, '[')
	for i, it := range p.Items {
		if i > 0 {
			o.buf = append(o.buf, ',')
		}
		o.buf = attr.AppendItemJSON(o.buf, it)
	}
	o.buf = append(o.buf, ']')
	if !p.Last.Empty() {
		o.name("LastEvaluatedKey")
		o.buf = attr.AppendItemJSON(o.buf, p.Last)
	}
	o.name("ScannedCount")
	o.buf = strconv.AppendInt(o.buf, int64(p.Scanned), 10)
	o.close(w)
	return true, nil
}

func (r *request) writeCapacity(o *object, units float64) {
	if r.capacity == "" || r.capacity == types.ReturnConsumedCapacityNone {
		return
	}
	o.name("ConsumedCapacity")
	o.buf = append(o.buf, `{"CapacityUnits":`...)
	o.buf = awsjson.AppendFloat(o.buf, units)
	if r.capacity == types.ReturnConsumedCapacityIndexes {
		o.buf = append(o.buf, `,"Table":{"CapacityUnits":`...)
		o.buf = append(awsjson.AppendFloat(o.buf, units), '}')
	}
	o.buf = append(o.buf, `,"TableName":`...)
	o.buf = append(awsjson.AppendString(o.buf, r.table), '}')
}

// object is a JSON object that is being written.
type object struct {
	buf   []byte
	empty bool
}

func openObject(w *api.ResponseWriter) object {
	return object{append(w.Bytes(), '{'), true}
}

// name begins a member; its value is to be appended next.
func (o *object) name(name string) {
	if !o.empty {
		o.buf = append(o.buf, ',')
	}
	o.empty = false
	o.buf = append(o.buf, '"')
	o.buf = append(o.buf, name...)
	o.buf = append(o.buf, '"', ':')
}

func (o *object) close(w *api.ResponseWriter) { w.Set(append(o.buf, '}')) }
