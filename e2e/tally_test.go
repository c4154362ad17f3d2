//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/assembly"
)

// definition is a function as the CDK's template has it.
type definition struct {
	variables map[string]any
	layers    int
	image     bool
	stack     *assembly.Stack
}

// define notes the functions of a stack and of those nested in it.
func (c *testCase) define(s *assembly.Stack, paths map[string]string) {
	for _, id := range s.Template.LogicalIDs() {
		r := s.Template.Resources[id]
		if r.Type != "AWS::Lambda::Function" {
			continue
		}
		path := s.ConstructPath(id)
		paths[filepath.Base(s.Template.File)+" "+id] = path
		environment, _ := r.Properties["Environment"].(map[string]any)
		variables, _ := environment["Variables"].(map[string]any)
		layers, _ := r.Properties["Layers"].([]any)
		c.resources[path] = &definition{variables, len(layers), r.Properties["PackageType"] == "Image", s}
	}
	for _, id := range slices.Sorted(maps.Keys(s.Nested)) {
		c.define(s.Nested[id], paths)
	}
}

// tally is what one side gets right of a case.
type tally struct {
	functions, ofFunctions int
	routes, ofRoutes       int
	values, ofValues       int
	notes                  []string
	// broken says that the SAM CLI refuses one of the templates, or would
	// spoil what it serves.
	broken bool
}

func (t tally) score() int { return t.functions + t.routes + t.values }

func (t tally) all() bool {
	return !t.broken && t.score() == t.ofFunctions+t.ofRoutes+t.ofValues
}

func (t tally) String() string {
	parts := []string{fmt.Sprintf("functions %d/%d", t.functions, t.ofFunctions)}
	if t.ofRoutes > 0 {
		parts = append(parts, fmt.Sprintf("routes %d/%d", t.routes, t.ofRoutes))
	}
	if t.ofValues > 0 {
		parts = append(parts, fmt.Sprintf("values %d/%d", t.values, t.ofValues))
	}
	return strings.Join(append(parts, t.notes...), "; ")
}

func (t *tally) note(format string, arguments ...any) {
	if text := fmt.Sprintf(format, arguments...); !slices.Contains(t.notes, text) {
		t.notes = append(t.notes, text)
	}
}

func verdict(plain, bailey tally) string {
	switch {
	case plain.all() && bailey.all():
		return "both"
	case bailey.all():
		return "**Bailey**"
	case bailey.score() > plain.score():
		return "Bailey more"
	case bailey.score() == plain.score():
		return "equal"
	}
	return "SAM CLI more"
}

// tally counts what the templates of one side give.
func (c *testCase) tally(readings []*templateReading, bailey bool) tally {
	t := tally{ofFunctions: len(c.want.functions), ofRoutes: len(c.want.routes)}
	found := map[string]map[string]string{} // environments by path
	for _, r := range readings {
		t.broken = t.broken || r.Error != "" || r.APIError != ""
		for _, text := range []struct{ command, message string }{{"sam local", r.Error}, {"start-api", r.APIError}} {
			if text.message != "" {
				t.note("%s ends: %s", text.command, oneLine(text.message, c.dir))
			}
		}
		for _, f := range r.Functions {
			path := pathOf(r, f.ID, f.LogicalID, f.File)
			switch {
			case !slices.Contains(c.want.functions, path):
			case f.Obstacle != "":
				t.note("%s: %s", path, f.Obstacle)
			case f.Layers < c.resources[path].layers:
				t.note("%s: %d of its layers lost", path, c.resources[path].layers-f.Layers)
			default:
				found[path] = f.Environment
			}
		}
	}
	t.functions = len(found)
	c.tallyRoutes(&t, readings)
	c.tallyValues(&t, found)
	c.noteListed(&t, readings)
	if bailey && len(c.lint) > 0 {
		t.note("lint %s", strings.Join(slices.Sorted(slices.Values(c.lint)), ", "))
	}
	return t
}

// pathOf is the construct path of a function in a template.
func pathOf(r *templateReading, id, logicalID, file string) string {
	if r.paths == nil {
		return id
	}
	return r.paths[filepath.Base(file)+" "+logicalID]
}

func (c *testCase) tallyRoutes(t *tally, readings []*templateReading) {
	open, closed := 0, 0
	for _, w := range c.want.routes {
		served, guarded := c.route(w, readings)
		switch {
		case served && guarded == w.protected:
			t.routes++
		case served && w.protected:
			open++
		case served:
			closed++
		}
	}
	if open > 0 {
		t.note("%d left open", open)
	}
	if closed > 0 {
		t.note("%d wrongly protected", closed)
	}
	if c.want.binary != "" && !slices.ContainsFunc(readings, func(r *templateReading) bool { return strings.Join(r.Binary, " ") == c.want.binary }) {
		t.note("binary types lost")
		t.broken = true
	}
}

