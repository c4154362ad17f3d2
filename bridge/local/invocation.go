package local

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// functionVersion is the version that a local run is always of.
const functionVersion = "$LATEST"

// Invocation is one event for a function.
type Invocation struct {
	// Payload is the event, a JSON text of at most 6 MB (1 MB with Async).
	// Where it is empty the event is {}, as on Lambda.
	Payload []byte
	// RequestID is "" for a new one.
	RequestID string
	// TraceID is the X-Ray trace header ("Root=1-...;Parent=...;Sampled=0"),
	// "" for a new trace that is not sampled: there is no daemon to send it to.
	TraceID string
	// ClientContext is the client context as JSON text, "" for none. (Lambda's
	// API takes it in base64: decode it first.)
	ClientContext string
	// CognitoIdentity is {"cognitoIdentityId": ..., "cognitoIdentityPoolId":
	// ...} as JSON text, "" for none.
	CognitoIdentity string
	// Stream gets the response of a function that streams it, piece by piece
	// as the runtime sends it: it is called once, when the response begins, and
	// what it returns is written to until Invoke returns. It is not called for
	// a response that comes as a whole, which is in the [Result] as ever. Nil
	// collects a streamed response too.
	Stream func(contentType string) io.Writer
	// Async holds the payload to the limit of an asynchronous invocation.
	// Retries and destinations are the caller's.
	Async bool
}

// Result is how an invocation ended, whether or not the function failed.
type Result struct {
	RequestID string
	// Payload is the response, or the JSON of the error.
	Payload []byte
	// FunctionError is "", or "Unhandled" where Payload is an error.
	FunctionError string
	// Streamed says that the response went to [Invocation.Stream]. Payload is
	// empty then, or the error that came after a part of it.
	Streamed bool
	// ContentType is the one that the runtime gave the response.
	ContentType string
	Report      Report
	// LogTail is the last 4 KB of the invocation's log, with the START, END
	// and REPORT lines.
	LogTail []byte
}

// invocation is an Invocation under way.
type invocation struct {
	Invocation
	fn      *model.Function
	timeout time.Duration
	// deadline is set when it is delivered.
	deadline time.Time
	// answered is guarded by the instance's mutex. The answer that goes with
	// it is in the channel by then.
	answered bool
	answer   chan answer
	stream   *stream // nil where the response is collected
}

func newInvocation(fn *model.Function, in Invocation) (*invocation, error) {
	if err := checkSize(in.Payload, in.Async); err != nil {
		return nil, err
	}
	if len(in.Payload) == 0 {
		in.Payload = []byte("{}")
	}
	if in.RequestID == "" {
		in.RequestID = newRequestID()
	}
	if in.TraceID == "" {
		in.TraceID = newTraceID(time.Now())
	}
	var err error
	if in.ClientContext, err = headerJSON("client context", in.ClientContext); err != nil {
		return nil, err
	}
	if in.CognitoIdentity, err = headerJSON("Cognito identity", in.CognitoIdentity); err != nil {
		return nil, err
	}
	inv := &invocation{Invocation: in, fn: fn, timeout: timeoutOf(fn), answer: make(chan answer, 1)}
	if in.Stream != nil {
		inv.stream = &stream{open: in.Stream}
	}
	return inv, nil
}

// headerJSON puts a JSON text on one line, as a header needs it.
func headerJSON(what, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	var line bytes.Buffer
	if err := json.Compact(&line, []byte(text)); err != nil {
		return "", fmt.Errorf("the %s is not JSON: %w", what, err)
	}
	return line.String(), nil
}

func timeoutOf(fn *model.Function) time.Duration {
	if fn.Timeout <= 0 {
		return defaultTimeout
	}
	return fn.Timeout
}

// nameOf is what messages call a function.
func nameOf(fn *model.Function) string { return orElse(fn.Name, fn.FunctionName) }

func memorySizeOf(fn *model.Function) int {
	if fn.MemorySize <= 0 {
		return defaultMemorySize
	}
	return fn.MemorySize
}

// newRequestID is a random UUID.
func newRequestID() string {
	id := []byte(randomHex(16))
	id[12] = '4'
	id[16] = "89ab"[id[16]&3]
	return fmt.Sprintf("%s-%s-%s-%s-%s", id[:8], id[8:12], id[12:16], id[16:20], id[20:])
}

func newTraceID(now time.Time) string {
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), randomHex(12), randomHex(8))
}

// randomHex is n random bytes that nobody can guess, in hexadecimal.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
