package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

// item is an item, or a part of one, in DynamoDB's JSON; nil for none.
type item map[string]any

// change is what a write does to one item.
type change struct {
	table    *table
	key      item
	old, new item
	// intent is the key of the note that the change is about to be made.
	intent []byte
	// expired says that the item's time to live was over.
	expired bool
}

// intentsTable holds what is about to be written: a process that dies in
// between is finished, or undone, by the next one. See [Service.recover].
const intentsTable = "dynamodb/intents"

// intent is a change that was about to be made.
type intent struct {
	Table string `json:"table"`
	Key   item   `json:"key"`
	Old   item   `json:"old,omitempty"`
	// Undo says that it was part of a transaction, which is undone.
	Undo bool `json:"undo,omitempty"`
	// Expired says that the item's time to live was over.
	Expired bool `json:"expired,omitempty"`
}

// writeRequest is what matters here of PutItem, UpdateItem and DeleteItem.
type writeRequest struct {
	TableName string
	Item      item
	Key       item
	OnFailure string `json:"ReturnValuesOnConditionCheckFailure"`
}

// write does a PutItem, UpdateItem or DeleteItem.
func (s *Service) write(ctx context.Context, p *process, operation string, body []byte) (*answer, error) {
	s.transaction.RLock()
	defer s.transaction.RUnlock()
	var r writeRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return p.call(ctx, operation, body) // it says what is wrong
	}
	t, err := s.table(ctx, p, r.TableName)
	if err != nil {
		return nil, err
	}
	if t == nil || t.stream() == nil && r.OnFailure != "ALL_OLD" {
		return p.call(ctx, operation, body)
	}
	key, ok := t.keyOf(r)
	if !ok {
		return p.call(ctx, operation, body)
	}
	defer s.items.lock(t.lockName(key))()
	c := &change{table: t, key: key}
	// Once begun, a write is seen to its end also where the client goes.
	return s.apply(context.WithoutCancel(ctx), p, operation, body, r.OnFailure == "ALL_OLD", c)
}

// apply does one write whose item is locked.
func (s *Service) apply(ctx context.Context, p *process, operation string, body []byte, returnOld bool, c *change) (*answer, error) {
	if err := s.before(ctx, p, false, c); err != nil {
		return nil, err
	}
	a, err := p.call(ctx, operation, body)
	if err != nil {
		return nil, p.kill(err)
	}
	if a.status != http.StatusOK {
		if returnOld && a.isCode("ConditionalCheckFailedException") && c.old != nil {
			a.body = withField(a.body, "Item", encode(c.old))
		}
		return a, s.forgetIntents(c)
	}
	return a, p.kill(s.after(ctx, p, nil, c))
}

// before reads items as they are, and notes that they are about to change. The
// notes that a process leaves are read when it has ended: where it has, these
// may be too late, and nothing is to be written to it.
func (s *Service) before(ctx context.Context, p *process, undo bool, changes ...*change) error {
	for _, c := range changes {
		var err error
		if c.old, err = getItem(ctx, p, c.table.name, c.key); err != nil {
			return err
		}
	}
	err := s.env.Store.Update(func(tx *store.Tx) error {
		for _, c := range changes {
			if c.table.stream() == nil && !undo {
				continue
			}
			c.intent = []byte(service.NewID())
			tx.Put(intentsTable, c.intent, encode(intent{Table: c.table.name, Key: c.key, Old: c.old, Undo: undo, Expired: c.expired}))
		}
		return nil
	})
	if err == nil && p.ended() {
		return errors.Join(errors.New("the local DynamoDB has ended; try again"), s.forgetIntents(changes...))
	}
	return err
}

// after reads items as they have become, and writes the records of the streams
// and, in the same transaction, what else is to be written.
func (s *Service) after(ctx context.Context, p *process, also func(*store.Tx), changes ...*change) error {
	for _, c := range changes {
		if c.table.stream() == nil {
			continue
		}
		var err error
		if c.new, err = getItem(ctx, p, c.table.name, c.key); err != nil {
			return err
		}
	}
	return s.env.Store.Update(func(tx *store.Tx) error {
		for _, c := range changes {
			s.emit(tx, c)
			if c.intent != nil {
				tx.Delete(intentsTable, c.intent)
			}
		}
		if also != nil {
			also(tx)
		}
		return nil
	})
}

func (s *Service) forgetIntents(changes ...*change) error {
	return s.env.Store.Update(func(tx *store.Tx) error {
		for _, c := range changes {
			if c.intent != nil {
				tx.Delete(intentsTable, c.intent)
			}
		}
		return nil
	})
}

