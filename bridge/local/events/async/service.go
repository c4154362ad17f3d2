package async

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/local/lambdaapi"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// Options are what a local run may want differently from Lambda.
type Options struct {
	// RetryDelay is the wait before the first retry of a function that failed;
	// the second waits twice as long. 1 minute where it is 0, as on Lambda.
	RetryDelay time.Duration
	// MaxConcurrency is the most events of one function that run at a time: 10
	// where it is 0, for each is a process of this machine.
	MaxConcurrency int
}

const (
	defaultRetryDelay     = time.Minute
	defaultMaxConcurrency = 10
	// firstSystemDelay and maxSystemDelay are the waits after a throttle or an
	// error that is not the function's.
	firstSystemDelay = time.Second
	maxSystemDelay   = 5 * time.Minute
	// maxPayload is the most bytes of an asynchronous invocation: 1 MB.
	maxPayload = 1024 * 1024
)

// Service is Lambda. Its methods may be called from many goroutines.
type Service struct {
	env  service.Env
	o    Options
	app  atomic.Pointer[model.Application]
	api  *lambdaapi.Handler
	next atomic.Uint64 // the number of the event to come

	// invoking ends the invocations under way.
	invoking context.Context
	abort    context.CancelFunc
	underWay sync.WaitGroup

	mu      sync.Mutex
	started bool
	closed  bool
	lanes   map[string]*lane // by function ARN
}

// New opens the queue of events. They are run from Start on.
func New(env service.Env, o Options) (*Service, error) {
	o.RetryDelay = cmp.Or(o.RetryDelay, defaultRetryDelay)
	o.MaxConcurrency = cmp.Or(o.MaxConcurrency, defaultMaxConcurrency)
	s := &Service{env: env, o: o, lanes: map[string]*lane{}}
	s.invoking, s.abort = context.WithCancel(context.Background())
	s.app.Store(env.App)
	s.api = &lambdaapi.Handler{Engine: invoker(env.Invoke), Function: s.function, Async: s.Submit}
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

// invoker is a function as an engine.
type invoker service.InvokeFunc

func (f invoker) Invoke(ctx context.Context, fn *model.Function, in local.Invocation) (*local.Result, error) {
	return f(ctx, fn, in)
}

func (s *Service) function(_ context.Context, name string) (*model.Function, error) {
	return s.app.Load().Function(name)
}

// Swap takes over another state of the application. Events under way end on
// the function that they began with.
func (s *Service) Swap(app *model.Application) error {
	s.app.Store(app)
	return nil
}

// Start runs what is in the queue, also from before.
func (s *Service) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = true
	for _, l := range s.lanes {
		s.grow(l)
	}
}

// grace is how long Close lets functions run on.
const grace = 3 * time.Second

// Close ends the invocations under way after a while. They and what is in the
// queue run again when the state is opened the next time.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.underWay.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(grace):
	}
	s.abort()
	<-ended
	return nil
}

// Serve answers Lambda's API. The plane has checked where a request comes from.
func (s *Service) Serve(w http.ResponseWriter, r *service.Request) {
	request := r.Clone(r.Context())
	request.Host = "localhost"
	request.Header.Del("Origin")
	request.Body = io.NopCloser(bytes.NewReader(r.Payload))
	s.api.ServeHTTP(w, request)
}

// Submit takes an event of the Invoke operation, and returns when it is durable.
func (s *Service) Submit(_ context.Context, fn *model.Function, in local.Invocation) error {
	return s.env.Store.Update(func(tx *store.Tx) error {
		r := &record{RequestID: in.RequestID, TraceID: in.TraceID, ClientContext: in.ClientContext, Payload: in.Payload}
		if err := s.enqueue(tx, fn, r); err != nil {
			return err
		}
		s.note(tx, service.Published, r, fn.ARN, "")
		return nil
	})
}

// Accept takes an event for a function.
func (s *Service) Accept(tx *store.Tx, d *service.Delivery) error {
	fn, err := s.app.Load().Function(d.Target)
	if err != nil {
		return fmt.Errorf("%s is no function of the application: %w", d.Target, err)
	}
	return s.enqueue(tx, fn, &record{Source: d.Source, MessageID: d.MessageID, Payload: d.Body})
}
