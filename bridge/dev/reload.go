package dev

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge"
	"github.com/bailey-cdk/bailey/bridge/local/events"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/bridge/synth"
	"github.com/bailey-cdk/bailey/internal/build"
)

// isCompileError tells whether the go command refused a function.
func isCompileError(err error) bool {
	var refused *build.CompileError
	return errors.As(err, &refused)
}

// reload takes over what has changed since the time at.
func (s *session) reload(ctx context.Context, at time.Time) {
	old := s.current // only this goroutine replaces it
	var replaced []string
	var made *state
	var phases []Phase
	var built, synthesised error
	defer s.tellProgress()()
	var both sync.WaitGroup
	rebuilt := make(chan struct{})
	both.Go(func() {
		defer close(rebuilt)
		replaced, built = s.rebuild(ctx, old)
	})
	both.Go(func() { made, phases, synthesised = s.make(ctx, old, rebuilt) })
	both.Wait()
	if ctx.Err() != nil {
		return
	}
	err := synthesised
	switch {
	case err == nil && made != nil:
		var others []string
		others, err = s.swap(old, made)
		replaced = append(replaced, others...)
	case err == nil:
		err = built
	case built != nil && built.Error() != err.Error():
		err = errors.Join(err, built)
	}
	if err != nil {
		s.fail(err)
	}
	if made != nil || len(replaced) > 0 {
		slices.Sort(replaced)
		replaced = slices.Compact(replaced)
		s.report(Event{
			Kind: Reload, Infrastructure: made != nil && err == nil, Functions: replaced, Milliseconds: milliseconds(time.Since(at)), Phases: phases,
		})
	}
	if err == nil {
		if s.failure != "" && len(replaced) == 0 {
			s.report(Event{Kind: Mended, Message: "the error is gone"})
		}
		s.failure = ""
	}
}

// tellProgress says what a reload is at, where that takes more than a second. The
// caller ends it.
func (s *session) tellProgress() (end func()) {
	phase := "building functions"
	s.doing.Store(&phase)
	stop := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		said := ""
		for wait := time.Second; ; wait = 100 * time.Millisecond {
			select {
			case <-stop:
				return
			case <-time.After(wait):
			}
			if now := *s.doing.Load(); now != said {
				said = now
				s.note(now + "...")
			}
		}
	})
	return func() {
		close(stop)
		ended.Wait()
	}
}

// fail tells of an error, once.
func (s *session) fail(err error) {
	text := err.Error()
	if text == s.failure {
		return
	}
	s.failure = text
	message := text
	if s.current != nil {
		message += "\nthe last good application is served on"
	}
	s.report(Event{Kind: Failed, Message: message})
}

// rebuild builds the functions of the application as it is, and replaces the
// processes of those that have changed.
func (s *session) rebuild(ctx context.Context, st *state) (replaced []string, err error) {
	byName := map[string]*model.Function{}
	copies := make([]*model.Function, 0, len(st.app.Functions))
	for _, f := range st.app.Functions {
		byName[f.Name] = st.functions[f.Path]
		c := *f // what is built is set in it, and the engine reads the other
		copies = append(copies, &c)
	}
	err = s.build(ctx, copies, func(name string) {
		s.engine.Retire(byName[name])
		if name == s.debug.name() {
			s.debug.released()
		}
		replaced = append(replaced, name)
	})
	return replaced, err
}

// build builds functions. Built is told of each that was not as it should be.
func (s *session) build(ctx context.Context, functions []*model.Function, built func(name string)) error {
	err := bridge.Build(ctx, functions, bridge.BuildOptions{OS: runtime.GOOS, Debug: s.debug.name(), Progress: func(name string, r build.Result, err error) {
		if err != nil || r.Cached {
			return
		}
		if built != nil {
			built(name)
		}
		s.report(Event{Kind: Build, Function: name, Milliseconds: milliseconds(r.Duration)})
	}})
	if err != nil {
		return err
	}
	return s.debug.wrap(functions)
}

