package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
)

// maxName is the most characters of a function's name.
const maxName = 64

// spell writes a construct path with letters, digits and "-" alone.
func spell(path string) string {
	return strings.Join(strings.FieldsFunc(path, func(c rune) bool {
		return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9')
	}), "-")
}

// maxParts is the most parts of a path that are tried one by one.
const maxParts = 16

// shortNames gives each resource the shortest end of its path that no other
// has: "Checkout", or "Storefront-Checkout" where two stacks have one.
func shortNames(ids []*ID) {
	parts := make([]int, len(ids))
	for i := range parts {
		parts[i] = 1
	}
	for {
		have := make(map[string]int, len(ids))
		for i, id := range ids {
			id.Name = pathEnd(id.Path, parts[i])
			have[id.Name]++
		}
		longer := false
		for i, id := range ids {
			if have[id.Name] == 1 {
				continue
			}
			if all := strings.Count(id.Path, "/") + 1; parts[i] < all {
				if parts[i]++; parts[i] > maxParts {
					parts[i] = all
				}
				longer = true
			}
		}
		if !longer {
			distinguish(ids)
			return
		}
	}
}

// distinguish numbers names that are still the same, since their paths differ
// only in characters that a name cannot have.
func distinguish(ids []*ID) {
	taken := map[string]bool{}
	last := map[string]int{}
	for _, id := range ids {
		name := id.Name
		for n := max(2, last[name]); taken[id.Name]; n++ {
			id.Name = fmt.Sprintf("%s-%d", name, n)
			last[name] = n
		}
		taken[id.Name] = true
	}
}

// pathEnd is the last n parts of a path, as a name.
func pathEnd(path string, n int) string {
	start := len(path) + 1
	for ; n > 0 && start > 0; n-- {
		start = strings.LastIndexByte(path[:start-1], '/') + 1
	}
	name := spell(path[start:])
	if name == "" {
		name = "Function"
	}
	if len(name) > maxName {
		sum := sha256.Sum256([]byte(path))
		name = name[len(name)-maxName+9:] + "-" + hex.EncodeToString(sum[:4])
	}
	return name
}

// nameFunctions gives every function its short name, which is its FunctionName
// too where the template gives none, and refuses two functions that AWS would
// refuse.
func (r *reader) nameFunctions() {
	given := map[string]*resource{}
	var functions []*resource
	for _, res := range r.resources {
		if res.r.Type == "AWS::Lambda::Function" && r.active(res) {
			functions = append(functions, res)
			r.refuseSameName(res, given)
		}
	}
	sort.SliceStable(functions, func(i, j int) bool { return functions[i].path < functions[j].path })
	ids := make([]*ID, len(functions))
	for i, res := range functions {
		ids[i] = &ID{Path: res.path}
	}
	shortNames(ids)
	for i, res := range functions {
		r.functionNames[res] = ids[i].Name
	}
}

func (r *reader) refuseSameName(res *resource, given map[string]*resource) {
	if res.r.Properties["FunctionName"] == nil {
		return
	}
	name, problems := res.scope.String(res.r.Properties["FunctionName"], res.at("FunctionName"))
	if len(problems) > 0 {
		return
	}
	place := res.scope.Pseudo.AccountID + "/" + res.scope.Pseudo.Region + "/" + name
	if first, ok := given[place]; ok {
		r.faults = append(r.faults, fmt.Errorf("two functions are named %q: %s and %s; give one of them another FunctionName (%s)",
			name, first.path, res.path, res.where("FunctionName")))
		return
	}
	given[place] = res
}
