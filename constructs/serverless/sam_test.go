//go:build e2e

package serverless_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/constructs/internal/constructtest"
	"github.com/bailey-cdk/bailey/internal/e2e"
)

// cfn-lint finds nothing in the templates that the other tests compare theirs
// with.
func TestTemplatesAreValid(t *testing.T) {
	for _, f := range constructtest.LintGoldens(t, 15) {
		if f.Rule.ID == "W3037" && filepath.Base(f.Filename) == "event_sqs.json" {
			continue // SAM's SQSPollerPolicy has actions that IAM ignores
		}
		t.Errorf("%s: %s %v: %s", filepath.Base(f.Filename), f.Rule.ID, f.Location.Path, f.Message)
	}
}

// The data on SAM's policy templates is what SAM's own says.
func TestPolicyTemplatesAreThoseOfSAM(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(e2e.SAM(t))), "lib", "python*", "site-packages", "samtranslator", "policy_templates_data", "policy_templates.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("found %q, %v", found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	var sam struct {
		Templates map[string]struct {
			Parameters map[string]any
			Definition struct {
				Statement []struct {
					Effect           string
					Action, Resource list
					Condition        map[string]map[string]any
				}
			}
		}
	}
	if err := json.Unmarshal(text, &sam); err != nil {
		t.Fatal(err)
	}
	want := map[string]policyTemplate{}
	for name, template := range sam.Templates {
		p := policyTemplate{Parameters: slices.Sorted(maps.Keys(template.Parameters))}
		for _, s := range template.Definition.Statement {
			if s.Effect != "Allow" {
				t.Errorf("%s has the effect %s", name, s.Effect)
			}
			statement := templateStatement{Actions: texts(s.Action)}
			for _, resource := range s.Resource {
				statement.Resources = append(statement.Resources, substituted(t, resource))
			}
			for operator, keys := range s.Condition {
				for key, value := range keys {
					statement.Conditions = map[string]map[string]string{operator: {key: substituted(t, value)}}
				}
			}
			p.Statements = append(p.Statements, statement)
		}
		want[name] = p
	}
	if got := policyTemplates(t); !reflect.DeepEqual(got, want) {
		for name := range want {
			if !reflect.DeepEqual(got[name], want[name]) {
				t.Errorf("%s is %+v, want %+v", name, got[name], want[name])
			}
		}
		t.Errorf("there are %d templates, want %d", len(got), len(want))
	}
}

// substituted is a text of SAM's with the parameters in the place of the names
// that an Fn::Sub gives them.
func substituted(t *testing.T, v any) string {
	t.Helper()
	text, ok := v.(string)
	if ok {
		return text
	}
	sub := v.(map[string]any)["Fn::Sub"]
	if text, ok = sub.(string); ok {
		return text
	}
	parts := sub.([]any)
	text = parts[0].(string)
	for name, value := range parts[1].(map[string]any) {
		text = strings.ReplaceAll(text, "${"+name+"}", "${"+value.(map[string]any)["Ref"].(string)+"}")
	}
	return text
}
