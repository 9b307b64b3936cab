package api

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/api/restjson"
	"github.com/weirstream/weir/internal/api/shape"
	"github.com/weirstream/weir/internal/catalog"
)

// ownPrefix begins all paths that do not belong to an AWS protocol.
const ownPrefix = "/_weir/"

// consolePath is where a browser that asks for the root is sent.
const consolePath = ownPrefix + "console/"

// Config is what a Handler needs.
type Config struct {
	// Services are all services of this server.
	Services []*Service
	// Objects answers requests for objects, which have a protocol of their own; may
	// be nil.
	Objects Objects
	// Fallback gets every request under /_weir/ and may be nil.
	Fallback http.Handler
	// Invocations tells which requests belong to exactly-once invocations; nil if
	// there are none.
	Invocations Invocations
	// Identity is the account and region of this server.
	Identity catalog.Identity
	// RequireAuth refuses requests whose signature is absent or incomplete. Nothing
	// is verified.
	RequireAuth bool
	// Hosts refuses what pages of the outside ask for; nil takes everything.
	Hosts *Hosts
	// Log receives causes of internal failures; nil discards them.
	Log *slog.Logger
}

// Objects is a service whose requests are told from others by their signature,
// host and path alone.
type Objects interface {
	http.Handler
	// Claims reports whether a request is for it beyond doubt. signedFor is the
	// service that the request is signed for, "" if it is not signed.
	Claims(r *http.Request, signedFor string) bool
	// Has reports whether a request that nothing else claims is for it.
	Has(r *http.Request) bool
}

// Handler routes requests to services. It is an http.Handler.
type Handler struct {
	cfg     Config
	targets map[string]*service // by X-Amz-Target prefix and path of RPC v2
	signing map[string]*service // by signing name
	queries []*service
	rest    restjson.Router[restTarget]
	health  []byte
}

// service is a Service made ready to serve.
type service struct {
	*Service
	ops     map[string]*operation
	dialect *awsjson.Dialect
	limit   int64
}

// operation is an Operation with what its protocols need.
type operation struct {
	Operation
	inShape *shape.Type
	// outShape is for the query protocol, rest and status for REST.
	outShape   *shape.Type
	rest       *restjson.Request
	status     int
	hasPayload bool
}

// restTarget is what a REST path leads to.
type restTarget struct {
	svc *service
	op  *operation
}

// unknownService answers requests that no service claims.
var unknownService = &service{Service: &Service{}, dialect: awsjson.Plain, limit: DefaultMaxRequestBytes}

// NewHandler builds the routes of all services. It fails if two services or
// operations collide, or if a type of an operation cannot be decoded or encoded.
func NewHandler(cfg Config) (*Handler, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{
		cfg:     cfg,
		targets: map[string]*service{},
		signing: map[string]*service{},
		health:  []byte("healthy: dynamodb." + cfg.Identity.Region + ".amazonaws.com "),
	}
	for _, s := range cfg.Services {
		if err := h.add(s); err != nil {
			return nil, fmt.Errorf("service %s: %w", s.Name, err)
		}
	}
	return h, nil
}

func (h *Handler) add(s *Service) error {
	svc, err := h.prepare(s)
	if err != nil {
		return err
	}
	if s.TargetPrefix != "" {
		if h.targets[s.TargetPrefix] != nil {
			return fmt.Errorf("another service has the target prefix %s", s.TargetPrefix)
		}
		h.targets[s.TargetPrefix] = svc
	}
	if s.QueryVersion != "" {
		h.queries = append(h.queries, svc)
	}
	// Services may share a signing name (DynamoDB and its streams); the first
	// one answers what only the signature can be routed by.
	if h.signing[s.Name] == nil {
		h.signing[s.Name] = svc
	}
	return nil
}

func (h *Handler) prepare(s *Service) (*service, error) {
	svc := &service{Service: s, ops: map[string]*operation{}, limit: s.MaxRequestBytes}
	if svc.limit == 0 {
		svc.limit = DefaultMaxRequestBytes
	}
	switch s.Dialect {
	case Kinesis:
		svc.dialect = awsjson.Kinesis
	case DynamoDB:
		svc.dialect = awsjson.DynamoDB
	default:
		svc.dialect = awsjson.Plain
	}
	unions := map[reflect.Type][]reflect.Type{}
	for _, u := range s.Unions {
		unions[u.iface] = u.variants
	}
	shapes := shape.NewBuilder(unions)
	for _, o := range s.Operations {
		op, err := h.prepareOperation(svc, o, shapes)
		if err != nil {
			return nil, fmt.Errorf("operation %s: %w", o.Name, err)
		}
		if svc.ops[o.Name] != nil {
			return nil, fmt.Errorf("operation %s is there twice", o.Name)
		}
		svc.ops[o.Name] = op
	}
	return svc, nil
}

