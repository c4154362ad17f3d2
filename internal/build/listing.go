package build

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/bailey-cdk/bailey/internal/atomicfile"
)

// Headers are the [Header]s of the Go files among hashes, which are by a name that
// path makes a path of.
func Headers(hashes map[string]string, path func(string) string) map[string]string {
	all := map[string]string{}
	for name := range hashes {
		if filepath.Ext(name) == ".go" {
			all[name] = Header(path(name))
		}
	}
	return all
}

// Header hashes what of a Go file has a say in which packages and files a program
// is made of: the package's name, the imports and the directives. It is "" for a
// file of which that cannot be told.
func Header(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
	if err != nil {
		return ""
	}
	h := sha256.New()
	h.Write([]byte(parsed.Name.Name + "\n"))
	for _, i := range parsed.Imports {
		if i.Path.Value == `"C"` {
			return "" // its comments are a program of their own
		}
		h.Write([]byte(i.Path.Value + "\n"))
	}
	for line := range bytes.Lines(text) {
		if bytes.Contains(line, []byte("//go:")) || bytes.Contains(line, []byte("+build")) {
			h.Write(line)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// SamePackages tells whether the go command would list the same packages and files
// for a program whose files have changed from was to now: nothing but the bodies of
// Go files has. Headers are those of was.
func SamePackages(was, now, headers map[string]string, path func(string) string) bool {
	if len(was) != len(now) {
		return false
	}
	for name, hash := range now {
		before, ok := was[name]
		switch {
		case !ok:
			return false
		case before == hash:
		case filepath.Ext(name) != ".go", hash == "", headers[name] == "", Header(path(name)) != headers[name]:
			return false
		}
	}
	return true
}

// listing is what the go command said of a target. It lies beside the record of
// the inputs and is of use on this machine alone.
type listing struct {
	// Key stands for all that the go command looked at beside the files.
	Key            string
	GoMod, GoWork  string
	Packages       []folder
	Files          []string
	Inputs, Header map[string]string
}

func (p *plan) listingFile() string { return p.Output + ".listing.json" }

// listingKey hashes the settings of the go command and what else it reads of the
// environment.
func (p *plan) listingKey(tool *tool, set settings) string {
	var env []string
	for _, e := range os.Environ() {
		if strings.HasPrefix(e, "GO") || strings.HasPrefix(e, "PATH=") || strings.HasPrefix(e, "HOME=") {
			env = append(env, e)
		}
	}
	text, err := json.Marshal([]any{recordVersion, tool.identity, p.Dir, p.Package, p.goos, p.goarch, p.flags(), set, env})
	if err != nil {
		return "" // strings have no way to fail
	}
	return hashBytes(text)
}

// recall gives the sources of the last build where the go command would list the
// same ones now, else nil.
func (p *plan) recall(tool *tool, set settings, env []string) *sources {
	text, err := os.ReadFile(p.listingFile())
	if err != nil {
		return nil
	}
	var l listing
	if json.Unmarshal(text, &l) != nil || l.Key != p.listingKey(tool, set) || len(l.Packages) == 0 {
		return nil
	}
	now, err := p.hashAll(l.Packages, l.Files)
	if err != nil || !SamePackages(l.Inputs, now, l.Header, p.abs) {
		return nil
	}
	return &sources{env: env, key: l.Key, goMod: l.GoMod, goWork: l.GoWork, packages: l.Packages, files: l.Files}
}

// remember keeps the sources of a build whose inputs are known.
func (p *plan) remember(s *sources, inputs map[string]string) {
	text, err := json.Marshal(listing{s.key, s.goMod, s.goWork, s.packages, s.files, inputs, Headers(inputs, p.abs)})
	if err == nil {
		_ = atomicfile.Write(p.listingFile(), text) // else the next build asks again
	}
}
