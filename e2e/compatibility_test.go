//go:build e2e

package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/assembly"
	"github.com/bailey-cdk/bailey/internal/e2e"
)

var update = flag.Bool("update", false, "rewrite COMPATIBILITY.md")

const compatibilityHead = `# Compatibility

What the SAM CLI makes of the cloud assemblies of small CDK apps, and of what ` + "`bailey bridge`" + ` writes for them. Tests make this file (` + "`make compatibility`" + `); nobody writes it by hand.

The apps are in [bridge/testdata/apps](bridge/testdata/apps/README.md), one feature or one published issue each, and the want.txt of each says what the app defines. Both sides are the SAM CLI's own code, version 1.170.0. *Plain SAM CLI* reads every template that the CDK wrote; *Bailey* is the same SAM CLI reading the template that Bailey wrote.

- **functions**: those that ` + "`sam local invoke`" + ` finds under a name of their own, with code that it can run, of those that the app defines.
- **routes**: those that ` + "`sam local start-api`" + ` gives to the right function, of those that the app defines. A route that AWS protects counts only where start-api asks an authorizer too, and an open one only where it asks none.
- **values**: environment variables with a real value, of those whose value the template leaves to CloudFormation. Not real are: nothing, a logical id, a Lambda function's ARN for what is none, another region's name, an unresolved reference. Bailey tells of each that it does not know.
- **listed**: those functions that ` + "`sam list resources`" + ` shows, where it does not show all that the app defines.
- **lint**: what cfn-lint finds in the template of ` + "`bailey bridge --format sam`" + `, beyond remarks on runtimes that near their end.

| case | issues | plain SAM CLI | Bailey | verdict |
|---|---|---|---|---|
`

// TestCompatibility has the SAM CLI read every case's own templates and those
// of the bridge, and compares COMPATIBILITY.md. That Bailey gets worse than it
// was, or than the plain SAM CLI, is an error even where the file is rewritten.
func TestCompatibility(t *testing.T) {
	cases := prepareCases(t)
	readCases(t, cases)
	lintCases(t, cases)
	issues := issuesOf(t)
	before := rowsOf(t)
	var text strings.Builder
	text.WriteString(compatibilityHead)
	plainAll, baileyAll := 0, 0
	for _, c := range cases {
		plain, bailey := c.tally(c.plain, false), c.tally(c.bailey, true)
		row := fmt.Sprintf("| %s | %s | %s | %s | %s |\n", c.name, issues[c.name], plain, bailey, verdict(plain, bailey))
		text.WriteString(row)
		if plain.all() {
			plainAll++
		}
		if bailey.all() {
			baileyAll++
		}
		if bailey.score() < plain.score() {
			t.Errorf("%s: Bailey gets less right than the plain SAM CLI: %s", c.name, row)
		}
		if old, ok := before[c.name]; ok && bailey.score() < scoreOf(old) {
			t.Errorf("%s: Bailey got worse: %s\nbefore: %s", c.name, bailey, old)
		}
	}
	fmt.Fprintf(&text, "\nOf %d cases, the plain SAM CLI has all right in %d, and Bailey in %d.\n", len(cases), plainAll, baileyAll)
	compareSection(t, text.String(), true)
}

// testCase is one app with what the SAM CLI makes of it.
type testCase struct {
	name, dir     string
	want          want
	plain, bailey []*templateReading
	lint          []string
	// resources are the app's functions by construct path.
	resources map[string]*definition
}

// want is what an app defines.
type want struct {
	functions []string
	routes    []wantedRoute
	binary    string
}

type wantedRoute struct {
	method, path, function, version string
	protected                       bool
}

// templateReading is what compatibility.py prints of a template.
type templateReading struct {
	Template, Error, APIError string
	Functions                 []struct {
		ID, LogicalID, File, Obstacle string
		Layers                        int
		Environment                   map[string]string
	}
	Routes []struct {
		Path, Method, Function, LogicalID, File, Version string
		Protected                                        bool
	}
	Binary []string
	// Listed are the logical ids that sam list resources shows.
	Listed    []string
	ListError string

	// paths are the construct paths by template and logical id, for the CDK's
	// templates, and stage is theirs.
	paths map[string]string
	stage string
}

