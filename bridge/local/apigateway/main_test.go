//go:build unix

package apigateway

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// binaries is where TestMain has built the functions of testdata/functions.
var binaries string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "bailey-apigateway-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaries = dir
	for _, name := range []string{"proxy", "stream"} {
		c := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-o", filepath.Join(dir, name, "bootstrap"), "./testdata/functions/"+name)
		if out, err := c.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

// goFunction is one of testdata/functions.
func goFunction(name string) *model.Function {
	architecture := runtime.GOARCH
	if architecture == "amd64" {
		architecture = "x86_64"
	}
	return &model.Function{
		ID: model.ID{Path: "Shop/" + name, Name: name}, FunctionName: name,
		ARN:     "arn:aws:lambda:eu-west-1:123456789012:function:" + name,
		Runtime: "provided.al2023", Handler: "bootstrap", Architecture: architecture,
		MemorySize: 128, Timeout: 20 * time.Second, ReservedConcurrency: -1, Code: model.Code{Path: filepath.Join(binaries, name)},
	}
}

// log is a log that can be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newEngine(t testing.TB) *local.Engine {
	t.Helper()
	e, err := local.New(local.Options{Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// application is one with the APIs.
func application(apis ...*model.API) *model.Application {
	return &model.Application{Region: "eu-west-1", AccountID: "123456789012", APIs: apis}
}

// serve serves the first API of the application, and gives its address.
func serve(t testing.TB, o Options) (address string, g *Gateway) {
	t.Helper()
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := Server(g.Handler(o.Application.APIs[0].Path), io.Discard)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String(), g
}

// invoker answers with one payload, and keeps the events.
type invoker struct {
	mu      sync.Mutex
	events  []string
	payload string
	failed  string // FunctionError
	err     error
	run     func(context.Context, *model.Function, local.Invocation) (*local.Result, error)
}

func (i *invoker) invoke(ctx context.Context, fn *model.Function, in local.Invocation) (*local.Result, error) {
	i.mu.Lock()
	i.events = append(i.events, string(in.Payload))
	i.mu.Unlock()
	if i.run != nil {
		return i.run(ctx, fn, in)
	}
	if i.err != nil {
		return nil, i.err
	}
	return &local.Result{Payload: []byte(i.payload), FunctionError: i.failed}, nil
}

// last is the event that came last.
func (i *invoker) last(t testing.TB) string {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.events) == 0 {
		t.Fatal("no function was invoked")
	}
	return i.events[len(i.events)-1]
}

// exchangeRaw sends a request as it is written, lines ended by \n, and reads
// the answer.
func exchangeRaw(t testing.TB, address, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	head, body, _ := strings.Cut(request, "\n\n")
	if _, err := io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"+body); err != nil {
		t.Fatal(err)
	}
	return readAnswer(t, conn)
}

func readAnswer(t testing.TB, conn net.Conn) (*http.Response, string) {
	t.Helper()
	reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply, string(body)
}

func itoa(n int) string { return fmt.Sprint(n) }

// recordStream answers with a stream that comes in pieces of a size.
func recordStream(t *testing.T, contentType, stream string, size int) (*http.Response, string) {
	t.Helper()
	i := &invoker{run: func(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
		w := in.Stream(contentType)
		for rest := []byte(stream); len(rest) > 0; rest = rest[min(size, len(rest)):] {
			_, _ = w.Write(rest[:min(size, len(rest))])
		}
		return &local.Result{Streamed: true}, nil
	}}
	address, _ := serve(t, Options{Application: application(streamingURL(goFunction("stream"))), Invoke: i.invoke})
	return exchangeRaw(t, address, "GET / HTTP/1.1\nHost: localhost\n\n")
}
