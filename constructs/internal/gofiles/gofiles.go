// Package gofiles tells which package the Go files of a folder are. It says no
// more than is certain, and so does without go/build, which a CDK app would have
// to link.
package gofiles

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Package is the name of the package that is compiled of a folder for Linux and a
// GOARCH, with tags of one's own and without cgo. It is "" where no file is
// compiled. Known is false where the go command alone can tell.
func Package(folder, goarch string, tags []string) (name string, known bool) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", false
	}
	set := append(tagSet{"linux", "unix", "gc", goarch}, tags...)
	for _, e := range entries {
		if e.IsDir() || !isSource(e.Name()) || !set.hasName(e.Name()) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, e.Name()), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return "", false
		}
		compiled, known := set.hasFile(file)
		switch {
		case !known:
			return "", false
		case !compiled:
		case name != "" && name != file.Name.Name:
			return "", false
		default:
			name = file.Name.Name
		}
	}
	return name, true
}

func isSource(name string) bool {
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && name[0] != '_' && name[0] != '.'
}

// A tagSet is the build tags that are set.
type tagSet []string

// leastGo is the minor version of the first Go that gets itself a newer one where
// a module needs that: an older one compiles no app with Bailey.
const leastGo = 21

// has does not know the tags of newer versions of Go, of experiments and of
// processors' features.
func (s tagSet) has(tag string) (set, known bool) {
	if slices.Contains(s, tag) {
		return true, true
	}
	if minor, ok := strings.CutPrefix(tag, "go1."); ok {
		if n, err := strconv.Atoi(minor); err == nil && n <= leastGo {
			return true, true
		}
	}
	return false, !strings.Contains(tag, ".")
}

// The operating systems and architectures that a file's name can end with. Source:
// Go's internal/syslist, from which nothing is ever removed.
var (
	systems       = strings.Fields("aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos")
	architectures = strings.Fields("386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm")
)

// hasName tells whether the end of a file's name, such as _linux_arm64.go, is that
// of what is compiled for. A name without more, such as linux.go, says nothing.
func (s tagSet) hasName(name string) bool {
	name, _, _ = strings.Cut(name, ".")
	parts := strings.Split(name, "_")[1:]
	last := len(parts) - 1
	switch {
	case last < 0:
		return true
	case slices.Contains(systems, parts[last]):
		return slices.Contains(s, parts[last])
	case !slices.Contains(architectures, parts[last]):
		return true
	case last > 0 && slices.Contains(systems, parts[last-1]) && !slices.Contains(s, parts[last-1]):
		return false
	}
	return slices.Contains(s, parts[last])
}

// hasFile tells whether a file's //go:build line lets it be compiled. It does not
// know that of the lines of old, // +build, which the go command follows in old
// modules alone.
func (s tagSet) hasFile(file *ast.File) (compiled, known bool) {
	compiled, known = true, true
	var expression constraint.Expr
	for _, group := range file.Comments {
		for _, comment := range group.List {
			old := constraint.IsPlusBuild(comment.Text)
			if comment.Pos() > file.Package || !old && !constraint.IsGoBuild(comment.Text) {
				continue
			}
			parsed, err := constraint.Parse(comment.Text)
			if old || err != nil || expression != nil {
				return false, false
			}
			expression = parsed
			compiled = expression.Eval(func(tag string) bool {
				set, certain := s.has(tag)
				known = known && certain
				return set
			})
		}
	}
	return compiled, known
}
