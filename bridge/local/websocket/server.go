package websocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	ws "github.com/coder/websocket"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// Options are the settings of a server.
type Options struct {
	// Application is what is served until [Server.Swap] replaces it.
	Application *model.Application
	// Invoke runs a function: Engine.Invoke.
	Invoke func(ctx context.Context, fn *model.Function, in local.Invocation) (*local.Result, error)
	// Logs gets one line, beginning with "bailey:", for each refusal and
	// failure, with its cause, which no client is told. Nil drops them.
	Logs io.Writer
	// Hosts are names that a request's Host may have beside the loopback ones;
	// "*" stands for every name.
	Hosts []string
	// Origins are the origins of web pages that may connect beside those of
	// loopback addresses: "https://shop.example", or "*" for any.
	Origins []string
	// IdleTimeout is how long a connection may be without a message, and
	// MaxAge how long it may last: 10 minutes and 2 hours where they are 0, as
	// on AWS.
	IdleTimeout, MaxAge time.Duration
	// WriteTimeout is how long a client may take to read what it is sent,
	// before its connection is given up: 10 seconds where it is 0.
	WriteTimeout time.Duration
}

// Server serves the WebSocket APIs of an application. Its methods may be called
// from many goroutines.
type Server struct {
	options Options
	apis    atomic.Pointer[map[string]*api] // by ID.Path

	// running ends with the server; what has begun by then is cut short.
	running context.Context
	stop    context.CancelFunc

	mu          sync.Mutex
	closed      bool
	connections map[string]*connection // by id, those that are established

	invocations sync.WaitGroup
	open        sync.WaitGroup // connections, until their $disconnect has ended
	logs        sync.Mutex
}

// api is an API as it is served.
type api struct {
	model     *model.WebSocketAPI
	selection selection
	routes    map[string]*model.WebSocketRoute
	// arnPrefix is "arn:aws:execute-api:REGION:ACCOUNT:".
	arnPrefix string
}

// New makes a server. It fails where an API cannot be served: its route
// selection expression is none.
func New(o Options) (*Server, error) {
	if o.Logs == nil {
		o.Logs = io.Discard
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	if o.MaxAge <= 0 {
		o.MaxAge = defaultMaxAge
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = defaultWriteTimeout
	}
	s := &Server{options: o, connections: map[string]*connection{}}
	s.running, s.stop = context.WithCancel(context.Background())
	if err := s.Swap(o.Application); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// Swap replaces the application at once. Connections stay: their next message
// meets the new routes. Those of an API that is gone are closed. On an error
// the old application stays.
func (s *Server) Swap(app *model.Application) error {
	apis := map[string]*api{}
	for _, m := range app.WebSocketAPIs {
		selection, err := parseSelection(m.RouteSelectionExpression)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Path, err)
		}
		a := &api{
			model: m, selection: selection, routes: map[string]*model.WebSocketRoute{},
			arnPrefix: "arn:aws:execute-api:" + app.Region + ":" + app.AccountID + ":",
		}
		for _, route := range m.Routes {
			a.routes[route.Key] = route
		}
		apis[m.Path] = a
	}
	s.apis.Store(&apis)
	for _, c := range s.established() {
		if apis[c.path] == nil {
			go c.close(ws.StatusGoingAway, "the API is gone")
		}
	}
	return nil
}

// Close closes all connections, as going away, and invokes $disconnect of each.
// It gives these functions 3 seconds, and must be called before the engine is
// closed.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, c := range s.established() {
		go c.close(ws.StatusGoingAway, "the server ends")
	}
	done := make(chan struct{})
	go func() {
		s.open.Wait()
		s.invocations.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(farewell):
	}
	s.stop()
	for _, c := range s.established() {
		_ = c.frames.Close() // it has not answered the close
	}
	<-done
	return nil
}

