package build

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// app is a small app: two functions that share a package, a data file, a
// module that go.mod replaces by a folder.
var app = map[string]string{
	"app/go.mod":                    "module example.com/app\n\ngo 1.26\n\nrequire example.com/lib v1.0.0\n\nreplace example.com/lib => ../lib\n",
	"app/functions/hello/main.go":   "package main\n\nimport (\n\t_ \"embed\"\n\n\t\"example.com/app/greet\"\n\t\"example.com/lib\"\n)\n\n//go:embed data\nvar data string\n\nfunc main() { println(greet.Word, data, lib.Version) }\n",
	"app/functions/hello/data":      "data\n",
	"app/functions/hello/x_test.go": "package main\n",
	"app/functions/hello/README":    "about\n",
	"app/functions/other/main.go":   "package main\n\nfunc main() { println(\"other\") }\n",
	"app/greet/greet.go":            "package greet\n\nvar Word = \"hello\"\n",
	"lib/go.mod":                    "module example.com/lib\n\ngo 1.26\n",
	"lib/lib.go":                    "package lib\n\nconst Version = \"1\"\n",
}

func write(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// target builds the function for the host, so that it can be run.
func target(root, name string) Target {
	return Target{
		Dir:          filepath.Join(root, "app"),
		Package:      "./functions/" + name,
		OS:           runtime.GOOS,
		Architecture: HostArchitecture(),
		Output:       filepath.Join(root, "out", name),
	}
}

func mustBuild(t *testing.T, target Target) Result {
	t.Helper()
	result, err := Go(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func said(t *testing.T, target Target) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(target.Output, Bootstrap)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func readBootstrap(t *testing.T, target Target) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(target.Output, Bootstrap))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOutput(t *testing.T) {
	root := t.TempDir()
	write(t, root, app)
	tgt := target(root, "hello")
	tgt.OS = ""
	tgt.Tags = []string{"zeta", "alpha", "zeta"}
	for arch, machine := range map[string]elf.Machine{"arm64": elf.EM_AARCH64, "x86_64": elf.EM_X86_64} {
		tgt.Architecture = arch
		mustBuild(t, tgt)

		entries, err := os.ReadDir(tgt.Output)
		if err != nil || len(entries) != 1 || entries[0].Name() != Bootstrap {
			t.Fatalf("output folder holds %v (%v), want bootstrap alone", entries, err)
		}
		if info, _ := entries[0].Info(); info.Mode() != 0o755 {
			t.Errorf("mode %v, want -rwxr-xr-x", info.Mode())
		}
		beside, _ := fs.Glob(os.DirFS(filepath.Dir(tgt.Output)), "hello.*.json") // .hashes after a build of seconds
		if !slices.Equal(beside, []string{"hello.inputs.json", "hello.listing.json"}) {
			t.Errorf("beside the output: %v", beside)
		}
		file, err := elf.Open(filepath.Join(tgt.Output, Bootstrap))
		if err != nil {
			t.Fatal(err)
		}
		if file.Machine != machine {
			t.Errorf("%s: machine %v", arch, file.Machine)
		}
		if libs, _ := file.ImportedLibraries(); len(libs) != 0 || file.Section(".interp") != nil {
			t.Errorf("%s: not static: %v", arch, libs)
		}
		if file.Section(".symtab") != nil || file.Section(".debug_info") != nil {
			t.Errorf("%s: not stripped", arch)
		}
		file.Close()
		info, err := buildinfo.ReadFile(filepath.Join(tgt.Output, Bootstrap))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range info.Settings {
			if s.Key == "-tags" && s.Value != "alpha,lambda.norpc,zeta" {
				t.Errorf("tags %q", s.Value)
			}
		}
	}
}

// TestReproducible builds copies of one source in other folders, with the
// user's build cache and an empty one, and with an environment that would change
// the bytes of a plain go build.
func TestReproducible(t *testing.T) {
	environments := []map[string]string{
		{},
		{
			"GOFLAGS":         "-race -tags=other -ldflags=-X=main.x=y -gcflags=-N -mod=readonly",
			"GOAMD64":         "v3",
			"GOARM64":         "v9.0",
			"GOEXPERIMENT":    "nojsonv2",
			"GOFIPS140":       "latest",
			"CGO_ENABLED":     "1",
			"XDG_CONFIG_HOME": "settings", // where "go env -w" writes on Linux
		},
	}
	for _, arch := range []string{"arm64", "x86_64"} {
		t.Run(arch, func(t *testing.T) {
			var first []byte
			for i, env := range environments {
				root := filepath.Join(t.TempDir(), strings.Repeat("deeper/", i), "root")
				write(t, root, app)
				if i > 0 { // the first takes what the user's cache has
					t.Setenv("GOCACHE", filepath.Join(t.TempDir(), "cache"))
				}
				for name, value := range env {
					if name == "XDG_CONFIG_HOME" {
						value = filepath.Join(root, value)
						write(t, root, map[string]string{"settings/go/env": "GOFLAGS=-race\nGOAMD64=v4\n"})
					}
					t.Setenv(name, value)
				}
				tgt := target(root, "hello")
				tgt.OS, tgt.Architecture = "", arch
				mustBuild(t, tgt)
				data := readBootstrap(t, tgt)
				if bytes.Contains(data, []byte(root)) {
					t.Errorf("the executable names the folder of its source")
				}
				if i == 0 {
					first = data
				} else if !bytes.Equal(first, data) {
					t.Errorf("copy %d gave other bytes (%d, %d)", i, len(first), len(data))
				}
			}
		})
	}
}

// TestCache changes one thing at a time.
func TestCache(t *testing.T) {
	const main = "app/functions/hello/main.go"
	tests := []struct {
		name   string
		change func(t *testing.T, root string, tgt *Target)
		cached bool
		says   string // the function's own words after the second build
	}{
		{"nothing", func(*testing.T, string, *Target) {}, true, ""},
		{"a time stamp", func(t *testing.T, root string, _ *Target) {
			now := time.Now().Add(time.Hour)
			if err := os.Chtimes(filepath.Join(root, main), now, now); err != nil {
				t.Fatal(err)
			}
		}, true, ""},
		{"a test", edit("app/functions/hello/x_test.go", "package main // changed"), true, ""},
		{"a file that go does not read", edit("app/functions/hello/README", "changed"), true, ""},
		{"another function", edit("app/functions/other/main.go", "package main\nfunc main() {}"), true, ""},
		{"the main package", edit(main, "package main\nfunc main() { println(`new`) }"), false, "new"},
		{"content with size and time kept", func(t *testing.T, root string, _ *Target) {
			file := filepath.Join(root, "app/greet/greet.go")
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.OpenFile(file, os.O_WRONLY, 0) // the inode too
			if err != nil {
				t.Fatal(err)
			}
			f.WriteString("package greet\n\nvar Word = \"HELLO\"\n")
			f.Close()
			os.Chtimes(file, info.ModTime(), info.ModTime())
		}, false, "HELLO data\n 1"},
		{"an embedded file", edit("app/functions/hello/data", "new"), false, "hello new 1"},
		{"a new file in a package", edit("app/greet/init.go", "package greet\nfunc init() { Word = `init` }"), false, "init data\n 1"},
		{"a file that is gone", func(t *testing.T, root string, _ *Target) {
			write(t, root, map[string]string{"app/functions/hello/main2.go": ""})
		}, false, "error"},
		{"a replaced module", edit("lib/lib.go", "package lib\nconst Version = `2`"), false, "hello data\n 2"},
		{"a profile", edit("app/functions/hello/default.pgo", "not a profile"), false, "error"},
		{"go.mod", edit("app/go.mod", app["app/go.mod"]+"\n// changed\n"), false, ""},
		{"go.mod of a replaced module", edit("lib/go.mod", "module example.com/lib\n\ngo 1.25\n"), false, ""},
		{"go.sum", edit("app/go.sum", "\n"), false, ""},
		{"a nested go.mod", edit("app/greet/go.mod", "module example.com/app/greet\n"), false, "error"},
		{"a go.work", edit("go.work", "go 1.26\n\nuse ./app\n"), false, ""},
		{"a vendor folder", edit("app/vendor/modules.txt", "# example.com/lib v1.0.0 => ../lib\n## explicit; go 1.26\nexample.com/lib\n# example.com/lib => ../lib\n"), false, "error"},
		{"tags", func(_ *testing.T, _ string, tgt *Target) { tgt.Tags = []string{"x"} }, false, ""},
		{"the same tags otherwise", func(_ *testing.T, _ string, tgt *Target) { tgt.Tags = []string{"lambda.norpc"} }, true, ""},
		{"the executable", edit("out/hello/bootstrap", "#!/bin/sh\necho false\n"), false, "hello data\n 1"},
		{"the executable is gone", func(t *testing.T, _ string, tgt *Target) {
			os.RemoveAll(tgt.Output)
		}, false, "hello data\n 1"},
		{"the record is broken", edit("out/hello.inputs.json", "{"), false, "hello data\n 1"},
		{"the user's toolchain settings", func(t *testing.T, root string, _ *Target) {
			t.Setenv("GOFLAGS", "-mod=mod")
		}, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, app)
			tgt := target(root, "hello")
			if r := mustBuild(t, tgt); r.Cached {
				t.Fatal("the first build was cached")
			}
			tt.change(t, root, &tgt)
			r, err := Go(t.Context(), tgt)
			if r.Cached != tt.cached {
				t.Errorf("cached %v, want %v", r.Cached, tt.cached)
			}
			if (err != nil) != (tt.says == "error") {
				t.Fatalf("err %v", err)
			}
			if tt.says != "" && err == nil {
				if got := said(t, tgt); got != tt.says {
					t.Errorf("says %q, want %q", got, tt.says)
				}
			}
			if r, again := Go(t.Context(), tgt); err == nil && (again != nil || !r.Cached) {
				t.Errorf("third build: cached %v, %v", r.Cached, again)
			}
		})
	}
}

