package function

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Limits and defaults of a definition, as on AWS.
const (
	DefaultTimeoutSeconds = 3
	MaxTimeoutSeconds     = 900
	DefaultMemoryMB       = 128
	MaxMemoryMB           = 10240
	DefaultEphemeralMB    = 512
	MaxEphemeralMB        = 10240
	maxEnvironmentBytes   = 4096
	maxTags               = 50
	maxDescription        = 256
)

// Definition is what a function is. It is a value: updates replace it whole.
type Definition struct {
	Name        string
	Runtime     string
	Handler     string
	Role        string // ARN of the execution role
	Description string `json:",omitempty"`

	TimeoutSeconds int
	MemoryMB       int
	EphemeralMB    int
	Architecture   string // x86_64 or arm64; recorded, the machine's own is what runs
	Tracing        string // Active or PassThrough; recorded
	LogGroup       string
	DeadLetterARN  string            `json:",omitempty"` // queue or topic of asynchronous events that are given up
	Environment    map[string]string `json:",omitzero"`  // nil when none was ever given
	Tags           map[string]string `json:",omitempty"`

	CodeSHA256   string // of the zip, hexadecimal
	CodeSize     int64  // of the zip, bytes
	RevisionID   string
	LastModified time.Time

	// Version is the number of a published version, "" for the function itself.
	Version string `json:",omitempty"`
	// LastVersion is the number of the function's last published version.
	LastVersion int `json:",omitempty"`
	// PublishedFrom is the digest of the function that a version was made of.
	PublishedFrom string `json:",omitempty"`
	// Generation counts the changes that environments do not outlive.
	Generation int `json:",omitempty"`

	// ReservedConcurrency is how many invocations may run at one time, and are
	// sure to be able to; nil means no reservation.
	ReservedConcurrency *int `json:",omitempty"`

	Policy           []Statement `json:",omitempty"`
	PolicyRevisionID string      `json:",omitempty"`
}

// Statement is one statement of a function's resource policy.
type Statement struct {
	Sid       string
	Effect    string
	Principal any // "*" or a map of one kind to one value
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// withDefaults fills in what a definition leaves open.
func (d Definition) withDefaults() Definition {
	if d.TimeoutSeconds == 0 {
		d.TimeoutSeconds = DefaultTimeoutSeconds
	}
	if d.MemoryMB == 0 {
		d.MemoryMB = DefaultMemoryMB
	}
	if d.EphemeralMB == 0 {
		d.EphemeralMB = DefaultEphemeralMB
	}
	if d.Architecture == "" {
		d.Architecture = "x86_64"
	}
	if d.Tracing == "" {
		d.Tracing = "PassThrough"
	}
	if d.LogGroup == "" {
		d.LogGroup = logGroupOf(d.Name)
	}
	return d
}

// validate checks a definition with its defaults filled in.
func (d Definition) validate() error {
	if !namePattern.MatchString(d.Name) {
		return invalidf("%q is not a valid function name: letters, digits, hyphens and underscores are", d.Name)
	}
	if len(d.Name) > maxNameLength {
		return invalidf("1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to %d", d.Name, maxNameLength)
	}
	rt, err := runtimeNamed(d.Runtime)
	if err != nil {
		return err
	}
	switch {
	case d.Handler == "" && rt.family != familyProvided:
		return invalidf("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	case len(d.Handler) > 128 || strings.ContainsAny(d.Handler, " \t\r\n\x00"):
		return invalidf("Handler must be at most 128 characters without spaces")
	case d.TimeoutSeconds < 1 || d.TimeoutSeconds > MaxTimeoutSeconds:
		return invalidf("Timeout must be between 1 and %d seconds", MaxTimeoutSeconds)
	case d.MemoryMB < DefaultMemoryMB || d.MemoryMB > MaxMemoryMB:
		return invalidf("'MemorySize' value failed to satisfy constraint: Member must have value between %d and %d", DefaultMemoryMB, MaxMemoryMB)
	case d.EphemeralMB < DefaultEphemeralMB || d.EphemeralMB > MaxEphemeralMB:
		return invalidf("'EphemeralStorage' size must be between %d and %d MB", DefaultEphemeralMB, MaxEphemeralMB)
	case len(d.Description) > maxDescription:
		return invalidf("Description must be at most %d characters", maxDescription)
	case !logNamePattern.MatchString(d.LogGroup):
		return invalidf("%q is not a valid log group name", d.LogGroup)
	}
	if err := validateTags(d.Tags); err != nil {
		return err
	}
	if err := validateDeadLetter(d.DeadLetterARN); err != nil {
		return err
	}
	return validateEnvironment(d.Environment)
}

var variablePattern = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)

// ValidVariable reports whether an environment variable may have the name.
func ValidVariable(name string) bool { return variablePattern.MatchString(name) }

// InvalidVariable is the text about a name that is not valid.
const InvalidVariable = "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"

// validateEnvironment refuses variables that belong to the runtime, that no
// process can have, or that are too large together.
func validateEnvironment(env map[string]string) error {
	var reserved []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		// The names of the runtime's own variables are told apart below.
		if !ValidVariable(name) && !slices.Contains(reservedVariables, name) {
			return invalidf(InvalidVariable)
		}
		if strings.Contains(env[name], "\x00") {
			return invalidf("Lambda was unable to configure your environment variables because the value of %s is not valid", name)
		}
		if slices.Contains(reservedVariables, name) {
			reserved = append(reserved, name)
		}
	}
	if len(reserved) > 0 {
		return invalidf("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(reserved, ", "))
	}
	if len(env) == 0 {
		return nil
	}
	measured, err := json.Marshal(env)
	if err != nil {
		return invalidf("Lambda was unable to configure your environment variables: %v", err)
	}
	if len(measured) > maxEnvironmentBytes {
		return invalidf("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: %s", measured)
	}
	return nil
}

// ConfigurationUpdate changes parts of a definition; nil leaves a part as it is.
type ConfigurationUpdate struct {
	Runtime, Handler, Role, Description *string
	TimeoutSeconds, MemoryMB            *int
	EphemeralMB                         *int
	Tracing, LogGroup                   *string
	DeadLetterARN                       *string
	Environment                         *map[string]string
	// RevisionID, if not "", must be the definition's current one.
	RevisionID string
}

func (u ConfigurationUpdate) apply(d Definition) Definition {
	set(&d.Runtime, u.Runtime)
	set(&d.Handler, u.Handler)
	set(&d.Role, u.Role)
	set(&d.Description, u.Description)
	set(&d.TimeoutSeconds, u.TimeoutSeconds)
	set(&d.MemoryMB, u.MemoryMB)
	set(&d.EphemeralMB, u.EphemeralMB)
	set(&d.Tracing, u.Tracing)
	set(&d.LogGroup, u.LogGroup)
	set(&d.DeadLetterARN, u.DeadLetterARN)
	if u.Environment != nil {
		d.Environment = maps.Clone(*u.Environment)
	}
	return d
}

func set[T any](dst *T, src *T) {
	if src != nil {
		*dst = *src
	}
}
