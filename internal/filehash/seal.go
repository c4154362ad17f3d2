package filehash

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/internal/atomicfile"
)

// sealVersion is the first word of a seal's file, raised with its form.
const sealVersion = "seal-1"

// ErrUnsettled says that something may change again without being seen.
var ErrUnsettled = errors.New("something has changed just now")

// Seal notes in file that key holds for the paths: files, folders, and what is not
// there. A folder stands for the names in it, and not for what is in them. Began
// is a moment before the caller looked at any of them; where one has changed since,
// or shortly before, nothing is noted and the error is [ErrUnsettled].
func Seal(file, key, note string, began time.Time, paths []string) error {
	lines := append([]string{key, note}, paths...)
	for _, line := range lines {
		if strings.ContainsRune(line, '\n') {
			return errors.New("a line break")
		}
	}
	states, ok := statesOf(paths)
	if !ok {
		return ErrUnsettled
	}
	for _, s := range states {
		if newest := time.Unix(0, max(s.file.changed, s.file.modified, s.target.changed, s.target.modified)); began.Sub(newest) <= settled {
			return ErrUnsettled
		}
	}
	body := []byte(digest(states) + "\n" + strings.Join(lines, "\n") + "\n")
	return atomicfile.Write(file, append([]byte(header(sealVersion, body)+"\n"), body...))
}

// Sealed tells whether the note in file is of that key, and all that it was made of
// is as it was. Any trouble means that it is not.
func Sealed(file, key string) (note string, ok bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", false
	}
	head, body, ok := bytes.Cut(data, []byte("\n"))
	if !ok || string(head) != header(sealVersion, body) {
		return "", false
	}
	lines := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	if len(lines) < 3 || lines[1] != key {
		return "", false
	}
	states, ok := statesOf(lines[3:])
	return lines[2], ok && digest(states) == lines[0]
}

// state is what is at a path: the zero one where there is nothing. Target is what
// a link leads to.
type state struct {
	file, target identity
}

// digest hashes states.
func digest(states []state) string {
	h := sha256.New()
	text := make([]byte, 0, 160)
	for _, s := range states {
		text = s.target.append(s.file.append(text[:0]))
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// statesOf looks at paths on all processors. Ok is false where one cannot be told.
func statesOf(paths []string) (states []state, ok bool) {
	states = make([]state, len(paths))
	var wait sync.WaitGroup
	workers := max(1, min(runtime.GOMAXPROCS(0), len(paths)/64))
	failed := make([]bool, workers)
	for w := range workers {
		wait.Go(func() {
			for i := w * len(paths) / workers; i < (w+1)*len(paths)/workers; i++ {
				var ok bool
				if states[i], ok = stateOf(paths[i]); !ok {
					failed[w] = true
					return
				}
			}
		})
	}
	wait.Wait()
	for _, f := range failed {
		if f {
			return nil, false
		}
	}
	return states, true
}
