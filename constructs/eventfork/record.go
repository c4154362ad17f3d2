package eventfork

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/nag"
	"github.com/bailey-cdk/bailey/constructs/internal/props"
	"github.com/bailey-cdk/bailey/constructs/serverless"
	"github.com/bailey-cdk/bailey/internal/fork"
)

// Record is where the events end that branches gave up: an object for each in a
// bucket, with the branch, the time and the reason, below
//
//	failures/branch=Checkout/year=2026/month=11/day=24/hour=09/
//
// They come from the branches' dead-letter queues, and from what Firehose itself
// gave up in a Storage or Search: records that a transformation or a conversion
// failed, and documents that OpenSearch refused. Firehose puts those into S3,
// below the error prefix, and leaves them there; S3 tells EventBridge of it, and
// the function Record/Collector writes each event into the record. That needs a
// bucket which tells EventBridge: see [Storage]'s Bucket.
//
// The function Record/Resender sends them round again, each to the branch that
// gave it up, and what Firehose gave up to the branch's stream:
//
//	aws lambda invoke --function-name NAME --cli-binary-format raw-in-base64-out --payload '{"branch": "Checkout"}' /dev/stdout
//
// With --endpoint-url http://127.0.0.1:3001 it is asked of bailey dev. Its
// documentation, in functions/resender, has the parts of the command.
type Record struct {
	// Bucket is used instead of one of the fork's own.
	Bucket awss3.IBucket
	// Retention is how long a failure is kept, in whole days; a year by
	// default. [Forever] keeps it.
	Retention time.Duration
}

// Forever as a retention deletes nothing.
const Forever time.Duration = -1

// DefaultRecordRetention is that of a Record that says nothing.
const DefaultRecordRetention = 365 * day

const day = 24 * time.Hour

func (r *Record) check(disabled bool) []string {
	found := props.NilPointers(r)
	if disabled && (r.Bucket != nil || r.Retention != 0) {
		found = append(found, "Record is set and DisableRecord too: choose one")
	}
	if problems := retentionProblem("the Record's Retention", r.Retention); len(problems) > 0 {
		found = append(found, problems...)
		r.Retention = 0
	}
	if r.Bucket != nil && r.Retention != 0 {
		found = append(found, "the Record's Retention is of the bucket that the fork makes: set a lifecycle where you make yours")
	}
	return found
}

// retentionProblem finds one that S3 can't keep.
func retentionProblem(name string, d time.Duration) []string {
	if d == 0 || d == Forever || d > 0 && d%day == 0 {
		return nil
	}
	return props.Messages("%s is %s: want whole days, such as 30*24*time.Hour, or Forever", name, props.Short(d))
}

// record is the record being made.
type record struct {
	scope              constructs.Construct
	bucket             awss3.IBucket
	recorder, resender *serverless.Function
	undelivered        *undelivered // nil where no branch has a stream
}

// functionTimeout is that of the recorder: a sixth of the visibility timeout of
// a dead-letter queue, which is SQS's own of 30 seconds.
const functionTimeout = 5 * time.Second

func (f *Fork) newRecord() *record {
	scope := constructs.NewConstruct(f, jsii.String("Record"))
	r := &record{scope: scope, bucket: f.props.Record.Bucket}
	if r.bucket == nil {
		retention := f.props.Record.Retention
		props.SetDefault(&retention, DefaultRecordRetention)
		r.bucket = newBucket(scope, "Bucket", bucketProps{expire: retention, key: f.props.EncryptionKey, logs: f.accessLogs(), logPrefix: "record/"})
	}
	environment := map[string]string{fork.Bucket: *r.bucket.BucketName()}
	r.recorder = newFunction(scope, "Recorder", serverless.FunctionProps{
		Description: "writes the events that branches gave up into the failure record",
		Entry:       functions + "recorder",
		Timeout:     functionTimeout,
		Environment: environment,
		Policies:    []serverless.Policy{r.objects("failures/*", "s3:PutObject")},
	})
	r.resender = newFunction(scope, "Resender", serverless.FunctionProps{
		Description: "sends events of the failure record round again",
		Entry:       functions + "resender",
		Timeout:     15 * time.Minute,
		Environment: environment,
		Policies: []serverless.Policy{
			serverless.Statement{Actions: []string{"s3:ListBucket"}, Resources: []string{*r.bucket.BucketArn()}},
			r.objects("failures/*", "s3:GetObject", "s3:DeleteObject"),
			r.objects("resent/*", "s3:PutObject"),
		},
	})
	if key := r.bucket.EncryptionKey(); key != nil {
		key.GrantEncrypt(r.recorder)
		key.GrantEncryptDecrypt(r.resender)
	}
	suppressKeys(r.recorder)
	suppressKeys(r.resender)
	return r
}

// suppressKeys is for the rights to the objects of the record.
func suppressKeys(f *serverless.Function) {
	nag.SuppressPolicy(f.Role(), "AwsSolutions-IAM5",
		"The keys of objects are made of the events that fail, so that they can't be listed. The prefix limits the function to the failure record.",
		`/^Resource::.*(failures|resent)\/\*$/`)
}

func (r *record) objects(keys string, actions ...string) serverless.Policy {
	return serverless.Statement{Actions: actions, Resources: []string{*r.bucket.ArnForObjects(&keys)}}
}

// keep has the failures of a branch recorded.
func (f *Fork) keep(b *branch) {
	if f.props.DisableRecord || b.dead == nil {
		return
	}
	if f.record == nil {
		f.record = f.newRecord()
	}
	r := f.record
	entry := fork.Branch{Name: b.id, DeadLettersARN: *b.dead.QueueArn()}
	if queue := b.again.queue; queue != nil {
		entry.Queue = *queue.QueueUrl()
		queue.GrantSendMessages(r.resender)
	}
	if stream := b.again.stream; stream != nil {
		entry.Stream = *stream.Ref()
		stream.grantWrite(r.resender)
		f.collect(b, stream)
	}
	value := entry.String()
	for _, function := range []*serverless.Function{r.recorder, r.resender} {
		function.AddEnvironment(jsii.String(fork.BranchesPrefix+variable(b.id)), &value, nil)
	}
	r.recorder.AddEvent(fmt.Sprintf("%sDeadLetters", variable(b.id)), serverless.SQSEvent{Queue: b.dead})
}
