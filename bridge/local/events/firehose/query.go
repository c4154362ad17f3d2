package firehose

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// predicate says whether a query wants a document.
type predicate func(id string, source map[string]any) bool

func everything(string, map[string]any) bool { return true }

// parseQuery reads a query of OpenSearch's query DSL.
func parseQuery(raw json.RawMessage) (predicate, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return everything, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil || len(object) != 1 {
		return nil, service.Errorf("parsing_exception", "a query must be an object with one name: %.100s", raw)
	}
	for name, body := range object {
		if parse := queries[name]; parse != nil {
			return parse(body)
		}
		return nil, service.Errorf("parsing_exception", "unknown query [%s]", name)
	}
	return nil, nil
}

// queries are the kinds of queries, by their names. It is filled below, since
// bool holds others.
var queries map[string]func(json.RawMessage) (predicate, error)

func init() {
	queries = map[string]func(json.RawMessage) (predicate, error){
		"match_all":    func(json.RawMessage) (predicate, error) { return everything, nil },
		"match_none":   func(json.RawMessage) (predicate, error) { return not(everything), nil },
		"match":        fieldQuery("query", matchQuery),
		"match_phrase": fieldQuery("query", phraseQuery),
		"term":         fieldQuery("value", termQuery),
		"terms":        fieldQuery("", termsQuery),
		"prefix":       fieldQuery("value", prefixQuery),
		"wildcard":     fieldQuery("value", wildcardQuery),
		"range":        fieldQuery("", rangeQuery),
		"exists":       existsQuery,
		"ids":          idsQuery,
		"bool":         boolQuery,
		"query_string": queryStringQuery, "simple_query_string": queryStringQuery,
	}
}

func not(p predicate) predicate {
	return func(id string, source map[string]any) bool { return !p(id, source) }
}

// fieldQuery reads {"field": value} or {"field": {inner: value}}.
func fieldQuery(inner string, make func(field string, value any, options map[string]any) (func(any) bool, error)) func(json.RawMessage) (predicate, error) {
	return func(raw json.RawMessage) (predicate, error) {
		var object map[string]any
		if err := json.Unmarshal(raw, &object); err != nil {
			return nil, service.Errorf("parsing_exception", "the query cannot be read: %v", err)
		}
		delete(object, "boost")
		if len(object) != 1 {
			return nil, service.Errorf("parsing_exception", "the query must name one field")
		}
		for field, value := range object {
			options, _ := value.(map[string]any)
			if inner != "" && options != nil {
				value = options[inner]
			}
			field = strings.TrimSuffix(field, ".keyword")
			matches, err := make(field, value, options)
			if err != nil {
				return nil, err
			}
			return func(_ string, source map[string]any) bool {
				return slices.ContainsFunc(valuesAt(source, field), matches)
			}, nil
		}
		return nil, nil
	}
}

// valuesAt are the values of a field, "detail.total". Arrays give each of theirs.
func valuesAt(value any, path string) []any {
	if list, ok := value.([]any); ok {
		var all []any
		for _, one := range list {
			all = append(all, valuesAt(one, path)...)
		}
		return all
	}
	if path == "" {
		if value == nil {
			return nil
		}
		return []any{value}
	}
	object, _ := value.(map[string]any)
	if v, ok := object[path]; ok {
		return valuesAt(v, "")
	}
	name, rest, _ := strings.Cut(path, ".")
	if v, ok := object[name]; ok && rest != "" {
		return valuesAt(v, rest)
	}
	return nil
}

func first(source map[string]any, field string) any {
	if all := valuesAt(source, field); len(all) > 0 {
		return all[0]
	}
	return nil
}

// textOf is a value as it is compared.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// words are what the standard analysis makes of a text.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '.' })
}

func matchQuery(_ string, value any, options map[string]any) (func(any) bool, error) {
	wanted := words(textOf(value))
	all := options != nil && strings.EqualFold(textOf(options["operator"]), "and")
	return func(v any) bool {
		has := words(textOf(v))
		for _, w := range wanted {
			if slices.Contains(has, w) != all {
				return !all
			}
		}
		return all && len(wanted) > 0
	}, nil
}

