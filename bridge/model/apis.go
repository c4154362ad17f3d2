package model

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// What API Gateway takes for the timeout of an integration, in milliseconds.
// See AWS::ApiGatewayV2::Integration and AWS::ApiGateway::Method Integration
// in the AWS CloudFormation Template Reference.
const (
	defaultHTTPTimeout = 30000
	defaultRESTTimeout = 29000
)

// apiV2 reads an HTTP or WebSocket API with its stage, routes, integrations
// and authorizers, which are resources of their own that name the API by its
// id.
func (r *reader) apiV2(res *resource) {
	parts := r.partsOf(res, "ApiId", "AWS::ApiGatewayV2::")
	if r.text(res, "ProtocolType") == "WEBSOCKET" {
		r.webSocketAPI(res, parts)
		return
	}
	api := &API{ID: res.identity(), Protocol: HTTP, APIID: r.ref(res), StageName: "$default", CORS: r.cors(res, "CorsConfiguration")}
	for _, stage := range parts["Stage"] {
		api.StageName = r.text(stage, "StageName")
		api.StageVariables = r.textMap(stage, "StageVariables")
	}
	if target := r.text(res, "Target"); target != "" {
		r.quickRoute(res, api, target)
	}
	if res.r.Properties["Body"] != nil || res.r.Properties["BodyS3Location"] != nil {
		r.openAPI(res, api)
	}
	for _, route := range parts["Route"] {
		r.routeV2(route, api, parts)
	}
	r.app.APIs = append(r.app.APIs, api)
}

// partsOf are the active resources of API Gateway that belong to an API, by
// the end of their type. An API in one stack may have its routes in another.
func (r *reader) partsOf(api *resource, property, family string) map[string][]*resource {
	index, ok := r.parts[family]
	if !ok {
		index = r.indexParts(property, family)
		r.parts[family] = index
	}
	return index[r.ref(api)]
}

// indexParts finds the parts of all APIs at once, by the id of each: a look
// through everything for each API would take its time.
func (r *reader) indexParts(property, family string) map[string]map[string][]*resource {
	index := map[string]map[string][]*resource{}
	for _, res := range r.resources {
		kind, ok := strings.CutPrefix(res.r.Type, family)
		if !ok || res.r.Properties[property] == nil || !r.active(res) {
			continue
		}
		id := r.text(res, property)
		if index[id] == nil {
			index[id] = map[string][]*resource{}
		}
		index[id][kind] = append(index[id][kind], res)
	}
	return index
}

// ref is what Ref gives for the resource.
func (r *reader) ref(res *resource) string {
	id, problems := res.scope.Ref(res.id, "Resources."+res.id)
	r.problems(res, problems)
	return id
}

// find is the part with an id, of all parts of one kind.
func (r *reader) find(parts []*resource, id string) *resource {
	if len(parts) == 0 {
		return nil
	}
	byID, ok := r.byID[parts[0]]
	if !ok {
		byID = map[string]*resource{}
		for _, part := range slices.Backward(parts) { // the first of an id counts
			byID[r.ref(part)] = part
		}
		r.byID[parts[0]] = byID
	}
	return byID[id]
}

// routeV2 reads a route of an HTTP API.
func (r *reader) routeV2(res *resource, api *API, parts map[string][]*resource) {
	route := newRoute(r.text(res, "RouteKey"))
	integration := r.find(parts["Integration"], strings.TrimPrefix(r.text(res, "Target"), "integrations/"))
	if integration == nil {
		r.leave(res, "Target", "route %q has no integration in the application; it is left out", route.key())
		api.unserved(route, "it has no integration")
		return
	}
	route.AuthorizationType = cmp.Or(r.text(res, "AuthorizationType"), "NONE")
	route.Scopes = r.texts(res, "AuthorizationScopes")
	if authorizer := r.find(parts["Authorizer"], r.text(res, "AuthorizerId")); authorizer != nil {
		route.Authorizer = r.authorizerV2(authorizer)
	}
	kind := r.text(integration, "IntegrationType")
	if kind != "AWS_PROXY" || r.text(integration, "IntegrationSubtype") != "" {
		r.leave(res, "Target", "route %q does not go to a function (%s); it is left out", route.key(), kind)
		api.unserved(route, "its integration is "+strings.TrimSpace(kind+" "+r.text(integration, "IntegrationSubtype")))
		return
	}
	route.PayloadFormatVersion = cmp.Or(r.text(integration, "PayloadFormatVersion"), "1.0")
	route.TimeoutMillis = r.number(integration, "TimeoutInMillis", defaultHTTPTimeout)
	r.addRoute(res, api, route, r.text(integration, "IntegrationUri"))
}

