//go:build unix

package local

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// elfFile is the beginning of a Linux program for a machine.
func elfFile(machine uint16) string {
	head := make([]byte, 64)
	copy(head, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(head[16:], 2)
	binary.LittleEndian.PutUint16(head[18:], machine)
	return string(head)
}

// machFile is the beginning of a macOS program for a CPU.
func machFile(cpu uint32) string {
	head := []byte{0xcf, 0xfa, 0xed, 0xfe, 0, 0, 0, 0}
	binary.LittleEndian.PutUint32(head[4:], cpu)
	return string(head) + strings.Repeat("\x00", 56)
}

func TestNotRunnable(t *testing.T) {
	host := target{os: runtime.GOOS, arch: runtime.GOARCH}.String()
	foreignMachine, foreignArchitecture := uint16(183), "arm64"
	if runtime.GOARCH == "arm64" {
		foreignMachine, foreignArchitecture = 62, "x86_64"
	}
	for _, test := range []struct {
		name        string
		change      func(t *testing.T, fn *model.Function)
		reason, fix string
	}{
		{
			"container image",
			func(_ *testing.T, fn *model.Function) { fn.Code = model.Code{Image: &model.Image{}} },
			"it is a container image", "run it with --engine sam",
		},
		{
			"other runtime",
			func(_ *testing.T, fn *model.Function) { fn.Runtime = "java21" },
			`its runtime "java21" is not one that it runs (provided.*, nodejs*.x, python3.*)`, "run it with --engine sam",
		},
		{
			"no runtime",
			func(_ *testing.T, fn *model.Function) { fn.Runtime = "" },
			`its runtime "" is not one that it runs (provided.*, nodejs*.x, python3.*)`, "run it with --engine sam",
		},
		{
			"no code", func(_ *testing.T, fn *model.Function) { fn.Code = model.Code{} },
			"its template names no code", "run it with --engine sam",
		},
		{
			"Go code not built",
			func(_ *testing.T, fn *model.Function) {
				fn.Code = model.Code{Go: &model.GoSource{Package: "./functions/checkout"}}
			},
			"its Go code (./functions/checkout) has not been built", "build it first, or run it with --engine sam",
		},
		{
			"code that is gone",
			func(_ *testing.T, fn *model.Function) { fn.Code.Path = "/nowhere/asset.1" },
			"its code /nowhere/asset.1 is gone", "synthesise the app again, or run it with --engine sam",
		},
		{
			"no bootstrap",
			func(t *testing.T, fn *model.Function) {
				fn.Code.Path = writeFiles(t, map[string]string{"main.go": ""})
			},
			"there is no file named bootstrap in DIR", "build the function, or run it with --engine sam",
		},
		{
			"bootstrap that is a folder",
			func(t *testing.T, fn *model.Function) {
				fn.Code.Path = writeFiles(t, map[string]string{"bootstrap/x": ""})
			},
			"DIR/bootstrap is a folder, not a program", "run it with --engine sam",
		},
		{
			"not executable",
			func(t *testing.T, fn *model.Function) {
				fn.Code.Path = writeFiles(t, map[string]string{"bootstrap": "#!/bin/sh\n"})
				if err := os.Chmod(filepath.Join(fn.Code.Path, "bootstrap"), 0o644); err != nil {
					t.Fatal(err)
				}
			},
			"DIR/bootstrap is not executable", "make it executable (chmod +x), or run it with --engine sam",
		},
		{
			"other architecture",
			func(t *testing.T, fn *model.Function) {
				fn.Code.Path = writeFiles(t, map[string]string{"bootstrap": elfFile(foreignMachine)})
			},
			"DIR/bootstrap was built for " + foreignArchitecture + " Linux, and this machine is " + host,
			"build it for this machine, or run it with --engine sam",
		},
		{
			"architecture without a name",
			func(t *testing.T, fn *model.Function) {
				fn.Code.Path = writeFiles(t, map[string]string{"bootstrap": elfFile(22)})
			},
			"DIR/bootstrap was built for ELF machine 22 Linux, and this machine is " + host,
			"build it for this machine, or run it with --engine sam",
		},
		{
			"no interpreter of a script",
			func(t *testing.T, fn *model.Function) {
				fn.Code.Path = writeFiles(t, map[string]string{"bootstrap": "#!/nowhere/ruby\n"})
			},
			"DIR/bootstrap cannot be started: the program that interprets it is not installed",
			"install what it needs, or run it with --engine sam",
		},
		{
			"no program at all",
			func(t *testing.T, fn *model.Function) {
				fn.Code.Path = writeFiles(t, map[string]string{"bootstrap": "just text\n"})
			},
			"DIR/bootstrap cannot be started: fork/exec DIR/bootstrap: exec format error", "run it with --engine sam",
		},
		{
			"foreign layer",
			func(_ *testing.T, fn *model.Function) {
				fn.Layers = []*model.Layer{{ARN: "arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension:49"}}
			},
			"its layer arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension:49 is not part of the app, so that its content is not here",
			"run it with --engine sam",
		},
		{
			"layer that is gone",
			func(_ *testing.T, fn *model.Function) { fn.Layers = []*model.Layer{{Path: "/nowhere/layer.zip"}} },
			"its layer /nowhere/layer.zip is gone", "synthesise the app again, or run it with --engine sam",
		},
		{
			"inline code for no language that has it",
			func(_ *testing.T, fn *model.Function) { fn.Code = model.Code{Inline: "puts 1"} },
			"inline code is for Node.js and Python alone", "run it with --engine sam",
		},
		{
			"no interpreter",
			func(t *testing.T, fn *model.Function) { fn.Runtime, fn.Code.Path = "nodejs22.x", t.TempDir() },
			"Node.js is not installed (none of node22, node-22, node, nodejs is on the PATH)",
			"install Node.js 22, or run it with --engine sam",
		},
		{
			"no Python",
			func(t *testing.T, fn *model.Function) { fn.Runtime, fn.Code.Path = "python3.12", t.TempDir() },
			"Python is not installed (none of python3.12, python3 is on the PATH)",
			"install Python 3.12, or run it with --engine sam",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, log := newEngine(t, Options{Environ: []string{"PATH=/nowhere"}})
			fn := goFunction("echo")
			fn.Name = "Checkout"
			test.change(t, fn)
			for range 2 { // an error must not be remembered as a success
				_, err := e.Invoke(t.Context(), fn, Invocation{})
				var not *NotRunnableError
				if !errors.As(err, &not) {
					t.Fatalf("got %v", err)
				}
				reason := strings.ReplaceAll(test.reason, "DIR", fn.Code.Path)
				if not.Function != "Checkout" || not.Reason != reason || not.Fix != test.fix {
					t.Errorf("got  %+v\nwant %s; %s", *not, reason, test.fix)
				}
				if want := "the embedded engine cannot run Checkout: " + reason + "; " + test.fix; err.Error() != want {
					t.Errorf("got %q", err)
				}
			}
			if log.String() != "" {
				t.Errorf("log of a function that did not run:\n%s", log)
			}
		})
	}
}

