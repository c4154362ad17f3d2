package filter

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// expression reads a match expression, {"prefix": "a"}, whose brace was read.
func (p *parser) expression() operator {
	if p.next() != tokenName {
		p.refuse("Match expression name not found")
		return nil
	}
	var o operator
	switch name := p.nameText(); name {
	case "exactly":
		o = exactly(p.text1("exact match pattern must be a string"))
	case "prefix", "suffix":
		o = p.affix(name)
	case "equals-ignore-case":
		o = ignoringCase(p.text1("equals-ignore-case match pattern must be a string"))
	case "numeric":
		return p.numeric()
	case "anything-but":
		return p.anythingBut()
	case "exists":
		o = p.exists()
	case "wildcard":
		if p.dialect.wildcard {
			o = p.glob(p.text1("wildcard match pattern must be a string"))
			break
		}
		p.refuse("Unrecognized match type %s", name)
	case "cidr":
		if p.dialect.cidr {
			o = p.network(p.text1("prefix match pattern must be a string"))
			break
		}
		p.refuse("Unrecognized match type %s", name)
	default:
		p.refuse("Unrecognized match type %s", name)
	}
	p.closeExpression("Only one key allowed in match expression")
	return o
}

func (p *parser) closeExpression(otherwise string) {
	if p.next() != '}' {
		p.refuse("%s", otherwise)
	}
}

// text1 reads the one string of an operator.
func (p *parser) text1(otherwise string) string {
	if p.next() != tokenString {
		p.refuse("%s", otherwise)
		return ""
	}
	return p.str()
}

// affix reads what stands behind prefix and suffix: a string, or one in
// {"equals-ignore-case": ...}.
func (p *parser) affix(name string) operator {
	ending := name == "suffix"
	switch p.next() {
	case tokenString:
		return affix{text: p.str(), ending: ending}
	case '{':
	default:
		p.refuse("%s match pattern must be a string", name)
		return nil
	}
	title := strings.ToUpper(name[:1]) + name[1:]
	if p.next() != tokenName {
		p.refuse("%s expression name not found", title)
		return nil
	}
	if inner := p.nameText(); inner != "equals-ignore-case" {
		p.refuse("Unsupported %s pattern: %s", name, inner)
		return nil
	}
	o := affix{text: p.text1("equals-ignore-case match pattern must be a string"), ending: ending, fold: true}
	p.closeExpression("Only one key allowed in match expression")
	return o
}

func (p *parser) exists() operator {
	switch p.next() {
	case tokenTrue:
		return anything{}
	case tokenFalse:
		return absence{}
	}
	p.refuse("exists match pattern must be either true or false.")
	return nil
}

// glob compiles a wildcard. Positions in its messages count the quote.
func (p *parser) glob(text string) operator {
	if p.err != nil {
		return nil
	}
	parts := []string{""}
	for i := 0; i < len(text); i++ {
		last := &parts[len(parts)-1]
		switch {
		case text[i] == '*' && i+1 < len(text) && text[i+1] == '*':
			p.refuse("Consecutive wildcard characters at pos %d", i+1)
			return nil
		case text[i] == '*':
			parts = append(parts, "")
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '*' || text[i+1] == '\\'):
			i++
			*last += text[i : i+1]
		case text[i] == '\\':
			p.refuse("Invalid escape character at pos %d", i+1)
			return nil
		default:
			*last += text[i : i+1]
		}
	}
	return glob(parts)
}

// network compiles a CIDR block.
func (p *parser) network(text string) operator {
	if p.err != nil {
		return nil
	}
	address, mask, ok := strings.Cut(text, "/")
	if !ok || strings.Contains(mask, "/") {
		p.refusePlainly("Malformed CIDR, one '/' required")
		return nil
	}
	bits, err := strconv.Atoi(mask)
	if err != nil {
		p.refusePlainly("Malformed CIDR, mask bits must be an integer")
		return nil
	}
	ip, err := netip.ParseAddr(address)
	switch {
	case bits < 0:
		p.refusePlainly("Malformed CIDR, mask bits must not be negative")
	case err != nil || ip.Zone() != "":
		p.refusePlainly("Nonstandard IP address: %s", address)
	case ip.Is4() && bits > 31:
		p.refusePlainly("IPv4 mask bits must be < 32")
	case bits > 127:
		p.refusePlainly("IPv6 mask bits must be < 128")
	}
	if p.err != nil {
		return nil
	}
	return network(netip.PrefixFrom(ip, bits).Masked())
}

