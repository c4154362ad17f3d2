package filter

import (
	"encoding/json"
	"slices"
)

// Scope is what a filter policy looks at.
type Scope string

// The scopes, in SNS's words.
const (
	MessageAttributes Scope = "MessageAttributes"
	MessageBody       Scope = "MessageBody"
)

// Attribute is a message attribute.
type Attribute struct {
	// DataType is "String", "String.Array", "Number" or "Binary". Attributes
	// of other types are as if they were not there, and so are binary ones.
	DataType string
	// StringValue is the value, a JSON array for "String.Array".
	StringValue string
}

// The quotas of filter policies:
// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
const (
	maxPolicy       = 256 * 1024
	maxKeys         = 5
	maxComplexity   = 150
	snsScope        = "FilterPolicy: "
	tooComplex      = "Filter policy is too complex"
	tooManyKeys     = "Filter policy can not have more than 5 keys"
	notNestedReason = "Filter policy scope MessageAttributes does not support nested filter policy"
)

var sns = &dialect{scope: snsScope, cidr: true, anythingBut: []string{"prefix"}, maxRules: maxComplexity}

// Policy is a compiled filter policy.
type Policy struct {
	program *program
	scope   Scope
}

// ParsePolicy compiles the filter policy of a subscription. An empty object
// lets everything pass. An error is an [*Error] with what SNS says behind
// "Invalid parameter: ".
//
// Besides the language it holds the policy to SNS's quotas: 256 KiB, five keys
// on the top level, and a complexity of 150, which is the product of the
// numbers of values of each key and, for a nested key, its depth.
// See https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
func ParsePolicy(text string, scope Scope) (*Policy, error) {
	if scope != MessageAttributes && scope != MessageBody {
		return nil, &Error{
			Scope:  "FilterPolicyScope: ",
			Reason: "Invalid value [" + string(scope) + "]. Please use either MessageBody or MessageAttributes",
		}
	}
	entries, fault := parsePolicy(text, scope)
	if fault != nil {
		return nil, fault
	}
	compiled, ok := compile(entries, sns.maxRules)
	if !ok {
		return nil, &Error{Scope: snsScope, Reason: tooComplex}
	}
	return &Policy{compiled, scope}, nil
}

func parsePolicy(text string, scope Scope) ([]entry, *Error) {
	if len(text) > maxPolicy {
		return nil, &Error{Scope: snsScope, Reason: "Filter policy is too long"}
	}
	if !json.Valid([]byte(text)) {
		_, fault := parse(text, sns)
		if fault == nil {
			fault = &Error{}
		}
		return nil, &Error{Scope: snsScope, Reason: "failed to parse JSON. " + fault.Reason, Location: fault.Location}
	}
	entries, fault := parse(text, sns)
	switch {
	case fault != nil:
		fault.Scope = snsScope
		return nil, fault
	case len(entries) > maxKeys:
		return nil, &Error{Scope: snsScope, Reason: tooManyKeys}
	case scope == MessageAttributes && nested(entries):
		return nil, &Error{Reason: notNestedReason}
	case complexity(entries, 1, 1) > maxComplexity:
		return nil, &Error{Scope: snsScope, Reason: tooComplex}
	}
	return entries, nil
}

func nested(entries []entry) bool {
	return slices.ContainsFunc(entries, func(e entry) bool {
		return e.object != nil || slices.ContainsFunc(e.alternatives, nested)
	})
}

// complexity counts the combinations of values.
func complexity(entries []entry, depth, combinations int) int {
	for _, e := range entries {
		switch {
		case combinations > maxComplexity:
			return combinations // enough is known, and the product may overflow
		case e.alternatives != nil:
			sum := 0
			for _, inner := range e.alternatives {
				sum += complexity(inner, depth, combinations)
			}
			combinations = sum
		case e.object != nil:
			combinations = complexity(e.object, depth+1, combinations)
		default:
			combinations *= len(e.operators) * depth
		}
	}
	return combinations
}

// Scope is what the policy looks at.
func (p *Policy) Scope() Scope { return p.scope }

// Matches says whether a message passes. The policy looks at one of the two; a
// body that is not a JSON object passes no policy but an empty one.
func (p *Policy) Matches(attributes map[string]Attribute, body []byte) bool {
	switch {
	case p.program.rules == nil:
		return true
	case p.scope == MessageBody:
		return p.program.matches(body)
	}
	s := newState(p.program)
	defer s.free()
	for f := range p.program.fields {
		if a, ok := attributes[p.program.fields[f].path]; ok {
			s.attribute(f, a)
		}
	}
	return s.verdict()
}

// attribute notes the values of an attribute.
func (s *state) attribute(f int, a Attribute) {
	switch a.DataType {
	case "String":
		s.value(f, value{tokenString, a.StringValue})
	case "Number":
		if isNumber([]byte(a.StringValue)) {
			s.value(f, value{tokenNumber, a.StringValue})
		}
	case "String.Array", "Number.Array":
		var values []json.RawMessage
		if json.Unmarshal([]byte(a.StringValue), &values) != nil {
			return
		}
		for _, raw := range values {
			s.raw(f, raw)
		}
	}
}

// raw notes an element of an array: a string, number or literal.
func (s *state) raw(f int, raw json.RawMessage) {
	switch raw[0] {
	case '{', '[':
	case '"':
		var text string
		if json.Unmarshal(raw, &text) == nil {
			s.value(f, value{tokenString, text})
		}
	case 't', 'f':
		s.value(f, value{tokenTrue, string(raw)})
	case 'n':
		s.value(f, value{tokenNull, string(raw)})
	default:
		s.value(f, value{tokenNumber, string(raw)})
	}
}
