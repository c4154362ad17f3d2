package mapping

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
)

const (
	// defaultQueueBatch is SQS's batch size where a mapping says nothing.
	defaultQueueBatch = 10
	// firstConcurrency is how many batches Lambda has under way at first.
	firstConcurrency = 5
	// longPoll is how long one Receive waits, as long as SQS allows.
	longPoll = 20 * time.Second
	// throttleInterval is the wait before a throttled batch is tried again,
	// doubled each time up to maxThrottleInterval.
	throttleInterval    = 50 * time.Millisecond
	maxThrottleInterval = 2 * time.Second
	// failurePause is the wait after the queue itself gave an error.
	failurePause = time.Second
)

// item is a message with its JSON in an event.
type item struct {
	*Message
	json []byte
}

// batch is what one invocation gets.
type batch struct {
	items []item
	// until is when the first of its messages becomes visible again.
	until time.Time
}

// pollQueue takes batches until ctx ends. A slot comes first: a message that
// was taken should not wait for a worker while it is invisible.
func (p *poller) pollQueue(ctx context.Context) {
	if visibility := p.o.Queue.VisibilityTimeout(p.m.EventSourceARN); visibility < p.m.Function.Timeout {
		p.o.Logf("%s: the visibility timeout of %s, %v, is less than the timeout of %s, %v: AWS refuses such a mapping, for messages come again while they are worked on",
			p.m.Path, p.m.EventSourceARN, visibility, p.m.Function.Name, p.m.Function.Timeout)
	}
	slots := newSlots(p.concurrency())
	var rest []item
	var failing trouble
	for slots.acquire(ctx) {
		b, left, err := p.gather(ctx, rest)
		rest = left
		if err != nil {
			failing.pause(ctx, p, "receive from", err)
		} else {
			failing.over()
		}
		if ctx.Err() != nil { // the mapping is gone: the function shall not get what came after that
			p.giveBack(b.items)
			b.items = nil
		}
		if len(b.items) == 0 {
			slots.release()
			continue
		}
		p.underWay.Go(func() {
			defer slots.release()
			p.handle(b)
		})
	}
	p.giveBack(rest)
}

// concurrency is how many invocations the mapping has under way at first and
// at most.
func (p *poller) concurrency() (first, most int) {
	most = p.o.MaxConcurrency
	if p.m.MaximumConcurrency > 0 {
		most = min(most, p.m.MaximumConcurrency)
	}
	if p.m.Function.ReservedConcurrency > 0 {
		most = min(most, p.m.Function.ReservedConcurrency)
	}
	return min(firstConcurrency, most), most
}

func (p *poller) fifo() bool { return strings.HasSuffix(p.m.EventSourceARN, ".fifo") }

// gather waits for the first messages and then, for as long as the batching
// window is open, for more. It begins with what was left of the last batch for
// want of room, and returns what is left of this one. A FIFO queue has no
// window.
func (p *poller) gather(ctx context.Context, rest []item) (b batch, left []item, err error) {
	limit := cmp.Or(p.m.BatchSize, defaultQueueBatch)
	b.until = time.Now().Add(p.o.Queue.VisibilityTimeout(p.m.EventSourceARN))
	size := 0
	b.items, left, size = fill(nil, rest, limit, size)
	var closes time.Time
	for len(b.items) < limit && len(left) == 0 {
		wait := longPoll
		if !closes.IsZero() {
			wait = time.Until(closes)
		} else if len(b.items) > 0 {
			wait = 0
		}
		if wait < 0 || ctx.Err() != nil {
			break
		}
		asked := time.Now()
		var messages []Message
		if messages, err = p.o.Queue.Receive(ctx, p.m.EventSourceARN, limit-len(b.items), wait); err != nil || len(messages) == 0 {
			break
		}
		if len(b.items) == 0 {
			b.until = asked.Add(p.o.Queue.VisibilityTimeout(p.m.EventSourceARN))
		}
		b.items, left, size = fill(b.items, p.pass(messages), limit, size)
		if len(b.items) > 0 && closes.IsZero() {
			if p.m.MaximumBatchingWindow <= 0 || p.fifo() {
				break
			}
			closes = time.Now().Add(p.m.MaximumBatchingWindow)
		}
	}
	return b, left, err
}

