package synth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// grace is how long a stopped app may take to end, and how long the streams of an
// ended one are read where a process that it left behind keeps them open.
const grace = 2 * time.Second

// runApp runs the build command, if any, and the app.
func runApp(ctx context.Context, o Options, conf *config, w *watch, outdir string) error {
	env, overflow, err := appEnvironment(o, conf, outdir)
	if overflow != "" {
		defer os.Remove(overflow)
	}
	if err != nil {
		return fmt.Errorf("cannot hand the context to the CDK app: %w", err)
	}
	keep := useKernel(o, conf, env)
	defer keep()
	if needsNode(o.Dir, conf.App, env) {
		if err := checkNode(env); err != nil {
			return err
		}
	}
	if conf.Build != "" {
		o.clock.begin(phaseCompile)
		if err := runCommand(ctx, o, env, "build command", conf.Build); err != nil {
			return err
		}
	}
	if w != nil {
		err = runProgram(ctx, o, w, env)
	} else {
		o.clock.begin(phaseRun)
		err = runCommand(ctx, o, env, "CDK app", commandLine(o.Dir, conf.App))
	}
	var failed *AppError
	if errors.As(err, &failed) {
		// An app may tell of its faults with its exit status too. The faults
		// say more.
		if notes, readErr := readAssembly(outdir); readErr == nil && notes.err() != nil {
			return notes.err()
		}
		if strings.Contains(failed.Trace, `exec: "node": executable file not found`) {
			return errNoNode("")
		}
	}
	return err
}

// runProgram is "go run" with a compiled app that is kept.
func runProgram(ctx context.Context, o Options, w *watch, env environment) error {
	err := runCompiled(ctx, o, w, env)
	if errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
		// Another synth, of other source, has just removed it.
		err = runCompiled(ctx, o, w, env)
	}
	return err
}

func runCompiled(ctx context.Context, o Options, w *watch, env environment) error {
	o.clock.begin(phaseCompile)
	path, err := w.executable(ctx, env)
	if err != nil {
		return err
	}
	defer discard(path)
	o.clock.begin(phaseRun)
	return execute(ctx, o, w.programEnvironment(env), "CDK app", w.conf.App, program(ctx, path, w.args))
}

// runCommand runs a command line of cdk.json.
func runCommand(ctx context.Context, o Options, env environment, what, line string) error {
	return execute(ctx, o, env, what, line, shell(ctx, line))
}

// execute runs what a command line stands for.
func execute(ctx context.Context, o Options, env environment, what, line string, cmd *exec.Cmd) error {
	cmd.Dir, cmd.Env = o.Dir, env.list()
	out := &output{to: o.Stderr}
	if out.to == nil {
		out.to = io.Discard
	}
	// One writer for both, so that os/exec keeps their lines in order.
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = grace
	err := cmd.Run()
	if ctx.Err() != nil {
		endGroup(cmd)
		out.end(false)
		return fmt.Errorf("the %s was stopped: %w", what, context.Cause(ctx))
	}
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		out.end(false)
		return nil
	case !errors.As(err, &exit):
		return fmt.Errorf("cannot run the %s: %w", what, err)
	}
	out.end(true)
	return newAppError(o.Dir, what, line, exit.String(), out.trace())
}

// commandLine completes "app" as the cdk command does: it may be the name of a
// file, and a JavaScript file that is not executable is run by node.
func commandLine(dir, app string) string {
	if isFile(absolute(dir, app)) {
		return interpreted(dir, app)
	}
	first, rest, _ := strings.Cut(strings.TrimSpace(app), " ")
	if filepath.Ext(first) == ".js" && isFile(absolute(dir, first)) {
		return interpreted(dir, first) + " " + rest
	}
	return app
}

func interpreted(dir, file string) string {
	quoted := `"` + file + `"`
	if runtime.GOOS != "windows" {
		quoted = "'" + strings.ReplaceAll(file, "'", `'\''`) + "'"
		if !strings.Contains(file, "/") {
			quoted = "./" + quoted // the shell would look on the PATH
		}
	}
	info, err := os.Stat(absolute(dir, file))
	if err == nil && filepath.Ext(file) == ".js" && (info.Mode()&0o111 == 0 || runtime.GOOS == "windows") {
		return "node " + quoted
	}
	return quoted
}