func TestTargets(t *testing.T) {
	for _, test := range []struct {
		head  string
		want  string
		known bool
	}{
		{elfFile(62), "x86_64 Linux", true},
		{elfFile(183), "arm64 Linux", true},
		{elfFile(3), "386 Linux", true},
		{"\x7fELF\x02\x02\x01" + strings.Repeat("\x00", 12) + "\x16", "ELF machine 22 Linux", true}, // big endian
		{machFile(0x01000007), "x86_64 macOS", true},
		{machFile(0x0100000c), "arm64 macOS", true},
		{machFile(7), "Mach-O CPU 0x7 macOS", true},
		{"\xca\xfe\xba\xbe\x00\x00\x00\x02", " macOS", true},
		{"\xca\xfe\xba\xbe\x00\x00\x00\x34", " ", false}, // a Java class
		{"#!/bin/sh\n", " ", false},
		{"\x7fELF", " ", false},
		{"", " ", false},
	} {
		got, known := targetOf([]byte(test.head))
		if got.String() != test.want || known != test.known {
			t.Errorf("%q: %q, %v", test.head, got, known)
		}
	}
}

// TestMended has a function that its user mends while the engine runs.
func TestMended(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("echo")
	fn.Code.Path = t.TempDir()
	if _, err := e.Invoke(t.Context(), fn, Invocation{}); err == nil {
		t.Fatal("an empty folder ran")
	}
	if err := os.Symlink(filepath.Join(binaries, "echo", "bootstrap"), filepath.Join(fn.Code.Path, "bootstrap")); err != nil {
		t.Fatal(err)
	}
	wantPayload(t, invoke(t, e, fn, `{}`), `{}`)
}

