package async

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// Two tables: the payloads, which are written once, and the small states, which
// each attempt writes anew.
const (
	payloadsTable = "async/payloads"
	statesTable   = "async/states"
)

// record is an event in the queue.
type record struct {
	RequestID     string `json:"requestId"`
	FunctionARN   string `json:"functionArn"`
	Source        string `json:"source,omitempty"`
	MessageID     string `json:"messageId,omitempty"`
	TraceID       string `json:"traceId,omitempty"`
	ClientContext string `json:"clientContext,omitempty"`
	// Accepted and Due are in nanoseconds since 1970.
	Accepted int64 `json:"accepted"`
	Due      int64 `json:"due"`
	// Failures are the invocations that failed, SystemFailures those that did
	// not come to be.
	Failures       int `json:"failures,omitempty"`
	SystemFailures int `json:"systemFailures,omitempty"`

	key     []byte
	Payload []byte `json:"-"`
}

// enqueue puts an event into the queue.
func (s *Service) enqueue(tx *store.Tx, fn *model.Function, r *record) error {
	if len(r.Payload) > maxPayload {
		return &local.RequestTooLargeError{Size: len(r.Payload), Async: true}
	}
	if len(r.Payload) == 0 {
		r.Payload = []byte("{}")
	}
	if r.RequestID == "" {
		r.RequestID = service.NewID()
	}
	r.FunctionARN = fn.ARN
	r.Accepted = s.env.Now().UnixNano()
	r.Due = r.Accepted
	r.key = store.Key(s.next.Add(1))
	tx.Put(payloadsTable, r.key, r.Payload)
	r.put(tx)
	key := binary.BigEndian.Uint64(r.key)
	tx.AfterCommit(func() { s.schedule(fn.ARN, key, 0) })
	return nil
}

func (r *record) put(tx *store.Tx) {
	state, _ := json.Marshal(r) // texts and numbers always are
	tx.Put(statesTable, r.key, state)
}

func (r *record) remove(tx *store.Tx) {
	tx.Delete(payloadsTable, r.key)
	tx.Delete(statesTable, r.key)
}

// load schedules the events from before.
func (s *Service) load() error {
	return s.env.Store.View(func(tx *store.Tx) error {
		return tx.Scan(statesTable, nil, func(key, value []byte) error {
			var r record
			if err := json.Unmarshal(value, &r); err != nil {
				return fmt.Errorf("the queue of asynchronous invocations is damaged: %w; bailey local reset begins anew", err)
			}
			number := binary.BigEndian.Uint64(key)
			s.next.Store(number) // keys rise
			s.schedule(r.FunctionARN, number, time.Duration(r.Due-s.env.Now().UnixNano()))
			return nil
		})
	})
}

// read reads an event, nil where it is gone.
func (s *Service) read(number uint64) (*record, error) {
	r := &record{key: store.Key(number)}
	found := false
	err := s.env.Store.View(func(tx *store.Tx) error {
		state := tx.Get(statesTable, r.key)
		if state == nil {
			return nil
		}
		found = true
		r.Payload = append(r.Payload, tx.Get(payloadsTable, r.key)...)
		return json.Unmarshal(state, r)
	})
	if err != nil || !found {
		return nil, err
	}
	return r, nil
}

// lane are the events of one function. ready are the numbers of those that are
// due, in the order in which they became so.
type lane struct {
	arn     string
	ready   []uint64
	running int
}

// schedule makes an event ready after a while.
func (s *Service) schedule(arn string, number uint64, after time.Duration) {
	if after > 0 {
		time.AfterFunc(after, func() { s.schedule(arn, number, 0) })
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return // it is in the store
	}
	l := s.lanes[arn]
	if l == nil {
		l = &lane{arn: arn}
		s.lanes[arn] = l
	}
	l.ready = append(l.ready, number)
	s.grow(l)
}

// grow starts a worker where there is work for one more. mu is held.
func (s *Service) grow(l *lane) {
	for s.started && !s.closed && l.running < min(len(l.ready)+l.running, s.limit(l.arn)) {
		l.running++
		s.underWay.Go(func() { s.work(l) })
	}
}

// limit is how many events of a function run at a time.
func (s *Service) limit(arn string) int {
	if fn, err := s.app.Load().Function(arn); err == nil && fn.ReservedConcurrency > 0 {
		return min(fn.ReservedConcurrency, s.o.MaxConcurrency)
	}
	return s.o.MaxConcurrency
}

