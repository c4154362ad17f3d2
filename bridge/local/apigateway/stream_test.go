//go:build unix

package apigateway

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

const streamPage = "https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html"

// streamingURL is a function URL with InvokeMode RESPONSE_STREAM.
func streamingURL(f *model.Function) *model.API {
	api := apiOf(model.FunctionURL, "$default")
	api.ResponseStream, api.Routes[0].Function = true, f
	return api
}

// touch makes the file that a piece of a stream waits for.
func touch(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, address, target string) *http.Response {
	t.Helper()
	client := &http.Client{Timeout: time.Minute}
	reply, err := client.Get("http://" + address + target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reply.Body.Close() })
	return reply
}

// Each piece reaches the client while the function waits before the next.
func TestStreamed(t *testing.T) {
	node := goFunction("stream")
	node.Runtime, node.Handler, node.Code.Path = nodeHere(t), "index.handler", t.TempDir()
	source := `const fs = require('fs');
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { 'Content-Type': 'text/plain', 'X-Streamed': 'yes' }, cookies: ['a=1'] });
  const { pieces, dir } = event.queryStringParameters;
  for (let n = 0; n < pieces; n++) {
    while (!fs.existsSync(dir + '/' + n)) await new Promise((resolve) => setTimeout(resolve, 1));
    stream.write('piece ' + n + '\n');
  }
  stream.end();
});`
	if err := os.WriteFile(filepath.Join(node.Code.Path, "index.js"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	rest := apiOf(model.REST, "GET /{proxy+}")
	rest.Routes[0].ResponseStream, rest.Routes[0].Function = true, goFunction("stream")
	for name, api := range map[string]*model.API{"Go": streamingURL(goFunction("stream")), "Node.js": streamingURL(node), "REST API": rest} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			log := &logBuffer{}
			address, _ := serve(t, Options{Application: application(api), Invoke: newEngine(t).Invoke, Logs: log})
			touch(t, dir, "0")
			reply := get(t, address, "/s?pieces=3&dir="+dir)
			if reply.StatusCode != 201 || reply.Header.Get("Content-Type") != "text/plain" || reply.Header.Get("X-Streamed") != "yes" || reply.Header.Get("Set-Cookie") != "a=1" {
				t.Errorf("%s\n%s %v", streamPage, reply.Status, reply.Header)
			}
			lines := bufio.NewReader(reply.Body)
			for n := range 3 {
				line, err := lines.ReadString('\n')
				if want := "piece " + itoa(n) + "\n"; line != want || err != nil {
					t.Fatalf("got %q, %v; want %q\n%s", line, err, want, log)
				}
				touch(t, dir, itoa(n+1)) // only now may the next one come
			}
			if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
				t.Errorf("after the last piece: %q, %v", rest, err)
			}
		})
	}
}

// nodeHere is the runtime of the Node.js at hand.
func nodeHere(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("node", "-p", "process.versions.node.split('.')[0]").Output()
	if err != nil {
		t.Skipf("SKIP: Node.js cannot be run: %v", err)
	}
	return "nodejs" + strings.TrimSpace(string(out)) + ".x"
}

// A stream that breaks off does not look whole.
func TestStreamBreaks(t *testing.T) {
	for _, end := range []string{"fail", "exit"} {
		dir := t.TempDir()
		touch(t, dir, "0")
		log := &logBuffer{}
		address, _ := serve(t, Options{Application: application(streamingURL(goFunction("stream"))), Invoke: newEngine(t).Invoke, Logs: log})
		reply := get(t, address, "/?pieces=1&end="+end+"&dir="+dir)
		lines := bufio.NewReader(reply.Body)
		first, _ := lines.ReadString('\n')
		touch(t, dir, "end")
		body, err := io.ReadAll(lines)
		if reply.StatusCode != 201 || first+string(body) != "piece 0\n" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %s %q, %v", end, reply.Status, body, err)
		}
		_ = reply.Body.Close()
		eventually(t, func() bool { return strings.Contains(log.String(), "failed while it streamed") })
	}
}