var preparedCases []*testCase

// prepareCases copies and bridges the cases, once for all tests.
func prepareCases(t *testing.T) []*testCase {
	t.Helper()
	if preparedCases != nil {
		return preparedCases
	}
	apps := filepath.Join(root, "bridge", "testdata", "apps")
	found, err := filepath.Glob(filepath.Join(apps, "*", "cdk.out"))
	if err != nil || len(found) < 70 {
		t.Fatalf("found %d assemblies, %v", len(found), err)
	}
	var cases []*testCase
	for _, dir := range found {
		c := &testCase{name: filepath.Base(filepath.Dir(dir)), resources: map[string]*definition{}}
		c.dir = copyCase(t, c.name)
		c.want = readWant(t, filepath.Join(c.dir, "want.txt"))
		c.bridge(t)
		cases = append(cases, c)
	}
	preparedCases = cases
	return cases
}

// copyCase is the folder of this run's copy of a case, in which the
// interpreters' versions are this machine's.
func copyCase(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(work, "cases", name)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "bridge", "testdata", "apps", name))); err != nil {
		t.Fatal(err)
	}
	node, python := hosts(t)
	var files []string
	for _, pattern := range []string{"*.json", filepath.Join("*", "*.json")} {
		matches, err := filepath.Glob(filepath.Join(dir, "cdk.out", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, matches...)
	}
	for _, file := range files {
		// A container takes its time on a busy machine. An app's own Timeout
		// comes later in its object, and so wins.
		replaceIn(t, file, "@CASE@", filepath.ToSlash(dir), "nodejs20.x", node, "python3.11", python, `"Handler": "`, `"Timeout": 60, "Handler": "`)
	}
	return dir
}

func readWant(t *testing.T, file string) want {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var w want
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 2 && words[0] == "function":
			w.functions = append(w.functions, words[1])
		case len(words) >= 4 && words[0] == "route":
			r := wantedRoute{method: words[1], path: words[2], function: words[3]}
			for _, word := range words[4:] {
				if word == "auth" {
					r.protected = true
				} else {
					r.version = word
				}
			}
			w.routes = append(w.routes, r)
		case len(words) > 1 && words[0] == "binary":
			w.binary = strings.Join(words[1:], " ")
		default:
			t.Fatalf("%s: what is %q?", file, line)
		}
	}
	return w
}

