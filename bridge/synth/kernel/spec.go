package kernel

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/bailey-cdk/bailey/internal/atomicfile"
	"github.com/bailey-cdk/bailey/internal/build"
)

// preload is the program that a kernel runs first.
//
//go:embed preload.js
var preload []byte

// protocol is raised whenever the messages between the processes change.
const protocol = "1"

// App is a CDK app in Go.
type App struct {
	// Dir is the folder that its command is run in.
	Dir string
	// Program is its package with flags of go build before it, as
	// "go run" takes them.
	Program []string
	// Env is the environment that its command is run in.
	Env []string
	// Node is the Node.js that jsii would run, as a path.
	Node string
}

// Spec says which kernel an app needs.
type Spec struct {
	// Runtime is the folder of jsii's program, in the module cache.
	Runtime string
	// Packages are what the app loads, in that order.
	Packages []Package
	// Node is the Node.js: an executable, with no symbolic link on the way.
	Node string
	// NodeMajor is its major version.
	NodeMajor int
	// Failed is why there can be no kernel, "" where there can.
	Failed string `json:",omitempty"`

	// NodeFile, Inputs and Hashes are what the above was found from.
	NodeFile FileID
	Inputs   build.Inputs
	Hashes   map[string]string
}

// Package is a jsii package.
type Package struct{ Name, Version, Tarball string }

// Key names the kernels that serve equally well.
func (s *Spec) Key() string {
	data, err := json.Marshal(struct {
		Protocol, Runtime, Node string
		NodeFile                FileID
		Packages                []Package
		Preload                 []byte
	}{protocol, s.Runtime, s.Node, s.NodeFile, s.Packages, preload})
	if err != nil {
		return "" // strings and numbers have no way to fail
	}
	return hash(data)
}

func hash(parts ...[]byte) string {
	sum := sha256.Sum256(bytes.Join(parts, []byte{0}))
	return hex.EncodeToString(sum[:])[:32]
}

// FileID tells whether an executable was replaced. It is no content hash: the
// kernel is a running process of it, and 100 MB are not read at each synth.
type FileID struct {
	Size, Modified int64
	Inode          uint64
}

// specFile is where the spec of an app is kept.
func specFile(folder string, app App) string {
	parts := [][]byte{[]byte(app.Dir), []byte(app.Node), []byte(strings.Join(app.Program, "\x00"))}
	for _, e := range app.Env {
		if strings.HasPrefix(e, "GO") {
			parts = append(parts, []byte(e))
		}
	}
	return filepath.Join(folder, "app-"+hash(parts...)+".json")
}

// readSpec reads the spec of an app where that still holds.
func readSpec(file string) (*Spec, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var s Spec
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	if id, err := Identify(s.Node); s.Failed == "" && (err != nil || id != s.NodeFile) {
		return nil, errors.New("the Node.js has changed")
	}
	if hashes, err := s.Inputs.Hash(nil); err != nil || !maps.Equal(hashes, s.Hashes) {
		return nil, errors.New("the versions may have changed")
	}
	return &s, nil
}

// resolve finds the spec of an app by way of the go command, and keeps it.
func resolve(ctx context.Context, folder string, app App) (*Spec, error) {
	program, err := build.ReadProgram(ctx, app.Dir, app.Env, app.Program)
	if err != nil {
		return nil, err
	}
	s := &Spec{Inputs: program.Modules}
	if s.Hashes, err = s.Inputs.Hash(nil); err != nil {
		return nil, err
	}
	if s.Node, err = realNode(app.Node); err == nil {
		err = s.findPackages(program)
	}
	if err != nil {
		s.Failed = err.Error() // kept, or each synth would ask again
	} else if err := s.findNode(ctx, app); err != nil {
		return nil, err // the next synth may have better luck
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return s, atomicfile.Write(specFile(folder, app), data)
}

const runtimePackage = "github.com/aws/jsii-runtime-go/runtime"

// loadCall is the line of a generated jsii.go that says what its tarball is.
var loadCall = regexp.MustCompile(`\b_jsii_\.Load\("([^"]+)", "([^"]+)", tarball\)`)

func (s *Spec) findPackages(program *build.Program) error {
	for _, p := range program.Packages {
		// What is elsewhere may change at any time.
		cached := strings.HasPrefix(p.Dir, program.ModuleCache+string(filepath.Separator))
		switch {
		case p.ImportPath == runtimePackage && cached:
			s.Runtime = filepath.Join(filepath.Dir(p.Dir), "internal", "embedded", "resources")
		case filepath.Base(p.Dir) == "jsii" && len(p.Embed) == 1 && cached:
			found, err := jsiiPackage(p)
			if err != nil {
				return err
			}
			s.Packages = append(s.Packages, found)
		}
	}
	if s.Runtime == "" {
		return errors.New("the app does not use jsii-runtime-go from the module cache")
	}
	if _, err := os.Stat(s.program()); err != nil {
		return fmt.Errorf("this release of jsii-runtime-go keeps its program elsewhere: %w", err)
	}
	return nil
}

func jsiiPackage(p build.Package) (Package, error) {
	source, err := os.ReadFile(filepath.Join(p.Dir, "jsii.go"))
	if err != nil {
		return Package{}, err
	}
	m := loadCall.FindSubmatch(source)
	if m == nil {
		return Package{}, fmt.Errorf("%s does not say which package it loads", p.ImportPath)
	}
	return Package{string(m[1]), string(m[2]), filepath.Join(p.Dir, p.Embed[0])}, nil
}

// program is the one that speaks the protocol. The other, which jsii starts,
// starts this one and passes on what the two streams hold.
func (s *Spec) program() string { return filepath.Join(s.Runtime, "lib", "program.js") }

// entry is the program that jsii starts.
func (s *Spec) entry() string { return filepath.Join(s.Runtime, "bin", "jsii-runtime.js") }

func (s *Spec) findNode(ctx context.Context, app App) (err error) {
	if s.NodeFile, err = Identify(s.Node); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, s.Node, "--version")
	command.Env = app.Env
	out, err := command.Output()
	if err != nil {
		return fmt.Errorf("%s --version: %w", s.Node, err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), ".")
	s.NodeMajor, err = strconv.Atoi(major)
	return err
}

// realNode refuses a script, for that (of a version manager) may choose another
// Node.js in another folder.
func realNode(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	start := make([]byte, 2)
	if _, err := f.Read(start); err != nil || string(start) == "#!" {
		return "", fmt.Errorf("%s is a script", path)
	}
	return path, nil
}
