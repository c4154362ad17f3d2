//go:build unix

package local

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// wantLog checks the log of one invocation, in which ID stands for the request
// id and "..." for anything within a line.
func wantLog(t *testing.T, log *logBuffer, r *Result, want ...string) {
	t.Helper()
	lines := log.lines()
	ok := len(lines) == len(want)
	for n := 0; ok && n < len(want); n++ {
		pattern := regexp.QuoteMeta(strings.ReplaceAll(want[n], "ID", r.RequestID))
		ok = regexp.MustCompile("^" + strings.ReplaceAll(pattern, `\.\.\.`, ".*") + "$").MatchString(lines[n])
	}
	if !ok {
		t.Errorf("log:\n%s\nwant:\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

const (
	start  = "START RequestId: ID Version: $LATEST"
	end    = "END RequestId: ID"
	report = "REPORT RequestId: ID\tDuration: ... ms\tBilled Duration: ... ms\tMemory Size: 256 MB\tMax Memory Used: ... MB\t"
	cold   = report + "Init Duration: ... ms\t"
)

func TestHandlerError(t *testing.T) {
	for _, test := range []struct{ event, payload string }{
		{`{"do": "error"}`, `{"errorMessage":"no such order","errorType":"errorString"}`},
		{`{"do": "custom error"}`, `{"errorMessage":"a custom error","errorType":"custom"}`},
		{`{"n": "text"}`, `{"errorMessage":"json: cannot unmarshal string into Go struct field Event.n of type int","errorType":"UnmarshalTypeError"}`},
	} {
		e, log := newEngine(t, Options{})
		fn := goFunction("acts")
		r := invoke(t, e, fn, test.event)
		wantFailure(t, r, test.payload)
		// aws-lambda-go logs the error itself.
		wantLog(t, log, r, start, "..."+test.payload, end, cold)
		if r.ContentType != "application/json" || r.Report.Status != "" {
			t.Errorf("content type %q, status %q", r.ContentType, r.Report.Status)
		}
		if r = invoke(t, e, fn, `{}`); r.FunctionError != "" || r.Report.InitDuration != 0 {
			t.Errorf("after an error: %s, init %v", r.Payload, r.Report.InitDuration)
		}
	}
}

func TestPanic(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := goFunction("acts")
	r := invoke(t, e, fn, `{"do": "panic"}`)
	got := string(r.Payload)
	if r.FunctionError != "Unhandled" ||
		!strings.HasPrefix(got, `{"errorMessage":"it went wrong","errorType":"string","stackTrace":[{"path":"`) {
		t.Errorf("got %s (error %q)", got, r.FunctionError)
	}
	text := log.String()
	want := "RequestId: " + r.RequestID + " Error: Runtime exited with error: exit status 1\nRuntime.ExitError\nEND RequestId: "
	if !strings.Contains(text, want) || !strings.HasSuffix(text, "\tStatus: error\tError Type: Runtime.ExitError\n") {
		t.Errorf("log:\n%s", text)
	}
	if r = invoke(t, e, fn, `{}`); r.FunctionError != "" || r.Report.InitDuration == 0 {
		t.Errorf("the process was not replaced: %s, init %v", r.Payload, r.Report.InitDuration)
	}
}

func TestProcessEnds(t *testing.T) {
	for _, test := range []struct{ name, event, how string }{
		{"exit 0", `{"do": "exit", "n": 0}`, "Runtime exited without providing a reason"},
		{"exit 1", `{"do": "exit", "n": 1}`, "Runtime exited with error: exit status 1"},
		{"killed", `{"do": "kill"}`, "Runtime exited with error: signal: killed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{})
			fn := goFunction("acts")
			r := invoke(t, e, fn, test.event)
			wantFailure(t, r, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: `+test.how+`"}`)
			wantLog(t, log, r, start, "RequestId: ID Error: "+test.how, "Runtime.ExitError", end,
				cold+"Status: error\tError Type: Runtime.ExitError")
			if r.Report.Status != "error" || r.Report.ErrorType != "Runtime.ExitError" || r.Report.MaxMemoryUsed < 1 {
				t.Errorf("report %+v", r.Report)
			}
			if r = invoke(t, e, fn, `{}`); r.FunctionError != "" || r.Report.InitDuration == 0 {
				t.Errorf("the process was not replaced: %s", r.Payload)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := goFunction("acts")
	fn.Timeout = time.Second
	began := time.Now()
	r := invoke(t, e, fn, `{"do": "sleep", "n": 5000}`)
	if took := time.Since(began); took < time.Second || took > 4*time.Second {
		t.Errorf("took %v", took)
	}
	wantFailure(t, r, `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 1.00 seconds"}`)
	wantLog(t, log, r, start, "...-...-...T...:...:...Z ID Task timed out after 1.00 seconds", end,
		"REPORT RequestId: ID\tDuration: 1000.00 ms\tBilled Duration: 10... ms\tMemory Size: 256 MB\t"+
			"Max Memory Used: ... MB\tInit Duration: ... ms\tStatus: timeout")
	if !slices.ContainsFunc(log.lines(), regexp.MustCompile(
		`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z `+r.RequestID+` Task timed out after 1\.00 seconds$`).MatchString) {
		t.Errorf("log:\n%s", log)
	}
	if r.Report.Duration != time.Second || r.Report.Status != "timeout" || r.Report.MaxMemoryUsed < 1 {
		t.Errorf("report %+v", r.Report)
	}
	if r = invoke(t, e, fn, `{}`); r.FunctionError != "" || r.Report.InitDuration == 0 {
		t.Errorf("the process was not replaced: %s", r.Payload)
	}
}

func TestResponseTooLarge(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := goFunction("acts")
	if r := invoke(t, e, fn, `{"do": "big", "n": 6291556}`); r.FunctionError != "" || len(r.Payload) != 6291556 {
		t.Fatalf("the largest response gave %d bytes, error %q", len(r.Payload), r.FunctionError)
	}
	r := invoke(t, e, fn, `{"do": "big", "n": 6291557}`)
	wantFailure(t, r, `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":`+
		`"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`)
	// aws-lambda-go gives up when it is told so.
	if !strings.HasSuffix(log.String(), "\tStatus: error\tError Type: Runtime.ExitError\n") ||
		!strings.Contains(log.String(), "got unexpected status code: 413") {
		t.Errorf("log:\n%s", log)
	}
	if r = invoke(t, e, fn, `{}`); r.FunctionError != "" {
		t.Errorf("the next invocation failed: %s", r.Payload)
	}
}

func TestInitExits(t *testing.T) {
	for _, test := range []struct{ init, how string }{
		{"exit", "Runtime exited with error: exit status 3"},
		{"panic", "Runtime exited with error: exit status 2"},
	} {
		e, log := newEngine(t, Options{})
		fn := goFunction("acts")
		fn.Environment = map[string]string{"INIT": test.init}
		r := invoke(t, e, fn, `{}`)
		wantFailure(t, r, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: `+test.how+`"}`)
		lines := log.lines()
		tail := strings.ReplaceAll(strings.Join(lines[len(lines)-6:], "\n"), r.RequestID, "ID")
		want := regexp.MustCompile(`^INIT_REPORT Init Duration: \d+\.\d\d ms	Phase: init	Status: error	Error Type: Runtime.ExitError
START RequestId: ID Version: \$LATEST
RequestId: ID Error: ` + test.how + `
Runtime\.ExitError
END RequestId: ID
REPORT RequestId: ID	Duration: \d+\.\d\d ms	Billed Duration: \d+ ms	Memory Size: 256 MB	Max Memory Used: \d+ MB	Status: error	Error Type: Runtime.ExitError$`)
		if !want.MatchString(tail) {
			t.Errorf("log:\n%s", strings.Join(lines, "\n"))
		}
		if test.init == "panic" && !strings.Contains(log.String(), "panic: init went wrong") {
			t.Errorf("the panic is not in the log:\n%s", log)
		}
		// The next invocation starts another process, which fails likewise.
		wantFailure(t, invoke(t, e, fn, `{}`), `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: `+test.how+`"}`)
	}
}

// TestInitTimeout has an init phase that is too slow for the first time only.
func TestInitTimeout(t *testing.T) {
	e, log := newEngine(t, Options{InitTimeout: 300 * time.Millisecond})
	fn := goFunction("acts")
	fn.Environment = map[string]string{"INIT": "slow once", "MARKER": filepath.Join(t.TempDir(), "marker")}
	r := invoke(t, e, fn, `{}`)
	if r.FunctionError != "" {
		t.Fatalf("got %s\n%s", r.Payload, log)
	}
	wantLog(t, log, r, "INIT_REPORT Init Duration: 300.00 ms\tPhase: init\tStatus: timeout", start, end, report)
	if r = invoke(t, e, fn, `{}`); r.Report.InitDuration != 0 {
		t.Error("the process was not used again")
	}
}

func TestInitTimeoutTwice(t *testing.T) {
	e, log := newEngine(t, Options{InitTimeout: 200 * time.Millisecond})
	fn := goFunction("acts")
	fn.Timeout = time.Second
	fn.Environment = map[string]string{"INIT": "hang"}
	r := invoke(t, e, fn, `{}`)
	wantFailure(t, r, `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 1.00 seconds"}`)
	wantLog(t, log, r,
		"INIT_REPORT Init Duration: 200.00 ms\tPhase: init\tStatus: timeout",
		"INIT_REPORT Init Duration: 1000.00 ms\tPhase: invoke\tStatus: timeout",
		start, "... ID Task timed out after 1.00 seconds", end,
		"REPORT RequestId: ID\tDuration: 1000.00 ms\tBilled Duration: 1000 ms\tMemory Size: 256 MB\tMax Memory Used: ... MB\tStatus: timeout")
}

// TestIdleProcessEnds has a process that ends while nobody looks.
func TestIdleProcessEnds(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("acts")
	invoke(t, e, fn, `{"do": "exit later", "n": 20}`)
	p, err := e.pool(fn)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the idle process has ended", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.idle[0].proc.gone()
	})
	if r := invoke(t, e, fn, `{}`); r.FunctionError != "" {
		t.Errorf("the next invocation failed: %s", r.Payload)
	}
}
