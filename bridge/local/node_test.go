//go:build unix

package local

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// nodeMajor is the version of the Node.js that the tests run with.
func nodeMajor(t testing.TB) int {
	t.Helper()
	out, err := exec.Command("node", "-p", "process.versions.node.split('.')[0]").Output()
	if err != nil {
		t.Fatalf("these tests need Node.js: %v", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return major
}

// nodeHere is the runtime that most tests have: the one of the Node.js at
// hand, but one that still takes handlers with a callback.
func nodeHere(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("nodejs%d.x", min(nodeMajor(t), 22))
}

func nodeFunction(t testing.TB, handler string, files map[string]string) *model.Function {
	t.Helper()
	return codeFunction(t, nodeHere(t), handler, files)
}

// inNode is a function of one CommonJS file.
func inNode(t testing.TB, text string) *model.Function {
	t.Helper()
	return nodeFunction(t, "index.handler", map[string]string{"index.js": text})
}

func TestNodeHandlers(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"async", `exports.handler = async (e) => ({ got: e.n + 1 })`, `{"got":2}`},
		{"promise", `exports.handler = (e) => Promise.resolve(e)`, `{"n":1}`},
		{"undefined", `exports.handler = async () => {}`, `null`},
		{"callback", `exports.handler = (e, c, done) => { setTimeout(() => done(null, e), 5) }`, `{"n":1}`},
		{"callback at once", `exports.handler = (e, c, done) => done(null, 'now')`, `"now"`},
		{"succeed", `exports.handler = (e, c) => { setTimeout(() => c.succeed('s'), 5) }`, `"s"`},
		{"done", `exports.handler = (e, c) => c.done(null, 'd')`, `"d"`},
		{"nothing", `exports.handler = () => {}`, `null`},
		{"unicode", `exports.handler = async () => 'Grüße, 世界'`, `"Grüße, 世界"`},
		{"first answer counts", `exports.handler = (e, c) => { c.succeed(1); c.succeed(2); c.fail('x') }`, `1`},
		{"waits for the loop", `exports.handler = (e, c, done) => { const a = []; done(null, a); setTimeout(() => a.push('late'), 50) }`, `["late"]`},
		{"need not wait", `exports.handler = (e, c, done) => { c.callbackWaitsForEmptyEventLoop = false; const a = []; done(null, a); setTimeout(() => a.push('late'), 50) }`, `[]`},
		{"async waits for nothing", `exports.handler = async () => { setTimeout(() => {}, 60000); return 1 }`, `1`},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{})
			fn := inNode(t, test.text)
			for range 2 { // a warm process must do as well as a cold one
				began := time.Now()
				r := invoke(t, e, fn, `{"n": 1}`)
				wantPayload(t, r, test.want)
				if time.Since(began) > 20*time.Second {
					t.Error("it took until the timeout")
				}
			}
			if t.Failed() {
				t.Log(log)
			}
		})
	}
}

