//go:build unix

package local

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// Engine runs functions as child processes of this one. Its methods may be
// called from many goroutines.
type Engine struct {
	options Options
	host    hostEnvironment
	logs    *logStream
	api     *runtimeAPI
	spawner *spawner
	scratch *scratch
	notes   onces

	interpreters interpreters

	closing chan struct{}  // closed when Close begins
	alive   sync.WaitGroup // counts processes that have not ended
	tended  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	pools  map[*model.Function]*pool
}

// New starts an engine: a Runtime API server on a free port of 127.0.0.1. It
// starts no process yet. [Engine.Close] ends it.
func New(o Options) (*Engine, error) {
	if o.Logs == nil {
		o.Logs = io.Discard
	}
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	if o.InitTimeout <= 0 {
		o.InitTimeout = defaultInitTimeout
	}
	scratch, err := newScratch(o.Scratch)
	if err != nil {
		return nil, err
	}
	api, err := newRuntimeAPI()
	if err != nil {
		return nil, err
	}
	e := &Engine{
		options: o, host: parseEnvironment(o.Environ), logs: &logStream{w: o.Logs, each: o.LogLines},
		api: api, spawner: newSpawner(), scratch: scratch,
		closing: make(chan struct{}), pools: map[*model.Function]*pool{},
	}
	e.tended.Go(e.tend)
	return e, nil
}

// Invoke runs a function once and waits for its end.
//
// A function that fails, by an error, a crash or its timeout, gives a Result
// with a FunctionError, as Lambda's API does, and no error. An error means
// that the function was not run to an end: a [*NotRunnableError], a
// [*RequestTooLargeError], a [*ThrottledError], [ErrClosed], or ctx's own
// where ctx ended, which also ends the process.
func (e *Engine) Invoke(ctx context.Context, fn *model.Function, in Invocation) (*Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	inv, err := newInvocation(fn, in)
	if err != nil {
		return nil, err
	}
	defer inv.stream.close()
	p, err := e.pool(fn)
	if err != nil {
		return nil, err
	}
	i, err := p.acquire(ctx)
	if err != nil {
		return nil, err
	}
	c := &call{engine: e, inv: inv, instance: i}
	result, err := c.run(ctx)
	p.observe(c)
	p.release(c.instance)
	return result, err
}

// Retire forgets a function, after its code was built again for one, or when
// it is no longer in the application. Idle processes end now, the others after
// the invocation that they run. Another Invoke of fn begins afresh.
func (e *Engine) Retire(fn *model.Function) {
	e.mu.Lock()
	p := e.pools[fn]
	delete(e.pools, fn)
	e.mu.Unlock()
	if p != nil {
		p.retire()
	}
}

// Close ends every process with its children, and then the server. It returns
// when they have ended. Invocations under way fail with [ErrClosed].
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	pools := e.pools
	e.pools = nil
	close(e.closing)
	e.mu.Unlock()

	for _, p := range pools {
		p.retire()
	}
	e.alive.Wait()
	e.tended.Wait()
	e.api.close()
	e.spawner.close()
	return e.scratch.close()
}

// admit counts a process that is about to start, unless the engine closes.
func (e *Engine) admit() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.alive.Add(1)
	}
	return !e.closed
}

// pool finds the processes of a function.
func (e *Engine) pool(fn *model.Function) (*pool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	p := e.pools[fn]
	if p == nil {
		p = &pool{engine: e, fn: fn}
		e.pools[fn] = p
	}
	return p, nil
}

// tend ends processes that have been idle for long.
func (e *Engine) tend() {
	tick := time.NewTicker(idleLife / 10)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			e.mu.Lock()
			pools := make([]*pool, 0, len(e.pools))
			for _, p := range e.pools {
				pools = append(pools, p)
			}
			e.mu.Unlock()
			for _, p := range pools {
				p.expire(now.Add(-idleLife))
			}
		case <-e.closing:
			return
		}
	}
}

// onces remembers what was said once.
type onces struct{ said sync.Map }

// first reports whether key is new.
func (o *onces) first(key string) bool {
	_, known := o.said.LoadOrStore(key, true)
	return !known
}