// TestBusyProgram has a program that is still open for writing when it is
// started.
func TestBusyProgram(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("echo")
	text, err := os.ReadFile(filepath.Join(fn.Code.Path, "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	fn.Code.Path = writeFiles(t, map[string]string{"bootstrap": string(text)})
	open, err := os.OpenFile(filepath.Join(fn.Code.Path, "bootstrap"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = open.Close() })
	wantPayload(t, invoke(t, e, fn, `{}`), `{}`)
}

// TestBootstrapInLayer has the program of an OS-only runtime in a layer.
func TestBootstrapInLayer(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("echo")
	fn.Layers = []*model.Layer{{Path: t.TempDir()}, {Path: fn.Code.Path}}
	fn.Code.Path = t.TempDir()
	wantPayload(t, invoke(t, e, fn, `{}`), `{}`)
}

// TestScriptBootstrap has a shell script for a runtime, as custom runtimes do.
func TestScriptBootstrap(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("SKIP: curl is not installed")
	}
	e, log := newEngine(t, Options{})
	fn := goFunction("echo")
	fn.Code.Path = writeFiles(t, map[string]string{"bootstrap": `#!/bin/sh
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
	HEADERS=$(mktemp)
	EVENT=$(curl -sS -D "$HEADERS" "$API/invocation/next")
	ID=$(grep -i '^Lambda-Runtime-Aws-Request-Id:' "$HEADERS" | tr -d '\r' | cut -d' ' -f2)
	rm "$HEADERS"
	curl -sS -o /dev/null -d "{\"got\": $EVENT}" "$API/invocation/$ID/response"
done
`})
	for range 3 {
		wantPayload(t, invoke(t, e, fn, `[1]`), `{"got": [1]}`)
	}
	if t.Failed() {
		t.Log(log)
	}
}

// fakeInterpreters is a PATH of programs that are scripts.
func fakeInterpreters(t *testing.T, scripts map[string]string) hostEnvironment {
	t.Helper()
	files := map[string]string{}
	for name, text := range scripts {
		files[name] = "#!/bin/sh\n" + text
	}
	return hostEnvironment{"PATH": writeFiles(t, files) + ":/usr/bin:/bin"}
}

func TestInterpreterLookup(t *testing.T) {
	for _, test := range []struct {
		name    string
		scripts map[string]string
		want    string
	}{
		{"exact version", map[string]string{"python3.12": "echo /opt/python3.12/bin/python", "python3": "echo /opt/python3"}, "/opt/python3.12/bin/python"},
		{"a script that will not choose", map[string]string{"python3.12": "exit 127", "python3": "echo /opt/python3"}, "/opt/python3"},
		{"a script that says nothing of use", map[string]string{"python3.12": "echo python", "python3": "echo /opt/python3"}, "/opt/python3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var found interpreters
			host := fakeInterpreters(t, test.scripts)
			got, err := found.find(runtimeKind{family: familyPython, version: "3.12"}, host)
			if err != nil || got != test.want {
				t.Errorf("got %q, %v", got, err)
			}
			host["PATH"] = "/nowhere"
			if again, err := found.find(runtimeKind{family: familyPython, version: "3.12"}, host); again != got || err != nil {
				t.Errorf("asked again: %q, %v", again, err)
			}
		})
	}
	var found interpreters
	got, err := found.find(runtimeKind{family: familyPython, version: "9.9"}, parseEnvironment(os.Environ()))
	if err != nil || !filepath.IsAbs(got) {
		t.Errorf("the real one: %q, %v", got, err)
	}
}

func TestVersionNote(t *testing.T) {
	e, log := newEngine(t, Options{})
	fn := inNode(t, `exports.handler = async () => 1`)
	fn.Runtime = "nodejs16.x"
	invoke(t, e, fn, `{}`)
	other := *fn
	invoke(t, e, &other, `{}`)
	out, err := exec.Command("node", "-p", "process.versions.node").Output()
	if err != nil {
		t.Fatal(err)
	}
	note := "bailey: Code: runtime nodejs16.x runs on Node.js " + strings.TrimSpace(string(out)) + " here: Node.js 16 is not on the PATH\n"
	if strings.Count(log.String(), note) != 1 {
		t.Errorf("log:\n%s\nwant once:\n%s", log, note)
	}
}
