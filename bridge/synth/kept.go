package synth

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/internal/build"
)

// keptDir is where compiled apps are, below the folder of cdk.json.
var keptDir = filepath.Join(".bailey", "app")

// executable gives the compiled app, as "go run" would make it: the one that was
// kept where the app's source is the same, else a new one, which is kept.
func (w *watch) executable(ctx context.Context, env environment) (path string, err error) {
	dir := filepath.Join(w.o.Dir, keptDir)
	name := w.programName()
	if w.source != nil {
		path = filepath.Join(dir, w.key(w.source), name)
		if isFile(path) {
			return path, nil
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(dir, ".build-*")
	if err != nil {
		return "", err
	}
	printed, err := w.compile(ctx, env.list(), filepath.Join(fresh, name))
	if err != nil {
		os.RemoveAll(fresh)
		return "", compileFailure(w.conf.App, err)
	}
	return w.keepProgram(dir, fresh, name, printed), nil
}

// compile compiles the app, as the last time where only bodies of its main package
// have changed.
func (w *watch) compile(ctx context.Context, env []string, output string) (printed string, err error) {
	if w.source != nil && build.Again(ctx, w.recipeFile(), w.listing, w.source, env, output) {
		return "", nil
	}
	return build.Compile(ctx, w.o.Dir, env, w.program, output)
}

func (w *watch) recipeFile() string { return filepath.Join(w.o.Dir, keptDir+".recipe.json") }

// keepProgram moves a compiled app to the name of its source, where that is known
// and stayed as it was meanwhile. Else it is used for this run alone. Printed is what
// the go command has done for it.
func (w *watch) keepProgram(dir, fresh, name, printed string) (path string) {
	path = filepath.Join(fresh, name)
	p := w.list()
	if p == nil {
		return path
	}
	source, err := p.inputs.Hash(w.hashes)
	if err != nil || w.tree == nil || !w.sameSource(source) || w.source != nil && !maps.Equal(source, w.source) {
		return path
	}
	if printed != "" {
		build.Remember(w.recipeFile(), w.listing, printed, source)
	}
	kept := filepath.Join(dir, w.key(source))
	if err := os.Rename(fresh, kept); err != nil && !isFile(filepath.Join(kept, name)) {
		return path // not even another synth has put one there
	}
	w.tidying.Go(func() { tidy(dir, filepath.Base(kept)) })
	return filepath.Join(kept, name)
}

// tidy removes the compiled apps of other source, and what killed synths left.
func tidy(dir, kept string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || e.Name() == kept {
			continue
		}
		if !strings.HasPrefix(e.Name(), ".") || time.Since(info.ModTime()) > time.Hour {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// discard removes a compiled app that was for one run.
func discard(path string) {
	if dir := filepath.Dir(path); strings.HasPrefix(filepath.Base(dir), ".build-") {
		os.RemoveAll(dir)
	}
}

// key names the source and all else that a compiled app was made from.
func (w *watch) key(source map[string]string) string { return hashJSON(w.listing, source)[:32] }

// programName is the one that go run gives to it.
func (w *watch) programName() string {
	last := w.program[len(w.program)-1]
	if filepath.Ext(last) == ".go" {
		last = strings.TrimSuffix(w.firstFile(), ".go")
	}
	name := filepath.Base(absolute(w.o.Dir, filepath.FromSlash(last)))
	return cmp.Or(strings.Trim(name, string(filepath.Separator)), "app")
}

func (w *watch) firstFile() string {
	i := slices.IndexFunc(w.program, func(word string) bool { return filepath.Ext(word) == ".go" })
	return w.program[i]
}

// programEnvironment is what "go run" gives to a program: its own toolchain comes
// first on the PATH.
func (w *watch) programEnvironment(env environment) environment {
	if p := w.list(); p != nil && p.goroot != "" {
		env = maps.Clone(env)
		env["PATH"] = filepath.Join(p.goroot, "bin") + string(filepath.ListSeparator) + env["PATH"]
	}
	return env
}

// compileFailure is an [*AppError] where the compiler refused the app.
func compileFailure(command string, err error) error {
	var refused *build.CompileError
	if !errors.As(err, &refused) {
		return err
	}
	return &AppError{Command: command, What: "CDK app", Status: "exit status 1", Message: "it does not compile", Trace: refused.Output}
}
