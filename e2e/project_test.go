//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// formats are the forms of the bridge's template, and where in a project each
// is written here. The first is the default, where the SAM CLI looks by itself.
var formats = []struct{ name, folder string }{
	{"cloudformation", filepath.Join(".aws-sam", "build")},
	{"sam", "handover"},
}

var mixedProject struct {
	sync.Mutex
	dir string
}

// mixed is the folder of a copy of testdata/apps/mixed, bridged in both
// formats. Its interpreters' versions are made this machine's.
func mixed(t testing.TB) string {
	t.Helper()
	mixedProject.Lock()
	defer mixedProject.Unlock()
	if mixedProject.dir != "" {
		return mixedProject.dir
	}
	command := bailey(t) // first: without it, there is no need to begin
	dir := filepath.Join(work, "mixed")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "apps", "mixed"))); err != nil {
		t.Fatal(err)
	}
	node, python := hosts(t)
	template := filepath.Join(dir, "cdk.out", "Service.template.json")
	replaceIn(t, template, "nodejs20.x", node, "python3.11", python, "x86_64", e2e.Architecture())
	for _, format := range formats {
		succeed(t, dir, command, "bridge", "cdk.out", "--format", format.name, "--output-dir", format.folder)
	}
	mixedProject.dir = dir
	return dir
}

func hosts(t testing.TB) (node, python string) {
	t.Helper()
	node, python, err := e2e.Hosts()
	if err != nil {
		t.Fatal(err)
	}
	return node, python
}

// baseImages makes sure of the images of the mixed app's functions.
func baseImages(t testing.TB) {
	t.Helper()
	node, python := hosts(t)
	for _, id := range []string{"provided.al2023", node, python} {
		e2e.BaseImage(t, id)
	}
}

func replaceIn(t testing.TB, file string, oldAndNew ...string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.NewReplacer(oldAndNew...).Replace(string(text)))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
