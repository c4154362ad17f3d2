package local

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxLinkTarget is the most bytes of a symbolic link's target.
const maxLinkTarget = 4096

// unzip unpacks a .zip file into a folder, with the modes of its files, but for
// what would let other users write them. An
// entry or a link that leads out of the folder is an error, and so is one that
// is written through a link, whatever the archive says: every file is opened
// beneath the folder by [os.Root].
func unzip(archive, dir string) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("cannot unpack %s: %w", archive, err)
	}
	defer func() { _ = r.Close() }()
	if err := unzipInto(&r.Reader, dir); err != nil {
		return fmt.Errorf("cannot unpack %s: %w", archive, err)
	}
	return nil
}

func unzipInto(r *zip.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	u := unpacking{root: root, left: maxUnzipped}
	for _, f := range r.File {
		if err := u.entry(f); err != nil {
			return fmt.Errorf("entry %q: %w", f.Name, err)
		}
	}
	return nil
}

// unpacking is an archive on its way to the disk.
type unpacking struct {
	root *os.Root
	left int64 // bytes that it may still hold
}

var errUnzippedTooLarge = fmt.Errorf("unzipped size must be smaller than %d bytes", maxUnzipped)

func (u *unpacking) entry(f *zip.File) error {
	name := strings.TrimSuffix(f.Name, "/")
	local := filepath.FromSlash(name)
	if name == "" || strings.ContainsAny(name, "\\\x00") || !filepath.IsLocal(local) {
		return errors.New("it would be written outside the folder")
	}
	mode := f.Mode()
	switch {
	case mode.IsDir():
		return u.root.MkdirAll(local, 0o755)
	case mode&fs.ModeSymlink != 0:
		return u.link(f, name)
	case mode.IsRegular():
		return u.file(f, local)
	}
	return errors.New("it is neither a file nor a folder nor a symbolic link")
}

// file writes a file. One without a mode, as archives from Windows have, can
// be read by all.
func (u *unpacking) file(f *zip.File, local string) (err error) {
	if err := u.parent(local); err != nil {
		return err
	}
	perm := f.Mode().Perm() &^ 0o022
	if perm == 0 {
		perm = 0o644
	}
	content, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	out, err := u.root.OpenFile(local, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	n, err := io.Copy(out, io.LimitReader(content, u.left+1))
	u.left -= n
	if err == nil && u.left < 0 {
		err = errUnzippedTooLarge
	}
	if err != nil {
		return err
	}
	return out.Chmod(perm) // whatever the umask is
}

// link makes a symbolic link to a place within the folder.
func (u *unpacking) link(f *zip.File, name string) error {
	content, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	target, err := io.ReadAll(io.LimitReader(content, maxLinkTarget+1))
	if err != nil {
		return err
	}
	to := string(target)
	if to == "" || len(to) > maxLinkTarget || path.IsAbs(to) || strings.ContainsAny(to, "\\\x00") ||
		!filepath.IsLocal(filepath.FromSlash(path.Join(path.Dir(name), to))) {
		return errors.New("the link leads out of the folder")
	}
	local := filepath.FromSlash(name)
	if err := u.parent(local); err != nil {
		return err
	}
	return u.root.Symlink(filepath.FromSlash(to), local)
}

func (u *unpacking) parent(local string) error {
	if dir := filepath.Dir(local); dir != "." {
		return u.root.MkdirAll(dir, 0o755)
	}
	return nil
}
