package e2e

import (
	_ "embed"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// cdk-nag 2, which is the line for this CDK: version 3 needs aws-cdk-lib 2.257.
// Its module for Go needs a newer constructs than our CDK brings, and its rules
// are JavaScript either way.
var (
	//go:embed nag/package.json
	nagPackages string
	//go:embed nag/package-lock.json
	nagLock string
	//go:embed nag/nag.js
	nagProgram string
)

func installNag(progress io.Writer) (string, error) {
	return installOnce("cdk-nag", keyOf(nagPackages, nagLock, nagProgram), progress, func(dir string) error {
		for name, text := range map[string]string{"package.json": nagPackages, "package-lock.json": nagLock, "nag.js": nagProgram} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				return err
			}
		}
		_, err := run("npm", "ci", "--prefix", dir, "--no-audit", "--no-fund", "--prefer-offline")
		return err
	})
}

var nagOnce = sync.OnceValues(func() (string, error) { return installNag(os.Stderr) })

// Finding is what a rule of cdk-nag found in a template.
type Finding struct {
	// Rule is such as "AwsSolutions-IAM5", Finding what of the resource it is
	// about, "" for all of it.
	Rule, Finding string
	// Resource is the logical id.
	Resource string
	// Info is what the rule says.
	Info string
	// Reason is that of the suppression in the template, "" where there is none.
	Reason string
}

// Nag runs cdk-nag's AwsSolutions rules over a template's file.
func Nag(t testing.TB, template string) []Finding {
	t.Helper()
	dir, err := nagOnce()
	if err != nil {
		t.Fatal(err)
	}
	out, err := run("node", filepath.Join(dir, "nag.js"), template)
	if err != nil {
		t.Fatal(err)
	}
	var findings []Finding
	if err := json.Unmarshal([]byte(out), &findings); err != nil {
		t.Fatalf("cdk-nag printed %s: %v", out, err)
	}
	return findings
}
