//go:build unix

package local

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// The headers of the Runtime API:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
const (
	headerRequestID       = "Lambda-Runtime-Aws-Request-Id"
	headerDeadline        = "Lambda-Runtime-Deadline-Ms"
	headerFunctionARN     = "Lambda-Runtime-Invoked-Function-Arn"
	headerTraceID         = "Lambda-Runtime-Trace-Id"
	headerClientContext   = "Lambda-Runtime-Client-Context"
	headerCognitoIdentity = "Lambda-Runtime-Cognito-Identity"
	headerResponseMode    = "Lambda-Runtime-Function-Response-Mode"
	// These two are headers of an error, and trailers of a response that
	// failed while it was streamed.
	headerErrorType = "Lambda-Runtime-Function-Error-Type"
	headerErrorBody = "Lambda-Runtime-Function-Error-Body"

	errorWithCause = "application/vnd.aws.lambda.error.cause+json"
)

// next gives the next event, as soon as there is one.
func (i *instance) next(w http.ResponseWriter, r *http.Request) {
	sentAway, ok := i.await(w, r)
	if !ok {
		return
	}
	select {
	case inv := <-i.work:
		if !i.begin(sentAway) {
			i.work <- inv // for the request that took over
			refuseTakenOver(w)
			return
		}
		deliver(w, inv)
	case <-sentAway:
		refuseTakenOver(w)
	case <-r.Context().Done():
		// The process has ended, or its connection.
	}
}

// await notes that the runtime waits for an event. Only a runtime that has
// answered the last one may.
func (i *instance) await(w http.ResponseWriter, r *http.Request) (sentAway chan struct{}, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.state == stateRunning || i.state == stateInitError {
		refuseTransition(w, i.state, stateReady)
		return nil, false
	}
	if i.state == stateStarted {
		i.client = r.UserAgent()
	}
	if i.waiting != nil { // a client that lost its connection and asks again
		close(i.waiting)
	}
	i.waiting = make(chan struct{})
	if i.state != stateReady {
		i.state = stateReady
		i.idle <- struct{}{} // the owner has taken the one before
	}
	return i.waiting, true
}

// begin notes that the request that waits with sentAway gets the event. It
// reports false where another has taken over from that.
func (i *instance) begin(sentAway chan struct{}) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.waiting != sentAway {
		return false
	}
	i.state = stateRunning
	i.waiting = nil
	return true
}

func refuseTakenOver(w http.ResponseWriter) {
	refuse(w, http.StatusForbidden, "InvalidStateTransition", "Another request for the next invocation took over")
}

