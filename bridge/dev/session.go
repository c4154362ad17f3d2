package dev

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/apigateway"
	"github.com/bailey-cdk/bailey/bridge/local/events"
	"github.com/bailey-cdk/bailey/bridge/local/lambdaapi"
	"github.com/bailey-cdk/bailey/bridge/local/websocket"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/bridge/synth"
)

// session is one run.
type session struct {
	o       Options
	dir     string // the absolute folder of cdk.json
	watcher *watcher
	debug   *debugger

	engine  *local.Engine
	gateway *apigateway.Gateway
	sockets *websocket.Server
	lambda  *lambdaapi.Handler
	plane   *events.Plane
	servers *servers

	doing     atomic.Pointer[string] // the phase of the reload under way
	reporting sync.Mutex
	started   chan struct{} // closed when functions can be invoked

	mu      sync.RWMutex // guards current
	current *state
	failure string  // the last one that was told, "" after a success
	told    string  // what was last said to be served
	phases  []Phase // of the start
}

// state is the application that is served.
type state struct {
	app *model.Application
	// functions are those that run, by construct path: the same as before where
	// they are defined as before.
	functions map[string]*model.Function
	assembly  os.FileInfo
	underWay  sync.WaitGroup // invocations
}

// Run serves the application of a CDK app and takes over its changes until ctx
// ends. It waits for the first good application: a mistake in the source is told
// and not returned. An error is about what no change of source would mend, such as
// a port that is taken.
func Run(ctx context.Context, o Options) error {
	s, err := newSession(o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go s.watcher.run(ctx)
	first, err := s.first(ctx)
	if err != nil {
		return err
	}
	defer s.close(context.WithoutCancel(ctx))
	if err := s.serve(first); err != nil {
		return err
	}
	go s.watchModules(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.servers.failed:
			return err
		case at := <-s.watcher.changed:
			s.reload(ctx, at)
		}
	}
}

func newSession(o Options) (*session, error) {
	dir, err := filepath.Abs(o.Synth.Dir)
	if err != nil {
		return nil, err
	}
	s := &session{o: o, dir: dir, started: make(chan struct{})}
	s.o.Synth.Dir = dir
	s.o.Synth.Stderr = &lines{each: s.note}
	tell := o.Synth.Progress
	s.o.Synth.Progress = func(phase string) {
		s.doing.Store(&phase)
		if tell != nil {
			tell(phase)
		}
	}
	s.o.Host = cmp.Or(o.Host, "127.0.0.1")
	if s.o.Environ == nil {
		s.o.Environ = os.Environ()
	}
	if s.debug, err = newDebugger(o.Debug, dir, s.o.Host); err != nil {
		return nil, err
	}
	var outputs []string
	if o.Synth.Output != "" {
		outputs = append(outputs, filepath.Join(dir, o.Synth.Output), o.Synth.Output)
	}
	s.watcher, err = newWatcher([]string{cmp.Or(synth.Root(dir), dir)}, outputs, func(err error) { s.note("a change may be missed: " + err.Error()) })
	return s, err
}

// first waits for an application to begin with.
func (s *session) first(ctx context.Context) (*state, error) {
	for {
		st, phases, err := s.make(ctx, nil, nil)
		s.phases = phases
		if err == nil || !mendable(err) || ctx.Err() != nil {
			return st, cmp.Or(ctx.Err(), err)
		}
		s.fail(err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.watcher.changed:
		}
	}
}

// mendable tells whether a change of source could mend an error.
func mendable(err error) bool {
	var app *synth.AppError
	var faults *synth.FaultsError
	return errors.As(err, &app) || errors.As(err, &faults) || isCompileError(err)
}

