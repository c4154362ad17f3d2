package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bailey": main})
}

// TestScripts runs the command as a user does: see testdata/script.
func TestScripts(t *testing.T) {
	apps, err := filepath.Abs("../../bridge/testdata/apps")
	if err != nil {
		t.Fatal(err)
	}
	goroot := os.Getenv("GOROOT")
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			home, err := os.UserCacheDir()
			if err != nil {
				return err
			}
			e.Setenv("APPS", apps)
			e.Setenv("BAILEY_KERNEL", "off") // nothing stays in the background
			e.Setenv("GOROOT", goroot)
			// the build cache is shared, or each script would compile the
			// standard library
			e.Setenv("GOCACHE", filepath.Join(home, "go-build"))
			e.Setenv("GOFLAGS", "-buildvcs=false")
			return nil
		},
	})
}