// numeric reads ["=", 5] or [">", 0, "<=", 5], with the brace after it.
func (p *parser) numeric() operator {
	if p.next() != '[' {
		p.refuse("Value of numeric must be an array.")
		return nil
	}
	first := p.next()
	if first != tokenString {
		p.refuse("Invalid member in numeric match: %s", p.word(first))
		return nil
	}
	comparison := p.str()
	value := p.next()
	title := comparison
	switch comparison {
	case "=":
		title = "equals"
	case "<", "<=", ">", ">=":
	default:
		p.refuse("Unrecognized numeric range operator: %s", comparison)
		return nil
	}
	bound, ok := p.bound(value, title)
	if !ok {
		return nil
	}
	r := unbounded
	r.limit(comparison, bound)
	after := p.next()
	if after != ']' && comparison[0] == '>' {
		p.upper(after, &r)
		after = ']'
	}
	if after != ']' {
		p.refuse("Too many elements in numeric expression")
	}
	p.closeExpression("Too many elements in numeric expression")
	return r
}

// upper reads the second half of a range, with the bracket after it.
func (p *parser) upper(t token, r *numberRange) {
	if t != tokenString {
		p.refuse("Bad value in numeric range: %s", p.word(t))
		return
	}
	comparison := p.str()
	if comparison != "<" && comparison != "<=" {
		p.refuse("Bad numeric range operator: %s", comparison)
		return
	}
	bound, ok := p.bound(p.next(), comparison)
	if !ok {
		return
	}
	r.limit(comparison, bound)
	seen := p.seen
	if p.next() != ']' {
		p.refuse("Too many terms in numeric range expression")
		return
	}
	if r.low >= r.high {
		p.seen = seen + 1
		p.refuse("Bottom must be less than top")
	}
}

// bound is the number of a comparison.
func (p *parser) bound(t token, title string) (float64, bool) {
	if t != tokenNumber {
		p.refuse("Value of %s must be numeric", title)
		return 0, false
	}
	text := p.word(t)
	f, ok := comparable64(text)
	if !ok {
		p.refuse("Cannot compare number : %s", text)
	}
	return f, ok
}

// anythingBut reads what stands behind anything-but, with the brace after it.
func (p *parser) anythingBut() operator {
	t := p.next()
	inner := ""
	if t == '{' {
		if p.next() != tokenName {
			p.refuse("Anything-But expression name not found")
			return nil
		}
		inner = p.nameText()
		if !slices.Contains(p.dialect.anythingBut, inner) {
			p.refuse("Unsupported anything-but pattern: %s", inner)
			return nil
		}
		t = p.next()
	}
	var values []operator
	switch {
	case t == '[':
		values = p.excluded(inner)
	case t == tokenString || t == tokenNumber:
		values = []operator{p.excludedValue(inner, t, false)}
	case inner != "" && len(p.dialect.anythingBut) == 1:
		p.refuse("prefix match pattern must be a string") // SNS's parser is an older one
	default:
		p.refuse("Value of anything-but must be an array or single string/number value.")
	}
	if inner != "" {
		p.closeExpression("Too many elements in numeric expression")
	}
	p.closeExpression("Too many elements in numeric expression")
	return anythingBut(values)
}

// excluded reads a list of values that must not be there.
func (p *parser) excluded(inner string) []operator {
	var values []operator
	numbers, texts := false, false
	for {
		t := p.next()
		if t == ']' {
			break
		}
		numbers, texts = numbers || t == tokenNumber, texts || t == tokenString
		values = append(values, p.excludedValue(inner, t, true))
		if p.err != nil {
			if p.err.Location != "" {
				p.err.Location += "\n" + p.err.Location // AWS tells the place of these twice
			}
			return nil
		}
	}
	if inner == "" && numbers == texts {
		p.refuse("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return values
}

// excludedValue is one value that must not be there.
func (p *parser) excludedValue(inner string, t token, list bool) operator {
	switch {
	case inner == "" && t == tokenNumber:
		return newNumber(p.word(t))
	case inner == "" && t == tokenString:
		return exactly(p.str())
	case inner == "" && list:
		p.refuse("Inside anything but list, start|null|boolean is not supported.")
	case inner == "equals-ignore-case" && t != tokenString:
		p.refuse("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.")
	case inner == "wildcard" && t != tokenString:
		p.refuse("wildcard match pattern must be a string")
	case t != tokenString:
		p.refuse("prefix/suffix match pattern must be a string")
	}
	if p.err != nil {
		return nil
	}
	text := p.str()
	switch inner {
	case "equals-ignore-case":
		return ignoringCase(text)
	case "wildcard":
		return p.glob(text)
	}
	if text == "" {
		p.refuse("Null prefix/suffix not allowed")
	}
	return affix{text: text, ending: inner == "suffix"}
}
