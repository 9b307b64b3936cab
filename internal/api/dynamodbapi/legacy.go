package dynamodbapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/table/expr"
)

// parameter is one that a request may have.
type parameter struct {
	name    string
	present bool
}

func given(parameters []parameter) []string {
	var names []string
	for _, p := range parameters {
		if p.present {
			names = append(names, p.name)
		}
	}
	return names
}

// checkMixing refuses a request that has both expressions and the parameters that
// were there before, or placeholders without an expression to use them.
func checkMixing(expressions, older []parameter, s expr.Scope) error {
	present := given(expressions)
	if len(present) > 0 {
		if old := given(older); len(old) > 0 {
			return api.Validation("Can not use both expression and non-expression parameters in the same request: " +
				"Non-expression parameters: {" + strings.Join(old, ", ") + "} Expression parameters: {" + strings.Join(present, ", ") + "}")
		}
	}
	if s.Names != nil && len(present) == 0 {
		return api.Validation("ExpressionAttributeNames can only be specified when using expressions")
	}
	if s.Values == nil {
		return nil
	}
	// A projection has no values.
	var users []string
	for _, e := range expressions {
		if e.name == "ProjectionExpression" {
			continue
		}
		if e.present {
			return nil
		}
		users = append(users, e.name)
	}
	if len(users) == 0 {
		return nil
	}
	verb := " is null"
	if len(users) > 1 {
		verb = " are null"
	}
	return api.Validation("ExpressionAttributeValues can only be specified when using expressions: " + strings.Join(users, " and ") + verb)
}

// checkJoin refuses an operator that has no conditions to join.
func checkJoin(op types.ConditionalOperator, conditions int) error {
	switch {
	case op == "" || conditions > 1:
		return nil
	case conditions == 1:
		return api.Validation("ConditionalOperator can only be used when Filter or Expected has two or more elements")
	}
	return api.Validation("ConditionalOperator cannot be used without Filter or Expected")
}

// olderExpected is the Expected parameter; the result is nil when it is.
func olderExpected(m map[string]types.ExpectedAttributeValue) []expr.LegacyCondition {
	if m == nil {
		return nil
	}
	conditions := make([]expr.LegacyCondition, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		e := m[name]
		conditions = append(conditions, expr.LegacyCondition{
			Name: name, Operator: string(e.ComparisonOperator), Values: olderValues(e.AttributeValueList), Exists: e.Exists, Value: olderValue(e.Value),
		})
	}
	return conditions
}

// olderConditions is a parameter such as QueryFilter; the result is nil when it is.
func olderConditions(m map[string]types.Condition) []expr.LegacyCondition {
	if m == nil {
		return nil
	}
	conditions := make([]expr.LegacyCondition, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		c := m[name]
		conditions = append(conditions, expr.LegacyCondition{Name: name, Operator: string(c.ComparisonOperator), Values: olderValues(c.AttributeValueList)})
	}
	return conditions
}

// olderUpdates is the AttributeUpdates parameter; the result is nil when it is.
func olderUpdates(m map[string]types.AttributeValueUpdate) []expr.LegacyUpdate {
	if m == nil {
		return nil
	}
	updates := make([]expr.LegacyUpdate, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		updates = append(updates, expr.LegacyUpdate{Name: name, Action: string(m[name].Action), Value: olderValue(m[name].Value)})
	}
	return updates
}

func olderValues(list []types.AttributeValue) []expr.LegacyValue {
	if list == nil {
		return nil
	}
	values := make([]expr.LegacyValue, len(list))
	for i, v := range list {
		values[i].Value, values[i].Invalid = value(v)
	}
	return values
}

func olderValue(v types.AttributeValue) *expr.LegacyValue {
	if v == nil {
		return nil
	}
	var out expr.LegacyValue
	out.Value, out.Invalid = value(v)
	return &out
}

// older returns the parameters if there are any.
func older(l expr.Legacy, op types.ConditionalOperator) *expr.Legacy {
	if l.Updates == nil && l.Expected == nil && l.Filter == nil && l.KeyConditions == nil && l.AttributesToGet == nil {
		return nil
	}
	l.Or = op == types.ConditionalOperatorOr
	return &l
}
