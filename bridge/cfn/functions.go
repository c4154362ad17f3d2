package cfn

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// functions are the intrinsic functions. See "Intrinsic function reference" in
// the AWS CloudFormation Template Reference. It is filled by init, since the
// functions evaluate their own arguments.
var functions map[string]func(*call, any) any

func init() {
	functions = map[string]func(*call, any) any{
		"Ref":              (*call).ref,
		"Condition":        func(c *call, v any) any { return c.test(map[string]any{"Condition": v}) },
		"Fn::And":          func(c *call, v any) any { return c.test(map[string]any{"Fn::And": v}) },
		"Fn::Or":           func(c *call, v any) any { return c.test(map[string]any{"Fn::Or": v}) },
		"Fn::Not":          func(c *call, v any) any { return c.test(map[string]any{"Fn::Not": v}) },
		"Fn::Equals":       func(c *call, v any) any { return c.test(map[string]any{"Fn::Equals": v}) },
		"Fn::Base64":       (*call).base64,
		"Fn::Cidr":         (*call).cidr,
		"Fn::FindInMap":    (*call).findInMap,
		"Fn::GetAZs":       (*call).getAZs,
		"Fn::GetAtt":       (*call).getAtt,
		"Fn::If":           (*call).fnIf,
		"Fn::ImportValue":  (*call).importValue,
		"Fn::Join":         (*call).join,
		"Fn::Length":       (*call).length,
		"Fn::Select":       (*call).selectOne,
		"Fn::Split":        (*call).split,
		"Fn::Sub":          (*call).sub,
		"Fn::ToJsonString": (*call).toJSONString,
	}
}

func (c *call) call(name string, argument any) any {
	f, ok := functions[name]
	if !ok {
		return c.unresolved(name, "Bailey does not know this intrinsic function")
	}
	return f(c, argument)
}

// arguments are a function's arguments, or nil with a problem where their
// number is wrong.
func (c *call) arguments(name string, v any, least, most int) []any {
	list, ok := v.([]any)
	if !ok || len(list) < least || len(list) > most {
		count := strconv.Itoa(least)
		if most != least {
			count += " to " + strconv.Itoa(most)
		}
		c.unresolved(name, "it takes a list of "+count+" values")
		return nil
	}
	return list
}

func (c *call) ref(v any) any {
	name, ok := v.(string)
	if !ok {
		return c.unresolved("Ref", "it takes the name of a parameter or resource")
	}
	if value, ok := c.pseudo(name); ok {
		return value
	}
	if _, ok := c.scope.Template.Parameters[name]; ok {
		return c.parameter(name)
	}
	if r, ok := c.scope.Template.Resources[name]; ok {
		return c.once(c.scope, "Ref "+name, func(c *call) any { return c.refResource(name, r) })
	}
	return c.unresolved("Ref "+name, "the template has no parameter or resource of this name")
}

func (c *call) pseudo(name string) (any, bool) {
	p := c.scope.Pseudo
	switch name {
	case "AWS::AccountId":
		return p.AccountID, true
	case "AWS::Region":
		return p.Region, true
	case "AWS::Partition":
		return p.Partition, true
	case "AWS::URLSuffix":
		return p.URLSuffix, true
	case "AWS::StackName":
		return p.StackName, true
	case "AWS::StackId":
		return p.StackID, true
	case "AWS::NotificationARNs":
		return []any{}, true
	case "AWS::NoValue":
		return noValue{}, true
	}
	return nil, false
}

// parameter is the value of a template parameter: an override, what the parent
// stack gives, or the default.
func (c *call) parameter(name string) any {
	return c.once(c.scope, "Ref "+name, func(c *call) any {
		p := c.scope.Template.Parameters[name]
		hidden, _ := scalar(p.NoEcho)
		if hidden == "true" {
			c.add(Problem{Expression: "Ref " + name, Where: c.scope.where(c.at), Reason: "the parameter has NoEcho", Secret: true})
		}
		if value, ok := c.scope.evaluation.Overrides[name]; ok {
			return typed(p.Type, value)
		}
		if d := c.scope.Deployed; d != nil {
			if value, ok := d.Parameters[name]; ok && hidden != "true" {
				return typed(p.Type, value)
			}
		}
		if given, ok := c.scope.parameters[name]; ok {
			value := c.there(place{scope: c.scope.parent, value: given, at: c.scope.parentAt + name})
			if !flat(value) {
				return c.unresolved("Ref "+name, "its value is neither a text nor a list of texts")
			}
			return typed(p.Type, value)
		}
		if hidden == "true" && c.scope.Deployed != nil {
			return c.unresolved("Ref "+name, "AWS hides what the deployed stack has for a parameter with NoEcho; give it with --parameter-overrides "+name+"=VALUE")
		}
		if p.Default == nil {
			return c.unresolved("Ref "+name, "the parameter has no default; give one with --parameter-overrides "+name+"=VALUE")
		}
		value := p.Default
		if strings.HasPrefix(p.Type, "AWS::SSM::Parameter::Value<") {
			value = c.ssmParameter(name, p)
		}
		return typed(p.Type, value)
	})
}

