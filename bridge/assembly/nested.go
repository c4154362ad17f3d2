package assembly

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/cfn"
)

// construct is one resource's place in the construct tree.
type construct struct {
	// path has no leading "/", and ends in the CfnResource's own id.
	path      string
	logicalID string
}

// metadata is a stack's, by construct path. Newer assemblies keep it in a file
// of its own.
func (l *loader) metadata(dir string, a artifact) (map[string][]metadataEntry, error) {
	metadata := a.Metadata
	if a.AdditionalMetadataFile != "" {
		file, err := l.inside(dir, a.AdditionalMetadataFile)
		if err != nil {
			return nil, err
		}
		if err := l.decode(file, &metadata); err != nil {
			return nil, fmt.Errorf("metadata %w", err)
		}
	}
	return metadata, nil
}

// constructs gathers which construct made which resource, for a stack and the
// stacks nested in it.
func constructs(metadata map[string][]metadataEntry) []construct {
	var found []construct
	for _, path := range slices.Sorted(maps.Keys(metadata)) {
		for _, entry := range metadata[path] {
			if entry.Type == "aws:cdk:logicalId" && entry.Data.text != "" {
				found = append(found, construct{strings.TrimPrefix(path, "/"), entry.Data.text})
			}
		}
	}
	return found
}

// nest reads the nested stacks of s and says which of the constructs belong to
// which template: the same logical id may stand in a stack and in one nested
// in it. The files are those of s and of the stacks around it.
func (l *loader) nest(s *Stack, constructs []construct, files []string) error {
	s.Nested = map[string]*Stack{}
	inner := map[string][]construct{}
	prefixes := map[string]string{}
	for _, c := range constructs {
		if r := s.Template.Resources[c.logicalID]; r != nil && r.Type == "AWS::CloudFormation::Stack" {
			if prefix, ok := nestedPath(c.path); ok {
				prefixes[prefix] = c.logicalID
			}
		}
	}
	var own []construct
	for _, c := range constructs {
		if id, ok := owner(prefixes, c.path); ok {
			inner[id] = append(inner[id], c)
		} else {
			own = append(own, c)
		}
	}
	s.paths = pathsOf(own, s.Template)
	for _, id := range s.Template.LogicalIDs() {
		if s.Template.Resources[id].Type != "AWS::CloudFormation::Stack" {
			continue
		}
		if err := l.nestedStack(s, id, inner[id], files); err != nil {
			return fmt.Errorf("nested stack %s: %w", s.ConstructPath(id), err)
		}
	}
	return nil
}

// nestedPath is the path of the NestedStack construct whose resource stands at
// path: CDK puts it beside it, at X.NestedStack/X.NestedStackResource.
func nestedPath(path string) (string, bool) {
	rest, ok := strings.CutSuffix(path, ".NestedStackResource")
	if !ok {
		return "", false
	}
	i := strings.LastIndex(rest, "/")
	if i < 0 {
		return "", false
	}
	return strings.CutSuffix(rest[:i], ".NestedStack")
}

// owner is the nested stack that a path lies in: the nearest around it.
func owner(prefixes map[string]string, path string) (string, bool) {
	for i := strings.LastIndex(path, "/"); i > 0; i = strings.LastIndex(path[:i], "/") {
		if id, ok := prefixes[path[:i]]; ok {
			return id, true
		}
	}
	return "", false
}

// pathsOf maps a template's logical ids to construct paths. aws:cdk:path in
// the template, where it is, has the last word.
func pathsOf(constructs []construct, t *cfn.Template) map[string]string {
	paths := map[string]string{}
	for _, c := range constructs {
		paths[c.logicalID] = trimHidden(c.path)
	}
	for id, r := range t.Resources {
		if path, ok := r.Metadata["aws:cdk:path"].(string); ok {
			paths[id] = trimHidden(path)
		}
	}
	return paths
}

// trimHidden cuts the last id where the CDK itself hides it: an L2 calls its
// main resource "Resource", and "Default" names a construct like its parent.
func trimHidden(path string) string {
	for _, hidden := range []string{"/Resource", "/Default"} {
		if rest, ok := strings.CutSuffix(path, hidden); ok {
			return rest
		}
	}
	return path
}

func (l *loader) nestedStack(parent *Stack, id string, constructs []construct, files []string) error {
	r := parent.Template.Resources[id]
	file, ok, err := nestedTemplate(parent, r)
	if err != nil {
		return err
	}
	if !ok {
		return nil // a template that lies elsewhere: its outputs stay unresolved
	}
	if slices.Contains(files, file) {
		return fmt.Errorf("its template %s contains itself", filepath.Base(file))
	}
	if len(files) >= maxNesting {
		return fmt.Errorf("it lies over %d deep", maxNesting)
	}
	template, err := l.template(file)
	if err != nil {
		return err
	}
	path, ok := nestedPath(parent.ConstructPath(id))
	if !ok {
		path = parent.ConstructPath(id)
	}
	child := &Stack{
		Name: parent.Name + "-" + path[strings.LastIndex(path, "/")+1:], Path: path,
		Account: parent.Account, Region: parent.Region, Template: template, Assets: parent.Assets,
	}
	parent.Nested[id] = child
	return l.nest(child, constructs, append(files[:len(files):len(files)], file))
}

// nestedTemplate finds the template of a nested stack: by metadata where there
// is any, else by the asset whose key ends the TemplateURL.
func nestedTemplate(parent *Stack, r *cfn.Resource) (file string, ok bool, err error) {
	if name, isText := r.Metadata["aws:asset:path"].(string); isText {
		file, err = parent.Assets.Path(name)
		return file, err == nil, err
	}
	for _, text := range texts(r.Properties["TemplateURL"]) {
		if file, ok, err = parent.Assets.File(text[strings.LastIndex(text, "/")+1:]); ok || err != nil {
			return file, ok, err
		}
	}
	return "", false, nil
}

// texts are all texts inside a value, in the order in which they stand.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, texts(e)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, texts(v[key])...)
		}
		return all
	}
	return nil
}