// TestSeal: once nothing has changed for a while, a seal says so, and breaks with
// each change.
func TestSeal(t *testing.T) {
	tests := map[string]struct {
		change func(*testing.T, string, *Target)
		cached bool
	}{
		"nothing":                         {func(*testing.T, string, *Target) {}, true},
		"another function":                {edit("app/functions/other/main.go", "package main\nfunc main() {}"), true},
		"a file that go does not read":    {edit("app/functions/hello/README", "changed"), true},
		"the main package":                {edit("app/functions/hello/main.go", "package main\nfunc main() {}"), false},
		"an embedded file":                {edit("app/functions/hello/data", "new"), false},
		"a file in an embedded folder":    {edit("app/functions/hello/web/deep/b", "new"), false},
		"a new file that a pattern means": {edit("app/functions/hello/two.txt", "new"), false},
		"a new file in a package":         {edit("app/greet/init.go", "package greet\n"), false},
		"a replaced module":               {edit("lib/lib.go", "package lib\nconst Version = `2`"), false},
		"go.sum":                          {edit("app/go.sum", "\n"), false},
		"a go.work":                       {edit("go.work", "go 1.26\n\nuse ./app\n"), false},
		"the executable":                  {edit("out/hello/bootstrap", ""), false},
		"the record":                      {edit("out/hello.inputs.json", "{"), false},
		"tags":                            {func(_ *testing.T, _ string, tgt *Target) { tgt.Tags = []string{"x"} }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			write(t, root, app)
			write(t, root, map[string]string{
				"app/functions/hello/web/deep/a": "a", "app/functions/hello/one.txt": "1",
				"app/functions/hello/files.go": "package main\nimport \"embed\"\n//go:embed all:web *.txt\nvar files embed.FS\n",
			})
			tgt := target(root, "hello")
			mustBuild(t, tgt)
			for range 100 {
				if _, err := os.Stat(tgt.Output + ".seal"); err == nil {
					break
				}
				time.Sleep(100 * time.Millisecond)
				mustBuild(t, tgt)
			}
			if _, err := os.Stat(tgt.Output + ".seal"); err != nil {
				t.Fatal(err)
			}
			tt.change(t, root, &tgt)
			if r := mustBuild(t, tgt); r.Cached != tt.cached {
				t.Errorf("cached %v, want %v", r.Cached, tt.cached)
			}
		})
	}
}

