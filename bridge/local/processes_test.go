//go:build unix

package local

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// alive reports whether a process runs. One that only waits to be reaped, by
// whoever that falls to, does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	state := strings.TrimSpace(string(out))
	return err == nil && state != "" && !strings.HasPrefix(state, "Z")
}

// childOf finds the id that the function acts logs of the child it starts.
func childOf(t *testing.T, log *logBuffer) int {
	t.Helper()
	var pid int
	eventually(t, "the child has started", func() bool {
		m := regexp.MustCompile(`(?m)^child (\d+)$`).FindStringSubmatch(log.String())
		if m != nil {
			pid, _ = strconv.Atoi(m[1])
		}
		return m != nil
	})
	return pid
}

func TestTimeoutKillsChildren(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := goFunction("acts")
	fn.Timeout = time.Second
	r := invoke(t, e, fn, `{"do": "spawn", "n": 5000}`)
	if !strings.Contains(string(r.Payload), "Sandbox.Timedout") {
		t.Errorf("got %s", r.Payload)
	}
	child := childOf(t, log)
	eventually(t, "the child has ended", func() bool { return !alive(child) })
}

func TestCloseKillsChildren(t *testing.T) {
	e, log := newEngine(t, Options{})
	var pids []int
	for range 3 {
		fn := goFunction("acts")
		pids = append(pids, decode[struct{ PID int }](t, invoke(t, e, fn, `{}`)).PID)
		pids = append(pids, decode[int](t, invoke(t, e, fn, `{"do": "spawn"}`)))
	}
	childOf(t, log)
	for _, pid := range pids {
		if !alive(pid) {
			t.Fatalf("process %d ended before its time", pid)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		eventually(t, "every process has ended", func() bool { return !alive(pid) })
	}
}

// TestOutputOutlivesProcess has a child that holds the pipe of the logs open.
func TestOutputOutlivesProcess(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := goFunction("acts")
	invoke(t, e, fn, `{"do": "spawn"}`)
	child := childOf(t, log)
	r := invoke(t, e, fn, `{"do": "exit", "n": 1}`)
	if !strings.Contains(string(r.Payload), "exit status 1") {
		t.Errorf("got %s", r.Payload)
	}
	eventually(t, "the child has ended with its parent", func() bool { return !alive(child) })
}

func TestSIGTERM(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("sigterm")
	marker := filepath.Join(t.TempDir(), "marker")
	fn.Environment = map[string]string{"MARKER": marker}
	pid := decode[int](t, invoke(t, e, fn, `{}`))
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if alive(pid) {
		t.Error("Close left the process")
	}
	if text, err := os.ReadFile(marker); string(text) != "ended in order" {
		t.Errorf("the handler of SIGTERM wrote %q, %v", text, err)
	}
}

// TestNoLeaks starts and closes engines, and counts what is left of them.
func TestNoLeaks(t *testing.T) {
	before := countFiles(t)
	for range 5 {
		e, err := New(Options{Scratch: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		invoke(t, e, goFunction("echo"), `{}`)
		invoke(t, e, goFunction("acts"), `{"do": "exit", "n": 1}`)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "every descriptor is closed", func() bool { return countFiles(t) <= before })
	out, err := exec.Command("ps", "-A", "-o", "ppid=,stat=,args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	me := strconv.Itoa(os.Getpid())
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == me && strings.HasPrefix(fields[2], binaries) {
			t.Errorf("a process is left: %s", line)
		}
	}
}

func countFiles(t *testing.T) int {
	t.Helper()
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		if entries, err := os.ReadDir(dir); err == nil {
			return len(entries)
		}
	}
	t.Fatal("cannot count open files")
	return 0
}

// killedEngineVariable makes this test binary an engine that waits to be
// killed.
const killedEngineVariable = "BAILEY_TEST_KILLED_ENGINE"

// runUntilKilled starts a process that is idle and one that is busy, tells
// their ids, and waits.
func runUntilKilled() {
	binaries = os.Getenv(killedEngineVariable)
	e, err := New(Options{})
	if err != nil {
		panic(err)
	}
	t := &testing.T{}
	for range 2 {
		fn := goFunction("acts")
		fmt.Println(decode[struct{ PID int }](t, invoke(t, e, fn, `{}`)).PID)
		if runtime.GOOS == "linux" {
			go invoke(t, e, fn, `{"do": "sleep", "n": 4000000}`)
		}
	}
	fmt.Println(decode[struct{ PID int }](t, invoke(t, e, goFunction("acts"), `{}`)).PID)
	select {}
}

// TestKilledEngine kills an engine's process, which can clean up nothing then.
// Where the kernel does not kill a child with its parent, the busy processes
// go on until they answer.
func TestKilledEngine(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), killedEngineVariable+"="+binaries)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for lines := bufio.NewScanner(out); len(pids) < 3 && lines.Scan(); {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if len(pids) != 3 {
		t.Fatalf("only %d processes", len(pids))
	}
	for _, pid := range pids {
		eventually(t, "every process has ended", func() bool { return !alive(pid) })
	}
}
