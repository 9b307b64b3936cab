package api

import (
	"log/slog"
	"net/http"

	"github.com/weirstream/weir/internal/catalog"
)

// Config is what a Handler needs.
type Config struct {
	// Services are all services of this server.
	Services []*Service
	// Fallback gets every request under /_weir/ and may be nil.
	Fallback http.Handler
	// Identity is the account and region of this server.
	Identity catalog.Identity
	// RequireAuth refuses requests whose signature is absent or incomplete.
	RequireAuth bool
	// Log receives causes of internal failures; nil discards them.
	Log *slog.Logger
}

// Handler routes requests to services.
type Handler struct {
	cfg Config
}

// NewHandler builds the routes of all services. It fails if two operations
// collide or a type of an operation cannot be decoded or encoded.
func NewHandler(cfg Config) (*Handler, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Handler{cfg: cfg}, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNotFound)
}
