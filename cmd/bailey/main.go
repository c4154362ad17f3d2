package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/fatih/color"
	"github.com/spf13/cobra"
)

func main() { os.Exit(run()) }

func run() int {
	collectLess()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	if status, ok := runExtension(ctx, root, os.Args[1:]); ok {
		return status
	}
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var status exitStatus
	if errors.As(err, &status) {
		return int(status)
	}
	printError(err)
	var failed *failure
	if errors.As(err, &failed) {
		return failed.status
	}
	return 2
}

// collectLess lets the heap grow to five times what lives before it is
// collected, not twice: most commands end before that, and a template of
// 10,000 resources is read a fifth faster. GOGC has the last word.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// exitStatus is an error that was already told to the user.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// failure is an error with the exit status that it leads to. An error without
// one is a matter of the command line, and leads to 2.
type failure struct {
	err    error
	status int
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func failed(err error) error {
	if err == nil {
		return nil
	}
	return &failure{err, 1}
}

func cannotRun(err error) error { return &failure{err, 2} }

func printError(err error) {
	fmt.Fprintln(os.Stderr, color.RedString("error:"), err)
}

func printWarning(text string) {
	fmt.Fprintln(os.Stderr, color.YellowString("warning:"), text)
}

// version is set by the release build.
var version = "0.1.0-dev"

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "bailey",
		Short: "Run CDK-defined Lambda functions on this machine",
		Long: `Bailey reads the cloud assembly that a CDK app synthesises, in any language, and
runs its functions on this machine: by its own engine in milliseconds, or by the
AWS SAM CLI, for which it writes a template.

An executable bailey-NAME on the PATH is the command bailey NAME.`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	})
	root.AddCommand(newSynth(), newBridge(), newLocal(), newKernel(), newDev())
	return root
}

// runExtension runs bailey-NAME for an unknown command NAME, as git and
// kubectl do. ok is false where there is no such executable.
func runExtension(ctx context.Context, root *cobra.Command, args []string) (status int, ok bool) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") || strings.ContainsAny(args[0], `/\`) {
		return 0, false
	}
	if found, _, err := root.Find(args); err == nil && found != root {
		return 0, false
	}
	switch args[0] {
	case "help", "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd:
		return 0, false
	}
	path, err := exec.LookPath("bailey-" + args[0])
	if err != nil {
		return 0, false
	}
	return runCommand(exec.CommandContext(ctx, path, args[1:]...)), true
}

// runCommand runs a command in place of this one, and returns its exit status.
func runCommand(c *exec.Cmd) int {
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := c.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode()
	}
	printError(err)
	return 2
}
