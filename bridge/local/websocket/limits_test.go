package websocket_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	ws "github.com/coder/websocket"

	"github.com/bailey-cdk/bailey/bridge/local/websocket"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// raw is a client that writes frames as it likes.
type raw struct{ net.Conn }

func (f *fixture) raw(t *testing.T) raw {
	t.Helper()
	host := strings.TrimPrefix(f.http.URL, "http://")
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "GET /live HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", host)
	head := make([]byte, 0, 512)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		b := make([]byte, 1)
		if _, err := c.Read(b); err != nil {
			t.Fatal(err)
		}
		head = append(head, b...)
	}
	if !strings.HasPrefix(string(head), "HTTP/1.1 101 ") {
		t.Fatalf("%s", head)
	}
	f.next(t, "Connect")
	return raw{c}
}

// frame writes a frame with a mask of zeros.
func (r raw) frame(t *testing.T, first byte, payload []byte) {
	t.Helper()
	header := []byte{first}
	switch n := len(payload); {
	case n < 126:
		header = append(header, 0x80|byte(n))
	case n < 1<<16:
		header = binary.BigEndian.AppendUint16(append(header, 0x80|126), uint16(n))
	default:
		header = binary.BigEndian.AppendUint64(append(header, 0x80|127), uint64(n))
	}
	header = append(header, 0, 0, 0, 0)
	if _, err := r.Write(append(header, payload...)); err != nil {
		t.Fatal(err)
	}
}

// closeCode reads frames up to the one that closes.
func (r raw) closeCode(t *testing.T) int {
	t.Helper()
	for {
		head := make([]byte, 2)
		if _, err := io.ReadFull(r, head); err != nil {
			t.Fatal("no word of the end: ", err)
		}
		n := int(head[1])
		if n == 126 {
			more := make([]byte, 2)
			if _, err := io.ReadFull(r, more); err != nil {
				t.Fatal(err)
			}
			n = int(binary.BigEndian.Uint16(more))
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(r, payload); err != nil {
			t.Fatal(err)
		}
		if head[0]&0xf == 8 {
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}

const (
	fin    = 0x80
	text   = 1
	binKnd = 2
)

// TestMessageLimits: 128 KB in frames of 32 KB pass, and no byte more.
func TestMessageLimits(t *testing.T) {
	part := bytes.Repeat([]byte("x"), 32*1024)
	t.Run("the most", func(t *testing.T) {
		f := start(t, chat(), nil)
		r := f.raw(t)
		for range 3 { // each message anew
			r.frame(t, text, part)
			r.frame(t, 0, part)
			r.frame(t, fin|9, []byte("a ping between"))
			r.frame(t, 0, part)
			r.frame(t, fin, part)
			if got := len(f.next(t, "Default").event["body"].(string)); got != 128*1024 {
				t.Errorf("%d bytes came", got)
			}
		}
	})
	for name, send := range map[string]func(raw){
		"a frame too large":       func(r raw) { r.frame(t, fin|text, append(part, 'x')) },
		"a later frame too large": func(r raw) { r.frame(t, text, part[:1]); r.frame(t, fin, append(part, 'x')) },
		"a huge frame":            func(r raw) { r.frame(t, fin|text, bytes.Repeat(part, 40)) },
		"too large together": func(r raw) {
			r.frame(t, text, part)
			r.frame(t, 0, part)
			r.frame(t, 0, part)
			r.frame(t, 0, part)
			r.frame(t, fin, part[:1])
		},
		"after a message": func(r raw) { r.frame(t, fin|text, []byte("first")); r.frame(t, fin|text, append(part, 'x')) },
		"the length alone is a lie": func(r raw) {
			_, _ = r.Write(append([]byte{fin | text, 0x80 | 127}, make([]byte, 12)...))
			r.frame(t, fin|text, append(part, 'x'))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, chat(), nil)
			r := f.raw(t)
			go send(r)
			if got := r.closeCode(t); got != 1009 {
				t.Errorf("closed with %d", got)
			}
			_ = r.Close()
			for c := f.next2(t); ; c = f.next2(t) {
				if c.function == "Disconnect" {
					if rc := object(c.event["requestContext"]); rc["disconnectStatusCode"] != 1009.0 {
						t.Errorf("%s", c.text)
					}
					return
				}
			}
		})
	}
	t.Run("no UTF-8", func(t *testing.T) {
		r := start(t, chat(), nil).raw(t)
		r.frame(t, fin|text, []byte{0xff})
		if got := r.closeCode(t); got != 1007 {
			t.Errorf("closed with %d", got)
		}
	})
	t.Run("binary", func(t *testing.T) {
		r := start(t, chat(), nil).raw(t)
		r.frame(t, fin|binKnd, []byte("x"))
		if got := r.closeCode(t); got != 1003 {
			t.Errorf("closed with %d", got)
		}
	})
}

// next2 is the next invocation of any function.
func (f *functions) next2(t *testing.T) call {
	t.Helper()
	select {
	case c := <-f.calls:
		return c
	case <-time.After(10 * time.Second):
		t.Fatal("no function was invoked")
		return call{}
	}
}

// TestBadFrames: what breaks the protocol ends the connection, and its function
// of $disconnect is told.
func TestBadFrames(t *testing.T) {
	for name, bytes := range map[string][]byte{
		"no mask":          {fin | text, 1, 'x'},
		"a reserved bit":   {fin | 0x40 | text, 0x80, 0, 0, 0, 0},
		"an unknown code":  {fin | 3, 0x80, 0, 0, 0, 0},
		"a stray part":     {fin, 0x80, 0, 0, 0, 0},
		"a long ping":      {fin | 9, 0x80 | 126, 1, 0, 0, 0, 0, 0},
		"a length of 2^63": {fin | text, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"half a header":    {fin},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, chat(), nil)
			r := f.raw(t)
			_, _ = r.Write(bytes)
			time.AfterFunc(50*time.Millisecond, func() { _ = r.Close() })
			f.next(t, "Disconnect")
		})
	}
}

