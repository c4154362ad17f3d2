//go:build unix

package local

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// runtimeClient is a runtime without a process, driven by a test.
type runtimeClient struct {
	t        *testing.T
	api      *runtimeAPI
	instance *instance
	client   *http.Client
}

func newRuntimeClient(t *testing.T) *runtimeClient {
	t.Helper()
	e, _ := newEngine(t, Options{})
	p, err := e.pool(goFunction("echo"))
	if err != nil {
		t.Fatal(err)
	}
	i := newInstance(p)
	e.api.add(i)
	return &runtimeClient{t: t, api: e.api, instance: i, client: &http.Client{}}
}

// reply is an answer of the server.
type reply struct {
	status int
	body   string
	header http.Header
}

func (c *runtimeClient) call(method, path, body string, headers ...string) reply {
	c.t.Helper()
	return c.do(c.request(method, "http://"+c.api.address+"/"+c.instance.token+path, body, headers...))
}

func (c *runtimeClient) request(method, url, body string, headers ...string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for n := 0; n < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	return r
}

func (c *runtimeClient) do(r *http.Request) reply {
	c.t.Helper()
	response, err := c.client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return reply{response.StatusCode, string(text), response.Header}
}

func (c *runtimeClient) want(got reply, status int, body string) {
	c.t.Helper()
	if got.status != status || got.body != body {
		c.t.Errorf("got  %d %q\nwant %d %q", got.status, got.body, status, body)
	}
}

// deliver gives the runtime an event and returns its invocation.
func (c *runtimeClient) deliver(in Invocation) (*invocation, reply) {
	c.t.Helper()
	inv, err := newInvocation(c.instance.pool.fn, in)
	if err != nil {
		c.t.Fatal(err)
	}
	inv.deadline = time.UnixMilli(1764000000123)
	got := make(chan reply, 1)
	go func() { got <- c.call("GET", "/2018-06-01/runtime/invocation/next", "") }()
	<-c.instance.idle
	c.instance.dispatch(inv)
	return inv, <-got
}

const okBody = "{\"status\":\"OK\"}\n"

func TestNextInvocation(t *testing.T) {
	c := newRuntimeClient(t)
	inv, got := c.deliver(Invocation{
		Payload: []byte(`{"a": 1}`), RequestID: "r-1", TraceID: "Root=1", ClientContext: `{"c": 1}`, CognitoIdentity: `{"i": 1}`,
	})
	c.want(got, 200, `{"a": 1}`)
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id":       "r-1",
		"Lambda-Runtime-Deadline-Ms":          "1764000000123",
		"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:echo",
		"Lambda-Runtime-Trace-Id":             "Root=1",
		"Lambda-Runtime-Client-Context":       `{"c":1}`,
		"Lambda-Runtime-Cognito-Identity":     `{"i":1}`,
		"Content-Type":                        "application/json",
		"Content-Length":                      "8",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), want)
		}
	}
	c.want(c.call("POST", "/2018-06-01/runtime/invocation/r-1/response", `"done"`, "Content-Type", "text/x"), 202, okBody)
	if a := <-inv.answer; string(a.payload) != `"done"` || a.functionError != "" || a.contentType != "text/x" {
		t.Errorf("answer %+v", a)
	}
	_, got = c.deliver(Invocation{RequestID: "r-2"})
	if _, set := got.header["Lambda-Runtime-Client-Context"]; set {
		t.Error("a client context that was not given")
	}
}

