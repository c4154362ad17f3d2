package sqs

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// deadLetterQueue is where a queue's messages go that were received too often,
// nil where there is none that takes them. q.mu must be free.
func (s *Service) deadLetterQueue(q *queue) *queue {
	q.mu.Lock()
	arn := q.config.deadLetterARN
	q.mu.Unlock()
	if arn == "" {
		return nil
	}
	dlq := s.byARN(arn)
	if dlq == nil || dlq == q || dlq.fifo != q.fifo {
		return nil
	}
	dlq.mu.Lock()
	defer dlq.mu.Unlock()
	if !dlq.config.allows(q.arn()) {
		return nil
	}
	return dlq
}

// bury moves messages to the dead-letter queue. They keep their ids, and in a
// standard queue the time that they were sent. In a FIFO queue the message id
// becomes the deduplication id, so that no message is lost as a duplicate of
// another. See "Using dead-letter queues" in the SQS Developer Guide.
func (s *Service) bury(q *queue, dead []*message) {
	if len(dead) == 0 {
		return
	}
	dlq := s.deadLetterQueue(q)
	s.env.Store.Later(func(tx *store.Tx) error {
		for _, m := range dead {
			r, err := s.stored(tx, q, m)
			if err != nil || dlq == nil {
				tx.AfterCommit(func() {
					q.mu.Lock()
					q.restore(m)
					q.mu.Unlock()
				})
				continue
			}
			s.erase(tx, q, m)
			id := r.id
			r.origin, r.count, r.first = q.arn(), r.count+m.count, m.first
			if q.fifo {
				r.dedup, r.sent = id, 0
			}
			s.put(tx, dlq, r, 0)
			s.env.Note(tx, service.Note{
				What: service.DeadLettered, Source: q.arn(), Target: dlq.arn(), MessageID: id, Body: r.body,
				Detail: fmt.Sprintf("it was received %d times", m.count),
			})
			s.removeAfter(tx, q, []*message{m})
		}
		return nil
	})
}

func (s *Service) stored(tx *store.Tx, q *queue, m *message) (*record, error) {
	b := tx.Get(messageTable+q.name, store.Key(m.seq))
	if b == nil {
		return nil, errRecord
	}
	return decode(b)
}

// The states of a move task.
const (
	running    = "RUNNING"
	completed  = "COMPLETED"
	cancelling = "CANCELLING"
	cancelled  = "CANCELLED"
	failed     = "FAILED"
)

// task moves the messages of a dead-letter queue elsewhere. It is stored, and
// goes on when the plane is opened again.
type task struct {
	Handle      string `json:"handle"`
	Source      string `json:"source"`
	Destination string `json:"destination,omitempty"` // "" for where each came from
	Rate        int    `json:"rate,omitempty"`        // messages a second, 0 for as fast as possible
	Status      string `json:"status"`
	Moved       int64  `json:"moved"`
	ToMove      int64  `json:"toMove"`
	Failure     string `json:"failure,omitempty"`
	Started     int64  `json:"started"` // ms
}

type tasks struct {
	mu       sync.Mutex
	byHandle map[string]*task
}

// maxTasks is how many tasks of a queue are remembered.
const maxTasks = 10

// moveBatch is how many messages a task moves in a transaction.
const moveBatch = 100

func (s *Service) loadTasks(tx *store.Tx) error {
	s.tasks.byHandle = map[string]*task{}
	return tx.Scan(tasksTable, nil, func(key, value []byte) error {
		t := &task{}
		if err := json.Unmarshal(value, t); err != nil {
			return fmt.Errorf("the message move task %s cannot be read: %w", key, err)
		}
		s.tasks.byHandle[t.Handle] = t
		return nil
	})
}

func (s *Service) startTasks() {
	s.tasks.mu.Lock()
	defer s.tasks.mu.Unlock()
	for _, t := range s.tasks.byHandle {
		if t.Status == running || t.Status == cancelling {
			s.work.Go(func() { s.run(t) })
		}
	}
}

func (s *Service) saveTask(tx *store.Tx, t *task) {
	text, _ := json.Marshal(t) // never fails
	tx.Put(tasksTable, []byte(t.Handle), text)
}

