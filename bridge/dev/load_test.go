//go:build unix

package dev_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/dev"
)

// reloadsVariable sets how many reloads the tests below make: 200 swaps and 500
// reloads are the long forms.
const reloadsVariable = "BAILEY_RELOADS"

func reloads(t *testing.T, usual int) int {
	t.Helper()
	text := os.Getenv(reloadsVariable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s is no number", reloadsVariable, text)
	}
	return n
}

// TestReloadUnderLoad: no request fails, and none that begins after a reload gets
// the old code.
func TestReloadUnderLoad(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	wants(t, s.url("Web")+"/", "one")
	ctx, stop := context.WithCancel(context.Background())
	var asked, failed atomic.Int64
	var load sync.WaitGroup
	for i := range 4 {
		path := "/?fast"
		if i%2 == 1 {
			path = "/?slow"
		}
		load.Go(func() {
			client := &http.Client{Timeout: 30 * time.Second}
			for ctx.Err() == nil {
				status, words, err := ask(client, s.url("Web")+path)
				asked.Add(1)
				if err != nil || status != http.StatusOK || len(words) != 3 {
					failed.Add(1)
					t.Errorf("%d %q %v", status, words, err)
				}
			}
		})
	}
	n := reloads(t, 8)
	for i := range n {
		word := fmt.Sprint("answer", i)
		p.answer(word)
		s.await(dev.Reload)
		wants(t, s.url("Web")+"/", word)
	}
	stop()
	load.Wait()
	t.Logf("%d swaps, %d requests, %d of them failed", n, asked.Load(), failed.Load())
}

// TestInfrastructureUnderLoad: the same for routes.
func TestInfrastructureUnderLoad(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	ctx, stop := context.WithCancel(context.Background())
	var load sync.WaitGroup
	var asked atomic.Int64
	for range 2 {
		load.Go(func() {
			for ctx.Err() == nil {
				asked.Add(1)
				if status, words, err := ask(http.DefaultClient, s.url("Web")+"/?slow"); err != nil || status != http.StatusOK {
					t.Errorf("%d %q %v", status, words, err)
				}
			}
		})
	}
	n := reloads(t, 6)
	for i := range n {
		greeting := fmt.Sprint("hello", i)
		p.write("infra/settings.go", settings(greeting, map[string][]string{"Web": {"GET /", fmt.Sprint("GET /", greeting)}}))
		s.await(dev.Reload)
		wants(t, s.url("Web")+"/"+greeting, "one", greeting)
	}
	stop()
	load.Wait()
	t.Logf("%d swaps of the infrastructure, %d requests", n, asked.Load())
}

// TestNoGrowth: reloads leave neither memory nor goroutines, files nor processes.
func TestNoGrowth(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	word := ""
	once := func(i int) {
		word = fmt.Sprint("answer", i)
		if i%4 == 3 {
			p.write("infra/settings.go", settings(word, map[string][]string{"Web": {"GET /", "GET /" + word}}))
		} else {
			p.answer(word)
		}
		s.await(dev.Reload)
		if status, _ := get(t, s.url("Web")+"/"); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
		s.mu.Lock()
		s.events, s.seen = nil, 0 // the test's own memory
		s.mu.Unlock()
	}
	for i := range 4 {
		once(i)
	}
	heap, goroutines, files := weigh(t)
	n := reloads(t, 12)
	for i := range n {
		once(4 + i)
	}
	heapAfter, goroutinesAfter, filesAfter := weigh(t)
	t.Logf("%d reloads: heap %d KB, then %d KB; %d goroutines, then %d; %d open files, then %d",
		n, heap>>10, heapAfter>>10, goroutines, goroutinesAfter, files, filesAfter)
	if heapAfter > heap+2<<20 || goroutinesAfter > goroutines+6 || filesAfter > files+6 {
		t.Error("something grows with each reload")
	}
}

func weigh(t *testing.T) (heap uint64, goroutines, files int) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	time.Sleep(300 * time.Millisecond) // for processes that end
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		files = len(entries)
	}
	return m.HeapAlloc, runtime.NumGoroutine(), files
}

// childVariable has this test program run a session in its folder.
const childVariable = "BAILEY_TEST_SESSION"

func runChild(dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	o := options(dir)
	e := json.NewEncoder(os.Stdout)
	o.Report = func(event dev.Event) { _ = e.Encode(event) }
	if err := dev.Run(ctx, o); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// child is a session in a process of its own.
func child(t *testing.T, p *project) (*exec.Cmd, *dev.Served) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+p.dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e dev.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if e.Kind == dev.Ready {
			go func() {
				for lines.Scan() { // nobody reads what comes now
				}
			}()
			return cmd, e.Served
		}
	}
	t.Fatal("the session ended before it was ready")
	return nil, nil
}

// gone waits until a process has ended.
func gone(pid int) bool {
	for range 100 {
		if syscall.Kill(pid, 0) == syscall.ESRCH {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

// TestKilled: kill -9 of the session leaves no process and no socket behind, and
// the next session begins as ever. kill -9 of a function costs nobody a request.
func TestKilled(t *testing.T) {
	p := newProject(t)
	for round := range 2 {
		cmd, served := child(t, p)
		_, words := get(t, served.APIs[0].URL+"/")
		pid, err := strconv.Atoi(words[len(words)-1])
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil || !gone(pid) {
				t.Fatalf("the function's process: %v", err)
			}
			_, words = get(t, served.APIs[0].URL+"/")
			if pid, err = strconv.Atoi(words[len(words)-1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		if !gone(pid) {
			t.Errorf("the function's process %d is still there", pid)
		}
		for _, at := range []string{served.APIs[0].URL, served.Lambda, served.Events} {
			u, err := url.Parse(at)
			if err != nil {
				t.Fatal(err)
			}
			if c, err := net.Dial("tcp", u.Host); err == nil {
				c.Close()
				t.Errorf("%s is still listened on", at)
			}
		}
	}
}

// TestTwoSessions: the second one on a folder says why it does not start, and the
// first one is not disturbed.
func TestTwoSessions(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	o := options(p.dir)
	o.Report = func(dev.Event) {}
	if err := dev.Run(t.Context(), o); err == nil {
		t.Error("a second session runs")
	} else {
		t.Log(err)
	}
	wants(t, s.url("Web")+"/", "one")
}
