package websocket

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	ws "github.com/coder/websocket"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// connection is one client.
type connection struct {
	server *Server
	id     string
	path   string // of its API

	domain      string
	connectedAt time.Time
	identity    identity
	authorizer  map[string]any

	// established is closed when the handshake is over: conn is nil where it
	// failed.
	established chan struct{}

	conn       *ws.Conn
	frames     *frameWatch
	lastActive atomic.Int64 // in milliseconds since 1970
	idle       *time.Timer

	closing sync.Once
	// code and reason are the server's, where it closed the connection.
	code   ws.StatusCode
	reason string
}

// connect is the whole life of a connection: it returns at its end.
func (s *Server) connect(w http.ResponseWriter, r *http.Request, a *api) {
	if !wantsWebSocket(r) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		plain(w, http.StatusUpgradeRequired, "Upgrade Required")
		return
	}
	if !s.admit() {
		plain(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	defer s.open.Done()
	now := time.Now()
	c := &connection{server: s, id: newID(), path: a.model.Path, domain: r.Host, connectedAt: now, established: make(chan struct{})}
	c.identity.SourceIP, _ = addresses(r)
	c.identity.UserAgent = r.UserAgent()
	trace := newTrace(now)
	e := c.connectEvent(a, r, trace, now)
	protocol, refused := c.invokeConnect(a, r, e, trace)
	if refused != nil {
		s.log("%s: a connection is refused with %d %s: %s", a.model.Path, refused.status, refused.message, refused.cause)
		c.refuse(w, refused, e.RequestContext.RequestID)
		return
	}
	// The client may tell others of the connection as soon as it has heard that
	// it is established, which is before accept returns.
	s.mu.Lock()
	s.connections[c.id] = c
	s.mu.Unlock()
	if err := c.accept(w, r, protocol); err != nil {
		close(c.established)
		s.forget(c)
		s.log("%s: a handshake failed: %v", a.model.Path, err)
		return
	}
	c.live()
}

func (s *Server) forget(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.connections, c.id)
}

// admit counts a connection, unless the server closes.
func (s *Server) admit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.open.Add(1)
	}
	return !s.closed
}

func wantsWebSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// invokeConnect runs the authorizer and the function of $connect. It gives the
// subprotocol that the function chose.
func (c *connection) invokeConnect(a *api, r *http.Request, e event, trace string) (protocol string, refused *refusal) {
	route := a.routes["$connect"]
	if route == nil {
		return "", nil
	}
	// The client may go away meanwhile, which must not end the process.
	ctx := context.WithoutCancel(r.Context())
	if refused := c.authorize(ctx, a, route, r, e); refused != nil {
		return "", refused
	}
	if route.Function == nil {
		return "", nil
	}
	e.RequestContext.Authorizer = c.authorizer
	answer, refused := c.ask(ctx, route, e.payload(), trace)
	if refused != nil {
		return "", refused
	}
	if !answer.successful() {
		refused = refuse(answer.status, http.StatusText(answer.status), "the function "+route.Function.Path+" answered with that status code")
		if route.RouteResponse {
			refused.body = answer.body
		}
		return "", refused
	}
	for name, value := range answer.headers {
		if strings.EqualFold(name, "Sec-WebSocket-Protocol") {
			protocol = value
		}
	}
	return protocol, nil
}

// ask invokes a route's function for a proxy response.
func (c *connection) ask(ctx context.Context, route *model.WebSocketRoute, payload []byte, trace string) (response, *refusal) {
	result, err := c.server.invoke(ctx, route.Function, payload, trace, time.Duration(route.TimeoutMillis)*time.Millisecond)
	var throttled *local.ThrottledError
	switch {
	case errors.Is(err, errTimedOut):
		return response{}, refuse(http.StatusGatewayTimeout, timedOut, "the function "+route.Function.Path+": "+err.Error())
	case errors.As(err, &throttled):
		return response{}, refuse(http.StatusInternalServerError, internalError, err.Error())
	case err != nil:
		return response{}, refuse(http.StatusBadGateway, internalError, "the function "+route.Function.Path+" could not be run: "+err.Error())
	case result.FunctionError != "":
		return response{}, refuse(http.StatusBadGateway, internalError, "the function "+route.Function.Path+" failed: "+string(result.Payload))
	}
	answer, err := parseResponse(result.Payload)
	if err != nil {
		return response{}, refuse(http.StatusBadGateway, internalError, "the function "+route.Function.Path+": "+err.Error())
	}
	return answer, nil
}

