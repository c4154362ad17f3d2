package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/app/orders"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

// NewStorefront is the whole service as one stack.
func NewStorefront(scope constructs.Construct, id string, props *awscdk.StackProps) awscdk.Stack {
	stack := awscdk.NewStack(scope, &id, props)

	table := serverless.NewTable(stack, "Orders", serverless.TableProps{
		PartitionKey: orders.Key,
		Indexes: []serverless.Index{
			{Name: orders.PendingIndex, PartitionKey: orders.PendingKey, SortKey: orders.PendingSort},
		},
	})
	placed := serverless.NewQueue(stack, "Placed", serverless.QueueProps{})
	environment := map[string]string{
		"ORDERS_TABLE":     *table.TableName(),
		"ORDERS_QUEUE_URL": *placed.QueueUrl(),
	}

	serverless.NewFunction(stack, "Quote", serverless.FunctionProps{
		Description: "prices a basket",
		Entry:       "./app/functions/quote",
		Events: serverless.Events{
			"Quote": serverless.HttpApiEvent{Method: "POST", Path: "/quotes"},
		},
	})
	serverless.NewFunction(stack, "Checkout", serverless.FunctionProps{
		Description: "takes orders and shows them",
		Entry:       "./app/functions/checkout",
		Environment: environment,
		Events: serverless.Events{
			"Place": serverless.HttpApiEvent{Method: "POST", Path: "/orders"},
			"Show":  serverless.HttpApiEvent{Method: "GET", Path: "/orders/{id}"},
		},
		Policies: []serverless.Policy{
			serverless.DynamoDBCrudPolicy(table),
			serverless.SQSSendMessagePolicy(placed),
		},
	})
	serverless.NewFunction(stack, "Fulfilment", serverless.FunctionProps{
		Description: "fulfils the orders of the queue",
		Entry:       "./app/functions/fulfilment",
		Timeout:     30 * time.Second,
		Environment: map[string]string{"ORDERS_TABLE": *table.TableName()},
		Events:      serverless.Events{"Placed": serverless.SQSEvent{Queue: placed}},
		Policies:    []serverless.Policy{serverless.DynamoDBWritePolicy(table)},
	})
	serverless.NewFunction(stack, "Housekeeping", serverless.FunctionProps{
		Description: "queues orders again that were left behind",
		Entry:       "./app/functions/housekeeping",
		Timeout:     time.Minute,
		Environment: environment,
		Events: serverless.Events{
			"Regularly": serverless.ScheduleEvent{
				Schedule:    "rate(15 minutes)",
				Description: "looks for orders that were placed but not fulfilled",
				// The next run does what this one did not.
				MaximumRetryAttempts: serverless.NoRetries,
			},
		},
		Policies: []serverless.Policy{
			serverless.DynamoDBReadPolicy(table),
			serverless.SQSSendMessagePolicy(placed),
		},
	})

	waiting := serverless.NewFunction(stack, "Waiting", serverless.FunctionProps{
		Description: "gives the orders that are not fulfilled to whoever may ask",
		Entry:       "./app/functions/waiting",
		Timeout:     time.Minute,
		Environment: map[string]string{"ORDERS_TABLE": *table.TableName()},
		// A backlog may be longer than what an answer can hold at a time.
		FunctionUrlConfig: &serverless.FunctionUrlConfig{InvokeMode: "RESPONSE_STREAM"},
		Policies:          []serverless.Policy{serverless.DynamoDBReadPolicy(table)},
	})

	givenUp(stack, placed)
	awscdk.NewCfnOutput(stack, jsii.String("ApiUrl"), &awscdk.CfnOutputProps{
		Description: jsii.String("where the storefront answers"),
		Value:       serverless.ImplicitHttpApi(stack).ApiEndpoint(),
	})
	awscdk.NewCfnOutput(stack, jsii.String("WaitingUrl"), &awscdk.CfnOutputProps{
		Description: jsii.String("where the orders that wait are, for signed requests"),
		Value:       waiting.FunctionUrl().Url(),
	})
	return stack
}

// givenUp raises an alarm when a message could not be handled: somebody has to
// look at it.
func givenUp(stack awscdk.Stack, queue *serverless.Queue) {
	dead := queue.DeadLetterQueue().Queue
	dead.MetricApproximateNumberOfMessagesVisible(nil).CreateAlarm(stack, jsii.String("OrdersGivenUp"), &awscloudwatch.CreateAlarmOptions{
		AlarmDescription:   jsii.String("an order can't be fulfilled: its message is in the dead-letter queue"),
		Threshold:          jsii.Number(1),
		EvaluationPeriods:  jsii.Number(1),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
}
