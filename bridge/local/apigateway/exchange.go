package apigateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// exchange is one request and its answer.
type exchange struct {
	*endpoint
	w     http.ResponseWriter
	r     *http.Request
	began time.Time

	rawPath string // as the client sent it, without a stage
	path    string // what the route was found by
	staged  bool   // the path began with the name of the stage
	match   match
	body    []byte
	id      requestID

	// identity is what the authorizer found out.
	identity identity
	// authorizerKey is the API key that a Lambda authorizer gave.
	authorizerKey string

	// What the access log says.
	status  int
	written int64
	remark  string
	// abort says that the answer must not look as if it were whole.
	abort bool
}

// serve answers the request.
func (x *exchange) serve() {
	if !x.trusted() {
		x.plain(http.StatusForbidden, "this server answers for localhost alone; --host names another address")
		return
	}
	if x.foreignOrigin() {
		x.plain(http.StatusForbidden, "the page of "+x.r.Header.Get("Origin")+" may not call this API, which has no CORS configuration; allow it with --allow-origin")
		return
	}
	x.id = newRequestID(x.api.Protocol)
	if headerSize(x.r, x.rules.requestLine) > x.rules.maxHeaders {
		x.answer(x.rules.headersTooLarge)
		return
	}
	if !x.takePath() {
		x.answer(answer{status: http.StatusBadRequest, body: `{"message":"Bad Request"}`})
		return
	}
	if x.preflight() {
		return
	}
	if !x.route() {
		x.unrouted()
		return
	}
	if x.match.static != nil {
		x.serveStatic(x.match.static)
		return
	}
	if ok := x.readBody(); !ok {
		return
	}
	if x.authorize() && x.validate() {
		x.invoke()
	}
}

// takePath splits the path off its stage, and decodes it where the protocol
// does. It reports whether the path is well-formed.
//
// Which service decodes what was seen on AWS: an HTTP API routes by the
// decoded path and ends it at a decoded "?", a REST API and a function URL
// leave the path as it is. See https://github.com/middleapi/standard-server/pull/93.
func (x *exchange) takePath() bool {
	x.rawPath = rawPathOf(x.r)
	if !strings.HasPrefix(x.rawPath, "/") {
		x.rawPath = "/" + x.rawPath
	}
	if rest, ok := strings.CutPrefix(x.rawPath, "/"+x.api.StageName); ok && x.namedStage() && (rest == "" || rest[0] == '/') {
		x.staged = true
		if rest == "" {
			rest = "/"
		}
		x.rawPath = rest
	}
	x.path = x.rawPath
	if x.api.Protocol != model.HTTP {
		return true
	}
	decoded, ok := decodePath(x.rawPath)
	if before, _, cut := strings.Cut(decoded, "?"); cut {
		decoded = before
	}
	x.path = decoded
	return ok
}

// namedStage reports whether the API's address on AWS has a stage in its path.
func (x *exchange) namedStage() bool {
	return x.api.Protocol != model.FunctionURL && x.api.StageName != "" && x.api.StageName != "$default"
}

// route finds the route. A local path needs no stage in it, as with the SAM
// CLI, so that one that begins with the name of the stage may still be the
// path of a route.
func (x *exchange) route() bool {
	path := x.path
	if x.api.Protocol == model.REST {
		path = restPath(path)
	}
	var ok bool
	if x.match, ok = x.router.find(x.r.Method, path); ok {
		return true
	}
	if !x.staged {
		return false
	}
	whole := "/" + x.api.StageName + strings.TrimSuffix(x.path, "/")
	if x.match, ok = x.router.find(x.r.Method, whole); ok {
		x.staged, x.path, x.rawPath = false, whole, "/"+x.api.StageName+x.rawPath
	}
	return ok
}

// restPath is the path that a REST API's resources are found by: one slash at
// the end does not count.
func restPath(path string) string {
	if len(path) > 1 {
		return strings.TrimSuffix(path, "/")
	}
	return path
}

// unrouted answers a request that no route matches: with a static file where
// there is one, else as the API does.
func (x *exchange) unrouted() {
	if x.gateway.static.serve(x) {
		return
	}
	x.answer(x.rules.noRoute)
}

// serveStatic answers a method without function.
func (x *exchange) serveStatic(s *model.StaticRoute) {
	if s.Unserved != "" {
		x.remark = s.Unserved
		x.answer(answer{status: http.StatusNotImplemented, body: jsonMessage("a local run cannot serve this route: " + s.Unserved)})
		return
	}
	h := x.w.Header()
	for name, value := range s.Headers {
		h.Set(name, value)
	}
	if origin := x.r.Header.Get("Origin"); contains(s.Origins, origin) {
		h.Set("Access-Control-Allow-Origin", origin)
	}
	x.id.set(h)
	x.send(s.StatusCode, []byte(s.Body))
}