func edit(name, content string) func(*testing.T, string, *Target) {
	return func(t *testing.T, root string, _ *Target) { write(t, root, map[string]string{name: content}) }
}

// TestMoved builds in one folder and finds the result valid in another.
func TestMoved(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "here"), app)
	mustBuild(t, target(filepath.Join(root, "here"), "hello"))
	if err := os.MkdirAll(filepath.Join(root, "some/where"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(root, "here"), filepath.Join(root, "some/where/else")); err != nil {
		t.Fatal(err)
	}
	if r := mustBuild(t, target(filepath.Join(root, "some/where/else"), "hello")); !r.Cached {
		t.Error("built again after the folder was moved")
	}
}

// TestEmbed covers what a go:embed pattern may take in.
func TestEmbed(t *testing.T) {
	base := map[string]string{
		"app/go.mod":                     "module example.com/app\n",
		"app/functions/hello/main.go":    "package main\nimport \"embed\"\n//go:embed all:web *.txt\nvar files embed.FS\nfunc main() {\n\tall, _ := files.ReadDir(`web/deep`)\n\tprintln(len(all))\n}\n",
		"app/functions/hello/web/deep/a": "a",
		"app/functions/hello/one.txt":    "1",
	}
	for name, want := range map[string]bool{
		"web/deep/b":   false,
		"web/deep/a":   false,
		"web/.hidden":  false,
		"two.txt":      false,
		"two.text":     true,
		"webmore/file": true,
	} {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "a [strange] folder*")
			write(t, root, base)
			tgt := target(root, "hello")
			mustBuild(t, tgt)
			if r := mustBuild(t, tgt); !r.Cached {
				t.Fatal("built again")
			}
			write(t, root, map[string]string{"app/functions/hello/" + name: "new"})
			if r := mustBuild(t, tgt); r.Cached != want {
				t.Errorf("cached %v, want %v", r.Cached, want)
			}
		})
	}
}

