package synth

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/bailey-cdk/bailey/internal/filehash"
)

// A project beyond these limits is synthesised each time: to read it all would
// take as long.
const (
	filesLimit = 20_000
	bytesLimit = 512 << 20
)

// hashFiles maps the files below dir, with slashes, to the SHA-256 of their
// content, and links to where they point. Skip leaves out files and folders, given
// their path and name. A link that leads out of dir is an error, for what is there
// may change unseen; so is a tree beyond the limits.
func hashFiles(known *filehash.Cache, dir string, skip func(path, name string) bool) (hashes map[string]string, folders []string, err error) {
	l := &look{dir: dir, skip: skip, links: map[string]string{}}
	l.walkers.SetLimit(runtime.GOMAXPROCS(0))
	l.walk(dir)
	if err := errors.Join(l.walkers.Wait(), l.err); err != nil {
		return nil, nil, err
	}
	hashes, err = l.hash(known)
	return hashes, l.folders, err
}

// look is one look at all that is below a folder.
type look struct {
	dir     string
	skip    func(path, name string) bool
	walkers errgroup.Group

	mu      sync.Mutex
	folders []string
	files   []filehash.Found
	links   map[string]string
	size    int64
	err     error
}

// walk looks through a folder, and through those in it beside it where a processor
// is free.
func (l *look) walk(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.add(func() error { return err })
		return
	}
	l.add(func() error { l.folders = append(l.folders, dir); return nil })
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case l.skip != nil && l.skip(path, e.Name()):
		case e.IsDir():
			inner := func() error { l.walk(path); return nil }
			if !l.walkers.TryGo(inner) {
				l.walk(path)
			}
		case e.Type() == fs.ModeSymlink:
			to, err := hashLink(l.dir, path)
			l.add(func() error { l.links[slashed(l.dir, path)] = to; return err })
		case e.Type().IsRegular(): // and no socket, say
			l.file(filehash.Find(path))
		}
	}
}

func (l *look) file(f filehash.Found) {
	l.add(func() error {
		l.files = append(l.files, f)
		if l.size += f.Size; l.size > bytesLimit || len(l.files) > filesLimit {
			return fmt.Errorf("%s holds more than is hashed", l.dir)
		}
		return nil
	})
}

// add notes something, unless the look has failed.
func (l *look) add(note func() error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = note()
	}
}

// slashed is a path below dir relative to it, with slashes.
func slashed(dir, path string) string {
	return filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(path, dir), string(filepath.Separator)))
}

func hashLink(dir, path string) (string, error) {
	to, err := os.Readlink(path)
	if err != nil {
		return "", err
	}
	absolute := to
	if !filepath.IsAbs(to) {
		absolute = filepath.Join(filepath.Dir(path), to)
	}
	if !within(dir, absolute) {
		return "", fmt.Errorf("%s leads out of %s", path, dir)
	}
	return "-> " + to, nil
}

// hash hashes what was found, on all processors.
func (l *look) hash(known *filehash.Cache) (map[string]string, error) {
	found := make([]string, len(l.files))
	var next atomic.Int64
	var workers errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() (err error) {
			for i := int(next.Add(1)) - 1; i < len(found) && err == nil; i = int(next.Add(1)) - 1 {
				found[i], err = known.OfFound(l.files[i])
			}
			return err
		})
	}
	if err := workers.Wait(); err != nil {
		return nil, err
	}
	hashes := make(map[string]string, len(found)+len(l.links))
	maps.Copy(hashes, l.links)
	for i, f := range l.files {
		hashes[slashed(l.dir, f.Path)] = found[i]
	}
	return hashes, nil
}
