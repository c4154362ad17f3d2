//go:build unix

package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// binaries is where TestMain has built the functions of testdata/functions.
var binaries string

func TestMain(m *testing.M) {
	if os.Getenv(killedEngineVariable) != "" {
		runUntilKilled()
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "bailey-local-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaries = dir
	if err := buildFunctions(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// buildFunctions builds each function into a folder of its own, as bootstrap.
func buildFunctions(dir string) error {
	names := []string{"echo", "acts", "sigterm", "stream"}
	args := []string{"build", "-tags", "lambda.norpc", "-trimpath", "-o", filepath.Join(dir, "bin") + "/"}
	for _, name := range names {
		args = append(args, "./testdata/functions/"+name)
	}
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		return err
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	for _, name := range names {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(dir, "bin", name), filepath.Join(dir, name, "bootstrap")); err != nil {
			return err
		}
	}
	return nil
}

// hostArchitecture is this machine's, in Lambda's terms.
func hostArchitecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// function is a function with the values that every test wants.
func function(name string) *model.Function {
	return &model.Function{
		ID:           model.ID{Path: "Shop/" + name, Stack: "Shop", LogicalID: name + "1A2B", Name: name},
		FunctionName: name, ARN: "arn:aws:lambda:eu-west-1:123456789012:function:" + name,
		Architecture: hostArchitecture(), MemorySize: 256, Timeout: 30 * time.Second,
		ReservedConcurrency: -1, LogFormat: "Text", LogGroup: "/aws/lambda/" + name,
	}
}

// goFunction runs one of testdata/functions.
func goFunction(name string) *model.Function {
	fn := function(name)
	fn.Runtime, fn.Handler = "provided.al2023", "bootstrap"
	fn.Code.Path = filepath.Join(binaries, name)
	return fn
}

// codeFunction runs code of the given files.
func codeFunction(t testing.TB, runtime, handler string, files map[string]string) *model.Function {
	t.Helper()
	fn := function("Code")
	fn.Runtime, fn.Handler = runtime, handler
	fn.Code.Path = writeFiles(t, files)
	return fn
}

func writeFiles(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// logBuffer is a log that can be read while it is written.
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

func (l *logBuffer) lines() []string {
	return strings.Split(strings.TrimSuffix(l.String(), "\n"), "\n")
}

func newEngine(t testing.TB, o Options) (*Engine, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	if o.Logs == nil {
		o.Logs = log
	}
	if o.Scratch == "" {
		o.Scratch = t.TempDir()
	}
	if o.Environ == nil {
		o.Environ = directEnviron()
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	e.notes.first("version nodejs22.x") // no test's log may depend on the Node.js at hand
	return e, log
}

// directEnviron is the environment with the real python3 first on the PATH: a
// version manager's script before it would cost each test a third of a second.
var directEnviron = sync.OnceValue(func() []string {
	path := os.Getenv("PATH")
	if out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output(); err == nil {
		path = filepath.Dir(strings.TrimSpace(string(out))) + string(os.PathListSeparator) + path
	}
	return append(os.Environ(), "PATH="+path)
})

// invoke runs a function with an event that is JSON text.
func invoke(t testing.TB, e *Engine, fn *model.Function, event string) *Result {
	t.Helper()
	return invokeWith(t, e, fn, Invocation{Payload: []byte(event)})
}

func invokeWith(t testing.TB, e *Engine, fn *model.Function, in Invocation) *Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := e.Invoke(ctx, fn, in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantPayload checks a response and that it is no error.
func wantPayload(t *testing.T, r *Result, want string) {
	t.Helper()
	if r.FunctionError != "" || string(r.Payload) != want {
		t.Errorf("got %s (error %q), want %s", r.Payload, r.FunctionError, want)
	}
}

// wantFailure checks the exact JSON of a failed invocation. ID stands for the
// request id.
func wantFailure(t *testing.T, r *Result, want string) {
	t.Helper()
	want = strings.ReplaceAll(want, "ID", r.RequestID)
	if r.FunctionError != "Unhandled" || string(r.Payload) != want {
		t.Errorf("got %s (error %q)\nwant %s", r.Payload, r.FunctionError, want)
	}
}

func decode[T any](t testing.TB, r *Result) T {
	t.Helper()
	var v T
	if r.FunctionError != "" {
		t.Fatalf("the function failed: %s", r.Payload)
	}
	if err := json.Unmarshal(r.Payload, &v); err != nil {
		t.Fatalf("%v: %s", err, r.Payload)
	}
	return v
}

// eventually waits for something that follows by itself.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not so after 10 s: %s", what)
}
