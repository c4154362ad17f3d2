// Command replayer is the function of a Replay branch. It sends the events that
// the branch's queue keeps to the replay's destination, those of a time window,
// no faster than a rate.
//
// It works in two ways. By the switch: while the event source mapping is
// enabled, Lambda hands it the queue's messages, and it replays those in the
// window that the construct was given. By command: invoked with
//
//	{"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z", "rate": 50, "limit": 1000}
//
// it reads the queue itself, and answers what it did:
//
//	{"replayed": 812, "passedOver": 40, "failed": 0, "done": true}
//
// All parts of the command are optional. Without "to", what is published while
// it works is left for another time. Where "done" is false its time was over:
// the same command goes on. What is replayed leaves the queue; everything else
// stays in it.
//
// The time of an event is when it came to the branch's queue, which is moments
// after it was published.
package main

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/bailey-cdk/bailey/internal/fork"
)

func main() {
	fork.Log()
	c, err := config.LoadDefaultConfig(context.Background())
	var r *replayer
	if err == nil {
		r, err = newReplayer(c)
	}
	if err != nil {
		slog.Error("the replayer can't start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(r.handle)
}

func newReplayer(c aws.Config) (*replayer, error) {
	r := &replayer{queue: sqs.NewFromConfig(c), sleep: sleep, now: time.Now}
	var destination string
	for name, value := range map[string]*string{fork.Buffer: &r.buffer, fork.Destination: &destination, fork.DestinationARN: &r.destinationARN} {
		var err error
		if *value, err = fork.Required(name); err != nil {
			return nil, err
		}
	}
	if err := r.standing.read(os.Getenv(fork.WindowStart), os.Getenv(fork.WindowEnd)); err != nil {
		return nil, err
	}
	// Unset is 0, which is no limit.
	r.rate, _ = strconv.ParseFloat(os.Getenv(fork.Rate), 64)
	if n, err := strconv.Atoi(os.Getenv(fork.Concurrency)); err == nil && n > 0 {
		r.concurrency = n
	}
	if isFunction(destination) {
		r.forward = toFunction(awslambda.NewFromConfig(c), destination, r.destinationARN)
	} else {
		r.forward = toQueue(r.queue, destination)
	}
	return r, nil
}

// sleep ends early with ctx.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
