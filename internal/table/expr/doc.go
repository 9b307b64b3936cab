// Package expr owns the expression language of tables: condition, filter, key
// condition, update and projection expressions, and the older parameters that say
// the same without it.
//
// An expression goes through two stages. Its text is parsed into a syntax tree
// that knows nothing of the request, so that a [Cache] can keep it: clients send
// the same few texts again and again with other values. Then it is bound: its
// placeholders are resolved from the [Scope] of a request and the operands are
// checked. A bound expression is evaluated against any number of items.
//
// Errors are [attr.InvalidError] with the wording of DynamoDB, and come in its
// order: all that the text alone shows first, in a condition then what is wrong
// with each comparison from left to right.
package expr
