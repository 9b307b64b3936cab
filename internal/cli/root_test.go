package cli

import (
	"bytes"
	"testing"
)

func TestMistakesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"bogus"}, "weir: unknown command \"bogus\"\nSee 'weir --help'\n"},
		{[]string{"stat"}, "weir: unknown command \"stat\"; did you mean status?\nSee 'weir --help'\n"},
		{[]string{"tail"}, "weir: weir tail needs NAME\nSee 'weir tail --help'\n"},
		{[]string{"status", "a", "b"}, "weir: weir status takes no argument \"b\"\nSee 'weir status --help'\n"},
		{[]string{"up", "--port", "1"}, "weir: unknown flag: --port\nSee 'weir up --help'\n"},
	} {
		var out, errOut bytes.Buffer
		code := Main(test.args, &out, &errOut)
		if code != 2 || errOut.String() != test.want || out.Len() > 0 {
			t.Errorf("%v: exit %d, %q, printed %q", test.args, code, errOut.String(), out.String())
		}
	}
}
