package websocket

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// event is what a function gets. Its members are in API Gateway's order; what
// an event of a kind does not have is left out, as there.
type event struct {
	Type       string              `json:"type,omitempty"`
	MethodARN  string              `json:"methodArn,omitempty"`
	Headers    map[string]string   `json:"headers,omitempty"`
	MultiValue map[string][]string `json:"multiValueHeaders,omitempty"`

	Query           map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQuery map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
	StageVariables  *map[string]string  `json:"stageVariables,omitempty"`

	RequestContext  requestContext `json:"requestContext"`
	Body            *string        `json:"body,omitempty"`
	IsBase64Encoded *bool          `json:"isBase64Encoded,omitempty"`
}

// The types of events.
const (
	connectEvent    = "CONNECT"
	messageEvent    = "MESSAGE"
	disconnectEvent = "DISCONNECT"
)

// requestContext is the context of an event: see
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
type requestContext struct {
	RouteKey             string         `json:"routeKey"`
	DisconnectStatusCode *int           `json:"disconnectStatusCode,omitempty"`
	Authorizer           map[string]any `json:"authorizer,omitempty"`
	MessageID            string         `json:"messageId,omitempty"`
	EventType            string         `json:"eventType"`
	ExtendedRequestID    string         `json:"extendedRequestId"`
	RequestTime          string         `json:"requestTime"`
	MessageDirection     string         `json:"messageDirection"`
	DisconnectReason     *string        `json:"disconnectReason,omitempty"`
	Stage                string         `json:"stage"`
	ConnectedAt          int64          `json:"connectedAt"`
	RequestTimeEpoch     int64          `json:"requestTimeEpoch"`
	Identity             identity       `json:"identity"`
	RequestID            string         `json:"requestId"`
	DomainName           string         `json:"domainName"`
	ConnectionID         string         `json:"connectionId"`
	APIID                string         `json:"apiId"`
}

type identity struct {
	UserAgent string `json:"userAgent,omitempty"`
	SourceIP  string `json:"sourceIp"`
}

// context begins the context of an event of a connection.
func (c *connection) context(a *api, kind, route string, now time.Time) requestContext {
	id := newID()
	return requestContext{
		RouteKey: route, EventType: kind, MessageDirection: "IN",
		RequestID: id, ExtendedRequestID: id,
		RequestTime: now.UTC().Format("02/Jan/2006:15:04:05 +0000"), RequestTimeEpoch: now.UnixMilli(),
		Stage: a.model.StageName, APIID: a.model.APIID, DomainName: c.domain,
		ConnectionID: c.id, ConnectedAt: c.connectedAt.UnixMilli(),
		Identity: c.identity, Authorizer: c.authorizer,
	}
}

// connectEvent is the event of the handshake.
func (c *connection) connectEvent(a *api, r *http.Request, trace string, now time.Time) event {
	e := event{RequestContext: c.context(a, connectEvent, "$connect", now), IsBase64Encoded: new(bool)}
	e.setHeaders(r, trace)
	e.setQuery(r.URL.RawQuery)
	e.setStageVariables(a)
	return e
}

// messageEvent is the event of a message.
func (c *connection) messageEvent(a *api, route, body string, now time.Time) event {
	e := event{RequestContext: c.context(a, messageEvent, route, now), Body: &body, IsBase64Encoded: new(bool)}
	e.RequestContext.MessageID = newID()
	e.setStageVariables(a)
	return e
}

// disconnectEvent is the event of the end. The headers are those few that API
// Gateway sends along, empty but for the host.
func (c *connection) disconnectEvent(a *api, code int, reason string, now time.Time) event {
	e := event{RequestContext: c.context(a, disconnectEvent, "$disconnect", now), IsBase64Encoded: new(bool)}
	e.Headers = map[string]string{"Host": c.domain, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
	e.MultiValue = map[string][]string{}
	for name, value := range e.Headers {
		e.MultiValue[name] = []string{value}
	}
	e.RequestContext.DisconnectStatusCode, e.RequestContext.DisconnectReason = &code, &reason
	e.setStageVariables(a)
	return e
}

func (e *event) setStageVariables(a *api) {
	if len(a.model.StageVariables) > 0 {
		e.StageVariables = &a.model.StageVariables
	}
}

// setHeaders copies the headers of the handshake, but for those of the single
// hop, and adds what API Gateway adds. Of a header that comes twice, the last
// value counts in the plain map.
func (e *event) setHeaders(r *http.Request, trace string) {
	e.Headers, e.MultiValue = map[string]string{}, map[string][]string{}
	for name, values := range r.Header {
		if name != "Connection" && name != "Upgrade" {
			e.MultiValue[spelt(name)] = values
		}
	}
	peer, port := addresses(r)
	for name, value := range map[string]string{
		"Host": r.Host, "X-Amzn-Trace-Id": trace, "X-Forwarded-For": peer,
		"X-Forwarded-Port": port, "X-Forwarded-Proto": scheme(r),
	} {
		e.MultiValue[name] = []string{value}
	}
	for name, values := range e.MultiValue {
		e.Headers[name] = values[len(values)-1]
	}
}

// spelt undoes net/http's spelling of the one kind of header that clients and
// API Gateway write otherwise.
func spelt(name string) string {
	if rest, ok := strings.CutPrefix(name, "Sec-Websocket-"); ok {
		return "Sec-WebSocket-" + rest
	}
	return name
}

func (e *event) setQuery(raw string) {
	query, _ := url.ParseQuery(raw) // what can't be read is left out
	if len(query) == 0 {
		return
	}
	e.Query, e.MultiValueQuery = map[string]string{}, query
	for name, values := range query {
		e.Query[name] = values[len(values)-1]
	}
}

// addresses are the client's address and this server's port.
func addresses(r *http.Request) (peer, port string) {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		peer = r.RemoteAddr
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		_, port, _ = net.SplitHostPort(local.String())
	}
	return peer, port
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// payload is the event as a function gets it.
func (e event) payload() []byte {
	data, _ := json.Marshal(e) // texts and numbers: it can't fail
	return data
}
