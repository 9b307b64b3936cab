// Package dynamodbapi is the DynamoDB and the DynamoDB Streams API over package
// table.
//
// It decodes, checks declared constraints and which parameters go together, calls
// the domain and encodes. The operations that carry the load have decoders and
// encoders of their own (fast.go), without the structs of the SDK; a request that
// they do not understand goes the general way, which knows what is wrong with it.
package dynamodbapi

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/table"
)

const (
	errorNamespace = "com.amazonaws.dynamodb.v20120810"
	// maxRequest bounds a request; a batch of puts may be as large.
	maxRequest = 16 << 20
)

type handlers struct{ tables *table.Tables }

// items are the operations on items: of tables, or of a transaction.
type items interface {
	PutItem(*table.PutRequest) (table.WriteResult, error)
	UpdateItem(*table.UpdateRequest) (table.WriteResult, error)
	DeleteItem(*table.DeleteRequest) (table.WriteResult, error)
	GetItem(*table.GetRequest) (table.GetResult, error)
	Query(*table.QueryRequest) (table.Page, error)
	Scan(*table.ScanRequest) (table.Page, error)
	BatchGetItem([]table.BatchGetTable) ([]table.BatchGetTableResult, error)
	BatchWriteItem([]table.BatchWriteTable) ([]float64, error)
}

// items returns where an operation takes effect.
func (h handlers) items(ctx context.Context) items {
	if tx := api.EffectsOf(ctx); tx != nil {
		return h.tables.In(tx)
	}
	return h.tables
}

var attributeValue = api.UnionOf[types.AttributeValue](
	&types.AttributeValueMemberS{}, &types.AttributeValueMemberN{}, &types.AttributeValueMemberB{},
	&types.AttributeValueMemberBOOL{}, &types.AttributeValueMemberNULL{}, &types.AttributeValueMemberSS{},
	&types.AttributeValueMemberNS{}, &types.AttributeValueMemberBS{}, &types.AttributeValueMemberL{}, &types.AttributeValueMemberM{},
	&types.UnknownUnionMember{},
)

// New returns the DynamoDB service.
func New(tables *table.Tables) *api.Service {
	h := handlers{tables}
	return &api.Service{
		Name:               "dynamodb",
		TargetPrefix:       "DynamoDB_20120810",
		JSONVersion:        "1.0",
		Dialect:            api.DynamoDB,
		Prompt:             true,
		ErrorNamespace:     errorNamespace,
		ErrorMessageMember: messageMember,
		MaxRequestBytes:    maxRequest,
		Unions:             []api.Union{attributeValue},
		Operations:         append(h.operations(), missing()...),
	}
}

func (h handlers) operations() []api.Operation {
	return []api.Operation{
		api.Op("CreateTable", schemas.CreateTable, schemas.CreateTableInput, schemas.CreateTableOutput, h.createTable),
		api.Op("DescribeTable", schemas.DescribeTable, schemas.DescribeTableInput, schemas.DescribeTableOutput, h.describeTable),
		api.Op("UpdateTable", schemas.UpdateTable, schemas.UpdateTableInput, schemas.UpdateTableOutput, h.updateTable),
		api.Op("DeleteTable", schemas.DeleteTable, schemas.DeleteTableInput, schemas.DeleteTableOutput, h.deleteTable),
		api.Op("ListTables", schemas.ListTables, schemas.ListTablesInput, schemas.ListTablesOutput, h.listTables),
		api.Op("TagResource", schemas.TagResource, schemas.TagResourceInput, nil, h.tagResource),
		api.Op("UntagResource", schemas.UntagResource, schemas.UntagResourceInput, nil, h.untagResource),
		api.Op("ListTagsOfResource", schemas.ListTagsOfResource, schemas.ListTagsOfResourceInput, schemas.ListTagsOfResourceOutput, h.listTags),
		api.Op("DescribeLimits", schemas.DescribeLimits, schemas.DescribeLimitsInput, schemas.DescribeLimitsOutput, h.describeLimits),
		api.Op("DescribeEndpoints", schemas.DescribeEndpoints, schemas.DescribeEndpointsRequest, schemas.DescribeEndpointsResponse, h.describeEndpoints),
		api.Op("DescribeTimeToLive", schemas.DescribeTimeToLive, schemas.DescribeTimeToLiveInput, schemas.DescribeTimeToLiveOutput, h.describeTimeToLive),
		api.Op("PutItem", schemas.PutItem, schemas.PutItemInput, schemas.PutItemOutput, h.putItem).WithFast(h.putItemFast).Held(),
		api.Op("GetItem", schemas.GetItem, schemas.GetItemInput, schemas.GetItemOutput, h.getItem).WithFast(h.getItemFast).Held(),
		api.Op("UpdateItem", schemas.UpdateItem, schemas.UpdateItemInput, schemas.UpdateItemOutput, h.updateItem).WithFast(h.updateItemFast).Held(),
		api.Op("DeleteItem", schemas.DeleteItem, schemas.DeleteItemInput, schemas.DeleteItemOutput, h.deleteItem).WithFast(h.deleteItemFast).Held(),
		api.Op("Query", schemas.Query, schemas.QueryInput, schemas.QueryOutput, h.query).WithFast(h.queryFast).Held(),
		api.Op("Scan", schemas.Scan, schemas.ScanInput, schemas.ScanOutput, h.scan).WithFast(h.scanFast).Held(),
		api.Op("BatchGetItem", schemas.BatchGetItem, schemas.BatchGetItemInput, schemas.BatchGetItemOutput, h.batchGetItem).Held(),
		api.Op("BatchWriteItem", schemas.BatchWriteItem, schemas.BatchWriteItemInput, schemas.BatchWriteItemOutput, h.batchWriteItem).Held(),
	}
}

