package dynamodbapi

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/table"
	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

const (
	maxBatchKeys   = 100
	maxBatchWrites = 25
)

// errNoRequests refuses a batch of nothing.
func errNoRequests(operation string) error {
	return api.Validation("The requestItems parameter is required for " + operation)
}

// checkTableKeys constrains the map of a batch, whose keys are names of tables.
func checkTableKeys[V any](c *api.Constraints, requests map[string]V) {
	c.Required("requestItems", requests != nil)
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		if isTableARN(&name) || len(name) >= minName && len(name) <= maxName && namePattern.Match(name) {
			continue
		}
		c.Add("requestItems", "{"+name+"=...}", "Map keys must satisfy constraint: "+
			"[Member must have length less than or equal to 255, Member must have length greater than or equal to 3, "+
			"Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]")
		return
	}
}

func (h handlers) batchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error) {
	var c api.Constraints
	api.Enum(&c, "returnConsumedCapacity", in.ReturnConsumedCapacity, returnCapacityValues...)
	checkTableKeys(&c, in.RequestItems)
	names := slices.Sorted(maps.Keys(in.RequestItems))
	for _, name := range names {
		r := in.RequestItems[name]
		at := api.EntryPath("requestItems", name, "keys")
		c.Required(at, r.Keys != nil)
		if r.Keys != nil {
			c.ListSize(at, len(r.Keys), 1, maxBatchKeys, func(int) string { return "{...}" })
		}
		checkAttributesToGet(&c, api.EntryPath("requestItems", name, "attributesToGet"), r.AttributesToGet)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errNoRequests("BatchGetItem")
	}
	if err := checkProjections(in.RequestItems); err != nil {
		return nil, err
	}
	requests := make([]table.BatchGetTable, len(names))
	for i, name := range names {
		var err error
		if requests[i], err = batchGet(name, in.RequestItems[name]); err != nil {
			return nil, err
		}
	}
	results, err := h.items(ctx).BatchGetItem(requests)
	if err != nil {
		return nil, exception(err)
	}
	out := &dynamodb.BatchGetItemOutput{
		Responses:       map[string][]map[string]types.AttributeValue{},
		UnprocessedKeys: map[string]types.KeysAndAttributes{},
	}
	for i, name := range names {
		out.Responses[name] = sdkItems(results[i].Items)
		if left := results[i].Unprocessed; len(left) > 0 {
			again := in.RequestItems[name]
			again.Keys = sdkItems(left)
			out.UnprocessedKeys[name] = again
		}
		if used := consumed(in.ReturnConsumedCapacity, name, results[i].Units); used != nil {
			out.ConsumedCapacity = append(out.ConsumedCapacity, *used)
		}
	}
	return out, nil
}

// checkProjections refuses requests that select attributes in the one way for some
// tables and in the other for others.
func checkProjections(requests map[string]types.KeysAndAttributes) error {
	var expressions, older bool
	for _, r := range requests {
		expressions = expressions || r.ProjectionExpression != nil
		older = older || r.AttributesToGet != nil
	}
	return checkMixing([]parameter{{"ProjectionExpression", expressions}}, []parameter{{"AttributesToGet", older}}, expr.Scope{})
}

func batchGet(name string, r types.KeysAndAttributes) (table.BatchGetTable, error) {
	s := scope(r.ExpressionAttributeNames, nil)
	out := table.BatchGetTable{
		Table: name,
		Expressions: table.Expressions{
			Texts: expr.Texts{Projection: r.ProjectionExpression}, Scope: s,
			Legacy: older(expr.Legacy{AttributesToGet: r.AttributesToGet}, ""),
		},
		Consistent: isTrue(r.ConsistentRead),
	}
	if err := checkMixing([]parameter{{"ProjectionExpression", r.ProjectionExpression != nil}}, nil, s); err != nil {
		return out, err
	}
	for _, k := range r.Keys {
		key, err := item(k)
		if err != nil {
			return out, exception(err)
		}
		out.Keys = append(out.Keys, key)
	}
	return out, nil
}

func (h handlers) batchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
	var c api.Constraints
	api.Enum(&c, "returnConsumedCapacity", in.ReturnConsumedCapacity, returnCapacityValues...)
	api.Enum(&c, "returnItemCollectionMetrics", in.ReturnItemCollectionMetrics, returnMetricsValues...)
	checkTableKeys(&c, in.RequestItems)
	names := slices.Sorted(maps.Keys(in.RequestItems))
	total := 0
	for _, name := range names {
		checkBatchWrites(&c, name, in.RequestItems[name])
		total += len(in.RequestItems[name])
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errNoRequests("BatchWriteItem")
	}
	if total > maxBatchWrites {
		return nil, api.Validation("Too many items requested for the BatchWriteItem call")
	}
	requests := make([]table.BatchWriteTable, len(names))
	for i, name := range names {
		var err error
		if requests[i], err = batchWrites(name, in.RequestItems[name]); err != nil {
			return nil, exception(err)
		}
	}
	units, err := h.items(ctx).BatchWriteItem(requests)
	if err != nil {
		return nil, exception(err)
	}
	out := &dynamodb.BatchWriteItemOutput{UnprocessedItems: map[string][]types.WriteRequest{}}
	for i, name := range names {
		if used := consumed(in.ReturnConsumedCapacity, name, units[i]); used != nil {
			out.ConsumedCapacity = append(out.ConsumedCapacity, *used)
		}
	}
	return out, nil
}

func checkBatchWrites(c *api.Constraints, name string, writes []types.WriteRequest) {
	if len(writes) < 1 || len(writes) > maxBatchWrites {
		c.Add("requestItems", "{"+name+"=[...]}", "Map value must satisfy constraint: "+
			"[Member must have length less than or equal to 25, Member must have length greater than or equal to 1]")
	}
	for i, w := range writes {
		path := api.EntryPath("requestItems", name, "")
		if w.PutRequest != nil {
			c.Required(api.MemberPath(path, i, "putRequest.item"), w.PutRequest.Item != nil)
		}
		if w.DeleteRequest != nil {
			c.Required(api.MemberPath(path, i, "deleteRequest.key"), w.DeleteRequest.Key != nil)
		}
	}
}

func batchWrites(name string, writes []types.WriteRequest) (table.BatchWriteTable, error) {
	out := table.BatchWriteTable{Table: name}
	for _, w := range writes {
		if (w.PutRequest == nil) == (w.DeleteRequest == nil) {
			return out, attr.Invalidf("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
		}
		var b table.BatchWrite
		var err error
		if w.PutRequest != nil {
			b.Put = true
			b.Item, err = item(w.PutRequest.Item)
		} else {
			b.Key, err = item(w.DeleteRequest.Key)
		}
		if err != nil {
			return out, err
		}
		out.Writes = append(out.Writes, b)
	}
	return out, nil
}
