package dynamodbapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/table"
	"github.com/weirstream/weir/internal/table/attr"
	"github.com/weirstream/weir/internal/table/expr"
)

// queryOutput and scanOutput write counts that are zero, which the SDK's structs leave
// out and clients expect.
type queryOutput struct{ dynamodb.QueryOutput }

type scanOutput struct{ dynamodb.ScanOutput }

// Serialize writes the output.
func (v *queryOutput) Serialize(s smithy.ShapeSerializer) {
	s.WriteStruct(schemas.QueryOutput)
	v.SerializeMembers(s)
	writeZero(s, schemas.QueryOutput_Count, v.Count)
	writeZero(s, schemas.QueryOutput_ScannedCount, v.ScannedCount)
	s.CloseStruct()
}

// Serialize writes the output.
func (v *scanOutput) Serialize(s smithy.ShapeSerializer) {
	s.WriteStruct(schemas.ScanOutput)
	v.SerializeMembers(s)
	writeZero(s, schemas.ScanOutput_Count, v.Count)
	writeZero(s, schemas.ScanOutput_ScannedCount, v.ScannedCount)
	s.CloseStruct()
}

func writeZero(s smithy.ShapeSerializer, member *smithy.Schema, n int32) {
	if n == 0 {
		s.WriteInt32(member, 0)
	}
}

func (h handlers) query(ctx context.Context, in *dynamodb.QueryInput) (*queryOutput, error) {
	var c api.Constraints
	checkName(&c, "tableName", in.TableName)
	checkReading(&c, in.IndexName, in.Select, in.ReturnConsumedCapacity, in.ConditionalOperator, in.Limit, in.AttributesToGet)
	checkConditions(&c, "queryFilter", in.QueryFilter)
	checkConditions(&c, "keyConditions", in.KeyConditions)
	if err := c.Err(); err != nil {
		return nil, err
	}
	r, err := queryRequest(in)
	if err != nil {
		return nil, err
	}
	p, err := h.items(ctx).Query(r)
	if err != nil {
		return nil, exception(err)
	}
	out := &queryOutput{dynamodb.QueryOutput{
		Count:            int32(p.Count),
		ScannedCount:     int32(p.Scanned),
		LastEvaluatedKey: sdkItem(p.Last),
		ConsumedCapacity: consumed(in.ReturnConsumedCapacity, *in.TableName, p.Units),
	}}
	if !r.CountOnly {
		out.Items = sdkItems(p.Items)
	}
	return out, nil
}

// queryRequest checks which parameters go together and makes the request.
func queryRequest(in *dynamodb.QueryInput) (*table.QueryRequest, error) {
	s := scope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	olderParameters := []parameter{
		{"AttributesToGet", in.AttributesToGet != nil},
		{"QueryFilter", in.QueryFilter != nil},
		{"ConditionalOperator", in.ConditionalOperator != ""},
	}
	if in.KeyConditionExpression != nil {
		// Without it, KeyConditions may go with expressions for the rest.
		olderParameters = append(olderParameters, parameter{"KeyConditions", in.KeyConditions != nil})
	}
	err := checkMixing([]parameter{
		{"ProjectionExpression", in.ProjectionExpression != nil},
		{"FilterExpression", in.FilterExpression != nil},
		{"KeyConditionExpression", in.KeyConditionExpression != nil},
	}, olderParameters, s)
	if err != nil {
		return nil, err
	}
	if err := checkJoin(in.ConditionalOperator, len(in.QueryFilter)); err != nil {
		return nil, err
	}
	start, invalid := startKey(in.ExclusiveStartKey)
	const prefix = "1 validation error detected: "
	if err := checkSelect(prefix, in.Select, in.IndexName, in.ProjectionExpression, in.AttributesToGet); err != nil {
		return nil, err
	}
	return &table.QueryRequest{
		Table: *in.TableName,
		Index: text(in.IndexName),
		Expressions: table.Expressions{
			Texts: expr.Texts{KeyCondition: in.KeyConditionExpression, Filter: in.FilterExpression, Projection: in.ProjectionExpression},
			Scope: s,
			Legacy: older(expr.Legacy{
				Filter: olderConditions(in.QueryFilter), KeyConditions: olderConditions(in.KeyConditions), AttributesToGet: in.AttributesToGet,
			}, in.ConditionalOperator),
		},
		Start:        start,
		HasStart:     in.ExclusiveStartKey != nil,
		StartInvalid: invalid,
		Limit:        number(in.Limit),
		Backward:     in.ScanIndexForward != nil && !*in.ScanIndexForward,
		Consistent:   isTrue(in.ConsistentRead),
		CountOnly:    in.Select == types.SelectCount,
	}, nil
}

// checkReading makes the checks that Query and Scan have in common.
func checkReading(c *api.Constraints, index *string, sel types.Select, capacity types.ReturnConsumedCapacity, op types.ConditionalOperator, limit *int32, names []string) {
	if index != nil {
		c.Pattern("indexName", index, namePattern)
		c.Length("indexName", index, minName, maxName)
	}
	api.Enum(c, "select", sel, selectValues...)
	api.Enum(c, "returnConsumedCapacity", capacity, returnCapacityValues...)
	api.Enum(c, "conditionalOperator", op, logicalOperators...)
	checkPositive(c, "limit", limit)
	checkAttributesToGet(c, "attributesToGet", names)
}

