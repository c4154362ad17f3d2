package eventhandler

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/bailey-cdk/bailey/batch"
	"github.com/bailey-cdk/bailey/idempotency"
	"github.com/bailey-cdk/bailey/internal/fork"
	"github.com/bailey-cdk/bailey/internal/sqsmessage"
)

// Options change what a handler does. The zero value is usable.
type Options struct {
	// Key names what must be done once; the queue's ARN and the message's id by
	// default, so that an event which is replayed, and so has a new id, is
	// handled again. A key made of the event's own content handles it once for
	// all. An empty key handles the message without remembering it.
	Key func(events.SQSMessage) string
	// Keep is how long a message is remembered; 14 days by default, the longest
	// that a queue can keep one.
	Keep time.Duration
	// Store is used instead of the table in the environment.
	Store idempotency.Store
	// Concurrency is how many messages of a batch are handled at a time; 1 by
	// default.
	Concurrency int
	// Log is slog.Default() by default, which Start makes one for JSON.
	Log *slog.Logger
}

// DefaultKeep is that of Options that say nothing.
const DefaultKeep = 14 * 24 * time.Hour

// Start runs the function, with JSON logs of the level that
// AWS_LAMBDA_LOG_LEVEL says. It does not return. An environment that can't be
// read ends the process with a message.
func Start(handle batch.Handler) { StartWith(handle, Options{}) }

// StartWith is Start with options.
func StartWith(handle batch.Handler, o Options) {
	fork.Log()
	function, err := New(context.Background(), handle, o)
	if err != nil {
		slog.Error("the function can't start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(function)
}

// New makes a Lambda handler with what the environment names. The error says
// which variable is wrong, or that the AWS configuration can't be read.
func New(ctx context.Context, handle batch.Handler, o Options) (func(context.Context, events.SQSEvent) (events.SQSEventResponse, error), error) {
	deadLetters, err := fork.DeadLettersFrom(os.Environ())
	if err != nil {
		return nil, err
	}
	table := os.Getenv(fork.IdempotencyTable)
	var queue sqsmessage.Sender
	if len(deadLetters) > 0 || table != "" && o.Store == nil {
		c, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, fmt.Errorf("the AWS configuration: %w", err)
		}
		if queue = sqs.NewFromConfig(c); table != "" && o.Store == nil {
			o.Store = idempotency.NewDynamoDB(dynamodb.NewFromConfig(c), table)
		}
	}
	options := []batch.Option{batch.Concurrency(o.Concurrency), batch.GiveUp(sqsmessage.GiveUp(queue, deadLetters))}
	if o.Log != nil {
		options = append(options, batch.Logger(o.Log))
	}
	return batch.SQS(once(handle, o), options...), nil
}

// once makes a handler that handles a message once.
func once(handle batch.Handler, o Options) batch.Handler {
	if o.Store == nil {
		return handle
	}
	if o.Key == nil {
		o.Key = func(m events.SQSMessage) string { return m.EventSourceARN + " " + m.MessageId }
	}
	if o.Keep == 0 {
		o.Keep = DefaultKeep
	}
	return func(ctx context.Context, m events.SQSMessage) error {
		key := o.Key(m)
		if key == "" {
			return handle(ctx, m)
		}
		_, err := idempotency.Do(ctx, o.Store, key, idempotency.Options{Keep: o.Keep}, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, handle(ctx, m)
		})
		return err
	}
}
