//go:build unix

package local

import (
	"context"
	"time"
)

// call is one invocation on one process, from the init phase, where there is
// one, to the REPORT line.
type call struct {
	engine   *Engine
	inv      *invocation
	instance *instance

	began    time.Time     // when the invocation began
	duration time.Duration // set when it has ended
	init     time.Duration // the length of an init phase of this call
}

// run sees the invocation to its end.
func (c *call) run(ctx context.Context) (*Result, error) {
	a, err := c.boot(ctx)
	if a == nil && err == nil {
		a, err = c.serve(ctx)
	}
	if err != nil {
		c.instance.end(false)
		return nil, err
	}
	return c.finish(a), nil
}

// boot is the init phase of a new process: it ends when the runtime asks for
// its first event. An answer means that it failed, and the invocation with it.
//
// Lambda would run a failed init phase a second time, as part of the
// invocation, and answer with what comes of that. It would come to the same
// here, so that the first failure is the answer.
func (c *call) boot(ctx context.Context) (*answer, error) {
	if c.instance.used {
		return nil, nil
	}
	limit := time.NewTimer(c.engine.options.InitTimeout)
	defer limit.Stop()
	a, late, err := c.awaitReady(ctx, limit.C)
	took := time.Since(c.instance.start)
	switch {
	case err != nil:
		return nil, err
	case late:
		c.log(initReportLine(c.engine.options.InitTimeout, phaseInit, statusTimeout, ""))
		return c.bootAgain(ctx)
	case a != nil:
		c.log(initReportLine(took, phaseInit, statusError, a.errorType))
		c.start()
		c.duration = took
		return a, nil
	}
	c.instance.used = true
	c.init = took
	return nil, nil
}

// bootAgain starts another process for one that was not ready in time. Its
// init phase is part of the invocation and counts for its timeout, as Lambda
// has it ("suppressed init").
func (c *call) bootAgain(ctx context.Context) (*answer, error) {
	c.instance.end(false)
	<-c.instance.proc.exited
	i, err := c.instance.pool.launch()
	if err != nil {
		return nil, err
	}
	c.instance = i
	c.begin(i.start)
	limit := time.NewTimer(c.inv.timeout)
	defer limit.Stop()
	a, late, err := c.awaitReady(ctx, limit.C)
	switch {
	case err != nil:
		return nil, err
	case late:
		i.end(false)
		<-i.proc.exited
		a = timedOut(c.inv, nil)
		c.log(initReportLine(c.inv.timeout, phaseInvoke, statusTimeout, ""))
		c.duration = c.inv.timeout
	case a != nil:
		c.duration = time.Since(i.start)
		c.log(initReportLine(c.duration, phaseInvoke, statusError, a.errorType))
	default:
		i.used = true
		return nil, nil
	}
	c.start()
	return a, nil
}

// awaitReady waits for the runtime to ask for its first event, to report that
// it can't, or to end.
func (c *call) awaitReady(ctx context.Context, limit <-chan time.Time) (a *answer, late bool, err error) {
	i := c.instance
	select {
	case <-i.idle:
		c.engine.noteVersion(i)
		return nil, false, nil
	case failure := <-i.failed:
		i.proc.awaitEnd(dyingGrace)
		return &failure, false, nil
	case <-i.proc.exited:
		select {
		case failure := <-i.failed:
			return &failure, false, nil
		default:
			return exited(c.inv, i.proc.how(), nil), false, nil
		}
	case <-limit:
		return nil, true, nil
	case <-ctx.Done():
		return nil, false, ctx.Err()
	case <-c.engine.closing:
		return nil, false, ErrClosed
	}
}

// begin sets the clock of the invocation.
func (c *call) begin(at time.Time) {
	c.began = at
	c.inv.deadline = at.Add(c.inv.timeout)
}

// serve hands the event over and waits for the answer, and then until the
// runtime asks for the next event: only then is the invocation at its end.
func (c *call) serve(ctx context.Context) (*answer, error) {
	if c.began.IsZero() {
		c.begin(time.Now())
	}
	c.instance.proc.out.drain() // what the init phase wrote stands before START
	c.start()
	limit := time.NewTimer(time.Until(c.inv.deadline))
	defer limit.Stop()
	c.instance.dispatch(c.inv)
	a, err := c.awaitAnswer(ctx, limit.C)
	if c.duration == 0 {
		c.duration = time.Since(c.began)
	}
	return a, err
}

func (c *call) awaitAnswer(ctx context.Context, limit <-chan time.Time) (*answer, error) {
	i := c.instance
	var given *answer
	for {
		select {
		case a := <-c.inv.answer:
			given = &a
		case <-i.idle:
			return c.given(given), nil
		case <-i.proc.exited:
			return exited(c.inv, i.proc.how(), c.given(given)), nil
		case <-limit:
			i.end(false)
			<-i.proc.exited
			c.duration = c.inv.timeout
			return timedOut(c.inv, c.given(given)), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-c.engine.closing:
			return nil, ErrClosed
		}
	}
}

// given is the answer so far, be it not yet taken from the channel.
func (c *call) given(taken *answer) *answer {
	if taken != nil {
		return taken
	}
	select {
	case a := <-c.inv.answer:
		return &a
	default:
		return nil
	}
}

// finish writes the last lines of the invocation and makes its result.
func (c *call) finish(a *answer) *Result {
	proc := c.instance.proc
	report := Report{
		Duration: c.duration, BilledDuration: billed(c.duration + c.init), InitDuration: c.init,
		MemorySize: memorySizeOf(c.inv.fn), MaxMemoryUsed: megabytes(c.memory()),
		Status: a.status, ErrorType: a.errorType,
	}
	if !proc.ended() {
		proc.out.drain()
	}
	var text []byte
	for _, line := range append(a.lines, endLine(c.inv.RequestID), report.line(c.inv.RequestID)) {
		text = append(append(text, line...), '\n')
	}
	c.instance.log.write(text)
	return &Result{
		RequestID: c.inv.RequestID, Payload: a.payload, FunctionError: a.functionError,
		Streamed: c.inv.stream.begun(), ContentType: a.contentType, Report: report, LogTail: c.instance.log.take(),
	}
}

func (c *call) memory() int64 {
	if c.instance.proc.ended() {
		return c.instance.proc.memoryAfterExit()
	}
	return c.instance.proc.memory()
}

// megabytes rounds up: Lambda reports whole MB of 2^20 bytes.
func megabytes(bytes int64) int { return int((bytes + 1<<20 - 1) >> 20) }

// start writes the first line of the invocation.
func (c *call) start() {
	c.instance.log.serve(c.inv.RequestID)
	c.log(startLine(c.inv.RequestID))
}

func (c *call) log(line string) { c.instance.log.println(line) }
