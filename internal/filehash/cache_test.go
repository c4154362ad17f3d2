//go:build linux || darwin

package filehash

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// aged makes a cache that knows one file, which has been left alone for long
// enough, and returns both.
func aged(t *testing.T) (cache, path string) {
	t.Helper()
	dir := t.TempDir()
	cache, path = filepath.Join(dir, "cache"), filepath.Join(dir, "file")
	write(t, path, "one")
	time.Sleep(settled + 50*time.Millisecond)
	ask(t, cache, path, "one")
	if r, ok := known(cache)[path]; !ok || r.hash != hashOf(t, path) {
		t.Fatalf("the file is not remembered: %v", r)
	}
	return cache, path
}

func known(cache string) map[string]remembered {
	c := OpenCache(cache)
	c.load()
	return c.known
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func hashOf(t *testing.T, path string) string {
	t.Helper()
	hash, err := Of(path)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// ask opens the cache, asks for a file and saves.
func ask(t *testing.T, cache, path, want string) {
	t.Helper()
	other := filepath.Join(t.TempDir(), "other")
	write(t, other, want)
	c := OpenCache(cache)
	if got, err := c.Of(path); err != nil || got != hashOf(t, other) {
		t.Errorf("got %s, %v; want the hash of %q", got, err, want)
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
}

// TestCacheSeesEveryChange: each of these leaves something of the file as it was.
func TestCacheSeesEveryChange(t *testing.T) {
	tests := map[string]func(t *testing.T, path string, was os.FileInfo){
		"another content of the same length and time": func(t *testing.T, path string, was os.FileInfo) {
			write(t, path, "two")
			if err := os.Chtimes(path, was.ModTime(), was.ModTime()); err != nil {
				t.Fatal(err)
			}
		},
		"a rename over it": func(t *testing.T, path string, was os.FileInfo) {
			write(t, path+"2", "two")
			if err := os.Chtimes(path+"2", was.ModTime(), was.ModTime()); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+"2", path); err != nil {
				t.Fatal(err)
			}
		},
		"a link in its place": func(t *testing.T, path string, _ os.FileInfo) {
			write(t, path+"2", "two")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(path+"2", path); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache, path := aged(t)
			was, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			change(t, path, was)
			ask(t, cache, path, "two")
		})
	}
}

// TestCacheDistrustsTheYoung: a file that may change again within the clock's
// resolution is read each time.
func TestCacheDistrustsTheYoung(t *testing.T) {
	dir := t.TempDir()
	cache, path := filepath.Join(dir, "cache"), filepath.Join(dir, "file")
	for _, text := range []string{"one", "two", "six"} {
		write(t, path, text)
		ask(t, cache, path, text)
		if known := known(cache); len(known) > 0 {
			t.Errorf("it is remembered: %v", known)
		}
	}
}

// TestCacheDistrustsDamage: a hash that was changed or cut off is not believed.
func TestCacheDistrustsDamage(t *testing.T) {
	t.Parallel()
	cache, path := aged(t)
	good, err := os.ReadFile(cache)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		strings.Replace(string(good), hashOf(t, path), strings.Repeat("0", 64), 1),
		string(good[:len(good)-1]), string(good[:20]), "",
		strings.Replace(string(good), cacheVersion, "filehash-0", 1),
	} {
		write(t, cache, bad)
		ask(t, cache, path, "one")
	}
}

func TestCacheOfMissingFile(t *testing.T) {
	t.Parallel()
	cache, path := aged(t)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if hash, err := OpenCache(cache).Of(path); !os.IsNotExist(err) {
		t.Errorf("got %q, %v", hash, err)
	}
	var none *Cache
	if hash, err := none.Of(cache); err != nil || hash == "" || none.Save() != nil {
		t.Errorf("got %q, %v", hash, err)
	}
}
