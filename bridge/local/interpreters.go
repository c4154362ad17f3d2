//go:build unix

package local

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// interpreters remembers where the interpreters of the managed runtimes are.
type interpreters struct {
	mu    sync.Mutex
	found map[runtimeKind]string
}

// find gives the interpreter for a runtime: the exact version if the host has
// it under its usual name, else the one that the host uses. What version that
// is shows when it asks for its first event: see [Engine.noteVersion].
func (n *interpreters) find(kind runtimeKind, host hostEnvironment) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if path := n.found[kind]; path != "" {
		return path, nil
	}
	names := kind.interpreterNames()
	for _, name := range names {
		if path := usable(kind, name, host); path != "" {
			if n.found == nil {
				n.found = map[runtimeKind]string{}
			}
			n.found[kind] = path
			return path, nil
		}
	}
	return "", blocked(fmt.Sprintf("install %s %s", kind.language(), kind.version),
		"%s is not installed (none of %s is on the PATH)", kind.language(), strings.Join(names, ", "))
}

// interpreterNames are the names to look for, the exact version first.
func (k runtimeKind) interpreterNames() []string {
	if k.family == familyNode {
		return []string{"node" + k.version, "node-" + k.version, "node", "nodejs"}
	}
	return []string{"python" + k.version, "python3"}
}

// usable gives the path of an interpreter on the host's PATH, "" for none. One
// that is a script stands for another, which version managers choose by folder
// or refuse to choose; it is asked once for the real one, which also starts
// faster.
func usable(kind runtimeKind, name string, host hostEnvironment) string {
	path := lookPath(host["PATH"], name)
	if path == "" {
		return ""
	}
	head, err := readHead(path)
	if err != nil {
		return ""
	}
	if !bytes.HasPrefix(head, []byte("#!")) {
		return path
	}
	return realInterpreter(kind, path, host)
}

func realInterpreter(kind runtimeKind, script string, host hostEnvironment) string {
	args := []string{"-p", "process.execPath"}
	if kind.family == familyPython {
		args = []string{"-c", "import sys; print(sys.executable)"}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, script, args...)
	cmd.Env = list(host)
	answer, err := cmd.Output()
	path := strings.TrimSpace(string(answer))
	if err != nil || !filepath.IsAbs(path) {
		return ""
	}
	return path
}

// lookPath finds a program on a search path that is not this process's own.
func lookPath(searchPath, name string) string {
	for _, dir := range filepath.SplitList(searchPath) {
		if !filepath.IsAbs(dir) {
			continue // relative to the code folder, it would be another's program
		}
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// noteVersion says once that a runtime runs on another version here. Our
// bootstraps tell theirs as "bailey-nodejs/22.1.0" in the User-Agent header.
func (e *Engine) noteVersion(i *instance) {
	i.mu.Lock()
	client := i.client
	i.mu.Unlock()
	fn := i.pool.fn
	kind, err := runtimeOf(fn)
	if err != nil {
		return
	}
	here, ours := strings.CutPrefix(client, "bailey-"+string(kind.family)+"/")
	if !ours || here == kind.version || strings.HasPrefix(here, kind.version+".") {
		return
	}
	if e.notes.first("version " + fn.Runtime) {
		e.logs.notef("%s: runtime %s runs on %s %s here: %s %s is not on the PATH",
			nameOf(fn), fn.Runtime, kind.language(), here, kind.language(), kind.version)
	}
}
