package model

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/bailey-cdk/bailey/bridge/cfn"
)

// The extensions of OpenAPI that say what an operation does. See "OpenAPI
// extensions for API Gateway" in the Amazon API Gateway Developer Guide.
const (
	anyMethod         = "x-amazon-apigateway-any-method"
	integrationKey    = "x-amazon-apigateway-integration"
	binaryMediaTypes  = "x-amazon-apigateway-binary-media-types"
	openAPICORS       = "x-amazon-apigateway-cors"
	methodsOfOpenAPI  = " get put post delete options head patch trace " + anyMethod + " "
	defaultRouteOfAPI = "/$default"
)

// openAPI reads the routes that an OpenAPI body defines.
func (r *reader) openAPI(res *resource, api *API) {
	body := r.openAPIBody(res)
	if body == nil {
		return
	}
	for _, t := range listOf(body[binaryMediaTypes]) {
		api.BinaryMediaTypes = append(api.BinaryMediaTypes, textOf(t))
	}
	if cors, ok := body[openAPICORS].(map[string]any); ok && api.CORS == nil {
		api.CORS = corsOfOpenAPI(cors)
	}
	if api.Protocol == REST {
		api.GatewayResponses = append(api.GatewayResponses, openAPIGatewayResponses(body)...)
		maps.Copy(api.Models, openAPIModels(body))
	}
	security := r.securityOf(body, api.Protocol == HTTP)
	paths, _ := body["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		operations, _ := paths[path].(map[string]any)
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			operation, ok := operations[method].(map[string]any)
			if ok && strings.Contains(methodsOfOpenAPI, " "+strings.ToLower(method)+" ") {
				if route := r.operation(res, api, path, method, operation, security); route != nil && api.Protocol == REST {
					route.Validation = openAPIValidation(api, body, operation, route)
				}
			}
		}
	}
}

// openAPIBody is the body as it stands in the template, or in an asset.
func (r *reader) openAPIBody(res *resource) map[string]any {
	if res.r.Properties["Body"] != nil {
		body, ok := r.property(res, "Body").(map[string]any)
		if !ok {
			r.leave(res, "Body", "its body is no OpenAPI document")
		}
		return body
	}
	path, ok, err := res.stack.Assets.File(r.text(res, "BodyS3Location.Key"))
	if !ok || err != nil {
		r.leave(res, "BodyS3Location", "its OpenAPI document is no asset of the assembly; its routes are left out")
		return nil
	}
	data, err := os.ReadFile(path)
	if err == nil && !json.Valid(data) {
		data, err = yaml.YAMLToJSON(data)
	}
	var body map[string]any
	if err == nil {
		err = cfn.DecodeJSON(path, data, &body)
	}
	if err != nil {
		r.leave(res, "BodyS3Location", "its OpenAPI document cannot be read: %v", err)
		return nil
	}
	// a document that is uploaded is not evaluated by CloudFormation, unless
	// the CDK wraps it; its intrinsics are those of AWS::Include
	evaluated, problems := res.scope.Eval(any(body), res.at("BodyS3Location"))
	r.problems(res, problems)
	body, _ = evaluated.(map[string]any)
	return body
}

// operation reads an operation. It gives the route where there is one to a
// function.
func (r *reader) operation(res *resource, api *API, path, method string, operation map[string]any, security func(*Route, map[string]any)) *Route {
	integration, ok := operation[integrationKey].(map[string]any)
	route := &Route{Method: strings.ToUpper(method), Path: path, PayloadFormatVersion: "1.0", TimeoutMillis: defaultRESTTimeout}
	if method == anyMethod {
		route.Method = "ANY"
	}
	if path == defaultRouteOfAPI {
		route.Path = "$default"
	}
	if api.Protocol == HTTP {
		route.PayloadFormatVersion = cmp.Or(textOf(integration["payloadFormatVersion"]), "1.0")
		route.TimeoutMillis = defaultHTTPTimeout
	}
	kind := strings.ToUpper(textOf(integration["type"]))
	switch {
	case kind == "MOCK":
		r.mockOperation(res, api, route, integration)
		return nil
	case !ok || kind != "AWS_PROXY" && kind != "AWS":
		r.warn(res, "Body", "route %q does not go to a function (%s); it is left out", route.key(), cmp.Or(kind, "no integration"))
		api.unserved(route, "its integration is "+cmp.Or(kind, "missing"))
		return nil
	}
	route.OperationName = textOf(operation["operationId"])
	route.ResponseStream = strings.EqualFold(textOf(integration["responseTransferMode"]), "STREAM")
	if timeout, err := strconv.Atoi(textOf(integration["timeoutInMillis"])); err == nil {
		route.TimeoutMillis = timeout
	}
	security(route, operation)
	uri := textOf(integration["uri"])
	if route.Function = r.functionByARN(uri); route.Function == nil {
		r.warn(res, "Body", "route %q goes to %s, which is no function of the application; it is left out", route.key(), uri)
		api.unserved(route, "it goes to "+uri+", which is no function of the application")
		return nil
	}
	api.Routes = append(api.Routes, route)
	return route
}