// refuse answers a handshake that fails.
func (c *connection) refuse(w http.ResponseWriter, refused *refusal, requestID string) {
	w.Header().Set("X-Amzn-Requestid", requestID)
	body := refused.body
	if body == nil {
		w.Header().Set("Content-Type", "application/json")
		body = c.complaint(refused.message, requestID)
	}
	w.WriteHeader(refused.status)
	_, _ = w.Write(body)
}

// complaint is API Gateway's own message to a client.
func (c *connection) complaint(message, requestID string) []byte {
	data, _ := json.Marshal(struct {
		Message      string `json:"message"`
		ConnectionID string `json:"connectionId"`
		RequestID    string `json:"requestId"`
	}{message, c.id, requestID}) // texts: it can't fail
	return data
}

// accept completes the handshake.
func (c *connection) accept(w http.ResponseWriter, r *http.Request, protocol string) error {
	c.frames = &frameWatch{}
	options := &ws.AcceptOptions{
		InsecureSkipVerify: true, // trusted has looked at the origin
		OnPingReceived: func(context.Context, []byte) bool {
			c.touch()
			return true
		},
	}
	if protocol != "" {
		options.Subprotocols = []string{protocol}
	}
	conn, err := ws.Accept(&watched{w, c.frames}, r, options)
	if err != nil {
		return err
	}
	conn.SetReadLimit(-1) // the limit is held in readMessage
	c.conn = conn
	return nil
}

// live is the connection from the handshake to the end.
func (c *connection) live() {
	s := c.server
	c.touch()
	c.idle = time.AfterFunc(s.options.IdleTimeout, func() { c.close(ws.StatusGoingAway, "Going away") })
	defer c.idle.Stop()
	age := time.AfterFunc(s.options.MaxAge, func() { c.close(ws.StatusGoingAway, "Going away") })
	defer age.Stop()

	close(c.established)
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		go c.close(ws.StatusGoingAway, "the server ends")
	}
	err := c.readAll()
	s.forget(c)
	_ = c.conn.CloseNow() // it may be closed already

	c.disconnected(err)
}

// touch notes a sign of life.
func (c *connection) touch() {
	c.lastActive.Store(time.Now().UnixMilli())
	if c.idle != nil {
		c.idle.Reset(c.server.options.IdleTimeout)
	}
}

// close ends the connection from this side, once. The client is given time to
// say that it has heard.
func (c *connection) close(code ws.StatusCode, reason string) {
	c.closing.Do(func() {
		c.code, c.reason = code, reason
		_ = c.conn.Close(code, reason) // the client may be gone
	})
}

// errClosed says that the server has closed the connection.
var errClosed = errors.New("closed by the server")

// readAll reads messages until the end, and handles each in a goroutine of its
// own.
func (c *connection) readAll() error {
	ctx := context.Background() // the end of one would close without a word
	slots := make(chan struct{}, maxInFlight)
	for n := int64(0); ; n++ {
		message, err := c.readMessage(ctx, n)
		if err != nil {
			return err
		}
		c.touch()
		slots <- struct{}{}
		c.server.invocations.Add(1)
		go func() {
			defer c.server.invocations.Done()
			c.handle(message)
			<-slots
		}()
	}
}

// readMessage reads message number n and holds it to the limits.
func (c *connection) readMessage(ctx context.Context, n int64) ([]byte, error) {
	kind, reader, err := c.conn.Reader(ctx)
	if err != nil {
		return nil, err
	}
	if kind != ws.MessageText {
		c.close(ws.StatusUnsupportedData, "binary messages are not supported")
		return nil, errClosed
	}
	var message []byte
	chunk := make([]byte, 4096)
	for {
		read, err := reader.Read(chunk)
		message = append(message, chunk[:read]...)
		if len(message) > maxMessage || c.frames.exceeded(n) {
			c.close(ws.StatusMessageTooBig, "a message has 128 KB at most, in frames of 32 KB at most")
			return nil, errClosed
		}
		switch {
		case errors.Is(err, io.EOF) && !isText(message):
			c.close(ws.StatusInvalidFramePayloadData, "a message is UTF-8")
			return nil, errClosed
		case errors.Is(err, io.EOF):
			return message, nil
		case err != nil:
			return nil, err
		}
	}
}

