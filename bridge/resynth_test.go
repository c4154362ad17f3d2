//go:build e2e

package bridge_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestAssembliesAreReal synthesises the apps below testdata/apps again, with
// the CDK versions that their package-lock.json pins, and finds the assemblies
// that the golden tests read.
func TestAssembliesAreReal(t *testing.T) {
	apps := t.TempDir()
	entries, err := os.ReadDir(filepath.Join("testdata", "apps"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != "node_modules" { // a developer's own
			run(t, "testdata/apps", "cp", "-r", entry.Name(), apps)
		}
	}
	run(t, apps, "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
	run(t, apps, "node", "synth.js")
	assemblies, err := filepath.Glob("testdata/apps/*/cdk.out")
	if err != nil || len(assemblies) < 12 {
		t.Fatalf("found %d assemblies, %v", len(assemblies), err)
	}
	for _, dir := range assemblies {
		name := filepath.Base(filepath.Dir(dir))
		t.Run(name, func(t *testing.T) { compareFolders(t, dir, filepath.Join(apps, name, "cdk.out")) })
	}
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}
