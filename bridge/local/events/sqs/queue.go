package sqs

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The states of a message.
const (
	ready    = uint8(iota)
	delayed  // not visible yet
	inFlight // received, and invisible
	leaving  // on its way to another queue
	gone     // deleted
)

// message is where a message is in its queue.
type message struct {
	seq   uint64
	at    int64 // ms; when it becomes visible, where it is delayed or in flight
	sent  int64 // ms; retention counts from here
	first int64 // ms; first received, 0 for never
	group *group
	count uint32 // receives in this queue
	index int32  // place in the queue's timed heap
	state uint8
	// stored says that the receive table knows it, dirty that it will. The
	// store's writer asks for stored without the queue's lock.
	stored atomic.Bool
	dirty  bool
}

// group is a message group of a FIFO queue. Its messages are those that are
// not in flight, in order; while some are in flight the others wait.
type group struct {
	name     string
	messages []*message
	inFlight int
	queued   bool // in the queue's ring of groups
}

// queue is a queue with its messages.
type queue struct {
	name string
	id   uint32 // tells receipt handles of queues of one name apart

	fifo bool
	// definition is replaced, never changed.
	definition atomic.Pointer[definition]

	mu sync.Mutex
	// config is changed by the store's writer alone, which may read it
	// without mu.
	config  config
	deleted bool
	all     map[uint64]*message
	visible ring[*message]
	timed   timed
	groups  map[string]*group
	turns   ring[*group] // groups that have something to give
	waiters []chan struct{}
	dirty   []*message
	counts  [gone + 1]int
	// attempts are the answers to recent receives with an attempt id.
	attempts map[string]attempt
}

func newQueue(name string, id uint32, c config) *queue {
	return &queue{
		name: name, id: id, fifo: c.fifo, config: c, all: map[uint64]*message{},
		groups: map[string]*group{}, attempts: map[string]attempt{},
	}
}

// move changes a message's state, and the counts with it.
func (q *queue) move(m *message, state uint8) {
	q.counts[m.state]--
	q.counts[state]++
	m.state = state
}

// add takes a new message in, at now. group is its message group in a FIFO
// queue.
func (q *queue) add(m *message, groupName string, now int64) {
	q.all[m.seq] = m
	m.index = -1
	q.counts[m.state]++
	if q.fifo {
		m.group = q.groups[groupName]
		if m.group == nil {
			m.group = &group{name: groupName}
			q.groups[groupName] = m.group
		}
	}
	switch {
	case m.state == inFlight:
		q.timed.push(m)
		if m.group != nil {
			m.group.inFlight++
		}
	case m.at > now:
		q.move(m, delayed)
		q.timed.push(m)
		q.file(m)
	default:
		q.offer(m)
	}
}

// file puts a message in its place in its group.
func (q *queue) file(m *message) {
	if m.group == nil {
		return
	}
	g := q.groups[m.group.name]
	if g == nil { // it had no other messages, and was forgotten
		g = m.group
		q.groups[g.name] = g
	}
	m.group = g
	i := len(g.messages)
	if i > 0 && g.messages[i-1].seq > m.seq {
		i, _ = slices.BinarySearchFunc(g.messages, m.seq, func(m *message, seq uint64) int {
			if m.seq < seq {
				return -1
			}
			return 1
		})
	}
	g.messages = slices.Insert(g.messages, i, m)
}

// offer makes a message visible and wakes who waits.
func (q *queue) offer(m *message) {
	wasFiled := m.state == delayed
	q.move(m, ready)
	if m.group == nil {
		q.visible.push(m)
		q.wake()
		return
	}
	if !wasFiled {
		q.file(m)
	}
	q.turn(m.group)
}

// turn puts a group in the ring, if it has something to give.
func (q *queue) turn(g *group) {
	switch {
	case g.inFlight > 0 || g.queued:
	case len(g.messages) == 0:
		delete(q.groups, g.name)
	case g.messages[0].state == ready:
		g.queued = true
		q.turns.push(g)
		q.wake()
	}
}

// wake wakes the one who waits longest.
func (q *queue) wake() {
	if len(q.waiters) > 0 {
		close(q.waiters[0])
		q.waiters = q.waiters[1:]
	}
}

