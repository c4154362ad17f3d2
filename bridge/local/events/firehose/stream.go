package firehose

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// stream is a delivery stream with its buffer.
type stream struct {
	service   *Service
	name, arn string
	table     string
	// hash makes the ids of records differ between streams.
	hash string
	// next is the number of the next record. It belongs to the goroutine that
	// writes the store.
	next uint64

	// delivering is held by who takes records out of the buffer.
	delivering sync.Mutex
	config     *config // changed with both mutexes held

	mu    sync.Mutex
	made  *made
	count int
	size  int
	// oldest is when the first of the buffer arrived.
	oldest time.Time
	wake   chan struct{}
	cancel context.CancelFunc
}

func (s *Service) open(name string, c *config, m *made) (*stream, error) {
	sum := sha256.Sum256([]byte(name))
	st := &stream{
		service: s, name: name, arn: "arn:aws:firehose:" + s.env.Region + ":" + s.env.AccountID + ":deliverystream/" + name,
		table: "firehose/records/" + name, hash: fmt.Sprintf("%x", sum[:8]), config: c, made: m, wake: make(chan struct{}, 1),
	}
	err := s.env.Store.View(func(tx *store.Tx) error {
		return tx.Scan(st.table, nil, func(key, value []byte) error {
			st.next = binary.BigEndian.Uint64(key) + 1
			if st.count == 0 {
				st.oldest, _ = unpack(value)
			}
			st.count++
			st.size += len(value)
			return nil
		})
	})
	if m.Created.IsZero() {
		m.Created = s.env.Now()
	}
	return st, err
}

func (s *stream) now() time.Time { return s.service.env.Now() }

// change takes over another configuration. A delivery under way ends before.
func (s *stream) change(c *config, m *made) {
	s.delivering.Lock()
	defer s.delivering.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Created = s.made.Created
	s.config, s.made = c, m
	s.signal()
}

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// pack and unpack put the arrival before the data.
func pack(at time.Time, data []byte) []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(data)), uint64(at.UnixNano())), data...)
}

func unpack(value []byte) (time.Time, []byte) {
	if len(value) < 8 {
		return time.Time{}, nil // never written
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(value))), value[8:] //nolint:gosec // as pack wrote it
}

func (s *stream) id(number uint64) string { return fmt.Sprintf("%s%016x", s.hash, number) }

// put stores records, and returns their ids.
func (s *stream) put(tx *store.Tx, source string, records [][]byte) []string {
	at := s.now()
	ids := make([]string, len(records))
	size := 0
	for i, data := range records {
		value := pack(at, data)
		ids[i] = s.id(s.next)
		tx.Put(s.table, store.Key(s.next), value)
		s.next++
		size += len(value)
		s.service.env.Note(tx, service.Note{What: service.Published, Source: source, Target: s.arn, MessageID: ids[i], Body: data})
	}
	tx.AfterCommit(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.count == 0 {
			s.oldest = at
		}
		s.count += len(records)
		s.size += size
		if s.count == len(records) || s.size >= s.config.size {
			s.signal()
		}
	})
	return ids
}

// start runs the stream's deliveries. The service's mutex is held.
func (s *stream) start() {
	ctx, cancel := context.WithCancel(s.service.ctx)
	s.cancel = cancel
	s.service.running.Go(func() { s.run(ctx) })
}

func (s *stream) stop() {
	if s.cancel != nil {
		s.cancel()
	}
}

// due is how long the buffer waits yet, 0 where it is due, and -1 for ever.
func (s *stream) due() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	interval := s.config.interval
	if most := s.service.o.MaxInterval; most > 0 {
		interval = min(interval, most)
	}
	switch {
	case s.count == 0 || s.config.unknown != "":
		return -1
	case s.size >= s.config.size:
		return 0
	}
	return max(0, interval-s.now().Sub(s.oldest))
}

// The waits after a delivery that failed.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// run delivers the buffer whenever it is due.
func (s *stream) run(ctx context.Context) {
	retry := firstRetry
	for ctx.Err() == nil {
		wait := s.due()
		if wait == 0 {
			_, err := s.deliver(ctx)
			if err == nil || ctx.Err() != nil {
				retry = firstRetry
				continue
			}
			s.service.env.Logf("the delivery stream %s cannot deliver, and tries again: %v", s.name, err)
			wait, retry = retry, min(2*retry, lastRetry)
			sleep(ctx, wait)
			continue
		}
		if wait < 0 {
			wait = time.Hour
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// flush delivers until the buffer is empty.
func (s *stream) flush(ctx context.Context) error {
	s.mu.Lock()
	unknown := s.config.unknown != ""
	s.mu.Unlock()
	for !unknown {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("the delivery stream %s: %w", s.name, err)
		}
		n, err := s.deliver(ctx)
		if err != nil {
			return fmt.Errorf("the delivery stream %s: %w", s.name, err)
		}
		if n == 0 {
			return nil
		}
	}
	return nil
}

// deliver takes one buffer's worth of records to the destination, and says how
// many they were.
func (s *stream) deliver(ctx context.Context) (int, error) {
	s.delivering.Lock()
	defer s.delivering.Unlock()
	records, last, size, err := s.take()
	if err != nil || len(records) == 0 {
		return 0, err
	}
	first := records[0]
	o := &output{stream: s, at: first.arrived, taken: len(records)}
	good, bad, err := s.process(ctx, records)
	if err != nil {
		return 0, err
	}
	if err := o.make(ctx, records, good, bad); err != nil {
		o.discard()
		return 0, err
	}
	err = s.service.env.Store.Update(func(tx *store.Tx) error { return o.commit(tx, last) })
	if err != nil {
		o.discard()
		return 0, err
	}
	return len(records), s.taken(len(records), size)
}

// take reads the records of one buffer.
func (s *stream) take() (records []*record, last uint64, size int, err error) {
	err = s.service.env.Store.View(func(tx *store.Tx) error {
		return tx.Scan(s.table, nil, func(key, value []byte) error {
			if size > 0 && size+len(value) > s.config.size {
				return store.Stop
			}
			last = binary.BigEndian.Uint64(key)
			at, data := unpack(value)
			data = append([]byte(nil), data...)
			records = append(records, &record{id: s.id(last), arrived: at, data: data, raw: data})
			size += len(value)
			return nil
		})
	})
	return records, last, size, err
}

// taken forgets records that were delivered, and finds the oldest of the rest.
func (s *stream) taken(count, size int) error {
	var oldest time.Time
	err := s.service.env.Store.View(func(tx *store.Tx) error {
		return tx.Scan(s.table, nil, func(_, value []byte) error {
			oldest, _ = unpack(value)
			return store.Stop
		})
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count -= count
	s.size -= size
	s.oldest = oldest
	if s.count > 0 && oldest.IsZero() && err == nil {
		err = errors.New("its buffer is not what it counts")
	}
	return err
}
