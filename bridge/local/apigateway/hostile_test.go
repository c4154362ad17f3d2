//go:build unix

package apigateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const (
	httpQuotas = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"
	restQuotas = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"
	urlQuotas  = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
)

// Bodies and headers up to the limit, and one byte over it.
func TestLimits(t *testing.T) {
	for _, test := range []struct {
		page     string
		protocol model.Protocol
		body     int
		tooLarge string
	}{
		{httpQuotas, model.HTTP, 10 << 20, `413 application/json {"message":"Request Entity Too Large"}`},
		{restQuotas, model.REST, 10 << 20, `413 application/json {"message":"Request Too Long"}`},
		{urlQuotas, model.FunctionURL, 6 << 20, `413 application/json {"Message":"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}`},
	} {
		i := &invoker{payload: `{"statusCode":204}`}
		address, _ := serve(t, Options{Application: application(apiOf(test.protocol, "ANY /{proxy+}")), Invoke: i.invoke})
		for _, over := range []int{0, 1} {
			for _, chunked := range []bool{false, true} {
				size := test.body + over
				request, _ := http.NewRequest("POST", "http://"+address+"/x", bytes.NewReader(bytes.Repeat([]byte("a"), size)))
				request.Header.Set("Content-Type", "text/plain")
				if chunked {
					request.ContentLength = -1
				}
				reply, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatalf("%s, %d bytes: %v", test.protocol, size, err)
				}
				body, _ := io.ReadAll(reply.Body)
				_ = reply.Body.Close()
				got := told(reply, string(body)).with("")
				if over == 0 && reply.StatusCode != 204 || over == 1 && got != test.tooLarge {
					t.Errorf("%s\n%s, %d bytes, chunked %v: %s", test.page, test.protocol, size, chunked, got)
				}
			}
		}
		flood := "GET /x HTTP/1.1\nHost: localhost\n"
		if reply, _ := exchangeRaw(t, address, flood+"X-A: "+strings.Repeat("a", 9000)+"\n\n"); reply.StatusCode != 204 {
			t.Errorf("%s: 9,000 bytes of headers gave %s", test.protocol, reply.Status)
		}
		if reply, _ := exchangeRaw(t, address, flood+strings.Repeat("X-A: "+strings.Repeat("a", 100)+"\n", 110)+"\n"); reply.StatusCode != 431 {
			t.Errorf("%s: a flood of headers gave %s", test.protocol, reply.Status)
		}
		if reply, _ := exchangeRaw(t, address, flood+strings.Repeat("X-A: "+strings.Repeat("a", 1000)+"\n", 100)+"\n"); reply.StatusCode != 431 {
			t.Errorf("%s: 100 KB of headers gave %s", test.protocol, reply.Status)
		}
	}
}

// Answers where no route matches.
func TestNoRoute(t *testing.T) {
	for protocol, want := range map[model.Protocol]string{
		model.HTTP: `404 application/json {"message":"Not Found"}`,                    // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
		model.REST: `403 application/json {"message":"Missing Authentication Token"}`, // gatewayResponses: MISSING_AUTHENTICATION_TOKEN
	} {
		address, _ := serve(t, Options{Application: application(apiOf(protocol, "GET /x")), Invoke: (&invoker{}).invoke})
		for _, request := range []string{
			"POST /x", "GET /y", "GET //x", "GET /./x", "GET /x/../x", "GET /x%00", "GET /X", "GET /x/y", "GET /%2Fx", "GET /..%2f..%2fetc/passwd", "GET /x;a=b",
		} {
			if got := told(exchangeRaw(t, address, request+" HTTP/1.1\nHost: localhost\n\n")).with(""); got != want {
				t.Errorf("%s %s: %s", protocol, request, got)
			}
		}
	}
	address, _ := serve(t, Options{Application: application(apiOf(model.HTTP, "$default")), Invoke: (&invoker{}).invoke})
	if reply, body := exchangeRaw(t, address, "GET /%zz HTTP/1.1\nHost: localhost\n\n"); reply.StatusCode != 400 {
		t.Errorf("an escape that is none gave %s %s", reply.Status, body)
	}
}