// noteListed tells where sam list resources does not show every function.
func (c *testCase) noteListed(t *tally, readings []*templateReading) {
	listed := map[string]bool{}
	for _, r := range readings {
		if r.ListError != "" {
			t.note("sam list resources ends: %s", oneLine(r.ListError, c.dir))
		}
		for _, f := range r.Functions {
			path := pathOf(r, f.ID, f.LogicalID, f.File)
			if f.File == r.Template && slices.Contains(r.Listed, f.LogicalID) && slices.Contains(c.want.functions, path) {
				listed[path] = true
			}
		}
	}
	if len(listed) < len(c.want.functions) {
		t.note("listed %d/%d", len(listed), len(c.want.functions))
	}
}

var parameter = regexp.MustCompile(`\{[^{}+]*(\+?)\}`)

// route says whether one of the templates gives a route to its function.
func (c *testCase) route(w wantedRoute, readings []*templateReading) (served, guarded bool) {
	for _, r := range readings {
		methods := c.methods(w)
		for _, route := range r.Routes {
			if parameter.ReplaceAllString(route.Path, "{$1}") != parameter.ReplaceAllString(w.path, "{$1}") || !methods[route.Method] {
				continue
			}
			if pathOf(r, route.Function, route.LogicalID, route.File) == w.function && (w.version == "" || w.version == route.Version) {
				delete(methods, route.Method)
				guarded = route.Protected
			}
		}
		if len(methods) == 0 {
			return true, guarded
		}
	}
	return false, false
}

// methods are those that must go to a route: for ANY, those that no other
// route of the path takes.
func (c *testCase) methods(w wantedRoute) map[string]bool {
	if w.method != "ANY" {
		return map[string]bool{w.method: true}
	}
	methods := map[string]bool{"GET": true, "POST": true, "PUT": true, "DELETE": true, "PATCH": true}
	for _, other := range c.want.routes {
		if other.path == w.path && other.method != "ANY" {
			delete(methods, other.method)
		}
	}
	return methods
}

// tallyValues counts the environment variables of which the template leaves
// the value to CloudFormation.
func (c *testCase) tallyValues(t *tally, found map[string]map[string]string) {
	for _, path := range c.want.functions {
		d := c.resources[path]
		if d == nil {
			continue
		}
		for name, expression := range d.variables {
			if text, isText := expression.(string); isText && !strings.Contains(text, "{{resolve:") {
				continue
			}
			t.ofValues++
			if value, ok := found[path][name]; ok && d.real(expression, value) || mayBeNothing(expression) && found[path] != nil && value == "" {
				t.values++
			}
		}
	}
}

// mayBeNothing says that the variable may not be there at all.
func mayBeNothing(expression any) bool {
	text, _ := json.Marshal(expression)
	return strings.Contains(string(text), "AWS::NoValue")
}

var unresolved = []string{"{{resolve:", "UNRESOLVED", "${"}

// real says whether a value is one that the expression could have.
func (d *definition) real(expression any, value string) bool {
	if value == "" || contains(value, unresolved...) {
		return false
	}
	encoded, _ := json.Marshal(expression)
	text := string(encoded)
	if strings.Contains(text, `"AWS::URLSuffix"`) && strings.Contains(value, "localhost") {
		return false
	}
	if d.stack.Region != "" && d.stack.Region != "us-east-1" && strings.Contains(text, `"AWS::Region"`) && strings.Contains(value, "us-east-1") {
		return false
	}
	return d.realReferences(text, value)
}

var (
	reference = regexp.MustCompile(`\{"Ref":"([A-Za-z0-9]+)"\}`)
	attribute = regexp.MustCompile(`\{"Fn::GetAtt":\["([A-Za-z0-9]+)","[A-Za-z.]*Arn"\]\}`)
)

func (d *definition) realReferences(text, value string) bool {
	for _, match := range reference.FindAllStringSubmatch(text, -1) {
		if p := d.stack.Template.Parameters[match[1]]; p != nil && strings.HasPrefix(p.Type, "AWS::SSM::") && value == p.Default {
			return false // the name of the parameter that has the value
		}
		if !strings.HasPrefix(d.kind(match[1]), "AWS::Lambda::") && strings.Contains(value, match[1]) {
			return false // the logical id of a resource or a parameter
		}
	}
	for _, match := range attribute.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(d.kind(match[1]), "AWS::Lambda::") && strings.Contains(value, ":function:") {
			return false
		}
	}
	return true
}

func (d *definition) kind(logicalID string) string {
	if r := d.stack.Template.Resources[logicalID]; r != nil {
		return r.Type
	}
	return ""
}
