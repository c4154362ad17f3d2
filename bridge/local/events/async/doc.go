// Package async is AWS Lambda in the event plane: the Invoke operation, and the
// queue of asynchronous invocations, of the invocation type Event, of SNS,
// EventBridge, S3, and of other functions' destinations.
//
// An event is durable before it is acknowledged. A function that fails is
// invoked again twice, or as often as its EventInvokeConfig says: a minute
// after the first time and two minutes after the second, as on Lambda, or
// sooner by [Options.RetryDelay]. What is throttled, or cannot be run at all,
// is tried again after a second, then after twice as long each time up to five
// minutes, for as long as MaximumEventAge allows (6 hours).
//
// What is given up goes to the on-failure destination, as a record of the
// invocation, and to the function's dead-letter queue or topic, as it came, with
// RequestID, ErrorCode and ErrorMessage as attributes. Where there is neither
// it is dropped, which the log and the journal say. What succeeds goes to the
// on-success destination. The end of an event and its record are written in one
// transaction.
//
// An event is delivered at least once: a plane that dies while a function runs
// invokes it again.
//
// See "Invoking a Lambda function asynchronously", "Capturing records of Lambda
// asynchronous invocations" and "Adding a dead-letter queue" in the AWS Lambda
// Developer Guide.
package async