// bodyTimeout is how long a client may take to send its body.
const bodyTimeout = time.Minute

// readBody reads the body as far as the API allows one.
func (x *exchange) readBody() bool {
	if x.r.ContentLength > int64(x.rules.maxBody) {
		x.refuseBody()
		return false
	}
	control := http.NewResponseController(x.w)
	if x.r.ContentLength != 0 {
		_ = control.SetReadDeadline(x.began.Add(bodyTimeout)) // where the server can
	}
	var err error
	x.body, err = readAtMost(x.r.Body, x.r.ContentLength, x.rules.maxBody)
	if x.r.ContentLength != 0 {
		_ = control.SetReadDeadline(time.Time{})
	}
	switch {
	case err == nil:
		return true
	case errors.Is(err, errBodyTooLarge):
		x.refuseBody()
	default: // the client has gone, or sent nonsense
		x.w.Header().Set("Connection", "close")
		x.answer(answer{status: http.StatusBadRequest, body: `{"message":"Bad Request"}`})
	}
	return false
}

func (x *exchange) refuseBody() {
	x.w.Header().Set("Connection", "close")
	x.answer(x.rules.tooLarge)
}

// invoke runs the function and answers with its response.
func (x *exchange) invoke() {
	payload, err := x.event()
	if err != nil {
		x.fail(x.rules.notInvoked, err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), x.timeout())
	defer cancel()
	if x.streams() {
		x.stream(ctx, payload)
		return
	}
	result, err := x.call(ctx, local.Invocation{Payload: payload})
	switch {
	case err != nil:
		x.refused(ctx, err)
	case result.FunctionError != "":
		x.fail(x.rules.functionFailed, "the function failed")
	default:
		x.respond(result.Payload)
	}
}

// timeout is how long the gateway waits for the function. On AWS the function
// runs on after that; here the invocation ends, as its caller is gone.
func (x *exchange) timeout() time.Duration {
	if x.api.Protocol == model.FunctionURL {
		return 16 * time.Minute // the function's own timeout comes first
	}
	if ms := x.match.route.TimeoutMillis; ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	if x.api.Protocol == model.REST {
		return 29 * time.Second
	}
	return 30 * time.Second
}

func (x *exchange) call(ctx context.Context, in local.Invocation) (*local.Result, error) {
	in.RequestID = x.id.invocation
	in.TraceID = x.id.lambdaTrace()
	return x.gateway.options.Invoke(ctx, x.match.route.Function, in)
}

// refused answers an invocation that did not come about, or was given up.
func (x *exchange) refused(ctx context.Context, err error) {
	var tooLarge *local.RequestTooLargeError
	var throttled *local.ThrottledError
	switch {
	case errors.As(err, &tooLarge):
		x.fail(x.rules.lambdaTooLarge, err.Error())
	case errors.As(err, &throttled):
		x.fail(x.rules.throttled, err.Error())
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		x.fail(x.rules.timedOut, "the function took longer than "+x.timeout().String()+", the integration's timeout")
	case x.r.Context().Err() != nil:
		x.status, x.remark = 499, "the client went away"
	default:
		x.fail(x.rules.notInvoked, err.Error())
	}
}

// fail answers with an error of the gateway and says on the log why.
func (x *exchange) fail(a answer, why string) {
	x.remark = why
	x.answer(a)
}

// answer sends an answer of the gateway's own.
func (x *exchange) answer(a answer) {
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	if a.errorType != "" {
		h.Set("X-Amzn-Errortype", a.errorType)
	}
	x.id.set(h)
	x.corsHeaders(h)
	a = x.customize(a, h)
	x.send(a.status, []byte(a.body))
}

// plain answers for the server itself, where no API Gateway would.
func (x *exchange) plain(status int, text string) {
	x.remark = text
	x.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	x.send(status, []byte(text+"\n"))
}

func (x *exchange) send(status int, body []byte) {
	x.status = status
	if bodyAllowed(status) {
		x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.w.WriteHeader(status)
	if len(body) > 0 && bodyAllowed(status) {
		n, _ := x.w.Write(body) // a client that has gone needs nothing
		x.written = int64(n)
	}
}

func bodyAllowed(status int) bool { return status >= 200 && status != 204 && status != 304 }
