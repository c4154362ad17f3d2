//go:build unix

package kernel

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// loadLimit is how long a kernel may take to be ready. The first load of the CDK
// unpacks 140 MB.
const loadLimit = 2 * time.Minute

// child is a kernel that nobody has used.
type child struct {
	cmd     *exec.Cmd
	channel *os.File // jsii's protocol
	lines   *bufio.Reader
	streams [2]*os.File // what it prints
	hello   string
	ended   chan struct{} // closed when the process has ended
}

// start runs a kernel and has it load the packages. It ends when ctx does.
func start(ctx context.Context, s *Spec, folder string, env []string) (*child, error) {
	preloadFile, err := writePreload(folder)
	if err != nil {
		return nil, err
	}
	c, err := spawn(s, preloadFile, folder, env)
	if err != nil {
		return nil, fmt.Errorf("cannot start a kernel: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { c.end() })
	defer stop()
	if err := c.load(s, modulesFile(folder, s)); err != nil {
		c.end()
		return nil, fmt.Errorf("cannot load the CDK into a kernel: %w", err)
	}
	return c, ctx.Err()
}

// spawn starts the process. Its end of the channel is the only thing that keeps
// it alive: it ends when nobody holds the other.
func spawn(s *Spec, preloadFile, folder string, env []string) (*child, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	c := &child{channel: ours, lines: bufio.NewReader(ours), ended: make(chan struct{})}
	// The flags are those that jsii's own first program gives to its second.
	c.cmd = exec.Command(s.Node, "--require", preloadFile, "--preserve-symlinks", s.program())
	c.cmd.Dir, c.cmd.Env = folder, env
	c.cmd.ExtraFiles = []*os.File{theirs} // file descriptor 3
	// A signal from the terminal of whoever started the background process is
	// none of its business.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var written [2]*os.File
	for i := range c.streams {
		if c.streams[i], written[i], err = os.Pipe(); err != nil {
			c.close()
			return nil, err
		}
		defer written[i].Close()
	}
	c.cmd.Stdout, c.cmd.Stderr = written[0], written[1]
	if err := c.cmd.Start(); err != nil {
		c.close()
		return nil, err
	}
	go func() {
		_ = c.cmd.Wait() // how it ends is for the synth that has it
		close(c.ended)
	}()
	return c, nil
}

func socketPair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, err
	}
	// Only ours: jsii reads its own without waiting for events.
	if err := syscall.SetNonblock(fds[0], true); err != nil {
		return nil, nil, errors.Join(err, syscall.Close(fds[0]), syscall.Close(fds[1]))
	}
	return os.NewFile(uintptr(fds[0]), "kernel"), os.NewFile(uintptr(fds[1]), "kernel"), nil
}

// modulesFile holds the names of the modules that the last synth has loaded.
func modulesFile(folder string, s *Spec) string {
	return filepath.Join(folder, "modules-"+s.Key()+".json")
}

// load waits for jsii's greeting, has it load the packages, and then those of
// their modules that the last synth has used: each package loads its own only when
// they are needed.
func (c *child) load(s *Spec, modules string) error {
	if err := c.channel.SetDeadline(time.Now().Add(loadLimit)); err != nil {
		return err
	}
	hello, err := c.lines.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(hello, `{"hello":`) {
		return fmt.Errorf("it greets with %.100q", hello)
	}
	c.hello = hello
	for _, p := range s.Packages {
		answer, err := c.say("", map[string]string{"api": "load", "name": p.Name, "version": p.Version, "tarball": p.Tarball})
		if err != nil {
			return err
		}
		if answer["ok"] == nil {
			return fmt.Errorf("%s %s: %.300s", p.Name, p.Version, answer["error"])
		}
	}
	var warm struct {
		Names []string `json:"warm"`
	}
	if data, err := os.ReadFile(modules); err == nil && json.Unmarshal(data, &warm.Names) == nil && len(warm.Names) > 0 {
		if answer, err := c.say("\x00", warm); err != nil || answer["warmed"] == nil {
			return fmt.Errorf("it loads no modules: %w", err)
		}
	}
	return c.channel.SetDeadline(time.Time{})
}

// say sends a message and reads the answer.
func (c *child) say(prefix string, message any) (answer map[string]json.RawMessage, err error) {
	data, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	if _, err := c.channel.Write(append(append([]byte(prefix), data...), '\n')); err != nil {
		return nil, err
	}
	line, err := c.lines.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	return answer, json.Unmarshal(line, &answer)
}

// take makes the kernel a synth's own. After an error it is good for nobody.
func (c *child) take(o *order) error {
	if err := c.channel.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	answer, err := c.say("\x00", o)
	if err != nil {
		return err
	}
	if refused := answer["refused"]; refused != nil {
		return errors.New(strings.Trim(string(refused), `"`))
	}
	if answer["taken"] == nil || c.lines.Buffered() > 0 {
		return errors.New("the kernel does not follow")
	}
	return c.channel.SetDeadline(time.Time{})
}

// close lets go of the kernel. Unless another process holds its channel, it ends
// by itself and removes its temporary folder.
func (c *child) close() {
	c.channel.Close()
	for _, f := range c.streams {
		f.Close() // a nil file says so, and no more
	}
}

// end ends the kernel, by force where it does not.
func (c *child) end() {
	c.close()
	select {
	case <-c.ended:
	case <-time.After(2 * time.Second):
		_ = c.cmd.Process.Kill() // it has just ended, or ends now
		<-c.ended
	}
}

// alive tells whether the process still runs.
func (c *child) alive() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}
