package eventfork

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"

	"github.com/bailey-cdk/bailey/constructs/internal/props"
	"github.com/bailey-cdk/bailey/constructs/serverless"
	"github.com/bailey-cdk/bailey/internal/fork"
)

// Replay keeps events in a queue, and sends them to a destination when somebody
// asks: to a consumer that was broken, say, once it is mended.
//
// It is asked by a command to the function Replayer, with a window and a rate:
//
//	aws lambda invoke --function-name NAME --cli-binary-format raw-in-base64-out --payload '{"from": "2026-11-24T09:00:00Z", "to": "2026-11-24T10:00:00Z"}' /dev/stdout
//	bailey local replay Orders --from 09:00 --to 10:00
//
// or by the switch: with Enabled, or while the function's event source mapping
// is enabled by hand, it replays what is in the window of the props, and goes on
// with what comes.
//
// What was replayed leaves the queue, and everything else stays in it until
// Retention ends. The order of events is not kept, of a FIFO topic neither.
type Replay struct {
	// ToQueue or ToFunction is where events are replayed to. The queue is most
	// often the one of another branch, see [Fork.Queue]; the function is
	// invoked with a batch, as by a queue, and says what it could not handle.
	ToQueue    awssqs.IQueue
	ToFunction awslambda.IFunction
	// ToBranch is the queue of the branch of this id.
	ToBranch string

	// Filter says which events are kept; all of them by default.
	Filter Filter
	// Wrapped keeps the event with the envelope of SNS or EventBridge. It must
	// be what the destination's consumer expects: the same as that branch's.
	Wrapped bool

	// Retention is how long events are kept, a minute to 14 days; 14 days by
	// default.
	Retention time.Duration
	// Enabled is the switch.
	Enabled bool
	// Start and End are the window of the switch, both included; open by
	// default. A command has a window of its own.
	Start, End time.Time
	// Rate is the most events a second; no limit by default.
	Rate float64
	// LogLevel is the least level of the log lines that are kept, as for
	// serverless.FunctionProps.
	LogLevel string
}

// DefaultReplayRetention is the longest that SQS keeps a message.
const DefaultReplayRetention = 14 * day

// replayers is how many there are at a time by the switch: the least that
// Lambda allows, so that a rate can be kept.
const replayers = 2

// mostReceives is SQS's limit of a redrive policy. An event outside the window
// is received and left each time, and must not be given up for that.
const mostReceives = 1000

func (d Replay) filter() Filter { return d.Filter }

func (d Replay) check(f *Fork) []string {
	found := props.NilPointers(&d)
	targets := 0
	for _, set := range []bool{d.ToQueue != nil, d.ToFunction != nil, d.ToBranch != ""} {
		if set {
			targets++
		}
	}
	switch {
	case targets == 0 && len(found) == 0:
		found = append(found, "the replay leads nowhere: set ToQueue, ToFunction or ToBranch")
	case targets > 1:
		found = append(found, "a replay has one destination: set one of ToQueue, ToFunction and ToBranch")
	case d.ToBranch != "" && f.Queue(d.ToBranch) == nil:
		found = append(found, fmt.Sprintf("ToBranch is %q, and the fork has no such branch with a queue: with AddBranch, add that branch before", d.ToBranch))
	}
	if d.Retention != 0 {
		found = append(found, props.DurationInRange("Retention", d.Retention, time.Minute, DefaultReplayRetention)...)
	}
	if d.Rate < 0 || d.Rate > 0 && d.Rate < 0.1 {
		found = append(found, fmt.Sprintf("Rate is %v: want at least 0.1 events a second, or 0 for no limit", d.Rate))
	}
	if !d.Start.IsZero() && !d.End.IsZero() && d.End.Before(d.Start) {
		found = append(found, fmt.Sprintf("the window ends at %s, before its Start at %s", d.End.Format(time.RFC3339), d.Start.Format(time.RFC3339)))
	}
	return found
}

// Queue is the queue of a branch, nil where there is no such branch, or it has
// none.
func (f *Fork) Queue(branch string) awssqs.IQueue {
	if b := f.branches[branch]; b != nil {
		return b.again.queue
	}
	return nil
}

// DeadLetterQueue is where the events of a branch go that it gives up, nil where
// there is no such branch.
func (f *Fork) DeadLetterQueue(branch string) awssqs.IQueue {
	if b := f.branches[branch]; b != nil {
		return b.dead
	}
	return nil
}

func (d Replay) grow(b *branch) {
	props.SetDefault(&d.Retention, DefaultReplayRetention)
	if d.ToBranch != "" {
		d.ToQueue = b.fork.Queue(d.ToBranch)
	}
	queue := serverless.NewQueue(b.scope, "Queue", serverless.QueueProps{
		Retention: d.Retention, MaxReceiveCount: mostReceives, EncryptionKey: b.fork.props.EncryptionKey,
	})
	b.again.queue = queue
	environment := map[string]string{fork.Buffer: *queue.QueueUrl(), fork.Concurrency: strconv.Itoa(replayers)}
	for name, t := range map[string]time.Time{fork.WindowStart: d.Start, fork.WindowEnd: d.End} {
		if !t.IsZero() {
			environment[name] = t.UTC().Format(time.RFC3339Nano)
		}
	}
	if d.Rate > 0 {
		environment[fork.Rate] = strconv.FormatFloat(d.Rate, 'f', -1, 64)
	}
	if d.ToQueue != nil {
		environment[fork.Destination], environment[fork.DestinationARN] = *d.ToQueue.QueueUrl(), *d.ToQueue.QueueArn()
	} else {
		environment[fork.Destination], environment[fork.DestinationARN] = *d.ToFunction.FunctionArn(), *queue.QueueArn()
	}
	replayer := newFunction(b.scope, "Replayer", serverless.FunctionProps{
		Description: "sends the events of " + b.id + " to where they are replayed",
		Entry:       functions + "replayer",
		Timeout:     15 * time.Minute,
		LogLevel:    d.LogLevel,
		Environment: environment,
		Events: serverless.Events{"Switch": serverless.SQSEvent{
			Queue: queue, Disabled: !d.Enabled, MaximumConcurrency: replayers,
		}},
	})
	if d.ToQueue != nil {
		d.ToQueue.GrantSendMessages(replayer)
	} else {
		d.ToFunction.GrantInvoke(replayer)
		suppressQualified(replayer)
	}
	b.deliver(delivery{queue: queue, dead: queue.DeadLetterQueue().Queue, wrapped: d.Wrapped})
}
