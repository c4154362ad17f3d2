// Command batcher is the function of a Storage or Search branch that shapes
// events: it takes messages of the branch's queue and writes them to a Firehose
// stream, as many as a request allows. A line of its output is an event.
package main

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/bailey-cdk/bailey/internal/fork"
	"github.com/bailey-cdk/bailey/internal/sqsmessage"
)

func main() {
	fork.Log()
	b, err := newBatcher(context.Background())
	if err != nil {
		slog.Error("the batcher can't start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(b.handle)
}

func newBatcher(ctx context.Context) (*batcher, error) {
	stream, err := fork.Required(fork.Stream)
	if err != nil {
		return nil, err
	}
	letters, err := fork.DeadLettersFrom(os.Environ())
	if err != nil {
		return nil, err
	}
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	return &batcher{
		stream: stream,
		api:    firehose.NewFromConfig(c),
		giveUp: sqsmessage.GiveUp(sqs.NewFromConfig(c), letters),
		shape: shape{
			remove:   paths(os.Getenv(fork.RemoveFields)),
			envelope: os.Getenv(fork.Envelope) == "true",
		},
	}, nil
}

// paths are the fields to remove: "payment.card-*" is every field of payment
// that begins so.
func paths(list string) (all [][]string) {
	for _, path := range strings.Split(list, ",") {
		if path = strings.TrimSpace(path); path != "" {
			all = append(all, strings.Split(path, "."))
		}
	}
	return all
}