// missing are the operations that clients are likely to try and that are not there
// yet. Others get the bare UnknownOperationException.
func missing() []api.Operation {
	return []api.Operation{
		notImplemented[dynamodb.TransactWriteItemsInput, dynamodb.TransactWriteItemsOutput]("TransactWriteItems", schemas.TransactWriteItems, schemas.TransactWriteItemsInput),
		notImplemented[dynamodb.TransactGetItemsInput, dynamodb.TransactGetItemsOutput]("TransactGetItems", schemas.TransactGetItems, schemas.TransactGetItemsInput),
		notImplemented[dynamodb.ExecuteStatementInput, dynamodb.ExecuteStatementOutput]("ExecuteStatement", schemas.ExecuteStatement, schemas.ExecuteStatementInput),
		notImplemented[dynamodb.BatchExecuteStatementInput, dynamodb.BatchExecuteStatementOutput]("BatchExecuteStatement", schemas.BatchExecuteStatement, schemas.BatchExecuteStatementInput),
		notImplemented[dynamodb.ExecuteTransactionInput, dynamodb.ExecuteTransactionOutput]("ExecuteTransaction", schemas.ExecuteTransaction, schemas.ExecuteTransactionInput),
		notImplemented[dynamodb.UpdateTimeToLiveInput, dynamodb.UpdateTimeToLiveOutput]("UpdateTimeToLive", schemas.UpdateTimeToLive, schemas.UpdateTimeToLiveInput),
	}
}

func notImplemented[In, Out any](name string, op, in *smithy.Schema) api.Operation {
	return api.Op(name, op, in, nil, func(context.Context, *In) (*Out, error) {
		return nil, &api.Error{Code: "UnknownOperationException", Message: name + " is not implemented by Weir"}
	}).Missing()
}

// exception maps errors of the domain to those of the API.
func exception(err error) error {
	var invalid *table.InvalidError
	var notFound *table.NotFoundError
	var inUse *table.InUseError
	var failed *table.ConditionError
	switch {
	case errors.As(err, &invalid):
		return api.Validation(invalid.Message)
	case errors.As(err, &notFound):
		return &types.ResourceNotFoundException{Message: &notFound.Message}
	case errors.As(err, &inUse):
		return &types.ResourceInUseException{Message: &inUse.Message}
	case errors.As(err, &failed):
		e := &types.ConditionalCheckFailedException{Message: aws.String(failed.Error())}
		if failed.HasItem {
			e.Item = sdkMap(failed.Item)
		}
		return e
	}
	return err
}

// messageMember is where the message of a modelled error goes if not where the model
// says.
func messageMember(err error) string {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) && failed.Item != nil {
		return "Message"
	}
	return ""
}

// refuseParameter says that a parameter is not implemented.
func refuseParameter(name string) error {
	return api.Validation("Unsupported parameter: " + name + " is not implemented by Weir")
}
