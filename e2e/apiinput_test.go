//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// send writes bytes to an API and gives the first answer's status, 0 where the
// connection was closed without one.
func send(t *testing.T, address string, text string) int {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(strings.TrimPrefix(address, "http://"), "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	go func() {
		_, _ = io.WriteString(c, text) // the server may hang up before the end
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	}()
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			t.Fatalf("the server neither answered nor hung up: %.100q", text)
		}
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// alive wants each API to serve as ever.
func alive(t *testing.T, g *gateway) {
	t.Helper()
	for api, path := range map[string]string{"Http": "/items/1", "Rest": "/items/1", "Url": "/"} {
		if status, _, body := (rule{method: "GET", path: path}).ask(t, g.urls[api]); status != 200 {
			t.Errorf("%s answers %d afterwards: %.300s\n%s", api, status, body, g.tail())
		}
	}
}

// TestAPIBadRequests sends what is no request, and what is one too large, over
// real connections. Each is answered in kind or cut off, and the server serves
// on.
func TestAPIBadRequests(t *testing.T) {
	g := apisGateway(t)
	get := func(path, headers string) string {
		return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n"
	}
	for name, test := range map[string]struct {
		text  string
		allow []int
	}{
		"nothing":                    {"", []int{0}},
		"half a line":                {"GET /ite", []int{0, 400}},
		"noise":                      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00\xff", 500), []int{0, 400}},
		"no method":                  {" / HTTP/1.1\r\nHost: localhost\r\n\r\n", []int{400}},
		"no version":                 {"GET /items/1\r\n\r\n", []int{400}},
		"version 9":                  {"GET /items/1 HTTP/9.9\r\nHost: localhost\r\n\r\n", []int{505, 400}},
		"no host":                    {"GET /items/1 HTTP/1.1\r\n\r\n", []int{400, 403}},
		"two hosts":                  {get("/items/1", "Host: other\r\n"), []int{400}},
		"another host":               {"GET /items/1 HTTP/1.1\r\nHost: evil.example\r\n\r\n", []int{403}},
		"a space in a header's name": {get("/items/1", "X Y: z\r\n"), []int{400}},
		"a header without a colon":   {get("/items/1", "broken\r\n"), []int{400}},
		"a null in a header":         {get("/items/1", "X: a\x00b\r\n"), []int{400}},
		"a folded header":            {get("/items/1", "X: a\r\n b\r\n"), []int{200, 400}},
		"two lengths":                {"POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", []int{400}},
		"a negative length":          {"POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", []int{400}},
		"a length that is a word":    {"POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: ten\r\n\r\n", []int{400}},
		"length and chunks":          {"POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{200, 400}},
		"another transfer encoding":  {"POST /items HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", []int{400, 501}},
		"a chunk that is none":       {"POST /items HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n", []int{400}},
		"a body that ends too soon":  {"POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nshort", []int{0, 400}},
		"a path without a slash":     {get("items", ""), []int{400}},
		"a whole address":            {get("http://localhost/items/1", ""), []int{200}},
		"an asterisk":                {"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", []int{200, 400, 403, 404}},
		"CONNECT":                    {"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", []int{400, 403, 404, 200}},
		"bad percent":                {get("/items/%zz", ""), []int{400}},
		"a long path":                {get("/items/"+strings.Repeat("x", 20000), ""), []int{200, 414, 431, 400}}, // a REST API has no limit of its own
		"a huge path":                {get("/items/"+strings.Repeat("x", 2<<20), ""), []int{0, 414, 431}},
		"a long header":              {get("/items/1", "X: "+strings.Repeat("x", 20000)+"\r\n"), []int{431}},
		"a huge header":              {get("/items/1", "X: "+strings.Repeat("x", 2<<20)+"\r\n"), []int{0, 431}},
		"a flood of headers":         {get("/items/1", strings.Repeat("X: y\r\n", 20000)), []int{0, 431}},
		"10 MB and a byte":           {"POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10485761\r\n\r\n" + strings.Repeat("x", 10<<20+1), []int{413}},
		"10 MB and a byte in chunks": {"POST /items HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nA00001\r\n" + strings.Repeat("x", 10<<20+1) + "\r\n0\r\n\r\n", []int{413}},
		"a promise of a terabyte":    {"POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1099511627776\r\n\r\nx", []int{413}},
		"another protocol after it":  {get("/items/1", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"), []int{200}},
		"HTTP/2 at once":             {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{0, 400, 403, 404, 505}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, api := range []string{"Http", "Rest"} {
				got := send(t, g.urls[api], test.text)
				found := false
				for _, status := range test.allow {
					found = found || got == status
				}
				if !found {
					t.Errorf("%s answers %d, want one of %d", api, got, test.allow)
				}
			}
		})
	}
	for _, test := range []struct{ text string }{
		{"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
		{"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"},
		{"GET /live?token=allow HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n"},
		{"POST /live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"},
		{"GET /live/@connections/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n"},
		{"GET /../@connections/x HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	} {
		address, _, _ := strings.Cut(strings.TrimPrefix(g.urls["Chat"], "ws://"), "/")
		if got := send(t, address, test.text); got < 400 || got >= 500 {
			t.Errorf("the WebSocket API answers %d to %.80q", got, test.text)
		}
	}
	alive(t, g)
}

// TestAPIPathTricks: a path means what it means on AWS, and leads nowhere else.
func TestAPIPathTricks(t *testing.T) {
	g := apisGateway(t)
	for path, want := range map[string]fields{
		"/items//":                      {"routeKey": "$default"},
		"//items/1":                     {"routeKey": "$default"},
		"/files/..%2f..%2fetc%2fpasswd": {"routeKey": "GET /files/{proxy+}", "pathParameters.proxy": "../../etc/passwd"},
		"/files/../../etc/passwd":       {"pathParameters.proxy": "../../etc/passwd"},
		"/items/%2e%2e":                 {"pathParameters.id": ".."},
		"/items/%00":                    {"pathParameters.id": "\x00"},
		"/items/%ff":                    {"pathParameters.id": "\uFFFD"},
		"/items/gr%C3%BC%C3%9Fe":        {"pathParameters.id": "grüße"},
		"/items/%F0%9F%9A%80":           {"pathParameters.id": "🚀"},
		"/items/a%252Fb":                {"pathParameters.id": "a%2Fb"},
		"/items/{id}":                   {"pathParameters.id": "{id}"},
		"/items/$default":               {"pathParameters.id": "$default"},
		"/items/a;b=c":                  {"pathParameters.id": "a;b=c"},
		"/items/1?":                     {"rawQueryString": ""},
		"/items/1?a&b=&=c&%zz=%zz":      {"routeKey": "GET /items/{id}"},
		"/items/1?a=%00%ff":             {"queryStringParameters.a": "\x00\uFFFD"},
	} {
		host := strings.TrimPrefix(g.urls["Http"], "http://")
		c, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host)
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			_ = c.Close()
			continue
		}
		body, _ := io.ReadAll(response.Body)
		_ = c.Close()
		if complaint := (wanted{status: 200, event: want}).check(response.StatusCode, response.Header, body); complaint != "" {
			t.Errorf("%s: %s", path, complaint)
		}
	}
}

// TestAPISlowClients: clients that send or read next to nothing hold nobody up.
func TestAPISlowClients(t *testing.T) {
	g := apisGateway(t)
	host := strings.TrimPrefix(g.urls["Http"], "http://")
	var all []net.Conn
	defer func() {
		for _, c := range all {
			_ = c.Close()
		}
	}()
	for i := range 60 {
		c, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
		switch i % 3 {
		case 0: // a header that does not end
			_, _ = io.WriteString(c, "GET /items/1 HTTP/1.1\r\nHost: localhost\r\nX: ")
		case 1: // a body that does not come
			_, _ = io.WriteString(c, "POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx")
		default: // an answer that is not read
			_, _ = io.WriteString(c, "GET /items/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
		}
	}
	alive(t, g)
	// The header is given ten seconds.
	_ = all[0].SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.Copy(io.Discard, all[0]); err != nil {
		t.Errorf("a client that does not end its header is not let go: %v", err)
	}
}

// TestAPIFunctionDies: a function that ends its process in the middle of a
// request fails that request, and the next one finds another process. So it is
// with many at a time.
func TestAPIFunctionDies(t *testing.T) {
	g := apisGateway(t)
	for api, want := range map[string]int{"Http": 500, "Rest": 502, "Url": 502} {
		status, _, body := (rule{method: "GET", path: map[string]string{"Http": "/any", "Rest": "/any", "Url": "/"}[api], headers: []string{"X-Do: exit"}}).ask(t, g.urls[api])
		if status != want || bytes.Contains(body, []byte("exit")) {
			t.Errorf("%s: %d %s, want %d", api, status, body, want)
		}
	}
	var wait sync.WaitGroup
	for i := range 24 {
		wait.Go(func() {
			r := rule{method: "GET", path: "/any"}
			want := 200
			if i%3 == 0 {
				r.headers, want = []string{"X-Do: exit"}, 500
			}
			if status, _, body := r.ask(t, g.urls["Http"]); status != want {
				t.Errorf("request %d: %d %.200s, want %d", i, status, body, want)
			}
		})
	}
	wait.Wait()
	alive(t, g)
}

// TestAPIPortInUse: the server says which port, for which API, and what to do.
func TestAPIPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	o := execute(t, apis(t), "", bailey(t), "local", "start-api", "--assembly", "cdk.out", "--port", port)
	if o.status != 2 || !strings.Contains(o.stderr, "no port for the API ") || !strings.Contains(o.stderr, ":"+port) || !strings.Contains(o.stderr, "--port") {
		t.Errorf("exit status %d: %s", o.status, o.stderr)
	}
}

// TestAPIEnds: Ctrl-C ends the server, its functions and its connections, while
// requests and WebSockets are open.
func TestAPIEnds(t *testing.T) {
	g := newGateway(t, apis(t), "--port", "0")
	c := &chat{t, g.urls["Chat"], t.Context()}
	conn := c.connected()
	defer conn.CloseNow()
	go func() { // under way when the signal comes
		request, err := http.NewRequest(http.MethodGet, g.urls["Http"]+"/any", nil)
		if err != nil {
			return
		}
		request.Header.Set("X-Do", "sleep")
		request.Header.Set("X-Millis", "10000")
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}()
	time.Sleep(500 * time.Millisecond)
	if err := g.process.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Read(t.Context()); err == nil {
		t.Error("the connection goes on")
	}
	select {
	case <-g.ended:
	case <-time.After(20 * time.Second):
		_ = g.process.Process.Signal(syscall.SIGKILL)
		t.Fatalf("the server runs on after Ctrl-C:\n%s", g.tail())
	}
	if code := g.process.ProcessState.ExitCode(); code != 0 && code != 130 {
		t.Errorf("exit status %d", code)
	}
	text, err := os.ReadFile(g.log)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte("gone 1001")) {
		t.Errorf("$disconnect was not invoked:\n%s", g.tail())
	}
}
