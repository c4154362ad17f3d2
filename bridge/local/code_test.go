//go:build unix

package local

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// zipEntry is a file of an archive; what a link points to is its text.
type zipEntry struct {
	name string
	mode fs.FileMode
	text string
}

func zipBytes(t testing.TB, entries ...zipEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, entry := range entries {
		h := &zip.FileHeader{Name: entry.name, Method: zip.Deflate}
		if entry.mode != 0 {
			h.SetMode(entry.mode)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(entry.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func writeZip(t testing.TB, entries ...zipEntry) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "code.zip")
	if err := os.WriteFile(path, zipBytes(t, entries...), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestZippedCode(t *testing.T) {
	bootstrap, err := os.ReadFile(filepath.Join(binaries, "acts", "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	scratch := filepath.Join(t.TempDir(), "project", ".bailey", "run")
	e, _ := newEngine(t, Options{Scratch: scratch})
	fn := goFunction("acts")
	fn.Code.Path = writeZip(t, zipEntry{"bootstrap", 0o755, string(bootstrap)})
	dir := decode[struct{ Dir string }](t, invoke(t, e, fn, `{"do": "context"}`)).Dir
	if !strings.HasPrefix(dir, filepath.Join(scratch, "code")+"/") {
		t.Errorf("it ran in %s", dir)
	}
	// Another engine finds it unpacked, and the same content elsewhere too.
	before, err := os.Stat(filepath.Join(dir, "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	other, _ := newEngine(t, Options{Scratch: scratch})
	fn.Code.Path = writeZip(t, zipEntry{"bootstrap", 0o755, string(bootstrap)})
	if again := decode[struct{ Dir string }](t, invoke(t, other, fn, `{"do": "context"}`)).Dir; again != dir {
		t.Errorf("it ran in %s, then in %s", dir, again)
	}
	after, err := os.Stat(filepath.Join(dir, "bootstrap"))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("it was unpacked again: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(scratch, "code", ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestZippedLayer(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := inNode(t, `exports.handler = async () => require('a')`)
	fn.Layers = []*model.Layer{{Path: writeZip(t, zipEntry{"nodejs/node_modules/a/index.js", 0o644, `module.exports = 'ok'`})}}
	wantPayload(t, invoke(t, e, fn, `{}`), `"ok"`)
}

func TestUnzip(t *testing.T) {
	dir := t.TempDir()
	archive := writeZip(t,
		zipEntry{"bin/", fs.ModeDir | 0o700, ""},
		zipEntry{"bin/tool", 0o750, "tool"},
		zipEntry{"bin/setuid", fs.ModeSetuid | 0o755, "tool"},
		zipEntry{"deep/er/file.txt", 0o600, "text"},
		zipEntry{"windows.txt", 0, "text"},
		zipEntry{"bin/link", fs.ModeSymlink | 0o777, "../deep/er/file.txt"},
		zipEntry{"dir-link", fs.ModeSymlink | 0o777, "deep"},
	)
	if err := unzip(archive, dir); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{
		"bin/tool": 0o750, "bin/setuid": 0o755, "deep/er/file.txt": 0o600, "windows.txt": 0o644,
		"bin": fs.ModeDir | 0o755, "deep/er": fs.ModeDir | 0o755,
	} {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if info.Mode() != mode {
			t.Errorf("%s: mode %v, want %v", name, info.Mode(), mode)
		}
	}
	for _, name := range []string{"bin/link", "dir-link/er/file.txt"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); string(text) != "text" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// escapes are archives that must not be unpacked, and why.
var escapes = []struct {
	name    string
	entries []zipEntry
	want    string
}{
	{"parent", []zipEntry{{"../evil", 0o644, "x"}}, `entry "../evil": it would be written outside the folder`},
	{"parent within", []zipEntry{{"a/../../evil", 0o644, "x"}}, `entry "a/../../evil": it would be written outside the folder`},
	{"absolute", []zipEntry{{"/evil", 0o644, "x"}}, `entry "/evil": it would be written outside the folder`},
	{"backslashes", []zipEntry{{`..\evil`, 0o644, "x"}}, `entry "..\\evil": it would be written outside the folder`},
	{"no name", []zipEntry{{"/", fs.ModeDir | 0o755, ""}}, `entry "/": it would be written outside the folder`},
	{"absolute link", []zipEntry{{"link", fs.ModeSymlink | 0o777, "/etc"}}, `entry "link": the link leads out of the folder`},
	{"link to the parent", []zipEntry{{"a/link", fs.ModeSymlink | 0o777, "../../etc"}}, `entry "a/link": the link leads out of the folder`},
	{"empty link", []zipEntry{{"link", fs.ModeSymlink | 0o777, ""}}, `entry "link": the link leads out of the folder`},
	{"endless link", []zipEntry{{"link", fs.ModeSymlink | 0o777, strings.Repeat("a/", 4000)}}, `entry "link": the link leads out of the folder`},
	{"twice", []zipEntry{{"a", 0o644, "x"}, {"a", 0o644, "y"}}, `entry "a": openat a: file exists`},
	{"over a link", []zipEntry{{"b", 0o644, "x"}, {"a", fs.ModeSymlink | 0o777, "b"}, {"a", 0o644, "y"}}, `entry "a": openat a: file exists`},
	{"device", []zipEntry{{"null", fs.ModeDevice | 0o644, ""}}, `entry "null": it is neither a file nor a folder nor a symbolic link`},
	{"links that add up", []zipEntry{
		{"a/b", fs.ModeDir | 0o755, ""},
		{"up", fs.ModeSymlink | 0o777, "a/b"},
		{"up/out", fs.ModeSymlink | 0o777, "../../.."},
		{"up/out/evil", 0o644, "x"},
	}, `entry "up/out": the link leads out of the folder`},
	{"links that add up, in order", []zipEntry{
		{"deep/er/x", 0o644, ""},
		{"deep/er/up", fs.ModeSymlink | 0o777, "../.."},
		{"flat", fs.ModeSymlink | 0o777, "deep/er"},
		{"flat/up2", fs.ModeSymlink | 0o777, "../deep"},
		{"deep/er/up2/up/up/evil", 0o644, "x"},
	}, ""},
}

func TestUnzipEscapes(t *testing.T) {
	for _, test := range escapes {
		t.Run(test.name, func(t *testing.T) {
			around := t.TempDir()
			dir := filepath.Join(around, "in", "side")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			archive := writeZip(t, test.entries...)
			err := unzip(archive, dir)
			if test.want != "" && (err == nil || err.Error() != "cannot unpack "+archive+": "+test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			wantNothingOutside(t, around, dir)
		})
	}
}

// wantNothingOutside checks that all of around is what leads to dir.
func wantNothingOutside(t *testing.T, around, dir string) {
	t.Helper()
	err := filepath.WalkDir(around, func(path string, _ fs.DirEntry, err error) error {
		if path == dir {
			return fs.SkipDir
		}
		if !strings.HasPrefix(dir, path) {
			t.Errorf("written outside the folder: %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestUnzipBomb has an archive whose content is over Lambda's limit.
func TestUnzipBomb(t *testing.T) {
	block := strings.Repeat("\x00", 50<<20)
	var entries []zipEntry
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		entries = append(entries, zipEntry{name, 0o644, block})
	}
	err := unzip(writeZip(t, entries...), t.TempDir())
	if !errors.Is(err, errUnzippedTooLarge) ||
		!strings.HasSuffix(err.Error(), `: entry "f": unzipped size must be smaller than 262144000 bytes`) {
		t.Errorf("got %v", err)
	}
}

func TestZipThatIsNone(t *testing.T) {
	e, _ := newEngine(t, Options{})
	fn := goFunction("echo")
	fn.Code.Path = filepath.Join(t.TempDir(), "code.zip")
	if err := os.WriteFile(fn.Code.Path, []byte("not an archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := e.Invoke(t.Context(), fn, Invocation{})
	if err == nil || err.Error() != "cannot unpack "+fn.Code.Path+": zip: not a valid zip file" {
		t.Errorf("got %v", err)
	}
}

// TestUnpackedAtOnce has many that want the same archive at the same time.
func TestUnpackedAtOnce(t *testing.T) {
	dir := t.TempDir()
	archive := writeZip(t, zipEntry{"a", 0o644, "text"}, zipEntry{"b/c", 0o644, "text"})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			s, err := newScratch(dir)
			if err != nil {
				t.Error(err)
				return
			}
			got, err := s.content(archive)
			if err != nil {
				t.Error(err)
				return
			}
			if text, err := os.ReadFile(filepath.Join(got, "b", "c")); string(text) != "text" {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
	group.Wait()
	if entries, err := os.ReadDir(filepath.Join(dir, "code")); len(entries) != 1 {
		t.Errorf("%d folders, %v", len(entries), err)
	}
}

func FuzzUnzip(f *testing.F) {
	f.Add(zipBytes(f, zipEntry{"a", 0o644, "text"}, zipEntry{"b/", fs.ModeDir | 0o755, ""}, zipEntry{"b/l", fs.ModeSymlink | 0o777, "../a"}))
	for _, test := range escapes {
		f.Add(zipBytes(f, test.entries...))
	}
	f.Fuzz(func(t *testing.T, archive []byte) {
		r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
		if err != nil {
			return
		}
		around := t.TempDir()
		dir := filepath.Join(around, "in", "side")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		_ = unzipInto(r, dir)
		wantNothingOutside(t, around, dir)
		wantLinksInside(t, dir)
	})
}

// wantLinksInside checks that no link, followed to its end, leads out.
func wantLinksInside(t *testing.T, dir string) {
	t.Helper()
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink == 0 {
			return nil
		}
		if to, err := filepath.EvalSymlinks(path); err == nil && to != real && !strings.HasPrefix(to, real+"/") {
			t.Errorf("%s leads to %s", path, to)
		}
		return nil
	})
}
