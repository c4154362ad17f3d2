package synth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/synth/kernel"
	"github.com/bailey-cdk/bailey/internal/atomicfile"
	"github.com/bailey-cdk/bailey/internal/build"
	"github.com/bailey-cdk/bailey/internal/filehash"
	"github.com/bailey-cdk/bailey/internal/metadata"
)

// recordVersion is raised whenever what is recorded changes.
const recordVersion = 2

// record is what an assembly was made from. It lies beside the assembly.
type record struct {
	Version int
	// Circumstances are the options, the configuration, the environment and the
	// versions, hashed: a variable may be a secret.
	Circumstances string
	// Listing is what beside the source decides which packages the app has.
	Listing string
	// Program is where the app's own source is, Source its hashes.
	Program build.Inputs
	Source  map[string]string
	// Headers hash what of each Go file decides which packages the app has, and
	// GOROOT is the toolchain's folder.
	Headers map[string]string
	GOROOT  string
	// Tree are the files of the project that are not Go source.
	Tree map[string]string
	// Assembly are the files of the assembly, Warnings those of its constructs.
	Assembly map[string]string
	Warnings []string
}

// watch knows the inputs of a run, and whether they are those of the last one.
type watch struct {
	o       Options
	conf    *config
	program []string // what go run was given
	args    []string // and what that gives to the app
	root    string   // the folder of the go.mod or go.work
	out     string   // the assembly
	made    string   // Circumstances
	listing string
	old     *record // of the last run, if any, once looked was called
	looked  bool
	tree    map[string]string
	hashes  *filehash.Cache
	source  map[string]string // of the old record's program, as it is now
	listed  chan *listing     // of this run; nil where it is not known
	known   *listing          // once it was received
	tidying sync.WaitGroup    // beside the run
}

// listing is where the app's source is, as the go command told.
type listing struct {
	inputs build.Inputs
	goroot string
}

// newWatch returns nil for an app of which it cannot be told what it depends on:
// one that is not Go, or that is built by a command first.
func newWatch(o Options, conf *config, out string) *watch {
	program, args, ok := goProgram(conf.App)
	root := Root(o.Dir)
	if !ok || conf.Build != "" || root == "" {
		return nil
	}
	w := &watch{o: o, conf: conf, program: program, args: args, root: root, out: out}
	w.hashes = filehash.OpenCache(w.hashesFile())
	w.made, w.listing = w.circumstances()
	if w.made == "" {
		return nil
	}
	return w
}

// readRecord returns nil for any trouble with it.
func readRecord(file string) *record {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var r record
	if json.Unmarshal(text, &r) != nil || r.Version != recordVersion || len(r.Assembly) == 0 || len(r.Source) == 0 {
		return nil
	}
	return &r
}

// Root is the folder of the go.work above dir, else of its go.mod, else "".
func Root(dir string) string {
	for _, name := range []string{"go.work", "go.mod"} {
		for up := dir; ; up = filepath.Dir(up) {
			if isFile(filepath.Join(up, name)) {
				return up
			}
			if up == filepath.Dir(up) {
				break
			}
		}
	}
	return ""
}

// These lie beside the assembly, which may be replaced as a whole.
func (w *watch) recordFile() string { return w.out + ".inputs.json" }
func (w *watch) hashesFile() string { return w.out + ".hashes" }
func (w *watch) sealFile() string   { return w.out + ".seal" }

// last returns the warnings of the last run, and ok where its assembly is what a
// run would make now. Any trouble means that it is not. Began is a moment before.
func (w *watch) last(began time.Time) (warnings []string, ok bool) {
	note, ok := filehash.Sealed(w.sealFile(), w.made)
	if ok && json.Unmarshal([]byte(note), &warnings) == nil {
		return warnings, true
	}
	r := w.before()
	if r == nil || r.Circumstances != w.made || !w.unedited() {
		return nil, false
	}
	tree, folders, err := w.hashTree()
	if w.tree = tree; err != nil || !maps.Equal(data(tree), r.Tree) {
		return nil, false
	}
	assembly, more, err := hashFiles(w.hashes, w.out, nil)
	if err != nil || !maps.Equal(assembly, r.Assembly) {
		return nil, false
	}
	// Without these two the next look takes longer.
	_ = w.hashes.Save()
	_ = w.seal(r, began, append(folders, more...))
	return r.Warnings, true
}

// seal notes that nothing has changed, of all that last looks at.
func (w *watch) seal(r *record, began time.Time, paths []string) error {
	note, err := json.Marshal(r.Warnings)
	if err != nil {
		return err
	}
	for file, hash := range r.Tree {
		if hash != "" {
			paths = append(paths, filepath.Join(w.root, filepath.FromSlash(file)))
		}
	}
	for file := range r.Assembly {
		paths = append(paths, filepath.Join(w.out, filepath.FromSlash(file)))
	}
	for file := range r.Source {
		paths = append(paths, file)
	}
	paths = append(append(paths, w.recordFile()), r.Program.Above()...)
	slices.Sort(paths)
	return filehash.Seal(w.sealFile(), w.made, string(note), began, slices.Compact(paths))
}

