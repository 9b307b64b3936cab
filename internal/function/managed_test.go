package function

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// managed makes a world with a function of a managed runtime, or skips the test
// where there is no interpreter for it.
func managed(t *testing.T, runtime, handler string, files ...file) *world {
	t.Helper()
	w := newWorld(t)
	rt, err := runtimeNamed(runtime)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.runtimes.interpreter(t.Context(), rt); err != nil {
		t.Skip(err)
	}
	def := Definition{Name: "f", Runtime: runtime, Handler: handler, TimeoutSeconds: 30, MemoryMB: 512}
	if _, err := w.Create(t.Context(), def, zipOf(t, files...)); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) call(event string) Result {
	w.Helper()
	r, err := w.Invoke(context.Background(), Invocation{Function: "f", Payload: []byte(event), ClientContext: `{"custom":{"k":"v"},"client":{"app_title":"t"}}`})
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// normal replaces what differs between machines in a result.
func (w *world) normal(r Result) string {
	code := filepath.Join(w.codeDir, "[a-z0-9-]+", "[0-9a-f]{64}")
	s := strings.ReplaceAll(string(r.Payload), r.RequestID, "ID")
	return regexp.MustCompile(code).ReplaceAllString(s, "/var/task")
}

const pythonHandler = `
import decimal, logging, os, sys
count = 0

class Mine(Exception):
    pass

def handler(event, context):
    global count
    count += 1
    do = event["do"]
    if do == "echo": return event
    if do == "count": return count
    if do == "nothing": return None
    if do == "fail": raise Mine("some error occurred")
    if do == "exit": sys.exit(4)
    if do == "set": return {1}
    if do == "decimal": return [decimal.Decimal("1.5"), decimal.Decimal("3")]
    if do == "print":
        print("on stdout")
        print("on stderr", file=sys.stderr)
        logging.getLogger().setLevel("INFO")
        logging.info("two\nlines")
        context.log("from the context")
        print("no end", end="")
        return None
    if do == "many":
        for i in range(20000):
            print("x" * 99)
        return None
    if do == "context":
        return {
            "name": context.function_name, "version": context.function_version, "arn": context.invoked_function_arn,
            "memory": context.memory_limit_in_mb, "request": context.aws_request_id, "group": context.log_group_name,
            "stream": context.log_stream_name == os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
            "left": 0 < context.get_remaining_time_in_millis() <= 30000,
            "custom": context.client_context.custom, "title": context.client_context.client.app_title,
            "identity": context.identity.cognito_identity_id, "cwd": os.getcwd() == os.environ["LAMBDA_TASK_ROOT"],
            "execution": os.environ["AWS_EXECUTION_ENV"], "trace": os.environ["_X_AMZN_TRACE_ID"][:7],
        }
`

func TestPython(t *testing.T) {
	t.Parallel()
	w := managed(t, "python3.12", "dir/app.handler", file{"dir/app.py", 0o644, pythonHandler})
	for _, c := range []struct{ do, failed, want string }{
		{"echo", "", `{"do": "echo", "text": "grüße"}`},
		{"count", "", `2`},
		{"nothing", "", `null`},
		{"decimal", "", `[1.5, 3]`},
		{"fail", "Unhandled", `{"errorMessage": "some error occurred", "errorType": "Mine", "requestId": "ID", "stackTrace": ["  File \"/var/task/dir/app.py\", line 15, in handler\n    if do == \"fail\": raise Mine(\"some error occurred\")\n"]}`},
		{"set", "Unhandled", `{"errorMessage": "Unable to marshal response: Object of type set is not JSON serializable", "errorType": "Runtime.MarshalError", "requestId": "ID", "stackTrace": []}`},
		{"count", "", `7`},
		{"context", "", `{"name": "f", "version": "$LATEST", "arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "memory": "512", "request": "ID", ` +
			`"group": "/aws/lambda/f", "stream": true, "left": true, "custom": {"k": "v"}, "title": "t", "identity": null, "cwd": true, "execution": "AWS_Lambda_python3.12", "trace": "Root=1-"}`},
		{"exit", "Unhandled", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 4"}`},
		{"count", "", `1`},
	} {
		r := w.call(`{"do": "` + c.do + `", "text": "grüße"}`)
		if got := w.normal(r); got != c.want || r.FunctionError != c.failed {
			t.Errorf("%s: %q\ngot  %s\nwant %s", c.do, r.FunctionError, got, c.want)
		}
	}
	if !slices.Contains(w.messages("/aws/lambda/f"), "[ERROR] Runtime.MarshalError: Unable to marshal response: Object of type set is not JSON serializable\n") {
		t.Errorf("log %q", w.messages("/aws/lambda/f"))
	}
}

func TestPythonOutput(t *testing.T) {
	t.Parallel()
	w := managed(t, "python3.9", "app.handler", file{"app.py", 0o644, pythonHandler})
	r := w.call(`{"do": "print"}`)
	got := w.messages("/aws/lambda/f")
	for i, m := range got {
		got[i] = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`).ReplaceAllString(strings.ReplaceAll(m, r.RequestID, "ID"), "TIME")
	}
	want := []string{"START RequestId: ID Version: $LATEST\n", "on stdout\n", "on stderr\n", "[INFO]\tTIME\tID\ttwo\nlines\n", "from the context\n", "no end", "END RequestId: ID\n"}
	if len(got) != len(want)+2 || !slices.Equal(got[1:len(got)-1], want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	w.call(`{"do": "many"}`)
	w.call(`{"do": "fail"}`)
	all := w.messages("/aws/lambda/f")
	lines := 0
	for _, m := range all {
		if len(m) == 100 && strings.HasPrefix(m, "xxx") {
			lines++
		}
	}
	if lines != 20000 {
		t.Errorf("%d of 20,000 lines", lines)
	}
	fail := all[len(all)-3]
	file := filepath.Join("code", "plain")
	if !strings.HasPrefix(fail, "[ERROR] Mine: some error occurred\nTraceback (most recent call last):\n\u00a0\u00a0File \"") || !strings.Contains(fail, file) ||
		!strings.HasSuffix(fail, ", line 15, in handler\n\u00a0\u00a0\u00a0\u00a0if do == \"fail\": raise Mine(\"some error occurred\")\n") {
		t.Errorf("got %q", fail)
	}
}

func TestPythonThatCannotStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ handler, code, kind, message string }{
		"no dot":     {"app", "", "Runtime.MalformedHandlerName", "Bad handler 'app': not enough values to unpack (expected 2, got 1)"},
		"no module":  {"other.handler", "", "Runtime.ImportModuleError", "Unable to import module 'other': No module named 'other'"},
		"no handler": {"app.handle", "def handler(e, c): pass", "Runtime.HandlerNotFound", "Handler 'handle' missing on module 'app'"},
		"syntax":     {"app.handler", "def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': invalid syntax (app.py, line 1)"},
		"raises":     {"app.handler", "raise Exception('Runtime startup fails')", "Exception", "Runtime startup fails"},
		"no sdk": {"app.handler", "import sys\nsys.modules['boto3'] = None\nimport boto3", "Runtime.ImportModuleError",
			"Unable to import module 'app': import of boto3 halted; None in sys.modules. The AWS SDK for Python is not on this machine: run \"weir runtimes install python\""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := managed(t, "python3.13", c.handler, file{"app.py", 0o644, c.code})
			r := w.call(`{}`)
			var got struct{ ErrorType, ErrorMessage, RequestID string }
			if err := json.Unmarshal(r.Payload, &got); err != nil {
				t.Fatalf("%s: %v", r.Payload, err)
			}
			if r.FunctionError != "Unhandled" || got.ErrorType != c.kind || got.ErrorMessage != c.message || got.RequestID != "" {
				t.Errorf("got  %s\nwant %s: %s", r.Payload, c.kind, c.message)
			}
		})
	}
}

const nodeHandler = `
let count = 0;
class Mine extends Error { constructor(m) { super(m); this.name = 'Mine'; this.code = 7; } }
const handle = async (event, context) => {
  count++;
  switch (event.do) {
  case 'echo': return event;
  case 'count': return count;
  case 'nothing': return;
  case 'fail': throw new Mine('some error occurred');
  case 'string': throw 'just text';
  case 'circle': { const a = {}; a.a = a; return a; }
  case 'never': return new Promise(() => {});
  case 'exit': process.exit(4);
  case 'reject': Promise.reject(new Mine('nobody cares')); return new Promise((r) => setTimeout(r, 5000));
  case 'uncaught': setTimeout(() => { throw new Mine('from a timer'); }, 1); return new Promise((r) => setTimeout(r, 5000));
  case 'print': console.log('one %s', 'two\nthree'); console.error('bad', {a: 1}); process.stdout.write('raw\n'); return;
  case 'context': return {
    name: context.functionName, version: context.functionVersion, arn: context.invokedFunctionArn, memory: context.memoryLimitInMB,
    request: context.awsRequestId, group: context.logGroupName, stream: context.logStreamName === process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    left: context.getRemainingTimeInMillis() > 0, custom: context.clientContext.custom, cwd: process.cwd() === process.env.LAMBDA_TASK_ROOT,
    execution: process.env.AWS_EXECUTION_ENV,
  };
  }
};
`

func TestNode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ runtime, file, export, pkg string }{
		"commonjs":     {"nodejs20.x", "dir/app.js", "exports.handler = handle;", `{}`},
		"cjs":          {"nodejs16.x", "dir/app.cjs", "module.exports = { handler: handle };", `{}`},
		"module":       {"nodejs22.x", "dir/app.mjs", "export const handler = handle;", `{}`},
		"type: module": {"nodejs24.x", "dir/app.js", "export const handler = handle;", `{"type": "module"}`},
		"default":      {"nodejs20.x", "dir/app.mjs", "export default { handler: handle };", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := managed(t, c.runtime, "dir/app.handler", file{c.file, 0o644, nodeHandler + c.export}, file{"package.json", 0o644, c.pkg})
			for _, c := range []struct{ do, failed, want string }{
				{"echo", "", `{"do":"echo","text":"grüße"}`},
				{"count", "", `2`},
				{"nothing", "", `null`},
				{"string", "Unhandled", `{"errorType":"string","errorMessage":"just text","trace":[]}`},
				{"never", "", `null`},
				{"context", "", `{"name":"f","version":"$LATEST","arn":"arn:aws:lambda:us-east-1:000000000000:function:f","memory":"512","request":"ID",` +
					`"group":"/aws/lambda/f","stream":true,"left":true,"custom":{"k":"v"},"cwd":true,"execution":"AWS_Lambda_` + c.runtime + `"}`},
				{"exit", "Unhandled", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 4"}`},
				{"count", "", `1`},
			} {
				r := w.call(`{"do": "` + c.do + `", "text": "grüße"}`)
				if got := w.normal(r); got != c.want || r.FunctionError != c.failed {
					t.Errorf("%s: %q\ngot  %s\nwant %s", c.do, r.FunctionError, got, c.want)
				}
			}
		})
	}
}

