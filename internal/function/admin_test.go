package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/weirstream/weir/internal/catalog"
)

// TestDefinitions runs the scripts of testdata/definitions.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/definitions", func(t *testing.T, path string) {
		w := newWorld(t)
		pkgs := map[string][]byte{
			"one": zipOf(t, file{"bootstrap", 0o755, "1"}),
			"two": zipOf(t, file{"bootstrap", 0o755, "2"}),
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := w.script(d, pkgs)
			if err != nil {
				for _, kind := range []error{ErrNotFound, ErrExists, ErrConflict, ErrInvalid, ErrTooLarge, ErrRevision} {
					if errors.Is(err, kind) {
						return kind.Error() + ": " + err.Error() + "\n"
					}
				}
				return "unexpected: " + err.Error() + "\n"
			}
			return out
		})
	})
}

// script runs one command of a script.
func (w *world) script(d *datadriven.TestData, pkgs map[string][]byte) (string, error) {
	ctx := w.Context()
	var ref string
	if len(d.CmdArgs) > 0 && len(d.CmdArgs[0].Vals) == 0 {
		ref = d.CmdArgs[0].Key
	}
	switch d.Cmd {
	case "create":
		def := Definition{Name: ref, Runtime: "provided.al2023", Role: "arn:aws:iam::000000000000:role/r"}
		code := "one"
		d.MaybeScanArgs(w.TB.(*testing.T), "runtime", &def.Runtime)
		d.MaybeScanArgs(w.TB.(*testing.T), "handler", &def.Handler)
		d.MaybeScanArgs(w.TB.(*testing.T), "timeout", &def.TimeoutSeconds)
		d.MaybeScanArgs(w.TB.(*testing.T), "memory", &def.MemoryMB)
		d.MaybeScanArgs(w.TB.(*testing.T), "code", &code)
		def.Environment = environmentOf(d.Input)
		def, err := w.Create(ctx, def, pkgs[code])
		return show(def), err
	case "get":
		def, err := w.Get(ref)
		return show(def), err
	case "configure":
		var u ConfigurationUpdate
		var timeout int
		if d.MaybeScanArgs(w.TB.(*testing.T), "timeout", &timeout) {
			u.TimeoutSeconds = &timeout
		}
		d.MaybeScanArgs(w.TB.(*testing.T), "revision", &u.RevisionID)
		if env := environmentOf(d.Input); env != nil {
			u.Environment = &env
		}
		def, err := w.UpdateConfiguration(ctx, ref, u)
		return show(def), err
	case "code":
		var code, revision string
		d.ScanArgs(w.TB.(*testing.T), "code", &code)
		d.MaybeScanArgs(w.TB.(*testing.T), "revision", &revision)
		def, err := w.UpdateCode(ctx, ref, CodeUpdate{Package: pkgs[code], RevisionID: revision, DryRun: d.HasArg("dry")})
		return show(def), err
	case "delete":
		return "ok\n", w.Delete(ctx, ref)
	case "dry-run":
		return "ok\n", w.DryRun(ref)
	case "tag":
		return "ok\n", w.SetTags(ref, environmentOf(d.Input))
	case "untag":
		return "ok\n", w.RemoveTags(ref, strings.Fields(d.Input))
	case "permit":
		s, err := w.AddPermission(ref, Statement{Sid: d.CmdArgs[1].Key, Effect: "Allow", Principal: map[string]string{"Service": "s3.amazonaws.com"}, Action: "lambda:InvokeFunction"}, "")
		return fmt.Sprintf("%s on %s\n", s.Sid, s.Resource), err
	case "forbid":
		return "ok\n", w.RemovePermission(ref, d.CmdArgs[1].Key, "")
	case "packages":
		names, err := storedPackages(w.db)
		return fmt.Sprintf("%d\n", len(names)), err
	}
	return w.versionScript(d, ref)
}