func (s *Server) established() []*connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*connection, 0, len(s.connections))
	for _, c := range s.connections {
		select {
		case <-c.established:
			if c.conn != nil {
				all = append(all, c)
			}
		default: // it will see that the server closes
		}
	}
	return all
}

// api is the API of a path as it is now, nil where there is none.
func (s *Server) api(path string) *api { return (*s.apis.Load())[path] }

func (a *api) methodARN(route string) string {
	return a.arnPrefix + a.model.APIID + "/" + a.model.StageName + "/" + route
}

// Handler serves the API whose construct path is path, whichever application is
// the current one: connections at the stage, and the management API. Where the
// application has no such API it answers 404.
func (s *Server) Handler(path string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := s.api(path)
		switch {
		case !s.trusted(r):
			plain(w, http.StatusForbidden, forbidden)
		case len(r.URL.RequestURI()) > maxURL:
			plain(w, http.StatusRequestURITooLong, "Request-URI Too Long")
		case a == nil:
			plain(w, http.StatusNotFound, "Not Found")
		default:
			s.serve(w, r, a)
		}
	})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, a *api) {
	stage, id, management := cutConnections(r.URL.EscapedPath())
	switch {
	case stage != "" && stage != a.model.StageName:
		plain(w, http.StatusForbidden, forbidden)
	case management:
		s.manage(w, r, a, id)
	default:
		s.connect(w, r, a)
	}
}

// cutConnections takes a path apart: "/STAGE", "/", "/STAGE/@connections/ID".
// An SDK escapes what it likes.
func cutConnections(escaped string) (stage, id string, management bool) {
	parts := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	for i, part := range parts {
		text, err := url.PathUnescape(part)
		if err != nil {
			text = part
		}
		parts[i] = text
	}
	switch n := len(parts); {
	case n >= 2 && parts[n-2] == "@connections":
		return strings.Join(parts[:n-2], "/"), parts[n-1], true
	case n == 2 && parts[1] == "":
		return parts[0], "", false
	default:
		return strings.Join(parts, "/"), "", false
	}
}

// trusted says whether a request may be answered: its Host is a name of this
// machine, so that a page cannot come in by a name of its own that leads here,
// and a page that it is of has an allowed origin.
func (s *Server) trusted(r *http.Request) bool {
	if !loopbackHost(r.Host) && !contains(s.options.Hosts, "*") && !contains(s.options.Hosts, hostName(r.Host)) {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" || contains(s.options.Origins, "*") || contains(s.options.Origins, origin) {
		return true
	}
	page, err := url.Parse(origin)
	return err == nil && loopbackHost(page.Host)
}

func contains(all []string, wanted string) bool {
	for _, one := range all {
		if strings.EqualFold(one, wanted) {
			return true
		}
	}
	return false
}

func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

func loopbackHost(host string) bool {
	name := strings.ToLower(hostName(host))
	ip := net.ParseIP(name)
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || ip != nil && ip.IsLoopback()
}

// invoke runs a function and waits for it no longer than limit. One that takes
// longer runs on to its own timeout, as on AWS, where nobody hears its answer.
func (s *Server) invoke(ctx context.Context, fn *model.Function, payload []byte, trace string, limit time.Duration) (*local.Result, error) {
	type outcome struct {
		result *local.Result
		err    error
	}
	ended := make(chan outcome, 1)
	s.invocations.Add(1)
	go func() {
		defer s.invocations.Done()
		result, err := s.options.Invoke(s.running, fn, local.Invocation{Payload: payload, TraceID: trace})
		ended <- outcome{result, err}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case o := <-ended:
		return o.result, o.err
	case <-timer.C:
		return nil, errTimedOut
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

var errTimedOut = errors.New("it took longer than the timeout of the integration")

// log writes one line.
func (s *Server) log(format string, arguments ...any) {
	s.logs.Lock()
	defer s.logs.Unlock()
	_, _ = fmt.Fprintf(s.options.Logs, "bailey: "+format+"\n", arguments...)
}
