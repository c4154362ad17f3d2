//go:build unix

package local

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// runtimeAPI is the Runtime API's server, one for all processes of an engine.
//
// A process knows it by the variable AWS_LAMBDA_RUNTIME_API, which holds
// "127.0.0.1:PORT/TOKEN": clients put it between "http://" and the path of a
// call. The token tells which process calls. It is random, so that another
// program of this machine cannot take or answer an event, and a web page that
// a browser shows cannot either: a request with an Origin header or for
// another host is refused, which keeps DNS rebinding out too.
type runtimeAPI struct {
	address  string // 127.0.0.1:PORT
	listener net.Listener
	server   *http.Server

	mu        sync.RWMutex
	instances map[string]*instance
}

func newRuntimeAPI() (*runtimeAPI, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	api := &runtimeAPI{
		address: listener.Addr().String(), listener: listener, instances: map[string]*instance{},
	}
	api.server = &http.Server{
		Handler: api,
		// A client sends headers at once. How long it waits for an event, or
		// takes for a response, is the function's own affair.
		ReadHeaderTimeout: 10 * time.Second,
		// The cause of an error, for X-Ray, comes in a header of up to 1 MB.
		MaxHeaderBytes: 2 << 20,
	}
	go func() { _ = api.server.Serve(listener) }()
	return api, nil
}

func (api *runtimeAPI) close() { _ = api.server.Close() }

func (api *runtimeAPI) add(i *instance) {
	api.mu.Lock()
	defer api.mu.Unlock()
	api.instances[i.token] = i
}

func (api *runtimeAPI) remove(i *instance) {
	api.mu.Lock()
	defer api.mu.Unlock()
	delete(api.instances, i.token)
}

func (api *runtimeAPI) find(token string) *instance {
	api.mu.RLock()
	defer api.mu.RUnlock()
	return api.instances[token]
}

// ServeHTTP finds the process that calls and what it calls.
func (api *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, call, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	i := api.find(token)
	if i == nil || r.Host != api.address || r.Header.Get("Origin") != "" {
		refuse(w, http.StatusForbidden, "Forbidden", "This Runtime API serves its own functions only")
		return
	}
	i.serve(w, r, call)
}

const (
	runtimeVersion   = "2018-06-01/runtime/"
	extensionVersion = "2020-01-01/extension/"
)

// serve is the table of calls.
func (i *instance) serve(w http.ResponseWriter, r *http.Request, call string) {
	switch r.Method + " " + call {
	case "GET " + runtimeVersion + "invocation/next":
		i.next(w, r)
	case "POST " + runtimeVersion + "init/error":
		i.initError(w, r)
	case "POST " + extensionVersion + "register":
		i.registerExtension(w, r)
	case "GET " + extensionVersion + "event/next":
		i.extensionNext(w, r)
	case "POST " + extensionVersion + "init/error", "POST " + extensionVersion + "exit/error":
		i.extensionError(w, r)
	case "PUT 2020-08-15/logs":
		refuse(w, http.StatusAccepted, "Logs.NotSupported", "Logs API is not supported")
	case "PUT 2022-07-01/telemetry":
		refuse(w, http.StatusAccepted, "Telemetry.NotSupported", "Telemetry API is not supported")
	case "GET 2018-06-01/ping":
		_, _ = w.Write([]byte("pong"))
	default:
		i.serveAnswer(w, r, call)
	}
}

// serveAnswer is the rest of the table: the calls with a request id in them.
func (i *instance) serveAnswer(w http.ResponseWriter, r *http.Request, call string) {
	rest, ok := strings.CutPrefix(call, runtimeVersion+"invocation/")
	id, kind, _ := strings.Cut(rest, "/")
	switch {
	case !ok || kind != "response" && kind != "error":
		http.NotFound(w, r)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
	case kind == "response":
		i.response(w, r, id)
	default:
		i.invocationError(w, r, id)
	}
}

// render answers with JSON, a line of it as Lambda does.
func render(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentTypeJSON)
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// accept answers 202 with Lambda's body.
func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", contentTypeJSON)
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(accepted)
}

var accepted = []byte("{\"status\":\"OK\"}\n")

// refusal is the body of an error of the Runtime API, in Lambda's order.
type refusal struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	render(w, status, refusal{Message: message, Type: errorType})
}

// refuseTransition answers a call that does not fit where the runtime stands.
func refuseTransition(w http.ResponseWriter, from, to runtimeState) {
	refuse(w, http.StatusForbidden, "InvalidStateTransition",
		"State transition from "+string(from)+" to "+string(to)+
			" failed for runtime. Error: State transition is not allowed")
}
