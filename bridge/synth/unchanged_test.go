package synth_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/synth"
)

// goApp is a CDK app as far as a synth can tell. It says that it ran in a file
// that is outside the project.
const goApp = `package main

import (
	"os"
	"path/filepath"

	"example.com/app/part"
)

func main() {
	out := os.Getenv("CDK_OUTDIR")
	write(filepath.Join(out, "manifest.json"), "{\"version\":\"48.0.0\"}")
	write(filepath.Join(out, "Stack.template.json"), part.Text+os.Getenv("STAGE"))
	write(filepath.Join(out, "asset.123", "NOT-BUILT.txt"), "")
	if from := os.Getenv("ASSET"); from != "" {
		data, err := os.ReadFile(from)
		if err != nil {
			panic(err)
		}
		write(filepath.Join(out, "asset.456", filepath.Base(from)), string(data))
	}
	f, err := os.OpenFile(os.Getenv("RUNS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	f.WriteString("x")
}

func write(file, text string) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		panic(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		panic(err)
	}
}
`

// project is a Go app that counts its runs.
type project struct {
	t         *testing.T
	dir, runs string
	options   synth.Options
}

func newProject(t *testing.T) *project {
	t.Helper()
	p := &project{t: t, dir: t.TempDir(), runs: filepath.Join(t.TempDir(), "runs")}
	p.write("go.mod", "module example.com/app\n\ngo 1.24\n")
	p.write("infra/main.go", goApp)
	p.write("part/part.go", "package part\n\nconst Text = \"1\"\n")
	p.write("part/part_test.go", "package part\n")
	p.write("functions/one/main.go", "package main\n\nfunc main() {}\n")
	p.write("assets/page.html", "<p>")
	p.write("cdk.json", `{"app":"go run ./infra","context":{"a":"b"}}`)
	p.options = synth.Options{Dir: p.dir, Local: true, Env: []string{"RUNS=" + p.runs, "STAGE=dev"}}
	return p
}

