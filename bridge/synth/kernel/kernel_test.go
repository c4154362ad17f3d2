//go:build unix

package kernel

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test be the processes that the command is.
func TestMain(m *testing.M) {
	switch os.Getenv("KERNEL_TEST_ROLE") {
	case "serve":
		idle, err := time.ParseDuration(os.Getenv("KERNEL_TEST_IDLE"))
		if err == nil {
			err = serveFile(os.Args[1], idle)
		}
		exit(err)
	case "connect":
		exit(Connect(os.Args[1]))
	}
	os.Exit(m.Run())
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serveFile(file string, idle time.Duration) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var spec Spec
	if err := json.Unmarshal(data, &spec); err != nil {
		return err
	}
	folder, err := Folder()
	if err != nil {
		return err
	}
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "KERNEL_TEST_") {
			env = append(env, e)
		}
	}
	return keep(context.Background(), folder, &spec, env, idle)
}

// program is jsii's program as far as a kernel needs it. It reads the variable
// READ_EARLY while it starts, and its "look" says how the process is.
const program = `
const fs = require('fs');
const early = process.env.READ_EARLY;
const count = {};
const write = (m) => fs.writeSync(3, JSON.stringify(m) + '\n');
write({ hello: '@jsii/runtime@1.0.0' });
let data = Buffer.alloc(0);
const buffer = Buffer.alloc(100000);
const line = () => {
  for (;;) {
    const i = data.indexOf(10);
    if (i >= 0) { const l = data.subarray(0, i).toString(); data = data.subarray(i + 1); return l; }
    const n = fs.readSync(3, buffer, 0, buffer.length, null);
    if (n === 0) process.exit(0);
    data = Buffer.concat([data, buffer.subarray(0, n)]);
  }
};
for (;;) {
  const r = JSON.parse(line());
  if ('exit' in r) process.exit(0);
  count[r.api] = (count[r.api] || 0) + 1;
  if (r.api === 'print') { console.log('printed'); console.error('complained'); }
  write({ ok: { pid: process.pid, cwd: process.cwd(), umask: process.umask(), env: r.api === 'load' ? {} : { ...process.env }, count, early,
    flags: process.execArgv } });
}
`

// setUp makes a folder for the socket and a spec, and returns the spec's file.
func setUp(t *testing.T) (file string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("the tests of kernels need Node.js: ", err)
	}
	dir := t.TempDir()
	folder := filepath.Join(dir, "run")
	t.Setenv("BAILEY_KERNEL_DIR", folder)
	spec := Spec{Runtime: filepath.Join(dir, "runtime"), NodeMajor: 20, Packages: []Package{{"a", "1", "a.tgz"}, {"b", "2", "b.tgz"}}}
	if spec.Node, err = realNode(node); err != nil {
		t.Fatal(err)
	}
	write(t, spec.program(), program)
	// What jsii itself would start: it greets as another.
	write(t, spec.entry(), `console.log('{"hello":"cold"}'); process.stdin.resume();`)
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "spec.json")
	write(t, file, string(data))
	return file
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve starts a background process and waits for its kernel.
func serve(t *testing.T, file string, idle string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], file)
	c.Env = append(os.Environ(), "KERNEL_TEST_ROLE=serve", "KERNEL_TEST_IDLE="+idle)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill() // it may have ended
		c.Wait()         // how is tested elsewhere
	})
	until(t, "a kernel is ready", func() bool {
		s, err := Ask()
		return err == nil && s.State == "ready" && s.PID == c.Process.Pid
	})
	return c
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 30 s: %s", what)
		}
	}
}

// client is a running synth's connection.
type client struct {
	t      *testing.T
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr strings.Builder
	hello  string
}

func connect(t *testing.T, file, dir string, env ...string) *client {
	t.Helper()
	c := &client{t: t, cmd: exec.Command(os.Args[0], file)}
	c.cmd.Dir, c.cmd.Env = dir, append(append(os.Environ(), "KERNEL_TEST_ROLE=connect", "BAILEY_KERNEL_DEBUG=1"), env...)
	c.cmd.Stderr = &c.stderr
	// One that hangs must not take the whole test's time.
	limit := time.AfterFunc(20*time.Second, func() { c.cmd.Process.Kill() }) // it may have ended
	t.Cleanup(func() { limit.Stop() })
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.in.Close() })
	c.hello = c.line()
	return c
}

func (c *client) line() string {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatalf("no answer: %v\n%s", err, c.stderr.String())
	}
	return strings.TrimSpace(line)
}

