package events

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/async"
	"github.com/bailey-cdk/bailey/bridge/local/events/dynamodb"
	"github.com/bailey-cdk/bailey/bridge/local/events/firehose"
	"github.com/bailey-cdk/bailey/bridge/local/events/s3"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/sqs"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// Options of [Open].
type Options struct {
	// Application has the queues, topics and so on that exist from the start.
	Application *model.Application
	// Invoke runs its functions.
	Invoke service.InvokeFunc
	// Dir is the folder of the state; "" is .bailey.
	Dir string
	// URL is where the plane is served, "http://127.0.0.1:4566". It stands in
	// the URLs of queues.
	URL string
	// Logs gets the plane's own lines, which begin with "bailey: ". nil for
	// none.
	Logs io.Writer
	// Hosts are names that a request's Host may have beside the loopback ones.
	Hosts []string
	// RetryDelay is the wait before a function that was invoked asynchronously
	// and failed is invoked again; the next one is twice as long. 1 minute where
	// it is 0, as on Lambda.
	RetryDelay time.Duration
	// MaxBuffering is the longest that a Firehose stream buffers records, whatever
	// it says itself; 0 leaves it to the stream.
	MaxBuffering time.Duration
	// OpenSearch is the address of a cluster that Firehose streams send documents
	// to; "" for the local index.
	OpenSearch string
	// Idle takes messages and keeps them, and does nothing with them: no function
	// is invoked, no schedule fires. Nobody is told where the plane is.
	Idle bool
	// Now is a clock for tests; nil is time.Now.
	Now func() time.Time
}

// Plane is an open event plane. It is the http.Handler of all its services.
// Its methods may be called from many goroutines.
type Plane struct {
	options Options
	store   *store.Store
	journal *journal
	entries []*entry
	byARN   map[string]service.Acceptor
	sqs     *sqs.Service // for those that take messages from queues
	// dynamodb is for those that read streams, lambda for Invoke elsewhere.
	dynamodb *dynamodb.Service
	lambda   *async.Service
	// s3 is for those that write objects, firehose for Flush.
	s3       *s3.Service
	firehose *firehose.Service

	logs sync.Mutex
	swap sync.Mutex
	// closing ends requests that wait, when Close begins.
	closing context.Context
	cancel  context.CancelFunc
	serving sync.WaitGroup
	mu      sync.RWMutex // guards closed against serving
	closed  bool
}

// stateFile is the one file that everything is in.
const stateFile = "state.db"

