package filter

import (
	"encoding/json"
	"fmt"
	"strings"
)

// token is a kind of JSON token. Punctuation stands for itself.
type token byte

const (
	tokenEnd    token = 0
	tokenName   token = 'n'
	tokenString token = 's'
	tokenNumber token = '1'
	tokenTrue   token = 't'
	tokenFalse  token = 'f'
	tokenNull   token = '0'
)

// maxDepth bounds how deep texts and events may be nested.
const maxDepth = 1000

// lexer reads the JSON of a policy or pattern token by token. Its only peculiar
// part is seen: how far AWS's parser has read at each token, which its error
// messages tell. That parser reads strings lazily, and looks at the value
// behind a name together with the name.
type lexer struct {
	text string
	pos  int
	seen int
	// open are the objects and arrays around the place.
	open []byte
	// value says that a value must follow: the one after a name.
	value bool
	// first says that no entry of the innermost object or array was read yet.
	first bool
	// start and end are where the current string, number or literal lies, with
	// its quotes.
	start, end int
	err        *Error
}

// next is the next token. After an error it is tokenEnd for good.
func (l *lexer) next() token {
	if l.err != nil {
		return tokenEnd
	}
	l.space()
	if l.value {
		l.value = false
		return l.scanValue()
	}
	if len(l.open) == 0 {
		return l.outside()
	}
	closing := l.open[len(l.open)-1] + 2 // '{' and '}', '[' and ']' lie two apart
	if l.peek() == closing {
		l.pos++
		l.seen = l.pos
		l.open = l.open[:len(l.open)-1]
		l.first = false
		return token(closing)
	}
	if !l.first {
		if l.peek() != ',' {
			return l.fail(fmt.Sprintf("Unexpected character (%s): was expecting comma to separate entries", l.shown()))
		}
		l.pos++
		l.space()
	}
	l.first = false
	if closing == '}' {
		return l.name()
	}
	return l.scanValue()
}

// outside is the one value of the text, and then its end.
func (l *lexer) outside() token {
	switch {
	case l.pos == len(l.text) && l.end > 0:
		return tokenEnd
	case l.end > 0:
		return l.fail(fmt.Sprintf("Unexpected character (%s) after the end of the JSON object", l.shown()))
	}
	return l.scanValue()
}

func (l *lexer) space() {
	for l.pos < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.pos]) >= 0 {
		l.pos++
	}
}

func (l *lexer) peek() byte {
	if l.pos < len(l.text) {
		return l.text[l.pos]
	}
	return 0
}

// shown is the character at the place, as AWS's parser writes it.
func (l *lexer) shown() string {
	if l.pos >= len(l.text) {
		return "end of input"
	}
	for _, r := range l.text[l.pos:] {
		return fmt.Sprintf("'%c' (code %d)", r, r)
	}
	return ""
}

// name reads a name with its colon.
func (l *lexer) name() token {
	if l.peek() != '"' {
		return l.fail(fmt.Sprintf("Unexpected character (%s): was expecting double-quote to start field name", l.shown()))
	}
	if !l.quoted() {
		return tokenEnd
	}
	start, end := l.start, l.end
	l.space()
	if l.peek() != ':' {
		return l.fail(fmt.Sprintf("Unexpected character (%s): was expecting a colon to separate field name and value", l.shown()))
	}
	l.pos++
	l.space()
	l.seen = l.peeked()
	l.start, l.end, l.value = start, end, true
	return tokenName
}

// peeked is how far AWS's parser has read once it has looked at the value at
// the place.
func (l *lexer) peeked() int {
	end := l.pos
	for end < len(l.text) && isPlain(l.text[end]) {
		end++
	}
	if end == l.pos {
		end++ // a quote or a bracket
	}
	return end
}

func (l *lexer) scanValue() token {
	switch c := l.peek(); c {
	case '{', '[':
		if len(l.open) == maxDepth {
			return l.fail("Document nesting depth exceeds the maximum allowed")
		}
		l.pos++
		l.seen, l.end = l.pos, l.pos
		l.open = append(l.open, c)
		l.first = true
		return token(c)
	case '"':
		if !l.quoted() {
			return tokenEnd
		}
		l.seen = l.start + 1
		return tokenString
	default:
		return l.plain()
	}
}

// quoted finds the end of the string at the place.
func (l *lexer) quoted() bool {
	l.start = l.pos
	for i := l.pos + 1; i < len(l.text); i++ {
		switch l.text[i] {
		case '\\':
			i++
		case '"':
			l.pos, l.end = i+1, i+1
			if !json.Valid([]byte(l.text[l.start:l.end])) {
				l.fail("Unrecognized character escape or illegal character in a string")
				return false
			}
			return true
		}
	}
	l.pos = len(l.text)
	l.fail("Unexpected end-of-input: was expecting closing quote for a string value")
	return false
}

// plain reads a number or a literal.
func (l *lexer) plain() token {
	l.start, l.end = l.pos, l.peeked()
	if l.pos == len(l.text) {
		return l.fail("Unexpected end-of-input")
	}
	l.pos, l.seen = l.end, l.end
	word := l.text[l.start:l.end]
	switch {
	case word == "true":
		return tokenTrue
	case word == "false":
		return tokenFalse
	case word == "null":
		return tokenNull
	case (word[0] == '-' || word[0] >= '0' && word[0] <= '9') && json.Valid([]byte(word)):
		return tokenNumber
	}
	return l.fail(fmt.Sprintf("Unrecognized token '%s': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", word))
}

// isPlain tells the characters of numbers and literals.
func isPlain(c byte) bool {
	return c == '-' || c == '+' || c == '.' || c == '_' ||
		c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// str is the current string or name. AWS's parser has then read it whole.
func (l *lexer) str() string {
	quoted := l.text[l.start:l.end]
	l.seen = max(l.seen, l.end)
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	if err := json.Unmarshal([]byte(quoted), &s); err != nil {
		return "" // cannot be: quoted has looked
	}
	return s
}

// word is the current token's text as AWS's parser quotes it.
func (l *lexer) word(t token) string {
	switch t {
	case tokenString, tokenName:
		return l.str()
	case tokenNumber, tokenTrue, tokenFalse, tokenNull:
		return l.text[l.start:l.end]
	}
	return string(rune(t))
}

// fail records the first fault, with its place.
func (l *lexer) fail(reason string) token {
	if l.err == nil {
		l.seen = max(l.seen, l.pos)
		l.err = &Error{Reason: reason, Location: locate(l.text, l.seen)}
	}
	return tokenEnd
}

// refuse records a fault of the language, at the current token.
func (l *lexer) refuse(format string, args ...any) {
	if l.err == nil {
		l.err = &Error{Reason: fmt.Sprintf(format, args...), Location: locate(l.text, l.seen)}
	}
}

// refusePlainly records a fault that AWS gives no place for.
func (l *lexer) refusePlainly(format string, args ...any) {
	if l.err == nil {
		l.err = &Error{Reason: fmt.Sprintf(format, args...)}
	}
}
