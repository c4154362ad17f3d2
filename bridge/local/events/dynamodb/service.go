package dynamodb

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// Options are what a test may want differently.
type Options struct {
	// TTLInterval is how often items that have outlived their time are
	// deleted: every 10 s where it is 0. AWS promises a few days.
	TTLInterval time.Duration
}

const defaultTTLInterval = 10 * time.Second

// Service is DynamoDB with its streams. Its methods may be called from many
// goroutines. dynalite is started when the application has tables, or with the
// first request.
type Service struct {
	env service.Env
	o   Options

	ctx    context.Context // of everything that goes on without a request
	cancel context.CancelFunc
	tended sync.WaitGroup

	mu      sync.Mutex
	app     *model.Application
	engine  *bringing
	started bool
	closed  bool

	// transaction is held for reading by whatever touches items, and for
	// writing by transactions.
	transaction sync.RWMutex
	items       keyLocks

	tablesMu sync.Mutex
	tables   map[string]*table
	fresh    map[string]chan struct{} // by table: closed with the next record
}

// New makes the service.
func New(env service.Env, o Options) (*Service, error) {
	o.TTLInterval = cmp.Or(o.TTLInterval, defaultTTLInterval)
	dir, err := filepath.Abs(filepath.Join(env.Dir, "dynamodb"))
	if err != nil {
		return nil, err
	}
	env.Dir = dir
	s := &Service{env: env, o: o, app: env.App, tables: map[string]*table{}, fresh: map[string]chan struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Swap takes over another state of the application: tables that are new are
// made, with their indexes and streams.
func (s *Service) Swap(app *model.Application) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app = app
	if s.started && len(app.Tables) > 0 {
		s.bring(true)
	}
	return nil
}

// Start starts dynalite where there are tables, and what tends them.
func (s *Service) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = true
	if len(s.app.Tables) > 0 {
		s.bring(false)
	}
	s.tended.Go(s.tend)
}

// Close ends dynalite.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	b := s.engine
	s.mu.Unlock()
	s.cancel()
	s.tended.Wait()
	if b != nil {
		<-b.done
		if b.process != nil {
			b.process.stop()
		}
	}
	return nil
}

// bringing is a dynalite that is coming up, or is there, with the tables of an
// application.
type bringing struct {
	done    chan struct{} // closed when process and err are set
	process *process
	err     error
	ended   time.Time
}

// retryAfter is how soon a start that failed is tried again.
const retryAfter = 2 * time.Second

// bring begins to start dynalite, or to change its tables where swapped says
// that there are others. s.mu is held.
func (s *Service) bring(swapped bool) *bringing {
	last := s.engine
	if s.closed {
		return &bringing{done: closedChannel(), err: errors.New("the event plane is closing")}
	}
	if last != nil && !swapped && !last.over() {
		return last
	}
	b := &bringing{done: make(chan struct{})}
	s.engine = b
	app := s.app
	go func() {
		defer close(b.done)
		if last != nil {
			<-last.done
			if last.process != nil && !last.process.ended() {
				b.process = last.process
			}
		}
		b.process, b.err = s.raise(b.process, app)
		b.ended = time.Now()
		if b.err != nil && s.ctx.Err() == nil {
			s.env.Logf("%v", b.err)
		}
	}()
	return b
}

func closedChannel() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// over reports that a start has failed a while ago, or that its process has
// ended.
func (b *bringing) over() bool {
	select {
	case <-b.done:
	default:
		return false
	}
	if b.err != nil {
		return time.Since(b.ended) > retryAfter
	}
	return b.process.ended()
}

// raise starts dynalite, unless it runs, finishes what the last process left,
// and makes the application's tables.
func (s *Service) raise(p *process, app *model.Application) (*process, error) {
	if p == nil {
		installed, err := install(s.ctx, s.env.Logf)
		if err != nil {
			return nil, err
		}
		if p, err = start(s.ctx, installed, filepath.Join(s.env.Dir, "tables"), s.env.Region, s.env.AccountID); err != nil {
			return nil, err
		}
		s.forget()
		if err := s.recover(p); err != nil {
			p.stop()
			return nil, err
		}
	}
	return p, s.define(p, app)
}

