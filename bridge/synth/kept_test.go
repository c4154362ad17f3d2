package synth_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/synth"
)

// kept is the compiled apps of the project, as folders named by their source.
func (p *project) kept() (names []string) {
	p.t.Helper()
	entries, err := os.ReadDir(filepath.Join(p.dir, ".bailey", "app"))
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestKeptProgram: a run without a change of the source compiles nothing, and one
// with a change never runs what was compiled before.
func TestKeptProgram(t *testing.T) {
	// Each source prints itself, so that the assembly tells which one was run.
	text := func(s string) string { return "package part\n\nconst Text = \"" + s + "\"\n" }
	steps := map[string]struct {
		change func(*project)
		keeps  bool
		want   string
	}{
		"nothing":    {func(p *project) { p.options.Force = true }, true, "1dev"},
		"a variable": {func(p *project) { p.options.Env = append(p.options.Env, "STAGE=prod") }, true, "1prod"},
		"an asset":   {func(p *project) { p.write("assets/page.html", "<b>") }, true, "1dev"},
		"a body":     {func(p *project) { p.write("part/part.go", text("2")) }, false, "2dev"},
		"a new file in the package": {func(p *project) {
			p.write("part/part.go", "package part\n")
			p.write("part/other.go", text("3"))
		}, false, "3dev"},
		"a deleted file": {func(p *project) {
			p.write("part/part_linux.go", "package part\n\nfunc init() {}\n")
			p.synth()
			os.Remove(filepath.Join(p.dir, "part", "part_linux.go"))
		}, true, "1dev"},
		"a new package": {func(p *project) {
			p.write("deep/deep.go", "package deep\n\nconst Text = \"4\"\n")
			p.write("part/part.go", "package part\n\nimport \"example.com/app/deep\"\n\nconst Text = deep.Text\n")
			p.synth()
			// which is an input from now on
			p.write("deep/deep.go", "package deep\n\nconst Text = \"5\"\n")
		}, false, "5dev"},
		"an embedded file": {func(p *project) {
			p.write("part/text.txt", "6")
			p.write("part/part.go", "package part\n\nimport _ \"embed\"\n\n//go:embed text.txt\nvar Text string\n")
			p.synth()
			p.write("part/text.txt", "7")
		}, false, "7dev"},
		"a new match of an embedded pattern": {func(p *project) {
			p.write("part/a.txt", "8")
			p.write("part/part.go", "package part\n\nimport \"embed\"\n\n//go:embed *.txt\nvar files embed.FS\n\nvar Text = func() string { e, _ := files.ReadDir(\".\"); return string(rune('0' + len(e))) }()\n")
			p.synth()
			p.write("part/b.txt", "9")
		}, false, "2dev"},
		"a build tag in GOFLAGS": {func(p *project) {
			p.write("part/part.go", "//go:build !other\n\n"+text("a"))
			p.write("part/part2.go", "//go:build other\n\n"+text("b"))
			p.synth()
			p.options.Env = append(p.options.Env, "GOFLAGS=-tags=other")
		}, false, "bdev"},
		"go.work with a module in its place": {func(p *project) {
			p.write("lib/go.mod", "module example.com/app/part\n\ngo 1.24\n")
			p.write("lib/part.go", text("c"))
			os.RemoveAll(filepath.Join(p.dir, "part"))
			p.write("go.work", "go 1.24\n\nuse .\nuse ./lib\n")
		}, false, "cdev"},
		"a replaced module": {func(p *project) {
			p.write("lib/go.mod", "module example.com/lib\n\ngo 1.24\n")
			p.write("lib/lib.go", "package lib\n\nconst Text = \"d\"\n")
			p.write("go.mod", "module example.com/app\n\ngo 1.24\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ./lib\n")
			p.write("part/part.go", "package part\n\nimport \"example.com/lib\"\n\nconst Text = lib.Text\n")
			p.synth()
			p.write("lib/lib.go", "package lib\n\nconst Text = \"e\"\n")
		}, false, "edev"},
		"a link to a file": {func(p *project) {
			p.write("texts/one", text("f"))
			os.Remove(filepath.Join(p.dir, "part", "part.go"))
			if err := os.Symlink("../texts/one", filepath.Join(p.dir, "part", "part.go")); err != nil {
				p.t.Fatal(err)
			}
			p.synth()
			p.write("texts/one", text("g"))
		}, true, "gdev"}, // source behind a link is compiled each time, and not kept
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t)
			p.synth()
			before := p.kept()
			if len(before) != 1 || strings.HasPrefix(before[0], ".") {
				t.Fatalf("kept: %v", before)
			}
			step.change(p)
			p.synth()
			if got := p.read(filepath.Join(p.dir, ".bailey", "cdk.out", "Stack.template.json")); got != step.want {
				t.Errorf("the app printed %q, want %q", got, step.want)
			}
			if after := p.kept(); len(after) != 1 || slices.Equal(after, before) != step.keeps {
				t.Errorf("kept: %v, before: %v", after, before)
			}
		})
	}
}

// TestNotKept: what depends on more than its inputs is compiled by the go command
// each time.
func TestNotKept(t *testing.T) {
	tests := map[string]func(*project){
		"an overlay": func(p *project) {
			p.write("overlay.json", `{"Replace":{"`+filepath.Join(p.dir, "part", "part.go")+`":"`+filepath.Join(p.dir, "texts", "one")+`"}}`)
			p.write("texts/one", "package part\n\nconst Text = \"1\"\n")
			p.options.Env = append(p.options.Env, "GOFLAGS=-overlay="+filepath.Join(p.dir, "overlay.json"))
		},
		"C code": func(p *project) {
			p.write("part/c.go", "package part\n\n// int one() { return 1; }\nimport \"C\"\n\nvar One = C.one()\n")
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			p := newProject(t)
			change(p)
			for range 2 {
				if !p.synth() {
					t.Error("the app was not run")
				}
			}
			if kept := p.kept(); len(kept) > 0 {
				t.Errorf("kept: %v", kept)
			}
		})
	}
}

// TestCompileFailure: a failed build leaves the last good assembly, its record and
// its program, and the way back to them costs nothing.
func TestCompileFailure(t *testing.T) {
	p := newProject(t)
	p.synth()
	kept := p.kept()
	p.write("part/part.go", "package part\n\nconst Text = 1 +\n")
	_, err := synth.Run(t.Context(), p.options)
	if err == nil || !strings.Contains(err.Error(), "part/part.go:") || !strings.Contains(err.Error(), "syntax error") {
		t.Errorf("error: %v", err)
	}
	p.write("part/part.go", "package part\n\nconst Text = \"1\"\n")
	if p.synth() || !slices.Equal(p.kept(), kept) {
		t.Errorf("kept: %v, before: %v", p.kept(), kept)
	}
}