func TestInvocationErrors(t *testing.T) {
	for _, test := range []struct{ name, contentType, body, want, wantType string }{
		{"JSON", "application/json", `{"errorType":"E","errorMessage":"m","own":1}`, `{"errorType":"E","errorMessage":"m","own":1}`, "application/json"},
		{"anything", "text/plain", `it broke`, `it broke`, "text/plain"},
		{
			"with a cause", "application/vnd.aws.lambda.error.cause+json",
			`{"errorType":"E","errorMessage":"m","stackTrace":["a"],"errorCause":{"x":1}}`,
			`{"errorMessage":"m","errorType":"E","stackTrace":["a"]}`, "application/json",
		},
		{"with a broken cause", "application/vnd.aws.lambda.error.cause+json", `{`, `"Invalid error body"`, "application/octet-stream"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newRuntimeClient(t)
			inv, _ := c.deliver(Invocation{RequestID: "r-1"})
			c.want(c.call("POST", "/2018-06-01/runtime/invocation/r-1/error", test.body, "Content-Type", test.contentType), 202, okBody)
			a := <-inv.answer
			if string(a.payload) != test.want || a.contentType != test.wantType || a.functionError != "Unhandled" || a.status != "" {
				t.Errorf("answer %s %+v", a.payload, a)
			}
		})
	}
}

func TestWrongRequestID(t *testing.T) {
	const refused = "{\"errorMessage\":\"Invalid request ID\",\"errorType\":\"InvalidRequestID\"}\n"
	c := newRuntimeClient(t)
	for _, kind := range []string{"response", "error"} {
		c.want(c.call("POST", "/2018-06-01/runtime/invocation/early/"+kind, `1`), 400, refused)
	}
	c.deliver(Invocation{RequestID: "r-1"})
	for _, kind := range []string{"response", "error"} {
		c.want(c.call("POST", "/2018-06-01/runtime/invocation/r-2/"+kind, `1`), 400, refused)
	}
	c.want(c.call("POST", "/2018-06-01/runtime/invocation/r-1/response", `1`), 202, okBody)
	for _, kind := range []string{"response", "error"} { // a second answer
		c.want(c.call("POST", "/2018-06-01/runtime/invocation/r-1/"+kind, `1`), 400, refused)
	}
}

func TestStateTransitions(t *testing.T) {
	c := newRuntimeClient(t)
	c.deliver(Invocation{RequestID: "r-1"})
	c.want(c.call("GET", "/2018-06-01/runtime/invocation/next", ""), 403,
		"{\"errorMessage\":\"State transition from Running to Ready failed for runtime. Error: State transition is not allowed\","+
			"\"errorType\":\"InvalidStateTransition\"}\n")
	c.want(c.call("POST", "/2018-06-01/runtime/init/error", "{}"), 403,
		"{\"errorMessage\":\"State transition from Running to InitError failed for runtime. Error: State transition is not allowed\","+
			"\"errorType\":\"InvalidStateTransition\"}\n")
}

func TestInitErrorCall(t *testing.T) {
	for _, test := range []struct{ body, header, contentType, errorType string }{
		{`{"errorType":"E"}`, "Runtime.NoSuchHandler", "application/json", "Runtime.NoSuchHandler"},
		{`{"errorType":"E"}`, "Function.Odd", "application/json", "Function.Odd"},
		{`text`, "E", "application/octet-stream", "Runtime.Unknown"},
		{`text`, "", "application/octet-stream", "Runtime.Unknown"},
	} {
		c := newRuntimeClient(t)
		c.want(c.call("POST", "/2018-06-01/runtime/init/error", test.body, "Lambda-Runtime-Function-Error-Type", test.header), 202, okBody)
		a := <-c.instance.failed
		if string(a.payload) != test.body || a.contentType != test.contentType || a.errorType != test.errorType ||
			a.status != "error" || a.functionError != "Unhandled" {
			t.Errorf("answer %s %+v", a.payload, a)
		}
		c.want(c.call("GET", "/2018-06-01/runtime/invocation/next", ""), 403,
			"{\"errorMessage\":\"State transition from InitError to Ready failed for runtime. Error: State transition is not allowed\","+
				"\"errorType\":\"InvalidStateTransition\"}\n")
	}
}

