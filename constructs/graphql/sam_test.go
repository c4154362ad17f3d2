//go:build e2e

package graphql_test

import (
	"path/filepath"
	"testing"

	"github.com/bailey-cdk/bailey/constructs/internal/constructtest"
)

// cfn-lint finds nothing in the template that the other tests compare theirs with.
func TestTemplatesAreValid(t *testing.T) {
	for _, f := range constructtest.LintGoldens(t, 1) {
		t.Errorf("%s: %s %v: %s", filepath.Base(f.Filename), f.Rule.ID, f.Location.Path, f.Message)
	}
}
