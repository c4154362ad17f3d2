package cfn

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// returns says what a resource type returns: what Ref gives, and each
// attribute of Fn::GetAtt. The source is the "Return values" section of the
// type's page in the AWS CloudFormation Template Reference.
//
// The texts are patterns. ${name} is the local physical name, ${arn} the
// pattern of that attribute; ${partition}, ${region}, ${account}, ${suffix}
// and ${stack} are the stack's; ${id:N} is a made identifier of N hexadecimal
// digits and ${uuid} one in the form of a UUID, the same on every run;
// ${made:TEXT} is TEXT, in a place that AWS fills; ${=Property:TEXT} is a
// property of the resource, or TEXT where it has none.
type returns struct {
	// nameProperty is the property that gives the physical name.
	nameProperty string
	ref          string
	attributes   map[string]string
}

// refResource is what Ref gives for a resource.
func (c *call) refResource(id string, r *Resource) any {
	if physical, ok := c.physicalID(id, "Ref ", id); ok {
		return physical
	}
	known, ok := returnValues[r.Type]
	if !ok {
		return c.unresolved("Ref "+id, "Bailey does not know what a "+r.Type+" returns; "+waysOut)
	}
	return c.expand(known, known.ref, id, r)
}

// waysOut ends the reason of what no table can know.
const waysOut = "give the value with --env-vars, or in bailey.toml"

// attribute is what Fn::GetAtt gives for a resource.
func (c *call) attribute(id string, r *Resource, name string) any {
	if physical, ok := c.physicalID(id, "Fn::GetAtt ", id, ".", name); ok {
		return c.deployedAttribute(id, physical, r, name)
	}
	if r.Type == crossRegionReader {
		if written, ok := c.scope.evaluation.crossRegionExports()[name]; ok {
			return c.there(written)
		}
	}
	known, ok := returnValues[r.Type]
	if !ok {
		return c.unresolved("Fn::GetAtt "+id+"."+name, "Bailey does not know what a "+r.Type+" returns; "+waysOut)
	}
	pattern, ok := known.attributes[name]
	if !ok {
		return c.unresolved("Fn::GetAtt "+id+"."+name, "only AWS knows this attribute of a "+r.Type+"; "+waysOut)
	}
	return c.expand(known, pattern, id, r)
}

// expand is a pattern with local values.
func (c *call) expand(known returns, pattern, id string, r *Resource) string {
	e := expansion{c, known, id, r, nil, false}
	return e.expand(pattern)
}

// expansion puts values into the patterns of one resource.
type expansion struct {
	*call
	known returns
	id    string
	r     *Resource
	// bound are what AWS chose for a deployed resource, nil for a local one,
	// and unknown tells that a pattern needs more of it.
	bound   map[string]string
	unknown bool
}

func (e *expansion) expand(pattern string) string {
	var text strings.Builder
	text.Grow(2 * len(pattern))
	for {
		before, after, found := strings.Cut(pattern, "${")
		text.WriteString(before)
		if !found {
			break
		}
		var name string
		name, pattern, _ = strings.Cut(after, "}")
		text.WriteString(e.value(name))
	}
	if text.Len() > maxText {
		return e.unresolved(e.id, "its name or ARN is over 1 MiB")
	}
	return text.String()
}

func (e *expansion) value(name string) string {
	if property, ok := strings.CutPrefix(name, "="); ok {
		property, otherwise, _ := strings.Cut(property, ":")
		return cmp.Or(e.property(e.id, e.r, property), otherwise)
	}
	if value, ok := e.bound[name]; ok {
		return value
	}
	if ofAWS(name) {
		return e.made(name)
	}
	return e.variable(name)
}

// made stands in for what AWS chooses.
func (e *expansion) made(name string) string {
	kind, argument, _ := strings.Cut(name, ":")
	switch {
	case e.deployed():
		e.unknown = true
		return ""
	case kind == "id":
		n, _ := strconv.Atoi(argument)
		return e.scope.madeID(e.id)[:n]
	case kind == "uuid":
		return uuid(e.scope.Pseudo.StackName, e.id)
	}
	return argument
}

