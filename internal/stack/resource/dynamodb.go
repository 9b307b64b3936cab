package resource

import (
	"context"
	"fmt"

	"github.com/weirstream/weir/internal/stack/template"
)

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
}, tableOperations(decodeTable))

// dynamoDBGlobalTable is a table with replicas: here with the one of this region.
var dynamoDBGlobalTable = define(Type{
	Name: "AWS::DynamoDB::GlobalTable", NameProperty: "TableName", NameLimit: 255,
	Properties: []string{"AttributeDefinitions", "BillingMode", "KeySchema", "Replicas", "SSESpecification", "StreamSpecification", "TableName"},
	Unimplemented: []string{"GlobalSecondaryIndexes", "GlobalTableSettingsReplicationMode", "GlobalTableSourceArn", "GlobalTableWitnesses",
		"LocalSecondaryIndexes", "MultiRegionConsistency", "ReadOnDemandThroughputSettings", "ReadProvisionedThroughputSettings",
		"TimeToLiveSpecification", "WarmThroughput", "WriteOnDemandThroughputSettings", "WriteProvisionedThroughputSettings"},
	Replace:    []string{"AttributeDefinitions", "KeySchema", "TableName"},
	Attributes: []string{"Arn", "StreamArn"},
	Needs:      map[string]string{"StreamArn": "StreamSpecification"},
}, tableOperations(decodeGlobalTable))

func tableOperations(decode func(*object) TableSpec) operations[TableSpec] {
	return operations[TableSpec]{
		decode: decode,
		create: func(ctx context.Context, p *Providers, t Target, s TableSpec) (Made, error) {
			if err := s.inRegion(t); err != nil {
				return Made{}, err
			}
			s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
			made, err := p.Tables.CreateTable(ctx, s)
			return madeTable(s.Name, made), err
		},
		update: func(ctx context.Context, p *Providers, t Target, _, s TableSpec) (Made, error) {
			if err := s.inRegion(t); err != nil {
				return Made{}, err
			}
			s.Name, s.Tags = t.Name, t.withStackTags(s.Tags)
			made, err := p.Tables.UpdateTable(ctx, s)
			return madeTable(s.Name, made), err
		},
		remove: func(ctx context.Context, p *Providers, t Target, _ TableSpec) error {
			return p.Tables.DeleteTable(ctx, t.Name)
		},
	}
}

// inRegion reports a table that is to be in another region.
func (s TableSpec) inRegion(t Target) error {
	if s.region == "" || s.region == t.Identity.Region {
		return nil
	}
	return fmt.Errorf("%w: a replica in %s is not implemented, only one in %s", ErrInvalid, s.region, t.Identity.Region)
}

func madeTable(name string, t TableMade) Made {
	made := named(name, t.ARN)
	if t.StreamARN != "" {
		made.Attributes["StreamArn"] = t.StreamARN
	}
	return made
}

func decodeTable(o *object) TableSpec {
	var s TableSpec
	decodeTableShape(o, &s)
	decodeReplica(o, &s)
	s.BillingMode = o.oneOf("BillingMode", "PROVISIONED", "PAY_PER_REQUEST")
	if throughput := o.object("ProvisionedThroughput"); throughput != nil {
		throughput.require("ReadCapacityUnits", "WriteCapacityUnits")
		s.ReadUnits, s.WriteUnits = throughput.count("ReadCapacityUnits"), throughput.count("WriteCapacityUnits")
		throughput.done()
	}
	return s
}

func decodeGlobalTable(o *object) TableSpec {
	o.require("Replicas", "BillingMode")
	o.only("BillingMode", "PAY_PER_REQUEST")
	s := TableSpec{BillingMode: o.text("BillingMode")}
	decodeTableShape(o, &s)
	replicas := o.objects("Replicas")
	if n := o.get("Replicas"); n != nil && n.Kind == template.KindList && len(n.Items) != 1 {
		o.fail(n.Line, "another number of replicas of a table than one is not implemented")
	}
	for _, replica := range replicas {
		replica.require("Region")
		s.region = replica.text("Region")
		decodeReplica(replica, &s)
		replica.done()
	}
	return s
}

// decodeReplica reads what each replica of a table has for itself.
func decodeReplica(o *object, s *TableSpec) {
	s.TableClass, s.Tags = o.oneOf("TableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS"), o.tags()
	if protected := o.boolean("DeletionProtectionEnabled"); protected != nil {
		s.DeletionProtection = *protected
	}
	if recovery := o.object("PointInTimeRecoverySpecification"); recovery != nil {
		recovery.only("PointInTimeRecoveryEnabled", "false")
		recovery.done()
	}
}

// decodeTableShape reads what all replicas of a table have in common.
func decodeTableShape(o *object, s *TableSpec) {
	o.require("KeySchema", "AttributeDefinitions")
	s.Name = o.chosenName("TableName", 3, 255)
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
	if stream := o.object("StreamSpecification"); stream != nil {
		stream.require("StreamViewType")
		s.StreamView = stream.oneOf("StreamViewType", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
		stream.done()
	}
	if encryption := o.object("SSESpecification"); encryption != nil {
		encryption.only("SSEEnabled", "false")
		encryption.done()
	}
}
