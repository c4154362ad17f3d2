package dynamodb

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
)

const (
	// maxTransaction is the most operations of a transaction.
	maxTransaction = 100
	// tokensTable holds the ClientRequestTokens of the last ten minutes.
	tokensTable   = "dynamodb/tokens"
	tokenLifetime = 10 * time.Minute
)

// transaction is TransactWriteItems.
type transaction struct {
	ClientRequestToken string
	TransactItems      []map[string]json.RawMessage
}

// step is one operation of a transaction, as the operation on an item that
// does the same.
type step struct {
	operation string
	body      []byte
	returnOld bool
	remove    bool // a condition check on an item that is not there makes it
	change
}

// steps are the operations on items by the members of TransactItems.
// ConditionCheck is an update that changes nothing.
var steps = map[string]string{"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "UpdateItem"}

// transactWrite does all of a transaction or nothing. All that it writes is
// noted before, so that it is undone where this process dies.
func (s *Service) transactWrite(ctx context.Context, p *process, body []byte) (*answer, error) {
	var t transaction
	if err := json.Unmarshal(body, &t); err != nil {
		return nil, service.Errorf("SerializationException", "the request cannot be read: %v", err)
	}
	s.transaction.Lock()
	defer s.transaction.Unlock()
	all, err := s.stepsOf(ctx, p, &t)
	if err != nil {
		return nil, err
	}
	digest := digestOf(t.TransactItems)
	if done, err := s.knownToken(t.ClientRequestToken, digest[:]); done || err != nil {
		return &answer{status: http.StatusOK, body: []byte("{}")}, err
	}
	ctx = context.WithoutCancel(ctx) // once begun it is seen to its end
	changes := make([]*change, len(all))
	for i, one := range all {
		changes[i] = &one.change
	}
	if err := s.before(ctx, p, true, changes...); err != nil {
		return nil, err
	}
	reasons, failed, err := run(ctx, p, all)
	if err != nil || failed {
		if undone := s.undo(ctx, p, changes); undone != nil {
			return nil, fmt.Errorf("a transaction that failed cannot be undone before the next start: %w", p.kill(undone))
		}
		if err != nil {
			return nil, err
		}
		return cancelled(reasons), nil
	}
	err = s.commit(ctx, p, all, changes, t.ClientRequestToken, digest[:])
	return &answer{status: http.StatusOK, body: []byte("{}")}, p.kill(err)
}

// digestOf is the same for the same operations, in whichever order an SDK writes
// the attributes of an item.
func digestOf(operations []map[string]json.RawMessage) [sha256.Size]byte {
	var decoded any
	_ = json.Unmarshal(encode(operations), &decoded) // it was JSON before
	return sha256.Sum256(encode(decoded))
}

// commit ends a transaction that succeeded.
func (s *Service) commit(ctx context.Context, p *process, all []*step, changes []*change, token string, digest []byte) error {
	for _, one := range all {
		if one.remove && one.old == nil {
			if err := restore(ctx, p, &one.change); err != nil {
				return err
			}
		}
	}
	return s.after(ctx, p, func(tx *store.Tx) {
		if token != "" {
			tx.Put(tokensTable, []byte(token), append([]byte(s.env.Now().UTC().Format(time.RFC3339)+" "), digest...))
		}
	}, changes...)
}

// stepsOf reads the operations of a transaction.
func (s *Service) stepsOf(ctx context.Context, p *process, t *transaction) ([]*step, error) {
	if n := len(t.TransactItems); n == 0 || n > maxTransaction {
		return nil, service.Errorf("ValidationException", "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to %d and greater than or equal to 1", maxTransaction)
	}
	all := make([]*step, 0, len(t.TransactItems))
	seen := map[string]bool{}
	for _, member := range t.TransactItems {
		one, err := s.stepOf(ctx, p, member)
		if err != nil {
			return nil, err
		}
		name := one.table.lockName(one.key)
		if seen[name] {
			return nil, service.Errorf("ValidationException", "Transaction request cannot include multiple operations on one item")
		}
		seen[name] = true
		all = append(all, one)
	}
	return all, nil
}

func (s *Service) stepOf(ctx context.Context, p *process, member map[string]json.RawMessage) (*step, error) {
	if len(member) != 1 {
		return nil, service.Errorf("ValidationException", "TransactItems can only contain one of Check, Put, Update or Delete")
	}
	for kind, body := range member {
		operation, ok := steps[kind]
		if !ok {
			break
		}
		var r writeRequest
		if err := json.Unmarshal(body, &r); err != nil {
			return nil, service.Errorf("SerializationException", "the request cannot be read: %v", err)
		}
		r.TableName = tableName(r.TableName)
		table, err := s.table(ctx, p, r.TableName)
		if err != nil {
			return nil, err
		}
		if table == nil {
			return nil, service.Errorf("ResourceNotFoundException", "Requested resource not found")
		}
		key, ok := table.keyOf(r)
		if !ok {
			return nil, service.Errorf("ValidationException", "The provided key element does not match the schema")
		}
		return &step{
			operation: operation, body: withField(body, "TableName", encode(r.TableName)), returnOld: r.OnFailure == "ALL_OLD",
			remove: kind == "ConditionCheck", change: change{table: table, key: key},
		}, nil
	}
	return nil, service.Errorf("ValidationException", "TransactItems can only contain one of Check, Put, Update or Delete")
}

// reason is why one operation kept a transaction from being done.
type reason struct {
	Code    string          `json:"Code"`
	Message string          `json:"Message,omitempty"`
	Item    json.RawMessage `json:"Item,omitempty"`
}

// run does all steps, also those after one that failed: DynamoDB gives the
// reasons of all. The items are different ones, so that none is seen by
// another's condition.
func run(ctx context.Context, p *process, all []*step) (reasons []reason, failed bool, err error) {
	reasons = make([]reason, len(all))
	for i, one := range all {
		reasons[i].Code = "None"
		a, err := p.call(ctx, one.operation, one.body)
		if err != nil {
			return nil, true, err
		}
		switch {
		case a.status == http.StatusOK:
		case a.isCode("ConditionalCheckFailedException"):
			failed = true
			reasons[i] = reason{Code: "ConditionalCheckFailed", Message: "The conditional request failed"}
			if one.returnOld && one.old != nil {
				reasons[i].Item = encode(one.old)
			}
		default:
			return nil, true, a.failure()
		}
	}
	return reasons, failed, nil
}

// undo makes all items what they were.
func (s *Service) undo(ctx context.Context, p *process, changes []*change) error {
	for _, c := range changes {
		if err := restore(ctx, p, c); err != nil {
			return err
		}
	}
	return s.forgetIntents(changes...)
}

// cancelled is the answer of a transaction that was undone.
func cancelled(reasons []reason) *answer {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.Code
	}
	return &answer{status: http.StatusBadRequest, body: encode(map[string]any{
		"__type":              errorPrefix + "TransactionCanceledException",
		"Message":             "Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]",
		"CancellationReasons": reasons,
	})}
}

