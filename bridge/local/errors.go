package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// ErrClosed says that the engine was closed before or while a function ran.
var ErrClosed = errors.New("the engine is closed")

// NotRunnableError says that the embedded engine cannot run a function at
// all: nothing that the function does would change it.
type NotRunnableError struct {
	// Function is the function's name.
	Function string
	// Reason says what is in the way.
	Reason string
	// Fix says what would change it. It names --engine sam, the way out.
	Fix string
}

func (e *NotRunnableError) Error() string {
	return fmt.Sprintf("the embedded engine cannot run %s: %s; %s", e.Function, e.Reason, e.Fix)
}

// wayOut ends every Fix: the SAM CLI runs a function in Lambda's own image.
const wayOut = "run it with --engine sam"

// obstacle is the reason of a NotRunnableError before the function is known.
type obstacle struct{ reason, fix string }

func (o *obstacle) Error() string { return o.reason }

func blocked(fix, format string, args ...any) error {
	if fix == "" {
		fix = wayOut
	} else {
		fix += ", or " + wayOut
	}
	return &obstacle{reason: fmt.Sprintf(format, args...), fix: fix}
}

// The error types that Lambda itself answers with.
const (
	errorTypeTimeout  = "Sandbox.Timedout"
	errorTypeExit     = "Runtime.ExitError"
	errorTypeUnknown  = "Runtime.Unknown"
	errorTypeTooLarge = "Function.ResponseSizeTooLarge"
	errorTypeBadMode  = "Runtime.InvalidResponseModeHeader"

	functionErrorUnhandled = "Unhandled"
	contentTypeJSON        = "application/json"
)

// The statuses of a REPORT line: "" for an invocation that came to its end,
// whether or not the handler returned an error.
const (
	statusError   = "error"
	statusTimeout = "timeout"
)

// answer is how an invocation ended: what the caller gets, and what the
// REPORT line says of it.
type answer struct {
	payload       []byte
	contentType   string
	functionError string
	// status and errorType are those of the REPORT line.
	status, errorType string
	// lines are logged before the END line.
	lines []string
}

// errorBody is the JSON of an error that Lambda itself makes.
type errorBody struct {
	Type    string   `json:"errorType"`
	Message string   `json:"errorMessage"`
	Trace   []string `json:"stackTrace,omitempty"`
}

func (b errorBody) json() []byte {
	// Three strings always encode.
	text, _ := json.Marshal(b)
	return text
}

// platformFailure is an answer that Lambda makes where the function gave none.
func platformFailure(status, errorType, message string) answer {
	return answer{
		payload:       errorBody{Type: errorType, Message: message}.json(),
		contentType:   contentTypeJSON,
		functionError: functionErrorUnhandled,
		status:        status,
		errorType:     errorType,
	}
}

// timedOut is the answer of an invocation that was cut off. One that had given
// its answer keeps that.
func timedOut(inv *invocation, given *answer) *answer {
	message := fmt.Sprintf("Task timed out after %.2f seconds", inv.timeout.Seconds())
	if given == nil {
		failure := platformFailure(statusTimeout, errorTypeTimeout, "RequestId: "+inv.RequestID+" Error: "+message)
		given = &failure
	}
	given.status, given.errorType = statusTimeout, ""
	given.lines = append(given.lines, time.Now().UTC().Format("2006-01-02T15:04:05.000Z")+" "+inv.RequestID+" "+message)
	return given
}

// exited is the answer of an invocation whose process ended. One that had
// given its answer keeps that.
func exited(inv *invocation, how string, given *answer) *answer {
	message := "RequestId: " + inv.RequestID + " Error: " + how
	if given == nil {
		failure := platformFailure(statusError, errorTypeExit, message)
		given = &failure
	}
	given.status, given.errorType = statusError, errorTypeExit
	given.lines = append(given.lines, message, errorTypeExit)
	return given
}

func tooLargeFailure() answer {
	message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxPayload)
	a := platformFailure(statusError, errorTypeTooLarge, message)
	a.lines = []string{message, errorTypeTooLarge}
	return a
}

var validErrorType = regexp.MustCompile(`^(Runtime|Function)\.[A-Z][a-zA-Z]*$`)

// reportedErrorType is the error type of a REPORT line: only what a runtime
// names in Lambda's own families is told, anything else is unknown.
func reportedErrorType(header string) string {
	if validErrorType.MatchString(header) {
		return header
	}
	return errorTypeUnknown
}
