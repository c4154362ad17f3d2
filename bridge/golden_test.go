package bridge_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge"
	"github.com/bailey-cdk/bailey/bridge/assembly"
	"github.com/bailey-cdk/bailey/bridge/model"
	"github.com/bailey-cdk/bailey/bridge/samtemplate"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden bridges each assembly below testdata/apps, which real CDK apps
// synthesised, and compares every file written, and every remark made, with
// testdata/golden.
func TestGolden(t *testing.T) {
	for _, name := range cases(t) {
		a, err := assembly.Load(filepath.Join("testdata", "apps", name, "cdk.out"))
		if err != nil {
			t.Fatal(err)
		}
		for _, stage := range a.Stages {
			if !stage.HasFunctions() {
				continue // the stack of a pipeline: see TestStageWithFunctions
			}
			t.Run(filepath.Join(name, stage.Name), func(t *testing.T) {
				golden := filepath.Join("testdata", "golden", strings.TrimSuffix(name+"-"+stage.Name, "-"))
				compareFolders(t, golden, bridgeAll(t, name, stage.Name))
			})
		}
	}
}

// cases are the names of the apps that have an assembly.
func cases(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("testdata/apps/*/cdk.out")
	if err != nil || len(found) < 70 {
		t.Fatalf("found %d assemblies, %v", len(found), err)
	}
	names := make([]string, len(found))
	for i, dir := range found {
		names[i] = filepath.Base(filepath.Dir(dir))
	}
	return names
}

// copyCase copies a case, so that its assembly is always one that was moved.
// Where assets were not staged, the assembly names the folder of the app.
func copyCase(t *testing.T, name string) string {
	t.Helper()
	project := t.TempDir()
	if err := os.CopyFS(project, os.DirFS(filepath.Join("testdata", "apps", name))); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(project, "cdk.out", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && bytes.Contains(text, []byte("@CASE@")) {
			err = os.WriteFile(file, bytes.ReplaceAll(text, []byte("@CASE@"), []byte(filepath.ToSlash(project))), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return project
}

// bridgeAll bridges a copy of a case in both formats, and returns the folder
// with what was written.
func bridgeAll(t *testing.T, name, stage string) string {
	t.Helper()
	project := copyCase(t, name)
	app, err := bridge.Load(bridge.Options{Assembly: filepath.Join(project, "cdk.out"), Stage: stage, Project: project})
	if err != nil {
		t.Fatal(err)
	}
	var remarks bytes.Buffer
	list(&remarks, "reading", app.Diagnostics)
	out := filepath.Join(project, ".aws-sam")
	for folder, format := range map[string]samtemplate.Format{"build": samtemplate.CloudFormation, "sam": samtemplate.SAM} {
		result, err := samtemplate.Write(app, samtemplate.Options{Dir: filepath.Join(out, folder), Format: format})
		if err != nil {
			t.Fatal(err)
		}
		list(&remarks, folder, result.Notes)
	}
	text := strings.ReplaceAll(remarks.String(), project, "PROJECT")
	if err := os.WriteFile(filepath.Join(out, "remarks.txt"), []byte(sortLines(text)), 0o644); err != nil {
		t.Fatal(err)
	}
	return out
}

func list(w *bytes.Buffer, origin string, all []model.Diagnostic) {
	for _, d := range all {
		fmt.Fprintf(w, "%s: %d %s | %s | %s\n", origin, d.Severity, d.Path, d.Where, d.Message)
	}
}

func sortLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var build []string
	for _, prefix := range []string{"reading", "build", "sam"} {
		for _, line := range lines {
			if strings.HasPrefix(line, prefix+":") {
				build = append(build, line)
			}
		}
	}
	return strings.Join(append(build, ""), "\n")
}

func compareFolders(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.RemoveAll(golden); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(golden, os.DirFS(got)); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, have := read(t, golden), read(t, got)
	for name, text := range want {
		if have[name] != text {
			t.Errorf("%s differs from the golden file; go test ./bridge -update, and read the diff:\n%s", name, have[name])
		}
		delete(have, name)
	}
	for name := range have {
		t.Errorf("%s is written, and there is no golden file for it", name)
	}
}

func read(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		relative, _ := filepath.Rel(root, path)
		files[filepath.ToSlash(relative)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestStageWithFunctions: the stack of a pipeline is not what is meant where
// there are stages with functions.
func TestStageWithFunctions(t *testing.T) {
	_, err := bridge.Load(bridge.Options{Assembly: "testdata/apps/pipeline/cdk.out"})
	if want := "the assembly has several stages: Beta, Live; choose one with --stage"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
