//go:build unix

package dev_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/dev"
)

func TestHandlerChange(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	wants(t, s.url("Web")+"/", "one", "hi")
	p.answer("two")
	e := s.await(dev.Reload)
	if e.Infrastructure || !slices.Equal(e.Functions, []string{"Hello"}) {
		t.Errorf("reloaded %+v", e)
	}
	wants(t, s.url("Web")+"/", "two", "hi")
	if n := s.count(dev.Ready); n != 1 {
		t.Errorf("the table was printed %d times", n)
	}
}

// TestFailedBuild: the last good function answers, and the compiler's message comes
// once.
func TestFailedBuild(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	p.write("functions/hello/more.go", "package main\n\nvar x int = \"no int\"\n")
	e := s.await(dev.Failed)
	if !strings.Contains(e.Message, "functions/hello/more.go:3:13:") || strings.Count(e.Message, "more.go:") != 1 {
		t.Errorf("message: %s", e.Message)
	}
	wants(t, s.url("Web")+"/", "one")
	p.write("functions/hello/more.go", "package main\n\nvar x int = \"no int\"\n\n// the same\n")
	if err := os.Remove(filepath.Join(p.dir, "functions", "hello", "more.go")); err != nil {
		t.Fatal(err)
	}
	s.await(dev.Mended)
	wants(t, s.url("Web")+"/", "one")
	if n := s.count(dev.Failed); n != 1 {
		t.Errorf("%d failures were told: %s", n, s.said())
	}
}

// TestFailedInfrastructure: the last good routes stay.
func TestFailedInfrastructure(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	p.write("infra/settings.go", "package main\n\nconst greeting = nothing\n")
	if e := s.await(dev.Failed); !strings.Contains(e.Message, "infra/settings.go:3:18: undefined: nothing") {
		t.Errorf("message: %s", e.Message)
	}
	wants(t, s.url("Web")+"/", "one", "hi")
	// A handler can be changed all the same.
	p.answer("two")
	s.await(dev.Reload)
	wants(t, s.url("Web")+"/", "two", "hi")
	if n := s.count(dev.Failed); n != 1 {
		t.Errorf("%d failures were told: %s", n, s.said())
	}
}

func TestInfrastructureChange(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	web := s.url("Web")
	_, before := get(t, web+"/")
	// Another route, and another API.
	p.write("infra/settings.go", settings("hi", map[string][]string{"Web": {"GET /", "GET /more"}, "Other": {"GET /o"}}))
	s.served = s.await(dev.Ready).Served
	if e := s.await(dev.Reload); !e.Infrastructure || len(e.Functions) > 0 || len(e.Phases) == 0 {
		t.Errorf("reloaded %+v", e)
	}
	if s.url("Web") != web {
		t.Error("the API has another address now")
	}
	wants(t, web+"/more", "one", "hi")
	wants(t, s.url("Other")+"/o", "one", "hi")
	if _, after := get(t, web+"/"); !slices.Equal(after, before) {
		t.Errorf("the process was replaced though its function is as before: %q, then %q", before, after)
	}
	// Another variable, and without the route and the API.
	other := s.url("Other")
	p.write("infra/settings.go", settings("good day", map[string][]string{"Web": {"GET /more"}}))
	s.served = s.await(dev.Ready).Served
	if e := s.await(dev.Reload); !slices.Equal(e.Functions, []string{"Hello"}) {
		t.Errorf("reloaded %+v", e)
	}
	wants(t, web+"/more", "one", "good", "day")
	if status, _ := get(t, web+"/"); status != http.StatusNotFound {
		t.Errorf("the route that is gone: %d", status)
	}
	if _, _, err := ask(http.DefaultClient, other+"/o"); err == nil {
		t.Error("the API that is gone answers")
	}
}

// TestBrokenFromTheStart: the session waits for the source to be mended.
func TestBrokenFromTheStart(t *testing.T) {
	p := newProject(t)
	p.write("functions/hello/more.go", "package main\n\nvar x int = \"no int\"\n")
	mend := func(o *dev.Options) {
		report := o.Report
		o.Report = func(e dev.Event) {
			report(e)
			if e.Kind == dev.Failed {
				p.write("functions/hello/more.go", "package main\n")
			}
		}
	}
	s := start(t, p, mend)
	wants(t, s.url("Web")+"/", "one")
}

