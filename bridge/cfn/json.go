package cfn

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// decodeFast decodes a template as encoding/json does, in half the time. It reads
// the resources by itself, and leaves the rest to encoding/json. ok is false
// where it would have to say what is wrong, or where the template is of an odd
// form: encoding/json decides then.
func decodeFast(data []byte) (t *Template, ok bool) {
	r := &jsonReader{text: string(data)}
	resources := map[string]*Resource{}
	start, end := 0, 0
	r.object(func(key string) {
		if key != "Resources" || end > 0 {
			r.value()
			return
		}
		r.peek()
		start = r.at
		r.object(func(id string) { resources[id] = r.resource() })
		end = r.at
	})
	if r.bad || r.peek() != 0 || end == 0 {
		return nil, false
	}
	t = &Template{}
	rest := r.text[:start] + "{}" + r.text[end:]
	if DecodeJSON("", []byte(rest), t) != nil || t.Resources == nil || len(t.Resources) > 0 {
		return nil, false // there are others in it
	}
	t.Resources = resources
	return t, true
}

// maxFastDepth is for values within each other; encoding/json reads deeper ones.
const maxFastDepth = 1000

// jsonReader reads JSON. The texts that it gives are parts of the whole.
type jsonReader struct {
	text      string
	at, depth int
	// bad says that the text is not what was to be read; all values are
	// meaningless then.
	bad bool
}

// peek is the next character that is no white space, 0 at the end.
func (r *jsonReader) peek() byte {
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take skips the next character if it is c.
func (r *jsonReader) take(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.at++
	return true
}

// need skips the next character, which must be c.
func (r *jsonReader) need(c byte) {
	if !r.take(c) {
		r.bad = true
	}
}

// resource reads a resource. A field in other capitals, or twice, is bad here:
// encoding/json has rules for these.
func (r *jsonReader) resource() *Resource {
	res := &Resource{}
	r.object(func(key string) {
		switch key {
		case "Type":
			res.Type = r.string()
		case "Condition":
			res.Condition = r.string()
		case "Properties":
			r.bad = r.bad || res.Properties != nil
			res.Properties = r.objectValue()
		case "Metadata":
			r.bad = r.bad || res.Metadata != nil
			res.Metadata = r.objectValue()
		default:
			for _, field := range []string{"Type", "Condition", "Properties", "Metadata"} {
				r.bad = r.bad || strings.EqualFold(field, key)
			}
			r.value()
		}
	})
	return res
}

func (r *jsonReader) value() any {
	switch r.peek() {
	case '"':
		return r.string()
	case '{':
		return r.objectValue()
	case '[':
		return r.array()
	case 't':
		return r.word("true", true)
	case 'f':
		return r.word("false", false)
	case 'n':
		return r.word("null", nil)
	}
	return r.number()
}

func (r *jsonReader) objectValue() map[string]any {
	object := map[string]any{}
	r.object(func(key string) { object[key] = r.value() })
	return object
}

// object reads an object, each value by member.
func (r *jsonReader) object(member func(key string)) {
	r.need('{')
	r.deeper()
	for first := true; !r.bad && (!first || !r.take('}')); first = false {
		key := r.string()
		r.need(':')
		if r.bad {
			return
		}
		member(key)
		if r.take('}') {
			break
		}
		r.need(',')
	}
	r.depth--
}

func (r *jsonReader) array() []any {
	r.need('[')
	r.deeper()
	list := []any{}
	for first := true; !r.bad && (!first || !r.take(']')); first = false {
		list = append(list, r.value())
		if r.take(']') {
			break
		}
		r.need(',')
	}
	r.depth--
	return list
}

func (r *jsonReader) deeper() {
	r.depth++
	r.bad = r.bad || r.depth > maxFastDepth
}

func (r *jsonReader) word(word string, value any) any {
	r.bad = r.bad || !strings.HasPrefix(r.text[r.at:], word)
	r.at += len(word)
	return value
}

func (r *jsonReader) number() any {
	start := r.at
	for r.at < len(r.text) && strings.IndexByte("+-.0123456789Ee", r.text[r.at]) >= 0 {
		r.at++
	}
	number := r.text[start:r.at]
	r.bad = r.bad || !json.Valid([]byte(number))
	return json.Number(number)
}

func (r *jsonReader) string() string {
	if r.peek() != '"' {
		r.bad = true
		return ""
	}
	quoted, plain := r.quoted()
	if plain {
		return quoted[1 : len(quoted)-1]
	}
	var text string
	if json.Unmarshal([]byte(quoted), &text) != nil {
		r.bad = true
	}
	return text
}

// quoted reads a text with its quotes. It is plain where nothing in it stands
// for another character.
func (r *jsonReader) quoted() (quoted string, plain bool) {
	start := r.at
	plain = true
	for r.at++; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == '"':
			r.at++
			return r.text[start:r.at], plain
		case c == '\\':
			plain = false
			r.at++
		case c < ' ', c >= utf8.RuneSelf:
			plain = false
		}
	}
	r.bad = true
	return "", false
}
