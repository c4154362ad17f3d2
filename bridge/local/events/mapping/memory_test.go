package mapping

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// memoryQueue is a queue with the rules of SQS that pollers depend on:
// visibility, receive counts, redrive, and groups that block.
type memoryQueue struct {
	visibility time.Duration
	maxReceive int
	fifo       bool

	mu      sync.Mutex
	changed chan struct{}
	queued  []*held
	dead    []string // bodies
	deleted []string // bodies
	serial  int
}

type held struct {
	Message
	group     string
	visibleAt time.Time
	receives  int
}

func newMemoryQueue(visibility time.Duration) *memoryQueue {
	return &memoryQueue{visibility: visibility, changed: make(chan struct{})}
}

func (q *memoryQueue) send(group string, bodies ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, body := range bodies {
		q.serial++
		q.queued = append(q.queued, &held{Message: Message{ID: fmt.Sprintf("id-%d", q.serial), Body: body}, group: group})
	}
	q.wake()
}

func (q *memoryQueue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *memoryQueue) Receive(ctx context.Context, _ string, limit int, wait time.Duration) ([]Message, error) {
	deadline := time.Now().Add(wait)
	for {
		messages, changed := q.take(limit)
		if len(messages) > 0 {
			return messages, nil
		}
		// A message that becomes visible wakes nobody: look every few ms.
		rest := min(time.Until(deadline), 5*time.Millisecond)
		if rest <= 0 {
			return nil, ctx.Err()
		}
		select {
		case <-changed:
		case <-time.After(rest):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (q *memoryQueue) take(limit int) ([]Message, chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	var messages []Message
	var kept []*held
	blocked := map[string]bool{}
	for _, h := range q.queued {
		switch {
		case q.fifo && blocked[h.group]:
		case h.visibleAt.After(now):
			blocked[h.group] = true
		case len(messages) == limit:
		case q.maxReceive > 0 && h.receives >= q.maxReceive:
			q.dead = append(q.dead, h.Body)
			continue
		default:
			h.receives++
			h.visibleAt = now.Add(q.visibility)
			q.serial++
			h.ReceiptHandle = fmt.Sprintf("r-%d", q.serial)
			h.Attributes = map[string]string{"ApproximateReceiveCount": strconv.Itoa(h.receives)}
			messages = append(messages, h.Message)
		}
		kept = append(kept, h)
	}
	q.queued = kept
	return messages, q.changed
}

func (q *memoryQueue) Delete(_ context.Context, _ string, handles []string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	gone := map[string]bool{}
	for _, handle := range handles {
		gone[handle] = true
	}
	var kept []*held
	for _, h := range q.queued {
		if gone[h.ReceiptHandle] {
			q.deleted = append(q.deleted, h.Body)
			continue
		}
		kept = append(kept, h)
	}
	q.queued = kept
	q.wake()
	return nil
}

func (q *memoryQueue) Release(_ context.Context, _ string, handles []string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range q.queued {
		for _, handle := range handles {
			if h.ReceiptHandle == handle {
				h.visibleAt = time.Time{}
			}
		}
	}
	q.wake()
	return nil
}

func (q *memoryQueue) VisibilityTimeout(string) time.Duration { return q.visibility }

func (q *memoryQueue) counts() (queued, deleted, dead int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.queued), len(q.deleted), len(q.dead)
}

// memoryStream is a stream of one shard.
type memoryStream struct {
	mu      sync.Mutex
	records []Record
	changed chan struct{}
}

const testShard = "shardId-1"

func newMemoryStream() *memoryStream { return &memoryStream{changed: make(chan struct{})} }

func (s *memoryStream) put(key, value string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number := strconv.Itoa(len(s.records) + 1)
	s.records = append(s.records, Record{SequenceNumber: number, Key: key, At: at, Event: []byte(`{"n":` + number + `,"key":"` + key + `","value":"` + value + `"}`)})
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *memoryStream) Shards(context.Context, string) ([]string, error) {
	return []string{testShard}, nil
}

func (s *memoryStream) Newest(context.Context, string, string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.records) == 0 {
		return "", nil
	}
	return strconv.Itoa(len(s.records)), nil
}

func (s *memoryStream) Read(ctx context.Context, _, _, after string, limit int, wait time.Duration) ([]Record, error) {
	deadline := time.After(wait)
	for {
		s.mu.Lock()
		from, _ := strconv.Atoi(after)
		found := s.records[from:min(len(s.records), from+limit)]
		changed := s.changed
		s.mu.Unlock()
		if len(found) > 0 {
			return found, nil
		}
		select {
		case <-changed:
		case <-deadline:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

type memoryCheckpoints struct{ sync.Map }

func (c *memoryCheckpoints) Checkpoint(key string) (string, bool) {
	value, ok := c.Load(key)
	if !ok {
		return "", false
	}
	return value.(string), true
}

func (c *memoryCheckpoints) SetCheckpoint(key, value string) error {
	c.Store(key, value)
	return nil
}