// there evaluates a value of another stack, where that stack's names hold.
func (c *call) there(p place) any {
	return c.once(p.scope, p.at, func(inner *call) any {
		inner.at = p.at
		value := inner.eval(p.value)
		if _, ok := scalar(value); p.output != "" && !ok {
			value = inner.unresolved(p.at, "an output is a text, and this is none")
		}
		if shown, ok := p.deployed(); ok {
			inner.problems = slices.DeleteFunc(inner.problems, func(p Problem) bool { return !p.Secret })
			return shown
		}
		return value
	})
}

// flat says whether a value is what a parameter can have. Others could double
// with each stack that hands them on.
func flat(v any) bool {
	list, ok := v.([]any)
	if !ok {
		_, ok = scalar(v)
		return ok
	}
	return !slices.ContainsFunc(list, func(e any) bool { _, ok := scalar(e); return !ok })
}

// typed makes a list of the text of a list parameter, as CloudFormation does.
func typed(kind string, value any) any {
	text, ok := value.(string)
	list := strings.Contains(kind, "List<") || kind == "CommaDelimitedList"
	if !ok || !list {
		return value
	}
	elements := []any{}
	for e := range strings.SplitSeq(text, ",") {
		elements = append(elements, strings.TrimSpace(e))
	}
	return elements
}

// ssmParameter is the value of an SSM parameter that the application itself
// makes. Its name is the template parameter's default.
func (c *call) ssmParameter(name string, p *Parameter) any {
	key, _ := scalar(p.Default)
	if made, ok := c.scope.evaluation.ssmParameters()[key]; ok {
		return c.there(made)
	}
	return c.unresolved("Ref "+name, fmt.Sprintf("no stack of the application makes the SSM parameter %q; give its value with --parameter-overrides %s=VALUE", key, name))
}

func (e *Evaluation) ssmParameters() map[string]place {
	if e.ssm != nil {
		return e.ssm
	}
	e.ssm = map[string]place{}
	for _, s := range e.scopes {
		for _, id := range s.Template.LogicalIDs() {
			r := s.Template.Resources[id]
			if r.Type != "AWS::SSM::Parameter" {
				continue
			}
			if name, problems := s.String(r.Properties["Name"], "Resources."+id+".Properties.Name"); name != "" && known(problems) {
				e.ssm[name] = place{scope: s, value: r.Properties["Value"], at: "Resources." + id + ".Properties.Value"}
			}
		}
	}
	return e.ssm
}

// known says whether a value with these problems is what it would be in AWS,
// or stands for it.
func known(problems []Problem) bool {
	return !slices.ContainsFunc(problems, func(p Problem) bool { return !p.Local })
}

// The custom resources by which the CDK carries a value from a stack in one
// region to a stack in another. They are the CDK's own: see
// crossRegionReferences of its StackProps.
const (
	crossRegionWriter = "Custom::CrossRegionExportWriter"
	crossRegionReader = "Custom::CrossRegionExportReader"
)

// crossRegionExports are the values that the writers of all stacks hand over,
// by name.
func (e *Evaluation) crossRegionExports() map[string]place {
	if e.crossRegion != nil {
		return e.crossRegion
	}
	e.crossRegion = map[string]place{}
	for _, s := range e.scopes {
		for _, id := range s.Template.LogicalIDs() {
			if r := s.Template.Resources[id]; r.Type == crossRegionWriter {
				props, _ := r.Properties["WriterProps"].(map[string]any)
				exports, _ := props["exports"].(map[string]any)
				for name, value := range exports {
					e.crossRegion[name] = place{scope: s, value: value, at: "Resources." + id + ".Properties.WriterProps.exports." + name}
				}
			}
		}
	}
	return e.crossRegion
}

