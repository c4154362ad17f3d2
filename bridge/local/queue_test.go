//go:build unix

package local

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// A quick function has no more processes than the cores can run, however many
// ask for it; one that takes its time has one for each that asks.
func TestProcessesByPace(t *testing.T) {
	before, still := patience, standstill
	patience, standstill = time.Minute, time.Minute // whatever this machine has to do beside
	t.Cleanup(func() { patience, standstill = before, still })
	e, _ := newEngine(t, Options{})
	quickly, slowly := goFunction("echo"), goFunction("acts")
	invoke(t, e, quickly, `1`)
	known, err := e.pool(quickly)
	if err != nil {
		t.Fatal(err)
	}
	known.shortest = 100 * time.Microsecond
	together(8*enough, func() {
		for range 20 {
			invoke(t, e, quickly, `1`)
		}
	})
	p, _ := e.pool(quickly)
	t.Logf("%d processes of the quick function for %d clients; it takes %v", len(p.idle), 8*enough, p.shortest)
	if len(p.idle) > enough {
		t.Errorf("%d processes for %d clients", len(p.idle), 8*enough)
	}
	if p.busy != 0 || len(p.waiters) != 0 {
		t.Errorf("%d are still busy, %d wait", p.busy, len(p.waiters))
	}
	invoke(t, e, slowly, `{"do": "sleep", "n": 20}`)
	together(2*enough, func() { invoke(t, e, slowly, `{"do": "sleep", "n": 500}`) })
	if p, _ := e.pool(slowly); len(p.idle) != 2*enough {
		t.Errorf("%d processes of a slow function for %d clients", len(p.idle), 2*enough)
	}
}

// Invocations that wait for a process do so no longer than things go on, and
// give their place up with their context.
func TestWaiting(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("acts")
	p, err := e.pool(fn)
	if err != nil {
		t.Fatal(err)
	}
	p.shortest = time.Millisecond
	var group sync.WaitGroup
	for range enough {
		group.Go(func() { invoke(t, e, fn, `{"do": "sleep", "n": 2000}`) })
	}
	eventually(t, "all are busy", func() bool { return e.busy(fn) == enough })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, err := e.Invoke(ctx, fn, Invocation{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an invocation whose context ended while it waited gave %v", err)
	}
	began := time.Now()
	invoke(t, e, fn, `{}`)
	if took := time.Since(began); took < standstill {
		t.Errorf("it did not wait: %v", took)
	}
	group.Wait()
	if p.busy != 0 || len(p.waiters) != 0 {
		t.Errorf("%d are still busy, %d wait", p.busy, len(p.waiters))
	}
}

// Who waits for a process that dies gets another one.
func TestWaitingForDying(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("acts")
	p, err := e.pool(fn)
	if err != nil {
		t.Fatal(err)
	}
	together(4*enough, func() {
		p.mu.Lock()
		p.shortest = time.Microsecond // so that the others wait
		p.mu.Unlock()
		for range 3 {
			if r := invoke(t, e, fn, `{"do": "exit", "n": 1}`); r.FunctionError == "" {
				t.Errorf("it gave %s", r.Payload)
			}
		}
	})
	if p.busy != 0 || len(p.waiters) != 0 {
		t.Errorf("%d are still busy, %d wait", p.busy, len(p.waiters))
	}
}

// together runs f many times at once.
func together(many int, f func()) {
	var group sync.WaitGroup
	for range many {
		group.Go(f)
	}
	group.Wait()
}