func phraseQuery(_ string, value any, _ map[string]any) (func(any) bool, error) {
	wanted := " " + strings.Join(words(textOf(value)), " ") + " "
	return func(v any) bool { return strings.Contains(" "+strings.Join(words(textOf(v)), " ")+" ", wanted) }, nil
}

// termQuery takes the whole value, and a word of it, as fields of text and of
// keywords do.
func termQuery(_ string, value any, _ map[string]any) (func(any) bool, error) {
	wanted := textOf(value)
	return func(v any) bool { return textOf(v) == wanted || slices.Contains(words(textOf(v)), wanted) }, nil
}

func termsQuery(field string, value any, _ map[string]any) (func(any) bool, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, service.Errorf("parsing_exception", "terms of %s must be a list", field)
	}
	return func(v any) bool {
		return slices.ContainsFunc(list, func(one any) bool {
			matches, _ := termQuery(field, one, nil)
			return matches(v)
		})
	}, nil
}

func prefixQuery(_ string, value any, _ map[string]any) (func(any) bool, error) {
	wanted := textOf(value)
	return func(v any) bool { return strings.HasPrefix(textOf(v), wanted) }, nil
}

func wildcardQuery(_ string, value any, _ map[string]any) (func(any) bool, error) {
	pattern := textOf(value)
	return func(v any) bool { return matchStars(pattern, textOf(v)) }, nil
}

func rangeQuery(field string, _ any, options map[string]any) (func(any) bool, error) {
	if options == nil {
		return nil, service.Errorf("parsing_exception", "the range of %s must be an object", field)
	}
	return func(v any) bool {
		for name, bound := range options {
			c := compareValues(v, bound)
			ok := true
			switch name {
			case "gt":
				ok = c > 0
			case "gte":
				ok = c >= 0
			case "lt":
				ok = c < 0
			case "lte":
				ok = c <= 0
			}
			if !ok {
				return false
			}
		}
		return true
	}, nil
}

func existsQuery(raw json.RawMessage) (predicate, error) {
	var in struct{ Field string }
	if err := json.Unmarshal(raw, &in); err != nil || in.Field == "" {
		return nil, service.Errorf("parsing_exception", "exists needs a field")
	}
	return func(_ string, source map[string]any) bool { return len(valuesAt(source, in.Field)) > 0 }, nil
}

func idsQuery(raw json.RawMessage) (predicate, error) {
	var in struct{ Values []string }
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, service.Errorf("parsing_exception", "ids needs values")
	}
	return func(id string, _ map[string]any) bool { return slices.Contains(in.Values, id) }, nil
}

// clauses reads one query or a list of them.
func clauses(raw json.RawMessage) ([]predicate, error) {
	var list []json.RawMessage
	if len(raw) == 0 {
		return nil, nil
	}
	if json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{raw}
	}
	var all []predicate
	for _, one := range list {
		p, err := parseQuery(one)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func boolQuery(raw json.RawMessage) (predicate, error) {
	var in map[string]json.RawMessage
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, service.Errorf("parsing_exception", "bool cannot be read: %v", err)
	}
	var must, should, mustNot []predicate
	for _, group := range []struct {
		name string
		to   *[]predicate
	}{{"must", &must}, {"filter", &must}, {"should", &should}, {"must_not", &mustNot}} {
		all, err := clauses(in[group.name])
		if err != nil {
			return nil, err
		}
		*group.to = append(*group.to, all...)
	}
	least := 0
	if len(must) == 0 && len(should) > 0 {
		least = 1
	}
	if text := strings.Trim(string(in["minimum_should_match"]), `"`); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, service.Errorf("parsing_exception", "minimum_should_match must be a number")
		}
		least = n
	}
	return func(id string, source map[string]any) bool {
		for _, p := range must {
			if !p(id, source) {
				return false
			}
		}
		for _, p := range mustNot {
			if p(id, source) {
				return false
			}
		}
		n := 0
		for _, p := range should {
			if p(id, source) {
				n++
			}
		}
		return n >= least
	}, nil
}