func TestNodeModules(t *testing.T) {
	for _, test := range []struct {
		name, handler string
		files         map[string]string
	}{
		{"CommonJS", "index.handler", map[string]string{"index.js": `exports.handler = async () => 'ok'`}},
		{"ES module", "index.handler", map[string]string{"index.mjs": `export const handler = async () => 'ok'`}},
		{"top-level await", "index.handler", map[string]string{"index.mjs": `const v = await Promise.resolve('ok'); export const handler = async () => v`}},
		{"cjs", "index.handler", map[string]string{"index.cjs": `exports.handler = async () => 'ok'`}},
		{"type module", "index.handler", map[string]string{
			"package.json": `{"type": "module"}`, "index.js": `export const handler = async () => 'ok'`,
		}},
		{"type module further down", "src/index.handler", map[string]string{
			"package.json": `{"type": "commonjs"}`, "src/package.json": `{"type": "module"}`,
			"src/index.js": `export const handler = async () => 'ok'`,
		}},
		{"folder", "src/api/index.handler", map[string]string{"src/api/index.js": `exports.handler = async () => 'ok'`}},
		{"nested", "index.api.v1.get", map[string]string{"index.js": `exports.api = { v1: { get: async () => 'ok' } }`}},
		{"package", "shop.handler", map[string]string{
			"node_modules/shop/index.js": `exports.handler = async () => 'ok'`,
		}},
		{"dependency", "index.handler", map[string]string{
			"index.js":                  `const dep = require('dep'); exports.handler = async () => dep`,
			"node_modules/dep/index.js": `module.exports = 'ok'`,
		}},
		{"dependency of a module", "index.handler", map[string]string{
			"index.mjs":                     `import dep from 'dep'; export const handler = async () => dep`,
			"node_modules/dep/package.json": `{"main": "index.js"}`,
			"node_modules/dep/index.js":     `module.exports = 'ok'`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{})
			r := invoke(t, e, nodeFunction(t, test.handler, test.files), `{}`)
			wantPayload(t, r, `"ok"`)
			if t.Failed() {
				t.Log(log)
			}
		})
	}
}

// TestNodeProjectAbove has code within a project of ES modules. On Lambda there
// is nothing above the code.
func TestNodeProjectAbove(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"package.json":                 `{"type": "module"}`,
		"cdk.out/asset.1/index.js":     `const { v } = require('./lib/v'); exports.handler = async () => v`,
		"cdk.out/asset.1/lib/v.js":     `exports.v = 'ok'`,
		"cdk.out/asset.2/index.js":     `import { v } from './v.js'; export const handler = async () => v`,
		"cdk.out/asset.2/v.js":         `export const v = 'ok'`,
		"cdk.out/asset.2/package.json": `{"type": "module"}`,
	})
	for _, asset := range []string{"asset.1", "asset.2"} {
		e, log := newEngine(t, Options{})
		fn := inNode(t, "")
		fn.Code.Path = dir + "/cdk.out/" + asset
		r := invoke(t, e, fn, `{}`)
		wantPayload(t, r, `"ok"`)
		if t.Failed() {
			t.Log(log)
		}
	}
}