// recover deals with the intents that the last process left: a write gets its
// record, a transaction is undone.
func (s *Service) recover(p *process) error {
	left := map[string]intent{}
	err := s.env.Store.View(func(tx *store.Tx) error {
		return tx.Scan(intentsTable, nil, func(key, value []byte) error {
			var i intent
			if err := json.Unmarshal(value, &i); err != nil {
				return err
			}
			left[string(key)] = i
			return nil
		})
	})
	if err != nil {
		return err
	}
	for key, i := range left {
		if err := s.settle(p, []byte(key), i); err != nil {
			return fmt.Errorf("cannot finish a write to %s: %w", i.Table, err)
		}
	}
	return nil
}

func (s *Service) settle(p *process, key []byte, i intent) error {
	t, err := s.table(s.ctx, p, i.Table)
	if err != nil {
		return err
	}
	c := &change{table: t, key: i.Key, old: i.Old, intent: key, expired: i.Expired}
	switch {
	case t == nil: // the table is gone, and the item with it
		return s.forgetIntents(c)
	case i.Undo:
		if err := restore(s.ctx, p, c); err != nil {
			return err
		}
		return s.forgetIntents(c)
	}
	return s.after(s.ctx, p, nil, c)
}

// restore makes an item what it was.
func restore(ctx context.Context, p *process, c *change) error {
	operation, body := "PutItem", map[string]any{"TableName": c.table.name, "Item": c.old}
	if c.old == nil {
		operation, body = "DeleteItem", map[string]any{"TableName": c.table.name, "Key": c.key}
	}
	a, err := p.call(ctx, operation, encode(body))
	if err != nil {
		return err
	}
	return a.failure()
}

// getItem reads one item, nil where there is none.
func getItem(ctx context.Context, p *process, table string, key item) (item, error) {
	a, err := p.call(ctx, "GetItem", encode(map[string]any{"TableName": table, "Key": key, "ConsistentRead": true}))
	if err != nil {
		return nil, err
	}
	if err := a.failure(); err != nil {
		return nil, err
	}
	var found struct{ Item item }
	return found.Item, json.Unmarshal(a.body, &found)
}

// batchRequest is BatchWriteItem.
type batchRequest struct {
	RequestItems map[string][]struct {
		PutRequest    *struct{ Item item }
		DeleteRequest *struct{ Key item }
	}
}

// writeBatch does a BatchWriteItem.
func (s *Service) writeBatch(ctx context.Context, p *process, body []byte) (*answer, error) {
	s.transaction.RLock()
	defer s.transaction.RUnlock()
	changes, locks, err := s.changesOf(ctx, p, body)
	if err != nil {
		return nil, err
	}
	if len(changes) == 0 {
		return p.call(ctx, "BatchWriteItem", body)
	}
	defer s.items.lock(locks...)()
	ctx = context.WithoutCancel(ctx)
	if err := s.before(ctx, p, false, changes...); err != nil {
		return nil, err
	}
	a, err := p.call(ctx, "BatchWriteItem", body)
	if err == nil && a.status != http.StatusOK {
		return a, s.forgetIntents(changes...)
	}
	if err == nil {
		err = s.after(ctx, p, nil, changes...)
	}
	return a, p.kill(err)
}

// changesOf are the changes of a batch to tables with streams. What is not of
// the right form is left to dynalite to say.
func (s *Service) changesOf(ctx context.Context, p *process, body []byte) (changes []*change, locks []string, err error) {
	var r batchRequest
	if json.Unmarshal(body, &r) != nil {
		return nil, nil, nil
	}
	for name, requests := range r.RequestItems {
		t, err := s.table(ctx, p, name)
		if err != nil {
			return nil, nil, err
		}
		if t == nil || t.stream() == nil {
			continue
		}
		for _, one := range requests {
			var w writeRequest
			if one.PutRequest != nil {
				w.Item = one.PutRequest.Item
			} else if one.DeleteRequest != nil {
				w.Key = one.DeleteRequest.Key
			}
			if key, ok := t.keyOf(w); ok {
				changes = append(changes, &change{table: t, key: key})
				locks = append(locks, t.lockName(key))
			}
		}
	}
	return changes, locks, nil
}

// same reports whether two items are equal.
func (i item) same(other item) bool {
	return (i == nil) == (other == nil) && reflect.DeepEqual(i, other)
}

// isCode reports whether an answer is the error of a name.
func (a *answer) isCode(code string) bool { return strings.HasSuffix(a.code(), code) }

func (a *answer) code() string {
	var e struct {
		Type string `json:"__type"`
	}
	_ = json.Unmarshal(a.body, &e) // what is no error has no code
	return e.Type
}

// failure is the error that an answer is, nil where it is none.
func (a *answer) failure() error {
	if a.status == http.StatusOK {
		return nil
	}
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(a.body, &e); err != nil {
		return errors.New(string(a.body))
	}
	return &service.Error{Code: e.Type[strings.LastIndex(e.Type, "#")+1:], Message: e.Message, Status: a.status}
}

// withField adds a field to a JSON object.
func withField(object []byte, name string, value json.RawMessage) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(object, &fields) != nil {
		return object
	}
	fields[name] = value
	return encode(fields)
}