func (p *project) write(file, text string) {
	p.t.Helper()
	file = filepath.Join(p.dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// synth tells whether the app was run, and checks that the result says so too.
func (p *project) synth() (ran bool) {
	p.t.Helper()
	before := len(p.read(p.runs))
	result, err := synth.Run(context.Background(), p.options)
	if err != nil {
		p.t.Fatal(err)
	}
	ran = len(p.read(p.runs)) > before
	if ran == result.Unchanged {
		p.t.Errorf("ran: %v, unchanged: %v", ran, result.Unchanged)
	}
	return ran
}

func (p *project) read(file string) string {
	data, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	return string(data)
}

func TestUnchanged(t *testing.T) {
	env := func(add ...string) func(*project) {
		return func(p *project) { p.options.Env = append(p.options.Env, add...) }
	}
	file := func(name, text string) func(*project) { return func(p *project) { p.write(name, text) } }
	tests := map[string]struct {
		change func(*project)
		runs   bool
	}{
		"nothing":                       {func(*project) {}, false},
		"the terminal":                  {env("TERM=x", "COLUMNS=3", "SSH_TTY=/dev/pts/3", "PWD=/"), false},
		"a function's source":           {file("functions/one/main.go", "package main\n\nfunc main() { println() }\n"), false},
		"a test":                        {file("part/part_test.go", "package part\n\n// more\n"), false},
		"a time stamp":                  {file("infra/main.go", goApp), false},
		"the app's source":              {file("infra/main.go", goApp+"\n// more\n"), true},
		"a package of the app":          {file("part/part.go", "package part\n\nconst Text = \"2\"\n"), true},
		"a new file in the app":         {file("part/more.go", "package part\n"), true},
		"a new function":                {file("functions/two/main.go", "package main\n\nfunc main() {}\n"), true},
		"go.mod":                        {file("go.mod", "module example.com/app\n\ngo 1.24.0\n"), true},
		"go.sum":                        {file("go.sum", "\n"), true},
		"go.work":                       {file("go.work", "go 1.24\n\nuse .\n"), true},
		"cdk.json":                      {file("cdk.json", `{"app":"go run ./infra","context":{"a":"c"}}`), true},
		"cdk.context.json":              {file("cdk.context.json", `{"x":"y"}`), true},
		"an asset":                      {file("assets/page.html", "<b>"), true},
		"a file that the app may read":  {file("config/dev.yaml", "a: b\n"), true},
		"an argument's context":         {func(p *project) { p.options.Context = map[string]string{"a": "d"} }, true},
		"the region":                    {func(p *project) { p.options.Region = "eu-west-1" }, true},
		"the account":                   {func(p *project) { p.options.AccountID = "123456789012" }, true},
		"AWS_REGION":                    {env("AWS_REGION=eu-central-1"), true},
		"AWS_PROFILE":                   {env("AWS_PROFILE=other"), true},
		"a variable":                    {env("STAGE=prod"), true},
		"a new variable":                {env("FEATURE=on"), true},
		"no longer local":               {func(p *project) { p.options.Local = false }, true},
		"force":                         {func(p *project) { p.options.Force = true }, true},
		"the assembly":                  {file(".bailey/cdk.out/Stack.template.json", "edited"), true},
		"the assembly is gone":          {func(p *project) { os.RemoveAll(filepath.Join(p.dir, ".bailey", "cdk.out")) }, true},
		"a broken record":               {file(".bailey/cdk.out.inputs.json", "{"), true},
		"a link that leads out":         {func(p *project) { os.Symlink(p.runs, filepath.Join(p.dir, "link")) }, true},
		"a build command":               {file("cdk.json", `{"app":"go run ./infra","build":"true"}`), true},
		"a command that is not only go": {file("cdk.json", `{"app":"true; go run ./infra"}`), true},
	}
	for name, test := range tests {
		check := func(t *testing.T, settle func(*project)) {
			t.Parallel()
			p := newProject(t)
			if !p.synth() {
				t.Fatal("the first synth did not run the app")
			}
			settle(p)
			if p.synth() {
				t.Fatal("the second synth ran the app")
			}
			test.change(p)
			if ran := p.synth(); ran != test.runs {
				t.Errorf("the app ran: %v, want %v", ran, test.runs)
			}
		}
		t.Run(name, func(t *testing.T) { check(t, func(*project) {}) })
		// Once nothing has changed for a while, a seal says so.
		if slices.Contains(sealed, name) {
			t.Run(name+", later", func(t *testing.T) { check(t, (*project).seal) })
		}
	}
}

// sealed are the changes that a seal must see, or must not.
var sealed = []string{
	"nothing", "the terminal", "a function's source", "the app's source", "a new file in the app", "go.sum", "go.work", "an asset",
	"a file that the app may read", "a variable", "the assembly", "the assembly is gone", "a broken record", "a link that leads out",
}

// seal waits until a synth finds that nothing has changed for long enough to
// remember that.
func (p *project) seal() {
	p.t.Helper()
	seal := filepath.Join(p.dir, ".bailey", "cdk.out.seal")
	for range 100 {
		if _, err := os.Stat(seal); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
		p.synth()
	}
	p.t.Fatal("there is no seal")
}

// What is not known to be the same is synthesised each time.
func TestInDoubt(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(outside, []byte("elsewhere"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(*project){
		"an asset from outside":    func(p *project) { p.options.Env = append(p.options.Env, "ASSET="+outside) },
		"an asset of Go source":    func(p *project) { p.options.Env = append(p.options.Env, "ASSET=functions/one/main.go") },
		"a link that leads out":    func(p *project) { os.Symlink(outside, filepath.Join(p.dir, "link")) },
		"a build command":          func(p *project) { p.write("cdk.json", `{"app":"go run ./infra","build":"true"}`) },
		"a command that does more": func(p *project) { p.write("cdk.json", `{"app":"true; go run ./infra"}`) },
		"a module from outside": func(p *project) {
			other := t.TempDir()
			os.WriteFile(filepath.Join(other, "go.mod"), []byte("module example.com/other\n"), 0o600)
			os.WriteFile(filepath.Join(other, "other.go"), []byte("package other\n"), 0o600)
			p.write("go.mod", "module example.com/app\n\ngo 1.24\n\nrequire example.com/other v0.0.0\n\nreplace example.com/other => "+other+"\n")
			p.write("part/part.go", "package part\n\nimport _ \"example.com/other\"\n\nconst Text = \"\"\n")
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			p := newProject(t)
			prepare(p)
			for i := range 2 {
				if !p.synth() {
					t.Errorf("synth %d did not run the app", i+1)
				}
			}
		})
	}
	t.Run("an asset of the project is none", func(t *testing.T) {
		p := newProject(t)
		p.options.Env = append(p.options.Env, "ASSET=assets/page.html")
		if !p.synth() || p.synth() {
			t.Error("want one run")
		}
		p.write("assets/page.html", "<i>")
		if !p.synth() || !strings.Contains(p.read(filepath.Join(p.dir, ".bailey/cdk.out/asset.456/page.html")), "<i>") {
			t.Error("the asset was not copied anew")
		}
	})
}

func TestDeclaredEnvironment(t *testing.T) {
	p := newProject(t)
	p.write("cdk.json", `{"app":"go run ./infra","context":{"bailey:environment":["STAGE","FEATURE_*"]}}`)
	p.synth()
	for _, step := range []struct {
		set  string
		runs bool
	}{
		{"OTHER=1", false}, {"STAGE=x", true}, {"FEATURE_A=1", true}, {"CDK_THING=1", true}, {"AWS_PROFILE=p", true}, {"OTHER=2", false},
	} {
		p.options.Env = append(p.options.Env, step.set)
		if ran := p.synth(); ran != step.runs {
			t.Errorf("after %s the app ran: %v, want %v", step.set, ran, step.runs)
		}
	}
}
