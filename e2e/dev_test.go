//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// devEvent is a line of bailey dev --json.
type devEvent struct {
	Type           string
	Message        string
	Infrastructure bool
	Functions      []string
	Served         struct {
		APIs           []struct{ Name, URL string }
		Lambda, Events string
	}
}

// devServer is a bailey dev.
type devServer struct {
	t       testing.TB
	process *exec.Cmd
	events  chan devEvent
	url     string // of the first API
}

// startDev starts bailey dev on free ports and waits until it serves.
func startDev(t testing.TB, dir string, more ...string) *devServer {
	t.Helper()
	arguments := append([]string{"dev", "--json", "--port", "0", "--lambda-port", "0", "--events-port", "0"}, more...)
	d := &devServer{t: t, process: exec.Command(bailey(t), arguments...), events: make(chan devEvent, 10000)}
	d.process.Dir, d.process.Env = dir, e2e.Environment(t)
	var log strings.Builder
	d.process.Stderr = &log
	out, err := d.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.process.Start(); err != nil {
		t.Fatal(err)
	}
	go d.read(out)
	t.Cleanup(func() {
		_ = d.process.Process.Signal(os.Interrupt) // it may have ended
		late := time.AfterFunc(20*time.Second, func() { _ = d.process.Process.Kill() })
		_ = d.process.Wait()
		late.Stop()
		if t.Failed() {
			t.Logf("bailey dev said:\n%s", log.String())
		}
	})
	ready := d.await("ready")
	if len(ready.Served.APIs) > 0 {
		d.url = ready.Served.APIs[0].URL
	}
	return d
}

func (d *devServer) read(out io.Reader) {
	defer close(d.events)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e devEvent
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			d.events <- e
		}
	}
}

// await waits for an event.
func (d *devServer) await(kind string) devEvent {
	d.t.Helper()
	limit := time.After(10 * time.Minute)
	for {
		select {
		case e, ok := <-d.events:
			if !ok {
				d.t.Fatalf("bailey dev ended before %q", kind)
			}
			if e.Type == "error" && kind != "error" {
				d.t.Fatal(e.Message)
			}
			if e.Type == kind {
				return e
			}
		case <-limit:
			d.t.Fatalf("no %q within ten minutes", kind)
		}
	}
}

// answer is the answer to a GET of the API, or "".
func (d *devServer) answer(path string) string {
	r, err := http.Get(d.url + path)
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

// awaitAnswer asks until the answer has a word, as someone who saved a file and
// presses F5 again and again.
func awaitAnswer(t testing.TB, url, want string) {
	t.Helper()
	for range 6000 {
		if r, err := http.Get(url); err == nil {
			text, err := io.ReadAll(r.Body)
			r.Body.Close()
			if err == nil && strings.Contains(string(text), want) {
				return
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s does not answer %q", url, want)
}

// greeting has the storefront's Quote answer a word to GET /quotes, once
// routeGreeting has made that a route: the shop itself has no such answer.
func greeting(t testing.TB, project, word string) {
	t.Helper()
	put(t, filepath.Join(project, "app", "functions", "quote", "greeting.go"), `package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func init() {
	lambda.Start(func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "`+word+`"}, nil
	})
}
`)
}

// routeGreeting adds a route of the API to Quote.
func routeGreeting(t testing.TB, project, path string) {
	t.Helper()
	file := filepath.Join(project, "app", "storefront.go")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const event = `"Quote": serverless.HttpApiEvent{Method: "POST", Path: "/quotes"},`
	if !strings.Contains(string(text), event) {
		t.Fatalf("%s has no %s", file, event)
	}
	put(t, file, strings.Replace(string(text), event, event+"\n\t\t\t\"Greet\": serverless.HttpApiEvent{Method: \"GET\", Path: \""+path+"\"},", 1))
}

// TestDev: the storefront in bailey dev, through a changed handler, a changed
// infrastructure and kill -9.
func TestDev(t *testing.T) {
	project := copyOfRoot(t)
	routeGreeting(t, project, "/quotes")
	greeting(t, project, "hello")
	d := startDev(t, project, "--cold")
	if got := d.answer("/quotes"); got != "hello" {
		t.Errorf("answer %q", got)
	}
	greeting(t, project, "goodbye")
	if e := d.await("reload"); e.Infrastructure || len(e.Functions) != 1 || e.Functions[0] != "Quote" {
		t.Errorf("reload: %+v", e)
	}
	if got := d.answer("/quotes"); got != "goodbye" {
		t.Errorf("answer %q", got)
	}
	routeGreeting(t, project, "/greetings")
	// The same key twice: the app does not compile.
	if e := d.await("error"); !strings.Contains(e.Message, "Greet") {
		t.Errorf("error: %s", e.Message)
	}
	if got := d.answer("/quotes"); got != "goodbye" {
		t.Errorf("answer %q after a failed synth", got)
	}
	if err := d.process.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// What served is gone, and the next one starts as ever.
	_ = d.process.Wait() // it was killed
	if got := d.answer("/quotes"); got != "" {
		t.Errorf("answer %q after kill -9", got)
	}
}

// copyOfRoot is a clone of this repository, in which files can be changed.
func copyOfRoot(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "storefront")
	if out, err := exec.Command("git", "clone", "--quiet", root, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}
