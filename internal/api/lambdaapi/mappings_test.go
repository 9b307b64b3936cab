package lambdaapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/mapping"
)

var mappingUUID = regexp.MustCompile(`"UUID":"([^"]*)"`)

// heldCalls looks functions up; invocations of them last until somebody lets them
// go.
type heldCalls struct {
	functions    *function.Functions
	begun, leave chan struct{}
}

// Lookup implements mapping.Invoker.
func (c *heldCalls) Lookup(ref string) (mapping.Function, error) {
	def, err := c.functions.Get(ref)
	if err != nil {
		return mapping.Function{}, fmt.Errorf("%w: %w", mapping.ErrFunctionNotFound, err)
	}
	_, qualifier, err := function.NameOf(ref)
	return mapping.Function{Name: def.Name, ARN: function.ARN(catalog.DefaultIdentity, def.Name, qualifier), Role: def.Role}, err
}

// Invoke implements mapping.Invoker.
func (c *heldCalls) Invoke(ctx context.Context, _ string, _ []byte, _ func()) (mapping.Outcome, error) {
	c.begun <- struct{}{}
	select {
	case <-c.leave:
		return mapping.Outcome{Payload: []byte("null")}, nil
	case <-ctx.Done():
		return mapping.Outcome{}, ctx.Err()
	}
}

// settle lets the invocation that waits, if one does, end and returns when the
// change of the last mapping has taken effect.
func (f *fixture) settle() string {
	select {
	case <-f.calls.begun:
		f.calls.leave <- struct{}{}
	default:
	}
	if err := f.mappings.Settle(f.Context(), f.uuid); err != nil {
		return err.Error()
	}
	return "settled\n"
}

// fakeSources are the streams s and busy and the changes of the table t. They have
// one shard; that of busy has one record.
type fakeSources struct{}

// Open implements mapping.Sources.
func (fakeSources) Open(arn string) (mapping.Source, error) {
	switch {
	case strings.HasSuffix(arn, "stream/s"), strings.HasSuffix(arn, "stream/busy"), strings.Contains(arn, "table/t/"):
		return fakeSource{busy: strings.HasSuffix(arn, "busy")}, nil
	}
	return nil, mapping.ErrSourceGone
}

type fakeSource struct{ busy bool }

func (s fakeSource) Shards() ([]mapping.Shard, error) {
	return []mapping.Shard{{Key: "shard", ID: "shard"}}, nil
}

func (s fakeSource) Open(string) (mapping.ShardSource, error) { return fakeShard(s), nil }

type fakeShard struct{ busy bool }

func (s fakeShard) Start(mapping.StartingPosition) (uint64, error) { return 1, nil }

func (s fakeShard) Read(from uint64, _, _ int) ([]mapping.Record, uint64, error) {
	if !s.busy || from > 1 {
		return nil, from, nil
	}
	return []mapping.Record{{Position: 1, Data: []byte("x")}}, 2, nil
}

func (s fakeShard) Wait(ctx context.Context, from uint64) error {
	if s.busy && from == 1 {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s fakeShard) Done(uint64) bool                     { return false }
func (s fakeShard) Expired(mapping.Record) bool          { return false }
func (s fakeShard) SequenceNumber(mapping.Record) string { return "1" }

func (s fakeShard) AppendEvent(dst []byte, _ string, _ mapping.Record) ([]byte, error) {
	return append(dst, "{}"...), nil
}

// TestMappingPages: a list comes in pages that hold each mapping once.
func TestMappingPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range 5 {
		name := fmt.Sprintf("f%d", i)
		if _, err := f.functions.Create(t.Context(), function.Definition{Name: name, Runtime: "provided.al2023"}, packageOf(t, "x")); err != nil {
			t.Fatal(err)
		}
		if _, err := f.mappings.Create(t.Context(), mapping.Spec{
			SourceARN: "arn:aws:kinesis:us-east-1:000000000000:stream/s", Function: name, Starting: &mapping.StartingPosition{Type: mapping.Latest},
		}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	marker := ""
	for page := range 3 {
		w := f.do(httptest.NewRequest(http.MethodGet, "/2015-03-31/event-source-mappings?MaxItems=2&Marker="+marker, nil), "")
		var list struct {
			NextMarker          string
			EventSourceMappings []struct{ UUID string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || w.Code != 200 {
			t.Fatalf("%d %s %v", w.Code, w.Body, err)
		}
		for _, m := range list.EventSourceMappings {
			seen[m.UUID] = true
		}
		if marker = list.NextMarker; (marker == "") != (page == 2) {
			t.Fatalf("page %d: %s", page, w.Body)
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d mappings of 5", len(seen))
	}
}
