package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/internal/filehash"
)

// Bootstrap is the name of the executable that the provided.* runtimes start.
const Bootstrap = "bootstrap"

// Target is one function's build.
type Target struct {
	// Dir is the folder in which Package is resolved, the CDK app's own. It
	// must lie in a Go module. "" is the working folder.
	Dir string
	// Package is one main package as go build takes it: "./functions/checkout"
	// or an import path.
	Package string
	// Tags are build tags beyond lambda.norpc, in any order.
	Tags []string
	// OS is a GOOS, "" for "linux". Others are for running on the host.
	OS string
	// Architecture is Lambda's name for it: "arm64" or "x86_64".
	Architecture string
	// Debug builds for a debugger: unoptimised, with debugging information and
	// with the source's own paths.
	Debug bool
	// Output is the folder that gets the file "bootstrap" and holds nothing
	// else. It is created. The file is replaced by a rename, so a process
	// that runs the old one is not disturbed. The record of the inputs is
	// written beside it, to Output + ".inputs.json", and so that the next call
	// has less to read, there are also Output + ".hashes", ".listing.json" (what
	// the go command said), ".recipe.json" (what it did) and ".seal" (that
	// nothing has changed).
	Output string
}

// Result says how a build went.
type Result struct {
	Target Target
	// Cached is set where the inputs were unchanged: nothing was run beyond
	// reading them.
	Cached bool
	// Duration is the time from the call of Go to its end.
	Duration time.Duration
}

// Go builds t, or finds that its Output already holds what it would build.
// Several calls, also of several processes, may build into one Output at once;
// the last to finish wins.
//
// The error is a [*CompileError] where the go command refused the package.
func Go(ctx context.Context, t Target) (Result, error) {
	start := time.Now()
	cached, err := compile(ctx, t)
	return Result{Target: t, Cached: cached, Duration: time.Since(start)}, err
}

// All builds the targets, at most GOMAXPROCS at a time, and returns their
// results in the order of targets. It builds all that can be built; the error
// joins those of the others (see [errors.Join]), one for each failing package
// even where several targets build it.
//
// Progress, unless nil, is told of each target as it ends. Its calls do not
// overlap.
func All(ctx context.Context, targets []Target, progress func(Result, error)) ([]Result, error) {
	results := make([]Result, len(targets))
	errs := make([]error, len(targets))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	var telling sync.Mutex
	for i, t := range targets {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i], errs[i] = Go(ctx, t)
			if progress != nil {
				telling.Lock()
				defer telling.Unlock()
				progress(results[i], errs[i])
			}
		})
	}
	wait.Wait()
	return results, errors.Join(distinct(errs)...)
}

// distinct leaves out errors that read like an earlier one: two targets that
// differ in architecture fail alike.
func distinct(errs []error) []error {
	var kept []error
	seen := map[string]bool{}
	for _, err := range errs {
		if err == nil || seen[err.Error()] {
			continue
		}
		seen[err.Error()] = true
		kept = append(kept, err)
	}
	return kept
}

// HostArchitecture is Lambda's name of the host's architecture. On a host that
// Lambda has no name for it is Go's name, which no Target accepts.
func HostArchitecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// CompileError says that the go command refused a package: it does not exist,
// is not a main package, or does not compile.
type CompileError struct {
	// Package and Dir are the target's.
	Package, Dir string
	// Output is go's own message, with paths relative to Dir.
	Output string

	failed string // what failed: "does not compile"
	advice string // what to do
}

// Error begins with the package and what failed, goes on with go's own message
// and ends with what to do.
func (e *CompileError) Error() string {
	failed := e.failed
	if failed == "" {
		failed = "does not compile"
	}
	lines := []string{e.Package + " " + failed + " (in " + e.Dir + "):"}
	if e.Output != "" {
		lines = append(lines, strings.TrimRight(e.Output, "\n"))
	}
	if e.advice != "" {
		lines = append(lines, e.advice)
	}
	return strings.Join(lines, "\n")
}

// plan is a target that was checked, with nothing left to default.
type plan struct {
	Target
	goos, goarch string
	tags         string // the value of -tags
	parent       string // the folder of Output, in which temporary files are made
	record       string // the file of the inputs record
	seal         string // the file that says that they have not changed
	hashes       *filehash.Cache
}

func newPlan(t Target) (*plan, error) {
	p := &plan{Target: t, goos: t.OS}
	if p.goos == "" {
		p.goos = "linux"
	}
	switch t.Architecture {
	case "arm64":
		p.goarch = "arm64"
	case "x86_64":
		p.goarch = "amd64"
	default:
		return nil, fmt.Errorf("cannot build %s for architecture %q: Lambda has arm64 and x86_64", t.Package, t.Architecture)
	}
	if t.Package == "" || strings.HasPrefix(t.Package, "-") {
		return nil, fmt.Errorf("cannot build the package %q: name a Go main package, such as ./functions/checkout", t.Package)
	}
	if t.Output == "" {
		return nil, fmt.Errorf("cannot build %s: no output folder was named", t.Package)
	}
	if err := p.setTags(); err != nil {
		return nil, err
	}
	return p, p.setFolders()
}

