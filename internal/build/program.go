package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/bailey-cdk/bailey/internal/filehash"
	"github.com/bailey-cdk/bailey/internal/lazyregexp"
)

// Program is a Go program as "go run" or "go build" would compile it, with the
// user's own flags and environment. [Go] does not build it: it is the CDK app.
type Program struct {
	// ModuleCache is the folder of the downloaded modules, which do not change.
	ModuleCache string
	// Packages are all that it is made of but the standard library's,
	// dependencies first.
	Packages []Package
	// Inputs are the files outside the module cache that it depends on.
	Inputs Inputs
	// Modules are those of them that choose the versions of its dependencies:
	// go.mod, go.sum, go.work and the like.
	Modules Inputs
	// Toolchain changes whenever the Go toolchain may be another one.
	Toolchain string
	// GOROOT is the toolchain's folder: "go run" puts its bin before the PATH.
	GOROOT string
	// Unseen says why the program depends on more than its inputs, "" where it
	// does not: C code, say, or a flag that names a program or a file.
	Unseen string
}

// Package is a package of a [Program].
type Package struct {
	// ImportPath is its import path, Dir its absolute folder.
	ImportPath, Dir string
	// Embed are the patterns of its go:embed directives.
	Embed []string
}

// ReadProgram asks the go command, which runs in dir with env, what a program is
// made of. Arguments are flags of go build and then a package or files.
func ReadProgram(ctx context.Context, dir string, env, arguments []string) (*Program, error) {
	what := strings.Join(arguments, " ")
	p := &plan{Target: Target{Dir: dir, Package: what}}
	var err error
	if p.Dir, err = filepath.Abs(dir); err == nil {
		p.Dir, err = filepath.EvalSymlinks(p.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the packages of %s: its folder: %w", what, err)
	}
	tool, err := findTool()
	if err != nil {
		return nil, err
	}
	set := settings{}
	asked := append([]string{"env", "-json", "GOFLAGS", "GOMOD", "GOROOT", "GOOS", "GOARCH"}, kept...)
	if err := tool.answer(ctx, p, env, &set, asked...); err != nil {
		return nil, err
	}
	out, msg, err := tool.run(ctx, p.Dir, env, append([]string{"list", "-deps", listFields}, arguments...)...)
	if err != nil {
		return nil, failure(ctx, p, err, "cannot be listed", msg)
	}
	packages, err := decodeList(out)
	if err != nil {
		return nil, fmt.Errorf("cannot read the answer of %s list: %w", tool.path, err)
	}
	return newProgram(ctx, p, tool, set, env, packages)
}

// answer runs the go command and decodes its answer.
func (g *tool) answer(ctx context.Context, p *plan, env []string, into any, args ...string) error {
	out, msg, err := g.run(ctx, p.Dir, env, args...)
	if err != nil {
		return failure(ctx, p, err, "cannot be listed", msg)
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("cannot read the answer of %s: %w", g.path, err)
	}
	return nil
}

func newProgram(ctx context.Context, p *plan, tool *tool, set settings, env []string, packages []listed) (*Program, error) {
	s, err := newSources(ctx, p, tool, set, env, packages)
	if err != nil {
		return nil, err
	}
	modules := &sources{goMod: s.goMod, goWork: s.goWork}
	if err := modules.addModuleFiles(ctx, p, tool, set); err != nil {
		return nil, err
	}
	if file := userSettings(); file != "" {
		s.files = append(s.files, p.rel(file))
		modules.files = append(modules.files, p.rel(file))
	}
	result := &Program{
		ModuleCache: set["GOMODCACHE"], Toolchain: tool.identity, GOROOT: set["GOROOT"], Unseen: unseen(set, packages),
		Inputs:  Inputs{Dir: p.Dir, Folders: s.packages, Files: s.files, GoMod: s.goMod, GoWork: s.goWork},
		Modules: Inputs{Dir: p.Dir, Files: modules.files, GoMod: s.goMod, GoWork: s.goWork},
	}
	for _, l := range packages {
		if !l.Standard {
			result.Packages = append(result.Packages, Package{ImportPath: l.ImportPath, Dir: l.Dir, Embed: l.EmbedPatterns})
		}
	}
	return result, nil
}

// unseenFlags are those of GOFLAGS that name a program or a file.
var unseenFlags = []string{"overlay", "toolexec", "exec", "C", "pgo", "gccgoflags", "compiler", "pkgdir", "work", "o"}

// unseen is [Program.Unseen].
func unseen(set settings, packages []listed) string {
	for _, f := range strings.Fields(set["GOFLAGS"]) {
		name, value, _ := strings.Cut(strings.TrimLeft(f, "-"), "=")
		if slices.Contains(unseenFlags, name) && value != "auto" {
			return "GOFLAGS has " + f
		}
	}
	if set["GOOS"] != runtime.GOOS || set["GOARCH"] != runtime.GOARCH {
		return "it is for " + set["GOOS"] + "/" + set["GOARCH"]
	}
	for _, l := range packages {
		// Those of the module cache are fixed, and C code of theirs is too.
		if len(l.CgoFiles) > 0 && !l.Standard && !below(set["GOMODCACHE"], l.Dir) {
			return l.ImportPath + " has C code"
		}
	}
	return ""
}

// Compile builds a program to the file output, as "go run" would, which leaves
// debugging information out. Arguments are those of [ReadProgram]. The error is a
// [*CompileError] where the go command refused it. Printed is for [Remember].
func Compile(ctx context.Context, dir string, env, arguments []string, output string) (printed string, err error) {
	p := &plan{Target: Target{Dir: dir, Package: strings.Join(arguments, " ")}}
	tool, err := findTool()
	if err != nil {
		return "", err
	}
	flags := []string{"-buildvcs=false", "-o", output}
	settings := settingsText()
	if !strings.Contains(goflags(env)+settings, "ldflags") {
		// Another -ldflags would replace the user's own.
		flags = append(flags, "-ldflags=-s -w")
	}
	printed, msg, err := tool.explained(ctx, dir, env, !forTools.MatchString(settings), append(flags, arguments...)...)
	if err != nil {
		err = failure(ctx, p, err, "does not compile", msg)
		var refused *CompileError
		if errors.As(err, &refused) {
			refused.advice = ""
		}
		return "", err
	}
	return printed, nil
}

// forTools are settings that reach the compiler by way of the go command alone, which
// gives them to it as variables.
var forTools = lazyregexp.New(`(?m)^GO(AMD64|ARM64|PPC64|RISCV64|LOONG64|EXPERIMENT|FIPS140|OS|ARCH|DEBUG)=`)

// Remember keeps in file how [Compile] made a program of sources, which are hashes by
// absolute path. Key stands for all else that it was made of.
func Remember(file, key, printed string, sources map[string]string) {
	saveRecipe(file, printed, key, sources, filepath.Clean)
}

// Again makes a program as [Compile] did last, without the go command, where nothing
// has changed but bodies in its main package. It returns false where it has not.
func Again(ctx context.Context, file, key string, sources map[string]string, env []string, output string) bool {
	r := readRecipe(file, key, sources, filepath.Clean)
	return r != nil && r.make(ctx, env, output) == nil
}

// goflags is the GOFLAGS of an environment.
func goflags(env []string) (flags string) {
	for _, e := range env {
		if strings.HasPrefix(e, "GOFLAGS=") {
			flags = e
		}
	}
	return flags
}

// settingsText is what "go env -w" has written.
func settingsText() string {
	text, _ := os.ReadFile(userSettings()) // most users have none
	return string(text)
}

// Inputs are files and folders of packages. They can be kept as JSON.
type Inputs struct {
	// Dir is the absolute folder that the others are relative to.
	Dir     string
	Folders []folder `json:",omitempty"`
	// Files need not exist: that one does is an input too.
	Files []string `json:",omitempty"`
	// GoMod and GoWork are where the go command found them, "" for nowhere.
	GoMod, GoWork string `json:",omitempty"`
}

// Hash maps each input file, by its absolute path, to the SHA-256 of its content,
// and to "" where it does not exist. It fails where a folder is gone, and where
// the go command would find another go.mod or go.work now. Known may be nil.
func (i Inputs) Hash(known *filehash.Cache) (map[string]string, error) {
	p := &plan{Target: Target{Dir: i.Dir}, hashes: known}
	if p.findUp("go.mod") != i.GoMod || os.Getenv("GOWORK") == "" && p.findUp("go.work") != i.GoWork {
		return nil, errors.New("another go.mod or go.work applies")
	}
	found, err := p.hashAll(i.Folders, i.Files)
	if err != nil {
		return nil, err
	}
	hashes := make(map[string]string, len(found))
	for file, hash := range found {
		hashes[p.abs(file)] = hash
	}
	return hashes, nil
}

// Above are the files that [Inputs.Hash] looks for, up to the root, to tell whether
// the same go.mod and go.work apply.
func (i Inputs) Above() (files []string) {
	for dir := i.Dir; ; dir = filepath.Dir(dir) {
		files = append(files, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.work"))
		if dir == filepath.Dir(dir) {
			return files
		}
	}
}

// Toolchain changes whenever the go command of the PATH may be another one. It
// costs no process. See [Program.Toolchain].
func Toolchain() (string, error) {
	tool, err := findTool()
	if err != nil {
		return "", err
	}
	return tool.identity, nil
}
