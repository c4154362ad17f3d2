package serverless

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
	"github.com/bailey-cdk/bailey/internal/metadata"
)

// FunctionProps defines a [Function]. Exactly one of Entry, CodeUri, ImageUri
// and Dockerfile says where its code is; all else may be left out.
type FunctionProps struct {
	// Entry is a Go main package: a path that begins with "./" or "../",
	// relative to the folder of cdk.json, or an import path. It is compiled for
	// Lambda during synth, as a static executable without debug information,
	// the same bytes for the same source.
	Entry string
	// BuildTags are Go build tags for Entry, beyond lambda.norpc.
	BuildTags []string

	// CodeUri is a folder or a .zip file for a function in another language,
	// relative to the folder of cdk.json. It goes with Runtime and Handler.
	CodeUri string
	// Runtime is Lambda's identifier, such as "nodejs22.x". With Entry it is
	// "provided.al2023" unless set to "provided.al2".
	Runtime string
	// Handler is what Runtime starts, such as "index.handler".
	Handler string

	// ImageUri is a container image in Amazon ECR, with a tag or digest.
	ImageUri string
	// Dockerfile builds a container image during deployment. It is a file in
	// DockerContext, named relative to it.
	Dockerfile string
	// DockerContext is the folder sent to the build, relative to the folder of
	// cdk.json; "." by default.
	DockerContext string
	// DockerBuildArgs are values for the Dockerfile's ARG instructions.
	DockerBuildArgs map[string]string
	// DockerTarget is the stage of the Dockerfile to build, the last by default.
	DockerTarget string
	// ImageCommand and ImageEntryPoint override those of the image.
	ImageCommand    []string
	ImageEntryPoint []string

	// Architecture is ARM64 by default.
	Architecture Architecture
	// Memory is in MB, 128 to 10240; 256 by default. CPU power grows with it.
	Memory int
	// Timeout is 1 second to 15 minutes, whole seconds; 10 seconds by default.
	Timeout time.Duration
	// EphemeralStorage is the size of /tmp in MB, 512 to 10240; 512 by default.
	EphemeralStorage int
	// Environment holds environment variables.
	Environment map[string]string
	// Layers are at most five; a later one overlays an earlier.
	Layers []awslambda.ILayerVersion
	// Description is at most 256 characters.
	Description string
	// FunctionName is the physical name; CloudFormation makes one by default.
	// A function with a name of its own can't be replaced without a new name.
	FunctionName string
	// ReservedConcurrency is the most instances at a time, reserved for this
	// function; 0 leaves it to the account's pool, [NoConcurrency] switches the
	// function off.
	ReservedConcurrency int

	// Tracing is TracingActive by default.
	Tracing Tracing
	// LogFormat is LogJSON by default.
	LogFormat LogFormat
	// LogLevel is the least level of the function's own log lines that are
	// kept: "TRACE", "DEBUG", "INFO", "WARN", "ERROR" or "FATAL"; Lambda's
	// default is INFO. It needs LogJSON. Lambda itself filters only for some
	// runtimes; a Go function finds it in AWS_LAMBDA_LOG_LEVEL.
	LogLevel string
	// LogRetention is how long log lines are kept, a month by default.
	LogRetention awslogs.RetentionDays
	// LogGroup is used instead of one of the function's own.
	LogGroup awslogs.ILogGroup

	// DeadLetterQueue or DeadLetterTopic gets the events of asynchronous
	// invocations that failed for good; they are dropped by default. The
	// messages of an SQSEvent have the queue's own dead-letter queue.
	DeadLetterQueue awssqs.IQueue
	DeadLetterTopic awssns.ITopic

	// VPC connects the function to a network; it has none by default.
	VPC awsec2.IVpc
	// VPCSubnets are the private subnets of VPC by default.
	VPCSubnets *awsec2.SubnetSelection
	// SecurityGroups are one made for this function by default.
	SecurityGroups []awsec2.ISecurityGroup

	// Role is used instead of one of the function's own. Policies and what the
	// function itself needs are added to it, if it can be changed.
	Role awsiam.IRole
	// PermissionsBoundary limits the function's own role.
	PermissionsBoundary awsiam.IManagedPolicy
	// Tags are put on the function, its role and its log group.
	Tags map[string]string

	// FunctionUrlConfig gives the function an HTTPS endpoint of its own; it
	// has none by default.
	FunctionUrlConfig *FunctionUrlConfig

	// Events invoke the function. The keys are construct ids.
	Events Events
	// Policies are what the function may do.
	Policies []Policy
}

