package schema

import (
	"strings"
	"testing"
)

// Nothing of a model or a body makes the checks end otherwise than by an answer.
func FuzzSchema(f *testing.F) {
	for _, c := range cases {
		f.Add(c.schema, c.good)
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		document, err := Decode(strings.NewReader(text))
		if err != nil {
			return
		}
		s, err := Compile(map[string]any{"it": document}, "it")
		if err != nil {
			return
		}
		if v, err := Decode(strings.NewReader(value)); err == nil {
			_ = s.Validate(v)
		}
	})
}