// fill adds items to a batch until it has as many or as much as it may.
func fill(items, more []item, limit, size int) (filled, left []item, newSize int) {
	for i, it := range more {
		if len(items) > 0 && (len(items) >= limit || size+len(it.json) > maxPayload) {
			return items, more[i:], size
		}
		items = append(items, it)
		size += len(it.json) + 1
	}
	return items, nil, size
}

// pass are the messages that the filter lets through. The others are deleted:
// Lambda does so too.
func (p *poller) pass(messages []Message) []item {
	items := make([]item, 0, len(messages))
	var handles, ids []string
	for i := range messages {
		m := &messages[i]
		record := newSQSRecord(m, p.m.EventSourceARN)
		if p.matches != nil && !p.matches(record.filtered()) {
			handles, ids = append(handles, m.ReceiptHandle), append(ids, m.ID)
			continue
		}
		items = append(items, item{m, record.json()})
	}
	if len(handles) > 0 {
		p.delete(handles)
		p.observe(Filtered, "", ids...)
	}
	return items
}

// handle invokes the function with a batch and deletes what it did.
func (p *poller) handle(b batch) {
	records, ids := make([][]byte, len(b.items)), make([]string, len(b.items))
	known := make(map[string]int, len(b.items))
	for i, it := range b.items {
		records[i], ids[i], known[it.ID] = it.json, it.ID, i
	}
	result, err := p.invoke(event(records), b.until)
	if reason := reasonOf(result, err); reason != "" {
		if err != nil && p.invoking.Err() == nil {
			p.o.Logf("%s: a batch goes back to the queue: %v", p.m.Path, err)
		}
		p.observe(Failed, reason, ids...)
		return
	}
	var failed map[string]bool
	if p.reports() {
		if failed, err = itemFailures(result.Payload, known); err != nil {
			p.o.Logf("%s: %s failed a whole batch: %v", p.m.Path, p.m.Function.Name, err)
			p.observe(Failed, err.Error(), ids...)
			return
		}
	}
	p.settle(b, failed)
}

// settle deletes the messages that did not fail.
func (p *poller) settle(b batch, failed map[string]bool) {
	var handles, done, not []string
	for _, it := range b.items {
		if failed[it.ID] {
			not = append(not, it.ID)
			continue
		}
		handles, done = append(handles, it.ReceiptHandle), append(done, it.ID)
	}
	if len(handles) > 0 {
		p.delete(handles)
		p.observe(Invoked, "", done...)
	}
	if len(not) > 0 {
		p.observe(Failed, "the function reported them as failed", not...)
	}
}

// delete deletes messages. Where that fails they are delivered again.
func (p *poller) delete(handles []string) {
	if err := p.o.Queue.Delete(context.WithoutCancel(p.invoking), p.m.EventSourceARN, handles); err != nil {
		p.o.Logf("%s cannot delete from %s, which will deliver again: %v", p.m.Path, p.m.EventSourceARN, err)
	}
}

// giveBack makes messages visible again that no function got.
func (p *poller) giveBack(items []item) {
	if len(items) == 0 {
		return
	}
	handles := make([]string, len(items))
	for i, it := range items {
		handles[i] = it.ReceiptHandle
	}
	// What cannot be given back becomes visible by itself.
	_ = p.o.Queue.Release(context.WithoutCancel(p.invoking), p.m.EventSourceARN, handles)
}

// invoke runs the function, and again where it is throttled, until that time.
func (p *poller) invoke(payload []byte, until time.Time) (*local.Result, error) {
	for wait := throttleInterval; ; wait = min(2*wait, maxThrottleInterval) {
		result, err := p.o.Invoke(p.invoking, p.m.Function, local.Invocation{Payload: payload})
		var throttled *local.ThrottledError
		if !errors.As(err, &throttled) || time.Now().Add(wait).After(until) {
			return result, err
		}
		p.observe(Throttled, err.Error())
		if !pause(p.invoking, wait) {
			return nil, p.invoking.Err()
		}
	}
}

// reasonOf says why an invocation failed, "" where it did not.
func reasonOf(result *local.Result, err error) string {
	if err != nil {
		return err.Error()
	}
	if result.FunctionError == "" {
		return ""
	}
	var e struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(result.Payload, &e) != nil || e.ErrorMessage == "" {
		return result.FunctionError + ": " + string(result.Payload)
	}
	return strings.TrimPrefix(e.ErrorType+": "+e.ErrorMessage, ": ")
}
