package mapping

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFunctionError(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"errorMessage":"no such visitor","errorType":"KeyError","stackTrace":["a","b"]}`: "KeyError: no such visitor",
		`{"errorType":"Runtime.ExitError"}`:                                                "Runtime.ExitError",
		`{"errorMessage":"no"}`:                                                            "function error Unhandled: no",
		`{"errorMessage":null,"errorType":7}`:                                              `function error Unhandled: {"errorMessage":null,"errorType":7}`,
		`{"errorMessage":"no","errorType":"E"`:                                             `function error Unhandled: {"errorMessage":"no","errorType":"E"`,
		`["no"]`:                                                                           `function error Unhandled: ["no"]`,
		``:                                                                                 "function error Unhandled",
		`{"errorType":"E","errorMessage":" a\n\tb\u001b[31mc "}`:   "E: a b [31mc",
		`{"errorType":"E","errorMessage":"a\u202eb\u2028c\u0000"}`: "E: a b c",
	} {
		if got := functionError(Outcome{FunctionError: "Unhandled", Payload: []byte(payload)}).Error(); got != want {
			t.Errorf("%s: %q, not %q", payload, got, want)
		}
	}
}

func FuzzFunctionError(f *testing.F) {
	f.Add([]byte(`{"errorMessage":"no such visitor","errorType":"KeyError"}`))
	f.Add([]byte("\x1b[2J\xff"))
	f.Add([]byte(`{"errorMessage":"` + strings.Repeat("é ", 300) + `"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var s ShardStatus
		s.failed(functionError(Outcome{FunctionError: "Unhandled", Payload: payload}), 1)
		if n := utf8.RuneCountInString(s.Problem); n == 0 || n > maxProblem+2 || !utf8.ValidString(s.Problem) {
			t.Errorf("%d characters: %q", n, s.Problem)
		}
		if strings.ContainsFunc(s.Problem, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e || r == 0x2028 }) {
			t.Errorf("%q", s.Problem)
		}
	})
}
