package eventfork_test

import (
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/bailey-cdk/bailey/constructs/eventfork"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

func checkout(stack awscdk.Stack, id string) *serverless.Function {
	return serverless.NewFunction(stack, id, serverless.FunctionProps{Entry: "./functions/checkout"})
}

// whole is a fork with a branch of each kind, and all that they can have.
func whole(stack awscdk.Stack) *eventfork.Fork {
	f := eventfork.New(stack, "Orders", eventfork.Props{
		Branches: eventfork.Branches{
			"Archive":  eventfork.Storage{},
			"Checkout": eventfork.Branch{Function: checkout(stack, "Consumer")},
			"Lake": eventfork.Storage{
				Parquet:       &eventfork.Parquet{Columns: []eventfork.Column{{"id", "string"}, {"amount", "double"}}},
				PartitionKeys: map[string]string{"country": ".customer.country"},
				Transform:     checkout(stack, "Transform"),
			},
			"Masked": eventfork.Storage{RemoveFields: []string{"payment.card-*"}, Envelope: true, Expiration: 365 * 24 * time.Hour},
			"Index": eventfork.Search{
				Filter:    eventfork.MatchAttributes(eventfork.Where("amount", eventfork.Numbers(eventfork.AtLeast(100)))),
				Retention: 30 * 24 * time.Hour,
			},
			"Partner": eventfork.Branch{Queue: serverless.NewQueue(stack, "PartnerQueue", serverless.QueueProps{}), Wrapped: true},
		},
	})
	f.AddBranch("Replay", eventfork.Replay{ToBranch: "Checkout", Rate: 50})
	f.AddBranch("Retry", eventfork.Replay{ToFunction: checkout(stack, "Retried"), Enabled: true, Start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
	return f
}

// The golden template guards what is deployed.
func TestWholeFork(t *testing.T) {
	stack := newStack(t)
	whole(stack)
	synth(t, stack).wantGolden(t, "whole")
}
