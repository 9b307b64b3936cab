package lambdaapi

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/function"
)

func (h handlers) addPermission(_ context.Context, in *lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error) {
	var c api.Constraints
	checkReference(&c, in.FunctionName, in.Qualifier)
	c.Required("statementId", in.StatementId != nil)
	c.Length("statementId", in.StatementId, 1, 100)
	c.Pattern("statementId", in.StatementId, statementPattern)
	c.Required("action", in.Action != nil)
	c.Pattern("action", in.Action, actionPattern)
	c.Required("principal", in.Principal != nil)
	c.Pattern("principal", in.Principal, principalPattern)
	c.Pattern("sourceArn", in.SourceArn, arnPattern)
	c.Pattern("sourceAccount", in.SourceAccount, accountPattern)
	c.Length("eventSourceToken", in.EventSourceToken, 0, 256)
	c.Pattern("eventSourceToken", in.EventSourceToken, tokenPattern)
	c.Length("principalOrgID", in.PrincipalOrgID, 12, 34)
	c.Pattern("principalOrgID", in.PrincipalOrgID, organizationPattern)
	api.Enum(&c, "functionUrlAuthType", in.FunctionUrlAuthType, types.FunctionUrlAuthTypeNone, types.FunctionUrlAuthTypeAwsIam)
	if err := c.Err(); err != nil {
		return nil, err
	}
	ref, err := h.policyHolder(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	principal, err := h.principal(*in.Principal)
	if err != nil {
		return nil, err
	}
	statement, err := h.functions.AddPermission(ref, function.Statement{
		Sid: *in.StatementId, Effect: "Allow", Principal: principal, Action: *in.Action, Condition: conditionOf(in),
	}, aws.ToString(in.RevisionId))
	if err != nil {
		return nil, exception(err)
	}
	doc, err := json.Marshal(statement)
	if err != nil {
		return nil, fmt.Errorf("encode statement %s: %w", statement.Sid, err)
	}
	return &lambda.AddPermissionOutput{Statement: aws.String(string(doc))}, nil
}

// policyHolder returns the function, version or alias whose policy is meant.
func (h handlers) policyHolder(name, qualifier *string) (string, error) {
	ref, err := referTo(name, qualifier)
	if err != nil {
		return "", err
	}
	if ref.qualifier == function.LatestVersion {
		return "", invalid("We currently do not support adding policies for $LATEST.")
	}
	if !ref.exists() {
		return "", notFound("Function not found: " + function.ARN(h.identity, ref.name, ref.qualifier))
	}
	return ref.text, nil
}

// principal words who is allowed as a policy does.
func (h handlers) principal(text string) (any, error) {
	switch {
	case text == "*":
		return "*", nil
	case accountPattern.Match(text):
		return map[string]string{"AWS": "arn:" + h.identity.Partition + ":iam::" + text + ":root"}, nil
	case strings.HasPrefix(text, "arn:"):
		return map[string]string{"AWS": text}, nil
	case servicePattern.Match(text):
		return map[string]string{"Service": text}, nil
	}
	return nil, invalid("The provided principal was invalid. Please check the principal and try again.")
}

func conditionOf(in *lambda.AddPermissionInput) map[string]map[string]string {
	conditions := map[string]map[string]string{}
	add := func(operator, key, value string) {
		if value == "" {
			return
		}
		if conditions[operator] == nil {
			conditions[operator] = map[string]string{}
		}
		conditions[operator][key] = value
	}
	add("ArnLike", "AWS:SourceArn", aws.ToString(in.SourceArn))
	add("StringEquals", "AWS:SourceAccount", aws.ToString(in.SourceAccount))
	add("StringEquals", "lambda:EventSourceToken", aws.ToString(in.EventSourceToken))
	add("StringEquals", "lambda:FunctionUrlAuthType", string(in.FunctionUrlAuthType))
	add("StringEquals", "aws:PrincipalOrgID", aws.ToString(in.PrincipalOrgID))
	if aws.ToBool(in.InvokedViaFunctionUrl) {
		add("Bool", "lambda:InvokedViaFunctionUrl", "true")
	}
	return conditions
}

func (h handlers) getPolicy(_ context.Context, in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
	var c api.Constraints
	checkReference(&c, in.FunctionName, in.Qualifier)
	if err := c.Err(); err != nil {
		return nil, err
	}
	ref, err := referTo(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	policy, err := h.functions.Policy(ref.text)
	if err != nil || len(policy.Statements) == 0 || ref.qualifier == function.LatestVersion {
		return nil, notFound("The resource you requested does not exist.")
	}
	doc, err := json.Marshal(struct {
		Version   string
		ID        string `json:"Id"`
		Statement []function.Statement
	}{"2012-10-17", "default", policy.Statements})
	if err != nil {
		return nil, fmt.Errorf("encode policy of %s: %w", ref.text, err)
	}
	return &lambda.GetPolicyOutput{Policy: aws.String(string(doc)), RevisionId: &policy.RevisionID}, nil
}

func (h handlers) removePermission(_ context.Context, in *lambda.RemovePermissionInput) (*lambda.RemovePermissionOutput, error) {
	var c api.Constraints
	checkReference(&c, in.FunctionName, in.Qualifier)
	c.Required("statementId", in.StatementId != nil)
	c.Length("statementId", in.StatementId, 1, 100)
	if err := c.Err(); err != nil {
		return nil, err
	}
	ref, err := referTo(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if _, err := h.functions.Get(ref.name); err != nil {
		return nil, notFound("No policy found for: " + function.ARN(h.identity, ref.name, ref.qualifier))
	}
	if err := h.functions.RemovePermission(ref.text, *in.StatementId, aws.ToString(in.RevisionId)); err != nil {
		return nil, exception(err)
	}
	return &lambda.RemovePermissionOutput{}, nil
}
