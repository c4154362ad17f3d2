package apigateway

import "sync"

// onceMap makes a value for each key once.
type onceMap[V any] struct{ entries sync.Map }

func (m *onceMap[V]) get(key string, make func() (V, error)) (V, error) {
	entry, _ := m.entries.LoadOrStore(key, sync.OnceValues(make))
	return entry.(func() (V, error))()
}