// serve starts all that serves.
func (s *session) serve(first *state) error {
	s.current = first
	s.servers = newServers(s.o, filepath.Join(s.dir, ".bailey", "run"), s.requested)
	environ := s.o.Environ
	if s.o.EventsPort != Off {
		url, err := s.servers.reserveEvents()
		if err != nil {
			return err
		}
		events.Localise(first.app, url)
		s.plane, err = events.Open(events.Options{
			Application: first.app, Invoke: s.invoke, Dir: filepath.Join(s.dir, ".bailey"), URL: url,
			Logs: s.notes(), Hosts: []string{s.o.Host}, MaxBuffering: events.ShortBuffering,
		})
		if err != nil {
			return err
		}
		environ = s.plane.EnvironOver(environ)
	}
	var err error
	s.engine, err = local.New(local.Options{
		Logs: s.notes(), LogLines: s.logged, Scratch: filepath.Join(s.dir, ".bailey", "run"), Environ: environ, InitTimeout: s.debug.initTimeout(),
	})
	if err != nil {
		return err
	}
	s.gateway, err = apigateway.New(apigateway.Options{
		Application: first.app, Invoke: s.invoke, Logs: s.notes(), Hosts: []string{s.o.Host}, Origins: s.o.Origins,
		StaticDir: s.o.StaticDir, KeySet: s.o.KeySet, DisableAuthorizers: s.o.DisableAuthorizers,
	})
	if err != nil {
		return err
	}
	s.sockets, err = websocket.New(websocket.Options{
		Application: first.app, Invoke: s.invoke, Logs: s.notes(), Hosts: []string{s.o.Host}, Origins: s.o.Origins,
	})
	if err != nil {
		return err
	}
	s.lambda = &lambdaapi.Handler{Engine: invoker(s.invoke), Hosts: []string{s.o.Host}, Function: s.function}
	if s.plane != nil { // it retries an event, and knows where its outcome goes
		s.lambda.Async = s.plane.InvokeAsync
	}
	if err := s.servers.start(s.plane, s.lambda); err != nil {
		return err
	}
	if err := s.servers.open(first.app, s.gateway, s.sockets); err != nil {
		return err
	}
	first.functions = map[string]*model.Function{}
	for _, f := range first.app.Functions {
		first.functions[f.Path] = f
	}
	close(s.started)
	s.ready(first.app)
	return nil
}

// invoker makes a method of a function.
type invoker func(ctx context.Context, fn *model.Function, in local.Invocation) (*local.Result, error)

// Invoke calls it.
func (f invoker) Invoke(ctx context.Context, fn *model.Function, in local.Invocation) (*local.Result, error) {
	return f(ctx, fn, in)
}

// invoke runs a function as it is defined now, whichever application the caller
// knows it from.
func (s *session) invoke(ctx context.Context, fn *model.Function, in local.Invocation) (*local.Result, error) {
	select {
	case <-s.started:
	case <-ctx.Done():
		return nil, ctx.Err() // what was left from the last session begins at once
	}
	s.mu.RLock()
	st := s.current
	st.underWay.Add(1)
	s.mu.RUnlock()
	defer st.underWay.Done()
	if f := st.functions[fn.Path]; f != nil {
		fn = f
	}
	if done, err := s.debug.enter(ctx, fn); err != nil {
		return nil, err
	} else if done != nil {
		defer done()
	}
	return s.engine.Invoke(ctx, fn, in)
}

func (s *session) function(_ context.Context, name string) (*model.Function, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.current.app.Function(name)
}

// close ends everything, servers first.
func (s *session) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if s.servers != nil {
		s.servers.close(ctx)
	}
	if s.sockets != nil {
		_ = s.sockets.Close() // it ends in any case
	}
	if s.plane != nil {
		if err := s.plane.Close(); err != nil {
			s.note("the event plane: " + err.Error())
		}
	}
	if s.engine != nil {
		_ = s.engine.Close() // likewise
	}
}

// watchModules watches the modules that are replaced by folders outside the
// project, which the go command knows.
func (s *session) watchModules(ctx context.Context) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{if or .Main .Replace}}{{.Dir}}{{end}}", "all")
	cmd.Dir = s.dir
	out, err := cmd.Output()
	if err != nil {
		return // no Go module, or one that a build tells more of
	}
	root := cmp.Or(synth.Root(s.dir), s.dir)
	for _, dir := range strings.Fields(string(out)) {
		rel, err := filepath.Rel(root, dir)
		if err == nil && !filepath.IsLocal(rel) && !strings.Contains(dir, filepath.Join("pkg", "mod")) {
			if _, err := s.watcher.add(dir); err != nil {
				s.note("changes of " + dir + " are not seen: " + err.Error())
			}
		}
	}
}
