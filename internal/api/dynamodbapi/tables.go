package dynamodbapi

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/table"
)

func (h handlers) createTable(_ context.Context, in *dynamodb.CreateTableInput) (*dynamodb.CreateTableOutput, error) {
	if in.TableName == nil {
		return nil, api.Validation("The parameter 'TableName' is required but was not present in the request")
	}
	var c api.Constraints
	checkName(&c, "tableName", in.TableName)
	api.Enum(&c, "billingMode", in.BillingMode, "PROVISIONED", "PAY_PER_REQUEST")
	checkUnits(&c, "provisionedThroughput", in.ProvisionedThroughput)
	checkKeySchema(&c, "keySchema", in.KeySchema)
	c.Required("attributeDefinitions", in.AttributeDefinitions != nil)
	checkAttributeDefinitions(&c, in.AttributeDefinitions)
	checkStreamSpec(&c, in.StreamSpecification)
	checkTableClass(&c, in.TableClass)
	checkTags(&c, in.Tags)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if err := refuseAtCreation(in); err != nil {
		return nil, err
	}
	d, err := h.tables.CreateTable(specOf(in))
	if err != nil {
		return nil, exception(err)
	}
	return &dynamodb.CreateTableOutput{TableDescription: describe(d)}, nil
}

// refuseAtCreation refuses what CreateTable does not implement.
func refuseAtCreation(in *dynamodb.CreateTableInput) error {
	for _, p := range []parameter{
		{"LocalSecondaryIndexes", in.LocalSecondaryIndexes != nil},
		{"GlobalSecondaryIndexes", in.GlobalSecondaryIndexes != nil},
		{"VectorIndexes", in.VectorIndexes != nil},
		{"OnDemandThroughput", in.OnDemandThroughput != nil},
		{"WarmThroughput", in.WarmThroughput != nil},
		{"ResourcePolicy", in.ResourcePolicy != nil},
		{"GlobalTableSourceArn", in.GlobalTableSourceArn != nil},
		{"GlobalTableSettingsReplicationMode", in.GlobalTableSettingsReplicationMode != ""},
		{"SSESpecification", in.SSESpecification != nil && isTrue(in.SSESpecification.Enabled)},
	} {
		if p.present {
			return refuseParameter(p.name)
		}
	}
	return nil
}

func specOf(in *dynamodb.CreateTableInput) table.Spec {
	spec := table.Spec{
		Name:               *in.TableName,
		BillingMode:        string(in.BillingMode),
		Throughput:         throughput(in.ProvisionedThroughput),
		Stream:             streamSpec(in.StreamSpecification),
		DeletionProtection: isTrue(in.DeletionProtectionEnabled),
		Class:              string(in.TableClass),
		Tags:               tagMap(in.Tags),
	}
	for _, d := range in.AttributeDefinitions {
		spec.Attributes = append(spec.Attributes, table.KeyAttribute{Name: *d.AttributeName, Type: string(d.AttributeType)})
	}
	for _, k := range in.KeySchema {
		spec.Key = append(spec.Key, table.KeyElement{Name: *k.AttributeName, Role: string(k.KeyType)})
	}
	return spec
}

func throughput(p *types.ProvisionedThroughput) *table.Throughput {
	if p == nil {
		return nil
	}
	return &table.Throughput{Read: *p.ReadCapacityUnits, Write: *p.WriteCapacityUnits}
}

func streamSpec(s *types.StreamSpecification) *table.StreamSpec {
	if s == nil {
		return nil
	}
	return &table.StreamSpec{Enabled: isTrue(s.StreamEnabled), View: table.StreamView(s.StreamViewType)}
}

func checkTableClass(c *api.Constraints, class types.TableClass) {
	api.Enum(c, "tableClass", class, "STANDARD", "STANDARD_INFREQUENT_ACCESS")
}

