// Package serverless is SAM's vocabulary as CDK constructs for Go: functions
// with their events, URLs and policies, HTTP, REST and WebSocket APIs, tables
// and queues. SAM's GraphQL API is in package graphql, beside this one.
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
// [Queue] an awssqs.Queue, an [HttpApi] an awsapigatewayv2.HttpApi, a [RestApi]
// an awsapigateway.RestApi, a [WebSocketApi] an awsapigatewayv2.WebSocketApi.
// Each can be passed to whatever takes one: grants, alarms, event targets,
// aspects. An aspect is given the Go value itself:
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
// [ApiEvent], [WebSocketEvent], [ScheduleEvent], [SQSEvent], or one of another
// package. The keys of [Events] are construct ids below the function. HTTP
// events that name no API share the stack's implicit one, which has SAM's id:
// ServerlessHttpApi, and ServerlessRestApi for an ApiEvent.
//
// # Who may call
//
// An API has its authorizers in Auth, by name, and events name one. AWS_IAM and
// NONE are there without being defined.
//
//	api := serverless.NewHttpApi(stack, "Api", serverless.HttpApiProps{
//		Auth: serverless.HttpApiAuth{
//			DefaultAuthorizer: "Login",
//			Authorizers: map[string]serverless.HttpApiAuthorizer{
//				"Login": serverless.OAuth2Authorizer{
//					Issuer: "https://login.example.com", Audience: []string{"shop"},
//				},
//			},
//		},
//	})
//	"Place": serverless.HttpApiEvent{Api: api, Method: "POST", Path: "/orders"},
//	"Stock": serverless.HttpApiEvent{Api: api, Method: "GET", Path: "/stock", AuthorizerName: serverless.NoAuthorizer},
//
// [OAuth2Authorizer], [CognitoAuthorizer] and [LambdaAuthorizer] are those of an
// HttpApi; CognitoAuthorizer, [LambdaTokenAuthorizer] and
// [LambdaRequestAuthorizer] those of a RestApi. A WebSocketApi has one, which is
// asked when a client connects. Authorizers that were made with the CDK are
// taken as well.
//
// # OpenAPI documents
//
// DefinitionUri or DefinitionBody makes an HttpApi or a RestApi of an OpenAPI
// document. An event then answers the operation of its method and path: the
// document needs no ARNs, and stays what clients are generated from. An event
// that the document does not have is a mistake, and so is an operation that
// nothing answers.
//
// # Policies
//
// A [Policy] says what a function may do. Those named after SAM's policy
// templates allow what SAM's do, on the ARN of the construct that they are given
// instead of a name; where that construct is encrypted with a key of yours, they
// allow the use of the key too. (One differs: [LambdaInvokePolicy] is not for
// all functions whose names begin alike.) [PolicyTemplate] is any of SAM's by
// its name and with its own parameters. [Statement], [RawStatement] and
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
// Authorizers: an answer of a function is kept for 5 minutes (ReauthorizeEvery),
// API Gateway's own default, for each identity. An authorizer that keeps answers
// must say what an identity is, since else one caller would be let in by the
// answer for another.
// [Control access to HTTP APIs with AWS Lambda authorizers]
//
// Domain: TLS 1.2 at least. With MutualTlsAuthentication the API's own endpoint
// is switched off (DisableExecuteApiEndpoint): clients without a certificate
// could call by it.
// [How to turn on mutual TLS authentication for your HTTP APIs in API Gateway]
//
// RestApi: the stage Prod, as in SAM (StageName), deployed again with each
// change. A regional endpoint (EndpointConfiguration), to which a caller in the
// same region comes by the shortest way, instead of one behind CloudFront. Access
// logs as JSON, kept a month, and throttling, as for HttpApi. Tracing on
// (DisableTracing), so that a trace begins where the request comes in. API
// Gateway may write logs only by a role that is set once for an account and
// region: the stack sets it, and keeps it when it is deleted
// (DisableCloudWatchRole). With Cors for one origin, or all, API Gateway's own
// errors carry it as well (GatewayResponses), and preflight requests need no
// authorizer, since browsers send none. No right to invoke a function from the
// console's test page.
// [API endpoint types for REST APIs in API Gateway],
// [Set up CloudWatch logging for REST APIs in API Gateway],
// [Trace user requests to REST APIs using X-Ray in API Gateway],
// [CORS for REST APIs in API Gateway]
//
// A private RestApi: only its VPCEndpoints may call it (ResourcePolicy); without a
// policy nobody could.
// [Private REST APIs in API Gateway]
//
// WebSocketApi: the stage default, as in SAM (StageName), routes by
// $request.body.action (RouteSelectionExpression), access logs and throttling as
// for RestApi. A function may send to connections only after ManageConnections.
// [Create routes for WebSocket APIs in API Gateway],
// [Use @connections commands in your backend service]
//
// FunctionUrlConfig: AWS_IAM (AuthType), so that nobody may call who has no
// policy for it. With NONE everyone has both rights that Lambda asks for.
// [Control access to Lambda function URLs]
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
// [Control access to HTTP APIs with AWS Lambda authorizers]: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
// [How to turn on mutual TLS authentication for your HTTP APIs in API Gateway]: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mutual-tls.html
// [API endpoint types for REST APIs in API Gateway]: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-endpoint-types.html
// [Set up CloudWatch logging for REST APIs in API Gateway]: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
// [Trace user requests to REST APIs using X-Ray in API Gateway]: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-xray.html
// [CORS for REST APIs in API Gateway]: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html
// [Private REST APIs in API Gateway]: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-apis.html
// [Create routes for WebSocket APIs in API Gateway]: https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
// [Use @connections commands in your backend service]: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
// [Control access to Lambda function URLs]: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
package serverless
