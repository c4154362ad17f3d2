// Command resender is the function that sends the events of a fork's failure
// record round again, each to the branch that gave it up and to no other. It is
// invoked by hand, when what was wrong is mended:
//
//	{"branch": "Checkout", "from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z", "limit": 1000}
//
// All parts are optional: {} is every event of every branch. It answers
//
//	{"sent": 17, "failed": 0, "done": true}
//
// where "done" is false if its time was over: the same command goes on. An event
// that was sent is moved in the record from "failures/" to "resent/". Should the
// function die between the two, the event is sent twice.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/bailey-cdk/bailey/constructs/eventfork/internal/failure"
	"github.com/bailey-cdk/bailey/internal/fork"
)

func main() {
	fork.Log()
	r, err := newResender(context.Background())
	if err != nil {
		slog.Error("the resender can't start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(r.handle)
}

func newResender(ctx context.Context) (*resender, error) {
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
	r := &resender{
		objects: failure.NewClient(c),
		queue:   sqs.NewFromConfig(c), stream: firehose.NewFromConfig(c),
		bucket: bucket, branches: map[string]fork.Branch{},
	}
	for _, b := range branches {
		r.branches[b.Name] = b
	}
	return r, nil
}
