package cfn

import (
	"fmt"
	"regexp"
	"strings"
)

// Deployed is what AWS tells of a stack that is deployed. A [Scope] that has
// one gives these values in place of made ones: Ref is the physical id, and
// Fn::GetAtt is derived from it by the table of return values where that is
// exact. What only AWS knows is unresolved: nothing is made up.
type Deployed struct {
	// StackID is the stack's ARN, which names its account and region.
	StackID string
	// PhysicalIDs are the resources' by logical id.
	PhysicalIDs map[string]string
	// Outputs are the values of the stack's outputs by key.
	Outputs map[string]string
	// Parameters are the values of the stack's parameters by name, those of
	// SSM parameter types as they were resolved, without those that AWS hides.
	Parameters map[string]string
	// Exports are all exports of the account in the stack's region.
	Exports map[string]string
}

// DeployedPseudo is what the pseudo parameters are in a deployed stack.
func DeployedPseudo(stackID string) (Pseudo, error) {
	parts := strings.Split(stackID, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "cloudformation" {
		return Pseudo{}, fmt.Errorf("%q is not the ARN of a stack", stackID)
	}
	name := strings.Split(parts[5], "/")
	if len(name) != 3 || name[0] != "stack" {
		return Pseudo{}, fmt.Errorf("%q is not the ARN of a stack", stackID)
	}
	p := LocalPseudo(parts[4], parts[3], name[1])
	p.Partition, p.StackID = parts[1], stackID
	return p, nil
}

// physicalID is the id of a deployed resource. Where the stack is deployed but
// has no such resource, this is told once of each value that needs it, with the
// expression, which is given in parts.
func (c *call) physicalID(id string, expression ...string) (string, bool) {
	d := c.scope.Deployed
	if d == nil {
		return "", false
	}
	physical, ok := d.PhysicalIDs[id]
	if !ok {
		c.add(Problem{
			Expression: strings.Join(expression, ""), Where: c.scope.where(c.at), Local: true,
			Reason: "the deployed stack " + c.scope.Pseudo.StackName + " has no such resource; the value is a local one",
		})
	}
	return physical, ok
}

// deployedAttribute is Fn::GetAtt of a deployed resource.
func (c *call) deployedAttribute(id, physical string, r *Resource, name string) any {
	if value, ok := c.scope.shownByOutput(id, name); ok {
		return value
	}
	known := returnValues[r.Type]
	pattern, ok := known.attributes[name]
	if pattern == "${arn}" {
		pattern = known.attributes["Arn"]
	}
	if ok && pattern == known.ref {
		return physical
	}
	if ok {
		e := expansion{c, known, id, r, c.scope.boundTo(known, id, physical), false}
		if value := e.expand(pattern); !e.unknown {
			return value
		}
	}
	return c.unresolved("Fn::GetAtt "+id+"."+name, fmt.Sprintf(
		"it can't be derived from the physical id %s of a %s; add an output with it to the stack and deploy that, or %s", physical, r.Type, waysOut))
}

// shownByOutput finds an attribute that an output of the stack is made of
// alone, as the CDK's exports to other stacks are.
func (s *Scope) shownByOutput(id, attribute string) (string, bool) {
	if s.shown == nil {
		s.shown = map[string]string{}
		for key, o := range s.Template.Outputs {
			value, deployed := s.Deployed.Outputs[key]
			function, ok := o.Value.(map[string]any)
			if !deployed || !ok || len(function) != 1 {
				continue
			}
			c := &call{scope: s}
			if logical, name, ok := c.attributeName(function["Fn::GetAtt"]); ok {
				s.shown[logical+"."+name] = value
			}
		}
	}
	value, ok := s.shown[id+"."+attribute]
	return value, ok
}

func outputPlace(s *Scope, key string) place {
	return place{scope: s, value: s.Template.Outputs[key].Value, at: "Outputs." + key + ".Value", output: key}
}

// deployed is what the deployed stack shows of an output. The template's
// expression says only whether it is secret.
func (p place) deployed() (string, bool) {
	if p.output == "" || p.scope.Deployed == nil {
		return "", false
	}
	value, ok := p.scope.Deployed.Outputs[p.output]
	return value, ok
}

// boundTo are the variables of the pattern of Ref that make it the physical
// id.
func (s *Scope) boundTo(known returns, id, physical string) map[string]string {
	if bound, ok := s.bound[id]; ok {
		return bound
	}
	bound := bind(known.ref, physical)
	if s.bound == nil {
		s.bound = map[string]map[string]string{}
	}
	s.bound[id] = bound
	return bound
}

// bind finds the variables of a pattern in a text that it made. Of a URL, the
// last part is the name, whichever endpoint the rest is of. It is nil where
// the text has another form.
func bind(pattern, text string) map[string]string {
	expression, names := patternExpression(pattern)
	match := regexp.MustCompile(expression).FindStringSubmatch(text)
	if match == nil {
		if strings.Contains(pattern, "://") && strings.HasSuffix(pattern, "/${name}") && strings.Contains(text, "://") {
			return map[string]string{"name": text[strings.LastIndex(text, "/")+1:]}
		}
		return nil
	}
	bound := map[string]string{}
	for i, name := range names {
		bound[name] = match[i+1]
	}
	return bound
}

// variable is what a pattern leaves open.
var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

func patternExpression(pattern string) (expression string, names []string) {
	var b strings.Builder
	b.WriteString("^")
	rest := pattern
	for _, at := range variable.FindAllStringIndex(pattern, -1) {
		begin := at[0] - (len(pattern) - len(rest))
		b.WriteString(regexp.QuoteMeta(rest[:begin]))
		name := pattern[at[0]+2 : at[1]-1]
		rest = pattern[at[1]:]
		switch {
		case name == "name", name == "function":
			b.WriteString("(.+)")
			names = append(names, name)
		case ofAWS(name):
			b.WriteString("([^/:]+)")
			names = append(names, name)
		case name == "=Path:/":
			b.WriteString("/(?:.*/)?")
		default:
			b.WriteString(".*?")
		}
	}
	b.WriteString(regexp.QuoteMeta(rest) + "$")
	return b.String(), names
}

// ofAWS says whether AWS chooses what the variable of a pattern stands for.
func ofAWS(name string) bool {
	return name == "uuid" || strings.HasPrefix(name, "id:") || strings.HasPrefix(name, "made:")
}
