package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/bailey-cdk/bailey/internal/sqsmessage"
)

// Queue is what is needed of a *sqs.Client.
type Queue interface {
	sqsmessage.Sender
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
	ChangeMessageVisibilityBatch(context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error)
}

type replayer struct {
	queue          Queue
	buffer         string // the URL of the branch's queue
	destinationARN string
	standing       window  // the construct's
	rate           float64 // events a second, 0 without a limit
	concurrency    int     // replayers at a time by the switch, 0 for 1
	forward        forwarder
	sleep          func(context.Context, time.Duration)
	now            func() time.Time
}

// handle tells the switch from the command.
func (r *replayer) handle(ctx context.Context, input json.RawMessage) (any, error) {
	var batch struct{ Records []events.SQSMessage }
	if err := json.Unmarshal(input, &batch); err == nil && batch.Records != nil {
		return r.bySwitch(ctx, batch.Records), nil
	}
	c := command{}
	d := json.NewDecoder(bytes.NewReader(input))
	// A misspelt limit must not replay everything.
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("this is no replay: %w; want {\"from\": ..., \"to\": ..., \"rate\": ..., \"limit\": ...}", err)
	}
	return r.byCommand(ctx, c)
}

// failedSoon is, in seconds, when a message that could not be replayed is tried again. What
// the window passes over stays hidden for the queue's own visibility timeout,
// which is long, so that it is not read over and over.
const failedSoon = 30

func (r *replayer) bySwitch(ctx context.Context, messages []events.SQSMessage) events.SQSEventResponse {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	var all []sqsmessage.Message
	handles := map[string]string{}
	for _, m := range messages {
		handles[m.MessageId] = m.ReceiptHandle
		if r.standing.holdsMessage(m.Attributes) {
			all = append(all, sqsmessage.Of(m))
			continue
		}
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
	}
	begin := r.now()
	var again []string
	for id, err := range r.forward(ctx, all) {
		slog.WarnContext(ctx, "an event could not be replayed", "messageId", id, "error", err.Error())
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		again = append(again, handles[id])
	}
	r.show(ctx, again, failedSoon)
	slog.InfoContext(ctx, "replayed", "replayed", len(all)-len(again), "passedOver", len(messages)-len(all), "failed", len(again))
	r.pace(ctx, begin, len(all), r.rate/float64(max(r.concurrency, 1)))
	return response
}

// pace waits until n events may have taken since begin.
func (r *replayer) pace(ctx context.Context, begin time.Time, n int, rate float64) {
	if rate <= 0 {
		return
	}
	if wait := time.Duration(float64(n)/rate*float64(time.Second)) - r.now().Sub(begin); wait > 0 {
		r.sleep(ctx, wait)
	}
}

// show changes when messages are seen again, in seconds. A failure is logged alone: they
// are seen later then.
func (r *replayer) show(ctx context.Context, handles []string, after int32) {
	for begin := 0; begin < len(handles); begin += sqsmessage.BatchSize {
		in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &r.buffer}
		for i, handle := range handles[begin:min(begin+sqsmessage.BatchSize, len(handles))] {
			in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(fmt.Sprint(i)), ReceiptHandle: &handle, VisibilityTimeout: after,
			})
		}
		out, err := r.queue.ChangeMessageVisibilityBatch(ctx, in)
		if err != nil || len(out.Failed) > 0 {
			slog.WarnContext(ctx, "messages stay hidden until the queue's visibility timeout", "error", fmt.Sprint(err))
		}
	}
}
