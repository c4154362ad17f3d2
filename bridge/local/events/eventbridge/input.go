package eventbridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// input is what a target gets of an event.
func (s *Service) input(t *target, r *rule, e *event) ([]byte, error) {
	switch {
	case t.Input != "":
		return []byte(t.Input), nil
	case t.InputPath != "":
		part, ok := lookUp(e.json(), t.InputPath)
		if !ok {
			return nil, fmt.Errorf("the event has nothing at the input path %s", t.InputPath)
		}
		return part, nil
	case t.InputTransformer != nil:
		return t.InputTransformer.apply(s, r, e)
	}
	return e.json(), nil
}

// step is one step of a path: .name, ['name'] or [0].
var step = regexp.MustCompile(`^(?:\.([^.\[\]]+)|\[(?:'([^']*)'|"([^"]*)"|([0-9]{1,9}))\])`)

// lookUp is the part of a JSON text at a path, "$.detail.items[0]". Of the rest
// of the text nothing is decoded.
func lookUp(text []byte, path string) (json.RawMessage, bool) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, false
	}
	at := json.RawMessage(text)
	for rest != "" {
		m := step.FindStringSubmatch(rest)
		if m == nil {
			return nil, false
		}
		rest = rest[len(m[0]):]
		if m[4] != "" {
			index, err := strconv.Atoi(m[4])
			if err != nil {
				return nil, false
			}
			at, ok = element(at, index)
		} else {
			at, ok = member(at, m[1]+m[2]+m[3])
		}
		if !ok {
			return nil, false
		}
	}
	return bytes.TrimSpace(at), true
}

// member is the value of a name in an object, the last of several.
func member(object []byte, name string) (found json.RawMessage, ok bool) {
	rest, isObject := opened(object, '{')
	for isObject && len(rest) > 0 && rest[0] != '}' {
		key := rest[:valueEnd(rest)]
		_, value, colon := bytes.Cut(rest[len(key):], []byte(":"))
		if !colon || len(key) == 0 {
			return nil, false
		}
		value = bytes.TrimLeft(value, blanks)
		end := valueEnd(value)
		if plain(json.RawMessage(key)) == name {
			found, ok = value[:end], true
		}
		rest = behind(value[end:])
	}
	return found, ok
}

// element is an element of an array.
func element(array []byte, index int) (json.RawMessage, bool) {
	rest, isArray := opened(array, '[')
	for ; isArray && len(rest) > 0 && rest[0] != ']'; index-- {
		end := valueEnd(rest)
		if index == 0 || end == 0 {
			return rest[:end], end > 0
		}
		rest = behind(rest[end:])
	}
	return nil, false
}

const blanks = " \t\r\n"

// opened is what follows the bracket that a value begins with.
func opened(text []byte, bracket byte) ([]byte, bool) {
	text = bytes.TrimLeft(text, blanks)
	if len(text) == 0 || text[0] != bracket {
		return nil, false
	}
	return bytes.TrimLeft(text[1:], blanks), true
}

// behind is what follows a value and its comma.
func behind(text []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(bytes.TrimLeft(text, blanks), []byte(",")), blanks)
}

// valueEnd is the length of the value that a JSON text begins with. The text was
// checked before.
func valueEnd(text []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
			if !quoted && depth == 0 {
				return i + 1
			}
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth <= 0 {
				return i + 1 + depth // a bracket around the value does not belong to it
			}
		case depth == 0 && strings.IndexByte(",: \t\r\n", c) >= 0:
			return i
		}
	}
	return len(text)
}