// addRoute adds a route if its integration is a function of the application.
func (r *reader) addRoute(res *resource, api *API, route *Route, uri string) {
	route.Function = r.functionByARN(uri)
	if route.Function == nil {
		r.leave(res, "Target", "route %q goes to %s, which is no function of the application; it is left out", route.key(), uri)
		api.unserved(route, "it goes to "+uri+", which is no function of the application")
		return
	}
	api.Routes = append(api.Routes, route)
}

func newRoute(key string) *Route {
	method, path, ok := strings.Cut(key, " ")
	if !ok {
		return &Route{Method: "ANY", Path: key}
	}
	return &Route{Method: method, Path: path}
}

func (route *Route) key() string {
	if route.Path == "$default" {
		return route.Path
	}
	return route.Method + " " + route.Path
}

// quickRoute is the route that an API with a Target makes by itself ("quick
// create").
func (r *reader) quickRoute(res *resource, api *API, target string) {
	route := newRoute(cmp.Or(r.text(res, "RouteKey"), "$default"))
	route.PayloadFormatVersion, route.TimeoutMillis, route.AuthorizationType = "2.0", defaultHTTPTimeout, "NONE"
	r.addRoute(res, api, route, target)
}

// functionByARN finds a function by an ARN that may name a version or alias,
// or be wrapped as an API Gateway invocation URI.
func (r *reader) functionByARN(arn string) *Function {
	if _, wrapped, ok := strings.Cut(arn, "/functions/"); ok {
		arn, _, _ = strings.Cut(wrapped, "/") // "/invocations", or "/response-streaming-invocations"
	}
	if f, ok := r.functions[arn]; ok {
		return f
	}
	if parts := strings.Split(arn, ":"); len(parts) == 8 {
		return r.functions[strings.Join(parts[:7], ":")]
	}
	return nil
}

// functionByName finds the function that a name or ARN means in the resource's
// own region and account.
func (r *reader) functionByName(res *resource, name string) *Function {
	if f := r.functionByARN(name); f != nil {
		return f
	}
	p := res.scope.Pseudo
	return r.functionByARN("arn:" + p.Partition + ":lambda:" + p.Region + ":" + p.AccountID + ":function:" + name)
}

// cors reads the configuration that HTTP APIs and function URLs share.
func (r *reader) cors(res *resource, property string) *CORS {
	if res.r.Properties[property] == nil {
		return nil
	}
	return &CORS{
		AllowCredentials: r.text(res, property+".AllowCredentials") == "true",
		AllowHeaders:     r.texts(res, property+".AllowHeaders"),
		AllowMethods:     r.texts(res, property+".AllowMethods"),
		AllowOrigins:     r.texts(res, property+".AllowOrigins"),
		ExposeHeaders:    r.texts(res, property+".ExposeHeaders"),
		MaxAge:           r.number(res, property+".MaxAge", 0),
	}
}

// authorizerV2 reads an authorizer of an HTTP API, once.
func (r *reader) authorizerV2(res *resource) *Authorizer {
	if known, ok := r.authorizers[res]; ok {
		return known
	}
	a := &Authorizer{
		ID:                    res.identity(),
		Type:                  r.text(res, "AuthorizerType"),
		IdentitySource:        r.texts(res, "IdentitySource"),
		PayloadFormatVersion:  r.text(res, "AuthorizerPayloadFormatVersion"),
		EnableSimpleResponses: r.text(res, "EnableSimpleResponses") == "true",
		ResultTTL:             time.Duration(r.number(res, "AuthorizerResultTtlInSeconds", 0)) * time.Second,
		Issuer:                r.text(res, "JwtConfiguration.Issuer"),
		Audience:              r.texts(res, "JwtConfiguration.Audience"),
	}
	a.Name = cmp.Or(r.text(res, "Name"), pathEnd(res.path, 1))
	if uri := r.text(res, "AuthorizerUri"); uri != "" {
		a.Function = r.functionByARN(uri)
	}
	r.authorizers[res] = a
	return a
}

// urlID is the first label of an address's host.
func urlID(address string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(address, "https://"), ".")
	return host
}

// functionURL reads a function's own endpoint as an API with one route.
func (r *reader) functionURL(res *resource) {
	api := &API{
		ID: res.identity(), Protocol: FunctionURL, StageName: "$default", CORS: r.cors(res, "Cors"),
		APIID: urlID(r.attribute(res, "FunctionUrl")), ResponseStream: r.text(res, "InvokeMode") == "RESPONSE_STREAM",
	}
	route := &Route{Method: "ANY", Path: "$default", PayloadFormatVersion: "2.0", AuthorizationType: cmp.Or(r.text(res, "AuthType"), "NONE")}
	target := r.text(res, "TargetFunctionArn")
	if route.Function = r.functionByName(res, target); route.Function == nil {
		r.leave(res, "TargetFunctionArn", "it is the URL of %s, which is no function of the application", target)
		return
	}
	route.TimeoutMillis = int(route.Function.Timeout / time.Millisecond)
	api.Routes = []*Route{route}
	r.app.APIs = append(r.app.APIs, api)
}
