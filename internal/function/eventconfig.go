package function

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// Limits of how asynchronous events are handled, as on AWS; the greatest are the
// defaults.
const (
	MaxRetryAttempts   = 2
	MinEventAgeSeconds = 60
	MaxEventAgeSeconds = 21600
)

// EventInvokeConfig says how the asynchronous events of a function, or of one of
// its versions or aliases, are handled.
type EventInvokeConfig struct {
	Function        string // bare name
	Qualifier       string // version or alias, LatestVersion if none was named
	RetryAttempts   *int   `json:",omitempty"` // after function errors; nil means MaxRetryAttempts
	EventAgeSeconds *int   `json:",omitempty"` // nil means MaxEventAgeSeconds
	Destinations    EventDestinations
	LastModified    time.Time
}

// EventDestinations are the ARNs of where records of events that succeeded, or
// were given up, are sent; "" is nowhere.
type EventDestinations struct {
	OnSuccess string `json:",omitempty"`
	OnFailure string `json:",omitempty"`
}

// EventInvokeUpdate is what is to be set of an EventInvokeConfig; nil members are
// not given.
type EventInvokeUpdate struct {
	RetryAttempts   *int
	EventAgeSeconds *int
	Destinations    *EventDestinations
}

func (u EventInvokeUpdate) apply(c EventInvokeConfig) EventInvokeConfig {
	if u.RetryAttempts != nil {
		c.RetryAttempts = u.RetryAttempts
	}
	if u.EventAgeSeconds != nil {
		c.EventAgeSeconds = u.EventAgeSeconds
	}
	if u.Destinations != nil {
		c.Destinations = *u.Destinations
	}
	c.LastModified = time.Now().UTC()
	return c
}

func (u EventInvokeUpdate) validate() error {
	if n := u.RetryAttempts; n != nil && (*n < 0 || *n > MaxRetryAttempts) {
		return invalidf("MaximumRetryAttempts must be between 0 and %d", MaxRetryAttempts)
	}
	if n := u.EventAgeSeconds; n != nil && (*n < MinEventAgeSeconds || *n > MaxEventAgeSeconds) {
		return invalidf("MaximumEventAgeInSeconds must be between %d and %d", MinEventAgeSeconds, MaxEventAgeSeconds)
	}
	return nil
}

func (c EventInvokeConfig) retryAttempts() int {
	if c.RetryAttempts == nil {
		return MaxRetryAttempts
	}
	return *c.RetryAttempts
}

func (c EventInvokeConfig) eventAge() time.Duration {
	if c.EventAgeSeconds == nil {
		return MaxEventAgeSeconds * time.Second
	}
	return time.Duration(*c.EventAgeSeconds) * time.Second
}

func (c EventInvokeConfig) key() string { return c.Function + ":" + c.Qualifier }

// PutEventInvokeConfig replaces the configuration of the function, version or
// alias that ref names.
func (f *Functions) PutEventInvokeConfig(ctx context.Context, ref string, u EventInvokeUpdate) (EventInvokeConfig, error) {
	return f.setEventInvokeConfig(ctx, ref, u, func(c EventInvokeConfig) (EventInvokeConfig, error) { return c, nil })
}

// UpdateEventInvokeConfig changes what is given of a configuration.
func (f *Functions) UpdateEventInvokeConfig(ctx context.Context, ref string, u EventInvokeUpdate) (EventInvokeConfig, error) {
	return f.setEventInvokeConfig(ctx, ref, u, func(c EventInvokeConfig) (EventInvokeConfig, error) {
		old, ok := f.async.configs.Get(c.key())
		if !ok {
			return c, f.noEventInvokeConfig(c)
		}
		return old, nil
	})
}

func (f *Functions) setEventInvokeConfig(ctx context.Context, ref string, u EventInvokeUpdate, base func(EventInvokeConfig) (EventInvokeConfig, error)) (EventInvokeConfig, error) {
	if u == (EventInvokeUpdate{}) {
		return EventInvokeConfig{}, invalidf("You must specify at least one of error handling or destination setting.")
	}
	if err := u.validate(); err != nil {
		return EventInvokeConfig{}, err
	}
	// No function goes while it gets a configuration.
	f.changing.Lock()
	defer f.changing.Unlock()
	c, err := f.eventInvokeKey(ref)
	if err != nil {
		return c, err
	}
	if _, err := f.Get(ref); errors.Is(err, ErrNotFound) {
		return c, because(errNoFunction, err)
	} else if err != nil {
		return c, err
	}
	if u.Destinations != nil {
		if err := f.checkDestinations(c.Function, *u.Destinations); err != nil {
			return c, err
		}
	}
	if c, err = base(c); err != nil {
		return c, err
	}
	c = u.apply(c)
	if err := f.async.configs.Put(c.key(), c); err != nil {
		return c, fmt.Errorf("event invoke configuration of %s: %w", c.key(), err)
	}
	return c, ctx.Err()
}

