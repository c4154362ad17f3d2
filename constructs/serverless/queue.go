package serverless

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// QueueProps defines a [Queue]. All of it may be left out.
type QueueProps struct {
	// VisibilityTimeout is how long a message that was received stays hidden,
	// at most 12 hours. By default it follows the functions whose [SQSEvent]s
	// take messages: six times the timeout and the batching window, and 30
	// seconds where there are none.
	VisibilityTimeout time.Duration
	// Retention is how long a message waits, a minute to 14 days; 4 days by
	// default. The dead-letter queue keeps it for 14 days.
	Retention time.Duration
	// DeliveryDelay is how long a new message stays hidden, at most 15 minutes.
	DeliveryDelay time.Duration
	// MaxReceiveCount is how often a message is received before it goes to the
	// dead-letter queue, 1 to 1000; 5 by default.
	MaxReceiveCount int
	// DeadLetterQueue is used instead of one of the queue's own.
	DeadLetterQueue awssqs.IQueue
	// DisableDeadLetterQueue brings a message that can't be handled back until
	// Retention ends.
	DisableDeadLetterQueue bool
	// Fifo keeps the order of messages of a group and drops duplicates.
	Fifo bool
	// EncryptionKey replaces the key that SQS itself manages.
	EncryptionKey awskms.IKey
	// QueueName is the physical name; CloudFormation makes one by default. That
	// of a FIFO queue ends with ".fifo".
	QueueName string
}

// DefaultMaxReceiveCount is that of a queue whose props say nothing.
const DefaultMaxReceiveCount = 5

// Queue is an SQS queue with a dead-letter queue. It is an [awssqs.Queue].
type Queue struct {
	awssqs.Queue

	faults  *prop.Faults
	dead    *awssqs.DeadLetterQueue
	follows bool // the visibility timeout follows the consumers
	longest time.Duration
}

// NewQueue adds a queue to scope. Mistakes are reported as by [NewFunction].
func NewQueue(scope constructs.Construct, id string, props QueueProps) *Queue {
	q := &Queue{faults: prop.NewFaults(scope, id), follows: props.VisibilityTimeout == 0}
	props.check(q.faults)
	if problem := prop.TakenID(scope, id); problem != "" {
		q.faults.Add("%s", problem)
		id = prop.FreeID(scope, id)
	}
	if !q.faults.Try(func() { awssqs.NewQueue_Override(q, scope, &id, props.queueProps()) }) {
		scope.Node().TryRemoveChild(&id)
		q.Queue = nil
		awssqs.NewQueue_Override(q, scope, &id, nil)
	}
	q.faults.Attach(q)
	q.faults.Try(func() { q.redrive(props) })
	return q
}

// DeadLetterQueue is where messages go that could not be handled, nil if there
// is none. It replaces the CDK's own method, which knows only a queue made
// before this one.
func (q *Queue) DeadLetterQueue() *awssqs.DeadLetterQueue { return q.dead }

// redrive makes the dead-letter queue, as a child of the queue, so that tags
// and other aspects of the queue reach it.
func (q *Queue) redrive(p QueueProps) {
	if p.DisableDeadLetterQueue {
		return
	}
	dead := p.DeadLetterQueue
	if dead == nil {
		p := QueueProps{Fifo: p.Fifo, EncryptionKey: p.EncryptionKey, Retention: 14 * 24 * time.Hour}
		dead = awssqs.NewQueue(q, jsii.String("DeadLetterQueue"), p.queueProps())
	}
	q.dead = &awssqs.DeadLetterQueue{Queue: dead, MaxReceiveCount: jsii.Number(p.MaxReceiveCount)}
	q.Node().DefaultChild().(awssqs.CfnQueue).SetRedrivePolicy(map[string]any{
		"deadLetterTargetArn": dead.QueueArn(),
		"maxReceiveCount":     p.MaxReceiveCount,
	})
}

// lengthen makes the visibility timeout at least d.
func (q *Queue) lengthen(d time.Duration) {
	if d <= q.longest {
		return
	}
	q.longest = d
	q.Node().DefaultChild().(awssqs.CfnQueue).SetVisibilityTimeout(jsii.Number(d.Seconds()))
}

func (p *QueueProps) check(faults *prop.Faults) {
	found := prop.NilPointers(p)
	prop.SetDefault(&p.MaxReceiveCount, DefaultMaxReceiveCount)
	if problems := prop.InRange("MaxReceiveCount", p.MaxReceiveCount, 1, 1000, ""); len(problems) > 0 {
		found = append(found, problems...)
		p.MaxReceiveCount = DefaultMaxReceiveCount
	}
	for _, d := range []struct {
		name        string
		value       *time.Duration
		least, most time.Duration
	}{
		{"VisibilityTimeout", &p.VisibilityTimeout, time.Second, 12 * time.Hour},
		{"Retention", &p.Retention, time.Minute, 14 * 24 * time.Hour},
		{"DeliveryDelay", &p.DeliveryDelay, time.Second, 15 * time.Minute},
	} {
		if *d.value == 0 {
			continue
		}
		if problems := prop.DurationInRange(d.name, *d.value, d.least, d.most); len(problems) > 0 {
			found = append(found, problems...)
			*d.value = 0
		}
	}
	if p.DeadLetterQueue != nil && p.DisableDeadLetterQueue {
		found = append(found, "DeadLetterQueue and DisableDeadLetterQueue are both set: choose one")
		p.DisableDeadLetterQueue = false
	}
	for _, message := range found {
		faults.Add("%s", message)
	}
}

func (p *QueueProps) queueProps() *awssqs.QueueProps {
	props := &awssqs.QueueProps{
		VisibilityTimeout: prop.OptionalDuration(p.VisibilityTimeout),
		RetentionPeriod:   prop.OptionalDuration(p.Retention),
		DeliveryDelay:     prop.OptionalDuration(p.DeliveryDelay),
		QueueName:         prop.Optional(p.QueueName),
		EnforceSSL:        jsii.Bool(true),
		Fifo:              prop.OptionalTrue(p.Fifo),
		Encryption:        awssqs.QueueEncryption_SQS_MANAGED,
	}
	if p.EncryptionKey != nil {
		props.Encryption, props.EncryptionMasterKey = awssqs.QueueEncryption_KMS, p.EncryptionKey
	}
	return props
}
