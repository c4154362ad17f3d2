//go:build unix

package local

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// pieces is a writer that tells of each write.
type pieces struct {
	contentType string
	came        chan string
	fail        error
}

func (p *pieces) open(contentType string) io.Writer {
	p.contentType = contentType
	return p
}

func (p *pieces) Write(b []byte) (int, error) {
	if p.fail != nil {
		return 0, p.fail
	}
	p.came <- string(b)
	return len(b), nil
}

func (p *pieces) all() string {
	close(p.came)
	var b bytes.Buffer
	for piece := range p.came {
		b.WriteString(piece)
	}
	return b.String()
}

// The first piece is there while the function waits before the second.
func TestStreamedByNode(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := inNode(t, `
const fs = require('fs');
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { 'x-a': '1' } });
  stream.write('one,');
  while (!fs.existsSync(event.file)) await new Promise((resolve) => setTimeout(resolve, 1));
  stream.end('two');
});`)
	file := t.TempDir() + "/go"
	p := &pieces{came: make(chan string, 10)}
	var got strings.Builder
	done := make(chan *Result)
	go func() {
		r, err := e.Invoke(context.Background(), fn, Invocation{Payload: []byte(`{"file": "` + file + `"}`), Stream: p.open})
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	for !strings.HasSuffix(got.String(), "one,") {
		select {
		case piece := <-p.came:
			got.WriteString(piece)
		case <-time.After(20 * time.Second):
			t.Fatalf("only %q came", got.String())
		}
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := <-done
	got.WriteString(p.all())
	if want := `{"statusCode":201,"headers":{"x-a":"1"}}` + strings.Repeat("\x00", 8) + "one,two"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
	if !r.Streamed || len(r.Payload) != 0 || r.FunctionError != "" || p.contentType != "application/vnd.awslambda.http-integration-response" {
		t.Errorf("%+v, content type %q", r, p.contentType)
	}
}

func TestStreamedByGo(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("stream")
	p := &pieces{came: make(chan string, 10)}
	r := invokeWith(t, e, fn, Invocation{Stream: p.open})
	if got := p.all(); got != "first piece, second piece" || !r.Streamed || r.FunctionError != "" || len(r.Payload) != 0 {
		t.Errorf("%q, %+v", got, r)
	}

	p = &pieces{came: make(chan string, 10)}
	r = invokeWith(t, e, fn, Invocation{Payload: []byte(`{"fail": true}`), Stream: p.open})
	if got := p.all(); got != "first piece, " || !r.Streamed || r.FunctionError != "Unhandled" || !strings.Contains(string(r.Payload), "the source dried up") {
		t.Errorf("%q, %+v %s", got, r, r.Payload)
	}

	// Who has gone is the function's affair no more than on Lambda.
	p = &pieces{fail: errors.New("gone")}
	r = invokeWith(t, e, fn, Invocation{Stream: p.open})
	if r.FunctionError != "" {
		t.Errorf("%s", r.Payload)
	}
}

// A function that gives its response as a whole has a Result as ever.
func TestNotStreamed(t *testing.T) {
	e, _ := newEngine(t, Options{})
	r := invokeWith(t, e, goFunction("echo"), Invocation{Payload: []byte(`{"a":1}`), Stream: func(string) io.Writer {
		t.Error("it was streamed")
		return io.Discard
	}})
	wantPayload(t, r, `{"a":1}`)
	if r.Streamed {
		t.Error("it says that it was")
	}
}

// After Invoke has returned, nothing is written any more.
func TestStreamEndsWithInvoke(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := inNode(t, `
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  for (;;) {
    stream.write('x');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
});`)
	ctx, cancel := context.WithCancel(t.Context())
	p := &pieces{came: make(chan string, 100000)}
	go func() {
		<-p.came
		cancel()
	}()
	if _, err := e.Invoke(ctx, fn, Invocation{Stream: p.open}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(p.came) // another write would panic
	fn.Timeout = 300 * time.Millisecond
	p = &pieces{came: make(chan string, 100000)}
	r := invokeWith(t, e, fn, Invocation{Stream: p.open})
	close(p.came)
	if r.FunctionError == "" || !r.Streamed || !strings.Contains(string(r.Payload), "Sandbox.Timedout") {
		t.Errorf("%+v %s", r, r.Payload)
	}
}
