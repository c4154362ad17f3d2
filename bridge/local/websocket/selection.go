package websocket

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// selection is a route selection expression: texts and variables in turn.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
type selection []term

// term is a text, or the path of a value in the message.
type term struct {
	text string
	path []step // nil for a text
}

// step is a name, or an index where name is "".
type step struct {
	name  string
	index int
}

const bodyVariable = "request.body"

// parseSelection reads an expression: "$request.body.action",
// "${request.body.service}/${request.body.action}", "\$default".
func parseSelection(expression string) (selection, error) {
	var all selection
	text := ""
	flush := func() {
		if text != "" {
			all = append(all, term{text: text})
			text = ""
		}
	}
	for rest := expression; rest != ""; {
		switch {
		case strings.HasPrefix(rest, `\$`):
			text, rest = text+"$", rest[2:]
		case rest[0] == '$':
			variable, after, err := cutVariable(rest)
			if err != nil {
				return nil, fmt.Errorf("route selection expression %q: %w", expression, err)
			}
			path, err := parsePath(variable)
			if err != nil {
				return nil, fmt.Errorf("route selection expression %q: %w", expression, err)
			}
			flush()
			all = append(all, term{path: path})
			rest = after
		default:
			text, rest = text+rest[:1], rest[1:]
		}
	}
	flush()
	if len(all) == 0 {
		return nil, errors.New("the route selection expression is empty: name a part of the message, such as $request.body.action")
	}
	return all, nil
}

// cutVariable takes the variable off that a text begins with. Without braces
// it ends where no more path can follow.
func cutVariable(text string) (variable, rest string, err error) {
	if inner, ok := strings.CutPrefix(text, "${"); ok {
		variable, rest, ok = strings.Cut(inner, "}")
		if !ok {
			return "", "", errors.New(`"${" has no "}"`)
		}
		return variable, rest, nil
	}
	end := 1
	for end < len(text) && isPathByte(text[end]) {
		end++
	}
	return text[1:end], text[end:], nil
}

func isPathByte(b byte) bool {
	return b == '.' || b == '_' || b == '-' || b == '[' || b == ']' || b >= 0x80 ||
		'0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// parsePath reads "request.body.a.b[0]". Only parts of the message can select
// a route.
func parsePath(variable string) ([]step, error) {
	rest, ok := strings.CutPrefix(variable, bodyVariable)
	if !ok || rest == "" || rest[0] != '.' && rest[0] != '[' {
		return nil, fmt.Errorf("$%s is not supported: a WebSocket API selects routes by parts of the message, $%s.NAME", variable, bodyVariable)
	}
	var path []step
	for rest != "" {
		if inner, ok := strings.CutPrefix(rest, "["); ok {
			number, after, ok := strings.Cut(inner, "]")
			index, err := strconv.Atoi(number)
			if !ok || err != nil || index < 0 {
				return nil, fmt.Errorf("$%s: %q is no index", variable, number)
			}
			path, rest = append(path, step{index: index}), after
			continue
		}
		rest, ok = strings.CutPrefix(rest, ".")
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		if !ok || end == 0 {
			return nil, fmt.Errorf("$%s: a name is missing", variable)
		}
		path, rest = append(path, step{name: rest[:end]}), rest[end:]
	}
	return path, nil
}

// key evaluates the expression against a message. It is not ok where the
// message is not JSON or lacks a value: such a message is one for $default.
func (s selection) key(message []byte) (key string, ok bool) {
	var b strings.Builder
	for _, t := range s {
		if t.path == nil {
			b.WriteString(t.text)
			continue
		}
		value, ok := lookUp(message, t.path)
		if !ok {
			return "", false
		}
		b.WriteString(value)
	}
	return b.String(), true
}

// lookUp is the text of a value in a JSON message: a string itself, a number or
// boolean as it is written. Objects, arrays and null are no keys.
func lookUp(message []byte, path []step) (string, bool) {
	value := json.RawMessage(message)
	for _, s := range path {
		if s.name == "" {
			var array []json.RawMessage
			if json.Unmarshal(value, &array) != nil || s.index >= len(array) {
				return "", false
			}
			value = array[s.index]
			continue
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(value, &object) != nil || object[s.name] == nil {
			return "", false
		}
		value = object[s.name]
	}
	return scalar(value)
}

// scalar is the text of a JSON string, number or boolean.
func scalar(value json.RawMessage) (string, bool) {
	var text string
	if err := json.Unmarshal(value, &text); err == nil && string(value) != "null" {
		return text, true
	}
	trimmed := strings.TrimSpace(string(value))
	switch {
	case trimmed == "" || trimmed == "null" || strings.ContainsAny(trimmed[:1], `{["`):
		return "", false
	case !json.Valid(value):
		return "", false
	}
	return trimmed, true
}
