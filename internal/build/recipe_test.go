package build

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// spiedGo puts a go command on the PATH that notes what it is asked for.
func spiedGo(t *testing.T) (asked func() string) {
	t.Helper()
	path, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	log := filepath.Join(root, "log")
	script := "#!/bin/sh\necho \"$@\" >> '" + log + "'\nexec '" + path + "' \"$@\"\n"
	write(t, root, map[string]string{"bin/go": script, "VERSION": "spied"})
	if err := os.Chmod(filepath.Join(root, "bin/go"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Join(root, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return func() string {
		text, _ := os.ReadFile(log)
		os.Remove(log)
		return string(text)
	}
}

// prepare builds a function twice, with another body in a file each time, so that
// there is a recipe: the first time may compile other packages, whose places are not
// kept, and what Go's cache holds already is not compiled at all.
func prepare(t *testing.T, root, file string, tgt Target) {
	t.Helper()
	for range 2 {
		write(t, root, map[string]string{file: fmt.Sprintf("package main\n\nfunc init() { println(%d) }\n", time.Now().UnixNano())})
		mustBuild(t, tgt)
	}
	if _, err := os.Stat(tgt.Output + ".recipe.json"); err != nil {
		t.Fatal(err)
	}
}

// TestRecipe: what a recipe makes is, to the last byte, what the go command makes.
func TestRecipe(t *testing.T) {
	asked := spiedGo(t)
	root := filepath.Join(t.TempDir(), `a "strange" folder`)
	write(t, root, app)
	write(t, root, map[string]string{"app/functions/hello/main.go": strings.ReplaceAll(app["app/functions/hello/main.go"], "//go:embed data\n", "")})
	tgt := target(root, "hello")
	prepare(t, root, "app/functions/hello/more.go", tgt)
	asked()
	write(t, root, map[string]string{"app/functions/hello/more.go": "package main\n\nfunc init() { println(3); println(4) }\n"})
	mustBuild(t, tgt)
	if calls := asked(); strings.Contains(calls, "build") {
		t.Errorf("the go command was asked for: %s", calls)
	}
	made := readBootstrap(t, tgt)
	if got := said(t, tgt); got != "3\n4\nhello  1" {
		t.Errorf("it says %q", got)
	}
	os.RemoveAll(filepath.Join(root, "out"))
	mustBuild(t, tgt)
	if !bytes.Equal(made, readBootstrap(t, tgt)) {
		t.Error("the go command makes another executable")
	}
}

// TestNoRecipe: the go command is asked where more than a body has changed, or where
// the main package is more than Go source.
func TestNoRecipe(t *testing.T) {
	const main = "app/functions/hello/main.go"
	plain := strings.ReplaceAll(app[main], "//go:embed data\n", "")
	tests := map[string]struct {
		before, change map[string]string
		says           string
	}{
		"another import":     {nil, map[string]string{main: strings.Replace(plain, "import (", "import (\n\t_ \"strings\"\n", 1)}, "hello  1"},
		"a new file":         {nil, map[string]string{"app/functions/hello/new.go": "package main\nfunc init() { println(5) }"}, "5\nhello  1"},
		"another package":    {nil, map[string]string{"app/greet/greet.go": "package greet\n\nvar Word = \"bye\"\n"}, "bye  1"},
		"both":               {nil, map[string]string{"app/greet/greet.go": "package greet\n\nvar Word = \"bye\"\n", main: plain + "\nfunc init() { println(6) }"}, "6\nbye  1"},
		"go.mod":             {nil, map[string]string{"app/go.mod": app["app/go.mod"] + "\n// more\n", main: plain + "\nfunc init() { println(7) }"}, "7\nhello  1"},
		"an embedded file":   {map[string]string{main: app[main]}, map[string]string{"app/functions/hello/data": "new"}, "hello new 1"},
		"an embedding body":  {map[string]string{main: app[main]}, map[string]string{main: app[main] + "\nfunc init() { println(8) }"}, "8\nhello data\n 1"},
		"assembly":           {map[string]string{"app/functions/hello/a_amd64.s": "TEXT ·nop(SB),4,$0-0\n\tRET\n", "app/functions/hello/a_arm64.s": "TEXT ·nop(SB),4,$0-0\n\tRET\n"}, map[string]string{main: plain + "\nfunc nop()\nfunc init() { nop(); println(9) }"}, "9\nhello  1"},
		"a compiler's error": {nil, map[string]string{main: plain + "\nfunc init() { x }"}, "error"},
	}
	asked := spiedGo(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, app)
			write(t, root, map[string]string{main: plain})
			write(t, root, tt.before)
			tgt := target(root, "hello")
			if tt.before == nil {
				prepare(t, root, "app/functions/hello/more.go", tgt)
			}
			write(t, root, map[string]string{"app/functions/hello/more.go": "package main\n\nfunc init() {}\n"})
			mustBuild(t, tgt)
			asked()
			write(t, root, tt.change)
			_, err := Go(t.Context(), tgt)
			if calls := asked(); !strings.Contains(calls, "build") {
				t.Error("the go command was not asked")
			}
			if (err != nil) != (tt.says == "error") {
				t.Fatal(err)
			}
			if err != nil {
				if strings.Contains(err.Error(), "WORK") || !strings.Contains(err.Error(), "undefined: x") {
					t.Error(err)
				}
				return
			}
			if got := said(t, tgt); got != tt.says {
				t.Errorf("it says %q, want %q", got, tt.says)
			}
		})
	}
}

