package websocket_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ws "github.com/coder/websocket"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/websocket"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// functions stand for the engine: by name, what each does with an event.
type functions struct {
	mu    sync.Mutex
	do    map[string]func(event map[string]any) (string, string, error) // payload, FunctionError, error
	calls chan call
}

type call struct {
	function string
	event    map[string]any
	text     string
}

func (f *functions) invoke(_ context.Context, fn *model.Function, in local.Invocation) (*local.Result, error) {
	var event map[string]any
	if err := json.Unmarshal(in.Payload, &event); err != nil {
		return nil, err
	}
	f.calls <- call{fn.Name, event, string(in.Payload)}
	f.mu.Lock()
	do := f.do[fn.Name]
	f.mu.Unlock()
	if do == nil {
		return &local.Result{Payload: []byte(`{"statusCode":200}`)}, nil
	}
	payload, failed, err := do(event)
	if err != nil {
		return nil, err
	}
	return &local.Result{Payload: []byte(payload), FunctionError: failed}, nil
}

func (f *functions) set(name string, do func(map[string]any) (string, string, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.do[name] = do
}

// next is the next invocation, of the named function.
func (f *functions) next(t *testing.T, name string) call {
	t.Helper()
	select {
	case c := <-f.calls:
		if c.function != name {
			t.Fatalf("%s was invoked, want %s: %s", c.function, name, c.text)
		}
		return c
	case <-time.After(10 * time.Second):
		t.Fatalf("%s was not invoked", name)
		return call{}
	}
}

// fixed answers always the same.
func fixed(payload string) func(map[string]any) (string, string, error) {
	return func(map[string]any) (string, string, error) { return payload, "", nil }
}

func failing(payload string) func(map[string]any) (string, string, error) {
	return func(map[string]any) (string, string, error) { return payload, "Unhandled", nil }
}

func fn(name string) *model.Function {
	return &model.Function{ID: model.ID{Path: "Chat/" + name, Name: name}, FunctionName: name}
}

// chat is an application with one API and all kinds of routes.
func chat() *model.Application {
	return &model.Application{
		Region: "us-east-1", AccountID: "123456789012",
		WebSocketAPIs: []*model.WebSocketAPI{{
			ID: model.ID{Path: "Chat/Api", Name: "Api"}, APIID: "abcdef1234", StageName: "live",
			RouteSelectionExpression: "$request.body.action",
			Routes: []*model.WebSocketRoute{
				{Key: "$connect", Function: fn("Connect"), TimeoutMillis: 29000, AuthorizationType: "NONE"},
				{Key: "$disconnect", Function: fn("Disconnect"), TimeoutMillis: 29000},
				{Key: "$default", Function: fn("Default"), TimeoutMillis: 29000},
				{Key: "say", Function: fn("Say"), TimeoutMillis: 29000},
				{Key: "ask", Function: fn("Ask"), TimeoutMillis: 29000, RouteResponse: true},
				{Key: "mock"},
			},
		}},
	}
}

type fixture struct {
	*functions
	server *websocket.Server
	http   *httptest.Server
	log    *lines
}

type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func start(t *testing.T, app *model.Application, change func(*websocket.Options)) *fixture {
	t.Helper()
	f := &fixture{functions: &functions{do: map[string]func(map[string]any) (string, string, error){}, calls: make(chan call, 1000)}, log: &lines{}}
	o := websocket.Options{Application: app, Invoke: f.invoke, Logs: f.log}
	if change != nil {
		change(&o)
	}
	var err error
	if f.server, err = websocket.New(o); err != nil {
		t.Fatal(err)
	}
	f.http = httptest.NewServer(f.server.Handler("Chat/Api"))
	t.Cleanup(func() {
		if err := f.server.Close(); err != nil {
			t.Error(err)
		}
		f.http.Close()
	})
	return f
}

// dial connects, and gives the event of $connect.
func (f *fixture) dial(t *testing.T, path string, o *ws.DialOptions) (*ws.Conn, call) {
	t.Helper()
	c, _, err := ws.Dial(t.Context(), f.http.URL+path, o)
	if err != nil {
		t.Fatal(err, f.log)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	c.SetReadLimit(1 << 20)
	return c, f.next(t, "Connect")
}

// refused dials in vain.
func (f *fixture) refused(t *testing.T, path string, o *ws.DialOptions) (int, string) {
	t.Helper()
	c, r, err := ws.Dial(t.Context(), f.http.URL+path, o)
	if err == nil {
		_ = c.CloseNow()
		t.Fatal("the connection was made")
	}
	if r == nil {
		t.Fatal(err)
	}
	body := make([]byte, 4096)
	n, _ := r.Body.Read(body)
	return r.StatusCode, string(body[:n])
}

func write(t *testing.T, c *ws.Conn, message string) {
	t.Helper()
	if err := c.Write(t.Context(), ws.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, c *ws.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	kind, message, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if kind != ws.MessageText {
		t.Errorf("message of kind %v", kind)
	}
	return string(message)
}

func closed(t *testing.T, c *ws.Conn) ws.CloseError {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, _, err := c.Read(ctx)
		var e ws.CloseError
		switch {
		case errors.As(err, &e):
			return e
		case err != nil:
			t.Fatal(err)
		}
	}
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func keys(m map[string]any) string {
	var all []string
	for key := range m {
		all = append(all, key)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// TestLife: the events of a connection from its beginning to its end.
func TestLife(t *testing.T) {
	app := chat()
	app.WebSocketAPIs[0].StageVariables = map[string]string{"color": "blue"}
	f := start(t, app, nil)
	host := strings.TrimPrefix(f.http.URL, "http://")
	c, connect := f.dial(t, "/live?room=a&room=b%20c&empty=", &ws.DialOptions{
		HTTPHeader:   http.Header{"X-Name": {"one", "two"}, "User-Agent": {"test"}},
		Subprotocols: []string{"chat.v1"},
	})
	e := connect.event
	if got, want := keys(e), "headers isBase64Encoded multiValueHeaders multiValueQueryStringParameters queryStringParameters requestContext stageVariables"; got != want {
		t.Errorf("$connect has %s\nwant %s", got, want)
	}
	headers, multi := object(e["headers"]), object(e["multiValueHeaders"])
	for name, want := range map[string]string{
		"X-Name": "two", "Host": host, "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "chat.v1",
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "User-Agent": "test",
		"X-Forwarded-Port": host[strings.LastIndex(host, ":")+1:],
	} {
		if headers[name] != want {
			t.Errorf("the header %s is %v, want %s", name, headers[name], want)
		}
	}
	if headers["Connection"] != nil || headers["Upgrade"] != nil || headers["X-Amzn-Trace-Id"] == nil {
		t.Errorf("headers %v", headers)
	}
	if got, _ := json.Marshal(multi["X-Name"]); string(got) != `["one","two"]` {
		t.Errorf("X-Name: %s", got)
	}
	if got, _ := json.Marshal([]any{e["queryStringParameters"], e["multiValueQueryStringParameters"]}); string(got) != `[{"empty":"","room":"b c"},{"empty":[""],"room":["a","b c"]}]` {
		t.Errorf("query: %s", got)
	}
	rc := object(e["requestContext"])
	if got, want := keys(rc), "apiId connectedAt connectionId domainName eventType extendedRequestId identity messageDirection requestId requestTime requestTimeEpoch routeKey stage"; got != want {
		t.Errorf("its context has %s\nwant %s", got, want)
	}
	for name, want := range map[string]any{"eventType": "CONNECT", "routeKey": "$connect", "stage": "live", "apiId": "abcdef1234", "domainName": host, "messageDirection": "IN"} {
		if rc[name] != want {
			t.Errorf("%s is %v, want %v", name, rc[name], want)
		}
	}
	id, _ := rc["connectionId"].(string)
	if len(id) != 16 || !strings.HasSuffix(id, "=") || rc["requestId"] != rc["extendedRequestId"] {
		t.Errorf("ids: %v", rc)
	}

	write(t, c, `{"action": "say", "text": "hé"}`)
	message := f.next(t, "Say")
	if got, want := keys(message.event), "body isBase64Encoded requestContext stageVariables"; got != want {
		t.Errorf("a message has %s\nwant %s", got, want)
	}
	rc = object(message.event["requestContext"])
	if message.event["body"] != `{"action": "say", "text": "hé"}` || rc["eventType"] != "MESSAGE" || rc["routeKey"] != "say" || rc["connectionId"] != id || rc["messageId"] == "" {
		t.Errorf("%s", message.text)
	}

	if err := c.Close(4001, "enough"); err != nil {
		t.Error(err)
	}
	end := f.next(t, "Disconnect")
	rc = object(end.event["requestContext"])
	if rc["eventType"] != "DISCONNECT" || rc["disconnectStatusCode"] != 4001.0 || rc["disconnectReason"] != "enough" || rc["connectionId"] != id {
		t.Errorf("%s", end.text)
	}
	if got, want := keys(object(end.event["headers"])), "Host X-Forwarded-For x-api-key x-restapi"; got != want {
		t.Errorf("$disconnect has the headers %s", got)
	}
}

// TestRoutes: which function a message goes to.
func TestRoutes(t *testing.T) {
	f := start(t, chat(), nil)
	c, _ := f.dial(t, "/live", nil)
	for message, function := range map[string]string{
		`{"action":"say"}`:         "Say",
		`{"action":"shout"}`:       "Default",
		`{"action":"$connect"}`:    "Default",
		`{"action":"$disconnect"}`: "Default",
		`{"action":"$default"}`:    "Default",
		`{"action":{"say":1}}`:     "Default",
		`{"say":"say"}`:            "Default",
		`["say"]`:                  "Default",
		`say`:                      "Default",
		``:                         "Default",
	} {
		write(t, c, message)
		got := f.next(t, function)
		if got.event["body"] != message {
			t.Errorf("%q came as %s", message, got.text)
		}
		if want := map[string]string{"Say": "say", "Default": "$default"}[function]; object(got.event["requestContext"])["routeKey"] != want {
			t.Errorf("%q: %s", message, got.text)
		}
	}
}

// TestAnswers: what comes back to the client, and what does not.
func TestAnswers(t *testing.T) {
	app := chat()
	app.WebSocketAPIs[0].Routes = slices.DeleteFunc(app.WebSocketAPIs[0].Routes, func(r *model.WebSocketRoute) bool { return r.Key == "$default" })
	f := start(t, app, nil)
	c, connect := f.dial(t, "/live", nil)
	id := object(connect.event["requestContext"])["connectionId"]
	f.set("Say", fixed(`{"statusCode":200,"body":"nobody hears this"}`))
	for _, test := range []struct{ name, message, answer, want string }{
		{"one way", `{"action":"say"}`, "", ""},
		{"two way", `{"action":"ask"}`, `{"statusCode":200,"body":"heard"}`, "heard"},
		{"two way, with a failure of its own", `{"action":"ask"}`, `{"statusCode":404,"body":"not so"}`, "not so"},
		{"two way, in base64", `{"action":"ask"}`, `{"statusCode":200,"body":"aMOp","isBase64Encoded":true}`, "hé"},
		{"two way, without a body", `{"action":"ask"}`, `{"statusCode":200}`, ""},
		{"no answer of a proxy", `{"action":"ask"}`, `{"hello":"there"}`, "Internal server error"},
		{"too long an answer", `{"action":"ask"}`, `{"statusCode":200,"body":"` + strings.Repeat("x", 128*1024+1) + `"}`, "Internal server error"},
		{"null", `{"action":"ask"}`, `null`, "Internal server error"},
		{"a failure", `{"action":"ask"}`, `fail`, "Internal server error"},
		{"no route", `{"action":"shout"}`, "", "Forbidden"},
		{"a mock integration", `{"action":"mock"}`, "", ""},
	} {
		if f.set("Ask", fixed(test.answer)); test.answer == "fail" {
			f.set("Ask", failing(`{"errorMessage":"no"}`))
		}
		write(t, c, test.message)
		switch { // before the next test changes the answer
		case strings.Contains(test.message, "ask"):
			f.next(t, "Ask")
		case strings.Contains(test.message, "say"):
			f.next(t, "Say")
		}
		got := ""
		if test.want != "" {
			got = read(t, c)
		}
		if test.want == "Forbidden" || test.want == "Internal server error" {
			var o map[string]any
			if err := json.Unmarshal([]byte(got), &o); err != nil || o["message"] != test.want || o["connectionId"] != id || len(o["requestId"].(string)) != 16 || len(o) != 3 {
				t.Errorf("%s: got %s", test.name, got)
			}
		} else if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	// Nothing else came: the next message is the answer to the next.
	f.set("Ask", fixed(`{"statusCode":200,"body":"last"}`))
	write(t, c, `{"action":"ask"}`)
	if got := read(t, c); got != "last" {
		t.Errorf("got %q", got)
	}
}

// TestTimeout: the client is told at the integration's timeout, and the function
// runs on.
func TestTimeout(t *testing.T) {
	app := chat()
	for _, r := range app.WebSocketAPIs[0].Routes {
		r.TimeoutMillis = 50
	}
	f := start(t, app, nil)
	release := make(chan struct{})
	ended := make(chan struct{})
	f.set("Ask", func(map[string]any) (string, string, error) {
		<-release
		close(ended)
		return `{"statusCode":200,"body":"late"}`, "", nil
	})
	c, _ := f.dial(t, "/live", nil)
	write(t, c, `{"action":"ask"}`)
	if got := read(t, c); !strings.Contains(got, `"message":"Endpoint request timed out"`) {
		t.Error(got)
	}
	close(release)
	<-ended
}

// TestConnectRefused: what the function of $connect answers decides.
func TestConnectRefused(t *testing.T) {
	f := start(t, chat(), nil)
	for _, test := range []struct {
		answer string
		status int
		body   string
	}{
		{`{"statusCode":403,"body":"secret"}`, 403, `"message":"Forbidden"`},
		{`{"statusCode":"401"}`, 401, `"message":"Unauthorized"`},
		{`{"statusCode":500}`, 500, `"message":"Internal Server Error"`},
		{`"ok"`, 502, `"message":"Internal server error"`},
		{`{"statusCode":"two"}`, 502, `"message":"Internal server error"`},
		{`{"statusCode":302}`, 302, ""},
	} {
		f.set("Connect", fixed(test.answer))
		status, body := f.refused(t, "/live", nil)
		f.next(t, "Connect")
		if status != test.status || !strings.Contains(body, test.body) || strings.Contains(body, "secret") {
			t.Errorf("%s: %d %s", test.answer, status, body)
		}
	}
	f.set("Connect", failing(`{"errorMessage":"boom"}`))
	if status, body := f.refused(t, "/live", nil); status != 502 || !strings.Contains(body, `"message":"Internal server error","connectionId":"`) || strings.Contains(body, "boom") {
		t.Errorf("%d %s", status, body)
	}
	if !strings.Contains(f.log.String(), "boom") {
		t.Errorf("the log has no cause: %s", f.log)
	}
	f.set("Connect", func(map[string]any) (string, string, error) { return "", "", errors.New("no such program") })
	if status, body := f.refused(t, "/live", nil); status != 502 || strings.Contains(body, "program") {
		t.Errorf("%d %s", status, body)
	}
}

// TestAddresses: where a client may connect.
func TestAddresses(t *testing.T) {
	f := start(t, chat(), nil)
	for _, path := range []string{"/live", "/live/", "/", "", "/?a=b"} {
		c, _ := f.dial(t, path, nil)
		_ = c.CloseNow()
		f.next(t, "Disconnect")
	}
	for path, status := range map[string]int{"/dead": 403, "/live/more": 403, "//live": 403, "/live/..": 403, "/%6Cive/%2e": 403} {
		if got, body := f.refused(t, path, nil); got != status || body != `{"message":"Forbidden"}` {
			t.Errorf("%s: %d %s", path, got, body)
		}
	}
	if got, _ := f.refused(t, "/live?x="+strings.Repeat("x", 4100), nil); got != 414 {
		t.Errorf("a long address: %d", got)
	}
	r, err := http.Get(f.http.URL + "/live")
	if err != nil || r.StatusCode != 426 || r.Header.Get("Upgrade") != "websocket" {
		t.Errorf("a plain GET: %v %v", r, err)
	}
}

// TestStrangers: pages from elsewhere and names that lead here are refused.
func TestStrangers(t *testing.T) {
	f := start(t, chat(), func(o *websocket.Options) {
		o.Origins = []string{"https://shop.example"}
		o.Hosts = []string{"box.lan"}
	})
	for _, test := range []struct {
		host, origin string
		status       int
	}{
		{"", "https://evil.example", 403},
		{"", "null", 403},
		{"rebound.example", "", 403},
		{"rebound.example:3000", "http://localhost", 403},
		{"", "http://127.0.0.1.evil.example", 403},
	} {
		status, _ := f.refused(t, "/live", &ws.DialOptions{Host: test.host, HTTPHeader: http.Header{"Origin": {test.origin}}})
		if status != test.status {
			t.Errorf("%+v: %d", test, status)
		}
	}
	for _, o := range []*ws.DialOptions{
		{HTTPHeader: http.Header{"Origin": {"https://shop.example"}}},
		{HTTPHeader: http.Header{"Origin": {"http://localhost:5173"}}},
		{HTTPHeader: http.Header{"Origin": {"http://[::1]:5173"}}},
		{Host: "box.lan:3000"},
		{Host: "api.localhost"},
	} {
		f.dial(t, "/live", o)
	}
}

// TestSubprotocol: the one that the function names, if the client offered it.
func TestSubprotocol(t *testing.T) {
	f := start(t, chat(), nil)
	f.set("Connect", fixed(`{"statusCode":200,"headers":{"sec-websocket-protocol":"two"}}`))
	c, _ := f.dial(t, "/live", &ws.DialOptions{Subprotocols: []string{"one", "two"}})
	if c.Subprotocol() != "two" {
		t.Errorf("got %q", c.Subprotocol())
	}
}
