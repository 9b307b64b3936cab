package template

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/weirstream/weir/internal/catalog"
)

// named answers for resources with their names, as if all existed.
type named struct{}

func (named) Ref(id string, line int) (*Node, error) { return String(line, "<"+id+">"), nil }

func (named) Attribute(id, name string, line int) (*Node, error) {
	if name == "Later" {
		return Unknown(line, "{{"+id+"."+name+"}}"), nil
	}
	return String(line, "<"+id+"."+name+">"), nil
}

func (named) Import(name string, line int) (*Node, error) {
	return String(line, "<import "+name+">"), nil
}

// show evaluates a template and renders its resources in order, or its problems.
func show(text string, parameters map[string]string) string {
	setting := Setting{Identity: catalog.DefaultIdentity, StackName: "s", StackID: "arn:s"}
	t, err := ParseFor([]byte(text), parameters, setting)
	if err != nil {
		return err.Error()
	}
	b, err := t.Bind(parameters, setting)
	if err != nil {
		return err.Error()
	}
	var out strings.Builder
	for _, r := range b.Resources {
		properties, err := b.Eval(r.LogicalID, r.Properties, named{})
		if err != nil {
			fmt.Fprintf(&out, "%v\n", err)
			continue
		}
		fmt.Fprintf(&out, "%s %s", r.LogicalID, render(properties))
		if on := b.DependsOn[r.LogicalID]; len(on) > 0 {
			fmt.Fprintf(&out, " after %s", strings.Join(on, ", "))
		}
		out.WriteString("\n")
	}
	for _, o := range b.Outputs {
		value, err := b.Eval(o.Name, o.Value, named{})
		if err != nil {
			fmt.Fprintf(&out, "%v\n", err)
			continue
		}
		fmt.Fprintf(&out, "output %s = %s", o.Name, render(value))
		if name := b.ExportNames[o.Name]; name != "" {
			fmt.Fprintf(&out, " as %s", name)
		}
		out.WriteString("\n")
	}
	return out.String()
}

func render(n *Node) string {
	if n == nil {
		return "nothing"
	}
	text, err := n.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	if n.HasUnknown() {
		return "unknown " + string(text)
	}
	return string(text)
}

// TestScripts runs testdata: "template K=V..." evaluates a whole template; "value
// K=V..." evaluates the value of a resource's property V, in a template with the
// parameters Name, Count and Names, the mapping Sizes, the conditions IsJoe and NotJoe,
// and the resource Other.
func TestScripts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			parameters := map[string]string{}
			for _, arg := range d.CmdArgs {
				parameters[arg.Key] = strings.Join(arg.Vals, ",")
			}
			text := d.Input
			switch d.Cmd {
			case "template":
			case "value":
				text = scaffold(d.Input)
			default:
				t.Fatalf("unknown command %s", d.Cmd)
			}
			return strings.TrimRight(show(text, parameters), "\n") + "\n"
		})
	})
}

func scaffold(value string) string {
	var b strings.Builder
	b.WriteString("Resources:\n  R:\n    Type: T\n    Properties:\n")
	for i, line := range strings.Split(value, "\n") {
		if i == 0 {
			b.WriteString("      V: ")
		} else {
			b.WriteString("        ")
		}
		b.WriteString(line + "\n")
	}
	b.WriteString(`  Other: {Type: T}
Parameters:
  Name: {Type: String, Default: joe}
  Count: {Type: Number, Default: 3}
  Names: {Type: CommaDelimitedList, Default: "a, b ,c"}
Mappings:
  Sizes:
    small: {memory: 128, zones: [x, y]}
    joe: {memory: 256}
Conditions:
  IsJoe: !Equals [!Ref Name, joe]
  NotJoe: !Not [!Condition IsJoe]
`)
	return b.String()
}

func TestExactBytesLimit(t *testing.T) {
	t.Parallel()
	head := "Resources: {A: {Type: T}}\n#"
	if _, err := Parse([]byte(head + strings.Repeat("x", MaxBytes-len(head)))); err != nil {
		t.Errorf("a template of %d bytes: %v", MaxBytes, err)
	}
	if _, err := Parse([]byte(head + strings.Repeat("x", MaxBytes+1-len(head)))); err == nil {
		t.Errorf("a template of %d bytes was accepted", MaxBytes+1)
	}
}

func TestGrowthIsBounded(t *testing.T) {
	t.Parallel()
	text := "Parameters: {P: {Type: String}}\nResources: {A: {Type: T, Properties: {V: !Sub '" +
		strings.Repeat("${P}", 10_000) + "'}}}\n"
	got := show(text, map[string]string{"P": strings.Repeat("x", 4096)})
	if want := "line 2: A: Template error: functions and loops add more than 1048576 bytes"; !strings.HasPrefix(got, want) {
		t.Errorf("got %.200s, want %s", got, want)
	}
}

