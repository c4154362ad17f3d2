package eventfork

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"strings"
)

// Filter says which events a branch gets. The zero value is all of them.
//
//	eventfork.MatchAttributes(
//		eventfork.Where("kind", eventfork.Is("order", "return")),
//		eventfork.Where("amount", eventfork.Numbers(eventfork.AtLeast(100))),
//	)
//
// An event passes if all conditions hold; a condition holds if one of its
// matches does. SNS takes up to 15 minutes to heed a changed filter.
// [Amazon SNS subscription filter policies]
//
// [Amazon SNS subscription filter policies]: https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
type Filter struct {
	scope      scope
	conditions []Condition
}

// scope is the part of an event that a filter looks at, by SNS's names.
type scope string

const (
	everything scope = ""
	attributes scope = "MessageAttributes"
	body       scope = "MessageBody"
	envelope   scope = "event"
)

// MatchAttributes looks at the attributes of a message of an SNS topic.
func MatchAttributes(conditions ...Condition) Filter { return Filter{attributes, conditions} }

// MatchBody looks into the event itself, which must be JSON: the body of a
// message of an SNS topic, the detail of an event of a bus.
func MatchBody(conditions ...Condition) Filter { return Filter{body, conditions} }

// MatchEvent looks at an event of a bus with its envelope: "source",
// "detail-type", and "detail" as Within.
func MatchEvent(conditions ...Condition) Filter { return Filter{envelope, conditions} }

// Condition is about one field, or joins others: [Where], [Within], [AnyOf],
// [All].
type Condition struct {
	key        string
	matches    []Match
	conditions []Condition
	kind       kind
}

type kind int

const (
	where kind = iota
	within
	anyOf
	all
)

// Where holds if one of the matches does for the field, or, where that is an
// array, for one of its elements.
func Where(field string, matches ...Match) Condition {
	return Condition{kind: where, key: field, matches: matches}
}

// Within is about the fields of an object.
func Within(field string, conditions ...Condition) Condition {
	return Condition{kind: within, key: field, conditions: conditions}
}

// AnyOf holds if one of its conditions, at least two, does. It is $or.
func AnyOf(conditions ...Condition) Condition { return Condition{kind: anyOf, conditions: conditions} }

// All joins conditions in an AnyOf.
func All(conditions ...Condition) Condition { return Condition{kind: all, conditions: conditions} }

// Match is about a field's value.
type Match struct {
	values  []any // in the policy's own form
	problem string
	busOnly bool // an operator that EventBridge has and SNS has not
}

func one(value any) Match { return Match{values: []any{value}} }

func operator(name string, value any) Match { return one(map[string]any{name: value}) }

// Is matches one of the strings, in this spelling.
func Is(values ...string) Match {
	m := Match{values: toAny(values)}
	if len(values) == 0 {
		m.problem = "Is needs a value"
	}
	return m
}

// IsNumber matches one of the numbers.
func IsNumber(values ...float64) Match {
	m := Match{}
	for _, n := range values {
		m.values = append(m.values, map[string]any{"numeric": []any{"=", n}})
	}
	if m.problem = numberProblem(values...); len(values) == 0 {
		m.problem = "IsNumber needs a value"
	}
	return m
}

// IsBool matches true or false in JSON.
func IsBool(value bool) Match { return one(value) }

// IsNull matches null in JSON.
func IsNull() Match { return one(nil) }

// Prefix matches strings that begin so.
func Prefix(text string) Match { return operator("prefix", text) }

// Suffix matches strings that end so.
func Suffix(text string) Match { return operator("suffix", text) }

// IgnoreCase matches a string in any mixture of capitals and small letters.
func IgnoreCase(text string) Match { return operator("equals-ignore-case", text) }

// PrefixIgnoreCase and SuffixIgnoreCase are Prefix and Suffix in any mixture of
// capitals and small letters.
func PrefixIgnoreCase(text string) Match {
	return operator("prefix", map[string]any{"equals-ignore-case": text})
}

// SuffixIgnoreCase is described at [PrefixIgnoreCase].
func SuffixIgnoreCase(text string) Match {
	return operator("suffix", map[string]any{"equals-ignore-case": text})
}