// securityOf gives what says who may call the route of an operation of a body.
func (r *reader) securityOf(body map[string]any, http bool) func(route *Route, operation map[string]any) {
	schemes, _ := body["securityDefinitions"].(map[string]any)
	if components, ok := body["components"].(map[string]any); ok {
		schemes, _ = components["securitySchemes"].(map[string]any)
	}
	known := map[string]*Authorizer{}
	return func(route *Route, operation map[string]any) {
		route.AuthorizationType = "NONE"
		security := listOf(operation["security"])
		if operation["security"] == nil {
			security = listOf(body["security"])
		}
		for _, requirement := range security {
			object, _ := requirement.(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(object)) {
				scheme, _ := schemes[name].(map[string]any)
				if known[name] == nil {
					known[name] = r.authorizerOfScheme(name, scheme, http)
				}
				route.secure(scheme, known[name], textsOf(object[name]))
			}
		}
	}
}

// secure adds what a security scheme asks of the route's callers. API Gateway
// knows one authorizer of a route, and beside it an API key.
func (route *Route) secure(scheme map[string]any, a *Authorizer, scopes []string) {
	switch {
	case a == nil && textOf(scheme["x-amazon-apigateway-authtype"]) != "awsSigv4":
		route.APIKeyRequired = route.APIKeyRequired || strings.EqualFold(textOf(scheme["name"]), "x-api-key")
	case route.AuthorizationType != "NONE":
	case a == nil:
		route.AuthorizationType = "AWS_IAM"
	case a.Type == "JWT" || a.Type == "COGNITO_USER_POOLS":
		route.AuthorizationType, route.Authorizer, route.Scopes = a.Type, a, scopes
	default:
		route.AuthorizationType, route.Authorizer = "CUSTOM", a
	}
}

// authorizerOfScheme is nil for a scheme without an authorizer.
func (r *reader) authorizerOfScheme(name string, scheme map[string]any, http bool) *Authorizer {
	settings, ok := scheme["x-amazon-apigateway-authorizer"].(map[string]any)
	if !ok {
		return nil
	}
	a := &Authorizer{ID: ID{Path: name, Name: name}, Type: strings.ToUpper(textOf(settings["type"])), PayloadFormatVersion: "1.0"}
	a.Function = r.functionByARN(textOf(settings["authorizerUri"]))
	if a.Type == "TOKEN" || a.Type == "COGNITO_USER_POOLS" {
		a.IdentitySource = []string{"method.request.header." + cmp.Or(textOf(scheme["name"]), "Authorization")}
	}
	if source := textOf(settings["identitySource"]); source != "" {
		a.IdentitySource = strings.Split(strings.ReplaceAll(source, " ", ""), ",")
	}
	if v := textOf(settings["authorizerPayloadFormatVersion"]); v != "" {
		a.PayloadFormatVersion = v
	}
	a.EnableSimpleResponses = textOf(settings["enableSimpleResponses"]) == "true"
	a.IdentityValidation = textOf(settings["identityValidationExpression"])
	a.Audience = textsOf(settings["providerARNs"])
	ttl, err := strconv.Atoi(textOf(settings["authorizerResultTtlInSeconds"]))
	if err != nil && !http {
		ttl = defaultRESTResultTTL
	}
	a.ResultTTL = time.Duration(ttl) * time.Second
	if jwt, ok := settings["jwtConfiguration"].(map[string]any); ok {
		a.Issuer, a.Audience = textOf(jwt["issuer"]), textsOf(jwt["audience"])
	}
	return a
}

// defaultRESTResultTTL is for how many seconds a REST API keeps the answer of an
// authorizer that says nothing of it.
const defaultRESTResultTTL = 300

// corsOfOpenAPI reads the CORS of a body. See "x-amazon-apigateway-cors object"
// in the Amazon API Gateway Developer Guide.
func corsOfOpenAPI(c map[string]any) *CORS {
	maxAge, _ := strconv.Atoi(textOf(c["maxAge"]))
	return &CORS{
		AllowCredentials: textOf(c["allowCredentials"]) == "true",
		AllowHeaders:     textsOf(c["allowHeaders"]), AllowMethods: textsOf(c["allowMethods"]),
		AllowOrigins: textsOf(c["allowOrigins"]), ExposeHeaders: textsOf(c["exposeHeaders"]), MaxAge: maxAge,
	}
}

func textsOf(v any) (all []string) {
	for _, item := range listOf(v) {
		all = append(all, textOf(item))
	}
	return all
}

func listOf(v any) []any {
	list, _ := v.([]any)
	return list
}
