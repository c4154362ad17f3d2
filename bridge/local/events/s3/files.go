package s3

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

const (
	// hashed is the folder of objects whose files cannot lie at their keys, and
	// of files that are being written. No key is written as it: a "%" of a key is
	// "%25".
	hashed = "%%"
	// maxSegment and maxPath bound what is written as it is, in bytes.
	maxSegment = 200
	maxPath    = 900
)

// folder is the folder of a bucket.
type folder struct{ root *os.Root }

func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(filepath.Join(dir, hashed), 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	return &folder{root}, err
}

// fileOf is the file where an object should lie.
func fileOf(key string) string {
	segments := strings.Split(key, "/")
	for i, s := range segments {
		segments[i] = escapeSegment(s)
		if len(segments[i]) > maxSegment {
			return hashedFile(key)
		}
	}
	file := strings.Join(segments, "/")
	if len(file) > maxPath {
		return hashedFile(key)
	}
	return file
}

func hashedFile(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hashed + "/" + hex.EncodeToString(sum[:])
}

// reservedNames cannot be names of files on Windows, with or without an ending.
var reservedNames = func() map[string]bool {
	all := map[string]bool{"CON": true, "PRN": true, "AUX": true, "NUL": true}
	for _, digit := range "123456789" {
		all["COM"+string(digit)], all["LPT"+string(digit)] = true, true
	}
	return all
}()

func escapeSegment(s string) string {
	if s == "" {
		return "%"
	}
	base, _, _ := strings.Cut(s, ".")
	reserved := reservedNames[strings.ToUpper(base)] || s == "." || s == ".."
	valid := strings.ToValidUTF8(s, "") == s
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		last := i == len(s)-1 && (c == '.' || c == ' ')
		if c < ' ' || c == 0x7f || strings.IndexByte(`\:*?"<>|%`, c) >= 0 || reserved && i == 0 || last || !valid && c >= 0x80 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// keyOf is the key of the object at a file, the reverse of fileOf.
func keyOf(file string) (string, bool) {
	segments := strings.Split(file, "/")
	for i, s := range segments {
		if s == "%" {
			segments[i] = ""
			continue
		}
		var b strings.Builder
		for j := 0; j < len(s); j++ {
			if s[j] != '%' {
				b.WriteByte(s[j])
				continue
			}
			if j+2 >= len(s) {
				return "", false
			}
			c, err := hex.DecodeString(s[j+1 : j+3])
			if err != nil {
				return "", false
			}
			b.WriteByte(c[0])
			j += 2
		}
		segments[i] = b.String()
	}
	key := strings.Join(segments, "/")
	return key, fileOf(key) == file
}

// temporary makes a file to write an object into.
func (f *folder) temporary() (*os.File, string, error) {
	name := hashed + "/writing-" + service.NewID()
	file, err := f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if errors.Is(err, fs.ErrNotExist) { // the user removed the folder
		if err = f.root.MkdirAll(hashed, 0o755); err == nil {
			file, err = f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
		}
	}
	return file, name, err
}

// place renames a written file to where the object lies. old is the file of the
// object so far, "" for a new one; the file that the object got is returned.
func (f *folder) place(temporary, key, old string) (string, error) {
	file := old
	if file == "" {
		file = fileOf(key)
		if _, err := f.root.Lstat(file); err == nil {
			file = hashedFile(key) // another object's, in a file system that ignores case
		}
	}
	if err := f.rename(temporary, file); err == nil {
		return file, nil
	}
	file = hashedFile(key)
	return file, f.rename(temporary, file)
}

func (f *folder) rename(from, to string) error {
	if dir := path.Dir(to); dir != "." {
		if err := f.root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return f.root.Rename(from, to)
}

// remove removes an object's file, and the folders that are empty then.
func (f *folder) remove(file string) {
	_ = f.root.Remove(file) // it may be gone already
	for dir := path.Dir(file); dir != "." && dir != hashed; dir = path.Dir(dir) {
		if f.root.Remove(dir) != nil {
			return // not empty
		}
	}
}

func (f *folder) open(file string) (*os.File, fs.FileInfo, error) {
	opened, err := f.root.Open(file)
	if err != nil {
		return nil, nil, err
	}
	info, err := opened.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		opened.Close()
		return nil, nil, err
	}
	return opened, info, nil
}

// walk calls fn with every file that may be an object.
func (f *folder) walk(fn func(file string, info fs.FileInfo)) error {
	return fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // what cannot be read is no object
		case d.IsDir() && name == hashed:
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		if info, err := d.Info(); err == nil {
			fn(name, info)
		}
		return nil
	})
}

// sweep removes files that were being written when the plane was killed.
func (f *folder) sweep() {
	names, err := fs.ReadDir(f.root.FS(), hashed)
	if err != nil {
		return
	}
	for _, d := range names {
		if strings.HasPrefix(d.Name(), "writing-") {
			_ = f.root.Remove(hashed + "/" + d.Name())
		}
	}
}

// copyAll copies, and says how far it came.
func copyAll(to io.Writer, from io.Reader) error {
	n, err := io.Copy(to, from)
	if err != nil {
		return fmt.Errorf("after %d bytes: %w", n, err)
	}
	return nil
}
