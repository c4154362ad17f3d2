package assembly

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnstaged takes an asset of a real assembly to other places.
func TestUnstaged(t *testing.T) {
	for name, test := range map[string]struct {
		// place makes the asset of the project, and is the path that the
		// assembly names.
		place func(t *testing.T, project string) string
		want  string // of the error, "" where there is none
	}{
		"in the project": {func(_ *testing.T, project string) string { return filepath.Join(project, "src") }, ""},
		"gone":           {func(_ *testing.T, project string) string { return filepath.Join(project, "gone") }, "is gone; synthesise again"},
		"elsewhere": {
			func(t *testing.T, _ string) string { return t.TempDir() },
			"lies outside PROJECT, the folder of the cloud assembly, so it is not read",
		},
		"a relative path":          {func(*testing.T, string) string { return "../src" }, "lies outside the cloud assembly"},
		"out of the project by ..": {func(_ *testing.T, project string) string { return project + "/src/../.." }, "lies outside PROJECT"},
		"out of the project by a link": {func(t *testing.T, project string) string {
			link(t, t.TempDir(), filepath.Join(project, "link"))
			return filepath.Join(project, "link")
		}, "lies outside PROJECT"},
		"through a linked folder": {func(t *testing.T, project string) string {
			elsewhere := t.TempDir()
			if err := os.Mkdir(filepath.Join(elsewhere, "src"), 0o755); err != nil {
				t.Fatal(err)
			}
			link(t, elsewhere, filepath.Join(project, "link"))
			return filepath.Join(project, "link", "src")
		}, "lies outside PROJECT"},
		"by a link inside the project": {func(t *testing.T, project string) string {
			link(t, "src", filepath.Join(project, "link"))
			return filepath.Join(project, "link")
		}, ""},
		"a folder whose name begins like the project's": {func(t *testing.T, project string) string {
			if err := os.Mkdir(project+"-other", 0o755); err != nil {
				t.Fatal(err)
			}
			return project + "-other"
		}, "lies outside PROJECT"},
	} {
		t.Run(name, func(t *testing.T) {
			project := filepath.Join(t.TempDir(), "shop")
			if err := os.CopyFS(project, os.DirFS(filepath.Join(apps, "unstaged"))); err != nil {
				t.Fatal(err)
			}
			replace(t, filepath.Join(project, "cdk.out", "Shop.assets.json"), "@CASE@/src", filepath.ToSlash(test.place(t, project)))
			path, err := codeOf(t, filepath.Join(project, "cdk.out"))
			if test.want == "" {
				if err != nil || path != filepath.Join(project, "src") {
					t.Errorf("got %s, %v", path, err)
				}
				return
			}
			if want := strings.ReplaceAll(test.want, "PROJECT", project); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %s, %v, want %q", path, err, want)
			}
		})
	}
}

// codeOf is the code of the one function in an assembly.
func codeOf(t *testing.T, dir string) (string, error) {
	t.Helper()
	a, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := a.Stages[0].Stacks[0]
	for _, r := range s.Template.Resources {
		if r.Type == "AWS::Lambda::Function" {
			path, ok, err := s.Assets.File(r.Properties["Code"].(map[string]any)["S3Key"].(string))
			if !ok {
				t.Fatal("the assembly has no such asset")
			}
			return path, err
		}
	}
	t.Fatal("no function")
	return "", nil
}

// TestMoved loads an assembly that was moved by itself, and one that is reached
// by a link.
func TestMoved(t *testing.T) {
	moved := copyApp(t, "http-api")
	linked := filepath.Join(t.TempDir(), "linked")
	link(t, moved, linked)
	for _, dir := range []string{moved, linked} {
		path, err := codeOf(t, dir)
		if err != nil || filepath.Dir(path) != dir {
			t.Errorf("%s: the code is in %s, %v", dir, path, err)
		}
	}
}
