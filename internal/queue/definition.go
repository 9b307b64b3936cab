package queue

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Definition is what a queue is set to. Times are in seconds.
type Definition struct {
	ID        uint64
	Name, ARN string
	FIFO      bool `json:",omitempty"`
	Created   time.Time
	Modified  time.Time

	DelaySeconds      int
	VisibilitySeconds int
	RetentionSeconds  int
	WaitSeconds       int // that a receive waits unless it says otherwise
	MaxMessageBytes   int
	// NoEncryption is set when the attribute SqsManagedSseEnabled is false, which
	// changes nothing else: the data directory is as safe as its disk.
	NoEncryption bool          `json:",omitempty"`
	Policy       string        `json:",omitempty"` // JSON, kept and shown
	Redrive      *Redrive      `json:",omitempty"`
	RedriveAllow *RedriveAllow `json:",omitempty"`

	// Of FIFO queues.
	ContentDeduplication bool   `json:",omitempty"` // the id is a digest of the body
	GroupDeduplication   bool   `json:",omitempty"` // ids are those of a group
	ThroughputLimit      string `json:",omitempty"` // "" is perQueue

	Tags map[string]string `json:",omitempty"`
}

// The attributes of a queue that can be set.
const (
	attrDelay           = "DelaySeconds"
	attrVisibility      = "VisibilityTimeout"
	attrRetention       = "MessageRetentionPeriod"
	attrWait            = "ReceiveMessageWaitTimeSeconds"
	attrMaxMessage      = "MaximumMessageSize"
	attrEncrypted       = "SqsManagedSseEnabled"
	attrPolicy          = "Policy"
	attrRedrive         = "RedrivePolicy"
	attrRedriveAllow    = "RedriveAllowPolicy"
	attrFIFO            = "FifoQueue"
	attrContentDedup    = "ContentBasedDeduplication"
	attrDedupScope      = "DeduplicationScope"
	attrThroughputLimit = "FifoThroughputLimit"
)

// Attributes that only tell.
const (
	attrARN        = "QueueArn"
	attrCreated    = "CreatedTimestamp"
	attrModified   = "LastModifiedTimestamp"
	attrMessages   = "ApproximateNumberOfMessages"
	attrDelayed    = "ApproximateNumberOfMessagesDelayed"
	attrNotVisible = "ApproximateNumberOfMessagesNotVisible"
	attrAll        = "All"
)

const (
	maxVisibility  = 43_200
	maxDelay       = 900
	maxWait        = 20
	maxMessageSize = 1 << 20
	fifoSuffix     = ".fifo"
)

// number describes an attribute that is a whole number.
type number struct {
	at             func(*Definition) *int
	least, most    int
	defaultSetting int
}

var numbers = map[string]number{
	attrDelay:      {func(d *Definition) *int { return &d.DelaySeconds }, 0, maxDelay, 0},
	attrVisibility: {func(d *Definition) *int { return &d.VisibilitySeconds }, 0, maxVisibility, 30},
	attrRetention:  {func(d *Definition) *int { return &d.RetentionSeconds }, 60, 1_209_600, 345_600},
	attrWait:       {func(d *Definition) *int { return &d.WaitSeconds }, 0, maxWait, 0},
	attrMaxMessage: {func(d *Definition) *int { return &d.MaxMessageBytes }, 1024, maxMessageSize, maxMessageSize},
}

// newDefinition returns a definition with the defaults of the service.
func newDefinition(name string, fifo bool) Definition {
	d := Definition{Name: name, FIFO: fifo}
	for _, n := range numbers {
		*n.at(&d) = n.defaultSetting
	}
	return d
}

// Defaults are the attributes of a queue of which nothing was said, but for its
// access policy.
func Defaults(fifo bool) map[string]string {
	d := newDefinition("", fifo)
	attributes := d.settings()
	attributes[attrRedrive], attributes[attrRedriveAllow] = "", ""
	return attributes
}

// set changes attributes, given by their names in the API.
func (d *Definition) set(attributes map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if err := d.setOne(name, attributes[name]); err != nil {
			return err
		}
	}
	return nil
}