func (c *call) importValue(v any) any {
	name, ok := c.text(v)
	if !ok {
		return c.unresolved("Fn::ImportValue", "it takes the name of an export")
	}
	if found, ok := c.scope.evaluation.allExports()[name]; ok {
		return c.there(found)
	}
	if d := c.scope.Deployed; d != nil {
		if value, ok := d.Exports[name]; ok {
			return value
		}
	}
	return c.unresolved("Fn::ImportValue "+name, "no stack of the application exports it; give the value of the variable with --env-vars")
}

func (e *Evaluation) allExports() map[string]place {
	if e.exports != nil {
		return e.exports
	}
	e.exports = map[string]place{}
	for _, s := range e.scopes {
		for _, key := range slices.Sorted(maps.Keys(s.Template.Outputs)) {
			o := s.Template.Outputs[key]
			if o.Export == nil {
				continue
			}
			if name, problems := s.String(o.Export.Name, "Outputs."+key+".Export.Name"); known(problems) {
				e.exports[name] = outputPlace(s, key)
			}
		}
	}
	return e.exports
}

func (c *call) getAtt(v any) any {
	logicalID, attribute, ok := c.attributeName(v)
	if !ok {
		return c.unresolved("Fn::GetAtt", "it takes a resource and an attribute")
	}
	return c.attributeOf(logicalID, attribute)
}

func (c *call) attributeOf(logicalID, attribute string) any {
	expression := "Fn::GetAtt " + logicalID + "." + attribute
	r, ok := c.scope.Template.Resources[logicalID]
	if !ok {
		return c.unresolved(expression, "the template has no resource of this name")
	}
	return c.once(c.scope, expression, func(c *call) any {
		if child, ok := c.scope.nested[logicalID]; ok && strings.HasPrefix(attribute, "Outputs.") {
			return c.nestedOutput(child, expression, strings.TrimPrefix(attribute, "Outputs."))
		}
		return c.attribute(logicalID, r, attribute)
	})
}

func (c *call) attributeName(v any) (logicalID, attribute string, ok bool) {
	if text, isText := v.(string); isText {
		return strings.Cut(text, ".")
	}
	list, _ := v.([]any)
	if len(list) < 2 {
		return "", "", false
	}
	parts := make([]string, len(list))
	for i, e := range list {
		if parts[i], ok = c.text(e); !ok {
			return "", "", false
		}
	}
	return parts[0], strings.Join(parts[1:], "."), true
}

func (c *call) nestedOutput(child *Scope, expression, name string) any {
	if _, ok := child.Template.Outputs[name]; !ok {
		return c.unresolved(expression, "the nested stack "+child.Template.File+" has no such output")
	}
	return c.there(outputPlace(child, name))
}

func (c *call) join(v any) any {
	arguments := c.arguments("Fn::Join", v, 2, 2)
	if arguments == nil {
		return UnresolvedPrefix + "(Fn::Join)"
	}
	separator, _ := c.text(arguments[0])
	elements, ok := c.elements(arguments[1])
	if !ok {
		return c.unresolved("Fn::Join "+brief(arguments[1]), "its second argument is not a list")
	}
	var text strings.Builder
	for i, e := range elements {
		if i > 0 {
			text.WriteString(separator)
		}
		part, ok := scalar(e)
		if !ok {
			return c.unresolved("Fn::Join", fmt.Sprintf("element %d is a list or a map", i))
		}
		text.WriteString(part)
		if text.Len() > maxText {
			break
		}
	}
	return c.bounded("Fn::Join", text.String())
}

// elements evaluates v, which must become a list.
func (c *call) elements(v any) ([]any, bool) {
	list, ok := c.eval(v).([]any)
	return list, ok
}

// text evaluates v, which must become a text, number or boolean.
func (c *call) text(v any) (string, bool) { return scalar(c.eval(v)) }

func (c *call) split(v any) any {
	arguments := c.arguments("Fn::Split", v, 2, 2)
	if arguments == nil {
		return []any{}
	}
	separator, ok := c.text(arguments[0])
	text, ok2 := c.text(arguments[1])
	if !ok || !ok2 || separator == "" {
		return c.unresolved("Fn::Split "+brief(v), "it takes a separator and a text")
	}
	if strings.HasPrefix(text, UnresolvedPrefix+"(") {
		// every part of what is not known is not known: see selectOne
		return []any{text}
	}
	if !c.spend(16 * strings.Count(text, separator)) {
		return c.unresolved("Fn::Split", "the template's values are over 128 MiB together")
	}
	parts := []any{}
	for part := range strings.SplitSeq(text, separator) {
		parts = append(parts, part)
	}
	return parts
}

