package function

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// reservedVariables are set by the runtime and cannot be set by a definition.
var reservedVariables = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

// variables is the environment of a function's process: what AWS sets, and
// AWS_ENDPOINT_URL. Nothing of the server's own environment gets in but PATH.
func variables(e *environment, region, endpoint string, code, runtimeDir string) []string {
	def := e.def
	vars := map[string]string{
		"LANG":            "en_US.UTF-8",
		"TZ":              ":UTC",
		"PATH":            os.Getenv("PATH"),
		"LD_LIBRARY_PATH": strings.Join([]string{code, filepath.Join(code, "lib")}, ":"),
	}
	if endpoint != "" {
		vars["AWS_ENDPOINT_URL"] = endpoint
	}
	maps.Copy(vars, def.Environment)
	maps.Copy(vars, map[string]string{
		"_HANDLER":                        def.Handler,
		"AWS_REGION":                      region,
		"AWS_DEFAULT_REGION":              region,
		"AWS_LAMBDA_FUNCTION_NAME":        def.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     def.VersionName(),
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(def.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       def.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      e.stream,
		"AWS_LAMBDA_RUNTIME_API":          e.listener.Addr().String(),
		accessKeyVariable:                 e.credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":           e.credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN":               e.credentials.SessionToken,
		taskRootVariable:                  code,
		"LAMBDA_RUNTIME_DIR":              runtimeDir,
	})
	if !strings.HasPrefix(def.Runtime, "provided") {
		vars["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + def.Runtime
	}
	list := make([]string, 0, len(vars))
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		list = append(list, name+"="+vars[name])
	}
	return list
}
