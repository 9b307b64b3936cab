package server

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/metric/exposition"
)

// standing is mappings by UUID, with a number of shards each; -1 is one that is
// deleted between two looks.
type standing map[string]int

func (s standing) List(string, string) []mapping.View {
	var views []mapping.View
	for uuid := range s {
		views = append(views, mapping.View{Definition: mapping.Definition{UUID: uuid, FunctionName: "f", SourceARN: "arn:source"}})
	}
	return views
}

func (s standing) Status(uuid string) ([]mapping.ShardStatus, error) {
	n := s[uuid]
	if n < 0 {
		return nil, errors.New("gone")
	}
	shards := make([]mapping.ShardStatus, n)
	for i := range shards {
		shards[i] = mapping.ShardStatus{Shard: fmt.Sprint("shard-", i), Activity: mapping.Waiting, Invocations: 2, Records: 10,
			LastBatch: 5, Busy: 3 * time.Second, LastDuration: time.Second, Retries: 1, Lost: 4}
	}
	if n > 0 {
		shards[0].Activity, shards[0].Behind = mapping.Retrying, 90*time.Second
		shards[0].Window = &mapping.WindowStatus{StateBytes: 700}
	}
	return shards, nil
}

func TestFiguresOfMappings(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	figures := mappingFigures{standing{"few": 2, "many": 1000, "none": 0, "gone": -1}}
	exposition.Handler(meter.New(), nil, figures).ServeHTTP(w, httptest.NewRequest("GET", "/_weir/metrics", nil))
	body := w.Body.String()
	for _, line := range []string{
		`weir_mapping_behind_seconds{function="f",mapping="few",source="arn:source"} 90`,
		`weir_mapping_behind_seconds{function="f",mapping="none",source="arn:source"} 0`,
		`weir_mapping_lanes{activity="retrying",function="f",mapping="few",source="arn:source"} 1`,
		`weir_mapping_lanes{activity="waiting",function="f",mapping="many",source="arn:source"} 999`,
		`weir_mapping_invocations_total{function="f",mapping="many",source="arn:source"} 2000`,
		`weir_mapping_invocation_seconds_total{function="f",mapping="few",source="arn:source"} 6`,
		`weir_mapping_lost_records_total{function="f",mapping="few",source="arn:source"} 8`,
		`weir_mapping_shard_behind_seconds{lane="0",mapping="few",shard="shard-0"} 90`,
		`weir_mapping_shard_window_state_bytes{lane="0",mapping="few",shard="shard-0"} 700`,
		`weir_mapping_shard_window_state_bytes{lane="0",mapping="few",shard="shard-1"} 0`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
	// The shards of the mapping with a thousand have no series, and the one that
	// is gone has none at all.
	if n := strings.Count(body, "weir_mapping_shard_"); n != 2*len(shardFigures)+2*len(shardFigures) {
		t.Errorf("%d lines of shards", n) // a sample each, and two lines of help and type for each name
	}
	if strings.Contains(body, `mapping="gone"`) {
		t.Error("a mapping that is gone has series")
	}
}