// TestWorkspace builds a function whose package lies in another module of a
// workspace.
func TestWorkspace(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{
		"go.work":                     "go 1.26\n\nuse (\n\t./app\n\t./lib\n)\n",
		"app/go.mod":                  "module example.com/app\n\ngo 1.26\n",
		"app/functions/hello/main.go": "package main\nimport \"example.com/lib\"\nfunc main() { println(lib.Version) }\n",
		"lib/go.mod":                  "module example.com/lib\n\ngo 1.26\n",
		"lib/lib.go":                  "package lib\nconst Version = `1`\n",
	})
	tgt := target(root, "hello")
	mustBuild(t, tgt)
	for _, change := range []map[string]string{
		{"lib/lib.go": "package lib\nconst Version = `2`\n"},
		{"lib/go.mod": "module example.com/lib\n\ngo 1.25\n"},
		{"go.work": "go 1.26\n\nuse ./app\n\nuse ./lib\n"},
	} {
		if r := mustBuild(t, tgt); !r.Cached {
			t.Fatal("built again")
		}
		write(t, root, change)
		if r := mustBuild(t, tgt); r.Cached {
			t.Errorf("not built after %v changed", change)
		}
	}
	if got := said(t, tgt); got != "2" {
		t.Errorf("says %q", got)
	}
}

// TestVendor takes a dependency from the vendor folder, whose content no go.sum
// fixes.
func TestVendor(t *testing.T) {
	root := t.TempDir()
	write(t, root, app)
	write(t, root, map[string]string{
		"app/vendor/example.com/lib/lib.go": app["lib/lib.go"],
		"app/vendor/modules.txt":            "# example.com/lib v1.0.0 => ../lib\n## explicit; go 1.26\nexample.com/lib\n# example.com/lib => ../lib\n",
	})
	tgt := target(root, "hello")
	mustBuild(t, tgt)
	if r := mustBuild(t, tgt); !r.Cached {
		t.Error("built again")
	}
	write(t, root, map[string]string{"app/vendor/example.com/lib/lib.go": "package lib\nconst Version = `vendored`\n"})
	if r := mustBuild(t, tgt); r.Cached {
		t.Error("a change in the vendor folder was not noticed")
	}
	if got := said(t, tgt); got != "hello data\n vendored" {
		t.Errorf("says %q", got)
	}
}

