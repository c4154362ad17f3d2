//go:build !unix

package synth

import (
	"context"
	"os"
	"os/exec"
	"strconv"
)

// shell runs a command line as the system's own shell does.
func shell(ctx context.Context, line string) *exec.Cmd {
	name := os.Getenv("ComSpec")
	if name == "" {
		name = "cmd.exe"
	}
	cmd := exec.CommandContext(ctx, name, "/d", "/s", "/c", line)
	cmd.Cancel = func() error {
		endGroup(cmd)
		return nil
	}
	return cmd
}

// program runs a program likewise.
func program(ctx context.Context, path string, arguments []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, arguments...)
	cmd.Cancel = func() error {
		endGroup(cmd)
		return nil
	}
	return cmd
}

// endGroup ends the process and those that it started.
func endGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run()
	}
}