func TestNodeContext(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := inNode(t, `exports.handler = async (e, c) => ({ ...c, remaining: c.getRemainingTimeInMillis(),
		trace: process.env._X_AMZN_TRACE_ID, dir: process.cwd(), callbackWaitsForEmptyEventLoop: undefined })`)
	r := invokeWith(t, e, fn, Invocation{
		TraceID: "Root=1-2", ClientContext: `{"custom": {"a": 1}}`, CognitoIdentity: `{"cognitoIdentityId": "me"}`,
	})
	got := decode[map[string]any](t, r)
	remaining, _ := got["remaining"].(float64)
	stream, _ := got["logStreamName"].(string)
	if remaining < 20000 || remaining > 30000 || !strings.Contains(stream, "[$LATEST]") {
		t.Errorf("remaining %v ms, log stream %q", remaining, stream)
	}
	delete(got, "remaining")
	delete(got, "logStreamName")
	text, _ := json.Marshal(got)
	want := `{"awsRequestId":"` + r.RequestID + `","clientContext":{"custom":{"a":1}},"dir":"` + fn.Code.Path +
		`","functionName":"Code","functionVersion":"$LATEST","identity":{"cognitoIdentityId":"me"},` +
		`"invokedFunctionArn":"` + fn.ARN + `","logGroupName":"/aws/lambda/Code","memoryLimitInMB":"256","trace":"Root=1-2"}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestNodeErrors(t *testing.T) {
	for _, test := range []struct{ name, text, payload, log string }{
		{
			"thrown", `exports.handler = async () => { throw new TypeError('no such order') }`,
			`{"errorType":"TypeError","errorMessage":"no such order","trace":["TypeError: no such order","    at ...`,
			`	ERROR	Invoke Error 	{"errorType":"TypeError","errorMessage":"no such order","stack":["TypeError: no such order",`,
		},
		{
			"thrown at once", `exports.handler = () => { throw new Error('at once') }`,
			`{"errorType":"Error","errorMessage":"at once","trace":["Error: at once",...`,
			`	ERROR	Invoke Error 	{"errorType":"Error","errorMessage":"at once",`,
		},
		{
			"callback", `exports.handler = (e, c, done) => done(new Error('called back'))`,
			`{"errorType":"Error","errorMessage":"called back","trace":["Error: called back",...`,
			`	ERROR	Invoke Error 	{"errorType":"Error","errorMessage":"called back",`,
		},
		{
			"a text", `exports.handler = async () => { throw 'just text' }`,
			`{"errorType":"string","errorMessage":"just text","trace":[]}`,
			`	ERROR	Invoke Error 	{"errorType":"Error","errorMessage":"just text",`,
		},
		{
			"a class with fields", `class Missing extends Error { constructor(id) { super('missing'); this.name = 'Missing'; this.id = id } }
			exports.handler = async () => { throw new Missing(7) }`,
			`{"errorType":"Missing","errorMessage":"missing","trace":["Missing: missing",...`,
			`	ERROR	Invoke Error 	{"errorType":"Missing","errorMessage":"missing","name":"Missing","id":7,"stack":[`,
		},
		{
			"fail", `exports.handler = (e, c) => c.fail()`,
			`{"errorType":"string","errorMessage":"handled","trace":[]}`, `	ERROR	Invoke Error 	`,
		},
		{
			"never settled", `exports.handler = async () => new Promise(() => {})`,
			`{"errorType":"Runtime.NodeJsExit","errorMessage":"The Lambda runtime client detected an unexpected Node.js exit code. ` +
				`This is most commonly caused by a Promise that was never settled. For more information, see ` +
				`https://nodejs.org/docs/latest/api/process.html#exit-codes","trace":[...`,
			`	ERROR	Invoke Error 	{"errorType":"Runtime.NodeJsExit",`,
		},
		{
			"a response that is no JSON", `exports.handler = async () => { const a = {}; a.a = a; return a }`,
			`{"errorType":"Runtime.JSONStringifyError","errorMessage":"Unable to stringify response body","trace":[...`,
			`	ERROR	Invoke Error 	{"errorType":"Runtime.JSONStringifyError",`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{})
			fn := inNode(t, test.text)
			r := invoke(t, e, fn, `{}`)
			wantNodeFailure(t, r, test.payload)
			if !strings.Contains(log.String(), "Z\t"+r.RequestID+test.log) {
				t.Errorf("log:\n%s", log)
			}
			if again := invoke(t, e, fn, `{}`); again.Report.InitDuration != 0 {
				t.Error("the process was not used again")
			}
		})
	}
}

// wantNodeFailure checks an error whose stack differs from machine to machine:
// "..." stands for the rest.
func wantNodeFailure(t *testing.T, r *Result, want string) {
	t.Helper()
	got := string(r.Payload)
	start, open := strings.CutSuffix(strings.ReplaceAll(want, "ID", r.RequestID), "...")
	if r.FunctionError != "Unhandled" || !json.Valid(r.Payload) ||
		open && !strings.HasPrefix(got, start) || !open && got != start {
		t.Errorf("got  %s (error %q)\nwant %s", got, r.FunctionError, want)
	}
}

