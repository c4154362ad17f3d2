package filter

import (
	"math"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// value is one value of an event. text is the string itself, or the JSON text
// of the others.
type value struct {
	kind token
	text string
}

// operator says yes or no to a value.
type operator interface {
	match(v value) bool
}

// exact is a string.
type exact string

func (o exact) match(v value) bool { return v.kind == tokenString && v.text == string(o) }

// address is a string that is an IP address: the spelling does not matter.
type address struct {
	text string
	ip   netip.Addr
}

func (o address) match(v value) bool {
	if v.kind != tokenString {
		return false
	}
	if v.text == o.text {
		return true
	}
	ip, ok := parseAddress(v.text)
	return ok && ip == o.ip
}

// exactly is the operator for a string that stands for itself.
func exactly(text string) operator {
	if ip, ok := parseAddress(text); ok && ip.Is6() {
		return address{text, ip}
	}
	return exact(text)
}

// parseAddress reads an IP address, if the text can be one at all.
func parseAddress(text string) (netip.Addr, bool) {
	if len(text) < 2 || len(text) > 45 || strings.IndexByte(text, '.') < 0 && strings.IndexByte(text, ':') < 0 {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(text)
	return ip, err == nil && ip.Zone() == ""
}

// literal is true, false or null.
type literal string

func (o literal) match(v value) bool { return v.kind != tokenString && v.text == string(o) }

// number is a number, equal by its value or, where it has more digits than a
// float64, by its text.
type number struct {
	text       string
	value      float64
	comparable bool
}

func newNumber(text string) operator {
	f, ok := comparable64(text)
	return number{text, f, ok}
}

func (o number) match(v value) bool {
	if v.kind != tokenNumber {
		return false
	}
	if v.text == o.text {
		return true
	}
	if !o.comparable {
		return false
	}
	f, ok := comparable64(v.text)
	return ok && f == o.value
}

// maxNumber bounds the length of numbers that are compared by value.
const maxNumber = 400

// comparable64 is the value of a number, if a float64 holds all its digits.
func comparable64(text string) (float64, bool) {
	if len(text) > maxNumber {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, false
	}
	if len(text) <= 15 && f != 0 { // 15 digits always fit
		return f, true
	}
	if f == 0 {
		mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
		return 0, strings.Trim(mantissa, "-+0.") == ""
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false
	}
	held, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return f, ok && exact.Cmp(held) == 0
}

// numberRange is a range of numbers.
type numberRange struct {
	low, high         float64
	openLow, openHigh bool
}

var unbounded = numberRange{low: math.Inf(-1), high: math.Inf(1)}

// limit narrows the range by one comparison.
func (r *numberRange) limit(comparison string, bound float64) {
	switch comparison {
	case "=":
		r.low, r.high = bound, bound
	case "<", "<=":
		r.high, r.openHigh = bound, comparison == "<"
	case ">", ">=":
		r.low, r.openLow = bound, comparison == ">"
	}
}

func (r numberRange) match(v value) bool {
	if v.kind != tokenNumber {
		return false
	}
	f, ok := comparable64(v.text)
	if !ok || f < r.low || f > r.high {
		return false
	}
	return (f != r.low || !r.openLow) && (f != r.high || !r.openHigh)
}

// affix is the beginning or the ending of a string.
type affix struct {
	text         string
	ending, fold bool
}

func (o affix) match(v value) bool {
	switch {
	case v.kind != tokenString:
		return false
	case o.fold && o.ending:
		return endsFolded(v.text, o.text)
	case o.fold:
		return beginsFolded(v.text, o.text)
	case o.ending:
		return strings.HasSuffix(v.text, o.text)
	}
	return strings.HasPrefix(v.text, o.text)
}

// beginsFolded and endsFolded go by runes, since the two cases of a letter may
// have different lengths.
func beginsFolded(s, prefix string) bool {
	for prefix != "" {
		if s == "" {
			return false
		}
		a, n := utf8.DecodeRuneInString(s)
		b, m := utf8.DecodeRuneInString(prefix)
		if !sameFolded(a, b) {
			return false
		}
		s, prefix = s[n:], prefix[m:]
	}
	return true
}

func endsFolded(s, suffix string) bool {
	for suffix != "" {
		if s == "" {
			return false
		}
		a, n := utf8.DecodeLastRuneInString(s)
		b, m := utf8.DecodeLastRuneInString(suffix)
		if !sameFolded(a, b) {
			return false
		}
		s, suffix = s[:len(s)-n], suffix[:len(suffix)-m]
	}
	return true
}

func sameFolded(a, b rune) bool {
	if a == b {
		return true
	}
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return false
}

// ignoringCase is a string in any case.
type ignoringCase string

func (o ignoringCase) match(v value) bool {
	return v.kind == tokenString && strings.EqualFold(v.text, string(o))
}

// glob is the parts of a string between its wildcards.
type glob []string

func (o glob) match(v value) bool {
	if v.kind != tokenString {
		return false
	}
	s, last := v.text, len(o)-1
	if last == 0 {
		return s == o[0]
	}
	if !strings.HasPrefix(s, o[0]) || len(s) < len(o[0])+len(o[last]) || !strings.HasSuffix(s, o[last]) {
		return false
	}
	s = s[len(o[0]) : len(s)-len(o[last])]
	for _, part := range o[1:last] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// network is a block of IP addresses.
type network netip.Prefix

func (o network) match(v value) bool {
	if v.kind != tokenString {
		return false
	}
	ip, ok := parseAddress(v.text)
	return ok && netip.Prefix(o).Contains(ip)
}

// anythingBut says yes to every value that none of the operators does to.
type anythingBut []operator

func (o anythingBut) match(v value) bool {
	for _, inner := range o {
		if inner.match(v) {
			return false
		}
	}
	return true
}

// anything says yes to every value: {"exists": true}.
type anything struct{}

func (anything) match(value) bool { return true }

// absence says no to every value: {"exists": false}. That there is none, the
// program sees itself.
type absence struct{}

func (absence) match(value) bool { return false }
