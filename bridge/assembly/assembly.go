package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/cfn"
)

// The major versions of the cloud assembly schema that Load reads. 36 was
// current in early 2024; 55 is what aws-cdk-lib 2.276 writes.
const (
	OldestSchema = 36
	NewestSchema = 55
)

// Assembly is a cloud assembly.
type Assembly struct {
	// Dir is its absolute path.
	Dir string
	// Schema is the version that its manifest names: "48.0.0".
	Schema string
	// Stages are sorted by name. The stacks outside any stage are the stage
	// named "", which is first and there only where such stacks are.
	Stages []*Stage
}

// Stage is a set of stacks that are deployed together: a CDK Stage, or the
// stacks of the app itself.
type Stage struct {
	// Name is the path of the Stage construct: "Prod". "" is the app itself.
	Name   string
	Stacks []*Stack
	// Missing lists the context look-ups that synthesis could not answer.
	Missing []string
}

// HasFunctions says whether a stack of the stage, or one nested in it, has a
// Lambda function.
func (s *Stage) HasFunctions() bool { return slices.ContainsFunc(s.Stacks, (*Stack).hasFunctions) }

func (s *Stack) hasFunctions() bool {
	for _, r := range s.Template.Resources {
		if r.Type == "AWS::Lambda::Function" {
			return true
		}
	}
	return slices.ContainsFunc(slices.Collect(maps.Values(s.Nested)), (*Stack).hasFunctions)
}

// Stack is one stack, or a nested stack, of a stage.
type Stack struct {
	// Name is the CloudFormation stack name.
	Name string
	// Path is the construct path: "Storefront", "Prod/Storefront".
	Path string
	// Account and Region are "" where the stack leaves them open.
	Account, Region string
	Template        *cfn.Template
	// Nested are the nested stacks, by the logical id of the resource in
	// Template that stands for each.
	Nested map[string]*Stack
	// Assets are the files and images that the stack's resources name.
	Assets *Assets

	paths map[string]string
}

// ConstructPath is the path of the construct that made a resource, with the
// stack's own, without a trailing "/Resource" or "/Default". It falls back on
// the logical id where the assembly does not say.
func (s *Stack) ConstructPath(logicalID string) string {
	if path, ok := s.paths[logicalID]; ok {
		return path
	}
	return s.Path + "/" + logicalID
}

// NotFoundError says that a folder holds no cloud assembly.
type NotFoundError struct{ Dir string }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("no cloud assembly in %s: it has no manifest.json; run `bailey synth` or `cdk synth` first, or name the folder that synthesis wrote", e.Dir)
}

// UnsupportedSchemaError says that an assembly is too new or too old.
type UnsupportedSchemaError struct{ File, Version string }

func (e *UnsupportedSchemaError) Error() string {
	return fmt.Sprintf("%s: cloud assembly schema %s is not supported: this Bailey reads %d to %d; a newer Bailey may read it, or synthesise with an aws-cdk-lib of that range",
		e.File, e.Version, OldestSchema, NewestSchema)
}

// Load reads the cloud assembly in a folder.
func Load(dir string) (*Assembly, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(absolute, "manifest.json")); errors.Is(err, fs.ErrNotExist) {
		return nil, &NotFoundError{dir}
	}
	l := &loader{root: absolute, assembly: &Assembly{Dir: absolute}, reading: map[string]bool{}, templates: map[string]*cfn.Template{}}
	if err := l.stage("", absolute); err != nil {
		return nil, err
	}
	sort.Slice(l.assembly.Stages, func(i, j int) bool { return l.assembly.Stages[i].Name < l.assembly.Stages[j].Name })
	if len(l.assembly.Stages) == 0 {
		return nil, fmt.Errorf("the cloud assembly in %s has no stacks", dir)
	}
	return l.assembly, nil
}

// manifest is the part of manifest.json that matters here.
type manifest struct {
	Version   string              `json:"version"`
	Artifacts map[string]artifact `json:"artifacts"`
	Missing   []struct {
		Key      string `json:"key"`
		Provider string `json:"provider"`
	} `json:"missing"`
}

type artifact struct {
	Type        string `json:"type"`
	Environment string `json:"environment"`
	DisplayName string `json:"displayName"`
	Properties  struct {
		TemplateFile  string `json:"templateFile"`
		StackName     string `json:"stackName"`
		File          string `json:"file"`
		DirectoryName string `json:"directoryName"`
		DisplayName   string `json:"displayName"`
	} `json:"properties"`
	Dependencies           []string                   `json:"dependencies"`
	Metadata               map[string][]metadataEntry `json:"metadata"`
	AdditionalMetadataFile string                     `json:"additionalMetadataFile"`
}

type metadataEntry struct {
	Type string    `json:"type"`
	Data entryData `json:"data"`
}

// entryData is metadata that is a text, or that describes an asset. Other
// metadata is not kept: there may be much of it.
type entryData struct {
	text  string
	asset legacyAsset
}

// UnmarshalJSON keeps a text or an asset, and nothing of what is neither.
func (d *entryData) UnmarshalJSON(data []byte) error {
	switch {
	case len(data) > 0 && data[0] == '"':
		return json.Unmarshal(data, &d.text)
	case len(data) > 0 && data[0] == '{':
		if json.Unmarshal(data, &d.asset) != nil {
			d.asset = legacyAsset{} // it is about something else
		}
	}
	return nil
}

