package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"
)

// versionScript runs a command of a script that deals with versions or aliases.
func (w *world) versionScript(d *datadriven.TestData, ref string) (string, error) {
	ctx, t := w.Context(), w.TB.(*testing.T)
	alias := ""
	if len(d.CmdArgs) > 1 {
		alias = d.CmdArgs[1].Key
	}
	switch d.Cmd {
	case "publish":
		var p Publishing
		if d.HasArg("description") {
			p.Description = new(string)
			d.ScanArgs(t, "description", p.Description)
		}
		d.MaybeScanArgs(t, "sha", &p.CodeSHA256)
		d.MaybeScanArgs(t, "revision", &p.RevisionID)
		def, err := w.Publish(ctx, ref, p)
		return showVersion(def), err
	case "versions":
		all, err := w.Versions(ref)
		var b strings.Builder
		for _, def := range all {
			b.WriteString(showVersion(def))
		}
		return b.String(), err
	case "create-alias":
		a := Alias{Name: alias}
		d.ScanArgs(t, "version", &a.Version)
		a.Weights = weightsOf(t, d)
		a, err := w.CreateAlias(ctx, ref, a)
		return showAlias(a), err
	case "update-alias":
		var u AliasUpdate
		d.MaybeScanArgs(t, "revision", &u.RevisionID)
		if d.HasArg("version") {
			u.Version = new(string)
			d.ScanArgs(t, "version", u.Version)
		}
		if d.HasArg("weight") {
			weights := weightsOf(t, d)
			u.Weights = &weights
		}
		a, err := w.UpdateAlias(ctx, ref, alias, u)
		return showAlias(a), err
	case "get-alias":
		a, err := w.Alias(ref, alias)
		return showAlias(a), err
	case "delete-alias":
		return "ok\n", w.DeleteAlias(ctx, ref, alias)
	case "aliases":
		all, err := w.Aliases(ref)
		var b strings.Builder
		for _, a := range all {
			b.WriteString(showAlias(a))
		}
		return b.String(), err
	case "policy":
		p, err := w.Policy(ref)
		var b strings.Builder
		for _, s := range p.Statements {
			fmt.Fprintf(&b, "%s on %s\n", s.Sid, s.Resource)
		}
		return b.String() + strconv.FormatBool(p.RevisionID != "") + "\n", err
	}
	return "", fmt.Errorf("unknown command %s", d.Cmd)
}

// weightsOf reads the argument weight=VERSION:SHARE, "none" for no weights.
func weightsOf(t *testing.T, d *datadriven.TestData) map[string]float64 {
	var weights map[string]float64
	for _, arg := range d.CmdArgs {
		if arg.Key != "weight" || arg.Vals[0] == "none" {
			continue
		}
		for _, v := range arg.Vals {
			version, share, _ := strings.Cut(v, ":")
			weight, err := strconv.ParseFloat(share, 64)
			if err != nil {
				t.Fatal(err)
			}
			if weights == nil {
				weights = map[string]float64{}
			}
			weights[version] = weight
		}
	}
	return weights
}

func showVersion(d Definition) string {
	return fmt.Sprintf("%s:%s description=%q timeout=%d code=%.8s tags=%v reserved=%d policy=%d\n",
		d.Name, d.VersionName(), d.Description, d.TimeoutSeconds, d.CodeSHA256, d.Tags, d.reserved(), len(d.Policy))
}

func showAlias(a Alias) string {
	return fmt.Sprintf("%s:%s -> %s %v\n", a.Function, a.Name, a.Version, a.Weights)
}

// publish makes a version with a variable of its own, and returns its number.
func (w *world) publish(name, value string) string {
	w.Helper()
	env := map[string]string{"VALUE": value}
	if _, err := w.UpdateConfiguration(w.Context(), name, ConfigurationUpdate{Environment: &env}); err != nil {
		w.Fatal(err)
	}
	def, err := w.Publish(w.Context(), name, Publishing{})
	if err != nil {
		w.Fatal(err)
	}
	return def.Version
}

// ran is what an invocation knows of the version that it ran.
type ran struct{ executed, version, value, arn, stream string }

