//go:build e2e

package serverless_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// cfn-lint, which knows CloudFormation's own schemas, finds nothing in the
// templates that the other tests compare theirs with.
func TestTemplatesAreValid(t *testing.T) {
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join(goldens, "*.json"))
	if err != nil || len(files) < 15 {
		t.Fatalf("found %d templates, %v", len(files), err)
	}
	// W3005 is about a dependency that the CDK writes besides the reference
	// that is one already.
	arguments := []string{"--format", "json", "--regions", "eu-west-1", "--ignore-checks", "W3005", "--"}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		file = filepath.Join(dir, filepath.Base(file))
		write(t, file, `{"AWSTemplateFormatVersion": "2010-09-09", "Resources": `+string(text)+"}")
		arguments = append(arguments, file)
	}
	lint := exec.Command(filepath.Join(filepath.Dir(e2e.SAM(t)), "cfn-lint"), arguments...)
	out, err := lint.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var findings []struct {
		Filename, Message string
		Rule              struct{ ID string }
		Location          struct{ Path []any }
	}
	if err := json.Unmarshal(out, &findings); err != nil {
		t.Fatalf("cfn-lint: %v: %s", err, out)
	}
	for _, f := range findings {
		if f.Rule.ID == "W3037" && filepath.Base(f.Filename) == "event_sqs.json" {
			continue // SAM's SQSPollerPolicy has actions that IAM ignores
		}
		t.Errorf("%s: %s %v: %s", filepath.Base(f.Filename), f.Rule.ID, f.Location.Path, f.Message)
	}
}