// Open opens the state, makes what the application has, and starts all
// services. [Plane.Close] ends it.
func Open(o Options) (*Plane, error) {
	if o.Application == nil {
		return nil, errors.New("an event plane needs an application")
	}
	if o.Dir == "" {
		o.Dir = ".bailey"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logs == nil {
		o.Logs = io.Discard
	}
	db, err := store.Open(filepath.Join(o.Dir, stateFile))
	if err != nil {
		return nil, err
	}
	p := &Plane{options: o, store: db, journal: newJournal(), byARN: map[string]service.Acceptor{}}
	p.closing, p.cancel = context.WithCancel(context.Background())
	if err := p.open(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if o.Idle {
		return p, nil
	}
	for _, e := range p.entries {
		e.service.Start()
	}
	if err := p.announce(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// open makes the services.
func (p *Plane) open() error {
	for _, e := range services() {
		made, err := e.New(p, p.env())
		if err != nil {
			return fmt.Errorf("cannot start %s: %w", e.Scopes[0], err)
		}
		e.service = made
		p.entries = append(p.entries, e)
		if acceptor, ok := made.(service.Acceptor); ok {
			for _, kind := range e.ARNs {
				p.byARN[kind] = acceptor
			}
		}
	}
	return p.Swap(p.options.Application)
}

func (p *Plane) env() service.Env {
	app := p.options.Application
	return service.Env{
		App: app, Store: p.store, Dir: p.options.Dir, URL: p.options.URL,
		Region: app.Region, AccountID: app.AccountID, Invoke: p.options.Invoke,
		Accept: p.accept, Prepare: p.prepare, Deliver: p.Deliver, Note: p.note, Logf: p.logf, Now: p.options.Now,
	}
}

// Swap takes over another state of the application: new queues, topics and the
// like are made, those that are gone are removed, and those that stay keep
// their messages. What was made by requests stays too.
func (p *Plane) Swap(app *model.Application) error {
	p.swap.Lock()
	defer p.swap.Unlock()
	var all []error
	for _, e := range p.entries {
		if err := e.service.Swap(app); err != nil {
			all = append(all, fmt.Errorf("%s: %w", e.Scopes[0], err))
		}
	}
	return errors.Join(all...)
}

// Deliver sends a message to what has its target's ARN, and returns when it is
// durable there.
func (p *Plane) Deliver(ctx context.Context, d *service.Delivery) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.store.Update(func(tx *store.Tx) error { return p.accept(tx, d) })
}

func (p *Plane) accept(tx *store.Tx, d *service.Delivery) error {
	arn, ok := service.ParseARN(d.Target)
	if !ok {
		return fmt.Errorf("%q is no ARN", d.Target)
	}
	acceptor, ok := p.byARN[arn.Service]
	if !ok {
		return fmt.Errorf("%s cannot be delivered to locally", d.Target)
	}
	return acceptor.Accept(tx, d)
}

func (p *Plane) prepare(d *service.Delivery) {
	if arn, ok := service.ParseARN(d.Target); ok {
		if preparer, ok := p.byARN[arn.Service].(service.Preparer); ok {
			preparer.Prepare(d)
		}
	}
}

// URL is where the plane is served.
func (p *Plane) URL() string { return p.options.URL }

// Environ are the variables with which functions, tools and SDKs find the
// plane: "NAME=value".
func (p *Plane) Environ() []string {
	all := []string{
		"AWS_ENDPOINT_URL=" + p.options.URL,
		"AWS_ACCESS_KEY_ID=" + p.options.Application.AccountID,
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_SESSION_TOKEN=",
		"AWS_REGION=" + p.options.Application.Region,
		"AWS_DEFAULT_REGION=" + p.options.Application.Region,
		// An SDK that asks for an account's own endpoint would leave ours.
		"AWS_ACCOUNT_ID_ENDPOINT_MODE=disabled",
		"AWS_EC2_METADATA_DISABLED=true",
	}
	for _, e := range p.entries {
		if more, ok := e.service.(interface{ Environ() []string }); ok {
			all = append(all, more.Environ()...)
		}
	}
	return all
}

// Close ends requests that wait, then the services, and closes the state. What
// was not delivered yet is delivered when the state is opened again.
func (p *Plane) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.serving.Wait()
	all := []error{p.conceal()}
	for i := len(p.entries) - 1; i >= 0; i-- {
		all = append(all, p.entries[i].service.Close())
	}
	return errors.Join(append(all, p.store.Close())...)
}

// begin counts a request, unless the plane closes.
func (p *Plane) begin() bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if !p.closed {
		p.serving.Add(1)
	}
	return !p.closed
}

func (p *Plane) logf(format string, args ...any) {
	line := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")
	p.logs.Lock()
	defer p.logs.Unlock()
	_, _ = io.WriteString(p.options.Logs, "bailey: "+line+"\n") // a log that is gone is no reason to stop
}

// Reset removes the state of a folder, with its tables, buckets and indexes. The error
// is a [*store.InUseError] where a plane uses it.
func Reset(dir string) error {
	path := filepath.Join(dir, stateFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	db, err := store.Open(path)
	inUse := &store.InUseError{}
	if errors.As(err, &inUse) {
		return err
	}
	if err == nil { // else it is damaged, and goes all the more
		defer func() { _ = db.Close() }()
	}
	for _, folder := range []string{"dynamodb", "s3", "opensearch"} {
		if err := os.RemoveAll(filepath.Join(dir, folder)); err != nil {
			return err
		}
	}
	return os.Remove(path) // the last one: without it there is nothing to reset
}

// Localise puts the plane's queue URLs in place of AWS's, in the environment of
// an application's functions: some SDKs send to the host that stands in a
// queue's URL, whatever their endpoint is.
func Localise(app *model.Application, url string) {
	var pairs []string
	for _, q := range app.Queues {
		local := url + "/" + app.AccountID + "/" + q.QueueName
		if q.URL != "" && q.URL != local {
			pairs = append(pairs, q.URL, local)
		}
		q.URL = local
	}
	replacer := strings.NewReplacer(pairs...)
	for _, f := range app.Functions {
		for name, value := range f.Environment {
			f.Environment[name] = replacer.Replace(value)
		}
	}
}

// ServeHTTP answers a request for any of the services.
func (p *Plane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !p.begin() {
		http.Error(w, "the event plane is closing", http.StatusServiceUnavailable)
		return
	}
	defer p.serving.Done()
	if why := p.distrust(r); why != "" {
		http.Error(w, why, http.StatusForbidden)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/_bailey/") {
		p.serveOwn(w, r)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(p.closing, cancel)()
	p.dispatch(w, r.WithContext(ctx))
}