// TestIdle: a connection without a message ends, and messages in either
// direction and pings keep it.
func TestIdle(t *testing.T) {
	f := start(t, chat(), func(o *websocket.Options) { o.IdleTimeout = 300 * time.Millisecond })
	f.set("Default", fixed(`{"statusCode":200}`))
	c, _ := f.dial(t, "/live", nil)
	begun := time.Now()
	go func() {
		for range 10 {
			time.Sleep(60 * time.Millisecond)
			_ = c.Ping(t.Context()) // answered while closed reads
		}
	}()
	e := closed(t, c)
	if e.Code != ws.StatusGoingAway || time.Since(begun) < 600*time.Millisecond {
		t.Errorf("%v after %v", e, time.Since(begun))
	}
	if rc := object(f.next(t, "Disconnect").event["requestContext"]); rc["disconnectStatusCode"] != 1001.0 || rc["disconnectReason"] != "Going away" {
		t.Errorf("%v", rc)
	}
}

// TestAge: no sign of life helps beyond the longest life.
func TestAge(t *testing.T) {
	f := start(t, chat(), func(o *websocket.Options) { o.MaxAge = 200 * time.Millisecond })
	c, _ := f.dial(t, "/live", nil)
	if e := closed(t, c); e.Code != ws.StatusGoingAway {
		t.Error(e)
	}
	f.next(t, "Disconnect")
}

// TestEndings: the status codes that $disconnect is told.
func TestEndings(t *testing.T) {
	f := start(t, chat(), nil)
	for _, test := range []struct {
		end    func(*ws.Conn)
		code   float64
		reason string
	}{
		{func(c *ws.Conn) { _ = c.Close(1000, "bye") }, 1000, "bye"},
		{func(c *ws.Conn) { _ = c.Close(ws.StatusNoStatusRcvd, "") }, 1005, "Client-side close frame status not set"},
		{func(c *ws.Conn) { _ = c.CloseNow() }, 1006, "Connection closed abnormally"},
	} {
		c, _ := f.dial(t, "/live", nil)
		test.end(c)
		rc := object(f.next(t, "Disconnect").event["requestContext"])
		if rc["disconnectStatusCode"] != test.code || rc["disconnectReason"] != test.reason {
			t.Errorf("%v, want %v %q", rc, test.code, test.reason)
		}
	}
}

// TestSwap: connections outlive a change of the application, and their next
// message meets the new routes.
func TestSwap(t *testing.T) {
	f := start(t, chat(), nil)
	c, _ := f.dial(t, "/live", nil)
	write(t, c, `{"action":"say"}`)
	f.next(t, "Say")
	changed := chat()
	changed.WebSocketAPIs[0].RouteSelectionExpression = "$request.body.verb"
	changed.WebSocketAPIs[0].Routes = append(changed.WebSocketAPIs[0].Routes, &model.WebSocketRoute{Key: "sing", Function: fn("Sing"), TimeoutMillis: 29000})
	if err := f.server.Swap(changed); err != nil {
		t.Fatal(err)
	}
	write(t, c, `{"verb":"sing"}`)
	f.next(t, "Sing")
	broken := chat()
	broken.WebSocketAPIs[0].RouteSelectionExpression = "$context.x"
	if err := f.server.Swap(broken); err == nil || !strings.Contains(err.Error(), "Chat/Api: route selection expression") {
		t.Errorf("a broken application: %v", err)
	}
	write(t, c, `{"verb":"sing"}`)
	f.next(t, "Sing")
	if err := f.server.Swap(&model.Application{}); err != nil {
		t.Fatal(err)
	}
	if e := closed(t, c); e.Code != ws.StatusGoingAway {
		t.Error(e)
	}
	if status, _ := f.refused(t, "/live", nil); status != 404 {
		t.Errorf("after its end the API answers %d", status)
	}
}

// TestClose: each connection is told, and its $disconnect invoked.
func TestClose(t *testing.T) {
	f := start(t, chat(), nil)
	for range 20 {
		c, _ := f.dial(t, "/live", nil)
		go c.Read(context.Background()) // it answers the close
	}
	silent := f.raw(t)
	defer silent.Close()
	begun := time.Now()
	if err := f.server.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	for range 20 {
		f.next(t, "Disconnect")
	}
	if status, _ := f.refused(t, "/live", nil); status != 503 {
		t.Errorf("after its end the server answers %d", status)
	}
}

// TestManyMessages: nothing is lost or doubled, however fast it comes.
func TestManyMessages(t *testing.T) {
	f := start(t, chat(), nil)
	f.set("Ask", func(e map[string]any) (string, string, error) {
		return fmt.Sprintf(`{"statusCode":200,"body":%q}`, e["body"]), "", nil
	})
	const n = 500
	c, _ := f.dial(t, "/live", nil)
	go func() {
		for i := range n {
			_ = c.Write(context.Background(), ws.MessageText, fmt.Appendf(nil, `{"action":"ask","n":%d}`, i))
		}
	}()
	seen := map[string]bool{}
	for range n {
		seen[read(t, c)] = true
	}
	if len(seen) != n {
		t.Errorf("%d different answers to %d messages", len(seen), n)
	}
}