func queryStringQuery(raw json.RawMessage) (predicate, error) {
	var in struct {
		Query        string
		DefaultField string `json:"default_field"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, service.Errorf("parsing_exception", "query_string cannot be read: %v", err)
	}
	return parseQueryString(in.Query, strings.Trim(in.DefaultField, "*"))
}

// queryString parses words, "phrases", field:word, AND, OR, NOT and brackets.
type queryString struct {
	tokens []string
	field  string
}

// maxBrackets bounds how deep a query string may be nested.
const maxBrackets = 50

func parseQueryString(text, field string) (predicate, error) {
	q := &queryString{tokens: queryTokens(text), field: field}
	p, err := q.or(0)
	if err == nil && len(q.tokens) > 0 {
		err = service.Errorf("parsing_exception", "cannot parse the query string at %q", q.tokens[0])
	}
	return p, err
}

// queryTokens takes a query string apart. A phrase stays one, with its field.
func queryTokens(text string) []string {
	var tokens []string
	current, quoted := "", false
	flush := func() {
		if current != "" {
			tokens = append(tokens, current)
		}
		current = ""
	}
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
			current += `"`
		case quoted:
			current += string(r)
		case unicode.IsSpace(r):
			flush()
		case r == '(' || r == ')':
			flush()
			tokens = append(tokens, string(r))
		default:
			current += string(r)
		}
	}
	flush()
	return tokens
}

func (q *queryString) take(words ...string) bool {
	if len(q.tokens) > 0 && slices.Contains(words, q.tokens[0]) {
		q.tokens = q.tokens[1:]
		return true
	}
	return false
}

func (q *queryString) or(depth int) (predicate, error) {
	left, err := q.and(depth)
	for err == nil && len(q.tokens) > 0 && q.tokens[0] != ")" {
		q.take("OR", "||")
		var right predicate
		a := left
		if right, err = q.and(depth); err == nil {
			left = func(id string, source map[string]any) bool { return a(id, source) || right(id, source) }
		}
	}
	return left, err
}

func (q *queryString) and(depth int) (predicate, error) {
	left, err := q.one(depth)
	for err == nil && q.take("AND", "&&") {
		var right predicate
		a := left
		if right, err = q.one(depth); err == nil {
			left = func(id string, source map[string]any) bool { return a(id, source) && right(id, source) }
		}
	}
	return left, err
}

func (q *queryString) one(depth int) (predicate, error) {
	switch {
	case depth > maxBrackets:
		return nil, service.Errorf("parsing_exception", "the query string is nested too deep")
	case len(q.tokens) == 0:
		return nil, service.Errorf("parsing_exception", "the query string ends early")
	case q.take("NOT", "!"):
		p, err := q.one(depth + 1)
		if err != nil {
			return nil, err
		}
		return not(p), nil
	case q.take("("):
		p, err := q.or(depth + 1)
		if err == nil && !q.take(")") {
			err = service.Errorf("parsing_exception", "a bracket of the query string is open")
		}
		return p, err
	}
	token := q.tokens[0]
	q.tokens = q.tokens[1:]
	field, text := q.field, token
	if name, rest, ok := strings.Cut(token, ":"); ok && !strings.HasPrefix(token, `"`) && rest != "" {
		field, text = name, rest
	}
	return wordPredicate(field, text), nil
}

// wordPredicate looks for a word or phrase in a field, "" for all fields.
func wordPredicate(field, text string) predicate {
	if field == "_exists_" {
		return func(_ string, source map[string]any) bool { return len(valuesAt(source, text)) > 0 }
	}
	if text == "*" {
		return everything
	}
	matches, _ := phraseQuery(field, strings.Trim(text, `"`), nil)
	if strings.Contains(text, "*") && !strings.Contains(text, `"`) {
		pattern := strings.ToLower(text)
		matches = func(v any) bool {
			whole := strings.ToLower(textOf(v))
			return matchStars(pattern, whole) || slices.ContainsFunc(words(whole), func(w string) bool { return matchStars(pattern, w) })
		}
	}
	return func(_ string, source map[string]any) bool {
		if field != "" {
			return slices.ContainsFunc(valuesAt(source, strings.TrimSuffix(field, ".keyword")), matches)
		}
		return anywhere(source, matches)
	}
}

// anywhere says whether any value of a document matches.
func anywhere(value any, matches func(any) bool) bool {
	switch v := value.(type) {
	case map[string]any:
		for _, inner := range v {
			if anywhere(inner, matches) {
				return true
			}
		}
		return false
	case []any:
		return slices.ContainsFunc(v, func(inner any) bool { return anywhere(inner, matches) })
	case nil:
		return false
	}
	return matches(value)
}