// Architecture is an instruction set, by Lambda's name for it.
type Architecture string

// The architectures of Lambda.
const (
	ARM64  Architecture = "arm64"
	X86_64 Architecture = "x86_64"
)

// Tracing says which invocations AWS X-Ray traces, by SAM's names.
type Tracing string

// The tracing modes. Active samples requests that carry no decision of their
// own; PassThrough follows the caller's decision; Disabled grants no right to
// write traces either.
const (
	TracingActive      Tracing = "Active"
	TracingPassThrough Tracing = "PassThrough"
	TracingDisabled    Tracing = "Disabled"
)

// LogFormat is the form of the log lines that Lambda writes.
type LogFormat string

// The log formats of Lambda.
const (
	LogJSON LogFormat = "JSON"
	LogText LogFormat = "Text"
)

// NoConcurrency as a ReservedConcurrency refuses every invocation.
const NoConcurrency = -1

// What a function has where its props say nothing. The package documentation
// has the reasons.
const (
	DefaultMemory       = 256
	DefaultTimeout      = 10 * time.Second
	DefaultArchitecture = ARM64
	DefaultLogRetention = prop.DefaultLogRetention
)

// Function is a Lambda function. It is an [awslambda.Function]: whatever the
// CDK does with one, it does with this.
type Function struct {
	awslambda.Function

	faults   *prop.Faults
	props    FunctionProps
	logGroup awslogs.ILogGroup
	url      awslambda.FunctionUrl
}

// NewFunction adds a function to scope.
//
// Mistakes in props are reported by synth, all of them together, each with the
// construct path and the line of the call. The function is then made of safe
// values, so that what follows in the app is checked too. A nil scope panics:
// there would be nothing to report it on.
func NewFunction(scope constructs.Construct, id string, props FunctionProps) *Function {
	f := &Function{faults: prop.NewFaults(scope, id), props: props}
	f.props.check(f.faults)
	f.create(scope, id)
	f.faults.Attach(f)
	f.faults.Try(f.complete)
	f.claimName()
	f.faults.Try(f.addURL)
	for _, policy := range props.Policies {
		f.attachPolicy(policy)
	}
	for _, eventID := range slices.Sorted(maps.Keys(props.Events)) {
		f.bindEvent(eventID, props.Events[eventID])
	}
	return f
}

// AddEvent adds a source of invocations. Its id is unique in the function.
func (f *Function) AddEvent(id string, event Event) {
	f.faults.Position = prop.Position()
	f.bindEvent(id, event)
}

// AddPolicy lets the function do more.
func (f *Function) AddPolicy(policy Policy) {
	f.faults.Position = prop.Position()
	f.attachPolicy(policy)
}

// AddFault reports a mistake with the function's path and the line of the call
// that it belongs to, for [Event] and [Policy] implementations. Say what is
// wrong and what would fix it, in lower case, without a period at the end.
func (f *Function) AddFault(format string, args ...any) { f.faults.Add(format, args...) }

// LogGroup is where the function's log lines go. It replaces the CDK's own
// method, which would make a second log group by a custom resource.
func (f *Function) LogGroup() awslogs.ILogGroup { return f.logGroup }

// create makes the construct, if need be of safe values. The CDK adds a
// construct to the tree before it checks its props, so what a failed attempt
// left there is removed.
func (f *Function) create(scope constructs.Construct, id string) {
	if problem := prop.TakenID(scope, id); problem != "" {
		f.faults.Add("%s", problem)
		id = prop.FreeID(scope, id)
	}
	code := f.props.code(scope, f.faults)
	if f.faults.Try(func() {
		awslambda.NewFunction_Override(f, scope, &id, f.props.lambdaProps(code))
	}) {
		return
	}
	scope.Node().TryRemoveChild(&id)
	f.Function = nil
	f.props = safeFunctionProps()
	awslambda.NewFunction_Override(f, scope, &id, f.props.lambdaProps(placeholder(f.faults)))
}

