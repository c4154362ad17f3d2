package samtemplate

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// section is a JSON object whose entries keep their order: where two routes
// overlap, the SAM CLI takes the later one.
type section []entry

type entry struct {
	Key   string
	Value any
}

// MarshalJSON writes the entries in order, for a section inside a value that
// [printer] leaves to encoding/json.
func (s section) MarshalJSON() ([]byte, error) {
	p := printer{}
	err := p.print(s, "")
	return p.text, err
}

// resourceSize is about what a resource takes in a template, in bytes.
const resourceSize = 800

// printer writes indented JSON, each text as encoding/json writes it. It writes
// what templates are made of by itself: encoding/json would look at each value
// again for every one around it, which takes most of the time of a large
// template.
type printer struct {
	text       []byte
	escapeHTML bool
}

// print writes a value, the lines after the first behind indent.
func (p *printer) print(value any, indent string) error {
	switch v := value.(type) {
	case section:
		return p.enclose('{', '}', indent, len(v), func(i int, inner string) error {
			if err := p.key(v[i].Key); err != nil {
				return err
			}
			return p.print(v[i].Value, inner)
		})
	case []section:
		return p.enclose('[', ']', indent, len(v), func(i int, inner string) error { return p.print(v[i], inner) })
	case map[string]string:
		names := slices.AppendSeq(make([]string, 0, len(v)), maps.Keys(v))
		slices.Sort(names)
		return p.enclose('{', '}', indent, len(names), func(i int, _ string) error {
			if err := p.key(names[i]); err != nil {
				return err
			}
			return p.string(v[names[i]])
		})
	case string:
		return p.string(v)
	case int:
		p.text = strconv.AppendInt(p.text, int64(v), 10)
		return nil
	case bool:
		p.text = strconv.AppendBool(p.text, v)
		return nil
	case []string:
		if v != nil {
			return p.enclose('[', ']', indent, len(v), func(i int, _ string) error { return p.string(v[i]) })
		}
	}
	return p.other(value, indent)
}

func (p *printer) key(name string) error {
	err := p.string(name)
	p.text = append(p.text, ": "...)
	return err
}

// string writes a text, which most often is what it looks like in JSON too.
func (p *printer) string(text string) error {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return p.other(text, "")
		}
	}
	p.text = append(p.text, '"')
	p.text = append(p.text, text...)
	p.text = append(p.text, '"')
	return nil
}

// other leaves a value to encoding/json.
func (p *printer) other(value any, indent string) error {
	text := bytes.NewBuffer(p.text)
	encoder := json.NewEncoder(text)
	encoder.SetEscapeHTML(p.escapeHTML)
	encoder.SetIndent(indent, "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	p.text = bytes.TrimSuffix(text.Bytes(), []byte("\n"))
	return nil
}

// enclose writes n items, each on a line of its own.
func (p *printer) enclose(open, end byte, indent string, n int, item func(i int, inner string) error) error {
	p.text = append(p.text, open)
	inner := indent + "  "
	for i := range n {
		if i > 0 {
			p.text = append(p.text, ',')
		}
		p.text = append(p.text, '\n')
		p.text = append(p.text, inner...)
		if err := item(i, inner); err != nil {
			return err
		}
	}
	if n > 0 {
		p.text = append(p.text, '\n')
		p.text = append(p.text, indent...)
	}
	p.text = append(p.text, end)
	return nil
}
