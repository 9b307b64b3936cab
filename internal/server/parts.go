package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/api/cloudwatchapi"
	"github.com/weirstream/weir/internal/api/dynamodbapi"
	"github.com/weirstream/weir/internal/api/kinesisapi"
	"github.com/weirstream/weir/internal/api/lambdaapi"
	"github.com/weirstream/weir/internal/api/logsapi"
	"github.com/weirstream/weir/internal/api/s3api"
	"github.com/weirstream/weir/internal/api/snsapi"
	"github.com/weirstream/weir/internal/api/sqsapi"
	"github.com/weirstream/weir/internal/api/stackapi"
	"github.com/weirstream/weir/internal/api/stsapi"
	"github.com/weirstream/weir/internal/console"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/metric"
	"github.com/weirstream/weir/internal/metric/exposition"
	"github.com/weirstream/weir/internal/notify"
	"github.com/weirstream/weir/internal/object"
	"github.com/weirstream/weir/internal/queue"
	"github.com/weirstream/weir/internal/server/pages"
	"github.com/weirstream/weir/internal/server/provision"
	"github.com/weirstream/weir/internal/stack"
	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table"
	"github.com/weirstream/weir/internal/transaction"
)

// Folders of the data directory beside the store's own files.
const (
	storeFolder    = "store"
	codeFolder     = "code"     // unpacked code of functions, a cache
	objectsFolder  = "objects"  // bytes of objects
	RuntimesFolder = "runtimes" // SDKs and interpreters for functions
)

// parts are the open domain packages.
type parts struct {
	db         *store.DB
	streams    *stream.Streams
	tables     *table.Tables
	logs       *function.Logs
	functions  *function.Functions
	queues     *queue.Queues
	topics     *notify.Topics
	buckets    *object.Buckets
	metrics    *metric.Metrics
	alarms     *metric.Alarms
	dashboards *metric.Dashboards
	mappings   *mapping.Mappings
	stacks     *stack.Stacks
	console    *console.Console

	// opened are the Close methods in the order in which the parts were opened.
	opened []func() error
}

// keep notes how to close a part, unless opening it failed.
func keep[P interface{ Close() error }](p *parts, part P, err error) (P, error) {
	if err == nil {
		p.opened = append(p.opened, part.Close)
	}
	return part, err
}

