//go:build unix

package synth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// good is a fake app that leaves the smallest of assemblies.
const good = `echo '{"version":"48.0.0","artifacts":{}}' >"$CDK_OUTDIR/manifest.json"` + "\n"

// project makes the folder of an app: a shell script that is run by cdk.json.
func project(t *testing.T, script string) string {
	t.Helper()
	// The user's own files and variables must not have a say.
	t.Setenv("HOME", t.TempDir())
	for _, name := range []string{
		"AWS_REGION", "AMAZON_REGION", "AWS_DEFAULT_REGION", "AMAZON_DEFAULT_REGION",
		"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "JSII_NODE", "JSII_RUNTIME",
		"CDK_DEFAULT_ACCOUNT", "CDK_DEFAULT_REGION", "CDK_VALIDATION", "GOGC", "JSII_RUNTIME_PACKAGE_CACHE", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION",
	} {
		unset(t, name)
	}
	dir := t.TempDir()
	put(t, dir, "cdk.json", `{"app": "sh app.sh"}`)
	put(t, dir, "app.sh", script)
	return dir
}

func unset(t *testing.T, name string) {
	if _, ok := os.LookupEnv(name); ok {
		t.Setenv(name, "") // so that it is restored
		os.Unsetenv(name)
	}
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustRun(t *testing.T, o Options) Result {
	t.Helper()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// given is what an app was given: it writes its environment to a file.
func given(t *testing.T, dir string, o Options) (env environment, ctx map[string]any) {
	t.Helper()
	put(t, dir, "app.sh", good+"env >env.txt\n"+`[ -z "$CONTEXT_OVERFLOW_LOCATION_ENV" ] || cp "$CONTEXT_OVERFLOW_LOCATION_ENV" overflow.json`+"\n")
	o.Dir = dir
	mustRun(t, o)
	data, err := os.ReadFile(filepath.Join(dir, "env.txt"))
	if err != nil {
		t.Fatal(err)
	}
	env = newEnvironment(strings.Split(string(data), "\n"))
	if err := json.Unmarshal([]byte(env["CDK_CONTEXT_JSON"]), &ctx); err != nil {
		t.Fatal(err)
	}
	return env, ctx
}

func TestRun(t *testing.T) {
	dir := project(t, good+"echo to stdout; echo to stderr >&2; printf unfinished\n")
	var out bytes.Buffer
	r := mustRun(t, Options{Dir: dir, Local: true, Stderr: &out})
	if want := filepath.Join(dir, ".bailey/cdk.out"); r.Assembly != want {
		t.Errorf("assembly %s, want %s", r.Assembly, want)
	}
	if got := out.String(); got != "to stdout\nto stderr\nunfinished" {
		t.Errorf("output %q", got)
	}
	if r.Duration <= 0 || r.Duration > time.Minute || len(r.Warnings) != 0 {
		t.Errorf("%+v", r)
	}
	if info, err := os.Stat(r.Assembly); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".bailey", "*"))
	hidden, _ := filepath.Glob(filepath.Join(dir, ".bailey", ".*"))
	if len(left)+len(hidden) != 1 {
		t.Errorf("left beside the assembly: %v %v", left, hidden)
	}
}

