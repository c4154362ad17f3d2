package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/eventfork"
	"github.com/bailey-cdk/bailey/constructs/serverless"
	"github.com/bailey-cdk/bailey/examples/checkout-fork/orders"
)

// NewShop is the whole shop as one stack.
func NewShop(scope constructs.Construct, id string, props *awscdk.StackProps) awscdk.Stack {
	stack := awscdk.NewStack(scope, &id, props)

	table := serverless.NewTable(stack, "Bookings", serverless.TableProps{
		PartitionKey: orders.PartitionKey, SortKey: orders.SortKeyName,
	})
	book := serverless.NewFunction(stack, "Book", serverless.FunctionProps{
		Description: "books orders",
		Entry:       "./functions/checkout",
		Environment: map[string]string{"TABLE": *table.TableName(), "BUG_ENABLED": "false"},
		Policies:    []serverless.Policy{serverless.DynamoDBWritePolicy(table)},
	})
	mask := serverless.NewFunction(stack, "Mask", serverless.FunctionProps{
		Description: "takes the card out of orders",
		Entry:       "./functions/mask",
		Timeout:     time.Minute,
	})

	placed := eventfork.New(stack, "Orders", eventfork.Props{
		Branches: eventfork.Branches{
			"Archive": eventfork.Storage{
				Transform:         mask,
				BufferingInterval: time.Minute,
			},
			"Checkout": eventfork.Branch{Function: book},
			"Index": eventfork.Search{
				Filter:        eventfork.MatchAttributes(eventfork.Where(orders.AmountAttribute, eventfork.Numbers(eventfork.AtLeast(100)))),
				IndexName:     "checkout_events",
				Transform:     mask,
				RetryDuration: 30 * time.Second,
			},
			"Replay": eventfork.Replay{ToBranch: "Checkout"},
		},
	})

	serverless.NewFunction(stack, "Api", serverless.FunctionProps{
		Description: "takes orders and publishes them",
		Entry:       "./functions/api",
		Environment: map[string]string{"TOPIC_ARN": *placed.Topic.TopicArn()},
		Events: serverless.Events{
			"Checkout": serverless.HttpApiEvent{Method: "POST", Path: "/checkout"},
		},
		Policies: []serverless.Policy{serverless.SNSPublishMessagePolicy(placed.Topic)},
	})
	awscdk.NewCfnOutput(stack, jsii.String("ApiUrl"), &awscdk.CfnOutputProps{
		Description: jsii.String("where orders are sent"),
		Value:       serverless.ImplicitHttpApi(stack).ApiEndpoint(),
	})
	return stack
}
