package table

import (
	"time"
)

// definition is what the catalog keeps of a table.
type definition struct {
	Name    string
	ID      uint64
	UUID    string
	Created time.Time
	Key     []KeyAttribute

	OnDemand           bool
	OnDemandSince      time.Time // of the last change to on-demand
	BillingChanged     bool      // the billing mode was asked for, at creation or later
	Read, Write        int64     // provisioned capacity units
	LastIncrease       time.Time
	LastDecrease       time.Time
	Decreases          int64 // on the day of the last one
	DeletionProtection bool
	Class              string
	Tags               map[string]string `json:",omitempty"`

	// Stream is the ARN of the latest stream, which may be disabled.
	Stream string
}

// decreasesToday returns how often throughput was decreased on the UTC day of now.
func (d *definition) decreasesToday(now time.Time) int64 {
	if d.LastDecrease.UTC().Format(time.DateOnly) != now.UTC().Format(time.DateOnly) {
		return 0
	}
	return d.Decreases
}

// StreamView is what change records tell of an item.
type StreamView string

// The views.
const (
	KeysOnly        StreamView = "KEYS_ONLY"
	NewImage        StreamView = "NEW_IMAGE"
	OldImage        StreamView = "OLD_IMAGE"
	NewAndOldImages StreamView = "NEW_AND_OLD_IMAGES"
)

// Status is the state that a description of a table tells. Tables are ready at
// once: the states other than active are only in the answers to the requests that
// on AWS take time.
type Status string

// The states.
const (
	Creating Status = "CREATING"
	Active   Status = "ACTIVE"
	Updating Status = "UPDATING"
	Deleting Status = "DELETING"
)

// Description is what can be known of a table.
type Description struct {
	Name    string
	ARN     string
	ID      string // UUID
	Status  Status
	Created time.Time
	Key     []KeyAttribute

	// OnDemand says how the table is billed; BillingMode whether that was ever
	// asked for.
	OnDemand           bool
	BillingMode        bool
	OnDemandSince      time.Time
	Read, Write        int64
	LastIncrease       time.Time
	LastDecrease       time.Time
	DecreasesToday     int64
	DeletionProtection bool
	Class              string // "" if never asked for

	Items, Bytes int64

	// StreamEnabled and View describe the stream that is on; StreamARN and
	// StreamLabel the latest one, on or off, "" if there never was one.
	StreamEnabled bool
	View          StreamView
	StreamARN     string
	StreamLabel   string
}