// startKey converts an ExclusiveStartKey. The errors of some values come without the
// prefix, as the service has it.
func startKey(m map[string]types.AttributeValue) (table.Item, error) {
	key, err := item(m)
	if err == nil {
		return key, nil
	}
	message := err.Error()
	for _, bare := range []string{"contains duplicates", "number set", "numeric value", "significant digits", "number with magnitude"} {
		if strings.Contains(message, bare) {
			return key, err
		}
	}
	return key, attr.Invalidf("The provided starting key is invalid: %s", message)
}

// checkSelect refuses a Select that contradicts the projection.
func checkSelect(prefix string, sel types.Select, index, projection *string, names []string) error {
	projected := projection != nil || names != nil
	parameter := "ProjectionExpression"
	if projection == nil {
		parameter = "AttributesToGet"
	}
	switch {
	case sel == types.SelectSpecificAttributes && !projected:
		return api.Validation(prefix + "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case sel == types.SelectAllProjectedAttributes && index == nil:
		return api.Validation(prefix + "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	case sel != "" && sel != types.SelectSpecificAttributes && projected:
		return api.Validation(prefix + fmt.Sprintf("Cannot specify the %s when choosing to get %s", parameter, selectWording(sel)))
	}
	return nil
}

func selectWording(sel types.Select) string {
	if sel == types.SelectCount {
		return "only the Count"
	}
	return string(sel)
}

func (h handlers) scan(ctx context.Context, in *dynamodb.ScanInput) (*scanOutput, error) {
	var c api.Constraints
	checkName(&c, "tableName", in.TableName)
	checkReading(&c, in.IndexName, in.Select, in.ReturnConsumedCapacity, in.ConditionalOperator, in.Limit, in.AttributesToGet)
	checkConditions(&c, "scanFilter", in.ScanFilter)
	c.Range("totalSegments", in.TotalSegments, 1, maxSegments)
	c.Range("segment", in.Segment, 0, maxSegments-1)
	if err := c.Err(); err != nil {
		return nil, err
	}
	r, err := scanRequest(in)
	if err != nil {
		return nil, err
	}
	p, err := h.items(ctx).Scan(r)
	if err != nil {
		return nil, exception(err)
	}
	out := &scanOutput{dynamodb.ScanOutput{
		Count:            int32(p.Count),
		ScannedCount:     int32(p.Scanned),
		LastEvaluatedKey: sdkItem(p.Last),
		ConsumedCapacity: consumed(in.ReturnConsumedCapacity, *in.TableName, p.Units),
	}}
	if !r.CountOnly {
		out.Items = sdkItems(p.Items)
	}
	return out, nil
}

const maxSegments = 1_000_000

func scanRequest(in *dynamodb.ScanInput) (*table.ScanRequest, error) {
	s := scope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	err := checkMixing([]parameter{
		{"ProjectionExpression", in.ProjectionExpression != nil},
		{"FilterExpression", in.FilterExpression != nil},
	}, []parameter{
		{"AttributesToGet", in.AttributesToGet != nil},
		{"ScanFilter", in.ScanFilter != nil},
		{"ConditionalOperator", in.ConditionalOperator != ""},
	}, s)
	if err != nil {
		return nil, err
	}
	if err := checkJoin(in.ConditionalOperator, len(in.ScanFilter)); err != nil {
		return nil, err
	}
	start, invalid := startKey(in.ExclusiveStartKey)
	if invalid == nil {
		invalid = checkSegments(in.Segment, in.TotalSegments)
	}
	if err := checkSelect("", in.Select, in.IndexName, in.ProjectionExpression, in.AttributesToGet); err != nil {
		return nil, err
	}
	return &table.ScanRequest{
		Table: *in.TableName,
		Index: text(in.IndexName),
		Expressions: table.Expressions{
			Texts:  expr.Texts{Filter: in.FilterExpression, Projection: in.ProjectionExpression},
			Scope:  s,
			Legacy: older(expr.Legacy{Filter: olderConditions(in.ScanFilter), AttributesToGet: in.AttributesToGet}, in.ConditionalOperator),
		},
		Start:        start,
		HasStart:     in.ExclusiveStartKey != nil,
		StartInvalid: invalid,
		Limit:        number(in.Limit),
		Consistent:   isTrue(in.ConsistentRead),
		CountOnly:    in.Select == types.SelectCount,
		Segment:      number(in.Segment),
		Segments:     number(in.TotalSegments),
	}, nil
}

func checkSegments(segment, total *int32) error {
	switch {
	case segment != nil && total == nil:
		return attr.Invalidf("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case segment == nil && total != nil:
		return attr.Invalidf("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case segment != nil && *segment >= *total:
		return attr.Invalidf("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", *segment, *total)
	}
	return nil
}
