package synth

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

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
	hashes = map[string]string{}
	var files []string
	var size int64
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && skip != nil && skip(path, e.Name()):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir():
			folders = append(folders, path)
			return nil
		case e.Type() == fs.ModeSymlink:
			hashes[slashed(dir, path)], err = hashLink(dir, path)
			return err
		case !e.Type().IsRegular():
			return nil // a socket, say
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		files = append(files, path)
		if size += info.Size(); size > bytesLimit || len(files) > filesLimit {
			return fmt.Errorf("%s holds more than is hashed", dir)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return hashes, folders, hashInto(known, hashes, dir, files)
}

func slashed(dir, path string) string {
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	return filepath.ToSlash(rel)
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

// hashInto hashes files on all processors.
func hashInto(known *filehash.Cache, hashes map[string]string, dir string, files []string) error {
	var wait sync.WaitGroup
	var mutex sync.Mutex
	var failed error
	next := make(chan string)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for path := range next {
				hash, err := known.Of(path)
				mutex.Lock()
				if hashes[slashed(dir, path)] = hash; err != nil {
					failed = err
				}
				mutex.Unlock()
			}
		})
	}
	for _, path := range files {
		next <- path
	}
	close(next)
	wait.Wait()
	return failed
}
