package sqs

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/internal/lazyregexp"
)

// dedupInterval is how long a FIFO queue knows a deduplication id.
const dedupInterval = 5 * time.Minute

// outgoing is a message that is being sent.
type outgoing struct {
	body       []byte
	attributes map[string]service.Attribute
	trace      string
	group      string
	dedup      string
	delay      time.Duration // -1 for the queue's own
}

// prepare checks a message for a queue and makes its record, all but the times.
func (s *Service) prepare(q *queue, o *outgoing) (*record, *service.Error) {
	q.mu.Lock()
	c := q.config
	q.mu.Unlock()
	if e := checkBody(o.body); e != nil {
		return nil, e
	}
	if e := checkAttributesOf(o.attributes); e != nil {
		return nil, e
	}
	if n := size(o.body, o.attributes); n > c.maxSize {
		return nil, errorf("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", c.maxSize)
	}
	if e := checkFIFO(&c, o); e != nil {
		return nil, e
	}
	r := &record{group: o.group, dedup: o.dedup, trace: o.trace, sender: s.env.AccountID, attributes: o.attributes, body: o.body}
	if c.fifo && r.dedup == "" {
		sum := sha256.Sum256(o.body)
		r.dedup = hex.EncodeToString(sum[:])
	}
	r.seal()
	return r, nil
}

var fifoID = lazyregexp.New("^[A-Za-z0-9!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]{1,128}$")

