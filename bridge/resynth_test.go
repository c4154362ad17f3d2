//go:build e2e

package bridge_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// TestAssembliesAreReal synthesises the apps below testdata/apps again, with
// the CDK versions that are pinned there, and finds the assemblies that the
// golden tests read. What it synthesised is kept until something of it changes.
func TestAssembliesAreReal(t *testing.T) {
	target, err := e2e.SynthesisedApps(os.Stderr, filepath.Join("testdata", "apps"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			compareFolders(t, filepath.Join("testdata", "apps", name, "cdk.out"), filepath.Join(target, name, "cdk.out"))
		})
	}
}
