package serverless_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/internal/metadata"
)

var update = flag.Bool("update", false, "write the golden templates instead of comparing with them")

// goldens is where the golden templates are: most tests run in a project folder
// of their own.
var goldens, _ = filepath.Abs("testdata")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
	os.Setenv("CDK_VALIDATION", "false")
	// Importing the CDK has prepared a kernel with the environment from before.
	// The next one, which all tests share, is started with the first call.
	jsii.Close()
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// project is a folder with a cdk.json's worth of sources, and the working folder
// until the test ends.
func project(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"go.mod":                         "module example.com/project\n\ngo 1.26\n",
		"functions/checkout/main.go":     "package main\n\nfunc main() { println(\"checkout\") }\n",
		"functions/fulfilment/main.go":   "package main\n\nfunc main() { println(\"fulfilment\") }\n",
		"functions/broken/main.go":       "package main\n\nfunc main() { undefined() }\n",
		"functions/library/library.go":   "package library\n",
		"functions/empty/README":         "nothing\n",
		"functions/windows/x_windows.go": "package main\n",
		"node/index.js":                  "exports.handler = async () => 1;\n",
		"image/Dockerfile":               "FROM scratch\n",
	} {
		write(t, name, text)
	}
}

func abs(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newStack is a stack of an app of its own, which does not compile functions.
func newStack(t *testing.T) awscdk.Stack {
	t.Helper()
	return newStackWith(t, map[string]any{metadata.ContextLocal: "true"})
}

// newStackWith is newStack with a context of its own.
func newStackWith(t *testing.T, context map[string]any) awscdk.Stack {
	t.Helper()
	project(t)
	app := awscdk.NewApp(&awscdk.AppProps{Context: &context, AnalyticsReporting: jsii.Bool(false)})
	return awscdk.NewStack(app, jsii.String("Shop"), nil)
}

// synthesised is what a synth writes of the stack as it is now.
func synthesised(stack awscdk.Stack) cxapi.CloudFormationStackArtifact {
	assembly := awscdk.Stage_Of(stack).Synth(&awscdk.StageSynthesisOptions{Force: jsii.Bool(true)})
	return assembly.GetStackArtifact(stack.ArtifactId())
}

// resources are those of a type, by logical id.
func resources(t *testing.T, stack awscdk.Stack, kind string) map[string]map[string]any {
	t.Helper()
	var parsed struct{ Resources map[string]map[string]any }
	if err := json.Unmarshal([]byte(asJSON(t, synthesised(stack).Template())), &parsed); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(parsed.Resources, func(_ string, r map[string]any) bool { return r["Type"] != kind })
	return parsed.Resources
}

// only is the properties of the only resource of a type.
func only(t *testing.T, stack awscdk.Stack, kind string) map[string]any {
	t.Helper()
	all := resources(t, stack, kind)
	if len(all) != 1 {
		t.Fatalf("there are %d resources %s, want one: %v", len(all), kind, slices.Collect(maps.Keys(all)))
	}
	for _, r := range all {
		properties, _ := r["Properties"].(map[string]any)
		return properties
	}
	return nil
}

// asJSON is for comparing and for printing.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// faults are the errors that a synth of the stack reports.
func faults(stack awscdk.Stack) []string { return messages(stack, cxapi.SynthesisMessageLevel_ERROR) }

func warnings(stack awscdk.Stack) []string {
	return messages(stack, cxapi.SynthesisMessageLevel_WARNING)
}

func messages(stack awscdk.Stack, level cxapi.SynthesisMessageLevel) []string {
	var found []string
	for _, m := range *synthesised(stack).Messages() {
		if m.Level == level {
			found = append(found, m.Entry.Data.(string))
		}
	}
	return found
}

func wantNoFaults(t *testing.T, stack awscdk.Stack) {
	t.Helper()
	for _, fault := range faults(stack) {
		t.Errorf("fault: %s", fault)
	}
}

// wantFault finds one fault that contains each of the texts.
func wantFault(t *testing.T, stack awscdk.Stack, texts ...string) {
	t.Helper()
	all := faults(stack)
	for _, fault := range all {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(fault, text) }) {
			return
		}
	}
	t.Errorf("no fault has %q; there are:\n%s", texts, strings.Join(all, "\n"))
}

var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

// wantGolden compares the stack's resources with testdata/NAME.json. Logical ids
// are a contract: another one makes CloudFormation replace the resource.
func wantGolden(t *testing.T, stack awscdk.Stack, name string) {
	t.Helper()
	wantNoFaults(t, stack)
	written, _ := synthesised(stack).Template().(map[string]any)
	text, err := json.MarshalIndent(written["Resources"], "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got := assetHash.ReplaceAllString(string(text), "HASH") + "\n"
	file := filepath.Join(goldens, name+".json")
	if *update {
		write(t, file, got)
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run go test with -update to write it", err)
	}
	if got != string(want) {
		t.Errorf("the template differs from %s; run go test with -update and look at the diff.\n%s", file, firstDifference(got, string(want)))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			return "first at line " + strings.Join([]string{
				asLine(i + 1), "got:  " + g[i], "want: " + at(w, i),
			}, "\n")
		}
	}
	return "the golden file goes on: " + at(w, len(g))
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end)"
}

func asLine(n int) string { return strconv.Itoa(n) }
