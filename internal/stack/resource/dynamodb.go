package resource

import "context"

var dynamoDBTable = define(Type{
	Name: "AWS::DynamoDB::Table", NameProperty: "TableName", NameLimit: 255,
	Properties: []string{"AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "KeySchema",
		"PointInTimeRecoverySpecification", "ProvisionedThroughput", "SSESpecification", "StreamSpecification",
		"TableClass", "TableName", "Tags"},
	Unimplemented: []string{"ContributorInsightsSpecification", "GlobalSecondaryIndexes", "ImportSourceSpecification",
		"KinesisStreamSpecification", "LocalSecondaryIndexes", "OnDemandThroughput", "ResourcePolicy",
		"TimeToLiveSpecification", "WarmThroughput"},
	Replace:    []string{"AttributeDefinitions", "KeySchema", "TableName"},
	Attributes: []string{"Arn", "StreamArn"},
	Needs:      map[string]string{"StreamArn": "StreamSpecification"},
}, operations[TableSpec]{
	decode: decodeTable,
	create: func(ctx context.Context, p *Providers, t Target, s TableSpec) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		made, err := p.Tables.CreateTable(ctx, s)
		return madeTable(s.Name, made), err
	},
	update: func(ctx context.Context, p *Providers, t Target, _, s TableSpec) (Made, error) {
		s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
		made, err := p.Tables.UpdateTable(ctx, s)
		return madeTable(s.Name, made), err
	},
	remove: func(ctx context.Context, p *Providers, t Target, _ TableSpec) error {
		return p.Tables.DeleteTable(ctx, t.Name)
	},
})

func madeTable(name string, t TableMade) Made {
	made := named(name, t.ARN)
	if t.StreamARN != "" {
		made.Attributes["StreamArn"] = t.StreamARN
	}
	return made
}

func decodeTable(o *object) TableSpec {
	o.require("KeySchema", "AttributeDefinitions")
	s := TableSpec{
		Name:        o.chosenName("TableName", 3, 255),
		BillingMode: o.oneOf("BillingMode", "PROVISIONED", "PAY_PER_REQUEST"),
		TableClass:  o.oneOf("TableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS"),
		Tags:        o.tags(),
	}
	if protected := o.boolean("DeletionProtectionEnabled"); protected != nil {
		s.DeletionProtection = *protected
	}
	for _, a := range o.objects("AttributeDefinitions") {
		a.require("AttributeName", "AttributeType")
		s.Attributes = append(s.Attributes, TableAttribute{a.text("AttributeName"), a.oneOf("AttributeType", "S", "N", "B")})
		a.done()
	}
	for _, k := range o.objects("KeySchema") {
		k.require("AttributeName", "KeyType")
		s.Keys = append(s.Keys, TableKey{k.text("AttributeName"), k.oneOf("KeyType", "HASH", "RANGE")})
		k.done()
	}
	if throughput := o.object("ProvisionedThroughput"); throughput != nil {
		throughput.require("ReadCapacityUnits", "WriteCapacityUnits")
		s.ReadUnits, s.WriteUnits = throughput.count("ReadCapacityUnits"), throughput.count("WriteCapacityUnits")
		throughput.done()
	}
	if stream := o.object("StreamSpecification"); stream != nil {
		stream.require("StreamViewType")
		s.StreamView = stream.oneOf("StreamViewType", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
		stream.done()
	}
	if encryption := o.object("SSESpecification"); encryption != nil {
		encryption.only("SSEEnabled", "false")
		encryption.done()
	}
	if recovery := o.object("PointInTimeRecoverySpecification"); recovery != nil {
		recovery.only("PointInTimeRecoveryEnabled", "false")
		recovery.done()
	}
	return s
}
