package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bailey-cdk/bailey/batch"
)

// shape is what becomes of a message.
type shape struct {
	remove   [][]string
	envelope bool
}

// line is a message as a line of the archive, with its newline. An error is
// permanent: the same message would have it again.
func (s *shape) line(m events.SQSMessage) ([]byte, error) {
	body := json.RawMessage(m.Body)
	if len(s.remove) > 0 {
		cleaned, err := s.clean(m.Body)
		if err != nil {
			return nil, batch.Permanent(err)
		}
		body = cleaned
	}
	if !s.envelope {
		return append(compact(body), '\n'), nil
	}
	text, err := json.Marshal(enveloped(m, body))
	return append(text, '\n'), err
}

// compact takes the line breaks out of JSON: a line is an event. What is not
// JSON stays as it is.
func compact(body []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, body) != nil {
		return body
	}
	return b.Bytes()
}

// clean removes fields. A message that it can't read is an error, since what
// was to be removed may be in it.
func (s *shape) clean(body string) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(body)))
	d.UseNumber() // A number keeps its digits.
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, fmt.Errorf("the event is no JSON, so that no field can be removed: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the event goes on behind its JSON value, so that no field can be removed")
	}
	for _, path := range s.remove {
		remove(value, path)
	}
	return marshal(value)
}

// marshal leaves <, > and & as they were: the archive is no web page.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// remove deletes the fields of a path below value. An array stands for each of
// its elements.
func remove(value any, names []string) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			remove(element, names)
		}
	case map[string]any:
		for name, below := range v {
			if match, err := path.Match(names[0], name); err != nil || !match {
				continue
			}
			if len(names) == 1 {
				delete(v, name)
			} else {
				remove(below, names[1:])
			}
		}
	}
}

// envelope is a message with what its body does not say.
type envelope struct {
	ID         string         `json:"id"`
	Time       string         `json:"time,omitempty"`
	Group      string         `json:"group,omitempty"`
	Attributes map[string]any `json:"attributes,omitempty"`
	Event      any            `json:"event"`
}

func enveloped(m events.SQSMessage, body json.RawMessage) envelope {
	e := envelope{ID: m.MessageId, Group: m.Attributes["MessageGroupId"], Event: body}
	if !json.Valid(body) {
		e.Event = string(body)
	}
	if ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
		e.Time = time.UnixMilli(ms).UTC().Format(time.RFC3339Nano)
	}
	for name, a := range m.MessageAttributes {
		if e.Attributes == nil {
			e.Attributes = map[string]any{}
		}
		switch {
		case a.StringValue != nil && a.DataType == "Number" && json.Valid([]byte(*a.StringValue)):
			e.Attributes[name] = json.Number(*a.StringValue)
		case a.StringValue != nil:
			e.Attributes[name] = *a.StringValue
		default:
			e.Attributes[name] = a.BinaryValue
		}
	}
	return e
}
