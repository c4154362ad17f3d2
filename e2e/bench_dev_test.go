//go:build e2e && bench

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/internal/build"
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
			d.await("reload") // asking all the while would slow the build down
			awaitAnswer(t, d.url+"/quotes", word)
		}))
	}
	save, build := median(saves), median(builds)
	report(t, "save-handler", 1.5*build.Seconds()/save.Seconds(), 1,
		"from a saved handler to its changed answer %.0f ms, go build of the handler alone %.0f ms (%.2f times): medians of 9 in turn; the ratio is to 1.5 times the build", ms(save), ms(build), save.Seconds()/build.Seconds())
	idle := resident(t, d.process.Process.Pid)
	report(t, "dev-memory", 100/idle, 1, "an idle bailey dev holds %.0f MB after these reloads; the ratio is to 100 MB", idle)

	all, one := saveWithSAM(t)
	const words = "from a saved handler of the storefront to its changed answer: bailey dev %.0f ms, sam build%s and a running sam local start-api %.0f ms (median of 3)"
	report(t, "save-handler-against-sam", all.Seconds()/save.Seconds(), 20, words, ms(save), "", ms(all))
	report(t, "save-handler-against-sam-of-one", one.Seconds()/save.Seconds(), 1, words, ms(save), " Quote", ms(one))
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

// saveWithSAM is the same with the SAM CLI alone, on a template of the storefront's
// functions: its server runs already, and is asked as soon as sam build is done. That
// builds all functions unless it is told the name of one.
func saveWithSAM(t *testing.T) (all, one time.Duration) {
	t.Helper()
	e2e.Docker(t)
	e2e.BaseImage(t, "provided.al2023")
	project := copyOfRoot(t)
	var template strings.Builder
	fmt.Fprintf(&template, samTemplate, build.HostArchitecture())
	for _, name := range []string{"Quote", "Checkout", "Fulfilment", "Housekeeping", "Waiting"} {
		fmt.Fprintf(&template, samFunction, name, strings.ToLower(name))
		if name == "Quote" {
			template.WriteString("      Events: {Get: {Type: HttpApi, Properties: {Method: GET, Path: /quotes}}}\n")
		}
	}
	put(t, filepath.Join(project, "template.yaml"), template.String())
	save := func(word string, name ...string) {
		greeting(t, project, word)
		succeed(t, project, e2e.SAM(t), append([]string{"build"}, name...)...)
	}
	save("start")
	s := startServer(t, "start-api", filepath.Join(project, ".aws-sam", "build", "template.yaml"))
	defer s.stop()
	awaitAnswer(t, s.url+"/quotes", "start")
	measure := func(what string, name ...string) time.Duration {
		var times []time.Duration
		for i := range 3 {
			word := what + strconv.Itoa(i)
			times = append(times, timeOf(func() {
				save(word, name...)
				awaitAnswer(t, s.url+"/quotes", word)
			}))
		}
		return median(times)
	}
	return measure("all"), measure("one", "Quote")
}

const samTemplate = `AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Handler: bootstrap, Runtime: provided.al2023, Architectures: [%s]}
Resources:
`

const samFunction = `  %s:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: go1.x}
    Properties:
      CodeUri: app/functions/%s
`

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
