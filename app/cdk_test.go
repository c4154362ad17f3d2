//go:build e2e

package main

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// cdkVersion is the CDK CLI that these tests use.
const cdkVersion = "2.1148.1"

// cdk is the path of the pinned CLI, which is installed by npm where it is
// missing.
var cdk = sync.OnceValues(func() (string, error) {
	cache, err := e2e.Cache()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "cdk", cdkVersion)
	tool := filepath.Join(dir, "node_modules", ".bin", "cdk")
	if _, err := os.Stat(tool); err == nil {
		return tool, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	// Installed aside and moved, so that what is there is whole.
	made, err := os.MkdirTemp(filepath.Dir(dir), "."+cdkVersion+"-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(made)
	npm := exec.Command("npm", "install", "--prefix", made, "--no-audit", "--no-fund", "--ignore-scripts", "aws-cdk@"+cdkVersion)
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm can't install the CDK CLI: %w\n%s", err, out)
	}
	if err := os.Rename(made, dir); err != nil {
		if _, there := os.Stat(tool); there == nil {
			return tool, nil // Another process was faster.
		}
		return "", err
	}
	return tool, nil
})

// result is what a command printed, and its exit status.
type result struct {
	stdout, all string
	status      int
}

// run runs the CDK CLI in a project, without credentials, and without asking
// anything of the network.
func run(t *testing.T, dir string, arguments ...string) result {
	t.Helper()
	return runIn(t, []string{
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
	}, dir, arguments...)
}

// runIn is run with an account: AWS's variables.
func runIn(t *testing.T, account []string, dir string, arguments ...string) result {
	t.Helper()
	tool, err := cdk()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(tool, append(arguments, "--no-notices", "--ci", "--no-color")...)
	command.Dir = dir
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AWS_") && !strings.HasPrefix(variable, "CDK_") {
			command.Env = append(command.Env, variable)
		}
	}
	command.Env = append(append(command.Env, account...),
		"CDK_DISABLE_CLI_TELEMETRY=true", "CDK_DISABLE_VERSION_CHECK=true", "CDK_VALIDATION=false",
	)
	var stdout, all bytes.Buffer
	var one sync.Mutex
	command.Stdout = &locked{&one, io.MultiWriter(&stdout, &all)}
	command.Stderr = &locked{&one, &all}
	err = command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{stdout.String(), all.String(), command.ProcessState.ExitCode()}
}

// locked keeps the writes of two streams apart.
type locked struct {
	*sync.Mutex
	to io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.to.Write(p)
}

// succeed is run for a command that must end with status 0.
func succeed(t *testing.T, dir string, arguments ...string) result {
	t.Helper()
	got := run(t, dir, arguments...)
	if got.status != 0 {
		t.Fatalf("cdk %s ended with %d:\n%s", strings.Join(arguments, " "), got.status, got.all)
	}
	return got
}

