//go:build unix

package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// program is how a function is run, found out once for all its processes.
type program struct {
	path string
	args []string
	dir  string
	env  []string
}

// launch adds what belongs to one process.
func (p *program) launch(runtimeAPI, logStream string) launch {
	env := append(slices.Clip(p.env),
		"AWS_LAMBDA_RUNTIME_API="+runtimeAPI,
		"AWS_LAMBDA_LOG_STREAM_NAME="+logStream)
	return launch{path: p.path, args: p.args, dir: p.dir, env: env}
}

// prepare finds out how a function is run: its code and layers as folders, and
// the program that runs it.
func (e *Engine) prepare(fn *model.Function) (*program, error) {
	kind, err := runtimeOf(fn)
	if err != nil {
		return nil, err
	}
	dir, err := e.scratch.code(fn, kind)
	if err != nil {
		return nil, err
	}
	layers, err := e.scratch.layers(fn)
	if err != nil {
		return nil, err
	}
	s := settings{fn: fn, host: e.host, kind: kind, taskRoot: dir, layers: layers}
	p := &program{dir: dir}
	if kind.family == familyProvided {
		s.runtimeDir = "/var/runtime" // as on Lambda; there is nothing of ours to find
		p.path, err = findBootstrap(dir, layers)
	} else {
		err = e.interpret(p, &s)
	}
	if err != nil {
		return nil, err
	}
	env, ignored := s.environment()
	p.env = list(env)
	e.noteEnvironment(fn, ignored)
	return p, nil
}

// interpret sets up the interpreter of a managed runtime with our bootstrap.
func (e *Engine) interpret(p *program, s *settings) error {
	path, err := e.interpreters.find(s.kind, e.host)
	if err != nil {
		return err
	}
	if s.runtimeDir, err = e.scratch.bootstrap(s.kind); err != nil {
		return err
	}
	p.path = path
	p.args = []string{filepath.Join(s.runtimeDir, s.kind.bootstrapFile())}
	if s.kind.family == familyPython {
		compiled, err := e.scratch.folder("pycache")
		if err != nil {
			return err
		}
		// With -u, what is printed is logged at once.
		p.args = []string{"-u", p.args[0], compiled}
	}
	return nil
}

// noteEnvironment says once what of a function's environment has no effect.
func (e *Engine) noteEnvironment(fn *model.Function, ignored []string) {
	if len(ignored) > 0 && e.notes.first("reserved "+fn.Path) {
		e.logs.notef("%s: Lambda reserves %s and refuses a function that sets it; the template's value is ignored",
			nameOf(fn), strings.Join(ignored, ", "))
	}
	if wrapper := fn.Environment["AWS_LAMBDA_EXEC_WRAPPER"]; wrapper != "" && e.notes.first("wrapper "+fn.Path) {
		e.logs.notef("%s: AWS_LAMBDA_EXEC_WRAPPER (%s) is not run: there is no /opt here; %s where it matters",
			nameOf(fn), wrapper, wayOut)
	}
}

// findBootstrap finds the program of an OS-only runtime where Lambda looks: in
// the code, then in the layers.
func findBootstrap(dir string, layers []string) (string, error) {
	for _, folder := range append([]string{dir}, layers...) {
		path := filepath.Join(folder, "bootstrap")
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		return path, checkProgram(path, info)
	}
	return "", blocked("build the function", "there is no file named bootstrap in %s", dir)
}