func TestNodeFatalErrors(t *testing.T) {
	for _, test := range []struct{ name, text, payload, log string }{
		{
			"uncaught", `exports.handler = () => { setTimeout(() => { throw new RangeError('too late') }, 5) }`,
			`{"errorType":"RangeError","errorMessage":"too late","trace":["RangeError: too late",...`,
			"Runtime exited with error: exit status 129",
		},
		{
			"unhandled rejection", `exports.handler = () => { Promise.reject(new Error('nobody cared')); setTimeout(() => {}, 1000) }`,
			`{"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"Error: nobody cared","trace":["Runtime.UnhandledPromiseRejection: Error: nobody cared",...`,
			"Runtime exited with error: exit status 128",
		},
		{
			"process.exit(0)", `exports.handler = async () => process.exit(0)`,
			`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited without providing a reason"}`,
			"Runtime exited without providing a reason",
		},
		{
			"process.exit(9)", `exports.handler = async () => process.exit(9)`,
			`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 9"}`,
			"Runtime exited with error: exit status 9",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{})
			fn := inNode(t, test.text)
			r := invoke(t, e, fn, `{}`)
			wantNodeFailure(t, r, test.payload)
			if !strings.Contains(log.String(), "RequestId: "+r.RequestID+" Error: "+test.log+"\nRuntime.ExitError\nEND ") {
				t.Errorf("log:\n%s", log)
			}
			if r.Report.ErrorType != "Runtime.ExitError" {
				t.Errorf("report %+v", r.Report)
			}
			if again := invoke(t, e, fn, `{}`); again.Report.InitDuration == 0 {
				t.Error("the process was used again")
			}
		})
	}
}

func TestNodeInitErrors(t *testing.T) {
	for _, test := range []struct {
		name, handler string
		files         map[string]string
		errorType     string
		payload       string
	}{
		{
			"no such module", "app.handler",
			map[string]string{"index.js": ""},
			"Runtime.ImportModuleError",
			`{"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find module 'app'\nRequire stack:...`,
		},
		{
			"no such dependency", "index.handler",
			map[string]string{"index.js": `require('left-pad')`},
			"Runtime.ImportModuleError",
			`{"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find module 'left-pad'\nRequire stack:...`,
		},
		{
			"no such dependency of a module", "index.handler",
			map[string]string{"index.mjs": `import 'left-pad'`},
			"Runtime.Unknown",
			`{"errorType":"Error","errorMessage":"Cannot find package 'left-pad' imported from ...`,
		},
		{
			"no such export", "index.handler",
			map[string]string{"index.js": `exports.main = 1`},
			"Runtime.HandlerNotFound",
			`{"errorType":"Runtime.HandlerNotFound","errorMessage":"index.handler is undefined or not exported","trace":[...`,
		},
		{
			"not a function", "index.handler",
			map[string]string{"index.js": `exports.handler = 1`},
			"Runtime.HandlerNotFound",
			`{"errorType":"Runtime.HandlerNotFound","errorMessage":"index.handler is not a function","trace":[...`,
		},
		{
			"syntax", "index.handler",
			map[string]string{"index.js": `exports.handler = (`},
			"Runtime.UserCodeSyntaxError",
			`{"errorType":"Runtime.UserCodeSyntaxError","errorMessage":"SyntaxError: Unexpected end of input","trace":[...`,
		},
		{
			"no dot", "index",
			map[string]string{"index.js": ``},
			"Runtime.MalformedHandlerName",
			`{"errorType":"Runtime.MalformedHandlerName","errorMessage":"Bad handler","trace":[...`,
		},
		{
			"two dots", "../index.handler",
			map[string]string{"index.js": ``},
			"Runtime.MalformedHandlerName",
			`{"errorType":"Runtime.MalformedHandlerName","errorMessage":"'../index.handler' is not a valid handler name. ` +
				`Use absolute paths when specifying root directories in handler names.","trace":[...`,
		},
		{
			"thrown", "index.handler",
			map[string]string{"index.js": `throw new Error('no configuration')`},
			"Runtime.Unknown",
			`{"errorType":"Error","errorMessage":"no configuration","trace":["Error: no configuration",...`,
		},
		{
			"rejected", "index.handler",
			map[string]string{"index.mjs": `await Promise.reject(new Error('no configuration'))`},
			"Runtime.Unknown",
			`{"errorType":"Error","errorMessage":"no configuration","trace":["Error: no configuration",...`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{})
			r := invoke(t, e, nodeFunction(t, test.handler, test.files), `{}`)
			wantNodeFailure(t, r, test.payload)
			text := log.String()
			if !strings.Contains(text, "\tundefined\tERROR\tInit Error \t{\"errorType\":") ||
				!strings.Contains(text, "\tPhase: init\tStatus: error\tError Type: "+test.errorType+"\nSTART ") ||
				!strings.HasSuffix(text, "\tStatus: error\tError Type: "+test.errorType+"\n") {
				t.Errorf("log:\n%s", text)
			}
		})
	}
}

