package schema

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// cases are read by a validator of all drafts too: it must say the same.
var cases = []struct{ schema, good, bad string }{
	{`{"type":"integer"}`, `1 -7 100000000000000000000`, `1.5 "1" null true [] {}`},
	{`{"type":["string","null"]}`, `"" null`, `1 false`},
	{`{"enum":[1,"a",{"b":[1.0]},null]}`, `1.0 "a" {"b":[1]} null`, `2 "b" {"b":[2]} {"b":[1],"c":1} false`},
	{`{"minimum":1,"exclusiveMinimum":true,"maximum":3}`, `1.1 3 "0"`, `1 3.1 0`},
	{`{"maximum":3,"exclusiveMaximum":true}`, `2.9`, `3`},
	{`{"multipleOf":0.01}`, `0.07 19.99 1e2`, `0.075`},
	{`{"minLength":2,"maxLength":3}`, `"äö" "abc" 1`, `"ä" "abcd"`},
	{`{"pattern":"b+$"}`, `"abb" 1`, `"ba"`},
	{`{"format":"date-time"}`, `"2024-01-02T03:04:05Z" "2024-01-02T03:04:05.123+01:00" 1`, `"2024-01-02" "x"`},
	{`{"format":"email"}`, `"a@example.com"`, `"a" "A<a@example.com>"`},
	{`{"format":"hostname"}`, `"a.example"`, `"-a" "a..b"`},
	{`{"format":"ipv4"}`, `"127.0.0.1"`, `"::1" "1.2.3"`},
	{`{"format":"ipv6"}`, `"::1"`, `"127.0.0.1" "fe80::1%eth0"`},
	{`{"format":"uri"}`, `"http://example.com/x"`, `"x" "/x"`},
	{`{"format":"unheard-of"}`, `"x"`, ``},
	{`{"items":{"type":"string"},"minItems":1,"maxItems":2}`, `["a"] "a"`, `[] [1] ["a","b","c"]`},
	{`{"items":[{"type":"string"}],"additionalItems":false}`, `["a"] []`, `["a",1] [1]`},
	{`{"items":[{}],"additionalItems":{"type":"null"}}`, `[1,null]`, `[1,1]`},
	{`{"additionalItems":false}`, `[1,2]`, ``},
	{`{"uniqueItems":true}`, `[1,2,"1"] [[1],[2]]`, `[1,1.0] [{"a":1},{"a":1}]`},
	{`{"required":["a"],"minProperties":2,"maxProperties":3}`, `{"a":1,"b":2} 1`, `{"b":1,"c":1} {"a":1} {"a":1,"b":1,"c":1,"d":1}`},
	{`{"properties":{"a":{"type":"string"},"$ref":{"type":"null"}},"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false}`, `{"a":"","x1":1,"$ref":null} {}`, `{"a":1} {"x1":""} {"b":1} {"$ref":1}`},
	{`{"additionalProperties":{"type":"null"}}`, `{"a":null}`, `{"a":1}`},
	{`{"additionalProperties":true}`, `{"a":1}`, ``},
	{`{"dependencies":{"a":["b"],"c":{"required":["d"]}}}`, `{"a":1,"b":1} {"c":1,"d":1} {}`, `{"a":1} {"c":1}`},
	{`{"allOf":[{"type":"integer"},{"minimum":2}]}`, `2`, `1 2.5`},
	{`{"anyOf":[{"type":"integer"},{"minimum":2}]}`, `1 2.5`, `1.5`},
	{`{"oneOf":[{"type":"integer"},{"minimum":2}]}`, `1 2.5`, `1.5 3`},
	{`{"not":{"type":"integer"}}`, `"a"`, `1`},
	{`{"definitions":{"a/b%":{"type":"integer"}},"$ref":"#/definitions/a~1b%25","minimum":5}`, `1`, `"a"`},
	{`{"properties":{"next":{"$ref":"#"}},"additionalProperties":false}`, `{"next":{"next":{}}}`, `{"next":{"prev":{}}}`},
	{`{"$ref":"model:///other#/items/0"}`, `"a"`, `1`},
	{`{"properties":{"a/b":{"type":"null"},"a":{"b":{"type":"string"}},"c":{"$ref":"#/properties/a/b"}}}`, `{"c":"","a/b":null}`, `{"c":null} {"a/b":""}`},
	{`{"items":{"$ref":"model:///other"}}`, `[["a"]]`, `[[1]]`},
}