// begin starts a task.
func (s *Service) begin(source, destination string, rate int) (*task, *service.Error) {
	q := s.byARN(source)
	switch {
	case q == nil:
		return nil, errorf("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.")
	case len(s.sourcesOf(q)) == 0:
		return nil, invalid("SourceArn", source, "Source queue must be configured as a Dead Letter Queue.")
	case destination != "" && s.byARN(destination) == nil:
		return nil, errorf("ResourceNotFoundException", "The resource that you specified for the DestinationArn parameter doesn't exist.")
	case destination == source:
		return nil, invalid("DestinationArn", destination, "Source and destination must be different queues.")
	case destination != "" && s.byARN(destination).fifo != q.fifo:
		return nil, invalid("DestinationArn", destination, "Source and destination must be queues of the same type.")
	case rate < 0 || rate > 500:
		return nil, invalid("MaxNumberOfMessagesPerSecond", fmt.Sprint(rate), "It must be from 1 to 500.")
	}
	q.mu.Lock()
	toMove := q.counts[ready] + q.counts[delayed] + q.counts[inFlight]
	q.mu.Unlock()
	s.tasks.mu.Lock()
	defer s.tasks.mu.Unlock()
	for _, t := range s.tasks.byHandle {
		if t.Source == source && (t.Status == running || t.Status == cancelling) {
			return nil, errorf("UnsupportedOperation", "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
		}
	}
	t := &task{
		Handle: service.NewID(), Source: source, Destination: destination, Rate: rate,
		Status: running, ToMove: int64(toMove), Started: millis(s.env.Now()),
	}
	if err := s.env.Store.Update(func(tx *store.Tx) error { s.saveTask(tx, t); return nil }); err != nil {
		return nil, service.ErrorOf(err)
	}
	s.tasks.byHandle[t.Handle] = t
	s.work.Go(func() { s.run(t) })
	return t, nil
}

// run moves messages until the queue is empty, or the task is cancelled.
func (s *Service) run(t *task) {
	batch := moveBatch
	pause := time.Duration(0)
	if t.Rate > 0 {
		batch = max(1, t.Rate/10)
		pause = time.Second * time.Duration(batch) / time.Duration(t.Rate)
	}
	for {
		n, err := s.moveSome(t, batch)
		s.tasks.mu.Lock()
		status := t.Status
		switch {
		case errors.Is(err, store.ErrClosed):
			s.tasks.mu.Unlock()
			return
		case err != nil:
			t.Status, t.Failure = failed, err.Error()
		case status == cancelling:
			t.Status = cancelled
		case n == 0:
			t.Status = completed
		}
		ended := t.Status != running
		s.env.Store.Later(func(c task) func(*store.Tx) error {
			return func(tx *store.Tx) error { s.saveTask(tx, &c); return nil }
		}(*t))
		s.tasks.mu.Unlock()
		if ended {
			return
		}
		select {
		case <-s.stop:
			return
		case <-time.After(pause):
		}
	}
}

// moveSome moves up to n visible messages. They become new messages, with ids
// and times of their own: "Learn how to configure a dead-letter queue redrive"
// in the SQS Developer Guide.
func (s *Service) moveSome(t *task, n int) (moved int, err error) {
	q := s.byARN(t.Source)
	if q == nil {
		return 0, errors.New("the source queue is gone")
	}
	q.mu.Lock()
	some := q.take(n, time.Minute, millis(s.env.Now()), false)
	q.mu.Unlock()
	s.expire(q, some.expired)
	err = s.env.Store.Update(func(tx *store.Tx) error {
		moved = 0
		for _, m := range some.received {
			r, err := s.stored(tx, q, m)
			if err != nil {
				continue // deleted meanwhile
			}
			to := t.Destination
			if to == "" {
				to = r.origin
			}
			target := s.byARN(to)
			if target == nil {
				return fmt.Errorf("the message %s came from %q, which is no queue here; name a destination", r.id, to)
			}
			if !slices.Contains(s.sourcesOf(q), target.name) && t.Destination == "" {
				return fmt.Errorf("%s no longer has the queue %s for its dead letters; name a destination", to, q.name)
			}
			s.erase(tx, q, m)
			s.env.Note(tx, service.Note{What: service.Delivered, Source: q.arn(), Target: to, MessageID: r.id, Body: r.body, Detail: "redrive"})
			r.id, r.sent, r.count, r.first, r.origin = "", 0, 0, 0, ""
			s.put(tx, target, r, 0)
			moved++
		}
		s.removeAfter(tx, q, some.received)
		return nil
	})
	if err != nil {
		q.mu.Lock()
		for _, m := range some.received {
			if m.state == inFlight {
				q.postpone(m, 0, millis(s.env.Now()))
			}
		}
		q.mu.Unlock()
		return 0, err
	}
	s.tasks.mu.Lock()
	t.Moved += int64(moved)
	s.tasks.mu.Unlock()
	return len(some.received), nil
}

// cancel ends a task, and returns how many messages it moved.
func (s *Service) cancel(handle string) (int64, *service.Error) {
	s.tasks.mu.Lock()
	defer s.tasks.mu.Unlock()
	t := s.tasks.byHandle[handle]
	switch {
	case t == nil:
		return 0, errorf("ResourceNotFoundException", "Task does not exist.")
	case t.Status != running:
		return 0, errorf("UnsupportedOperation", "Only active tasks can be cancelled. The task is in status %s.", t.Status)
	}
	t.Status = cancelling
	return t.Moved, nil
}

// tasksOf are the latest tasks of a queue, the newest first.
func (s *Service) tasksOf(source string) []task {
	s.tasks.mu.Lock()
	defer s.tasks.mu.Unlock()
	var all []task
	for _, t := range s.tasks.byHandle {
		if t.Source == source {
			all = append(all, *t)
		}
	}
	slices.SortFunc(all, func(a, b task) int { return int(b.Started - a.Started) })
	return all[:min(len(all), maxTasks)]
}

// sourcesOf are the names of the queues whose dead letters a queue gets.
func (s *Service) sourcesOf(dlq *queue) []string {
	var all []string
	for _, q := range s.list() {
		if p, err := parseRedrive(q.definition.Load().Attributes["RedrivePolicy"]); err == nil && p != nil && s.byARN(p.DeadLetterTargetARN) == dlq {
			all = append(all, q.name)
		}
	}
	return all
}