// handle takes one message to its route.
func (c *connection) handle(message []byte) {
	a := c.server.api(c.path)
	if a == nil {
		return // it was swapped out, and the connection closes
	}
	e := c.messageEvent(a, "", string(message), time.Now())
	route := a.route(message)
	if route == nil {
		c.server.log("%s: no route takes the message %.100q, and there is no $default", a.model.Path, message)
		c.answer(c.complaint(forbidden, e.RequestContext.RequestID))
		return
	}
	if route.Function == nil {
		return
	}
	e.RequestContext.RouteKey = route.Key
	answer, refused := c.ask(context.Background(), route, e.payload(), newTrace(time.Now()))
	switch {
	case refused != nil:
		c.server.log("%s: %s: %s", a.model.Path, route.Key, refused.cause)
		c.answer(c.complaint(refused.message, e.RequestContext.RequestID))
	case route.RouteResponse && len(answer.body) > maxMessage:
		c.server.log("%s: %s: the function answered with %d bytes, and a message has %d at most", a.model.Path, route.Key, len(answer.body), maxMessage)
		c.answer(c.complaint(internalError, e.RequestContext.RequestID))
	case route.RouteResponse && answer.body != nil:
		c.answer(answer.body)
	}
}

// route is the one for a message, nil where there is none. A client cannot have
// $connect or $disconnect invoked by naming them.
func (a *api) route(message []byte) *model.WebSocketRoute {
	key, ok := a.selection.key(message)
	if route := a.routes[key]; ok && route != nil && key != "$connect" && key != "$disconnect" {
		return route
	}
	return a.routes["$default"]
}

// answer sends a message to the client, which may be gone.
func (c *connection) answer(message []byte) {
	if err := c.send(message); err != nil {
		c.server.log("%s: connection %s: an answer was lost: %v", c.path, c.id, err)
	}
}

// send sends one message, in frames as small as API Gateway's. It does not wait
// for ever: a client that reads nothing loses its connection.
func (c *connection) send(message []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.server.options.WriteTimeout)
	defer cancel()
	kind := ws.MessageText
	if !isText(message) {
		kind = ws.MessageBinary
	}
	c.touch()
	if len(message) <= maxFrame {
		return c.conn.Write(ctx, kind, message)
	}
	w, err := c.conn.Writer(ctx, kind)
	if err != nil {
		return err
	}
	for len(message) > 0 {
		n := min(len(message), maxFrame)
		if _, err := w.Write(message[:n]); err != nil {
			return err
		}
		message = message[n:]
	}
	return w.Close()
}

// disconnected invokes $disconnect. API Gateway does its best to, and so does
// this.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
func (c *connection) disconnected(err error) {
	c.closing.Do(func() {}) // a close that is under way has set the code
	a := c.server.api(c.path)
	if a == nil {
		return
	}
	route := a.routes["$disconnect"]
	if route == nil || route.Function == nil {
		return
	}
	code, reason := c.ending(err)
	e := c.disconnectEvent(a, code, reason, time.Now())
	if _, refused := c.ask(context.Background(), route, e.payload(), newTrace(time.Now())); refused != nil {
		c.server.log("%s: $disconnect: %s", a.model.Path, refused.cause)
	}
}

// ending is the status code and the reason of the end: this side's where it
// closed, else the client's, else 1006 where there was no word.
func (c *connection) ending(err error) (int, string) {
	var theirs ws.CloseError
	switch {
	case c.code != 0:
		return int(c.code), c.reason
	case errors.As(err, &theirs) && theirs.Code == ws.StatusNoStatusRcvd:
		return int(theirs.Code), "Client-side close frame status not set"
	case errors.As(err, &theirs):
		return int(theirs.Code), theirs.Reason
	default:
		return int(ws.StatusAbnormalClosure), "Connection closed abnormally"
	}
}
