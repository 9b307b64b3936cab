// Package api answers the public AWS wire protocols: it finds the service and
// operation that a request means, decodes the request, calls the operation and
// encodes its result or error.
//
// A service is a [Service] value, a list of operations bound to functions with
// [Op]; the packages below this one (kinesisapi, dynamodbapi, ...) build them.
// Requests and responses are the structs of the AWS SDK for Go v2, so that no
// shape is written by hand. Each protocol is one codec (packages awsjson,
// awscbor, awsquery, restjson) that every service shares; what differs between
// services of one protocol, texts of type errors, content types, the order in
// which a request is judged, is a [Dialect].
//
// Invariants: sizes and depths of requests are bounded before anything is
// built from them; an error reaches a client only as an exception of its
// service, every other one is logged and becomes an InternalFailure; nothing
// of a request's body is kept after the operation has returned, unless the
// codec copied it.
package api

import (
	"context"
	"fmt"
	"reflect"

	"github.com/aws/smithy-go"

	"github.com/weirstream/weir/internal/api/awsquery"
)

// Dialect names the habits in which services of one protocol differ.
type Dialect uint8

const (
	// Plain is what most services do.
	Plain Dialect = iota
	// Kinesis has bare error names, texts of Java class names, x-amz-id-2.
	Kinesis
	// DynamoDB has coral namespaces in errors, a checksum header and its own
	// form of request ids.
	DynamoDB
)

// CBOR says which of the two binary protocols a service speaks.
type CBOR uint8

const (
	// NoCBOR is a service without a binary protocol.
	NoCBOR CBOR = iota
	// RPCv2CBOR is Smithy RPC v2, at /service/{TargetPrefix}/operation/{Name}.
	RPCv2CBOR
	// KinesisCBOR is the older application/x-amz-cbor-1.1: X-Amz-Target as in
	// JSON, timestamps as a count of milliseconds.
	KinesisCBOR
)

// Service describes the protocols and operations of one AWS service.
type Service struct {
	// Name is the signing name: "kinesis", "dynamodb", "lambda", "logs",
	// "monitoring", "sns", "sts".
	Name string
	// TargetPrefix precedes the dot in X-Amz-Target ("Kinesis_20131202"), and is
	// the service name in the path of RPC v2 CBOR.
	TargetPrefix string
	// JSONVersion is "1.0" or "1.1"; "" if the service has no JSON protocol.
	JSONVersion string
	// CBOR is the binary protocol, besides JSON.
	CBOR CBOR
	// QueryVersion is the Version parameter of the query protocol and
	// XMLNamespace that of its answers; "" if the service has none.
	QueryVersion, XMLNamespace string
	// QueryFlat names the elements of lists and maps in the query protocol where
	// they are flat.
	QueryFlat awsquery.Flat
	// QueryNoAction is what an unknown action is answered with in the query protocol,
	// with its name for the verb; "" for the usual words.
	QueryNoAction string
	// QueryCompatible marks a service that moved from query to JSON or CBOR and
	// still tells its old error codes (x-amzn-query-error).
	QueryCompatible bool
	// REST routes operations by the @http trait of their schema (REST JSON).
	REST bool
	// ErrorNamespace goes before '#' in the __type of modelled errors; "" means
	// that all names are bare.
	ErrorNamespace string
	// ErrorStatus gives the HTTP status of error codes where neither a schema
	// nor the error itself tells it (services without schemas).
	ErrorStatus map[string]int
	// ErrorMessageMember, if set, names the member that carries the message of a
	// modelled error where the service departs from its model; "" means as
	// modelled.
	ErrorMessageMember func(err error) string
	// Prompt tells that no operation waits for anything that a client might give up
	// on before, so that nobody needs to notice when one leaves; those that answer
	// with events are exempt.
	Prompt bool
	// Dialect selects texts and order of checks.
	Dialect Dialect
	// MaxRequestBytes bounds a request body, before and after decompression;
	// 0 means DefaultMaxRequestBytes.
	MaxRequestBytes int64
	// Unions lists the union types that occur in inputs.
	Unions []Union
	// Operations are the implemented ones. Any other name gets
	// UnknownOperationException (or the protocol's equal).
	Operations []Operation
}

// DefaultMaxRequestBytes bounds the body of a request to a service that does
// not set a bound of its own.
const DefaultMaxRequestBytes = 4 << 20

// Union tells the decoder the variants of a union, which the SDK represents as
// an interface.
type Union struct {
	iface    reflect.Type
	variants []reflect.Type
}

// UnionOf describes the union I by pointers to its variant structs, for example
// UnionOf[types.AttributeValue](&types.AttributeValueMemberS{}, ...).
func UnionOf[I any](variants ...I) Union {
	u := Union{iface: reflect.TypeFor[I]()}
	for _, v := range variants {
		u.variants = append(u.variants, reflect.TypeOf(v).Elem())
	}
	return u
}

// FastFunc is the hot path of an operation over AWS JSON. It gets the raw body,
// which is valid only until it returns, and appends the response body to w. With
// handled false, w untouched, the general path takes the request, so a fast
// function may give up on anything unusual, errors of form first of all.
type FastFunc func(ctx context.Context, body []byte, w *ResponseWriter) (handled bool, err error)

// Operation is one operation of a service.
type Operation struct {
	Name string

	schema, in, out *smithy.Schema
	inType, outType reflect.Type
	call            func(ctx context.Context, in any) (any, error)
	fast            FastFunc
	held            bool // takes part in transactions of its callers
	missing         bool // is not implemented, and says so
	events          bool // answers with a stream of events
}

// Op binds an operation to the function that performs it. In and Out are the
// SDK's input and output structs. op, in and out are its schemas from
// service/<name>/schemas; out is nil for operations without output, all three
// are nil for services whose SDK has no schemas (sns, sts).
func Op[In, Out any](name string, op, in, out *smithy.Schema, fn func(context.Context, *In) (*Out, error)) Operation {
	return Operation{
		Name:    name,
		schema:  op,
		in:      in,
		out:     out,
		inType:  reflect.TypeFor[In](),
		outType: reflect.TypeFor[Out](),
		call: func(ctx context.Context, in any) (any, error) {
			v, ok := in.(*In)
			if !ok {
				return nil, fmt.Errorf("operation %s got input of type %T", name, in)
			}
			res, err := fn(ctx, v)
			if res == nil {
				return nil, err // not a typed nil
			}
			return res, err
		},
	}
}

// WithFast returns the operation with a hot path for AWS JSON. All other
// protocols, and requests that fn does not handle, use the general path.
func (o Operation) WithFast(fn FastFunc) Operation {
	o.fast = fn
	return o
}
