package local

import (
	"errors"
	"io"
	"sync"
)

// stream hands a response on to the writer of [Invocation.Stream] while the
// invocation is under way, and no longer: the writer may be that of an HTTP
// request, which is not there any more when its handler has returned.
type stream struct {
	open func(contentType string) io.Writer

	mu     sync.Mutex
	w      io.Writer
	closed bool
}

var errStreamClosed = errors.New("nobody reads the response any more")

// begin opens the writer. It reports false where the invocation is over.
func (s *stream) begin(contentType string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.w = s.open(contentType)
	return true
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, errStreamClosed
	}
	return s.w.Write(p)
}

// close waits for a write under way, and lets no other through. A nil stream
// needs none.
func (s *stream) close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// begun reports whether a part of the response may have reached the writer.
func (s *stream) begun() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w != nil
}
