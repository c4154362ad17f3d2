package filter

// Pattern is a compiled event pattern or filter criterion.
type Pattern struct{ program *program }

// maxCombinations is how many rules the alternatives of one pattern may make:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
const maxCombinations = 1000

var (
	eventBridge = &dialect{
		scope: "Event pattern is not valid. Reason: ", wildcard: true, cidr: true,
		anythingBut: []string{"prefix", "suffix", "equals-ignore-case", "wildcard"},
		maxRules:    maxCombinations,
	}
	lambda = &dialect{scope: "Invalid filter pattern definition. ", maxRules: maxCombinations}
)

// ParsePattern compiles an event pattern of EventBridge. An error is an
// [*Error] with the message of InvalidEventPatternException.
// See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
func ParsePattern(text string) (*Pattern, error) { return parsePattern(text, eventBridge) }

// ParseCriteria compiles one pattern of Lambda's FilterCriteria. Of
// EventBridge's operators cidr, wildcard and anything-but with another one in it
// are missing.
// An empty object lets everything pass. An error is an [*Error].
// See https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
func ParseCriteria(text string) (*Pattern, error) { return parsePattern(text, lambda) }

func parsePattern(text string, d *dialect) (*Pattern, error) {
	entries, fault := parse(text, d)
	if fault == nil && len(entries) == 0 && d == eventBridge {
		fault = &Error{Reason: "Empty objects are not allowed", Location: locate(text, len(text))}
	}
	if fault != nil {
		fault.Scope = d.scope
		return nil, fault
	}
	compiled, ok := compile(entries, d.maxRules)
	if !ok {
		return nil, &Error{Scope: d.scope, Reason: "Rule is too complex - its $or makes more than 1,000 combinations"}
	}
	return &Pattern{compiled}, nil
}

// Matches says whether an event passes. What is not a JSON object, or nested
// deeper than 1,000 levels, does not.
func (p *Pattern) Matches(event []byte) bool { return p.program.matches(event) }

func (p *program) matches(event []byte) bool {
	s := newState(p)
	defer s.free()
	r := reader{state: s, text: event}
	return r.read() && s.verdict()
}
