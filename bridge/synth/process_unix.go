//go:build unix

package synth

import (
	"context"
	"os/exec"
	"syscall"
)

// shell runs a command line in a process group of its own, so that a cancelled
// app takes its kernel and its compilers with it.
func shell(ctx context.Context, line string) *exec.Cmd {
	return program(ctx, "/bin/sh", []string{"-c", line})
}

// program runs a program likewise.
func program(ctx context.Context, path string, arguments []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, arguments...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Asked to end first: jsii removes its temporary folder then.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	return cmd
}

// endGroup ends what is left of the group.
func endGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // none left is fine
	}
}