// TestQuietChanges: saving the same, tests and documents leads to nothing.
func TestQuietChanges(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	p.answer("one")
	p.write("functions/hello/main_test.go", "package main\n")
	p.answer("two")
	s.await(dev.Reload)
	if n := s.count(dev.Reload); n != 1 {
		t.Errorf("%d reloads: %s", n, s.said())
	}
}

func TestNewFolder(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	p.write("functions/hello/word/word.go", "package word\n\nconst Word = \"deep\"\n")
	p.write("functions/hello/main.go", strings.Replace(strings.Replace(hello, `"ANSWER"`, "word.Word", 1), `"time"`, "\"time\"\n\n\t\"example.com/shop/functions/hello/word\"", 1))
	s.await(dev.Reload)
	wants(t, s.url("Web")+"/", "deep")
	p.write("functions/hello/word/word.go", "package word\n\nconst Word = \"deeper\"\n")
	s.await(dev.Reload)
	wants(t, s.url("Web")+"/", "deeper")
}

// TestLogs: each line comes with its function and its request.
func TestLogs(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	wants(t, s.url("Web")+"/", "one")
	var ids []string
	for _, want := range []string{"START RequestId: ", "asked for /", "END RequestId: ", "REPORT RequestId: "} {
		e := s.await(dev.Log)
		if e.Function != "Hello" || !strings.HasPrefix(e.Message, want) {
			t.Errorf("got %+v, want %q", e, want)
		}
		ids = append(ids, e.RequestID)
	}
	if ids = slices.Compact(ids); len(ids) != 1 || ids[0] == "" {
		t.Errorf("request ids: %q", ids)
	}
	if e := s.await(dev.Request); e.API != "Web" || e.Method != "GET" || e.Path != "/" || e.Status != 200 || e.Milliseconds <= 0 {
		t.Errorf("request: %+v", e)
	}
}

// TestProgress: what takes over a second is told while it goes on.
func TestProgress(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	p.write("infra/slow.go", "package main\n\nimport \"time\"\n\nfunc init() { time.Sleep(2 * time.Second) }\n")
	for s.await(dev.Note).Message != "running the CDK app..." {
	}
	s.await(dev.Reload)
}

// TestLambdaEndpoint invokes the function as an AWS SDK would.
func TestLambdaEndpoint(t *testing.T) {
	p := newProject(t)
	s := start(t, p)
	invoke := func() string {
		r, err := http.Post(s.served.Lambda+"/2015-03-31/functions/Hello/invocations", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		var text bytes.Buffer
		if _, err := text.ReadFrom(r.Body); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	if got := invoke(); !strings.Contains(got, "one hi") {
		t.Errorf("got %s", got)
	}
	p.answer("two")
	s.await(dev.Reload)
	if got := invoke(); !strings.Contains(got, "two hi") {
		t.Errorf("got %s", got)
	}
}

// TestDebugger: what Delve is given, by a stand-in for it that
// starts the function at once. The real one is in e2e.
func TestDebugger(t *testing.T) {
	bin, given := t.TempDir(), filepath.Join(t.TempDir(), "given")
	script := "#!/bin/sh\necho \"$@\" >> " + given + "\nfor last; do :; done\nexec \"$last\"\n"
	if err := os.WriteFile(filepath.Join(bin, "dlv"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	p := newProject(t)
	s := start(t, p, func(o *dev.Options) { o.Debug = &dev.Debug{Port: 23456} })
	wants(t, s.url("Web")+"/", "one")
	p.answer("two")
	s.await(dev.Reload)
	wants(t, s.url("Web")+"/", "two")
	text, err := os.ReadFile(given)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "exec --headless ") || !strings.Contains(lines[0], " --listen=127.0.0.1:23456 ") {
		t.Errorf("delve was given:\n%s", text)
	}
	program := strings.Fields(lines[0])
	symbols, err := os.ReadFile(program[len(program)-1])
	if err != nil || !bytes.Contains(symbols, []byte(".debug_info")) && !bytes.Contains(symbols, []byte(".zdebug_info")) {
		t.Errorf("%s has no debugging information (%v)", program[len(program)-1], err)
	}
}

func TestDebuggerMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	o := options(t.TempDir())
	o.Debug = &dev.Debug{Port: 1}
	if err := dev.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "go install github.com/go-delve/delve/cmd/dlv@latest") {
		t.Errorf("error: %v", err)
	}
}
