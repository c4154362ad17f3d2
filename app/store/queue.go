package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/bailey-cdk/bailey/app/orders"
)

// SQS is what a [Queue] needs of the AWS SDK's client.
type SQS interface {
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
}

// Queue hands orders over to fulfilment.
type Queue struct {
	client SQS
	url    string
}

// NewQueue is the queue at a URL.
func NewQueue(client SQS, url string) *Queue { return &Queue{client, url} }

// batch is the most messages that SQS takes at once.
const batch = 10

// Send sends a message for each order. It tries all of them; the error names
// those that were not sent. A message may arrive more than once.
func (q *Queue) Send(ctx context.Context, ids ...string) error {
	var failed []string
	var last error
	for group := range slices.Chunk(ids, batch) {
		unsent, err := q.sendGroup(ctx, group)
		failed = append(failed, unsent...)
		if err != nil {
			last = err
		}
	}
	if last != nil {
		return fmt.Errorf("%d of %d orders can't be queued (%v): %w", len(failed), len(ids), failed, last)
	}
	return nil
}

func (q *Queue) sendGroup(ctx context.Context, ids []string) (failed []string, err error) {
	entries := make([]types.SendMessageBatchRequestEntry, len(ids))
	for i, id := range ids {
		body, err := json.Marshal(orders.Message{OrderID: id})
		if err != nil {
			return ids, err
		}
		entries[i] = types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(string(body))}
	}
	out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return ids, err
	}
	// A call that succeeds can still have refused some of the messages.
	for _, f := range out.Failed {
		if i, e := strconv.Atoi(aws.ToString(f.Id)); e == nil && i < len(ids) {
			failed = append(failed, ids[i])
		}
		err = fmt.Errorf("%s: %s", aws.ToString(f.Code), aws.ToString(f.Message))
	}
	return failed, err
}
