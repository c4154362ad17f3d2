//go:build e2e

package constructtest

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// A Finding is one of cfn-lint's, which knows CloudFormation's own schemas.
type Finding struct {
	Filename, Message string
	Rule              struct{ ID string }
	Location          struct{ Path []any }
}

// Lint runs cfn-lint on templates. W3005 is not asked: it is about a dependency
// that the CDK writes besides the reference that is one already.
func Lint(t *testing.T, templates ...string) (found []Finding) {
	t.Helper()
	arguments := append([]string{"--format", "json", "--regions", "eu-west-1", "--ignore-checks", "W3005", "--"}, templates...)
	out, err := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(e2e.SAM(t)), "cfn-lint"), arguments...).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatalf("cfn-lint: %v: %s", err, out)
	}
	return found
}

// LintGoldens runs cfn-lint on the golden templates of [WantGoldenStack], of which
// there must be so many at least.
func LintGoldens(t *testing.T, least int) []Finding {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(Folder, "testdata", "*.json"))
	if err != nil || len(files) < least {
		t.Fatalf("found %d templates, %v", len(files), err)
	}
	dir := t.TempDir()
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = filepath.Join(dir, filepath.Base(file))
		Write(t, files[i], `{"AWSTemplateFormatVersion": "2010-09-09", "Resources": `+string(text)+"}")
	}
	return Lint(t, files...)
}