// make synthesises, reads and builds the application. It is nil where it is the
// old one. It builds no function before rebuilt is closed, for both may build the
// same ones.
func (s *session) make(ctx context.Context, old *state, rebuilt <-chan struct{}) (*state, []Phase, error) {
	result, err := synth.Run(ctx, s.o.Synth)
	if err != nil {
		return nil, nil, err
	}
	info, err := os.Stat(result.Assembly)
	if err != nil {
		return nil, nil, err
	}
	if old != nil && result.Unchanged && os.SameFile(info, old.assembly) && info.ModTime().Equal(old.assembly.ModTime()) {
		return nil, nil, nil
	}
	var phases []Phase
	for _, p := range result.Phases {
		phases = append(phases, Phase{p.Name, milliseconds(p.Took)})
	}
	for _, warning := range result.Warnings {
		s.note("warning: " + warning)
	}
	start := time.Now()
	app, err := s.o.Load(ctx, result.Assembly)
	if err != nil {
		return nil, nil, err
	}
	if err := s.debug.choose(app); err != nil {
		return nil, nil, err
	}
	phases = append(phases, Phase{"reading the assembly", milliseconds(time.Since(start))})
	start = time.Now()
	if rebuilt != nil {
		<-rebuilt
	}
	s.o.Synth.Progress("building functions")
	if err := s.build(ctx, app.Functions, nil); err != nil {
		return nil, nil, err
	}
	phases = append(phases, Phase{"building functions", milliseconds(time.Since(start))})
	s.debug.adapt(app)
	return &state{app: app, assembly: info}, phases, nil
}

// swap has everything serve another state of the application, and tells which
// functions were replaced.
func (s *session) swap(old, made *state) (replaced []string, err error) {
	if s.plane != nil {
		events.Localise(made.app, s.servers.eventsURL)
	}
	if err := s.servers.open(made.app, s.gateway, s.sockets); err != nil {
		return nil, err
	}
	made.functions = map[string]*model.Function{}
	gone := map[*model.Function]bool{}
	for _, f := range old.functions {
		gone[f] = true
	}
	for _, f := range made.app.Functions {
		before := old.functions[f.Path]
		if before != nil && f.Code.Go != nil && reflect.DeepEqual(f, before) {
			delete(gone, before)
			f = before // its processes stay
		} else {
			replaced = append(replaced, f.Name)
		}
		made.functions[f.Path] = f
	}
	if err := s.sockets.Swap(made.app); err != nil {
		return nil, err // its old application stays, and so does all else
	}
	s.mu.Lock()
	s.current = made
	s.mu.Unlock()
	s.gateway.Swap(made.app)
	if s.plane != nil {
		err = s.plane.Swap(made.app)
	}
	s.servers.drop(made.app)
	s.retire(old, gone)
	s.ready(made.app)
	return replaced, err
}

// retire ends the processes of functions, now and once more when no invocation
// knows them: one that was about to begin may have started another.
func (s *session) retire(old *state, gone map[*model.Function]bool) {
	for f := range gone {
		s.engine.Retire(f)
	}
	go func() {
		old.underWay.Wait()
		for f := range gone {
			s.engine.Retire(f)
		}
	}()
}

// ready tells what is served, where that is new.
func (s *session) ready(app *model.Application) {
	served := s.servers.served(app)
	text, err := json.Marshal(served)
	if err == nil && string(text) == s.told {
		return
	}
	s.told = string(text)
	s.report(Event{Kind: Ready, Served: served, Phases: s.phases})
	s.phases = nil
}

// served lists all by name.
func (s *servers) served(app *model.Application) *Served {
	r := &Served{APIs: s.apis(app), Lambda: s.lambdaURL, Events: s.eventsURL, Functions: []string{}}
	for _, f := range app.Functions {
		if !f.Helper {
			r.Functions = append(r.Functions, f.Name)
		}
	}
	for _, q := range app.Queues {
		r.Queues = append(r.Queues, q.QueueName)
	}
	for _, t := range app.Topics {
		r.Topics = append(r.Topics, t.TopicName)
	}
	for _, b := range app.EventBuses {
		r.Buses = append(r.Buses, b.BusName)
	}
	for _, b := range app.Buckets {
		r.Buckets = append(r.Buckets, b.BucketName)
	}
	for _, d := range app.DeliveryStreams {
		r.Streams = append(r.Streams, cmp.Or(d.Name, d.Path))
	}
	return r
}

// lines is a writer that passes on whole lines.
type lines struct {
	mu   sync.Mutex
	rest string
	each func(line string)
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.rest + string(p)
	for {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok {
			break
		}
		l.each(strings.TrimRight(line, "\r"))
		text = rest
	}
	l.rest = text
	return len(p), nil
}
