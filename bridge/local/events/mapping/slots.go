package mapping

import (
	"context"
	"sync"
)

// slots limit how many invocations a mapping has under way. Each time that all
// were taken and one is free again there is one more, up to the most.
type slots struct {
	free chan struct{}

	mu          sync.Mutex
	taken       int
	limit, most int
	exhausted   bool
}

func newSlots(first, most int) *slots {
	s := &slots{free: make(chan struct{}, most), limit: first, most: most}
	for range first {
		s.free <- struct{}{}
	}
	return s
}

// acquire takes a slot. It reports false where ctx ended first.
func (s *slots) acquire(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case <-s.free:
	case <-ctx.Done():
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	s.exhausted = s.exhausted || s.taken == s.limit
	return true
}

func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	s.free <- struct{}{}
	if s.exhausted && s.limit < s.most {
		s.limit++
		s.free <- struct{}{}
	}
	s.exhausted = false
}
