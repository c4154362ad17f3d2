package apigateway

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// router finds the route of a request, by the rules of
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
// for an HTTP API, and for a REST API by those of
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
type router struct {
	root     *node
	fallback *target // $default
	// crossOrigin says that a route answers a browser's preflight requests.
	crossOrigin bool
}

// node is a segment of a path: its literal children, and at most one child
// that is a variable and one that is greedy.
type node struct {
	literals map[string]*node
	variable *node
	greedy   *node
	// methods are the targets by method, "ANY" among them.
	methods map[string]*target
}

// target is where a request goes: a route to a function, or a static one.
type target struct {
	method, path string
	// names are the path's variables in their order, without "+".
	names  []string
	route  *model.Route
	static *model.StaticRoute
}

// match is a route with the values of its path's variables. They are as the
// path gave them.
type match struct {
	*target
	values []string
}

func newRouter(api *model.API) *router {
	r := &router{root: &node{}}
	// A route to a function comes last, so that it wins over a static one of
	// the same key, which only a template with an error has.
	for _, static := range api.StaticRoutes {
		r.add(&target{method: static.Method, path: static.Path, static: static})
	}
	for _, route := range api.Routes {
		r.add(&target{method: route.Method, path: route.Path, route: route})
	}
	return r
}

func (r *router) add(t *target) {
	t.method = strings.ToUpper(cmp.Or(t.method, "ANY"))
	r.crossOrigin = r.crossOrigin || t.method == "OPTIONS"
	if t.path == "$default" {
		r.fallback = t
		return
	}
	at := r.root
	for _, segment := range segments(t.path) {
		name, variable := variableName(segment)
		switch {
		case !variable:
			at = at.literal(segment)
		case strings.HasSuffix(name, "+"):
			at.greedy = orNew(at.greedy)
			at = at.greedy
			name = strings.TrimSuffix(name, "+")
		default:
			at.variable = orNew(at.variable)
			at = at.variable
		}
		if variable {
			t.names = append(t.names, name)
		}
	}
	if at.methods == nil {
		at.methods = map[string]*target{}
	}
	at.methods[t.method] = t
}

func orNew(n *node) *node {
	if n == nil {
		return &node{}
	}
	return n
}

func (n *node) literal(segment string) *node {
	if n.literals == nil {
		n.literals = map[string]*node{}
	}
	n.literals[segment] = orNew(n.literals[segment])
	return n.literals[segment]
}

// variableName is "id" of "{id}" and "proxy+" of "{proxy+}".
func variableName(segment string) (string, bool) {
	if len(segment) > 2 && segment[0] == '{' && segment[len(segment)-1] == '}' {
		return segment[1 : len(segment)-1], true
	}
	return "", false
}

// segments are the parts of a path that begins with "/". That of "/" has none;
// "/a/" has an empty second one.
func segments(path string) []string {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// find gives the route with the most specific match: a full one, then a greedy
// one, then $default. Among full matches, and among greedy ones, a literal
// segment goes before a variable, from left to right.
func (r *router) find(method, path string) (match, bool) {
	s := search{method: method, segments: segments(path)}
	if t := s.full(r.root, 0); t != nil {
		return match{t, slices.Clone(s.values)}, true
	}
	s.values = s.values[:0]
	if t := s.greedily(r.root, 0); t != nil {
		return match{t, slices.Clone(s.values)}, true
	}
	if r.fallback != nil {
		return match{target: r.fallback}, true
	}
	return match{}, false
}

// search is one look through the tree. A variable never stands for nothing.
type search struct {
	method   string
	segments []string
	values   []string
}

func (s *search) full(n *node, depth int) *target {
	if depth == len(s.segments) {
		return n.target(s.method)
	}
	segment := s.segments[depth]
	if child := n.literals[segment]; child != nil {
		if t := s.full(child, depth+1); t != nil {
			return t
		}
	}
	if n.variable == nil || segment == "" {
		return nil
	}
	s.values = append(s.values, segment)
	if t := s.full(n.variable, depth+1); t != nil {
		return t
	}
	s.values = s.values[:len(s.values)-1]
	return nil
}

func (s *search) greedily(n *node, depth int) *target {
	if depth == len(s.segments) {
		return nil
	}
	segment := s.segments[depth]
	if child := n.literals[segment]; child != nil {
		if t := s.greedily(child, depth+1); t != nil {
			return t
		}
	}
	if n.variable != nil && segment != "" {
		s.values = append(s.values, segment)
		if t := s.greedily(n.variable, depth+1); t != nil {
			return t
		}
		s.values = s.values[:len(s.values)-1]
	}
	if n.greedy == nil {
		return nil
	}
	rest := strings.Join(s.segments[depth:], "/")
	t := n.greedy.target(s.method)
	if t == nil || rest == "" {
		return nil
	}
	s.values = append(s.values, rest)
	return t
}

// target is the one of a method: its own, or that of ANY.
func (n *node) target(method string) *target {
	if t := n.methods[method]; t != nil {
		return t
	}
	return n.methods["ANY"]
}

// parameters are the path parameters, nil where the path has no variable.
func (m match) parameters() map[string]string {
	if len(m.values) == 0 {
		return nil
	}
	parameters := make(map[string]string, len(m.values))
	for i, name := range m.names {
		parameters[name] = m.values[i]
	}
	return parameters
}
