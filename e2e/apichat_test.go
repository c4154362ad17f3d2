//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	ws "github.com/coder/websocket"
)

// chatRule is a rule of WebSocket APIs with what tries it: its complaint.
type chatRule struct {
	says, page string
	try        func(*chat) string
}

// chat is one client of the WebSocket API.
type chat struct {
	t   testing.TB
	url string
	ctx context.Context
}

// complaintsOfChat are the tries of all rules by what they say.
var complaintsOfChat = func() map[string]func(testing.TB, string) string {
	all := map[string]func(testing.TB, string) string{}
	for _, r := range chatRules {
		all[r.says] = func(t testing.TB, url string) string {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			return r.try(&chat{t, url, ctx})
		}
	}
	return all
}()

func rulesOfWebSockets() []rule {
	var all []rule
	for _, r := range chatRules {
		all = append(all, rule{says: r.says, page: r.page, api: "Chat", sam: lacks("the SAM CLI serves no WebSocket API")})
	}
	return all
}

// dial connects; the status is that of the handshake.
func (c *chat) dial(query string, protocols ...string) (*ws.Conn, int, string) {
	conn, response, err := ws.Dial(c.ctx, c.url+"?"+query, &ws.DialOptions{Subprotocols: protocols})
	if err != nil {
		if response == nil {
			c.t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		return nil, response.StatusCode, string(body)
	}
	conn.SetReadLimit(1 << 20)
	return conn, response.StatusCode, ""
}

// connected is a connection that must be made.
func (c *chat) connected() *ws.Conn {
	c.t.Helper()
	conn, status, body := c.dial("token=allow")
	if conn == nil {
		c.t.Fatalf("the handshake gave %d %s", status, body)
	}
	return conn
}

// tell sends a message and gives the next one that comes.
func (c *chat) tell(conn *ws.Conn, message string) string {
	if err := conn.Write(c.ctx, ws.MessageText, []byte(message)); err != nil {
		return err.Error()
	}
	_, answer, err := conn.Read(c.ctx)
	if err != nil {
		return err.Error()
	}
	return string(answer)
}

// refused wants a handshake to fail.
func refused(query string, status int, message string) func(*chat) string {
	return func(c *chat) string {
		conn, got, body := c.dial(query)
		if conn != nil {
			_ = conn.CloseNow()
		}
		if got != status || !strings.Contains(body, message) {
			return fmt.Sprintf("the handshake gave %d %s, want %d %s", got, body, status, message)
		}
		return ""
	}
}

// says wants an object with a message, and the ids of the connection and the
// request, for a message.
func saying(message, want string) func(*chat) string {
	return func(c *chat) string {
		conn := c.connected()
		defer conn.CloseNow()
		answer := c.tell(conn, message)
		var said struct{ Message, ConnectionID, RequestID string }
		if err := json.Unmarshal([]byte(answer), &said); err != nil || said.Message != want || said.ConnectionID == "" || said.RequestID == "" {
			return "it was answered " + answer
		}
		return ""
	}
}

// closing wants the connection closed with a code after what is sent.
func closing(code ws.StatusCode, send func(*chat, *ws.Conn) error) func(*chat) string {
	return func(c *chat) string {
		conn := c.connected()
		defer conn.CloseNow()
		if err := send(c, conn); err != nil {
			return err.Error()
		}
		var end ws.CloseError
		if _, _, err := conn.Read(c.ctx); !errors.As(err, &end) || end.Code != code {
			return fmt.Sprintf("it ended with %v", err)
		}
		return ""
	}
}

// eventOf is the event of a message on a two-way route.
func (c *chat) eventOf(conn *ws.Conn, message string) (any, string) {
	answer := c.tell(conn, message)
	var event any
	if err := json.Unmarshal([]byte(answer), &event); err != nil {
		return nil, "it was answered " + answer
	}
	return event, ""
}

// manage calls the management API for a connection.
func (c *chat) manage(method, id, body string) (int, http.Header, string) {
	address := strings.Replace(c.url, "ws://", "http://", 1) + "/@connections/" + url.PathEscape(id)
	request, err := http.NewRequestWithContext(c.ctx, method, address, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, string(text)
}

const askEvent = `{"action":"ask"}`

var chatRules = []chatRule{
	{"A policy that allows lets connect", chatGuard, func(c *chat) string {
		_ = c.connected().CloseNow()
		return ""
	}},
	{"Without its identity source the authorizer is not invoked: 401", chatGuard, refused("", 401, "Unauthorized")},
	{"A policy that denies gives 403", chatGuard, refused("token=deny", 403, "Forbidden")},
	{"An authorizer that says Unauthorized gives 401", chatGuard, refused("token=unauthorized", 401, "Unauthorized")},
	{"An authorizer that fails gives 500", chatGuard, refused("token=fail", 500, "Internal server error")},
	{"The function of $connect can refuse, with its status code", chatConnect, refused("token=allow&status=403", 403, "")},
	{"Where it fails, no connection is made", chatConnect, refused("token=allow&do=fail", 502, "Internal server error")},
	{"It can choose a subprotocol", chatProtocol, func(c *chat) string {
		conn, _, _ := c.dial("token=allow&protocol=two", "one", "two")
		if conn == nil {
			return "no connection"
		}
		defer conn.CloseNow()
		if conn.Subprotocol() != "two" {
			return "the subprotocol is " + conn.Subprotocol()
		}
		return ""
	}},
	{"The route selection expression chooses the route, whose answer goes back where it has a route response", chatTwoWay, func(c *chat) string {
		conn := c.connected()
		defer conn.CloseNow()
		event, complaint := c.eventOf(conn, askEvent)
		if complaint != "" {
			return complaint
		}
		if at(event, "requestContext.routeKey") != "ask" || at(event, "body") != askEvent {
			return fmt.Sprint(event)
		}
		return ""
	}},
	{"A route without route response answers nothing", chatTwoWay, func(c *chat) string {
		conn := c.connected()
		defer conn.CloseNow()
		if err := conn.Write(c.ctx, ws.MessageText, []byte(`{"action":"say"}`)); err != nil {
			return err.Error()
		}
		event, complaint := c.eventOf(conn, askEvent)
		if complaint == "" && at(event, "requestContext.routeKey") != "ask" {
			return fmt.Sprint("it was answered ", event)
		}
		return complaint
	}},
	{"Without a route and without $default a message is answered by an error", chatRoutes, saying(`{"action":"shout"}`, "Forbidden")},
	{"So is one that is no JSON", chatRoutes, saying(`shout`, "Forbidden")},
	{"A client cannot invoke $disconnect by its name", chatRoutes, saying(`{"action":"$disconnect"}`, "Forbidden")},
	{"A function that fails gives Internal server error", chatRoutes, saying(`{"action":"say","do":"fail"}`, "Internal server error")},
	{"An event has the context of the connection", chatContext, func(c *chat) string {
		conn := c.connected()
		defer conn.CloseNow()
		event, complaint := c.eventOf(conn, askEvent)
		if complaint != "" {
			return complaint
		}
		for path, want := range map[string]any{
			"requestContext.eventType": "MESSAGE", "requestContext.stage": "live", "requestContext.messageDirection": "IN",
			"requestContext.identity.sourceIp": "127.0.0.1", "requestContext.authorizer.user": "ann", "requestContext.authorizer.number": "7",
			"stageVariables.color": "green", "headers": nil, "isBase64Encoded": false,
		} {
			if got := at(event, path); got != want {
				return fmt.Sprintf("%s is %v", path, got)
			}
		}
		for _, path := range []string{"connectionId", "messageId", "requestId", "domainName", "apiId"} {
			if !isText(at(event, "requestContext."+path)) {
				return path + " is missing"
			}
		}
		return ""
	}},
	{"https, domainName and stage lead a function to its client", chatManage, func(c *chat) string {
		conn := c.connected()
		defer conn.CloseNow()
		if got := c.tell(conn, `{"action":"say","do":"push","text":"pushed"}`); got != "pushed" {
			return "the client got " + got
		}
		return ""
	}},
	{"So does the address of the stage in the template", chatManage, func(c *chat) string {
		conn := c.connected()
		defer conn.CloseNow()
		if got := c.tell(conn, `{"action":"say","do":"callback","text":"called"}`); got != "called" {
			return "the client got " + got
		}
		return ""
	}},
	{"POST, GET and DELETE of @connections reach a connection, and 410 tells of its end", chatManage, func(c *chat) string {
		conn := c.connected()
		defer conn.CloseNow()
		event, complaint := c.eventOf(conn, askEvent)
		if complaint != "" {
			return complaint
		}
		id := at(event, "requestContext.connectionId").(string)
		if status, _, _ := c.manage("POST", id, "hello"); status != 200 {
			return fmt.Sprint("POST gave ", status)
		}
		if _, got, err := conn.Read(c.ctx); err != nil || string(got) != "hello" {
			return fmt.Sprintf("the client got %s, %v", got, err)
		}
		if status, _, body := c.manage("GET", id, ""); status != 200 || !strings.Contains(body, `"sourceIp":"127.0.0.1"`) {
			return fmt.Sprint("GET gave ", status, body)
		}
		if status, _, _ := c.manage("DELETE", id, ""); status != 204 {
			return fmt.Sprint("DELETE gave ", status)
		}
		var end ws.CloseError
		if _, _, err := conn.Read(c.ctx); !errors.As(err, &end) || end.Code != 1000 {
			return fmt.Sprintf("it ended with %v", err)
		}
		for range 100 { // until this side's end has been heard
			status, header, _ := c.manage("POST", id, "late")
			if status == 410 && header.Get("X-Amzn-Errortype") == "GoneException" {
				return ""
			}
			time.Sleep(20 * time.Millisecond)
		}
		return "it is not gone"
	}},
	{"A message of 128 KB in frames of 32 KB passes, and an answer over it does not", chatLimits, func(c *chat) string {
		conn := c.connected()
		defer conn.CloseNow()
		w, err := conn.Writer(c.ctx, ws.MessageText)
		if err != nil {
			return err.Error()
		}
		rest := `{"action":"ask","text":"` + strings.Repeat("x", 128*1024-26) + `"}`
		for rest != "" {
			n := min(len(rest), 32*1024)
			if _, err := io.WriteString(w, rest[:n]); err != nil {
				return err.Error()
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			return err.Error()
		}
		_, answer, err := conn.Read(c.ctx)
		if err != nil || !strings.Contains(string(answer), "Internal server error") { // since the whole event is over the limit
			return fmt.Sprintf("%.100s %v", answer, err)
		}
		return ""
	}},
	{"A frame over 32 KB closes with 1009", chatLimits, closing(1009, func(c *chat, conn *ws.Conn) error {
		return conn.Write(c.ctx, ws.MessageText, make([]byte, 32*1024+1))
	})},
	{"A binary message closes with 1003", "apigateway/latest/developerguide/apigateway-websocket-api-routes-integrations.html", closing(1003, func(c *chat, conn *ws.Conn) error {
		return conn.Write(c.ctx, ws.MessageBinary, []byte("x"))
	})},
}
