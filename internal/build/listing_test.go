package build

import (
	"os"
	"path/filepath"
	"testing"
)

// TestHeader: what leaves the header of a file as it is cannot change what a
// program is made of.
func TestHeader(t *testing.T) {
	const file = "//go:build !other\n\npackage main\n\nimport (\n\t_ \"embed\"\n\t\"fmt\"\n)\n\n//go:embed data\nvar data string\n\nfunc main() { fmt.Println(data) }\n"
	header := func(t *testing.T, text string) string {
		t.Helper()
		name := filepath.Join(t.TempDir(), "x.go")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Header(name)
	}
	base := header(t, file)
	if base == "" {
		t.Fatal("no header")
	}
	for name, test := range map[string]struct {
		from, to string
		same     bool
	}{
		"a body":             {"fmt.Println(data)", "fmt.Print(data, 1)", true},
		"a comment":          {"func main", "// main greets.\nfunc main", true},
		"an import's name":   {"\t\"fmt\"", "\tfmt \"fmt\"", true},
		"an import":          {"\t\"fmt\"", "\t\"os\"\n\t\"fmt\"", false},
		"the package":        {"package main", "package other", false},
		"the constraint":     {"!other", "!another", false},
		"the old constraint": {"package main", "// +build linux\n\npackage main", false},
		"an embedded file":   {"embed data", "embed datum", false},
		"one more":           {"func main", "//go:embed more\nvar more string\n\nfunc main", false},
		"C":                  {"\t\"fmt\"", "\t\"fmt\"\n\t\"C\"", false},
		"no Go":              {"import (", "import {", false},
	} {
		t.Run(name, func(t *testing.T) {
			changed := replaceOnce(t, file, test.from, test.to)
			if got := header(t, changed); (got == base) != test.same {
				t.Errorf("same: %v, want %v", got == base, test.same)
			}
		})
	}
	if Header(filepath.Join(t.TempDir(), "none.go")) != "" {
		t.Error("a file that is not there has a header")
	}
}

func replaceOnce(t *testing.T, text, from, to string) string {
	t.Helper()
	for i := 0; i+len(from) <= len(text); i++ {
		if text[i:i+len(from)] == from {
			return text[:i] + to + text[i+len(from):]
		}
	}
	t.Fatalf("%q is not in it", from)
	return ""
}

// TestRecall: builds that ask the go command nothing see each change all the same.
func TestRecall(t *testing.T) {
	root := t.TempDir()
	write(t, root, app)
	tgt := target(root, "hello")
	mustBuild(t, tgt)
	step := func(name string, files map[string]string, recalled bool, want string) {
		t.Helper()
		write(t, root, files)
		p, err := newPlan(tgt)
		if err != nil {
			t.Fatal(err)
		}
		tool, err := findTool()
		if err != nil {
			t.Fatal(err)
		}
		set, err := tool.settings(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.recall(tool, set, nil) != nil; got != recalled {
			t.Errorf("%s: recalled: %v, want %v", name, got, recalled)
		}
		mustBuild(t, tgt)
		if got := said(t, tgt); got != want {
			t.Errorf("%s: says %q, want %q", name, got, want)
		}
	}
	step("a body", map[string]string{"app/greet/greet.go": "package greet\n\nvar Word = \"hi\"\n"}, true, "hi data\n 1")
	step("a replaced module", map[string]string{"lib/lib.go": "package lib\n\nconst Version = \"2\"\n"}, true, "hi data\n 2")
	step("embedded data", map[string]string{"app/functions/hello/data": "more"}, false, "hi more 2")
	step("a new import", map[string]string{
		"app/deep/deep.go":   "package deep\n\nconst Word = \"deep\"\n",
		"app/greet/greet.go": "package greet\n\nimport \"example.com/app/deep\"\n\nvar Word = deep.Word\n",
	}, false, "deep more 2")
	step("what it leads to", map[string]string{"app/deep/deep.go": "package deep\n\nconst Word = \"deeper\"\n"}, true, "deeper more 2")
	step("a new file", map[string]string{"app/deep/init.go": "package deep\n\nfunc init() { print(\"! \") }\n"}, false, "! deeper more 2")
	step("go.mod", map[string]string{"app/go.mod": app["app/go.mod"] + "\n// a comment\n"}, false, "! deeper more 2")
	if err := os.Remove(filepath.Join(root, "app", "deep", "init.go")); err != nil {
		t.Fatal(err)
	}
	step("a deleted file", nil, false, "deeper more 2")
}
