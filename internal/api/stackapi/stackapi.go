// Package stackapi is Weir's own API for stacks, which 'weir deploy' and 'weir
// destroy' use.
//
//	GET    /_weir/stacks              list
//	GET    /_weir/stacks/{name}       describe
//	POST   /_weir/stacks/{name}/plan  what a Request would do
//	POST   /_weir/stacks/{name}       create or update; body is a Request
//	DELETE /_weir/stacks/{name}       remove
//
// The answer to a plan is one Message, and to the last two it is a stream of them, one
// JSON object a line, events first and a result or an error at the end. A request that
// is refused before anything is touched is answered with status 400 and one Message.
package stackapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/weirstream/weir/internal/stack"
	"github.com/weirstream/weir/internal/stack/template"
)

// Prefix is the path of all operations.
const Prefix = "/_weir/stacks"

// maxRequest bounds a Request: code packages of 250 MB unpacked, in base64.
const maxRequest = 512 << 20

// Request asks for a stack to be created or updated.
type Request struct {
	Template   string
	Parameters map[string]string `json:",omitempty"`
	Tags       map[string]string `json:",omitempty"`
	Code       map[string][]byte `json:",omitempty"` // zips by logical id
}

// Message is a line of an answer; one member is set.
type Message struct {
	Event  *stack.Event  `json:",omitempty"`
	Plan   *stack.Plan   `json:",omitempty"`
	Result *stack.Result `json:",omitempty"`
	Error  *Failure      `json:",omitempty"`
}

// Failure says why nothing was done, or what went wrong.
type Failure struct {
	Message  string
	Problems []Problem `json:",omitempty"`
}

// Problem is something wrong with a template.
type Problem struct {
	Line      int    `json:",omitempty"`
	LogicalID string `json:",omitempty"`
	Message   string
	Hint      string `json:",omitempty"`
}

type handler struct {
	stacks *stack.Stacks
	log    *slog.Logger
}

// New returns the handler of everything under Prefix.
func New(stacks *stack.Stacks, log *slog.Logger) http.Handler {
	h := handler{stacks, log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Prefix, h.list)
	mux.HandleFunc("GET "+Prefix+"/{name}", h.describe)
	mux.HandleFunc("POST "+Prefix+"/{name}/plan", h.plan)
	mux.HandleFunc("POST "+Prefix+"/{name}", h.deploy)
	mux.HandleFunc("DELETE "+Prefix+"/{name}", h.destroy)
	return mux
}

func (h handler) list(w http.ResponseWriter, _ *http.Request) { h.write(w, h.stacks.List(false)) }

func (h handler) describe(w http.ResponseWriter, r *http.Request) {
	d, err := h.stacks.Describe(r.PathValue("name"))
	if err != nil {
		h.refuse(w, err)
		return
	}
	h.write(w, d)
}

func (h handler) plan(w http.ResponseWriter, r *http.Request) {
	req, err := readRequest(w, r)
	if err != nil {
		h.refuse(w, err)
		return
	}
	plan, err := h.stacks.Validate(r.Context(), req)
	if err != nil {
		h.refuse(w, err)
		return
	}
	h.write(w, Message{Plan: &plan})
}

func (h handler) deploy(w http.ResponseWriter, r *http.Request) {
	req, err := readRequest(w, r)
	if err != nil {
		h.refuse(w, err)
		return
	}
	s := &messages{h: h, w: w}
	result, err := h.stacks.Deploy(r.Context(), req, s.event)
	if errors.Is(err, stack.ErrNoUpdates) {
		err = nil
	}
	s.end(&result, err)
}

func (h handler) destroy(w http.ResponseWriter, r *http.Request) {
	s := &messages{h: h, w: w}
	s.end(nil, h.stacks.Destroy(r.Context(), r.PathValue("name"), s.event))
}

func readRequest(w http.ResponseWriter, r *http.Request) (stack.DeployRequest, error) {
	var req Request
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&req); err != nil {
		return stack.DeployRequest{}, template.Problems{{Message: "malformed request: " + err.Error()}}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return stack.DeployRequest{}, template.Problems{{Message: "malformed request: something follows the JSON object"}}
	}
	return stack.DeployRequest{
		StackName: r.PathValue("name"), Template: []byte(req.Template), Parameters: req.Parameters, Tags: req.Tags, Code: req.Code,
	}, nil
}

func (h handler) write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		h.log.Debug("answer about stacks", "error", err)
	}
}

// refuse answers a request that had no effect.
func (h handler) refuse(w http.ResponseWriter, err error) {
	f, status := h.failure(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	h.write(w, Message{Error: &f})
}

// failure turns an error into what the client is told and a status.
func (h handler) failure(err error) (Failure, int) {
	var problems template.Problems
	var kind *stack.Error
	var failed *stack.FailedError
	switch {
	case errors.As(err, &problems):
		f := Failure{Message: problems.Error()}
		for _, p := range problems {
			f.Problems = append(f.Problems, Problem{Line: p.Line, LogicalID: p.LogicalID, Message: p.Message, Hint: p.Hint})
		}
		return f, http.StatusBadRequest
	case errors.Is(err, stack.ErrNotFound):
		return Failure{Message: err.Error()}, http.StatusNotFound
	case errors.As(err, &kind), errors.As(err, &failed):
		return Failure{Message: err.Error()}, http.StatusBadRequest
	case errors.Is(err, stack.ErrClosed), errors.Is(err, context.Canceled):
		// A client that is still there to read this was not the one who canceled.
		return Failure{Message: stack.ErrClosed.Error()}, http.StatusServiceUnavailable
	}
	h.log.Error("stack operation", "error", err)
	return Failure{Message: "internal error; the server's log says more"}, http.StatusInternalServerError
}

// messages writes the lines of an answer. The status is that of the first line.
type messages struct {
	h       handler
	w       http.ResponseWriter
	started bool
}

func (s *messages) event(e stack.Event) {
	s.start(http.StatusOK)
	s.line(Message{Event: &e})
}

func (s *messages) end(result *stack.Result, err error) {
	if err == nil {
		s.start(http.StatusOK)
		if result == nil {
			result = &stack.Result{Changed: true}
		}
		s.line(Message{Result: result})
		return
	}
	f, status := s.h.failure(err)
	s.start(status)
	s.line(Message{Error: &f})
}

func (s *messages) start(status int) {
	if s.started {
		return
	}
	s.started = true
	s.w.Header().Set("Content-Type", "application/x-ndjson")
	s.w.WriteHeader(status)
}

func (s *messages) line(m Message) {
	if err := json.NewEncoder(s.w).Encode(m); err != nil {
		s.h.log.Debug("tell about a stack", "error", err)
	}
	_ = http.NewResponseController(s.w).Flush() // a client that is gone needs no events
}
