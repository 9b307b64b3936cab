package sam

import (
	"net/url"
	"slices"
	"strings"

	"github.com/weirstream/weir/internal/stack/template"
)

// Properties of AWS::Serverless::Function. The passed ones go to the function as
// they are; whether it has them is for the function's own type to say.
var (
	passedProperties = []string{"FunctionName", "Handler", "Runtime", "Description", "MemorySize", "Timeout", "Environment",
		"Architectures", "PackageType", "VpcConfig", "Layers", "EphemeralStorage", "LoggingConfig", "KmsKeyArn",
		"ReservedConcurrentExecutions", "FileSystemConfigs", "ImageConfig", "CodeSigningConfigArn", "SnapStart",
		"RuntimeManagementConfig", "RecursiveLoop"}
	expandedProperties = []string{"CodeUri", "InlineCode", "Role", "Policies", "PermissionsBoundary", "RolePath",
		"AssumeRolePolicyDocument", "Events", "Tags", "Tracing", "DeadLetterQueue", "AutoPublishAlias",
		"AutoPublishAliasAllProperties", "AutoPublishCodeSha256", "VersionDescription", "VersionDeletionPolicy", "EventInvokeConfig"}
	unimplementedProperties = []string{"DeploymentPreference", "ProvisionedConcurrencyConfig", "FunctionUrlConfig",
		"ImageUri", "PropagateTags", "SourceKMSKeyArn", "FunctionScalingConfig", "CapacityProviderConfig", "DurableConfig",
		"TenancyConfig", "PublishToLatestPublished"}
)

func (x *expansion) function(r *template.Resource) {
	in := r.Properties
	if in == nil {
		in = template.Map(r.Line)
	}
	in = x.withGlobals("Function", r, in)
	x.checkNames(r, in, slices.Concat(passedProperties, expandedProperties), unimplementedProperties)

	out := template.Map(r.Line)
	out.Set("Code", x.code(r, in))
	for _, name := range passedProperties {
		out.Set(name, in.Get(name))
	}
	kind := in.Get("PackageType")
	if (kind == nil || kind.Text == "Zip") && (in.Get("Runtime") == nil || in.Get("Handler") == nil) {
		x.problems.Add(r.Line, r.LogicalID, "Runtime and Handler needs to be present when PackageType is of type `Zip`")
	}
	if mode := in.Get("Tracing"); mode != nil {
		out.Set("TracingConfig", template.Map(mode.Line).Set("Mode", mode))
	}
	var policies []*template.Node
	if letters := in.Get("DeadLetterQueue"); letters != nil {
		out.Set("DeadLetterConfig", template.Map(letters.Line).Set("TargetArn", letters.Get("TargetArn")))
		policies = x.deadLetterPolicy(r, letters)
	}
	out.Set("Tags", tagList(in.Get("Tags"), [2]string{"lambda:createdBy", "SAM"}))
	if role := in.Get("Role"); role != nil && role.Kind != template.KindString && !isCall(role) {
		x.problems.Add(role.Line, r.LogicalID, "Property 'Role' should be a string.")
	}
	role, condition, generated := x.standIn(in.Get("Role"), attribute(r.Line, r.LogicalID+"Role", "Arn"))
	x.emit(r, r.LogicalID, "AWS::Lambda::Function", r.Line, out.Set("Role", role))
	target := x.publish(r, in, out)
	policies = append(policies, x.eventInvoke(r, in, target)...)
	events := x.events(r, target, in.Get("Events"))
	if generated {
		x.role(r, condition, in, events, policies)
	}
}

// deadLetterPolicy is the inline policy that lets a function send to where events go
// that it could not handle.
func (x *expansion) deadLetterPolicy(r *template.Resource, letters *template.Node) []*template.Node {
	kind, target := letters.Get("Type"), letters.Get("TargetArn")
	if kind == nil || target == nil {
		x.problems.Add(letters.Line, r.LogicalID, "'DeadLetterQueue' requires Type and TargetArn properties to be specified.")
		return nil
	}
	action, ok := map[string]string{"SQS": "sqs:SendMessage", "SNS": "sns:Publish"}[scalarText(kind)]
	if !ok {
		x.problems.Add(kind.Line, r.LogicalID, "'DeadLetterQueue' requires Type of SQS or SNS")
		return nil
	}
	return []*template.Node{policyFor(letters.Line, "DeadLetterQueuePolicy", action, target)}
}

func attribute(line int, id, name string) *template.Node {
	return template.Call(line, "Fn::GetAtt", template.List(line, template.String(line, id), template.String(line, name)))
}

// code is the Code property of the function. A scalar stands for a local folder or
// file, whose package is sent beside the template.
func (x *expansion) code(r *template.Resource, in *template.Node) *template.Node {
	uri, inline := in.Get("CodeUri"), in.Get("InlineCode")
	switch {
	case inline != nil: // it wins over a CodeUri
		return template.Map(inline.Line).Set("ZipFile", inline)
	case uri == nil:
		return template.String(r.Line, ".")
	case isCall(uri):
		return uri
	case uri.Kind == template.KindMap:
		if uri.Get("Bucket") == nil || uri.Get("Key") == nil {
			x.problems.Add(uri.Line, r.LogicalID, "'CodeUri' requires Bucket and Key properties to be specified.")
			return template.Unknown(uri.Line, "")
		}
		return template.Map(uri.Line).Set("S3Bucket", uri.Get("Bucket")).Set("S3Key", uri.Get("Key")).
			Set("S3ObjectVersion", uri.Get("Version"))
	case uri.Kind != template.KindString:
		x.problems.Add(uri.Line, r.LogicalID, "'CodeUri' must be of type dict or string.")
		return template.Unknown(uri.Line, "")
	case strings.Contains(uri.Text, "://"):
		return x.s3Code(r, uri)
	default:
		return uri
	}
}