func (c *call) selectOne(v any) any {
	arguments := c.arguments("Fn::Select", v, 2, 2)
	if arguments == nil {
		return UnresolvedPrefix + "(Fn::Select)"
	}
	index, ok := c.text(arguments[0])
	i, err := strconv.Atoi(index)
	if !ok || err != nil {
		return c.unresolved("Fn::Select "+brief(v), "its index is not a whole number")
	}
	elements, ok := c.elements(arguments[1])
	if !ok {
		return c.unresolved("Fn::Select "+brief(v), "its second argument is not a list")
	}
	if len(elements) == 1 {
		if text, _ := elements[0].(string); strings.HasPrefix(text, UnresolvedPrefix+"(") {
			return text
		}
	}
	if i < 0 || i >= len(elements) {
		return c.unresolved("Fn::Select "+brief(v), fmt.Sprintf("index %d is outside the list of %d", i, len(elements)))
	}
	return elements[i]
}

// nextVariable finds the first ${...} in the text of an Fn::Sub, and what
// stands before and after it.
func nextVariable(text string) (before, name, after string, ok bool) {
	for from := 0; ; {
		start := strings.Index(text[from:], "${")
		if start < 0 {
			return text, "", "", false
		}
		start += from
		from = start + 2
		if length := strings.IndexAny(text[from:], "${}"); length >= 0 && text[from+length] == '}' {
			return text[:start], text[from : from+length], text[from+length+1:], true
		}
	}
}

func (c *call) sub(v any) any {
	text, isText := v.(string)
	var variables map[string]any
	if list, ok := v.([]any); ok && len(list) == 2 {
		text, isText = list[0].(string)
		variables, _ = list[1].(map[string]any)
	}
	if !isText {
		return c.unresolved("Fn::Sub", "it takes a text, or a text and a map")
	}
	c.noteDynamic(text)
	var result strings.Builder
	for result.Len() <= maxText {
		before, name, after, ok := nextVariable(text)
		if !ok {
			break
		}
		result.WriteString(before)
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			result.WriteString("${" + literal + "}")
		} else {
			result.WriteString(c.subVariable(strings.TrimSpace(name), variables))
		}
		text = after
	}
	result.WriteString(text)
	return c.bounded("Fn::Sub", result.String())
}

func (c *call) subVariable(name string, variables map[string]any) string {
	var value any
	if given, ok := variables[name]; ok {
		value = c.eval(given)
	} else if strings.Contains(name, ".") {
		value = c.getAtt(name)
	} else {
		value = c.ref(name)
	}
	text, ok := scalar(value)
	if !ok {
		return c.unresolved("Fn::Sub ${"+name+"}", "it is a list or a map")
	}
	return text
}

func (c *call) findInMap(v any) any {
	arguments := c.arguments("Fn::FindInMap", v, 3, 4)
	if arguments == nil {
		return UnresolvedPrefix + "(Fn::FindInMap)"
	}
	var keys [3]string
	for i := range keys {
		var ok bool
		if keys[i], ok = c.text(arguments[i]); !ok {
			return c.unresolved("Fn::FindInMap "+brief(v), "a key is not a text")
		}
	}
	if value, ok := c.scope.Template.Mappings[keys[0]][keys[1]][keys[2]]; ok {
		return value // a mapping holds no intrinsics
	}
	if len(arguments) == 4 {
		if options, ok := arguments[3].(map[string]any); ok {
			if value, ok := options["DefaultValue"]; ok {
				return c.eval(value)
			}
		}
	}
	return c.unresolved("Fn::FindInMap "+strings.Join(keys[:], "."), "the template's Mappings have no such entry")
}

func (c *call) fnIf(v any) any {
	arguments := c.arguments("Fn::If", v, 3, 3)
	if arguments == nil {
		return UnresolvedPrefix + "(Fn::If)"
	}
	name, ok := arguments[0].(string)
	if !ok {
		return c.unresolved("Fn::If", "it takes the name of a condition")
	}
	if c.condition(name) {
		return c.eval(arguments[1])
	}
	return c.eval(arguments[2])
}

// condition evaluates a condition of the template by name.
func (c *call) condition(name string) bool {
	value, ok := c.scope.Template.Conditions[name]
	if !ok {
		c.unresolved("Condition "+name, "the template has no condition of this name; it is taken as false")
		return false
	}
	result := c.once(c.scope, "Condition "+name, func(c *call) any { return c.test(value) })
	holds, _ := result.(bool)
	return holds
}

