package lambdaapi

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/object"
)

func (h handlers) createFunction(ctx context.Context, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	s := settings{
		runtime: in.Runtime, handler: in.Handler, role: in.Role, description: in.Description, timeout: in.Timeout, memory: in.MemorySize,
		environment: in.Environment, ephemeral: in.EphemeralStorage, tracing: in.TracingConfig, logging: in.LoggingConfig,
		vpc: in.VpcConfig, deadLetter: in.DeadLetterConfig, keyARN: in.KMSKeyArn, layers: in.Layers, fileSystems: in.FileSystemConfigs,
		image: in.ImageConfig, snapStart: in.SnapStart, durable: in.DurableConfig, capacity: in.CapacityProviderConfig,
		architecture: in.Architectures,
	}
	var c api.Constraints
	checkName(&c, in.FunctionName)
	c.Required("role", in.Role != nil)
	c.Required("code", in.Code != nil)
	api.Enum(&c, "packageType", in.PackageType, types.PackageTypeImage, types.PackageTypeZip)
	s.check(&c)
	if err := errors.Join(c.Err(), s.checkVariables()); err != nil {
		return nil, err
	}
	name, err := h.functions.NewName(*in.FunctionName)
	if err != nil {
		return nil, exception(err)
	}
	var u unsupported
	u.add("PackageType Image", in.PackageType == types.PackageTypeImage || in.Code.ImageUri != nil)
	u.add("PublishTo", in.PublishTo != "")
	u.add("CodeSigningConfigArn", aws.ToString(in.CodeSigningConfigArn) != "")
	u.add("TenancyConfig", in.TenancyConfig != nil)
	s.unsupported(&u)
	pkg, err := h.load(ctx, &u, source{
		zip: in.Code.ZipFile, bucket: in.Code.S3Bucket, key: in.Code.S3Key, version: in.Code.S3ObjectVersion, keyARN: in.Code.SourceKMSKeyArn,
	})
	if err != nil {
		return nil, err
	}
	def, err := h.functions.Create(ctx, s.definition(name, in.Tags), pkg)
	if err != nil {
		return nil, exception(err)
	}
	if in.Publish {
		if def, err = h.functions.Publish(ctx, def.Name, function.Publishing{}); err != nil {
			return nil, exception(err)
		}
	}
	out := lambda.CreateFunctionOutput(*h.creating(def, ""))
	return &out, nil
}

// creating is the answer to what makes a function or a version: to clients it is
// under way, although it is done.
func (h handlers) creating(def function.Definition, qualifier string) *lambda.GetFunctionConfigurationOutput {
	out := h.configuration(def, qualifier)
	out.State, out.StateReasonCode = types.StatePending, types.StateReasonCodeCreating
	out.StateReason = aws.String("The function is being created.")
	out.LastUpdateStatus = ""
	return out
}

// source is where the code of a function is.
type source struct {
	zip                  []byte
	bucket, key, version *string
	keyARN               *string
}

// load returns the code package of a request.
func (h handlers) load(ctx context.Context, u *unsupported, from source) ([]byte, error) {
	u.add("SourceKMSKeyArn", aws.ToString(from.keyARN) != "")
	if err := u.refuse(); err != nil {
		return nil, err
	}
	switch {
	case from.zip != nil && (from.bucket != nil || from.key != nil || from.version != nil):
		return nil, invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
	case from.bucket != nil:
		return h.loadObject(ctx, from)
	case from.zip == nil:
		return nil, invalid("Please provide a source for function code.")
	case len(from.zip) > function.MaxZipBytes:
		return nil, tooLarge("Zipped size must be smaller than "+strconv.Itoa(function.MaxZipBytes)+" bytes", nil)
	}
	return from.zip, nil
}

// loadObject reads a code package from a bucket.
func (h handlers) loadObject(ctx context.Context, from source) ([]byte, error) {
	if from.key == nil {
		return nil, invalid("S3 key is missing")
	}
	failed := func(code, message string) error {
		return invalid("Error occurred while GetObject. S3 Error Code: " + code + ". S3 Error Message: " + message)
	}
	if version := aws.ToString(from.version); version != "" && version != "null" {
		return nil, failed("NoSuchVersion", "The specified version does not exist.")
	}
	pkg, err := h.objects.Read(ctx, *from.bucket, *from.key, function.MaxUnzippedBytes)
	if refused := (*object.Error)(nil); errors.As(err, &refused) {
		if refused.Code == object.EntityTooLarge {
			return nil, invalid("Unzipped size must be smaller than " + strconv.Itoa(function.MaxUnzippedBytes) + " bytes")
		}
		return nil, failed(string(refused.Code), refused.Message)
	}
	return pkg, err
}