func (x *expansion) s3Code(r *template.Resource, uri *template.Node) *template.Node {
	u, err := url.Parse(uri.Text)
	if err != nil || u.Scheme != "s3" || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		x.problems.Add(uri.Line, r.LogicalID, "'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.")
		return template.Unknown(uri.Line, "")
	}
	out := template.Map(uri.Line).Set("S3Bucket", template.String(uri.Line, u.Host)).
		Set("S3Key", template.String(uri.Line, strings.TrimPrefix(u.Path, "/")))
	if version := u.Query().Get("versionId"); version != "" {
		out.Set("S3ObjectVersion", template.String(uri.Line, version))
	}
	return out
}

// eventSources are the event types that become event source mappings: the
// property that holds the source, and the managed policy that reading it takes.
var eventSources = map[string]struct{ source, policy string }{
	"Kinesis":  {"Stream", "AWSLambdaKinesisExecutionRole"},
	"DynamoDB": {"Stream", "AWSLambdaDynamoDBExecutionRole"},
	"SQS":      {"Queue", "AWSLambdaSQSQueueExecutionRole"},
}

// mappingProperties are passed from the event to the mapping.
var mappingProperties = []string{"StartingPosition", "StartingPositionTimestamp", "BatchSize", "MaximumBatchingWindowInSeconds",
	"Enabled", "ParallelizationFactor", "TumblingWindowInSeconds", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds",
	"BisectBatchOnFunctionError", "FunctionResponseTypes", "FilterCriteria", "DestinationConfig", "KmsKeyArn",
	"MetricsConfig", "LoggingConfig", "ProvisionedPollerConfig", "Tags"}

// queueMappingProperties are those of mappingProperties for queues.
var queueMappingProperties = []string{"BatchSize", "MaximumBatchingWindowInSeconds", "Enabled", "FunctionResponseTypes",
	"FilterCriteria", "KmsKeyArn", "MetricsConfig", "ProvisionedPollerConfig", "ScalingConfig", "Tags"}

// events expands the events of a function and returns their types. target is the
// logical id of what they invoke: the function or its alias.
func (x *expansion) events(r *template.Resource, target string, events *template.Node) (kinds []string) {
	if events == nil {
		return nil
	}
	if events.Kind != template.KindMap {
		x.problems.Add(events.Line, r.LogicalID, "Type of property 'Events' is invalid.")
		return nil
	}
	for _, e := range events.Entries {
		kind := e.Value.Get("Type")
		if !kind.IsScalar() {
			x.problems.Add(e.Line, r.LogicalID, "Event with id [%s] is invalid. Resource dict has missing or invalid value for field Type.", e.Key)
			continue
		}
		switch kind.Text {
		case "S3":
			x.bucketEvent(r, target, e)
			continue
		case "SNS":
			x.topicEvent(r, target, e)
			continue
		}
		if _, ok := eventSources[kind.Text]; !ok {
			x.problems = append(x.problems, template.Problem{Line: kind.Line, LogicalID: r.LogicalID,
				Message: "event type " + kind.Text + " of event " + e.Key + " is not implemented", Hint: "Kinesis, DynamoDB, SQS, SNS and S3 are"})
			continue
		}
		x.streamEvent(r, target, e, kind.Text)
		kinds = append(kinds, kind.Text)
	}
	return kinds
}

// withoutType leaves out the Type of a destination, which SAM knows and a mapping
// does not.
func (x *expansion) withoutType(id string, config *template.Node) *template.Node {
	onFailure := config.Get("OnFailure")
	if onFailure == nil || onFailure.Kind != template.KindMap {
		x.problems.Add(config.Line, id, "Property 'DestinationConfig.OnFailure' should be a map.")
		return template.Unknown(config.Line, "")
	}
	kind := onFailure.Get("Type")
	if kind == nil {
		return config
	}
	if !slices.Contains([]string{"SQS", "SNS", "S3", "Kafka"}, scalarText(kind)) {
		x.problems.Add(kind.Line, id, "The only valid values for 'Type' are 'SQS', 'SNS', 'S3', and 'Kafka'")
	}
	target := template.Map(onFailure.Line)
	for _, p := range onFailure.Entries {
		if p.Key != "Type" {
			target.Entries = append(target.Entries, p)
		}
	}
	out := template.Map(config.Line)
	out.Set("OnFailure", target)
	return out
}

func (x *expansion) streamEvent(r *template.Resource, target string, e template.Entry, kind string) {
	id := r.LogicalID + e.Key
	in := e.Value.Get("Properties")
	if in == nil {
		in = template.Map(e.Line)
	}
	source := eventSources[kind].source
	needed, known := []string{source, "StartingPosition"}, mappingProperties
	if kind == "SQS" {
		needed, known = []string{source}, queueMappingProperties
	}
	for _, required := range needed {
		if in.Get(required) == nil {
			x.problems.Add(e.Line, id, "Missing required property '%s'.", required)
		}
	}
	out := template.Map(e.Line)
	out.Set("EventSourceArn", in.Get(source))
	out.Set("FunctionName", template.Call(e.Line, "Ref", template.String(e.Line, target)))
	for _, p := range in.Entries {
		switch {
		case p.Key == source:
		case p.Key == "DestinationConfig" && kind != "SQS":
			out.Set(p.Key, x.withoutType(id, p.Value))
		case slices.Contains(known, p.Key):
			out.Entries = append(out.Entries, p)
		default:
			x.problems.Add(p.Line, r.LogicalID, "Event with id [%s] is invalid. property %s not defined for resource of type %s", e.Key, p.Key, kind)
		}
	}
	x.emit(r, id, "AWS::Lambda::EventSourceMapping", e.Line, out)
}
