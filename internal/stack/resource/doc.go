// Package resource knows the resource types that templates can declare: their
// properties, which of them can change in place, what Ref and Fn::GetAtt give, and
// how a resource is made, changed and removed.
//
// What a resource is made of lives elsewhere in the program; this package declares
// for each domain the few methods that it needs ([Providers]) and the settings it
// hands over, with every property resolved to a Go type.
//
// Invariants:
//
//   - A property that a type does not list is reported, never ignored. So is one that
//     exists on AWS and is not implemented here, and so are its values that are not.
//   - [Type.Check] finds all of that without creating anything, also while values are
//     not known yet.
package resource