// plain is a value without the quotation marks of a string.
func plain(value json.RawMessage) string {
	var text string
	if len(value) > 0 && value[0] == '"' && json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

// The variables that every template has.
const (
	ruleARNVariable   = "aws.events.rule-arn"
	ruleNameVariable  = "aws.events.rule-name"
	ingestionVariable = "aws.events.event.ingestion-time"
	eventVariable     = "aws.events.event"
	jsonVariable      = "aws.events.event.json"
)

var (
	predefined  = []string{ruleARNVariable, ruleNameVariable, ingestionVariable, eventVariable, jsonVariable}
	placeholder = regexp.MustCompile(`<([A-Za-z0-9_.-]+)>`)
)

// value is what a variable stands for, as JSON.
func (t *transformer) value(s *Service, name string, r *rule, e *event) json.RawMessage {
	quoted := func(text string) json.RawMessage {
		b, _ := json.Marshal(text) // a text
		return b
	}
	switch name {
	case ruleARNVariable:
		return quoted(r.ARN)
	case ruleNameVariable:
		return quoted(r.Name)
	case ingestionVariable:
		return quoted(s.env.Now().UTC().Format(timeForm))
	case jsonVariable:
		return e.json()
	case eventVariable:
		return withoutDetail(e)
	}
	found, ok := lookUp(e.json(), t.InputPathsMap[name])
	if !ok || string(found) == "null" {
		return json.RawMessage(`""`)
	}
	return found
}

// withoutDetail is the event as the variable aws.events.event has it.
func withoutDetail(e *event) json.RawMessage {
	text, _ := json.Marshal(struct {
		Version    string   `json:"version"`
		ID         string   `json:"id"`
		DetailType string   `json:"detailType"`
		Source     string   `json:"source"`
		Account    string   `json:"account"`
		Time       string   `json:"time"`
		Region     string   `json:"region"`
		Resources  []string `json:"resources"`
	}{e.Version, e.ID, e.DetailType, e.Source, e.Account, e.Time, e.Region, e.Resources}) // texts
	return text
}

// apply fills the template. Whether a variable stands inside of quotation marks
// decides how it is written.
func (t *transformer) apply(s *Service, r *rule, e *event) ([]byte, error) {
	var b bytes.Buffer
	template, quoted := t.InputTemplate, false
	for i := 0; i < len(template); i++ {
		if m := variable(template[i:]); m != "" {
			value := t.value(s, m[1:len(m)-1], r, e)
			if quoted {
				value = inText(value)
			}
			b.Write(value)
			i += len(m) - 1
			continue
		}
		switch template[i] {
		case '\\':
			if quoted && i+1 < len(template) {
				b.WriteByte('\\')
				i++
			}
		case '"':
			quoted = !quoted
		}
		b.WriteByte(template[i])
	}
	out := bytes.TrimSpace(b.Bytes())
	if len(out) == 0 || out[0] != '{' {
		return out, nil // a text, or several in lines
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, out); err != nil {
		return nil, errors.New("the input transformer made an invalid JSON text: put variables with objects, and strings that are not inside of text, outside of quotation marks")
	}
	return compact.Bytes(), nil
}

// variable is the variable that a text begins with, "<name>".
func variable(text string) string {
	if text[0] != '<' {
		return ""
	}
	end := strings.IndexByte(text, '>')
	if end < 0 || placeholder.FindString(text[:end+1]) != text[:end+1] {
		return ""
	}
	return text[:end+1]
}

// inText is a value inside of quotation marks. Strings are written as they are
// in JSON, but for their own marks; others lose theirs.
func inText(value json.RawMessage) json.RawMessage {
	if len(value) == 0 {
		return value
	}
	switch value[0] {
	case '"':
		return value[1 : len(value)-1]
	case '{', '[':
		var compact bytes.Buffer
		if json.Compact(&compact, value) == nil {
			value = compact.Bytes()
		}
		return bytes.ReplaceAll(value, []byte(`"`), nil)
	}
	return value
}

// check is what PutTargets refuses in a target.
func (t *target) check() error {
	given := 0
	for _, is := range []bool{t.Input != "", t.InputPath != "", t.InputTransformer != nil} {
		if is {
			given++
		}
	}
	if given > 1 {
		return service.Errorf("ValidationException", "Only one of Input, InputPath, or InputTransformer must be provided for target %s.", t.ID)
	}
	if t.Input != "" && !json.Valid([]byte(t.Input)) {
		return service.Errorf("ValidationException", "JSON syntax error in input for target %s", t.ID)
	}
	if t.InputTransformer == nil {
		return nil
	}
	for _, m := range placeholder.FindAllStringSubmatch(t.InputTransformer.InputTemplate, -1) {
		if _, ok := t.InputTransformer.InputPathsMap[m[1]]; !ok && !isPredefined(m[1]) {
			return service.Errorf("ValidationException", "InputTemplate for target %s contains invalid placeholder %s.", t.ID, m[1])
		}
	}
	return nil
}

func isPredefined(name string) bool {
	for _, p := range predefined {
		if p == name {
			return true
		}
	}
	return false
}
