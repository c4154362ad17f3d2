package samtemplate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// names are the ids that a template gives to the application's resources. The
// SAM CLI looks a function up by logical id, SamResourceId and FunctionName
// alike, so that none of these may mean two functions.
type names struct {
	ids   map[any]string // logical id by *model.Function, *model.Layer, *model.API
	taken map[string]bool
	last  map[string]int // the last number behind an id
	// logicalIDs counts the functions that have a CDK logical id.
	logicalIDs map[string]int
}

func nameAll(app *model.Application) names {
	n := names{ids: map[any]string{}, taken: map[string]bool{}, last: map[string]int{}, logicalIDs: map[string]int{}}
	for _, f := range app.Functions {
		n.logicalIDs[f.LogicalID]++
		if f.FunctionName != f.Name {
			n.taken[f.FunctionName] = true
		}
	}
	for _, f := range app.Functions {
		n.ids[f] = n.take(f.Name, "Function")
	}
	for _, f := range app.Functions {
		for _, layer := range f.Layers {
			if _, ok := n.ids[layer]; !ok && layer.ARN == "" {
				n.ids[layer] = n.take(layer.Name+contentMark(layer), "Layer")
			}
		}
	}
	for _, api := range app.APIs {
		n.ids[api] = n.take(api.Name, string(api.Protocol)+"Api")
	}
	return n
}

// contentMark ends a layer's id: the SAM CLI builds an image for the ids of a
// function's layers, and would not notice that the content of one changed. An
// asset's path names its content hash.
func contentMark(layer *model.Layer) string {
	sum := sha256.Sum256([]byte(filepath.Base(layer.Path)))
	return hex.EncodeToString(sum[:4])
}

// words are the parts of a text that are letters and digits alone.
func words(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return !letterOrDigit(c) })
}

func letterOrDigit(c rune) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}

// take makes a free logical id of a name: letters and digits alone, with the
// kind and then a number behind it where others have it.
func (n names) take(name, kind string) string {
	id := strings.Join(words(name), "")
	if id == "" || n.taken[id] {
		id += kind
	}
	free := id
	for i := max(2, n.last[id]); n.taken[free]; i++ {
		free = fmt.Sprintf("%s%d", id, i)
		n.last[id] = i
	}
	n.taken[free] = true
	return free
}

func (n names) logicalID(resource any) string { return n.ids[resource] }

// functionName is the third name of a function: the one that its template
// gives, else the CDK's logical id, so that this works on the command line.
// Stacks of one class have the same logical ids, which then carry the stack.
func (n names) functionName(f *model.Function) string {
	switch {
	case f.FunctionName != f.Name:
		return f.FunctionName
	case n.logicalIDs[f.LogicalID] > 1:
		return f.Stack + "-" + f.LogicalID
	}
	return f.LogicalID
}

// ResourceID is the SamResourceId of a construct path: the path with "-" for each
// run of characters that the SAM CLI does not allow.
func ResourceID(path string) string {
	replaced := false
	return strings.Map(func(c rune) rune {
		again := replaced
		replaced = !letterOrDigit(c) && !strings.ContainsRune("-_.[]/", c)
		switch {
		case !replaced:
			return c
		case again:
			return -1
		}
		return '-'
	}, strings.Trim(path, "/"))
}
