//go:build unix

package local

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// process is a child with all its children: one process group.
type process struct {
	cmd *exec.Cmd
	pid int
	out *output

	mu     sync.Mutex
	reaped bool // the process group's id may belong to another from now on

	// exited is closed once the process has ended, its children are killed
	// and its last line is logged; state is set by then.
	exited chan struct{}
	state  *os.ProcessState
	// peak is the most memory that was measured while it lived, in bytes, and
	// sampled when that was.
	peak    int64
	sampled time.Time
	// floor is what the engine itself held when it started the process. The
	// kernel counts that for the child too, in the figure that it gives of a
	// process that has ended.
	floor int64
}

// launch says what process to start.
type launch struct {
	path string
	args []string // without the program's own name
	dir  string
	env  []string
}

// startProcess starts a process by way of s and follows it until it ends.
func startProcess(s *spawner, l launch, logs *tailedLog) (*process, error) {
	out, w, err := newOutput(logs)
	if err != nil {
		return nil, err
	}
	floor := inheritedMemory()
	cmd, err := l.start(s, w)
	_ = w.Close()
	if err != nil {
		out.close()
		return nil, err
	}
	p := &process{cmd: cmd, pid: cmd.Process.Pid, out: out, exited: make(chan struct{}), floor: floor}
	go out.follow()
	go p.wait()
	return p, nil
}

// start starts the process with its output into w.
//
// A program that was written a moment ago may be refused as busy: another
// child, started while it was open for writing, holds it open until that child
// runs its own program.
func (l launch) start(s *spawner, w *os.File) (*exec.Cmd, error) {
	for tries := 0; ; tries++ {
		cmd := &exec.Cmd{
			Path: l.path, Args: append([]string{l.path}, l.args...), Dir: l.dir, Env: l.env,
			Stdout: w, Stderr: w, SysProcAttr: childAttributes(),
		}
		err := s.start(cmd)
		if !errors.Is(err, syscall.ETXTBSY) || tries == 50 {
			return cmd, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// wait sees the process to its end.
func (p *process) wait() {
	p.reap()
	p.out.drain()
	p.out.close()
	close(p.exited)
}

// killChildren kills what is left of the group once its leader has ended. No
// signal is sent to the group after that.
func (p *process) killChildren() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	p.reaped = true
}

// kill ends the process and its children at once. It may be called at any
// time and more than once.
func (p *process) kill() {
	p.memory() // the last chance to measure it
	p.signal(syscall.SIGKILL)
}

func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return
	}
	_ = syscall.Kill(-p.pid, s)
}

// ended reports whether the process has ended and all is known of it.
func (p *process) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// gone reports whether the process has ended, be it a moment ago.
func (p *process) gone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reaped || hasEnded(p.pid)
}

// awaitEnd waits at most d for the process to end by itself, then kills it.
func (p *process) awaitEnd(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		p.kill()
		<-p.exited
	}
}

// shutdown ends an idle process as Lambda does: SIGTERM and a moment's grace
// for one with a registered extension, SIGKILL for any other.
func (p *process) shutdown(grace time.Duration) {
	if grace <= 0 {
		p.kill()
		return
	}
	p.signal(syscall.SIGTERM)
	p.awaitEnd(grace)
}

// how says how the process ended, in Lambda's words.
func (p *process) how() string {
	if p.state == nil || p.state.Success() {
		return "Runtime exited without providing a reason"
	}
	return "Runtime exited with error: " + p.state.String()
}

// memory is the most that the process has held in memory so far, in bytes.
func (p *process) memory() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped || time.Since(p.sampled) < sampleEvery {
		return p.peak
	}
	p.peak = max(p.peak, peakMemory(p.pid))
	p.sampled = time.Now()
	return p.peak
}

// memoryAfterExit is memory for a process that has ended: the larger of what
// was measured and what the kernel says, where that is the process's own.
func (p *process) memoryAfterExit() int64 {
	peak := p.memory()
	if p.state == nil {
		return peak
	}
	if usage, ok := p.state.SysUsage().(*syscall.Rusage); ok && usage != nil {
		if most := maxResident(usage); most > p.floor || peak == 0 {
			peak = max(peak, most)
		}
	}
	return peak
}
