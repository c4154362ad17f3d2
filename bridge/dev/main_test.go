//go:build unix

package dev_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge"
	"github.com/bailey-cdk/bailey/bridge/dev"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/bridge/synth"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		os.Exit(runChild(dir))
	}
	os.Exit(m.Run())
}

// infra is a CDK app as far as a synth can tell: one stack with a function and an
// HTTP API for each word of apis, all of its routes to that function.
const infra = `package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	resources := map[string]any{"Hello": map[string]any{
		"Type": "AWS::Lambda::Function",
		"Metadata": map[string]any{"aws:cdk:path": "Shop/Hello/Resource", "Bailey": map[string]any{"Entry": "./functions/hello"}},
		"Properties": map[string]any{
			"Runtime": "provided.al2023", "Handler": "bootstrap", "Role": "arn:aws:iam::123456789012:role/r",
			"Code": map[string]any{"S3Bucket": "b", "S3Key": "asset.zip"},
			"Environment": map[string]any{"Variables": map[string]any{"GREETING": greeting}},
		},
	}}
	for name, routes := range apis {
		ref := map[string]any{"Ref": name}
		resources[name] = map[string]any{"Type": "AWS::ApiGatewayV2::Api", "Metadata": map[string]any{"aws:cdk:path": "Shop/" + name + "/Resource"},
			"Properties": map[string]any{"Name": name, "ProtocolType": "HTTP"}}
		resources[name+"Stage"] = map[string]any{"Type": "AWS::ApiGatewayV2::Stage", "Properties": map[string]any{"ApiId": ref, "StageName": "$default", "AutoDeploy": true}}
		resources[name+"To"] = map[string]any{"Type": "AWS::ApiGatewayV2::Integration", "Properties": map[string]any{
			"ApiId": ref, "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0",
			"IntegrationUri": map[string]any{"Fn::GetAtt": []string{"Hello", "Arn"}}}}
		for i, route := range routes {
			resources[fmt.Sprint(name, "Route", i)] = map[string]any{"Type": "AWS::ApiGatewayV2::Route", "Properties": map[string]any{
				"ApiId": ref, "RouteKey": route, "Target": map[string]any{"Fn::Join": []any{"/", []any{"integrations", map[string]any{"Ref": name + "To"}}}}}}
		}
	}
	write("Shop.template.json", map[string]any{"Resources": resources})
	write("manifest.json", map[string]any{"version": "48.0.0", "artifacts": map[string]any{"Shop": map[string]any{
		"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region",
		"properties": map[string]any{"templateFile": "Shop.template.json"}}}})
}

func write(name string, value any) {
	text, err := json.Marshal(value)
	if err == nil {
		err = os.WriteFile(filepath.Join(os.Getenv("CDK_OUTDIR"), name), text, 0o600)
	}
	if err != nil {
		panic(err)
	}
}
`

// settings is the part of the app that tests change.
func settings(greeting string, apis map[string][]string) string {
	return fmt.Sprintf("package main\n\nconst greeting = %q\n\nvar apis = %#v\n", greeting, apis)
}

// hello is a function with a runtime of its own, so that the test needs no module
// from elsewhere.
const hello = `package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const answer = "ANSWER"

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(base + "next")
		if err != nil {
			return
		}
		text, _ := io.ReadAll(next.Body)
		next.Body.Close()
		var event struct{ RawPath, RawQueryString string }
		json.Unmarshal(text, &event)
		fmt.Println("asked for", event.RawPath)
		if event.RawQueryString == "slow" {
			time.Sleep(20 * time.Millisecond)
		}
		body, _ := json.Marshal(map[string]any{"statusCode": 200, "body": fmt.Sprint(answer, " ", os.Getenv("GREETING"), " ", os.Getpid())})
		r, err := http.Post(base+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "application/json", strings.NewReader(string(body)))
		if err == nil {
			r.Body.Close()
		}
	}
}
`

// project is an app in a folder.
type project struct {
	t   testing.TB
	dir string
}

func newProject(t testing.TB) *project {
	t.Helper()
	p := &project{t, t.TempDir()}
	p.write("go.mod", "module example.com/shop\n\ngo 1.24\n")
	p.write("cdk.json", `{"app": "go run ./infra"}`)
	p.write("infra/main.go", infra)
	p.write("infra/settings.go", settings("hi", map[string][]string{"Web": {"GET /"}}))
	p.answer("one")
	return p
}

func (p *project) write(file, text string) {
	p.t.Helper()
	file = filepath.Join(p.dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// answer changes the handler.
func (p *project) answer(word string) {
	p.write("functions/hello/main.go", strings.Replace(hello, "ANSWER", word, 1))
}

// options serves on free ports.
func options(dir string) dev.Options {
	return dev.Options{
		Synth: synth.Options{Dir: dir, Local: true},
		Load: func(_ context.Context, assembly string) (*model.Application, error) {
			return bridge.Load(bridge.Options{Assembly: assembly, Project: dir})
		},
	}
}

// session is one that runs in this process, with all that it said.
type session struct {
	t      testing.TB
	served *dev.Served

	mu     sync.Mutex
	events []dev.Event
	come   chan struct{} // has an entry when there are more
	seen   int           // what await has looked at
}

func start(t testing.TB, p *project, change ...func(*dev.Options)) *session {
	t.Helper()
	s := &session{t: t, come: make(chan struct{}, 1)}
	o := options(p.dir)
	o.Report = s.report
	for _, c := range change {
		c(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the session ended with %v", err)
		}
	})
	s.served = s.await(dev.Ready).Served
	return s
}

func (s *session) report(e dev.Event) {
	s.mu.Lock()
	s.events = append(s.events, e)
	s.mu.Unlock()
	select {
	case s.come <- struct{}{}:
	default:
	}
}

// await waits for the next event of a kind.
func (s *session) await(kind dev.Kind) dev.Event {
	s.t.Helper()
	limit := time.After(time.Minute)
	for {
		s.mu.Lock()
		for s.seen < len(s.events) {
			e := s.events[s.seen]
			s.seen++
			if e.Kind == kind {
				s.mu.Unlock()
				return e
			}
		}
		s.mu.Unlock()
		select {
		case <-s.come:
		case <-limit:
			s.t.Fatalf("no %s within a minute; there were: %s", kind, s.said())
		}
	}
}

func (s *session) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, _ := json.Marshal(s.events)
	return string(text)
}

// count is how many events of a kind there were.
func (s *session) count(kind dev.Kind) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func (s *session) url(api string) string {
	s.t.Helper()
	i := slices.IndexFunc(s.served.APIs, func(a dev.ServedAPI) bool { return a.Name == api })
	if i < 0 {
		s.t.Fatalf("there is no API %s: %+v", api, s.served)
	}
	return s.served.APIs[i].URL
}

// get is the status and the words of an answer.
func get(t testing.TB, url string) (status int, words []string) {
	t.Helper()
	status, words, err := ask(http.DefaultClient, url)
	if err != nil {
		t.Fatal(err)
	}
	return status, words
}

func ask(client *http.Client, url string) (status int, words []string, err error) {
	r, err := client.Get(url)
	if err != nil {
		return 0, nil, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return r.StatusCode, strings.Fields(string(text)), err
}

// wants checks the first words of an answer.
func wants(t testing.TB, url string, want ...string) {
	t.Helper()
	status, words := get(t, url)
	if status != http.StatusOK || len(words) < len(want) || !slices.Equal(words[:len(want)], want) {
		t.Errorf("%s: %d %q, want %q", url, status, words, want)
	}
}
