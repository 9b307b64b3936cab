package jsonscan

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// texts are examples for both the tests and the fuzz seeds.
var texts = map[string]bool{
	`{}`: true, `[]`: true, `null`: true, `true`: true, ` false `: true, `0`: true, `-0`: true, `1.5e+3`: true,
	`{"a":1,"b":[1,2,{"c":null}],"d":"x"}`: true,
	"\t{ \"a\" : [ ] ,\r\n\"b\" : { } } ":  true,
	`"\u00e9\n\"\\\/\b\f\r\t"`:             true,
	`"\ud83d\ude00"`:                       true,
	`"é😀"`:                                 true,
	`{"a":1,"a":2}`:                        true,
	``:                                     false,
	` `:                                    false,
	`{`:                                    false,
	`{"a"`:                                 false,
	`{"a":}`:                               false,
	`{"a":1,}`:                             false,
	`{,}`:                                  false,
	`{"a" 1}`:                              false,
	`{a:1}`:                                false,
	`[1,]`:                                 false,
	`[,1]`:                                 false,
	`[1 2]`:                                false,
	`[1}`:                                  false,
	`]`:                                    false,
	`01`:                                   false,
	`+1`:                                   false,
	`.5`:                                   false,
	`1.`:                                   false,
	`1e`:                                   false,
	`-`:                                    false,
	`nul`:                                  false,
	`True`:                                 false,
	`{} {}`:                                false,
	`"\x"`:                                 false,
	`"\u12"`:                               false,
	`"\ud83d"`:                             false,
	`"\ude00\ud83d"`:                       false,
	`"\ud83dx"`:                            false,
	"\"a\nb\"":                             false,
	"\"\xff\"":                             false,
	"\"\xc3\"":                             false,
	`"abc`:                                 false,
	"\ufeff{}":                             false,
	`'a'`:                                  false,
	`NaN`:                                  false,
}

func TestValid(t *testing.T) {
	t.Parallel()
	for text, want := range texts {
		if _, ok := Valid([]byte(text)); ok != want {
			t.Errorf("Valid(%q) = %v, want %v", text, ok, want)
		}
	}
	if _, ok := Valid([]byte(strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth))); !ok {
		t.Error("MaxDepth is refused")
	}
	if _, ok := Valid([]byte(strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1))); ok {
		t.Error("more than MaxDepth is accepted")
	}
	if _, ok := Valid([]byte(strings.Repeat(`{"a":`, 1<<20))); ok {
		t.Error("an endless object is accepted")
	}
}

// build reads a whole text by the public methods into what encoding/json makes
// of it.
func build(s *Scanner) any {
	switch s.Kind() {
	case Object:
		m := map[string]any{}
		for s.Object(); ; {
			name, ok := s.Member()
			if !ok {
				return m
			}
			key := string(name)
			m[key] = build(s)
		}
	case Array:
		l := []any{}
		for s.Array(); s.Element(); {
			l = append(l, build(s))
		}
		return l
	case String:
		return string(s.String())
	case Number:
		return json.Number(s.Number())
	case True, False:
		return s.Bool()
	case Null:
		s.Null()
	}
	return nil
}

