package sqsmessage_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/bailey-cdk/bailey/batch"
	"github.com/bailey-cdk/bailey/internal/fork"
	"github.com/bailey-cdk/bailey/internal/sqsmessage"
)

const source = "arn:aws:sqs:eu-west-1:1:orders"

func message(id, received string) events.SQSMessage {
	return events.SQSMessage{
		MessageId: id, Body: "body of " + id, EventSourceARN: source,
		Attributes:        map[string]string{"ApproximateReceiveCount": received},
		MessageAttributes: map[string]events.SQSMessageAttribute{"amount": {DataType: "Number", StringValue: aws.String("7")}},
	}
}

func TestGiveUp(t *testing.T) {
	letters := map[string]fork.DeadLetters{source: {QueueARN: source, URL: "https://sqs/1/dead", MaxReceiveCount: 3}}
	crowded := message("f", "3")
	for _, name := range strings.Fields("a b c d e f g h") {
		crowded.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: aws.String("x")}
	}
	elsewhere := message("g", "9")
	elsewhere.EventSourceARN += "-other"
	for _, c := range []struct {
		name   string
		m      events.SQSMessage
		reason error
		down   error
		taken  bool
	}{
		{"an early failure", message("a", "1"), errors.New("x"), nil, false},
		{"the last", message("b", "3"), errors.New("x"), nil, true},
		{"after the last", message("c", "4"), errors.New("x"), nil, true},
		{"a permanent one", message("d", "1"), batch.Permanent(errors.New("x")), nil, true},
		{"the queue is away", message("e", "3"), errors.New("x"), errors.New("away"), false},
		{"no room for the reason", crowded, errors.New("x"), nil, false},
		{"a queue of which nothing is known", elsewhere, errors.New("x"), nil, false},
	} {
		q := &queue{err: c.down}
		taken, err := sqsmessage.GiveUp(q, letters)(t.Context(), c.m, c.reason)
		if taken != c.taken || (err != nil) != (c.down != nil) || taken && len(q.requests) != 1 {
			t.Errorf("%s: taken %v, %v, %d requests", c.name, taken, err, len(q.requests))
		}
		if !taken {
			continue
		}
		sent := q.requests[0].Entries[0]
		if *sent.MessageBody != c.m.Body || *sent.MessageAttributes["ERROR_MESSAGE"].StringValue != "x" ||
			*sent.MessageAttributes["ORIGINAL_MESSAGE_ID"].StringValue != c.m.MessageId || *sent.MessageAttributes["amount"].StringValue != "7" {
			t.Errorf("%s: sent %+v", c.name, sent)
		}
	}
}