// checkFIFO checks what FIFO queues ask for, and standard ones refuse.
func checkFIFO(c *config, o *outgoing) *service.Error {
	const words = "it can only include alphanumeric and punctuation characters, 1 to 128 in length."
	switch {
	case o.group != "" && !fifoID.MatchString(o.group):
		return invalid("MessageGroupId", o.group, words)
	case o.dedup != "" && !fifoID.MatchString(o.dedup):
		return invalid("MessageDeduplicationId", o.dedup, words)
	case !c.fifo && o.dedup != "":
		return invalid("MessageDeduplicationId", o.dedup, "The request includes a parameter that is not valid for this queue type.")
	case !c.fifo:
		return nil
	case o.group == "":
		return missing("MessageGroupId")
	case o.dedup == "" && !c.contentDedup:
		return errorf("InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	case o.delay > 0:
		return invalid("DelaySeconds", strconv.Itoa(int(o.delay/time.Second)), "The request include parameter that is not valid for this queue type.")
	}
	return nil
}

func checkBody(body []byte) *service.Error {
	if len(body) == 0 {
		return missing("MessageBody")
	}
	for i := service.Plain(body); i < len(body); {
		c := body[i]
		if c >= 0x20 && c < utf8.RuneSelf || c == '\t' || c == '\n' || c == '\r' {
			i++
			i += service.Plain(body[i:])
			continue
		}
		r, n := utf8.DecodeRune(body[i:])
		if c < 0x20 || r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF {
			return errorf("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.")
		}
		i += n
	}
	return nil
}

var (
	attributeName = lazyregexp.New(`^[A-Za-z0-9_\-.]{1,256}$`)
	attributeType = regexp.MustCompile(`^(String|Number|Binary)(\..*)?$`)
)

func checkAttributesOf(attributes map[string]service.Attribute) *service.Error {
	if len(attributes) > 10 {
		return errorf("InvalidParameterValue", "Number of message attributes [%d] exceeds the allowed maximum [10].", len(attributes))
	}
	for name, a := range attributes {
		lower := strings.ToLower(name)
		switch {
		case !attributeName.MatchString(name) || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, ".."),
			strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
			return errorf("InvalidParameterValue", "The message attribute name '%s' is invalid. It can contain letters, digits, hyphens, underscores and single periods, and does not begin with AWS. or Amazon.", name)
		case a.DataType == "":
			return errorf("InvalidParameterValue", "The message attribute '%s' must contain a non-empty message attribute type.", name)
		case !attributeType.MatchString(a.DataType) || len(a.DataType) > 256:
			return errorf("InvalidParameterValue", "The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		case len(a.Value) == 0:
			return errorf("InvalidParameterValue", "The message attribute '%s' must contain a non-empty value for message attribute type '%s'.", name, a.DataType)
		}
		if strings.HasPrefix(a.DataType, "Number") {
			if _, err := strconv.ParseFloat(string(a.Value), 64); err != nil {
				return errorf("InvalidParameterValue", "Can't cast the value of message (user) attribute '%s' to a number.", name)
			}
		} else if strings.HasPrefix(a.DataType, "String") {
			if e := checkBody(a.Value); e != nil {
				return errorf("InvalidParameterValue", "The value of message attribute '%s' has invalid characters.", name)
			}
		}
	}
	return nil
}

// put stores a record in a queue, unless a FIFO queue knows it already, and
// returns its message id and sequence number: the first one's for a duplicate.
func (s *Service) put(tx *store.Tx, q *queue, r *record, delay time.Duration) (id string, seq uint64) {
	now := millis(s.env.Now())
	fifo, byGroup := q.fifo, q.config.dedupByGroup
	var dedupKey []byte
	if fifo {
		dedupKey = []byte(r.dedup)
		if byGroup {
			dedupKey = []byte(r.group + "\x00" + r.dedup)
		}
		if known := tx.Get(dedupTable+q.name, dedupKey); len(known) > 16 && int64(binary.BigEndian.Uint64(known)) > now { //nolint:gosec // it was a time
			return string(known[16:]), binary.BigEndian.Uint64(known[8:])
		}
	}
	if delay < 0 {
		delay = q.config.delay
	}
	if r.sent == 0 {
		r.sent = now
	}
	r.due = now + delay.Milliseconds()
	if r.id == "" {
		r.id = service.NewID()
	}
	seq = s.nextSeq()
	key := store.Key(seq)
	tx.Put(messageTable+q.name, key, r.encode())
	if fifo {
		until := store.Key(uint64(now + dedupInterval.Milliseconds())) //nolint:gosec // a time after 1970
		tx.Put(dedupTable+q.name, dedupKey, append(append(append(make([]byte, 0, 52), until...), key...), r.id...))
		tx.Put(expiryTable+q.name, append(until, dedupKey...), []byte{})
	}
	s.arrive(tx, q, &message{seq: seq, at: r.due, sent: r.sent, first: r.first}, r.group)
	return r.id, seq
}

// arrive shows a message to consumers when it is durable. The messages of one
// transaction to one queue arrive together.
func (s *Service) arrive(tx *store.Tx, q *queue, m *message, group string) {
	tx.AfterCommit(func() {
		q.mu.Lock()
		q.add(m, group, millis(s.env.Now()))
		q.mu.Unlock()
	})
}

// sweepDedup forgets deduplication ids.
func (s *Service) sweepDedup(q *queue, now int64) {
	s.env.Store.Later(func(tx *store.Tx) error {
		var old [][]byte
		err := tx.Scan(expiryTable+q.name, nil, func(key, _ []byte) error {
			if int64(binary.BigEndian.Uint64(key)) > now || len(old) >= 10000 { //nolint:gosec // it was a time
				return store.Stop
			}
			old = append(old, append([]byte(nil), key...))
			return nil
		})
		for _, key := range old {
			tx.Delete(expiryTable+q.name, key)
			// It may be known again, by a later message.
			if known := tx.Get(dedupTable+q.name, key[8:]); len(known) > 16 && int64(binary.BigEndian.Uint64(known)) <= now { //nolint:gosec // it was a time
				tx.Delete(dedupTable+q.name, key[8:])
			}
		}
		return err
	})
}

// Accept stores a message from another service. Its error is an
// [*service.Error], with which SQS would refuse the message.
func (s *Service) Accept(tx *store.Tx, d *service.Delivery) error {
	q := s.byARN(d.Target)
	if q == nil {
		return errorf("QueueDoesNotExist", "there is no queue %s", d.Target)
	}
	r, ok := d.Prepared.(*record)
	if !ok {
		var err error
		if r, err = s.prepareDelivery(q, d); err != nil {
			return err
		}
	}
	delay := time.Duration(-1)
	if d.Delay > 0 {
		delay = d.Delay
	}
	s.put(tx, q, r, delay)
	return nil
}

// Prepare makes a message's record ahead of the transaction.
func (s *Service) Prepare(d *service.Delivery) {
	if q := s.byARN(d.Target); q != nil {
		if r, err := s.prepareDelivery(q, d); err == nil {
			d.Prepared = r
		}
	}
}

func (s *Service) prepareDelivery(q *queue, d *service.Delivery) (*record, error) {
	o := &outgoing{body: d.Body, attributes: d.Attributes, group: d.GroupID, dedup: d.DeduplicationID, delay: -1}
	if q.fifo && o.group == "" {
		return nil, fmt.Errorf("%s is a FIFO queue, and the message has no group id", d.Target)
	}
	if !q.fifo {
		o.dedup = ""
	}
	r, e := s.prepare(q, o)
	if e != nil {
		return nil, e
	}
	if d.Moved {
		r.id, r.origin = d.MessageID, d.Source
		if !d.SentAt.IsZero() && !q.fifo { // a FIFO queue counts anew
			r.sent = millis(d.SentAt)
		}
	}
	r.sender = cmp.Or(r.sender, s.env.AccountID)
	return r, nil
}
