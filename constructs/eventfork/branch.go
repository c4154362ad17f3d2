package eventfork

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/nag"
	"github.com/bailey-cdk/bailey/constructs/internal/props"
	"github.com/bailey-cdk/bailey/constructs/serverless"
	"github.com/bailey-cdk/bailey/internal/fork"
)

// branch is a branch being made: the scope of its parts.
type branch struct {
	scope   constructs.Construct
	fork    *Fork
	id      string
	matches Filter
	dead    awssqs.IQueue // where its failures end

	// again is where an event goes that is sent round again: to the queue, where
	// there is one, and what Firehose gave up to the stream.
	again struct {
		queue  awssqs.IQueue
		stream *stream
	}
}

// Node is that of the scope.
func (b *branch) Node() constructs.Node { return b.scope.Node() }

// Branch hands events to a function or a queue.
type Branch struct {
	// Function handles the events of a queue that the branch makes. Write it
	// with package eventhandler: one that returns nothing, and no error, has
	// handled the whole batch.
	Function awslambda.IFunction
	// Queue gets the events instead. Its consumers are yours; so is its policy,
	// if it is imported: it must let the topic, or the bus, send.
	Queue awssqs.IQueue

	// Filter says which events; all of them by default.
	Filter Filter
	// Wrapped delivers the event with the envelope of SNS or EventBridge, which
	// has its id, time and source. By default the function gets the event
	// itself, and the message attributes as attributes of the queue's message;
	// SNS can't deliver one with more than ten of them so.
	Wrapped bool

	// BatchSize is the most events of an invocation; 10 by default, which is
	// also the most for a FIFO topic, else 10000.
	BatchSize int
	// MaximumBatchingWindow is how long Lambda gathers events, at most 5
	// minutes; it does not wait by default.
	MaximumBatchingWindow time.Duration
	// MaximumConcurrency is the most invocations at a time, 2 to 1000; no limit
	// of its own by default.
	MaximumConcurrency int
	// MaxReceiveCount is how often an event is tried; 5 by default.
	MaxReceiveCount int
	// Retention is how long an event waits, a minute to 14 days; 4 days by
	// default.
	Retention time.Duration
	// VisibilityTimeout is how long an event that failed waits for the next
	// attempt; six times the function's timeout and the batching window by
	// default, as AWS advises. A shorter one, not below the function's timeout,
	// tries again sooner.
	VisibilityTimeout time.Duration
}

func (d Branch) filter() Filter { return d.Filter }

func (d Branch) check(f *Fork) []string {
	found := props.NilPointers(&d)
	switch {
	case d.Function == nil && d.Queue == nil && len(found) == 0:
		found = append(found, "the branch leads nowhere: set Function or Queue")
	case d.Function != nil && d.Queue != nil:
		found = append(found, "Function and Queue are both set: a branch is for one of them, and a second branch for the other")
	case d.Queue != nil && isFifo(d.Queue) && f.Topic != nil && !f.fifo():
		found = append(found, "Queue is a FIFO queue, and the topic is none: SNS can't deliver to it")
	case d.Queue != nil && (d.BatchSize != 0 || d.MaximumBatchingWindow != 0 || d.MaximumConcurrency != 0 || d.MaxReceiveCount != 0 || d.Retention != 0 || d.VisibilityTimeout != 0):
		found = append(found, "BatchSize, MaximumBatchingWindow, MaximumConcurrency, MaxReceiveCount, Retention and VisibilityTimeout are of the queue that the branch makes: set yours where you make it")
	}
	return found
}

func (d Branch) grow(b *branch) {
	if d.Queue != nil {
		b.again.queue = d.Queue
		b.deliver(delivery{queue: d.Queue, dead: b.deadLetterQueue(isFifo(d.Queue)), wrapped: d.Wrapped, group: b.groupFor(d.Queue)})
		return
	}
	queue := b.queue(serverless.QueueProps{
		MaxReceiveCount: d.MaxReceiveCount, Retention: d.Retention, VisibilityTimeout: d.VisibilityTimeout,
	})
	b.deliver(delivery{queue: queue, dead: queue.DeadLetterQueue().Queue, wrapped: d.Wrapped})
	b.consume(d.Function, serverless.SQSEvent{
		Queue: queue, BatchSize: d.BatchSize, MaximumBatchingWindow: d.MaximumBatchingWindow, MaximumConcurrency: d.MaximumConcurrency,
	})
	name, value := b.deadLettersVariable(queue)
	f, ok := d.Function.(environment)
	if !ok {
		return // Imported: what it is given is not ours to say.
	}
	f.AddEnvironment(&name, &value, nil)
	queue.DeadLetterQueue().Queue.GrantSendMessages(d.Function)
	if !b.fork.props.DisableIdempotency {
		table := b.fork.table()
		f.AddEnvironment(jsii.String(fork.IdempotencyTable), table.TableName(), nil)
		table.Grant(d.Function, jsii.String("dynamodb:PutItem"), jsii.String("dynamodb:DeleteItem"))
	}
}