// lambdaProps are the CDK's props for checked ones of ours.
func (p *FunctionProps) lambdaProps(code awslambda.Code) *awslambda.FunctionProps {
	props := &awslambda.FunctionProps{
		Code:                         code,
		Runtime:                      p.lambdaRuntime(),
		Handler:                      p.lambdaHandler(),
		Architecture:                 p.lambdaArchitecture(),
		MemorySize:                   jsii.Number(p.Memory),
		Timeout:                      prop.Duration(p.Timeout),
		Environment:                  prop.OptionalMap(p.Environment),
		Description:                  prop.Optional(p.Description),
		FunctionName:                 prop.Optional(p.FunctionName),
		ReservedConcurrentExecutions: prop.OptionalNumber(p.ReservedConcurrency),
		Tracing:                      lambdaTracing[p.Tracing],
		DeadLetterQueue:              p.DeadLetterQueue,
		DeadLetterTopic:              p.DeadLetterTopic,
		Vpc:                          p.VPC,
		VpcSubnets:                   p.VPCSubnets,
		Role:                         p.Role,
	}
	if p.EphemeralStorage != 0 {
		props.EphemeralStorageSize = awscdk.Size_Mebibytes(jsii.Number(p.EphemeralStorage))
	}
	if p.ReservedConcurrency == NoConcurrency {
		props.ReservedConcurrentExecutions = jsii.Number(0)
	}
	if len(p.Layers) > 0 {
		props.Layers = &p.Layers
	}
	if len(p.SecurityGroups) > 0 {
		props.SecurityGroups = &p.SecurityGroups
	}
	return props
}

func (p *FunctionProps) lambdaArchitecture() awslambda.Architecture {
	if p.Architecture == X86_64 {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}

var lambdaTracing = map[Tracing]awslambda.Tracing{
	TracingActive:      awslambda.Tracing_ACTIVE,
	TracingPassThrough: awslambda.Tracing_PASS_THROUGH,
	TracingDisabled:    awslambda.Tracing_DISABLED,
}

// complete adds what the CDK has no prop for, or another default.
func (f *Function) complete() {
	resource := f.Node().DefaultChild().(awslambda.CfnFunction)
	if f.props.Entry != "" {
		resource.AddMetadata(jsii.String(metadata.Key), sourceMetadata(f.props.Entry, f.props.BuildTags))
	}
	f.keepLogs(resource)
	if f.props.Role == nil {
		f.ownRole()
	}
	f.logGroup.GrantWrite(f)
	for _, key := range slices.Sorted(maps.Keys(f.props.Tags)) {
		awscdk.Tags_Of(f).Add(&key, jsii.String(f.props.Tags[key]), nil)
	}
	if f.props.PermissionsBoundary != nil {
		awsiam.PermissionsBoundary_Of(f).Apply(f.props.PermissionsBoundary)
	}
}

// keepLogs gives the function its log group. It can't be the CDK's logGroup
// prop: that would have to exist, and so be outside the function, where tags
// and other aspects of the function do not reach.
func (f *Function) keepLogs(resource awslambda.CfnFunction) {
	f.logGroup = f.props.LogGroup
	if f.logGroup == nil {
		// A feature flag of the CDK makes a log group of this id, which the
		// role could not name without a circle between the resources.
		f.Node().TryRemoveChild(jsii.String("LogGroup"))
		f.logGroup = awslogs.NewLogGroup(f, jsii.String("LogGroup"), &awslogs.LogGroupProps{Retention: f.props.LogRetention})
	}
	resource.SetLoggingConfig(&awslambda.CfnFunction_LoggingConfigProperty{
		LogGroup:            f.logGroup.LogGroupName(),
		LogFormat:           jsii.String(string(f.props.LogFormat)),
		ApplicationLogLevel: prop.Optional(f.props.LogLevel),
	})
}
