//go:build unix

package local

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// TestConcurrency runs 200 invocations at once: each has a process, a log
// without a line in another's, and an answer of its own.
func TestConcurrency(t *testing.T) {
	const many = 200
	e, log := newEngine(t, Options{})
	fn := goFunction("acts")
	fn.Timeout = time.Minute
	var pids sync.Map
	var group sync.WaitGroup
	for n := range many {
		group.Go(func() {
			r := invoke(t, e, fn, `{"do": "log", "n": 20, "text": "`+strings.Repeat("z", 100)+`"}`)
			pid := decode[struct{ PID, Count int }](t, r)
			pids.Store(pid.PID, true)
			if pid.PID == 0 {
				t.Errorf("invocation %d: %s", n, r.Payload)
			}
		})
	}
	group.Wait()
	counts := map[string]int{}
	for _, line := range log.lines() {
		kind, _, _ := strings.Cut(line, " ")
		counts[kind]++
	}
	want := map[string]int{"START": many, "END": many, "REPORT": many, "out": 20 * many, "err": 20 * many, strings.Repeat("z", 100): many}
	if fmt.Sprint(counts) != fmt.Sprint(want) {
		t.Errorf("lines by their first word: %v", counts)
	}
	started := 0
	pids.Range(func(any, any) bool { started++; return true })
	t.Logf("%d processes for %d invocations", started, many)
	if p, _ := e.pool(fn); p.busy != 0 || len(p.idle) != started {
		t.Errorf("%d busy and %d idle of %d", p.busy, len(p.idle), started)
	}
}

// TestMixedConcurrency has invocations that end in all ways at once.
func TestMixedConcurrency(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("acts")
	impatient := goFunction("acts")
	impatient.Timeout = time.Second
	events := map[string]string{
		`{}`:                             "",
		`{"do": "error"}`:                "no such order",
		`{"do": "exit", "n": 1}`:         "Runtime.ExitError",
		`{"do": "panic"}`:                "it went wrong",
		`{"do": "kill"}`:                 "signal: killed",
		`{"do": "sleep", "n": 60000}`:    "Sandbox.Timedout",
		`{"do": "sleep", "n": 1}`:        "",
		`{"do": "log", "n": 50}`:         "",
		`{"do": "big", "n": 6291557}`:    "Function.ResponseSizeTooLarge",
		`{"do": "spawn"}`:                "",
		`{"do": "exit later", "n": 100}`: "",
	}
	var group sync.WaitGroup
	for event, want := range events {
		for range 5 {
			group.Go(func() {
				fn := fn
				if want == "Sandbox.Timedout" {
					fn = impatient
				}
				r := invoke(t, e, fn, event)
				if (r.FunctionError != "") != (want != "") || !strings.Contains(string(r.Payload), want) {
					// A process that ends when it is idle may take one event with it.
					if !strings.Contains(string(r.Payload), "exit status 7") {
						t.Errorf("%s: %s", event, r.Payload)
					}
				}
			})
		}
	}
	group.Wait()
	if busy := e.busy(fn); busy != 0 {
		t.Errorf("%d are still busy", busy)
	}
}

// soakVariable sets how many warm invocations TestSoak makes: 1000000 for a
// soak, 10000 by default.
const soakVariable = "BAILEY_SOAK"

// TestSoak looks for lost answers and for memory that grows.
func TestSoak(t *testing.T) {
	total := 10000
	if text := os.Getenv(soakVariable); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1000 {
			t.Fatalf("%s=%s is not a number of at least 1000", soakVariable, text)
		}
		total = n
	}
	e, err := New(Options{Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	fn := goFunction("echo")
	soak(t, e, fn, total/10)
	before, goroutines, descriptors := heap(), runtime.NumGoroutine(), countFiles(t)
	began := time.Now()
	soak(t, e, fn, total)
	took := time.Since(began)
	after := heap()
	t.Logf("%d warm invocations in %v, %.0f/s; heap %d KB, then %d KB", total, took.Round(time.Millisecond),
		float64(total)/took.Seconds(), before>>10, after>>10)
	if after > before+4<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	if n := runtime.NumGoroutine(); n > goroutines+8 {
		t.Errorf("%d goroutines, then %d", goroutines, n)
	}
	if n := countFiles(t); n > descriptors+4 {
		t.Errorf("%d open files, then %d", descriptors, n)
	}
}

// soak makes invocations, four at a time.
func soak(t *testing.T, e *Engine, fn *model.Function, total int) {
	t.Helper()
	var made, answered atomic.Int64
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for n := made.Add(1); n <= int64(total); n = made.Add(1) {
				if err := echoOnce(e, fn, n); err != nil {
					t.Error(err)
					return
				}
				answered.Add(1)
			}
		})
	}
	group.Wait()
	if answered.Load() != int64(total) {
		t.Errorf("%d answers to %d events", answered.Load(), total)
	}
}

// echoOnce checks that an answer is that of its own event.
func echoOnce(e *Engine, fn *model.Function, n int64) error {
	event := strconv.FormatInt(n, 10)
	r, err := e.Invoke(context.Background(), fn, Invocation{Payload: []byte(event)})
	if err != nil {
		return err
	}
	if r.FunctionError != "" || string(r.Payload) != event {
		return fmt.Errorf("event %s gave %s %q", event, r.Payload, r.FunctionError)
	}
	return nil
}

// heap is the memory in use after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
