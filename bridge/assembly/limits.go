package assembly

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/bailey-cdk/bailey/bridge/cfn"
)

// An assembly can be made so that it is larger than it looks: a template that
// nests another twice, which does the same, is a million stacks after twenty
// steps. These bounds are above what one application can have in AWS.
const (
	// maxStacks is for the stacks, nested stacks and stages of an assembly.
	maxStacks = 10_000
	// maxResources is for the resources of all of them.
	maxResources = 250_000
	// maxNesting is for stacks within stacks, and stages within stages.
	maxNesting = 100
	// maxFile is for the manifests and metadata, in bytes. A template has a
	// bound of its own.
	maxFile = 128 << 20
)

// count counts one more stack or stage with its resources.
func (l *loader) count(resources int) error {
	l.stacks++
	l.resources += resources
	switch {
	case l.stacks > maxStacks:
		return fmt.Errorf("the assembly has over %d stacks, nested stacks and stages", maxStacks)
	case l.resources > maxResources:
		return fmt.Errorf("the assembly has over %d resources", maxResources)
	}
	return nil
}

// template reads a template once, however many stacks have it.
func (l *loader) template(file string) (*cfn.Template, error) {
	t, ok := l.templates[file]
	if !ok {
		var err error
		if t, err = cfn.ReadFile(file); err != nil {
			return nil, err
		}
		l.templates[file] = t
	}
	return t, l.count(len(t.Resources))
}

// decode reads a JSON file of the assembly.
func (l *loader) decode(file string, v any) error {
	data, err := cfn.ReadRegular(file, maxFile)
	if err != nil {
		return err
	}
	return cfn.DecodeJSON(file, data, v)
}

// manifestOf is the manifest in a folder of the assembly.
func (l *loader) manifestOf(dir string) (string, error) {
	file := filepath.Join(dir, "manifest.json")
	if _, err := os.Lstat(file); err != nil {
		return "", err
	}
	return confine(l.root, file)
}