// A function that answers at once is answered as without streaming.
func TestNotStreamed(t *testing.T) {
	address, _ := serve(t, Options{Application: application(streamingURL(goFunction("proxy"))), Invoke: newEngine(t).Invoke})
	for body, want := range map[string]string{
		`{"return": {"statusCode": 202, "body": "whole"}}`: "202 application/json whole",
		`{"return": {"a": 1}}`:                             `200 application/json {"a":1}`,
		`{"fail": "no"}`:                                   url502,
	} {
		if got := told(exchangeRaw(t, address, "POST / HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: "+itoa(len(body))+"\n\n"+body)).with(""); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

// Metadata that is none, in every way that it can be cut into pieces.
func TestPreludes(t *testing.T) {
	const end = "\x00\x00\x00\x00\x00\x00\x00\x00"
	for stream, want := range map[string]string{
		`{"statusCode":201,"headers":{"content-type":"a/b"}}` + end + "body": "201 a/b body",
		`{}` + end + "body": "200 application/json body",
		`{"multiValueHeaders":{"x-a":["1","2"]}}` + end + "\x00\x00": "200 application/json X-A=1|2 \x00\x00",
		`{"statusCode":99}` + end:                                    url502,
		`[]` + end:                                                   url502,
		`{"headers":{"a b":"c"}}` + end:                              url502,
		`{"statusCode":200}`:                                         url502,
		`{"headers":{"x":"` + strings.Repeat("x", maxPrelude) + `"}}` + end: url502,
	} {
		for _, size := range []int{1, 7, 100000} {
			reply, body := recordStream(t, preludeType, stream, size)
			if got := told(reply, body).with("X-A"); got != want {
				t.Errorf("%s\n%.80q in pieces of %d: %q, want %q", streamPage, stream, size, got, want)
			}
		}
	}
	if got := told(recordStream(t, "text/x", "raw", 1)).with(""); got != "200 text/x raw" {
		t.Errorf("a stream without metadata: %s", got)
	}
	if got := told(recordStream(t, "", "", 1)).with(""); got != "200 application/octet-stream " {
		t.Errorf("an empty stream: %s", got)
	}
}

// A function that dies in the middle of a request is its client's 502, and the
// next request has another process.
func TestFunctionDies(t *testing.T) {
	api := apiOf(model.HTTP, "ANY /{proxy+}")
	api.Routes[0].Function = goFunction("proxy")
	log := &logBuffer{}
	address, _ := serve(t, Options{Application: application(api), Invoke: newEngine(t).Invoke, Logs: log})
	var group sync.WaitGroup
	for n := range 20 {
		group.Go(func() {
			order, want := `{"return":{"statusCode":200,"body":"`+itoa(n)+`"}}`, plain200+itoa(n)
			if n%2 == 0 {
				order, want = `{"exit": true}`, http500
			}
			got := told(exchangeRaw(t, address, "POST /x HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: "+itoa(len(order))+"\n\n"+order)).with("")
			if got != want {
				t.Errorf("%s: %s\n%s", order, got, log)
			}
		})
	}
	group.Wait()
}

// Requests under way end on the application that they began with.
func TestSwap(t *testing.T) {
	before, after := apiOf(model.HTTP, "GET /old"), apiOf(model.HTTP, "GET /new")
	i := &invoker{payload: `{"statusCode":200}`}
	address, g := serve(t, Options{Application: application(before), Invoke: i.invoke})
	status := func(path string) int {
		reply, _ := exchangeRaw(t, address, "GET "+path+" HTTP/1.1\nHost: localhost\n\n")
		return reply.StatusCode
	}
	if got := []int{status("/old"), status("/new")}; got[0] != 200 || got[1] != 404 {
		t.Error(got)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				if s := status("/old"); s != 200 && s != 404 {
					t.Errorf("%d", s)
				}
			}
		})
	}
	g.Swap(application(after))
	group.Wait()
	if got := []int{status("/old"), status("/new")}; got[0] != 404 || got[1] != 200 {
		t.Error(got)
	}
	g.Swap(nil)
	if got := status("/new"); got != http.StatusServiceUnavailable || len(g.APIs()) != 0 {
		t.Error(got, g.APIs())
	}
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for range 2000 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("it never comes true")
}
