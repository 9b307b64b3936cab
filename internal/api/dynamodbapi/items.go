package dynamodbapi

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/table"
	"github.com/weirstream/weir/internal/table/expr"
)

var returns = map[types.ReturnValue]table.ReturnValues{
	types.ReturnValueAllOld:     table.ReturnAllOld,
	types.ReturnValueUpdatedOld: table.ReturnUpdatedOld,
	types.ReturnValueAllNew:     table.ReturnAllNew,
	types.ReturnValueUpdatedNew: table.ReturnUpdatedNew,
}

// checkOldOrNone refuses what only UpdateItem can return.
func checkOldOrNone(v types.ReturnValue) error {
	if v == "" || v == types.ReturnValueNone || v == types.ReturnValueAllOld {
		return nil
	}
	return api.Validation("ReturnValues can only be ALL_OLD or NONE")
}

func onFailure(v types.ReturnValuesOnConditionCheckFailure) bool {
	return v == types.ReturnValuesOnConditionCheckFailureAllOld
}

// itemWrite is what PutItem, UpdateItem and DeleteItem are asked with.
type itemWrite struct {
	table             *string
	what              string // the parameter that item is: item or key
	item              map[string]types.AttributeValue
	updates           bool // whether the operation takes an update expression
	update, condition *string
	names             map[string]string
	values            map[string]types.AttributeValue
	older             olderWrite
	returns           types.ReturnValue
	onFailure         types.ReturnValuesOnConditionCheckFailure
	capacity          types.ReturnConsumedCapacity
	metrics           types.ReturnItemCollectionMetrics
}

// olderWrite is the parameters that expressions have replaced.
type olderWrite struct {
	updates  map[string]types.AttributeValueUpdate
	expected map[string]types.ExpectedAttributeValue
	join     types.ConditionalOperator
}

// read checks the parameters and returns the item, or the key, and the expressions.
func (w *itemWrite) read() (table.Item, table.Expressions, error) {
	e := table.Expressions{Texts: expr.Texts{Update: w.update, Condition: w.condition}}
	if err := w.constraints(); err != nil {
		return table.Item{}, e, err
	}
	e.Scope = scope(w.names, w.values)
	if err := w.checkMixing(e.Scope); err != nil {
		return table.Item{}, e, err
	}
	if err := checkJoin(w.older.join, len(w.older.expected)); err != nil {
		return table.Item{}, e, err
	}
	it, err := item(w.item)
	if err != nil {
		return it, e, exception(err)
	}
	e.Legacy = older(expr.Legacy{Updates: olderUpdates(w.older.updates), Expected: olderExpected(w.older.expected)}, w.older.join)
	return it, e, nil
}

func (w *itemWrite) constraints() error {
	var c api.Constraints
	checkName(&c, "tableName", w.table)
	c.Required(w.what, w.item != nil)
	api.Enum(&c, "returnConsumedCapacity", w.capacity, returnCapacityValues...)
	api.Enum(&c, "returnItemCollectionMetrics", w.metrics, returnMetricsValues...)
	api.Enum(&c, "returnValues", w.returns, returnValues...)
	api.Enum(&c, "returnValuesOnConditionCheckFailure", w.onFailure, returnOnFailure...)
	api.Enum(&c, "conditionalOperator", w.older.join, logicalOperators...)
	checkExpected(&c, w.older.expected)
	for _, name := range slices.Sorted(maps.Keys(w.older.updates)) {
		api.Enum(&c, api.EntryPath("attributeUpdates", name, "action"), w.older.updates[name].Action, updateActions...)
	}
	return c.Err()
}

func (w *itemWrite) checkMixing(s expr.Scope) error {
	expressions := []parameter{{"ConditionExpression", w.condition != nil}}
	if w.updates {
		expressions = slices.Insert(expressions, 0, parameter{"UpdateExpression", w.update != nil})
	}
	return checkMixing(expressions,
		[]parameter{
			{"AttributeUpdates", w.older.updates != nil}, {"Expected", w.older.expected != nil},
			{"ConditionalOperator", w.older.join != ""},
		}, s)
}

func (h handlers) putItem(ctx context.Context, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	w := itemWrite{
		table: in.TableName, what: "item", item: in.Item, condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		older:   olderWrite{expected: in.Expected, join: in.ConditionalOperator},
		returns: in.ReturnValues, onFailure: in.ReturnValuesOnConditionCheckFailure,
		capacity: in.ReturnConsumedCapacity, metrics: in.ReturnItemCollectionMetrics,
	}
	it, e, err := w.read()
	if err != nil {
		return nil, err
	}
	if err := checkOldOrNone(in.ReturnValues); err != nil {
		return nil, err
	}
	res, err := h.items(ctx).PutItem(&table.PutRequest{
		Table: *in.TableName, Item: it, Expressions: e,
		Return: returns[in.ReturnValues], ReturnOnCondition: onFailure(in.ReturnValuesOnConditionCheckFailure),
	})
	if err != nil {
		return nil, exception(err)
	}
	return &dynamodb.PutItemOutput{
		Attributes:       sdkItem(res.Attributes),
		ConsumedCapacity: consumed(in.ReturnConsumedCapacity, *in.TableName, res.Units),
	}, nil
}