// Only this machine is answered, and a page from elsewhere only where the
// application speaks of other origins.
func TestHosts(t *testing.T) {
	cors := apiOf(model.HTTP, "$default")
	cors.CORS = &model.CORS{AllowOrigins: []string{"https://shop.example"}}
	options := apiOf(model.REST, "GET /x", "OPTIONS /x")
	for _, test := range []struct {
		api    *model.API
		o      Options
		header string
		want   int
	}{
		{nil, Options{}, "Host: localhost:3000", 200},
		{nil, Options{}, "Host: shop.localhost", 200},
		{nil, Options{}, "Host: 127.0.0.1", 200},
		{nil, Options{}, "Host: [::1]:3000", 200},
		{nil, Options{}, "Host: evil.example", 403},
		{nil, Options{}, "Host: localhost.evil.example", 403},
		{nil, Options{}, "Host: 192.168.1.7", 403},
		{nil, Options{Hosts: []string{"192.168.1.7"}}, "Host: 192.168.1.7:3000", 200},
		{nil, Options{Hosts: []string{"0.0.0.0"}}, "Host: 192.168.1.7:3000", 200},
		{nil, Options{Hosts: []string{"0.0.0.0"}}, "Host: evil.example", 403},
		{nil, Options{Hosts: []string{"*"}}, "Host: evil.example", 200},
		{nil, Options{}, "Host: localhost\nOrigin: https://evil.example", 403},
		{nil, Options{}, "Host: localhost\nOrigin: null", 403},
		{nil, Options{}, "Host: localhost\nOrigin: http://localhost:5173", 200},
		{nil, Options{}, "Host: localhost\nOrigin: http://127.0.0.1:5173", 200},
		{nil, Options{Origins: []string{"https://app.example"}}, "Host: localhost\nOrigin: https://app.example", 200},
		{cors, Options{}, "Host: localhost\nOrigin: https://evil.example", 200}, // the browser keeps the answer from the page
		{options, Options{}, "Host: localhost\nOrigin: https://evil.example", 200},
	} {
		api := test.api
		if api == nil {
			api = apiOf(model.HTTP, "$default")
		}
		test.o.Application, test.o.Invoke = application(api), (&invoker{payload: `{"statusCode":200}`}).invoke
		address, _ := serve(t, test.o)
		if reply, body := exchangeRaw(t, address, "GET /x HTTP/1.1\n"+test.header+"\n\n"); reply.StatusCode != test.want {
			t.Errorf("%s: %s %s", test.header, reply.Status, body)
		}
	}
}

// Files of the folder are served where no route matches, and no others.
func TestStaticFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"web/index.html": "<p>", "web/a b.txt": "space", "secret.txt": "secret"} {
		if err := os.MkdirAll(filepath.Join(dir, "web"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret.txt", filepath.Join(dir, "web", "link.txt")); err != nil {
		t.Fatal(err)
	}
	i := &invoker{payload: `{"statusCode":200,"body":"route"}`}
	address, _ := serve(t, Options{Application: application(apiOf(model.HTTP, "GET /route")), Invoke: i.invoke, StaticDir: filepath.Join(dir, "web")})
	for request, want := range map[string]string{
		"GET /route":               "200 route",
		"GET /a%20b.txt":           "200 space",
		"GET /link.txt":            `404 {"message":"Not Found"}`,
		"GET /../secret.txt":       `404 {"message":"Not Found"}`,
		"GET /%2e%2e/secret.txt":   `404 {"message":"Not Found"}`,
		"GET /..%2fsecret.txt":     `404 {"message":"Not Found"}`,
		"GET //etc/passwd":         `404 {"message":"Not Found"}`,
		"GET /none.txt":            `404 {"message":"Not Found"}`,
		"POST /a%20b.txt":          `404 {"message":"Not Found"}`,
		"GET /":                    `404 {"message":"Not Found"}`,
		"GET /index.html/../x.txt": `404 {"message":"Not Found"}`,
	} {
		reply, body := exchangeRaw(t, address, request+" HTTP/1.1\nHost: localhost\n\n")
		if got := itoa(reply.StatusCode) + " " + body; got != want {
			t.Errorf("%s: %s", request, got)
		}
	}
	if _, err := New(Options{StaticDir: filepath.Join(dir, "none")}); err == nil || !strings.Contains(err.Error(), "static files") {
		t.Errorf("a folder that is not there gave %v", err)
	}
}

// A client that is slow with its header is let go, and does not hold up others.
func TestSlowHeader(t *testing.T) {
	server := Server(http.NotFoundHandler(), io.Discard)
	server.ReadHeaderTimeout = 50 * time.Millisecond
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost:")
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("the connection stays open: %v", err)
	}
	if Server(nil, io.Discard).ReadHeaderTimeout > 10*time.Second {
		t.Error("a slow header is not bounded")
	}
}

