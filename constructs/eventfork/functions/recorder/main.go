// Command recorder is the function that keeps a fork's failure record: it takes
// the events of the branches' dead-letter queues and writes each, with the
// reason, as an object into the record's bucket.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/bailey-cdk/bailey/batch"
	"github.com/bailey-cdk/bailey/constructs/eventfork/internal/failure"
	"github.com/bailey-cdk/bailey/internal/fork"
)

func main() {
	fork.Log()
	r, err := newRecorder(context.Background())
	if err != nil {
		slog.Error("the recorder can't start", "error", err.Error())
		os.Exit(1)
	}
	// Writing waits for S3 alone, so that several are written at a time.
	lambda.Start(batch.SQS(r.record, batch.Concurrency(10)))
}

type recorder struct {
	api      failure.Putter
	bucket   string
	branches map[string]string // names by the ARN of the dead-letter queue
}

func newRecorder(ctx context.Context) (*recorder, error) {
	bucket, err := fork.Required(fork.Bucket)
	if err != nil {
		return nil, err
	}
	branches, err := fork.BranchesFrom(os.Environ())
	if err != nil {
		return nil, err
	}
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	r := &recorder{api: failure.NewClient(c), bucket: bucket, branches: map[string]string{}}
	for _, b := range branches {
		r.branches[b.DeadLettersARN] = b.Name
	}
	return r, nil
}

// record writes one.
func (r *recorder) record(ctx context.Context, m events.SQSMessage) error {
	branch, known := r.branches[m.EventSourceARN]
	if !known {
		return fmt.Errorf("the queue %s is of no branch that the recorder knows", m.EventSourceARN)
	}
	record := failure.Of(branch, m)
	if err := record.Put(ctx, r.api, r.bucket); err != nil {
		return err
	}
	slog.WarnContext(ctx, "a branch gave an event up", "branch", branch, "messageId", record.MessageID, "reason", record.Reason.Message, "key", record.Key())
	return nil
}
