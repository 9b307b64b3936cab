package console

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite web/src/data.ts")

// TestTypeScript holds the types that the web app is compiled with equal to what
// this package sends.
func TestTypeScript(t *testing.T) {
	t.Parallel()
	const file = "../../web/src/data.ts"
	got := typeScript(
		ServerInfo{}, StreamView{}, FunctionView{}, TableView{}, MappingView{}, MappingShard{}, Alarm{}, AlarmEvent{},
		Topic{}, Stack{}, StackDetail{}, Dashboard{}, DashboardDetail{}, MailSummary{}, MailPage{}, MailDetail{},
		ItemPage{}, LogEvent{}, LogUpdate{}, MetricQueries{}, MetricResult{}, Update{},
	)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s does not match the Go types; run go test ./internal/console -run TypeScript -update", file)
	}
}

func typeScript(roots ...any) string {
	g := generator{done: map[string]bool{}}
	g.out.WriteString("// Code generated from the types of internal/console; DO NOT EDIT.\n")
	for _, root := range roots {
		g.declare(reflect.TypeOf(root))
	}
	return g.out.String()
}

type generator struct {
	out  strings.Builder
	done map[string]bool
}

func (g *generator) declare(t reflect.Type) {
	if g.done[t.Name()] {
		return
	}
	g.done[t.Name()] = true
	var used []reflect.Type
	fields := g.fields(t, &used)
	fmt.Fprintf(&g.out, "\nexport interface %s {\n%s}\n", t.Name(), fields)
	for _, u := range used {
		g.declare(u)
	}
}

func (g *generator) fields(t reflect.Type, used *[]reflect.Type) string {
	var b strings.Builder
	for f := range t.Fields() {
		if f.Anonymous {
			b.WriteString(g.fields(f.Type, used))
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		optional := ""
		if options != "" {
			optional = "?"
		}
		fmt.Fprintf(&b, "  %s%s: %s;\n", name, optional, g.name(f.Type, used))
	}
	return b.String()
}

func (g *generator) name(t reflect.Type, used *[]reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Time]():
		return "string"
	case reflect.TypeFor[json.RawMessage]():
		return "unknown"
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Pointer:
		return g.name(t.Elem(), used)
	case reflect.Slice:
		return g.name(t.Elem(), used) + "[]"
	case reflect.Array:
		return "[" + strings.TrimSuffix(strings.Repeat(g.name(t.Elem(), used)+", ", t.Len()), ", ") + "]"
	case reflect.Map:
		return "Record<string, " + g.name(t.Elem(), used) + ">"
	case reflect.Struct:
		*used = append(*used, t)
		return t.Name()
	default:
		return "number"
	}
}