func TestResponseSizes(t *testing.T) {
	for _, kind := range []string{"response", "error"} {
		c := newRuntimeClient(t)
		inv, _ := c.deliver(Invocation{RequestID: "r-1"})
		body := strings.Repeat("x", 6291557)
		c.want(c.call("POST", "/2018-06-01/runtime/invocation/r-1/"+kind, body), 413,
			"{\"errorMessage\":\"Exceeded maximum allowed payload size (6291556 bytes).\",\"errorType\":\"RequestEntityTooLarge\"}\n")
		a := <-inv.answer
		if want := `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`; string(a.payload) != want || a.functionError != "Unhandled" {
			t.Errorf("answer %s %+v", a.payload, a)
		}
		// The runtime goes on all the same.
		inv, _ = c.deliver(Invocation{RequestID: "r-2"})
		c.want(c.call("POST", "/2018-06-01/runtime/invocation/r-2/"+kind, body[:6291556]), 202, okBody)
		if a = <-inv.answer; len(a.payload) != 6291556 {
			t.Errorf("%d bytes", len(a.payload))
		}
	}
}

func TestStreamingCalls(t *testing.T) {
	c := newRuntimeClient(t)
	inv, _ := c.deliver(Invocation{RequestID: "r-1"})
	c.want(c.call("POST", "/2018-06-01/runtime/invocation/r-1/response", "x", "Lambda-Runtime-Function-Response-Mode", "odd"), 400,
		"{\"errorMessage\":\"Invalid function response mode\",\"errorType\":\"InvalidFunctionResponseMode\"}\n")
	if a := <-inv.answer; a.errorType != "Runtime.InvalidResponseModeHeader" || a.functionError != "Unhandled" {
		t.Errorf("answer %+v", a)
	}
	failure := base64.StdEncoding.EncodeToString([]byte(`{"errorMessage":"dried up"}`))
	for n, test := range []struct{ errorType, body, want string }{
		{"", "", "piece"},
		{"E", failure, `{"errorMessage":"dried up"}`},
		{"E", "", `{"errorType":"E","errorMessage":""}`},
		{"E", "not base64", `{"errorType":"E","errorMessage":""}`},
	} {
		id := "r-" + strconv.Itoa(n+2)
		inv, _ := c.deliver(Invocation{RequestID: id})
		r := c.request("POST", "http://"+c.api.address+"/"+c.instance.token+"/2018-06-01/runtime/invocation/"+id+"/response", "",
			"Lambda-Runtime-Function-Response-Mode", "streaming")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("piece")), -1
		r.Trailer = http.Header{}
		if test.errorType != "" {
			r.Trailer.Set("Lambda-Runtime-Function-Error-Type", test.errorType)
		}
		if test.body != "" {
			r.Trailer.Set("Lambda-Runtime-Function-Error-Body", test.body)
		}
		c.want(c.do(r), 202, okBody)
		if a := <-inv.answer; string(a.payload) != test.want || (a.functionError != "") != (test.errorType != "") {
			t.Errorf("answer %s %+v", a.payload, a)
		}
	}
}

// TestLostConnection has a runtime that asks again for the next event.
func TestLostConnection(t *testing.T) {
	c := newRuntimeClient(t)
	first := make(chan reply, 1)
	go func() { first <- c.call("GET", "/2018-06-01/runtime/invocation/next", "") }()
	<-c.instance.idle
	second := make(chan reply, 1)
	go func() { second <- c.call("GET", "/2018-06-01/runtime/invocation/next", "") }()
	c.want(<-first, 403, "{\"errorMessage\":\"Another request for the next invocation took over\",\"errorType\":\"InvalidStateTransition\"}\n")
	inv, err := newInvocation(c.instance.pool.fn, Invocation{RequestID: "r-1"})
	if err != nil {
		t.Fatal(err)
	}
	c.instance.dispatch(inv)
	c.want(<-second, 200, "{}")
	if len(c.instance.idle) != 0 {
		t.Error("the runtime counts as idle while it runs")
	}
}

