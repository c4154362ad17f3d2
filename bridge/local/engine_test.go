//go:build unix

package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

func TestInvoke(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := goFunction("echo")
	r := invoke(t, e, fn, `{"order": 17}`)
	wantPayload(t, r, `{"order":17}`)
	if r.ContentType != "application/json" {
		t.Errorf("content type %q", r.ContentType)
	}
	want := regexp.MustCompile(`^START RequestId: ID Version: \$LATEST
END RequestId: ID
REPORT RequestId: ID	Duration: \d+\.\d\d ms	Billed Duration: \d+ ms	Memory Size: 256 MB	Max Memory Used: \d+ MB	Init Duration: \d+\.\d\d ms	
$`)
	if got := strings.ReplaceAll(log.String(), r.RequestID, "ID"); !want.MatchString(got) {
		t.Errorf("log of a cold start:\n%q", got)
	}
	r = invoke(t, e, fn, `[]`)
	wantPayload(t, r, `[]`)
	warm := regexp.MustCompile(`REPORT RequestId: ` + r.RequestID +
		`	Duration: \d+\.\d\d ms	Billed Duration: \d+ ms	Memory Size: 256 MB	Max Memory Used: \d+ MB	\n$`)
	if !warm.MatchString(log.String()) {
		t.Errorf("log of a warm start:\n%q", log.String())
	}
}

func TestReport(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("acts")
	r := invoke(t, e, fn, `{"do": "sleep", "n": 60}`)
	report := r.Report
	if report.Duration < 60*time.Millisecond || report.Duration > 10*time.Second {
		t.Errorf("duration %v of a handler that took 60 ms", report.Duration)
	}
	if report.InitDuration <= 0 {
		t.Errorf("init duration %v of a cold start", report.InitDuration)
	}
	exact := report.Duration + report.InitDuration
	if over := report.BilledDuration - exact; over < 0 || over >= time.Millisecond ||
		report.BilledDuration%time.Millisecond != 0 {
		t.Errorf("billed %v for %v", report.BilledDuration, exact)
	}
	before := report.MaxMemoryUsed
	if before < 1 || before > 100 {
		t.Errorf("an idle Go program used %d MB", before)
	}
	r = invoke(t, e, fn, `{"do": "grow", "n": 64}`)
	if grown := r.Report.MaxMemoryUsed - before; grown < 60 || grown > 80 {
		t.Errorf("64 MB more made %d MB more", grown)
	}
	if r.Report.InitDuration != 0 {
		t.Errorf("init duration %v of a warm start", r.Report.InitDuration)
	}
}

// TestContext checks what aws-lambda-go finds in headers and environment.
func TestContext(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("acts")
	r := invokeWith(t, e, fn, Invocation{
		Payload:         []byte(`{"do": "context"}`),
		RequestID:       "11111111-2222-4333-8444-555555555555",
		TraceID:         "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
		ClientContext:   "{\n  \"client\": {\"app_title\": \"Shop\"}, \"custom\": {\"k\": \"ü\"}\n}",
		CognitoIdentity: `{"cognitoIdentityId": "id", "cognitoIdentityPoolId": "pool"}`,
	})
	got := decode[struct {
		Context struct {
			AwsRequestID, InvokedFunctionArn string
			Identity                         struct{ CognitoIdentityID, CognitoIdentityPoolID string }
			ClientContext                    struct {
				Client struct {
					AppTitle string `json:"app_title"`
				}
				Custom map[string]string
			}
		}
		Remaining                                int
		Dir, Trace, Name, Version, Group, Stream string
		Memory                                   int
	}](t, r)
	if r.RequestID != "11111111-2222-4333-8444-555555555555" || got.Context.AwsRequestID != r.RequestID {
		t.Errorf("request ids %q and %q", r.RequestID, got.Context.AwsRequestID)
	}
	if got.Context.InvokedFunctionArn != fn.ARN || got.Name != "acts" || got.Version != "$LATEST" || got.Memory != 256 {
		t.Errorf("function: %+v", got)
	}
	if got.Context.ClientContext.Client.AppTitle != "Shop" || got.Context.ClientContext.Custom["k"] != "ü" {
		t.Errorf("client context: %+v", got.Context.ClientContext)
	}
	if got.Context.Identity.CognitoIdentityID != "id" || got.Context.Identity.CognitoIdentityPoolID != "pool" {
		t.Errorf("identity: %+v", got.Context.Identity)
	}
	if got.Remaining < 20000 || got.Remaining > 30000 {
		t.Errorf("%d ms remain of 30 s", got.Remaining)
	}
	if want, _ := filepath.EvalSymlinks(fn.Code.Path); got.Dir != fn.Code.Path && got.Dir != want {
		t.Errorf("working folder %s, want %s", got.Dir, want)
	}
	if !strings.HasPrefix(got.Trace, "Root=1-5759e988-") || got.Group != "/aws/lambda/acts" {
		t.Errorf("trace %q, log group %q", got.Trace, got.Group)
	}
	if !regexp.MustCompile(`^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`).MatchString(got.Stream) {
		t.Errorf("log stream %q", got.Stream)
	}
}

