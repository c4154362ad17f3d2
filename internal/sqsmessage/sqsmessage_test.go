package sqsmessage_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/bailey-cdk/bailey/internal/sqsmessage"
)

// queue records what it is sent, and refuses bodies that say so.
type queue struct {
	requests []*sqs.SendMessageBatchInput
	err      error
	short    bool
}

func (q *queue) SendMessageBatch(_ context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	q.requests = append(q.requests, in)
	if q.err != nil {
		return nil, q.err
	}
	out := &sqs.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		if *e.MessageBody == "refused" {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InvalidMessageContents"), Message: aws.String("no")})
			continue
		}
		out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: e.Id})
	}
	if q.short {
		out.Successful = out.Successful[1:]
	}
	return out, nil
}

func many(n int) []sqsmessage.Message {
	all := make([]sqsmessage.Message, n)
	for i := range all {
		all[i] = sqsmessage.Message{ID: fmt.Sprintf("id-%d", i), Body: "b"}
	}
	return all
}

func TestSendInTens(t *testing.T) {
	q := &queue{}
	if failed := sqsmessage.Send(t.Context(), q, "https://sqs/1/q", many(23)); len(failed) != 0 {
		t.Fatal(failed)
	}
	if len(q.requests) != 3 || len(q.requests[0].Entries) != 10 || len(q.requests[2].Entries) != 3 {
		t.Errorf("%d requests", len(q.requests))
	}
	if e := q.requests[0].Entries[0]; e.MessageGroupId != nil || e.MessageDeduplicationId != nil {
		t.Errorf("a standard queue is sent %+v", e)
	}
}

func TestSendNothing(t *testing.T) {
	q := &queue{}
	if failed := sqsmessage.Send(t.Context(), q, "u", nil); len(failed)+len(q.requests) != 0 {
		t.Errorf("failed %v, %d requests", failed, len(q.requests))
	}
}

func TestSendFailures(t *testing.T) {
	all := many(12)
	all[11].Body = "refused"
	if failed := sqsmessage.Send(t.Context(), &queue{}, "u", all); len(failed) != 1 || failed["id-11"] == nil {
		t.Errorf("one refused: %v", failed)
	}
	down := errors.New("no such queue")
	if failed := sqsmessage.Send(t.Context(), &queue{err: down}, "u", all); len(failed) != 12 || !errors.Is(failed["id-0"], down) {
		t.Errorf("all refused: %v", failed)
	}
	if failed := sqsmessage.Send(t.Context(), &queue{short: true}, "u", many(2)); len(failed) != 2 {
		t.Errorf("an answer that leaves a message out: %v", failed)
	}
}

func TestFifo(t *testing.T) {
	q := &queue{}
	sqsmessage.Send(t.Context(), q, "https://sqs/1/q.fifo", []sqsmessage.Message{{ID: "1", Body: "b", Group: "g"}, {ID: "2", Body: "b"}})
	e := q.requests[0].Entries
	if *e[0].MessageGroupId != "g" || *e[0].MessageDeduplicationId != "1" || *e[1].MessageGroupId != "2" {
		t.Errorf("sent %+v", e)
	}
}

// What a function got is what is sent, without the lists that SQS refuses.
func TestThereAndBack(t *testing.T) {
	got := sqsmessage.Of(events.SQSMessage{
		MessageId: "1", Body: "body", Attributes: map[string]string{"MessageGroupId": "g"},
		MessageAttributes: map[string]events.SQSMessageAttribute{
			"amount": {DataType: "Number", StringValue: aws.String("7"), StringListValues: []string{}},
			"photo":  {DataType: "Binary.png", BinaryValue: []byte{1, 2}},
			"lists":  {DataType: "String"},
		},
	})
	if got.ID != "1" || got.Group != "g" || len(got.Attributes) != 2 || *got.Attributes["amount"].StringValue != "7" {
		t.Fatalf("got %+v", got)
	}
	back := got.Event("arn:aws:sqs:eu-west-1:1:q", map[string]string{"ApproximateReceiveCount": "1"})
	if back.AWSRegion != "eu-west-1" || back.EventSource != "aws:sqs" || string(back.MessageAttributes["photo"].BinaryValue) != "\x01\x02" {
		t.Errorf("back %+v", back)
	}
	if len(sqsmessage.Of(events.SQSMessage{}).Attributes) != 0 {
		t.Error("attributes from nothing")
	}
}
