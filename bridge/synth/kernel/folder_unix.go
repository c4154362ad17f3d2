//go:build unix

package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Supported tells whether this system can keep kernels.
const Supported = true

// Folder is where the socket lies and what is known of apps: BAILEY_KERNEL_DIR,
// else bailey in XDG_RUNTIME_DIR, else bailey/kernel in the user's cache. It is
// made where it is missing, and refused where anyone but its owner can enter it.
func Folder() (string, error) {
	dir := os.Getenv("BAILEY_KERNEL_DIR")
	if run := os.Getenv("XDG_RUNTIME_DIR"); dir == "" && filepath.IsAbs(run) {
		dir = filepath.Join(run, "bailey")
	}
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(cache, "bailey", "kernel")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil { //nolint:gosec // the user names it
		return "", err
	}
	info, err := os.Lstat(dir) //nolint:gosec // likewise
	if err != nil {
		return "", err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(owner.Uid) != os.Getuid() || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s is not a folder that only you can enter: remove it, or chmod 700", dir)
	}
	return dir, nil
}

func socketPath(folder string) string { return filepath.Join(folder, "kernel.sock") }

// Identify identifies the file that path leads to.
func Identify(path string) (FileID, error) {
	info, err := os.Stat(path)
	if err != nil {
		return FileID{}, err
	}
	id := FileID{Size: info.Size(), Modified: info.ModTime().UnixNano()}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		id.Inode = s.Ino
	}
	return id, nil
}
