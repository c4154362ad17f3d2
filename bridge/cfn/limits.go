package cfn

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// A template can be made so that it asks for more than a machine has: texts
// that double at each step, references that go on for ever. These bounds are
// far above what CloudFormation itself allows. What lies beyond one is
// unresolved, and says so.
const (
	// maxText is for the text that one function makes, in bytes.
	maxText = 1 << 20
	// maxMade is for all values of an evaluation together, in bytes.
	maxMade = 128 << 20
	// maxDepth is for expressions within each other, in the template or by
	// reference.
	maxDepth = 50_000
	// maxProblems is for what is said of one value.
	maxProblems = 50
	// maxExpression is for the expression in a message, in bytes.
	maxExpression = 300
	// freeSize is what a value may have without being counted, in bytes.
	freeSize = 4 << 10
)

// spend counts what is made, and says whether there is room for it.
func (c *call) spend(size int) bool {
	e := c.scope.evaluation
	if size <= freeSize {
		return true
	}
	if e.made+size > maxMade {
		return false
	}
	e.made += size
	return true
}

// deeper evaluates one level further in, unless that is too deep.
func (c *call) deeper(expression func() string, evaluate func() any) any {
	e := c.scope.evaluation
	if e.depth >= maxDepth {
		return c.unresolved(expression(), "over "+strconv.Itoa(maxDepth)+" expressions lie within each other")
	}
	e.depth++
	defer func() { e.depth-- }()
	return evaluate()
}

// bounded is a text that a function made, unless it is too long.
func (c *call) bounded(function, text string) any {
	if len(text) > maxText {
		return c.unresolved(function, "its text is over 1 MiB")
	}
	if !c.spend(len(text)) {
		return c.unresolved(function, "the template's values are over 128 MiB together")
	}
	return text
}

// sizeOf is about the size of a value as JSON, or something over limit.
func sizeOf(v any, limit int) int {
	switch v := v.(type) {
	case string:
		return len(v) + 2
	case json.Number:
		return len(v)
	case []any:
		size := 2
		for _, e := range v {
			if size += 1 + sizeOf(e, limit-size); size > limit {
				return size
			}
		}
		return size
	case map[string]any:
		size := 2
		for key, e := range v {
			if size += len(key) + 4 + sizeOf(e, limit-size); size > limit {
				return size
			}
		}
		return size
	}
	return 4
}

// maxBrief is how much of a value a message shows, in bytes.
const maxBrief = 80

// brief shows the beginning of a value in a message. It looks at no more of it.
func brief(v any) string {
	text := appendBrief(nil, v)
	if len(text) <= maxBrief {
		return string(text)
	}
	return clip(string(text), maxBrief-3)
}

func appendBrief(text []byte, v any) []byte {
	if len(text) > maxBrief {
		return text
	}
	switch v := v.(type) {
	case []any:
		text = append(text, '[')
		for i, e := range v {
			if len(text) > maxBrief {
				break
			}
			if i > 0 {
				text = append(text, ',')
			}
			text = appendBrief(text, e)
		}
		return append(text, ']')
	case map[string]any:
		text = append(text, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if len(text) > maxBrief {
				break
			}
			if i > 0 {
				text = append(text, ',')
			}
			text = append(appendBrief(text, key), ':')
			text = appendBrief(text, v[key])
		}
		return append(text, '}')
	case string:
		v = clip(v, maxBrief)
		quoted, _ := json.Marshal(v)
		return append(text, quoted...)
	}
	quoted, err := json.Marshal(v)
	if err != nil {
		quoted = []byte("?")
	}
	return append(text, quoted...)
}

// clip cuts a text, with "..." for what is gone.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "..."
}