func environmentOf(input string) map[string]string {
	var env map[string]string
	for line := range strings.Lines(input) {
		if env == nil {
			env = map[string]string{}
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if count, isLong := strings.CutPrefix(value, "LONG"); isLong {
			var n int
			_, _ = fmt.Sscan(count, &n)
			value = strings.Repeat("x", n)
		}
		env[name] = value
	}
	return env
}

func show(d Definition) string {
	return fmt.Sprintf("%s %s handler=%q timeout=%d memory=%d log=%s env=%v tags=%v code=%.8s size=%d policy=%d\n",
		d.Name, d.Runtime, d.Handler, d.TimeoutSeconds, d.MemoryMB, d.LogGroup, d.Environment, d.Tags, d.CodeSHA256, d.CodeSize, len(d.Policy))
}

func TestFunctionsOutliveTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	def := w.create("f")
	w.create("gone")
	if _, err := savePackage(w.db, zipOf(t, file{"bootstrap", 0o755, "of a crashed upload"})); err != nil {
		t.Fatal(err)
	}
	rt, _ := runtimeNamed(def.Runtime)
	used := w.codePath(def.CodeSHA256, rt)
	unused := filepath.Join(filepath.Dir(used), strings.Repeat("0", 64))
	if err := os.MkdirAll(unused, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	if err := w.Functions.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(Config{
		DB: w.db, Identity: catalog.DefaultIdentity, Logs: w.logs, Runtimes: w.runtimes, CodeDir: w.codeDir,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := again.List(); len(got) != 1 || show(got[0]) != show(def) || got[0].RevisionID != def.RevisionID || !got[0].LastModified.Equal(def.LastModified) {
		t.Errorf("got %+v", got)
	}
	if names, err := storedPackages(w.db); err != nil || len(names) != 1 {
		t.Errorf("packages %v %v", names, err)
	}
	if _, err := os.Stat(unused); err == nil {
		t.Error("an unused folder is still there")
	}
	if err := os.RemoveAll(w.codeDir); err != nil { // a cache
		t.Fatal(err)
	}
	if r, err := again.Invoke(t.Context(), Invocation{Function: "f", Payload: eventFor("echo")}); err != nil || r.FunctionError != "" {
		t.Errorf("%+v %v", r, err)
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"f":                                 "f ",
		"f:1":                               "f 1",
		"f:$LATEST":                         "f $LATEST",
		"function:f":                        "f ",
		"000000000000:f":                    "f ",
		"000000000000:f:p-d":                "f p-d",
		"000000000000:function:f":           "f ",
		"us-east-1:000000000000:function:f": "f ",
		"arn:aws:lambda:us-east-1:000000000000:function:f":         "f ",
		"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST": "f $LATEST",
		"arn:aws-cn:lambda:cn-north-1:000000000000:function:f":     "f ",
	} {
		name, qualifier, err := NameOf(ref)
		if got := name + " " + qualifier; err != nil || got != want {
			t.Errorf("%s: %q %v", ref, got, err)
		}
	}
	for _, ref := range []string{"", "*", "a b", "f:", "f:$LATES", "f:1:2", "arn:aws:sqs:us-east-1:000000000000:f", strings.Repeat("é", 3)} {
		if _, _, err := NameOf(ref); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestCheckPayload(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		"": "", "{}": "", " [1, 2] ": "", `"x"`: "", "null": "",
		"{":            "Unexpected end-of-input\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1]",
		"\x99abc":      "Unexpected character ((CTRL-CHAR, code 153)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1]",
		"{\"a\":\n +}": "Unexpected character ('+' (code 43)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 2, column: 2]",
		"n\x87r":       "Invalid UTF-8 start byte 0x87\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 3]",
		"nonsense":     "Unrecognized token 'nonsense': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 9]",
	} {
		err := CheckPayload([]byte(payload))
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", payload, err)
		case want != "" && (!errors.Is(err, ErrInvalidPayload) || err.Error() != "Could not parse request body into json: Could not parse payload into json: "+want):
			t.Errorf("%q: %v", payload, err)
		}
	}
}

func TestEnvironmentSize(t *testing.T) {
	t.Parallel()
	fits := map[string]string{"LONG": strings.Repeat("x", maxEnvironmentBytes-len(`{"LONG":""}`))}
	if err := validateEnvironment(fits); err != nil {
		t.Error(err)
	}
	fits["LONG"] += "x"
	if err := validateEnvironment(fits); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `exceeded the 4KB limit. String measured: {"LONG":"xxx`) {
		t.Error(err)
	}
}

func FuzzCheckPayload(f *testing.F) {
	for _, seed := range []string{"", "{}", "nonsense", "{\"a\":\n +}", "\x99", "[1,", "\"\\u12\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if err := CheckPayload(payload); (err == nil) != (len(payload) == 0 || json.Valid(payload)) {
			t.Fatal(err)
		}
	})
}

func FuzzNameOf(f *testing.F) {
	for _, seed := range []string{"f", "f:1", "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST", "000000000000:function:f", "a:b:c", "$LATEST"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		name, qualifier, err := NameOf(ref)
		if err != nil {
			return
		}
		again, q, err := NameOf(ARN(catalog.DefaultIdentity, name, qualifier))
		if err != nil || again != name || q != qualifier {
			t.Fatalf("%q: %q %q, then %q %q %v", ref, name, qualifier, again, q, err)
		}
	})
}
