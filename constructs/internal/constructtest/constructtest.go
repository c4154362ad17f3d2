// Package constructtest is what the tests of the construct packages share: an app
// with one stack, what a synth writes of it, and golden templates.
package constructtest

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/internal/metadata"
)

var update = flag.Bool("update", false, "write the golden templates instead of comparing with them")

// Folder is that of the package under test: most tests run in a project folder of
// their own.
var Folder, _ = filepath.Abs(".")

// Main runs the tests of a package, and ends the program.
func Main(m *testing.M) {
	flag.Parse()
	err := errors.Join(os.Setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20"), os.Setenv("CDK_VALIDATION", "false"))
	if err != nil {
		panic(err)
	}
	// Importing the CDK has prepared a kernel with the environment from before.
	// The next one, which all tests share, is started with the first call.
	jsii.Close()
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// Write writes a file, and the folder that it is in.
func Write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil { //nolint:gosec // G703: the tests say where
		t.Fatal(err)
	}
}

// NewStack is a stack of an app of its own, which does not compile functions. The
// working folder is one of its own until the test ends, with a function,
// ./functions/checkout.
func NewStack(t *testing.T) awscdk.Stack {
	t.Helper()
	return NewStackWith(t, map[string]any{metadata.ContextLocal: "true"})
}

// NewStackWith is NewStack with a context of its own.
func NewStackWith(t *testing.T, context map[string]any) awscdk.Stack {
	t.Helper()
	t.Chdir(t.TempDir())
	Write(t, "functions/checkout/main.go", "package main\n\nfunc main() { println(\"checkout\") }\n")
	app := awscdk.NewApp(&awscdk.AppProps{Context: &context, AnalyticsReporting: jsii.Bool(false)})
	return awscdk.NewStack(app, jsii.String("Shop"), nil)
}

// Synthesised is what a synth writes of the stack as it is now.
func Synthesised(stack awscdk.Stack) cxapi.CloudFormationStackArtifact {
	assembly := awscdk.Stage_Of(stack).Synth(&awscdk.StageSynthesisOptions{Force: jsii.Bool(true)})
	return assembly.GetStackArtifact(stack.ArtifactId())
}

// Resources are those of a type, by logical id.
func Resources(t *testing.T, stack awscdk.Stack, kind string) map[string]map[string]any {
	t.Helper()
	var parsed struct{ Resources map[string]map[string]any }
	if err := json.Unmarshal([]byte(JSON(t, Synthesised(stack).Template())), &parsed); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(parsed.Resources, func(_ string, r map[string]any) bool { return r["Type"] != kind })
	return parsed.Resources
}

// JSON is for comparing and for printing.
func JSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Faults are the errors that a synth of the stack reports.
func Faults(stack awscdk.Stack) []string {
	return Messages(Synthesised(stack), cxapi.SynthesisMessageLevel_ERROR)
}

// Messages are those of a level that a synth reported.
func Messages(artifact cxapi.CloudFormationStackArtifact, level cxapi.SynthesisMessageLevel) []string {
	var found []string
	for _, m := range *artifact.Messages() {
		if m.Level == level {
			found = append(found, m.Entry.Data.(string))
		}
	}
	return found
}

// WantNoFaults reports each of the faults.
func WantNoFaults(t *testing.T, faults []string) {
	t.Helper()
	for _, fault := range faults {
		t.Errorf("fault: %s", fault)
	}
}

// WantFault finds one fault that contains each of the texts.
func WantFault(t *testing.T, faults []string, texts ...string) {
	t.Helper()
	for _, fault := range faults {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(fault, text) }) {
			return
		}
	}
	t.Errorf("no fault has %q; there are:\n%s", texts, strings.Join(faults, "\n"))
}

// A Mistake is something wrong, by the construct id that it is made with. All
// are in one app, which is still made whole.
type Mistake struct {
	Name  string
	Make  func(stack awscdk.Stack, id string)
	Fault string
}

// WantMistakes makes all, synthesises once, and wants exactly one fault of each.
func WantMistakes(t *testing.T, stack awscdk.Stack, all []Mistake) {
	t.Helper()
	for i, m := range all {
		m.Make(stack, fmt.Sprintf("It%d", i))
	}
	got := Faults(stack)
	for i, m := range all {
		var ours []string
		for _, fault := range got {
			if strings.Contains(fault, fmt.Sprintf(": Shop/It%d: ", i)) {
				ours = append(ours, fault)
			}
		}
		if len(ours) != 1 || !strings.Contains(ours[0], m.Fault) || !strings.Contains(ours[0], "_test.go:") {
			t.Errorf("%s: the faults are %q, want one with %q", m.Name, ours, m.Fault)
		}
	}
	if len(got) != len(all) {
		t.Errorf("there are %d faults of %d mistakes:\n%s", len(got), len(all), strings.Join(got, "\n"))
	}
}

// WantVisited wants an aspect of the stack to be given the Go values that the app
// has.
func WantVisited(t *testing.T, stack awscdk.Stack, values ...constructs.IConstruct) {
	t.Helper()
	v := &visitor{}
	awscdk.Aspects_Of(stack).Add(v, nil)
	Synthesised(stack)
	for _, want := range values {
		if !slices.Contains(v.seen, want) {
			t.Errorf("the aspect was not given the %T that the app has", want)
		}
	}
}

type visitor struct{ seen []constructs.IConstruct }

// Visit implements [awscdk.IAspect].
func (v *visitor) Visit(node constructs.IConstruct) { v.seen = append(v.seen, node) }

var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

// WantGolden compares what a template has with testdata/NAME.json. Logical ids are
// a contract: another one makes CloudFormation replace the resource.
func WantGolden(t *testing.T, name string, value any) {
	t.Helper()
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got := assetHash.ReplaceAllString(string(text), "HASH") + "\n"
	file := filepath.Join(Folder, "testdata", name+".json")
	if *update {
		Write(t, file, got)
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

// WantGoldenStack is WantGolden for the resources of a stack without faults.
func WantGoldenStack(t *testing.T, stack awscdk.Stack, name string) {
	t.Helper()
	WantNoFaults(t, Faults(stack))
	written, _ := Synthesised(stack).Template().(map[string]any)
	WantGolden(t, name, written["Resources"])
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			return fmt.Sprintf("first at line %d\ngot:  %s\nwant: %s", i+1, g[i], at(w, i))
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
