//go:build unix

package local

import (
	"os/exec"
	"runtime"
	"sync"
)

// spawner starts every process of an engine from one operating system thread.
//
// Linux ends a child by its "parent death signal" when the thread that made it
// ends, not when its process does, and Go may end a thread at any time. So the
// thread is locked to a goroutine that lives until the last child has ended.
type spawner struct {
	requests chan spawnRequest
	stopped  chan struct{}
	stop     sync.Once
}

type spawnRequest struct {
	cmd  *exec.Cmd
	done chan error
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan spawnRequest), stopped: make(chan struct{})}
	go s.run()
	return s
}

func (s *spawner) run() {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	for {
		select {
		case r := <-s.requests:
			r.done <- r.cmd.Start()
		case <-s.stopped:
			return
		}
	}
}

// start is cmd.Start on the spawner's thread.
func (s *spawner) start(cmd *exec.Cmd) error {
	r := spawnRequest{cmd: cmd, done: make(chan error, 1)}
	select {
	case s.requests <- r:
		return <-r.done
	case <-s.stopped:
		return ErrClosed
	}
}

// close ends the thread. No child may be alive.
func (s *spawner) close() { s.stop.Do(func() { close(s.stopped) }) }
