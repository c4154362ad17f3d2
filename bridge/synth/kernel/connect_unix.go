//go:build unix

package kernel

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"
)

// shells are those that understand the command line of [Find].
var shells = []string{"sh", "bash", "dash", "zsh", "ksh", "ash", "busybox", "fish"}

// Find returns the variables that give an app the kernel that waits for it, or
// an error that says why there is none. Executable is the bailey command.
func Find(executable string, app App) (vars []string, err error) {
	if shell := variable(app.Env, "SHELL"); shell != "" && !slices.Contains(shells, filepath.Base(shell)) {
		return nil, errors.New("jsii would use a shell that is not known here")
	}
	folder, err := Folder()
	if err != nil {
		return nil, err
	}
	file := specFile(folder, app)
	spec, err := readSpec(file)
	if err != nil {
		return nil, err
	}
	if spec.Failed != "" {
		return nil, fmt.Errorf("%w: %s", errNever, spec.Failed)
	}
	answer, _, err := ask(folder, request{Op: "status"}, 200*time.Millisecond)
	if err != nil {
		return nil, err
	}
	if answer.Status == nil || answer.Status.Key != spec.Key() {
		return nil, errors.New("other versions are kept")
	}
	if strings.ContainsAny(executable+file, `'\`) {
		return nil, errors.New("a path cannot be quoted")
	}
	return []string{
		fmt.Sprintf("JSII_RUNTIME=exec '%s' kernel connect '%s'", executable, file),
		fmt.Sprintf("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=%d", spec.NodeMajor),
	}, nil
}

// errNever says that no background process would help.
var errNever = errors.New("no kernel can be kept for this app")

// Start starts the background process for an app. It is not waited for, and ends
// at once where one serves the same versions.
func Start(executable string, app App, why error) error {
	if errors.Is(why, errNever) {
		return nil
	}
	folder, err := Folder()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(folder, "kernel.log"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := append([]string{"kernel", "serve", "--dir", app.Dir, "--node", app.Node, "--"}, app.Program...)
	command := exec.Command(executable, args...)
	command.Dir, command.Env = folder, app.Env
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it stays when the terminal goes
	if err := command.Start(); err != nil {
		return err
	}
	go func() { _ = command.Wait() }() // no zombie in a program that stays
	return nil
}

// Connect is what JSII_RUNTIME runs: it puts itself between jsii's client and the
// kernel that waits, or becomes the kernel that jsii would have started. The file
// is that of the app's spec.
func Connect(file string) error {
	data, err := os.ReadFile(file) //nolint:gosec // bailey synth names it
	if err != nil {
		return err
	}
	var spec Spec
	if err := json.Unmarshal(data, &spec); err != nil {
		return err
	}
	hello, files, err := takeKernel(&spec)
	if err != nil {
		if os.Getenv("BAILEY_KERNEL_DEBUG") != "" {
			fmt.Fprintln(os.Stderr, "a cold kernel is started:", err)
		}
		return cold(&spec)
	}
	return relay(hello, files)
}

// takeKernel asks for a kernel.
func takeKernel(spec *Spec) (hello string, files []*os.File, err error) {
	folder, err := Folder()
	if err != nil {
		return "", nil, err
	}
	o := &order{Env: map[string]string{}}
	for _, e := range clean(os.Environ()) {
		name, value, _ := strings.Cut(e, "=")
		if !utf8.ValidString(e) {
			return "", nil, errors.New("a variable is no text")
		}
		o.Env[name] = value
	}
	if o.CWD, err = os.Getwd(); err != nil || !utf8.ValidString(o.CWD) {
		return "", nil, errors.New("the working folder has no name")
	}
	o.Umask = syscall.Umask(0)
	syscall.Umask(o.Umask)
	answer, files, err := ask(folder, request{Op: "take", Key: spec.Key(), Order: o}, patience+6*time.Second)
	switch {
	case err != nil:
		return "", nil, err
	case answer.Error != "" || len(files) != 3:
		return "", nil, errors.New(answer.Error)
	}
	return answer.Hello, files, nil
}

// cold becomes the process that jsii would have started.
func cold(spec *Spec) error {
	node := os.Getenv("JSII_NODE")
	if node == "" {
		node = "node"
	}
	path, err := exec.LookPath(node)
	if err != nil {
		return err
	}
	return syscall.Exec(path, []string{node, spec.entry()}, clean(os.Environ()))
}

// relay passes on until the kernel has ended.
func relay(hello string, files []*os.File) error {
	channel := files[0]
	if _, err := io.WriteString(os.Stdout, hello); err != nil {
		return err
	}
	var wait sync.WaitGroup
	var writing sync.Mutex
	for i, name := range []string{"stdout", "stderr"} {
		wait.Go(func() { wrap(files[i+1], name, &writing) })
	}
	go func() {
		pass(channel, os.Stdin)
		raw, err := channel.SyscallConn()
		if err == nil {
			// The kernel finds the end of its requests, and ends.
			err = raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_WR) })
		}
		if err != nil {
			channel.Close()
		}
	}()
	pass(os.Stdout, channel)
	os.Stdout.Close()
	wait.Wait()
	return nil
}

// pass copies. Its messages are small and each is waited for, so that one read
// and one write a message are best.
func pass(to io.Writer, from io.Reader) {
	buffer := make([]byte, 256<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// wrap tells jsii's client what the kernel prints, in its own form.
func wrap(from io.Reader, name string, writing *sync.Mutex) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			line, _ := json.Marshal(map[string][]byte{name: buffer[:n]}) // bytes have no way to fail
			writing.Lock()
			_, _ = os.Stderr.Write(append(line, '\n')) // the kernel must not block, whoever reads
			writing.Unlock()
		}
		if err != nil {
			return
		}
	}
}