// loader reads one assembly with all that is nested in it.
type loader struct {
	root      string
	assembly  *Assembly
	templates map[string]*cfn.Template
	// stacks and resources are counted: see limits.go.
	stacks, resources int
	// reading are the nested assemblies above the one that is read, to refuse
	// a cycle.
	reading map[string]bool
}

// stage reads the manifest in dir, and the stages nested in it.
func (l *loader) stage(name, dir string) error {
	if l.reading[dir] {
		return fmt.Errorf("the nested assembly in %s contains itself", dir)
	}
	if len(l.reading) >= maxNesting {
		return fmt.Errorf("the nested assembly in %s lies over %d deep", dir, maxNesting)
	}
	l.reading[dir] = true
	defer delete(l.reading, dir)
	if err := l.count(0); err != nil {
		return err
	}
	file, err := l.manifestOf(dir)
	if err != nil {
		return fmt.Errorf("manifest %w", err)
	}
	m := manifest{}
	if err := l.decode(file, &m); err != nil {
		return fmt.Errorf("manifest %w", err)
	}
	if err := supported(file, m.Version); err != nil {
		return err
	}
	if l.assembly.Schema == "" {
		l.assembly.Schema = m.Version
	}
	stage := &Stage{Name: name}
	for _, missing := range m.Missing {
		stage.Missing = append(stage.Missing, missing.Provider+" "+missing.Key)
	}
	for _, id := range slices.Sorted(maps.Keys(m.Artifacts)) {
		if err := l.artifact(stage, dir, id, m); err != nil {
			return err
		}
	}
	if len(stage.Stacks) > 0 {
		sort.Slice(stage.Stacks, func(i, j int) bool { return stage.Stacks[i].Path < stage.Stacks[j].Path })
		l.assembly.Stages = append(l.assembly.Stages, stage)
	}
	return nil
}

func (l *loader) artifact(stage *Stage, dir, id string, m manifest) error {
	a := m.Artifacts[id]
	switch a.Type {
	case "aws:cloudformation:stack":
		stack, err := l.stack(dir, id, a, m)
		if err != nil {
			return fmt.Errorf("stack %s: %w", id, err)
		}
		stage.Stacks = append(stage.Stacks, stack)
	case "cdk:cloud-assembly":
		nested, err := l.inside(dir, a.Properties.DirectoryName)
		if err != nil {
			return fmt.Errorf("stage %s: %w", id, err)
		}
		name := a.Properties.DisplayName
		if name == "" {
			name = strings.TrimPrefix(id, "assembly-")
		}
		return l.stage(name, nested)
	}
	return nil
}

func supported(file, version string) error {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	if err != nil {
		return fmt.Errorf("manifest %s: its version is %q, which is no version", file, version)
	}
	if n < OldestSchema || n > NewestSchema {
		return &UnsupportedSchemaError{file, version}
	}
	return nil
}

func (l *loader) stack(dir, id string, a artifact, m manifest) (*Stack, error) {
	file, err := l.inside(dir, a.Properties.TemplateFile)
	if err != nil {
		return nil, err
	}
	template, err := l.template(file)
	if err != nil {
		return nil, err
	}
	assets, err := l.assetsOf(dir, id, a, m)
	if err != nil {
		return nil, err
	}
	metadata, err := l.metadata(dir, a)
	if err != nil {
		return nil, err
	}
	assets.addLegacy(metadata, template)
	s := &Stack{Name: a.Properties.StackName, Path: stackPath(id, a), Template: template, Assets: assets}
	if s.Name == "" {
		s.Name = id
	}
	s.Account, s.Region = environment(a.Environment)
	if err := l.nest(s, constructs(metadata), []string{file}); err != nil {
		return nil, err
	}
	return s, nil
}

// stackPath is the construct path of a stack. The display name is the path,
// with the stack name behind it in parentheses where that differs.
func stackPath(id string, a artifact) string {
	path, _, _ := strings.Cut(a.DisplayName, " (")
	if path == "" {
		return id
	}
	return path
}

// environment splits "aws://ACCOUNT/REGION".
func environment(text string) (account, region string) {
	account, region, _ = strings.Cut(strings.TrimPrefix(text, "aws://"), "/")
	if account == "unknown-account" {
		account = ""
	}
	if region == "unknown-region" {
		region = ""
	}
	return account, region
}

// inside is the absolute path of name, relative to dir, and an error where it
// lies outside the assembly or does not exist.
func (l *loader) inside(dir, name string) (string, error) {
	if name == "" {
		return "", errors.New("the manifest names no file for it")
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, name)
	}
	return confine(l.root, path)
}

// confine follows path's symbolic links and checks that it stays below root.
func confine(root, path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is gone; synthesise again", path)
	}
	if err != nil {
		return "", err
	}
	realRoot, err := filepath.EvalSymlinks(root)
	if err != nil {
		return "", err
	}
	relative, err := filepath.Rel(realRoot, real)
	if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return "", &outsideError{path, root}
	}
	return filepath.Join(root, relative), nil
}
