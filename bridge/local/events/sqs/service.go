package sqs

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// The tables. Those of a queue end in its name.
const (
	queuesTable   = "sqs/queues"    // queue name -> definition
	tasksTable    = "sqs/tasks"     // handle -> move task
	messageTable  = "sqs/messages/" // sequence number -> record
	receivesTable = "sqs/receives/" // sequence number -> receives
	dedupTable    = "sqs/dedup/"    // deduplication id -> until when, sequence number, message id
	expiryTable   = "sqs/expiry/"   // time, deduplication id -> nothing
)

const (
	// flushInterval is how soon receives are written.
	flushInterval = 100 * time.Millisecond
	// sweepInterval is how often messages past their retention, and old
	// deduplication ids, are looked for.
	sweepInterval = 15 * time.Second
)

// Service is SQS.
type Service struct {
	env service.Env

	mu     sync.RWMutex
	queues map[string]*queue

	// seq is the last sequence number. Only the store's writer uses it, once
	// the service runs.
	seq uint64

	tasks tasks
	stop  chan struct{}
	work  sync.WaitGroup
}

// definition is a queue as it is stored.
type definition struct {
	ID         uint32            `json:"id"`
	ARN        string            `json:"arn"`
	Attributes map[string]string `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
	// Template are the attributes that the application gave, nil where a
	// request made the queue.
	Template map[string]string `json:"template,omitempty"`
	Created  int64             `json:"created"`
	Modified int64             `json:"modified"`
}

// New opens the queues that are in the store. Those of the application come
// with Swap.
func New(env service.Env) (*Service, error) {
	s := &Service{env: env, queues: map[string]*queue{}, stop: make(chan struct{}), seq: uint64(env.Now().UnixMicro())}
	err := env.Store.View(func(tx *store.Tx) error {
		err := tx.Scan(queuesTable, nil, func(key, value []byte) error {
			var d definition
			if err := json.Unmarshal(value, &d); err != nil {
				return fmt.Errorf("the queue %s cannot be read: %w", key, err)
			}
			q := s.open(string(key), &d)
			return s.load(tx, q)
		})
		if err != nil {
			return err
		}
		return s.loadTasks(tx)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// open makes a queue in memory.
func (s *Service) open(name string, d *definition) *queue {
	q := newQueue(name, d.ID, newConfig(name, d.Attributes))
	q.definition.Store(d)
	s.mu.Lock()
	s.queues[name] = q
	s.mu.Unlock()
	return q
}

// load finds the messages of a queue.
func (s *Service) load(tx *store.Tx, q *queue) error {
	now := millis(s.env.Now())
	return tx.Scan(messageTable+q.name, nil, func(key, value []byte) error {
		r, _, err := decodeHeader(value)
		if err != nil {
			return fmt.Errorf("queue %s: %w", q.name, err)
		}
		m := &message{seq: binary.BigEndian.Uint64(key), sent: r.sent, at: r.due, first: r.first}
		s.seq = max(s.seq, m.seq)
		if known := tx.Get(receivesTable+q.name, key); len(known) == receivesSize {
			m.at, m.first, m.count = decodeReceives(known)
			m.stored.Store(true)
			if m.at > now {
				m.state = inFlight
			}
		}
		q.add(m, r.group, now)
		return nil
	})
}

// Swap makes the application's queues, and removes those of its last state
// that are gone.
func (s *Service) Swap(app *model.Application) error {
	wanted := map[string]*model.Queue{}
	for _, q := range app.Queues {
		wanted[q.QueueName] = q
	}
	return s.env.Store.Update(func(tx *store.Tx) error {
		for _, q := range s.list() {
			if q.definition.Load().Template != nil && wanted[q.name] == nil {
				s.drop(tx, q)
			}
		}
		for _, q := range app.Queues {
			s.adopt(tx, q)
		}
		return nil
	})
}

// adopt makes a queue as the application has it. What requests changed of it
// stays, until the application changes it itself.
func (s *Service) adopt(tx *store.Tx, model *model.Queue) {
	attributes := attributesOf(model)
	q := s.queue(model.QueueName)
	d := definition{ID: newQueueID(), Created: s.env.Now().Unix()}
	if q != nil {
		d = *q.definition.Load()
		if d.Template != nil && maps.Equal(d.Template, attributes) && d.ARN == model.ARN {
			return
		}
	}
	d.ARN, d.Attributes, d.Template, d.Modified = model.ARN, attributes, attributes, s.env.Now().Unix()
	s.define(tx, model.QueueName, &d)
}

// define stores a queue, and opens or changes it when that is durable.
func (s *Service) define(tx *store.Tx, name string, d *definition) {
	text, _ := json.Marshal(d) // never fails
	tx.Put(queuesTable, []byte(name), text)
	tx.AfterCommit(func() {
		q := s.queue(name)
		if q == nil {
			s.open(name, d)
			return
		}
		q.mu.Lock()
		q.definition.Store(d)
		q.config = newConfig(name, d.Attributes)
		q.mu.Unlock()
	})
}

// drop removes a queue with its messages.
func (s *Service) drop(tx *store.Tx, q *queue) {
	tx.Delete(queuesTable, []byte(q.name))
	s.clear(tx, q)
	tx.Drop(dedupTable + q.name)
	tx.Drop(expiryTable + q.name)
	tx.AfterCommit(func() {
		s.mu.Lock()
		if s.queues[q.name] == q {
			delete(s.queues, q.name)
		}
		s.mu.Unlock()
		q.mu.Lock()
		q.deleted = true
		for _, c := range q.waiters {
			close(c)
		}
		q.waiters = nil
		q.mu.Unlock()
	})
}

// clear removes a queue's messages.
func (s *Service) clear(tx *store.Tx, q *queue) {
	tx.Drop(messageTable + q.name)
	tx.Drop(receivesTable + q.name)
	tx.AfterCommit(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		for _, m := range q.all {
			q.remove(m)
		}
		q.visible, q.turns = ring[*message]{}, ring[*group]{}
		for _, g := range q.groups {
			g.queued = false
		}
	})
}

// queue finds a queue by its name, nil where there is none.
func (s *Service) queue(name string) *queue {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.queues[name]
}

// byARN finds a queue by its ARN.
func (s *Service) byARN(arn string) *queue {
	if a, ok := service.ParseARN(arn); ok && a.Service == "sqs" {
		return s.queue(a.Resource)
	}
	return nil
}

// byURL finds a queue by its URL. Only the name counts.
func (s *Service) byURL(url string) (*queue, *service.Error) {
	if url == "" {
		return nil, missing("QueueUrl")
	}
	if q := s.queue(url[strings.LastIndexByte(url, '/')+1:]); q != nil {
		return q, nil
	}
	return nil, noQueue()
}

// list are all queues in the order of their names.
func (s *Service) list() []*queue {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*queue, 0, len(s.queues))
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		all = append(all, s.queues[name])
	}
	return all
}

func (s *Service) urlOf(q *queue) string {
	return s.env.URL + "/" + s.env.AccountID + "/" + q.name
}

func (q *queue) arn() string { return q.definition.Load().ARN }

// nextSeq is a sequence number, for the store's writer alone. Each is one
// that no message ever had, as long as the clock does not go back.
func (s *Service) nextSeq() uint64 {
	s.seq++
	return s.seq
}

// sequenceNumber is a sequence number as FIFO queues show it: 20 digits.
func sequenceNumber(seq uint64) string {
	text := strconv.FormatUint(seq, 10)
	return "1" + strings.Repeat("0", max(0, 19-len(text))) + text
}

func newQueueID() uint32 {
	id := service.NewID()
	n, _ := strconv.ParseUint(id[:8], 16, 32) // never fails
	return uint32(n)
}

// Start begins to write receives, to expire messages and to go on with move
// tasks.
func (s *Service) Start() {
	s.work.Go(s.tend)
	s.startTasks()
}

// Close ends all that and writes what is left to write.
func (s *Service) Close() error {
	close(s.stop)
	s.work.Wait()
	s.flush()
	return nil
}

func (s *Service) tend() {
	flush, sweep := time.NewTicker(flushInterval), time.NewTicker(sweepInterval)
	defer flush.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-flush.C:
			s.flush()
		case <-sweep.C:
			s.sweep()
		case <-s.stop:
			return
		}
	}
}

const receivesSize = 8 + 8 + 4

func encodeReceives(m *message) []byte {
	b := make([]byte, 0, receivesSize)
	b = binary.BigEndian.AppendUint64(b, uint64(m.at))    //nolint:gosec // read back the same way
	b = binary.BigEndian.AppendUint64(b, uint64(m.first)) //nolint:gosec // as above
	return binary.BigEndian.AppendUint32(b, m.count)
}

func decodeReceives(b []byte) (at, first int64, count uint32) {
	return int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:])), binary.BigEndian.Uint32(b[16:]) //nolint:gosec // see encodeReceives
}

// flush writes the receives of messages that are still there.
func (s *Service) flush() {
	for _, q := range s.list() {
		q.mu.Lock()
		dirty := q.dirty
		q.dirty = nil
		type entry struct{ key, value []byte }
		entries := make([]entry, 0, len(dirty))
		for _, m := range dirty {
			m.dirty = false
			if m.state == inFlight || m.state == ready {
				m.stored.Store(true)
				entries = append(entries, entry{store.Key(m.seq), encodeReceives(m)})
			}
		}
		q.mu.Unlock()
		if len(entries) == 0 {
			continue
		}
		s.env.Store.Later(func(tx *store.Tx) error {
			for _, e := range entries {
				if tx.Get(messageTable+q.name, e.key) != nil { // else it was deleted meanwhile
					tx.Put(receivesTable+q.name, e.key, e.value)
				}
			}
			return nil
		})
	}
}

// sweep removes messages past their retention and deduplication ids past their
// five minutes.
func (s *Service) sweep() {
	now := s.env.Now()
	for _, q := range s.list() {
		q.mu.Lock()
		oldest := millis(now) - q.config.retention.Milliseconds()
		var old []*message
		for _, m := range q.all {
			if m.sent <= oldest && m.state != leaving {
				old = append(old, m)
			}
		}
		for id, a := range q.attempts {
			if a.until <= millis(now) {
				delete(q.attempts, id)
			}
		}
		q.mu.Unlock()
		s.expire(q, old)
		if q.fifo {
			s.sweepDedup(q, millis(now))
		}
	}
}

// expire deletes messages past their retention.
func (s *Service) expire(q *queue, old []*message) {
	if len(old) == 0 {
		return
	}
	s.env.Store.Later(func(tx *store.Tx) error {
		for _, m := range old {
			s.erase(tx, q, m)
			s.env.Note(tx, service.Note{What: service.Dropped, Source: q.arn(), Detail: "it was kept for the queue's retention period"})
		}
		s.removeAfter(tx, q, old)
		return nil
	})
}

// erase deletes a message from the store.
func (s *Service) erase(tx *store.Tx, q *queue, m *message) {
	key := store.Key(m.seq)
	tx.Delete(messageTable+q.name, key)
	if m.stored.Load() {
		tx.Delete(receivesTable+q.name, key)
	}
}

// removeAfter removes messages from memory when their deletion is durable.
func (s *Service) removeAfter(tx *store.Tx, q *queue, messages []*message) {
	tx.AfterCommit(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		for _, m := range messages {
			q.remove(m)
		}
	})
}
