// Package template reads CloudFormation templates and computes their values.
//
// [Parse] turns YAML or JSON into a [Template]; both texts go through the same
// [Node] tree, so a template means the same in either. [Template.Bind] fixes the
// parameters and decides the conditions, which gives a [Bound] template:
// what is in it and in which order is known then, before anything exists.
// [Bound.Eval] computes the value of a node; what resources stand for is asked of
// a [Resolver], which may answer "not known yet" with a node of KindUnknown.
//
// Invariants:
//
//   - A node never changes once its template is parsed; Eval returns new nodes.
//   - Every node knows the line it comes from, also those that Eval returns and
//     those that stand for a short intrinsic tag.
//   - Problems are collected, not returned one at a time: an error of this package
//     is a [Problems] and holds everything that is wrong at that stage. Messages
//     are those of CloudFormation where it has one.
package template
