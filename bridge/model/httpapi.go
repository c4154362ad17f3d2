package model

import (
	"cmp"
	"strings"
)

// httpAPI reads an HTTP API with its stage, routes and integrations, which are
// resources of their own that name the API by its id.
func (r *reader) httpAPI(res *resource) {
	if !r.active(res) {
		return
	}
	if protocol := r.text(res, "ProtocolType"); protocol == "WEBSOCKET" {
		r.warn(res, "ProtocolType", "a WebSocket API is not served locally yet; its functions can be invoked by name")
		return
	}
	if res.r.Properties["Body"] != nil || res.r.Properties["BodyS3Location"] != nil {
		r.warn(res, "Body", "an HTTP API that an OpenAPI body defines is not served locally yet; its functions can be invoked by name")
		return
	}
	api := &HTTPAPI{ID: res.identity(), StageName: "$default", CORS: r.cors(res)}
	parts := r.partsOf(res)
	for _, stage := range parts["AWS::ApiGatewayV2::Stage"] {
		api.StageName = r.text(stage, "StageName")
		api.StageVariables = r.textMap(stage, "StageVariables")
	}
	if target := r.text(res, "Target"); target != "" {
		r.quickRoute(res, api, target)
	}
	for _, route := range parts["AWS::ApiGatewayV2::Route"] {
		r.route(route, api, parts["AWS::ApiGatewayV2::Integration"])
	}
	r.app.HTTPAPIs = append(r.app.HTTPAPIs, api)
}

// partsOf are the active resources of API Gateway that belong to an API, by
// type. An API in one stack may have its routes in another.
func (r *reader) partsOf(api *resource) map[string][]*resource {
	id := r.ref(api)
	parts := map[string][]*resource{}
	for _, res := range r.resources {
		switch res.r.Type {
		case "AWS::ApiGatewayV2::Stage", "AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Integration":
			if r.text(res, "ApiId") == id && r.active(res) {
				parts[res.r.Type] = append(parts[res.r.Type], res)
			}
		}
	}
	return parts
}

// ref is what Ref gives for the resource.
func (r *reader) ref(res *resource) string {
	id, problems := res.scope.String(map[string]any{"Ref": res.id}, "Resources."+res.id)
	r.problems(res, problems)
	return id
}

func (r *reader) route(res *resource, api *HTTPAPI, integrations []*resource) {
	key := r.text(res, "RouteKey")
	target := strings.TrimPrefix(r.text(res, "Target"), "integrations/")
	for _, integration := range integrations {
		if r.ref(integration) == target {
			route := newRoute(key)
			route.AuthorizationType = cmp.Or(r.text(res, "AuthorizationType"), "NONE")
			r.integrate(res, integration, api, route)
			return
		}
	}
	r.warn(res, "Target", "route %q has no integration in the application; it is left out", key)
}

// integrate sets what a route's integration says and adds the route, if a
// function of the application answers it.
func (r *reader) integrate(res, integration *resource, api *HTTPAPI, route *Route) {
	name := strings.TrimSpace(route.Method + " " + route.Path)
	if kind := r.text(integration, "IntegrationType"); kind != "AWS_PROXY" || r.text(integration, "IntegrationSubtype") != "" {
		r.warn(res, "Target", "route %q does not go to a function (%s); it is left out", name, kind)
		return
	}
	uri := r.text(integration, "IntegrationUri")
	route.Function = r.functionByARN(uri)
	if route.Function == nil {
		r.warn(integration, "IntegrationUri", "route %q goes to %s, which is no function of the application; it is left out", name, uri)
		return
	}
	route.PayloadFormatVersion = cmp.Or(r.text(integration, "PayloadFormatVersion"), "1.0")
	route.TimeoutMillis = r.number(integration, "TimeoutInMillis", defaultIntegrationTimeout)
	api.Routes = append(api.Routes, route)
}

// defaultIntegrationTimeout is API Gateway's, in milliseconds. See
// AWS::ApiGatewayV2::Integration in the AWS CloudFormation Template Reference.
const defaultIntegrationTimeout = 30000

func newRoute(key string) *Route {
	method, path, ok := strings.Cut(key, " ")
	if !ok {
		return &Route{Method: "ANY", Path: key}
	}
	return &Route{Method: method, Path: path}
}

// quickRoute is the route that an API with a Target makes by itself ("quick
// create").
func (r *reader) quickRoute(res *resource, api *HTTPAPI, target string) {
	f := r.functionByARN(target)
	if f == nil {
		r.warn(res, "Target", "the API goes to %s, which is no function of the application", target)
		return
	}
	route := newRoute(cmp.Or(r.text(res, "RouteKey"), "$default"))
	route.Function, route.PayloadFormatVersion, route.TimeoutMillis, route.AuthorizationType = f, "2.0", defaultIntegrationTimeout, "NONE"
	api.Routes = append(api.Routes, route)
}

// functionByARN finds a function by an ARN that may name a version or alias,
// or be wrapped as an API Gateway invocation URI.
func (r *reader) functionByARN(arn string) *Function {
	if i := strings.Index(arn, "/functions/"); i >= 0 {
		arn = strings.TrimSuffix(arn[i+len("/functions/"):], "/invocations")
	}
	if f, ok := r.functions[arn]; ok {
		return f
	}
	if parts := strings.Split(arn, ":"); len(parts) == 8 {
		return r.functions[strings.Join(parts[:7], ":")]
	}
	return nil
}

func (r *reader) cors(res *resource) *CORS {
	if res.r.Properties["CorsConfiguration"] == nil {
		return nil
	}
	return &CORS{
		AllowCredentials: r.text(res, "CorsConfiguration.AllowCredentials") == "true",
		AllowHeaders:     r.texts(res, "CorsConfiguration.AllowHeaders"),
		AllowMethods:     r.texts(res, "CorsConfiguration.AllowMethods"),
		AllowOrigins:     r.texts(res, "CorsConfiguration.AllowOrigins"),
		ExposeHeaders:    r.texts(res, "CorsConfiguration.ExposeHeaders"),
		MaxAge:           r.number(res, "CorsConfiguration.MaxAge", 0),
	}
}