func (h handlers) describeTable(_ context.Context, in *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error) {
	var c api.Constraints
	if err := checkControlName(&c, in.TableName); err != nil {
		return nil, err
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	d, err := h.tables.DescribeTable(*in.TableName)
	if err != nil {
		return nil, exception(err)
	}
	out := describe(d)
	out.WarmThroughput = warmThroughput(d)
	return &dynamodb.DescribeTableOutput{Table: out}, nil
}

// Throughput that a new on-demand table serves.
const (
	onDemandReads  = 12000
	onDemandWrites = 4000
)

func warmThroughput(d table.Description) *types.TableWarmThroughputDescription {
	w := &types.TableWarmThroughputDescription{
		ReadUnitsPerSecond: aws.Int64(d.Read), WriteUnitsPerSecond: aws.Int64(d.Write), Status: types.TableStatusActive,
	}
	if d.OnDemand {
		w.ReadUnitsPerSecond, w.WriteUnitsPerSecond = aws.Int64(onDemandReads), aws.Int64(onDemandWrites)
	}
	return w
}

func (h handlers) updateTable(_ context.Context, in *dynamodb.UpdateTableInput) (*dynamodb.UpdateTableOutput, error) {
	var c api.Constraints
	if err := checkControlName(&c, in.TableName); err != nil {
		return nil, err
	}
	api.Enum(&c, "billingMode", in.BillingMode, "PROVISIONED", "PAY_PER_REQUEST")
	checkUnits(&c, "provisionedThroughput", in.ProvisionedThroughput)
	checkAttributeDefinitions(&c, in.AttributeDefinitions)
	checkStreamSpec(&c, in.StreamSpecification)
	checkTableClass(&c, in.TableClass)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if err := refuseAtUpdate(in); err != nil {
		return nil, err
	}
	d, err := h.tables.UpdateTable(*in.TableName, table.Changes{
		BillingMode:        string(in.BillingMode),
		Throughput:         throughput(in.ProvisionedThroughput),
		Stream:             streamSpec(in.StreamSpecification),
		DeletionProtection: in.DeletionProtectionEnabled,
		Class:              string(in.TableClass),
	})
	if err != nil {
		return nil, exception(err)
	}
	return &dynamodb.UpdateTableOutput{TableDescription: describe(d)}, nil
}

// refuseAtUpdate refuses what UpdateTable does not implement.
func refuseAtUpdate(in *dynamodb.UpdateTableInput) error {
	for _, p := range []parameter{
		{"GlobalSecondaryIndexUpdates", len(in.GlobalSecondaryIndexUpdates) > 0},
		{"VectorIndexUpdates", len(in.VectorIndexUpdates) > 0},
		{"ReplicaUpdates", len(in.ReplicaUpdates) > 0},
		{"GlobalTableWitnessUpdates", len(in.GlobalTableWitnessUpdates) > 0},
		{"GlobalTableSettingsReplicationMode", in.GlobalTableSettingsReplicationMode != ""},
		{"MultiRegionConsistency", in.MultiRegionConsistency != ""},
		{"DisassociationProtectionEnabled", in.DisassociationProtectionEnabled != nil},
		{"OnDemandThroughput", in.OnDemandThroughput != nil},
		{"WarmThroughput", in.WarmThroughput != nil},
		{"SSESpecification", in.SSESpecification != nil && isTrue(in.SSESpecification.Enabled)},
	} {
		if p.present {
			return refuseParameter(p.name)
		}
	}
	return nil
}

func (h handlers) deleteTable(_ context.Context, in *dynamodb.DeleteTableInput) (*dynamodb.DeleteTableOutput, error) {
	var c api.Constraints
	if err := checkControlName(&c, in.TableName); err != nil {
		return nil, err
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	d, err := h.tables.DeleteTable(*in.TableName)
	if err != nil {
		return nil, exception(err)
	}
	out := describe(d)
	out.AttributeDefinitions, out.KeySchema, out.CreationDateTime = nil, nil, nil
	return &dynamodb.DeleteTableOutput{TableDescription: out}, nil
}

const maxListTables = 100

func (h handlers) listTables(_ context.Context, in *dynamodb.ListTablesInput) (*dynamodb.ListTablesOutput, error) {
	var c api.Constraints
	if in.ExclusiveStartTableName != nil {
		c.Pattern("exclusiveStartTableName", in.ExclusiveStartTableName, namePattern)
		c.Length("exclusiveStartTableName", in.ExclusiveStartTableName, minName, maxName)
	}
	c.Range("limit", in.Limit, 1, maxListTables)
	if err := c.Err(); err != nil {
		return nil, err
	}
	limit := maxListTables
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	names, more := h.tables.ListTables(text(in.ExclusiveStartTableName), limit)
	out := &dynamodb.ListTablesOutput{TableNames: append([]string{}, names...)} // [] rather than nothing
	if more {
		out.LastEvaluatedTableName = &names[len(names)-1]
	}
	return out, nil
}

// describe converts a description as all operations but DescribeTable answer it.
func describe(d table.Description) *types.TableDescription {
	out := &types.TableDescription{
		CreationDateTime:          &d.Created,
		DeletionProtectionEnabled: &d.DeletionProtection,
		ItemCount:                 &d.Items,
		TableArn:                  &d.ARN,
		TableId:                   &d.ID,
		TableName:                 &d.Name,
		TableSizeBytes:            &d.Bytes,
		TableStatus:               types.TableStatus(d.Status),
		ProvisionedThroughput: &types.ProvisionedThroughputDescription{
			NumberOfDecreasesToday: &d.DecreasesToday,
			ReadCapacityUnits:      &d.Read,
			WriteCapacityUnits:     &d.Write,
			LastIncreaseDateTime:   timeOrNil(d.LastIncrease),
			LastDecreaseDateTime:   timeOrNil(d.LastDecrease),
		},
	}
	for i, k := range d.Key {
		out.AttributeDefinitions = append(out.AttributeDefinitions, types.AttributeDefinition{AttributeName: &k.Name, AttributeType: types.ScalarAttributeType(k.Type)})
		out.KeySchema = append(out.KeySchema, types.KeySchemaElement{AttributeName: &k.Name, KeyType: keyRole(i)})
	}
	if d.BillingMode {
		mode := types.BillingModeProvisioned
		if d.OnDemand {
			mode = types.BillingModePayPerRequest
		}
		out.BillingModeSummary = &types.BillingModeSummary{BillingMode: mode}
		if d.Status != table.Creating {
			out.BillingModeSummary.LastUpdateToPayPerRequestDateTime = timeOrNil(d.OnDemandSince)
		}
	}
	if d.Class != "" {
		out.TableClassSummary = &types.TableClassSummary{TableClass: types.TableClass(d.Class)}
	}
	if d.StreamEnabled {
		out.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(d.View)}
	}
	if d.StreamARN != "" {
		out.LatestStreamArn, out.LatestStreamLabel = &d.StreamARN, &d.StreamLabel
	}
	return out
}

func keyRole(i int) types.KeyType {
	if i == 0 {
		return types.KeyTypeHash
	}
	return types.KeyTypeRange
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
