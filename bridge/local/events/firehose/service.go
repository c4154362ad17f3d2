package firehose

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// Staged is an object that is written but not in its place yet: Commit puts it
// there in a transaction, Discard removes it.
type Staged interface {
	Commit(tx *store.Tx) error
	Discard()
}

// Options are what the plane gives, and what a local run may want differently.
type Options struct {
	// Stage writes an object for a bucket.
	Stage func(bucket, key string, content []byte, contentType string) (Staged, error)
	// MaxInterval is the longest that a buffer waits, whatever its stream says; 0
	// leaves it to the stream.
	MaxInterval time.Duration
	// OpenSearch is the address of a real cluster, "http://127.0.0.1:9200"; ""
	// for the local index.
	OpenSearch string
}

// Service is Firehose. Its methods may be called from many goroutines.
type Service struct {
	env     service.Env
	o       Options
	indexes *indexes

	// mu guards streams, app and started.
	mu      sync.RWMutex
	app     *model.Application
	streams map[string]*stream
	started bool

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// streamTable has the streams that requests made.
const streamTable = "firehose/streams"

// New reads the streams. They deliver from Start on.
func New(env service.Env, o Options) (*Service, error) {
	s := &Service{env: env, o: o, indexes: newIndexes(env), streams: map[string]*stream{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, s.Swap(env.App)
}

// made is a stream that a request made.
type made struct {
	Type       string
	Created    time.Time
	Properties node
}

// Swap takes over another state of the application. A stream that stays keeps
// its records; what is in one that is gone waits for it to come back.
func (s *Service) Swap(app *model.Application) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app = app
	wanted := map[string]*made{}
	for _, d := range app.DeliveryStreams {
		wanted[d.DeliveryStreamName] = &made{Type: cmp.Or(node(d.Properties).text("DeliveryStreamType"), "DirectPut"), Properties: d.Properties}
	}
	err := s.env.Store.View(func(tx *store.Tx) error {
		return tx.Scan(streamTable, nil, func(key, value []byte) error {
			m := &made{}
			if err := json.Unmarshal(value, m); err != nil {
				return fmt.Errorf("the stored delivery stream %s cannot be read: %w", key, err)
			}
			if wanted[string(key)] == nil {
				wanted[string(key)] = m
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return s.take(wanted)
}

// take makes and changes streams. s.mu is held.
func (s *Service) take(wanted map[string]*made) error {
	for name, st := range s.streams {
		if wanted[name] == nil {
			st.stop()
			delete(s.streams, name)
		}
	}
	for name, m := range wanted {
		c, err := readConfig(m.Properties)
		if err != nil {
			s.env.Logf("the delivery stream %s is left out: %v", name, err)
			continue
		}
		s.tellOf(name, m, c)
		if st := s.streams[name]; st != nil {
			st.change(c, m)
			continue
		}
		st, err := s.open(name, c, m)
		if err != nil {
			return err
		}
		s.streams[name] = st
		if s.started {
			st.start()
		}
	}
	return nil
}

// tellOf logs what is different on this machine.
func (s *Service) tellOf(name string, m *made, c *config) {
	if c.unknown != "" {
		s.env.Logf("the delivery stream %s keeps its records: its destination %s is not there locally", name, c.unknown)
	}
	if m.Type == "KinesisStreamAsSource" {
		s.env.Logf("the delivery stream %s reads no Kinesis stream locally: it takes what is put to it", name)
	}
	if c.converts {
		s.env.Logf("the delivery stream %s writes its records as they are: they are not converted to Parquet or ORC locally", name)
	}
}

// Start delivers what is in the buffers, also from before.
func (s *Service) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = true
	for _, st := range s.streams {
		st.start()
	}
}

// closeGrace is how long Close may take to deliver what is buffered.
const closeGrace = 5 * time.Second

// Close delivers what is in the buffers, as far as that works at once. What is
// left is delivered when the state is opened again.
func (s *Service) Close() error {
	s.mu.RLock()
	started := s.started
	s.mu.RUnlock()
	s.cancel()
	s.running.Wait()
	if !started {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	if err := s.Flush(ctx); err != nil {
		s.env.Logf("some records wait for the next start: %v", err)
	}
	return nil
}

// Flush delivers all that is in the buffers now.
func (s *Service) Flush(ctx context.Context) error {
	s.mu.RLock()
	var all []*stream
	for _, st := range s.streams {
		all = append(all, st)
	}
	s.mu.RUnlock()
	var faults []error
	for _, st := range all {
		faults = append(faults, st.flush(ctx))
	}
	return errors.Join(faults...)
}

// stream finds a stream by its name or ARN.
func (s *Service) stream(name string) (*stream, error) {
	if arn, ok := service.ParseARN(name); ok {
		name = strings.TrimPrefix(arn.Resource, "deliverystream/")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if st := s.streams[name]; st != nil {
		return st, nil
	}
	return nil, service.Errorf("ResourceNotFoundException", "Firehose %s under account %s not found.", name, s.env.AccountID)
}

// function finds a function of the application by its ARN.
func (s *Service) function(arn string) (*model.Function, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.app.Function(arn)
}

// Accept takes a record.
func (s *Service) Accept(tx *store.Tx, d *service.Delivery) error {
	st, err := s.stream(d.Target)
	if err != nil {
		return err
	}
	if len(d.Body) > maxRecord {
		return service.Errorf("ValidationException", "a record of %d bytes is over the limit of %d", len(d.Body), maxRecord)
	}
	st.put(tx, d.Source, [][]byte{d.Body})
	return nil
}

// protocol is the version of the JSON protocol that Firehose speaks.
const protocol = "1.1"

// Serve answers a request of Firehose, and those below /_opensearch/.
func (s *Service) Serve(w http.ResponseWriter, r *service.Request) {
	if r.Operation == "" {
		s.serveSearch(w, r)
		return
	}
	operation := operations[r.Operation]
	if operation == nil {
		service.FailJSON(w, r, protocol, "", service.Errorf("UnknownOperationException", "the local Firehose has no %s", r.Operation))
		return
	}
	answer, err := operation(s, r.Payload)
	if err != nil {
		service.FailJSON(w, r, protocol, "", err)
		return
	}
	service.AnswerJSON(w, r, protocol, answer)
}

// application is the application at this time.
func (s *Service) application() *model.Application {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.app
}
