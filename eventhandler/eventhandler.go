package eventhandler

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
	var level slog.Level
	_ = level.UnmarshalText([]byte(os.Getenv("AWS_LAMBDA_LOG_LEVEL"))) // INFO, where it is none of slog's.
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
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
	options := []batch.Option{batch.Concurrency(o.Concurrency), batch.GiveUp(giveUp(queue, deadLetters))}
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

// The limits of SQS for a message, and our own for the reason in it.
const (
	mostAttributes = 10
	longestReason  = 2048
)

// giveUp puts messages that will not succeed into their dead-letter queue.
func giveUp(queue sqsmessage.Sender, all map[string]fork.DeadLetters) batch.GivingUp {
	return func(ctx context.Context, m events.SQSMessage, reason error) (bool, error) {
		letters, known := all[m.EventSourceARN]
		if !known || !last(m, reason, letters.MaxReceiveCount) {
			return false, nil
		}
		message := sqsmessage.Of(m)
		if len(message.Attributes)+2 > mostAttributes {
			return false, nil // SQS moves it, without the reason.
		}
		if message.Attributes == nil {
			message.Attributes = map[string]sqsmessage.Attribute{}
		}
		message.Attributes[fork.ReasonAttribute] = sqsmessage.Text(sendable(reason.Error()))
		message.Attributes[fork.OriginAttribute] = sqsmessage.Text(m.MessageId)
		failed := sqsmessage.Send(context.WithoutCancel(ctx), queue, letters.URL, []sqsmessage.Message{message})
		if err := failed[message.ID]; err != nil {
			return false, fmt.Errorf("to %s: %w", letters.URL, err)
		}
		return true, nil
	}
}

// last tells whether the message will not be received again, or need not be.
func last(m events.SQSMessage, reason error, most int) bool {
	received, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	return batch.IsPermanent(reason) || err == nil && received >= most
}

// sendable is a text that SQS takes as an attribute: not empty, not too long,
// and of characters that XML knows.
func sendable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, text)
	if len(text) > longestReason {
		text = strings.ToValidUTF8(text[:longestReason], "") + "..."
	}
	if text == "" {
		return "the handler gave no reason"
	}
	return text
}