func checkAgainstStandard(t *testing.T, data []byte) {
	var s Scanner
	s.Reset(data)
	got := build(&s)
	err := s.End()
	if _, ok := Valid(data); ok != (err == nil) {
		t.Fatalf("Valid says %v, reading says %v", ok, err)
	}
	var syntax *SyntaxError
	if err != nil && !errors.As(err, &syntax) {
		t.Fatalf("error is a %T", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var want any
	if err == nil {
		if err := d.Decode(&want); err != nil {
			t.Fatalf("accepted, but the standard library says %v", err)
		}
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		if !bytes.Equal(g, w) {
			t.Fatalf("got %s, want %s", g, w)
		}
		return
	}
	// Refused: the standard library must refuse too, except for what it lets
	// pass silently and we do not.
	lenient := !utf8.Valid(data) || bytes.Contains(data, []byte(`\u`)) || bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > MaxDepth
	if json.Valid(data) && !lenient {
		t.Fatalf("refused (%v), but the standard library accepts", err)
	}
}

func TestAgainstStandard(t *testing.T) {
	t.Parallel()
	for text := range texts {
		checkAgainstStandard(t, []byte(text))
	}
}

func FuzzScanner(f *testing.F) {
	for text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(checkAgainstStandard)
}

func TestRaw(t *testing.T) {
	t.Parallel()
	var s Scanner
	s.Reset([]byte(` {"a": [1, {"b":"x\n"}] , "c":2}`))
	s.Object()
	s.Member()
	if got := string(s.Raw()); got != `[1, {"b":"x\n"}]` {
		t.Errorf("raw value is %q", got)
	}
	if name, ok := s.Member(); !ok || string(name) != "c" {
		t.Errorf("next member is %q, %v", name, ok)
	}
}

func TestPlainEnd(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		b := make([]byte, rnd.IntN(40))
		for i := range b {
			b[i] = byte(rnd.IntN(256))
			if rnd.IntN(4) > 0 {
				b[i] = 'a' + b[i]%26
			}
		}
		want := 0
		for want < len(b) && b[want] != '"' && b[want] != '\\' && b[want] >= 0x20 && b[want] < 0x80 {
			want++
		}
		if got := plainEnd(b, 0); got != want {
			t.Fatalf("plainEnd(%q) = %d, want %d", b, got, want)
		}
	}
}

func TestBase64(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want, err string }{
		{"", "", ""},
		{"YQ==", "a", ""},
		{"YWI=", "ab", ""},
		{"YWJj", "abc", ""},
		{"23456", "", "Base64 encoded length is expected a multiple of 4 bytes but found: 5"},
		{"=+/=", "", "Invalid Base64 character: '='"},
		{"+/==", "", "Invalid last non-pad Base64 character dectected"},
		{"YWJ\n", "", "Invalid Base64 character: '\n'"},
		{"YW-_", "", "Invalid Base64 character: '-'"},
		{"YQ=a", "", "Invalid Base64 character: '='"},
		{"====", "", "Invalid Base64 character: '='"},
		{"Y===", "", "Invalid Base64 character: '='"},
	} {
		got, err := AppendBase64([]byte("x"), []byte(c.in))
		msg := ""
		if err != nil {
			msg = err.Error()
		}
		if msg != c.err || string(got) != "x"+c.want {
			t.Errorf("AppendBase64(%q) = %q, %q; want %q, %q", c.in, got, msg, c.want, c.err)
		}
	}
}

func FuzzBase64(f *testing.F) {
	for _, s := range []string{"", "YQ==", "YWI=", "23456", "YW\n=", "+/=="} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		got, err := AppendBase64(nil, src)
		if err != nil {
			return
		}
		if enc := base64.StdEncoding.EncodeToString(got); enc != string(src) {
			t.Fatalf("%q was accepted, but its bytes encode to %q", src, enc)
		}
		if len(got) != DecodedLen(src) {
			t.Fatalf("DecodedLen(%q) = %d, got %d bytes", src, DecodedLen(src), len(got))
		}
	})
}

func BenchmarkScanPutRecords(b *testing.B) {
	data := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), 200))
	body := []byte(`{"StreamName":"s","Records":[` + strings.TrimSuffix(strings.Repeat(`{"Data":"`+data+`","PartitionKey":"key-12345"},`, 500), ",") + `]}`)
	b.SetBytes(int64(len(body)))
	var s Scanner
	for b.Loop() {
		s.Reset(body)
		s.Skip()
		if s.End() != nil {
			b.Fatal("invalid")
		}
	}
}

func BenchmarkAppendBase64(b *testing.B) {
	src := []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), 200)))
	dst := make([]byte, 0, 200)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := AppendBase64(dst, src); err != nil {
			b.Fatal(err)
		}
	}
}
