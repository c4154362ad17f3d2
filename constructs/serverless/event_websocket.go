package serverless

import (
	"fmt"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// WebSocketEvent invokes a function for messages of a WebSocket API, and when a
// client connects or disconnects.
type WebSocketEvent struct {
	Api *WebSocketApi
	// RouteKey is "$connect", "$disconnect", "$default", or what the API's
	// RouteSelectionExpression finds in messages.
	RouteKey string
	// ApiKeyRequired refuses messages without an API key.
	ApiKeyRequired bool
	// ReturnResponse sends what the function returns back to the client.
	ReturnResponse bool
	// TimeoutMillis is how long API Gateway waits, 50 to 29000 milliseconds;
	// 29000 by default.
	TimeoutMillis int
	// RouteSettings are limits of this route alone.
	RouteSettings *RouteSettings
}

// Bind implements [Event].
func (e WebSocketEvent) Bind(fn *Function, _ string) {
	if e.Api == nil {
		fn.AddFault("the Api is missing: make a WebSocketApi before the function and pass it")
		return
	}
	e.Api.add(socketRoute{WebSocketEvent: e, function: fn}, fn.faults)
}

// socketRoute is what becomes a route, an integration and a permission.
type socketRoute struct {
	WebSocketEvent
	function awslambda.IFunction
}

var routeKey = regexp.MustCompile(`^(\$connect|\$disconnect|\$default|[^$\s]\S{0,127})$`)

func (e *WebSocketEvent) check() (found []string) {
	if !routeKey.MatchString(e.RouteKey) {
		found = append(found, fmt.Sprintf("the route key %q is none: use $connect, $disconnect, $default, or what messages have, at most 128 characters without spaces", e.RouteKey))
	}
	if e.TimeoutMillis != 0 {
		found = append(found, prop.InRange("TimeoutMillis", e.TimeoutMillis, 50, 29000, "")...)
	}
	if e.RouteSettings != nil {
		found = append(found, e.RouteSettings.check()...)
	}
	return found
}

// add makes a route, or reports why not to whoever asked for it.
func (a *WebSocketApi) add(r socketRoute, faults *prop.Faults) {
	problems := r.check()
	if other, taken := a.routes[r.RouteKey]; taken {
		problems = append(problems, fmt.Sprintf("the route %q of %s already goes to %s: a route has one function", r.RouteKey, *a.Node().Path(), other))
	}
	for _, problem := range problems {
		faults.Add("%s", problem)
	}
	if len(problems) > 0 {
		return
	}
	a.routes[r.RouteKey] = *r.function.Node().Path()
	integration := &awsapigatewayv2integrations.WebSocketLambdaIntegrationProps{}
	if r.TimeoutMillis != 0 {
		integration.Timeout = awscdk.Duration_Millis(jsii.Number(r.TimeoutMillis))
	}
	options := &awsapigatewayv2.WebSocketRouteOptions{
		Integration:    awsapigatewayv2integrations.NewWebSocketLambdaIntegration(jsii.String("Integration"), r.function, integration),
		ReturnResponse: prop.OptionalTrue(r.ReturnResponse),
	}
	if r.RouteKey == "$connect" {
		options.Authorizer = a.authorizer
	}
	route := a.AddRoute(&r.RouteKey, options)
	if r.ApiKeyRequired {
		route.Node().DefaultChild().(awsapigatewayv2.CfnRoute).SetApiKeyRequired(true)
	}
	if r.RouteSettings != nil {
		a.settings[r.RouteKey] = *r.RouteSettings
	}
	if _, limited := a.settings[r.RouteKey]; limited {
		a.setRouteSettings()
		a.cfnStage().Node().AddDependency(route)
	}
}
