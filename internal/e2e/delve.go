package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// delve is the debugger that is installed.
const delve = "github.com/go-delve/delve/cmd/dlv@v1.27.2"

var delveOnce = sync.OnceValues(func() (string, error) { return installDelve(os.Stderr) })

// installDelve is the folder of the dlv command, compiled by the Go that
// compiles what it debugs.
func installDelve(progress io.Writer) (string, error) {
	dir, err := installOnce("delve", keyOf(delve, runtime.Version()), progress, func(dir string) error {
		install := exec.Command("go", "install", delve)
		install.Dir, install.Env = dir, append(os.Environ(), "GOBIN="+filepath.Join(dir, "bin"), "GOFLAGS=")
		if out, err := install.CombinedOutput(); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	})
	return filepath.Join(dir, "bin"), err
}

// Delve is the folder of the pinned dlv command, which is installed where it is
// missing.
func Delve(t testing.TB) string {
	t.Helper()
	dir, err := delveOnce()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
