package eventfork

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskinesisfirehose"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/nag"
	"github.com/bailey-cdk/bailey/constructs/internal/props"
	"github.com/bailey-cdk/bailey/constructs/serverless"
	"github.com/bailey-cdk/bailey/internal/fork"
)

// Compression is how objects in S3 are compressed, by Firehose's names.
type Compression string

// The compressions of Firehose.
const (
	Uncompressed Compression = "UNCOMPRESSED"
	GZIP         Compression = "GZIP"
	ZIP          Compression = "ZIP"
	Snappy       Compression = "Snappy"
)

// Firehose's limits for what it gathers. Source: "Amazon Data Firehose quota",
// https://docs.aws.amazon.com/firehose/latest/dev/limits.html
const (
	shortestBuffering = time.Second
	longestBuffering  = 15 * time.Minute
	largestBuffering  = 128
)

// stream is a Firehose stream being made.
type stream struct {
	awskinesisfirehose.CfnDeliveryStream
	role   awsiam.Role
	logs   awslogs.LogGroup
	sender awsiam.Role
	// bucket has what Firehose fails, below the key that errors begins.
	bucket awss3.IBucket
	errors string
	// depends is what Firehose looks for as soon as the stream is made.
	depends []constructs.IDependable
}

// newStream begins a stream: its role and its log.
func newStream(b *branch) *stream {
	s := &stream{}
	s.role = awsiam.NewRole(b.scope, jsii.String("StreamRole"), &awsiam.RoleProps{
		Description: jsii.String("lets Firehose deliver the events of " + *b.Node().Path()),
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("firehose.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]any{"sts:ExternalId": awscdk.Stack_Of(b.scope).Account()}},
		}),
	})
	s.logs = awslogs.NewLogGroup(b.scope, jsii.String("StreamLog"), &awslogs.LogGroupProps{Retention: serverless.DefaultLogRetention})
	s.allow([]string{"logs:PutLogEvents"}, *s.logs.LogGroupArn())
	return s
}

// create makes the stream with its destination. It waits for the rights of its
// role and the streams of its log, which Firehose tries at once.
func (s *stream) create(b *branch, p *awskinesisfirehose.CfnDeliveryStreamProps) {
	p.DeliveryStreamType = jsii.String("DirectPut")
	p.DeliveryStreamEncryptionConfigurationInput = &awskinesisfirehose.CfnDeliveryStream_DeliveryStreamEncryptionConfigurationInputProperty{KeyType: jsii.String("AWS_OWNED_CMK")}
	s.CfnDeliveryStream = awskinesisfirehose.NewCfnDeliveryStream(b.scope, jsii.String("Stream"), p)
	s.Node().AddDependency(append(s.depends, s.role)...)
}

func (s *stream) allow(actions []string, resources ...string) {
	s.role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings(actions...), Resources: jsii.Strings(resources...)}))
}

// log is where one destination's errors are logged.
func (s *stream) log(b *branch, destination string) *awskinesisfirehose.CfnDeliveryStream_CloudWatchLoggingOptionsProperty {
	s.depends = append(s.depends, awslogs.NewLogStream(b.scope, jsii.String("StreamLog"+destination), &awslogs.LogStreamProps{
		LogGroup: s.logs, LogStreamName: &destination, RemovalPolicy: destroy,
	}))
	return &awskinesisfirehose.CfnDeliveryStream_CloudWatchLoggingOptionsProperty{
		Enabled: jsii.Bool(true), LogGroupName: s.logs.LogGroupName(), LogStreamName: &destination,
	}
}

// useBucket lets the stream write objects, those of uploads in parts too. What
// Firehose fails goes below errors, an ErrorOutputPrefix. Source: "Grant Firehose access to an Amazon S3 destination",
// https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html
func (s *stream) useBucket(bucket awss3.IBucket, errors string) {
	s.bucket, s.errors = bucket, staticPart(errors)
	s.allow([]string{"s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"}, *bucket.BucketArn())
	s.allow([]string{"s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"}, *bucket.ArnForObjects(jsii.String("*")))
	nag.SuppressPolicy(s.role, "AwsSolutions-IAM5", "Firehose makes up the keys of objects, so that they can't be listed. The bucket is the one of this stream.", `/^Resource::(arn:[^:]*:s3:::|<(?![A-Za-z0-9]*Domain[A-Za-z0-9]*\.)).*\/\*$/`)
	if key := bucket.EncryptionKey(); key != nil {
		key.GrantEncryptDecrypt(s.role)
		nag.SuppressPolicy(s.role, "AwsSolutions-IAM5", "The CDK grants the use of a key by all forms of two actions, on that key alone.", `/^Action::kms:(GenerateDataKey|ReEncrypt)\*$/`)
	}
}

