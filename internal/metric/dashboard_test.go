package metric

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

func TestDashboards(t *testing.T) {
	t.Parallel()
	runScripts(t, "dashboards", func(t *testing.T, fs vfs.FS) func(*datadriven.TestData) string {
		s := &dashboardStory{t: t, fs: fs}
		s.open()
		t.Cleanup(s.close)
		return s.run
	})
}

type dashboardStory struct {
	t          *testing.T
	fs         vfs.FS
	db         *store.DB
	dashboards *Dashboards
}

func (s *dashboardStory) open() {
	s.db = openStore(s.t, s.fs)
	var err error
	if s.dashboards, err = OpenDashboards(s.db, catalog.DefaultIdentity); err != nil {
		s.t.Fatal(err)
	}
}

func (s *dashboardStory) close() {
	if err := s.db.Close(); err != nil {
		s.t.Error(err)
	}
}

func (s *dashboardStory) run(d *datadriven.TestData) string {
	var b strings.Builder
	switch d.Cmd {
	case "put":
		warnings, err := s.dashboards.Put(s.t.Context(), strings.ReplaceAll(arg(d, "name"), "%", " "), strings.TrimSpace(d.Input), nil)
		if err != nil {
			return showError(err)
		}
		for _, w := range warnings {
			fmt.Fprintf(&b, "warning %s: %s\n", w.Path, w.Message)
		}
	case "get":
		dash, err := s.dashboards.Get(arg(d, "name"))
		if err != nil {
			return showError(err)
		}
		fmt.Fprintf(&b, "%s %s %s\n", s.dashboards.ARN(dash.Name), showTime(dash.Modified), dash.Body)
	case "list":
		for _, dash := range s.dashboards.List(arg(d, "prefix")) {
			fmt.Fprintf(&b, "%s %d bytes\n", dash.Name, len(dash.Body))
		}
	case "delete":
		if err := s.dashboards.Delete(s.t.Context(), argList(d, "names")); err != nil {
			return showError(err)
		}
	case "restart":
		s.close()
		s.open()
	}
	return b.String()
}

func FuzzCheckDashboard(f *testing.F) {
	f.Add(`{"widgets":[]}`)
	f.Add(`{"widgets":[{"type":"metric","x":0,"y":0,"width":6,"height":6,"properties":{"region":"a","metrics":[["N","M","D","V",{"stat":"p9"}],["..."]]}}]}`)
	f.Add(`{"widgets":[{"type":"text","properties":{"markdown":1}}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		problems, _ := checkDashboard(body)
		for _, p := range problems {
			if p.Message == "" {
				t.Error("a problem without a message")
			}
		}
	})
}
