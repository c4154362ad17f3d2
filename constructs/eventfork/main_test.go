package eventfork_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/internal/metadata"
)

var update = flag.Bool("update", false, "write the golden templates instead of comparing with them")

// here is the package's folder: tests run in a project folder of their own.
var here, _ = filepath.Abs(".")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
	os.Setenv("CDK_VALIDATION", "false")
	// Importing the CDK has prepared a kernel with the environment from before.
	jsii.Close()
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// newStack is a stack of an app of its own, in a folder of its own, which does
// not compile functions.
func newStack(t *testing.T) awscdk.Stack {
	t.Helper()
	t.Chdir(t.TempDir())
	write(t, "functions/checkout/main.go", "package main\n\nfunc main() {}\n")
	context := map[string]any{metadata.ContextLocal: "true"}
	app := awscdk.NewApp(&awscdk.AppProps{Context: &context, AnalyticsReporting: jsii.Bool(false)})
	return awscdk.NewStack(app, jsii.String("Shop"), nil)
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

func synthesised(stack awscdk.Stack) cxapi.CloudFormationStackArtifact {
	assembly := awscdk.Stage_Of(stack).Synth(&awscdk.StageSynthesisOptions{Force: jsii.Bool(true)})
	return assembly.GetStackArtifact(stack.ArtifactId())
}

// template is what a synth of the stack writes, read once.
type template struct {
	Resources map[string]resource
	faults    []string
	text      string
}

type resource struct {
	Type       string
	Properties map[string]any
	Metadata   map[string]any
}

func synth(t *testing.T, stack awscdk.Stack) *template {
	t.Helper()
	artifact := synthesised(stack)
	text, err := json.MarshalIndent(artifact.Template(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	s := &template{text: string(text)}
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	for _, m := range *artifact.Messages() {
		if m.Level == cxapi.SynthesisMessageLevel_ERROR {
			s.faults = append(s.faults, m.Entry.Data.(string))
		}
	}
	return s
}

// ids are the logical ids of a type that begin with a text.
func (s *template) ids(kind, begin string) (found []string) {
	for _, id := range slices.Sorted(maps.Keys(s.Resources)) {
		if s.Resources[id].Type == kind && strings.HasPrefix(id, begin) {
			found = append(found, id)
		}
	}
	return found
}

// only is the one resource of a type whose logical id begins with a text.
func (s *template) only(t *testing.T, kind, begin string) resource {
	t.Helper()
	ids := s.ids(kind, begin)
	if len(ids) != 1 {
		t.Fatalf("there are %d resources %s of %s, want one: %v", len(ids), kind, begin, s.ids(kind, ""))
	}
	return s.Resources[ids[0]]
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (s *template) wantNoFaults(t *testing.T) {
	t.Helper()
	for _, fault := range s.faults {
		t.Errorf("fault: %s", fault)
	}
}

// wantFault finds one fault that contains each of the texts.
func (s *template) wantFault(t *testing.T, texts ...string) {
	t.Helper()
	for _, fault := range s.faults {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(fault, text) }) {
			return
		}
	}
	t.Errorf("no fault has %q; there are:\n%s", texts, strings.Join(s.faults, "\n"))
}

var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

// wantGolden compares the resources with testdata/NAME.json. Logical ids are a
// contract: another one makes CloudFormation replace the resource.
func (s *template) wantGolden(t *testing.T, name string) {
	t.Helper()
	s.wantNoFaults(t)
	var all map[string]any
	if err := json.Unmarshal([]byte(s.text), &all); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(map[string]any{"Resources": all["Resources"]}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got := assetHash.ReplaceAllString(string(text), "HASH") + "\n"
	file := filepath.Join(here, "testdata", name+".json")
	if *update {
		write(t, file, got)
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run go test with -update to write it", err)
	}
	if got != string(want) {
		g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		for i := range min(len(g), len(w)) {
			if g[i] != w[i] {
				t.Fatalf("%s differs at line %d; run go test with -update and look at the diff.\ngot:  %s\nwant: %s", file, i+1, g[i], w[i])
			}
		}
		t.Fatalf("%s has another length; run go test with -update and look at the diff", file)
	}
}