// knownToken reports whether a transaction with this token was done already.
// Tokens that are too old are forgotten.
func (s *Service) knownToken(token string, digest []byte) (done bool, err error) {
	if token == "" {
		return false, nil
	}
	oldest := s.env.Now().Add(-tokenLifetime).UTC().Format(time.RFC3339)
	err = s.env.Store.Update(func(tx *store.Tx) error {
		var old [][]byte
		_ = tx.Scan(tokensTable, nil, func(key, value []byte) error {
			if string(value[:len(oldest)]) < oldest {
				old = append(old, append([]byte(nil), key...))
			}
			return nil
		})
		for _, key := range old {
			tx.Delete(tokensTable, key)
		}
		value := tx.Get(tokensTable, []byte(token))
		if value == nil {
			return nil
		}
		if string(value[len(oldest)+1:]) != string(digest) {
			return service.Errorf("IdempotentParameterMismatchException", "The provided client token is already in use with other parameters")
		}
		done = true
		return nil
	})
	return done, err
}

// transactGet reads items while nothing is written.
func (s *Service) transactGet(ctx context.Context, p *process, body []byte) (*answer, error) {
	var r struct {
		TransactItems []struct{ Get json.RawMessage }
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, service.Errorf("SerializationException", "the request cannot be read: %v", err)
	}
	if n := len(r.TransactItems); n == 0 || n > maxTransaction {
		return nil, service.Errorf("ValidationException", "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to %d and greater than or equal to 1", maxTransaction)
	}
	s.transaction.Lock()
	defer s.transaction.Unlock()
	responses := make([]json.RawMessage, len(r.TransactItems))
	for i, one := range r.TransactItems {
		var named struct{ TableName string }
		if err := json.Unmarshal(one.Get, &named); err != nil {
			return nil, service.Errorf("ValidationException", "TransactItems can only contain Get")
		}
		a, err := p.call(ctx, "GetItem", withField(one.Get, "TableName", encode(tableName(named.TableName))))
		if err == nil {
			err = a.failure()
		}
		if err != nil {
			return nil, err
		}
		responses[i] = a.body
	}
	return &answer{status: http.StatusOK, body: encode(map[string]any{"Responses": responses})}, nil
}
