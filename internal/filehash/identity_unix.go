//go:build linux || darwin

package filehash

import (
	"errors"

	"golang.org/x/sys/unix"
)

// identify follows links, as reading does. Ok is false for what is no file.
func identify(path string) (id identity, ok bool) {
	s, err := status(unix.Stat, path)
	if err != nil || s.Mode&unix.S_IFMT != unix.S_IFREG {
		return identity{}, false
	}
	return newIdentity(s), true
}

// stateOf looks at what is at path, and at what a link there leads to.
func stateOf(path string) (s state, ok bool) {
	found, err := status(unix.Lstat, path)
	if absent(err) {
		return s, true
	}
	if err != nil {
		return s, false
	}
	s.file = newIdentity(found)
	if found.Mode&unix.S_IFMT != unix.S_IFLNK {
		return s, true
	}
	found, err = status(unix.Stat, path)
	if absent(err) {
		return s, true
	}
	s.target = newIdentity(found)
	return s, err == nil
}

func absent(err error) bool { return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) }

func status(call func(string, *unix.Stat_t) error, path string) (s unix.Stat_t, err error) {
	err = call(path, &s)
	for errors.Is(err, unix.EINTR) {
		err = call(path, &s)
	}
	return s, err
}

func newIdentity(s unix.Stat_t) identity {
	return identity{
		device: uint64(s.Dev), inode: s.Ino, size: s.Size, //nolint:unconvert // a name, whatever its sign
		modified: unix.TimespecToNsec(s.Mtim), changed: unix.TimespecToNsec(s.Ctim),
	}
}
