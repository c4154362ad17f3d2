package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// tool is the go command.
type tool struct {
	path string
	// identity changes whenever the toolchain may be another one: the content
	// of the VERSION and go.env files of its GOROOT. Together with GOTOOLCHAIN
	// and the go and toolchain lines of go.mod, which are inputs too, it fixes
	// the compiler. It is read and not asked for, which would start a process.
	identity string
}

func findTool() (*tool, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, errors.New("there is no go command on the PATH, and Go functions are built with it: install Go (https://go.dev/dl) or extend the PATH")
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	root := filepath.Dir(filepath.Dir(resolved))
	version, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if err != nil {
		// A wrapper script of a version manager, or a Go built from a
		// checkout, says it only when run.
		if version, err = exec.Command(path, "version").Output(); err != nil {
			return nil, fmt.Errorf("cannot tell the version of %s: %w", path, err)
		}
	}
	defaults, _ := os.ReadFile(filepath.Join(root, "go.env")) // old toolchains have none
	return &tool{path: path, identity: hashBytes(version, defaults)}, nil
}

// neutral are the variables that would change the bytes of an executable, and
// those that this package sets itself.
var neutral = []string{
	"GOFLAGS", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT", "GOFIPS140",
	"GO111MODULE", "CGO_ENABLED", "GO_EXTLINK_ENABLED", "GO_LDSO", "GOENV", "PWD",
}

// kept are the settings that are taken over from "go env -w". The file itself
// is switched off, since it could hold any of the above.
var kept = []string{
	"GOAUTH", "GOCACHE", "GOCACHEPROG", "GOINSECURE", "GOMODCACHE", "GONOPROXY",
	"GONOSUMDB", "GOPATH", "GOPRIVATE", "GOPROXY", "GOSUMDB", "GOTMPDIR",
	"GOTOOLCHAIN", "GOVCS", "GOWORK",
}

// settings are the answers of "go env" in the target's folder.
type settings map[string]string

// settings asks for them with the user's own environment.
func (g *tool) settings(ctx context.Context, p *plan) (settings, error) {
	asked := append([]string{"env", "-json", "GOFLAGS", "GOMOD"}, kept...)
	out, msg, err := g.run(ctx, p.Dir, nil, asked...)
	if err != nil {
		return nil, failure(ctx, p, err, "cannot be built", msg)
	}
	var s settings
	if err := json.Unmarshal(out, &s); err != nil {
		return nil, fmt.Errorf("cannot read the answer of %s env: %w", g.path, err)
	}
	return s, nil
}

// moduleFlags are the flags of GOFLAGS that a build keeps.
func moduleFlags(goflags string) (flags []string) {
	for _, f := range strings.Fields(goflags) {
		// The go command takes one dash or two.
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(f, "-"), "-"), "=")
		switch {
		case name == "mod" && ok, name == "modfile" && ok:
			flags = append(flags, "-"+name+"="+value)
		case name == "modcacherw":
			flags = append(flags, f)
		}
	}
	return flags
}

// environment is what list and build run in.
func (s settings) environment(p *plan) []string {
	var env []string
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		if !slices.Contains(neutral, name) && !slices.Contains(kept, name) && !strings.HasPrefix(name, "CGO_") {
			env = append(env, e)
		}
	}
	for _, name := range kept {
		if s[name] != "" {
			env = append(env, name+"="+s[name])
		}
	}
	return append(env,
		"GOENV=off", "GO111MODULE=on", "CGO_ENABLED=0", "PWD="+p.Dir,
		"GOOS="+p.goos, "GOARCH="+p.goarch, "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS="+strings.Join(moduleFlags(s["GOFLAGS"]), " "),
	)
}

// listed is what is asked of go list about a package.
type listed struct {
	ImportPath    string
	Name          string
	Dir           string
	Standard      bool
	DepOnly       bool
	EmbedPatterns []string
	CgoFiles      []string
	Module        *listedModule
	Error         *struct{ Err string }
}

type listedModule struct {
	Dir, GoMod string
	Main       bool
	Replace    *listedModule
}

const listFields = "-json=ImportPath,Name,Dir,Standard,DepOnly,EmbedPatterns,CgoFiles,Module,Error"

// list finds the packages that the target is made of.
func (g *tool) list(ctx context.Context, p *plan) (*sources, error) {
	set, err := g.settings(ctx, p)
	if err != nil {
		return nil, err
	}
	if (set["GOMOD"] == "" || set["GOMOD"] == os.DevNull) && (set["GOWORK"] == "" || set["GOWORK"] == "off") {
		return nil, fmt.Errorf("cannot build %s: there is no go.mod in %s or a folder above it; make one with: go mod init", p.Package, p.Dir)
	}
	env := set.environment(p)
	if s := p.recall(g, set, env); s != nil {
		return s, nil
	}
	out, msg, err := g.run(ctx, p.Dir, env, "list", "-e", "-deps", listFields, "-tags", p.tags, "--", p.Package)
	if err != nil {
		return nil, failure(ctx, p, err, "cannot be built", msg)
	}
	packages, err := decodeList(out)
	if err != nil {
		return nil, fmt.Errorf("cannot read the answer of %s list: %w", g.path, err)
	}
	if err := checkMain(p, packages); err != nil {
		return nil, err
	}
	s, err := newSources(ctx, p, g, set, env, packages)
	if err == nil {
		s.key = p.listingKey(g, set)
	}
	return s, err
}

func decodeList(out []byte) (packages []listed, err error) {
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := dec.Decode(&l); err == io.EOF {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, l)
	}
}

