// Command collector is the function that brings into a fork's failure record
// what Firehose itself gave up: records that a transformation or a conversion
// failed, and documents that OpenSearch refused. Firehose puts these into S3,
// below the error prefix of their stream. A message of the collector's queue
// names such an object and the branch that it is of; each event in it becomes an
// object of the record, as those that the recorder writes.
//
// An object that is named again makes the same keys. A line that can't be read
// fails its message alone: the other lines are recorded, and the message goes to
// the dead-letter queue with the reason.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/bailey-cdk/bailey/batch"
	"github.com/bailey-cdk/bailey/constructs/eventfork/internal/failure"
	"github.com/bailey-cdk/bailey/internal/fork"
	"github.com/bailey-cdk/bailey/internal/sqsmessage"
)

func main() {
	fork.Log()
	ctx := context.Background()
	c, giveUp, err := newCollector(ctx)
	if err != nil {
		slog.Error("the collector can't start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(batch.SQS(c.collect, batch.GiveUp(giveUp)))
}

func newCollector(ctx context.Context) (*collector, batch.GivingUp, error) {
	bucket, err := fork.Required(fork.Bucket)
	if err != nil {
		return nil, nil, err
	}
	letters, err := fork.DeadLettersFrom(os.Environ())
	if err != nil {
		return nil, nil, err
	}
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, nil, err
	}
	return &collector{api: failure.NewClient(c), record: bucket}, sqsmessage.GiveUp(sqs.NewFromConfig(c), letters), nil
}
