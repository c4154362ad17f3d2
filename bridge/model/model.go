package model

import "time"

// Application is all that one stage of a CDK app defines, as a local run sees
// it. Its slices are sorted by [ID.Path].
type Application struct {
	// Stage is the id of the CDK Stage, "" for the stacks outside any stage.
	Stage string
	// Region and AccountID are those that ARNs were made with.
	Region    string
	AccountID string

	Functions []*Function
	Layers    []*Layer

	// APIs are HTTP APIs, REST APIs and function URLs.
	APIs          []*API
	WebSocketAPIs []*WebSocketAPI

	EventSourceMappings []*EventSourceMapping
	EventInvokeConfigs  []*EventInvokeConfig
	Rules               []*Rule
	Schedules           []*Schedule
	Subscriptions       []*Subscription
	SubscriptionFilters []*SubscriptionFilter

	Tables          []*Table
	Queues          []*Queue
	Topics          []*Topic
	EventBuses      []*EventBus
	Streams         []*Stream
	DeliveryStreams []*DeliveryStream
	Buckets         []*Bucket
	StateMachines   []*StateMachine

	// Resources is what became of each resource of the templates.
	Resources []*Resource

	// Diagnostics is what a user should know about the reading: values that
	// could not be resolved, resources that a local run leaves out.
	Diagnostics []Diagnostic
}

// ID is how a resource is called.
type ID struct {
	// Path is the construct path without a trailing "/Resource", unique in the
	// application: "Storefront/Checkout", "Prod/Storefront/Checkout".
	Path string
	// Stack is the name of the CloudFormation stack.
	Stack string
	// LogicalID is the id in that stack's template: "Checkout1A2B3C4D".
	LogicalID string
	// Name is the short name, unique among the application's resources of
	// this type: the construct id where that is unique ("Checkout"), else
	// more of the path, joined by "-". Letters, digits and "-" only.
	Name string
}

// Function is a Lambda function (AWS::Lambda::Function).
type Function struct {
	ID
	// FunctionName is the local physical name, a literal unique in the
	// application: the template's own where it gives one, else Name.
	FunctionName string
	// ARN is the unqualified ARN made of the application's region, account
	// and FunctionName.
	ARN         string
	Description string
	// Runtime is Lambda's identifier ("provided.al2023", "nodejs22.x"), ""
	// for a container image.
	Runtime string
	Handler string
	// Architecture is what the code runs on: "x86_64" or "arm64".
	Architecture string
	// MemorySize is in MB (128 where the template says nothing).
	MemorySize int
	// Timeout is at most 15 minutes (3 seconds where the template says
	// nothing).
	Timeout time.Duration
	// EphemeralStorage is the size of /tmp in MB (512 where the template says
	// nothing).
	EphemeralStorage int
	// Environment is every variable that the template declares, resolved.
	Environment map[string]string
	// Secrets are the names in Environment whose value must not be written to
	// a file: it came from a parameter with NoEcho, or from --env-vars. Sorted.
	Secrets []string
	// Aliases are the names of the function's aliases.
	Aliases []string
	// FileSystems are where the function mounts EFS access points.
	FileSystems []FileSystem
	// VPC says that the function is attached to a VPC, which no local run is.
	VPC bool
	// DeadLetterARN is DeadLetterConfig's target, "" where unset.
	DeadLetterARN string
	// Layers are in the template's order: a later one overlays an earlier.
	Layers []*Layer
	// ReservedConcurrency is the most invocations at a time, -1 where unset.
	ReservedConcurrency int
	// LogFormat is "Text" or "JSON" (LoggingConfig.LogFormat).
	LogFormat string
	// ApplicationLogLevel is LoggingConfig.ApplicationLogLevel, "" where unset.
	ApplicationLogLevel string
	// LogGroup is the name of the log group.
	LogGroup string
	// Tracing is "Active" or "PassThrough".
	Tracing string
	Code    Code
	// Helper marks a function that the CDK itself made: a custom resource's
	// provider, log retention, bucket notifications.
	Helper bool
}

