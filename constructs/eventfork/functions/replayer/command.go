package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/bailey-cdk/bailey/internal/sqsmessage"
)

// command asks for a replay. The construct's window and rate hold where it says
// nothing.
type command struct {
	From  string  `json:"from"`
	To    string  `json:"to"`
	Rate  float64 `json:"rate"`
	Limit int     `json:"limit"`
}

// Result is the answer to a command.
type Result struct {
	Replayed   int `json:"replayed"`
	PassedOver int `json:"passedOver"`
	Failed     int `json:"failed"`
	// Done is false where the function's time was over before all was read.
	Done bool `json:"done"`
}

const (
	// margin is left of the function's time to give back what was not replayed.
	margin = 10 * time.Second
	// patience is how long a receive waits for a message. Such a long poll asks
	// all of the queue's servers.
	patience = 2
	// emptyReceives in a row are taken for the end of the queue.
	emptyReceives = 2
)

func (r *replayer) byCommand(ctx context.Context, c command) (*Result, error) {
	if c.Rate < 0 || c.Limit < 0 {
		return nil, fmt.Errorf("the rate is %v and the limit %d: neither can be negative", c.Rate, c.Limit)
	}
	run := &run{replayer: r, window: r.standing, rate: r.rate, limit: c.Limit, begin: r.now()}
	if err := run.window.read(c.From, c.To); err != nil {
		return nil, err
	}
	if run.window.end.IsZero() {
		run.window.end = run.begin
	}
	if c.Rate > 0 {
		run.rate = c.Rate
	}
	return run.all(ctx)
}

// run is one replay by command.
type run struct {
	*replayer
	window window
	rate   float64
	limit  int
	begin  time.Time
	result Result
	sent   int // for the rate
	passed []string
	failed []string
}

// all reads the queue once. What it passes over stays hidden meanwhile, so that
// it is not read twice, and is shown again at the end; where the time is over
// before, it stays hidden, so that the next command goes on behind it.
func (r *run) all(ctx context.Context) (*Result, error) {
	var problem error
	for empty := 0; problem == nil && !r.result.Done; {
		if late(ctx) {
			break
		}
		n, err := r.receive(ctx)
		problem = err
		if empty++; n > 0 {
			empty = 0
		}
		r.result.Done = err == nil && (empty == emptyReceives || r.limit > 0 && r.result.Replayed >= r.limit)
	}
	after := context.WithoutCancel(ctx)
	r.show(after, r.failed, 0)
	if r.result.Done || problem != nil {
		r.show(after, r.passed, 0)
	}
	r.result.PassedOver, r.result.Failed = len(r.passed), len(r.failed)
	slog.InfoContext(ctx, "replayed", "result", r.result)
	if problem != nil {
		return nil, fmt.Errorf("after %d replayed events: %w", r.result.Replayed, problem)
	}
	return &r.result, nil
}

func late(ctx context.Context) bool {
	deadline, set := ctx.Deadline()
	return ctx.Err() != nil || set && time.Until(deadline) < margin
}

// receive handles up to ten messages and returns how many there were.
func (r *run) receive(ctx context.Context) (int, error) {
	most := sqsmessage.BatchSize
	if r.limit > 0 {
		most = min(most, r.limit-r.result.Replayed)
	}
	out, err := r.queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &r.buffer, MaxNumberOfMessages: int32(most), WaitTimeSeconds: patience,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil {
		return 0, err
	}
	handles := map[string]string{}
	var all []sqsmessage.Message
	for _, m := range out.Messages {
		if !r.window.holdsMessage(m.Attributes) {
			r.passed = append(r.passed, aws.ToString(m.ReceiptHandle))
			continue
		}
		id := aws.ToString(m.MessageId)
		handles[id] = aws.ToString(m.ReceiptHandle)
		all = append(all, sqsmessage.Message{
			ID: id, Body: aws.ToString(m.Body), Attributes: m.MessageAttributes, Group: m.Attributes["MessageGroupId"],
		})
	}
	return len(out.Messages), r.replay(ctx, all, handles)
}

func (r *run) replay(ctx context.Context, all []sqsmessage.Message, handles map[string]string) error {
	if len(all) == 0 {
		return nil
	}
	refused := r.forward(ctx, all)
	var done []string
	for _, m := range all {
		if err := refused[m.ID]; err != nil {
			slog.WarnContext(ctx, "an event could not be replayed", "messageId", m.ID, "error", err.Error())
			r.failed = append(r.failed, handles[m.ID])
			continue
		}
		done = append(done, handles[m.ID])
	}
	r.result.Replayed += len(done)
	r.sent += len(all)
	err := r.remove(ctx, done)
	r.pace(ctx, r.begin, r.sent, r.rate)
	return err
}

// remove takes replayed messages out of the queue. One that stays would be
// replayed again by the next command, so a failure ends the replay.
func (r *run) remove(ctx context.Context, handles []string) error {
	if len(handles) == 0 {
		return nil
	}
	in := &sqs.DeleteMessageBatchInput{QueueUrl: &r.buffer}
	for i, handle := range handles {
		in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: &handle})
	}
	out, err := r.queue.DeleteMessageBatch(context.WithoutCancel(ctx), in)
	if err == nil && len(out.Failed) > 0 {
		err = errors.New(aws.ToString(out.Failed[0].Message))
	}
	if err != nil {
		return fmt.Errorf("events were replayed and could not be taken out of the queue, so that a further replay has them again: %w", err)
	}
	return nil
}
