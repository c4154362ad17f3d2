package eventfork

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/nag"
	"github.com/bailey-cdk/bailey/constructs/serverless"
	"github.com/bailey-cdk/bailey/internal/fork"
)

// undelivered is the part of the record that brings into it what Firehose gave
// up: a rule of the default bus for each stream, a queue, and the collector. It
// is no notification of the bucket itself: those of two streams in one bucket
// may overlap, and the CDK makes them by a function that may change every bucket
// of the account.
type undelivered struct {
	queue     *serverless.Queue
	collector *serverless.Function
	prefixes  map[string]bool // for which the collector's rights are explained
}

// collectorTimeout lets the collector record as many events as a stream buffers.
const collectorTimeout = 5 * time.Minute

func (f *Fork) newUndelivered(r *record) *undelivered {
	queue := serverless.NewQueue(r.scope, "Undelivered", serverless.QueueProps{Retention: 14 * day, EncryptionKey: f.props.EncryptionKey})
	u := &undelivered{queue: queue, prefixes: map[string]bool{}}
	dead := u.queue.DeadLetterQueue()
	u.collector = newFunction(r.scope, "Collector", serverless.FunctionProps{
		Description: "writes the events that Firehose gave up into the failure record",
		Entry:       functions + "collector",
		Timeout:     collectorTimeout,
		Environment: map[string]string{
			fork.Bucket: *r.bucket.BucketName(),
			fork.DeadLettersPrefix + "Undelivered": fork.DeadLetters{
				QueueARN: *u.queue.QueueArn(), URL: *dead.Queue.QueueUrl(), MaxReceiveCount: int(*dead.MaxReceiveCount),
			}.String(),
		},
		Policies: []serverless.Policy{r.objects("failures/*", "s3:PutObject")},
		// An object is one invocation's work.
		Events: serverless.Events{"Objects": serverless.SQSEvent{Queue: u.queue, BatchSize: 1}},
	})
	dead.Queue.GrantSendMessages(u.collector)
	if key := r.bucket.EncryptionKey(); key != nil {
		key.GrantEncrypt(u.collector)
	}
	suppressKeys(u.collector)
	visible := dead.Queue.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{
		Statistic: jsii.String("Maximum"), Period: awscdk.Duration_Minutes(jsii.Number(5)),
	})
	f.alarm(r.scope, "Uncollected", visible, 1, 1, fmt.Sprintf("an object with events that Firehose gave up could not be brought into %s: a message in its dead-letter queue names it", *r.scope.Node().Path()))
	return u
}

// collect has what the stream of a branch fails recorded.
func (f *Fork) collect(b *branch, s *stream) {
	if f.record.undelivered == nil {
		f.record.undelivered = f.newUndelivered(f.record)
	}
	u := f.record.undelivered
	tellBus(b, s.bucket)
	rule := awsevents.NewCfnRule(b.scope, jsii.String("UndeliveredRule"), u.rule(b, s))
	b.admit(u.queue, eventsService, rule.AttrArn())
	b.admit(u.queue.DeadLetterQueue().Queue, eventsService, rule.AttrArn())
	u.admit(s)
	b.alarm("Undelivered", awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String("AWS/Events"), MetricName: jsii.String("Invocations"), Statistic: jsii.String("Sum"),
		DimensionsMap: &map[string]*string{"RuleName": rule.Ref()}, Period: awscdk.Duration_Minutes(jsii.Number(5)),
	}), 1, 1, fmt.Sprintf("Firehose gave events of %s up: the failure record has them", *b.Node().Path()))
}

// admit lets the collector read what a stream fails.
func (u *undelivered) admit(s *stream) {
	keys := s.errors + "*"
	u.collector.AddPolicy(serverless.Statement{Actions: []string{"s3:GetObject"}, Resources: []string{*s.bucket.ArnForObjects(&keys)}})
	if !u.prefixes[keys] {
		u.prefixes[keys] = true
		nag.SuppressPolicy(u.collector.Role(), "AwsSolutions-IAM5",
			"Firehose makes up the keys of the objects with what it fails, so that they can't be listed. The prefix limits the function to those.",
			"/^Resource::.*"+strings.ReplaceAll(regexp.QuoteMeta("/"+keys), "/", `\/`)+"$/")
	}
	if key := s.bucket.EncryptionKey(); key != nil {
		key.GrantDecrypt(u.collector)
	}
}

// rule tells the collector of objects that the stream, and no other in the same
// bucket, writes below the prefix. Their names begin with that of the stream.
func (u *undelivered) rule(b *branch, s *stream) *awsevents.CfnRuleProps {
	branch, _ := json.Marshal(b.id) // a text
	literal := strings.NewReplacer(`\`, `\\`, `*`, `\*`).Replace(s.errors)
	return &awsevents.CfnRuleProps{
		Description: jsii.String("what Firehose gave up of " + *b.Node().Path()),
		EventPattern: map[string]any{
			"source": []any{"aws.s3"}, "detail-type": []any{"Object Created"},
			"detail": map[string]any{
				"bucket": map[string]any{"name": []any{s.bucket.BucketName()}},
				"object": map[string]any{"key": []any{map[string]any{"wildcard": literal + "*" + *s.Ref() + "-*"}}},
			},
		},
		Targets: &[]any{awsevents.CfnRule_TargetProperty{
			Id: jsii.String("Collector"), Arn: u.queue.QueueArn(),
			DeadLetterConfig: &awsevents.CfnRule_DeadLetterConfigProperty{Arn: u.queue.DeadLetterQueue().Queue.QueueArn()},
			InputTransformer: &awsevents.CfnRule_InputTransformerProperty{
				InputPathsMap: map[string]any{"bucket": "$.detail.bucket.name", "key": "$.detail.object.key"},
				InputTemplate: jsii.String(`{"branch": ` + string(branch) + `, "bucket": <bucket>, "key": <key>}`),
			},
		}},
	}
}

// tellBus has a bucket tell EventBridge of its objects. For a bucket of the fork
// that is a property; for one that the app makes it is the CDK's business, since
// the app may have the bucket tell others too; an imported one is its owner's.
func tellBus(b *branch, bucket awss3.IBucket) {
	resource, made := bucket.Node().DefaultChild().(awss3.CfnBucket)
	switch {
	case !made:
	case strings.HasPrefix(*bucket.Node().Path(), *b.Node().Path()+"/"):
		resource.SetNotificationConfiguration(&awss3.CfnBucket_NotificationConfigurationProperty{
			EventBridgeConfiguration: &awss3.CfnBucket_EventBridgeConfigurationProperty{EventBridgeEnabled: jsii.Bool(true)},
		})
	default:
		bucket.EnableEventBridgeNotification()
	}
}

// staticPart is what stands before the first expression of a prefix: all keys
// begin with it.
func staticPart(prefix string) string {
	static, _, _ := strings.Cut(prefix, "!{")
	return static
}

// tellable says whether what fails lies where no event does, by its key. Without
// a record nobody asks.
func (f *Fork) tellable(prefix, errorPrefix string) bool {
	errors := staticPart(errorPrefix)
	return f.props.DisableRecord || errors != "" && !strings.HasPrefix(staticPart(prefix), errors)
}
