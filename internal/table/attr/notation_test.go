package attr

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"
	"github.com/cockroachdb/datadriven"

	"github.com/weirstream/weir/internal/jsonscan"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	datadriven.RunTest(t, "testdata/numbers", func(t *testing.T, d *datadriven.TestData) string {
		var b strings.Builder
		for line := range strings.Lines(d.Input) {
			line = strings.TrimSpace(line)
			switch d.Cmd {
			case "number":
				v, err := NumberValue(line)
				if err != nil {
					fmt.Fprintf(&b, "%s: %v\n", line, err)
					continue
				}
				fmt.Fprintf(&b, "%s -> %s (%d)\n", line, v.NumberText(), v.Size())
			case "add":
				x, y, _ := strings.Cut(line, " ")
				sum, err := Add(mustNumber(t, x), mustNumber(t, y))
				if err != nil {
					fmt.Fprintf(&b, "%s + %s: %v\n", x, y, err)
					continue
				}
				back, err := Subtract(sum, mustNumber(t, y))
				if err != nil || !back.Equal(mustNumber(t, x)) {
					t.Errorf("%s + %s - %s = %s, %v", x, y, y, back.NumberText(), err)
				}
				fmt.Fprintf(&b, "%s + %s = %s\n", x, y, sum.NumberText())
			}
		}
		return b.String()
	})
}