func TestNodeLogs(t *testing.T) {
	e, log := newEngine(t, Options{})
	r := invoke(t, e, inNode(t, `console.log('at init');
		exports.handler = async () => {
			console.log('plain %s', 'text', { a: 1 }); console.warn('careful'); console.debug('d');
			console.error(new Error('odd').message); console.info('two\nlines'); process.stdout.write('raw\n');
		}`), `{}`)
	stamp := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	got := stamp.ReplaceAllString(strings.ReplaceAll(log.String(), r.RequestID, "ID"), "TIME")
	got, _, _ = strings.Cut(got, "REPORT")
	want := `TIME	undefined	INFO	at init
START RequestId: ID Version: $LATEST
TIME	ID	INFO	plain text { a: 1 }
TIME	ID	WARN	careful
TIME	ID	DEBUG	d
TIME	ID	ERROR	odd
TIME	ID	INFO	two
lines
raw
END RequestId: ID
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestNodeLogsAsJSON(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := inNode(t, `exports.handler = async () => {
		console.debug('hidden'); console.log({ order: 7 }); console.warn('a', 1); console.error('failed:', new RangeError('odd')) }`)
	fn.LogFormat = "JSON"
	r := invoke(t, e, fn, `{}`)
	var got []string
	for _, line := range log.lines() {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if entry["requestId"] != r.RequestID || !regexp.MustCompile(`^\d{4}-.*Z$`).MatchString(entry["timestamp"].(string)) {
			t.Errorf("line %s", line)
		}
		for _, name := range []string{"requestId", "timestamp", "stackTrace"} {
			delete(entry, name)
		}
		if text, ok := entry["message"].(string); ok {
			entry["message"], _, _ = strings.Cut(text, "\n")
		}
		text, _ := json.Marshal(entry)
		got = append(got, string(text))
	}
	want := []string{
		`{"level":"INFO","message":{"order":7}}`,
		`{"level":"WARN","message":"a 1"}`,
		`{"errorMessage":"odd","errorType":"RangeError","level":"ERROR","message":"failed: RangeError: odd"}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s", strings.Join(got, "\n"))
	}
}

// TestNodeLargeLog fills the pipe while standard output is non-blocking.
func TestNodeLargeLog(t *testing.T) {
	e, log := newEngine(t, Options{})
	invoke(t, e, inNode(t, `exports.handler = async () => {
		process.stdout.write(''); for (let n = 0; n < 3000; n++) console.log('x'.repeat(200)) }`), `{}`)
	if n := strings.Count(log.String(), strings.Repeat("x", 200)+"\n"); n != 3000 {
		t.Errorf("%d lines of 3000", n)
	}
}

func TestNodeStreams(t *testing.T) {
	for _, test := range []struct{ name, body, payload, contentType string }{
		{"pieces", `out.setContentType('text/plain'); out.write('one, '); await new Promise((r) => setTimeout(r, 5)); out.write('two'); out.end()`, `one, two`, "text/plain"},
		{"nothing", `out.end()`, ``, "application/octet-stream"},
		{"pipeline", `const { Readable } = require('stream'); await require('stream/promises').pipeline(Readable.from(['a', 'b']), out)`, `ab`, "application/octet-stream"},
		{
			"http", `out = awslambda.HttpResponseStream.from(out, { statusCode: 201 }); out.write('made'); out.end()`,
			"{\"statusCode\":201}\x00\x00\x00\x00\x00\x00\x00\x00made", "application/vnd.awslambda.http-integration-response",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{})
			fn := inNode(t, `exports.handler = awslambda.streamifyResponse(async (event, out, context) => { `+test.body+` })`)
			for range 2 {
				r := invoke(t, e, fn, `{}`)
				wantPayload(t, r, test.payload)
				if r.ContentType != test.contentType {
					t.Errorf("content type %q", r.ContentType)
				}
			}
			if t.Failed() {
				t.Log(log)
			}
		})
	}
}

