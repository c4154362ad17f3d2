package local

import (
	"fmt"
	"time"
)

// Lambda's quotas, as far as a local run holds to them:
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	// maxPayload is the most bytes of a request or a response, 6 MiB and 100
	// bytes.
	maxPayload = 6*1024*1024 + 100
	// maxStreamed is the most bytes of a streamed response:
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
	maxStreamed = 200 * 1024 * 1024
	// statedRequestLimit is the figure that Lambda's message names. It is 100
	// bytes below what is let through.
	statedRequestLimit = 6 * 1024 * 1024
	// maxAsyncPayload is the most bytes of an asynchronous request.
	maxAsyncPayload = 1024 * 1024
	// maxUnzipped is the most bytes of an unpacked .zip file.
	maxUnzipped = 250 * 1024 * 1024
	// maxExtensions is how many extensions one process may register.
	maxExtensions = 10
	// accountConcurrency is how many invocations of a function run at a time
	// where it reserves no concurrency: an account's default.
	accountConcurrency = 1000

	defaultTimeout     = 3 * time.Second
	defaultMemorySize  = 128
	defaultInitTimeout = 10 * time.Second
	// shutdownGrace is how long a process with a registered extension has
	// between SIGTERM and SIGKILL. A process without one has no time at all.
	shutdownGrace = 500 * time.Millisecond
	// idleLife is how long a process waits for the next event before it is
	// ended. Lambda gives no figure; minutes is what people see.
	idleLife = 5 * time.Minute
	// dyingGrace is how long a process that has reported a fatal error may
	// take to end by itself, so that its last words are still logged.
	dyingGrace = 500 * time.Millisecond
)

// RequestTooLargeError says that an invocation's payload is over Lambda's
// limit: 6,291,556 bytes, or 1,048,576 for an asynchronous invocation.
type RequestTooLargeError struct {
	// Size is the payload's size in bytes.
	Size int
	// Async says which of the two limits it is over.
	Async bool
}

// Code is the error code of Lambda's API.
func (*RequestTooLargeError) Code() string { return "RequestEntityTooLargeException" }

// StatusCode is the HTTP status that Lambda's API answers with.
func (*RequestTooLargeError) StatusCode() int { return 413 }

// Error is Lambda's own message, after its code.
func (e *RequestTooLargeError) Error() string { return e.Code() + ": " + e.Message() }

// Message is Lambda's own message.
func (e *RequestTooLargeError) Message() string {
	if e.Async {
		return fmt.Sprintf("%d byte payload is too large for the Event invocation type (limit %d bytes)",
			e.Size, maxAsyncPayload)
	}
	return fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", statedRequestLimit)
}

// ThrottledError says that as many invocations of a function run as it may
// have at a time: its reserved concurrency, or 1,000. An invocation does not
// wait for its turn, as it would not on Lambda: the caller tries again.
type ThrottledError struct {
	// Function is the function's name.
	Function string
	// Limit is how many invocations run at a time.
	Limit int
	// Reserved says that the limit is the function's reserved concurrency.
	Reserved bool
}

// Code is the error code of Lambda's API.
func (*ThrottledError) Code() string { return "TooManyRequestsException" }

// StatusCode is the HTTP status that Lambda's API answers with.
func (*ThrottledError) StatusCode() int { return 429 }

// Reason is the Reason member of Lambda's error.
func (e *ThrottledError) Reason() string {
	if e.Reserved {
		return "ReservedFunctionConcurrentInvocationLimitExceeded"
	}
	return "ConcurrentInvocationLimitExceeded"
}

// Message is Lambda's own message.
func (*ThrottledError) Message() string { return "Rate Exceeded." }

func (e *ThrottledError) Error() string {
	what := "the default concurrency of an account"
	if e.Reserved {
		what = "its reserved concurrency"
	}
	return fmt.Sprintf("%s: %s %s runs %d invocations already, %s",
		e.Code(), e.Message(), e.Function, e.Limit, what)
}

// checkSize holds a request to Lambda's limit.
func checkSize(payload []byte, async bool) error {
	limit := maxPayload
	if async {
		limit = maxAsyncPayload
	}
	if len(payload) > limit {
		return &RequestTooLargeError{Size: len(payload), Async: async}
	}
	return nil
}
