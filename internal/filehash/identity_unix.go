//go:build linux || darwin

package filehash

import (
	"errors"

	"golang.org/x/sys/unix"
)

// identify follows links, as reading does. Ok is false for what is no file.
func identify(path string) (id identity, ok bool) {
	var s unix.Stat_t
	err := unix.Stat(path, &s)
	for errors.Is(err, unix.EINTR) {
		err = unix.Stat(path, &s)
	}
	if err != nil || s.Mode&unix.S_IFMT != unix.S_IFREG {
		return identity{}, false
	}
	return identity{
		device: uint64(s.Dev), inode: s.Ino, size: s.Size, //nolint:unconvert // a name, whatever its sign
		modified: unix.TimespecToNsec(s.Mtim), changed: unix.TimespecToNsec(s.Ctim),
	}, true
}
