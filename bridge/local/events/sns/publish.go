package sns

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// dedupInterval is how long a FIFO topic knows a deduplication id.
const dedupInterval = 5 * time.Minute

// branch is what becomes of a message at one subscription.
type branch struct {
	sub      *subscription
	filtered bool
	delivery *service.Delivery // within the plane
	body     []byte            // for all others
}

// publication is a message with all its branches, ready to be stored.
type publication struct {
	topic    *topic
	message  *message
	text     []byte // of the message, for the journal
	branches []branch
}

// prepare does what can be done ahead of the transaction.
func (s *Service) prepare(t *topic, m *message) *publication {
	p := &publication{topic: t, message: m, text: []byte(m.text)}
	m.id, m.at = service.NewID(), s.env.Now()
	if t.fifo() {
		if m.dedup == "" {
			sum := sha256.Sum256([]byte(m.text))
			m.dedup = hex.EncodeToString(sum[:])
		}
		return p // its sequence number comes in the transaction
	}
	p.fork(s)
	return p
}

// fork makes the branches.
func (p *publication) fork(s *Service) {
	p.message.envelopeFor = "" // where a transaction runs again, its sequence number is another
	subs := s.subscribersOf(p.topic.ARN)
	p.branches = make([]branch, 0, len(subs))
	for _, sub := range subs {
		if sub.Token != "" {
			continue // it is not confirmed
		}
		b := branch{sub: sub, filtered: !p.message.passes(sub)}
		if !b.filtered {
			s.fill(p, &b)
		}
		p.branches = append(p.branches, b)
	}
}

// fill makes what a branch gets.
func (s *Service) fill(p *publication, b *branch) {
	m, sub := p.message, b.sub
	switch {
	case sub.Protocol == "lambda":
		b.body = s.event(p.topic, sub, m)
	case sub.raw:
		b.body = []byte(m.textFor(sub.Protocol))
	case protocols[sub.Protocol] || sub.web() || sub.Protocol == "email-json":
		b.body = s.notification(p.topic, sub, m)
	default:
		b.body = []byte(m.textFor(sub.Protocol))
	}
	if !protocols[sub.Protocol] {
		return
	}
	b.delivery = &service.Delivery{Target: sub.Endpoint, Source: p.topic.ARN, MessageID: m.id, Body: b.body, GroupID: m.group}
	if sub.Protocol == "sqs" {
		if sub.raw {
			b.delivery.Attributes = m.attributes
		}
		if strings.HasSuffix(sub.Endpoint, ".fifo") {
			b.delivery.DeduplicationID = m.dedup
		}
	}
	s.env.Prepare(b.delivery)
}

// put stores a publication: its message reaches what lies within the plane,
// and waits for what lies outside. A duplicate in a FIFO topic is the message
// that was first.
func (s *Service) put(tx *store.Tx, p *publication) (id, sequence string) {
	t, m := p.topic, p.message
	id = m.id
	if t.fifo() {
		known, seq := s.first(tx, t, m)
		sequence = sequenceNumber(seq)
		if known != "" {
			return known, sequence
		}
		m.sequence = sequence
		p.fork(s)
	}
	s.env.Note(tx, service.Note{What: service.Published, Target: t.ARN, MessageID: id, Body: p.text})
	for i := range p.branches {
		s.deliver(tx, p, &p.branches[i])
	}
	return id, sequence
}

// deliver stores what becomes of a branch.
func (s *Service) deliver(tx *store.Tx, p *publication, b *branch) {
	note := service.Note{Source: p.topic.ARN, Target: b.sub.Endpoint, MessageID: p.message.id, Body: p.text}
	switch {
	case b.filtered:
		note.What = service.Filtered
	case b.delivery != nil:
		if err := s.env.Accept(tx, b.delivery); err != nil {
			s.giveUp(tx, p.topic.ARN, b.sub, p.message.id, b.body, p.message.group, err)
			return
		}
		note.What = service.Delivered
	case b.sub.web():
		s.web.enqueue(tx, p, b)
		return
	default:
		s.env.Logf("%s to %s is not sent from this machine: %s", b.sub.Protocol, b.sub.Endpoint, b.body)
		note.What, note.Detail = service.Delivered, "logged"
	}
	s.env.Note(tx, note)
}

