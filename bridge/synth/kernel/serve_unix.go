//go:build unix

package kernel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bailey-cdk/bailey/internal/atomicfile"
)

const (
	// DefaultIdle is how long the background process stays when nobody asks
	// for a kernel. BAILEY_KERNEL_IDLE, a duration such as "90s", overrides it.
	DefaultIdle = 30 * time.Minute
	// patience is how long a synth waits for a kernel that is being loaded,
	// less than a cold one takes.
	patience = 2 * time.Second
	// refillLimit is how long a synth is left alone before the next kernel is
	// loaded beside it.
	refillLimit = 20 * time.Second
)

// Serve is the background process for an app: it keeps a kernel until ctx is
// done, nobody has asked for one in the idle time, or it is told to stop.
func Serve(ctx context.Context, app App) error {
	folder, err := Folder()
	if err != nil {
		return err
	}
	idle := DefaultIdle
	if text := os.Getenv("BAILEY_KERNEL_IDLE"); text != "" {
		if idle, err = time.ParseDuration(text); err != nil || idle <= 0 {
			return fmt.Errorf("BAILEY_KERNEL_IDLE is %q: write a duration such as 30m", text)
		}
	}
	spec, err := resolve(ctx, folder, app)
	if err != nil {
		return err
	}
	if spec.Failed != "" {
		return errors.New(spec.Failed)
	}
	return keep(ctx, folder, spec, app.Env, idle)
}

// keep serves one spec.
func keep(ctx context.Context, folder string, spec *Spec, env []string, idle time.Duration) error {
	lock, err := takeOver(folder, spec.Key())
	if lock == nil {
		return err // nil where another one serves already
	}
	defer lock.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{
		folder: folder, spec: spec, key: spec.Key(), env: env, ctx: ctx, cancel: cancel,
		started: time.Now(), last: time.Now(), idle: idle,
	}
	return s.run()
}

// takeOver makes this the only process that serves. It returns nil where one
// serves these versions already, and ends one that serves others.
func takeOver(folder, key string) (lock *os.File, err error) {
	lock, err = os.OpenFile(filepath.Join(folder, "kernel.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		// The system lets go of it however the process ends.
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return lock, nil
		}
		answer, _, asked := ask(folder, request{Op: "status"}, time.Second)
		if asked == nil && answer.Status != nil && answer.Status.Key == key {
			lock.Close()
			return nil, nil
		}
		if time.Now().After(deadline) {
			lock.Close()
			return nil, fmt.Errorf("another process keeps a kernel and does not end: %w", err)
		}
		if asked == nil {
			_, _, _ = ask(folder, request{Op: "stop"}, time.Second) // the lock tells
		}
	}
}

type server struct {
	folder, key string
	spec        *Spec
	ctx         context.Context
	cancel      context.CancelFunc
	started     time.Time
	idle        time.Duration
	children    sync.WaitGroup // kernels that are being loaded
	answers     sync.WaitGroup // connections

	mutex   sync.Mutex
	env     []string      // that a kernel is started with
	ready   *child        // nil while there is none
	loading chan struct{} // closed when the load has ended; nil while there is none
	failed  error         // why the last load did
	waiting bool          // a synth waits for the load
	served  int
	last    time.Time // of a request
}

func (s *server) run() error {
	listener, err := s.listen()
	if err != nil {
		return err
	}
	defer s.answers.Wait()
	defer s.clear()
	closing := sync.OnceValue(listener.Close)
	defer func() { _ = closing() }() // and no longer on disk, before the kernel ends
	stop := context.AfterFunc(s.ctx, func() { _ = closing() })
	defer stop()
	go s.watchIdle()
	s.mutex.Lock()
	s.fill()
	s.mutex.Unlock()
	for {
		conn, err := listener.AcceptUnix()
		if s.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		s.answers.Go(func() { s.serve(conn) })
	}
}

// listen replaces a socket that was left behind: whoever made it holds the lock
// no more.
func (s *server) listen() (*net.UnixListener, error) {
	path := socketPath(s.folder)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	return l, os.Chmod(path, 0o600)
}

// clear ends the kernel that waits.
func (s *server) clear() {
	s.mutex.Lock()
	s.cancel() // from here on fill does nothing
	s.mutex.Unlock()
	s.children.Wait()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.ready != nil {
		s.ready.end()
		s.ready = nil
	}
}

func (s *server) watchIdle() {
	for {
		s.mutex.Lock()
		left := s.idle - time.Since(s.last)
		s.mutex.Unlock()
		if left <= 0 {
			s.cancel()
			return
		}
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(left):
		}
	}
}

func (s *server) serve(conn *net.UnixConn) {
	defer conn.Close() //nolint:errcheck // all is said by then
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return
	}
	var r request
	if err := json.NewDecoder(conn).Decode(&r); err != nil {
		return
	}
	switch r.Op {
	case "status":
		_ = send(conn, reply{Status: s.status()}) // whoever asked has gone
	case "stop":
		s.clear()
		_ = send(conn, reply{})
	case "take":
		s.give(conn, r)
	default:
		_ = send(conn, reply{Error: "an unknown request: " + r.Op})
	}
}

// give hands a kernel over.
func (s *server) give(conn *net.UnixConn, r request) {
	c, err := s.take(r)
	if err != nil {
		_ = send(conn, reply{Error: err.Error()})
		return
	}
	err = send(conn, reply{Hello: c.hello}, c.channel, c.streams[0], c.streams[1])
	c.close() // here; the synth has it now, or nobody and it ends
	s.mutex.Lock()
	if err == nil {
		s.served++
	}
	s.mutex.Unlock()
	go s.refill(c)
}