// environment is what a function has whose environment can be changed.
type environment interface {
	AddEnvironment(key, value *string, options *awslambda.EnvironmentOptions) awslambda.Function
}

// queue makes the branch's queue, with its dead-letter queue.
func (b *branch) queue(p serverless.QueueProps) *serverless.Queue {
	p.Fifo = b.fork.fifo()
	p.EncryptionKey = b.fork.props.EncryptionKey
	queue := serverless.NewQueue(b.scope, "Queue", p)
	b.again.queue = queue
	return queue
}

// deadLetterQueue makes one for a branch without a queue of its own.
func (b *branch) deadLetterQueue(fifo bool) awssqs.IQueue {
	p := &awssqs.QueueProps{
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
		EnforceSSL:      jsii.Bool(true),
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		Fifo:            props.OptionalTrue(fifo && b.fork.fifo()),
	}
	if key := b.fork.props.EncryptionKey; key != nil {
		p.Encryption, p.EncryptionMasterKey = awssqs.QueueEncryption_KMS, key
	}
	queue := awssqs.NewQueue(b.scope, jsii.String("DeadLetterQueue"), p)
	nag.Suppress(queue, "AwsSolutions-SQS3", "This is the dead-letter queue of the branch's subscription or rule. The rule knows those of queues alone.")
	return queue
}

func isFifo(queue awssqs.IQueue) bool { return queue.Fifo() != nil && *queue.Fifo() }

// groupFor is the message group of events that a bus sends to a FIFO queue,
// which needs one.
func (b *branch) groupFor(queue awssqs.IQueue) string {
	if b.fork.Bus != nil && isFifo(queue) {
		return b.id
	}
	return ""
}

// consume has a function handle the messages of a queue.
func (b *branch) consume(function awslambda.IFunction, event serverless.SQSEvent) {
	if f, ok := function.(*serverless.Function); ok {
		f.AddEvent(variable(*b.Node().Path()), event)
		return
	}
	awslambda.NewEventSourceMapping(b.scope, jsii.String("Mapping"), &awslambda.EventSourceMappingProps{
		Target: function, EventSourceArn: event.Queue.QueueArn(),
		BatchSize: props.OptionalNumber(event.BatchSize), MaxBatchingWindow: props.OptionalDuration(event.MaximumBatchingWindow),
		MaxConcurrency: props.OptionalNumber(event.MaximumConcurrency), ReportBatchItemFailures: jsii.Bool(true),
	})
	event.Queue.GrantConsumeMessages(function)
}

// watch raises an alarm when the branch gives an event up.
func (b *branch) watch() {
	if b.fork.props.DisableAlarms || b.dead == nil {
		return
	}
	metric := func(name, statistic string) awscloudwatch.IMetric {
		return b.dead.Metric(&name, &awscloudwatch.MetricOptions{Statistic: &statistic, Period: awscdk.Duration_Minutes(jsii.Number(5))})
	}
	// SQS's own move to a dead-letter queue is in no count of sent messages. With
	// a record, the recorder takes messages within seconds, so that their
	// receipt shows; without one, or with one that fails, they stay to be seen.
	given := awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String("FILL(visible, 0) + FILL(received, 0)"),
		Label:      jsii.String("events given up"),
		Period:     awscdk.Duration_Minutes(jsii.Number(5)),
		UsingMetrics: &map[string]awscloudwatch.IMetric{
			"visible":  metric("ApproximateNumberOfMessagesVisible", "Maximum"),
			"received": metric("NumberOfMessagesReceived", "Sum"),
		},
	})
	b.alarm("GivenUp", given, 1, 1, fmt.Sprintf("the branch %s gave an event up: its failure record or dead-letter queue has it", *b.Node().Path()))
}

func (b *branch) alarm(id string, metric awscloudwatch.IMetric, threshold float64, periods int, description string) {
	b.fork.alarm(b.scope, id, metric, threshold, periods, description)
}

// alarm raises one when the metric reaches the threshold in each of the last
// periods.
func (f *Fork) alarm(scope constructs.Construct, id string, metric awscloudwatch.IMetric, threshold float64, periods int, description string) {
	if f.props.DisableAlarms {
		return
	}
	alarm := awscloudwatch.NewAlarm(scope, &id, &awscloudwatch.AlarmProps{
		AlarmDescription:   &description,
		Metric:             metric,
		Threshold:          &threshold,
		EvaluationPeriods:  jsii.Number(periods),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
	if topic := f.props.AlarmTopic; topic != nil {
		alarm.AddAlarmAction(awscloudwatchactions.NewSnsAction(topic))
	}
}