// bridge has Bailey write its templates, and notes which templates there are
// to read on either side.
func (c *testCase) bridge(t *testing.T) {
	t.Helper()
	a, err := assembly.Load(filepath.Join(c.dir, "cdk.out"))
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range a.Stages {
		if !stage.HasFunctions() {
			continue
		}
		for _, stack := range stage.Stacks {
			r := &templateReading{Template: stack.Template.File, paths: map[string]string{}, stage: stage.Name}
			c.define(stack, r.paths)
			c.plain = append(c.plain, r)
		}
		for _, format := range formats {
			out := filepath.Join(format.folder, stage.Name)
			succeed(t, c.dir, bailey(t), "bridge", "cdk.out", "--stage", stage.Name, "--format", format.name, "--output-dir", out)
		}
		written, err := filepath.Glob(filepath.Join(c.dir, formats[0].folder, stage.Name, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, template := range written {
			c.bailey = append(c.bailey, &templateReading{Template: template})
		}
	}
}

// readCases asks the SAM CLI about all templates at once.
func readCases(t *testing.T, cases []*testCase) {
	t.Helper()
	var all []*templateReading
	for _, c := range cases {
		all = append(append(all, c.plain...), c.bailey...)
	}
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = r.Template
	}
	input, err := json.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs(filepath.Join("testdata", "compatibility.py"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := e2e.Cache()
	if err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(cache, "sam-list-resources")
	if err := os.MkdirAll(kept, 0o755); err != nil {
		t.Fatal(err)
	}
	o := execute(t, work, string(input), e2e.Python(t), script, kept)
	if o.status != 0 {
		t.Fatalf("exit status %d: %s", o.status, o.stderr)
	}
	if err := json.Unmarshal([]byte(o.stdout), &all); err != nil || len(all) != len(names) {
		t.Fatalf("%v: %s", err, o.stdout)
	}
}

// lintCases lints the SAM format of all cases at once, as sam validate --lint
// does.
func lintCases(t *testing.T, cases []*testCase) {
	t.Helper()
	byFile := map[string]*testCase{}
	arguments := []string{"--format", "json", "--regions", "us-east-1", "--ignore-checks", "W2531", "E2531", "--"}
	for _, c := range cases {
		for _, pattern := range []string{"*.yaml", filepath.Join("*", "*.yaml")} {
			files, err := filepath.Glob(filepath.Join(c.dir, formats[1].folder, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				byFile[file] = c
				arguments = append(arguments, file)
			}
		}
	}
	o := execute(t, work, "", filepath.Join(filepath.Dir(e2e.SAM(t)), "cfn-lint"), arguments...)
	var findings []struct {
		Filename string
		Rule     struct{ ID string }
	}
	if err := json.Unmarshal([]byte(o.stdout), &findings); err != nil {
		t.Fatalf("cfn-lint: %v: %s%s", err, o.stdout, o.stderr)
	}
	for _, f := range findings {
		c := byFile[f.Filename]
		if c == nil {
			t.Fatalf("cfn-lint speaks of %s", f.Filename)
		}
		if !slices.Contains(c.lint, f.Rule.ID) {
			c.lint = append(c.lint, f.Rule.ID)
		}
	}
}

// issuesOf are the issues that each case settles, from the cases' README.
func issuesOf(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "bridge", "testdata", "apps", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	issues := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			issues[strings.TrimSpace(cells[1])] = strings.TrimSpace(cells[3])
		}
	}
	return issues
}

var (
	compatibilityFile = filepath.Join(root, "COMPATIBILITY.md")
	invokedTitle      = "\n## Invoked\n"
)

// sections are the table of readings and the one of invocations.
func sections(t *testing.T) (read, invoked string) {
	t.Helper()
	text, err := os.ReadFile(compatibilityFile)
	if err != nil && (!os.IsNotExist(err) || !*update) {
		t.Fatal(err)
	}
	read, invoked, found := strings.Cut(string(text), invokedTitle)
	if found {
		invoked = invokedTitle + invoked
	}
	return read, invoked
}

func compareSection(t *testing.T, text string, first bool) {
	t.Helper()
	read, invoked := sections(t)
	old := &read
	if !first {
		old = &invoked
	}
	if *old == text {
		return
	}
	if !*update {
		t.Errorf("COMPATIBILITY.md is not what this run found; make compatibility, and read the diff:\n%s", firstDifference(*old, text))
		return
	}
	*old = text
	if err := os.WriteFile(compatibilityFile, []byte(read+invoked), 0o644); err != nil {
		t.Fatal(err)
	}
}

func firstDifference(old, new string) string {
	var said strings.Builder
	lines := strings.Split(old, "\n")
	for line := range strings.Lines(new) {
		if !slices.Contains(lines, strings.TrimSuffix(line, "\n")) {
			said.WriteString("+ " + line)
		}
	}
	return said.String()
}

// rowsOf are Bailey's cells of the committed table by case.
func rowsOf(t *testing.T) map[string]string {
	t.Helper()
	read, _ := sections(t)
	rows := map[string]string{}
	for line := range strings.Lines(read) {
		if cells := strings.Split(line, " | "); len(cells) == 5 {
			rows[strings.TrimPrefix(cells[0], "| ")] = cells[3]
		}
	}
	return rows
}

var fraction = regexp.MustCompile(`(?:functions|routes|values) (\d+)/`)

// scoreOf is the score that a cell tells.
func scoreOf(cell string) int {
	sum := 0
	for _, match := range fraction.FindAllStringSubmatch(cell, -1) {
		n, _ := strconv.Atoi(match[1])
		sum += n
	}
	return sum
}

// oneLine fits a text into a cell of a table.
func oneLine(text string, dirs ...string) string {
	for _, dir := range dirs {
		text = strings.ReplaceAll(text, dir, ".")
	}
	text = strings.Join(strings.Fields(text), " ")
	text = strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text)
	if runes := []rune(text); len(runes) > 110 {
		text = string(runes[:107]) + "..."
	}
	return text
}

func contains(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return p != "" && strings.Contains(text, p) })
}
