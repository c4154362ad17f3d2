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
	"strings"
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
	log     string // the path of its log
}

// coldStart is held while the SAM CLI starts a container: with a layer it
// builds an image anew each time, and two that build the same one at a time
// take it from each other.
var coldStart sync.Mutex

var servers = struct {
	sync.Mutex
	running map[string]*server
}{running: map[string]*server{}}

// serve gives the server of a template, which is started at its first use and
// ends with the run. The requests, "POST /path", are made at its start, so that
// the functions behind them are warm.
func serve(t testing.TB, command, template string, requests ...string) *server {
	t.Helper()
	servers.Lock()
	defer servers.Unlock()
	key := command + " " + template
	if s := servers.running[key]; s != nil {
		return s
	}
	s := startServer(t, command, template)
	servers.running[key] = s
	s.warm(t, requests)
	return s
}

func startServer(t testing.TB, command, template string) *server {
	t.Helper()
	template, err := filepath.Abs(template)
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	s := &server{url: "http://127.0.0.1:" + port, ended: make(chan struct{}), log: filepath.Join(work, command+port+".log")}
	log, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	s.process = exec.Command(e2e.SAM(t), "local", command, "--template", template, "--port", port,
		"--skip-pull-image", "--warm-containers", "LAZY")
	s.process.Dir, s.process.Env = filepath.Dir(template), e2e.Environment(t)
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.process.Wait() // how it ended is in its log
		_ = log.Close()
		close(s.ended)
	}()
	for range 300 {
		if c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second); err == nil {
			_ = c.Close()
			return s
		}
		select {
		case <-s.ended:
			t.Fatalf("sam local %s ended:\n%s", command, s.tail())
		case <-time.After(100 * time.Millisecond):
		}
	}
	s.stop()
	t.Fatalf("sam local %s does not listen after 30 s:\n%s", command, s.tail())
	return nil
}

// tail is the end of the server's log.
func (s *server) tail() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-64<<10):])
}

// warm makes the requests, the first of their functions.
func (s *server) warm(t testing.TB, requests []string) {
	t.Helper()
	coldStart.Lock()
	defer coldStart.Unlock()
	for _, request := range requests {
		method, path, _ := strings.Cut(request, " ")
		if answer, body := s.request(t, method, path, "{}", nil); answer.StatusCode >= 300 {
			t.Fatalf("%s: %s: %s\n%s", request, answer.Status, body, s.tail())
		}
	}
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
	defer l.Close()
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
		t.Fatalf("%v\n%s", err, s.tail())
	}
	defer response.Body.Close()
	var content bytes.Buffer
	if _, err := content.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response, content.Bytes()
}
