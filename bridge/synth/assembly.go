package synth

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const manifestFile = "manifest.json"

// manifest is the part of a cloud assembly's manifest that says how the synth
// went. Package assembly reads the rest.
// See https://docs.aws.amazon.com/cdk/v2/guide/tools-and-references.html.
type manifest struct {
	Artifacts map[string]struct {
		Type       string
		Properties struct {
			DirectoryName string // of a nested assembly: a stage
		}
		Metadata map[string][]entry
		// AdditionalMetadataFile holds the metadata in its stead since
		// aws-cdk-lib splits it off.
		AdditionalMetadataFile string
	}
	Missing []Lookup
}

// entry is one piece of metadata of a construct.
type entry struct {
	Type string
	Data json.RawMessage
}

// text is the message of an annotation.
func (e entry) text() string {
	var s string
	if json.Unmarshal(e.Data, &s) != nil {
		return string(e.Data)
	}
	return s
}

// Fault is an error annotation.
type Fault struct {
	// Path is the construct's, without a leading "/": "Storefront/Checkout".
	Path    string
	Message string
}

// FaultsError is all faults that the constructs of an app reported.
type FaultsError struct{ Faults []Fault }

func (e *FaultsError) Error() string {
	var b strings.Builder
	count := "1 fault"
	if len(e.Faults) != 1 {
		count = fmt.Sprintf("%d faults", len(e.Faults))
	}
	fmt.Fprintf(&b, "the CDK app has %s:", count)
	for _, f := range e.Faults {
		fmt.Fprintf(&b, "\n  %s: %s", f.Path, strings.ReplaceAll(f.Message, "\n", "\n    "))
	}
	return b.String()
}

// Lookup is a value that an app wants from an AWS account.
type Lookup struct {
	// Key is the context key that would hold it, Provider what kind it is:
	// "vpc-provider", "ssm", "ami", ...
	Key, Provider string
}

// MissingError is all look-ups that no context answers. Only the cdk command
// makes them, with the user's credentials.
type MissingError struct{ Lookups []Lookup }

func (e *MissingError) Error() string {
	var b strings.Builder
	b.WriteString("the CDK app looks up values in an AWS account, and cdk.context.json does not hold them:")
	for _, l := range e.Lookups {
		fmt.Fprintf(&b, "\n  %s (%s)", l.Key, l.Provider)
	}
	b.WriteString("\nrun cdk synth once with credentials: it looks them up and writes them to cdk.context.json, which should be committed")
	return b.String()
}

// notes are what the constructs and the framework had to say.
type notes struct {
	faults   []Fault
	warnings []string
	missing  []Lookup
}

// err is nil where the assembly is good.
func (n *notes) err() error {
	var errs []error
	if len(n.faults) > 0 {
		errs = append(errs, &FaultsError{n.faults})
	}
	if len(n.missing) > 0 {
		errs = append(errs, &MissingError{n.missing})
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// readAssembly gathers the notes of an assembly and of those nested in it.
func readAssembly(dir string) (*notes, error) {
	found := map[string][]entry{}
	n := &notes{}
	if err := n.read(dir, found); err != nil {
		return nil, err
	}
	paths := make([]string, 0, len(found))
	for path := range found {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		n.add(strings.TrimPrefix(path, "/"), found[path])
	}
	slices.SortStableFunc(n.missing, func(a, b Lookup) int { return cmp.Compare(a.Key, b.Key) })
	n.missing = slices.Compact(n.missing)
	return n, nil
}

func (n *notes) add(path string, entries []entry) {
	seen := map[string]bool{} // a nested stack is told of by its parent too
	for _, e := range entries {
		text := e.text()
		if seen[e.Type+text] {
			continue
		}
		seen[e.Type+text] = true
		switch e.Type {
		case "aws:cdk:error":
			n.faults = append(n.faults, Fault{path, text})
		case "aws:cdk:warning":
			n.warnings = append(n.warnings, path+": "+text)
		}
	}
}

func (n *notes) read(dir string, found map[string][]entry) error {
	var m manifest
	file := filepath.Join(dir, manifestFile)
	if err := readPart(file, &m); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the CDK app left no cloud assembly (there is no %s in its output folder): does it call Synth on its App?", manifestFile)
	} else if err != nil {
		return err
	}
	n.missing = append(n.missing, m.Missing...)
	for _, a := range m.Artifacts {
		merge(found, a.Metadata)
		if a.AdditionalMetadataFile != "" {
			var more map[string][]entry
			if err := readPart(filepath.Join(dir, a.AdditionalMetadataFile), &more); err != nil {
				return err
			}
			merge(found, more)
		}
		// A nested assembly lies below, so that this comes to an end.
		if nested := filepath.Clean(a.Properties.DirectoryName); a.Type == "cdk:cloud-assembly" && nested != "." && filepath.IsLocal(nested) {
			if err := n.read(filepath.Join(dir, nested), found); err != nil {
				return err
			}
		}
	}
	return nil
}

func merge(into, from map[string][]entry) {
	for path, entries := range from {
		into[path] = append(into[path], entries...)
	}
}

// readPart reads a file of an assembly.
func readPart(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("cannot read the cloud assembly: %w", err)
	}
	if err := json.Unmarshal(bytes.TrimSpace(data), into); err != nil {
		return fmt.Errorf("cannot read the cloud assembly: %s: %w", file, err)
	}
	return nil
}
