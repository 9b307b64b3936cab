package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirstream/weir/internal/console"
)

type statusOptions struct {
	of    string // function name, UUID or source name; empty for everything
	watch bool
	every time.Duration
}

func statusCommand(a *app) *cobra.Command {
	var o statusOptions
	c := &cobra.Command{
		Use:   "status [FUNCTION|UUID]",
		Short: "Show how streams, functions and event source mappings stand",
		Long: `Status shows the streams, queues, tables and functions of a server with their totals since it
started, and how each event source mapping stands in each shard that it reads: how
far it is behind, what it does and so why records wait, its last batch, retries, the
open tumbling window, and what went wrong last. With the name of a function or the
UUID of a mapping it shows only the mappings of that.`,
		Example: `  weir status
  weir status count-events --watch
  weir status --json | jq '.mappings[] | {function, iteratorAgeMs}'`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return exactArgs("FUNCTION or UUID")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.of = args[0]
			}
			if o.every < 100*time.Millisecond {
				return usageError{fmt.Errorf("--every must be at least 100ms")}
			}
			err := a.status(c.Context(), o)
			if o.watch && c.Context().Err() != nil {
				return nil // interrupting is how watching ends
			}
			return a.explain(err)
		},
	}
	c.Flags().BoolVarP(&o.watch, "watch", "w", false, "show it again and again, until interrupted")
	c.Flags().DurationVar(&o.every, "every", time.Second, "time between two looks of --watch")
	return c
}

// mappingStatus is a mapping with its shards.
type mappingStatus struct {
	console.Mapping
	ShardStatus []console.MappingShard `json:"shards"`
}

// serverStatus is what status shows.
type serverStatus struct {
	console.Status
	Mappings []mappingStatus `json:"mappings"`
}

func (a *app) status(ctx context.Context, o statusOptions) error {
	for {
		st, err := a.readStatus(ctx, o.of)
		if err != nil {
			return err
		}
		var page strings.Builder
		switch {
		case a.json:
			err = a.printJSON(st)
		case o.watch && isTerminal(a.out):
			// Back to the corner and over what is there: no flicker.
			writeStatus(&page, st, o.of)
			_, err = io.WriteString(a.out, "\x1b[H"+strings.ReplaceAll(page.String(), "\n", "\x1b[K\n")+"\x1b[J")
		default:
			writeStatus(&page, st, o.of)
			_, err = io.WriteString(a.out, page.String())
		}
		if err != nil || !o.watch {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(o.every):
		}
	}
}

func isTerminal(w io.Writer) bool { return terminalWidth(w) > 0 }

// readStatus asks the server, for the shards of the mappings that are wanted only.
func (a *app) readStatus(ctx context.Context, of string) (serverStatus, error) {
	st := serverStatus{Mappings: []mappingStatus{}}
	if err := a.getJSON(ctx, console.Prefix+"api/status", &st.Status); err != nil {
		return st, err
	}
	for _, m := range st.Status.Mappings {
		if of != "" && of != m.UUID && of != m.Function && of != m.FunctionARN {
			continue
		}
		one := mappingStatus{Mapping: m}
		if err := a.getJSON(ctx, console.Prefix+"api/mappings/"+url.PathEscape(m.UUID)+"/shards", &one.ShardStatus); err != nil {
			return st, err
		}
		st.Mappings = append(st.Mappings, one)
	}
	if of != "" && len(st.Mappings) == 0 {
		return st, fmt.Errorf("there is no event source mapping of a function or with a UUID %q", of)
	}
	slices.SortStableFunc(st.Mappings, func(x, y mappingStatus) int {
		return cmp.Or(cmp.Compare(x.Function, y.Function), cmp.Compare(x.SourceName, y.SourceName))
	})
	return st, nil
}

func writeStatus(w io.Writer, st serverStatus, of string) {
	if of == "" {
		writeTotals(w, st)
	}
	for i, m := range st.Mappings {
		if i > 0 || of == "" {
			fmt.Fprintln(w)
		}
		writeMapping(w, m, of != "")
	}
}

// maxShown is how many shards of a mapping are shown beside others.
const maxShown = 20

// shown returns the shards to show: of many, unless all are wanted, those that
// need attention most.
func shown(shards []console.MappingShard, all bool) []console.MappingShard {
	if all || len(shards) <= maxShown {
		return shards
	}
	urgent := slices.Clone(shards)
	slices.SortStableFunc(urgent, func(x, y console.MappingShard) int {
		return cmp.Or(cmp.Compare(min(len(y.Problem), 1), min(len(x.Problem), 1)), cmp.Compare(y.BehindMS, x.BehindMS))
	})
	return urgent[:maxShown]
}

// table is a writer of aligned columns; what is written to it appears when done
// is called.
func table(w io.Writer) (out *tabwriter.Writer, done func()) {
	out = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	return out, func() { _ = out.Flush() } // w does not fail
}