func (s *Server) openParts() (*parts, error) {
	p := &parts{}
	if err := s.openDomains(p); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (s *Server) openDomains(p *parts) (err error) {
	id, log, m := s.cfg.Identity, s.cfg.Log, s.meter
	if err := s.checkFolders(); err != nil {
		return err
	}
	db, err := store.Open(filepath.Join(s.cfg.DataDir, storeFolder), store.Options{Logger: log})
	if p.db, err = keep(p, db, err); err != nil {
		return err
	}
	if err := s.checkOwner(db); err != nil {
		return err
	}
	transactions := transaction.Open(transaction.Config{DB: db, Meter: m})
	p.opened = append(p.opened, transactions.Close)
	// Before what it measures, so that it is closed after it.
	metrics, err := metric.Open(metric.Config{DB: db, Log: log, Meter: m})
	if p.metrics, err = keep(p, metrics, err); err != nil {
		return err
	}
	logs, err := stream.NewLogs(db)
	if err != nil {
		return err
	}
	streams, err := stream.Open(stream.Config{DB: db, Logs: logs, Identity: id, Log: log, Meter: m})
	if p.streams, err = keep(p, streams, err); err != nil {
		return err
	}
	tables, err := table.Open(table.Config{DB: db, Logs: logs, Identity: id, Log: log, Meter: m})
	if p.tables, err = keep(p, tables, err); err != nil {
		return err
	}
	queues, err := queue.Open(queue.Config{DB: db, Identity: id, Log: log, Meter: m})
	if p.queues, err = keep(p, queues, err); err != nil {
		return err
	}
	functionLogs, err := function.OpenLogs(function.LogsConfig{DB: db, Identity: id, Log: log})
	if p.logs, err = keep(p, functionLogs, err); err != nil {
		return err
	}
	functions, err := function.Open(function.Config{
		DB: db, Identity: id, Log: log, Meter: m, Logs: functionLogs, Transactions: transactions,
		Runtimes: function.NewRuntimes(filepath.Join(s.cfg.DataDir, RuntimesFolder)),
		CodeDir:  filepath.Join(s.cfg.DataDir, codeFolder), Endpoint: s.endpoint,
		AccountConcurrency: s.accountConcurrency(),
	})
	if p.functions, err = keep(p, functions, err); err != nil {
		return err
	}
	if err := s.openNotifications(p); err != nil {
		return err
	}
	if err := s.openObjects(p); err != nil {
		return err
	}
	mappings, err := mapping.Open(mapping.Config{
		DB: db, Identity: id, Log: log, Meter: m, Grace: s.cfg.Grace,
		Queues:  queueSources{queues, id.Region},
		Sources: sources{streams, tables, id.Region}, Invoker: invoker{functions, id},
		Destinations: &destinations{topics: p.topics, functions: functions, queues: queues, buckets: p.buckets},
	})
	if p.mappings, err = keep(p, mappings, err); err != nil {
		return err
	}
	stacks, err := stack.Open(stack.Config{DB: db, Identity: id, Log: log, Providers: provision.Providers(provision.Domains{
		Identity: id, Streams: streams, Tables: tables, Functions: functions, Logs: functionLogs, Mappings: mappings,
		Topics: p.topics, Buckets: p.buckets, Alarms: p.alarms, Dashboards: p.dashboards, Queues: queues, Endpoint: s.endpoint,
	})})
	if p.stacks, err = keep(p, stacks, err); err != nil {
		return err
	}
	p.console = s.openConsole(p)
	return nil
}

// checkFolders refuses a directory with objects but without the store that knows them:
// they would be taken for leftovers.
func (s *Server) checkFolders() error {
	if _, err := os.Stat(filepath.Join(s.cfg.DataDir, storeFolder)); !errors.Is(err, fs.ErrNotExist) {
		return nil // opening the store tells what else is wrong
	}
	if _, err := os.Stat(filepath.Join(s.cfg.DataDir, objectsFolder)); err != nil {
		return nil
	}
	return fmt.Errorf("%w: %s has a folder %q and no folder %q", store.ErrDamaged, s.cfg.DataDir, objectsFolder, storeFolder)
}

// checkOwner refuses a directory that was filled under another account or region: what
// refers to streams and topics there would lead nowhere.
func (s *Server) checkOwner(db *store.DB) error {
	owner, err := s.cfg.Identity.Claim(db)
	if err != nil || owner == s.cfg.Identity {
		return err
	}
	return fmt.Errorf("data directory %s is that of another account or region: start with --region %s --account %s, or name another directory with --data-dir",
		s.cfg.DataDir, owner.Region, owner.Account)
}

func (s *Server) accountConcurrency() int {
	if !s.cfg.Limits {
		return 0
	}
	return function.DefaultAccountConcurrency
}

// openNotifications opens what tells others: topics, alarms and dashboards.
func (s *Server) openNotifications(p *parts) error {
	id, log := s.cfg.Identity, s.cfg.Log
	topics, err := notify.Open(notify.Config{
		DB: p.db, Identity: id, Log: log, Meter: s.meter, Endpoint: s.endpoint, SMTP: s.cfg.SMTP, Invoker: asyncInvoker{p.functions},
		Queues: subscribedQueues{p.queues},
	})
	if p.topics, err = keep(p, topics, err); err != nil {
		return err
	}
	alarms, err := metric.OpenAlarms(metric.AlarmsConfig{
		DB: p.db, Identity: id, Log: log, Metrics: p.metrics, Notifier: notify.Announcer{Topics: topics}, Invoker: asyncInvoker{p.functions},
		ConsoleURL: s.endpoint + console.Prefix,
	})
	if p.alarms, err = keep(p, alarms, err); err != nil {
		return err
	}
	p.dashboards, err = metric.OpenDashboards(p.db, id)
	return err
}

func (s *Server) openConsole(p *parts) *console.Console {
	cfg := pages.Config(pages.Domains{
		Identity: s.cfg.Identity, DB: p.db, Meter: s.meter, Streams: p.streams, Queues: p.queues, Tables: p.tables, Functions: p.functions, Logs: p.logs,
		Mappings: p.mappings, Metrics: p.metrics, Alarms: p.alarms, Dashboards: p.dashboards, Topics: p.topics, Outbox: p.topics.Outbox(), Stacks: p.stacks,
		Server: pages.ServerFacts{Version: s.cfg.Version, Address: s.endpoint, DataDir: s.cfg.DataDir, SMTP: redacted(s.cfg.SMTP), Started: s.started},
	})
	cfg.Log = s.cfg.Log
	c := console.New(cfg)
	p.opened = append(p.opened, c.Close)
	return c
}

// closeWorkers stops what calls functions, while functions can still call the
// APIs, and then the functions and the event streams of the console.
func (p *parts) closeWorkers() error {
	return errors.Join(p.stacks.Close(), p.mappings.Close(), p.functions.Close(), p.console.Close())
}

// close closes the parts that are open, the last one first. Closing a part twice
// does nothing.
func (p *parts) close() error {
	var errs []error
	for i := len(p.opened) - 1; i >= 0; i-- {
		errs = append(errs, p.opened[i]())
	}
	p.opened = nil
	return errors.Join(errs...)
}

// handler returns what answers requests: the services, and Weir's own paths.
func (s *Server) handler() (*api.Handler, error) {
	p := s.parts
	own := http.NewServeMux()
	own.HandleFunc("GET /_weir/health", p.health)
	own.Handle("GET /_weir/metrics", exposition.Handler(s.meter, s.cfg.Log, mappingFigures{p.mappings}))
	own.Handle(stackapi.Prefix, stackapi.New(p.stacks, s.cfg.Log))
	own.Handle(stackapi.Prefix+"/", stackapi.New(p.stacks, s.cfg.Log))
	own.Handle(console.Prefix, p.console)
	own.Handle(lambdaapi.CodePath, lambdaapi.CodeHandler(p.functions))
	own.Handle(notify.CertificatePath, snsapi.Pages(p.topics, s.cfg.Log))
	return api.NewHandler(api.Config{
		Services: []*api.Service{
			kinesisapi.New(p.streams),
			dynamodbapi.New(p.tables),
			dynamodbapi.NewStreams(p.tables, s.cfg.Identity.Region),
			lambdaapi.New(p.functions, p.mappings, p.buckets, s.cfg.Identity),
			logsapi.New(p.logs),
			cloudwatchapi.New(cloudwatchapi.Deps{Metrics: p.metrics, Alarms: p.alarms, Dashboards: p.dashboards, Identity: s.cfg.Identity}),
			snsapi.New(p.topics),
			sqsapi.New(p.queues),
			stsapi.New(s.cfg.Identity),
		},
		Invocations: callers{p.functions},
		Objects:     s3api.New(p.buckets, s.cfg.Log),
		Hosts:       &api.Hosts{Allowed: s.cfg.AllowedHosts},
		Fallback:    own, Identity: s.cfg.Identity, Log: s.cfg.Log,
	})
}

// health answers those who watch the server: 503 when it takes no data.
func (p *parts) health(w http.ResponseWriter, _ *http.Request) {
	status, code := "ok", http.StatusOK
	if p.db.Full() {
		status, code = store.ErrDiskFull.Error(), http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, "{\"status\":%q}\n", status) // the client is gone when this fails
}

// redacted is the SMTP server without the password that its URL may hold.
func redacted(smtp string) string {
	_, host, found := strings.Cut(smtp, "@")
	if found {
		return host
	}
	_, host, found = strings.Cut(smtp, "://")
	if found {
		return host
	}
	return smtp
}
