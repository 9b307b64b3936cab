package lambdaapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/function"
)

func (h handlers) invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	inv, err := h.invocation(ctx, in)
	if err != nil {
		return nil, err
	}
	switch in.InvocationType {
	case types.InvocationTypeDryRun:
		if err := h.functions.DryRun(inv.Function); err != nil {
			return nil, exception(err)
		}
		return &lambda.InvokeOutput{StatusCode: 204}, nil
	case types.InvocationTypeEvent:
		if err := h.functions.InvokeAsync(ctx, inv); err != nil {
			return nil, invokeException(err)
		}
		return &lambda.InvokeOutput{StatusCode: 202}, nil
	}
	r, err := h.functions.Invoke(ctx, inv)
	if err != nil {
		return nil, invokeException(err)
	}
	out := &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: &r.ExecutedVersion, Payload: r.Payload}
	if r.FunctionError != "" {
		out.FunctionError = &r.FunctionError
	}
	if inv.LogTail {
		out.LogResult = aws.String(base64.StdEncoding.EncodeToString(r.LogTail))
	}
	return out, nil
}

// invocation checks a request and makes an invocation of it.
func (h handlers) invocation(ctx context.Context, in *lambda.InvokeInput) (function.Invocation, error) {
	var none function.Invocation
	var c api.Constraints
	checkReference(&c, in.FunctionName, in.Qualifier)
	api.Enum(&c, "invocationType", in.InvocationType, types.InvocationTypeEvent, types.InvocationTypeRequestResponse, types.InvocationTypeDryRun)
	api.Enum(&c, "logType", in.LogType, types.LogTypeNone, types.LogTypeTail)
	if err := c.Err(); err != nil {
		return none, err
	}
	var u unsupported
	u.add("TenantId", in.TenantId != nil)
	u.add("DurableExecutionName", in.DurableExecutionName != nil)
	if err := u.refuse(); err != nil {
		return none, err
	}
	ref, err := referTo(in.FunctionName, in.Qualifier)
	if err != nil {
		return none, err
	}
	if !ref.exists() {
		return none, notFound("Function not found: " + function.ARN(h.identity, ref.name, ref.qualifier))
	}
	clientContext, err := decodeClientContext(in.ClientContext)
	if err != nil {
		return none, err
	}
	if err := function.CheckPayload(in.Payload); err != nil {
		return none, exception(err)
	}
	caller := api.CallerOf(ctx)
	return function.Invocation{
		Function:      ref.text,
		Payload:       in.Payload,
		LogTail:       in.LogType == types.LogTypeTail && in.InvocationType != types.InvocationTypeEvent,
		ClientContext: clientContext,
		RequestID:     caller.RequestID,
		CallerKey:     caller.AccessKeyID,
	}, nil
}

// decodeClientContext returns the JSON document in a client context, on one
// line.
func decodeClientContext(text *string) (string, error) {
	const most = 3583
	if text == nil {
		return "", nil
	}
	if len(*text) > most {
		return "", &types.InvalidRequestContentException{Message: aws.String("Client context must be no more than 3583 bytes when base64-encoded"), Type: user}
	}
	doc, err := base64.StdEncoding.DecodeString(*text)
	if err == nil {
		var compact bytes.Buffer
		if err = json.Compact(&compact, doc); err == nil {
			return compact.String(), nil
		}
	}
	return "", &types.InvalidRequestContentException{Message: aws.String("Client context must be a valid Base64-encoded JSON object."), Type: user}
}

// invokeException is exception but for the size of a payload, which has an
// exception of its own.
func invokeException(err error) error {
	if errors.Is(err, function.ErrTooLarge) {
		return &types.RequestTooLargeException{Message: aws.String(err.Error()), Type: user}
	}
	return exception(err)
}
