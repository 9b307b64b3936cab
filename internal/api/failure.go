package api

import (
	"errors"
	"net/http"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"

	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/store"
)

// failure is an error as the protocols need to know it.
type failure struct {
	code      string // the bare name
	message   string
	status    int    // by the model
	queryCode string // in the query protocol
	server    bool   // the client is not to blame
	// modelled describes itself, if the SDK has a schema of it; cause is the
	// error that came.
	modelled smithy.Serializable
	cause    error
}

// serializableError is an exception of an SDK with schemas.
type serializableError interface {
	smithy.APIError
	smithy.Serializable
}

// failureOf translates what an operation returned. known is false for errors
// that are not meant for clients.
func (s *Service) failureOf(err error) (f failure, known bool) {
	var own *Error
	if e, ok := heldError(err); ok {
		err = e
	}
	if errors.As(err, &own) {
		f = failure{code: own.Code, message: own.Message, status: own.Status, queryCode: own.QueryCode, cause: err}
		f.server = own.status() >= http.StatusInternalServerError
		return s.complete(f), true
	}
	var described serializableError
	if errors.As(err, &described) {
		return s.complete(describe(described, err)), true
	}
	var plain smithy.APIError
	if errors.As(err, &plain) {
		f = failure{code: plain.ErrorCode(), message: plain.ErrorMessage(), cause: err}
		f.server = plain.ErrorFault() == smithy.FaultServer
		return s.complete(f), true
	}
	f = failure{code: "InternalFailure", server: true, cause: err}
	if errors.Is(err, store.ErrDiskFull) {
		f.message = store.ErrDiskFull.Error()
	}
	return s.complete(f), false
}

// complete fills in what the error itself did not say.
func (s *Service) complete(f failure) failure {
	if f.queryCode == "" {
		f.queryCode = f.code
	}
	if f.status == 0 {
		f.status = s.ErrorStatus[f.code]
	}
	switch {
	case f.status != 0:
	case f.server:
		f.status = http.StatusInternalServerError
	default:
		f.status = http.StatusBadRequest
	}
	return f
}

// describe reads the traits of a modelled error's schema.
func describe(e serializableError, cause error) failure {
	var c schemaCatcher
	e.Serialize(&c)
	f := failure{code: e.ErrorCode(), message: e.ErrorMessage(), modelled: e, cause: cause}
	f.server = e.ErrorFault() == smithy.FaultServer
	if c.top == nil {
		return f
	}
	f.code = c.top.ID().Name
	if h, ok := smithy.SchemaTrait[*traits.HTTPError](c.top); ok {
		f.status = h.Code
	}
	if q, ok := smithy.SchemaTrait[*traits.AWSQueryError](c.top); ok {
		f.queryCode = q.ErrorCode
		f.status = q.StatusCode
	}
	return f
}

// schemaCatcher is a serializer that keeps the schema of what is written to it.
type schemaCatcher struct {
	awsjson.Serializer
	top *smithy.Schema
}

// WriteStruct keeps the schema of the outermost structure.
func (c *schemaCatcher) WriteStruct(schema *smithy.Schema) {
	if c.Depth() == 0 {
		c.top = schema
	}
	c.Serializer.WriteStruct(schema)
}

// Namespaces of errors that every service gets from the framework it is built
// on.
const (
	coralService      = "com.amazon.coral.service"
	coralValidate     = "com.amazon.coral.validate"
	coralAvailability = "com.amazon.coral.availability"
)

var frameworkNamespaces = map[string]string{
	"SerializationException":              coralService,
	"UnknownOperationException":           coralService,
	"MissingAuthenticationTokenException": coralService,
	"IncompleteSignatureException":        coralService,
	"InvalidSignatureException":           coralService,
	"UnrecognizedClientException":         coralService,
	"AccessDeniedException":               coralService,
	"InternalFailure":                     coralService,
	"ValidationException":                 coralValidate,
	"ThrottlingException":                 coralAvailability,
}

// typeName is what __type says of an error.
func (s *Service) typeName(f failure) string {
	if s.ErrorNamespace == "" {
		return f.code
	}
	if ns := frameworkNamespaces[f.code]; ns != "" {
		return ns + "#" + f.code
	}
	return s.ErrorNamespace + "#" + f.code
}

// messageMember is the member of an unmodelled error that carries its message.
func messageMember(code string) string {
	if code == "SerializationException" || code == "AccessDeniedException" {
		return "Message"
	}
	return "message"
}

// docSerializer is the part of the codecs' serializers that errors need.
type docSerializer interface {
	smithy.ShapeSerializer
	WriteNamed(name, value string)
	Depth() int
}

// writeError writes the document of an error, with __type first unless typeName
// is empty.
func (s *Service) writeError(to docSerializer, f failure, typeName string) {
	if f.modelled == nil {
		to.WriteStruct(nil)
		if typeName != "" {
			to.WriteNamed("__type", typeName)
		}
		if f.message != "" {
			to.WriteNamed(messageMember(f.code), f.message)
		}
		to.CloseStruct()
		return
	}
	e := errorSerializer{docSerializer: to, typeName: typeName}
	if s.ErrorMessageMember != nil {
		e.message = s.ErrorMessageMember(f.cause)
	}
	f.modelled.Serialize(&e)
}

// errorSerializer adds __type to an error and may rename its message.
type errorSerializer struct {
	docSerializer
	typeName, message string
}

// WriteStruct opens a structure.
func (e *errorSerializer) WriteStruct(schema *smithy.Schema) {
	e.docSerializer.WriteStruct(schema)
	if e.Depth() == 1 && e.typeName != "" {
		e.WriteNamed("__type", e.typeName)
	}
}

// WriteString writes a text.
func (e *errorSerializer) WriteString(schema *smithy.Schema, v string) {
	if e.message != "" && e.Depth() == 1 {
		if name := schema.MemberName(); name == "message" || name == "Message" {
			e.WriteNamed(e.message, v)
			return
		}
	}
	e.docSerializer.WriteString(schema, v)
}