// before is the record of the last run, if any.
func (w *watch) before() *record {
	if !w.looked {
		w.old, w.looked = readRecord(w.recordFile()), true
	}
	return w.old
}

// unedited tells whether the app's source is what was recorded.
func (w *watch) unedited() bool {
	var err error
	w.source, err = w.before().Program.Hash(w.hashes)
	return err == nil && maps.Equal(w.source, w.old.Source)
}

// samePackages tells whether the recorded app, as it is edited now, still consists
// of the same packages: nothing has changed but the bodies of Go files. The go
// command then need not list them again.
func (w *watch) samePackages() bool {
	if w.before() == nil || w.old.Listing != w.listing {
		return false
	}
	if w.unedited() {
		return true
	}
	return build.SamePackages(w.old.Source, w.source, w.old.Headers, itself)
}

// itself is the path of a file that is named by it.
func itself(file string) string { return file }

// begin is called before the run. The go command lists the app's packages beside
// it.
func (w *watch) begin(ctx context.Context) {
	if w.tree == nil {
		w.tree, _, _ = w.hashTree() // nil: nothing will be recorded
	}
	if w.samePackages() {
		w.known = &listing{w.old.Program, w.old.GOROOT}
		return
	}
	w.source = nil
	w.listed = make(chan *listing, 1)
	go func() {
		env := newEnvironment(os.Environ(), w.o.Env).list()
		p, err := build.ReadProgram(ctx, w.o.Dir, env, w.program)
		if err != nil || p.Unseen != "" || !w.inside(p) {
			w.listed <- nil // after an error, the run tells
			return
		}
		w.listed <- &listing{p.Inputs, p.GOROOT}
	}()
}

// list waits for the listing. It is nil where there is none to go by.
func (w *watch) list() *listing {
	if w.known == nil && w.listed != nil {
		w.known, w.listed = <-w.listed, nil
	}
	return w.known
}

// end records a run that has succeeded. The record of the last one stays where a
// run fails, for the assembly does too.
func (w *watch) end(warnings []string) {
	if !w.record(warnings) {
		os.Remove(w.recordFile())
	}
	_ = w.hashes.Save() // else the next look is slower
}

// record records a run, where all that it may depend on is known and stayed as it
// was meanwhile.
func (w *watch) record(warnings []string) (done bool) {
	p := w.list()
	if p == nil || w.tree == nil {
		return false
	}
	source, err := p.inputs.Hash(w.hashes)
	if err != nil || !w.sameSource(source) {
		return false
	}
	tree, _, err := w.hashTree()
	if err != nil || !maps.Equal(tree, w.tree) {
		return false
	}
	assembly, _, err := hashFiles(w.hashes, w.out, nil)
	if err != nil || !w.explained(assembly) {
		return false
	}
	text, err := json.Marshal(record{
		recordVersion, w.made, w.listing, p.inputs, source, build.Headers(source, itself), p.goroot, data(tree), assembly, warnings,
	})
	return err == nil && atomicfile.Write(w.recordFile(), text) == nil
}

// inside tells whether all of the app's source is below the root, where it was
// hashed before the run. What lies elsewhere (a replaced module, say) may have been
// changed during it.
func (w *watch) inside(p *build.Program) bool {
	for _, dir := range p.Packages {
		if !within(w.root, dir.Dir) && !within(p.ModuleCache, dir.Dir) {
			return false
		}
	}
	return true
}

func within(dir, file string) bool {
	rel, err := filepath.Rel(dir, file)
	return dir != "" && err == nil && filepath.IsLocal(rel)
}

// explained tells whether it is known where everything in the assembly comes from.
// A template comes from the app. An asset must be Bailey's placeholder, one of the
// CDK's own, or a copy of files of the project: what was bundled, or copied from
// elsewhere, depends on files that nobody named.
func (w *watch) explained(assembly map[string]string) bool {
	contents := map[string]bool{}
	for _, hash := range data(w.tree) {
		contents[hash] = true
	}
	for file, hash := range assembly {
		asset, rest, ok := strings.Cut(file, "asset.")
		if !ok {
			if strings.HasSuffix(file, ".assets.json") && !w.staged(file) {
				return false
			}
			continue
		}
		name, inner, _ := strings.Cut(rest, "/")
		folder := asset + "asset." + name
		if _, cdk := assembly[folder+"/__entrypoint__.js"]; cdk || inner == metadata.Placeholder || contents[hash] {
			continue
		}
		return false
	}
	return true
}

// staged tells whether all assets of a manifest are in the assembly, and not used
// where they are.
func (w *watch) staged(file string) bool {
	var m struct {
		Files        map[string]struct{ Source struct{ Path string } }
		DockerImages map[string]struct {
			Source struct {
				Directory  string
				Executable []string
			}
		}
	}
	if readPart(filepath.Join(w.out, filepath.FromSlash(file)), &m) != nil {
		return false
	}
	for _, f := range m.Files {
		if !filepath.IsLocal(f.Source.Path) {
			return false
		}
	}
	for _, i := range m.DockerImages {
		if !filepath.IsLocal(i.Source.Directory) || len(i.Source.Executable) > 0 {
			return false
		}
	}
	return true
}

