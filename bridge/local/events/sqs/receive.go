package sqs

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// maxInFlight is the most messages that may be received and not yet deleted.
const maxInFlight = 120000

// ReceiveOptions of [Service.Receive].
type ReceiveOptions struct {
	// Max is how many messages to take: 1 to 10 by SQS's API, any number for
	// event source mappings.
	Max int
	// Wait is how long to wait for a message where there is none, up to 20 s.
	Wait time.Duration
	// Visibility is how long the messages are invisible; below 0 it is the
	// queue's own.
	Visibility time.Duration
	// Bare leaves the system attributes out.
	Bare bool
	// AttemptID makes a FIFO queue answer the same again for five minutes.
	AttemptID string
}

// attempt is the answer to a receive with an attempt id.
type attempt struct {
	until    int64 // ms
	messages []*message
	counts   []uint32
}

// Receive takes messages from the queue with an ARN. It returns none, and no
// error, where none came in time or ctx ended.
func (s *Service) Receive(ctx context.Context, arn string, o ReceiveOptions) ([]*Message, error) {
	q := s.byARN(arn)
	if q == nil {
		return nil, noQueue()
	}
	return s.receive(ctx, q, o)
}

// VisibilityTimeout is the one of the queue with an ARN, 0 where there is none.
func (s *Service) VisibilityTimeout(arn string) time.Duration {
	q := s.byARN(arn)
	if q == nil {
		return 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.config.visibility
}

func (s *Service) receive(ctx context.Context, q *queue, o ReceiveOptions) ([]*Message, error) {
	deadline := time.Now().Add(o.Wait)
	for {
		deadLetters := s.deadLetterQueue(q) != nil
		q.mu.Lock()
		if q.deleted {
			q.mu.Unlock()
			return nil, noQueue()
		}
		if q.counts[inFlight] >= maxInFlight {
			q.mu.Unlock()
			return nil, errorf("OverLimit", "Too many messages in flight: %d.", maxInFlight)
		}
		t := s.takeOnce(q, &o, deadLetters)
		var woken chan struct{}
		var due int64
		left := time.Until(deadline)
		if len(t.received) == 0 && left > 0 {
			woken = q.wait()
			if len(q.timed) > 0 {
				due = q.timed[0].at
			}
		}
		q.mu.Unlock()
		s.expire(q, t.expired)
		s.bury(q, t.dead)
		if len(t.received) > 0 {
			messages, err := s.read(q, t.received, o.Bare)
			if err != nil || len(messages) > 0 {
				return messages, err
			}
			continue
		}
		if woken == nil || !s.await(ctx, q, woken, left, due) {
			return nil, nil
		}
	}
}

// takeOnce takes what is there, or what an earlier attempt took.
func (s *Service) takeOnce(q *queue, o *ReceiveOptions, deadLetters bool) taken {
	now := millis(s.env.Now())
	visibility := o.Visibility
	if visibility < 0 {
		visibility = q.config.visibility
	}
	if a, ok := q.attempts[o.AttemptID]; ok && q.fifo && a.until > now && a.valid(now) {
		for _, m := range a.messages {
			q.postpone(m, now+visibility.Milliseconds(), now)
		}
		return taken{received: a.messages}
	}
	t := q.take(o.Max, visibility, now, deadLetters)
	if o.AttemptID != "" && q.fifo && len(t.received) > 0 {
		a := attempt{until: now + dedupInterval.Milliseconds(), messages: t.received}
		for _, m := range t.received {
			a.counts = append(a.counts, m.count)
		}
		q.attempts[o.AttemptID] = a
	}
	return t
}

// valid reports whether nothing happened to the messages of an attempt.
func (a *attempt) valid(now int64) bool {
	for i, m := range a.messages {
		if m.state != inFlight || m.count != a.counts[i] || m.at <= now {
			return false
		}
	}
	return true
}

// await waits for a message, and reports whether it is worth to look for one.
func (s *Service) await(ctx context.Context, q *queue, woken chan struct{}, left time.Duration, due int64) bool {
	if due > 0 {
		left = min(left, max(time.Duration(due-millis(s.env.Now()))*time.Millisecond, time.Millisecond))
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-woken:
		return true
	case <-timer.C:
		q.leave(woken)
		return true // the caller's own deadline ends it
	case <-ctx.Done():
	case <-s.stop:
	}
	q.leave(woken)
	return false
}

// read makes messages of what was taken. One that was deleted meanwhile is
// left out.
func (s *Service) read(q *queue, messages []*message, bare bool) ([]*Message, error) {
	all := make([]*Message, 0, len(messages))
	type state struct {
		count uint32
		first int64
	}
	states := make([]state, len(messages))
	q.mu.Lock()
	for i, m := range messages {
		states[i] = state{m.count, m.first}
	}
	q.mu.Unlock()
	err := s.env.Store.View(func(tx *store.Tx) error {
		for i, m := range messages {
			stored := tx.Get(messageTable+q.name, store.Key(m.seq))
			if stored == nil {
				continue
			}
			r, err := decode(stored)
			if err != nil {
				return err
			}
			received := &Message{
				MessageID: r.id, ReceiptHandle: handle(q.id, m.seq, states[i].count), Body: r.body, MD5OfBody: hexOf(r.md5Body),
				MessageAttributes: r.attributes,
			}
			if len(r.attributes) > 0 {
				received.MD5OfMessageAttributes = hexOf(r.md5Attrs)
			}
			if !bare {
				received.Attributes = systemAttributes(q, r, m.seq, states[i].count, states[i].first)
			}
			all = append(all, received)
		}
		return nil
	})
	return all, err
}

// systemAttributes are all that SQS tells of a message.
func systemAttributes(q *queue, r *record, seq uint64, count uint32, first int64) map[string]string {
	all := map[string]string{
		"SenderId":                         r.sender,
		"SentTimestamp":                    strconv.FormatInt(r.sent, 10),
		"ApproximateReceiveCount":          strconv.Itoa(int(r.count + count)),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(first, 10),
	}
	if q.fifo {
		all["SequenceNumber"] = sequenceNumber(seq)
		all["MessageDeduplicationId"] = r.dedup
	}
	for _, a := range [...]struct{ name, value string }{
		{"MessageGroupId", r.group}, {"AWSTraceHeader", r.trace}, {"DeadLetterQueueSourceArn", r.origin},
	} {
		if a.value != "" {
			all[a.name] = a.value
		}
	}
	return all
}

// handle is a receipt handle: which queue, which message, which receive of it.
func handle(queue uint32, seq uint64, count uint32) string {
	var b [16]byte
	binary.BigEndian.PutUint32(b[:], queue)
	binary.BigEndian.PutUint64(b[4:], seq)
	binary.BigEndian.PutUint32(b[12:], count)
	return base64.URLEncoding.EncodeToString(b[:])
}

func (q *queue) parseHandle(text string) (seq uint64, count uint32, e *service.Error) {
	if text == "" {
		return 0, 0, missing("ReceiptHandle")
	}
	b, err := base64.URLEncoding.DecodeString(text)
	if err != nil || len(b) != 16 {
		return 0, 0, errorf("ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", text)
	}
	if binary.BigEndian.Uint32(b) != q.id {
		return 0, 0, errorf("ReceiptHandleIsInvalid", "The receipt handle is not for this queue.")
	}
	return binary.BigEndian.Uint64(b[4:]), binary.BigEndian.Uint32(b[12:]), nil
}

// held finds the message of a receipt handle. It is nil, without an error,
// where the message is gone or was received again since.
func (q *queue) held(text string, now int64) (*message, *service.Error) {
	seq, count, e := q.parseHandle(text)
	if e != nil {
		return nil, e
	}
	m := q.all[seq]
	switch {
	case m == nil || m.state == leaving:
		return nil, nil
	case q.fifo && (m.state != inFlight || m.at <= now || count < m.count):
		return nil, invalid("ReceiptHandle", text, "The receipt handle has expired.")
	case count < m.count:
		return nil, nil
	}
	return m, nil
}

// Delete deletes the messages with these receipt handles in tx. A handle that
// is not valid is passed over, as is one of a message that is gone.
func (s *Service) Delete(tx *store.Tx, arn string, handles ...string) error {
	q := s.byARN(arn)
	if q == nil {
		return noQueue()
	}
	s.deleteAll(tx, q, handles)
	return nil
}

// deleteAll deletes messages, and returns an error or nil for each handle.
func (s *Service) deleteAll(tx *store.Tx, q *queue, handles []string) []*service.Error {
	errs := make([]*service.Error, len(handles))
	deleted := make([]*message, 0, len(handles))
	q.mu.Lock()
	now := millis(s.env.Now())
	for i, text := range handles {
		m, e := q.held(text, now)
		errs[i] = e
		if m != nil {
			deleted = append(deleted, m)
		}
	}
	q.mu.Unlock()
	for _, m := range deleted {
		s.erase(tx, q, m)
	}
	if len(deleted) > 0 {
		s.env.Note(tx, service.Note{What: service.Consumed, Source: q.arn(), Count: len(deleted)})
		s.removeAfter(tx, q, deleted)
	}
	return errs
}

// ChangeVisibility makes a message in flight visible after so long, 0 for at
// once. A message that is no longer in flight is left as it is.
func (s *Service) ChangeVisibility(arn, receiptHandle string, timeout time.Duration) error {
	q := s.byARN(arn)
	if q == nil {
		return noQueue()
	}
	if e := s.changeVisibility(q, receiptHandle, timeout); e != nil && e.Code != "MessageNotInflight" {
		return e
	}
	return nil
}

// Release makes messages in flight visible at once.
func (s *Service) Release(arn string, receiptHandles ...string) error {
	var all []error
	for _, h := range receiptHandles {
		all = append(all, s.ChangeVisibility(arn, h, 0))
	}
	return errors.Join(all...)
}

func (s *Service) changeVisibility(q *queue, receiptHandle string, timeout time.Duration) *service.Error {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := millis(s.env.Now())
	q.tick(now)
	seq, count, e := q.parseHandle(receiptHandle)
	if e != nil {
		return e
	}
	m := q.all[seq]
	switch {
	case m == nil:
		return invalid("ReceiptHandle", receiptHandle, "Message does not exist or is not available for visibility timeout change.")
	case m.state != inFlight || count < m.count:
		return errorf("MessageNotInflight", "The specified message isn't in flight.")
	}
	q.postpone(m, now+timeout.Milliseconds(), now)
	return nil
}
