package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"github.com/bailey-cdk/bailey/batch"
)

// The limits of PutRecordBatch. Source: "Amazon Data Firehose quota",
// https://docs.aws.amazon.com/firehose/latest/dev/limits.html
const (
	mostRecords = 500
	mostBytes   = 4 << 20
	largest     = 1000 << 10
)

// API is what is needed of a *firehose.Client.
type API interface {
	PutRecordBatch(context.Context, *firehose.PutRecordBatchInput, ...func(*firehose.Options)) (*firehose.PutRecordBatchOutput, error)
}

type batcher struct {
	stream string
	shape  shape
	api    API
	giveUp batch.GivingUp
}

// handle writes the messages of a batch. Those that the stream did not take
// come back.
func (b *batcher) handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	failed := make([]error, len(event.Records))
	var lines [][]byte
	var from []int // the position in the batch of each line
	for i, m := range event.Records {
		line, err := b.shape.line(m)
		if err == nil && len(line) > largest {
			err = batch.Permanent(fmt.Errorf("the event has %d bytes, and Firehose takes %d", len(line), largest))
		}
		if err != nil {
			failed[i] = err
			continue
		}
		lines, from = append(lines, line), append(from, i)
	}
	for begin := 0; begin < len(lines); {
		end := request(lines, begin)
		for i, err := range b.put(ctx, lines[begin:end]) {
			failed[from[begin+i]] = err
		}
		begin = end
	}
	return b.response(ctx, event.Records, failed), nil
}

// request is the end of the lines from begin that one request holds.
func request(lines [][]byte, begin int) int {
	size := 0
	for end := begin; end < len(lines); end++ {
		if size += len(lines[end]); size > mostBytes || end-begin == mostRecords {
			return end
		}
	}
	return len(lines)
}

// put returns an error for each line, nil where the stream has it.
func (b *batcher) put(ctx context.Context, lines [][]byte) []error {
	errs := make([]error, len(lines))
	in := &firehose.PutRecordBatchInput{DeliveryStreamName: &b.stream}
	for _, line := range lines {
		in.Records = append(in.Records, types.Record{Data: line})
	}
	out, err := b.api.PutRecordBatch(ctx, in)
	if err == nil && len(out.RequestResponses) != len(lines) {
		err = fmt.Errorf("the stream answered for %d of %d records", len(out.RequestResponses), len(lines))
	}
	for i := range errs {
		if err != nil {
			errs[i] = err
		} else if r := out.RequestResponses[i]; r.ErrorCode != nil {
			errs[i] = errors.New("the stream refuses the record: " + *r.ErrorCode + ": " + aws.ToString(r.ErrorMessage))
		}
	}
	return errs
}

func (b *batcher) response(ctx context.Context, messages []events.SQSMessage, failed []error) events.SQSEventResponse {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for i, err := range failed {
		if err == nil {
			continue
		}
		slog.WarnContext(ctx, "an event could not be stored", "messageId", messages[i].MessageId, "error", err.Error())
		taken, problem := b.giveUp(ctx, messages[i], err)
		if problem != nil {
			slog.ErrorContext(ctx, "nor could it be put aside", "messageId", messages[i].MessageId, "error", problem.Error())
		}
		if !taken {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: messages[i].MessageId})
		}
	}
	return response
}
