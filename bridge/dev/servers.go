package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/bailey-cdk/bailey/bridge/local/addresses"
	"github.com/bailey-cdk/bailey/bridge/local/apigateway"
	"github.com/bailey-cdk/bailey/bridge/local/events"
	"github.com/bailey-cdk/bailey/bridge/local/lambdaapi"
	"github.com/bailey-cdk/bailey/bridge/local/websocket"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// servers are the ports that are listened on.
type servers struct {
	o         Options
	dir       string // for the certificate
	requested func(api string, h http.Handler) http.Handler
	failed    chan error // of one that ends by itself

	events               net.Listener // until the plane is there
	lambdaURL, eventsURL string
	fixed                []*server
	lambda               *lambdaapi.Handler
	byPath               map[string]*server // of an API
	next                 int                // the port of the next API
	certificate          *websocket.Certificate
}

// server is one port.
type server struct {
	listener net.Listener
	http     *http.Server
}

func newServers(o Options, dir string, requested func(string, http.Handler) http.Handler) *servers {
	return &servers{o: o, dir: dir, requested: requested, failed: make(chan error, 1), byPath: map[string]*server{}, next: o.Port}
}

func (s *servers) listen(what string, port int, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(s.o.Host, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("no port for %s: %w; give another with %s", what, err, flag)
	}
	return l, nil
}

// reserveEvents opens the port of the event plane, whose address functions are
// told before the plane is there.
func (s *servers) reserveEvents() (url string, err error) {
	if s.events, err = s.listen("the event plane", s.o.EventsPort, "--events-port"); err != nil {
		return "", err
	}
	s.eventsURL = "http://" + s.events.Addr().String()
	return s.eventsURL, nil
}

// start serves what stays the same.
func (s *servers) start(plane *events.Plane, lambda *lambdaapi.Handler) error {
	if plane != nil {
		s.fixed = append(s.fixed, s.run(s.events, plane))
	}
	if s.o.LambdaPort == Off {
		return nil
	}
	l, err := s.listen("Lambda's Invoke API", s.o.LambdaPort, "--lambda-port")
	if err != nil {
		return err
	}
	s.lambda, s.lambdaURL = lambda, "http://"+l.Addr().String()
	s.fixed = append(s.fixed, s.run(l, lambda))
	return nil
}

func (s *servers) run(l net.Listener, h http.Handler) *server {
	made := &server{l, apigateway.Server(h, io.Discard)}
	go func() {
		if err := made.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			select {
			case s.failed <- err:
			default:
			}
		}
	}()
	return made
}

// open opens the ports of APIs that are new, and has the functions told where all
// of them are.
func (s *servers) open(app *model.Application, gateway *apigateway.Gateway, sockets *websocket.Server) error {
	var errs []error
	open := func(id model.ID, h http.Handler, certificate *websocket.Certificate) {
		if s.byPath[id.Path] != nil {
			return
		}
		l, err := s.listenNext(id.Name)
		if err != nil {
			errs = append(errs, err)
			return
		}
		s.byPath[id.Path] = s.run(certificate.Listen(l), h)
	}
	for _, api := range app.APIs {
		open(api.ID, s.requested(api.Name, gateway.Handler(api.Path)), nil)
	}
	if len(app.WebSocketAPIs) > 0 {
		errs = append(errs, s.secure(app))
	}
	for _, api := range app.WebSocketAPIs {
		open(api.ID, sockets.Handler(api.Path), s.certificate)
	}
	hosts := map[string]string{}
	for path, at := range s.byPath {
		hosts[path] = addresses.Of(at.listener.Addr())
	}
	addresses.Apply(app, hosts)
	return errors.Join(errs...)
}

// secure has functions trust the certificate of the WebSocket APIs, which take
// https too, as functions write the endpoint of the management API for AWS.
func (s *servers) secure(app *model.Application) error {
	if s.certificate == nil {
		var err error
		if s.certificate, err = websocket.NewCertificate(s.dir, s.o.Host); err != nil {
			return err
		}
	}
	s.certificate.Trust(app)
	return nil
}

// drop closes the ports of APIs that are gone, after the requests under way.
func (s *servers) drop(app *model.Application) {
	wanted := map[string]bool{}
	for _, api := range app.APIs {
		wanted[api.Path] = true
	}
	for _, api := range app.WebSocketAPIs {
		wanted[api.Path] = true
	}
	for path, gone := range s.byPath {
		if !wanted[path] {
			delete(s.byPath, path)
			go gone.http.Shutdown(context.Background()) //nolint:errcheck // it ends with the last request
		}
	}
}

// listenNext finds the port of a new API.
func (s *servers) listenNext(name string) (net.Listener, error) {
	if s.o.Port == 0 {
		return s.listen("the API "+name, 0, "--port")
	}
	for s.next == s.o.LambdaPort || s.next == s.o.EventsPort {
		s.next++
	}
	l, err := s.listen("the API "+name, s.next, "--port")
	if err == nil {
		s.next++
	}
	return l, err
}

var protocols = map[model.Protocol]string{model.HTTP: "HTTP API", model.REST: "REST API", model.FunctionURL: "function URL"}

// apis says where they are.
func (s *servers) apis(app *model.Application) []ServedAPI {
	all := []ServedAPI{}
	add := func(id model.ID, protocol, scheme, path string) {
		if at := s.byPath[id.Path]; at != nil {
			all = append(all, ServedAPI{id.Name, id.Path, protocol, scheme + at.listener.Addr().String() + path})
		}
	}
	for _, api := range app.APIs {
		add(api.ID, protocols[api.Protocol], "http://", "")
	}
	for _, api := range app.WebSocketAPIs {
		add(api.ID, "WebSocket API", "ws://", "/"+api.StageName)
	}
	return all
}

// close lets requests under way end until ctx does.
func (s *servers) close(ctx context.Context) {
	var all sync.WaitGroup
	end := func(each *server) {
		all.Go(func() {
			if each.http.Shutdown(ctx) != nil {
				_ = each.http.Close() // whoever is left is cut off
			}
		})
	}
	for _, each := range s.byPath {
		end(each)
	}
	for _, each := range s.fixed {
		end(each)
	}
	all.Wait()
	if s.events != nil && len(s.fixed) == 0 {
		_ = s.events.Close() // nothing was accepted
	}
}
