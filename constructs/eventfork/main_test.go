package eventfork_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"

	"github.com/bailey-cdk/bailey/constructs/internal/constructtest"
)

// What the tests of all construct packages use, by shorter names.
var (
	newStack = constructtest.NewStack
	asJSON   = constructtest.JSON
)

func TestMain(m *testing.M) { constructtest.Main(m) }

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
	artifact := constructtest.Synthesised(stack)
	text, err := json.MarshalIndent(artifact.Template(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	s := &template{text: string(text)}
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	s.faults = constructtest.Messages(artifact, cxapi.SynthesisMessageLevel_ERROR)
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

func (s *template) wantNoFaults(t *testing.T) {
	t.Helper()
	constructtest.WantNoFaults(t, s.faults)
}

// wantFault finds one fault that contains each of the texts.
func (s *template) wantFault(t *testing.T, texts ...string) {
	t.Helper()
	constructtest.WantFault(t, s.faults, texts...)
}

// wantGolden compares the resources with testdata/NAME.json.
func (s *template) wantGolden(t *testing.T, name string) {
	t.Helper()
	s.wantNoFaults(t)
	var all map[string]any
	if err := json.Unmarshal([]byte(s.text), &all); err != nil {
		t.Fatal(err)
	}
	constructtest.WantGolden(t, name, map[string]any{"Resources": all["Resources"]})
}
