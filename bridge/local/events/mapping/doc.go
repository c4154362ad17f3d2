// Package mapping runs Lambda's event source mappings on this machine: pollers
// that take records from a queue or a stream in batches and invoke a function
// with them.
//
// A queue's poller holds at most so many invocations at a time as Lambda would:
// five to begin with, more while there is work, up to ScalingConfig's
// MaximumConcurrency and [Options.MaxConcurrency]. One receiver fills the
// batches, so that a batching window gathers as much as it can. Messages whose
// function succeeded are deleted, and those that a filter leaves out too. All
// others stay in the queue, become visible again by the queue's own timeout,
// and reach its dead-letter queue by its own redrive policy. A throttled
// invocation is tried again for as long as its messages are invisible.
//
// A stream's poller reads each shard in order, in as many lanes as the
// ParallelizationFactor says, each lane with the keys that hash to it and a
// durable checkpoint of its own. A batch that fails holds its lane up until it
// succeeds, or is given up by MaximumRetryAttempts or MaximumRecordAge, and then
// goes to the on-failure destination as the record that Lambda makes of it.
// Tumbling windows are not run.
//
// Both deliver at least once: a function whose process dies, or a machine that
// stops in the middle of a batch, means that the batch is delivered again.
//
// The package knows no service. What it polls it reaches by [Queue] and
// [Stream].
//
// See "How Lambda processes records from stream and queue-based event sources",
// "Using Lambda with Amazon SQS" and "Using AWS Lambda with Amazon DynamoDB" in
// the AWS Lambda Developer Guide.
package mapping
