package serverless

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// HttpApiProps defines an [HttpApi]. All of it may be left out.
type HttpApiProps struct {
	// Name is the physical name, the construct id by default. It need not be
	// unique.
	Name        string
	Description string
	// Cors lets pages of other origins call the API; they can't by default.
	Cors *Cors
	// ThrottlingRateLimit is how many requests a second the API takes over
	// time, DefaultThrottlingRateLimit by default; ThrottlingBurstLimit how
	// many at once, DefaultThrottlingBurstLimit by default. API Gateway
	// answers the others with status 429.
	ThrottlingRateLimit  int
	ThrottlingBurstLimit int
	// DisableAccessLogs keeps no record of requests.
	DisableAccessLogs bool
	// AccessLogRetention is a month by default.
	AccessLogRetention awslogs.RetentionDays
	// AccessLogFormat replaces the JSON line that is written for each request.
	// It must contain $context.requestId or $context.extendedRequestId.
	AccessLogFormat string
	// DisableExecuteApiEndpoint leaves only custom domains to call the API by.
	DisableExecuteApiEndpoint bool
}

// Cors is which pages of other origins may call an API, and how.
type Cors struct {
	// AllowOrigins are such as "https://shop.example", or "*".
	AllowOrigins []string
	// AllowMethods are HTTP methods, or "*".
	AllowMethods  []string
	AllowHeaders  []string
	ExposeHeaders []string
	// AllowCredentials lets a page send cookies. It excludes the origin "*".
	AllowCredentials bool
	// MaxAge is how long a browser may keep the answer, in whole seconds, at
	// most a day.
	MaxAge time.Duration
}

// The throttling of an API whose props say nothing. The package documentation
// has the reason.
const (
	DefaultThrottlingRateLimit  = 1000
	DefaultThrottlingBurstLimit = 500
)

// HttpApi is an HTTP API of API Gateway. It is an [awsapigatewayv2.HttpApi].
type HttpApi struct {
	awsapigatewayv2.HttpApi

	faults *faults
	// routes holds what is routed where, to find a route that is there twice.
	routes map[string]string
}

// NewHttpApi adds an API with the stage $default, which is deployed by itself.
// Mistakes are reported as by [NewFunction].
func NewHttpApi(scope constructs.Construct, id string, props HttpApiProps) *HttpApi {
	a := &HttpApi{faults: newFaults(scope, id), routes: map[string]string{}}
	props.check(a.faults)
	if problem := takenID(scope, id); problem != "" {
		a.faults.add("%s", problem)
		id = freeID(scope, id)
	}
	if !a.faults.try(func() { awsapigatewayv2.NewHttpApi_Override(a, scope, &id, props.apiProps()) }) {
		scope.Node().TryRemoveChild(&id)
		a.HttpApi = nil
		awsapigatewayv2.NewHttpApi_Override(a, scope, &id, nil)
	}
	a.faults.attach(a)
	a.faults.try(func() { a.setStage(props) })
	return a
}

// implicitID is the id that SAM has for the API that nobody defined.
const implicitID = "ServerlessHttpApi"

// ImplicitHttpApi is the API of a stack's [HttpApiEvent]s that name none. It is
// made, with defaults, when it is first asked for.
func ImplicitHttpApi(stack awscdk.Stack) *HttpApi {
	if made, ok := stack.Node().TryFindChild(jsii.String(implicitID)).(*HttpApi); ok {
		return made
	}
	return NewHttpApi(stack, implicitID, HttpApiProps{})
}

// ToString is overridden only because jsii takes a Go type as a subclass when it
// overrides something.
func (a *HttpApi) ToString() *string { return a.HttpApi.ToString() }

// Route sends the requests with a method and path to a function, or to an alias
// or version of one. It is the short form of an [HttpApiEvent], whose
// documentation says what the two may be.
func (a *HttpApi) Route(method, path string, function awslambda.IFunction) {
	a.faults.position = position()
	if isNil(function) {
		a.faults.add("the route %s %s has no function", method, path)
		return
	}
	a.faults.try(func() {
		a.add(route{HttpApiEvent: HttpApiEvent{Method: method, Path: path}, function: function}, a.faults)
	})
}

// route is what becomes a route, an integration and a permission.
type route struct {
	HttpApiEvent
	function awslambda.IFunction
}

// add makes a route, or reports why not to whoever asked for it.
func (a *HttpApi) add(r route, faults *faults) {
	r.setDefaults()
	problems := r.check()
	for _, problem := range problems {
		faults.add("%s", problem)
	}
	if len(problems) > 0 {
		return
	}
	key := r.Method + " " + r.Path
	if r.Path == catchAll {
		key = catchAll
	}
	if other, taken := a.routes[key]; taken {
		faults.add("the route %q of %s already goes to %s: a route has one function", key, *a.Node().Path(), other)
		return
	}
	a.routes[key] = *r.function.Node().Path()
	// The route owns its integration, so that its logical ids depend on
	// nothing but method and path.
	integration := awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String("Integration"), r.function,
		&awsapigatewayv2integrations.HttpLambdaIntegrationProps{
			PayloadFormatVersion: r.payloadFormat(),
			Timeout:              r.timeout(),
		})
	if key == catchAll {
		awsapigatewayv2.NewHttpRoute(a, jsii.String("DefaultRoute"), &awsapigatewayv2.HttpRouteProps{
			HttpApi:             a,
			RouteKey:            awsapigatewayv2.HttpRouteKey_DEFAULT(),
			Integration:         integration,
			Authorizer:          r.Authorizer,
			AuthorizationScopes: optionalStrings(r.AuthorizationScopes),
		})
		return
	}
	a.AddRoutes(&awsapigatewayv2.AddRoutesOptions{
		Path:                &r.Path,
		Methods:             &[]awsapigatewayv2.HttpMethod{awsapigatewayv2.HttpMethod(r.Method)},
		Integration:         integration,
		Authorizer:          r.Authorizer,
		AuthorizationScopes: optionalStrings(r.AuthorizationScopes),
	})
}