// TestModuleCache takes a dependency from the module cache: go.sum fixes its
// files, so they are not read again.
func TestModuleCache(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{
		"app/go.mod":                           "module example.com/app\n\ngo 1.26\n\nrequire example.com/lib v1.0.0\n",
		"app/functions/hello/main.go":          "package main\nimport \"example.com/lib\"\nfunc main() { println(lib.Version) }\n",
		"proxy/example.com/lib/@v/v1.0.0.mod":  app["lib/go.mod"],
		"proxy/example.com/lib/@v/v1.0.0.info": `{"Version":"v1.0.0"}`,
	})
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range []string{"go.mod", "lib.go"} {
		f, err := z.Create("example.com/lib@v1.0.0/" + name)
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(app["lib/"+name]))
	}
	z.Close()
	write(t, root, map[string]string{"proxy/example.com/lib/@v/v1.0.0.zip": buf.String()})
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(root)+"/proxy")
	t.Setenv("GONOSUMDB", "*")
	t.Setenv("GOFLAGS", "-mod=mod -modcacherw")
	t.Setenv("GOMODCACHE", filepath.Join(root, "cache"))

	tgt := target(root, "hello")
	mustBuild(t, tgt)
	if r := mustBuild(t, tgt); !r.Cached {
		t.Error("built again")
	}
	if got := said(t, tgt); got != "1" {
		t.Errorf("says %q", got)
	}
	data, err := os.ReadFile(tgt.Output + ".inputs.json")
	if err != nil {
		t.Fatal(err)
	}
	r, err := parseRecord(data)
	if err != nil {
		t.Fatal(err)
	}
	if r.Inputs["go.sum"] == "" || r.Inputs["go.mod"] == "" {
		t.Error("go.mod and go.sum are not among the inputs")
	}
	for name := range r.Inputs {
		if strings.Contains(name, "cache") {
			t.Errorf("%s is an input", name)
		}
	}
}

func TestErrors(t *testing.T) {
	bad := map[string]string{
		"app/functions/bad/main.go":     "package main\n\nimport \"example.com/app/broken\"\n\nfunc main() { broken.Do() }\n",
		"app/broken/broken.go":          "package broken\n\nfunc Do() { undefinedName() }\n",
		"app/functions/syntax/main.go":  "package main\n\nfunc main() {\n",
		"app/functions/missing/main.go": "package main\n\nimport \"example.org/missing\"\n\nfunc main() { missing.Do() }\n",
		"app/functions/nomain/main.go":  "package main\n\nfunc handler() {}\n",
		"app/functions/tagged/main.go":  "//go:build never\n\npackage main\n\nfunc main() {}\n",
		"app/functions/empty/README":    "nothing\n",
		"outside/go.mod":                "module example.com/outside\n",
		"outside/main.go":               "package main\n\nfunc main() {}\n",
		"bare/main.go":                  "package main\n\nfunc main() {}\n",
		"app/out/full/notes":            "a user's\n",
	}
	tests := []struct {
		name   string
		change func(*Target)
		want   []string
	}{
		{"does not compile", pkg("./functions/bad"), []string{
			"./functions/bad does not compile (in $ROOT/app):\n# example.com/app/broken\nbroken/broken.go:3:13: undefined: undefinedName\ncorrect it and try again",
		}},
		{"syntax", pkg("./functions/syntax"), []string{"./functions/syntax does not compile", "\nfunctions/syntax/main.go:4:1: syntax error: unexpected EOF"}},
		{"missing module", pkg("./functions/missing"), []string{"functions/missing/main.go:3:8: no required module provides package example.org/missing; to add it:\n\tgo get example.org/missing", "run what go says above in $ROOT/app"}},
		{"no func main", pkg("./functions/nomain"), []string{"function main is undeclared in the main package", "add a func main that calls lambda.Start"}},
		{"build constraints", pkg("./functions/tagged"), []string{"build constraints exclude all Go files in functions/tagged"}},
		{"no Go files", pkg("./functions/empty"), []string{"./functions/empty cannot be found", "no Go files in functions/empty"}},
		{"no such folder", pkg("./functions/none"), []string{"./functions/none cannot be found (in $ROOT/app):\nstat functions/none: directory not found\nname a Go main package"}},
		{"no such import path", pkg("example.org/none"), []string{"no required module provides package example.org/none"}},
		{"not main", pkg("./greet"), []string{"cannot build ./greet (in $ROOT/app): it is package greet; a function is a package main"}},
		{"outside the module", pkg("../outside"), []string{"directory ../outside outside main module"}},
		{"several", pkg("./functions/..."), []string{"it matches ", "name one"}},
		{"a flag", pkg("-x"), []string{`cannot build the package "-x"`}},
		{"none", pkg(""), []string{`cannot build the package ""`}},
		{"no go.mod", func(t *Target) { t.Dir, t.Package = filepath.Join(t.Dir, "../bare"), "." }, []string{"cannot build .: there is no go.mod in $ROOT/bare or a folder above it; make one with: go mod init"}},
		{"no folder", func(t *Target) { t.Dir = filepath.Join(t.Dir, "none") }, []string{"its folder: ", "no such file or directory"}},
		{"architecture", func(t *Target) { t.Architecture = "amd64" }, []string{`for architecture "amd64": Lambda has arm64 and x86_64`}},
		{"tag", func(t *Target) { t.Tags = []string{"a,b"} }, []string{`build tag "a,b"`}},
		{"output", func(t *Target) { t.Output = "" }, []string{"no output folder"}},
		{"output in use", func(t *Target) { t.Output = filepath.Join(t.Dir, "out/full") }, []string{"the folder holds other files (notes)"}},
		{"output is a file", func(t *Target) { t.Output = filepath.Join(t.Dir, "go.mod") }, []string{"its output folder: ", "not a directory"}},
	}
	root := t.TempDir()
	write(t, root, app)
	write(t, root, bad)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tgt := target(root, "hello")
			tgt.Output = filepath.Join(t.TempDir(), "out")
			tt.change(&tgt)
			_, err := Go(t.Context(), tgt)
			if err == nil {
				t.Fatal("no error")
			}
			t.Log(err)
			for _, want := range tt.want {
				want = strings.ReplaceAll(want, "$ROOT", root)
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error\n%v\nlacks\n%s", err, want)
				}
			}
			if _, err := os.Stat(filepath.Join(tgt.Output, Bootstrap)); err == nil {
				t.Error("a bootstrap was left")
			}
		})
	}
}

