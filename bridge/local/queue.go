//go:build unix

package local

import (
	"context"
	"runtime"
	"slices"
	"time"
)

// Lambda starts an environment for each invocation that finds none idle. On one
// machine processes beyond what its cores can run only make each other slow,
// where a function answers so quickly that it hardly waits for anything itself.
// So an invocation of such a function waits for one of its busy processes, if
// there are two for each core already, and leaves idle ones alone. It does not
// wait longer than a cold start on Lambda would take.
//
// An invocation that waits counts for the function's concurrency as any other.

const (
	// quick is below how long a function takes that hardly waits for anything.
	quick = 2 * time.Millisecond
	// forget is after how many invocations the shortest time is taken to be a
	// little longer than it was: by one part in as many.
	forget = 1024
)

// enough is how many processes of a quick function run before invocations wait.
var enough = 2 * runtime.NumCPU()

// How long an invocation waits: standstill where no invocation comes to its
// end, patience where they do. Tests change them.
var (
	patience   = 100 * time.Millisecond
	standstill = 50 * time.Millisecond
)

// observe learns from an invocation that has ended how long the function takes
// where nothing is in its way: the shortest time counts, and is slowly
// forgotten.
func (p *pool) observe(c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shortest == 0 || c.duration < p.shortest {
		p.shortest = c.duration
	} else {
		p.shortest += p.shortest / forget
	}
	p.progress = time.Now()
}

// worthWaiting reports whether a busy process should be free in a moment.
func (p *pool) worthWaiting() bool {
	return p.busy-len(p.waiters) >= enough && p.shortest < quick && !p.retired
}

// await waits for a turn. It gives no process where the caller should take an
// idle one or start one, and an error where the invocation is over.
func (p *pool) await(ctx context.Context, turn chan *instance) (*instance, error) {
	end := time.Now().Add(patience)
	timer := time.NewTimer(standstill)
	defer timer.Stop()
	var err error
	for waits := true; waits; {
		select {
		case i := <-turn:
			return p.usable(i), nil
		case now := <-timer.C:
			waits = p.progresses(now) && now.Before(end)
			timer.Reset(standstill)
		case <-ctx.Done():
			err, waits = ctx.Err(), false
		case <-p.engine.closing:
			err, waits = ErrClosed, false
		}
	}
	if p.leave(turn) {
		return nil, err
	}
	i := <-turn // it came in the last moment
	if err != nil && i != nil {
		p.pass(i)
		return nil, err
	}
	return p.usable(i), err
}

// progresses reports whether an invocation came to its end of late.
func (p *pool) progresses(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Sub(p.progress) < standstill
}

// usable is nil for a process that has ended in the meantime.
func (p *pool) usable(i *instance) *instance {
	if i == nil || i.proc.gone() {
		return nil
	}
	return i
}

// leave takes a turn out of the queue; false where it has come.
func (p *pool) leave(turn chan *instance) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := slices.Index(p.waiters, turn)
	if n < 0 {
		return false
	}
	p.waiters = slices.Delete(p.waiters, n, n+1)
	return true
}

// pass gives a process on that was handed to an invocation that is over. What
// release counts is that invocation, whose caller counts itself too.
func (p *pool) pass(i *instance) {
	p.mu.Lock()
	p.busy++
	p.mu.Unlock()
	p.release(i)
}

// handOver gives a process to who waits longest, nil to have them start one.
// It reports whether somebody waited. The caller holds the lock.
func (p *pool) handOver(i *instance) bool {
	if len(p.waiters) == 0 {
		return false
	}
	p.waiters[0] <- i
	p.waiters[0] = nil
	p.waiters = p.waiters[1:]
	return true
}