// setTags sorts the tags, since the go command writes their list into the
// executable.
func (p *plan) setTags() error {
	tags := []string{"lambda.norpc"}
	for _, tag := range p.Tags {
		if tag == "" || strings.ContainsAny(tag, ", \t\n") {
			return fmt.Errorf("cannot build %s with the build tag %q: a tag is one word without commas", p.Package, tag)
		}
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	p.tags = strings.Join(slices.Compact(tags), ",")
	return nil
}

func (p *plan) setFolders() (err error) {
	if p.Dir, err = filepath.Abs(p.Dir); err != nil {
		return err
	}
	// Symbolic links are resolved so that the folders that the go command
	// answers with can be written relative to Dir.
	if p.Dir, err = filepath.EvalSymlinks(p.Dir); err != nil {
		return fmt.Errorf("cannot build %s: its folder: %w", p.Package, err)
	}
	if p.Output, err = filepath.Abs(p.Output); err != nil {
		return err
	}
	p.parent = filepath.Dir(p.Output)
	p.record, p.seal = p.Output+".inputs.json", p.Output+".seal"
	p.hashes = filehash.OpenCache(p.Output + ".hashes")
	return nil
}

// compile does the work of Go and tells whether there was none to do.
func compile(ctx context.Context, t Target) (cached bool, err error) {
	began := time.Now()
	p, err := newPlan(t)
	if err != nil {
		return false, err
	}
	// Now, and not after the work: a folder with something else in it would
	// never be valid.
	if err := p.checkOutput(); err != nil {
		return false, err
	}
	tool, err := findTool()
	if err != nil {
		return false, err
	}
	if p.upToDate(tool, began) {
		return true, ctx.Err()
	}
	sources, err := tool.list(ctx, p)
	if err != nil {
		return false, err
	}
	return false, p.build(ctx, tool, sources)
}

// checkOutput refuses a folder that holds other files: they would be deployed
// with the function, or they are a user's, and Output was named by mistake.
func (p *plan) checkOutput() error {
	entries, err := os.ReadDir(p.Output)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot build %s: its output folder: %w", p.Package, err)
	}
	for _, e := range entries {
		if e.Name() != Bootstrap {
			return fmt.Errorf("cannot build %s into %s: the folder holds other files (%s); name one that is empty or does not exist", p.Package, p.Output, e.Name())
		}
	}
	return nil
}

// build compiles into a folder beside Output, moves the executable in, and then
// writes the record. Between the two renames, and after a crash there, the old
// record does not match the new executable, which only costs another build.
func (p *plan) build(ctx context.Context, tool *tool, sources *sources) error {
	before, err := p.snapshot(tool, sources)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(p.parent, 0o755); err != nil {
		return fmt.Errorf("cannot build %s: %w", p.Package, err)
	}
	scratch, err := os.MkdirTemp(p.parent, "."+filepath.Base(p.Output)+"-*")
	if err != nil {
		return fmt.Errorf("cannot build %s: %w", p.Package, err)
	}
	defer os.RemoveAll(scratch)
	made := filepath.Join(scratch, Bootstrap)
	printed, err := p.make(ctx, tool, sources, before, made)
	if err != nil {
		return err
	}
	// Before the executable is moved in: from then on the file of that name
	// may be another process's.
	output, err := filehash.Of(made)
	if err == nil {
		err = p.install(made)
	}
	if err != nil {
		return fmt.Errorf("cannot build %s: %w", p.Package, err)
	}
	// A file that was edited during the compilation may or may not be in the
	// executable, so nothing is recorded and the next call builds again.
	after, err := p.snapshot(tool, sources)
	if err != nil || !after.equal(before) {
		return nil
	}
	after.Output = output
	_ = p.hashes.Save() // else the next check reads all files again
	p.remember(sources, after.Inputs)
	if printed != "" {
		saveRecipe(p.recipeFile(), printed, sources.key, after.Inputs, p.abs)
	}
	return p.save(after, scratch)
}

// make compiles to the file made, by the recipe of the last build where there is
// one for the sources as they are. Printed is what makes a new one, or "".
func (p *plan) make(ctx context.Context, tool *tool, sources *sources, now *record, made string) (printed string, err error) {
	if p.impatient() {
		r := readRecipe(p.recipeFile(), sources.key, now.Inputs, p.abs)
		if r != nil && r.make(ctx, sources.env, made) == nil {
			return "", nil
		}
	}
	return tool.build(ctx, p, sources.env, made)
}

func (p *plan) recipeFile() string { return p.Output + ".recipe.json" }

func (p *plan) install(made string) error {
	// The umask of whoever builds must not decide who can run it.
	if err := os.Chmod(made, 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(p.Output, 0o755); err != nil {
		return err
	}
	return os.Rename(made, filepath.Join(p.Output, Bootstrap))
}
