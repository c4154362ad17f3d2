package model

import (
	"cmp"
	"slices"
	"strings"
)

// defaultWebSocketTimeout is what API Gateway takes for the timeout of a
// WebSocket API's integration, in milliseconds. See
// AWS::ApiGatewayV2::Integration in the AWS CloudFormation Template Reference.
const defaultWebSocketTimeout = 29000

// defaultSelection is the route selection expression of an API that names
// none; CloudFormation requires one, and the console and the CDK take this.
const defaultSelection = "$request.body.action"

func (r *reader) webSocketAPI(res *resource, parts map[string][]*resource) {
	api := &WebSocketAPI{
		ID: res.identity(), APIID: r.ref(res),
		RouteSelectionExpression: cmp.Or(r.text(res, "RouteSelectionExpression"), defaultSelection),
	}
	for _, stage := range parts["Stage"] {
		api.StageName = r.text(stage, "StageName")
		api.StageVariables = r.textMap(stage, "StageVariables")
	}
	twoWay := map[string]bool{}
	for _, response := range parts["RouteResponse"] {
		twoWay[r.text(response, "RouteId")] = true
	}
	for _, part := range parts["Route"] {
		if route := r.webSocketRoute(part, parts); route != nil {
			route.RouteResponse = twoWay[r.ref(part)]
			api.Routes = append(api.Routes, route)
		}
	}
	slices.SortFunc(api.Routes, func(a, b *WebSocketRoute) int { return strings.Compare(a.Key, b.Key) })
	r.app.WebSocketAPIs = append(r.app.WebSocketAPIs, api)
}

// webSocketRoute reads a route, nil for one that goes to something else than a
// function. A route without integration, or with a mock one, stays: it can
// have an authorizer, and a message for it is not one for $default.
func (r *reader) webSocketRoute(res *resource, parts map[string][]*resource) *WebSocketRoute {
	route := &WebSocketRoute{
		Key:               r.text(res, "RouteKey"),
		AuthorizationType: cmp.Or(r.text(res, "AuthorizationType"), "NONE"),
		APIKeyRequired:    r.text(res, "ApiKeyRequired") == "true",
		TimeoutMillis:     defaultWebSocketTimeout,
	}
	if authorizer := r.find(parts["Authorizer"], r.text(res, "AuthorizerId")); authorizer != nil {
		route.Authorizer = r.authorizerV2(authorizer)
	}
	integration := r.find(parts["Integration"], strings.TrimPrefix(r.text(res, "Target"), "integrations/"))
	if integration == nil || r.text(integration, "IntegrationType") == "MOCK" {
		return route
	}
	route.TimeoutMillis = r.number(integration, "TimeoutInMillis", defaultWebSocketTimeout)
	if route.Function = r.functionByARN(r.text(integration, "IntegrationUri")); route.Function == nil {
		r.leave(res, "Target", "route %q goes to no function of the application; it is left out", route.Key)
		return nil
	}
	if kind := r.text(integration, "IntegrationType"); kind != "AWS_PROXY" {
		r.warn(integration, "IntegrationType", "route %q has an integration of type %s, whose mapping templates are not applied locally; the function gets the event of AWS_PROXY", route.Key, kind)
	}
	return route
}