func TestExtensionCalls(t *testing.T) {
	c := newRuntimeClient(t)
	const register = "/2020-01-01/extension/register"
	refused := func(errorType, message string) string {
		return fmt.Sprintf("{\"errorMessage\":%q,\"errorType\":%q}\n", message, errorType)
	}
	c.want(c.call("POST", register, `{}`), 403, refused("Extension.InvalidExtensionName", "Empty extension name"))
	c.want(c.call("POST", register, `{`, "Lambda-Extension-Name", "x"), 403, refused("InvalidRequestFormat", "unexpected end of JSON input"))
	c.want(c.call("POST", register, `{"events": ["SHUTDOWN"]}`, "Lambda-Extension-Name", "x"), 403,
		refused("Extension.InvalidEventType", "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"))
	c.want(c.call("POST", register, `{"events": ["ODD"]}`, "Lambda-Extension-Name", "x"), 403,
		refused("Extension.InvalidEventType", "ODD: ErrorInvalidEventType"))

	quiet := c.call("POST", register, `{"events": []}`, "Lambda-Extension-Name", "quiet")
	c.want(quiet, 200, "{\"functionName\":\"echo\",\"functionVersion\":\"$LATEST\",\"handler\":\"bootstrap\"}\n")
	listening := c.call("POST", register, `{"events": ["INVOKE"]}`, "Lambda-Extension-Name", "listening", "Lambda-Extension-Accept-Feature", "other, accountId")
	c.want(listening, 200, "{\"accountId\":\"123456789012\",\"functionName\":\"echo\",\"functionVersion\":\"$LATEST\",\"handler\":\"bootstrap\"}\n")
	id := listening.header.Get("Lambda-Extension-Identifier")
	if len(id) != 36 || id == quiet.header.Get("Lambda-Extension-Identifier") {
		t.Errorf("identifier %q", id)
	}
	c.want(c.call("POST", register, `{}`, "Lambda-Extension-Name", "quiet"), 403,
		refused("Extension.InvalidExtensionState", "Extension with this name already registered"))
	for n := range 8 {
		c.call("POST", register, `{}`, "Lambda-Extension-Name", strconv.Itoa(n))
	}
	c.want(c.call("POST", register, `{}`, "Lambda-Extension-Name", "one more"), 403, refused("Extension.TooManyExtensions", "Extension limit (10) reached"))

	const next = "/2020-01-01/extension/event/next"
	c.want(c.call("GET", next, ""), 403, refused("Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"))
	c.want(c.call("GET", next, "", "Lambda-Extension-Identifier", "who"), 403, refused("Extension.UnknownExtensionIdentifier", "Unknown extension who"))
	inv, _ := c.deliver(Invocation{RequestID: "r-1", TraceID: "Root=1"})
	got := c.call("GET", next, "", "Lambda-Extension-Identifier", id)
	c.want(got, 200, "{\"eventType\":\"INVOKE\",\"deadlineMs\":1764000000123,\"requestId\":\"r-1\",\"invokedFunctionArn\":\""+
		inv.fn.ARN+"\",\"tracing\":{\"type\":\"X-Amzn-Trace-Id\",\"value\":\"Root=1\"}}\n")
	if len(got.header.Get("Lambda-Extension-Event-Identifier")) != 36 {
		t.Errorf("headers %v", got.header)
	}
	c.want(c.call("POST", register, `{}`, "Lambda-Extension-Name", "late"), 403,
		refused("Extension.RegistrationClosed", "Extension registration closed already"))

	for _, kind := range []string{"init", "exit"} {
		path := "/2020-01-01/extension/" + kind + "/error"
		c.want(c.call("POST", path, "", "Lambda-Extension-Identifier", id), 403,
			refused("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found"))
		c.want(c.call("POST", path, "", "Lambda-Extension-Identifier", id, "Lambda-Extension-Function-Error-Type", "Extension.Odd"), 202, okBody)
	}
}

// TestExtensionNextBlocks has an extension that listens to nothing.
func TestExtensionNextBlocks(t *testing.T) {
	c := newRuntimeClient(t)
	got := c.call("POST", "/2020-01-01/extension/register", `{"events": []}`, "Lambda-Extension-Name", "GoLangEnableSIGTERM")
	r := c.request("GET", "http://"+c.api.address+"/"+c.instance.token+"/2020-01-01/extension/event/next", "",
		"Lambda-Extension-Identifier", got.header.Get("Lambda-Extension-Identifier"))
	c.client.Timeout = 300 * time.Millisecond
	if response, err := c.client.Do(r); err == nil {
		t.Errorf("it answered %s", response.Status)
		_ = response.Body.Close()
	}
}