// IP matches addresses of a network such as "10.0.0.0/24".
func IP(network string) Match {
	m := operator("cidr", network)
	if _, err := netip.ParsePrefix(network); err != nil {
		m.problem = fmt.Sprintf("IP(%q) is no network: want an address and a length, such as 10.0.0.0/24", network)
	}
	return m
}

// Wildcard matches strings with any text at each "*". Only a bus knows it.
func Wildcard(pattern string) Match {
	m := operator("wildcard", pattern)
	m.busOnly = true
	return m
}

// Exists matches a field that is there, whatever its value.
func Exists() Match { return operator("exists", true) }

// Missing matches where the field is not there.
func Missing() Match { return operator("exists", false) }

// Not matches a value that is none of the strings.
func Not(values ...string) Match {
	m := operator("anything-but", toAny(values))
	if len(values) == 0 {
		m.problem = "Not needs a value"
	}
	return m
}

// NotNumber matches a value that is none of the numbers.
func NotNumber(values ...float64) Match {
	m := operator("anything-but", toAny(values))
	if m.problem = numberProblem(values...); len(values) == 0 {
		m.problem = "NotNumber needs a value"
	}
	return m
}

// NotPrefix matches strings that do not begin so.
func NotPrefix(text string) Match {
	return operator("anything-but", map[string]any{"prefix": text})
}

// NotSuffix matches strings that do not end so. Only a bus knows it.
func NotSuffix(text string) Match {
	m := operator("anything-but", map[string]any{"suffix": text})
	m.busOnly = true
	return m
}

// Bound is one end of a range of [Numbers].
type Bound struct {
	comparison string
	number     float64
}

// Above is the numbers greater than n.
func Above(n float64) Bound { return Bound{">", n} }

// AtLeast is the numbers from n.
func AtLeast(n float64) Bound { return Bound{">=", n} }

// Below is the numbers less than n.
func Below(n float64) Bound { return Bound{"<", n} }

// AtMost is the numbers up to n.
func AtMost(n float64) Bound { return Bound{"<=", n} }

// Numbers matches a number in the range: of one bound, or between a lower and
// an upper one.
func Numbers(bounds ...Bound) Match {
	var list []any
	var values []float64
	for _, b := range bounds {
		list, values = append(list, b.comparison, b.number), append(values, b.number)
	}
	m := operator("numeric", list)
	if m.problem = numberProblem(values...); m.problem != "" {
		return m
	}
	lower := func(b Bound) bool { return strings.HasPrefix(b.comparison, ">") }
	switch {
	case len(bounds) == 0 || len(bounds) > 2:
		m.problem = fmt.Sprintf("Numbers has %d bounds: give one, or a lower and an upper one", len(bounds))
	case len(bounds) == 2 && (!lower(bounds[0]) || lower(bounds[1])):
		m.problem = "Numbers needs the lower bound first, Above or AtLeast, and then the upper one, Below or AtMost"
	case len(bounds) == 2 && bounds[0].number > bounds[1].number:
		m.problem = fmt.Sprintf("Numbers from %v to %v are none: the lower bound is above the upper one", bounds[0].number, bounds[1].number)
	}
	return m
}

func toAny[T any](values []T) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

// numberProblem finds a number that filters don't compare. Source: "Filter policy
// constraints in Amazon SNS",
// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
func numberProblem(numbers ...float64) string {
	for _, n := range numbers {
		if math.IsNaN(n) || math.Abs(n) > 1e9 {
			return fmt.Sprintf("the number %v can't be compared: allowed are -1000000000 to 1000000000", n)
		}
	}
	return ""
}

// The limits of a filter policy, of which the source stands above.
const (
	mostKeys         = 5
	mostCombinations = 150
)

