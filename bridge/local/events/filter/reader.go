package filter

import (
	"bytes"
	"encoding/json"
	"strings"
	"unsafe"
)

// reader reads an event once, and tells the state the values of the fields that
// the program names. What it does not need it only checks.
type reader struct {
	*state
	text   []byte
	pos    int
	depth  int
	arrays int
}

// read reads a whole event, and says whether it is one JSON object.
func (r *reader) read() bool {
	r.space()
	if r.peek() != '{' || !r.value(r.program.root) {
		return false
	}
	r.space()
	return r.pos == len(r.text)
}

func (r *reader) space() {
	for r.pos < len(r.text) {
		switch r.text[r.pos] {
		case ' ', '\t', '\r', '\n':
			r.pos++
		default:
			return
		}
	}
}

func (r *reader) peek() byte {
	if r.pos < len(r.text) {
		return r.text[r.pos]
	}
	return 0
}

// value reads one value, which belongs to a node of the tree, or to none.
func (r *reader) value(n *node) bool {
	r.space()
	switch c := r.peek(); c {
	case '{':
		return r.object(n)
	case '[':
		return r.array(n)
	case '"':
		text, ok := r.quoted(n != nil && n.field >= 0)
		if ok && n != nil && n.field >= 0 {
			r.state.value(n.field, value{tokenString, text})
		}
		return ok
	default:
		return r.plain(n, c)
	}
}

func (r *reader) enter() bool {
	r.pos++
	r.depth++
	return r.depth <= maxDepth
}

func (r *reader) leave() bool {
	r.pos++
	r.depth--
	return true
}

func (r *reader) object(n *node) bool {
	if !r.enter() {
		return false
	}
	if r.space(); r.peek() == '}' {
		return r.leave()
	}
	inside := n != nil && len(n.children) > 0
	for {
		if r.space(); r.peek() != '"' {
			return false
		}
		name, ok := r.quoted(inside)
		if r.space(); !ok || r.peek() != ':' {
			return false
		}
		r.pos++
		var child *node
		if inside {
			child = n.child(name)
		}
		if !r.value(child) {
			return false
		}
		switch r.space(); r.peek() {
		case ',':
			r.pos++
		case '}':
			return r.leave()
		default:
			return false
		}
	}
}

// child goes down by one name, which counts as several where it has dots.
func (n *node) child(name string) *node {
	for n != nil {
		first, rest, dotted := strings.Cut(name, ".")
		n = n.children[first]
		if !dotted {
			break
		}
		name = rest
	}
	return n
}

// array reads the elements. Where they are objects or arrays, their place
// counts.
func (r *reader) array(n *node) bool {
	if !r.enter() {
		return false
	}
	if r.space(); r.peek() == ']' {
		return r.leave()
	}
	counts := n != nil
	number := r.arrays
	if counts {
		r.arrays++
	}
	for index := 0; ; index++ {
		r.space()
		c := r.peek()
		inside := counts && (c == '{' || c == '[')
		if inside {
			r.place = append(r.place, element{number, index})
		}
		if !r.value(n) {
			return false
		}
		if inside {
			r.place = r.place[:len(r.place)-1]
		}
		switch r.space(); r.peek() {
		case ',':
			r.pos++
		case ']':
			return r.leave()
		default:
			return false
		}
	}
}

// quoted reads a string. Its text is made only where it is wanted, and is part
// of the event where nothing in it is escaped.
func (r *reader) quoted(wanted bool) (string, bool) {
	start := r.pos
	escaped := false
	for i := r.pos + 1; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"':
			r.pos = i + 1
			return r.unquoted(r.text[start:r.pos], wanted, escaped)
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

func (r *reader) unquoted(quoted []byte, wanted, escaped bool) (string, bool) {
	if !escaped {
		return text(quoted[1 : len(quoted)-1]), true
	}
	if !wanted {
		return "", json.Valid(quoted)
	}
	var s string
	err := json.Unmarshal(quoted, &s)
	return s, err == nil
}

// text sees bytes of the event as a string, for as long as the event is read:
// nobody changes it meanwhile, and no value is kept.
func text(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // a copy of each value would be half of the time
}

var (
	jsonTrue  = []byte("true")
	jsonFalse = []byte("false")
	jsonNull  = []byte("null")
)

// plain reads a number or a literal.
func (r *reader) plain(n *node, c byte) bool {
	start := r.pos
	for r.pos < len(r.text) && isPlain(r.text[r.pos]) {
		r.pos++
	}
	word := r.text[start:r.pos]
	kind := tokenNumber
	switch {
	case c == 't' && bytes.Equal(word, jsonTrue):
		kind = tokenTrue
	case c == 'f' && bytes.Equal(word, jsonFalse):
		kind = tokenFalse
	case c == 'n' && bytes.Equal(word, jsonNull):
		kind = tokenNull
	case !isNumber(word):
		return false
	}
	if n != nil && n.field >= 0 {
		r.state.value(n.field, value{kind, text(word)})
	}
	return true
}

// isNumber says whether a word is a number by JSON's grammar.
func isNumber(word []byte) bool {
	digits := func(i int) int {
		for i < len(word) && word[i] >= '0' && word[i] <= '9' {
			i++
		}
		return i
	}
	i := 0
	if i < len(word) && word[i] == '-' {
		i++
	}
	end := digits(i)
	if end == i || word[i] == '0' && end > i+1 {
		return false
	}
	i = end
	if i < len(word) && word[i] == '.' {
		if end = digits(i + 1); end == i+1 {
			return false
		}
		i = end
	}
	if i < len(word) && (word[i] == 'e' || word[i] == 'E') {
		i++
		if i < len(word) && (word[i] == '+' || word[i] == '-') {
			i++
		}
		if end = digits(i); end == i {
			return false
		}
		i = end
	}
	return i == len(word) && i > 0
}
