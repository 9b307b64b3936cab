package lambdaapi

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/mapping"
)

var (
	// A function as it can be changed, and one as it can be asked for.
	namePattern       = api.MustPattern(`(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`)
	namespacedPattern = api.MustPattern(`(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`)
	qualifierPattern  = api.MustPattern(`\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`)
	versionPattern    = api.MustPattern(`(\$LATEST(\.PUBLISHED)?|[0-9]+)`)
	rolePattern       = api.MustPattern(`arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`)
	handlerPattern    = api.MustPattern(`[^\s]+`)
	logGroupPattern   = api.MustPattern(`[\.\-_/#A-Za-z0-9]+`)
	deadLetterPattern = api.MustPattern(`(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()`)
	statementPattern  = api.MustPattern(`([a-zA-Z0-9-_]+)`)
	actionPattern     = api.MustPattern(`(lambda:[*]|lambda:[a-zA-Z]+|[*])`)
	principalPattern  = api.MustPattern(`[^\s]+`)
	// servicePattern is what the services of all partitions are called.
	servicePattern  = api.MustPattern(`[a-zA-Z0-9-.]+\.(amazonaws\.(com(\.cn)?|eu)|amazon\.com|c2s\.ic\.gov|sc2s\.sgov\.gov)`)
	arnPattern      = api.MustPattern(`arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)`)
	failuresPattern = api.MustPattern(`$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)`)
	accountPattern  = api.MustPattern(`\d{12}`)
	tokenPattern    = api.MustPattern(`[a-zA-Z0-9._\-]+`)
	// organizationPattern is what organizations of accounts are called.
	organizationPattern = api.MustPattern(`o-[a-z0-9]{10,32}`)
	masterRegionPattern = api.MustPattern(`ALL|[a-z]{2}(-gov)?-[a-z]+-\d{1}`)
	taggablePattern     = api.MustPattern(`arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)`)
)

// checkName checks the name of a function that is to be changed.
func checkName(c *api.Constraints, name *string) {
	c.Required("functionName", name != nil)
	c.Length("functionName", name, 1, 140)
	c.Pattern("functionName", name, namePattern)
}

// checkReference checks how a function and a version of it are asked for.
func checkReference(c *api.Constraints, name, qualifier *string) {
	c.Required("functionName", name != nil)
	c.Length("functionName", name, 1, 256)
	c.Pattern("functionName", name, namespacedPattern)
	c.Length("qualifier", qualifier, 1, 128)
	c.Pattern("qualifier", qualifier, qualifierPattern)
}

// checkMapping checks what requests to make and to change an event source mapping
// have in common.
func checkMapping(c *api.Constraints, function *string, s mapping.Spec) error {
	c.Length("functionName", function, 1, 256)
	c.Pattern("functionName", function, namespacedPattern)
	c.Length("destinationConfig.onFailure.destination", s.OnFailure, 0, 350)
	c.Pattern("destinationConfig.onFailure.destination", s.OnFailure, failuresPattern)
	for _, v := range s.Violations() {
		c.Add(v.Path, v.Value, v.Rule)
	}
	return c.Err()
}

// checkOnFailure wants a configuration of a destination to name it. An empty name
// removes it.
func checkOnFailure(d *types.DestinationConfig) error {
	if d != nil && d.OnFailure != nil && d.OnFailure.Destination == nil {
		return invalid("The Destination field is required for an OnFailure configuration.")
	}
	return nil
}

// checkAlias checks the name of an alias. Its pattern looks ahead, which the
// expressions of this language cannot.
func checkAlias(c *api.Constraints, name *string) {
	const pattern = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)"
	c.Required("name", name != nil)
	c.Length("name", name, 1, 128)
	if name != nil && (!statementPattern.Match(*name) || strings.Trim(*name, "0123456789") == "") {
		c.Add("name", *name, "Member must satisfy regular expression pattern: "+pattern)
	}
}

// checkRouting checks the weights of an alias.
func checkRouting(c *api.Constraints, routing *types.AliasRoutingConfiguration) {
	if routing == nil {
		return
	}
	for _, version := range slices.Sorted(maps.Keys(routing.AdditionalVersionWeights)) {
		weight := routing.AdditionalVersionWeights[version]
		shown := "{" + version + "=" + decimal(weight) + "}"
		if version == "" || len(version) > 1024 || strings.Trim(version, "0123456789") != "" {
			c.Add("routingConfig.additionalVersionWeights", shown, "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]")
		}
		if !(weight >= 0 && weight <= 1) {
			c.Add("routingConfig.additionalVersionWeights", shown, "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]")
		}
	}
}

