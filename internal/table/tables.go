package table

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table/expr"
)

// Config is what Tables needs.
type Config struct {
	DB       *store.DB
	Identity catalog.Identity
	Log      *slog.Logger // nil discards
	Meter    *meter.Meter // nil measures nothing
	Logs     *stream.Logs // of the changes
}

// Tables is the set of tables of a server.
type Tables struct {
	cfg     Config
	defs    *catalog.Collection[definition]
	streams *catalog.Collection[streamDefinition]
	cache   *expr.Cache
	locks   itemLocks
	meters  serviceMeters
	arnHead string // of the ARNs of tables, up to the name

	// lifecycle is held shared while data is read and written, exclusively while a
	// table comes, changes or goes.
	lifecycle sync.RWMutex
	tables    map[string]*table
	nextID    uint64

	stop     context.CancelFunc
	running  sync.WaitGroup
	closeErr error
	closing  sync.Once
}

// table is a table that exists.
type table struct {
	schema
	name       string
	definition atomic.Pointer[definition]
	changes    atomic.Pointer[ChangeStream] // nil while no stream is enabled
	items      atomic.Int64
	bytes      atomic.Int64
	writes     atomic.Uint64 // raised under the locks of items after they were written
	meters     tableMeters
}

// maintenanceInterval is how often expired change records are removed.
const maintenanceInterval = time.Minute

// Open loads the tables of a store.
func Open(cfg Config) (*Tables, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	t := &Tables{cfg: cfg, cache: expr.NewCache(), tables: map[string]*table{}, nextID: 1}
	t.locks.init()
	t.arnHead = cfg.Identity.ARN("dynamodb", "table/")
	t.meters = newServiceMeters(cfg.Meter)
	var err error
	if t.defs, err = catalog.Load[definition](cfg.DB, "table"); err != nil {
		return nil, err
	}
	if t.streams, err = catalog.Load[streamDefinition](cfg.DB, "table-stream"); err != nil {
		return nil, err
	}
	if err := t.load(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	if err := t.loadStatistics(ctx); err != nil {
		stop()
		return nil, err
	}
	t.running.Go(func() { t.maintain(ctx) })
	return t, nil
}

func (t *Tables) load() error {
	v, ok, err := t.cfg.DB.Get(nextIDKey())
	if err != nil {
		return err
	}
	if ok {
		if len(v) != 8 {
			return errors.New("table id counter is unreadable")
		}
		t.nextID = binary.BigEndian.Uint64(v)
	}
	for _, def := range t.defs.All() {
		tab := t.newTable(def)
		if def.Stream != "" {
			s, err := t.openStream(def.Stream)
			if err != nil {
				return fmt.Errorf("stream of table %s: %w", def.Name, err)
			}
			if s != nil && s.def.Disabled.IsZero() {
				tab.changes.Store(s)
			}
		}
		t.tables[def.Name] = tab
	}
	return nil
}

func (t *Tables) newTable(def definition) *table {
	tab := &table{name: def.Name, schema: schema{id: def.ID, parts: def.Key}}
	tab.definition.Store(&def)
	tab.meters = newTableMeters(t.cfg.Meter, def.Name)
	return tab
}

// maintain removes what has expired until ctx ends.
func (t *Tables) maintain(ctx context.Context) {
	tick := time.NewTicker(maintenanceInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := t.trimStreams(); err != nil {
				t.cfg.Log.Error("trim table streams", "error", err)
			}
		}
	}
}

// Account returns the account that the tables belong to.
func (t *Tables) Account() string { return t.cfg.Identity.Account }

// Close ends background work and saves what makes the next start quick. It does not
// close the store. No operation may be under way or follow.
func (t *Tables) Close() error {
	t.closing.Do(func() {
		t.stop()
		t.running.Wait()
		t.closeErr = t.saveStatistics()
	})
	return t.closeErr
}

// lookup returns the table with a name or an ARN.
func (t *Tables) lookup(nameOrARN string) (*table, bool) {
	tab, ok := t.tables[t.tableName(nameOrARN)]
	return tab, ok
}

// tableName returns the name of the table that a request means.
func (t *Tables) tableName(nameOrARN string) string {
	return strings.TrimPrefix(nameOrARN, t.arnHead)
}

func (t *Tables) tableARN(name string) string { return t.arnHead + name }

// acquire finds a table and keeps it from going until release is called. It is for
// data operations; their error does not name the table.
func (t *Tables) acquire(nameOrARN string) (*table, error) {
	t.lifecycle.RLock()
	tab, ok := t.lookup(nameOrARN)
	if !ok {
		t.lifecycle.RUnlock()
		return nil, errNoTable
	}
	return tab, nil
}

func (t *Tables) release() { t.lifecycle.RUnlock() }

func nextIDKey() []byte {
	return store.AppendString(store.AppendUint64(store.Key(store.DomainTable, 24), 0), "next id")
}

// stateKey is where the state of a table of some kind is.
func stateKey(id uint64, what string) []byte {
	return store.AppendString(store.AppendUint64(store.Key(store.DomainTable, 24), id), what)
}
