package local

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// childAttributes put a child at the head of a process group of its own, and
// have the kernel kill it should the engine's process be killed itself. The
// latter needs the thread of the spawner: see there.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// reap waits for the process to end. Its group is killed before it is reaped:
// as long as the leader is a zombie, its id is nobody else's.
func (p *process) reap() {
	for errors.Is(unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
		continue
	}
	p.killChildren()
	if state, err := p.cmd.Process.Wait(); err == nil {
		p.state = state
	}
}

// hasEnded reports whether a child that was not reaped has ended.
func hasEnded(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
	return err == nil && info.Signo != 0
}

// sampleEvery is how often a process is measured at most. The kernel keeps the
// peak, so that a later look misses nothing, and reading /proc is a tenth of
// what a short invocation costs.
const sampleEvery = 20 * time.Millisecond

// inheritedMemory is the memory that the kernel will count for a child too,
// from before it ran its own program.
func inheritedMemory() int64 { return peakMemory(os.Getpid()) }

// peakMemory is the most resident memory that a process has had, in bytes, 0
// where it cannot be told. A process that has ended has none.
func peakMemory(pid int) int64 {
	// Plain system calls take half the time of os.ReadFile, and this is part
	// of every warm invocation.
	fd, err := syscall.Open("/proc/"+strconv.Itoa(pid)+"/status", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer func() { _ = syscall.Close(fd) }()
	var status [2048]byte // the line is within the first thousand
	n, err := syscall.Read(fd, status[:])
	if err != nil {
		return 0
	}
	return highWaterMark(status[:n])
}

// highWaterMark reads "VmHWM:   12345 kB" in /proc/PID/status.
func highWaterMark(status []byte) int64 {
	const key = "\nVmHWM:"
	at := bytes.Index(status, []byte(key))
	if at < 0 {
		return 0
	}
	line, _, _ := bytes.Cut(status[at+len(key):], []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) == 0 {
		return 0
	}
	kilobytes, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes * 1024
}

// maxResident is the kernel's own figure for a process that has ended, in
// bytes.
func maxResident(usage *syscall.Rusage) int64 { return int64(usage.Maxrss) * 1024 } //nolint:unconvert // 32 bits on some