// transform has Firehose hand the records to a function before it delivers them.
func (s *stream) transform(function awslambda.IFunction) awskinesisfirehose.CfnDeliveryStream_ProcessorProperty {
	latest := *function.FunctionArn() + ":$LATEST"
	s.allow([]string{"lambda:InvokeFunction", "lambda:GetFunctionConfiguration"}, *function.FunctionArn(), latest)
	return processor("Lambda", "LambdaArn", latest)
}

// processor is a step of Firehose's own processing; parameters are pairs.
func processor(kind string, parameters ...string) awskinesisfirehose.CfnDeliveryStream_ProcessorProperty {
	var list []any
	for i := 0; i+1 < len(parameters); i += 2 {
		list = append(list, awskinesisfirehose.CfnDeliveryStream_ProcessorParameterProperty{ParameterName: &parameters[i], ParameterValue: &parameters[i+1]})
	}
	return awskinesisfirehose.CfnDeliveryStream_ProcessorProperty{Type: &kind, Parameters: &list}
}

// grantWrite lets a function put records.
func (s *stream) grantWrite(grantee awsiam.IGrantable) {
	awsiam.Grant_AddToPrincipal(&awsiam.GrantOnPrincipalOptions{
		Grantee: grantee, Actions: jsii.Strings("firehose:PutRecord", "firehose:PutRecordBatch"), ResourceArns: &[]*string{s.AttrArn()},
	})
}

// writer is the role by which SNS or EventBridge puts records.
func (s *stream) writer(b *branch, service string) awsiam.IRole {
	if s.sender == nil {
		s.sender = awsiam.NewRole(b.scope, jsii.String("SenderRole"), &awsiam.RoleProps{
			Description: jsii.String("lets events of " + *b.Node().Path() + " be put into its stream"),
			AssumedBy:   awsiam.NewServicePrincipal(&service, nil),
		})
		s.grantWrite(s.sender)
	}
	return s.sender
}

// queueing is what a user says of the queue before a stream, and of the batcher.
type queueing struct {
	retention   time.Duration
	maxReceives int
	wrapped     bool
	logLevel    string
}

// buffered puts a queue and the batcher before the stream.
func (s *stream) buffered(b *branch, q queueing, environment map[string]string) {
	queue := b.queue(serverless.QueueProps{Retention: q.retention, MaxReceiveCount: q.maxReceives})
	name, value := b.deadLettersVariable(queue)
	environment[fork.Stream], environment[name] = *s.Ref(), value
	batcher := newFunction(b.scope, "Batcher", serverless.FunctionProps{
		Description: "shapes the events of " + b.id + " and writes them to its stream",
		Entry:       functions + "batcher",
		Timeout:     30 * time.Second,
		LogLevel:    q.logLevel,
		Environment: environment,
	})
	s.grantWrite(batcher)
	queue.DeadLetterQueue().Queue.GrantSendMessages(batcher)
	event := serverless.SQSEvent{Queue: queue, BatchSize: 500, MaximumBatchingWindow: 5 * time.Second}
	if isFifo(queue) {
		event = serverless.SQSEvent{Queue: queue} // It allows 10 and no window.
	}
	batcher.AddEvent("Events", event)
	b.again.stream = s
	b.deliver(delivery{queue: queue, dead: queue.DeadLetterQueue().Queue, wrapped: q.wrapped})
}

// direct delivers to the stream without a queue, and keeps what can't be
// delivered.
func (s *stream) direct(b *branch, wrapped bool) {
	b.again.stream = s
	b.deliver(delivery{stream: s, dead: b.deadLetterQueue(false), wrapped: wrapped})
}

// watch raises an alarm when events wait too long for their delivery.
func (s *stream) watch(b *branch, metric string, interval time.Duration) {
	limit := max(3*interval, 15*time.Minute)
	age := awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String("AWS/Firehose"), MetricName: &metric, Statistic: jsii.String("Maximum"),
		DimensionsMap: &map[string]*string{"DeliveryStreamName": s.Ref()}, Period: awscdk.Duration_Minutes(jsii.Number(5)),
	})
	b.alarm("Stale", age, limit.Seconds(), 3, fmt.Sprintf("the oldest event that the stream of %s has not delivered is older than %s", *b.Node().Path(), props.Short(limit)))
}

// bufferingProblems finds what Firehose would refuse.
func bufferingProblems(interval time.Duration, size, least int) []string {
	found := props.DurationInRange("BufferingInterval", interval, shortestBuffering, longestBuffering)
	return append(found, props.InRange("BufferingSize", size, least, largestBuffering, " MB")...)
}
