package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrClosed is what a closed store answers with.
var ErrClosed = errors.New("the event plane is closed")

// InUseError says that another process has the file open.
type InUseError struct{ Path string }

func (e *InUseError) Error() string {
	return fmt.Sprintf("%s is in use by another bailey process; stop that one, or send to it", e.Path)
}

const (
	// lockTimeout is how long Open waits for a process that is just ending.
	lockTimeout = 500 * time.Millisecond
	// maxGroup is the most calls of Update that become one transaction. More
	// gain nothing, and hold up the first of them.
	maxGroup = 1024
	// mapped is how much address space is taken from the start. To grow it
	// means to wait for all readers.
	mapped = 256 << 20
	// fill is how full a page is before it is split: most keys rise.
	fill = 0.9
)

// Store is an open file. Its methods may be called from many goroutines.
type Store struct {
	db *bolt.DB

	mu     sync.Mutex
	queue  []*call
	closed bool
	wake   chan struct{} // holds one token where queue may not be empty
	done   chan struct{} // closed when the writer has ended
}

// call is one function to run in a transaction.
type call struct {
	fn     func(*Tx) error
	result chan error // nil where nobody waits
	err    error
	panics any
}

// Open opens the file, and makes it with its folder where there is none. The
// error is an [*InUseError] where another process has it.
func Open(path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	options := &bolt.Options{
		Timeout: lockTimeout, NoSync: true, NoGrowSync: true, NoFreelistSync: true,
		FreelistType: bolt.FreelistMapType, InitialMmapSize: mapped,
	}
	if os.PathSeparator == '\\' {
		options.InitialMmapSize = 0 // there it makes the file as big
	}
	db, err := bolt.Open(path, 0o600, options)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, &InUseError{Path: path}
	case err != nil:
		return nil, fmt.Errorf("cannot open the state of the event plane %s: %w; bailey local reset begins anew", path, err)
	}
	s := &Store{db: db, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go s.write()
	return s, nil
}

// Close commits what waits and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		<-s.done
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.signal()
	<-s.done
	return s.db.Close()
}

// Update runs fn in a transaction and returns when that is durable, or fn's
// error, in which case nothing of fn is kept. The package documentation says
// what fn must obey.
func (s *Store) Update(fn func(*Tx) error) error {
	c := &call{fn: fn, result: make(chan error, 1)}
	if err := s.enqueue(c); err != nil {
		return err
	}
	err := <-c.result
	if c.panics != nil {
		panic(c.panics) // here it is the caller's
	}
	return err
}

// Later is Update for who need not wait: fn is run in its turn, before
// everything that is given to the store afterwards, and lost with the process
// if that dies before. An error of fn is lost too.
func (s *Store) Later(fn func(*Tx) error) { _ = s.enqueue(&call{fn: fn}) }

// View runs fn on what is durable at this moment. fn must be quick: pages that
// it may see cannot be used again meanwhile.
func (s *Store) View(fn func(*Tx) error) error {
	err := s.db.View(func(b *bolt.Tx) error {
		tx := newTx(b)
		return errors.Join(fn(tx), tx.err)
	})
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

func (s *Store) enqueue(c *call) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.queue = append(s.queue, c)
	s.mu.Unlock()
	s.signal()
	return nil
}

func (s *Store) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// write commits one group after another until the store is closed.
func (s *Store) write() {
	defer close(s.done)
	for {
		// Who can run may give its call first: a group costs little more for it.
		runtime.Gosched()
		s.mu.Lock()
		group := s.queue
		if len(group) > maxGroup {
			group = group[:maxGroup:maxGroup]
		}
		s.queue = s.queue[len(group):]
		closed := s.closed
		s.mu.Unlock()
		if len(group) > 0 {
			s.commit(group)
		} else if closed {
			return
		} else {
			<-s.wake
		}
	}
}

// commit runs a group in one transaction. Where a call fails after it wrote,
// the transaction is undone and the others run anew.
func (s *Store) commit(group []*call) {
	for {
		failed, after, err := s.try(group)
		if failed == nil {
			for _, fn := range after {
				fn()
			}
			for _, c := range group {
				c.end(errors.Join(err, c.err))
			}
			return
		}
		failed.end(failed.err)
		rest := make([]*call, 0, len(group)-1)
		for _, c := range group {
			if c != failed {
				rest = append(rest, c)
			}
		}
		group = rest
	}
}

func (c *call) end(err error) {
	if c.result != nil {
		c.result <- err
	}
}

// errUndo makes bbolt undo a transaction.
var errUndo = errors.New("undone")

// try runs a group once. It returns the call because of which nothing was
// committed, or what to run after the commit, or why the commit failed.
func (s *Store) try(group []*call) (failed *call, after []func(), err error) {
	err = s.db.Update(func(b *bolt.Tx) error {
		tx := newTx(b)
		for _, c := range group {
			tx.writes = 0
			kept := len(tx.after)
			c.run(tx)
			if c.err == nil {
				continue
			}
			if tx.writes > 0 {
				failed = c
				return errUndo
			}
			tx.after = tx.after[:kept]
		}
		tx.flush()
		after = tx.after
		return tx.err
	})
	if failed != nil {
		return failed, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot write the state of the event plane: %w", err)
	}
	return nil, after, nil
}

// run runs the call's function. A panic is given to who waits.
func (c *call) run(tx *Tx) {
	c.err = nil
	defer func() {
		if r := recover(); r != nil {
			c.err, c.panics = fmt.Errorf("panic in a transaction: %v", r), r
			tx.writes++ // whatever it did is undone
		}
		if c.err == nil && tx.err != nil {
			c.err, tx.err = tx.err, nil
		}
	}()
	c.err = c.fn(tx)
}
