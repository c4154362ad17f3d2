//go:build e2e && bench

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// TestBenchSave: from saving a handler to its changed answer from the API, beside
// the bare go build of that handler after the same edit.
func TestBenchSave(t *testing.T) {
	project := copyOfRoot(t)
	keepKernel(t)
	routeGreeting(t, project, "/quotes")
	greeting(t, project, "start")
	d := startDev(t, project)
	awaitAnswer(t, d.url+"/quotes", "start")
	var saves, builds []time.Duration
	for i := range 9 {
		// The build first: it is of another text, so that neither finds the other's
		// result in Go's cache. bailey dev sees that one too, and comes to rest.
		word := fmt.Sprint("build", i)
		other := filepath.Join(t.TempDir(), "other")
		if err := os.CopyFS(other, os.DirFS(project)); err != nil {
			t.Fatal(err)
		}
		greeting(t, other, word)
		builds = append(builds, timeOf(func() { goBuild(t, other, "./app/functions/quote") }))
		word = fmt.Sprint("save", i)
		saves = append(saves, timeOf(func() {
			greeting(t, project, word)
			awaitAnswer(t, d.url+"/quotes", word)
		}))
		d.await("reload")
	}
	save, build := median(saves), median(builds)
	report(t, "save-handler", 1.5*build.Seconds()/save.Seconds(), 1,
		"from a saved handler to its changed answer %.0f ms, go build of the handler alone %.0f ms (%.2f times): medians of 9 in turn; the ratio is to 1.5 times the build", ms(save), ms(build), save.Seconds()/build.Seconds())
	idle := resident(t, d.process.Process.Pid)
	report(t, "dev-memory", 100/idle, 1, "an idle bailey dev holds %.0f MB after these reloads; the ratio is to 100 MB", idle)

	sam := saveWithSAM(t)
	report(t, "save-handler-against-sam", sam.Seconds()/save.Seconds(), 20,
		"from a saved Go handler to its changed answer: bailey dev %.0f ms, sam build and a running sam local start-api %.0f ms (median of 3)", ms(save), ms(sam))
}

// goBuild builds a function as internal/build does, and nothing else.
func goBuild(t testing.TB, dir, pkg string) {
	t.Helper()
	c := exec.Command("go", "build", "-o", filepath.Join(t.TempDir(), "bootstrap"), "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid=", pkg)
	c.Dir, c.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

const samTemplate = `AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: go1.x
    Properties:
      CodeUri: hello
      Handler: bootstrap
      Runtime: provided.al2023
      Architectures: [%s]
      Events:
        Get: {Type: HttpApi, Properties: {Method: GET, Path: /}}
`

const samHandler = `package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "WORD"}, nil
	})
}
`

// saveWithSAM is the same with the SAM CLI alone, on a smaller handler than the
// storefront's: its server runs already, and is asked as soon as sam build is done.
func saveWithSAM(t *testing.T) time.Duration {
	t.Helper()
	e2e.Docker(t)
	e2e.BaseImage(t, "provided.al2023")
	dir := t.TempDir()
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	put(t, filepath.Join(dir, "template.yaml"), fmt.Sprintf(samTemplate, architecture))
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, "hello", name), string(text))
	}
	save := func(word string) {
		put(t, filepath.Join(dir, "hello", "main.go"), strings.Replace(samHandler, "WORD", word, 1))
		succeed(t, dir, e2e.SAM(t), "build")
	}
	save("start")
	s := startServer(t, "start-api", filepath.Join(dir, ".aws-sam", "build", "template.yaml"))
	defer s.stop()
	awaitAnswer(t, s.url+"/", "start")
	var all []time.Duration
	for i := range 3 {
		word := "save" + strconv.Itoa(i)
		all = append(all, timeOf(func() {
			save(word)
			awaitAnswer(t, s.url+"/", word)
		}))
	}
	return median(all)
}

// TestBenchKernels: warm and cold kernels on the smallest app and on one of 500
// resources, which says how much of a synth is loading and how much is work.
func TestBenchKernels(t *testing.T) {
	keepKernel(t)
	for _, n := range []int{1, 500} {
		dir := queues(t, n)
		// Always to one place, as a user does: an app that was compiled is kept there.
		synth := func(more ...string) func() {
			return func() { succeed(t, dir, bailey(t), append([]string{"synth", "--force"}, more...)...) }
		}
		synth()()
		readyKernel(t, dir)
		synth()()
		var colds, warms []time.Duration
		for range 7 {
			colds = append(colds, timeOf(synth("--cold")))
			readyKernel(t, dir)
			time.Sleep(time.Second) // Node.js is still busy with what it has loaded
			warms = append(warms, timeOf(synth()))
		}
		cold, warm := median(colds), median(warms)
		report(t, fmt.Sprintf("synth-warm-%d", n), cold.Seconds()/warm.Seconds(), 4,
			"bailey synth --force of an app with %d resources %.0f ms with a warm kernel, %.0f ms with a cold one: medians of 7 whole commands, in turn", n, ms(warm), ms(cold))
	}
}

// queues is an app with n resources: queues, and one that the CDK adds where there
// is room, for it allows 500.
func queues(t *testing.T, n int) string {
	t.Helper()
	dir := assets(t)
	put(t, filepath.Join(dir, "main.go"), strings.Replace(`package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Queues"), nil)
	for i := range COUNT {
		awssqs.NewQueue(stack, jsii.String(fmt.Sprint("Queue", i)), nil)
	}
	app.Synth(nil)
}
`, "COUNT", strconv.Itoa(max(1, n-1)), 1))
	return dir
}
