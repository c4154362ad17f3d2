package eventhandler

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/bailey-cdk/bailey/batch"
	"github.com/bailey-cdk/bailey/idempotency"
	"github.com/bailey-cdk/bailey/internal/fork"
)

const source = "arn:aws:sqs:eu-west-1:1:orders"

func message(id, received string) events.SQSMessage {
	return events.SQSMessage{
		MessageId: id, Body: "body of " + id, EventSourceARN: source,
		Attributes:        map[string]string{"ApproximateReceiveCount": received},
		MessageAttributes: map[string]events.SQSMessageAttribute{"amount": {DataType: "Number", StringValue: aws.String("7")}},
	}
}

func one(m events.SQSMessage) events.SQSEvent {
	return events.SQSEvent{Records: []events.SQSMessage{m}}
}

type function = func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)

func newFunction(t *testing.T, handle batch.Handler, o Options) function {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	f, err := New(t.Context(), handle, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func failures(t *testing.T, f function, m events.SQSMessage) int {
	t.Helper()
	r, err := f(t.Context(), one(m))
	if err != nil {
		t.Fatal(err)
	}
	return len(r.BatchItemFailures)
}

func TestHandledOnce(t *testing.T) {
	handled := 0
	f := newFunction(t, func(context.Context, events.SQSMessage) error { handled++; return nil }, Options{Store: new(idempotency.Memory)})
	for range 3 {
		if n := failures(t, f, message("a", "1")); n != 0 {
			t.Errorf("%d failures", n)
		}
	}
	if handled != 1 {
		t.Errorf("handled %d times", handled)
	}
	// A replayed event has another id.
	failures(t, f, message("b", "1"))
	if handled != 2 {
		t.Errorf("handled %d times, want twice", handled)
	}
}

func TestOwnKey(t *testing.T) {
	handled := 0
	o := Options{Store: new(idempotency.Memory), Key: func(m events.SQSMessage) string { return strings.TrimPrefix(m.Body, "body of ") }}
	f := newFunction(t, func(context.Context, events.SQSMessage) error { handled++; return nil }, o)
	for _, id := range []string{"a", "a", "", ""} {
		failures(t, f, message(id, "1"))
	}
	if handled != 3 {
		t.Errorf("handled %d times, want once for the key and twice without", handled)
	}
}

func TestFailureIsTriedAgain(t *testing.T) {
	handled := 0
	f := newFunction(t, func(context.Context, events.SQSMessage) error { handled++; return errors.New("not now") }, Options{Store: new(idempotency.Memory)})
	for range 2 {
		if n := failures(t, f, message("a", "1")); n != 1 {
			t.Errorf("%d failures, want the message back", n)
		}
	}
	if handled != 2 {
		t.Errorf("handled %d times", handled)
	}
}

func TestWithoutEnvironment(t *testing.T) {
	handled := 0
	f := newFunction(t, func(context.Context, events.SQSMessage) error { handled++; return nil }, Options{})
	failures(t, f, message("a", "1"))
	failures(t, f, message("a", "2"))
	if handled != 2 {
		t.Errorf("handled %d times: nothing was to be remembered", handled)
	}
}

func TestEnvironmentIsWrong(t *testing.T) {
	t.Setenv(fork.DeadLettersPrefix+"X", "nonsense")
	if _, err := New(t.Context(), nil, Options{}); err == nil || !strings.Contains(err.Error(), "DEAD_LETTERS_X") {
		t.Errorf("the error is %v", err)
	}
}
