//go:build e2e && bench

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge"
	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/internal/e2e"
)

// figure is one benchmark's result. A ratio of reach or more is what we aim
// for.
type figure struct {
	Name  string  `json:"name"`
	Ratio float64 `json:"ratio"`
	Reach float64 `json:"reach"`
	Words string  `json:"words"`
}

// report prints a figure and puts it into bench.json in the repository's root,
// beside those of other runs.
func report(t testing.TB, name string, ratio, reach float64, words string, values ...any) {
	t.Helper()
	f := figure{name, ratio, reach, fmt.Sprintf(words, values...)}
	fmt.Printf("bench: %s ratio=%.2f reach=%g (%s)\n", f.Name, f.Ratio, f.Reach, f.Words)
	file := filepath.Join(root, "bench.json")
	var figures []figure
	if text, err := os.ReadFile(file); err == nil {
		_ = json.Unmarshal(text, &figures) // what is not of ours is replaced
	}
	figures = slices.DeleteFunc(figures, func(old figure) bool { return old.Name == name })
	text, err := json.MarshalIndent(append(figures, f), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// times runs f n times after one run that does not count.
func times(n int, f func()) []time.Duration {
	f()
	all := make([]time.Duration, n)
	for i := range all {
		start := time.Now()
		f()
		all[i] = time.Since(start)
	}
	return all
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// inTurn measures two things in turn, so that a machine that gets slower slows
// both, and gives the median of each.
func inTurn(n int, a, b func()) (time.Duration, time.Duration) {
	a()
	b()
	var as, bs []time.Duration
	for range n {
		as = append(as, timeOf(a))
		bs = append(bs, timeOf(b))
	}
	return median(as), median(bs)
}

func timeOf(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// TestBenchColdInvoke: the whole commands, from start to exit, on one built
// function.
func TestBenchColdInvoke(t *testing.T) {
	project, event := storefront(t), quote(t)
	e2e.Docker(t)
	e2e.BaseImage(t, "provided.al2023")
	invoke := func(name string, more ...string) func() {
		arguments := append([]string{"local", "invoke", "Quote", "--event", "-"}, more...)
		return func() {
			if o := execute(t, project, event, name, arguments...); !strings.Contains(o.stdout, "200") {
				t.Fatalf("%s: %s%s", name, o.stdout, o.stderr)
			}
		}
	}
	s, b := inTurn(7, invoke(e2e.SAM(t), "--skip-pull-image"), invoke(bailey(t)))
	report(t, "cold-invoke", s.Seconds()/b.Seconds(), 50,
		"bailey local invoke %.0f ms, sam local invoke %.0f ms: medians of 7 whole commands each, in turn", ms(b), ms(s))
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// TestBenchWarmInvoke: what the engine adds to a handler that runs already.
// The handler's own time is part of what is measured, so the true figure is
// better.
func TestBenchWarmInvoke(t *testing.T) {
	storefront(t)
	app, err := bridge.Load(bridge.Options{Assembly: filepath.Join(root, ".bailey", "cdk.out"), Project: root})
	if err != nil {
		t.Fatal(err)
	}
	f, err := app.Function("Quote")
	if err != nil {
		t.Fatal(err)
	}
	if err := bridge.Build(context.Background(), []*model.Function{f}, bridge.BuildOptions{}); err != nil {
		t.Fatal(err)
	}
	engine, err := local.New(local.Options{Logs: io.Discard, Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	event := []byte(quote(t))
	all := times(5000, func() {
		if _, err := engine.Invoke(context.Background(), f, local.Invocation{Payload: event}); err != nil {
			t.Fatal(err)
		}
	})
	report(t, "warm-invoke", ms(time.Millisecond)/ms(median(all)), 1,
		"a warm invocation of Quote takes %.3f ms with the handler's own time, median of 5000; the ratio is to 1 ms", ms(median(all)))
}

// TestBenchBridge: the whole command against the size of the template.
func TestBenchBridge(t *testing.T) {
	sizes := []int{10, 100, 500, 10000}
	projects := map[int]string{}
	for _, n := range sizes {
		projects[n] = grown(t, n)
	}
	medians := map[int]time.Duration{}
	for _, n := range sizes {
		medians[n] = median(times(15, func() { succeed(t, projects[n], bailey(t), "bridge") }))
	}
	t500 := medians[500]
	report(t, "bridge-500", 150/ms(t500), 1, "bailey bridge of 500 resources takes %.0f ms as a whole process, median of 15; the ratio is to 150 ms", ms(t500))
	perSmall := ms(medians[500]-medians[10]) / 490
	perLarge := ms(medians[10000]-medians[500]) / 9500
	report(t, "bridge-linear", perSmall/perLarge, 0.7,
		"10, 100, 500 and 10000 resources take %.1f, %.1f, %.1f and %.1f ms, medians of 15: a resource costs %.4f ms up to 500 and %.4f ms up to 10000; the ratio of these is 1 where growth is linear and 0.05 where it is quadratic",
		ms(medians[10]), ms(medians[100]), ms(medians[500]), ms(medians[10000]), perSmall, perLarge)

	validate := []string{"validate", "--region", "us-east-1", "--template", filepath.Join(".aws-sam", "build", "template.yaml")}
	for _, n := range []int{500, 10000} {
		s, b := inTurn(3,
			func() { succeed(t, projects[n], e2e.SAM(t), validate...) },
			func() { succeed(t, projects[n], bailey(t), "bridge") })
		report(t, fmt.Sprintf("bridge-%d-against-sam-validate", n), s.Seconds()/b.Seconds(), 30,
			"bailey bridge %.0f ms, sam validate of what it wrote %.0f ms: %d resources, medians of 3 in turn", ms(b), ms(s), n)
	}
}

// grown is a project with an assembly of n resources: the http-api app's, with
// functions, roles, tables and environment variables that refer to them added.
func grown(t *testing.T, n int) string {
	t.Helper()
	project := filepath.Join(t.TempDir(), fmt.Sprint(n))
	out := filepath.Join(project, "cdk.out")
	if err := os.CopyFS(out, os.DirFS(filepath.Join(root, "bridge", "testdata", "apps", "http-api", "cdk.out"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(out, "Shop.template.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	resources := template["Resources"].(map[string]any)
	code := resources["Hello4A628BD4"].(map[string]any)["Properties"].(map[string]any)["Code"]
	for i := 0; len(resources) < n; i++ {
		table, role := fmt.Sprintf("Table%d", i), fmt.Sprintf("Role%d", i)
		resources[table] = map[string]any{"Type": "AWS::DynamoDB::Table", "Properties": map[string]any{"KeySchema": []any{}}}
		resources[role] = map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"Description": table}}
		resources[fmt.Sprintf("Function%d", i)] = map[string]any{"Type": "AWS::Lambda::Function", "Properties": map[string]any{
			"Code": code, "Handler": "index.handler", "Runtime": "nodejs20.x",
			"Role": map[string]any{"Fn::GetAtt": []any{role, "Arn"}},
			"Environment": map[string]any{"Variables": map[string]any{
				"TABLE": map[string]any{"Ref": table},
				"ARN":   map[string]any{"Fn::Join": []any{"", []any{map[string]any{"Fn::GetAtt": []any{table, "Arn"}}, "/index/*"}}},
				"TEXT":  map[string]any{"Fn::Sub": "${AWS::StackName} in ${AWS::Region}"},
			}},
		}}
	}
	if text, err = json.Marshal(template); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return project
}
