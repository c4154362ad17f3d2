//go:build e2e

package eventfork_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/constructs/internal/constructtest"
	"github.com/bailey-cdk/bailey/internal/e2e"
)

// The golden templates pass cdk-nag's AwsSolutions rules. What is suppressed
// says why, and is about what it says.
func TestNag(t *testing.T) {
	for _, name := range []string{"whole", "bus"} {
		suppressed := 0
		for _, f := range e2e.Nag(t, filepath.Join("testdata", name+".json")) {
			// The user's functions and bus are the test's own.
			if !strings.HasPrefix(f.Resource, "Orders") {
				continue
			}
			if f.Reason == "" {
				t.Errorf("%s: %s of %s: %s (%s)", name, f.Rule, f.Resource, f.Info, f.Finding)
				continue
			}
			if suppressed++; len(f.Reason) < 60 {
				t.Errorf("%s: %s of %s is suppressed, since %q", name, f.Rule, f.Resource, f.Reason)
			}
		}
		t.Logf("%s: %d findings, each with a reason", name, suppressed)
		// A run that found nothing at all has looked at nothing.
		if suppressed == 0 {
			t.Errorf("%s: cdk-nag found nothing, not even what is suppressed", name)
		}
	}
}

// cfn-lint finds no error in them. Of its warnings, those are left that the CDK
// itself gives cause for.
func TestLint(t *testing.T) {
	for _, name := range []string{"whole", "bus"} {
		for _, f := range constructtest.Lint(t, filepath.Join("testdata", name+".json")) {
			if f.Rule.ID != "W3037" {
				t.Errorf("%s: %s %s (%v)", name, f.Rule.ID, f.Message, f.Location.Path)
			}
		}
	}
}