func TestNodeStreamErrors(t *testing.T) {
	for _, test := range []struct{ name, handler, payload string }{
		{
			"midway", `async (event, out) => { out.write('some'); throw new TypeError('dried up') }`,
			`{"errorType":"TypeError","errorMessage":"dried up","trace":["TypeError: dried up",...`,
		},
		{
			"at once", `async () => { throw new TypeError('dried up') }`,
			`{"errorType":"TypeError","errorMessage":"dried up","trace":["TypeError: dried up",...`,
		},
		{
			"never begun", `async (event, out) => {}`,
			`{"errorType":"string","errorMessage":"Response stream is not finished.","trace":[]}`,
		},
		{
			"not async", `(event, out) => 1`,
			`{"errorType":"string","errorMessage":"Streaming does not support non-async handlers.","trace":[]}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{})
			fn := inNode(t, `exports.handler = awslambda.streamifyResponse(`+test.handler+`)`)
			for range 2 {
				wantNodeFailure(t, invoke(t, e, fn, `{}`), test.payload)
			}
			if t.Failed() {
				t.Log(log)
			}
		})
	}
}

// TestNode24 has the runtime that takes no callbacks, whatever Node.js runs it.
func TestNode24(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := inNode(t, `exports.handler = (event, context, callback) => callback(null, 1)`)
	fn.Runtime = "nodejs24.x"
	wantNodeFailure(t, invoke(t, e, fn, `{}`), `{"errorType":"Runtime.CallbackHandlerDeprecated","errorMessage":"ERROR: AWS Lambda has removed support `+
		`for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature `+
		`to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.","trace":[...`)
	fn = inNode(t, `exports.handler = (event, context) => ({ methods: typeof context.succeed })`)
	fn.Runtime = "nodejs24.x"
	wantPayload(t, invoke(t, e, fn, `{}`), `{"methods":"undefined"}`)
	fn = inNode(t, `exports.handler = awslambda.streamifyResponse(async (event, out, context) => out.end('ok'))`)
	fn.Runtime = "nodejs24.x"
	wantPayload(t, invoke(t, e, fn, `{}`), `ok`)
	notes := 1
	if nodeMajor(t) == 24 {
		notes = 0
	}
	if strings.Count(log.String(), "bailey: Code: runtime nodejs24.x runs on Node.js ") != notes {
		t.Errorf("not %d notes of the version:\n%s", notes, log)
	}
}

func TestNodeInline(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := inNode(t, "")
	fn.Code = model.Code{Inline: `exports.handler = async () => __filename.split('/').pop()`}
	wantPayload(t, invoke(t, e, fn, `{}`), `"index.js"`)
}

func TestNodeLayers(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := inNode(t, `const { execFileSync } = require('child_process');
		exports.handler = async () => [require('a'), require('b'), execFileSync('tool').toString()]`)
	lower := writeFiles(t, map[string]string{
		"nodejs/node_modules/a/index.js": `module.exports = 'a, lower'`,
		"nodejs/node_modules/b/index.js": `module.exports = 'b, lower'`,
		"bin/tool":                       "#!/bin/sh\nprintf tool",
	})
	upper := writeFiles(t, map[string]string{"nodejs/node_modules/b/index.js": `module.exports = 'b, upper'`})
	fn.Layers = []*model.Layer{{Path: lower}, {Path: upper}}
	wantPayload(t, invoke(t, e, fn, `{}`), `["a, lower","b, upper","tool"]`)
}