func (s settings) definition(name string, tags map[string]string) function.Definition {
	def := function.Definition{
		Name: name, Runtime: string(s.runtime), Handler: aws.ToString(s.handler), Role: aws.ToString(s.role),
		Description: aws.ToString(s.description), TimeoutSeconds: int(aws.ToInt32(s.timeout)), MemoryMB: int(aws.ToInt32(s.memory)),
		Tags: tags,
	}
	if s.environment != nil {
		def.Environment = s.environment.Variables
	}
	if s.ephemeral != nil {
		def.EphemeralMB = int(*s.ephemeral.Size)
	}
	if s.tracing != nil {
		def.Tracing = string(s.tracing.Mode)
	}
	if s.logging != nil {
		def.LogGroup = aws.ToString(s.logging.LogGroup)
	}
	if s.deadLetter != nil {
		def.DeadLetterARN = aws.ToString(s.deadLetter.TargetArn)
	}
	if len(s.architecture) > 0 {
		def.Architecture = string(s.architecture[0])
	}
	return def
}

func (h handlers) updateFunctionConfiguration(ctx context.Context, in *lambda.UpdateFunctionConfigurationInput) (*lambda.UpdateFunctionConfigurationOutput, error) {
	s := settings{
		runtime: in.Runtime, handler: in.Handler, role: in.Role, description: in.Description, timeout: in.Timeout, memory: in.MemorySize,
		environment: in.Environment, ephemeral: in.EphemeralStorage, tracing: in.TracingConfig, logging: in.LoggingConfig,
		vpc: in.VpcConfig, deadLetter: in.DeadLetterConfig, keyARN: in.KMSKeyArn, layers: in.Layers, fileSystems: in.FileSystemConfigs,
		image: in.ImageConfig, snapStart: in.SnapStart, durable: in.DurableConfig, capacity: in.CapacityProviderConfig,
		revisionID: in.RevisionId,
	}
	var c api.Constraints
	checkName(&c, in.FunctionName)
	s.check(&c)
	if err := errors.Join(c.Err(), s.checkVariables()); err != nil {
		return nil, err
	}
	var u unsupported
	s.unsupported(&u)
	if err := u.refuse(); err != nil {
		return nil, err
	}
	def, err := h.functions.UpdateConfiguration(ctx, *in.FunctionName, s.update())
	if err != nil {
		return nil, exception(err)
	}
	out := lambda.UpdateFunctionConfigurationOutput(*h.updating(def))
	return &out, nil
}

func (s settings) update() function.ConfigurationUpdate {
	u := function.ConfigurationUpdate{
		Handler: s.handler, Role: s.role, Description: s.description,
		TimeoutSeconds: number(s.timeout), MemoryMB: number(s.memory),
		RevisionID: aws.ToString(s.revisionID),
	}
	if s.runtime != "" {
		u.Runtime = aws.String(string(s.runtime))
	}
	if s.environment != nil {
		u.Environment = &s.environment.Variables
	}
	if s.ephemeral != nil {
		u.EphemeralMB = number(s.ephemeral.Size)
	}
	if s.tracing != nil {
		u.Tracing = aws.String(string(s.tracing.Mode))
	}
	if s.logging != nil {
		u.LogGroup = s.logging.LogGroup
	}
	if s.deadLetter != nil {
		u.DeadLetterARN = s.deadLetter.TargetArn // without one it stays; an empty one ends it
	}
	return u
}

func (h handlers) updateFunctionCode(ctx context.Context, in *lambda.UpdateFunctionCodeInput) (*lambda.UpdateFunctionCodeOutput, error) {
	var c api.Constraints
	checkName(&c, in.FunctionName)
	settings{architecture: in.Architectures}.checkArchitectures(&c)
	if err := c.Err(); err != nil {
		return nil, err
	}
	var u unsupported
	u.add("ImageUri", in.ImageUri != nil)
	u.add("PublishTo", in.PublishTo != "")
	pkg, err := h.load(ctx, &u, source{zip: in.ZipFile, bucket: in.S3Bucket, key: in.S3Key, version: in.S3ObjectVersion, keyARN: in.SourceKMSKeyArn})
	if err != nil {
		return nil, err
	}
	def, err := h.functions.UpdateCode(ctx, *in.FunctionName, function.CodeUpdate{
		Package: pkg, RevisionID: aws.ToString(in.RevisionId), DryRun: in.DryRun, Publish: in.Publish,
	})
	if err != nil {
		return nil, exception(err)
	}
	if def.Version != "" {
		out := lambda.UpdateFunctionCodeOutput(*h.creating(def, def.Version))
		return &out, nil
	}
	out := lambda.UpdateFunctionCodeOutput(*h.updating(def))
	return &out, nil
}

