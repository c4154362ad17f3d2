//go:build unix

package local

import (
	"context"
	"runtime"
	"slices"
	"time"
)

// Lambda starts an environment for each invocation that finds none idle. On one
// machine a new process costs what many short invocations cost, and processes
// beyond what its cores can run make each other slow. So where all processes
// are busy with a function that answers quickly, an invocation waits for one of
// them, but never longer than it would take to start another.
//
// An invocation that waits counts for the function's concurrency as any other.

const (
	// unknownStart is what a start is taken to cost before one was seen.
	unknownStart = 25 * time.Millisecond
	// longestWait bounds the wait where starts are slow.
	longestWait = 100 * time.Millisecond
	// shortestWait is given where the wait should be over at once.
	shortestWait = 2 * time.Millisecond
	// slack is how many times the expected wait an invocation waits.
	slack = 8
)

// pace is how long a function takes, as moving averages; 0 where it is not
// known.
type pace struct {
	warm  time.Duration // an invocation of a process that had run before
	start time.Duration // an init phase
}

func average(before, now time.Duration) time.Duration {
	if before == 0 {
		return now
	}
	return before + (now-before)/8
}

// observe learns from an invocation that has ended.
func (p *pool) observe(c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.init > 0 {
		p.pace.start = average(p.pace.start, c.init)
	}
	if c.duration > 0 {
		p.pace.warm = average(p.pace.warm, c.duration)
	}
}

// expectedWait is how long another invocation would wait for a busy process.
func (p *pool) expectedWait() time.Duration {
	return p.pace.warm * time.Duration(len(p.waiters)+1) / time.Duration(max(p.alive, 1))
}

func (p *pool) startCost() time.Duration {
	if p.pace.start == 0 {
		return unknownStart
	}
	return min(p.pace.start, longestWait)
}

// worthWaiting reports whether a busy process should be free before a new one
// were ready. While nothing is known of the function, the first processes are
// as many as can run at a time.
func (p *pool) worthWaiting() bool {
	switch {
	case p.alive == 0 || p.retired:
		return false
	case p.pace.warm == 0:
		return p.alive >= 2*runtime.NumCPU()
	}
	return p.expectedWait() < p.startCost()
}

// patience is how long an invocation waits at most.
func (p *pool) patience() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pace.warm == 0 {
		return p.startCost()
	}
	return min(max(slack*p.expectedWait(), shortestWait), p.startCost())
}

// await waits for a turn. It gives no process where the caller should start
// one, and an error where the invocation is over.
func (p *pool) await(ctx context.Context, turn chan *instance) (*instance, error) {
	timer := time.NewTimer(p.patience())
	defer timer.Stop()
	var err error
	select {
	case i := <-turn:
		return p.usable(i), nil
	case <-timer.C:
	case <-ctx.Done():
		err = ctx.Err()
	case <-p.engine.closing:
		err = ErrClosed
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
