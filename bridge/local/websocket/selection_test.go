package websocket

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// TestSelection: expressions, messages, and the keys that come of them.
func TestSelection(t *testing.T) {
	for _, test := range []struct {
		expression, message, key string
		ok                       bool
	}{
		{"$request.body.action", `{"action":"join"}`, "join", true},
		{"${request.body.action}", `{"action":"join"}`, "join", true},
		{"${request.body.version}-beta", `{"version":"v1"}`, "v1-beta", true},
		{"$request.body.a.b.c", `{"a":{"b":{"c":"deep"}}}`, "deep", true},
		{"$request.body.list[1].name", `{"list":[{},{"name":"second"}]}`, "second", true},
		{"$request.body[0]", `["first"]`, "first", true},
		{"${request.body.service}/${request.body.action}", `{"service":"chat","action":"join"}`, "chat/join", true},
		{`\$default`, ``, "$default", true},
		{"$request.body.n", `{"n":1.50}`, "1.50", true},
		{"$request.body.b", `{"b":true}`, "true", true},
		{"$request.body.action", `{"action":""}`, "", true},
		{"$request.body.action", `{"action":"$request.body.action"}`, "$request.body.action", true}, // evaluated once
		{"$request.body.action", `{"action":null}`, "", false},
		{"$request.body.action", `{"action":{}}`, "", false},
		{"$request.body.action", `{"action":[]}`, "", false},
		{"$request.body.action", `{"Action":"join"}`, "", false},
		{"$request.body.action", `{"action":"join"`, "", false},
		{"$request.body.action", `{"action":"join"} x`, "", false},
		{"$request.body.action", `"action"`, "", false},
		{"$request.body.action", `action`, "", false},
		{"$request.body.action", ``, "", false},
		{"$request.body.list[2]", `{"list":[1]}`, "", false},
	} {
		s, err := parseSelection(test.expression)
		if err != nil {
			t.Errorf("%s: %v", test.expression, err)
			continue
		}
		if key, ok := s.key([]byte(test.message)); key != test.key || ok != test.ok {
			t.Errorf("%s of %s is %q, %v; want %q, %v", test.expression, test.message, key, ok, test.key, test.ok)
		}
	}
}

// TestBadSelection: what is no expression, and that the error says it.
func TestBadSelection(t *testing.T) {
	for expression, want := range map[string]string{
		"":                      "is empty",
		"$request.header.x":     "$request.header.x is not supported",
		"$context.connectionId": "is not supported",
		"$request.body":         "is not supported",
		"$request.bodyaction":   "is not supported",
		"$":                     "is not supported",
		"${request.body.action": `"${" has no "}"`,
		"$request.body.":        "a name is missing",
		"$request.body.a..b":    "a name is missing",
		"$request.body.a[x]":    `"x" is no index`,
		"$request.body.a[-1]":   `"-1" is no index`,
		"${request.body.a[}":    "is no index",
	} {
		if _, err := parseSelection(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", expression, err, want)
		}
	}
}

// FuzzSelection: nothing makes it fail otherwise than by an error, and one
// variable gives exactly the string that the message has.
func FuzzSelection(f *testing.F) {
	for _, seed := range [][2]string{
		{"$request.body.action", `{"action":"join"}`},
		{"${request.body.a[0]}-x", `{"a":["b"]}`},
		{`\$default`, "x"},
		{"$request.body.a.b", `{"a":{"b":1}}`},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, expression string, message []byte) {
		s, err := parseSelection(expression)
		if err != nil {
			return
		}
		key, ok := s.key(message)
		if !ok && key != "" {
			t.Errorf("a key of what cannot be evaluated: %q", key)
		}
		if len(s) == 1 && len(s[0].path) == 1 && s[0].path[0].name != "" && utf8.ValidString(s[0].path[0].name) {
			name, _ := json.Marshal(s[0].path[0].name)
			if key, ok := s.key([]byte(`{` + string(name) + `:"v"}`)); !ok || key != "v" {
				t.Errorf("%s of its own message is %q, %v", expression, key, ok)
			}
		}
	})
}

// FuzzResponse: an answer is read or refused, and what is read has a status
// that net/http can send.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{
		`{"statusCode":200,"body":"x"}`, `{"statusCode":"404","headers":{"a":1}}`, `{}`, `null`, `{"body":null}`,
		`{"isBase64Encoded":true,"body":"aMOp"}`, `{"multiValueHeaders":{"a":["b"]}}`, `{"statusCode":99}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := parseResponse(payload)
		if err != nil {
			return
		}
		if r.status < 100 || r.status > 599 || !json.Valid(payload) {
			t.Errorf("%q: %+v", payload, r)
		}
	})
}

// FuzzFrames: the watch finds the same frames however the bytes are cut.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{0x81, 0x85, 0, 0, 0, 0, 1, 2, 3, 4, 5, 0x81, 0x80, 0, 0, 0, 0}, uint8(3))
	f.Add(append([]byte{0x01, 0xfe, 0x80, 0x01, 0, 0, 0, 0}, bytes.Repeat([]byte{1}, 40000)...), uint8(7))
	f.Add([]byte{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 9, 9, 9, 9}, uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		var whole, parts frameWatch
		whole.follow(data)
		for rest := data; len(rest) > 0; {
			n := min(len(rest), int(cut)+1)
			parts.follow(rest[:n])
			rest = rest[n:]
		}
		if whole.messages != parts.messages || whole.payload != parts.payload || whole.tooLarge.Load() != parts.tooLarge.Load() || !bytes.Equal(whole.header, parts.header) {
			t.Errorf("cut by %d it differs: %d and %d messages", cut, whole.messages, parts.messages)
		}
	})
}

// FuzzWildcard: a pattern without wildcards matches itself alone, and "*" all.
func FuzzWildcard(f *testing.F) {
	f.Add("arn:aws:execute-api:*:*/x?z", "arn:aws:execute-api:us-east-1:1/xyz")
	f.Add("****a", "aaaa")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		got := wildcard(pattern, text)
		if !strings.ContainsAny(pattern, "*?") && got != (pattern == text) {
			t.Errorf("%q matches %q: %v", pattern, text, got)
		}
		if !wildcard("*", text) || !wildcard(pattern+"*", pattern+text) {
			t.Errorf("%q, %q: a star does not match", pattern, text)
		}
	})
}

// FuzzMessageEvent: a function gets a message exactly as it was sent.
func FuzzMessageEvent(f *testing.F) {
	f.Add(`{"action":"join"}`, "join")
	f.Add("<script>\u2028 & é", "$default")
	f.Fuzz(func(t *testing.T, message, route string) {
		if !utf8.ValidString(message) || !utf8.ValidString(route) {
			return // it is closed before, and a template is UTF-8
		}
		c := &connection{id: newID(), domain: "localhost"}
		e := c.messageEvent(&api{model: &model.WebSocketAPI{StageName: "live"}}, route, message, time.Now())
		var got struct {
			Body           string
			RequestContext struct{ RouteKey, EventType, ConnectionID string }
		}
		if err := json.Unmarshal(e.payload(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Body != message || got.RequestContext.RouteKey != route || got.RequestContext.EventType != "MESSAGE" || got.RequestContext.ConnectionID != c.id {
			t.Errorf("%q came as %s", message, e.payload())
		}
	})
}