// TestApp covers the forms that "app" takes.
func TestApp(t *testing.T) {
	dir := project(t, good)
	put(t, dir, "my app", "#!/bin/sh\n"+good)
	if err := os.Chmod(filepath.Join(dir, "my app"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "app.js", `require("fs").writeFileSync(process.env.CDK_OUTDIR + "/manifest.json", JSON.stringify({artifacts: {}, argv: process.argv.slice(2)}))`)
	put(t, dir, "list.json", "")
	for _, app := range []string{"sh app.sh", "my app", "app.js", "app.js one two", ". ./app.sh && true"} {
		if _, err := Run(t.Context(), Options{Dir: dir, App: app}); err != nil {
			t.Errorf("%s: %v", app, err)
		}
	}
	put(t, dir, "cdk.json", `{"app": ["sh", "app.sh"], "build": "echo built >built"}`)
	mustRun(t, Options{Dir: dir})
	if !isFile(filepath.Join(dir, "built")) {
		t.Error("the build command did not run")
	}
	os.Remove(filepath.Join(dir, "cdk.json"))
	mustRun(t, Options{Dir: dir, App: "sh app.sh"}) // as with cdk --app
	put(t, os.Getenv("HOME"), ".cdk.json", `{"app": "sh app.sh"}`)
	put(t, dir, "cdk.json", `{}`)
	mustRun(t, Options{Dir: dir})
}

// TestReadyAssembly names the folder of an assembly as the app.
func TestReadyAssembly(t *testing.T) {
	dir := project(t, "exit 1")
	put(t, dir, "cdk.out/manifest.json", `{"artifacts": {}}`)
	r := mustRun(t, Options{Dir: dir, App: "cdk.out"})
	if r.Assembly != filepath.Join(dir, "cdk.out") || !isFile(filepath.Join(r.Assembly, "manifest.json")) {
		t.Errorf("assembly %s", r.Assembly)
	}
}

func TestEnvironment(t *testing.T) {
	dir := project(t, "")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	env, _ := given(t, dir, Options{})
	for name, want := range map[string]string{
		"NODE_COMPILE_CACHE":            filepath.Join(cache, "bailey", "node"),
		"CDK_DEFAULT_REGION":            "us-east-1",
		"CDK_CLI_VERSION":               "2.1148.1",
		"CDK_CLI_ASM_VERSION":           "55.0.0",
		"JSII_RUNTIME_PACKAGE_CACHE":    "enabled",
		"GOGC":                          "400",
		"PYTHONIOENCODING":              "utf-8",
		"CDK_DEFAULT_ACCOUNT":           "",
		"CDK_VALIDATION":                "",
		"CONTEXT_OVERFLOW_LOCATION_ENV": "",
	} {
		if env[name] != want {
			t.Errorf("%s=%q, want %q", name, env[name], want)
		}
	}
	if out := env["CDK_OUTDIR"]; filepath.Dir(out) != filepath.Join(dir, ".bailey") || isDir(out) {
		t.Errorf("CDK_OUTDIR=%s is not a temporary sibling of the output", out)
	}

	env, _ = given(t, dir, Options{
		Local: true, Region: "eu-north-1", AccountID: "123456789012",
		Env: []string{"JSII_RUNTIME_PACKAGE_CACHE=disabled", "GOGC=50", "MINE=a=b", "CDK_OUTDIR=elsewhere"},
	})
	for name, want := range map[string]string{
		"CDK_DEFAULT_REGION": "eu-north-1", "CDK_DEFAULT_ACCOUNT": "123456789012",
		"CDK_VALIDATION": "false", "JSII_RUNTIME_PACKAGE_CACHE": "disabled", "GOGC": "50", "MINE": "a=b",
	} {
		if env[name] != want {
			t.Errorf("%s=%q, want %q", name, env[name], want)
		}
	}
	if env["CDK_OUTDIR"] == "elsewhere" {
		t.Error("CDK_OUTDIR was taken from the user")
	}
}

func TestRegion(t *testing.T) {
	dir := project(t, "")
	put(t, os.Getenv("HOME"), ".aws/config", "# comment\n[default]\nregion = eu-west-1\n\n[profile work]\noutput = json\nregion=eu-central-1\n[profile odd ]\n")
	put(t, os.Getenv("HOME"), ".aws/credentials", "[old]\nregion = ap-south-1\n")
	for _, tt := range []struct{ env, want string }{
		{"", "eu-west-1"},
		{"AWS_PROFILE=work", "eu-central-1"},
		{"AWS_PROFILE=old", "ap-south-1"},
		{"AWS_PROFILE=odd", "eu-west-1"},
		{"AWS_PROFILE=work AWS_DEFAULT_REGION=sa-east-1", "sa-east-1"},
		{"AWS_REGION=us-west-2 AWS_DEFAULT_REGION=sa-east-1", "us-west-2"},
		{"AWS_CONFIG_FILE=/nowhere", "us-east-1"},
	} {
		if env, _ := given(t, dir, Options{Env: strings.Fields(tt.env)}); env["CDK_DEFAULT_REGION"] != tt.want {
			t.Errorf("%q: region %s, want %s", tt.env, env["CDK_DEFAULT_REGION"], tt.want)
		}
	}
}

func TestContext(t *testing.T) {
	dir := project(t, "")
	put(t, os.Getenv("HOME"), ".cdk.json", `{"context": {"a": "user", "b": "user", "c": "user", "d": "user"}, "versionReporting": false}`)
	put(t, dir, "cdk.context.json", `{"a": "lookup", "b": "lookup", "c": "lookup", "vpc": {"id": 12345678901234567890}}`)
	put(t, dir, "cdk.json", `{"app": "sh app.sh", "assetMetadata": false, "staging": false, "context": {"a": "project", "b": "project", "@aws-cdk/flag": true}}`)
	_, ctx := given(t, dir, Options{Context: map[string]string{"a": "option"}, Local: true})
	want := map[string]string{
		"a": "option", "b": "project", "c": "lookup", "d": "user",
		"@aws-cdk/flag": "true", "bailey:local": "true",
		"aws:cdk:enable-path-metadata":      "true",
		"aws:cdk:disable-version-reporting": "true",
		"aws:cdk:disable-asset-staging":     "true",
		"aws:cdk:bundling-stacks":           "[**]",
	}
	for key, value := range want {
		if got := fmt.Sprint(ctx[key]); got != value {
			t.Errorf("%s is %s, want %s", key, got, value)
		}
	}
	for _, key := range []string{"aws:cdk:enable-asset-metadata", "aws:cdk:version-reporting"} {
		if _, ok := ctx[key]; ok {
			t.Errorf("%s is set", key)
		}
	}
	put(t, dir, "cdk.json", `{"app": "sh app.sh", "versionReporting": true}`)
	if _, ctx := given(t, dir, Options{Local: true}); fmt.Sprint(ctx["aws:cdk:version-reporting"]) != "true" {
		t.Error("versionReporting of cdk.json is not followed")
	}
	put(t, dir, "cdk.json", `{"app": "sh app.sh", "context": {"@aws-cdk/core:enableAdditionalMetadataCollection": true}}`)
	put(t, os.Getenv("HOME"), ".cdk.json", `{}`)
	for local, reports := range map[bool]string{true: "false", false: "true"} {
		_, ctx := given(t, dir, Options{Local: local})
		_, version := ctx["aws:cdk:version-reporting"]
		if got := fmt.Sprint(ctx["@aws-cdk/core:enableAdditionalMetadataCollection"]); got != reports || version == local {
			t.Errorf("local %v: additional metadata %s, version reporting %v", local, got, version)
		}
	}
	if _, ok := ctx["bailey:local"].(string); !ok {
		t.Error("bailey:local is not a string")
	}
	env, _ := given(t, dir, Options{})
	if !strings.Contains(env["CDK_CONTEXT_JSON"], "12345678901234567890") || strings.Contains(env["CDK_CONTEXT_JSON"], "bailey:local") {
		t.Errorf("context %s", env["CDK_CONTEXT_JSON"])
	}
}

// TestContextOverflow gives more context than a variable can hold.
func TestContextOverflow(t *testing.T) {
	dir := project(t, "")
	lookups := map[string]string{"small": "x"}
	for i := range 40 {
		lookups[fmt.Sprintf("large%d", i)] = strings.Repeat("y", 5000)
	}
	data, _ := json.Marshal(lookups)
	put(t, dir, "cdk.context.json", string(data))
	env, ctx := given(t, dir, Options{})
	if n := len(env["CDK_CONTEXT_JSON"]); n > contextLimit {
		t.Errorf("the variable has %d bytes", n)
	}
	if ctx["small"] != "x" || ctx["aws:cdk:enable-path-metadata"] != true {
		t.Error("small values are not in the variable")
	}
	data, err := os.ReadFile(filepath.Join(dir, "overflow.json"))
	if err != nil {
		t.Fatal(err)
	}
	var more map[string]string
	if err := json.Unmarshal(data, &more); err != nil {
		t.Fatal(err)
	}
	for key, value := range lookups {
		if got, _ := ctx[key].(string); got != value && more[key] != value {
			t.Errorf("%s was lost", key)
		}
	}
	if file := env["CONTEXT_OVERFLOW_LOCATION_ENV"]; file == "" || isFile(file) {
		t.Errorf("%q was left", file)
	}
}

func TestBadConfig(t *testing.T) {
	for _, tt := range []struct{ name, file, content, want string }{
		{"not JSON", "cdk.json", "{\n  \"app\": \"x\",\n}\n", "$DIR/cdk.json:3:1 is not JSON: invalid character '}'"},
		{"cut", "cdk.json", `{"app": "x"`, "$DIR/cdk.json:1:11 is not JSON: unexpected end"},
		{"empty", "cdk.json", ``, "$DIR/cdk.json:1:1 is not JSON: unexpected end"},
		{"an array", "cdk.json", `[]`, "$DIR/cdk.json:1:1: the value is a JSON array"},
		{"no app", "cdk.json", `{"context": {}}`, `$DIR/cdk.json has no "app", the command that runs the CDK app: add one, such as "app": "go run ."`},
		{"odd app", "cdk.json", `{"app": 7}`, "7 is no command"},
		{"odd context", "cdk.json", `{"app": "x", "context": "y"}`, `"context" is a JSON string`},
		{"odd setting", "cdk.json", `{"app": "x", "staging": "y"}`, `"staging" is a JSON string`},
		{"context file", "cdk.context.json", "{\n!", "$DIR/cdk.context.json:2:1 is not JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := project(t, good)
			put(t, dir, tt.file, tt.content)
			checkError(t, dir, Options{Dir: dir}, tt.want)
		})
	}
	t.Run("no cdk.json", func(t *testing.T) {
		dir := project(t, good)
		os.Remove(filepath.Join(dir, "cdk.json"))
		checkError(t, dir, Options{Dir: dir}, "there is no cdk.json in $DIR: go to the folder of a CDK app")
	})
	t.Run("user's file", func(t *testing.T) {
		dir := project(t, good)
		put(t, os.Getenv("HOME"), ".cdk.json", "nonsense")
		checkError(t, dir, Options{Dir: dir}, os.Getenv("HOME")+"/.cdk.json:1:2 is not JSON")
	})
}

