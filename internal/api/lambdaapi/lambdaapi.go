// Package lambdaapi speaks the Lambda API: functions, their invocation, resource
// policies and tags here, event source mappings in mappings.go.
//
// It decodes requests, checks what the API model declares, and calls package
// function or mapping; there is no logic of functions in it. Parameters that are
// not implemented are refused by name.
package lambdaapi

import (
	"errors"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/object"
)

// maxRequestBytes is the service's bound of a CreateFunction request, the
// largest one: a zip of 50 MiB in base64, and some.
const maxRequestBytes = 70167211

// New returns the Lambda API of functions and mappings. Code packages can be taken
// from objects.
func New(functions *function.Functions, mappings *mapping.Mappings, objects *object.Buckets, id catalog.Identity) *api.Service {
	h := handlers{functions: functions, mappings: mappings, objects: objects, identity: id}
	return &api.Service{
		Name:            "lambda",
		REST:            true,
		MaxRequestBytes: maxRequestBytes,
		Operations:      slices.Concat(h.operations(), h.versionOperations(), h.concurrencyOperations(), h.provisionedOperations(), h.eventOperations(), mappingOperations(mappings)),
	}
}

type handlers struct {
	functions *function.Functions
	mappings  *mapping.Mappings
	objects   *object.Buckets
	identity  catalog.Identity
}

func (h handlers) operations() []api.Operation {
	return []api.Operation{
		api.Op("CreateFunction", schemas.CreateFunction, schemas.CreateFunctionRequest, schemas.FunctionConfiguration, h.createFunction),
		api.Op("GetFunction", schemas.GetFunction, schemas.GetFunctionRequest, schemas.GetFunctionResponse, h.getFunction),
		api.Op("GetFunctionConfiguration", schemas.GetFunctionConfiguration, schemas.GetFunctionConfigurationRequest, schemas.FunctionConfiguration, h.getFunctionConfiguration),
		api.Op("ListFunctions", schemas.ListFunctions, schemas.ListFunctionsRequest, schemas.ListFunctionsResponse, h.listFunctions),
		api.Op("UpdateFunctionCode", schemas.UpdateFunctionCode, schemas.UpdateFunctionCodeRequest, schemas.FunctionConfiguration, h.updateFunctionCode),
		api.Op("UpdateFunctionConfiguration", schemas.UpdateFunctionConfiguration, schemas.UpdateFunctionConfigurationRequest, schemas.FunctionConfiguration, h.updateFunctionConfiguration),
		api.Op("DeleteFunction", schemas.DeleteFunction, schemas.DeleteFunctionRequest, schemas.DeleteFunctionResponse, h.deleteFunction),
		api.Op("Invoke", schemas.Invoke, schemas.InvocationRequest, schemas.InvocationResponse, h.invoke),
		api.Op("AddPermission", schemas.AddPermission, schemas.AddPermissionRequest, schemas.AddPermissionResponse, h.addPermission),
		api.Op("GetPolicy", schemas.GetPolicy, schemas.GetPolicyRequest, schemas.GetPolicyResponse, h.getPolicy),
		api.Op("RemovePermission", schemas.RemovePermission, schemas.RemovePermissionRequest, nil, h.removePermission),
		api.Op("TagResource", schemas.TagResource, schemas.TagResourceRequest, nil, h.tagResource),
		api.Op("UntagResource", schemas.UntagResource, schemas.UntagResourceRequest, nil, h.untagResource),
		api.Op("ListTags", schemas.ListTags, schemas.ListTagsRequest, schemas.ListTagsResponse, h.listTags),
		api.Op("GetFunctionCodeSigningConfig", schemas.GetFunctionCodeSigningConfig, schemas.GetFunctionCodeSigningConfigRequest, schemas.GetFunctionCodeSigningConfigResponse, h.getFunctionCodeSigningConfig),
	}
}

var user = aws.String("User")

// exception maps errors of package function to those of the API.
func exception(err error) error {
	if err == nil {
		return nil
	}
	text := aws.String(err.Error())
	switch {
	case errors.Is(err, function.ErrNotFound):
		return &types.ResourceNotFoundException{Message: text, Type: user}
	case errors.Is(err, function.ErrExists), errors.Is(err, function.ErrConflict):
		return &types.ResourceConflictException{Message: text, Type: user}
	case errors.Is(err, function.ErrInvalid):
		return &types.InvalidParameterValueException{Message: text, Type: user}
	case errors.Is(err, function.ErrInvalidPayload):
		return &types.InvalidRequestContentException{Message: text, Type: user}
	case errors.Is(err, function.ErrRevision):
		return &types.PreconditionFailedException{Message: text, Type: user}
	case errors.Is(err, function.ErrReservedConcurrency):
		return &types.TooManyRequestsException{Message: text, Type: user, Reason: types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded}
	case errors.Is(err, function.ErrThrottled):
		return &types.TooManyRequestsException{Message: text, Type: user, Reason: types.ThrottleReasonConcurrentInvocationLimitExceeded}
	case errors.Is(err, function.ErrTooLarge):
		return tooLarge(*text, err)
	case errors.Is(err, function.ErrDenied):
		return &api.Error{Code: "AccessDeniedException", Message: *text, Status: http.StatusForbidden, Cause: err}
	case errors.Is(err, function.ErrClosed):
		return &api.Error{Code: "ServiceException", Message: "The server is shutting down", Status: http.StatusInternalServerError, Cause: err}
	}
	return err
}

func tooLarge(text string, cause error) error {
	return &api.Error{Code: "RequestEntityTooLargeException", Message: text, Status: http.StatusRequestEntityTooLarge, Cause: cause}
}

func invalid(text string) error {
	return &types.InvalidParameterValueException{Message: &text, Type: user}
}

func notFound(text string) error {
	return &types.ResourceNotFoundException{Message: &text, Type: user}
}

// refuse returns an error that names the parameters that ask for something that
// is not there, nil if there are none.
func (u *unsupported) refuse() error {
	if len(u.names) == 0 {
		return nil
	}
	text := "Weir does not implement the following parameters yet: "
	for i, name := range u.names {
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return invalid(text)
}
