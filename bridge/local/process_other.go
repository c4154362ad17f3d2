//go:build unix && !linux

package local

import (
	"bytes"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// childAttributes put a child at the head of a process group of its own. There
// is no way here to have the kernel end it with the engine's process. A
// runtime that waits for its next event ends by itself then: the connection
// breaks.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// reap waits for the process to end, then kills its group. Waiting without
// reaping is not to be relied on here, and an id is not used again so soon.
func (p *process) reap() {
	if state, err := p.cmd.Process.Wait(); err == nil {
		p.state = state
	}
	p.killChildren()
}

// hasEnded is false: the process is reaped as soon as it has ended.
func hasEnded(int) bool { return false }

// sampleEvery is how often a process is measured at most: each time costs a
// run of ps.
const sampleEvery = time.Second

// inheritedMemory is 0: the kernel counts a child from its own start.
func inheritedMemory() int64 { return 0 }

// peakMemory is the resident memory of a process, in bytes, 0 where it cannot
// be told. ps gives what it is now, not the most that it was.
func peakMemory(pid int) int64 {
	text, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return 0
	}
	kilobytes, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes * 1024
}

// maxResident is the kernel's own figure for a process that has ended, in
// bytes. Darwin counts in bytes, the BSDs in kilobytes.
func maxResident(usage *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) * 1024
}