// root is the folder of cdk.json.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// another is a copy of the repository, as far as the app needs it, in which
// nothing was built.
func another(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, part := range packages(t) {
		if _, err := os.Stat(filepath.Join(dir, part)); err == nil {
			continue // It came with the folder above it.
		}
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join(root(t), part))); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"cdk.json", "go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root(t), file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// packages are the folders of this repository that the app is compiled from,
// those above others first.
func packages(t *testing.T) []string {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}", "./app/...", "./constructs/...")
	list.Dir = root(t)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	dirs := strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
	for i, dir := range dirs {
		if dirs[i], err = filepath.Rel(root(t), dir); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// contents are the files below a folder, by name.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		all[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// cdk synth compiles the functions for Lambda. A copy of the repository, in
// another folder, gives the same bytes.
func TestCDKSynth(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	succeed(t, root(t), "synth", "--quiet", "--output", first)
	succeed(t, another(t), "synth", "--quiet", "--output", second)
	here, there := contents(t, first), contents(t, second)

	executables := 0
	for name, content := range here {
		switch {
		case filepath.Base(name) == "bootstrap":
			executables++
			wantLambdaExecutable(t, name, content)
		case strings.HasPrefix(name, "asset."):
			t.Errorf("an asset holds the file %s", name)
		}
		if !bytes.Equal(content, there[name]) {
			t.Errorf("%s is not the same in a synth elsewhere", name)
		}
	}
	if executables != 5 {
		t.Errorf("there are %d executables, want five", executables)
	}
	if len(here) != len(there) {
		t.Errorf("one synth wrote %d files, the other %d", len(here), len(there))
	}
}

func wantLambdaExecutable(t *testing.T, name string, content []byte) {
	t.Helper()
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	defer file.Close()
	if file.Machine != elf.EM_AARCH64 || file.Section(".interp") != nil || file.Section(".symtab") != nil {
		t.Errorf("%s is for %s and not static and stripped, or not for arm64", name, file.Machine)
	}
	if bytes.Contains(content, []byte(root(t))) {
		t.Errorf("%s holds the path of this folder", name)
	}
}

func TestCDKList(t *testing.T) {
	if got := succeed(t, root(t), "ls").stdout; got != "Storefront\n" {
		t.Errorf("cdk ls says %q", got)
	}
}

// cdk diff compares with a template in a file here, since without an account
// there is no deployed stack: against nothing, everything is new.
func TestCDKDiffAgainstNothing(t *testing.T) {
	nothing := filepath.Join(t.TempDir(), "nothing.json")
	if err := os.WriteFile(nothing, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := run(t, root(t), "diff", "--fail", "--method", "template", "--template", nothing, "Storefront")
	if got.status != 1 {
		t.Errorf("cdk diff --fail ended with %d, want 1", got.status)
	}
	for _, want := range []string{
		"[+] AWS::Lambda::Function Quote QuoteE2906A56",
		"[+] AWS::Lambda::Function Checkout CheckoutB7CD3E82",
		"[+] AWS::Lambda::EventSourceMapping Fulfilment/Placed",
		"[+] AWS::Events::Rule Housekeeping/Regularly",
		"[+] AWS::DynamoDB::Table Orders OrdersA9B65338",
		"[+] AWS::ApiGatewayV2::Route ServerlessHttpApi/POST--quotes",
		"[+] Output ApiUrl",
	} {
		if !strings.Contains(got.all, want) {
			t.Errorf("cdk diff lacks %q", want)
		}
	}
	if removed := regexp.MustCompile(`(?m)^\[[-~]\]`).FindString(got.all); removed != "" {
		t.Errorf("cdk diff against nothing has a line that begins with %s:\n%s", removed, got.all)
	}
}

// Against what a synth wrote before, nothing is.
func TestCDKDiffAgainstItself(t *testing.T) {
	out := t.TempDir()
	succeed(t, root(t), "synth", "--quiet", "--output", out)
	got := succeed(t, root(t), "diff", "--fail", "--method", "template", "--template", filepath.Join(out, "Storefront.template.json"), "Storefront")
	if !strings.Contains(got.all, "There were no differences") {
		t.Errorf("cdk diff says\n%s", got.all)
	}
}

// The CDK CLI shows all faults of the app, with their lines, and fails.
func TestCDKShowsFaults(t *testing.T) {
	dir := another(t)
	file := filepath.Join(dir, "app", "storefront.go")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.NewReplacer(
		"30 * time.Second", "30 * time.Hour",
		`Path: "/quotes"`, `Path: "quotes"`,
		"./app/functions/housekeeping", "./app/functions/housekeping",
	).Replace(string(text))
	if err := os.WriteFile(file, []byte(broken), 0o644); err != nil {
		t.Fatal(err)
	}
	got := run(t, dir, "synth", "--quiet", "--output", t.TempDir())
	if got.status != 1 {
		t.Errorf("cdk synth ended with %d, want 1", got.status)
	}
	for _, want := range []string{
		`Storefront/Quote: event "Quote": the path "quotes" does not begin with "/"`,
		`Storefront/Fulfilment: Timeout is 30h0m0s: allowed are 1s to 15m in whole seconds`,
		`Storefront/Housekeeping: Entry "./app/functions/housekeping" is not there`,
	} {
		if found := regexp.MustCompile(`app/storefront\.go:\d+: ` + regexp.QuoteMeta(want)).FindString(got.all); found == "" {
			t.Errorf("cdk synth lacks the fault %s:\n%s", want, got.all)
		}
	}
}