// updating is the answer to an update: to clients it is under way, although it
// is done.
func (h handlers) updating(def function.Definition) *lambda.GetFunctionConfigurationOutput {
	out := h.configuration(def, "")
	out.LastUpdateStatus = types.LastUpdateStatusInProgress
	out.LastUpdateStatusReason = aws.String("The function is being created.")
	out.LastUpdateStatusReasonCode = "Creating"
	return out
}

// lookUp returns the function that a request asks for.
func (h handlers) lookUp(name, qualifier *string) (function.Definition, reference, error) {
	var c api.Constraints
	checkReference(&c, name, qualifier)
	if err := c.Err(); err != nil {
		return function.Definition{}, reference{}, err
	}
	ref, err := referTo(name, qualifier)
	if err != nil {
		return function.Definition{}, ref, err
	}
	if !ref.exists() {
		return function.Definition{}, ref, notFound("Function not found: " + function.ARN(h.identity, ref.name, ref.qualifier))
	}
	def, err := h.functions.Get(ref.text)
	return def, ref, exception(err)
}

func (h handlers) getFunction(ctx context.Context, in *lambda.GetFunctionInput) (*lambda.GetFunctionOutput, error) {
	def, ref, err := h.lookUp(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	out := &lambda.GetFunctionOutput{
		Configuration: listed(h.configuration(def, ref.qualifier)),
		Code:          &types.FunctionCodeLocation{RepositoryType: aws.String("S3")},
		Concurrency:   concurrencyOf(def),
	}
	if len(def.Tags) > 0 {
		out.Tags = def.Tags
	}
	if host := api.CallerOf(ctx).Host; host != "" {
		out.Code.Location = aws.String("http://" + host + CodePath + url.PathEscape(def.Reference()))
	}
	return out, nil
}

func (h handlers) getFunctionConfiguration(_ context.Context, in *lambda.GetFunctionConfigurationInput) (*lambda.GetFunctionConfigurationOutput, error) {
	def, ref, err := h.lookUp(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return h.configuration(def, ref.qualifier), nil
}

func (h handlers) listFunctions(_ context.Context, in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
	var c api.Constraints
	checkPage(&c, in.MaxItems)
	c.Pattern("masterRegion", in.MasterRegion, masterRegionPattern)
	api.Enum(&c, "functionVersion", in.FunctionVersion, types.FunctionVersionAll)
	if err := c.Err(); err != nil {
		return nil, err
	}
	qualifier := func(function.Definition) string { return "" }
	defs := h.functions.List()
	if in.FunctionVersion == types.FunctionVersionAll {
		qualifier = function.Definition.VersionName
		defs = h.functions.ListVersions()
	}
	page, next := pageOf(defs, in.Marker, in.MaxItems, func(def function.Definition) string { return def.Name + ":" + def.VersionName() })
	out := &lambda.ListFunctionsOutput{Functions: []types.FunctionConfiguration{}, NextMarker: next}
	for _, def := range page {
		out.Functions = append(out.Functions, *inList(h.configuration(def, qualifier(def))))
	}
	return out, nil
}

func (h handlers) deleteFunction(ctx context.Context, in *lambda.DeleteFunctionInput) (*lambda.DeleteFunctionOutput, error) {
	var c api.Constraints
	checkReference(&c, in.FunctionName, in.Qualifier)
	if err := c.Err(); err != nil {
		return nil, err
	}
	ref, err := referTo(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if !ref.exists() {
		return nil, notFound("Function not found: " + function.ARN(h.identity, ref.name, ""))
	}
	if err := h.functions.Delete(ctx, ref.text); err != nil {
		return nil, exception(err)
	}
	return &lambda.DeleteFunctionOutput{StatusCode: 204}, nil
}

func (h handlers) getFunctionCodeSigningConfig(_ context.Context, in *lambda.GetFunctionCodeSigningConfigInput) (*lambda.GetFunctionCodeSigningConfigOutput, error) {
	def, _, err := h.lookUp(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	return &lambda.GetFunctionCodeSigningConfigOutput{FunctionName: &def.Name, CodeSigningConfigArn: aws.String("")}, nil
}
