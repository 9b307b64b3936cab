package dynamodbapi

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/weirstream/weir/internal/api"
)

// Constraints of the API model. Enumerations are listed in the order in which the
// service prints them.

var namePattern = api.MustPattern("[a-zA-Z0-9_.-]+")

const (
	minName = 3
	maxName = 255
	maxARN  = 1024
)

var (
	returnCapacityValues = []types.ReturnConsumedCapacity{"INDEXES", "TOTAL", "NONE"}
	returnMetricsValues  = []types.ReturnItemCollectionMetrics{"SIZE", "NONE"}
	returnValues         = []types.ReturnValue{"ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"}
	returnOnFailure      = []types.ReturnValuesOnConditionCheckFailure{"ALL_OLD", "NONE"}
	logicalOperators     = []types.ConditionalOperator{"OR", "AND"}
	selectValues         = []types.Select{"SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"}
	comparisonOperators  = []types.ComparisonOperator{"IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL", "NE", "LE", "BEGINS_WITH", "GE", "CONTAINS"}
	updateActions        = []types.AttributeAction{"ADD", "DELETE", "PUT"}
)

// checkName constrains the name of a table, which may be an ARN.
func checkName(c *api.Constraints, path string, name *string) {
	c.Required(path, name != nil)
	switch {
	case name == nil:
	case *name == "" || isTableARN(name):
		c.Length(path, name, 1, maxARN)
	default:
		c.Pattern(path, name, namePattern)
		c.Length(path, name, minName, maxName)
	}
}

func isARN(name *string) bool { return name != nil && strings.HasPrefix(*name, "arn:") }

// tableARN matches the ARNs of tables.
var tableARN = regexp.MustCompile(`\Aarn:[a-z-]+:dynamodb:[^:]+:\d+:table/[a-zA-Z0-9_.-]{3,255}\z`)

func isTableARN(name *string) bool { return isARN(name) && tableARN.MatchString(*name) }

// checkControlName constrains the name of a table in operations on tables as such,
// which have texts of their own.
func checkControlName(c *api.Constraints, name *string) error {
	switch {
	case name == nil:
		return api.Validation("The parameter 'TableName' is required but was not present in the request")
	case isTableARN(name):
	case len(*name) < minName || len(*name) > maxName:
		return api.Validation("TableName must be at least 3 characters long and at most 255 characters long")
	default:
		c.Pattern("tableName", name, namePattern)
	}
	return nil
}

// checkAttributesToGet constrains the parameter of that name.
func checkAttributesToGet(c *api.Constraints, path string, names []string) {
	if names != nil {
		c.ListSize(path, len(names), 1, 255, func(i int) string { return names[i] })
	}
}

func checkConditions(c *api.Constraints, path string, conditions map[string]types.Condition) {
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		condition := conditions[name]
		at := api.EntryPath(path, name, "comparisonOperator")
		c.Required(at, condition.ComparisonOperator != "")
		api.Enum(c, at, condition.ComparisonOperator, comparisonOperators...)
	}
}

func checkExpected(c *api.Constraints, expected map[string]types.ExpectedAttributeValue) {
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		api.Enum(c, api.EntryPath("expected", name, "comparisonOperator"), expected[name].ComparisonOperator, comparisonOperators...)
	}
}

func checkPositive(c *api.Constraints, path string, n *int32) { c.Range(path, n, 1, math.MaxInt32) }

func checkUnits(c *api.Constraints, path string, p *types.ProvisionedThroughput) {
	if p == nil {
		return
	}
	for _, u := range []struct {
		name  string
		units *int64
	}{{"writeCapacityUnits", p.WriteCapacityUnits}, {"readCapacityUnits", p.ReadCapacityUnits}} {
		c.Required(path+"."+u.name, u.units != nil)
		if u.units != nil {
			c.Range64(path+"."+u.name, *u.units, 1, math.MaxInt64)
		}
	}
}

func checkStreamSpec(c *api.Constraints, s *types.StreamSpecification) {
	if s == nil {
		return
	}
	c.Required("streamSpecification.streamEnabled", s.StreamEnabled != nil)
	api.Enum(c, "streamSpecification.streamViewType", s.StreamViewType, "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY")
}

func checkAttributeDefinitions(c *api.Constraints, definitions []types.AttributeDefinition) {
	for i, d := range definitions {
		c.Required(api.MemberPath("attributeDefinitions", i, "attributeName"), d.AttributeName != nil)
		c.Length(api.MemberPath("attributeDefinitions", i, "attributeName"), d.AttributeName, 1, 255)
		at := api.MemberPath("attributeDefinitions", i, "attributeType")
		c.Required(at, d.AttributeType != "")
		api.Enum(c, at, d.AttributeType, "B", "N", "S")
	}
}

func checkKeySchema(c *api.Constraints, path string, keys []types.KeySchemaElement) {
	c.Required(path, keys != nil)
	if keys == nil {
		return
	}
	c.ListSize(path, len(keys), 1, 2, func(i int) string {
		return fmt.Sprintf("KeySchemaElement(attributeName=%s, keyType=%s)", text(keys[i].AttributeName), keys[i].KeyType)
	})
	for i, k := range keys {
		c.Required(api.MemberPath(path, i, "attributeName"), k.AttributeName != nil)
		c.Length(api.MemberPath(path, i, "attributeName"), k.AttributeName, 1, 255)
		at := api.MemberPath(path, i, "keyType")
		c.Required(at, k.KeyType != "")
		api.Enum(c, at, k.KeyType, "HASH", "RANGE")
	}
}

// text is a string that may be absent.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func number(n *int32) int {
	if n == nil {
		return 0
	}
	return int(*n)
}

func isTrue(b *bool) bool { return b != nil && *b }
