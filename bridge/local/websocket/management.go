package websocket

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
	"unicode/utf8"

	ws "github.com/coder/websocket"
)

// manage is the management API for one connection:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
func (s *Server) manage(w http.ResponseWriter, r *http.Request, a *api, id string) {
	if r.Header.Get("Origin") != "" {
		fail(w, http.StatusForbidden, "ForbiddenException", "the management API is for programs, not for web pages")
		return
	}
	switch r.Method {
	case http.MethodPost, http.MethodGet, http.MethodDelete:
	default:
		fail(w, http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token")
		return
	}
	message, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			fail(w, http.StatusRequestEntityTooLarge, "PayloadTooLargeException", "Payload too large: a message has 131072 bytes at most")
		}
		return // else the caller is gone
	}
	s.mu.Lock()
	c := s.connections[id]
	s.mu.Unlock()
	if c == nil || c.path != a.model.Path || !c.awaited(r.Context()) {
		gone(w)
		return
	}
	switch r.Method {
	case http.MethodPost:
		c.post(w, message)
	case http.MethodGet:
		c.describe(w)
	case http.MethodDelete:
		go c.close(ws.StatusNormalClosure, "Connection Closed Normally")
		w.WriteHeader(http.StatusNoContent)
	}
}

// awaited waits for the end of the handshake, and reports whether there is a
// connection then.
func (c *connection) awaited(ctx context.Context) bool {
	select {
	case <-c.established:
		return c.conn != nil
	case <-ctx.Done():
		return false
	}
}

// post is PostToConnection.
func (c *connection) post(w http.ResponseWriter, message []byte) {
	if err := c.send(message); err != nil {
		gone(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
}

// describe is GetConnection.
func (c *connection) describe(w http.ResponseWriter) {
	const form = "2006-01-02T15:04:05.000Z"
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"connectedAt":  c.connectedAt.UTC().Format(form),
		"lastActiveAt": time.UnixMilli(c.lastActive.Load()).UTC().Format(form),
		"identity":     map[string]string{"sourceIp": c.identity.SourceIP, "userAgent": c.identity.UserAgent},
	})
}

func gone(w http.ResponseWriter) { fail(w, http.StatusGone, "GoneException", "") }

// fail writes an error as the SDKs read it.
func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Amzn-Errortype", code)
	var body any = struct{}{}
	if message != "" {
		body = map[string]string{"message": message}
	}
	writeJSON(w, status, body)
}

// plain writes an error that belongs to no connection.
func plain(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"message": message})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	data, _ := json.Marshal(body) // texts: it can't fail
	_, _ = w.Write(data)
}

// isText says whether a message can be sent as text, which must be UTF-8.
func isText(message []byte) bool { return utf8.Valid(message) }

// Endpoint is the endpoint of the management API of a stage that is served at
// host, "127.0.0.1:3001": what an SDK's client is given.
func Endpoint(host, stage string) string { return "http://" + host + "/" + stage }
