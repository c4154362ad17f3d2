package lambdaapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// Invoker runs functions: [*local.Engine] does.
type Invoker interface {
	Invoke(ctx context.Context, fn *model.Function, in local.Invocation) (*local.Result, error)
}

// Handler serves the functions of an application.
type Handler struct {
	// Engine runs the functions.
	Engine Invoker
	// Function finds the function that a request names, and makes it ready to
	// run. Its error is a [*model.NotFoundError] where there is none.
	Function func(ctx context.Context, name string) (*model.Function, error)
	// Async takes an event of the invocation type Event, and returns when it
	// is sure to run. Nil runs it once.
	Async func(ctx context.Context, fn *model.Function, in local.Invocation) error
	// Hosts are names that a request's Host may have beside the loopback ones.
	Hosts []string

	// events are the asynchronous invocations under way.
	events sync.WaitGroup
}

const (
	prefix = "/2015-03-31/functions/"
	suffix = "/invocations"
	// maxBody is the most bytes that are read of a request: the engine knows
	// the exact limit, and refuses what is over it.
	maxBody = 6*1024*1024 + 1024
)

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.trusted(r) {
		refuse(w, http.StatusForbidden, "AccessDeniedException", "this server answers programs on this machine alone")
		return
	}
	name, ok := functionName(r.URL)
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "PathNotFoundLocally", "there is "+prefix+"NAME"+suffix+" alone")
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowedLocally", r.Method+" is not allowed: Invoke is a POST")
		return
	}
	h.invoke(w, r, name)
}

// Wait returns when all asynchronous invocations have ended.
func (h *Handler) Wait() { h.events.Wait() }

func (h *Handler) trusted(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	if r.Header.Get("Origin") != "" {
		return false
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback() {
		return true
	}
	for _, allowed := range h.Hosts {
		if strings.EqualFold(host, allowed) {
			return true
		}
	}
	return false
}

// functionName is the name in a request's path. An SDK escapes the colons and
// slashes of an ARN or a construct path.
func functionName(u *url.URL) (string, bool) {
	rest, ok := strings.CutPrefix(u.EscapedPath(), prefix)
	if !ok {
		return "", false
	}
	escaped, ok := strings.CutSuffix(rest, suffix)
	if !ok || escaped == "" {
		return "", false
	}
	name, err := url.PathUnescape(escaped)
	return name, err == nil
}

func (h *Handler) invoke(w http.ResponseWriter, r *http.Request, name string) {
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		tooLarge := &http.MaxBytesError{}
		if errors.As(err, &tooLarge) {
			answerError(w, &local.RequestTooLargeError{Size: maxBody})
		}
		return // else the client is gone
	}
	if len(payload) > 0 && !json.Valid(payload) {
		refuse(w, http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json: the payload is not JSON")
		return
	}
	in, err := invocationOf(r, payload)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestContentException", err.Error())
		return
	}
	if q := r.URL.Query().Get("Qualifier"); q != "" {
		name += ":" + q
	}
	fn, err := h.Function(r.Context(), name)
	if err != nil {
		answerError(w, err)
		return
	}
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
		h.wait(w, r, fn, in)
	case "Event":
		h.start(w, r, fn, in)
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(w, http.StatusBadRequest, "InvalidParameterValueException", fmt.Sprintf("the invocation type is %q: allowed are RequestResponse, Event and DryRun", kind))
	}
}

func invocationOf(r *http.Request, payload []byte) (local.Invocation, error) {
	in := local.Invocation{Payload: payload, TraceID: r.Header.Get("X-Amzn-Trace-Id")}
	if encoded := r.Header.Get("X-Amz-Client-Context"); encoded != "" {
		text, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || !json.Valid(text) {
			return in, errors.New("the client context is not JSON in base64")
		}
		in.ClientContext = string(text)
	}
	return in, nil
}

// wait answers with the function's response.
func (h *Handler) wait(w http.ResponseWriter, r *http.Request, fn *model.Function, in local.Invocation) {
	result, err := h.Engine.Invoke(r.Context(), fn, in)
	if err != nil {
		answerError(w, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Amzn-Requestid", result.RequestID)
	if result.FunctionError != "" {
		header.Set("X-Amz-Function-Error", result.FunctionError)
	}
	if r.Header.Get("X-Amz-Log-Type") == "Tail" {
		header.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(result.LogTail))
	}
	_, _ = w.Write(result.Payload)
}

// start answers at once. The function runs on, also when the client goes.
//
// Lambda would try a failed event twice more, minutes later. That is for Async;
// without it an event is tried once, where a developer sees the error.
func (h *Handler) start(w http.ResponseWriter, r *http.Request, fn *model.Function, in local.Invocation) {
	in.Async = true
	if len(in.Payload) > 1024*1024 {
		answerError(w, &local.RequestTooLargeError{Size: len(in.Payload), Async: true})
		return
	}
	if h.Async == nil {
		h.events.Go(func() {
			_, _ = h.Engine.Invoke(context.Background(), fn, in)
		})
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if err := h.Async(r.Context(), fn, in); err != nil {
		answerError(w, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// answerError answers with Lambda's own error where it has one for err.
func answerError(w http.ResponseWriter, err error) {
	var lambda interface {
		Code() string
		StatusCode() int
		Message() string
	}
	var notFound *model.NotFoundError
	switch {
	case errors.As(err, &lambda):
		refuse(w, lambda.StatusCode(), lambda.Code(), lambda.Message())
	case errors.As(err, &notFound):
		refuse(w, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+err.Error())
	default:
		refuse(w, http.StatusBadGateway, "ServiceException", err.Error())
	}
}

// refuse writes an error as the SDKs read it.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", code)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"Type": "User", "Message": message})
}
