package bridge_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const readmeHead = `# Cloud assemblies of real apps

Each folder is one small CDK app with the cloud assembly that it synthesised. The bridge's tests read the assemblies; ` + "`make golden`" + ` synthesises all of them anew, by synth.js, and ` + "`go test -tags e2e ./bridge`" + ` proves that they are what the apps make. The apps in Go are in ../apps-go.

want.txt says what the app defines, as its author means it and AWS would do it: functions by construct path, and routes to them (` + "`auth`" + ` where a caller must be authorised; ` + "`{}`" + ` stands for a parameter of any name). COMPATIBILITY.md, in the root of the repository, holds the SAM CLI and Bailey to that.

This table is made by ` + "`go test ./bridge -update`" + ` of the comment that each app begins with. Numbers are those of issues in the SAM CLI's and the CDK's trackers that the case settles.

| case | what it has | issues |
|---|---|---|
`

// TestReadme keeps the table of the cases.
func TestReadme(t *testing.T) {
	var text strings.Builder
	text.WriteString(readmeHead)
	for _, name := range cases(t) {
		what, issues := describe(t, name)
		fmt.Fprintf(&text, "| %s | %s | %s |\n", name, what, issues)
	}
	file := filepath.Join("testdata", "apps", "README.md")
	if *update {
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(file); err != nil || string(have) != text.String() {
		t.Errorf("%s is out of date, %v: go test ./bridge -update", file, err)
	}
}

// describe reads the first comment of an app: what it has, and the issues.
func describe(t *testing.T, name string) (what, issues string) {
	t.Helper()
	dir := filepath.Join("testdata", "apps", name)
	for _, file := range []string{
		filepath.Join(dir, "app.js"), filepath.Join(dir, "app.ts"), filepath.Join(dir, "app.py"),
		filepath.Join("testdata", "apps-go", strings.ReplaceAll(name, "-", "_")+".go"),
	} {
		if text := firstComment(file); text != "" {
			return splitIssues(text)
		}
	}
	t.Errorf("%s: the app has no comment that says what it has", name)
	return "", ""
}

func firstComment(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	var words []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line, ok := strings.CutPrefix(strings.Replace(lines.Text(), "# ", "// ", 1), "// ")
		if !ok {
			break
		}
		words = append(words, line)
	}
	return strings.Join(words, " ")
}

// splitIssues splits "What it has. SAM CLI #1, #2, cdk #3."
func splitIssues(text string) (what, issues string) {
	for _, tracker := range []string{"SAM CLI #", "cdk #"} {
		if i := strings.Index(text, tracker); i >= 0 {
			return strings.TrimSpace(text[:i]), strings.TrimSuffix(text[i:], ".")
		}
	}
	return text, ""
}
