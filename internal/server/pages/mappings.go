package pages

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/console"
	"github.com/weirstream/weir/internal/mapping"
)

type mappings struct{ Domains }

func (m mappings) Mappings(context.Context) ([]console.Mapping, error) {
	var out []console.Mapping
	for _, v := range m.Domains.Mappings.List("", "") {
		shards, err := m.Domains.Mappings.Status(v.UUID)
		if err != nil {
			continue // deleted meanwhile
		}
		mp := parametersOf(v)
		mp.Lanes = map[string]int{}
		for _, sh := range shards {
			mp.Lanes[string(sh.Activity)]++
			behind := milliseconds(sh.Behind)
			if sh.Problem != "" && (mp.Problem == "" || behind > mp.IteratorAgeMS) {
				mp.Problem = sh.Problem
			}
			mp.IteratorAgeMS = max(mp.IteratorAgeMS, behind)
		}
		out = append(out, mp)
	}
	return out, nil
}

func parametersOf(v mapping.View) console.Mapping {
	kind, name := sourceOf(v.SourceARN)
	mp := console.Mapping{
		UUID: v.UUID, Source: v.SourceARN, SourceKind: kind, SourceName: name, Function: v.FunctionName, FunctionARN: v.FunctionARN,
		State: string(v.State), LastResult: v.LastProcessingResult, Modified: time.UnixMilli(v.LastModified), StartingPosition: v.Starting.Type,
		BatchSize: v.BatchSize, WindowSeconds: v.BatchingWindow, TumblingWindow: v.TumblingWindow, Factor: max(v.Factor, 1),
		RecordAge: mapping.Unlimited, RetryLimit: mapping.Unlimited, Bisect: v.Bisect, ReportFailures: v.ReportItemFailures,
		OnFailure: v.OnFailure, Filters: v.Filters, Records: float64(v.Delivered),
	}
	if v.MaximumRecordAge > 0 {
		mp.RecordAge = v.MaximumRecordAge
	}
	if v.RetryLimit != nil {
		mp.RetryLimit = *v.RetryLimit
	}
	return mp
}

func (m mappings) MappingShards(_ context.Context, uuid string) ([]console.MappingShard, error) {
	shards, err := m.Domains.Mappings.Status(uuid)
	if err != nil {
		return nil, fmt.Errorf("%w: mapping %s", console.ErrNotFound, uuid)
	}
	out := make([]console.MappingShard, len(shards))
	for i, sh := range shards {
		out[i] = console.MappingShard{
			Shard: sh.Shard, Lane: sh.Lane, Activity: string(sh.Activity), Problem: sh.Problem, Attempts: sh.Attempts, BehindMS: milliseconds(sh.Behind),
			Invocations: sh.Invocations, Records: sh.Records, LastBatch: sh.LastBatch, LastMS: milliseconds(sh.LastDuration),
			Retries: sh.Retries, Conflicts: sh.Conflicts, Discarded: sh.Discarded, Lost: sh.Lost,
		}
		if sh.Invocations > 0 {
			out[i].AverageMS = milliseconds(sh.Busy) / float64(sh.Invocations)
		}
		if w := sh.Window; w != nil {
			out[i].Window = &console.MappingWindow{Start: w.Start, End: w.End, StateBytes: w.StateBytes}
		}
	}
	return out, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// sourceOf tells what kind of source an ARN means, and the name of the stream,
// table or queue.
func sourceOf(arn string) (kind, name string) {
	a, err := catalog.ParseARN(arn)
	if err != nil {
		return "", arn
	}
	switch a.Service {
	case "sqs":
		return "queue", a.Resource
	case "dynamodb":
		kind = "table"
	default:
		kind = "stream"
	}
	_, rest, _ := strings.Cut(a.Resource, "/")
	name, _, _ = strings.Cut(rest, "/")
	return kind, name
}