func TestGeneratedIdentifiers(t *testing.T) {
	inv, err := newInvocation(goFunction("echo"), Invocation{})
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(inv.RequestID) {
		t.Errorf("request id %q", inv.RequestID)
	}
	if !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`).MatchString(inv.TraceID) {
		t.Errorf("trace id %q", inv.TraceID)
	}
	if string(inv.Payload) != "{}" {
		t.Errorf("the event of no payload is %s", inv.Payload)
	}
}

func TestClientContextThatIsNotJSON(t *testing.T) {
	e, _ := newEngine(t, Options{})
	_, err := e.Invoke(t.Context(), goFunction("echo"), Invocation{ClientContext: "{"})
	if err == nil || err.Error() != "the client context is not JSON: unexpected end of JSON input" {
		t.Errorf("got %v", err)
	}
}

func TestProcessesAreReused(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("acts")
	type state struct{ Count, PID int }
	first := decode[state](t, invoke(t, e, fn, `{}`))
	second := decode[state](t, invoke(t, e, fn, `{}`))
	if second.PID != first.PID || second.Count != 2 {
		t.Errorf("first %+v, then %+v", first, second)
	}
	other := *fn
	third := decode[state](t, invoke(t, e, &other, `{}`))
	if third.PID == first.PID {
		t.Error("two functions share a process")
	}
}

func TestRetire(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("acts")
	type state struct{ Count, PID int }
	first := decode[state](t, invoke(t, e, fn, `{}`))
	slow := make(chan *Result)
	go func() { slow <- invoke(t, e, fn, `{"do": "sleep", "n": 200}`) }()
	eventually(t, "the slow invocation runs", func() bool { return e.busy(fn) == 1 })
	e.Retire(fn)
	if r := <-slow; r.FunctionError != "" {
		t.Errorf("the invocation under way failed: %s", r.Payload)
	}
	again := decode[state](t, invoke(t, e, fn, `{}`))
	if again.PID == first.PID || again.Count != 1 {
		t.Errorf("first %+v, after Retire %+v", first, again)
	}
	eventually(t, "the retired process has ended", func() bool { return !alive(first.PID) })
}

// TestExpire ends processes that nobody has used for long.
func TestExpire(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("acts")
	pid := decode[struct{ PID int }](t, invoke(t, e, fn, `{}`)).PID
	p, err := e.pool(fn)
	if err != nil {
		t.Fatal(err)
	}
	p.expire(time.Now().Add(-time.Minute))
	if !alive(pid) {
		t.Fatal("a process that was used a moment ago is gone")
	}
	p.expire(time.Now().Add(time.Minute))
	eventually(t, "the process has ended", func() bool { return !alive(pid) })
	if next := decode[struct{ PID int }](t, invoke(t, e, fn, `{}`)).PID; next == pid {
		t.Error("it was used again")
	}
}

// busy is how many invocations of a function run.
func (e *Engine) busy(fn *model.Function) int {
	p, err := e.pool(fn)
	if err != nil {
		return -1
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.busy
}

func TestLogs(t *testing.T) {
	e, log := newEngine(t, Options{})
	r := invoke(t, e, goFunction("acts"), `{"do": "log", "n": 500, "text": "no newline"}`)
	lines := log.lines()
	if lines[0] != "START RequestId: "+r.RequestID+" Version: $LATEST" {
		t.Errorf("first line %q", lines[0])
	}
	for n := range 500 {
		if out, err := lines[1+2*n], lines[2+2*n]; out != "out "+strconv.Itoa(n) || err != "err "+strconv.Itoa(n) {
			t.Fatalf("lines %d: %q, %q", n, out, err)
		}
	}
	if lines[1001] != "no newline" || lines[1002] != "END RequestId: "+r.RequestID {
		t.Errorf("last lines %q, %q", lines[1001], lines[1002])
	}
}

// TestLogTail checks that a result has the end of its own log and no more.
func TestLogTail(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := goFunction("acts")
	r := invoke(t, e, fn, `{"do": "log", "n": 2}`)
	if string(r.LogTail) != log.String() {
		t.Errorf("tail:\n%s\nlog:\n%s", r.LogTail, log)
	}
	before := len(log.String())
	r = invoke(t, e, fn, `{}`)
	if string(r.LogTail) != log.String()[before:] {
		t.Errorf("the tail of the second invocation:\n%s", r.LogTail)
	}
	for _, event := range []string{
		`{"do": "log", "n": 2000}`, `{"do": "log", "n": 3, "text": "` + strings.Repeat("y", 10000) + `"}`,
	} {
		r = invoke(t, e, fn, event)
		if len(r.LogTail) != 4096 || !strings.HasSuffix(log.String(), string(r.LogTail)) {
			t.Errorf("%.40s: %d bytes of tail", event, len(r.LogTail))
		}
	}
	r = invoke(t, e, fn, `{"do": "exit", "n": 1}`)
	if !bytes.HasPrefix(r.LogTail, []byte("START RequestId: "+r.RequestID)) || !bytes.Contains(r.LogTail, []byte("\nRuntime.ExitError\nEND ")) {
		t.Errorf("the tail of a crash:\n%s", r.LogTail)
	}
}

// TestLongLine sends a line that fills the pipe many times over.
func TestLongLine(t *testing.T) {
	e, log := newEngine(t, Options{})
	text := strings.Repeat("y", maxLine+maxLine/2)
	event, _ := json.Marshal(map[string]any{"do": "log", "text": text})
	invoke(t, e, goFunction("acts"), string(event))
	lines := log.lines()
	if len(lines) != 5 { // START, the line in two, END, REPORT
		t.Fatalf("%d lines", len(lines))
	}
	if lines[1]+lines[2] != text {
		t.Errorf("the line came through as %d and %d bytes", len(lines[1]), len(lines[2]))
	}
}

func TestThrottled(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("acts")
	fn.ReservedConcurrency = 1
	done := make(chan *Result)
	go func() { done <- invoke(t, e, fn, `{"do": "sleep", "n": 500}`) }()
	eventually(t, "the first invocation runs", func() bool { return e.busy(fn) == 1 })
	_, err := e.Invoke(t.Context(), fn, Invocation{})
	var throttled *ThrottledError
	if !errors.As(err, &throttled) {
		t.Fatalf("got %v", err)
	}
	if throttled.Code() != "TooManyRequestsException" || throttled.StatusCode() != 429 ||
		throttled.Reason() != "ReservedFunctionConcurrentInvocationLimitExceeded" ||
		throttled.Message() != "Rate Exceeded." {
		t.Errorf("got %+v", throttled)
	}
	const want = "TooManyRequestsException: Rate Exceeded. acts runs 1 invocations already, its reserved concurrency"
	if err.Error() != want {
		t.Errorf("got %q", err)
	}
	if r := <-done; r.FunctionError != "" {
		t.Error(string(r.Payload))
	}
	wantOK := invoke(t, e, fn, `{}`)
	if wantOK.FunctionError != "" {
		t.Error(string(wantOK.Payload))
	}
	fn2 := goFunction("acts")
	fn2.ReservedConcurrency = 0
	if _, err := e.Invoke(t.Context(), fn2, Invocation{}); !errors.As(err, &throttled) {
		t.Errorf("a function with no concurrency ran: %v", err)
	}
}

func TestRequestSizes(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("echo")
	payload := func(size int) []byte { return append(append([]byte{'"'}, bytes.Repeat([]byte{'a'}, size-2)...), '"') }

	r := invokeWith(t, e, fn, Invocation{Payload: payload(6291556)})
	if len(r.Payload) != 6291556 || r.FunctionError != "" {
		t.Errorf("the largest request gave %d bytes, error %q", len(r.Payload), r.FunctionError)
	}
	for _, test := range []struct {
		size  int
		async bool
		want  string
	}{
		{6291557, false, "RequestEntityTooLargeException: Request must be smaller than 6291456 bytes for the InvokeFunction operation"},
		{1048577, true, "RequestEntityTooLargeException: 1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"},
	} {
		_, err := e.Invoke(t.Context(), fn, Invocation{Payload: payload(test.size), Async: test.async})
		var tooLarge *RequestTooLargeError
		if !errors.As(err, &tooLarge) || err.Error() != test.want || tooLarge.StatusCode() != 413 {
			t.Errorf("%d bytes: %v", test.size, err)
		}
	}
	if r := invokeWith(t, e, fn, Invocation{Payload: payload(1048576), Async: true}); r.FunctionError != "" {
		t.Error(string(r.Payload))
	}
}

func TestCancel(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("acts")
	pid := decode[struct{ PID int }](t, invoke(t, e, fn, `{}`)).PID
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := e.Invoke(ctx, fn, Invocation{Payload: []byte(`{"do": "sleep", "n": 4000}`)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	eventually(t, "the process has ended", func() bool { return !alive(pid) })
	if next := decode[struct{ PID int }](t, invoke(t, e, fn, `{}`)).PID; next == pid {
		t.Error("the cancelled process was used again")
	}
	if _, err := e.Invoke(ctx, fn, Invocation{}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that had ended: %v", err)
	}
}

func TestClose(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("acts")
	failed := make(chan error)
	go func() {
		_, err := e.Invoke(context.Background(), fn, Invocation{Payload: []byte(`{"do": "sleep", "n": 4000}`)})
		failed <- err
	}()
	eventually(t, "the invocation runs", func() bool { return e.busy(fn) == 1 })
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !errors.Is(err, ErrClosed) {
		t.Errorf("the invocation under way: %v", err)
	}
	if _, err := e.Invoke(context.Background(), fn, Invocation{}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}

func TestScratch(t *testing.T) {
	if _, err := New(Options{Scratch: "run"}); err == nil || err.Error() != "the scratch folder run is not an absolute path" {
		t.Errorf("got %v", err)
	}
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := e.scratch.folder()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the temporary folder is still there: %v", err)
	}
}

func TestStreamedResponse(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("stream")
	r := invoke(t, e, fn, `{}`)
	wantPayload(t, r, "first piece, second piece")
	if r.ContentType != "application/octet-stream" {
		t.Errorf("content type %q", r.ContentType)
	}
	r = invoke(t, e, fn, `{"fail": true}`)
	wantFailure(t, r, `{"errorMessage":"the source dried up","errorType":"errorString"}`)
	if r = invoke(t, e, fn, `{}`); r.Report.InitDuration != 0 {
		t.Error("the process was not used again")
	}
}