const other = `{"items":[{"type":"string"}],"properties":{"x":{"$ref":"#/items/0"}}}`

func decode(t *testing.T, text string) any {
	t.Helper()
	v, err := Decode(strings.NewReader(text))
	if err != nil {
		t.Fatal(text, err)
	}
	return v
}

func TestDraft4(t *testing.T) {
	for _, test := range cases {
		s, err := Compile(map[string]any{"model:///it": decode(t, test.schema), "model:///other": decode(t, other)}, "model:///it")
		if err != nil {
			t.Errorf("%s: %v", test.schema, err)
			continue
		}
		reference := referenceFor(t, test.schema)
		for want, values := range map[bool]string{true: test.good, false: test.bad} {
			for _, value := range strings.Fields(values) {
				v := decode(t, value)
				if err := s.Validate(v); (err == nil) != want {
					t.Errorf("%s of %s: got %v, want valid=%v", test.schema, value, err, want)
				}
				if err := reference.Validate(v); (err == nil) != want {
					t.Errorf("%s of %s: the reference says %v, want valid=%v", test.schema, value, err, want)
				}
			}
		}
	}
}

func referenceFor(t *testing.T, text string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4)
	for address, document := range map[string]string{"model:///it": text, "model:///other": other} {
		if err := c.AddResource(address, decode(t, document)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("model:///it")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func TestNoSchema(t *testing.T) {
	for _, test := range []struct{ schema, want string }{
		{`7`, "it# is not an object"},
		{`{"type":7}`, "it#/type is not a list of names"},
		{`{"type":"text"}`, "it#/type is not a type"},
		{`{"minimum":"1"}`, "it#/minimum is not a number"},
		{`{"minimum":1e1000000000}`, "it#/minimum is not a number"},
		{`{"minLength":-1}`, "it#/minLength is not a count"},
		{`{"uniqueItems":1}`, "it#/uniqueItems is not true or false"},
		{`{"required":[]}`, "it#/required is not a list of names"},
		{`{"enum":[]}`, "it#/enum is not a list of values"},
		{`{"pattern":"("}`, "it#/pattern is not a regular expression"},
		{`{"properties":{"a":1}}`, "it#/properties/a is not an object"},
		{`{"allOf":{}}`, "it#/allOf is not a list of schemas"},
		{`{"$ref":"file:///etc/passwd"}`, "there is no model file:///etc/passwd"},
		{`{"$ref":"#/definitions/a"}`, "there is no it#/definitions/a"},
		{`{"$ref":"#a"}`, "names no part by its place"},
		{`{"$ref":"#"}`, "refers to itself"},
		{`{"anyOf":[{"not":{"$ref":"#"}}]}`, "refers to itself"},
		{`{"definitions":{"a":{"allOf":[{"$ref":"#/definitions/a"}]}},"items":{"$ref":"#/definitions/a"}}`, "refers to itself"},
	} {
		_, err := Compile(map[string]any{"it": decode(t, test.schema)}, "it")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.schema, err, test.want)
		}
	}
}

func TestWhere(t *testing.T) {
	s, err := Compile(map[string]any{"it": decode(t, `{"properties":{"a":{"items":{"minimum":2}}}}`)}, "it")
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		`{"a":[2,1]}`:            "/a/1 is too small",
		`{"a":[1e-10000000000]}`: "/a/0 the number 1e-10000000000 is out of range",
	} {
		if err := s.Validate(decode(t, value)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", value, err, want)
		}
	}
}

func TestDecode(t *testing.T) {
	for _, text := range []string{``, `{`, `1 2`, `[1]]`} {
		if v, err := Decode(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read as %v", text, v)
		}
	}
}