// work runs the events of a lane until none is ready.
func (s *Service) work(l *lane) {
	for {
		s.mu.Lock()
		if len(l.ready) == 0 || s.closed {
			l.running--
			s.mu.Unlock()
			return
		}
		number := l.ready[0]
		l.ready = l.ready[1:]
		s.mu.Unlock()
		r, err := s.read(number)
		if err != nil {
			s.env.Logf("cannot read an event for %s: %v", l.arn, err)
		}
		if r != nil {
			s.attempt(r)
		}
	}
}

// attempt runs a function once with an event and decides how it goes on.
func (s *Service) attempt(r *record) {
	app := s.app.Load()
	fn, err := app.Function(r.FunctionARN)
	if err != nil {
		s.giveUp(nil, nil, r, "", outcome{reason: "there is no such function any more"})
		return
	}
	config := configOf(app, fn)
	switch {
	case fn.ReservedConcurrency == 0:
		s.giveUp(fn, config, r, conditionZero, outcome{reason: "the function's reserved concurrency is 0"})
		return
	case s.age(r) > config.MaximumEventAge:
		s.giveUp(fn, config, r, conditionAge, outcome{reason: "the event is older than " + config.MaximumEventAge.String()})
		return
	}
	result, err := s.env.Invoke(s.invoking, fn, local.Invocation{
		Payload: r.Payload, RequestID: r.RequestID, TraceID: r.TraceID, ClientContext: r.ClientContext, Async: true,
	})
	switch {
	case err != nil && (s.invoking.Err() != nil || errors.Is(err, local.ErrClosed)):
		return // it is in the store, for the next start
	case err != nil:
		s.retrySystem(fn, config, r, err)
	case result.FunctionError == "":
		s.succeed(fn, config, r, result)
	case r.Failures >= config.MaximumRetryAttempts:
		r.Failures++
		s.giveUp(fn, config, r, conditionRetries, outcome{reason: string(result.Payload), result: result})
	default:
		r.Failures++
		s.retry(r, s.o.RetryDelay<<(r.Failures-1), string(result.Payload))
	}
}

func (s *Service) age(r *record) time.Duration {
	return time.Duration(s.env.Now().UnixNano() - r.Accepted)
}

// retrySystem tries an event again that the function has not had. What would be
// too old by then is given up now.
func (s *Service) retrySystem(fn *model.Function, config *model.EventInvokeConfig, r *record, err error) {
	delay := firstSystemDelay << min(r.SystemFailures, 10)
	delay = min(delay, maxSystemDelay)
	r.SystemFailures++
	if s.age(r)+delay > config.MaximumEventAge {
		s.giveUp(fn, config, r, conditionAge, outcome{reason: err.Error()})
		return
	}
	var throttled *local.ThrottledError
	if !errors.As(err, &throttled) {
		s.env.Logf("%s is tried again in %v: %v", fn.Path, delay, err)
	}
	s.retry(r, delay, err.Error())
}

// retry puts an event back for a while.
func (s *Service) retry(r *record, delay time.Duration, reason string) {
	r.Due = s.env.Now().Add(delay).UnixNano()
	s.update(func(tx *store.Tx) error {
		r.put(tx)
		s.note(tx, service.Failed, r, r.FunctionARN, reason)
		number := binary.BigEndian.Uint64(r.key)
		tx.AfterCommit(func() { s.schedule(r.FunctionARN, number, delay) })
		return nil
	})
}

func (s *Service) update(fn func(tx *store.Tx) error) {
	if err := s.env.Store.Update(fn); err != nil && !errors.Is(err, store.ErrClosed) {
		s.env.Logf("cannot write the state of an asynchronous invocation; it will run again: %v", err)
	}
}

func (s *Service) note(tx *store.Tx, what string, r *record, target, detail string) {
	s.env.Note(tx, service.Note{What: what, Source: r.Source, Target: target, MessageID: r.RequestID, Detail: detail, Body: r.Payload})
}

// defaultConfig is Lambda's where a function has no EventInvokeConfig.
var defaultConfig = model.EventInvokeConfig{MaximumEventAge: 6 * time.Hour, MaximumRetryAttempts: 2}

func configOf(app *model.Application, fn *model.Function) *model.EventInvokeConfig {
	for _, c := range app.EventInvokeConfigs {
		if c.Function == fn {
			return c
		}
	}
	return &defaultConfig
}

// Wait returns when nothing is ready or running, or when ctx ends. What waits
// for its time is not waited for.
func (s *Service) Wait(ctx context.Context) error {
	for {
		s.mu.Lock()
		busy := false
		for _, l := range s.lanes {
			busy = busy || l.running > 0 || len(l.ready) > 0
		}
		s.mu.Unlock()
		if !busy {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}