func deliver(w http.ResponseWriter, inv *invocation) {
	h := w.Header()
	set := func(name, value string) {
		if value != "" {
			h.Set(name, value)
		}
	}
	set(headerRequestID, inv.RequestID)
	set(headerDeadline, strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	set(headerFunctionARN, inv.fn.ARN)
	set(headerTraceID, inv.TraceID)
	set(headerClientContext, inv.ClientContext)
	set(headerCognitoIdentity, inv.CognitoIdentity)
	set("Content-Type", contentTypeJSON)
	set("Content-Length", strconv.Itoa(len(inv.Payload)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(inv.Payload)
}

// response takes what a handler returned.
func (i *instance) response(w http.ResponseWriter, r *http.Request, id string) {
	if !i.runs(id) {
		refuseRequestID(w)
		return
	}
	if mode := r.Header.Get(headerResponseMode); mode != "" && mode != "streaming" {
		i.settle(id, platformFailure(statusError, errorTypeBadMode, "Invalid function response mode"))
		refuse(w, http.StatusBadRequest, "InvalidFunctionResponseMode", "Invalid function response mode")
		return
	}
	if s := i.streamOf(id); s != nil && streams(r) {
		i.streamedResponse(w, r, id, s)
		return
	}
	body, ok := i.readAnswer(w, r, id)
	if !ok {
		return
	}
	a := answer{payload: body, contentType: r.Header.Get("Content-Type")}
	if failure, failed := streamFailure(r.Trailer); failed {
		a = failure
	}
	if !i.settle(id, a) {
		refuseRequestID(w)
		return
	}
	accept(w)
}

// invocationError takes the error that a handler returned.
func (i *instance) invocationError(w http.ResponseWriter, r *http.Request, id string) {
	if !i.runs(id) {
		refuseRequestID(w)
		return
	}
	body, ok := i.readAnswer(w, r, id)
	if !ok {
		return
	}
	contentType := r.Header.Get("Content-Type")
	if contentType == errorWithCause {
		body, contentType = withoutCause(body)
	}
	if !i.settle(id, answer{payload: body, contentType: contentType, functionError: functionErrorUnhandled}) {
		refuseRequestID(w)
		return
	}
	accept(w)
}

// initError takes the error that keeps a runtime from asking for events.
func (i *instance) initError(w http.ResponseWriter, r *http.Request) {
	body, err := readLimited(r.Body, maxPayload)
	if err != nil {
		refuseUnread(w, err)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.state != stateStarted {
		refuseTransition(w, i.state, stateInitError)
		return
	}
	i.state = stateInitError
	contentType := "application/octet-stream"
	if json.Valid(body) {
		contentType = contentTypeJSON
	}
	i.failed <- answer{
		payload: body, contentType: contentType, functionError: functionErrorUnhandled,
		status: statusError, errorType: reportedErrorType(r.Header.Get(headerErrorType)),
	}
	accept(w)
}

// runs reports whether id is the invocation under way.
func (i *instance) runs(id string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.state == stateRunning && i.current != nil && i.current.RequestID == id
}

// streams reports whether a runtime streams this response. aws-lambda-go does
// not say so, and sends JSON in the same way as a stream.
func streams(r *http.Request) bool {
	return r.Header.Get(headerResponseMode) != "" || r.ContentLength < 0 && r.Header.Get("Content-Type") != contentTypeJSON
}

// streamOf is the stream of the invocation under way, nil where it has none.
func (i *instance) streamOf(id string) *stream {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.current == nil || i.current.RequestID != id {
		return nil
	}
	return i.current.stream
}

// settle gives the invocation its answer. It reports whether id is the one
// under way: a runtime answers once, and in time.
func (i *instance) settle(id string, a answer) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.state != stateRunning || i.current == nil || i.current.RequestID != id || i.current.answered {
		return false
	}
	i.state = stateSent
	i.current.answered = true
	i.current.answer <- a
	return true
}

// readAnswer reads the body of a response or an error, and says what is wrong
// with it where something is.
func (i *instance) readAnswer(w http.ResponseWriter, r *http.Request, id string) ([]byte, bool) {
	body, err := readLimited(r.Body, maxPayload)
	if err == nil {
		return body, true
	}
	if errors.Is(err, errTooLarge) {
		i.settle(id, tooLargeFailure())
	}
	refuseUnread(w, err)
	return nil, false
}

var errTooLarge = errors.New("too large")

// readLimited reads a body of at most limit bytes. A longer one is read to its
// end and dropped: a client listens only once it has sent everything.
func readLimited(body io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) <= limit {
		return text, nil
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return nil, err
	}
	return nil, errTooLarge
}

func refuseUnread(w http.ResponseWriter, err error) {
	if errors.Is(err, errTooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			"Exceeded maximum allowed payload size ("+strconv.Itoa(maxPayload)+" bytes).")
		return
	}
	refuse(w, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
}

func refuseRequestID(w http.ResponseWriter) {
	refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
}

// streamFailure reads the trailers of a response: a runtime that streams has
// no other way left to say that the handler failed after all.
func streamFailure(trailer http.Header) (answer, bool) {
	errorType := trailer.Get(headerErrorType)
	encoded := trailer.Get(headerErrorBody)
	if errorType == "" && encoded == "" {
		return answer{}, false
	}
	body, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(body) == 0 {
		body = errorBody{Type: errorType}.json()
	}
	return answer{payload: body, contentType: contentTypeJSON, functionError: functionErrorUnhandled}, true
}

// withoutCause leaves what is for X-Ray out of an error.
func withoutCause(body []byte) (rest []byte, contentType string) {
	var e errorBody
	if err := json.Unmarshal(body, &e); err != nil {
		return []byte(`"Invalid error body"`), "application/octet-stream"
	}
	text, err := json.Marshal(struct {
		Message string   `json:"errorMessage"`
		Type    string   `json:"errorType"`
		Trace   []string `json:"stackTrace,omitempty"`
	}{e.Message, e.Type, e.Trace})
	if err != nil {
		return []byte(`"Invalid error body"`), "application/octet-stream"
	}
	return text, contentTypeJSON
}
