package idempotency

import (
	"context"
	"sync"
	"time"
)

// Memory is a store for tests: it ends with the process. The zero value is
// ready to use.
type Memory struct {
	mutex sync.Mutex
	kept  map[string]*entry
}

type entry struct {
	token  string
	until  time.Time // the claim's end, or the result's
	done   bool
	result []byte
}

// Begin implements [Store].
func (m *Memory) Begin(_ context.Context, c Claim) ([]byte, bool, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if e := m.kept[c.Key]; e != nil && time.Now().Before(e.until) {
		if !e.done {
			return nil, false, ErrInProgress
		}
		return e.result, true, nil
	}
	if m.kept == nil {
		m.kept = map[string]*entry{}
	}
	m.kept[c.Key] = &entry{token: c.Token, until: c.Until}
	return nil, false, nil
}

// Complete implements [Store].
func (m *Memory) Complete(_ context.Context, c Claim, result []byte, keep time.Time) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if e := m.kept[c.Key]; e != nil && e.token == c.Token {
		*e = entry{token: c.Token, until: keep, done: true, result: result}
	}
	return nil
}

// Abandon implements [Store].
func (m *Memory) Abandon(_ context.Context, c Claim) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if e := m.kept[c.Key]; e != nil && e.token == c.Token {
		delete(m.kept, c.Key)
	}
	return nil
}
