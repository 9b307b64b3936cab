package function

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/transaction"
)

// Limits of an event, as on AWS.
const (
	MaxPayloadBytes      = 6291456
	MaxAsyncPayloadBytes = 1048576
)

// Invocation asks for a run of a function.
type Invocation struct {
	// Function is a name, an ARN or a partial ARN, with an optional qualifier.
	Function string
	// Payload is the event, a JSON document; none means {}. It is not checked
	// here, see CheckPayload, and must not change until the call returns.
	Payload []byte
	// LogTail asks for the end of the invocation's log.
	LogTail bool
	// ClientContext is the JSON document that the function finds in its context;
	// "" if there is none.
	ClientContext string
	// RequestID is the id of the invocation; "" means a new one.
	RequestID string
	// CallerKey is the access key of who waits for the result, by which a function
	// that invokes others is known; "" for nobody.
	CallerKey string
	// Begins, unless it is nil, is called when the time of the invocation has begun,
	// just before its process gets the event, or when it fails because no process
	// could be started. If the invocation is repeated, it is called again.
	Begins func()
}

// Result is how an invocation ended.
type Result struct {
	// Payload is what the function returned or, with FunctionError, the document
	// that describes the error.
	Payload []byte
	// FunctionError is "" or "Unhandled".
	FunctionError string
	// LogTail is the last 4 KB of the invocation's log, if asked for.
	LogTail         []byte
	ExecutedVersion string
	RequestID       string
	// Effects is what an invocation of an exactly-once function did, if that is for
	// the caller to commit or discard.
	Effects *transaction.Tx
}

// Invoke runs a function and returns its result. A function that fails is a
// Result with FunctionError, not an error. Errors are of the kinds ErrNotFound,
// ErrTooLarge, ErrThrottled and ErrClosed, or the end of ctx: then the
// invocation, if it has begun, goes on to its end without anyone waiting.
//
// The effects of an exactly-once function are on disk when Invoke returns a result
// without FunctionError, and otherwise there are none; ErrConflict is a further kind
// of error then.
func (f *Functions) Invoke(ctx context.Context, in Invocation) (Result, error) {
	if err := checkSize(in.Payload, MaxPayloadBytes, "RequestResponse"); err != nil {
		return Result{}, err
	}
	t, err := f.target(in.Function)
	if err != nil {
		return Result{}, err
	}
	return f.runCommitted(ctx, t, in)
}

func checkSize(payload []byte, limit int, invocationType string) error {
	if len(payload) > limit {
		return errorf(ErrTooLarge, "%d byte payload is too large for the %s invocation type (limit %d bytes)", len(payload), invocationType, limit)
	}
	return nil
}

func (f *Functions) run(ctx context.Context, t target, in Invocation) (Result, error) {
	turn, err := f.enter(ctx, t, in)
	if err != nil {
		return Result{}, err
	}
	place, err := f.admit(t)
	if err != nil {
		turn.Return()
		return Result{}, err
	}
	inv := newInvocation(t.arn, in)
	inv.place, inv.turn, inv.withinTurn = place, turn, f.withinTurn(in.CallerKey)
	f.watch.look()
	t.pool.submit(inv)
	var o outcome
	select {
	case o = <-inv.done:
	case <-ctx.Done():
		if t.pool.cancel(inv) {
			place.end()
		}
		turn.Leave()
		return Result{}, ctx.Err()
	}
	if inv.effects == nil {
		turn.Leave()
	} else if o.err != nil {
		inv.effects.Discard()
	}
	if o.err != nil {
		return Result{}, o.err
	}
	r := Result{Payload: o.payload, LogTail: o.tail, ExecutedVersion: t.version, RequestID: inv.id, Effects: inv.effects}
	if o.failed {
		r.FunctionError = "Unhandled"
	}
	return r, nil
}

func newInvocation(arn string, in Invocation) *invocation {
	inv := &invocation{
		id:            in.RequestID,
		arn:           arn,
		traceID:       newTraceID(time.Now()),
		clientContext: onOneLine(in.ClientContext),
		payload:       in.Payload,
		wantTail:      in.LogTail,
		begins:        in.Begins,
		done:          make(chan outcome, 1),
	}
	if inv.id == "" {
		inv.id = uuid.NewString()
	}
	if len(inv.payload) == 0 {
		inv.payload = []byte("{}")
	}
	return inv
}

// onOneLine makes a JSON document fit for a header.
func onOneLine(doc string) string {
	if !strings.ContainsAny(doc, "\r\n") {
		return doc
	}
	return strings.NewReplacer("\r", "", "\n", "").Replace(doc)
}

// wordAt returns the bare word around a position and where it ends, "" if there
// is none.
func wordAt(text []byte, at int) (word string, end int) {
	isLetter := func(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
	start := at
	for start > 0 && isLetter(text[start-1]) {
		start--
	}
	for end = at; end < len(text) && isLetter(text[end]); end++ {
	}
	return string(text[start:end]), end
}

// newTraceID makes the header by which AWS follows a request; it is not sampled.
func newTraceID(now time.Time) string {
	var random [20]byte
	_, _ = rand.Read(random[:]) // never fails
	return "Root=1-" + strconv.FormatInt(now.Unix(), 16) + "-" + hex.EncodeToString(random[:12]) +
		";Parent=" + hex.EncodeToString(random[12:]) + ";Sampled=0"
}

// DryRun checks that a function could be invoked.
func (f *Functions) DryRun(ref string) error {
	_, err := f.target(ref)
	return err
}

// CheckPayload reports, with an error of kind ErrInvalidPayload, whether a
// payload is not a JSON document.
func CheckPayload(payload []byte) error {
	if len(payload) == 0 {
		return nil
	}
	var problem *json.SyntaxError
	err := json.Unmarshal(payload, new(json.RawMessage))
	if errors.As(err, &problem) {
		return errorf(ErrInvalidPayload, "Could not parse request body into json: Could not parse payload into json: %s", describe(payload, problem))
	}
	return err
}

// describe words a syntax error like the parser of the service.
func describe(payload []byte, problem *json.SyntaxError) string {
	const expected = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
	at := max(0, int(problem.Offset)-1)
	where := func(at int) string {
		line := bytes.Count(payload[:at], []byte{'\n'}) + 1
		column := at - bytes.LastIndexByte(payload[:at], '\n')
		return fmt.Sprintf("\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d]", line, column)
	}
	if at >= len(payload) || strings.Contains(problem.Error(), "unexpected end") {
		return "Unexpected end-of-input" + where(min(at, len(payload)))
	}
	if token, end := wordAt(payload, at); token != "" {
		if r, size := utf8.DecodeRune(payload[end:]); r == utf8.RuneError && size == 1 {
			return fmt.Sprintf("Invalid UTF-8 start byte 0x%x", payload[end]) + where(end+1)
		}
		return "Unrecognized token '" + token + "': was expecting " + expected + where(end)
	}
	r, _ := utf8.DecodeRune(payload[at:])
	shown := fmt.Sprintf("'%c' (code %d)", r, r)
	if r < ' ' || r == utf8.RuneError {
		shown = fmt.Sprintf("(CTRL-CHAR, code %d)", payload[at])
	}
	return "Unexpected character (" + shown + "): expected a valid value " + expected + where(at)
}
