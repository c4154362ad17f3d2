package cfn

import (
	"strings"
	"testing"
)

func TestParseErrors(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":          {"", "t.json:1:1: the JSON ends too early"},
		"cut off":        {"{\n \"Resources\": {", "t.json:2:16: the JSON ends too early; was the file cut off"},
		"YAML":           {"Resources:\n", "t.json:1:1: not JSON"},
		"second line":    {"{\n \"Resources\": }", "t.json:2:15: not JSON"},
		"text after":     {"{} {}", "text after the JSON document"},
		"wrong kind":     {`{"Resources": {"A": {"Type": 1}}}`, "is a JSON number, which does not belong there"},
		"a list":         {`[]`, "the document is a JSON array"},
		"no type":        {`{"Resources": {"A": {}}}`, "Resources.A has no Type"},
		"null resource":  {`{"Resources": {"A": null}}`, "Resources.A has no Type"},
		"null output":    {`{"Outputs": {"A": null}}`, "Outputs.A is null"},
		"null parameter": {`{"Parameters": {"A": null}}`, "Parameters.A is null"},
	} {
		_, err := Parse("t.json", []byte(test.text))
		if err == nil || !strings.HasPrefix(err.Error(), "template t.json") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
