package apigateway

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/model"
)

func apiOf(protocol model.Protocol, keys ...string) *model.API {
	api := &model.API{ID: model.ID{Path: "Shop/Api", Name: "Api"}, Protocol: protocol, APIID: "abcdef1234", StageName: "$default"}
	if protocol == model.REST {
		api.StageName = "prod"
	}
	for _, key := range keys {
		route := &model.Route{Method: "ANY", Path: key, AuthorizationType: "NONE", PayloadFormatVersion: "2.0", Function: &model.Function{ID: model.ID{Name: "Hello"}}}
		if method, path, ok := strings.Cut(key, " "); ok {
			route.Method, route.Path = method, path
		}
		api.Routes = append(api.Routes, route)
	}
	return api
}

// The rows without an address follow from the rules of the first's.
func TestRouter(t *testing.T) {
	const priorities = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html#http-api-develop-routes.evaluation"
	documented := []string{"GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"}
	for _, test := range []struct {
		documentation string
		routes        []string
		request       string
		want          string // route, then name=value
	}{
		{priorities, documented, "GET /pets/dog/1", "GET /pets/dog/1"},
		{priorities, documented, "GET /pets/dog/2", "GET /pets/dog/{id} id=2"},
		{priorities, documented, "GET /pets/cat/1", "GET /pets/{proxy+} proxy=cat/1"},
		{priorities, documented, "POST /test/5", "ANY /{proxy+} proxy=test/5"},
		{priorities, documented, "GET /", "ANY $default"},
		{"a method goes before ANY", []string{"ANY /a", "GET /a"}, "GET /a", "GET /a"},
		{"ANY takes the other methods", []string{"ANY /a", "GET /a"}, "PUT /a", "ANY /a"},
		{"a full match for ANY goes before a greedy one for the method", []string{"ANY /a/b", "GET /a/{proxy+}"}, "GET /a/b", "ANY /a/b"},
		{"a full match goes before a greedy one deeper in", []string{"GET /a/{proxy+}", "GET /{x}/b"}, "GET /a/b", "GET /{x}/b x=a"},
		{"no method at the full match", []string{"GET /a/{id}", "POST /a/{proxy+}"}, "POST /a/1", "POST /a/{proxy+} proxy=1"},
		{"a literal goes before a variable", []string{"GET /{x}/c", "GET /a/{y}"}, "GET /a/c", "GET /a/{y} y=c"},
		{"back to the variable where the literal leads nowhere", []string{"GET /{x}/d", "GET /a/c"}, "GET /a/d", "GET /{x}/d x=a"},
		{"the longest greedy one", []string{"GET /{a+}", "GET /x/{b+}"}, "GET /x/y/z", "GET /x/{b+} b=y/z"},
		{"a greedy variable stands for something", []string{"GET /x/{b+}"}, "GET /x", ""},
		{"nor for an empty rest", []string{"GET /x/{b+}"}, "GET /x/", ""},
		{"a variable stands for something", []string{"GET /x/{b}/y"}, "GET /x//y", ""},
		{"a slash at the end counts", []string{"GET /x"}, "GET /x/", ""},
		{"two slashes are an empty segment", []string{"GET /x"}, "GET //x", ""},
		{"dots are data", []string{"GET /{proxy+}"}, "GET /a/../../etc/passwd", "GET /{proxy+} proxy=a/../../etc/passwd"},
		{"a name with a hyphen and a dot", []string{"GET /h/{user-id.x}"}, "GET /h/7", "GET /h/{user-id.x} user-id.x=7"},
		{"paths know upper and lower case", []string{"GET /x"}, "GET /X", ""},
		{"the root", []string{"GET /"}, "GET /", "GET /"},
		{"two variables", []string{"GET /{a}/x/{b}"}, "GET /1/x/2", "GET /{a}/x/{b} a=1 b=2"},
	} {
		t.Run(test.documentation+" "+test.request, func(t *testing.T) {
			method, path, _ := strings.Cut(test.request, " ")
			got := ""
			if m, ok := newRouter(apiOf(model.HTTP, test.routes...)).find(method, path); ok {
				got = m.method + " " + m.path
				parameters := m.parameters()
				for _, name := range sortedKeys(parameters) {
					got += " " + name + "=" + parameters[name]
				}
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// FuzzRouter compares the router with a slow one that looks at every route.
func FuzzRouter(f *testing.F) {
	f.Add("GET /a/{b}\nANY /{c+}\n$default", "GET", "/a/b")
	f.Add("GET /{a}/x\nGET /y/{b+}\nPOST /y/x", "POST", "/y/x")
	f.Add("GET /a//b\nGET /\nGET /{x+}", "GET", "//")
	f.Fuzz(func(t *testing.T, keys, method, path string) {
		path = "/" + strings.TrimPrefix(path, "/")
		var routes []string
		seen := map[string]bool{}
		for key := range strings.SplitSeq(keys, "\n") {
			key = strings.ToValidUTF8(key, "")
			verb, where, ok := strings.Cut(key, " ")
			if !ok {
				verb, where = "ANY", key
			}
			// API Gateway takes no others, and no two of the same shape.
			shape := verb + " " + shapeOf(where)
			if seen[shape] || verb == "" || verb != strings.ToUpper(verb) || where != "$default" && !strings.HasPrefix(where, "/") || len(routes) > 8 ||
				strings.Contains(strings.TrimSuffix(where, "+}"), "+}") {
				continue
			}
			seen[shape] = true
			routes = append(routes, verb+" "+where)
		}
		m, ok := newRouter(apiOf(model.HTTP, routes...)).find(method, path)
		want, values, found := slowFind(routes, method, path)
		if ok != found {
			t.Fatalf("%q in %q: found %v, want %v (%q)", method+" "+path, routes, ok, found, want)
		}
		if ok && (m.method+" "+m.path != want || !maps.Equal(m.parameters(), values)) {
			t.Errorf("%q in %q: got %s %v, want %s %v", method+" "+path, routes, m.method+" "+m.path, m.parameters(), want, values)
		}
	})
}

// shapeOf is a path without the names of its variables.
func shapeOf(path string) string {
	parts := segments(path)
	for i, part := range parts {
		if name, ok := variableName(part); ok {
			parts[i] = "{}"
			if strings.HasSuffix(name, "+") {
				parts[i] = "{+}"
			}
		}
	}
	return fmt.Sprintf("%v %q", path == "$default", parts)
}

// slowFind ranks all routes that match: by full, greedy and default, then by
// segment from the left (literal, variable, greedy), then by the method.
func slowFind(routes []string, method, path string) (best string, values map[string]string, found bool) {
	bestRank := ""
	for _, route := range routes {
		verb, where, _ := strings.Cut(route, " ")
		if verb != method && verb != "ANY" {
			continue
		}
		rank, matched, ok := rankOf(where, path)
		if !ok {
			continue
		}
		rank += map[bool]string{true: "0", false: "1"}[verb == method]
		if !found || rank < bestRank {
			best, values, bestRank, found = route, matched, rank, true
		}
	}
	return best, values, found
}

func rankOf(where, path string) (rank string, values map[string]string, ok bool) {
	if where == "$default" {
		return "2", nil, true
	}
	want, have := segments(where), segments(path)
	kind, ranks := "0", ""
	for i, segment := range want {
		name, variable := variableName(segment)
		switch {
		case variable && strings.HasSuffix(name, "+"):
			rest := strings.Join(have[min(i, len(have)):], "/")
			if rest == "" {
				return "", nil, false
			}
			values = with(values, strings.TrimSuffix(name, "+"), rest)
			return "1" + ranks + "2", values, true
		case i >= len(have), variable && have[i] == "", !variable && have[i] != segment:
			return "", nil, false
		case variable:
			values = with(values, name, have[i])
			ranks += "1"
		default:
			ranks += "0"
		}
	}
	return kind + ranks, values, len(want) == len(have)
}

func with(values map[string]string, name, value string) map[string]string {
	if values == nil {
		values = map[string]string{}
	}
	values[name] = value
	return values
}