func writeTotals(w io.Writer, st serverStatus) {
	s := st.Server
	fmt.Fprintf(w, "Weir %s at %s, up %s, %s on disk\n", s.Version, s.Address, time.Since(s.Started).Round(time.Second), bytesText(float64(s.DataBytes)))
	t, done := table(w)
	defer done()
	if len(st.Streams) > 0 {
		fmt.Fprintln(t, "\nSTREAM\tSHARDS\tRECORDS\tBYTES\tKEPT")
	}
	for _, s := range st.Streams {
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%s\t%d h\n", s.Name, s.Shards, s.Records, bytesText(s.Bytes), s.RetentionHours)
	}
	if len(st.Queues) > 0 {
		fmt.Fprintln(t, "\nQUEUE\tMESSAGES\tIN FLIGHT\tDELAYED")
	}
	for _, q := range st.Queues {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\n", q.Name, q.Visible, q.InFlight, q.Delayed)
	}
	if len(st.Tables) > 0 {
		fmt.Fprintln(t, "\nTABLE\tITEMS\tREADS\tWRITES\tCHANGES")
	}
	for _, tb := range st.Tables {
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.0f\t%s\n", tb.Name, tb.Items, tb.Reads, tb.Writes, cmp.Or(tb.StreamView, "-"))
	}
	if len(st.Functions) > 0 {
		fmt.Fprintln(t, "\nFUNCTION\tINVOCATIONS\tERRORS\tTHROTTLES\tRUNNING\tP50\tP99")
	}
	for _, f := range st.Functions {
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.0f\t%d\t%s\t%s\n", f.Name, f.Invocations, f.Errors, f.Throttles, f.Concurrency, millisText(f.P50), millisText(f.P99))
	}
}

func writeMapping(w io.Writer, m mappingStatus, all bool) {
	shards := shown(m.ShardStatus, all)
	fmt.Fprintf(w, "%s %s -> %s  %s  %s\n", m.SourceKind, m.SourceName, m.Function, m.UUID, m.State)
	fmt.Fprintf(w, "  %s\n", parameters(m.Mapping))
	t, done := table(w)
	fmt.Fprintln(t, "  SHARD\tDOES\tBEHIND\tBATCH\tTOOK\tINVOCATIONS\tRETRIES\tGIVEN UP\tWINDOW")
	for _, s := range shards {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%d\t%s\t%d\t%d\t%d\t%s\n", shardName(m.Mapping, s), s.Activity, millisText(s.BehindMS), s.LastBatch,
			millisText(s.LastMS), s.Invocations, s.Retries, s.Discarded+s.Lost, windowText(s.Window))
	}
	done()
	if more := len(m.ShardStatus) - len(shards); more > 0 {
		fmt.Fprintf(w, "  and %d more, see 'weir status %s'\n", more, m.UUID)
	}
	for _, s := range shards {
		if s.Problem != "" {
			fmt.Fprintf(w, "  ! %s, %d failed: %s\n", shardName(m.Mapping, s), s.Attempts, oneLine(s.Problem))
		}
	}
}

func shardName(m console.Mapping, s console.MappingShard) string {
	if m.Factor > 1 {
		return fmt.Sprintf("%s lane %d", s.Shard, s.Lane)
	}
	return s.Shard
}

// parameters tells of a mapping what is not as it is by default.
func parameters(m console.Mapping) string {
	all := []string{fmt.Sprintf("batch %d", m.BatchSize)}
	add := func(is bool, format string, v ...any) {
		if is {
			all = append(all, fmt.Sprintf(format, v...))
		}
	}
	add(m.WindowSeconds > 0, "waits %d s", m.WindowSeconds)
	add(m.TumblingWindow > 0, "windows of %d s", m.TumblingWindow)
	add(m.Factor > 1, "factor %d", m.Factor)
	add(m.RetryLimit >= 0, "%s", plural(m.RetryLimit, "retry", "retries"))
	add(m.RecordAge > 0, "records up to %d s old", m.RecordAge)
	add(m.Bisect, "bisects")
	add(m.ReportFailures, "reports failures")
	add(len(m.Filters) > 0, "%s", plural(len(m.Filters), "filter", "filters"))
	add(m.OnFailure != "", "failures to %s", m.OnFailure)
	return strings.Join(append(all, m.LastResult), ", ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func windowText(win *console.MappingWindow) string {
	if win == nil {
		return "-"
	}
	return fmt.Sprintf("%s-%s, %s", win.Start.UTC().Format(time.TimeOnly), win.End.UTC().Format(time.TimeOnly), bytesText(float64(win.StateBytes)))
}

func millisText(ms float64) string {
	switch d := time.Duration(ms * float64(time.Millisecond)); {
	case d == 0:
		return "-"
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

func bytesText(n float64) string {
	unit := 0
	for n >= 1024 && unit < 4 {
		n /= 1024
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%.0f B", n)
	}
	return fmt.Sprintf("%.1f %s", n, [...]string{"", "KiB", "MiB", "GiB", "TiB"}[unit])
}

// oneLine makes a text fit into a line of a terminal.
func oneLine(s string) string {
	const most = 160
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return s
}
