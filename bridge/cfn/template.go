package cfn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// Template is one CloudFormation template. Values are as encoding/json gives
// them, numbers as json.Number, so that they keep their spelling.
type Template struct {
	// File is the path that the template was read from, for messages.
	File       string                               `json:"-"`
	Parameters map[string]*Parameter                `json:"Parameters"`
	Mappings   map[string]map[string]map[string]any `json:"Mappings"`
	Conditions map[string]any                       `json:"Conditions"`
	Resources  map[string]*Resource                 `json:"Resources"`
	Outputs    map[string]*Output                   `json:"Outputs"`

	ids []string // what LogicalIDs lists
}

// Parameter is a template parameter.
type Parameter struct {
	Type    string `json:"Type"`
	Default any    `json:"Default"`
	NoEcho  any    `json:"NoEcho"`
}

// Resource is one resource of a template.
type Resource struct {
	Type       string         `json:"Type"`
	Properties map[string]any `json:"Properties"`
	Metadata   map[string]any `json:"Metadata"`
	Condition  string         `json:"Condition"`
}

// Output is one output of a template.
type Output struct {
	Value     any    `json:"Value"`
	Condition string `json:"Condition"`
	Export    *struct {
		Name any `json:"Name"`
	} `json:"Export"`
}

// maxTemplate bounds the template in a file, in bytes. CloudFormation takes
// 1 MB; what the CDK writes may hold more white space and metadata.
const maxTemplate = 16 << 20

// ReadFile reads the template in a file.
func ReadFile(path string) (*Template, error) {
	data, err := ReadRegular(path, maxTemplate)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// ReadRegular reads a file that must be a regular one, since another may never
// end, and at most so many bytes long.
func ReadRegular(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case info.Size() > most:
		return nil, fmt.Errorf("%s has %d MB, and at most %d MB are read", path, info.Size()>>20, most>>20)
	}
	return os.ReadFile(path)
}

// Parse reads a template. The file's name is for messages alone.
func Parse(file string, data []byte) (*Template, error) {
	t, ok := decodeFast(data)
	if !ok {
		t = &Template{}
		if err := DecodeJSON(file, data, t); err != nil {
			return nil, fmt.Errorf("template %w", err)
		}
	}
	t.File, t.ids = file, slices.Sorted(maps.Keys(t.Resources))
	for id, r := range t.Resources {
		if r == nil || r.Type == "" {
			return nil, fmt.Errorf("template %s: Resources.%s has no Type", file, id)
		}
	}
	for name, p := range t.Parameters {
		if p == nil {
			return nil, fmt.Errorf("template %s: Parameters.%s is null", file, name)
		}
	}
	for name, o := range t.Outputs {
		if o == nil {
			return nil, fmt.Errorf("template %s: Outputs.%s is null", file, name)
		}
	}
	return t, nil
}

// LogicalIDs lists the template's resources in the order of their ids. The list
// is not to be changed.
func (t *Template) LogicalIDs() []string {
	if len(t.ids) == len(t.Resources) {
		return t.ids
	}
	return slices.Sorted(maps.Keys(t.Resources)) // of a template that was not parsed
}

// DecodeJSON decodes one JSON document of a cloud assembly into v. An error
// begins with the file and, where it is a matter of syntax, line and column.
func DecodeJSON(file string, data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		line, column := position(data, d.InputOffset())
		return fmt.Errorf("%s:%d:%d: text after the JSON document", file, line, column)
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		line, column := position(data, int64(len(data)))
		return fmt.Errorf("%s:%d:%d: the JSON ends too early; was the file cut off while it was written?", file, line, column)
	case errors.As(err, &syntax):
		line, column := position(data, max(syntax.Offset-1, 0))
		return fmt.Errorf("%s:%d:%d: not JSON: %w", file, line, column, err)
	case errors.As(err, &kind):
		line, column := position(data, kind.Offset)
		return fmt.Errorf("%s:%d:%d: %s is a JSON %s, which does not belong there", file, line, column, orDocument(kind.Field), kind.Value)
	}
	return fmt.Errorf("%s: %w", file, err)
}

func orDocument(field string) string {
	if field == "" {
		return "the document"
	}
	return field
}

func position(data []byte, offset int64) (line, column int) {
	before := data[:min(offset, int64(len(data)))]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, len(before) - bytes.LastIndexByte(before, '\n')
}
