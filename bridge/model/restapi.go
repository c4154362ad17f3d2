package model

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// restAPI reads a REST API with its stage, resources, methods and authorizers.
func (r *reader) restAPI(res *resource) {
	api := &API{ID: res.identity(), Protocol: REST, APIID: r.ref(res), StageName: "prod", BinaryMediaTypes: r.texts(res, "BinaryMediaTypes")}
	parts := r.partsOf(res, "RestApiId", "AWS::ApiGateway::")
	for _, stage := range parts["Stage"] {
		api.StageName = r.text(stage, "StageName")
		api.StageVariables = r.textMap(stage, "Variables")
	}
	api.GatewayResponses = r.gatewayResponses(parts["GatewayResponse"])
	api.Models = r.models(parts["Model"])
	if res.r.Properties["Body"] != nil || res.r.Properties["BodyS3Location"] != nil {
		r.openAPI(res, api)
	}
	paths := r.resourcePaths(res, parts["Resource"])
	for _, method := range parts["Method"] {
		r.method(method, api, paths, parts)
	}
	api.APIKeys = r.apiKeys(api)
	r.app.APIs = append(r.app.APIs, api)
}

// resourcePaths are the paths of a REST API's resources by id. A resource
// names its parent, the topmost being the API's root.
func (r *reader) resourcePaths(api *resource, resources []*resource) map[string]string {
	parents, parts := map[string]string{}, map[string]string{}
	for _, res := range resources {
		id := r.ref(res)
		parents[id], parts[id] = r.text(res, "ParentId"), r.text(res, "PathPart")
	}
	root := r.attribute(api, "RootResourceId")
	paths := map[string]string{root: "/"}
	for id := range parts {
		var path []string
		for at := id; at != root && parts[at] != "" && len(path) <= len(parts); at = parents[at] {
			path = append(path, parts[at])
		}
		slices.Reverse(path)
		paths[id] = "/" + strings.Join(path, "/")
	}
	return paths
}

// method reads a method of a REST API: a route to a function, or the OPTIONS
// method that answers cross-origin requests.
func (r *reader) method(res *resource, api *API, paths map[string]string, parts map[string][]*resource) {
	path, ok := paths[r.text(res, "ResourceId")]
	route := &Route{Method: r.text(res, "HttpMethod"), Path: path, PayloadFormatVersion: "1.0"}
	if !ok {
		r.leave(res, "ResourceId", "its resource %s is not in the application; the method is left out", r.text(res, "ResourceId"))
		return
	}
	kind := r.text(res, "Integration.Type")
	switch {
	case kind == "MOCK":
		r.mockMethod(res, api, route)
		return
	case kind != "AWS_PROXY" && kind != "AWS":
		r.leave(res, "Integration", "route %q does not go to a function (%s); it is left out", route.key(), cmp.Or(kind, "no integration"))
		api.unserved(route, "its integration is "+cmp.Or(kind, "missing"))
		return
	case kind == "AWS":
		r.warn(res, "Integration", "route %q maps its request and response by templates, which are not run: the function gets the request as a proxy integration gives it", route.key())
	}
	route.AuthorizationType = cmp.Or(r.text(res, "AuthorizationType"), "NONE")
	route.APIKeyRequired = r.text(res, "ApiKeyRequired") == "true"
	route.Scopes = r.texts(res, "AuthorizationScopes")
	route.TimeoutMillis = r.number(res, "Integration.TimeoutInMillis", defaultRESTTimeout)
	route.ResourceID, route.OperationName = r.text(res, "ResourceId"), r.text(res, "OperationName")
	route.Validation = r.validation(res, parts["RequestValidator"])
	route.ResponseStream = r.text(res, "Integration.ResponseTransferMode") == "STREAM"
	if authorizer := r.find(parts["Authorizer"], r.text(res, "AuthorizerId")); authorizer != nil {
		route.Authorizer = r.restAuthorizer(authorizer)
	}
	r.addRoute(res, api, route, r.text(res, "Integration.Uri"))
}

// restAuthorizer reads an authorizer of a REST API, once.
func (r *reader) restAuthorizer(res *resource) *Authorizer {
	if known, ok := r.authorizers[res]; ok {
		return known
	}
	a := &Authorizer{
		ID:                   res.identity(),
		Type:                 r.text(res, "Type"),
		PayloadFormatVersion: "1.0",
		ResultTTL:            time.Duration(r.number(res, "AuthorizerResultTtlInSeconds", defaultRESTResultTTL)) * time.Second,
		IdentityValidation:   r.text(res, "IdentityValidationExpression"),
		Audience:             r.texts(res, "ProviderARNs"),
	}
	for source := range strings.SplitSeq(r.text(res, "IdentitySource"), ",") {
		if source = strings.TrimSpace(source); source != "" {
			a.IdentitySource = append(a.IdentitySource, source)
		}
	}
	a.Name = cmp.Or(r.text(res, "Name"), pathEnd(res.path, 1))
	if uri := r.text(res, "AuthorizerUri"); uri != "" {
		a.Function = r.functionByARN(uri)
	}
	r.authorizers[res] = a
	return a
}

// corsMethod reads what a mocked OPTIONS method answers. A REST API has one for
// each resource; the SAM CLI and the model know one for the whole API.
func (r *reader) corsMethod(res *resource, api *API) {
	for _, response := range r.objects(res, "Integration.IntegrationResponses") {
		parameters, _ := response["ResponseParameters"].(map[string]any)
		values := map[string]string{}
		for name, value := range parameters {
			values[strings.ToLower(strings.TrimPrefix(name, "method.response.header."))] = strings.Trim(textOf(value), "'")
		}
		if values["access-control-allow-origin"] == "" {
			continue
		}
		if api.CORS == nil {
			api.CORS = &CORS{}
		}
		maxAge, _ := strconv.Atoi(values["access-control-max-age"])
		api.CORS.MaxAge = max(api.CORS.MaxAge, maxAge)
		api.CORS.AllowCredentials = api.CORS.AllowCredentials || values["access-control-allow-credentials"] == "true"
		merge(&api.CORS.AllowOrigins, values["access-control-allow-origin"])
		merge(&api.CORS.AllowHeaders, values["access-control-allow-headers"])
		merge(&api.CORS.AllowMethods, values["access-control-allow-methods"])
		merge(&api.CORS.ExposeHeaders, values["access-control-expose-headers"])
	}
}

func merge(list *[]string, commaSeparated string) {
	for value := range strings.SplitSeq(commaSeparated, ",") {
		if value = strings.TrimSpace(value); value != "" && !slices.Contains(*list, value) {
			*list = append(*list, value)
		}
	}
}
