package dev

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long no file must have changed before a change is looked at:
	// an editor or git writes several.
	quiet = 10 * time.Millisecond
	// restless is when a change is looked at though files still change.
	restless = 500 * time.Millisecond
)

// ignored are folders that no application is made from: Bailey's and other tools'
// output, and what belongs to version control and editors.
var ignored = []string{".git", ".hg", ".bailey", ".aws-sam", "cdk.out", "node_modules", ".idea", ".vscode", "__pycache__", ".venv"}

// watcher tells of changes below some folders.
type watcher struct {
	notify *fsnotify.Watcher
	except []string // absolute paths of folders
	// Changed gets the time of the first of some changes, after they have come
	// to rest.
	changed chan time.Time
	failed  func(error)
}

func newWatcher(roots, except []string, failed func(error)) (*watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	w := &watcher{notify: notify, except: except, changed: make(chan time.Time, 1), failed: failed}
	for _, root := range roots {
		if _, err := w.add(root); err != nil {
			return nil, errors.Join(err, notify.Close())
		}
	}
	return w, nil
}

// add watches a folder and those in it. Found tells whether it holds files.
func (w *watcher) add(root string) (found bool, err error) {
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // gone since
		case err != nil:
			return err
		case !e.IsDir():
			found = true
			return nil
		case path != root && w.ignores(path):
			return fs.SkipDir
		}
		return w.notify.Add(path)
	})
	return found, err
}

func (w *watcher) ignores(path string) bool {
	return slices.Contains(ignored, filepath.Base(path)) || slices.Contains(w.except, path)
}

// temporary are names that editors write on their way, and that no build reads.
func temporary(name string) bool {
	return strings.HasSuffix(name, "~") || strings.HasPrefix(name, ".#") || strings.HasPrefix(name, "#") ||
		strings.HasSuffix(name, ".swp") || strings.HasSuffix(name, ".swx") || name == "4913" || name == ".DS_Store"
}

// run passes changes on until ctx ends.
func (w *watcher) run(ctx context.Context) {
	defer w.notify.Close() //nolint:errcheck // nothing is written
	var first time.Time
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event, ok := <-w.notify.Events:
			if !ok {
				return
			}
			if !w.counts(event) {
				continue
			}
			now := time.Now()
			if first.IsZero() {
				first = now
			}
			timer.Reset(min(quiet, max(0, restless-now.Sub(first))))
		case err, ok := <-w.notify.Errors:
			if !ok {
				return
			}
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				w.failed(err)
			}
			// Events were lost: look at everything.
			if first.IsZero() {
				first = time.Now()
			}
			timer.Reset(quiet)
		case <-timer.C:
			if !first.IsZero() {
				w.tell(first)
			}
			first = time.Time{}
			timer.Reset(time.Hour)
		}
	}
}

// tell passes a change on. One that was not taken yet stands for both.
func (w *watcher) tell(first time.Time) {
	select {
	case w.changed <- first:
	default:
	}
}

// counts tells whether an event is a change, and watches new folders.
func (w *watcher) counts(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod || temporary(filepath.Base(event.Name)) || w.ignores(event.Name) {
		return false
	}
	if event.Has(fsnotify.Create) {
		if info, err := os.Lstat(event.Name); err == nil && info.IsDir() {
			found, err := w.add(event.Name)
			if err != nil {
				w.failed(err)
			}
			return found
		}
	}
	return true
}
