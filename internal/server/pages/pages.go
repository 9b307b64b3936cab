// Package pages shows the domain packages to the console: it adapts each to the
// interface that package console declares.
package pages

import (
	"context"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/console"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/metric"
	"github.com/weirstream/weir/internal/notify"
	"github.com/weirstream/weir/internal/queue"
	"github.com/weirstream/weir/internal/stack"
	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table"
)

// Domains are what the pages show.
type Domains struct {
	Identity   catalog.Identity
	DB         *store.DB
	Meter      *meter.Meter
	Streams    *stream.Streams
	Queues     *queue.Queues
	Tables     *table.Tables
	Functions  *function.Functions
	Logs       *function.Logs
	Mappings   *mapping.Mappings
	Metrics    *metric.Metrics
	Alarms     *metric.Alarms
	Dashboards *metric.Dashboards
	Topics     *notify.Topics
	Outbox     *notify.Outbox
	Stacks     *stack.Stacks
	Server     ServerFacts
}

// ServerFacts are what does not change while a server runs.
type ServerFacts struct {
	Version, Address, DataDir, SMTP string
	Started                         time.Time
}

// Config returns the sources of a console.
func Config(d Domains) console.Config {
	return console.Config{
		Server:     server{d},
		Streams:    streams{d},
		Queues:     queues{d},
		Functions:  functions{d},
		Tables:     tables{d},
		Mappings:   mappings{d},
		Alarms:     alarms{d},
		Topics:     topics{d},
		Stacks:     stacks{d},
		Dashboards: dashboards{d},
		Metrics:    metrics{d},
		Logs:       logs{d},
		Outbox:     outbox{d},
	}
}

type server struct{ Domains }

func (s server) ServerInfo(context.Context) (console.ServerInfo, error) {
	return console.ServerInfo{
		Version: s.Server.Version, Started: s.Server.Started, Address: s.Server.Address, DataDir: s.Server.DataDir, SMTP: s.Server.SMTP,
		Region: s.Identity.Region, Account: s.Identity.Account, DataBytes: s.DB.DiskUsage(),
	}, nil
}

// sum returns the sum of all observations of a series.
func (d Domains) sum(namespace, name, unit string, dims ...meter.Dimension) float64 {
	_, sum, _ := d.Meter.Series(namespace, name, unit, dims...).Totals()
	return sum
}

// count returns the number of observations of a series.
func (d Domains) count(namespace, name, unit string, dims ...meter.Dimension) float64 {
	n, _, _ := d.Meter.Series(namespace, name, unit, dims...).Totals()
	return n
}