// decimal writes a number as the service does, with at least one decimal.
func decimal(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// reference is how a request names a function, parsed.
type reference struct {
	name      string // bare
	qualifier string // "" if none
	text      string // with the qualifier, for the domain
}

// referTo joins the name of a function with the qualifier given beside it.
func referTo(name, qualifier *string) (reference, error) {
	text := aws.ToString(name)
	bare, derived, err := function.NameOf(text)
	if err != nil {
		return reference{}, exception(err)
	}
	asked := aws.ToString(qualifier)
	if derived != "" && asked != "" && derived != asked {
		return reference{}, invalid("The derived qualifier from the function name does not match the specified qualifier.")
	}
	if derived == "" && asked != "" {
		text, derived = text+":"+asked, asked
	}
	return reference{name: bare, qualifier: derived, text: text}, nil
}

// exists reports whether a qualifier can name anything at all: the pattern of
// the parameter allows more than versions and aliases are made of.
func (r reference) exists() bool {
	return r.qualifier == function.LatestVersion || !strings.Contains(r.qualifier, "$")
}

// settings are the parameters that CreateFunction and
// UpdateFunctionConfiguration share.
type settings struct {
	runtime      types.Runtime
	handler      *string
	role         *string
	description  *string
	timeout      *int32
	memory       *int32
	environment  *types.Environment
	ephemeral    *types.EphemeralStorage
	tracing      *types.TracingConfig
	logging      *types.LoggingConfig
	vpc          *types.VpcConfig
	deadLetter   *types.DeadLetterConfig
	keyARN       *string
	layers       []string
	fileSystems  []types.FileSystemConfig
	image        *types.ImageConfig
	snapStart    *types.SnapStart
	durable      *types.DurableConfig
	capacity     *types.CapacityProviderConfig
	revisionID   *string
	architecture []types.Architecture
}

func (s settings) check(c *api.Constraints) {
	c.Length("handler", s.handler, 0, 128)
	if aws.ToString(s.handler) != "" {
		c.Pattern("handler", s.handler, handlerPattern)
	}
	c.Pattern("role", s.role, rolePattern)
	c.Length("description", s.description, 0, 256)
	c.Range("timeout", s.timeout, 1, function.MaxTimeoutSeconds)
	c.Range("memorySize", s.memory, 128, function.MaxMemoryMB)
	if s.ephemeral != nil {
		c.Required("ephemeralStorage.size", s.ephemeral.Size != nil)
		c.Range("ephemeralStorage.size", s.ephemeral.Size, function.DefaultEphemeralMB, function.MaxEphemeralMB)
	}
	if s.tracing != nil {
		api.Enum(c, "tracingConfig.mode", s.tracing.Mode, types.TracingModeActive, types.TracingModePassThrough)
	}
	if s.snapStart != nil {
		api.Enum(c, "snapStart.applyOn", s.snapStart.ApplyOn, types.SnapStartApplyOnPublishedVersions, types.SnapStartApplyOnNone)
	}
	if s.logging != nil {
		api.Enum(c, "loggingConfig.logFormat", s.logging.LogFormat, types.LogFormatJson, types.LogFormatText)
		c.Length("loggingConfig.logGroup", s.logging.LogGroup, 1, 512)
		c.Pattern("loggingConfig.logGroup", s.logging.LogGroup, logGroupPattern)
	}
	if s.deadLetter != nil && aws.ToString(s.deadLetter.TargetArn) != "" {
		c.Pattern("deadLetterConfig.targetArn", s.deadLetter.TargetArn, deadLetterPattern)
	}
	s.checkArchitectures(c)
}

// checkVariables checks the names of environment variables. It is not among the
// other constraints, because the value must not be shown.
func (s settings) checkVariables() error {
	if s.environment == nil {
		return nil
	}
	for name := range s.environment.Variables {
		if !function.ValidVariable(name) {
			return api.Validation("1 validation error detected: " + function.InvalidVariable)
		}
	}
	return nil
}

func (s settings) checkArchitectures(c *api.Constraints) {
	if s.architecture == nil {
		return
	}
	c.ListSize("architectures", len(s.architecture), 1, 1, func(i int) string { return string(s.architecture[i]) })
	for _, a := range s.architecture {
		if !slices.Contains(a.Values(), a) {
			c.Add("architectures", "["+string(a)+"]", "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]")
		}
	}
}

// unsupported collects parameters that were given a value which asks for
// something that is not there. Their defaults ask for nothing.
type unsupported struct{ names []string }

func (u *unsupported) add(name string, asked bool) {
	if asked {
		u.names = append(u.names, name)
	}
}

// unsupported returns what asks for something that is not there.
func (s settings) unsupported(u *unsupported) {
	u.add("KMSKeyArn", aws.ToString(s.keyARN) != "")
	u.add("Layers", len(s.layers) > 0)
	u.add("FileSystemConfigs", len(s.fileSystems) > 0)
	u.add("ImageConfig", s.image != nil)
	u.add("VpcConfig", s.vpc != nil && len(s.vpc.SubnetIds)+len(s.vpc.SecurityGroupIds) > 0)
	u.add("SnapStart", s.snapStart != nil && s.snapStart.ApplyOn == types.SnapStartApplyOnPublishedVersions)
	u.add("DurableConfig", s.durable != nil)
	u.add("CapacityProviderConfig", s.capacity != nil)
	if s.logging == nil {
		return
	}
	u.add("LoggingConfig.LogFormat JSON", s.logging.LogFormat == types.LogFormatJson)
	u.add("LoggingConfig.ApplicationLogLevel", s.logging.ApplicationLogLevel != "")
	u.add("LoggingConfig.SystemLogLevel", s.logging.SystemLogLevel != "")
}

func checkPage(c *api.Constraints, maxItems *int32) {
	c.Range("maxItems", maxItems, 1, 10000)
}

// pageSize is how many elements a page has, at most the service's own limit.
func pageSize(maxItems *int32) int {
	const most = 50
	if maxItems == nil {
		return most
	}
	return int(min(*maxItems, most))
}