func (h *Handler) prepareOperation(svc *service, o Operation, shapes *shape.Builder) (*operation, error) {
	op := &operation{Operation: o, status: http.StatusOK}
	var err error
	if op.inShape, err = shapes.Describe(o.inType, o.in); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	if svc.QueryVersion != "" {
		if op.outShape, err = shapes.Describe(o.outType, o.out); err != nil {
			return nil, fmt.Errorf("output: %w", err)
		}
	}
	if !svc.REST {
		return op, nil
	}
	if op.rest, err = restjson.NewRequest(o.schema, op.inShape); err != nil {
		return nil, err
	}
	if err := restjson.CheckOutput(o.out); err != nil {
		return nil, err
	}
	op.hasPayload = restjson.HasPayload(o.out)
	op.status = restjson.Status(o.schema)
	return op, h.rest.Add(o.schema, restTarget{svc: svc, op: op})
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.cfg.Hosts != nil {
		if why := h.cfg.Hosts.refuse(r); why != "" {
			http.Error(w, why, http.StatusForbidden)
			return
		}
	}
	if h.cfg.Fallback != nil && strings.HasPrefix(r.URL.Path, ownPrefix) {
		h.cfg.Fallback.ServeHTTP(w, r)
		return
	}
	x := &exchange{h: h, w: w, r: r, svc: unknownService}
	defer x.close()
	if r.URL.RawQuery != "" {
		x.query = r.URL.Query()
	}
	x.scope = scopeOf(r, x.query)
	switch {
	case x.preflight():
	case h.cfg.Objects != nil && h.cfg.Objects.Claims(r, x.scope.service):
		h.serveObjects(x)
	case !h.front(x):
		h.route(x)
	}
}

func (h *Handler) serveObjects(x *exchange) {
	if x.admitObjects() {
		h.cfg.Objects.ServeHTTP(x.w, x.r)
	}
}

// front answers requests of browsers and health checks for the root, which
// name no service.
func (h *Handler) front(x *exchange) bool {
	named := x.query.Has("Action") || x.r.Header.Get("X-Amz-Target") != "" || x.scope.service != ""
	if x.r.Method != http.MethodGet || x.r.URL.Path != "/" || named {
		return false
	}
	if strings.Contains(x.r.Header.Get("Accept"), "text/html") {
		http.Redirect(x.w, x.r, consolePath, http.StatusFound)
		return true
	}
	x.identify(DynamoDB)
	x.send(http.StatusOK, h.health)
	return true
}

const (
	formType = "application/x-www-form-urlencoded"
	cborType = "application/cbor"
)

// route finds the protocol and service of a request and serves it.
func (h *Handler) route(x *exchange) {
	path := x.r.URL.EscapedPath()
	if target := x.r.Header.Get("X-Amz-Target"); target != "" {
		h.serveTarget(x, target)
		return
	}
	if rest, ok := strings.CutPrefix(path, "/service/"); ok {
		h.serveRPC(x, rest)
		return
	}
	if t, labels, ok := h.rest.Find(x.r.Method, path, x.query); ok {
		x.svc, x.op = t.svc, t.op
		x.serveREST(labels)
		return
	}
	if x.query.Has("Action") || mediaType(x.r) == formType {
		h.serveQuery(x)
		return
	}
	if h.cfg.Objects != nil && x.scope.service == "" && h.cfg.Objects.Has(x.r) {
		h.serveObjects(x)
		return
	}
	h.serveTarget(x, "")
}

// serveTarget serves the protocols that name the operation in a header. Where
// that does not lead to a service, the signature and the content type do, to
// get an answer in the form that the client understands.
func (h *Handler) serveTarget(x *exchange, target string) {
	prefix, name, _ := strings.Cut(target, ".")
	name, _, _ = strings.Cut(name, ".")
	x.asked = name
	if svc := h.targets[prefix]; svc != nil {
		x.svc, x.op = svc, svc.ops[name]
	} else if svc := h.signing[x.scope.service]; svc != nil {
		x.svc = svc
	} else if mediaType(x.r) != jsonType10 {
		x.svc = h.byDialect(Kinesis)
	} else {
		x.svc = h.byDialect(DynamoDB)
	}
	switch {
	case x.svc.REST:
		x.unknownPath()
	case x.svc.JSONVersion == "" && x.svc.QueryVersion != "":
		h.serveQuery(x)
	default:
		x.serveJSON(prefix != "" && name != "")
	}
}

func (h *Handler) byDialect(d Dialect) *service {
	for _, prefix := range slices.Sorted(maps.Keys(h.targets)) {
		if svc := h.targets[prefix]; svc.Dialect == d {
			return svc
		}
	}
	return unknownService
}

// recovered turns a panic of an operation into an internal failure: a bug in
// one request must not end the others.
func (x *exchange) recovered(p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	x.h.cfg.Log.Error("panic in a request", "operation", x.name(), "panic", p, "stack", string(debug.Stack()))
	if !x.sent {
		x.fail(&Error{Code: "InternalFailure", Status: http.StatusInternalServerError})
	}
}

// Plain tells whether a POST to / is answered at once and with one document.
func (h *Handler) Plain(r *http.Request) bool {
	prefix, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	svc := h.targets[prefix]
	if svc == nil || !svc.Prompt || r.ContentLength > svc.limit || r.Header.Get("Content-Encoding") != "" {
		return false
	}
	op := svc.ops[name]
	return op != nil && !op.events
}

// mediaType is the content type without parameters.
func mediaType(r *http.Request) string {
	t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.TrimSpace(t)
}