func TestNodeErrors(t *testing.T) {
	t.Parallel()
	w := managed(t, "nodejs20.x", "app.handler", file{"app.js", 0o644, nodeHandler + "exports.handler = handle;"})
	for _, c := range []struct{ do, kind, message string }{
		{"fail", "Mine", "some error occurred"},
		{"reject", "Runtime.UnhandledPromiseRejection", "Mine: nobody cares"},
		{"uncaught", "Mine", "from a timer"},
		{"circle", "Runtime.MarshalError", "Unable to stringify response body: Converting circular structure to JSON"},
	} {
		r := w.call(`{"do": "` + c.do + `"}`)
		var got struct {
			ErrorType, ErrorMessage string
			Trace                   []string
		}
		if err := json.Unmarshal(r.Payload, &got); err != nil {
			t.Fatalf("%s: %v", r.Payload, err)
		}
		if r.FunctionError != "Unhandled" || got.ErrorType != c.kind || !strings.HasPrefix(got.ErrorMessage, c.message) || len(got.Trace) < 2 {
			t.Errorf("%s: got %s", c.do, r.Payload)
		}
	}
	log := strings.Join(w.messages("/aws/lambda/f"), "")
	for _, want := range []string{
		"\tERROR\tInvoke Error \t{\"errorType\":\"Mine\",\"errorMessage\":\"some error occurred\",\"code\":7,\"stack\":[\"Mine: some error occurred\"",
		"\tERROR\tUnhandled Promise Rejection \t{", "\tERROR\tUncaught Exception \t{",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %q:\n%s", want, log)
		}
	}
}

