package samtemplate

import (
	"regexp"
	"sort"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// routes are an API's routes in the order that the SAM CLI needs: where two
// match, it takes the later, so ANY comes before a method and "$default" first.
// What it would serve otherwise than API Gateway is noted, and what would take
// the whole API down is changed.
func (w *writer) routes(api *model.API) []*model.Route {
	var kept []*model.Route
	for _, route := range api.Routes {
		if !w.writes(route.Function) {
			w.warn(api.Path, "route %q is left out with its function %s", routeKey(route), route.Function.Path)
			continue
		}
		if strings.ContainsAny(route.Path, "<>") {
			w.warn(api.Path, "route %q is left out: the SAM CLI takes <...> in a path for a parameter", routeKey(route))
			continue
		}
		w.noteRoute(api, route)
		kept = append(kept, w.servable(api, route))
	}
	for _, static := range api.StaticRoutes {
		if static.Unserved == "" && static.Method != "OPTIONS" {
			w.warn(api.Path, "route %q answers by itself, which the SAM CLI does not serve", static.Method+" "+static.Path)
		}
	}
	sort.SliceStable(kept, func(i, j int) bool {
		a, b := kept[i], kept[j]
		if rank(a) != rank(b) {
			return rank(a) < rank(b)
		}
		return routeKey(a) < routeKey(b)
	})
	return kept
}

// noteRoute says what the SAM CLI does not do for a route.
func (w *writer) noteRoute(api *model.API, route *model.Route) {
	if route.AuthorizationType != "NONE" && !w.servesAuthorizer(route.Authorizer) {
		w.warn(api.Path, "route %q is open to everyone in the SAM CLI: it has no %s authorizer there", routeKey(route), route.AuthorizationType)
	}
	if route.APIKeyRequired {
		w.warn(api.Path, "route %q asks for no API key in the SAM CLI", routeKey(route))
	}
	if api.ResponseStream {
		w.warn(api.Path, "the SAM CLI gives the response of a function URL as a whole, not as a stream")
	}
}

func rank(route *model.Route) int {
	switch {
	case route.Path == "$default":
		return 0
	case route.Method == "ANY":
		return 1
	}
	return 2
}

// parameter is a path parameter, with the "+" of a greedy one apart.
var parameter = regexp.MustCompile(`\{([^{}+]+)(\+?)\}`)

var badInParameter = regexp.MustCompile(`[^A-Za-z0-9_]`)

// servable renames path parameters that make the SAM CLI's server fail as a
// whole: those that are no Python identifier, or that stand in a path twice.
func (w *writer) servable(api *model.API, route *model.Route) *model.Route {
	seen := map[string]bool{}
	path := parameter.ReplaceAllStringFunc(route.Path, func(match string) string {
		groups := parameter.FindStringSubmatch(match)
		name := badInParameter.ReplaceAllString(groups[1], "_")
		for name[0] >= '0' && name[0] <= '9' || seen[name] {
			name = "_" + name
		}
		seen[name] = true
		return "{" + name + groups[2] + "}"
	})
	if path == route.Path {
		return route
	}
	w.warn(api.Path, "the SAM CLI cannot serve route %q; it is written as %q, so pathParameters has other names there", routeKey(route), path)
	renamed := *route
	renamed.Path = path
	return &renamed
}

func routeKey(route *model.Route) string {
	if route.Path == "$default" {
		return route.Path
	}
	return route.Method + " " + route.Path
}

// routeName is a route as part of a logical id: "GetOrdersId".
func routeName(route *model.Route) string {
	var name strings.Builder
	for _, word := range words(strings.ToLower(route.Method) + " " + route.Path) {
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String()
}