// wait registers one who waits.
func (q *queue) wait() chan struct{} {
	c := make(chan struct{})
	q.waiters = append(q.waiters, c)
	return c
}

// leave unregisters one who waits no more, and hands on what woke it.
func (q *queue) leave(c chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiters, c); i >= 0 {
		q.waiters = slices.Delete(q.waiters, i, i+1)
	} else {
		q.wake()
	}
}

// tick makes visible what is due.
func (q *queue) tick(now int64) {
	for len(q.timed) > 0 && q.timed[0].at <= now {
		m := q.timed.pop()
		if m.state == inFlight {
			q.land(m)
		}
		q.offer(m)
	}
}

// land takes a message out of its group's count of those in flight.
func (q *queue) land(m *message) {
	if m.group != nil {
		m.group.inFlight--
	}
}

// taken is what a receive got.
type taken struct {
	received []*message
	expired  []*message // past their retention
	dead     []*message // received too often
}

// take takes up to limit visible messages for so long.
// Those that were received too often are for the dead-letter queue, if there is
// one.
func (q *queue) take(limit int, visibility time.Duration, now int64, deadLetters bool) (t taken) {
	q.tick(now)
	oldest := now - q.config.retention.Milliseconds()
	until := now + visibility.Milliseconds()
	for len(t.received) < limit { // a group gives all that it can before others have their turn
		m := q.next()
		if m == nil {
			break
		}
		switch {
		case m.sent <= oldest:
			q.move(m, leaving)
			t.expired = append(t.expired, m)
		case deadLetters && int(m.count) >= q.config.maxReceives:
			q.move(m, leaving)
			t.dead = append(t.dead, m)
		default:
			q.receive(m, now, until)
			t.received = append(t.received, m)
		}
	}
	q.settleTurns()
	return t
}

// next is the next visible message, nil for none. It is out of its ring or
// group then.
func (q *queue) next() *message {
	if !q.fifo {
		for {
			m, ok := q.visible.pop()
			if !ok || m.state == ready {
				return m
			}
		}
	}
	for {
		g, ok := q.turns.peek()
		if !ok {
			return nil
		}
		if len(g.messages) > 0 && g.messages[0].state == ready {
			m := g.messages[0]
			g.messages = g.messages[1:]
			return m
		}
		g.queued = false
		q.turns.pop()
		q.turn(g)
	}
}

// settleTurns takes the group that gave last out of the ring, since what it
// gave is in flight.
func (q *queue) settleTurns() {
	if g, ok := q.turns.peek(); ok && g.inFlight > 0 {
		g.queued = false
		q.turns.pop()
	}
}

func (q *queue) receive(m *message, now, until int64) {
	q.move(m, inFlight)
	m.at = until
	m.count++
	if m.first == 0 {
		m.first = now
	}
	if m.group != nil {
		m.group.inFlight++
	}
	q.timed.push(m)
	q.note(m)
}

// note has a message's receives written soon.
func (q *queue) note(m *message) {
	if !m.dirty {
		m.dirty = true
		q.dirty = append(q.dirty, m)
	}
}

// remove takes a message out for good.
func (q *queue) remove(m *message) {
	if m.state == gone {
		return
	}
	if m.index >= 0 {
		q.timed.remove(m)
	}
	was := m.state
	q.move(m, gone)
	q.counts[gone]--
	delete(q.all, m.seq)
	g := m.group
	if g == nil {
		return // in the ring of visible ones it is passed over
	}
	if was == inFlight {
		g.inFlight--
	} else if i := slices.Index(g.messages, m); i >= 0 {
		g.messages = slices.Delete(g.messages, i, i+1)
	}
	q.turn(g)
}

// postpone changes when a message in flight is visible again.
func (q *queue) postpone(m *message, at, now int64) {
	q.timed.remove(m)
	m.at = at
	q.note(m)
	if at > now {
		q.timed.push(m)
		return
	}
	q.land(m)
	q.offer(m)
}

// restore makes a message visible again that could not leave.
func (q *queue) restore(m *message) {
	if m.state == leaving {
		q.offer(m)
	}
}
