package gofiles_test

import (
	"go/build"
	"os"
	"path/filepath"
	"testing"

	"github.com/bailey-cdk/bailey/constructs/internal/gofiles"
)

func TestPackage(t *testing.T) {
	const program, library = "package main\n", "package library\n"
	given := func(line string) string { return "//go:build " + line + "\n\n" + program }
	for name, c := range map[string]struct {
		files map[string]string
		want  string // "?" where it is not known
	}{
		"nothing":                {nil, ""},
		"no Go":                  {map[string]string{"README": program, "main.go.txt": program}, ""},
		"a program":              {map[string]string{"main.go": program, "more.go": "// Command checkout sells.\npackage main\n"}, "main"},
		"a library":              {map[string]string{"library.go": library}, "library"},
		"two packages":           {map[string]string{"main.go": program, "library.go": library}, "?"},
		"tests alone":            {map[string]string{"main_test.go": program, "x_linux_test.go": library}, ""},
		"tests of another":       {map[string]string{"main.go": program, "main_test.go": "package main_test\n"}, "main"},
		"hidden files":           {map[string]string{"_main.go": program, ".main.go": program}, ""},
		"a folder like a file":   {map[string]string{"main.go/README": ""}, ""},
		"no package":             {map[string]string{"main.go": "func main() {}\n"}, "?"},
		"an empty file":          {map[string]string{"main.go": ""}, "?"},
		"no Go after the clause": {map[string]string{"main.go": program + "\nfunc {"}, "main"},

		"the system's name":        {map[string]string{"x_linux.go": program}, "main"},
		"another's name":           {map[string]string{"x_windows.go": program, "y_darwin.go": program, "z_js_wasm.go": program}, ""},
		"another's, of a library":  {map[string]string{"x_windows.go": library, "main.go": program}, "main"},
		"the architecture's name":  {map[string]string{"x_arm64.go": program}, "main"},
		"another architecture's":   {map[string]string{"x_amd64.go": program, "y_linux_386.go": program}, ""},
		"both names":               {map[string]string{"x_linux_arm64.go": program}, "main"},
		"another system's":         {map[string]string{"x_windows_arm64.go": program}, ""},
		"names the wrong way":      {map[string]string{"x_arm64_linux.go": program, "y_amd64_linux.go": program}, "main"},
		"names without more":       {map[string]string{"windows.go": program, "amd64.go": program}, "main"},
		"a name of no file":        {map[string]string{"_windows.go": program}, ""},
		"a name with more dots":    {map[string]string{"x_windows.gen.go": program}, ""},
		"words that are no system": {map[string]string{"x_unix.go": program, "y_cgo.go": program, "z_order.go": program}, "main"},
		"a system as a tag":        {map[string]string{"x_plan9.go": program}, "main"},

		"a line for Linux":         {map[string]string{"main.go": given("linux && arm64 && unix && gc && !windows && !amd64")}, "main"},
		"a line for another":       {map[string]string{"main.go": given("windows || amd64 || darwin")}, ""},
		"cgo":                      {map[string]string{"main.go": given("cgo")}, ""},
		"without cgo":              {map[string]string{"main.go": given("!cgo")}, "main"},
		"ignored":                  {map[string]string{"main.go": given("ignore"), "library.go": library}, "library"},
		"a tag":                    {map[string]string{"main.go": given("fancy"), "library.go": "//go:build !fancy\n\n" + library}, "main"},
		"Lambda's tag":             {map[string]string{"main.go": given("lambda.norpc")}, "main"},
		"an old Go":                {map[string]string{"main.go": given("go1.1 && go1.21")}, "main"},
		"for an older Go":          {map[string]string{"main.go": given("!go1.21")}, ""},
		"a newer Go":               {map[string]string{"main.go": given("go1.99")}, "?"},
		"an experiment":            {map[string]string{"main.go": given("goexperiment.jsonv2")}, "?"},
		"a processor's feature":    {map[string]string{"main.go": given("arm64.v8.1")}, "?"},
		"a comment before":         {map[string]string{"main.go": "// Copyright.\n/* More\n//go:build windows\n*/\n\n" + given("linux")}, "main"},
		"a line behind the clause": {map[string]string{"main.go": program + "\n//go:build windows\n"}, "main"},
		"a line that is none":      {map[string]string{"main.go": "// go:build windows\n\n" + program}, "main"},
		"two lines":                {map[string]string{"main.go": "//go:build linux\n" + given("unix")}, "?"},
		"no expression":            {map[string]string{"main.go": given("linux &&")}, "?"},
		"a line of old":            {map[string]string{"main.go": "// +build windows\n\n" + program}, "?"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for file, text := range c.files {
				file = filepath.Join(folder, file)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			tags := []string{"lambda.norpc", "fancy", "plan9"}
			got, known := gofiles.Package(folder, "arm64", tags)
			if !known {
				got += "?"
			}
			if got != c.want {
				t.Errorf("the package is %q, want %q", got, c.want)
			}
			asGoBuild(t, folder, tags)
		})
	}
	if got, known := gofiles.Package(filepath.Join(t.TempDir(), "none"), "arm64", nil); known {
		t.Errorf("of a folder that is not there, the package is %q", got)
	}
}

// asGoBuild wants what is known to be what go/build finds.
func asGoBuild(t *testing.T, folder string, tags []string) {
	t.Helper()
	got, known := gofiles.Package(folder, "arm64", tags)
	target := build.Default
	target.GOOS, target.GOARCH, target.CgoEnabled, target.BuildTags = "linux", "arm64", false, tags
	found, err := target.ImportDir(folder, 0)
	if len(found.GoFiles) == 0 {
		found.Name = "" // else that of the tests
	}
	if known && (found.Name != got || err != nil && got != "") {
		t.Errorf("the package is %q, but %q for go/build, %v", got, found.Name, err)
	}
}

func FuzzPackage(f *testing.F) {
	for _, seed := range [][2]string{
		{"main.go", "package main\n"},
		{"x_linux_arm64.go", "// x\npackage x\n"},
		{"_x.go", "package x"},
		{"x_test.go", "package x"},
		{"x.go", "//go:build linux && !cgo || go1.22\n\npackage x\n"},
		{"x.go", "// +build windows\n\npackage x\n"},
		{"x.go", "/*\n//go:build windows\n*/\n\npackage x\n"},
		{"x_windows.gen.go", "package x\n//go:build ignore\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, name, text string) {
		if name != filepath.Base(name) || filepath.Ext(name) != ".go" || name == ".go" {
			t.Skip("no name of a Go file")
		}
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Skip("no name of a file")
		}
		defer os.Remove(file)
		asGoBuild(t, folder, []string{"lambda.norpc"})
	})
}
