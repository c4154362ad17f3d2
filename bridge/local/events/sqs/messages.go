package sqs

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/internal/lazyregexp"
)

func (s *Service) sendMessage(c *call) (answer, error) {
	in, err := c.sendInput()
	if err != nil {
		return nil, err
	}
	q, e := s.byURL(in.QueueURL)
	if e != nil {
		return nil, e
	}
	o, r, e := s.check(q, &in.sendEntry)
	if e != nil {
		return nil, e
	}
	var a *sendAnswer
	err = s.env.Store.Update(func(tx *store.Tx) error {
		if s.queue(q.name) != q {
			return noQueue()
		}
		a = s.sent(tx, q, o, r)
		s.env.Note(tx, service.Note{What: service.Published, Target: q.arn(), MessageID: a.MessageID, Body: o.body})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (s *Service) check(q *queue, entry *sendEntry) (*outgoing, *record, *service.Error) {
	o, e := entry.outgoing()
	if e != nil {
		return nil, nil, e
	}
	r, e := s.prepare(q, o)
	return o, r, e
}

// sent puts a record into a queue and says so.
func (s *Service) sent(tx *store.Tx, q *queue, o *outgoing, r *record) *sendAnswer {
	r.id, r.sent = "", 0 // where the transaction runs again
	id, seq := s.put(tx, q, r, o.delay)
	a := &sendAnswer{MessageID: id, MD5OfMessageBody: hexOf(r.md5Body)}
	if len(r.attributes) > 0 {
		a.MD5OfMessageAttributes = hexOf(r.md5Attrs)
	}
	if r.trace != "" {
		a.MD5OfMessageSystemAttributes = hexOf(md5OfAttributes(map[string]service.Attribute{"AWSTraceHeader": {DataType: "String", Value: []byte(r.trace)}}))
	}
	if q.fifo {
		a.SequenceNumber = sequenceNumber(seq)
	}
	return a
}

var batchID = lazyregexp.New(`^[A-Za-z0-9_-]{1,80}$`)

// checkBatch checks the ids of a batch's entries.
func checkBatch(list string, ids []string) *service.Error {
	switch {
	case len(ids) == 0:
		return errorf("EmptyBatchRequest", "There should be at least one %s in the request.", list)
	case len(ids) > 10:
		return errorf("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent %d.", len(ids))
	}
	for i, id := range ids {
		if !batchID.MatchString(id) {
			return errorf("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if slices.Contains(ids[:i], id) {
			return errorf("BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
	}
	return nil
}

func (s *Service) sendMessageBatch(c *call) (answer, error) {
	in, err := c.sendInput()
	if err != nil {
		return nil, err
	}
	q, e := s.byURL(in.QueueURL)
	if e != nil {
		return nil, e
	}
	ids, total := make([]string, len(in.Entries)), 0
	for i := range in.Entries {
		ids[i] = in.Entries[i].ID
		total += size([]byte(in.Entries[i].MessageBody), attributesFrom(in.Entries[i].MessageAttributes))
	}
	if e := checkBatch("SendMessageBatchRequestEntry", ids); e != nil {
		return nil, e
	}
	if total > maxMessage {
		return nil, errorf("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessage, total)
	}
	type checked struct {
		o *outgoing
		r *record
		e *service.Error
	}
	entries := make([]checked, len(in.Entries))
	good := 0
	for i := range in.Entries {
		entries[i].o, entries[i].r, entries[i].e = s.check(q, &in.Entries[i])
		if entries[i].e == nil {
			good++
		}
	}
	var a *batchAnswer
	err = s.env.Store.Update(func(tx *store.Tx) error {
		a = &batchAnswer{entry: "SendMessageBatchResultEntry"}
		if s.queue(q.name) != q {
			return noQueue()
		}
		for i, entry := range entries {
			if entry.e != nil {
				a.fail(ids[i], entry.e)
				continue
			}
			one := s.sent(tx, q, entry.o, entry.r)
			one.ID = ids[i]
			a.Successful = append(a.Successful, one)
		}
		if good > 0 {
			s.env.Note(tx, service.Note{What: service.Published, Target: q.arn(), Count: good, MessageID: a.Successful[0].MessageID, Body: entries[0].o.body})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (s *Service) receiveMessage(c *call) (answer, error) {
	in, err := c.receiveInput()
	if err != nil {
		return nil, err
	}
	q, e := s.byURL(in.QueueURL)
	if e != nil {
		return nil, e
	}
	o, e := in.options(q)
	if e != nil {
		return nil, e
	}
	names := slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
	o.Bare = len(names) == 0
	all, err := s.receive(c, q, o)
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		in.choose(m, names)
	}
	return messages(all), nil
}

func (in *receiveInput) options(q *queue) (ReceiveOptions, *service.Error) {
	q.mu.Lock()
	o := ReceiveOptions{Max: 1, Wait: q.config.wait, Visibility: -1, AttemptID: in.ReceiveRequestAttemptID}
	q.mu.Unlock()
	bounded := func(name string, value *int, least, most int) (int, *service.Error) {
		if *value < least || *value > most {
			return 0, invalid(name, strconv.Itoa(*value), "Must be between "+strconv.Itoa(least)+" and "+strconv.Itoa(most)+", if provided.")
		}
		return *value, nil
	}
	if in.MaxNumberOfMessages != nil {
		n, e := bounded("MaxNumberOfMessages", in.MaxNumberOfMessages, 1, 10)
		if e != nil {
			return o, e
		}
		o.Max = n
	}
	if in.WaitTimeSeconds != nil {
		n, e := bounded("WaitTimeSeconds", in.WaitTimeSeconds, 0, 20)
		if e != nil {
			return o, e
		}
		o.Wait = time.Duration(n) * time.Second
	}
	if in.VisibilityTimeout != nil {
		n, e := bounded("VisibilityTimeout", in.VisibilityTimeout, 0, 43200)
		if e != nil {
			return o, e
		}
		o.Visibility = time.Duration(n) * time.Second
	}
	return o, nil
}

// choose keeps the attributes of a message that were asked for.
func (in *receiveInput) choose(m *Message, names []string) {
	if !slices.Contains(names, "All") {
		for name := range m.Attributes {
			if !slices.Contains(names, name) {
				delete(m.Attributes, name)
			}
		}
	}
	if len(m.MessageAttributes) == 0 {
		return
	}
	kept := map[string]service.Attribute{}
	for name, a := range m.MessageAttributes {
		if wanted(in.MessageAttributeNames, name) {
			kept[name] = a
		}
	}
	if len(kept) == len(m.MessageAttributes) {
		return
	}
	m.MessageAttributes, m.MD5OfMessageAttributes = kept, ""
	if len(kept) > 0 {
		m.MD5OfMessageAttributes = hexOf(md5OfAttributes(kept))
	}
}

// wanted reports whether a message attribute is asked for: "All", ".*", a name
// or its beginning ("order.*").
func wanted(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if p == "All" || p == name {
			return true
		}
		beginning, ok := strings.CutSuffix(p, ".*")
		return ok && strings.HasPrefix(name, beginning)
	})
}

func (s *Service) deleteMessage(c *call) (answer, error) {
	in, err := c.handleInput()
	if err != nil {
		return nil, err
	}
	q, e := s.byURL(in.QueueURL)
	if e != nil {
		return nil, e
	}
	return nil, s.env.Store.Update(func(tx *store.Tx) error {
		if e := s.deleteAll(tx, q, []string{in.ReceiptHandle})[0]; e != nil {
			return e
		}
		return nil
	})
}

func (in *handleInput) handles() (ids, handles []string) {
	for _, e := range in.Entries {
		ids, handles = append(ids, e.ID), append(handles, e.ReceiptHandle)
	}
	return ids, handles
}

func (s *Service) deleteMessageBatch(c *call) (answer, error) {
	in, err := c.handleInput()
	if err != nil {
		return nil, err
	}
	q, e := s.byURL(in.QueueURL)
	if e != nil {
		return nil, e
	}
	ids, handles := in.handles()
	if e := checkBatch("DeleteMessageBatchRequestEntry", ids); e != nil {
		return nil, e
	}
	var errs []*service.Error
	err = s.env.Store.Update(func(tx *store.Tx) error {
		errs = s.deleteAll(tx, q, handles)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return batchOf("DeleteMessageBatchResultEntry", ids, errs), nil
}

func batchOf(entry string, ids []string, errs []*service.Error) *batchAnswer {
	a := &batchAnswer{entry: entry}
	for i, id := range ids {
		if errs[i] != nil {
			a.fail(id, errs[i])
		} else {
			a.Successful = append(a.Successful, &sendAnswer{ID: id})
		}
	}
	return a
}

func (s *Service) changeMessageVisibility(c *call) (answer, error) {
	in, err := c.handleInput()
	if err != nil {
		return nil, err
	}
	q, e := s.byURL(in.QueueURL)
	if e != nil {
		return nil, e
	}
	if e := s.change(q, &in.handleEntry); e != nil {
		return nil, e
	}
	return nil, nil
}

// change changes the visibility of one message.
func (s *Service) change(q *queue, entry *handleEntry) *service.Error {
	switch v := entry.VisibilityTimeout; {
	case v == nil:
		return missing("VisibilityTimeout")
	case *v < 0 || *v > 43200:
		return invalid("VisibilityTimeout", strconv.Itoa(*v), "VisibilityTimeout must be an integer between 0 and 43200.")
	}
	return s.changeVisibility(q, entry.ReceiptHandle, time.Duration(*entry.VisibilityTimeout)*time.Second)
}

func (s *Service) changeMessageVisibilityBatch(c *call) (answer, error) {
	in, err := c.handleInput()
	if err != nil {
		return nil, err
	}
	q, e := s.byURL(in.QueueURL)
	if e != nil {
		return nil, e
	}
	ids, _ := in.handles()
	if e := checkBatch("ChangeMessageVisibilityBatchRequestEntry", ids); e != nil {
		return nil, e
	}
	errs := make([]*service.Error, len(ids))
	for i := range in.Entries {
		errs[i] = s.change(q, &in.Entries[i])
	}
	return batchOf("ChangeMessageVisibilityBatchResultEntry", ids, errs), nil
}
