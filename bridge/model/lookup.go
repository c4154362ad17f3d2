package model

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// Function finds a function by its short name, construct path, logical id,
// FunctionName or ARN, or by the end of its path where that means only one. A
// qualifier may follow: ":live" for an alias, ":3" for a version, ":$LATEST";
// there is only one version of it here. The error is a [NotFoundError].
func (a *Application) Function(name string) (*Function, error) {
	if f, err := a.unqualified(name); err == nil {
		return f, nil
	}
	if rest, qualifier, ok := cutLast(name, ":"); ok {
		f, err := a.unqualified(rest)
		if err == nil && (versionName.MatchString(qualifier) || slices.Contains(f.Aliases, qualifier)) {
			return f, nil
		}
		if err == nil {
			return nil, fmt.Errorf("%s has no alias %q; it has: %s", f.Path, qualifier, cmp.Or(strings.Join(f.Aliases, ", "), "none"))
		}
	}
	return a.unqualified(name)
}

var versionName = regexp.MustCompile(`^([0-9]+|\$LATEST)$`)

// cutLast is strings.Cut at the last separator.
func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}

func (a *Application) unqualified(name string) (*Function, error) {
	var ends []*Function
	for _, f := range a.Functions {
		if slices.Contains([]string{f.Name, f.Path, f.FunctionName, f.ARN}, name) {
			return f, nil
		}
		if f.LogicalID == name || strings.HasSuffix(f.Path, "/"+strings.TrimPrefix(name, "/")) {
			ends = append(ends, f)
		}
	}
	if len(ends) == 1 {
		return ends[0], nil
	}
	return nil, &NotFoundError{Name: name, Ambiguous: paths(ends), Known: a.nearest(name)}
}

// NotFoundError says that no one function, or other resource, has a name.
type NotFoundError struct {
	// Kind is what was looked for: "topic"; "" for a function.
	Kind string
	Name string
	// Ambiguous are the construct paths of those that it may mean.
	Ambiguous []string
	// Known are the short names of all that there are, nearest first.
	Known []string
}

func (e *NotFoundError) Error() string {
	kind := cmp.Or(e.Kind, "function")
	switch {
	case len(e.Ambiguous) > 0:
		return fmt.Sprintf("%q may mean %s; name one of them", e.Name, strings.Join(e.Ambiguous, " or "))
	case len(e.Known) == 0 && strings.HasSuffix(kind, "s"):
		return fmt.Sprintf("no %s is named %q: the application has no %ses", kind, e.Name, kind)
	case len(e.Known) == 0:
		return fmt.Sprintf("no %s is named %q: the application has no %ss", kind, e.Name, kind)
	}
	return fmt.Sprintf("no %s is named %q; there are: %s", kind, e.Name, strings.Join(e.Known, ", "))
}

func paths(functions []*Function) []string {
	all := make([]string, len(functions))
	for i, f := range functions {
		all[i] = f.Path
	}
	return all
}

// nearest are the names of all functions that are the user's own, those most
// like name first.
func (a *Application) nearest(name string) []string {
	var known []string
	for _, f := range a.Functions {
		if !f.Helper {
			known = append(known, f.Name)
		}
	}
	return nearest(name, known)
}

// nearest sorts names, those most like name first.
func nearest(name string, known []string) []string {
	wanted := strings.ToLower(name[strings.LastIndex(name, "/")+1:])
	sort.SliceStable(known, func(i, j int) bool {
		return distance(wanted, strings.ToLower(known[i])) < distance(wanted, strings.ToLower(known[j]))
	})
	return known
}

// distance is the Levenshtein distance: how many characters to add, remove or
// change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
