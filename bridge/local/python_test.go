//go:build unix

package local

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// pythonHere is the runtime of the Python that the tests run with.
func pythonHere(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import sys; print('python%d.%d' % sys.version_info[:2])").Output()
	if err != nil {
		t.Fatalf("these tests need Python: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func pythonFunction(t testing.TB, handler string, files map[string]string) *model.Function {
	t.Helper()
	return codeFunction(t, pythonHere(t), handler, files)
}

// inPython is a function of one file.
func inPython(t testing.TB, text string) *model.Function {
	t.Helper()
	return pythonFunction(t, "app.handler", map[string]string{"app.py": text})
}

func TestPythonHandlers(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"event", "def handler(event, context):\n    return {'got': event['n'] + 1}", `{"got": 2}`},
		{"none", "def handler(event, context):\n    pass", `null`},
		{"bytes", "def handler(event, context):\n    return b'\\x00raw'", "\x00raw"},
		{
			"decimal", "from decimal import Decimal\ndef handler(event, context):\n    return [Decimal('1.10'), {'n': Decimal('12345678901234567890.5')}, 1.5, 2]",
			`[1.10, {"n": 12345678901234567890.5}, 1.5, 2]`,
		},
		{"class", "class C:\n    def __call__(self, event, context):\n        return 'called'\nhandler = C()", `"called"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{})
			fn := inPython(t, test.text)
			for range 2 {
				wantPayload(t, invoke(t, e, fn, `{"n": 1}`), test.want)
			}
			if t.Failed() {
				t.Log(log)
			}
		})
	}
}

func TestPythonUnicode(t *testing.T) {
	for runtime, want := range map[string]string{"python3.11": `"Gr\u00fc\u00dfe"`, "python3.12": `"Grüße"`, "python3.13": `"Grüße"`} {
		e, _ := newEngine(t, Options{})
		fn := inPython(t, "def handler(event, context):\n    return 'Grüße'")
		fn.Runtime = runtime
		wantPayload(t, invoke(t, e, fn, `{}`), want)
	}
}

func TestPythonModules(t *testing.T) {
	const ok = "def handler(event, context):\n    return 'ok'"
	for _, test := range []struct {
		name, handler string
		files         map[string]string
	}{
		{"module", "app.handler", map[string]string{"app.py": ok}},
		{"package", "src.api.app.handler", map[string]string{"src/__init__.py": "", "src/api/__init__.py": "", "src/api/app.py": ok}},
		{"folder", "src/api/app.handler", map[string]string{"src/api/app.py": ok}},
		{"neighbour", "app.handler", map[string]string{"app.py": "from lib.text import text\ndef handler(event, context):\n    return text", "lib/text.py": "text = 'ok'"}},
		{"named as ours", "bootstrap.handler", map[string]string{"bootstrap.py": ok}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{})
			fn := pythonFunction(t, test.handler, test.files)
			wantPayload(t, invoke(t, e, fn, `{}`), `"ok"`)
			if t.Failed() {
				t.Log(log)
			}
			if made, _ := filepath.Glob(filepath.Join(fn.Code.Path, "*", "__pycache__")); len(made) > 0 {
				t.Errorf("Python wrote into the code folder: %v", made)
			}
			if made, _ := filepath.Glob(filepath.Join(fn.Code.Path, "__pycache__")); len(made) > 0 {
				t.Errorf("Python wrote into the code folder: %v", made)
			}
		})
	}
}

func TestPythonContext(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := inPython(t, `
import os
def handler(event, context):
    return {
        "id": context.aws_request_id, "name": context.function_name, "version": context.function_version,
        "memory": context.memory_limit_in_mb, "arn": context.invoked_function_arn, "group": context.log_group_name,
        "stream": "[$LATEST]" in context.log_stream_name, "remaining": 20000 < context.get_remaining_time_in_millis() <= 30000,
        "custom": context.client_context.custom, "title": context.client_context.client.app_title,
        "identity": context.identity.cognito_identity_id, "pool": context.identity.cognito_identity_pool_id,
        "trace": os.environ["_X_AMZN_TRACE_ID"], "dir": os.getcwd(),
    }
`)
	r := invokeWith(t, e, fn, Invocation{
		TraceID: "Root=1-2", ClientContext: `{"custom": {"a": 1}, "client": {"app_title": "Shop"}}`,
		CognitoIdentity: `{"cognitoIdentityId": "me"}`,
	})
	text, _ := json.Marshal(decode[map[string]any](t, r))
	want := `{"arn":"` + fn.ARN + `","custom":{"a":1},"dir":"` + fn.Code.Path + `","group":"/aws/lambda/Code","id":"` + r.RequestID +
		`","identity":"me","memory":"256","name":"Code","pool":null,"remaining":true,"stream":true,"title":"Shop","trace":"Root=1-2","version":"$LATEST"}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	bare := inPython(t, "def handler(event, context):\n    return [context.client_context, context.identity.cognito_identity_id]")
	wantPayload(t, invoke(t, e, bare, `{}`), `[null, null]`)
}

func TestPythonErrors(t *testing.T) {
	for _, test := range []struct{ name, text, payload, log string }{
		{
			"raised", "def handler(event, context):\n    raise ValueError('no such order')",
			`{"errorMessage": "no such order", "errorType": "ValueError", "requestId": "ID", "stackTrace": ["  File \"DIR/app.py\", line 2, in handler\n    raise ValueError('no such order')\n"]}`,
			"[ERROR] ValueError: no such order\nTraceback (most recent call last):\n  File \"DIR/app.py\", line 2, in handler\n    raise ValueError('no such order')\n",
		},
		{
			"own class", "class Missing(Exception):\n    pass\ndef handler(event, context):\n    raise Missing()",
			`{"errorMessage": "", "errorType": "Missing", "requestId": "ID", "stackTrace": ["  File \"DIR/app.py\", line 4, in handler\n    raise Missing()\n"]}`,
			"[ERROR] Missing\nTraceback (most recent call last):\n",
		},
		{
			"no JSON", "def handler(event, context):\n    return {1, 2}",
			`{"errorMessage": "Unable to marshal response: Object of type set is not JSON serializable", "errorType": "Runtime.MarshalError", "requestId": "ID", "stackTrace": []}`,
			"[ERROR] Runtime.MarshalError: Unable to marshal response: Object of type set is not JSON serializable\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{})
			fn := inPython(t, test.text)
			r := invoke(t, e, fn, `{}`)
			wantFailure(t, r, strings.ReplaceAll(test.payload, "DIR", fn.Code.Path))
			if !strings.Contains(log.String(), strings.ReplaceAll(test.log, "DIR", fn.Code.Path)) {
				t.Errorf("log:\n%s", log)
			}
			if again := invoke(t, e, fn, `{}`); again.Report.InitDuration != 0 {
				t.Error("the process was not used again")
			}
		})
	}
}

func TestPythonExits(t *testing.T) {
	for code, how := range map[string]string{
		"import sys\ndef handler(event, context):\n    sys.exit()":       "Runtime exited without providing a reason",
		"import sys\ndef handler(event, context):\n    sys.exit(4)":      "Runtime exited with error: exit status 4",
		"import os\ndef handler(event, context):\n    os.abort()":        "Runtime exited with error: signal: aborted",
		"import os\ndef handler(event, context):\n    os.kill(0, 9)":     "Runtime exited with error: signal: killed",
		"import sys\ndef handler(event, context):\n    sys.exit('oops')": "Runtime exited with error: exit status 1",
	} {
		e, log := newEngine(t, Options{})
		r := invoke(t, e, inPython(t, code), `{}`)
		got, _, _ := strings.Cut(string(r.Payload), " (core dumped)")
		want := `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ` + r.RequestID + ` Error: ` + how
		if r.FunctionError != "Unhandled" || strings.TrimSuffix(got, `"}`) != want {
			t.Errorf("got  %s\nwant %s\nlog:\n%s", got, want, log)
		}
	}
}

func TestPythonInitErrors(t *testing.T) {
	for _, test := range []struct {
		name, handler string
		files         map[string]string
		errorType     string
		payload       string
	}{
		{
			"no such module", "main.handler",
			map[string]string{"app.py": ""},
			"Runtime.ImportModuleError",
			`{"errorMessage": "Unable to import module 'main': No module named 'main'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`,
		},
		{
			"no such dependency", "app.handler",
			map[string]string{"app.py": "import leftpad"},
			"Runtime.ImportModuleError",
			`{"errorMessage": "Unable to import module 'app': No module named 'leftpad'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`,
		},
		{
			"no such function", "app.handler",
			map[string]string{"app.py": "x = 1"},
			"Runtime.HandlerNotFound",
			`{"errorMessage": "Handler 'handler' missing on module 'app'", "errorType": "Runtime.HandlerNotFound", "requestId": "", "stackTrace": []}`,
		},
		{
			"no dot", "app",
			map[string]string{"app.py": "x = 1"},
			"Runtime.MalformedHandlerName",
			`{"errorMessage": "Bad handler 'app': not enough values to unpack (expected 2, got 1)", "errorType": "Runtime.MalformedHandlerName", "requestId": "", "stackTrace": []}`,
		},
		{
			"built in", "sys.exit",
			map[string]string{"app.py": "x = 1"},
			"Runtime.BuiltInModuleConflict",
			`{"errorMessage": "Cannot use built-in module sys as a handler module", "errorType": "Runtime.BuiltInModuleConflict", "requestId": "", "stackTrace": []}`,
		},
		{
			"raised", "app.handler",
			map[string]string{"app.py": "raise RuntimeError('no configuration')"},
			"Runtime.Unknown",
			`{"errorMessage": "no configuration", "errorType": "RuntimeError", "requestId": "", "stackTrace": ["  File \"DIR/app.py\", line 1, in <module>\n    raise RuntimeError('no configuration')\n"]}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{})
			fn := pythonFunction(t, test.handler, test.files)
			wantFailure(t, invoke(t, e, fn, `{}`), strings.ReplaceAll(test.payload, "DIR", fn.Code.Path))
			text := log.String()
			if !strings.HasPrefix(text, "[ERROR] ") ||
				!strings.Contains(text, "\tPhase: init\tStatus: error\tError Type: "+test.errorType+"\nSTART ") {
				t.Errorf("log:\n%s", text)
			}
		})
	}
	t.Run("syntax", func(t *testing.T) {
		e, _ := newEngine(t, Options{})
		fn := inPython(t, "def handler(event, context:\n    pass")
		got := string(invoke(t, e, fn, `{}`).Payload) // the words and the line are the version's own
		if !regexp.MustCompile(`^\{"errorMessage": "Syntax error in module 'app': .* \(app\.py, line [12]\)", ` +
			`"errorType": "Runtime\.UserCodeSyntaxError", "requestId": "", "stackTrace": \["  File \\"` +
			fn.Code.Path + `/app\.py\\" Line [12]\\n    .*"\]\}$`).MatchString(got) {
			t.Errorf("got %s", got)
		}
	})
}

func TestPythonLogs(t *testing.T) {
	e, log := newEngine(t, Options{})
	r := invoke(t, e, inPython(t, `
import logging, sys
logger = logging.getLogger()
logger.setLevel(logging.INFO)
logger.info("at init")
def handler(event, context):
    print("printed")
    print("to stderr", file=sys.stderr)
    logger.info("informed %s", "well")
    logger.debug("hidden")
    logging.getLogger("lib").warning("two\nlines")
    print("no newline", end="")
`), `{}`)
	stamp := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	got := stamp.ReplaceAllString(strings.ReplaceAll(log.String(), r.RequestID, "ID"), "TIME")
	got, _, _ = strings.Cut(got, "REPORT")
	want := `[INFO]	TIME		at init
START RequestId: ID Version: $LATEST
printed
to stderr
[INFO]	TIME	ID	informed well
[WARNING]	TIME	ID	two
lines
no newline
END RequestId: ID
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestPythonLogsAsJSON(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := inPython(t, `
import logging
def handler(event, context):
    logging.info("informed", extra={"order": 7})
    logging.debug("hidden")
    try:
        raise KeyError("odd")
    except KeyError:
        logging.exception("failed")
    raise ValueError("no such order")
`)
	fn.LogFormat, fn.ApplicationLogLevel = "JSON", "INFO"
	r := invoke(t, e, fn, `{}`)
	var got []string
	for _, line := range log.lines() {
		var entry map[string]any
		if json.Unmarshal([]byte(line), &entry) != nil {
			continue
		}
		if entry["requestId"] != r.RequestID || !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`).MatchString(entry["timestamp"].(string)) {
			t.Errorf("line %s", line)
		}
		for _, name := range []string{"requestId", "timestamp", "stackTrace", "location"} {
			delete(entry, name)
		}
		text, _ := json.Marshal(entry)
		got = append(got, string(text))
	}
	want := []string{
		`{"level":"INFO","logger":"root","message":"informed","order":7}`,
		`{"errorMessage":"'odd'","errorType":"KeyError","level":"ERROR","logger":"root","message":"failed"}`,
		`{"errorMessage":"no such order","errorType":"ValueError","log_level":"ERROR"}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nlog:\n%s", strings.Join(got, "\n"), log)
	}
}

func TestPythonInline(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := inPython(t, "")
	fn.Handler, fn.Code = "index.main", model.Code{Inline: "def main(event, context):\n    return __name__"}
	wantPayload(t, invoke(t, e, fn, `{}`), `"index"`)
}

func TestPythonLayers(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := inPython(t, "import a, b, c\ndef handler(event, context):\n    return [a.v, b.v, c.v]")
	lower := writeFiles(t, map[string]string{"python/a.py": "v = 'a, lower'", "python/b.py": "v = 'b, lower'"})
	upper := writeFiles(t, map[string]string{
		"python/b.py": "v = 'b, upper'",
		"python/lib/" + fn.Runtime + "/site-packages/c.py": "v = 'c, site'",
	})
	fn.Layers = []*model.Layer{{Path: lower}, {Path: upper}}
	wantPayload(t, invoke(t, e, fn, `{}`), `["a, lower", "b, upper", "c, site"]`)
}

// TestPythonProcesses has a handler whose children import the main module again.
func TestPythonProcesses(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := inPython(t, `
import multiprocessing
def double(n, pipe):
    pipe.send(n * 2)
def handler(event, context):
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=double, args=(21, theirs))
    child.start()
    answer = ours.recv()
    child.join()
    return answer
`)
	wantPayload(t, invoke(t, e, fn, `{}`), `42`)
	if t.Failed() {
		t.Log(log)
	}
}
