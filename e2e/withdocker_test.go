//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// withDocker is scripts/with-docker COMMAND, as on a machine where no engine
// is known.
func withDocker(t *testing.T, command ...string) *exec.Cmd {
	t.Helper()
	e2e.Docker(t)
	script, err := filepath.Abs(filepath.Join("..", "scripts", "with-docker"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, script, command...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "DOCKER_HOST=") {
			c.Env = append(c.Env, variable)
		}
	}
	return c
}

// TestWithDocker runs commands with an engine of their own, several at a time.
func TestWithDocker(t *testing.T) {
	for _, c := range []struct {
		name, stdin, script, want string
		status                    int
	}{
		{name: "an engine answers", script: "docker version --format '{{.Server.Os}}'", want: "linux\n"},
		{name: "the status is the command's", script: "exit 7", status: 7},
		{name: "standard input is the command's", stdin: "two\nlines\n", script: "cat", want: "two\nlines\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			command := withDocker(t, "sh", "-c", c.script)
			t.Parallel()
			command.Stdin = strings.NewReader(c.stdin)
			out, err := command.Output()
			if status := command.ProcessState.ExitCode(); status != c.status || string(out) != c.want {
				t.Errorf("exit status %d, output %q, want %d, %q; %v", status, out, c.status, c.want, err)
			}
		})
	}
}

// TestWithDockerSignals ends it as a user or a time limit does. The command
// hears of a signal; of kill -9 it can't, and ends all the same.
func TestWithDockerSignals(t *testing.T) {
	for signal, want := range map[syscall.Signal]string{syscall.SIGTERM: "TERM", syscall.SIGINT: "INT", syscall.SIGKILL: ""} {
		t.Run(signal.String(), func(t *testing.T) {
			beats := filepath.Join(t.TempDir(), "beats")
			command := withDocker(t, "sh", "-c", `
				trap 'echo TERM; exit 3' TERM
				trap 'echo INT; exit 3' INT
				echo ready
				while sleep 0.05; do echo >> `+beats+`; done`)
			t.Parallel()
			heard, status := sendWhenReady(t, command, signal)
			if heard != want || want != "" && status != 3 {
				t.Errorf("the command heard %q, want %q; exit status %d", heard, want, status)
			}
			time.Sleep(500 * time.Millisecond)
			before := size(beats)
			time.Sleep(500 * time.Millisecond)
			if size(beats) != before {
				t.Error("the command still runs")
			}
		})
	}
}

func sendWhenReady(t *testing.T, command *exec.Cmd, signal syscall.Signal) (heard string, status int) {
	t.Helper()
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if lines.Text() != "ready" {
			heard = lines.Text()
			continue
		}
		if err := command.Process.Signal(signal); err != nil {
			t.Error(err)
		}
	}
	_ = command.Wait() // its status is compared
	return heard, command.ProcessState.ExitCode()
}

func size(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.Size()
}