// Code is where a function's code is. At most one of Path, Go, Inline and
// Image is set when the application is read (none where the code lies in an S3
// bucket); building sets Path for those with Go.
type Code struct {
	// Path is an absolute path of a folder, or of a .zip file.
	Path string
	// Go is the source of a function that is built for the local machine.
	Go *GoSource
	// Inline is the text of Code.ZipFile.
	Inline string
	// Image is a container image.
	Image *Image
}

// GoSource is a Go main package that becomes a function's bootstrap.
type GoSource struct {
	// Dir is the absolute path of the folder that Package is resolved in.
	Dir string
	// Package is what go build takes: "./functions/checkout" or an import path.
	Package string
	// Tags are build tags beyond lambda.norpc.
	Tags []string
}

// Image is a container image function's code.
type Image struct {
	// URI is the image as the template names it, "" where only an asset does.
	URI string
	// Context is the absolute path of the folder that docker build takes, ""
	// for an image that is not built here.
	Context string
	// Dockerfile is relative to Context.
	Dockerfile string
	BuildArgs  map[string]string
	Target     string
	// Command, EntryPoint and WorkingDirectory are ImageConfig's.
	Command          []string
	EntryPoint       []string
	WorkingDirectory string
}

// Layer is a layer version (AWS::Lambda::LayerVersion), or the ARN of one that
// the application does not define.
type Layer struct {
	ID
	// ARN is the literal ARN of a foreign layer, "" for the application's own.
	ARN string
	// Path is the absolute path of the content, a folder or a .zip file.
	Path               string
	CompatibleRuntimes []string
}

// FileSystem is an EFS access point that a function mounts.
type FileSystem struct {
	ARN            string
	LocalMountPath string
}

// Protocol is a kind of API over HTTP.
type Protocol string

// The protocols.
const (
	// HTTP is an API Gateway HTTP API (AWS::ApiGatewayV2::Api).
	HTTP Protocol = "HTTP"
	// REST is an API Gateway REST API (AWS::ApiGateway::RestApi).
	REST Protocol = "REST"
	// FunctionURL is a function's own endpoint (AWS::Lambda::Url).
	FunctionURL Protocol = "URL"
)

// API is an API whose routes go to functions.
type API struct {
	ID
	Protocol Protocol
	// APIID is what Ref gives: the id in the API's address and in the ARNs of
	// its methods. Of a function URL it is the first label of its host.
	APIID string
	// StageName is "$default" for an HTTP API or function URL, unless the
	// template says otherwise.
	StageName      string
	StageVariables map[string]string
	CORS           *CORS
	// BinaryMediaTypes are a REST API's.
	BinaryMediaTypes []string
	Routes           []*Route
	// StaticRoutes are a REST API's methods and an HTTP API's routes that go
	// to no function.
	StaticRoutes []*StaticRoute
	// GatewayResponses are what a REST API answers in place of API Gateway's
	// own answers.
	GatewayResponses []*GatewayResponse
	// Models are the schemas of a REST API's models by name, JSON texts.
	Models map[string]string
	// APIKeys are the values of the REST API's keys, as far as the template
	// gives them.
	APIKeys []string
	// ResponseStream says that a function URL streams (InvokeMode
	// RESPONSE_STREAM).
	ResponseStream bool
}

// CORS is an API's configuration of cross-origin requests. MaxAge is in
// seconds.
type CORS struct {
	AllowCredentials bool
	AllowHeaders     []string
	AllowMethods     []string
	AllowOrigins     []string
	ExposeHeaders    []string
	MaxAge           int
}