// check finds what SNS or EventBridge would refuse.
func (f Filter) check(bus bool) (found []string) {
	switch {
	case f.scope == everything:
		return nil
	case bus && f.scope == attributes:
		found = append(found, "MatchAttributes is of a topic, and the fork is of a bus: use MatchBody or MatchEvent")
	case !bus && f.scope == envelope:
		found = append(found, "MatchEvent is of a bus, and the fork is of a topic: use MatchAttributes or MatchBody")
	case len(f.conditions) == 0:
		found = append(found, "the filter has no conditions: leave it out to get every event")
	}
	keys, combinations := 0, 1
	found = append(found, checkConditions(f.conditions, f.scope != attributes, bus, &keys, &combinations)...)
	if !bus && keys > mostKeys {
		found = append(found, fmt.Sprintf("the filter is about %d fields: SNS allows %d", keys, mostKeys))
	}
	if !bus && combinations > mostCombinations {
		found = append(found, fmt.Sprintf("the filter has %d combinations of values, the product of their numbers: SNS allows %d", combinations, mostCombinations))
	}
	return found
}

func checkConditions(conditions []Condition, nested, bus bool, keys, combinations *int) (found []string) {
	seen, ors := map[string]bool{}, 0
	for _, c := range conditions {
		switch c.kind {
		case anyOf:
			if ors++; ors == 2 {
				found = append(found, "the filter has two AnyOf side by side, and a policy has one $or: put one into an alternative of the other")
			}
		case all:
			found = append(found, "All is for the alternatives of AnyOf: its conditions can stand here as they are")
		}
		if c.kind == where || c.kind == within {
			if seen[c.key] {
				found = append(found, fmt.Sprintf("the filter names %q twice: give one Where all its matches", c.key))
			}
			seen[c.key] = true
		}
		found = append(found, c.check(nested, bus, keys, combinations)...)
	}
	return found
}

func (c Condition) check(nested, bus bool, keys, combinations *int) (found []string) {
	switch c.kind {
	case where:
		*keys++
		return append(found, c.checkMatches(bus, combinations)...)
	case within:
		if !nested {
			found = append(found, fmt.Sprintf("Within(%q) is about an object, and message attributes hold none: use MatchBody", c.key))
		}
		if c.key == "" || len(c.conditions) == 0 {
			found = append(found, fmt.Sprintf("Within(%q) needs a field and conditions", c.key))
		}
	case anyOf:
		if len(c.conditions) < 2 {
			found = append(found, fmt.Sprintf("AnyOf has %d conditions: it needs at least two", len(c.conditions)))
		}
		for _, alternative := range c.conditions {
			found = append(found, alternative.check(nested, bus, keys, combinations)...)
		}
		return found
	case all:
		if len(c.conditions) == 0 {
			found = append(found, "All has no conditions")
		}
	}
	return append(found, checkConditions(c.conditions, nested, bus, keys, combinations)...)
}

func (c Condition) checkMatches(bus bool, combinations *int) (found []string) {
	values := 0
	for _, m := range c.matches {
		values += len(m.values)
		if m.problem != "" {
			found = append(found, fmt.Sprintf("the filter for %q: %s", c.key, m.problem))
		}
		if m.busOnly && !bus {
			found = append(found, fmt.Sprintf("the filter for %q uses an operator that EventBridge has and SNS has not: Wildcard and NotSuffix are for buses", c.key))
		}
	}
	if c.key == "" || len(c.matches) == 0 {
		found = append(found, fmt.Sprintf("Where(%q) needs a field and a match", c.key))
	}
	*combinations *= max(values, 1)
	return found
}

// policy is the filter as SNS and EventBridge take it, nil where it is about
// nothing.
func (f Filter) policy() map[string]any {
	if f.scope == everything {
		return nil
	}
	return object(f.conditions)
}

func object(conditions []Condition) map[string]any {
	o := map[string]any{}
	for _, c := range conditions {
		switch c.kind {
		case where:
			var values []any
			for _, m := range c.matches {
				values = append(values, m.values...)
			}
			o[c.key] = values
		case within:
			o[c.key] = object(c.conditions)
		case all:
			maps.Copy(o, object(c.conditions))
		case anyOf:
			var alternatives []any
			for _, alternative := range c.conditions {
				alternatives = append(alternatives, object([]Condition{alternative}))
			}
			o["$or"] = alternatives
		}
	}
	return o
}

// String is the filter's JSON, "{}" where it is about nothing.
func (f Filter) String() string {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // A number's comparison stays readable.
	if f.scope == everything || e.Encode(f.policy()) != nil {
		return "{}"
	}
	return strings.TrimSuffix(text.String(), "\n")
}