func checkError(t *testing.T, dir string, o Options, want string) error {
	t.Helper()
	_, err := Run(t.Context(), o)
	if err == nil {
		t.Fatal("no error")
	}
	t.Log(err)
	if want = strings.ReplaceAll(want, "$DIR", dir); !strings.Contains(err.Error(), want) {
		t.Errorf("error\n%v\nlacks\n%s", err, want)
	}
	return err
}

// fakeNode puts a node of some version into a folder of its own.
func fakeNode(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "node", "#!/bin/sh\n"+script+"\n")
	if err := os.Chmod(filepath.Join(dir, "node"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestNode(t *testing.T) {
	const module = "module example.com/app\n\nrequire github.com/aws/jsii-runtime-go v1.139.0\n"
	tools := t.TempDir() // a PATH with what the scripts use, but without node
	for _, name := range []string{"sh", "env"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(tools, name)); err != nil {
			t.Fatal(err)
		}
	}
	old := fakeNode(t, "echo v16.20.2")
	fine := fakeNode(t, "echo v24.1.0")
	broken := fakeNode(t, "echo no; exit 3")
	odd := fakeNode(t, "echo hello")
	list := func(dirs ...string) string {
		return "PATH=" + strings.Join(append(dirs, tools), string(filepath.ListSeparator))
	}
	tests := []struct {
		name string
		env  []string
		want string // "" for no error
	}{
		{"missing", []string{list()}, "there is no Node.js on the PATH, and the CDK needs one (18 or newer), also for apps in Go: install it"},
		{"too old", []string{list(old)}, "is too old: " + old + "/node is version 16.20.2, and the CDK needs 18 or newer"},
		{"fine", []string{list(fine)}, ""},
		{"named, fine", []string{list(old), "JSII_NODE=" + fine + "/node"}, ""},
		{"named, too old", []string{list(fine), "JSII_NODE=" + old + "/node"}, "is version 16.20.2"},
		{"named, missing", []string{list(fine), "JSII_NODE=/nowhere/node"}, "JSII_NODE names /nowhere/node, which is no program"},
		{"broken", []string{list(broken)}, "cannot tell the version of Node.js, which the CDK needs: " + broken + "/node --version: exit status 3"},
		{"odd", []string{list(odd)}, `says "hello"`},
		{"kernel elsewhere", []string{list(), "JSII_RUNTIME=x"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := project(t, good+"env >env.txt\n")
			put(t, dir, "go.mod", module)
			o := Options{Dir: dir, Env: tt.env}
			if tt.want == "" {
				mustRun(t, o)
				return
			}
			checkError(t, dir, o, tt.want)
			if isFile(filepath.Join(dir, "env.txt")) {
				t.Error("the app was run all the same")
			}
		})
	}
	t.Run("not needed", func(t *testing.T) {
		mustRun(t, Options{Dir: project(t, good), Env: []string{list(old)}})
	})
	t.Run("by the command", func(t *testing.T) {
		dir := project(t, "")
		checkError(t, dir, Options{Dir: dir, App: "python3 app.py", Env: []string{list()}}, "there is no Node.js on the PATH")
	})
	t.Run("found missing by the app", func(t *testing.T) {
		dir := project(t, `echo 'panic: exec: "node": executable file not found in $PATH' >&2; exit 2`)
		checkError(t, dir, Options{Dir: dir}, "there is no Node.js on the PATH")
	})
	t.Run("banner", func(t *testing.T) {
		dir := project(t, "")
		put(t, dir, "go.mod", module)
		const silence = "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"
		if env, _ := given(t, dir, Options{Env: []string{list(fine, "/bin", "/usr/bin")}}); env[silence] != "24" {
			t.Errorf("%s=%q", silence, env[silence])
		}
		if env, _ := given(t, dir, Options{Env: []string{list(fine, "/bin", "/usr/bin"), silence + "=22"}}); env[silence] != "22,24" {
			t.Errorf("%s=%q", silence, env[silence])
		}
	})
}

// TestFailures runs apps that fail, most of them programs of their language.
func TestFailures(t *testing.T) {
	tests := []struct {
		name  string
		app   string
		files map[string]string
		want  []string
		shown string // what is passed on while the app runs
	}{
		{
			"plain", "sh app.sh",
			map[string]string{"app.sh": "echo 'no such stack' >&2; exit 3"},
			[]string{`the CDK app failed: "sh app.sh" ended with exit status 3; what it printed says why`},
			"no such stack\n",
		},
		{
			"not found", "no-such-command synth", nil,
			[]string{`the CDK app failed: "no-such-command synth" ended with exit status 127`},
			"no-such-command",
		},
		{
			"killed", "kill -9 $$", nil, []string{"ended with signal: killed"}, "",
		},
		{
			"Go panic", "go run .",
			map[string]string{
				"go.mod":         "module example.com/app\n\ngo 1.26\n",
				"main.go":        "package main\n\nimport \"example.com/app/stack\"\n\nfunc main() {\n\tprintln(\"starting\")\n\tstack.Make(nil)\n}\n",
				"stack/stack.go": "package stack\n\nimport (\n\t\"maps\"\n\t\"slices\"\n)\n\nfunc Make(m map[string]int) {\n\tslices.Collect(maps.Keys(m))\n\tm[\"x\"] = 1\n}\n",
			},
			[]string{"the CDK app failed: stack/stack.go:10: assignment to entry in nil map\n\npanic: assignment to entry in nil map\n", "main.main()"},
			"starting\n",
		},
		{
			"trimmed Go panic", "go run -trimpath .",
			map[string]string{
				"go.mod":      "module example.com/some/app\n\ngo 1.26\n",
				"main.go":     "package main\n\nimport \"example.com/some/app/in/ner\"\n\nfunc main() { ner.Do() }\n",
				"in/ner/n.go": "package ner\n\nimport \"fmt\"\n\nfunc Do() { panic(fmt.Errorf(\"two\\nlines\")) }\n",
			},
			[]string{"the CDK app failed: in/ner/n.go:5: two lines\n\npanic: "},
			"",
		},
		{
			"Go does not compile", "go run .",
			map[string]string{
				"go.mod":  "module example.com/app\n\ngo 1.26\n",
				"main.go": "package main\n\nfunc main() { nope() }\n",
			},
			[]string{`the CDK app failed: it does not compile`, "./main.go:3:15: undefined: nope"},
			"",
		},
		{
			"Node.js", "node bin/app.js",
			map[string]string{
				"bin/app.js":                "require('../lib/stack').make()\n",
				"lib/stack.js":              "exports.make = () => {\n  require('lib').call()\n}\n",
				"node_modules/lib/index.js": "exports.call = () => { throw new RangeError('too much') }\n",
			},
			[]string{"the CDK app failed: lib/stack.js:2: RangeError: too much\n\n", "node_modules/lib/index.js:1"},
			"",
		},
		{
			"Node.js module", "node app.mjs",
			map[string]string{
				"app.mjs": "import fs from 'fs'\nconst f = () => fs.readFileSync('/nope')\nf()\n",
			},
			[]string{"the CDK app failed: app.mjs:2: Error: ENOENT: no such file or directory, open '/nope'\n\n"},
			"",
		},
		{
			"Python", "python3 app.py",
			map[string]string{
				"app.py":   "import stack\n\nstack.make()\n",
				"stack.py": "def make():\n    try:\n        {}['x']\n    except KeyError:\n        raise ValueError('no such\\nthing')\n",
			},
			[]string{"the CDK app failed: stack.py:5: ValueError: no such thing\n\nTraceback"},
			"",
		},
		{
			"build command", "sh app.sh",
			map[string]string{"app.sh": good, "cdk.json": `{"app": "sh app.sh", "build": "exit 4"}`},
			[]string{`the build command failed: "exit 4" ended with exit status 4`},
			"",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := os.Getenv("HOME")
			dir := project(t, "")
			// The caches of the go command are below the home folder.
			t.Setenv("HOME", home)
			for name, content := range tt.files {
				put(t, dir, name, content)
			}
			var shown bytes.Buffer
			_, err := Run(t.Context(), Options{Dir: dir, App: tt.app, Stderr: &shown})
			var failed *AppError
			if !errors.As(err, &failed) {
				t.Fatalf("error %v", err)
			}
			t.Logf("%v", err)
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error lacks %q", want)
				}
			}
			if !strings.Contains(shown.String(), tt.shown) || tt.shown == "" && shown.Len() > 0 {
				t.Errorf("shown: %q, want %q", shown.String(), tt.shown)
			}
			if strings.Contains(shown.String(), "panic") || strings.Contains(err.Error(), "exit status 2") {
				t.Error("the trace was shown before its explanation")
			}
			if left, _ := filepath.Glob(filepath.Join(dir, ".bailey", ".cdk.out-*")); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// TestJSIITraces explains what real CDK apps printed.
func TestJSIITraces(t *testing.T) {
	for name, want := range map[string]string{
		"go-asset":    "the CDK app failed: main.go:12: Cannot find asset at /src/shop/nothing-here",
		"go-twice":    "the CDK app failed: main.go:26: There is already a Construct with name 'S' in App",
		"go-required": "the CDK app failed: main.go:28: Field awslambda.Code.Code is required, but has nil value",
		"node-region": "the CDK app failed: bad.js:1: «RegionMustBeString» Region of stack environment must be a 'string' but received 'number'",
	} {
		data, err := os.ReadFile(filepath.Join("testdata", "traces", name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		var shown bytes.Buffer
		out := &output{to: &shown}
		out.Write(data)
		out.end(true)
		got := newAppError("/src/shop", "CDK app", "x", "exit status 1", out.trace()).Error()
		if first, _, _ := strings.Cut(got, "\n"); first != want {
			t.Errorf("%s: %s\nwant %s", name, first, want)
		}
		for line := range strings.Lines(got) {
			if len(line) > lineLimit+10 {
				t.Errorf("%s: a line of %d bytes", name, len(line))
			}
		}
		if shown.Len() > 0 {
			t.Errorf("%s: shown: %s", name, shown.String())
		}
	}
}

// TestNoise hides what jsii's Go client prints for nothing, and nothing else.
func TestNoise(t *testing.T) {
	const jsii = "Runtime process exited abnormally: waitid: no child processes"
	for _, tt := range []struct{ name, script, shown, err string }{
		{"alone", good + "printf '" + jsii + "' >&2", "", ""},
		{"before others", good + "printf '" + jsii + "'; echo bye", "bye\n", ""},
		{"twice", good + "printf '" + jsii + jsii + "\\n'", "", ""},
		{"before a panic", "printf '" + jsii + "'; echo 'panic: oh'; exit 2", "", "the CDK app failed: oh\n\npanic: oh"},
		{"a real one", "printf 'Runtime process exited abnormally: exit status 9' >&2; exit 1", "Runtime process exited abnormally: exit status 9", "exit status 1"},
		{"a trace that was dealt with", good + "echo before; echo 'panic: caught'; echo after", "before\npanic: caught\nafter\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := project(t, tt.script)
			var shown bytes.Buffer
			_, err := Run(t.Context(), Options{Dir: dir, Stderr: &shown})
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if shown.String() != tt.shown {
				t.Errorf("shown %q, want %q", shown.String(), tt.shown)
			}
		})
	}
}

// copyAssembly is an app that copies an assembly of testdata.
func copyAssembly(t *testing.T, name string) string {
	t.Helper()
	from, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return "cp -R '" + from + "/.' \"$CDK_OUTDIR\"\n"
}

func TestFaults(t *testing.T) {
	for _, status := range []string{"", "exit 1"} {
		dir := project(t, copyAssembly(t, "faults")+status)
		_, err := Run(t.Context(), Options{Dir: dir})
		var faults *FaultsError
		if !errors.As(err, &faults) || len(faults.Faults) != 5 {
			t.Fatalf("error %v", err)
		}
		want := `the CDK app has 5 faults:
  Prod/Shop/Worker: Timeout is 0s
    app/shop.go:31
  Shop/Checkout: Memory is 64 MB, and 128 MB is the least (app/shop.go:20)
  Shop/Checkout: Timeout is 20m, and 15m is the most (app/shop.go:21)
  Shop/Nested/Audit: Entry names no folder
  Shop/Orders: {"Ref":"AWS::Region"}`
		if err.Error() != want {
			t.Errorf("error\n%v\nwant\n%s", err, want)
		}
		if isDir(filepath.Join(dir, ".bailey/cdk.out")) {
			t.Error("an assembly with faults was put in place")
		}
	}
	if got := (&FaultsError{[]Fault{{"A", "b"}}}).Error(); got != "the CDK app has 1 fault:\n  A: b" {
		t.Error(got)
	}
}

func TestWarnings(t *testing.T) {
	r := mustRun(t, Options{Dir: project(t, copyAssembly(t, "warnings"))})
	want := "Prod/Shop: stage warning|Shop/Q: careful [ack: x:y]|Shop/Q: old style"
	if got := strings.Join(r.Warnings, "|"); got != want {
		t.Errorf("warnings\n%s\nwant\n%s", got, want)
	}
}

func TestMissingContext(t *testing.T) {
	dir := project(t, copyAssembly(t, "missing"))
	err := checkError(t, dir, Options{Dir: dir}, `the CDK app looks up values in an AWS account, and cdk.context.json does not hold them:
  ssm:account=123456789012:parameterName=/a:region=eu-west-1 (ssm)
  vpc-provider:account=123456789012:filter.vpc-id=vpc-1:region=eu-west-1 (vpc-provider)
run cdk synth once with credentials`)
	var missing *MissingError
	if !errors.As(err, &missing) || len(missing.Lookups) != 2 {
		t.Errorf("%+v", missing)
	}
}

func TestBadAssembly(t *testing.T) {
	for name, tt := range map[string]struct{ script, want string }{
		"none":           {"", "the CDK app left no cloud assembly (there is no manifest.json in its output folder): does it call Synth on its App?"},
		"cut":            {`echo '{"artifacts"' >"$CDK_OUTDIR/manifest.json"`, "manifest.json: unexpected end of JSON input"},
		"metadata gone":  {`echo '{"artifacts":{"S":{"additionalMetadataFile":"S.metadata.json"}}}' >"$CDK_OUTDIR/manifest.json"`, "cannot read the cloud assembly: open "},
		"nested is gone": {`echo '{"artifacts":{"P":{"type":"cdk:cloud-assembly","properties":{"directoryName":"assembly-P"}}}}' >"$CDK_OUTDIR/manifest.json"`, "left no cloud assembly"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := project(t, tt.script)
			checkError(t, dir, Options{Dir: dir}, tt.want)
		})
	}
	t.Run("circular", func(t *testing.T) {
		mustRun(t, Options{Dir: project(t, `echo '{"artifacts":{"P":{"type":"cdk:cloud-assembly","properties":{"directoryName":"./"}}}}' >"$CDK_OUTDIR/manifest.json"`)})
	})
}

// TestKeepsLastGood fails after a good run, in each way.
func TestKeepsLastGood(t *testing.T) {
	dir := project(t, good+`echo first >"$CDK_OUTDIR/mark"; echo gone >"$CDK_OUTDIR/asset"`)
	mark := filepath.Join(mustRun(t, Options{Dir: dir}).Assembly, "mark")
	read := func() string {
		data, _ := os.ReadFile(mark)
		return strings.TrimSpace(string(data))
	}
	for _, bad := range []string{"exit 1", "", copyAssembly(t, "faults"), copyAssembly(t, "missing")} {
		put(t, dir, "app.sh", `echo second >"$CDK_OUTDIR/mark"`+"\n"+bad)
		if _, err := Run(t.Context(), Options{Dir: dir}); err == nil || read() != "first" {
			t.Errorf("%q: %v, %q", bad, err, read())
		}
	}
	put(t, dir, "app.sh", good+`echo third >"$CDK_OUTDIR/mark"`)
	r := mustRun(t, Options{Dir: dir})
	if read() != "third" || isFile(filepath.Join(r.Assembly, "asset")) {
		t.Errorf("the new assembly is not alone: %q", read())
	}
	entries, _ := os.ReadDir(filepath.Dir(r.Assembly))
	if len(entries) != 1 {
		t.Errorf("left: %v", entries)
	}
}

// TestOutput refuses to replace a folder that is no assembly.
func TestOutput(t *testing.T) {
	dir := project(t, good)
	put(t, dir, "mine/letter.txt", "dear all")
	checkError(t, dir, Options{Dir: dir, Output: "mine"}, "the output folder $DIR/mine holds something other than a cloud assembly (letter.txt, ...)")
	checkError(t, dir, Options{Dir: dir, Output: "cdk.json"}, "cannot use the output folder: ")
	if r := mustRun(t, Options{Dir: dir, Output: "a/b"}); r.Assembly != filepath.Join(dir, "a/b") {
		t.Error(r.Assembly)
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	mustRun(t, Options{Dir: dir, Output: filepath.Join(dir, "empty")})
}

// TestCancel ends an app that has started a process of its own, which ignores
// being asked.
func TestCancel(t *testing.T) {
	dir := project(t, "sh -c 'trap \"\" TERM; echo $$ >pid; while :; do sleep 0.1; done' &\nwait\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() {
		_, err := Run(ctx, Options{Dir: dir})
		done <- err
	}()
	pid := 0
	for start := time.Now(); pid == 0; time.Sleep(10 * time.Millisecond) {
		data, _ := os.ReadFile(filepath.Join(dir, "pid"))
		pid, _ = strconv.Atoi(strings.TrimSpace(string(data)))
		if time.Since(start) > 20*time.Second {
			t.Fatal("the app did not start")
		}
	}
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the CDK app was stopped") {
			t.Errorf("error %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Run did not return")
	}
	for start := time.Now(); alive(pid); time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("process %d lives on", pid)
		}
	}
}

// alive leaves out a process that ended and that nobody has waited for yet.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(data), ") Z ")
}

// TestLeftBehind has an app leave a process that keeps its streams open.
func TestLeftBehind(t *testing.T) {
	dir := project(t, good+"sleep 30 & echo $! >pid\n")
	start := time.Now()
	mustRun(t, Options{Dir: dir})
	if d := time.Since(start); d > 15*time.Second {
		t.Errorf("waited for it: %v", d)
	}
	data, _ := os.ReadFile(filepath.Join(dir, "pid"))
	if pid, err := strconv.Atoi(strings.TrimSpace(string(data))); err == nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
