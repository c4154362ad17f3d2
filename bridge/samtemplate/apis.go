package samtemplate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// nativeHTTP is an HTTP API, or a function URL as an HTTP API, as the SAM CLI
// reads it: the stage's variables are called Variables there, and each route
// has an OperationName of its own, since routes that share one are merged.
func (w *writer) nativeHTTP(api *model.API) section {
	id := w.names.logicalID(api)
	properties := section{{"Name", api.Name}, {"ProtocolType", "HTTP"}}
	if api.CORS != nil {
		properties = append(properties, entry{"CorsConfiguration", corsConfiguration(api.CORS)})
	}
	s := section{
		{id, resource("AWS::ApiGatewayV2::Api", properties, nil)},
		{w.names.take(id+"Stage", ""), resource("AWS::ApiGatewayV2::Stage", w.stage("ApiId", api), nil)},
	}
	authorizers := w.authorizers(&s, api)
	for _, route := range w.routes(api) {
		name := w.names.take(id+routeName(route), "Route")
		integration := name + "Integration"
		properties := section{
			{"ApiId", id},
			{"RouteKey", routeKey(route)},
			{"OperationName", name},
			{"Target", "integrations/" + integration},
		}
		if authorizer, ok := authorizers[route.Authorizer]; ok {
			properties = append(properties, entry{"AuthorizationType", "CUSTOM"}, entry{"AuthorizerId", authorizer})
		}
		s = append(s,
			entry{integration, resource("AWS::ApiGatewayV2::Integration", section{
				{"ApiId", id},
				{"IntegrationType", "AWS_PROXY"},
				{"IntegrationUri", localARN(w.names.logicalID(route.Function))},
				{"PayloadFormatVersion", route.PayloadFormatVersion},
			}, nil)},
			entry{name, resource("AWS::ApiGatewayV2::Route", properties, nil)})
	}
	return s
}

func (w *writer) stage(idProperty string, api *model.API) section {
	stage := section{{idProperty, w.names.logicalID(api)}, {"StageName", api.StageName}}
	if len(api.StageVariables) > 0 {
		stage = append(stage, entry{"Variables", api.StageVariables})
	}
	return stage
}

// nativeREST is a REST API with its resources and methods. The SAM CLI reads
// BinaryMediaTypes only beside a Body, so an empty one is written with them.
func (w *writer) nativeREST(api *model.API) section {
	id := w.names.logicalID(api)
	properties := section{{"Name", api.Name}}
	if len(api.BinaryMediaTypes) > 0 {
		properties = append(properties,
			entry{"BinaryMediaTypes", api.BinaryMediaTypes},
			entry{"Body", section{{"swagger", "2.0"}, {"paths", section{}}}})
	}
	s := section{
		{id, resource("AWS::ApiGateway::RestApi", properties, nil)},
		{w.names.take(id+"Stage", ""), resource("AWS::ApiGateway::Stage", w.stage("RestApiId", api), nil)},
	}
	authorizers := w.authorizers(&s, api)
	routes := w.routes(api)
	resources := map[string]string{"/": "/"}
	differ := authorizersDiffer(routes)
	for _, route := range routes {
		at := w.restResource(&s, id, resources, route.Path)
		name := w.names.take(id+routeName(route), "Method")
		properties := section{{"RestApiId", id}, {"ResourceId", at}, {"HttpMethod", route.Method}}
		if differ[route.Path] {
			properties = append(properties, entry{"OperationName", name})
		}
		if authorizer, ok := authorizers[route.Authorizer]; ok {
			properties = append(properties, entry{"AuthorizationType", "CUSTOM"}, entry{"AuthorizerId", authorizer})
		}
		properties = append(properties, entry{"Integration", section{
			{"Type", "AWS_PROXY"},
			{"IntegrationHttpMethod", "POST"},
			{"Uri", invocationURI(w.names.logicalID(route.Function))},
		}})
		s = append(s, entry{name, resource("AWS::ApiGateway::Method", properties, nil)})
	}
	return w.restCORS(s, api, resources)
}

// restResource adds the resources that lead to a path, and gives the last
// one's id.
func (w *writer) restResource(s *section, api string, resources map[string]string, path string) string {
	if id, ok := resources[path]; ok {
		return id
	}
	cut := strings.LastIndex(path, "/")
	parent := w.restResource(s, api, resources, path[:max(cut, 0)]+rootSlash(cut))
	id := w.names.take(api+"Resource"+routeName(&model.Route{Path: path}), "Resource")
	*s = append(*s, entry{id, resource("AWS::ApiGateway::Resource", section{{"RestApiId", api}, {"ParentId", parent}, {"PathPart", path[cut+1:]}}, nil)})
	resources[path] = id
	return id
}

// rootSlash is the root's path for what stands right below it.
func rootSlash(cut int) string {
	if cut <= 0 {
		return "/"
	}
	return ""
}

// authorizersDiffer says for which paths a method is authorized otherwise than
// another: the SAM CLI would give both the same authorizer.
func authorizersDiffer(routes []*model.Route) map[string]bool {
	first, differ := map[string]*model.Authorizer{}, map[string]bool{}
	for _, route := range routes {
		authorizer, seen := first[route.Path]
		if seen && authorizer != route.Authorizer {
			differ[route.Path] = true
		}
		first[route.Path] = route.Authorizer
	}
	return differ
}

