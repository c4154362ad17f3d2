package cfn

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
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
// ${=Property} is a property of the resource.
type returns struct {
	// nameProperty is the property that gives the physical name.
	nameProperty string
	ref          string
	attributes   map[string]string
}

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// refResource is what Ref gives for a resource.
func (c *call) refResource(id string, r *Resource) any {
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

func (c *call) expand(known returns, pattern, id string, r *Resource) any {
	return variable.ReplaceAllStringFunc(pattern, func(match string) string {
		name := match[2 : len(match)-1]
		if property, ok := strings.CutPrefix(name, "="); ok {
			return c.property(id, r, property)
		}
		if digits, ok := strings.CutPrefix(name, "id:"); ok {
			n := 0
			_, _ = fmt.Sscan(digits, &n)
			return c.scope.madeID(id)[:n]
		}
		return c.patternVariable(known, name, id, r)
	})
}

func (c *call) patternVariable(known returns, name, id string, r *Resource) string {
	p := c.scope.Pseudo
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
	case "uuid":
		return uuid(p.StackName, id)
	case "name":
		return c.physicalName(known, id, r)
	case "arn":
		text, _ := scalar(c.expand(known, known.attributes["Arn"], id, r))
		return text
	case "function":
		return c.functionARN(id, r)
	}
	return c.unresolved("${"+name+"}", "unknown variable in the table of return values")
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
	result := c.there(place{c.scope, value, "Resources." + id + ".Properties." + name})
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

// PhysicalName is the local name of a resource: the template's own where it
// gives one, else what [Scope.Name] makes.
func (s *Scope) PhysicalName(id string) (string, []Problem) {
	r := s.Template.Resources[id]
	c := &call{scope: s, at: "Resources." + id}
	return c.physicalName(returnValues[r.Type], id, r), c.problems
}

func (c *call) physicalName(known returns, id string, r *Resource) string {
	if known.nameProperty != "" {
		if name := c.property(id, r, known.nameProperty); name != "" {
			return name
		}
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
	name := s.Pseudo.StackName + "-" + id
	if s.Name != nil {
		name = s.Name(id, r)
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