type look struct {
	PID, Umask int
	CWD, Early string
	Env        map[string]string
	Count      map[string]int
	Flags      []string
}

func (c *client) say(api string) look {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.in, "{\"api\":%q}\n", api); err != nil {
		c.t.Fatal(err)
	}
	var answer struct{ Ok look }
	if err := json.Unmarshal([]byte(c.line()), &answer); err != nil {
		c.t.Fatal(err)
	}
	return answer.Ok
}

func (c *client) end() {
	c.t.Helper()
	if _, err := io.WriteString(c.in, "{\"exit\":0}\n"); err != nil {
		c.t.Fatal(err)
	}
	c.in.Close()
	io.Copy(io.Discard, c.out) // the status tells
	if err := c.cmd.Wait(); err != nil {
		c.t.Fatal(err, c.stderr.String())
	}
}

func warm(c *client) bool { return c.hello == `{"hello":"@jsii/runtime@1.0.0"}` }

func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func TestTakesOverFolderAndEnvironment(t *testing.T) {
	t.Setenv("ONLY_THE_KEEPER", "1")
	file := setUp(t)
	serve(t, file, "1m")
	os.Unsetenv("ONLY_THE_KEEPER")
	seen := map[int]bool{}
	for i := range 3 {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		mine := fmt.Sprintf("MINE_%d", i)
		c := connect(t, file, dir, mine+"=a\nb=c", "JSII_RUNTIME=x", "CDK_OUTDIR="+dir)
		if !warm(c) {
			t.Fatalf("synth %d got %s\n%s", i, c.hello, c.stderr.String())
		}
		l := c.say("look")
		if l.CWD != dir || l.Env[mine] != "a\nb=c" || l.Env["CDK_OUTDIR"] != dir || l.Umask != 0o022 && l.Umask != currentUmask() {
			t.Errorf("synth %d runs elsewhere: %+v", i, l)
		}
		for name := range l.Env {
			if own(name) || name == "ONLY_THE_KEEPER" || strings.HasPrefix(name, "MINE_") && name != mine {
				t.Errorf("synth %d sees %s", i, name)
			}
		}
		if l.Count["load"] != 2 || l.Count["look"] != 1 || seen[l.PID] {
			t.Errorf("synth %d got a kernel that was used: %+v", i, l.Count)
		}
		if strings.Join(l.Flags, " ") != "--preserve-symlinks" {
			t.Errorf("the kernel has the flags %q", l.Flags)
		}
		seen[l.PID] = true
		c.end()
		until(t, "the used kernel is gone", func() bool { return gone(l.PID) })
		until(t, "the next is ready", func() bool { s, err := Ask(); return err == nil && s.State == "ready" && s.Served == i+1 })
	}
}

func currentUmask() int {
	u := syscall.Umask(0)
	syscall.Umask(u)
	return u
}

func TestPrintsInTheFormOfJSII(t *testing.T) {
	file := setUp(t)
	serve(t, file, "1m")
	c := connect(t, file, t.TempDir())
	c.say("print")
	c.end()
	for _, want := range []string{`{"stdout":"cHJpbnRlZAo="}`, `{"stderr":"Y29tcGxhaW5lZAo="}`} {
		if !strings.Contains(c.stderr.String(), want+"\n") {
			t.Errorf("stderr is %q, without %s", c.stderr.String(), want)
		}
	}
}

func TestRefusesWhatWasReadEarly(t *testing.T) {
	for _, name := range []string{"READ_EARLY", "NODE_OPTIONS", "LANG"} {
		t.Run(name, func(t *testing.T) {
			file := setUp(t)
			serve(t, file, "1m")
			set := name + "=" + map[string]string{"READ_EARLY": "x", "NODE_OPTIONS": "--no-warnings", "LANG": "xx"}[name]
			c := connect(t, file, t.TempDir(), set)
			if warm(c) {
				t.Fatal("it got a kernel that has seen another value")
			}
			c.in.Close()
			// The next kernel is one for that value.
			until(t, "the next is ready", func() bool { s, err := Ask(); return err == nil && s.State == "ready" })
			c = connect(t, file, t.TempDir(), set)
			if l := c.say("look"); !warm(c) || name == "READ_EARLY" && l.Early != "x" {
				t.Errorf("the second got %s, early %q", c.hello, l.Early)
			}
			c.end()
		})
	}
}

