package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// sources is what a target is made of, as go list told. Its paths are relative
// to the target's folder, with slashes.
type sources struct {
	env      []string
	key      string // of the listing
	goMod    string // the module's go.mod, "" where only a workspace was found
	goWork   string // the workspace's go.work, "" for none
	packages []folder
	files    []string // single files: that they exist is an input too
}

// folder is the folder of a package outside the module cache.
type folder struct {
	Dir string
	// Embed are the patterns of its go:embed directives.
	Embed []string `json:",omitempty"`
}

func newSources(ctx context.Context, p *plan, g *tool, set settings, env []string, packages []listed) (*sources, error) {
	s := &sources{env: env}
	if set["GOMOD"] != os.DevNull {
		s.goMod = p.rel(set["GOMOD"])
	}
	if set["GOWORK"] != "off" {
		s.goWork = p.rel(set["GOWORK"])
	}
	for _, l := range packages {
		if l.Standard || l.Dir == "" || below(set["GOMODCACHE"], l.Dir) {
			continue
		}
		s.packages = append(s.packages, folder{Dir: p.rel(l.Dir), Embed: l.EmbedPatterns})
		s.files = append(s.files, nestedModules(p, l)...)
	}
	if err := s.addModuleFiles(ctx, p, g, set); err != nil {
		return nil, err
	}
	slices.Sort(s.files)
	s.files = slices.Compact(s.files)
	return s, nil
}

// nestedModules names the go.mod files that do not exist between a package and
// the root of its module: one that appeared there would take the package out
// of the module.
func nestedModules(p *plan, l listed) (files []string) {
	if l.Module == nil || l.Module.Dir == "" {
		return nil // in a vendor folder
	}
	for dir := l.Dir; below(l.Module.Dir, dir); dir = filepath.Dir(dir) {
		files = append(files, p.rel(filepath.Join(dir, "go.mod")))
	}
	return files
}

// addModuleFiles adds the files that choose the versions of the dependencies.
func (s *sources) addModuleFiles(ctx context.Context, p *plan, g *tool, set settings) error {
	mods, err := s.moduleFiles(ctx, p, g, set)
	if err != nil {
		return err
	}
	for _, mod := range mods {
		sum := strings.TrimSuffix(mod, ".mod") + ".sum"
		s.files = append(s.files, p.rel(mod), p.rel(sum))
		said, err := g.edited(ctx, p, "mod", mod)
		if err != nil {
			return err
		}
		// Relative to the go.mod file of the module, whatever -modfile says.
		dir := filepath.Dir(mod)
		if s.goMod != "" && s.goWork == "" {
			dir = filepath.Dir(set["GOMOD"])
		}
		s.addLocal(p, dir, said)
	}
	return nil
}

// moduleFiles are the absolute go.mod files of the main modules. It adds the
// files of the workspace on its way.
func (s *sources) moduleFiles(ctx context.Context, p *plan, g *tool, set settings) (mods []string, err error) {
	if s.goMod != "" {
		mods = append(mods, set["GOMOD"])
	}
	for _, f := range moduleFlags(set["GOFLAGS"]) {
		if file, ok := strings.CutPrefix(f, "-modfile="); ok {
			mods = append(mods, p.abs(file))
		}
	}
	if s.goWork == "" {
		return mods, nil
	}
	work := set["GOWORK"]
	said, err := g.edited(ctx, p, "work", work)
	if err != nil {
		return nil, err
	}
	s.files = append(s.files, s.goWork, p.rel(work+".sum"))
	s.addLocal(p, filepath.Dir(work), said)
	for _, use := range said.Use {
		mods = append(mods, filepath.Join(join(filepath.Dir(work), use.DiskPath), "go.mod"))
	}
	return mods, nil
}

// addLocal adds what a go.mod or go.work in dir refers to: the go.mod of each
// folder that it replaces a module by (even one that gives no package to the
// target has a say in the versions of others), and its vendor folder.
func (s *sources) addLocal(p *plan, dir string, said edited) {
	s.files = append(s.files, p.rel(filepath.Join(dir, "vendor", "modules.txt")))
	for _, r := range said.Replace {
		if r.New.Version == "" {
			s.files = append(s.files, p.rel(filepath.Join(join(dir, r.New.Path), "go.mod")))
		}
	}
}

