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

	Functions           []*Function
	Layers              []*Layer
	HTTPAPIs            []*HTTPAPI
	EventSourceMappings []*EventSourceMapping
	Schedules           []*Schedule

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

// HTTPAPI is an API Gateway HTTP API (AWS::ApiGatewayV2::Api).
type HTTPAPI struct {
	ID
	// StageName is "$default" unless the template says otherwise.
	StageName      string
	StageVariables map[string]string
	CORS           *CORS
	Routes         []*Route
}

// CORS is an HTTP API's CorsConfiguration. MaxAge is in seconds.
type CORS struct {
	AllowCredentials bool
	AllowHeaders     []string
	AllowMethods     []string
	AllowOrigins     []string
	ExposeHeaders    []string
	MaxAge           int
}

// Route is a route of an HTTP API to a function.
type Route struct {
	// Method is an HTTP method, or "ANY".
	Method string
	// Path begins with "/", or is "$default".
	Path     string
	Function *Function
	// PayloadFormatVersion is "1.0" or "2.0".
	PayloadFormatVersion string
	// TimeoutMillis is the integration's timeout (30,000 where unset).
	TimeoutMillis int
	// AuthorizationType is "NONE", "JWT", "AWS_IAM" or "CUSTOM".
	AuthorizationType string
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
}

// Schedule is a rule of the default bus that invokes a function by time
// (AWS::Events::Rule with ScheduleExpression).
type Schedule struct {
	ID
	Function *Function
	// Expression is "rate(5 minutes)" or "cron(...)".
	Expression  string
	Description string
	Enabled     bool
	// Input is the constant JSON text that the function gets, "" for the
	// scheduled event itself.
	Input string
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