// TestNestedGrowthIsBounded is of small templates that ask for huge values, or for one
// value again and again.
func TestNestedGrowthIsBounded(t *testing.T) {
	t.Parallel()
	nested := func(before, value, after string) string {
		const times = 30
		return "A: " + strings.Repeat(before, times) + value + strings.Repeat(after, times)
	}
	commas := strings.Repeat(",", 15_000)
	split := "!Split [',', !FindInMap [M, a, b]]"
	for name, properties := range map[string]string{
		"known JSON":   nested(`{"Fn::ToJsonString": [`, "a", "]}"),
		"unknown JSON": nested(`{"Fn::ToJsonString": [`, "!GetAtt O.Later", "]}"),
		"Sub":          nested(`{"Fn::Sub": ["${A}${A}", {A: `, "a", "}]}"),
		"unknown Sub":  nested(`{"Fn::Sub": ["${A}${A}", {A: `, "!GetAtt O.Later", "}]}"),
		"Base64":       nested(`{"Fn::Base64": {"Fn::Base64": `, "aaaa", "}}"),
		"Join":         "A: !Join ['" + strings.Repeat("x", 50_000) + "', " + split + "]",
		"keys":         "'Fn::ForEach::L': [A, ['" + commas + "'], {'" + strings.Repeat("${A}", 200) + "': a}]",
		"texts":        "'Fn::ForEach::L': [A, ['" + commas + "'], {a: '" + strings.Repeat("${A}", 50_000) + "'}]",
		"loops":        "'Fn::ForEach::L': [A, " + split + ", {'Fn::ForEach::K': [B, " + split + ", {}]}]",
	} {
		text := "Transform: AWS::LanguageExtensions\nMappings: {M: {a: {b: '" + commas + "'}}}\n" +
			"Resources: {O: {Type: T}, R: {Type: T, Properties: {" + properties + "}}}\n"
		got := show(text, nil)
		if !strings.Contains(got, "more than 1048576 bytes") {
			t.Errorf("%s: got %.200s", name, got)
		}
	}
}

func TestNodeSurvivesJSON(t *testing.T) {
	t.Parallel()
	tmpl, err := Parse([]byte("Resources:\n  A:\n    Type: T\n    Properties: {S: '5', N: 5, F: 1.50, B: yes, L: [a, {}], M: {z: 1, a: 2}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	before := tmpl.Resources[0].Properties
	text, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"S":"5","N":5,"F":1.50,"B":true,"L":["a",{}],"M":{"z":1,"a":2}}`; string(text) != want {
		t.Errorf("JSON is %s, want %s", text, want)
	}
	var after Node
	if err := json.Unmarshal(text, &after); err != nil {
		t.Fatal(err)
	}
	if before.Canonical() != after.Canonical() {
		t.Errorf("%s became %s", before.Canonical(), after.Canonical())
	}
}

func FuzzParse(f *testing.F) {
	scripts, err := filepath.Glob("testdata/scripts/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, block := range strings.Split(string(text), "\n\n") {
			_, block, _ = strings.Cut(block, "\n")
			input, _, _ := strings.Cut(block, "\n----")
			f.Add([]byte(input), "Name", "joe")
			f.Add([]byte(scaffold(input)), "Name", "x")
			f.Add([]byte(input), "Names", "b-1,c")
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, name, value string) {
		setting := Setting{Identity: catalog.DefaultIdentity}
		bind := func(parameters map[string]string) (*Bound, error) {
			tmpl, err := ParseFor(text, parameters, setting)
			if tmpl != nil {
				tmpl.Decided(parameters, setting)
			}
			if err != nil {
				return nil, err
			}
			return tmpl.Bind(parameters, setting)
		}
		b, err := bind(map[string]string{name: value})
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a text")
			}
			b, err = bind(nil)
		}
		if err != nil {
			return
		}
		for _, r := range b.Resources {
			n, err := b.Eval(r.LogicalID, r.Properties, named{})
			if err != nil || n == nil {
				continue
			}
			again, err := json.Marshal(n)
			if err != nil {
				t.Fatalf("%s: %v", n.Canonical(), err)
			}
			if !json.Valid(again) {
				t.Fatalf("invalid JSON %s", again)
			}
		}
	})
}

// TestSameProblemsEveryTime is of a template on one line, by which problems are ordered.
func TestSameProblemsEveryTime(t *testing.T) {
	t.Parallel()
	const text = `{"Conditions":{"A":{"Fn::Equals":[{"Ref":"NoA"},"a"]},"B":{"Fn::Equals":[{"Ref":"NoB"},"b"]},"C":{"Fn::Equals":[{"Ref":"NoC"},"c"]}},"Resources":{"R":{"Type":"A::B::C"}}}`
	first := show(text, nil)
	for range 30 {
		if again := show(text, nil); again != first {
			t.Fatalf("first %s\nthen %s", first, again)
		}
	}
}
