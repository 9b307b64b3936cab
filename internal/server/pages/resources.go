package pages

import (
	"context"
	"time"

	"github.com/weirstream/weir/internal/console"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/meter"
)

type streams struct{ Domains }

func (s streams) Streams(context.Context) ([]console.Stream, error) {
	var out []console.Stream
	for _, st := range s.Domains.Streams.All() {
		def := st.Definition()
		dim := meter.Dimension{Name: "StreamName", Value: def.Name}
		open := 0
		for _, sh := range def.Shards {
			if sh.Open() {
				open++
			}
		}
		out = append(out, console.Stream{
			Name: def.Name, ARN: st.ARN(), Status: "ACTIVE", Shards: open, RetentionHours: def.RetentionHours,
			Created: time.UnixMilli(def.Created),
			Records: s.sum("AWS/Kinesis", "IncomingRecords", "Count", dim),
			Bytes:   s.sum("AWS/Kinesis", "IncomingBytes", "Bytes", dim),
		})
	}
	return out, nil
}

type queues struct{ Domains }

func (q queues) Queues(context.Context) ([]console.Queue, error) {
	var out []console.Queue
	for _, name := range q.Domains.Queues.Names("") {
		one, err := q.Domains.Queues.Get(name)
		if err != nil {
			continue // deleted meanwhile
		}
		n := one.Counts()
		out = append(out, console.Queue{Name: name, ARN: one.Definition().ARN, Visible: n.Visible, InFlight: n.InFlight, Delayed: n.Delayed})
	}
	return out, nil
}

type functions struct{ Domains }

func (f functions) Functions(context.Context) ([]console.Function, error) {
	var out []console.Function
	for _, def := range f.Domains.Functions.List() {
		activity := f.Domains.Functions.Activity(def.Name)
		fn := console.Function{
			Name: def.Name, ARN: function.ARN(f.Identity, def.Name, ""), Runtime: def.Runtime, Handler: def.Handler,
			Description: def.Description, State: "Active", MemoryMB: def.MemoryMB, TimeoutSeconds: def.TimeoutSeconds,
			CodeBytes: def.CodeSize, Modified: def.LastModified,
			Invocations: activity.Invocations, Errors: activity.Errors, Throttles: activity.Throttles,
			P50: activity.P50, P99: activity.P99, Concurrency: activity.InFlight,
		}
		if fail := activity.LastFailure; fail != nil {
			fn.LastError = &console.FunctionFail{Time: fail.Time, RequestID: fail.RequestID, Message: fail.Message}
		}
		out = append(out, fn)
	}
	return out, nil
}

type stacks struct{ Domains }

func (s stacks) Stacks(context.Context) ([]console.Stack, error) {
	var out []console.Stack
	for _, sum := range s.Domains.Stacks.List(false) {
		d, err := s.Domains.Stacks.Describe(sum.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, console.Stack{
			Name: sum.Name, Description: sum.Description, Status: string(sum.Status), Reason: sum.Reason,
			Created: sum.Created, Updated: sum.Updated, Resources: len(d.Resources),
		})
	}
	return out, nil
}
