// Package catalog knows what exists: named resources, their definitions and
// their ARNs.
//
// Each domain package keeps its definitions in a [Collection] of its own kind; a
// definition is a JSON document in the store, held in memory as well.
package catalog

import (
	"fmt"
	"strings"
)

// Identity is the account and region in which everything of one server lives.
type Identity struct {
	Partition string // "aws"
	Region    string // "us-east-1"
	Account   string // twelve digits
}

// DefaultIdentity is what a server uses when nothing else is asked for.
var DefaultIdentity = Identity{Partition: "aws", Region: "us-east-1", Account: "000000000000"}

// ARN builds an Amazon Resource Name of a service in this account and region.
func (id Identity) ARN(service, resource string) string {
	return "arn:" + id.Partition + ":" + service + ":" + id.Region + ":" + id.Account + ":" + resource
}

// ARN is a parsed Amazon Resource Name:
// arn:partition:service:region:account:resource. The resource may hold colons.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ParseARN splits an ARN.
func ParseARN(s string) (ARN, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[5] == "" {
		return ARN{}, fmt.Errorf("%q is not an ARN", s)
	}
	return ARN{Partition: parts[1], Service: parts[2], Region: parts[3], Account: parts[4], Resource: parts[5]}, nil
}

// String is the inverse of ParseARN.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}