// Route is a route of an API to a function.
type Route struct {
	// Method is an HTTP method, or "ANY".
	Method string
	// Path begins with "/", or is "$default".
	Path     string
	Function *Function
	// PayloadFormatVersion is "1.0" or "2.0".
	PayloadFormatVersion string
	// TimeoutMillis is the integration's timeout (30,000 for an HTTP API and
	// 29,000 for a REST API where unset).
	TimeoutMillis int
	// AuthorizationType is "NONE", "JWT", "AWS_IAM", "CUSTOM" or
	// "COGNITO_USER_POOLS".
	AuthorizationType string
	// Authorizer is set for "JWT", "CUSTOM" and "COGNITO_USER_POOLS".
	Authorizer *Authorizer
	// Scopes are what a JWT must have one of.
	Scopes []string
	// APIKeyRequired is a REST API method's.
	APIKeyRequired bool
	// ResponseStream says that a REST API streams the function's response
	// (ResponseTransferMode STREAM).
	ResponseStream bool
	// Validation is what a REST API checks of a request, nil for nothing.
	Validation *Validation
	// ResourceID and OperationName are a REST API method's, "" where the
	// template gives none.
	ResourceID, OperationName string
}

// Validation is what a method of a REST API checks of a request before it goes
// to the function.
type Validation struct {
	// Parameters are those that a request must have, sorted:
	// "method.request.querystring.q".
	Parameters []string
	// Models are the names of the models that a body must follow, by content
	// type. nil where bodies are not checked.
	Models map[string]string
}

// GatewayResponse is what a REST API answers by itself for one type of answer
// ("UNAUTHORIZED", "DEFAULT_4XX").
type GatewayResponse struct {
	Type string
	// StatusCode is 0 where it is API Gateway's own.
	StatusCode int
	// Parameters are the values of headers by name: "'literal'" or an
	// expression ("method.request.header.Origin").
	Parameters map[string]string
	// Templates are bodies by content type, with variables ("$context...").
	Templates map[string]string
}

// StaticRoute is a route of an API to no function: one that API Gateway
// answers by itself (a MOCK integration), or one that a local run cannot serve.
type StaticRoute struct {
	// Method and Path are as in [Route].
	Method, Path string
	StatusCode   int
	// Headers and Body are the answer's.
	Headers map[string]string
	Body    string
	// Origins are those that the answer's Access-Control-Allow-Origin repeats
	// where the request comes from one of them.
	Origins []string
	// Unserved says why a local run cannot serve the route, "" for one that
	// it can.
	Unserved string
}

// Authorizer decides who may call a route.
type Authorizer struct {
	ID
	// Type is "TOKEN", "REQUEST", "JWT" or "COGNITO_USER_POOLS".
	Type string
	// Function decides for TOKEN and REQUEST.
	Function *Function
	// IdentitySource is where the caller's identity stands, in API Gateway's
	// own terms: "$request.header.Authorization",
	// "method.request.header.Authorization".
	IdentitySource []string
	// PayloadFormatVersion is "1.0" or "2.0" for REQUEST of an HTTP API.
	PayloadFormatVersion  string
	EnableSimpleResponses bool
	// ResultTTL is how long an answer is kept.
	ResultTTL time.Duration
	// IdentityValidation is the expression that a token must match as a
	// whole, for TOKEN; "" for any.
	IdentityValidation string
	// Issuer and Audience are a JWT's. Of a COGNITO_USER_POOLS authorizer,
	// Audience are the ARNs of the user pools.
	Issuer   string
	Audience []string
}

// WebSocketAPI is an API Gateway WebSocket API.
type WebSocketAPI struct {
	ID
	// APIID is what Ref gives: the id in the API's address.
	APIID          string
	StageName      string
	StageVariables map[string]string
	// RouteSelectionExpression yields the key of a message's route:
	// "$request.body.action" where the template says nothing.
	RouteSelectionExpression string
	// Routes are sorted by Key.
	Routes []*WebSocketRoute
}

// WebSocketRoute is a route of a WebSocket API.
type WebSocketRoute struct {
	// Key is "$connect", "$disconnect", "$default" or what the selection
	// expression yields.
	Key string
	// Function is nil for a route that answers by itself: one with a mock
	// integration, or with none.
	Function *Function
	// RouteResponse says that what the function answers goes to the client
	// (two-way communication).
	RouteResponse bool
	// TimeoutMillis is the integration's timeout (29,000 where unset).
	TimeoutMillis int
	// AuthorizationType is "NONE", "AWS_IAM" or "CUSTOM", for $connect alone.
	AuthorizationType string
	// Authorizer is set for "CUSTOM".
	Authorizer     *Authorizer
	APIKeyRequired bool
}