// process is dynalite with all tables, waited for if need be.
func (s *Service) process(ctx context.Context) (*process, error) {
	s.mu.Lock()
	b := s.bring(false)
	s.mu.Unlock()
	select {
	case <-b.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return b.process, b.err
}

const (
	errorPrefix  = "com.amazonaws.dynamodb.v20120810#"
	streamTarget = "DynamoDBStreams_20120810."
	jsonVersion  = "1.0"
)

// Serve answers a request of DynamoDB or of its streams.
func (s *Service) Serve(w http.ResponseWriter, r *service.Request) {
	if strings.HasPrefix(r.Header.Get("X-Amz-Target"), streamTarget) {
		s.serveStreams(w, r)
		return
	}
	p, err := s.process(r.Context())
	if err != nil {
		service.FailJSON(w, r, jsonVersion, errorPrefix, &service.Error{Code: "InternalServerError", Message: err.Error(), Status: http.StatusInternalServerError})
		return
	}
	a, err := s.do(r.Context(), p, r.Operation, r.Payload)
	if err != nil {
		service.FailJSON(w, r, jsonVersion, errorPrefix, err)
		return
	}
	if a.status != http.StatusOK {
		w.Header().Set("X-Amzn-Requestid", r.ID)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body) // else the client is gone
		return
	}
	service.AnswerBytes(w, r, "application/x-amz-json-1.0", a.body)
}

// do does an operation.
func (s *Service) do(ctx context.Context, p *process, operation string, body []byte) (*answer, error) {
	body, err := localNames(body)
	if err != nil {
		return nil, err
	}
	switch operation {
	case "PutItem", "UpdateItem", "DeleteItem":
		return s.write(ctx, p, operation, body)
	case "BatchWriteItem":
		return s.writeBatch(ctx, p, body)
	case "TransactWriteItems":
		return s.transactWrite(ctx, p, body)
	case "TransactGetItems":
		return s.transactGet(ctx, p, body)
	case "CreateTable", "UpdateTable", "DeleteTable", "DescribeTable":
		return s.tableOperation(ctx, p, operation, body)
	case "UpdateTimeToLive", "DescribeTimeToLive":
		return s.timeToLive(ctx, p, operation, body)
	case "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction":
		return nil, service.Errorf("UnknownOperationException", "%s is not served locally: there is no PartiQL; use the operations on items", operation)
	}
	s.transaction.RLock()
	defer s.transaction.RUnlock()
	return p.call(ctx, operation, body)
}

// localNames puts table names in place of the ARNs of tables, which dynalite
// does not know.
func localNames(body []byte) ([]byte, error) {
	if !strings.Contains(string(body), ":table/") {
		return body, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, service.Errorf("SerializationException", "the request is no JSON object: %v", err)
	}
	var name string
	if json.Unmarshal(fields["TableName"], &name) == nil {
		fields["TableName"] = encode(tableName(name))
	}
	var tables map[string]json.RawMessage
	if json.Unmarshal(fields["RequestItems"], &tables) == nil && tables != nil {
		named := map[string]json.RawMessage{}
		for table, value := range tables {
			named[tableName(table)] = value
		}
		fields["RequestItems"] = encode(named)
	}
	return encode(fields), nil
}

// tableName is the name in the ARN of a table, or what is a name already.
func tableName(text string) string {
	if arn, ok := service.ParseARN(text); ok && arn.Service == "dynamodb" {
		return strings.TrimPrefix(arn.Resource, "table/")
	}
	return text
}

// encode writes JSON that is made of texts, numbers and JSON.
func encode(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}

// tend deletes what has outlived its time.
func (s *Service) tend() {
	expire := time.NewTicker(s.o.TTLInterval)
	defer expire.Stop()
	trim := time.NewTicker(time.Minute)
	defer trim.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-expire.C:
			s.expireItems()
		case <-trim.C:
			s.trimStreams()
		}
	}
}