// join is path, taken from dir where it is relative.
func join(dir, path string) string {
	if path = filepath.FromSlash(path); filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// rel is file relative to the target's folder, with slashes; "" stays "".
func (p *plan) rel(file string) string {
	if file == "" {
		return ""
	}
	if r, err := filepath.Rel(p.Dir, file); err == nil {
		return filepath.ToSlash(r)
	}
	return filepath.ToSlash(file) // another drive
}

// abs is the reverse of rel.
func (p *plan) abs(file string) string { return join(p.Dir, file) }

// below tells whether file lies in dir, at any depth.
func below(dir, file string) bool {
	return dir != "" && strings.HasPrefix(file, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

// findUp is the nearest file of that name in the target's folder or one above
// it, as the go command looks for go.mod and go.work, relative to that folder.
func (p *plan) findUp(name string) string {
	for dir := p.Dir; ; dir = filepath.Dir(dir) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return p.rel(file)
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// hashAll maps each input file to its hash, and those of files that do not
// exist to "".
func (p *plan) hashAll(packages []folder, files []string) (map[string]string, error) {
	hashes := map[string]string{}
	add := func(file string) error {
		hash, err := p.hashes.Of(file)
		if errors.Is(err, fs.ErrNotExist) {
			hash, err = "", nil
		}
		hashes[p.rel(file)] = hash
		return err
	}
	for _, f := range files {
		if err := add(p.abs(f)); err != nil {
			return nil, err
		}
	}
	for _, pkg := range packages {
		inputs, err := pkg.inputs(p.abs(pkg.Dir))
		if err != nil {
			return nil, err
		}
		for _, file := range inputs {
			if err := add(file); err != nil {
				return nil, err
			}
		}
	}
	return hashes, nil
}

// read are the kinds of files that the go command reads in a package folder.
var read = []string{
	".go", ".s", ".S", ".sx", ".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp",
	".hxx", ".f", ".F", ".for", ".f90", ".swig", ".swigcxx", ".syso",
}

// inputs are the files of a package folder that an executable may depend on.
// Files that build constraints leave out are among them, for their content
// decides whether they do. Tests are not.
func (f folder) inputs(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := e.Name()
		ignored := strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "_test.go")
		wanted := slices.Contains(read, path.Ext(name)) || name == "default.pgo"
		if wanted && !ignored && !e.IsDir() {
			files = append(files, filepath.Join(dir, name))
		}
	}
	for _, pattern := range f.Embed {
		matches, _, err := embedded(dir, strings.TrimPrefix(pattern, "all:"))
		if err != nil {
			return nil, err
		}
		files = append(files, matches...)
	}
	return files, nil
}

// embedded are the files that a go:embed pattern may mean, and the folders that
// were looked through for them. Go leaves some of the files out (hidden ones,
// nested modules); they do no harm here.
func embedded(dir, pattern string) (files, folders []string, err error) {
	roots, err := filepath.Glob(filepath.Join(escapeGlob(dir), filepath.FromSlash(pattern)))
	if err != nil {
		return nil, nil, fmt.Errorf("go:embed pattern %s: %w", pattern, err)
	}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
			case e.Type().IsRegular():
				files = append(files, file)
			case e.IsDir():
				folders = append(folders, file)
			}
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return files, folders, nil
}

// embeddedFolders are the folders in which a new file could be one that a go:embed
// pattern means. It fails for a pattern that chooses among folders.
func embeddedFolders(dir, pattern string) ([]string, error) {
	above, _ := path.Split(pattern)
	if strings.ContainsAny(above, `*?[\`) {
		return nil, fmt.Errorf("go:embed pattern %s chooses among folders", pattern)
	}
	_, folders, err := embedded(dir, pattern)
	return append(folders, filepath.Join(dir, filepath.FromSlash(above))), err
}

// escapeGlob takes a path literally, whatever it is called.
func escapeGlob(dir string) string {
	if filepath.Separator == '\\' {
		return dir // Windows paths cannot hold * and ?, and Glob knows no escapes there
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// hashBytes hashes parts so that their borders count.
func hashBytes(parts ...[]byte) string {
	h := sha256.New()
	for _, part := range parts {
		sum := sha256.Sum256(part)
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