func TestTwoAtOnce(t *testing.T) {
	file := setUp(t)
	serve(t, file, "1m")
	var wait sync.WaitGroup
	var mutex sync.Mutex
	pids := map[int]bool{}
	for range 2 {
		wait.Go(func() {
			c := connect(t, file, "/")
			if !warm(c) {
				return // it has waited for long enough
			}
			l := c.say("look")
			mutex.Lock()
			if pids[l.PID] {
				t.Error("two synths share a kernel")
			}
			pids[l.PID] = true
			mutex.Unlock()
			c.end()
		})
	}
	wait.Wait()
	if len(pids) == 0 {
		t.Error("none got a warm kernel")
	}
}

func TestKilledKeeper(t *testing.T) {
	file := setUp(t)
	keeper := serve(t, file, "1m")
	c := connect(t, file, t.TempDir())
	used := c.say("look").PID
	until(t, "a second kernel", func() bool { return idleKernel(t, file, c) != 0 })
	waiting := idleKernel(t, file, c)
	if err := keeper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	keeper.Wait() // it was killed
	if l := c.say("look"); l.PID != used {
		t.Error("the synth lost its kernel")
	}
	until(t, "the waiting kernel is gone", func() bool { return gone(waiting) })
	c.end()
	until(t, "the used kernel is gone", func() bool { return gone(used) })

	// The socket is still there, and nobody behind it.
	if _, err := Ask(); !errors.Is(err, ErrNone) {
		t.Errorf("the status is %v", err)
	}
	if c := connect(t, file, t.TempDir()); c.hello != `{"hello":"cold"}` {
		t.Errorf("it got %s", c.hello)
	}
	serve(t, file, "1m")
	if c := connect(t, file, t.TempDir()); !warm(c) {
		t.Errorf("with a new keeper it got %s", c.hello)
	}
}

// idleKernel has a second kernel made beside a synth, by one that asks too.
func idleKernel(t *testing.T, file string, _ *client) int {
	t.Helper()
	s, err := Ask()
	if err != nil {
		t.Fatal(err)
	}
	if s.State == "none" {
		connect(t, file, t.TempDir()).end()
	}
	return s.KernelPID
}

func TestKilledSynth(t *testing.T) {
	file := setUp(t)
	serve(t, file, "1m")
	c := connect(t, file, t.TempDir())
	pid := c.say("look").PID
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	until(t, "its kernel is gone", func() bool { return gone(pid) })
	until(t, "the next is ready", func() bool { s, err := Ask(); return err == nil && s.State == "ready" })
}

func TestEnds(t *testing.T) {
	ends := map[string]func(*exec.Cmd) error{
		"idle": func(*exec.Cmd) error { return nil },
		"stop": func(*exec.Cmd) error { return Stop() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			file := setUp(t)
			idle := "1m"
			if name == "idle" {
				idle = "3s"
			}
			keeper := serve(t, file, idle)
			s, err := Ask()
			if err != nil {
				t.Fatal(err)
			}
			if err := end(keeper); err != nil {
				t.Fatal(err)
			}
			if err := keeper.Wait(); err != nil {
				t.Errorf("it ended with %v", err)
			}
			if !gone(s.KernelPID) {
				t.Error("the kernel has stayed")
			}
			folder, _ := Folder()
			if _, err := os.Stat(socketPath(folder)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the socket has stayed: %v", err)
			}
			if err := Stop(); !errors.Is(err, ErrNone) {
				t.Errorf("another stop gives %v", err)
			}
		})
	}
}

func TestOtherVersionsTakeItsPlace(t *testing.T) {
	file := setUp(t)
	first := serve(t, file, "1m")
	var spec Spec
	data, _ := os.ReadFile(file)
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	spec.Packages[0].Version = "3"
	data, _ = json.Marshal(spec)
	other := filepath.Join(t.TempDir(), "other.json")
	write(t, other, string(data))
	// A synth of the other versions is not given this kernel.
	c := connect(t, other, t.TempDir())
	if warm(c) {
		t.Error("it got a kernel of other versions")
	}
	serve(t, other, "1m")
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
	if c := connect(t, other, t.TempDir()); !warm(c) {
		t.Errorf("it got %s", c.hello)
	}
}

func TestOnlyTheOwner(t *testing.T) {
	file := setUp(t)
	serve(t, file, "1m")
	folder, err := Folder()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{folder: 0o700, socketPath(folder): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %o", path, info.Mode(), err, want)
		}
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Folder(); err == nil {
		t.Error("a folder that all can enter was taken")
	}
	if c := connect(t, file, t.TempDir()); warm(c) {
		t.Error("a socket that others may have made was used")
	}
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestScriptIsNoNode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node")
	write(t, file, "#!/bin/sh\nexec node \"$@\"\n")
	if _, err := realNode(file); err == nil {
		t.Error("a script was taken for Node.js")
	}
}
