package server

import (
	"net/http"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/api/kinesisapi"
	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/stream"
)

type parts struct {
	db       *store.DB
	streams  *stream.Streams
	mappings *mapping.Mappings
}

type noFunctions struct{ mapping.Invoker }

func (s *Server) openParts() (*parts, error) {
	p := &parts{}
	var err error
	if p.db, err = store.Open(s.cfg.DataDir, store.Options{Logger: s.cfg.Log}); err != nil {
		return nil, err
	}
	logs, err := stream.NewLogs(p.db)
	if err != nil {
		return nil, err
	}
	if p.streams, err = stream.Open(stream.Config{DB: p.db, Logs: logs, Identity: s.cfg.Identity, Log: s.cfg.Log, Meter: s.meter}); err != nil {
		return nil, err
	}
	if p.mappings, err = mapping.Open(mapping.Config{DB: p.db, Identity: s.cfg.Identity, Invoker: noFunctions{}}); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *parts) closeWorkers() error { return p.mappings.Close() }

func (p *parts) close() error {
	p.streams.Close()
	return p.db.Close()
}

func (s *Server) handler() (http.Handler, error) {
	return api.NewHandler(api.Config{Services: []*api.Service{kinesisapi.New(s.parts.streams)}, Identity: s.cfg.Identity, Log: s.cfg.Log})
}

// RuntimesFolder is the folder of the data directory with SDKs and interpreters
// for functions.
const RuntimesFolder = "runtimes"
