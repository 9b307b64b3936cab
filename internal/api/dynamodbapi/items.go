package dynamodbapi

import (
	"context"

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

func (h handlers) putItem(ctx context.Context, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	var c api.Constraints
	checkName(&c, "tableName", in.TableName)
	c.Required("item", in.Item != nil)
	api.Enum(&c, "returnConsumedCapacity", in.ReturnConsumedCapacity, returnCapacityValues...)
	api.Enum(&c, "returnItemCollectionMetrics", in.ReturnItemCollectionMetrics, returnMetricsValues...)
	api.Enum(&c, "returnValues", in.ReturnValues, returnValues...)
	api.Enum(&c, "returnValuesOnConditionCheckFailure", in.ReturnValuesOnConditionCheckFailure, returnOnFailure...)
	api.Enum(&c, "conditionalOperator", in.ConditionalOperator, logicalOperators...)
	checkExpected(&c, in.Expected)
	if err := c.Err(); err != nil {
		return nil, err
	}
	s := scope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	err := checkMixing(
		[]parameter{{"ConditionExpression", in.ConditionExpression != nil}},
		[]parameter{{"Expected", in.Expected != nil}, {"ConditionalOperator", in.ConditionalOperator != ""}}, s)
	if err != nil {
		return nil, err
	}
	if err := checkJoin(in.ConditionalOperator, len(in.Expected)); err != nil {
		return nil, err
	}
	it, err := item(in.Item)
	if err != nil {
		return nil, exception(err)
	}
	if err := checkOldOrNone(in.ReturnValues); err != nil {
		return nil, err
	}
	res, err := h.items(ctx).PutItem(&table.PutRequest{
		Table: *in.TableName,
		Item:  it,
		Expressions: table.Expressions{
			Texts: expr.Texts{Condition: in.ConditionExpression}, Scope: s,
			Legacy: older(expr.Legacy{Expected: olderExpected(in.Expected)}, in.ConditionalOperator),
		},
		Return:            returns[in.ReturnValues],
		ReturnOnCondition: onFailure(in.ReturnValuesOnConditionCheckFailure),
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
	var c api.Constraints
	checkName(&c, "tableName", in.TableName)
	c.Required("key", in.Key != nil)
	api.Enum(&c, "returnConsumedCapacity", in.ReturnConsumedCapacity, returnCapacityValues...)
	api.Enum(&c, "returnItemCollectionMetrics", in.ReturnItemCollectionMetrics, returnMetricsValues...)
	api.Enum(&c, "returnValues", in.ReturnValues, returnValues...)
	api.Enum(&c, "returnValuesOnConditionCheckFailure", in.ReturnValuesOnConditionCheckFailure, returnOnFailure...)
	api.Enum(&c, "conditionalOperator", in.ConditionalOperator, logicalOperators...)
	checkExpected(&c, in.Expected)
	if err := c.Err(); err != nil {
		return nil, err
	}
	s := scope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	err := checkMixing(
		[]parameter{{"ConditionExpression", in.ConditionExpression != nil}},
		[]parameter{{"Expected", in.Expected != nil}, {"ConditionalOperator", in.ConditionalOperator != ""}}, s)
	if err != nil {
		return nil, err
	}
	if err := checkJoin(in.ConditionalOperator, len(in.Expected)); err != nil {
		return nil, err
	}
	key, err := item(in.Key)
	if err != nil {
		return nil, exception(err)
	}
	if err := checkOldOrNone(in.ReturnValues); err != nil {
		return nil, err
	}
	res, err := h.items(ctx).DeleteItem(&table.DeleteRequest{
		Table: *in.TableName,
		Key:   key,
		Expressions: table.Expressions{
			Texts: expr.Texts{Condition: in.ConditionExpression}, Scope: s,
			Legacy: older(expr.Legacy{Expected: olderExpected(in.Expected)}, in.ConditionalOperator),
		},
		Return:            returns[in.ReturnValues],
		ReturnOnCondition: onFailure(in.ReturnValuesOnConditionCheckFailure),
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
	var c api.Constraints
	checkName(&c, "tableName", in.TableName)
	c.Required("key", in.Key != nil)
	api.Enum(&c, "returnConsumedCapacity", in.ReturnConsumedCapacity, returnCapacityValues...)
	api.Enum(&c, "returnItemCollectionMetrics", in.ReturnItemCollectionMetrics, returnMetricsValues...)
	api.Enum(&c, "returnValues", in.ReturnValues, returnValues...)
	api.Enum(&c, "returnValuesOnConditionCheckFailure", in.ReturnValuesOnConditionCheckFailure, returnOnFailure...)
	api.Enum(&c, "conditionalOperator", in.ConditionalOperator, logicalOperators...)
	checkExpected(&c, in.Expected)
	for name, u := range in.AttributeUpdates {
		api.Enum(&c, api.EntryPath("attributeUpdates", name, "action"), u.Action, updateActions...)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	s := scope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	err := checkMixing(
		[]parameter{{"UpdateExpression", in.UpdateExpression != nil}, {"ConditionExpression", in.ConditionExpression != nil}},
		[]parameter{
			{"AttributeUpdates", in.AttributeUpdates != nil}, {"Expected", in.Expected != nil},
			{"ConditionalOperator", in.ConditionalOperator != ""},
		}, s)
	if err != nil {
		return nil, err
	}
	if err := checkJoin(in.ConditionalOperator, len(in.Expected)); err != nil {
		return nil, err
	}
	key, err := item(in.Key)
	if err != nil {
		return nil, exception(err)
	}
	res, err := h.items(ctx).UpdateItem(&table.UpdateRequest{
		Table: *in.TableName,
		Key:   key,
		Expressions: table.Expressions{
			Texts: expr.Texts{Update: in.UpdateExpression, Condition: in.ConditionExpression}, Scope: s,
			Legacy: older(expr.Legacy{Updates: olderUpdates(in.AttributeUpdates), Expected: olderExpected(in.Expected)}, in.ConditionalOperator),
		},
		Return:            returns[in.ReturnValues],
		ReturnOnCondition: onFailure(in.ReturnValuesOnConditionCheckFailure),
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
