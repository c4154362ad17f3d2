package local

import (
	"embed"
	"regexp"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// family is a kind of runtime that the engine knows how to run.
type family string

const (
	familyProvided family = "provided" // a program named bootstrap
	familyNode     family = "nodejs"
	familyPython   family = "python"
)

// runtimeKind is a runtime identifier in parts: "nodejs22.x" is version "22"
// of nodejs, "python3.12" version "3.12" of python.
type runtimeKind struct {
	family  family
	version string
}

var (
	nodeRuntime   = regexp.MustCompile(`^nodejs([0-9]+)\.x$`)
	pythonRuntime = regexp.MustCompile(`^python([0-9]+\.[0-9]+)$`)
)

// runtimeOf says how a function is run, or why it is not.
func runtimeOf(fn *model.Function) (runtimeKind, error) {
	if fn.Code.Image != nil {
		return runtimeKind{}, blocked("", "it is a container image")
	}
	if fn.Runtime == "provided" || strings.HasPrefix(fn.Runtime, "provided.") {
		return runtimeKind{family: familyProvided}, nil
	}
	if m := nodeRuntime.FindStringSubmatch(fn.Runtime); m != nil {
		return runtimeKind{family: familyNode, version: m[1]}, nil
	}
	if m := pythonRuntime.FindStringSubmatch(fn.Runtime); m != nil {
		return runtimeKind{family: familyPython, version: m[1]}, nil
	}
	return runtimeKind{}, blocked("",
		"its runtime %q is not one that it runs (provided.*, nodejs*.x, python3.*)", fn.Runtime)
}

// language is what people call the interpreter.
func (k runtimeKind) language() string {
	if k.family == familyNode {
		return "Node.js"
	}
	return "Python"
}

// bootstraps are our own runtimes: what Lambda's managed runtimes do between
// the Runtime API and a handler.
//
//go:embed runtimes/bootstrap.mjs runtimes/bootstrap.py
var bootstraps embed.FS

// bootstrapFile is the name of a family's bootstrap.
func (k runtimeKind) bootstrapFile() string {
	if k.family == familyNode {
		return "bootstrap.mjs"
	}
	return "bootstrap.py"
}
