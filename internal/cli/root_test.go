package cli

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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
		{[]string{"tail", ""}, "weir: weir tail needs NAME\nSee 'weir tail --help'\n"},
		{[]string{"destroy", ""}, "weir: weir destroy needs STACK\nSee 'weir destroy --help'\n"},
		{[]string{"tail", "topic:a"}, "weir: \"topic:a\": want stream:NAME, table:NAME or function:NAME\n"},
		{[]string{"runtimes", "install", "perl"}, "weir: there is nothing to install for \"perl\"; the languages are python, node and java\n"},
		{[]string{"up", "--allow-host", "http://a.example"}, "weir: --allow-host \"http://a.example\": want a name without scheme and port, such as weir.example.com or *.example.com\n"},
		{[]string{"up", "--allow-host", "*example.com"}, "weir: --allow-host \"*example.com\": want a name without scheme and port, such as weir.example.com or *.example.com\n"},
		{[]string{"up", "--region", "a b"}, "weir: --region \"a b\": want a name such as us-east-1\n"},
		{[]string{"up", "--listen", "4566"}, "weir: --listen \"4566\": want an address and a port, such as 127.0.0.1:4566\n"},
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

func TestAnswersOfServersThatAreNoWeir(t *testing.T) {
	t.Parallel()
	template := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(template, []byte("Resources: {T: {Type: AWS::SNS::Topic}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"", "<html>\n<p>nothing\n", "{}", "[]\n"} {
		for _, status := range []int{200, 404} {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = w.Write([]byte(body))
			}))
			for _, args := range [][]string{{"deploy", template}, {"destroy", "a"}, {"tail", "mail"}, {"status"}} {
				if body == "{}" && status == 200 && (args[0] == "tail" || args[0] == "status") {
					continue // it has nothing
				}
				var out, errOut bytes.Buffer
				code := Main(append(args, "--endpoint", s.URL+"/"), &out, &errOut)
				if code != 1 || !strings.Contains(errOut.String(), "is it the right --endpoint?\n") || strings.Count(errOut.String(), "\n") != 1 {
					t.Errorf("%v of a server that answers %d %q: exit %d, %q, printed %q", args, status, body, code, errOut.String(), out.String())
				}
			}
			s.Close()
		}
	}
}

// TestDeployWithAnswersOfTheWrongKind gets a plan where a result is due, and the other
// way round.
func TestDeployWithAnswersOfTheWrongKind(t *testing.T) {
	t.Parallel()
	template := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(template, []byte("Resources: {T: {Type: AWS::SNS::Topic}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"Plan":{}}`, `{"Result":{}}`} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(body + "\n"))
		}))
		var out, errOut bytes.Buffer
		code := Main([]string{"deploy", template, "--endpoint", s.URL}, &out, &errOut)
		if code != 1 || !strings.Contains(errOut.String(), "is it the right --endpoint?\n") {
			t.Errorf("%s: exit %d, %q", body, code, errOut.String())
		}
		s.Close()
	}
}

func TestServerThatEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"Event":{"Status":"DELETE_IN_PROGRESS","StackName":"a","LogicalID":"a"}}` + "\n"))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer s.Close()
	var out, errOut bytes.Buffer
	code := Main([]string{"destroy", "a", "--endpoint", s.URL}, &out, &errOut)
	if code != 1 || !strings.Contains(errOut.String(), "weir: the server ended in the middle") || out.Len() > 0 {
		t.Errorf("exit %d, %q, printed %q", code, errOut.String(), out.String())
	}
}
