package filter

import (
	"maps"
	"slices"
	"strings"
)

// program is a compiled text.
type program struct {
	// root is the tree of the fields' paths.
	root *node
	// fields are the paths, and the conditions on each.
	fields []field
	// conditions are the operators of one field in one place of the text.
	conditions []condition
	// rules are the conditions that must all pass, for each alternative. No
	// rules at all let everything pass.
	rules [][]int
}

type field struct {
	path       string
	conditions []int
	// watched says that a condition asks for its absence.
	watched bool
}

type condition struct {
	field     int
	operators []operator
	// absent says that the field may be missing.
	absent bool
}

// node is a level of the tree of paths.
type node struct {
	children map[string]*node
	// field is the field that ends here, -1 for none.
	field int
}

func newNode() *node { return &node{children: map[string]*node{}, field: -1} }

// compile makes a program of entries.
func compile(entries []entry, maxRules int) (*program, bool) {
	c := &compiler{program: &program{root: newNode()}, fields: map[string]int{}, maxRules: maxRules}
	if len(entries) == 0 {
		return c.program, true
	}
	rules, ok := c.object(entries, "", []map[int]int{{}})
	if !ok {
		return nil, false
	}
	for _, rule := range rules {
		c.program.rules = append(c.program.rules, slices.Sorted(maps.Values(rule)))
	}
	return c.program, true
}

type compiler struct {
	program  *program
	fields   map[string]int
	maxRules int
}

// object adds entries to every rule so far. A field that is named again, in an
// alternative say, takes the place of the earlier one: so does AWS's matcher.
func (c *compiler) object(entries []entry, prefix string, rules []map[int]int) ([]map[int]int, bool) {
	for _, e := range entries {
		path := prefix + e.name
		ok := true
		switch {
		case e.alternatives != nil:
			rules, ok = c.alternatives(e.alternatives, prefix, rules)
		case e.object != nil:
			rules, ok = c.object(e.object, path+".", rules)
		default:
			f := c.field(path)
			id := c.condition(f, e.operators)
			for _, rule := range rules {
				rule[f] = id
			}
		}
		if !ok {
			return nil, false
		}
	}
	return rules, true
}

// alternatives multiplies the rules.
func (c *compiler) alternatives(all [][]entry, prefix string, rules []map[int]int) ([]map[int]int, bool) {
	if len(all)*len(rules) > c.maxRules {
		return nil, false
	}
	var out []map[int]int
	for _, entries := range all {
		copied := make([]map[int]int, len(rules))
		for i, rule := range rules {
			copied[i] = maps.Clone(rule)
		}
		more, ok := c.object(entries, prefix, copied)
		if !ok || len(out)+len(more) > c.maxRules {
			return nil, false
		}
		out = append(out, more...)
	}
	return out, true
}

// field is the number of a path, which it puts into the tree.
func (c *compiler) field(path string) int {
	if f, ok := c.fields[path]; ok {
		return f
	}
	f := len(c.program.fields)
	c.fields[path] = f
	c.program.fields = append(c.program.fields, field{path: path})
	at := c.program.root
	for segment := range strings.SplitSeq(path, ".") {
		next := at.children[segment]
		if next == nil {
			next = newNode()
			at.children[segment] = next
		}
		at = next
	}
	at.field = f
	return f
}

func (c *compiler) condition(f int, operators []operator) int {
	id := len(c.program.conditions)
	made := condition{field: f, operators: operators}
	for _, o := range operators {
		if _, ok := o.(absence); ok {
			made.absent = true
			c.program.fields[f].watched = true
		}
	}
	c.program.conditions = append(c.program.conditions, made)
	c.program.fields[f].conditions = append(c.program.fields[f].conditions, id)
	return id
}

func (c *condition) match(v value) bool {
	for _, o := range c.operators {
		if o.match(v) {
			return true
		}
	}
	return false
}