// EventSourceMapping is a poller that invokes a function
// (AWS::Lambda::EventSourceMapping).
type EventSourceMapping struct {
	ID
	Function *Function
	// EventSourceARN is the ARN of the queue or stream.
	EventSourceARN string
	// BatchSize is 0 where the template says nothing.
	BatchSize int
	// MaximumBatchingWindow is 0 where the template says nothing.
	MaximumBatchingWindow time.Duration
	Enabled               bool
	FunctionResponseTypes []string
	// FilterPatterns are FilterCriteria's patterns, JSON texts.
	FilterPatterns []string
	// MaximumConcurrency is ScalingConfig's, 0 where unset.
	MaximumConcurrency int
	// StartingPosition is set for streams.
	StartingPosition string
	// What follows is for streams alone. BisectBatchOnFunctionError splits a
	// batch that failed in two.
	BisectBatchOnFunctionError bool
	// MaximumRetryAttempts is -1, without end, where the template says nothing.
	MaximumRetryAttempts int
	// MaximumRecordAge is negative, without end, where the template says
	// nothing.
	MaximumRecordAge time.Duration
	// ParallelizationFactor is 1 where the template says nothing.
	ParallelizationFactor int
	// OnFailure is the ARN of the destination of batches that are given up, ""
	// where unset.
	OnFailure string
}

// EventInvokeConfig is how a function is invoked asynchronously
// (AWS::Lambda::EventInvokeConfig).
type EventInvokeConfig struct {
	ID
	Function *Function
	// OnSuccess and OnFailure are ARNs, "" where unset.
	OnSuccess, OnFailure string
	// MaximumEventAge is 6 hours where the template says nothing.
	MaximumEventAge time.Duration
	// MaximumRetryAttempts is 2 where the template says nothing.
	MaximumRetryAttempts int
}

// Target is where a rule or schedule sends its events.
type Target struct {
	// ID is the target's id in its rule, "" for a schedule's.
	ID  string
	ARN string
	// Function is the application's function of this ARN, nil for others.
	Function *Function
	// Input is the constant JSON text that the target gets, InputPath the part
	// of the event; both "" for the event itself.
	Input, InputPath string
	// InputTemplate and InputPaths are the input transformer's.
	InputTemplate string
	InputPaths    map[string]string
	DeadLetterARN string
	// MessageGroupID is SqsParameters', for a FIFO queue.
	MessageGroupID string
	// Source and DetailType are a schedule's EventBridgeParameters, for a bus.
	Source, DetailType string
}

// Rule is an EventBridge rule (AWS::Events::Rule): by pattern, by schedule or
// both.
type Rule struct {
	ID
	// RuleName is the physical name.
	RuleName string
	// BusName is "default" where the template says nothing.
	BusName string
	// Pattern is the event pattern, a JSON text, "" where there is none.
	Pattern string
	// Expression is "rate(5 minutes)" or "cron(...)", "" where there is none.
	Expression  string
	Description string
	Enabled     bool
	Targets     []Target
}

// Schedule is a schedule of EventBridge Scheduler (AWS::Scheduler::Schedule).
type Schedule struct {
	ID
	// Expression is "rate(...)", "cron(...)" or "at(...)".
	Expression  string
	Timezone    string
	Description string
	Enabled     bool
	// Start and End are StartDate and EndDate, "" where unset.
	Start, End string
	Target     Target
}

// Subscription is a subscription of an SNS topic (AWS::SNS::Subscription).
type Subscription struct {
	ID
	TopicARN string
	// Protocol is "sqs", "lambda", "firehose", "https", ...
	Protocol string
	// Endpoint is an ARN or an address.
	Endpoint string
	// Function is the application's function of the endpoint, nil for others.
	Function *Function
	// FilterPolicy is a JSON text, "" where there is none.
	FilterPolicy string
	// FilterPolicyScope is "MessageAttributes" or "MessageBody".
	FilterPolicyScope  string
	RawMessageDelivery bool
	DeadLetterARN      string
}