func pkg(name string) func(*Target) { return func(t *Target) { t.Package = name } }

func TestNoGo(t *testing.T) {
	root := t.TempDir()
	write(t, root, app)
	t.Setenv("PATH", t.TempDir())
	_, err := Go(t.Context(), target(root, "hello"))
	if err == nil || !strings.HasPrefix(err.Error(), "there is no go command on the PATH") {
		t.Errorf("error %v", err)
	}
}

// TestKeepsLastGood breaks the source of a function that was built.
func TestKeepsLastGood(t *testing.T) {
	root := t.TempDir()
	write(t, root, app)
	tgt := target(root, "other")
	mustBuild(t, tgt)
	write(t, root, map[string]string{"app/functions/other/main.go": "package main\nfunc main() { x }"})
	var failed *CompileError
	if _, err := Go(t.Context(), tgt); !errors.As(err, &failed) || failed.Package != "./functions/other" {
		t.Fatalf("error %v", err)
	}
	if got := said(t, tgt); got != "other" {
		t.Errorf("says %q", got)
	}
	write(t, root, app)
	if r := mustBuild(t, tgt); !r.Cached {
		t.Error("built again after the edit was undone")
	}
}

func TestAll(t *testing.T) {
	root := t.TempDir()
	write(t, root, app)
	write(t, root, map[string]string{
		"app/functions/bad/main.go": "package main\nfunc main() { x }",
		"app/functions/sad/main.go": "package main\nfunc main() { y }",
	})
	var targets []Target
	for _, name := range []string{"bad", "hello", "sad", "bad", "other"} {
		targets = append(targets, target(root, name))
	}
	targets[3].Output += "-again"
	var told []string
	results, err := All(t.Context(), targets, func(r Result, err error) {
		told = append(told, r.Target.Package)
		if (err != nil) != strings.HasSuffix(r.Target.Package, "ad") {
			t.Errorf("%s: %v", r.Target.Package, err)
		}
	})
	if len(results) != len(targets) || len(told) != len(targets) {
		t.Fatalf("%d results, %d told", len(results), len(told))
	}
	for i, r := range results {
		if r.Target.Package != targets[i].Package || r.Duration <= 0 {
			t.Errorf("result %d is %+v", i, r)
		}
	}
	for _, text := range []string{"./functions/bad does not compile", "undefined: x", "./functions/sad does not compile", "undefined: y"} {
		if n := strings.Count(err.Error(), text); n != 1 {
			t.Errorf("%q is %d times in\n%v", text, n, err)
		}
	}
	if strings.Index(err.Error(), "/bad") > strings.Index(err.Error(), "/sad") {
		t.Error("the errors are not in the order of the targets")
	}
	if got := said(t, targets[1]) + "+" + said(t, targets[4]); got != "hello data\n 1+other" {
		t.Errorf("say %q", got)
	}
}