func (d *Definition) setOne(name, value string) error {
	if n, ok := numbers[name]; ok {
		v, err := strconv.Atoi(value)
		if err != nil || v < n.least || v > n.most {
			return invalidAttribute(name)
		}
		*n.at(d) = v
		return nil
	}
	switch name {
	case attrEncrypted:
		on, ok := truth(value)
		d.NoEncryption = !on
		return unless(ok, name)
	case attrPolicy:
		d.Policy = value
		return unless(value == "" || isObject(value), name)
	case attrRedrive:
		return d.setRedrive(value)
	case attrRedriveAllow:
		return d.setRedriveAllow(value)
	case attrFIFO:
		return d.setFIFO(value)
	case attrContentDedup, attrDedupScope, attrThroughputLimit:
		return d.setOfFIFO(name, value)
	case "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds":
		return errorf(InvalidAttributeText, "The queue attribute %s is not implemented.", name)
	}
	return errorf(InvalidAttribute, "Unknown Attribute %s.", name)
}

// setFIFO takes the attribute that a queue is made a FIFO queue by; it can be
// repeated, not changed.
func (d *Definition) setFIFO(value string) error {
	on, ok := truth(value)
	switch {
	case !d.FIFO:
		return errorf(InvalidAttribute, "Unknown Attribute %s.", attrFIFO)
	case !ok || !on:
		return errorf(InvalidAttributeText, "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
	}
	return nil
}

func (d *Definition) setOfFIFO(name, value string) error {
	if !d.FIFO && name == attrContentDedup {
		return errorf(InvalidAttribute, "Unknown Attribute %s.", name)
	}
	if !d.FIFO {
		return errorf(InvalidAttribute, "You can specify the %s only when FifoQueue is set to true.", name)
	}
	switch name {
	case attrContentDedup:
		on, ok := truth(value)
		d.ContentDeduplication = on
		return unless(ok, name)
	case attrDedupScope:
		d.GroupDeduplication = value == "messageGroup"
		return unless(d.GroupDeduplication || value == "queue", name)
	default:
		d.ThroughputLimit = value
		return unless(value == "perQueue" || value == "perMessageGroupId", name)
	}
}

func invalidAttribute(name string) *Error {
	return errorf(InvalidAttributeText, "Invalid value for the parameter %s.", name)
}

func unless(ok bool, name string) error {
	if ok {
		return nil
	}
	return invalidAttribute(name)
}

func truth(s string) (on, ok bool) {
	switch strings.ToLower(s) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

func isObject(s string) bool {
	var m map[string]json.RawMessage
	return json.Unmarshal([]byte(s), &m) == nil && m != nil
}

// settings are the attributes that can be set, as texts; those that are not set
// are left out.
func (d *Definition) settings() map[string]string {
	m := map[string]string{attrEncrypted: strconv.FormatBool(!d.NoEncryption)}
	for name, n := range numbers {
		m[name] = strconv.Itoa(*n.at(d))
	}
	if d.Policy != "" {
		m[attrPolicy] = d.Policy
	}
	if d.Redrive != nil {
		m[attrRedrive] = d.Redrive.String()
	}
	if d.RedriveAllow != nil {
		m[attrRedriveAllow] = d.RedriveAllow.String()
	}
	if d.FIFO {
		m[attrFIFO] = "true"
		m[attrContentDedup] = strconv.FormatBool(d.ContentDeduplication)
		m[attrDedupScope], m[attrThroughputLimit] = "queue", "perQueue"
		if d.GroupDeduplication {
			m[attrDedupScope] = "messageGroup"
		}
		if d.ThroughputLimit != "" {
			m[attrThroughputLimit] = d.ThroughputLimit
		}
	}
	return m
}

var (
	standardName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	fifoName     = regexp.MustCompile(`^[A-Za-z0-9_-]+\.fifo$`)
)

func checkName(name string, fifo bool) error {
	if fifo && (len(name) > 80 || !fifoName.MatchString(name)) {
		return errorf(InvalidValue, "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length")
	}
	if !fifo && !standardName.MatchString(name) {
		return errorf(InvalidValue, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return nil
}

func (d *Definition) retention() time.Duration {
	return time.Duration(d.RetentionSeconds) * time.Second
}
