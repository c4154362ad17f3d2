//go:build linux || darwin

package filehash

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sealed makes a seal over a folder, a file in it, a link to that, and a file that
// is not there.
func sealed(t *testing.T) (seal, dir string) {
	t.Helper()
	dir = t.TempDir()
	seal = filepath.Join(t.TempDir(), "seal")
	write(t, filepath.Join(dir, "file"), "one")
	write(t, filepath.Join(dir, "other"), "two")
	if err := os.Symlink("file", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	paths := []string{dir, filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(t.TempDir(), "later", "go.mod")}
	if err := Seal(seal, "key", "note", time.Now(), paths); !errors.Is(err, ErrUnsettled) {
		t.Errorf("what was written just now: %v", err)
	}
	if err := Seal(seal, "key", "note", time.Now().Add(settled+time.Second), paths); err != nil {
		t.Fatal(err)
	}
	if note, ok := Sealed(seal, "key"); !ok || note != "note" {
		t.Fatalf("got %q, %v", note, ok)
	}
	return seal, dir
}

func TestSealBreaks(t *testing.T) {
	tests := map[string]func(t *testing.T, dir string) error{
		"another content": func(t *testing.T, dir string) error {
			write(t, filepath.Join(dir, "file"), "two")
			return nil
		},
		"a time that was set back": func(t *testing.T, dir string) error {
			path := filepath.Join(dir, "file")
			was, err := os.Stat(path)
			if err != nil {
				return err
			}
			write(t, path, "two")
			return os.Chtimes(path, was.ModTime(), was.ModTime())
		},
		"a new file": func(t *testing.T, dir string) error {
			write(t, filepath.Join(dir, "new"), "")
			return nil
		},
		"a removed one": func(_ *testing.T, dir string) error { return os.Remove(filepath.Join(dir, "other")) },
		"another link": func(_ *testing.T, dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "link")), os.Symlink("other", filepath.Join(dir, "link")))
		},
		"no folder": func(_ *testing.T, dir string) error { return os.RemoveAll(dir) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			seal, dir := sealed(t)
			time.Sleep(10 * time.Millisecond) // more than the clock's resolution
			if err := change(t, dir); err != nil {
				t.Fatal(err)
			}
			if _, ok := Sealed(seal, "key"); ok {
				t.Error("it holds")
			}
		})
	}
}

// TestSealHolds: what is beside the sealed paths is no matter.
func TestSealHolds(t *testing.T) {
	seal, dir := sealed(t)
	time.Sleep(10 * time.Millisecond)
	write(t, filepath.Join(dir, "other"), "three")
	if note, ok := Sealed(seal, "key"); !ok || note != "note" {
		t.Errorf("got %q, %v", note, ok)
	}
	if _, ok := Sealed(seal, "another"); ok {
		t.Error("it holds for another key")
	}
}

// TestSealDistrustsDamage: a seal that was changed or cut is none.
func TestSealDistrustsDamage(t *testing.T) {
	seal, dir := sealed(t)
	good, err := os.ReadFile(seal)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		strings.Replace(string(good), filepath.Join(dir, "file")+"\n", "", 1), string(good[:len(good)-1]), string(good[:20]), "",
	} {
		write(t, seal, bad)
		if _, ok := Sealed(seal, "key"); ok {
			t.Errorf("%q holds", bad)
		}
	}
}

// TestSealLooksAtMany: as many paths as several goroutines look at.
func TestSealLooksAtMany(t *testing.T) {
	dir, seal := t.TempDir(), filepath.Join(t.TempDir(), "seal")
	var paths []string
	for i := range 300 {
		paths = append(paths, filepath.Join(dir, "file"+string(rune('a'+i%26))+strings.Repeat("x", i/26)))
		write(t, paths[i], "one")
	}
	if err := Seal(seal, "key", "", time.Now().Add(settled+time.Second), paths); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 149, 150, 299} {
		time.Sleep(10 * time.Millisecond)
		if _, ok := Sealed(seal, "key"); !ok {
			t.Fatal("it does not hold")
		}
		write(t, paths[i], "two")
		if _, ok := Sealed(seal, "key"); ok {
			t.Errorf("it holds without file %d", i)
		}
		if err := Seal(seal, "key", "", time.Now().Add(settled+time.Second), paths); err != nil {
			t.Fatal(err)
		}
	}
}
