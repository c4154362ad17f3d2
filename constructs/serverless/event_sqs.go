package serverless

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// SQSEvent invokes a function with messages of a queue: SAM's SQS event.
type SQSEvent struct {
	// Queue is required.
	Queue awssqs.IQueue
	// BatchSize is the most messages of an invocation, 1 to 10000, and at most
	// 10 for a FIFO queue; 10 by default.
	BatchSize int
	// MaximumBatchingWindow is how long Lambda gathers messages, at most 5
	// minutes in whole seconds; it does not wait by default. A BatchSize above
	// 10 needs at least a second.
	MaximumBatchingWindow time.Duration
	// DisableReportBatchItemFailures makes Lambda ignore what the function
	// returns: an error brings every message of the batch back. By default the
	// function names those that failed ([events.SQSEventResponse] in Go), and
	// only they come back. A function that returns nothing has handled all of
	// them, in either case.
	//
	// [events.SQSEventResponse]: https://pkg.go.dev/github.com/aws/aws-lambda-go/events#SQSEventResponse
	DisableReportBatchItemFailures bool
	// FilterPatterns are JSON texts, at most five. A message that matches none
	// is deleted without an invocation.
	FilterPatterns []string
	// MaximumConcurrency is the most invocations at a time for this queue, 2 to
	// 1000; no limit of its own by default.
	MaximumConcurrency int
	// Disabled makes the mapping, but takes no messages.
	Disabled bool
}

// Bind implements [Event].
func (e SQSEvent) Bind(fn *Function, id string) {
	problems := append(prop.NilPointers(&e), e.check()...)
	for _, problem := range problems {
		fn.AddFault("%s", problem)
	}
	if len(problems) > 0 {
		return
	}
	e.fitVisibility(fn)
	awslambda.NewEventSourceMapping(fn, &id, &awslambda.EventSourceMappingProps{
		Target:                  fn,
		EventSourceArn:          e.Queue.QueueArn(),
		BatchSize:               prop.OptionalNumber(e.BatchSize),
		MaxBatchingWindow:       prop.OptionalDuration(e.MaximumBatchingWindow),
		ReportBatchItemFailures: jsii.Bool(!e.DisableReportBatchItemFailures),
		Filters:                 e.filters(),
		MaxConcurrency:          prop.OptionalNumber(e.MaximumConcurrency),
		Enabled:                 jsii.Bool(!e.Disabled),
	})
	SQSPollerPolicy(e.Queue).Attach(fn)
}

func (e *SQSEvent) filters() *[]*map[string]any {
	if len(e.FilterPatterns) == 0 {
		return nil
	}
	var filters []*map[string]any
	for _, pattern := range e.FilterPatterns {
		filters = append(filters, &map[string]any{"pattern": pattern})
	}
	return &filters
}

func (e *SQSEvent) check() (found []string) {
	if e.Queue == nil {
		found = append(found, "the Queue is missing")
	}
	if e.BatchSize != 0 {
		found = append(found, prop.InRange("BatchSize", e.BatchSize, 1, 10000, "")...)
	}
	if e.BatchSize > 10 && e.Queue != nil && isTrue(e.Queue.Fifo()) {
		found = append(found, fmt.Sprintf("BatchSize is %d: a FIFO queue allows 10", e.BatchSize))
	} else if e.BatchSize > 10 && e.MaximumBatchingWindow == 0 {
		found = append(found, fmt.Sprintf("BatchSize is %d: more than 10 need a MaximumBatchingWindow of at least a second", e.BatchSize))
	}
	if e.MaximumBatchingWindow != 0 {
		found = append(found, prop.DurationInRange("MaximumBatchingWindow", e.MaximumBatchingWindow, time.Second, 5*time.Minute)...)
	}
	if e.MaximumConcurrency != 0 {
		found = append(found, prop.InRange("MaximumConcurrency", e.MaximumConcurrency, 2, 1000, "")...)
	}
	if len(e.FilterPatterns) > 5 {
		found = append(found, fmt.Sprintf("there are %d FilterPatterns: Lambda allows five", len(e.FilterPatterns)))
	}
	for _, pattern := range e.FilterPatterns {
		if !json.Valid([]byte(pattern)) || !strings.HasPrefix(strings.TrimSpace(pattern), "{") {
			found = append(found, fmt.Sprintf("the filter pattern is no JSON object: %s", pattern))
		}
	}
	return found
}

func isTrue(b *bool) bool { return b != nil && *b }

// advised is AWS's advice for a queue's visibility timeout: six times that of
// the function, and the batching window on top, so that messages which wait for
// a throttled function do not come back meanwhile. Source: "Creating and
// configuring an Amazon SQS event source mapping",
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
func (e *SQSEvent) advised(fn *Function) time.Duration {
	return 6*fn.props.Timeout + e.MaximumBatchingWindow
}

// fitVisibility makes the visibility timeout of a [Queue] that sets none long
// enough, and checks that of another queue of this app. Lambda refuses a queue
// whose timeout is shorter than the function's.
func (e *SQSEvent) fitVisibility(fn *Function) {
	if queue, ok := e.Queue.(*Queue); ok && queue.follows {
		queue.lengthen(e.advised(fn))
		return
	}
	resource, ok := e.Queue.Node().DefaultChild().(awssqs.CfnQueue)
	if !ok {
		return // Imported: nothing is known of it.
	}
	visibility := 30 * time.Second
	if seconds := resource.VisibilityTimeout(); seconds != nil {
		visibility = time.Duration(*seconds) * time.Second
	}
	switch {
	case visibility < fn.props.Timeout:
		fn.AddFault("the queue's visibility timeout is %s, less than the function's timeout of %s: make it %s",
			prop.Short(visibility), prop.Short(fn.props.Timeout), prop.Short(e.advised(fn)))
	case visibility < e.advised(fn):
		awscdk.Annotations_Of(fn).AddWarningV2(jsii.String("bailey:visibilityTimeout"),
			jsii.String(fmt.Sprintf("%s: the queue's visibility timeout is %s; AWS advises %s, six times the function's timeout and the batching window",
				fn.faults.Position, prop.Short(visibility), prop.Short(e.advised(fn)))))
	}
}