// TestRecipeWithoutArchive: Go's build cache was cleared meanwhile.
func TestRecipeWithoutArchive(t *testing.T) {
	root := t.TempDir()
	write(t, root, app)
	tgt := target(root, "other")
	prepare(t, root, "app/functions/other/more.go", tgt)
	write(t, root, map[string]string{"app/functions/other/more.go": "package main\n\nfunc init() { println(3) }\n"})
	file := tgt.Output + ".recipe.json"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r recipe
	if err := json.Unmarshal(text, &r); err != nil || len(r.Archives) == 0 {
		t.Fatal("no archive is named: ", err)
	}
	broken := strings.ReplaceAll(string(text), r.Archives[0], r.Archives[0]+"-gone")
	if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	mustBuild(t, tgt)
	if got := said(t, tgt); got != "3\nother" {
		t.Errorf("it says %q", got)
	}
}

func TestParseRecipe(t *testing.T) {
	const good = "WORK=/tmp/w1\nmkdir -p $WORK/b001/\ncat >/tmp/w1/b001/importcfg << 'EOF' # internal\n# import config\npackagefile fmt=/c/f-d\nEOF\n" +
		"cd /a b\n/go/compile -o $WORK/b001/_pkg_.a -trimpath \"/a b=>x;$WORK/b001=>\" -pack ./main.go\n" +
		"cat >/tmp/w1/b001/importcfg.link << 'EOF' # internal\npackagefile x=$WORK/b001/_pkg_.a\npackagefile fmt=/c/f-d\nEOF\ncd .\nGOROOT='' /go/link -o $WORK/b001/exe/a.out $WORK/b001/_pkg_.a\n"
	r, err := parseRecipe(good)
	if err != nil {
		t.Fatal(err)
	}
	if r.Compile.Dir != "/a b" || r.Link.Dir != "/a b" || r.Compile.Args[4] != "/a b=>x;$WORK/b001=>" || r.Link.Env[0] != "GOROOT=" ||
		len(r.Archives) != 1 || r.Configs["$WORK/b001/importcfg"] != "# import config\npackagefile fmt=/c/f-d\n" {
		t.Errorf("got %+v", r)
	}
	for what, text := range map[string]string{
		"nothing":                "",
		"no link":                good[:strings.Index(good, "cd .")],
		"a file without end":     good[:strings.Index(good, "EOF\n")],
		"a second package":       strings.Replace(good, "fmt=/c/f-d", "fmt=$WORK/b002/_pkg_.a", 1),
		"one compiled before":    strings.Replace(good, "fmt=/c/f-d", "fmt=/tmp/w1/b002/_pkg_.a", 1),
		"two compilers":          strings.Replace(good, "cd .\n", "/go/compile -o $WORK/b002/_pkg_.a x.go\n", 1),
		"an embedded file":       strings.Replace(good, "-pack", "-embedcfg e -pack", 1),
		"another quotation":      strings.Replace(good, "./main.go", "'main.go'", 1),
		"an open quotation":      strings.Replace(good, "=>\" -pack", "=> -pack", 1),
		"a command from PATH":    strings.Replace(good, "/go/compile -o", "x/compile -o", 1),
		"a relative place":       strings.Replace(good, "cd /a b", "cd b", 1),
		"another config as well": strings.Replace(good, "cd .", "cat >/tmp/w1/b001/embedcfg << 'EOF'\nEOF\ncd .", 1),
	} {
		if r, err := parseRecipe(text); err == nil {
			t.Errorf("%s: got %+v", what, r)
		}
	}
}

func FuzzParseRecipe(f *testing.F) {
	f.Add("WORK=/w\ncd /a\n/go/compile -o $WORK/x \"a\\n\" b\nA='' /go/link -o $WORK/y\ncat >/w/b001/importcfg << 'EOF'\npackagefile a=b\nEOF\n")
	f.Fuzz(func(t *testing.T, printed string) {
		if r, err := parseRecipe(printed); err == nil && (len(r.Compile.Args) == 0 || len(r.Link.Args) == 0 || len(r.Configs) != 2) {
			t.Errorf("%+v", r)
		}
	})
}
