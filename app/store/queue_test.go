package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/bailey-cdk/bailey/app/orders"
)

// fakeSQS refuses messages whose body contains refuse, and fails whole calls
// with err.
type fakeSQS struct {
	refuse string
	err    error
	calls  int
	bodies []string
}

func (f *fakeSQS) SendMessageBatch(_ context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	f.calls++
	if f.err != nil {
		return nil, f.err
	}
	out := &sqs.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		if f.refuse != "" && strings.Contains(*e.MessageBody, f.refuse) {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("Throttled"), Message: aws.String("slow down")})
			continue
		}
		f.bodies = append(f.bodies, *e.MessageBody)
	}
	return out, nil
}

func TestSend(t *testing.T) {
	fake := &fakeSQS{}
	if err := NewQueue(fake, "url").Send(t.Context(), "o1"); err != nil {
		t.Fatal(err)
	}
	if len(fake.bodies) != 1 || fake.bodies[0] != `{"orderId":"o1"}` {
		t.Errorf("sent %q", fake.bodies)
	}
	if m, err := orders.ParseMessage(fake.bodies[0]); err != nil || m.OrderID != "o1" {
		t.Errorf("the message reads as %+v, %v", m, err)
	}
}

func TestSendManyInBatches(t *testing.T) {
	fake := &fakeSQS{}
	var ids []string
	for i := range 23 {
		ids = append(ids, fmt.Sprint("o", i))
	}
	if err := NewQueue(fake, "url").Send(t.Context(), ids...); err != nil {
		t.Fatal(err)
	}
	if fake.calls != 3 || len(fake.bodies) != 23 {
		t.Errorf("there were %d calls with %d messages, want 3 with 23", fake.calls, len(fake.bodies))
	}
}

func TestSendTellsWhatWasNotSent(t *testing.T) {
	fake := &fakeSQS{refuse: "o2"}
	err := NewQueue(fake, "url").Send(t.Context(), "o1", "o2", "o3")
	if err == nil || err.Error() != "1 of 3 orders can't be queued ([o2]): Throttled: slow down" {
		t.Errorf("got %v", err)
	}
	if len(fake.bodies) != 2 {
		t.Errorf("sent %q, want the two others", fake.bodies)
	}
	fake = &fakeSQS{err: errors.New("no connection")}
	if err := NewQueue(fake, "url").Send(t.Context(), "o1"); !errors.Is(err, fake.err) {
		t.Errorf("got %v", err)
	}
}
