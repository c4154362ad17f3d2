package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Schema is a compiled schema. Any number of goroutines may use it.
type Schema struct {
	ref                        *Schema // nothing else counts beside it
	types                      []string
	enum                       []any
	minimum, maximum           *big.Rat
	aboveMinimum, belowMaximum bool
	multipleOf                 *big.Rat
	lengths, counts, sizes     span
	pattern                    *regexp.Regexp
	format                     string
	items, additionalItems     *Schema
	tuple                      []*Schema
	isTuple, uniqueItems       bool
	properties, dependencies   map[string]*Schema
	patterns                   map[*regexp.Regexp]*Schema
	additional                 *Schema
	required                   []string
	needs                      map[string][]string // dependencies by name
	allOf, anyOf, oneOf        []*Schema
	not                        *Schema
	nothing                    bool // additionalProperties or additionalItems: false
}

// span is what a count must be in. Max is -1 where there is no limit.
type span struct{ min, max int }

// Compile compiles one of the documents, each what [Decode] returns, by the
// address that references name it with. What is no schema of draft 4, a
// reference to what is not there, and a reference that leads back to itself
// without a step into the JSON are errors.
func Compile(documents map[string]any, address string) (*Schema, error) {
	c := &compiler{documents: documents, made: map[string]*Schema{}}
	s, err := c.at(address, "")
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(c.made)) {
		if c.made[key].returns(map[*Schema]bool{}) {
			return nil, fmt.Errorf("%s refers to itself", key)
		}
	}
	return s, nil
}

// compiler keeps what it has made by its address, for schemas may be recursive.
type compiler struct {
	documents map[string]any
	made      map[string]*Schema
	address   string // of the document under way
	err       error  // the first one
}

// at compiles what a pointer names in a document.
func (c *compiler) at(address, pointer string) (*Schema, error) {
	key := address + "#" + pointer
	if s := c.made[key]; s != nil {
		return s, nil
	}
	v, ok := c.documents[address]
	if !ok {
		return nil, fmt.Errorf("there is no model %s", address)
	}
	for _, step := range strings.Split(pointer, "/")[1:] {
		if v, ok = child(v, strings.NewReplacer("~1", "/", "~0", "~").Replace(step)); !ok {
			return nil, fmt.Errorf("there is no %s", key)
		}
	}
	s := &Schema{}
	c.made[key] = s
	outer := c.address
	c.address = address
	c.fill(s, v, key)
	c.address = outer
	return s, c.err
}

func child(v any, step string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		inner, ok := v[step]
		return inner, ok
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(v) {
			return v[i], true
		}
	}
	return nil, false
}

// returns tells whether a schema applies itself to the value that it is checking.
func (s *Schema) returns(within map[*Schema]bool) bool {
	if s == nil {
		return false
	}
	if open, seen := within[s]; seen {
		return open
	}
	within[s] = true
	inner := slices.Concat([]*Schema{s.ref, s.not}, s.allOf, s.anyOf, s.oneOf, slices.Collect(maps.Values(s.dependencies)))
	if slices.ContainsFunc(inner, func(i *Schema) bool { return i.returns(within) }) {
		return true
	}
	within[s] = false
	return false
}

func (c *compiler) fail(where, what string) {
	if c.err == nil {
		c.err = fmt.Errorf("%s is not %s", where, what)
	}
}

func (c *compiler) fill(s *Schema, v any, where string) {
	object, ok := v.(map[string]any)
	if !ok {
		c.fail(where, "an object")
		return
	}
	if reference, ok := object["$ref"].(string); ok {
		c.reference(s, reference)
		return
	}
	s.lengths, s.counts, s.sizes = span{0, -1}, span{0, -1}, span{0, -1}
	for _, keyword := range slices.Sorted(maps.Keys(object)) {
		value, where := object[keyword], where+"/"+keyword
		if !c.whole(s, keyword, value, where) && !c.bounds(s, keyword, value, where) && !c.inner(s, keyword, value, where) {
			c.names(s, keyword, value, where)
		}
	}
}

func (c *compiler) reference(s *Schema, reference string) {
	address, fragment, _ := strings.Cut(reference, "#")
	pointer, err := url.PathUnescape(fragment)
	if err == nil && pointer != "" && pointer[0] != '/' {
		err = fmt.Errorf("the reference %s names no part by its place", reference)
	}
	if err == nil {
		if address == "" {
			address = c.address
		}
		s.ref, err = c.at(address, pointer)
	}
	if c.err == nil {
		c.err = err
	}
}

// whole reads the keywords of any value, and of texts.
func (c *compiler) whole(s *Schema, keyword string, value any, where string) bool {
	switch keyword {
	case "type":
		if one, ok := value.(string); ok {
			value = []any{one}
		}
		s.types = c.texts(value, where)
		for _, t := range s.types {
			if !slices.Contains([]string{"array", "boolean", "integer", "null", "number", "object", "string"}, t) {
				c.fail(where, "a type")
			}
		}
	case "enum":
		var ok bool
		if s.enum, ok = value.([]any); !ok || len(s.enum) == 0 {
			c.fail(where, "a list of values")
		}
	case "pattern":
		s.pattern = c.expression(value, where)
	case "format":
		s.format, _ = value.(string)
	default:
		return false
	}
	return true
}