func TestNodeOutput(t *testing.T) {
	t.Parallel()
	w := managed(t, "nodejs20.x", "app.handler", file{"app.js", 0o644, nodeHandler + "exports.handler = handle;"})
	r := w.call(`{"do": "print"}`)
	got := w.messages("/aws/lambda/f")
	for i, m := range got {
		got[i] = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`).ReplaceAllString(strings.ReplaceAll(m, r.RequestID, "ID"), "TIME")
	}
	want := []string{"START RequestId: ID Version: $LATEST\n", "TIME\tID\tINFO\tone two\nthree\n", "TIME\tID\tERROR\tbad { a: 1 }\n", "raw\n", "END RequestId: ID\n"}
	if len(got) != len(want)+2 || !slices.Equal(got[1:len(got)-1], want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestNodeCallbacks(t *testing.T) {
	t.Parallel()
	w := managed(t, "nodejs18.x", "app.handler", file{"app.js", 0o644, `
exports.handler = (event, context, callback) => {
  let waited = false;
  switch (event.do) {
  case 'result': callback(null, {ok: true}); return;
  case 'error': callback(new TypeError('wrong')); return;
  case 'throw': throw new TypeError('thrown');
  case 'silent': return;
  case 'waits': setTimeout(() => { waited = true; }, 50); callback(null, { toString: 0, toJSON: () => waited }); return;
  case 'hurries': context.callbackWaitsForEmptyEventLoop = false; setTimeout(() => { waited = true; }, 50); callback(null, { toJSON: () => waited }); return;
  case 'done': context.done(null, 'done'); return;
  case 'succeed': context.succeed('succeeded'); return;
  case 'fail': context.fail(new TypeError('failed')); return;
  }
};`})
	for _, c := range []struct{ do, failed, want string }{
		{"result", "", `{"ok":true}`},
		{"error", "Unhandled", `{"errorType":"TypeError","errorMessage":"wrong"`},
		{"throw", "Unhandled", `{"errorType":"TypeError","errorMessage":"thrown"`},
		{"silent", "", `null`},
		{"waits", "", `true`},
		{"hurries", "", `false`},
		{"done", "", `"done"`},
		{"succeed", "", `"succeeded"`},
		{"fail", "Unhandled", `{"errorType":"TypeError","errorMessage":"failed"`},
	} {
		r := w.call(`{"do": "` + c.do + `"}`)
		if got := w.normal(r); !strings.HasPrefix(got, c.want) || r.FunctionError != c.failed {
			t.Errorf("%s: %q\ngot  %s\nwant %s", c.do, r.FunctionError, got, c.want)
		}
	}
}

func TestNodeThatCannotStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ handler, file, code, kind, message string }{
		"no dot":     {"app", "app.js", "", "Runtime.MalformedHandlerName", "Bad handler"},
		"no module":  {"other.handler", "app.js", "", "Runtime.ImportModuleError", "Error: Cannot find module 'other'"},
		"no handler": {"app.handle", "app.js", "exports.handler = () => {};", "Runtime.HandlerNotFound", "app.handle is undefined or not exported"},
		"syntax":     {"app.handler", "app.js", "exports.handler = (", "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected"},
		"raises":     {"app.handler", "app.js", "throw new TypeError('at the start');", "TypeError", "at the start"},
		"no import":  {"app.handler", "app.mjs", "import 'no-such-package';", "Runtime.ImportModuleError", "Error: Cannot find package 'no-such-package'"},
		"no sdk": {"app.handler", "app.mjs", "import '@aws-sdk/client-of-nothing';", "Runtime.ImportModuleError",
			"Error: Cannot find package '@aws-sdk/client-of-nothing'"},
		"old sdk": {"app.handler", "app.js", "require('aws-sdk');", "Runtime.ImportModuleError", "Error: Cannot find module 'aws-sdk'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := managed(t, "nodejs20.x", c.handler, file{c.file, 0o644, c.code})
			r := w.call(`{}`)
			var got struct{ ErrorType, ErrorMessage string }
			if err := json.Unmarshal(r.Payload, &got); err != nil {
				t.Fatalf("%s: %v", r.Payload, err)
			}
			if r.FunctionError != "Unhandled" || got.ErrorType != c.kind || !strings.HasPrefix(got.ErrorMessage, c.message) {
				t.Errorf("got  %s\nwant %s: %s", r.Payload, c.kind, c.message)
			}
			remedy := map[string]string{
				"no sdk":  "\nThe AWS SDK for JavaScript is not on this machine: run \"weir runtimes install node\"",
				"old sdk": "\nnodejs18.x and later do not include version 2 of the AWS SDK: use @aws-sdk/*, or put aws-sdk into the package",
			}[name]
			if !strings.HasSuffix(got.ErrorMessage, remedy) {
				t.Errorf("no remedy in %q", got.ErrorMessage)
			}
		})
	}
}

// TestSDKsAreFound puts packages where Install puts SDKs.
func TestSDKsAreFound(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, path, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		runtime  string
		code     file
		sdk      map[string]string
		want     string
		sdkName  sdkKind
		versions string
	}{
		"python": {"python3.12", file{"app.py", 0o644, "import of_the_sdk\ndef handler(e, c): return of_the_sdk.name"},
			map[string]string{"python/of_the_sdk.py": "name = 'here'", "python/boto3/__init__.py": "", "python/boto3-1.2.3.dist-info/METADATA": ""}, `"here"`, sdkBoto3, "1.2.3"},
		"node module": {"nodejs20.x", file{"app.mjs", 0o644, "import { name } from '@aws-sdk/client-dynamodb'; export const handler = async () => name;"},
			map[string]string{
				"node/aws-sdk-js-v3/node_modules/@aws-sdk/client-dynamodb/package.json": `{"name": "@aws-sdk/client-dynamodb", "version": "3.4.5", "main": "index.js"}`,
				"node/aws-sdk-js-v3/node_modules/@aws-sdk/client-dynamodb/index.js":     `exports.name = require('of-sdk');`,
				"node/aws-sdk-js-v3/node_modules/of-sdk/index.js":                       `module.exports = 'here';`,
			}, `"here"`, sdkJavaScriptV3, "3.4.5"},
		"node commonjs": {"nodejs16.x", file{"app.js", 0o644, "exports.handler = async () => require('aws-sdk').name;"},
			map[string]string{
				"node/aws-sdk-js-v2/node_modules/aws-sdk/package.json": `{"name": "aws-sdk", "version": "2.1.0"}`,
				"node/aws-sdk-js-v2/node_modules/aws-sdk/index.js":     `exports.name = 'two';`,
			}, `"two"`, sdkJavaScriptV2, "2.1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := managed(t, c.runtime, "app.handler", c.code)
			for path, content := range c.sdk {
				write(t, filepath.Join(w.runtimes.dir, path), content)
			}
			if got := w.normal(w.call(`{}`)); got != c.want {
				t.Errorf("got %s", got)
			}
			if sdk := w.runtimes.sdk(t.Context(), c.sdkName); sdk.Version != c.versions {
				t.Errorf("%+v", sdk)
			}
		})
	}
}