// test evaluates a condition function.
func (c *call) test(v any) bool {
	holds, _ := c.deeper(func() string { return brief(v) }, func() any { return c.testOne(v) }).(bool)
	return holds
}

func (c *call) testOne(v any) bool {
	condition, _ := v.(map[string]any)
	name, argument, _ := intrinsic(condition)
	list, _ := argument.([]any)
	switch name {
	case "Condition":
		if text, ok := argument.(string); ok {
			return c.condition(text)
		}
	case "Fn::And":
		return !slices.ContainsFunc(list, func(e any) bool { return !c.test(e) })
	case "Fn::Or":
		return slices.ContainsFunc(list, c.test)
	case "Fn::Not":
		if len(list) == 1 {
			return !c.test(list[0])
		}
	case "Fn::Equals":
		if len(list) == 2 {
			return equal(c.eval(list[0]), c.eval(list[1]))
		}
	}
	c.unresolved("Condition "+brief(v), "it is not a condition function; it is taken as false")
	return false
}

func equal(a, b any) bool {
	x, ok := scalar(a)
	y, ok2 := scalar(b)
	if ok && ok2 {
		return x == y
	}
	return reflect.DeepEqual(a, b)
}

func (c *call) base64(v any) any {
	text, ok := c.text(v)
	if !ok {
		return c.unresolved("Fn::Base64", "it takes a text")
	}
	return c.bounded("Fn::Base64", base64.StdEncoding.EncodeToString([]byte(text)))
}

func (c *call) length(v any) any {
	list, ok := c.elements(v)
	if !ok {
		return c.unresolved("Fn::Length "+brief(v), "it takes a list")
	}
	return json.Number(strconv.Itoa(len(list)))
}

func (c *call) toJSONString(v any) any {
	value := c.eval(v)
	if sizeOf(value, maxText) > maxText {
		return c.unresolved("Fn::ToJsonString", "its text is over 1 MiB")
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return c.unresolved("Fn::ToJsonString", "its value has no form in JSON")
	}
	return c.bounded("Fn::ToJsonString", strings.TrimSuffix(text.String(), "\n"))
}

// getAZs gives the first three zones: most regions have them, and CDK stacks
// without an environment take two.
func (c *call) getAZs(v any) any {
	region, _ := c.text(v)
	if region == "" {
		region = c.scope.Pseudo.Region
	}
	return []any{region + "a", region + "b", region + "c"}
}

// cidr is Fn::Cidr: count blocks of cidrBits host bits each, from a block.
func (c *call) cidr(v any) any {
	arguments := c.arguments("Fn::Cidr", v, 2, 3)
	if arguments == nil {
		return []any{}
	}
	texts := make([]string, 3)
	for i, a := range arguments {
		texts[i], _ = c.text(a)
	}
	block, err := netip.ParsePrefix(texts[0])
	count, err2 := strconv.Atoi(texts[1])
	bits, err3 := strconv.Atoi(texts[2])
	if len(arguments) == 2 {
		bits, err3 = 8, nil
		if block.Addr().Is6() {
			bits = 64
		}
	}
	if err != nil || err2 != nil || err3 != nil || count < 1 || count > 256 || bits < 1 || bits > block.Addr().BitLen() {
		return c.unresolved("Fn::Cidr "+brief(v), "it takes an IP block, a count of 1 to 256 and a number of host bits")
	}
	return c.blocks(block.Masked(), count, bits)
}

func (c *call) blocks(block netip.Prefix, count, bits int) any {
	width := block.Addr().BitLen()
	room := width - block.Bits() - bits
	if room < 0 || (room < 9 && count > 1<<room) {
		return c.unresolved("Fn::Cidr "+block.String(), fmt.Sprintf("%d blocks of %d host bits do not fit into it", count, bits))
	}
	step := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	address := new(big.Int).SetBytes(block.Addr().AsSlice())
	blocks := make([]any, count)
	for i := range blocks {
		raw := address.FillBytes(make([]byte, width/8))
		a, _ := netip.AddrFromSlice(raw)
		blocks[i] = netip.PrefixFrom(a, width-bits).String()
		address.Add(address, step)
	}
	return blocks
}

// scalar is the text of a text, number or boolean.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case noValue, nil:
		return "", v != nil
	}
	return "", false
}