func (h handlers) deleteItem(ctx context.Context, in *dynamodb.DeleteItemInput) (*dynamodb.DeleteItemOutput, error) {
	w := itemWrite{
		table: in.TableName, what: "key", item: in.Key, condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		older:   olderWrite{expected: in.Expected, join: in.ConditionalOperator},
		returns: in.ReturnValues, onFailure: in.ReturnValuesOnConditionCheckFailure,
		capacity: in.ReturnConsumedCapacity, metrics: in.ReturnItemCollectionMetrics,
	}
	key, e, err := w.read()
	if err != nil {
		return nil, err
	}
	if err := checkOldOrNone(in.ReturnValues); err != nil {
		return nil, err
	}
	res, err := h.items(ctx).DeleteItem(&table.DeleteRequest{
		Table: *in.TableName, Key: key, Expressions: e,
		Return: returns[in.ReturnValues], ReturnOnCondition: onFailure(in.ReturnValuesOnConditionCheckFailure),
	})
	if err != nil {
		return nil, exception(err)
	}
	return &dynamodb.DeleteItemOutput{
		Attributes:       sdkItem(res.Attributes),
		ConsumedCapacity: consumed(in.ReturnConsumedCapacity, *in.TableName, res.Units),
	}, nil
}

func (h handlers) updateItem(ctx context.Context, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	w := itemWrite{
		table: in.TableName, what: "key", item: in.Key, updates: true, update: in.UpdateExpression, condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		older:   olderWrite{updates: in.AttributeUpdates, expected: in.Expected, join: in.ConditionalOperator},
		returns: in.ReturnValues, onFailure: in.ReturnValuesOnConditionCheckFailure,
		capacity: in.ReturnConsumedCapacity, metrics: in.ReturnItemCollectionMetrics,
	}
	key, e, err := w.read()
	if err != nil {
		return nil, err
	}
	res, err := h.items(ctx).UpdateItem(&table.UpdateRequest{
		Table: *in.TableName, Key: key, Expressions: e,
		Return: returns[in.ReturnValues], ReturnOnCondition: onFailure(in.ReturnValuesOnConditionCheckFailure),
	})
	if err != nil {
		return nil, exception(err)
	}
	return &dynamodb.UpdateItemOutput{
		Attributes:       sdkItem(res.Attributes),
		ConsumedCapacity: consumed(in.ReturnConsumedCapacity, *in.TableName, res.Units),
	}, nil
}

func (h handlers) getItem(ctx context.Context, in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
	var c api.Constraints
	checkName(&c, "tableName", in.TableName)
	c.Required("key", in.Key != nil)
	api.Enum(&c, "returnConsumedCapacity", in.ReturnConsumedCapacity, returnCapacityValues...)
	checkAttributesToGet(&c, "attributesToGet", in.AttributesToGet)
	if err := c.Err(); err != nil {
		return nil, err
	}
	s := scope(in.ExpressionAttributeNames, nil)
	err := checkMixing([]parameter{{"ProjectionExpression", in.ProjectionExpression != nil}}, []parameter{{"AttributesToGet", in.AttributesToGet != nil}}, s)
	if err != nil {
		return nil, err
	}
	key, err := item(in.Key)
	if err != nil {
		return nil, exception(err)
	}
	res, err := h.items(ctx).GetItem(&table.GetRequest{
		Table: *in.TableName,
		Key:   key,
		Expressions: table.Expressions{
			Texts: expr.Texts{Projection: in.ProjectionExpression}, Scope: s,
			Legacy: older(expr.Legacy{AttributesToGet: in.AttributesToGet}, ""),
		},
		Consistent: isTrue(in.ConsistentRead),
	})
	if err != nil {
		return nil, exception(err)
	}
	out := &dynamodb.GetItemOutput{ConsumedCapacity: consumed(in.ReturnConsumedCapacity, *in.TableName, res.Units)}
	if res.Exists {
		out.Item = sdkMap(res.Item)
	}
	return out, nil
}

// consumed is the capacity that an operation on one table consumed, as far as the
// request wants to know.
func consumed(want types.ReturnConsumedCapacity, tableName string, units float64) *types.ConsumedCapacity {
	if want == "" || want == types.ReturnConsumedCapacityNone {
		return nil
	}
	c := &types.ConsumedCapacity{TableName: &tableName, CapacityUnits: &units}
	if want == types.ReturnConsumedCapacityIndexes {
		c.Table = &types.Capacity{CapacityUnits: &units}
	}
	return c
}