// Malformed requests are answered, or their connection closed, and the server
// goes on.
func TestMalformedRequests(t *testing.T) {
	i := &invoker{payload: `{"statusCode":200}`}
	address, _ := serve(t, Options{Application: application(apiOf(model.HTTP, "$default")), Invoke: i.invoke})
	for _, request := range []string{
		"\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
		"G\x00T / HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nA b: c\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00",
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nab",
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(conn, request)
		_ = conn.(*net.TCPConn).CloseWrite()
		if reply, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil && reply.StatusCode == 200 {
			t.Errorf("%q was answered %s", request, reply.Status)
		}
		_ = conn.Close()
	}
	if reply, _ := exchangeRaw(t, address, "GET / HTTP/1.1\nHost: localhost\n\n"); reply.StatusCode != 200 {
		t.Errorf("after all that: %s", reply.Status)
	}
}

// FuzzEvent gives requests of all kinds to all kinds of APIs: each event is
// JSON with the fields of its format, and the answer is the function's.
func FuzzEvent(f *testing.F) {
	f.Add("GET", "/a/b?c=d&c=e", "Cookie", "a=b", []byte(nil))
	f.Add("POST", "/%ff%00//..;/ü?%zz=%&&=", "Content-Type", "text/plain; charset=\xff", []byte("\x00\xff"))
	f.Add("OPTIONS", "/prod/x", "Origin", "https://\x00", []byte("{}"))
	f.Add("PUT", "//?a", "X-Forwarded-For", ", ,", []byte("x"))
	apis := []*model.API{
		apiOf(model.HTTP, "ANY /{proxy+}", "$default", "GET /a/{b}"), format1(apiOf(model.HTTP, "$default")),
		apiOf(model.REST, "ANY /{proxy+}", "ANY /"), apiOf(model.FunctionURL, "$default"),
	}
	var event []byte
	g, err := New(Options{Application: application(apis...), Invoke: func(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
		event = in.Payload
		return &local.Result{Payload: []byte(`{"statusCode":200,"body":"done"}`)}, nil
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target, name, value string, body []byte) {
		raw := method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + name + ": " + value + "\r\nContent-Length: " + itoa(len(body)) + "\r\n\r\n" + string(body)
		request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			return
		}
		whole, _ := io.ReadAll(request.Body)
		for n := range g.state.Load().order {
			event = nil
			r := request.Clone(t.Context())
			r.Body = io.NopCloser(bytes.NewReader(whole))
			r.RemoteAddr = "127.0.0.1:1"
			recorder := httptest.NewRecorder()
			g.state.Load().order[n].ServeHTTP(recorder, r)
			if event == nil {
				if recorder.Code < 400 && recorder.Code != 204 && recorder.Code != 200 {
					t.Errorf("%q: %d without an invocation", raw, recorder.Code)
				}
				continue
			}
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(event, &fields); err != nil || fields["requestContext"] == nil || fields["headers"] == nil {
				t.Fatalf("%v: %q gave the event %s", err, raw, event)
			}
			if recorder.Code != 200 || recorder.Body.String() != "done" {
				t.Errorf("%q: %d %s", raw, recorder.Code, recorder.Body)
			}
		}
	})
}

// FuzzResponse gives payloads of all kinds: each is answered, by itself or as
// malformed, and no header breaks out of its line.
func FuzzResponse(f *testing.F) {
	for _, payload := range []string{
		`"x"`, `{"statusCode":200}`, `{"statusCode":"201","headers":{"a":1},"multiValueHeaders":{"b":["c",null]},"cookies":["d"],"body":"ZQ==","isBase64Encoded":"true"}`,
		`{"statusCode":1e9}`, `{"statusCode":200,"headers":{"a\r\nb":"c"}}`, `null`, ``, `[`, `{"statusCode":204,"body":"x"}`, `{"statusCode":304,"headers":{"":"x"}}`,
	} {
		f.Add([]byte(payload))
	}
	apis := []*model.API{apiOf(model.HTTP, "$default"), format1(apiOf(model.HTTP, "$default")), apiOf(model.REST, "ANY /"), apiOf(model.FunctionURL, "$default")}
	var payload []byte
	g, err := New(Options{Application: application(apis...), Invoke: func(context.Context, *model.Function, local.Invocation) (*local.Result, error) {
		return &local.Result{Payload: payload}, nil
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		payload = p
		for n := range g.state.Load().order {
			recorder := httptest.NewRecorder()
			g.state.Load().order[n].ServeHTTP(recorder, httptest.NewRequest("GET", "http://localhost/", nil))
			if recorder.Code < 200 || recorder.Code > 599 {
				t.Errorf("%s: %d", p, recorder.Code)
			}
			for name, values := range recorder.Header() {
				if !validHeaderName(name) || strings.ContainsAny(strings.Join(values, ""), "\r\n") {
					t.Errorf("%s: header %q: %q", p, name, values)
				}
			}
		}
	})
}
