package batch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Margin is what is left of an invocation's time when no further message is
// begun: enough to answer, so that what was done is not done again.
const Margin = 500 * time.Millisecond

// Handler handles one message. The message is done where it returns nil, and
// comes back otherwise.
type Handler func(ctx context.Context, message events.SQSMessage) error

// GivingUp takes a message that will not succeed out of the queue, with its
// last error. It tells whether it took it; where it did not, or failed to, the
// message comes back like any other.
type GivingUp func(ctx context.Context, message events.SQSMessage, reason error) (bool, error)

// Option changes how a batch is handled.
type Option func(*settings)

type settings struct {
	concurrency int
	giveUp      GivingUp
	log         *slog.Logger
}

// Concurrency is how many messages, or groups of a FIFO queue, are handled at a
// time; 1 by default. Values below 1 are taken for 1.
func Concurrency(n int) Option { return func(s *settings) { s.concurrency = max(n, 1) } }

// GiveUp is asked for every message that failed. By default none is given up:
// the queue's own redrive policy decides, which knows no reason.
func GiveUp(g GivingUp) Option { return func(s *settings) { s.giveUp = g } }

// Logger gets a line for each message that failed; slog.Default() by default.
func Logger(l *slog.Logger) Option { return func(s *settings) { s.log = l } }

// permanent marks an error that no further attempt will mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that no further attempt will mend, such as a message
// that is no JSON. It is nil where err is.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent tells whether err, or one that it wraps, was marked.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

// ErrNotBegun is the failure of a message that was not begun: the invocation's
// time was over, or an earlier message of its group failed.
var ErrNotBegun = errors.New("the message was not begun")

// SQS makes a Lambda handler of a handler of one message. The error that it
// returns is always nil.
func SQS(handle Handler, options ...Option) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	s := settings{concurrency: 1}
	for _, option := range options {
		option(&s)
	}
	return func(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		r := &run{settings: s, handle: handle, failed: make([]error, len(event.Records))}
		if r.log == nil {
			r.log = slog.Default()
		}
		r.all(ctx, event.Records)
		return r.response(event.Records), nil
	}
}

// run is the handling of one batch.
type run struct {
	settings
	handle Handler
	failed []error // by position in the batch; each is written by one goroutine
}

func (r *run) all(ctx context.Context, messages []events.SQSMessage) {
	slots := make(chan struct{}, r.concurrency)
	var wait sync.WaitGroup
	for _, group := range groups(messages) {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			r.inOrder(ctx, messages, group)
		})
	}
	wait.Wait()
}

// groups are the positions of messages that must be handled one after another:
// those of one FIFO group, and each other message alone.
func groups(messages []events.SQSMessage) [][]int {
	var all [][]int
	known := map[string]int{}
	for i, m := range messages {
		name := m.Attributes["MessageGroupId"]
		at, seen := known[name]
		if name == "" || m.Attributes["SequenceNumber"] == "" || !seen {
			known[name] = len(all)
			all = append(all, []int{i})
			continue
		}
		all[at] = append(all[at], i)
	}
	return all
}

func (r *run) inOrder(ctx context.Context, messages []events.SQSMessage, group []int) {
	for at, i := range group {
		err := r.one(ctx, messages[i])
		if err == nil {
			continue
		}
		r.failed[i] = err
		for _, later := range group[at+1:] {
			r.failed[later] = ErrNotBegun
		}
		return
	}
}

func (r *run) one(ctx context.Context, m events.SQSMessage) error {
	if late(ctx) {
		return ErrNotBegun
	}
	err := r.attempt(ctx, m)
	if err == nil {
		return nil
	}
	log := r.log.With("messageId", m.MessageId, "receiveCount", m.Attributes["ApproximateReceiveCount"], "error", err.Error())
	if r.giveUp != nil {
		taken, problem := r.giveUp(ctx, m, err)
		switch {
		case problem != nil:
			log = log.With("givingUp", problem.Error())
		case taken:
			log.ErrorContext(ctx, "the message is given up")
			return nil
		}
	}
	log.WarnContext(ctx, "the message failed and comes back")
	return err
}

func late(ctx context.Context) bool {
	deadline, set := ctx.Deadline()
	return ctx.Err() != nil || set && time.Until(deadline) < Margin
}

func (r *run) attempt(ctx context.Context, m events.SQSMessage) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.ErrorContext(ctx, "the handler panicked", "messageId", m.MessageId, "stack", string(debug.Stack()))
			err = fmt.Errorf("the handler panicked: %v", p)
		}
	}()
	return r.handle(ctx, m)
}

func (r *run) response(messages []events.SQSMessage) events.SQSEventResponse {
	// Not nil: null is no list, and Lambda would take the batch for failed.
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for i, err := range r.failed {
		if err != nil {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: messages[i].MessageId})
		}
	}
	return response
}
