//go:build unix

package local

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// The headers of the Extensions API:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
const (
	headerExtensionName      = "Lambda-Extension-Name"
	headerExtensionID        = "Lambda-Extension-Identifier"
	headerExtensionFeatures  = "Lambda-Extension-Accept-Feature"
	headerExtensionErrorType = "Lambda-Extension-Function-Error-Type"
	headerExtensionEventID   = "Lambda-Extension-Event-Identifier"
)

// extension is an internal extension: part of the function's own process, as
// aws-lambda-go registers one to be sent SIGTERM. External extensions, which
// are programs in a layer, are not started.
type extension struct {
	name, id string
	events   chan extensionEvent // nil where it listens to none
}

// extensionEvent is the event of an invocation.
type extensionEvent struct {
	Type     string         `json:"eventType"`
	Deadline int64          `json:"deadlineMs"`
	Request  string         `json:"requestId"`
	ARN      string         `json:"invokedFunctionArn"`
	Tracing  extensionTrace `json:"tracing"`
}

type extensionTrace struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

const eventInvoke = "INVOKE"

// offer tells an extension of an invocation. One that does not keep up misses
// some: it must not hold up the function, as the invocation does not wait for
// its extensions here.
func (x *extension) offer(inv *invocation) {
	if x.events == nil {
		return
	}
	event := extensionEvent{
		Type: eventInvoke, Deadline: inv.deadline.UnixMilli(), Request: inv.RequestID, ARN: inv.fn.ARN,
		Tracing: extensionTrace{Type: "X-Amzn-Trace-Id", Value: inv.TraceID},
	}
	select {
	case x.events <- event:
	default:
	}
}

// registerExtension admits an extension before the first event.
func (i *instance) registerExtension(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get(headerExtensionName)
	if name == "" {
		refuse(w, http.StatusForbidden, "Extension.InvalidExtensionName", "Empty extension name")
		return
	}
	var request struct {
		Events []string `json:"events"`
	}
	body, err := readLimited(r.Body, maxPayload)
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil {
		refuse(w, http.StatusForbidden, "InvalidRequestFormat", err.Error())
		return
	}
	for _, event := range request.Events {
		if problem := eventProblem(event); problem != "" {
			refuse(w, http.StatusForbidden, "Extension.InvalidEventType", event+": "+problem)
			return
		}
	}
	if x := i.addExtension(w, name, request.Events); x != nil {
		w.Header().Set(headerExtensionID, x.id)
		render(w, http.StatusOK, i.registration(r.Header.Get(headerExtensionFeatures)))
	}
}

func eventProblem(event string) string {
	switch event {
	case eventInvoke:
		return ""
	case "SHUTDOWN":
		return "ShutdownEventNotSupportedForInternalExtension"
	default:
		return "ErrorInvalidEventType"
	}
}

func (i *instance) addExtension(w http.ResponseWriter, name string, events []string) *extension {
	i.mu.Lock()
	defer i.mu.Unlock()
	taken := slices.ContainsFunc(i.extensions, func(x *extension) bool { return x.name == name })
	switch {
	case i.state != stateStarted:
		refuse(w, http.StatusForbidden, "Extension.RegistrationClosed", "Extension registration closed already")
	case taken:
		refuse(w, http.StatusForbidden, "Extension.InvalidExtensionState", "Extension with this name already registered")
	case len(i.extensions) >= maxExtensions:
		refuse(w, http.StatusForbidden, "Extension.TooManyExtensions", "Extension limit (10) reached")
	default:
		x := &extension{name: name, id: newRequestID()}
		if len(events) > 0 {
			x.events = make(chan extensionEvent, 16)
		}
		i.extensions = append(i.extensions, x)
		return x
	}
	return nil
}

// registration is what an extension is told of the function.
func (i *instance) registration(features string) any {
	fn := i.pool.fn
	body := struct {
		Account string `json:"accountId,omitempty"`
		Name    string `json:"functionName"`
		Version string `json:"functionVersion"`
		Handler string `json:"handler"`
	}{Name: fn.FunctionName, Version: functionVersion, Handler: fn.Handler}
	for feature := range strings.SplitSeq(features, ",") {
		if strings.TrimSpace(feature) == "accountId" {
			_, body.Account = regionAndAccount(fn.ARN)
		}
	}
	return body
}

// caller finds the extension that calls.
func (i *instance) caller(w http.ResponseWriter, r *http.Request) *extension {
	id := r.Header.Get(headerExtensionID)
	if id == "" {
		refuse(w, http.StatusForbidden, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	at := slices.IndexFunc(i.extensions, func(x *extension) bool { return x.id == id })
	if at < 0 {
		refuse(w, http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "Unknown extension "+id)
		return nil
	}
	return i.extensions[at]
}

// extensionNext waits for an event. For an extension that listens to none, as
// aws-lambda-go's, it waits as long as the process lives.
func (i *instance) extensionNext(w http.ResponseWriter, r *http.Request) {
	x := i.caller(w, r)
	if x == nil {
		return
	}
	select {
	case event := <-x.events:
		w.Header().Set(headerExtensionEventID, newRequestID())
		render(w, http.StatusOK, event)
	case <-r.Context().Done():
	}
}

// extensionError takes the word of an extension that it gives up. The process
// is expected to end.
func (i *instance) extensionError(w http.ResponseWriter, r *http.Request) {
	x := i.caller(w, r)
	if x == nil {
		return
	}
	errorType := r.Header.Get(headerExtensionErrorType)
	if errorType == "" {
		refuse(w, http.StatusForbidden, "Extension.MissingHeader", headerExtensionErrorType+" not found")
		return
	}
	i.pool.engine.logs.notef("%s: extension %s reported %s", nameOf(i.pool.fn), x.name, errorType)
	accept(w)
}