// SubscriptionFilter sends a log group's events to a function
// (AWS::Logs::SubscriptionFilter).
type SubscriptionFilter struct {
	ID
	LogGroup      string
	FilterPattern string
	// DestinationARN is a function's or a stream's.
	DestinationARN string
	Function       *Function
}

// Table is a DynamoDB table.
type Table struct {
	ID
	TableName string
	ARN       string
	// StreamARN is "" where the table has no stream.
	StreamARN string
	// Properties are the template's, resolved: what CreateTable takes.
	Properties map[string]any
}

// Queue is an SQS queue.
type Queue struct {
	ID
	QueueName string
	ARN       string
	URL       string
	FIFO      bool
	// VisibilityTimeout is 30 s, MessageRetentionPeriod 4 days and Delay 0
	// where the template says nothing.
	VisibilityTimeout         time.Duration
	MessageRetentionPeriod    time.Duration
	Delay                     time.Duration
	ContentBasedDeduplication bool
	// DeadLetterARN is the redrive policy's target, "" where there is none.
	DeadLetterARN   string
	MaxReceiveCount int
	// Attributes are what else the template gives, by SQS's own names.
	Attributes map[string]string
}

// Topic is an SNS topic.
type Topic struct {
	ID
	TopicName string
	ARN       string
	FIFO      bool
	// ContentBasedDeduplication is for FIFO topics.
	ContentBasedDeduplication bool
}

// EventBus is an EventBridge event bus.
type EventBus struct {
	ID
	BusName string
	ARN     string
}

// Stream is a Kinesis data stream.
type Stream struct {
	ID
	StreamName string
	ARN        string
	// ShardCount is 0 for an on-demand stream.
	ShardCount int
}

// DeliveryStream is a Firehose stream.
type DeliveryStream struct {
	ID
	DeliveryStreamName string
	ARN                string
	// Properties are the template's, resolved.
	Properties map[string]any
}

// Bucket is an S3 bucket.
type Bucket struct {
	ID
	BucketName    string
	ARN           string
	Notifications []Notification
	// EventBridge says that the bucket tells the default bus too.
	EventBridge bool
}

// Notification is what a bucket tells, and to whom.
type Notification struct {
	// Events are "s3:ObjectCreated:*" and such.
	Events         []string
	Prefix, Suffix string
	// TargetARN is a function's, queue's or topic's.
	TargetARN string
	Function  *Function
}

// StateMachine is a Step Functions state machine.
type StateMachine struct {
	ID
	StateMachineName string
	ARN              string
	// Type is "STANDARD" or "EXPRESS".
	Type string
	// Definition is the JSON text in Amazon States Language.
	Definition string
}

// Reading says what the model did with a resource.
type Reading string

// The readings.
const (
	// InModel resources are part of the application.
	InModel Reading = "read"
	// Part resources belong to another and are read with it.
	Part Reading = "part"
	// Absent resources do not exist: their condition is false.
	Absent Reading = "absent"
	// Ignored resources have no part in a local run.
	Ignored Reading = "ignored"
	// Unread resources would have one, and this version does not read them.
	Unread Reading = "unread"
)

// Resource is one resource of a template.
type Resource struct {
	ID
	Type    string
	Reading Reading
	// Reason says why it is ignored, or what it is a part of.
	Reason string
}

// Severity orders diagnostics.
type Severity int

// The severities, from a remark to what will surprise in a local run.
const (
	Note Severity = iota
	Warning
)

// Diagnostic is one remark about an application.
type Diagnostic struct {
	Severity Severity
	// Path is the construct path that it is about.
	Path string
	// Where is the place in the template: "storefront.template.json:
	// Resources.Checkout1A2B3C4D.Properties.Environment.Variables.TABLE".
	Where string
	// Message says what is so, why, and what would change it.
	Message string
}
