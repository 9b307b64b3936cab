package metric

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/store"
)

// runScripts runs every file of testdata/dir as a story of its own, in virtual
// time that starts at 2000-01-01T00:00:00Z.
func runScripts(t *testing.T, dir string, story func(t *testing.T, fs vfs.FS) func(d *datadriven.TestData) string) {
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("scripts in %s: %v, %v", dir, files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			runScript(t, file, story)
		})
	}
}

// runScript keeps the reader of the script out of the bubble of virtual time: it
// watches commands that take long, which virtual hours would trip.
func runScript(t *testing.T, file string, story func(t *testing.T, fs vfs.FS) func(d *datadriven.TestData) string) {
	commands, answers := make(chan *datadriven.TestData), make(chan string)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(commands)
		datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
			commands <- d
			return <-answers
		})
	})
	synctest.Test(t, func(t *testing.T) {
		run := story(t, vfs.NewMem())
		for d := range commands {
			answers <- run(d)
		}
	})
	reader.Wait()
}

func openStore(t testing.TB, fs vfs.FS) *store.DB {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// arg returns the argument of a command with a key, "" when it is not there.
func arg(d *datadriven.TestData, key string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			return strings.Join(a.Vals, ",")
		}
	}
	return ""
}

func argNumbers(d *datadriven.TestData, key string) []float64 {
	var all []float64
	for _, text := range argList(d, key) {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			d.Fatalf(nil, "%s: %v", key, err)
		}
		all = append(all, v)
	}
	return all
}

func argList(d *datadriven.TestData, key string) []string {
	text := arg(d, key)
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// argTime reads a time of day of the first of January 2000, a time that is so
// much before (-1h) or after (+1h) now, or gives fallback.
func argTime(d *datadriven.TestData, key string, fallback time.Time) time.Time {
	text := arg(d, key)
	switch {
	case text == "":
		return fallback
	case text[0] == '-' || text[0] == '+':
		return time.Now().Add(argDuration(text))
	}
	t, err := time.Parse("15:04:05", text)
	if err != nil {
		panic(err)
	}
	return t.AddDate(2000, 0, 0)
}

// argDuration knows days (15d) besides what Go does.
func argDuration(text string) time.Duration {
	days := 0.0
	if i := strings.Index(text, "d"); i >= 0 {
		var err error
		if days, err = strconv.ParseFloat(text[:i], 64); err != nil {
			panic(err)
		}
		text = text[i+1:]
	}
	var rest time.Duration
	if text != "" {
		var err error
		if rest, err = time.ParseDuration(text); err != nil {
			panic(err)
		}
	}
	if days < 0 {
		rest = -rest
	}
	return time.Duration(days*24*float64(time.Hour)) + rest
}

func argMetric(d *datadriven.TestData) ID {
	id := ID{Namespace: "App", Name: "Requests"}
	if ns := arg(d, "ns"); ns != "" {
		id.Namespace = ns
	}
	if name := arg(d, "name"); name != "" {
		id.Name = name
	}
	for _, pair := range argList(d, "dims") {
		name, value, _ := strings.Cut(pair, ":")
		id.Dimensions = append(id.Dimensions, Dimension{name, value})
	}
	return id
}

func argInt(d *datadriven.TestData, key string, fallback int64) int64 {
	if text := arg(d, key); text != "" {
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			panic(err)
		}
		return v
	}
	return fallback
}

func showError(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return fmt.Sprintf("%s: %s\n", e.Code, e.Message)
	}
	return fmt.Sprintf("failed: %v\n", err)
}