var errNoFunction = errorf(ErrNotFound, "The function doesn't exist.")

// eventInvokeKey returns an empty configuration of what ref names.
func (f *Functions) eventInvokeKey(ref string) (EventInvokeConfig, error) {
	name, qualifier, err := f.locate(ref)
	if qualifier == "" {
		qualifier = LatestVersion
	}
	return EventInvokeConfig{Function: name, Qualifier: qualifier}, err
}

func (f *Functions) noEventInvokeConfig(c EventInvokeConfig) error {
	return errorf(ErrNotFound, "The function %s doesn't have an EventInvokeConfig", ARN(f.identity, c.Function, c.Qualifier))
}

// EventInvokeConfig returns the configuration of a function, version or alias.
func (f *Functions) EventInvokeConfig(ref string) (EventInvokeConfig, error) {
	c, err := f.eventInvokeKey(ref)
	if err != nil {
		return c, err
	}
	found, ok := f.async.configs.Get(c.key())
	if !ok {
		return c, f.noEventInvokeConfig(c)
	}
	return found, nil
}

// EventInvokeConfigs returns the configurations of a function, of its versions
// and of its aliases.
func (f *Functions) EventInvokeConfigs(ref string) ([]EventInvokeConfig, error) {
	name, _, err := f.locate(ref)
	if err != nil {
		return nil, err
	}
	if _, err := f.Get(name); err != nil {
		return nil, because(errNoFunction, err)
	}
	var all []EventInvokeConfig
	for _, key := range f.async.configs.Names() {
		if !strings.HasPrefix(key, name+":") {
			continue
		}
		if c, ok := f.async.configs.Get(key); ok {
			all = append(all, c)
		}
	}
	return all, nil
}

// DeleteEventInvokeConfig removes a configuration.
func (f *Functions) DeleteEventInvokeConfig(ctx context.Context, ref string) error {
	c, err := f.EventInvokeConfig(ref)
	if err != nil {
		return err
	}
	if err := f.async.configs.Delete(c.key()); err != nil {
		return fmt.Errorf("event invoke configuration of %s: %w", c.key(), err)
	}
	return ctx.Err()
}

// dropEventInvokeConfigIn removes the configuration of a version or alias that
// goes.
func (f *Functions) dropEventInvokeConfigIn(tx *store.Tx, name, qualifier string) {
	f.async.configs.DeleteIn(tx, EventInvokeConfig{Function: name, Qualifier: qualifier}.key())
}

// dropEventInvokeConfigsIn removes the configurations of a function that goes.
func (f *Functions) dropEventInvokeConfigsIn(tx *store.Tx, name string) {
	for _, key := range f.async.configs.Names() {
		if strings.HasPrefix(key, name+":") {
			f.async.configs.DeleteIn(tx, key)
		}
	}
}

// checkDestinations refuses targets that records of a function cannot be sent to.
func (f *Functions) checkDestinations(function string, d EventDestinations) error {
	for _, arn := range []string{d.OnSuccess, d.OnFailure} {
		if arn == "" {
			continue
		}
		target, err := catalog.ParseARN(arn)
		if err != nil {
			return d.invalid()
		}
		switch target.Service {
		case "sqs", "sns":
		case "s3":
			if arn == d.OnSuccess {
				return d.invalid()
			}
		case "lambda":
			if err := f.checkFunctionDestination(function, arn); err != nil {
				return err
			}
		case "events":
			return invalidf("Weir does not send records to event buses yet (%s); queues, topics, functions and, on failure, buckets are possible.", arn)
		default:
			return d.invalid()
		}
	}
	return nil
}

func (f *Functions) checkFunctionDestination(function, arn string) error {
	def, err := f.Get(arn)
	if err != nil { // for a client the error is not that something was not found
		return invalidf("The destination ARN %s is invalid.", arn)
	}
	if def.Name == function {
		return invalidf("You can't specify the function as a destination for itself.")
	}
	return nil
}

// invalid names the destinations as the service prints them.
func (d EventDestinations) invalid() error {
	success, failure := "null", "null"
	if d.OnSuccess != "" {
		success = "OnSuccess(destination=" + d.OnSuccess + ")"
	}
	if d.OnFailure != "" {
		failure = "OnFailure(destination=" + d.OnFailure + ")"
	}
	return invalidf("The provided destination config DestinationConfig(onSuccess=%s, onFailure=%s) is invalid.", success, failure)
}

// validateDeadLetter checks where events that are given up may go.
func validateDeadLetter(arn string) error {
	if arn == "" {
		return nil
	}
	target, err := catalog.ParseARN(arn)
	if err != nil || target.Service != "sqs" && target.Service != "sns" {
		return invalidf("The dead-letter target %s is invalid: it must be the ARN of a queue or a topic.", arn)
	}
	return nil
}