// TestConcurrent builds into one output at once while the executable runs.
func TestConcurrent(t *testing.T) {
	root := t.TempDir()
	write(t, root, app)
	tgt := target(root, "other")
	write(t, root, map[string]string{"app/functions/other/main.go": "package main\n\nimport \"os\"\n\nfunc main() { println(`old`); os.Stdin.Read(make([]byte, 1)); println(`still old`) }\n"})
	mustBuild(t, tgt)

	running := exec.Command(filepath.Join(tgt.Output, Bootstrap))
	stdin, _ := running.StdinPipe()
	var out bytes.Buffer
	running.Stderr = &out
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	write(t, root, map[string]string{"app/functions/other/main.go": "package main\nfunc main() { println(`new`) }\n"})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if _, err := Go(context.Background(), tgt); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	stdin.Close()
	if err := running.Wait(); err != nil || out.String() != "old\nstill old\n" {
		t.Errorf("the running function: %v, %q", err, out.String())
	}
	if got := said(t, tgt); got != "new" {
		t.Errorf("says %q", got)
	}
	if r := mustBuild(t, tgt); !r.Cached {
		t.Error("built again")
	}
	left, _ := fs.Glob(os.DirFS(filepath.Dir(tgt.Output)), "*")
	// Hashes are kept of files that have not changed for a while, if there are any, and
	// a recipe where the go command did not have the main package in its cache.
	left = slices.DeleteFunc(left, func(name string) bool { return name == "other.hashes" || name == "other.recipe.json" })
	if slices.Sort(left); !slices.Equal(left, []string{"other", "other.inputs.json", "other.listing.json"}) {
		t.Errorf("left: %v", left)
	}
}

// TestEditedDuringBuild puts a go command in between that edits the source
// after it was compiled, as a hasty user would.
func TestEditedDuringBuild(t *testing.T) {
	root := t.TempDir()
	write(t, root, app)
	tgt := target(root, "other")
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(root, "app/functions/other/main.go")
	script := "#!/bin/sh\n'" + real + "' \"$@\" || exit\n" +
		"if [ \"$1\" = build ] && [ ! -e '" + root + "/done' ]; then echo 'package main;func main() { println(`edited`) }' >'" + source + "'; : >'" + root + "/done'; fi\n"
	write(t, root, map[string]string{"bin/go": script})
	if err := os.Chmod(filepath.Join(root, "bin/go"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Join(root, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	mustBuild(t, tgt)
	if got := said(t, tgt); got != "other" {
		t.Fatalf("says %q: the edit came before the compilation", got)
	}
	if r := mustBuild(t, tgt); r.Cached {
		t.Error("the edit was missed")
	}
	if got := said(t, tgt); got != "edited" {
		t.Errorf("says %q", got)
	}
}

func TestCancel(t *testing.T) {
	root := t.TempDir()
	write(t, root, app)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Go(ctx, target(root, "hello"))
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the build of ./functions/hello was stopped") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, "out")); err == nil {
		if left, _ := os.ReadDir(filepath.Join(root, "out")); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}

func BenchmarkCached(b *testing.B) {
	root := b.TempDir()
	for name, content := range app {
		file := filepath.Join(root, filepath.FromSlash(name))
		os.MkdirAll(filepath.Dir(file), 0o755)
		os.WriteFile(file, []byte(content), 0o644)
	}
	// A handler of ordinary size: aws-lambda-go brings net/http too.
	os.WriteFile(filepath.Join(root, "app/greet/greet.go"), []byte("package greet\n\nimport \"net/http\"\n\nvar Word = http.MethodGet\n\nfunc init() { http.HandleFunc(`/`, nil) }\n"), 0o644)
	tgt := target(root, "hello")
	if _, err := Go(b.Context(), tgt); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(tgt.Output, Bootstrap))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if r, err := Go(b.Context(), tgt); err != nil || !r.Cached {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB")
}
