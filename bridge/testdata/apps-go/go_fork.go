// An event fork: subscriptions of queues and Firehose streams, with filters of
// attributes and of the body, and dead-letter queues.

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/eventfork"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

func eventFork(app awscdk.App) {
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	consumer := serverless.NewFunction(stack, "Hello", serverless.FunctionProps{
		CodeUri: "../functions/node", Runtime: "nodejs20.x", Handler: "index.handler",
	})
	large := eventfork.Where("amount", eventfork.Numbers(eventfork.AtLeast(100)))
	// Without what would be built of Go here: a record, a replay.
	eventfork.New(stack, "Orders", eventfork.Props{
		DisableRecord: true,
		Branches: eventfork.Branches{
			"Archive":  eventfork.Storage{},
			"Checkout": eventfork.Branch{Function: consumer, Filter: eventfork.MatchAttributes(large)},
			"Index":    eventfork.Search{Filter: eventfork.MatchBody(eventfork.Within("order", large))},
			"Partner":  eventfork.Branch{Queue: serverless.NewQueue(stack, "Partner", serverless.QueueProps{}), Wrapped: true},
		},
	})
}
