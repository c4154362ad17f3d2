//go:build unix

package local

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// pool is the processes of one function. The one that was used last is used
// first, so that the others may grow idle and end.
type pool struct {
	engine *Engine
	fn     *model.Function

	mu      sync.Mutex
	retired bool
	idle    []*instance
	busy    int
	ready   *program // how the function is run, once that is known

	// waiters are invocations that wait for a busy process: see queue.go.
	waiters []chan *instance
	// shortest is about the shortest time that an invocation took of late.
	shortest time.Duration
	progress time.Time // when the last invocation ended
}

// acquire gives an idle process, or one that becomes idle in a moment, or
// starts one. [pool.release] gives it back.
func (p *pool) acquire(ctx context.Context) (*instance, error) {
	turn, err := p.reserve()
	if err != nil {
		return nil, err
	}
	if turn != nil {
		i, err := p.await(ctx, turn)
		if err != nil {
			p.abandon()
		}
		if i != nil || err != nil {
			return i, err
		}
	}
	if i := p.takeIdle(); i != nil {
		return i, nil
	}
	i, err := p.launch()
	if err != nil {
		p.abandon()
	}
	return i, err
}

// abandon counts an invocation out that got no process.
func (p *pool) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
}

// reserve counts an invocation, and gives it a turn in the queue where it
// should wait.
func (p *pool) reserve() (turn chan *instance, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	limit, reserved := accountConcurrency, false
	if p.fn.ReservedConcurrency >= 0 {
		limit, reserved = p.fn.ReservedConcurrency, true
	}
	if p.busy >= limit {
		return nil, &ThrottledError{Function: p.fn.FunctionName, Limit: limit, Reserved: reserved}
	}
	if p.worthWaiting() {
		turn = make(chan *instance, 1)
		p.waiters = append(p.waiters, turn)
	}
	p.busy++
	return turn, nil
}

// takeIdle gives an idle process, nil where there is none.
func (p *pool) takeIdle() *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		last := len(p.idle) - 1
		i := p.idle[last]
		p.idle[last] = nil
		p.idle = p.idle[:last]
		if !i.proc.gone() {
			return i
		}
	}
	return nil
}

// release takes a process back after an invocation. One that does not wait for
// another event was killed, or is dying.
func (p *pool) release(i *instance) {
	p.mu.Lock()
	p.busy--
	healthy := i.idles() && !i.doomed && !i.proc.ended()
	keep := healthy && !p.retired
	switch {
	case keep && p.handOver(i):
	case keep:
		i.idleSince = time.Now()
		p.idle = append(p.idle, i)
	default:
		p.handOver(nil) // who waited for it starts one
	}
	p.mu.Unlock()
	if !keep {
		i.end(healthy)
	}
}

// launch starts a process.
func (p *pool) launch() (*instance, error) {
	prog, err := p.program()
	if err != nil {
		return nil, p.explain(err)
	}
	if !p.engine.admit() {
		return nil, ErrClosed
	}
	i := newInstance(p)
	i.log = &tailedLog{to: p.engine.logs, fn: p.fn}
	p.engine.api.add(i)
	l := prog.launch(p.engine.api.address+"/"+i.token, logStreamName(i.start))
	if i.proc, err = startProcess(p.engine.spawner, l, i.log); err != nil {
		p.engine.api.remove(i)
		p.engine.alive.Done()
		return nil, p.explain(startError(l.path, err))
	}
	go func() {
		<-i.proc.exited
		p.engine.api.remove(i)
		p.engine.alive.Done()
	}()
	return i, nil
}

// program finds out once how the function is run. What failed is tried again:
// a user may have mended it.
func (p *pool) program() (*program, error) {
	p.mu.Lock()
	prog := p.ready
	p.mu.Unlock()
	if prog != nil {
		return prog, nil
	}
	prog, err := p.engine.prepare(p.fn)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.ready = prog
	p.mu.Unlock()
	return prog, nil
}

// explain names the function in an error.
func (p *pool) explain(err error) error {
	var o *obstacle
	if errors.As(err, &o) {
		return &NotRunnableError{Function: nameOf(p.fn), Reason: o.reason, Fix: o.fix}
	}
	return err
}

// startError says why the operating system would not start a program that was
// there a moment ago.
func startError(path string, err error) error {
	if errors.Is(err, ErrClosed) {
		return err
	}
	if errors.Is(err, os.ErrNotExist) {
		return blocked("install what it needs", "%s cannot be started: the program that interprets it is not installed", path)
	}
	return blocked("", "%s cannot be started: %v", path, err)
}

// expire ends the processes that have been idle since before t.
func (p *pool) expire(t time.Time) {
	p.mu.Lock()
	var old []*instance
	p.idle = slices.DeleteFunc(p.idle, func(i *instance) bool {
		if i.idleSince.After(t) && !i.proc.ended() {
			return false
		}
		old = append(old, i)
		return true
	})
	p.mu.Unlock()
	for _, i := range old {
		i.end(true)
	}
}

// retire ends the idle processes, and the others as they are released.
func (p *pool) retire() {
	p.mu.Lock()
	p.retired = true
	p.mu.Unlock()
	p.expire(time.Now().Add(time.Hour))
}
