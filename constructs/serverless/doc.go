// Package serverless is SAM's vocabulary as CDK constructs for Go: functions
// with their events and policies, HTTP APIs, tables and queues.
//
//	orders := serverless.NewTable(stack, "Orders", serverless.TableProps{PartitionKey: "id"})
//
//	checkout := serverless.NewFunction(stack, "Checkout", serverless.FunctionProps{
//		Entry:       "./functions/checkout",
//		Environment: map[string]string{"ORDERS": *orders.TableName()},
//		Events: serverless.Events{
//			"Place": serverless.HttpApiEvent{Method: "POST", Path: "/orders"},
//		},
//		Policies: []serverless.Policy{serverless.DynamoDBCrudPolicy(orders)},
//	})
//
// Props are plain Go values; a zero value is a safe default. What SAM has a name
// for has that name here.
//
// # They are CDK constructs
//
// A [Function] is an awslambda.Function, a [Table] an awsdynamodb.Table, a
// [Queue] an awssqs.Queue, an [HttpApi] an awsapigatewayv2.HttpApi. Each can be
// passed to whatever takes one: grants, alarms, event targets, aspects. An
// aspect is given the Go value itself:
//
//	func (v *auditor) Visit(node constructs.IConstruct) {
//		if f, ok := node.(*serverless.Function); ok { ... }
//	}
//
// What has no prop is reached through the methods of the CDK's type, or through
// the resource below it: f.Node().DefaultChild().(awslambda.CfnFunction).
//
// All is written as plain CloudFormation, never as the AWS::Serverless
// transform, so that cdk diff, hotswap, drift detection and policy tools see
// what is deployed. Logical ids follow from construct ids and do not change with
// a version of this package.
//
// # Go functions
//
// Entry names a main package. It is compiled during synth into a static
// executable for Linux and the function's architecture, without the RPC mode of
// the retired Go runtime (-tags lambda.norpc), without debug information and
// with trimmed paths: the same source gives the same bytes on every machine, and
// so the same asset. The result is kept in .bailey/build and made again only
// when its source changed.
//
// Nothing is compiled where nobody will deploy the outcome: in a local synth
// (context bailey:local), which leaves it to the local run, and where the CDK
// asks only for the tree, as for cdk ls. The code asset is then a placeholder.
// In every case the resource says in its Metadata which package it is.
//
// Functions in other languages have CodeUri, Runtime and Handler; images have
// ImageUri or Dockerfile.
//
// # Events
//
// An [Event] connects a function with what invokes it: [HttpApiEvent],
// [ScheduleEvent], [SQSEvent], or one of another package. The keys of [Events]
// are construct ids below the function. HTTP events that name no API share the
// stack's implicit one, which has SAM's id, ServerlessHttpApi.
//
// # Policies
//
// A [Policy] says what a function may do. Those named after SAM's policy
// templates allow what SAM's do, on the ARN of the construct that they are given
// instead of a name; where that construct is encrypted with a key of yours, they
// allow the use of the key too. (One differs: [LambdaInvokePolicy] is not for
// all functions whose names begin alike.) [Statement], [RawStatement] and
// [ManagedPolicy] say anything else. Grants of the CDK work as well.
//
// # Mistakes
//
// Props are checked when a construct is made. A mistake does not panic: it
// becomes an error annotation on the construct, and synth reports those of the
// whole app together, each with its place:
//
//	app/storefront.go:41: Storefront/Checkout: Memory is 64 MB: allowed are 128 to 10240 MB
//
// What the CDK itself refuses, which jsii reports by a panic, becomes one too.
// The construct is made of safe values meanwhile, so that the rest of the app
// can be checked. Only a nil scope panics, since there is no app to report on.
//
// jsii serves one goroutine: construct an app in one.
//
// # Defaults
//
// These are what you get by writing nothing, each with the prop that changes it,
// the reason, and where AWS says so.
//
// Architecture ARM64 (Architecture). The same work for less money, and Go
// cross-compiles to it for nothing.
// [Selecting and configuring an instruction set architecture]
//
// Runtime provided.al2023, executable "bootstrap" (none: it is what Entry means).
// The OS-only runtime is the one for Go, and its newest version the one that is
// supported longest.
// [Building Lambda functions with Go]
//
// Memory 256 MB (Memory). CPU power grows with memory, and AWS advises Lambda's
// own default of 128 MB only for functions that pass events on: with the AWS SDK
// and TLS in a Go function, half the CPU makes cold starts twice as long.
// [Configure Lambda function memory]
//
// Timeout 10 seconds (Timeout). Lambda's own 3 seconds end while a client still
// retries after a network fault; an API gives up at 29.
// [Configure Lambda function timeout]
//
// Tracing active (Tracing). A trace shows which call of a request was slow; X-Ray
// samples one request a second and 5 % of the others, so the cost is bounded. The
// role gets xray:PutTraceSegments and xray:PutTelemetryRecords.
// [Visualize Lambda function invocations using AWS X-Ray]
//
// JSON logs (LogFormat). AWS recommends them where no tool depends on text: a
// field can be searched for. Write yours with log/slog's JSON handler.
// [Configuring JSON and plain text log formats]
//
// A log group of its own with a retention of a month (LogGroup, LogRetention).
// The group that Lambda makes by itself keeps every line for ever, and is not
// part of the stack. The name is CloudFormation's, and the group is kept when the
// stack is deleted, as the CDK does, since an incident may be why.
// [Configuring CloudWatch log groups]
//
// A role of its own without managed policies (Role, Policies). It may write to
// its own log group, and traces, and what Policies and grants add.
// AWSLambdaBasicExecutionRole, which SAM and the CDK attach, allows writing to
// every log group of the account. A function in a VPC may also manage network
// interfaces, which EC2 can't limit to one resource.
// [Defining Lambda function permissions with an execution role],
// [Security best practices in IAM]
//
// SQSEvent reports the failed messages of a batch
// (DisableReportBatchItemFailures). Otherwise one bad message brings nine good
// ones back. The function must return events.SQSEventResponse.
// [Handling errors for an SQS event source in Lambda]
//
// Queue: a dead-letter queue after 5 receives (MaxReceiveCount,
// DisableDeadLetterQueue), so that a message which can't be handled neither
// blocks nor vanishes; AWS advises at least 5 for Lambda. Visibility timeout of
// six times the consumer's timeout and the batching window (VisibilityTimeout),
// AWS's advice against handling a message twice at a time. Encryption at rest
// with SQS's keys (EncryptionKey); requests without TLS are denied.
// [Creating and configuring an Amazon SQS event source mapping],
// [Using dead-letter queues in Amazon SQS],
// [Amazon SQS security best practices]
//
// Table: on demand (ReadCapacity and WriteCapacity), which AWS recommends where
// the load is not known; point-in-time recovery (DisablePointInTimeRecovery),
// which undoes a bad release up to 35 days back; kept with its items when it
// leaves the stack (RemovalPolicy), as the CDK does.
// [DynamoDB on-demand capacity mode], [Point-in-time backups for DynamoDB]
//
// HttpApi: access logs as JSON, kept a month (DisableAccessLogs,
// AccessLogRetention, AccessLogFormat), the only record of a request that never
// reached a function. Throttling at 1000 requests a second and 500 at once
// (ThrottlingRateLimit, ThrottlingBurstLimit): without a limit of its own, one
// API can take the whole quota that all APIs of an account share in a region,
// 10000 and 5000, and the default 1000 concurrent executions of all functions.
// [Configure logging for HTTP APIs in API Gateway],
// [Throttle requests to your HTTP APIs]
//
// [Selecting and configuring an instruction set architecture]: https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html
// [Building Lambda functions with Go]: https://docs.aws.amazon.com/lambda/latest/dg/lambda-golang.html
// [Configure Lambda function memory]: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
// [Configure Lambda function timeout]: https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
// [Visualize Lambda function invocations using AWS X-Ray]: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
// [Configuring JSON and plain text log formats]: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
// [Configuring CloudWatch log groups]: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
// [Defining Lambda function permissions with an execution role]: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
// [Security best practices in IAM]: https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html
// [Handling errors for an SQS event source in Lambda]: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
// [Creating and configuring an Amazon SQS event source mapping]: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
// [Using dead-letter queues in Amazon SQS]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
// [Amazon SQS security best practices]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html
// [DynamoDB on-demand capacity mode]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
// [Point-in-time backups for DynamoDB]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html
// [Configure logging for HTTP APIs in API Gateway]: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
// [Throttle requests to your HTTP APIs]: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
package serverless
