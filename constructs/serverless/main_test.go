package serverless_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"

	"github.com/bailey-cdk/bailey/constructs/internal/constructtest"
	"github.com/bailey-cdk/bailey/internal/metadata"
)

// What the tests of all construct packages use, by shorter names.
var (
	write       = constructtest.Write
	synthesised = constructtest.Synthesised
	resources   = constructtest.Resources
	asJSON      = constructtest.JSON
	faults      = constructtest.Faults
	wantGolden  = constructtest.WantGoldenStack
)

type mistake = constructtest.Mistake

func TestMain(m *testing.M) { constructtest.Main(m) }

// newStack is a stack of an app of its own, which does not compile functions.
func newStack(t *testing.T) awscdk.Stack {
	t.Helper()
	return newStackWith(t, map[string]any{metadata.ContextLocal: "true"})
}

// newStackWith is newStack with a context of its own. The working folder has a
// cdk.json's worth of sources.
func newStackWith(t *testing.T, context map[string]any) awscdk.Stack {
	t.Helper()
	stack := constructtest.NewStackWith(t, context)
	for name, text := range map[string]string{
		"go.mod":                         "module example.com/project\n\ngo 1.26\n",
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
	return stack
}

func abs(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
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

func warnings(stack awscdk.Stack) []string {
	return constructtest.Messages(synthesised(stack), cxapi.SynthesisMessageLevel_WARNING)
}

func wantNoFaults(t *testing.T, stack awscdk.Stack) {
	t.Helper()
	constructtest.WantNoFaults(t, faults(stack))
}

// wantFault finds one fault that contains each of the texts.
func wantFault(t *testing.T, stack awscdk.Stack, texts ...string) {
	t.Helper()
	constructtest.WantFault(t, faults(stack), texts...)
}