func TestOtherCalls(t *testing.T) {
	c := newRuntimeClient(t)
	c.want(c.call("PUT", "/2020-08-15/logs", "{}"), 202, "{\"errorMessage\":\"Logs API is not supported\",\"errorType\":\"Logs.NotSupported\"}\n")
	c.want(c.call("PUT", "/2022-07-01/telemetry", "{}"), 202, "{\"errorMessage\":\"Telemetry API is not supported\",\"errorType\":\"Telemetry.NotSupported\"}\n")
	c.want(c.call("GET", "/2018-06-01/ping", ""), 200, "pong")
	c.want(c.call("GET", "/2018-06-01/runtime/restore/next", ""), 404, "404 page not found\n")
	c.want(c.call("POST", "/2018-06-01/runtime/invocation/next", ""), 404, "404 page not found\n")
	c.want(c.call("GET", "/2018-06-01/runtime/invocation/r-1/response", ""), 405, "Method Not Allowed\n")
	c.want(c.call("GET", "", ""), 404, "404 page not found\n")
}

// TestStrangers has callers that are not the engine's own processes.
func TestStrangers(t *testing.T) {
	c := newRuntimeClient(t)
	const refused = "{\"errorMessage\":\"This Runtime API serves its own functions only\",\"errorType\":\"Forbidden\"}\n"
	base := "http://" + c.api.address + "/"
	const path = "/2018-06-01/ping"
	c.want(c.do(c.request("GET", base+"2018-06-01/ping", "")), 403, refused)
	c.want(c.do(c.request("GET", base, "")), 403, refused)
	c.want(c.do(c.request("GET", base+strings.Repeat("0", 32)+path, "")), 403, refused)
	c.want(c.call("GET", path, "", "Origin", "http://"+c.api.address), 403, refused)
	c.want(c.call("GET", path, "", "Origin", "null"), 403, refused)
	for _, host := range []string{"example.com", "localhost:" + strings.Split(c.api.address, ":")[1], "127.0.0.1"} {
		r := c.request("GET", base+c.instance.token+path, "")
		r.Host = host
		c.want(c.do(r), 403, refused)
	}
	if c.call("GET", path, "").status != 200 {
		t.Error("the process itself is refused")
	}
	c.api.remove(c.instance)
	c.want(c.call("GET", path, ""), 403, refused)
}

func TestTokens(t *testing.T) {
	seen := map[string]bool{}
	p := &pool{engine: &Engine{}}
	for range 1000 {
		token := newInstance(p).token
		if len(token) != 32 || seen[token] {
			t.Fatalf("token %q", token)
		}
		seen[token] = true
	}
}

func FuzzErrorJSON(f *testing.F) {
	f.Add([]byte(`{"errorType":"E","errorMessage":"m","stackTrace":["a"],"errorCause":{}}`), "E", "eyJ9")
	f.Add([]byte(`{`), "", "")
	f.Add([]byte("null"), "Runtime.X", "%")
	f.Fuzz(func(t *testing.T, body []byte, errorType, encoded string) {
		text, _ := withoutCause(body)
		if !json.Valid(text) {
			t.Errorf("%q became %q", body, text)
		}
		if bytes.Contains(text, []byte("errorCause")) && !bytes.Contains(body, []byte("errorCause")) {
			t.Errorf("%q became %q", body, text)
		}
		trailer := http.Header{"Lambda-Runtime-Function-Error-Type": {errorType}, "Lambda-Runtime-Function-Error-Body": {encoded}}
		if a, failed := streamFailure(trailer); failed != (errorType != "" || encoded != "") || failed && len(a.payload) == 0 {
			t.Errorf("%q, %q: %v, %q", errorType, encoded, failed, a.payload)
		}
		if got := reportedErrorType(errorType); strings.ContainsAny(got, "\n\t") {
			t.Errorf("%q is reported as %q", errorType, got)
		}
		if failure := platformFailure(statusError, errorType, encoded); !json.Valid(failure.payload) {
			t.Errorf("%q", failure.payload)
		}
	})
}
