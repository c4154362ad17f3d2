//go:build e2e

package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// work is the folder of this run: the command and copies of the apps.
var work string

func TestMain(m *testing.M) {
	// Most of a test's time is the SAM CLI's waiting.
	err := flag.Set("test.parallel", "4")
	if err != nil {
		panic(err)
	}
	if work, err = os.MkdirTemp("", "bailey-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	stopServers()
	e2e.RemoveStandIns()
	os.RemoveAll(work)
	os.Exit(status)
}

// bailey is the path of the command, built from this checkout.
func bailey(t testing.TB) string {
	t.Helper()
	path, err := buildBailey()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var buildBailey = sync.OnceValues(func() (string, error) {
	path := filepath.Join(work, "bailey")
	out, err := exec.Command("go", "build", "-o", path, "../cmd/bailey").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build bailey: %w\n%s", err, out)
	}
	return path, nil
})

// output of a command that ran in a folder.
type output struct {
	stdout, stderr string
	status         int
}

// execute runs a command with no AWS settings around it.
func execute(t testing.TB, dir, stdin, name string, arguments ...string) output {
	t.Helper()
	var stdout, stderr strings.Builder
	command := exec.Command(name, arguments...)
	command.Dir, command.Env = dir, e2e.Environment(t)
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError // its status is for the caller
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return output{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}
}

// succeed runs a command that must exit with 0, and gives its standard output.
func succeed(t testing.TB, dir, name string, arguments ...string) string {
	t.Helper()
	o := execute(t, dir, "", name, arguments...)
	if o.status != 0 {
		t.Fatalf("%s %s: exit status %d\n%s%s", name, strings.Join(arguments, " "), o.status, o.stdout, o.stderr)
	}
	return o.stdout
}
