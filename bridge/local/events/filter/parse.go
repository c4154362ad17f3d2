package filter

import "slices"

// dialect is what one service's language allows.
type dialect struct {
	// scope goes before the reason in messages.
	scope string
	// wildcard and cidr say that the operators exist.
	wildcard, cidr bool
	// anythingBut are the operators that anything-but may hold.
	anythingBut []string
	// maxRules is how many rules $or may make.
	maxRules int
}

// entry is one name of a parsed text, with an object, operators or, for $or,
// alternatives behind it.
type entry struct {
	name         string
	object       []entry
	operators    []operator
	alternatives [][]entry
}

// or is the name that makes alternatives.
const or = "$or"

// reserved are names that no field in an alternative may have: they are
// operators, or were kept free for some.
var reserved = []string{
	"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
	"=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case",
	"date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range",
	"ip-address-in-range", "ip-address-not-in-range",
}

// parser reads a text into entries. The first fault ends it: it stays in the
// lexer, and everything after it reads nothing.
type parser struct {
	lexer
	dialect *dialect
}

// parse reads a whole text. An empty object gives no entries.
func parse(text string, d *dialect) ([]entry, *Error) {
	p := &parser{lexer: lexer{text: text}, dialect: d}
	switch t := p.next(); {
	case p.err != nil:
		return nil, p.err
	case t != '{':
		p.refuse("Filter is not an object")
		return nil, p.err
	}
	entries := p.object(false)
	p.next()
	return entries, p.err
}

// object reads entries up to the closing brace.
func (p *parser) object(alternative bool) []entry {
	var entries []entry
	for {
		switch t := p.next(); t {
		case '}', tokenEnd:
			if len(entries) == 0 && len(p.open) > 0 {
				p.refuse("Empty objects are not allowed")
			}
			return entries
		}
		e := entry{name: p.nameText()}
		switch {
		case e.name == or:
			e.alternatives = p.alternatives()
		case alternative && slices.Contains(reserved, e.name):
			p.refuse("%s is Ruler reserved fieldName which cannot be used inside $or.", e.name)
		default:
			p.behind(&e, alternative)
		}
		if p.err != nil {
			return nil
		}
		entries = append(entries, e)
	}
}

// nameText is the current name. Reading it does not move the place of faults.
func (p *parser) nameText() string {
	seen := p.seen
	name := p.str()
	p.seen = seen
	return name
}

// behind reads what stands behind a name.
func (p *parser) behind(e *entry, alternative bool) {
	switch p.next() {
	case '{':
		e.object = p.object(alternative)
	case '[':
		e.operators = p.operators()
	default:
		p.refuse("\"%s\" must be an object or an array", e.name)
	}
}

// alternatives reads the array behind $or.
func (p *parser) alternatives() [][]entry {
	if p.next() != '[' {
		p.refuse("It must be an Array followed with $or.")
		return nil
	}
	var all [][]entry
	for {
		switch p.next() {
		case ']':
			if len(all) < 2 {
				p.refuse("There must have at least 2 Objects in $or relationship.")
			}
			return all
		case '{':
			all = append(all, p.object(true))
		default:
			p.refuse("Only JSON object is allowed in array of $or relationship.")
		}
		if p.err != nil {
			return nil
		}
	}
}

// operators reads an array of values and match expressions.
func (p *parser) operators() []operator {
	var all []operator
	for {
		var o operator
		switch t := p.next(); t {
		case ']':
			if len(all) == 0 {
				p.refuse("Empty arrays are not allowed")
			}
			return all
		case '{':
			o = p.expression()
		case tokenString:
			o = exactly(p.str())
		case tokenNumber:
			o = newNumber(p.word(t))
		case tokenTrue, tokenFalse, tokenNull:
			o = literal(p.word(t))
		default:
			p.refuse("Match value must be String, number, true, false, or null")
		}
		if p.err != nil {
			return nil
		}
		all = append(all, o)
	}
}