// refill loads the next kernel once the synth that has the last one is through.
func (s *server) refill(c *child) {
	select {
	case <-c.ended:
	case <-time.After(refillLimit):
	case <-s.ctx.Done():
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.fill()
}

// fill starts to load a kernel unless there is one. The mutex is held.
func (s *server) fill() {
	if s.ready != nil || s.loading != nil || s.ctx.Err() != nil {
		return
	}
	done := make(chan struct{})
	s.loading = done
	env := s.env
	indexed := s.spec.indexed(env)
	s.children.Go(func() {
		c, err := start(s.ctx, s.spec, s.folder, clean(env))
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.ready, s.failed, s.loading = c, err, nil
		close(done)
		if err == nil && !indexed {
			go s.awaitIndex(c, env)
		}
	})
}

// awaitIndex replaces a kernel that was loaded without jsii's index when that is
// there: it takes three times the memory.
func (s *server) awaitIndex(c *child, env []string) {
	for range 120 {
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(time.Second):
		}
		s.mutex.Lock()
		if s.ready != c {
			s.mutex.Unlock()
			return
		}
		if s.spec.indexed(env) {
			s.ready = nil
			s.fill()
			s.mutex.Unlock()
			c.end()
			return
		}
		s.mutex.Unlock()
	}
}

// take waits for a kernel and makes it the synth's.
func (s *server) take(r request) (*child, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.last = time.Now()
	if r.Order == nil || r.Key != s.key {
		return nil, errors.New("other versions are kept")
	}
	if s.ready == nil {
		if err := s.await(); err != nil {
			return nil, err
		}
	}
	c := s.ready
	s.ready = nil
	r.Order.Modules = modulesFile(s.folder, s.spec)
	var err error
	if !c.alive() {
		err = errors.New("the kernel has ended")
	} else if err = c.take(r.Order); err == nil {
		return c, nil
	}
	c.end()
	// The next one is started as this synth would have had it.
	s.env = s.env[:0:0]
	for name, value := range r.Order.Env {
		s.env = append(s.env, name+"="+value)
	}
	s.fill()
	return nil, err
}

// await lets one synth wait for a load. The mutex is held, but not meanwhile.
func (s *server) await() error {
	if s.waiting {
		return errors.New("another synth waits")
	}
	s.fill()
	done := s.loading
	if done == nil {
		return errors.New("the kernel ends")
	}
	s.waiting = true
	s.mutex.Unlock()
	select {
	case <-done:
	case <-time.After(patience):
	}
	s.mutex.Lock()
	s.waiting = false
	if s.ready == nil {
		return cmp.Or(s.failed, errors.New("the kernel is not loaded yet"))
	}
	return nil
}

func (s *server) status() *Status {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	status := &Status{
		PID: os.Getpid(), Key: s.key, State: "none", Served: s.served, Started: s.started, Idle: s.last,
		Packages: s.spec.Packages, Runtime: s.spec.Runtime, Node: s.spec.Node, Index: s.spec.indexed(s.env),
	}
	switch {
	case s.ready != nil:
		status.State, status.KernelPID = "ready", s.ready.cmd.Process.Pid
	case s.loading != nil:
		status.State = "loading"
	case s.failed != nil:
		status.State, status.Error = "failed", s.failed.Error()
	}
	return status
}

// own are the variables that are Bailey's and not the app's.
func own(name string) bool {
	return name == "JSII_RUNTIME" || name == "BAILEY_KERNEL" || strings.HasPrefix(name, "BAILEY_KERNEL_")
}

// clean is the environment of a kernel. jsii proposes a limit to its memory.
func clean(env []string) []string {
	var kept []string
	if variable(env, "NODE_OPTIONS") == "" {
		kept = append(kept, "NODE_OPTIONS=--max-old-space-size=4069")
	}
	for _, e := range env {
		if name, _, _ := strings.Cut(e, "="); !own(name) {
			kept = append(kept, e)
		}
	}
	return kept
}

// indexed tells whether the largest package, the CDK, has jsii's runtime index.
// It is true for a jsii that makes none.
func (s *Spec) indexed(env []string) bool {
	if _, err := os.Stat(filepath.Join(s.Runtime, "lib", "runtime-index-worker.js")); err != nil {
		return true
	}
	var largest Package
	var size int64
	for _, p := range s.Packages {
		if info, err := os.Stat(p.Tarball); err == nil && info.Size() > size {
			largest, size = p, info.Size()
		}
	}
	root := filepath.Join(variable(env, "HOME"), ".cache", "aws", "jsii", "package-cache")
	if runtime.GOOS == "darwin" {
		root = filepath.Join(variable(env, "HOME"), "Library", "Caches", "com.amazonaws.jsii", "package-cache")
	}
	root = cmp.Or(variable(env, "JSII_RUNTIME_PACKAGE_CACHE_ROOT"), root)
	found, err := filepath.Glob(filepath.Join(root, largest.Name, largest.Version, "*", ".jsii.runtime.v1.json"))
	return err == nil && len(found) > 0
}

func variable(env []string, name string) (value string) {
	for _, e := range env {
		if rest, ok := strings.CutPrefix(e, name+"="); ok {
			value = rest
		}
	}
	return value
}

// writePreload puts the program of that name into the folder.
func writePreload(folder string) (string, error) {
	file := filepath.Join(folder, "preload-"+hash(preload)+".js")
	if found, err := os.ReadFile(file); err == nil && string(found) == string(preload) {
		return file, nil
	}
	return file, atomicfile.Write(file, preload)
}