// restCORS adds the OPTIONS methods that answer cross-origin requests. The SAM
// CLI wants their values in quotes, and reads one origin.
func (w *writer) restCORS(s section, api *model.API, resources map[string]string) section {
	if api.CORS == nil {
		return s
	}
	if len(api.CORS.AllowOrigins) > 1 {
		w.warn(api.Path, "the SAM CLI allows one origin of a REST API: %s of %s", api.CORS.AllowOrigins[0], strings.Join(api.CORS.AllowOrigins, ", "))
	}
	parameters := section{}
	add := func(header string, values []string) {
		if len(values) > 0 {
			parameters = append(parameters, entry{"method.response.header.Access-Control-" + header, "'" + strings.Join(values, ",") + "'"})
		}
	}
	add("Allow-Origin", api.CORS.AllowOrigins[:min(1, len(api.CORS.AllowOrigins))])
	add("Allow-Methods", api.CORS.AllowMethods)
	add("Allow-Headers", api.CORS.AllowHeaders)
	if api.CORS.AllowCredentials {
		add("Allow-Credentials", []string{"true"})
	}
	if api.CORS.MaxAge > 0 {
		add("Max-Age", []string{fmt.Sprint(api.CORS.MaxAge)})
	}
	taken := map[string]bool{}
	for _, route := range api.Routes {
		if route.Method == "OPTIONS" {
			taken[route.Path] = true
		}
	}
	for _, path := range slices.Sorted(maps.Keys(resources)) {
		if taken[path] {
			continue
		}
		name := w.names.take(w.names.logicalID(api)+routeName(&model.Route{Method: "OPTIONS", Path: path}), "Method")
		s = append(s, entry{name, resource("AWS::ApiGateway::Method", section{
			{"RestApiId", w.names.logicalID(api)},
			{"ResourceId", resources[path]},
			{"HttpMethod", "OPTIONS"},
			{"Integration", section{
				{"Type", "MOCK"},
				{"IntegrationResponses", []section{{{"StatusCode", "204"}, {"ResponseParameters", parameters}}}},
			}},
		}, nil)})
	}
	return s
}

// authorizers adds the Lambda authorizers of an API's routes, and gives their
// ids. The SAM CLI has no others.
func (w *writer) authorizers(s *section, api *model.API) map[*model.Authorizer]string {
	ids := map[*model.Authorizer]string{}
	for _, route := range api.Routes {
		a := route.Authorizer
		if !w.servesAuthorizer(a) || ids[a] != "" {
			continue
		}
		ids[a] = w.names.take(w.names.logicalID(api)+"Authorizer"+a.Name, "")
		if api.Protocol == model.REST {
			*s = append(*s, entry{ids[a], resource("AWS::ApiGateway::Authorizer", section{
				{"Name", a.Name},
				{"RestApiId", w.names.logicalID(api)},
				{"Type", a.Type},
				{"AuthorizerUri", invocationURI(w.names.logicalID(a.Function))},
				{"IdentitySource", strings.Join(a.IdentitySource, ",")},
			}, nil)})
			continue
		}
		sources := a.IdentitySource
		if sources == nil {
			sources = []string{} // the SAM CLI's server fails without a list
		}
		*s = append(*s, entry{ids[a], resource("AWS::ApiGatewayV2::Authorizer", section{
			{"Name", a.Name},
			{"ApiId", w.names.logicalID(api)},
			{"AuthorizerType", "REQUEST"},
			{"AuthorizerUri", invocationURI(w.names.logicalID(a.Function))},
			{"IdentitySource", sources},
			{"AuthorizerPayloadFormatVersion", a.PayloadFormatVersion},
			{"EnableSimpleResponses", a.EnableSimpleResponses},
		}, nil)})
	}
	return ids
}

// servesAuthorizer says whether the SAM CLI can run an authorizer: it has a
// function that is in the template.
func (w *writer) servesAuthorizer(a *model.Authorizer) bool {
	return a != nil && w.writes(a.Function)
}

// localARN is an ARN that the SAM CLI finds the function by. It reads ARNs of
// the aws partition alone, whatever the region of the stack.
func localARN(name string) string {
	return fmt.Sprintf("arn:aws:lambda:us-east-1:123456789012:function:%s", name)
}

func corsConfiguration(c *model.CORS) section {
	var s section
	add := func(key string, values []string) {
		if len(values) > 0 {
			s = append(s, entry{key, values})
		}
	}
	add("AllowOrigins", c.AllowOrigins)
	add("AllowMethods", c.AllowMethods)
	add("AllowHeaders", c.AllowHeaders)
	add("ExposeHeaders", c.ExposeHeaders)
	if c.AllowCredentials {
		s = append(s, entry{"AllowCredentials", true})
	}
	if c.MaxAge > 0 {
		s = append(s, entry{"MaxAge", c.MaxAge})
	}
	return s
}

// invocationURI is a function as the integration of a REST API names it.
func invocationURI(name string) string {
	return "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + localARN(name) + "/invocations"
}