func (e *expansion) deployed() bool {
	if e.scope.Deployed == nil {
		return false
	}
	_, ok := e.scope.Deployed.PhysicalIDs[e.id]
	return ok
}

func (e *expansion) variable(name string) string {
	p := e.scope.Pseudo
	switch name {
	case "partition":
		return p.Partition
	case "region":
		return p.Region
	case "account":
		return p.AccountID
	case "suffix":
		return p.URLSuffix
	case "stack":
		return p.StackName
	case "stackid":
		return p.StackID
	case "name":
		return e.physicalName(e.known, e.id, e.r)
	case "rule":
		// of a rule of another bus than the default, the id is BUS|NAME
		return strings.Replace(e.physicalName(e.known, e.id, e.r), "|", "/", 1)
	case "arn":
		return e.expand(e.known.attributes["Arn"])
	case "function":
		return e.functionARN(e.id, e.r)
	}
	return e.unresolved("${"+name+"}", "unknown variable in the table of return values")
}

// property is a property of a resource as a text, "" where it is not given.
func (c *call) property(id string, r *Resource, name string) string {
	value := any(r.Properties)
	for part := range strings.SplitSeq(name, ".") {
		object, _ := value.(map[string]any)
		value = object[part]
	}
	if value == nil {
		return ""
	}
	result := c.there(place{scope: c.scope, value: value, at: "Resources." + id + ".Properties." + name})
	text, ok := scalar(result)
	if !ok {
		return c.unresolved(id+"."+name, "it is a list or a map, where a text is needed")
	}
	return text
}

// functionARN is the unqualified ARN of the function that a version or alias
// belongs to, whose FunctionName may be a name, an ARN or part of one.
func (c *call) functionARN(id string, r *Resource) string {
	name := c.property(id, r, "FunctionName")
	if strings.HasPrefix(name, "arn:") {
		return strings.Join(strings.SplitN(name, ":", 8)[:min(7, strings.Count(name, ":")+1)], ":")
	}
	if i := strings.LastIndex(name, "function:"); i >= 0 {
		name = name[i+len("function:"):]
	}
	p := c.scope.Pseudo
	return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", p.Partition, p.Region, p.AccountID, name)
}

// PhysicalName is the name of a resource: the deployed one's, else the
// template's own where it gives one, else what [Scope.Name] makes.
func (s *Scope) PhysicalName(id string) (string, []Problem) {
	r := s.Template.Resources[id]
	c := &call{scope: s, at: "Resources." + id}
	return c.physicalName(returnValues[r.Type], id, r), c.problems
}

func (c *call) physicalName(known returns, id string, r *Resource) string {
	physical, deployed := c.physicalID(id, "Ref ", id)
	if deployed {
		if name, ok := c.scope.boundTo(known, id, physical)["name"]; ok {
			return name
		}
	}
	if known.nameProperty != "" {
		if name := c.property(id, r, known.nameProperty); name != "" {
			return name
		}
	}
	if deployed {
		return physical
	}
	name, ok := c.scope.names[id]
	if !ok {
		name = c.scope.madeName(id, r)
		c.scope.names[id] = name
	}
	return name
}

// madeName is a name for a resource that the template leaves to
// CloudFormation, in the spelling that the resource's service allows.
func (s *Scope) madeName(id string, r *Resource) string {
	var name string
	if s.Name != nil {
		name = s.Name(id, r)
	} else {
		name = s.Pseudo.StackName + "-" + id
	}
	switch r.Type {
	case "AWS::S3::Bucket":
		name = strings.ToLower(name)
	case "AWS::SQS::Queue":
		if fifo, _ := scalar(r.Properties["FifoQueue"]); fifo == "true" {
			name += ".fifo"
		}
	case "AWS::SNS::Topic":
		if fifo, _ := scalar(r.Properties["FifoTopic"]); fifo == "true" {
			name += ".fifo"
		}
	}
	return name
}

// madeID is an identifier that AWS would make: 64 hexadecimal digits, the same
// for the same stack and logical id.
func (s *Scope) madeID(id string) string {
	sum := sha256.Sum256([]byte(s.Pseudo.StackName + "\x00" + id))
	return hex.EncodeToString(sum[:])
}

func uuid(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	text := hex.EncodeToString(sum[:16])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
