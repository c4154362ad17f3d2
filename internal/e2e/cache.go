package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Cache is the folder of what is installed once and used by every run:
// $BAILEY_CACHE, else bailey in $XDG_CACHE_HOME or ~/.cache. It is the one
// that scripts/with-docker uses.
func Cache() (string, error) {
	if dir := os.Getenv("BAILEY_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "bailey"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".cache", "bailey"), nil
}

// installOnce is the folder kind/key of the cache, filled by fill when it is
// not there. A folder that is there is whole: it is filled before a file that
// says so is written, under a lock that other processes wait for. It is filled
// in its place, since virtual environments can't be moved.
func installOnce(kind, key string, progress io.Writer, fill func(dir string) error) (string, error) {
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, kind, key)
	done := filepath.Join(dir, ".complete")
	if exists(done) {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(dir + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(done) {
		return dir, nil
	}
	_, _ = fmt.Fprintf(progress, "installing %s into %s\n", kind, dir)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := fill(dir); err != nil {
		return "", fmt.Errorf("install %s: %w", kind, err)
	}
	return dir, os.WriteFile(done, nil, 0o644)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lock waits for the lock of a file. The kernel drops it when the process
// ends.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// keyOf is a short name for what an installation was made of.
func keyOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// run runs a command to its end. Its error has what the command printed.
func run(name string, arguments ...string) (stdout string, err error) {
	var stderr strings.Builder
	command := exec.Command(name, arguments...)
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		said := strings.TrimSpace(stderr.String() + string(out))
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(arguments, " "), err, said)
	}
	return strings.TrimSpace(string(out)), nil
}
