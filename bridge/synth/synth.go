package synth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/bailey-cdk/bailey/internal/metadata"
)

// Options say which app to run and how.
type Options struct {
	// Dir is the folder of cdk.json, "" for the working folder.
	Dir string
	// App is the command that runs the app, or the folder of an assembly that
	// was already made. "" takes "app" of cdk.json.
	App string
	// Output is the folder of the assembly, relative to Dir unless absolute;
	// "" for [metadata.LocalAssembly]. It must be an assembly or empty where
	// it exists, for it is replaced.
	Output string
	// Context is what -c KEY=VALUE gives: it wins over the files.
	Context map[string]string
	// Local asks for a local synth, see [metadata.ContextLocal].
	Local bool
	// Stderr gets what the app prints on both its streams, line by line. nil
	// drops it. A stack trace is held back and becomes part of the error.
	Stderr io.Writer
	// Env are variables ("NAME=value") on top of those of this process.
	Env []string
	// Region and AccountID become CDK_DEFAULT_REGION and CDK_DEFAULT_ACCOUNT;
	// see the package documentation for what "" means.
	Region, AccountID string
	// Bailey is the path of the bailey command, which keeps a kernel for the
	// next synth of a Go app and gives this one the kernel that waits; see
	// package kernel. "" does neither, as does BAILEY_KERNEL=off.
	Bailey string
	// Force runs the app even where nothing that it depends on has changed since
	// the last run; see the package documentation.
	Force bool
	// Progress, unless nil, is told what is being done as it begins, such as
	// "compiling the CDK app".
	Progress func(phase string)

	clock *clock // of this run
}

// Result is a successful synth.
type Result struct {
	// Assembly is the absolute path of the cloud assembly.
	Assembly string
	// Duration is the time from the call of Run to its end.
	Duration time.Duration
	// Unchanged is set where the app was not run, since the assembly is what a
	// run would make.
	Unchanged bool
	// Warnings are the warning annotations, each "PATH: MESSAGE", sorted by
	// construct path.
	Warnings []string
	// Phases say where the time went, in order.
	Phases []Phase
}

// Run runs the app and puts its assembly in place. Cancelling ctx ends the app
// and all processes that it started.
//
// The error is a [*FaultsError] where the app reported faults, a [*MissingError]
// where it needs values from an AWS account (both, joined, where there are both),
// and an [*AppError] where it failed.
func Run(ctx context.Context, o Options) (Result, error) {
	start := time.Now()
	o.clock = &clock{tell: o.Progress}
	o.clock.begin(phaseLook)
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return Result{}, err
	}
	o.Dir = dir
	conf, err := readConfig(o)
	if err != nil {
		return Result{}, err
	}
	if ready := absolute(dir, conf.App); isDir(ready) {
		return finish(ready, ready, start)
	}
	out := absolute(dir, o.Output)
	if o.Output == "" {
		out = filepath.Join(dir, filepath.FromSlash(metadata.LocalAssembly))
	}
	w := newWatch(o, conf, out)
	if w != nil && !o.Force {
		if warnings, ok := w.last(start); ok {
			o.clock.end()
			return Result{Assembly: out, Duration: time.Since(start), Unchanged: true, Warnings: warnings, Phases: o.clock.phases}, nil
		}
	}
	return run(ctx, o, conf, w, out, start)
}

// run runs the app in any case.
func run(ctx context.Context, o Options, conf *config, w *watch, out string, start time.Time) (Result, error) {
	fresh, err := makeFresh(out)
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(fresh) // moved away by then, unless something failed
	if w != nil {
		w.begin(ctx)
		defer w.tidying.Wait()
	}
	if err := runApp(ctx, o, conf, w, fresh); err != nil {
		return Result{}, err
	}
	o.clock.begin(phaseRecord)
	result, err := finish(fresh, out, start)
	if err == nil && w != nil {
		w.end(result.Warnings)
	}
	o.clock.end()
	result.Duration, result.Phases = time.Since(start), o.clock.phases
	return result, err
}

// finish reads what the app has written and moves it to out.
func finish(made, out string, start time.Time) (Result, error) {
	notes, err := readAssembly(made)
	if err != nil {
		return Result{}, err
	}
	if err := notes.err(); err != nil {
		return Result{}, err
	}
	if err := publish(made, out); err != nil {
		return Result{}, fmt.Errorf("cannot put the cloud assembly in place: %w", err)
	}
	return Result{Assembly: out, Duration: time.Since(start), Warnings: notes.warnings}, nil
}

// makeFresh makes an empty folder beside out, on the same file system. It makes
// sure that out may be replaced later, before the app takes its time.
func makeFresh(out string) (string, error) {
	entries, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("cannot use the output folder: %w", err)
	}
	if len(entries) > 0 && !isFile(filepath.Join(out, manifestFile)) && !isFile(filepath.Join(out, "cdk.out")) {
		return "", fmt.Errorf("the output folder %s holds something other than a cloud assembly (%s, ...): remove it or choose another folder", out, entries[0].Name())
	}
	parent := filepath.Dir(out)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("cannot make the output folder: %w", err)
	}
	fresh, err := os.MkdirTemp(parent, "."+filepath.Base(out)+"-*")
	if err != nil {
		return "", fmt.Errorf("cannot make the output folder: %w", err)
	}
	// Containers that run as another user read the assets.
	return fresh, os.Chmod(fresh, 0o755)
}

// publish moves made to out. There is a moment without out, for folders can't be
// exchanged portably; whoever comes then finds no assembly, never half of one.
func publish(made, out string) error {
	if made == out {
		return nil
	}
	old := made + ".old"
	switch err := os.Rename(out, old); {
	case errors.Is(err, fs.ErrNotExist):
		return os.Rename(made, out)
	case err != nil:
		return err
	}
	if err := os.Rename(made, out); err != nil {
		return errors.Join(err, os.Rename(old, out))
	}
	return os.RemoveAll(old)
}

func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
