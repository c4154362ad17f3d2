package build

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/internal/filehash"
)

// recordVersion is raised whenever the record or what is recorded changes, so
// that executables of an older Bailey are built anew.
const recordVersion = 1

// record is what an executable was made from.
type record struct {
	Version int
	// Flags are the target and the flags of go build.
	Flags []string
	// Toolchain is tool.identity.
	Toolchain string
	// Env are the variables of the user that choose source and toolchain.
	Env map[string]string
	// GoMod and GoWork are where the go command found them.
	GoMod, GoWork string
	// Packages and Files say where to look for the inputs, Inputs what was
	// found there: the SHA-256 of each file, "" for one that is not there.
	Packages []folder
	Files    []string
	Inputs   map[string]string
	// Output is the SHA-256 of the bootstrap.
	Output string
}

// parseRecord reads a record. An error means that there is no record to go by.
func parseRecord(data []byte) (*record, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var r record
	if err := dec.Decode(&r); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	if r.Version != recordVersion {
		return nil, fmt.Errorf("version %d, not %d", r.Version, recordVersion)
	}
	// An executable has at least a main package; and without a hash of it
	// nothing can be told.
	if len(r.Packages) == 0 && len(r.Files) == 0 || len(r.Output) != 64 {
		return nil, errors.New("incomplete")
	}
	return &r, nil
}

// key stands for a record that has no inputs yet.
func (r *record) key() string {
	text, err := json.Marshal(r)
	if err != nil {
		return "" // strings have no way to fail
	}
	return hashBytes(text)
}

// equal leaves the output out: it compares what goes in.
func (r *record) equal(o *record) bool {
	return slices.Equal(r.Flags, o.Flags) &&
		r.Toolchain == o.Toolchain &&
		maps.Equal(r.Env, o.Env) &&
		r.GoMod == o.GoMod && r.GoWork == o.GoWork &&
		maps.Equal(r.Inputs, o.Inputs)
}

// upToDate tells whether the last build is what a build would give now. Any
// trouble with the record is a no: the build then makes a new one. Began is a
// moment before the call.
func (p *plan) upToDate(tool *tool, began time.Time) bool {
	now := p.circumstances(tool)
	now.GoMod, now.GoWork = p.findUp("go.mod"), p.workspace()
	key := now.key()
	if _, ok := filehash.Sealed(p.seal, key); ok {
		return true
	}
	data, err := os.ReadFile(p.record)
	if err != nil {
		return false
	}
	old, err := parseRecord(data)
	if err != nil || !p.matches(old, now) {
		return false
	}
	_ = p.hashes.Save() // else the next check reads all files again
	if paths, ok := p.watched(old); ok {
		_ = filehash.Seal(p.seal, key, "", began, paths) // else the next check takes longer
	}
	return true
}

// matches tells whether old is of what is now, and looks for the inputs.
func (p *plan) matches(old, now *record) bool {
	now.Inputs = old.Inputs
	if !now.equal(old) { // the cheap half, before any hashing
		return false
	}
	output := make(chan string)
	go func() {
		hash, _ := p.hashes.Of(filepath.Join(p.Output, Bootstrap)) // "" equals no record's
		output <- hash
	}()
	var err error
	now.Inputs, err = p.hashAll(old.Packages, old.Files)
	return <-output == old.Output && err == nil && now.equal(old)
}

// watched are the paths of which none changes without upToDate looking at the
// record again. Ok is false where they cannot be named.
func (p *plan) watched(r *record) (paths []string, ok bool) {
	paths = []string{p.record, p.Output, filepath.Join(p.Output, Bootstrap)}
	for file := range r.Inputs {
		paths = append(paths, p.abs(file))
	}
	for _, pkg := range r.Packages {
		dir := p.abs(pkg.Dir)
		paths = append(paths, dir)
		for _, pattern := range pkg.Embed {
			more, err := embeddedFolders(dir, strings.TrimPrefix(pattern, "all:"))
			if err != nil {
				return nil, false
			}
			paths = append(paths, more...)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths), true
}

// circumstances is the part of a record that is known without the go command.
func (p *plan) circumstances(tool *tool) *record {
	r := &record{
		Version:   recordVersion,
		Flags:     append([]string{p.goos, p.goarch, p.Package}, p.flags()...),
		Toolchain: tool.identity,
		Env:       map[string]string{},
	}
	for _, name := range []string{"GOFLAGS", "GOROOT", "GOTOOLCHAIN", "GOWORK"} {
		if value := os.Getenv(name); value != "" {
			r.Env[name] = value
		}
	}
	if file := userSettings(); file != "" {
		if hash, err := filehash.Of(file); err == nil {
			r.Env["GOENV"] = hash
		}
	}
	return r
}

// userSettings is the file that "go env -w" writes.
func userSettings() string {
	if file := os.Getenv("GOENV"); file != "" {
		return file
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "go", "env")
}

// workspace is the go.work that the go command would find. One that the user
// names or switches off with GOWORK is an input already, by circumstances.
func (p *plan) workspace() string {
	switch work := os.Getenv("GOWORK"); work {
	case "":
		return p.findUp("go.work")
	case "off":
		return ""
	default:
		return p.rel(work)
	}
}

// snapshot records the inputs as they are now.
func (p *plan) snapshot(tool *tool, s *sources) (*record, error) {
	r := p.circumstances(tool)
	r.GoMod, r.GoWork = s.goMod, s.goWork
	r.Packages, r.Files = s.packages, s.files
	inputs, err := p.hashAll(s.packages, s.files)
	if err != nil {
		return nil, fmt.Errorf("cannot build %s: cannot read its source: %w", p.Package, err)
	}
	r.Inputs = inputs
	return r, nil
}

// save writes the record, by way of the folder scratch.
func (p *plan) save(r *record, scratch string) error {
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	made := filepath.Join(scratch, "inputs.json")
	if err := os.WriteFile(made, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("cannot build %s: %w", p.Package, err)
	}
	if err := os.Rename(made, p.record); err != nil {
		return fmt.Errorf("cannot build %s: %w", p.Package, err)
	}
	return nil
}
