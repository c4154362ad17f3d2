package apigateway

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// InvokeFunc runs a function once: [*local.Engine.Invoke] is one.
type InvokeFunc func(ctx context.Context, fn *model.Function, in local.Invocation) (*local.Result, error)

// Options are the settings of a gateway.
type Options struct {
	// Application has the APIs. [Gateway.Swap] replaces it.
	Application *model.Application
	// Invoke runs functions and Lambda authorizers.
	Invoke InvokeFunc
	// Logs gets one line for each request, and what a user should know of the
	// gateway itself in lines that begin with "bailey:". Nil drops them.
	Logs io.Writer
	// Hosts are names that a request's Host may have beside localhost,
	// *.localhost and the loopback addresses. "0.0.0.0" and "::" stand for
	// every address, "*" for every name too.
	Hosts []string
	// Origins are web origins ("https://app.example") whose pages may call an
	// API that says nothing of CORS by itself; "*" stands for all. Pages of
	// this machine always may.
	Origins []string
	// StaticDir is a folder whose files are served where no route matches, ""
	// for none.
	StaticDir string
	// KeySet is the path of a JSON Web Key Set that tokens of every issuer are
	// verified with, in place of the issuers' own keys, which are fetched. ""
	// for none.
	KeySet string
	// DisableAuthorizers leaves every route open, as the SAM CLI's
	// --disable-authorizer does.
	DisableAuthorizers bool
}

// Gateway serves the APIs of an application. Its methods may be called from
// many goroutines.
type Gateway struct {
	options Options
	logs    *lineWriter
	keys    *keySource
	static  *staticFiles
	notes   sync.Map // what was said once

	state atomic.Pointer[state]
}

// state is what one application makes. A request keeps the one that it began
// with.
type state struct {
	application *model.Application
	byPath      map[string]*endpoint
	order       []*endpoint
}

// New makes a gateway. The error is about the key set or the static folder.
func New(o Options) (*Gateway, error) {
	if o.Logs == nil {
		o.Logs = io.Discard
	}
	g := &Gateway{options: o, logs: &lineWriter{w: o.Logs}}
	var err error
	if g.keys, err = newKeySource(o.KeySet); err != nil {
		return nil, err
	}
	if g.static, err = newStaticFiles(o.StaticDir); err != nil {
		return nil, err
	}
	g.Swap(o.Application)
	return g, nil
}

// Swap replaces the application. Requests under way end on the old one, as do
// the answers of authorizers that were kept.
func (g *Gateway) Swap(application *model.Application) {
	if application == nil {
		application = &model.Application{}
	}
	s := &state{application: application, byPath: map[string]*endpoint{}}
	for _, api := range application.APIs {
		e := newEndpoint(g, application, api)
		s.byPath[api.Path] = e
		s.order = append(s.order, e)
	}
	g.state.Store(s)
}

// APIs are the APIs of the application as it is now, in its order.
func (g *Gateway) APIs() []*model.API {
	s := g.state.Load()
	apis := make([]*model.API, 0, len(s.order))
	for _, e := range s.order {
		apis = append(apis, e.api)
	}
	return apis
}

// Handler serves the API of a construct path. It may be used before there is
// such an API, and stays valid when [Gateway.Swap] replaces it.
func (g *Gateway) Handler(path string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := g.state.Load().byPath[path]
		if e == nil {
			http.Error(w, "the application has no API "+path+" at the moment", http.StatusServiceUnavailable)
			return
		}
		e.ServeHTTP(w, r)
	})
}

// noteOnce says something on the log, once for each key.
func (g *Gateway) noteOnce(key, format string, arguments ...any) {
	if _, said := g.notes.LoadOrStore(key, true); !said {
		g.logs.notef(format, arguments...)
	}
}

// endpoint is one API.
type endpoint struct {
	gateway     *Gateway
	application *model.Application
	api         *model.API
	router      *router
	rules       *rules
	schemas     schemas
	authorizers sync.Map // *model.Authorizer to *authorizerCache
}

func newEndpoint(g *Gateway, application *model.Application, api *model.API) *endpoint {
	return &endpoint{gateway: g, application: application, api: api, router: newRouter(api), rules: rulesOf(api.Protocol), schemas: schemas{models: api.Models}}
}

// ServeHTTP answers one request.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{endpoint: e, w: w, r: r, began: time.Now()}
	x.serve()
	x.logAccess()
	if x.abort {
		panic(http.ErrAbortHandler) // net/http's way to cut an answer off
	}
}
