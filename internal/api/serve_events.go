package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/smithy-go"

	"github.com/weirstream/weir/internal/api/awscbor"
	"github.com/weirstream/weir/internal/api/awsjson"
)

// Event is one message of an answer that is a stream of events.
type Event struct {
	// Type is the name of the event's member in the union of events.
	Type string
	// Payload describes the event in the protocol of the request.
	Payload smithy.Serializable
}

// Events sends the events of an answer and returns after the last one. send
// returns when the event is on its way, so a slow client slows its sender, and
// gives up soon after its context has ended. An error of the service ends the
// stream with an exception, the end of ctx ends it in silence.
type Events func(ctx context.Context, send func(context.Context, Event) error) error

// OpEvents is Op for an operation whose output is a stream of events, of which
// JSON and CBOR services may have some. fn checks the request; its errors are
// answered like those of any operation.
func OpEvents[In any](name string, op, in *smithy.Schema, fn func(context.Context, *In) (Events, error)) Operation {
	return Operation{
		Name:    name,
		schema:  op,
		in:      in,
		inType:  reflect.TypeFor[In](),
		events:  true,
		outType: reflect.TypeFor[struct{}](),
		call: func(ctx context.Context, in any) (any, error) {
			v, ok := in.(*In)
			if !ok {
				return nil, fmt.Errorf("operation %s got input of type %T", name, in)
			}
			return fn(ctx, v)
		},
	}
}

const (
	eventStreamType = "application/vnd.amazon.eventstream"
	// parting is how long the last words of a stream may take.
	parting = time.Second
)

// eventWriter writes the frames of an event stream.
type eventWriter struct {
	x       *exchange
	control *http.ResponseController
	encoder *eventstream.Encoder
	frame   bytes.Buffer
	failed  error // to write
}

// answerEvents answers with a stream of events.
func (x *exchange) answerEvents(events Events) {
	x.sent = true
	head := x.w.Header()
	head.Set("Content-Type", eventStreamType)
	if x.r.ProtoMajor == 1 {
		x.holdBack()
		// The parting leaves a deadline on the connection.
		head.Set("Connection", "close")
	}
	x.w.WriteHeader(http.StatusOK)
	w := &eventWriter{x: x, control: http.NewResponseController(x.w), encoder: eventstream.NewEncoder()}
	ctx := x.context()
	err := w.write(ctx, "event", "initial-response", w.document(nil))
	if err == nil {
		err = events(ctx, w.send)
	}
	// A recorder in a test has no deadlines, nor needs it any.
	_ = w.control.SetWriteDeadline(time.Now().Add(parting))
	if err == nil || w.failed != nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return
	}
	f := x.failed(err)
	// A client that is gone needs no exception.
	_ = w.write(ctx, "exception", f.code, w.problem(f))
}

// requestEnd is how long a client may take until it is done with a request whose last
// byte has arrived.
const requestEnd = 5 * time.Millisecond

// holdBack gives the client that time before the answer begins. The AWS SDK for Go
// closes the body of a request as soon as the answer begins; when that is before
// net/http has looked for the end of the body, it closes the connection, and one
// subscription in thirty ends at once.
func (x *exchange) holdBack() {
	select {
	case <-time.After(requestEnd):
	case <-x.context().Done():
	}
}

func (w *eventWriter) send(ctx context.Context, e Event) error {
	return w.write(ctx, "event", e.Type, w.document(e.Payload))
}

// write sends a frame. When ctx ends while the client does not read, it gives the
// client up.
func (w *eventWriter) write(ctx context.Context, kind, name string, payload []byte) error {
	if w.failed != nil {
		return w.failed
	}
	w.frame.Reset()
	err := w.encoder.Encode(&w.frame, eventstream.Message{
		Headers: eventstream.Headers{
			{Name: ":" + kind + "-type", Value: eventstream.StringValue(name)},
			{Name: ":content-type", Value: eventstream.StringValue(w.x.ctype[0])},
			{Name: ":message-type", Value: eventstream.StringValue(kind)},
		},
		Payload: payload,
	})
	if err != nil {
		return fmt.Errorf("encode event %s: %w", name, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = w.control.SetWriteDeadline(time.Now().Add(parting)) })
	defer stop()
	if _, w.failed = w.x.w.Write(w.frame.Bytes()); w.failed == nil {
		w.failed = w.control.Flush()
	}
	return w.failed
}

func (w *eventWriter) document(v smithy.Serializable) []byte {
	if w.x.protocol == protocolCBOR {
		return encodeCBOR(v, nil, w.x.svc.CBOR == KinesisCBOR)
	}
	return encodeJSON(v, nil)
}

func (w *eventWriter) problem(f failure) []byte {
	if w.x.protocol == protocolCBOR {
		var s awscbor.Serializer
		w.x.svc.writeError(&s, f, "")
		return s.Bytes()
	}
	var s awsjson.Serializer
	w.x.svc.writeError(&s, f, "")
	return s.Bytes()
}