func (p *HttpApiProps) check(faults *faults) {
	setDefault(&p.ThrottlingRateLimit, DefaultThrottlingRateLimit)
	setDefault(&p.ThrottlingBurstLimit, DefaultThrottlingBurstLimit)
	setDefault(&p.AccessLogRetention, DefaultLogRetention)
	setDefault(&p.AccessLogFormat, accessLogFormat())
	found := checkRetention("AccessLogRetention", p.AccessLogRetention)
	if len(found) > 0 {
		p.AccessLogRetention = DefaultLogRetention
	}
	if p.ThrottlingRateLimit < 0 || p.ThrottlingBurstLimit < 0 {
		found = append(found, fmt.Sprintf("throttling is %d requests a second and %d at once: give positive numbers", p.ThrottlingRateLimit, p.ThrottlingBurstLimit))
		p.ThrottlingRateLimit, p.ThrottlingBurstLimit = DefaultThrottlingRateLimit, DefaultThrottlingBurstLimit
	}
	if p.Cors != nil {
		found = append(found, p.Cors.check()...)
	}
	for _, message := range found {
		faults.add("%s", message)
	}
}

func (c *Cors) check() (found []string) {
	if len(c.AllowOrigins) == 0 {
		found = append(found, "Cors has no AllowOrigins: name the origins of the pages, or \"*\"")
	}
	if c.AllowCredentials && slices.Contains(c.AllowOrigins, "*") {
		found = append(found, "Cors has AllowCredentials for the origin \"*\": browsers refuse that, name the origins")
	}
	for _, method := range c.AllowMethods {
		if method != "*" && !slices.Contains(methods, awsapigatewayv2.HttpMethod(method)) {
			found = append(found, fmt.Sprintf("Cors.AllowMethods has %q: use \"*\" or some of %s", method, joined(methods)))
		}
	}
	if c.MaxAge != 0 {
		found = append(found, durationInRange("Cors.MaxAge", c.MaxAge, time.Second, 24*time.Hour)...)
	}
	return found
}

func (p *HttpApiProps) apiProps() *awsapigatewayv2.HttpApiProps {
	props := &awsapigatewayv2.HttpApiProps{
		ApiName:                   optional(p.Name),
		Description:               optional(p.Description),
		DisableExecuteApiEndpoint: optionalTrue(p.DisableExecuteApiEndpoint),
	}
	if p.Cors != nil && len(p.Cors.check()) == 0 {
		props.CorsPreflight = p.Cors.options()
	}
	return props
}

func (c *Cors) options() *awsapigatewayv2.CorsPreflightOptions {
	options := &awsapigatewayv2.CorsPreflightOptions{
		AllowCredentials: optionalTrue(c.AllowCredentials),
		AllowHeaders:     optionalStrings(c.AllowHeaders),
		AllowOrigins:     optionalStrings(c.AllowOrigins),
		ExposeHeaders:    optionalStrings(c.ExposeHeaders),
		MaxAge:           optionalDuration(c.MaxAge),
	}
	if len(c.AllowMethods) > 0 {
		allowed := make([]awsapigatewayv2.CorsHttpMethod, len(c.AllowMethods))
		for i, method := range c.AllowMethods {
			allowed[i] = awsapigatewayv2.CorsHttpMethod(method)
			if method == "*" {
				allowed[i] = awsapigatewayv2.CorsHttpMethod_ANY
			}
		}
		options.AllowMethods = &allowed
	}
	return options
}

// setStage sets what the CDK has no props for on the stage that it makes.
func (a *HttpApi) setStage(p HttpApiProps) {
	stage := a.DefaultStage().Node().DefaultChild().(awsapigatewayv2.CfnStage)
	stage.SetDefaultRouteSettings(&awsapigatewayv2.CfnStage_RouteSettingsProperty{
		ThrottlingRateLimit:  jsii.Number(p.ThrottlingRateLimit),
		ThrottlingBurstLimit: jsii.Number(p.ThrottlingBurstLimit),
	})
	if p.DisableAccessLogs {
		return
	}
	logs := awslogs.NewLogGroup(a, jsii.String("AccessLogs"), &awslogs.LogGroupProps{Retention: p.AccessLogRetention})
	stage.SetAccessLogSettings(&awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
		DestinationArn: logs.LogGroupArn(),
		Format:         &p.AccessLogFormat,
	})
}

// accessLogFormat is a JSON object on one line. Source: "Customize HTTP API
// access logs",
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
func accessLogFormat() string {
	line, _ := json.Marshal(map[string]string{
		"requestId":               "$context.requestId",
		"requestTime":             "$context.requestTime",
		"sourceIp":                "$context.identity.sourceIp",
		"userAgent":               "$context.identity.userAgent",
		"httpMethod":              "$context.httpMethod",
		"path":                    "$context.path",
		"routeKey":                "$context.routeKey",
		"protocol":                "$context.protocol",
		"status":                  "$context.status",
		"responseLength":          "$context.responseLength",
		"responseLatency":         "$context.responseLatency",
		"integrationLatency":      "$context.integrationLatency",
		"integrationErrorMessage": "$context.integrationErrorMessage",
	})
	return string(line)
}
