package local

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/bailey-cdk/bailey/internal/filehash"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// scratch is the folder of what the engine writes. Each thing in it is in a
// folder named by a hash of its content and never changes, so that several
// engines may share one scratch folder and find again what was there:
//
//	code/HASH      an unpacked .zip file
//	inline/HASH    the inline code of a function
//	runtimes/HASH  our own bootstraps
//	pycache/       Python's compiled modules
type scratch struct {
	mu        sync.Mutex
	dir       string
	temporary bool
	unpacked  map[zipID]string
}

// zipID tells whether a .zip file is the one that was hashed before.
type zipID struct {
	path     string
	size     int64
	modified int64
}

func newScratch(dir string) (*scratch, error) {
	if dir != "" && !filepath.IsAbs(dir) {
		return nil, fmt.Errorf("the scratch folder %s is not an absolute path", dir)
	}
	return &scratch{dir: dir, temporary: dir == "", unpacked: map[zipID]string{}}, nil
}

// close removes a temporary scratch folder.
func (s *scratch) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.temporary || s.dir == "" {
		return nil
	}
	return os.RemoveAll(s.dir)
}

// folder makes a folder in the scratch folder, where it is not there yet.
func (s *scratch) folder(parts ...string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "bailey-run-")
		if err != nil {
			return "", err
		}
		s.dir = dir
	}
	dir := filepath.Join(append([]string{s.dir}, parts...)...)
	return dir, os.MkdirAll(dir, 0o755)
}

// code gives the folder of a function's code.
func (s *scratch) code(fn *model.Function, kind runtimeKind) (string, error) {
	switch {
	case fn.Code.Path != "":
		dir, err := s.content(fn.Code.Path)
		if errors.Is(err, fs.ErrNotExist) {
			return "", blocked("synthesise the app again", "its code %s is gone", fn.Code.Path)
		}
		return dir, err
	case fn.Code.Go != nil:
		return "", blocked("build it first", "its Go code (%s) has not been built", fn.Code.Go.Package)
	case fn.Code.Inline != "":
		return s.inline(fn.Code.Inline, kind)
	}
	return "", blocked("", "its template names no code")
}

// inline writes inline code into the file that CloudFormation puts it in.
func (s *scratch) inline(text string, kind runtimeKind) (string, error) {
	var name string
	switch kind.family {
	case familyNode:
		name = "index.js"
	case familyPython:
		name = "index.py"
	default:
		return "", blocked("", "inline code is for Node.js and Python alone")
	}
	return s.keep("inline", hashOf(name, text), func(dir string) error {
		return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
	})
}

// bootstrap writes our runtime for a family and gives its folder.
func (s *scratch) bootstrap(kind runtimeKind) (string, error) {
	name := kind.bootstrapFile()
	text, err := bootstraps.ReadFile("runtimes/" + name)
	if err != nil {
		return "", err
	}
	return s.keep("runtimes", hashOf(name, string(text)), func(dir string) error {
		return os.WriteFile(filepath.Join(dir, name), text, 0o644)
	})
}

// layers gives the folders of a function's layers, the one on top first.
func (s *scratch) layers(fn *model.Function) ([]string, error) {
	var dirs []string
	for _, layer := range fn.Layers {
		if layer.Path == "" {
			return nil, blocked("", "its layer %s is not part of the app, so that its content is not here",
				orElse(layer.ARN, layer.ID.Path))
		}
		dir, err := s.content(layer.Path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, blocked("synthesise the app again", "its layer %s is gone", layer.Path)
		}
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	slices.Reverse(dirs)
	return dirs, nil
}

// content gives the folder of an asset: itself, or what a .zip file holds.
func (s *scratch) content(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return path, nil
	}
	id := zipID{path: path, size: info.Size(), modified: info.ModTime().UnixNano()}
	s.mu.Lock()
	dir, known := s.unpacked[id]
	s.mu.Unlock()
	if known {
		return dir, nil
	}
	hash, err := filehash.Of(path)
	if err != nil {
		return "", err
	}
	dir, err = s.keep("code", hash[:32], func(dir string) error { return unzip(path, dir) })
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	s.unpacked[id] = dir
	s.mu.Unlock()
	return dir, nil
}

// keep gives the folder kind/hash, which fill has filled now or before. It is
// filled under another name and then renamed, so that it is whole or absent.
func (s *scratch) keep(kind, hash string, fill func(dir string) error) (string, error) {
	parent, err := s.folder(kind)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(parent, hash)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	made, err := os.MkdirTemp(parent, "."+hash+"-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(made) }()
	if err := fill(made); err != nil {
		return "", err
	}
	if err := os.Chmod(made, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(made, dir); err != nil {
		if _, there := os.Stat(dir); there == nil {
			return dir, nil // another was faster
		}
		return "", err
	}
	return dir, nil
}

func hashOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}
