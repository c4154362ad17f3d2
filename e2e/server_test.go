//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// server is a sam local start-api or start-lambda, with one warm container a
// function.
type server struct {
	url     string
	process *exec.Cmd
	ended   chan struct{}
	log     *bytes.Buffer // to be read when it has ended
}

var servers = struct {
	sync.Mutex
	running map[string]*server
}{running: map[string]*server{}}

// serve gives the server of a template, which is started at its first use and
// ends with the run.
func serve(t testing.TB, command, template string) *server {
	t.Helper()
	servers.Lock()
	defer servers.Unlock()
	key := command + " " + template
	if s := servers.running[key]; s != nil {
		return s
	}
	s := startServer(t, command, template)
	servers.running[key] = s
	return s
}

func startServer(t testing.TB, command, template string) *server {
	t.Helper()
	template, err := filepath.Abs(template)
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	s := &server{url: "http://127.0.0.1:" + port, ended: make(chan struct{}), log: &bytes.Buffer{}}
	s.process = exec.Command(e2e.SAM(t), "local", command, "--template", template, "--port", port,
		"--skip-pull-image", "--warm-containers", "LAZY")
	s.process.Dir, s.process.Env = filepath.Dir(template), e2e.Environment(t)
	s.process.Stdout, s.process.Stderr = s.log, s.log
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.process.Wait() // how it ended is in its log
		close(s.ended)
	}()
	for range 300 {
		if c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second); err == nil {
			_ = c.Close()
			return s
		}
		select {
		case <-s.ended:
			t.Fatalf("sam local %s ended:\n%s", command, s.log)
		case <-time.After(100 * time.Millisecond):
		}
	}
	s.stop()
	t.Fatalf("sam local %s does not listen after 30 s:\n%s", command, s.log)
	return nil
}

// stop ends the server as Ctrl-C does, on which it removes its containers.
func (s *server) stop() {
	_ = s.process.Process.Signal(os.Interrupt) // it may have ended
	select {
	case <-s.ended:
	case <-time.After(20 * time.Second):
		_ = s.process.Process.Signal(syscall.SIGKILL)
		<-s.ended
	}
}

// stopServers ends all, at the same time.
func stopServers() {
	var all sync.WaitGroup
	for _, s := range servers.running {
		all.Go(s.stop)
	}
	all.Wait()
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it is to be closed
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

// client does not follow redirects, nor wait for ever.
var client = &http.Client{
	Timeout:       time.Minute,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// request sends one request to a server.
func (s *server) request(t testing.TB, method, path, body string, headers map[string]string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.url+path, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // read only
	var content bytes.Buffer
	if _, err := content.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response, content.Bytes()
}
