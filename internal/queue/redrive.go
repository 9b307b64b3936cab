package queue

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/weirstream/weir/internal/catalog"
)

// Redrive sends messages that were received too often to another queue.
type Redrive struct {
	Target      string // ARN
	MaxReceives int    // 1 to 1000
}

// String is the policy as the API shows it.
func (r Redrive) String() string {
	b, _ := json.Marshal(struct { //nolint:errchkjson // a string and a number
		Target      string `json:"deadLetterTargetArn"`
		MaxReceives int    `json:"maxReceiveCount"`
	}{r.Target, r.MaxReceives})
	return string(b)
}

// RedriveAllow says which queues may send their messages to this one.
type RedriveAllow struct {
	Permission string   // allowAll, denyAll or byQueue
	Sources    []string `json:",omitempty"` // ARNs, with byQueue
}

// String is the policy as the API shows it.
func (r RedriveAllow) String() string {
	b, _ := json.Marshal(struct { //nolint:errchkjson // strings
		Permission string   `json:"redrivePermission"`
		Sources    []string `json:"sourceQueueArns,omitempty"`
	}{r.Permission, r.Sources})
	return string(b)
}

func (r *RedriveAllow) allows(sourceARN string) bool {
	if r == nil {
		return true
	}
	return r.Permission == "allowAll" || r.Permission == "byQueue" && slices.Contains(r.Sources, sourceARN)
}

const (
	maxReceiveCount = 1000
	maxSources      = 10
)

func (d *Definition) setRedrive(text string) error {
	if text == "" {
		d.Redrive = nil
		return nil
	}
	bad := func(reason string) error { return invalid(attrRedrive, text, reason) }
	var policy struct {
		Target *string         `json:"deadLetterTargetArn"`
		Max    json.RawMessage `json:"maxReceiveCount"`
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return bad("Redrive policy is not a valid JSON map.")
	}
	switch {
	case policy.Target == nil:
		return bad("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	case policy.Max == nil:
		return bad("Redrive policy does not contain mandatory attribute: maxReceiveCount.")
	}
	most := strings.Trim(string(policy.Max), `"`)
	n, err := strconv.Atoi(most)
	if err != nil || n < 1 || n > maxReceiveCount {
		return bad("Invalid value for maxReceiveCount: " + most + ", valid values are from 1 to 1000 both inclusive.")
	}
	arn, err := catalog.ParseARN(*policy.Target)
	if err != nil || arn.Service != "sqs" {
		return bad("Invalid value for deadLetterTargetArn.")
	}
	if strings.HasSuffix(arn.Resource, fifoSuffix) != d.FIFO {
		return bad("Dead letter queue must be same type of queue as the source.")
	}
	d.Redrive = &Redrive{Target: *policy.Target, MaxReceives: n}
	return nil
}

func (d *Definition) setRedriveAllow(text string) error {
	if text == "" {
		d.RedriveAllow = nil
		return nil
	}
	bad := func(reason string) error { return invalid(attrRedriveAllow, text, reason) }
	var policy struct {
		Permission string   `json:"redrivePermission"`
		Sources    []string `json:"sourceQueueArns"`
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return bad("RedriveAllowPolicy is not a valid JSON map.")
	}
	switch policy.Permission {
	case "allowAll", "denyAll":
		if len(policy.Sources) > 0 {
			return bad("sourceQueueArns can be given only with redrivePermission byQueue.")
		}
	case "byQueue":
		if len(policy.Sources) == 0 || len(policy.Sources) > maxSources {
			return bad("sourceQueueArns must hold 1 to 10 ARNs.")
		}
	default:
		return bad("redrivePermission must be allowAll, denyAll or byQueue.")
	}
	d.RedriveAllow = &RedriveAllow{policy.Permission, policy.Sources}
	return nil
}

// checkRedrive judges a redrive policy by what it leads to.
func (qs *Queues) checkRedrive(d *Definition) error {
	if d.Redrive == nil {
		return nil
	}
	target, err := qs.ByARN(d.Redrive.Target)
	if err != nil {
		return invalid(attrRedrive, d.Redrive, "Dead letter target does not exist.")
	}
	if !target.Definition().RedriveAllow.allows(d.ARN) {
		return invalid(attrRedrive, d.Redrive, "The redrive allow policy of the dead letter target does not allow this queue.")
	}
	return nil
}

// Sources returns the URLs' names of the queues whose dead-letter queue this is,
// in order.
func (q *Queue) Sources() []string {
	var names []string
	arn := q.Definition().ARN
	for _, d := range q.queues.defs.All() {
		if d.Redrive != nil && d.Redrive.Target == arn {
			names = append(names, d.Name)
		}
	}
	return names
}