func (w *world) ran(ref string) ran {
	w.Helper()
	r := w.invoke(ref, "env")
	var env []string
	if err := json.Unmarshal(r.Payload, &env); err != nil {
		w.Fatalf("%s: %v", r.Payload, err)
	}
	of := func(name string) string {
		for _, v := range env {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}
	var doc struct {
		Context struct{ InvokedFunctionArn string }
	}
	if err := json.Unmarshal(w.invoke(ref, "context").Payload, &doc); err != nil {
		w.Fatal(err)
	}
	stream := of("AWS_LAMBDA_LOG_STREAM_NAME")
	return ran{r.ExecutedVersion, of("AWS_LAMBDA_FUNCTION_VERSION"), of("VALUE"),
		strings.TrimPrefix(doc.Context.InvokedFunctionArn, "arn:aws:lambda:us-east-1:000000000000:function:"),
		stream[strings.Index(stream, "["):strings.Index(stream, "]")]}
}

func TestVersionsRunSideBySide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	w.publish("f", "one")
	w.publish("f", "two")
	env := map[string]string{"VALUE": "three"}
	if _, err := w.UpdateConfiguration(t.Context(), "f", ConfigurationUpdate{Environment: &env}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateAlias(t.Context(), "f", Alias{Name: "live", Version: "1"}); err != nil {
		t.Fatal(err)
	}
	check := func(ref string, want ran) {
		t.Helper()
		if got := w.ran(ref); got != want {
			t.Errorf("%s: got %v, want %v", ref, got, want)
		}
	}
	check("f", ran{"$LATEST", "$LATEST", "three", "f", "[$LATEST"})
	check("f:$LATEST", ran{"$LATEST", "$LATEST", "three", "f:$LATEST", "[$LATEST"})
	check("f:1", ran{"1", "1", "one", "f:1", "[1"})
	check("arn:aws:lambda:us-east-1:000000000000:function:f:2", ran{"2", "2", "two", "f:2", "[2"})
	check("f:live", ran{"1", "1", "one", "f:live", "[1"})
	two := "2"
	if _, err := w.UpdateAlias(t.Context(), "f", "live", AliasUpdate{Version: &two}); err != nil {
		t.Fatal(err)
	}
	check("f:live", ran{"2", "2", "two", "f:live", "[2"})

	for ref, want := range map[string]string{
		"f:3":      "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:3",
		"f:absent": "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:absent",
	} {
		if _, err := w.Invoke(t.Context(), Invocation{Function: ref}); !errors.Is(err, ErrNotFound) || err.Error() != want {
			t.Errorf("%s: got %v", ref, err)
		}
	}
	if log := strings.Join(w.messages("/aws/lambda/f"), ""); !strings.Contains(log, " Version: 1\n") || !strings.Contains(log, " Version: $LATEST\n") {
		t.Errorf("the log tells no versions:\n%s", log)
	}
}

func TestPublishingKeepsWhatRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	before := pidOf(t, w.invoke("f", "pid"))
	if _, err := w.Publish(t.Context(), "f", Publishing{}); err != nil {
		t.Fatal(err)
	}
	if after := pidOf(t, w.invoke("f", "pid")); after != before {
		t.Error("publishing ended a warm environment")
	}
	one := w.ran("f:1")
	if err := w.Delete(t.Context(), "f:1"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Invoke(t.Context(), Invocation{Function: "f:1"}); one.version != "1" || !errors.Is(err, ErrNotFound) {
		t.Errorf("%v, then %v", one, err)
	}
}

func TestVersionsOutliveTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	w.publish("f", "one")
	if _, err := w.CreateAlias(t.Context(), "f", Alias{Name: "live", Version: "1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.UpdateCode(t.Context(), "f", CodeUpdate{Package: zipOf(t, file{"bootstrap", 0o755, "#!/bin/sh\nexit 5\n"})}); err != nil {
		t.Fatal(err)
	}
	w.reopen() // drops what nothing refers to
	if got := w.ran("f:live"); got.value != "one" || got.executed != "1" {
		t.Errorf("got %v", got)
	}
}

// Half of the invocations of an alias go to each version, and both count as
// running of the one function.
func TestAliasSplitsInvocations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("f")
	w.publish("f", "one")
	w.publish("f", "two")
	if _, err := w.CreateAlias(t.Context(), "f", Alias{Name: "split", Version: "1", Weights: map[string]float64{"2": 0.5}}); err != nil {
		t.Fatal(err)
	}
	const total = 400
	var mu sync.Mutex
	counts := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range total / 4 {
				r := w.invoke("f:split", "echo")
				mu.Lock()
				counts[r.ExecutedVersion]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	// 400 throws of a coin are outside of this once in 10^14 runs.
	if counts["1"]+counts["2"] != total || min(counts["1"], counts["2"]) < 120 {
		t.Errorf("got %v", counts)
	}
	fl := w.existingFleet("f")
	for name, m := range map[string]*meters{"function": fl.meters, "alias": w.qualifiedMeters(fl, "f", "split")} {
		if n, _, _ := m.invocations.Totals(); n != total || m.inFlight.Load() != 0 {
			t.Errorf("%v invocations of the %s, %d in flight", n, name, m.inFlight.Load())
		}
	}
	if n, _, _ := w.qualifiedMeters(fl, "f", "1").invocations.Totals(); n != 0 {
		t.Errorf("%v invocations by the number of the version", n)
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	a := Alias{Version: "1", Weights: map[string]float64{"2": 0.25}}
	for random, want := range map[float64]string{0: "2", 0.2499: "2", 0.25: "1", 0.9999: "1"} {
		if got := a.pick(random); got != want {
			t.Errorf("%v: got %s, want %s", random, got, want)
		}
	}
}

// The tags of a function say how the effects of its versions count, too.
func TestVersionsHaveTheTagsOfTheirFunction(t *testing.T) {
	f := &fakes{workTime: time.Second}
	inBubble(t, f, func(t *testing.T, w *world) {
		if _, err := w.Publish(t.Context(), "f", Publishing{}); err != nil {
			t.Fatal(err)
		}
		w.invoke("f:1", "echo")
		if err := w.SetTags("f", map[string]string{DeliveryTag: ExactlyOnce}); err != nil {
			t.Fatal(err)
		}
		if def, err := w.Get("f:1"); err != nil || !def.ExactlyOnce() {
			t.Errorf("%+v, %v", def, err)
		}
		synctest.Wait()
		if started, running := f.counts(); started != 2 || running != 1 {
			t.Errorf("%d environments started, %d run", started, running)
		}
		for e := range w.existingFleet("f").pools["1"].live {
			if !e.def.ExactlyOnce() {
				t.Error("an environment does not know the tags")
			}
		}
	})
}
