package lambdaapi

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/weirstream/weir/internal/function"
)

// configuration describes a function as it is to clients. Its ARN has the
// qualifier that it was asked for with.
func (h handlers) configuration(def function.Definition, qualifier string) *lambda.GetFunctionConfigurationOutput {
	out := &lambda.GetFunctionConfigurationOutput{
		Architectures:    []types.Architecture{types.Architecture(def.Architecture)},
		CodeSha256:       aws.String(base64.StdEncoding.EncodeToString(def.CodeDigest())),
		CodeSize:         def.CodeSize,
		Description:      aws.String(def.Description),
		EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(int32(def.EphemeralMB))},
		FunctionArn:      aws.String(function.ARN(h.identity, def.Name, qualifier)),
		FunctionName:     aws.String(def.Name),
		Handler:          aws.String(def.Handler),
		LastModified:     aws.String(def.LastModified.UTC().Format("2006-01-02T15:04:05.000+0000")),
		LastUpdateStatus: types.LastUpdateStatusSuccessful,
		LoggingConfig:    &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: aws.String(def.LogGroup)},
		MemorySize:       aws.Int32(int32(def.MemoryMB)),
		PackageType:      types.PackageTypeZip,
		RevisionId:       aws.String(def.RevisionID),
		Role:             aws.String(def.Role),
		Runtime:          types.Runtime(def.Runtime),
		RuntimeVersionConfig: &types.RuntimeVersionConfig{
			RuntimeVersionArn: aws.String(function.RuntimeVersionARN(h.identity.Partition, h.identity.Region, def.Runtime)),
		},
		SnapStart:     &types.SnapStartResponse{ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff},
		State:         types.StateActive,
		Timeout:       aws.Int32(int32(def.TimeoutSeconds)),
		TracingConfig: &types.TracingConfigResponse{Mode: types.TracingMode(def.Tracing)},
		Version:       aws.String(def.VersionName()),
	}
	if def.DeadLetterARN != "" {
		out.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String(def.DeadLetterARN)}
	}
	if def.Environment != nil {
		out.Environment = &types.EnvironmentResponse{Variables: def.Environment}
	}
	return out
}

// listed is a configuration as a member of another structure.
func listed(c *lambda.GetFunctionConfigurationOutput) *types.FunctionConfiguration {
	return &types.FunctionConfiguration{
		Architectures: c.Architectures, CodeSha256: c.CodeSha256, CodeSize: c.CodeSize, Description: c.Description,
		DeadLetterConfig: c.DeadLetterConfig, Environment: c.Environment, EphemeralStorage: c.EphemeralStorage, FunctionArn: c.FunctionArn, FunctionName: c.FunctionName,
		Handler: c.Handler, LastModified: c.LastModified, LastUpdateStatus: c.LastUpdateStatus, LoggingConfig: c.LoggingConfig,
		MemorySize: c.MemorySize, PackageType: c.PackageType, RevisionId: c.RevisionId, Role: c.Role, Runtime: c.Runtime,
		RuntimeVersionConfig: c.RuntimeVersionConfig, SnapStart: c.SnapStart, State: c.State, Timeout: c.Timeout,
		TracingConfig: c.TracingConfig, Version: c.Version,
	}
}

// inList is a configuration in a list of functions, which tells less.
func inList(c *lambda.GetFunctionConfigurationOutput) *types.FunctionConfiguration {
	out := listed(c)
	out.State, out.LastUpdateStatus, out.RuntimeVersionConfig = "", "", nil
	return out
}

// CodePath is where CodeHandler is to be served: the name of a function follows.
const CodePath = "/_weir/code/"

// CodeHandler serves the code packages of functions, to which GetFunction
// points.
func CodeHandler(functions *function.Functions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := strings.CutPrefix(r.URL.Path, CodePath)
		if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "GET "+CodePath+"NAME", http.StatusMethodNotAllowed)
			return
		}
		pkg, err := functions.Code(name)
		if err != nil {
			http.Error(w, "no such function", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("Content-Length", strconv.Itoa(len(pkg)))
		_, _ = w.Write(pkg) // the client may be gone
	})
}