func mustNumber(t testing.TB, text string) Value {
	t.Helper()
	v, err := NumberValue(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEmptyNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":   "The parameter cannot be converted to a numeric value",
		" 1": "The parameter cannot be converted to a numeric value:  1",
		"1 ": "The parameter cannot be converted to a numeric value: 1 ",
	} {
		if _, err := NumberValue(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNotation(t *testing.T) {
	t.Parallel()
	datadriven.RunTest(t, "testdata/notation", func(t *testing.T, d *datadriven.TestData) string {
		var b strings.Builder
		for line := range strings.Lines(d.Input) {
			it, err := ParseItemJSON([]byte(line))
			b.WriteString(describe(it, err) + "\n")
		}
		return b.String()
	})
}

// describe renders the outcome of a parse, the most basic error first.
func describe(it Item, err error) string {
	var syntax *jsonscan.SyntaxError
	var mistyped *TypeError
	var invalid *InvalidError
	switch {
	case errors.As(err, &syntax):
		return "*jsonscan.SyntaxError"
	case errors.As(err, &mistyped):
		return fmt.Sprintf("%T: %v", mistyped, mistyped)
	case errors.As(err, &invalid):
		return fmt.Sprintf("%T: %v", invalid, invalid)
	}
	return fmt.Sprintf("%s (%d)", AppendItemJSON(nil, it), it.Size())
}

func TestNesting(t *testing.T) {
	t.Parallel()
	for _, open := range []string{`{"L":[`, `{"M":{"a":`} {
		shut := strings.NewReplacer(`{"L":[`, `]}`, `{"M":{"a":`, `}}`).Replace(open)
		nested := func(n int) []byte {
			return []byte(`{"a":` + strings.Repeat(open, n) + `{"S":"x"}` + strings.Repeat(shut, n) + `}`)
		}
		it, err := ParseItemJSON(nested(MaxDepth))
		if err != nil || it.Get("a").Depth() != MaxDepth {
			t.Errorf("%d levels: %v", MaxDepth, err)
		}
		if _, err := DecodeItem(it.Encoded()); err != nil {
			t.Errorf("decode %d levels: %v", MaxDepth, err)
		}
		_, err = ParseItemJSON(nested(MaxDepth + 1))
		if err == nil || err.Error() != msgNesting {
			t.Errorf("%d levels: %v", MaxDepth+1, err)
		}
	}
}

func TestItemWith(t *testing.T) {
	t.Parallel()
	x, y := StringValue("x"), StringValue(strings.Repeat("y", 200))
	it := NewItem(Attribute{"c", x}, Attribute{"a", x}, Attribute{"b", y}, Attribute{"a", y}, Attribute{"d", Value{}})
	want, err := ParseItemJSON([]byte(`{"a":{"S":"` + string(y.Text()) + `"},"b":{"S":"` + string(y.Text()) + `"},"c":{"S":"x"}}`))
	if err != nil || !it.Equal(want) {
		t.Fatalf("got %s, %v", AppendItemJSON(nil, it), err)
	}
	it = it.With(Attribute{"b", Value{}}, Attribute{"bb", x}, Attribute{"z", x}, Attribute{"0", x})
	if got := string(AppendItemJSON(nil, it.With(Attribute{"a", x}))); got != `{"0":{"S":"x"},"a":{"S":"x"},"bb":{"S":"x"},"c":{"S":"x"},"z":{"S":"x"}}` {
		t.Error(got)
	}
	if it.Get("b").Exists() || !it.Get("bb").Equal(x) || it.Get("zz").Exists() || it.Len() != 5 {
		t.Error("wrong attributes")
	}
}

func TestSets(t *testing.T) {
	t.Parallel()
	set := func(ns ...int64) Value {
		var members []Value
		for _, n := range ns {
			members = append(members, IntValue(n))
		}
		return SetValue(members...)
	}
	if u := Union(set(3, 1), set(2, 3)); !u.Equal(set(1, 2, 3)) {
		t.Errorf("union %s", AppendJSON(nil, u))
	}
	if d := Difference(set(3, 1), set(2, 3)); !d.Equal(set(1)) {
		t.Errorf("difference %s", AppendJSON(nil, d))
	}
	if d := Difference(set(3), set(2, 3)); d.Exists() {
		t.Errorf("difference %s", AppendJSON(nil, d))
	}
}

// FuzzNumber holds numbers against the decimal library: value, order and sum.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-1", "1.5", "1e125", "-9.99e-130", "100", "12345678901234567890123456789012345678", "0.01", "-100.001", "1e-5"} {
		f.Add(s, "3")
		f.Add("-0.5", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, err := NumberValue(a)
		if err != nil {
			return
		}
		if !validNumber(x.payload()) {
			t.Fatalf("%q has an invalid form %x", a, x.Encoded())
		}
		wantX, _, err := apd.NewFromString(a)
		if err != nil {
			if strings.HasSuffix(a, ".") || strings.Contains(a, ".e") || strings.Contains(a, ".E") || x.Equal(IntValue(0)) || len(a) > 30 {
				return // out of the library's range or notation
			}
			t.Fatalf("%q was accepted: %v", a, err)
		}
		gotX, _, err := apd.NewFromString(x.NumberText())
		if err != nil || gotX.Cmp(wantX) != 0 {
			t.Fatalf("%q became %s", a, x.NumberText())
		}
		again, err := NumberValue(x.NumberText())
		if err != nil || !again.Equal(x) {
			t.Fatalf("%q is not canonical: %x, %x", a, x.Encoded(), again.Encoded())
		}
		y, err := NumberValue(b)
		if err != nil {
			return
		}
		gotY, _, _ := apd.NewFromString(y.NumberText())
		if order, ok := x.Compare(y); !ok || order != gotX.Cmp(gotY) {
			t.Fatalf("order of %s and %s is %d", x.NumberText(), y.NumberText(), order)
		}
		if bytes.HasPrefix(x.Encoded(), y.Encoded()) && !x.Equal(y) {
			t.Fatalf("%s is a prefix of %s", b, a)
		}
		sum, err := Add(x, y)
		if err != nil {
			return
		}
		wantSum := new(apd.Decimal)
		if _, err := exact.Add(wantSum, gotX, gotY); err != nil {
			t.Fatal(err)
		}
		if gotSum, _, _ := apd.NewFromString(sum.NumberText()); gotSum.Cmp(wantSum) != 0 {
			t.Fatalf("%s + %s = %s", a, b, sum.NumberText())
		}
	})
}

// FuzzItemJSON checks that what can be read is well formed and reads the same
// after it was written.
func FuzzItemJSON(f *testing.F) {
	f.Add([]byte(`{"b":{"S":"x"},"a":{"N":"01.50"},"c":{"M":{"z":{"L":[{"NULL":true},{"BOOL":false}]},"a":{"B":"aGk="}}}}`))
	f.Add([]byte(`{"s":{"SS":["b","a",""]},"n":{"NS":["10","9","-1"]},"b":{"BS":["/w==","AA=="]}}`))
	f.Add([]byte(`{"a":{"S":"a","N":"1"},"b":{"L":[{"S":"\u00e9"}]}}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		it, err := ParseItemJSON(src)
		if err != nil {
			return
		}
		if _, err := DecodeItem(it.Encoded()); err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		text := AppendItemJSON(nil, it)
		again, err := ParseItemJSON(text)
		if err != nil || !again.Equal(it) {
			t.Fatalf("%s became %s: %v", src, text, err)
		}
	})
}

// FuzzDecodeItem checks that malformed bytes are refused and that everything else
// can be used.
func FuzzDecodeItem(f *testing.F) {
	for _, src := range []string{`{"b":{"S":"x"},"a":{"N":"-1.50"}}`, `{"m":{"M":{"z":{"L":[{"NULL":true}]}}},"s":{"NS":["10","9"]}}`} {
		it, err := ParseItemJSON([]byte(src))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(it.Encoded())
	}
	f.Fuzz(func(t *testing.T, enc []byte) {
		it, err := DecodeItem(enc)
		if err != nil {
			return
		}
		it.Size()
		rebuilt := Item{}
		for name, v := range it.All() {
			rebuilt = rebuilt.With(Attribute{string(name), v})
		}
		if !rebuilt.Equal(it) {
			t.Fatalf("%x was rebuilt as %x", enc, rebuilt.Encoded())
		}
		AppendItemJSON(nil, it)
	})
}

var benchItem = []byte(`{"EventName":{"S":"page view"},"EventHour":{"S":"2015-05-17T10:00:00"},"EventCount":{"N":"12345"},"tags":{"SS":["a","b"]}}`)

func BenchmarkParseItemJSON(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseItemJSON(benchItem); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendItemJSON(b *testing.B) {
	it, err := ParseItemJSON(benchItem)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	buf := make([]byte, 0, 512)
	for b.Loop() {
		buf = AppendItemJSON(buf[:0], it)
	}
}

func TestLongestName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size int
		want string
	}{
		{65535, ""},
		{65536, "Attribute name is too large, must be less than 65536 bytes"},
	} {
		got := ""
		if _, err := ParseItemJSON([]byte(`{"a":{"M":{"` + strings.Repeat("n", c.size) + `":{"S":""}}}}`)); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("a name of %d bytes: %q", c.size, got)
		}
	}
}
