package dynamodb

import (
	"slices"
	"sync"
)

// keyLocks are locks by name, which exist for as long as somebody has or wants
// them.
type keyLocks struct {
	mu    sync.Mutex
	locks map[string]*keyLock
}

type keyLock struct {
	sync.Mutex
	users int
}

// lock takes the locks of some names, in an order that cannot block, and
// returns what gives them back.
func (l *keyLocks) lock(names ...string) (unlock func()) {
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	held := make([]*keyLock, len(names))
	l.mu.Lock()
	if l.locks == nil {
		l.locks = map[string]*keyLock{}
	}
	for i, name := range names {
		k := l.locks[name]
		if k == nil {
			k = &keyLock{}
			l.locks[name] = k
		}
		k.users++
		held[i] = k
	}
	l.mu.Unlock()
	for _, k := range held {
		k.Lock()
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for i, k := range held {
			k.Unlock()
			if k.users--; k.users == 0 {
				delete(l.locks, names[i])
			}
		}
	}
}