func showTime(t time.Time) string {
	t = t.UTC()
	if t.Format("2006-01-02") == "2000-01-01" {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02T15:04:05")
}

func scriptDatum(d *datadriven.TestData) Datum {
	id := argMetric(d)
	datum := Datum{
		Name: id.Name, Dimensions: id.Dimensions, Unit: arg(d, "unit"),
		Time: argTime(d, "at", time.Time{}), Resolution: int(argInt(d, "res", 0)),
		Values: argNumbers(d, "values"), Counts: argNumbers(d, "counts"),
	}
	if v := argNumbers(d, "value"); v != nil {
		datum.Value = &v[0]
	}
	if s := argNumbers(d, "set"); s != nil {
		datum.Statistics = &StatisticSet{Count: s[0], Sum: s[1], Min: s[2], Max: s[3]}
	}
	return datum
}

// dataStory runs the commands put, statistics, data, list, observe, sleep,
// maintain, restart and away against one Metrics.
type dataStory struct {
	t       *testing.T
	fs      vfs.FS
	db      *store.DB
	meter   *meter.Meter
	metrics *Metrics
	tokens  map[string]string
}

func newDataStory(t *testing.T, fs vfs.FS, measured *meter.Meter) *dataStory {
	s := &dataStory{t: t, fs: fs, meter: measured, tokens: map[string]string{}}
	s.open()
	t.Cleanup(s.close)
	return s
}

func (s *dataStory) open() {
	s.db = openStore(s.t, s.fs)
	var err error
	if s.metrics, err = Open(Config{DB: s.db, Meter: s.meter}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *dataStory) close() {
	if err := errors.Join(s.metrics.Close(), s.db.Close()); err != nil {
		s.t.Error(err)
	}
}

func (s *dataStory) run(d *datadriven.TestData) string {
	switch d.Cmd {
	case "put":
		if err := s.metrics.Put(s.t.Context(), argMetric(d).Namespace, []Datum{scriptDatum(d)}); err != nil {
			return showError(err)
		}
		return ""
	case "statistics":
		return s.statistics(d)
	case "data":
		return s.data(d)
	case "list":
		return s.list(d)
	case "observe":
		id := argMetric(d)
		series := s.meter.Series(id.Namespace, id.Name, arg(d, "unit"))
		for _, v := range argNumbers(d, "values") {
			series.Observe(v)
		}
		return ""
	case "sleep":
		time.Sleep(argDuration(d.CmdArgs[0].Key))
		return ""
	case "maintain":
		if err := s.metrics.Maintain(s.t.Context()); err != nil {
			return showError(err)
		}
		return ""
	case "restart":
		s.close()
		s.open()
		return ""
	case "away": // not running for so long; the store's own timers make long sleeps slow
		s.close()
		time.Sleep(argDuration(d.CmdArgs[0].Key))
		s.open()
		time.Sleep(maintainFirst + time.Second)
		return ""
	default:
		return "unknown command " + d.Cmd
	}
}

func (s *dataStory) statistics(d *datadriven.TestData) string {
	q := StatisticsQuery{
		ID: argMetric(d), Unit: arg(d, "unit"),
		Start: argTime(d, "start", time.Now().Add(-time.Hour)), End: argTime(d, "end", time.Now().Add(time.Minute)),
		Period: argInt(d, "period", 60), Statistics: argList(d, "stat"), Extended: argList(d, "extended"),
	}
	points, err := s.metrics.Statistics(s.t.Context(), q)
	if err != nil {
		return showError(err)
	}
	var b strings.Builder
	for _, p := range points {
		fmt.Fprintf(&b, "%s %s", showTime(p.Time), p.Unit)
		for _, name := range slices.Concat(q.Statistics, q.Extended) {
			if v, ok := p.Values[name]; ok {
				fmt.Fprintf(&b, " %s=%.6g", name, v)
			} else {
				fmt.Fprintf(&b, " %s=-", name)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// data takes one query a line: id stat period name [label].
func (s *dataStory) data(d *datadriven.TestData) string {
	req := DataRequest{
		Start: argTime(d, "start", time.Now().Add(-time.Hour)), End: argTime(d, "end", time.Now().Add(time.Minute)),
		Ascending: d.HasArg("ascending"), MaxDatapoints: int(argInt(d, "max", 0)), Token: s.tokens[arg(d, "token")],
	}
	for line := range strings.Lines(d.Input) {
		f := strings.Fields(line)
		period, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil {
			d.Fatalf(s.t, "period: %v", err)
		}
		q := DataQuery{ID: f[0], Stat: f[1], Period: period, Metric: ID{Namespace: "App", Name: f[3]}, Label: strings.Join(f[4:], " ")}
		if f[1] == "math" {
			q.Expression = f[3]
		}
		req.Queries = append(req.Queries, q)
	}
	results, token, err := s.metrics.Data(s.t.Context(), req)
	if err != nil {
		return showError(err)
	}
	var b strings.Builder
	for _, r := range results {
		fmt.Fprintf(&b, "%s %q partial=%v", r.ID, r.Label, r.Partial)
		for i := range r.Times {
			fmt.Fprintf(&b, " %s=%.6g", showTime(r.Times[i]), r.Values[i])
		}
		for _, m := range r.Messages {
			fmt.Fprintf(&b, " %s: %s", m.Code, m.Value)
		}
		b.WriteByte('\n')
	}
	if token != "" {
		name := fmt.Sprintf("t%d", len(s.tokens)+1)
		s.tokens[name] = token
		fmt.Fprintf(&b, "token %s\n", name)
	}
	return b.String()
}

func (s *dataStory) list(d *datadriven.TestData) string {
	f := ListFilter{Namespace: arg(d, "ns"), Name: arg(d, "name"), RecentlyActive: d.HasArg("recent")}
	for _, dim := range argList(d, "dims") {
		name, value, ok := strings.Cut(dim, ":")
		filter := DimensionFilter{Name: name}
		if ok {
			filter.Value = &value
		}
		f.Dimensions = append(f.Dimensions, filter)
	}
	metrics, token, err := s.metrics.List(s.t.Context(), f)
	if err != nil {
		return showError(err)
	}
	var b strings.Builder
	for _, id := range metrics {
		fmt.Fprintf(&b, "%s %s %v\n", id.Namespace, id.Name, id.Dimensions)
	}
	if token != "" {
		b.WriteString("more\n")
	}
	return b.String()
}

func TestData(t *testing.T) {
	t.Parallel()
	runScripts(t, "data", func(t *testing.T, fs vfs.FS) func(*datadriven.TestData) string {
		return newDataStory(t, fs, nil).run
	})
}

func TestDrain(t *testing.T) {
	t.Parallel()
	runScripts(t, "drain", func(t *testing.T, fs vfs.FS) func(*datadriven.TestData) string {
		return newDataStory(t, fs, meter.New()).run
	})
}