// giveUp sends a message that cannot be delivered to the subscription's
// dead-letter queue, or drops it where there is none.
func (s *Service) giveUp(tx *store.Tx, topicARN string, sub *subscription, id string, body []byte, group string, reason error) {
	note := service.Note{What: service.Dropped, Source: topicARN, Target: sub.Endpoint, MessageID: id, Body: body, Detail: reason.Error()}
	if sub.deadLetter != "" {
		e := &service.Error{Code: "Unreachable"}
		_ = errors.As(reason, &e)
		err := s.env.Accept(tx, &service.Delivery{
			Target: sub.deadLetter, Source: topicARN, MessageID: id, Body: body, GroupID: group, DeduplicationID: id,
			Attributes: map[string]service.Attribute{
				"RequestID":    {DataType: "String", Value: []byte(id)},
				"ErrorCode":    {DataType: "String", Value: []byte(e.Code)},
				"ErrorMessage": {DataType: "String", Value: []byte(reason.Error())},
			},
		})
		if err == nil {
			note.What, note.Target = service.DeadLettered, sub.deadLetter
			note.Detail = sub.Endpoint + ": " + note.Detail
		} else {
			note.Detail += "; and its dead-letter queue does not take it: " + err.Error()
		}
	}
	if note.What == service.Dropped {
		s.env.Logf("%s drops a message for %s: %s", topicARN, sub.Endpoint, note.Detail)
	}
	s.env.Note(tx, note)
}

// first looks a message up by its deduplication id, and enters it where it is
// new: then known is "".
func (s *Service) first(tx *store.Tx, t *topic, m *message) (known string, seq uint64) {
	now := s.env.Now().UnixMilli()
	key := []byte(m.dedup)
	if t.Attributes["FifoThroughputScope"] == "MessageGroup" {
		key = []byte(m.group + "\x00" + m.dedup)
	}
	if b := tx.Get(dedupTable+t.Name, key); len(b) > 16 && int64(binary.BigEndian.Uint64(b)) > now { //nolint:gosec // it was a time
		return string(b[16:]), binary.BigEndian.Uint64(b[8:])
	}
	s.seq++
	until := store.Key(uint64(now + dedupInterval.Milliseconds())) //nolint:gosec // a time after 1970
	value := append(append(make([]byte, 0, 52), until...), store.Key(s.seq)...)
	tx.Put(dedupTable+t.Name, key, append(value, m.id...))
	tx.Put(expiryTable+t.Name, append(until, key...), []byte{})
	return "", s.seq
}

// sequenceNumber is a number as FIFO topics show it: 20 digits.
func sequenceNumber(seq uint64) string {
	text := strconv.FormatUint(seq, 10)
	return "1" + strings.Repeat("0", max(0, 19-len(text))) + text
}

// Accept publishes a message of another service.
func (s *Service) Accept(tx *store.Tx, d *service.Delivery) error {
	t := s.topic(d.Target)
	if t == nil {
		return notFound("Topic")
	}
	m := &message{text: string(d.Body), subject: d.Subject, attributes: d.Attributes, group: d.GroupID, dedup: d.DeduplicationID}
	if e := m.check(t); e != nil {
		return e
	}
	s.put(tx, s.prepare(t, m))
	return nil
}

// tendInterval is how often old deduplication ids are looked for.
const tendInterval = 15 * time.Second

func (s *Service) tend() {
	tick := time.NewTicker(tendInterval)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			for _, t := range s.listTopics() {
				if t.fifo() {
					s.forget(t)
				}
			}
		}
	}
}

// forget removes old deduplication ids.
func (s *Service) forget(t *topic) {
	now := s.env.Now().UnixMilli()
	s.env.Store.Later(func(tx *store.Tx) error {
		var old [][]byte
		err := tx.Scan(expiryTable+t.Name, nil, func(key, _ []byte) error {
			if int64(binary.BigEndian.Uint64(key)) > now || len(old) >= 10000 { //nolint:gosec // it was a time
				return store.Stop
			}
			old = append(old, append([]byte(nil), key...))
			return nil
		})
		for _, key := range old {
			tx.Delete(expiryTable+t.Name, key)
			if b := tx.Get(dedupTable+t.Name, key[8:]); len(b) > 16 && int64(binary.BigEndian.Uint64(b)) <= now { //nolint:gosec // it was a time
				tx.Delete(dedupTable+t.Name, key[8:])
			}
		}
		return err
	})
}