// hashTree hashes the files of the project, see [hashFiles].
func (w *watch) hashTree() (hashes map[string]string, folders []string, err error) {
	outputs := []string{
		w.out, w.recordFile(), w.hashesFile(), w.sealFile(), filepath.Join(w.o.Dir, ".bailey"), filepath.Join(w.o.Dir, ".aws-sam"), filepath.Join(w.o.Dir, "cdk.out"),
		filepath.Join(w.o.Dir, "samconfig.toml"),
	}
	return hashFiles(w.hashes, w.root, func(path, name string) bool {
		return name == ".git" || name == "node_modules" || slices.Contains(outputs, path) ||
			filepath.Dir(path) == filepath.Dir(w.out) && (strings.HasPrefix(name, "."+filepath.Base(w.out)+"-") || strings.HasPrefix(name, "."+filepath.Base(w.out)+"."))
	})
}

// data is a tree without its tests, and with no more of other Go source than that
// it exists: the app's own is in record.Source, and that of the functions is not
// compiled into a local assembly.
func data(tree map[string]string) map[string]string {
	kept := make(map[string]string, len(tree))
	for file, hash := range tree {
		switch {
		case strings.HasSuffix(file, "_test.go"):
		case strings.HasSuffix(file, ".go"):
			kept[file] = ""
		default:
			kept[file] = hash
		}
	}
	return kept
}

// circumstances hashes all that is no file of the project, or returns "". Listing
// is the part of it that the go command looks at.
func (w *watch) circumstances() (made, listing string) {
	toolchain, err := build.Toolchain()
	if err != nil {
		return "", ""
	}
	env := newEnvironment(os.Environ(), w.o.Env)
	nodePath, err := lookPath(cmp.Or(env["JSII_NODE"], "node"), env["PATH"])
	if err != nil {
		return "", ""
	}
	node, err := kernel.Identify(nodePath)
	if err != nil {
		return "", ""
	}
	self, err := os.Executable()
	if err != nil {
		return "", ""
	}
	bailey, err := kernel.Identify(self)
	if err != nil {
		return "", ""
	}
	golang := environment{}
	for name, value := range env {
		if matches([]string{"GO*", "CGO_*", "CC", "CXX", "PATH", "HOME"}, name) {
			golang[name] = value
		}
	}
	listing = hashJSON(toolchain, w.o.Dir, w.root, w.program, golang)
	return hashJSON(
		recordVersion, toolchain, node, bailey, w.o.Dir, w.out, w.root, w.conf, w.o.Local,
		cmp.Or(w.o.Region, env.region()), w.o.AccountID, w.environment(env),
	), listing
}

// hashJSON hashes values, or returns "" for one that is no JSON.
func hashJSON(values ...any) string {
	data, err := json.Marshal(values)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// ContextEnvironment is the CDK context key that lists the variables that an app
// reads ("NAME", or "PREFIX_*"), so that no other makes it run again.
const ContextEnvironment = "bailey:environment"

// declared always count, whatever an app lists.
var declared = []string{"CDK_*", "AWS_*", "AMAZON_*", "JSII_*", "NODE_*", "GO*", "CGO_*", "PATH", "HOME", "CC", "CXX", "TMPDIR", "SHELL", "BUILD_*"}

// volatile differ from one terminal to the next, and say nothing to an app.
var volatile = []string{
	"_", "PWD", "OLDPWD", "SHLVL", "TERM", "TERM_*", "COLORTERM", "COLUMNS", "LINES", "WINDOWID", "DISPLAY", "WAYLAND_DISPLAY",
	"XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "XDG_SESSION_*", "SSH_*", "GPG_*", "TMUX", "TMUX_*", "STY", "VSCODE_*", "ITERM_*",
	"KITTY_*", "ALACRITTY_*", "WEZTERM_*", "KONSOLE_*", "GNOME_TERMINAL_*", "VTE_VERSION", "INVOCATION_ID", "JOURNAL_STREAM",
	"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BAILEY_KERNEL", "BAILEY_KERNEL_*",
}

// environment is what of it counts: all but what is volatile, or what the app has
// declared.
func (w *watch) environment(env environment) environment {
	var names []string
	listed := json.Unmarshal(w.conf.Context[ContextEnvironment], &names) == nil
	names = append(names, declared...)
	counts := environment{}
	for name, value := range env {
		if listed && matches(names, name) || !listed && !matches(volatile, name) {
			counts[name] = value
		}
	}
	return counts
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, any := strings.CutSuffix(p, "*")
		return p == name || any && strings.HasPrefix(name, prefix)
	})
}

// sameSource tells whether the app's source was the same before the run.
func (w *watch) sameSource(source map[string]string) bool {
	for file, hash := range source {
		rel, err := filepath.Rel(w.root, file)
		if err != nil || !filepath.IsLocal(rel) {
			continue // the file of go env -w, and go.mod files that do not exist
		}
		if w.tree[filepath.ToSlash(rel)] != hash {
			return false
		}
	}
	return true
}