// bounds reads the keywords that say how much.
func (c *compiler) bounds(s *Schema, keyword string, value any, where string) bool {
	counts := map[string]*int{
		"minLength": &s.lengths.min, "maxLength": &s.lengths.max, "minItems": &s.counts.min, "maxItems": &s.counts.max,
		"minProperties": &s.sizes.min, "maxProperties": &s.sizes.max,
	}
	numbers := map[string]**big.Rat{"minimum": &s.minimum, "maximum": &s.maximum, "multipleOf": &s.multipleOf}
	flags := map[string]*bool{"exclusiveMinimum": &s.aboveMinimum, "exclusiveMaximum": &s.belowMaximum, "uniqueItems": &s.uniqueItems}
	if flag := flags[keyword]; flag != nil {
		var ok bool
		if *flag, ok = value.(bool); !ok {
			c.fail(where, "true or false")
		}
		return true
	}
	count, bound := counts[keyword], numbers[keyword]
	if count == nil && bound == nil {
		return false
	}
	n, err := rational(value)
	switch {
	case err != nil || keyword == "multipleOf" && n.Sign() <= 0:
		c.fail(where, "a number that it can be")
	case bound != nil:
		*bound = n
	case !n.IsInt() || n.Sign() < 0 || !n.Num().IsInt64():
		c.fail(where, "a count")
	default:
		*count = int(n.Num().Int64())
	}
	return true
}

// inner reads the keywords that hold schemas.
func (c *compiler) inner(s *Schema, keyword string, value any, where string) bool {
	switch keyword {
	case "items":
		if _, s.isTuple = value.([]any); s.isTuple {
			s.tuple = c.list(value, where)
		} else {
			s.items = c.schema(value, where)
		}
	case "additionalItems":
		s.additionalItems = c.orFlag(value, where)
	case "additionalProperties":
		s.additional = c.orFlag(value, where)
	case "not":
		s.not = c.schema(value, where)
	case "allOf":
		s.allOf = c.list(value, where)
	case "anyOf":
		s.anyOf = c.list(value, where)
	case "oneOf":
		s.oneOf = c.list(value, where)
	default:
		return false
	}
	return true
}

// names reads the keywords about the properties of objects. All others are for
// people, or for references.
func (c *compiler) names(s *Schema, keyword string, value any, where string) {
	if keyword == "required" {
		if s.required = c.texts(value, where); len(s.required) == 0 {
			c.fail(where, "a list of names")
		}
		return
	}
	if !slices.Contains([]string{"properties", "patternProperties", "dependencies", "definitions"}, keyword) {
		return
	}
	object, ok := value.(map[string]any)
	if !ok {
		c.fail(where, "an object")
	}
	s.keep(keyword)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		where := where + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		if list, ok := object[name].([]any); ok && keyword == "dependencies" {
			s.needs[name] = c.texts(list, where)
			continue
		}
		part := c.schema(object[name], where)
		switch keyword {
		case "properties":
			s.properties[name] = part
		case "dependencies":
			s.dependencies[name] = part
		case "patternProperties":
			if expression := c.expression(name, where); expression != nil {
				s.patterns[expression] = part
			}
		}
	}
}

// keep makes the maps of a keyword.
func (s *Schema) keep(keyword string) {
	switch keyword {
	case "properties":
		s.properties = map[string]*Schema{}
	case "patternProperties":
		s.patterns = map[*regexp.Regexp]*Schema{}
	case "dependencies":
		s.dependencies, s.needs = map[string]*Schema{}, map[string][]string{}
	}
}

// schema compiles one that lies in another.
func (c *compiler) schema(v any, where string) *Schema {
	s := &Schema{}
	c.made[where] = s
	c.fill(s, v, where)
	return s
}

// orFlag is nil for true.
func (c *compiler) orFlag(v any, where string) *Schema {
	switch v {
	case true:
		return nil
	case false:
		return &Schema{nothing: true}
	}
	return c.schema(v, where)
}

func (c *compiler) list(v any, where string) []*Schema {
	values, ok := v.([]any)
	if !ok || len(values) == 0 {
		c.fail(where, "a list of schemas")
	}
	var all []*Schema
	for i, value := range values {
		all = append(all, c.schema(value, where+"/"+strconv.Itoa(i)))
	}
	return all
}

func (c *compiler) texts(v any, where string) []string {
	values, ok := v.([]any)
	var all []string
	for _, value := range values {
		text, isText := value.(string)
		ok = ok && isText
		all = append(all, text)
	}
	if !ok {
		c.fail(where, "a list of names")
	}
	return all
}

func (c *compiler) expression(v any, where string) *regexp.Regexp {
	text, ok := v.(string)
	expression, err := regexp.Compile(text)
	if !ok || err != nil {
		c.fail(where, "a regular expression")
		return nil
	}
	return expression
}

// rational is the exact value of a number. An exponent of more than three digits
// would make it a number of as many digits as the exponent says.
func rational(v any) (*big.Rat, error) {
	number, ok := v.(json.Number)
	if !ok {
		return nil, fmt.Errorf("%v is no number", v)
	}
	if i := strings.IndexAny(number.String(), "eE"); i >= 0 {
		if e, err := strconv.Atoi(number.String()[i+1:]); err != nil || e < -999 || e > 999 {
			return nil, fmt.Errorf("the number %s is out of range", number)
		}
	}
	r, ok := new(big.Rat).SetString(number.String())
	if !ok {
		return nil, fmt.Errorf("%s is no number", number)
	}
	return r, nil
}