// edited is what "go mod edit -json" and "go work edit -json" say of a file.
// The go command is asked, and no parser of ours, so that a directive that is
// newer than Bailey is understood.
type edited struct {
	Use     []struct{ DiskPath string }
	Replace []struct {
		New struct{ Path, Version string }
	}
}

// edited reads a file of the kind "mod" or "work".
func (g *tool) edited(ctx context.Context, p *plan, kind, file string) (e edited, err error) {
	out, msg, err := g.run(ctx, p.Dir, nil, kind, "edit", "-json", file)
	if err != nil {
		return e, failure(ctx, p, err, "cannot be built", msg)
	}
	if err := json.Unmarshal(out, &e); err != nil {
		return e, fmt.Errorf("cannot read the answer of %s %s edit: %w", g.path, kind, err)
	}
	return e, nil
}

// checkMain wants exactly one main package named.
func checkMain(p *plan, packages []listed) error {
	var named []listed
	for _, l := range packages {
		if !l.DepOnly {
			named = append(named, l)
		}
	}
	switch {
	case len(named) == 0:
		return fmt.Errorf("cannot build %s: it matches no package in %s", p.Package, p.Dir)
	case len(named) > 1:
		return fmt.Errorf("cannot build %s: it matches %d packages in %s (%s, %s, ...); name one", p.Package, len(named), p.Dir, named[0].ImportPath, named[1].ImportPath)
	}
	switch l := named[0]; {
	case l.Name == "" && l.Error != nil:
		return &CompileError{
			Package: p.Package, Dir: p.Dir, Output: relative(p.Dir, l.Error.Err), failed: "cannot be found",
			advice: "name a Go main package: a path that begins with ./ and is relative to " + p.Dir + ", or an import path",
		}
	case l.Name != "main" && l.Error == nil:
		return fmt.Errorf("cannot build %s (in %s): it is package %s; a function is a package main with a func main", p.Package, p.Dir, l.Name)
	}
	return nil
}

// build compiles the target to the file made. Printed is what the go command ran,
// for a recipe, or "".
func (g *tool) build(ctx context.Context, p *plan, env []string, made string) (printed string, err error) {
	args := append(append([]string{"-o", made}, p.flags()...), "--", p.Package)
	printed, msg, err := g.explained(ctx, p.Dir, env, p.impatient(), args...)
	if err != nil {
		return "", failure(ctx, p, err, "does not compile", msg)
	}
	return printed, nil
}

// explained runs "go build", which prints what it does where that is wanted. Where
// it fails then it is run again, for its message alone.
func (g *tool) explained(ctx context.Context, dir string, env []string, wanted bool, args ...string) (printed, msg string, err error) {
	if wanted {
		_, printed, err = g.run(ctx, dir, env, append([]string{"build", "-x"}, args...)...)
		if err == nil || ctx.Err() != nil {
			return printed, "", err
		}
	}
	_, msg, err = g.run(ctx, dir, env, append([]string{"build"}, args...)...)
	return "", msg, err
}

// impatient tells whether the executable is run here, where each build is waited
// for, and neither deployed nor debugged.
func (p *plan) impatient() bool { return p.OS != "" && !p.Debug }

// flags are those of go build that decide the bytes.
func (p *plan) flags() []string {
	if p.Debug {
		return []string{"-buildvcs=false", "-tags", p.tags, "-gcflags", "all=-N -l", "-ldflags", "-buildid="}
	}
	flags := []string{"-trimpath", "-buildvcs=false", "-tags", p.tags, "-ldflags", "-s -w -buildid="}
	if p.impatient() {
		// Debugging information that the linker leaves out, and would read.
		flags = append(flags, "-gcflags", "all=-dwarf=false")
	}
	return flags
}

func (g *tool) run(ctx context.Context, dir string, env []string, args ...string) (stdout []byte, stderr string, err error) {
	cmd := exec.CommandContext(ctx, g.path, args...)
	cmd.Dir, cmd.Env = dir, env
	var out, msg bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &msg
	// An interrupted go command removes its temporary files; a killed one
	// does not.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	return out.Bytes(), msg.String(), err
}

// failure explains why a run of the go command failed.
func failure(ctx context.Context, p *plan, err error, failed, msg string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("the build of %s was stopped: %w", p.Package, context.Cause(ctx))
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("cannot build %s: %w", p.Package, err)
	}
	return &CompileError{
		Package: p.Package, Dir: p.Dir, Output: relative(p.Dir, strings.TrimSpace(msg)),
		failed: failed, advice: advice(p, msg),
	}
}

// relative shortens the absolute paths of a message as the compiler itself
// does, so that they can be followed from the folder where the user works.
func relative(dir, msg string) string {
	return strings.ReplaceAll(msg, dir+string(filepath.Separator), "")
}

func advice(p *plan, msg string) string {
	switch {
	case strings.Contains(msg, "go mod tidy"), strings.Contains(msg, "go get "), strings.Contains(msg, "go mod vendor"):
		return "run what go says above in " + p.Dir + ", then try again"
	case strings.Contains(msg, "build constraints exclude all Go files"):
		return "its files are for another system or need a build tag: the function is built for " + p.goos + "/" + p.goarch + " with the tags " + p.tags
	case strings.Contains(msg, "function main is undeclared"):
		return "add a func main that calls lambda.Start with the handler"
	}
	return "correct it and try again; to see the same message: cd " + p.Dir + " && GOOS=" + p.goos + " go vet -tags " + p.tags + " " + p.Package
}
