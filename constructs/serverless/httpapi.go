package serverless

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
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
	// A Domain with mutual TLS sets it.
	DisableExecuteApiEndpoint bool

	// StageName is "$default" by default, the stage without a name in the
	// URL. Another name is the first segment of every path.
	StageName string
	// StageVariables are given to functions with each request.
	StageVariables map[string]string
	// RouteSettings are those of single routes, by route key, such as
	// "GET /orders". [HttpApiEvent] has its own.
	RouteSettings map[string]RouteSettings
	// Auth says who may call the API; everyone may by default.
	Auth HttpApiAuth
	// Domain is a name of your own for the API.
	Domain *Domain

	// DefinitionBody or DefinitionUri is an OpenAPI 3.0 document that defines
	// the routes; see [RestApiProps], which has the same two.
	DefinitionBody map[string]any
	DefinitionUri  string
	// FailOnWarnings gives a deployment up for a document that API Gateway
	// warns about.
	FailOnWarnings bool
	// Tags are put on the API and what belongs to it.
	Tags map[string]string
}

// RouteSettings are the limits and metrics of one route.
type RouteSettings struct {
	// ThrottlingRateLimit is how many requests a second the route takes over
	// time, ThrottlingBurstLimit how many at once; those of the API by default.
	ThrottlingRateLimit  int
	ThrottlingBurstLimit int
	// DetailedMetricsEnabled counts the route's requests by themselves, which
	// CloudWatch charges for.
	DetailedMetricsEnabled bool
}

func (s RouteSettings) check() (found []string) {
	if s.ThrottlingRateLimit < 0 || s.ThrottlingBurstLimit < 0 {
		found = prop.Messages("throttling is %d requests a second and %d at once: give positive numbers", s.ThrottlingRateLimit, s.ThrottlingBurstLimit)
	}
	return found
}

// properties are those of CloudFormation. A limit that is left out is the API's
// own, which CloudFormation would take for none.
func (s RouteSettings) properties(rate, burst int) map[string]any {
	prop.SetDefault(&s.ThrottlingRateLimit, rate)
	prop.SetDefault(&s.ThrottlingBurstLimit, burst)
	settings := map[string]any{"ThrottlingRateLimit": s.ThrottlingRateLimit, "ThrottlingBurstLimit": s.ThrottlingBurstLimit}
	if s.DetailedMetricsEnabled {
		settings["DetailedMetricsEnabled"] = true
	}
	return settings
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

	faults *prop.Faults
	props  HttpApiProps
	stage  awsapigatewayv2.IHttpStage
	// routes holds what is routed where, to find a route that is there twice.
	routes map[string]string
	// settings are those of single routes, by key.
	settings    map[string]RouteSettings
	authorizers map[string]namedAuthorizer
	document    *document
}

// NewHttpApi adds an API with one stage, which is deployed by itself. Mistakes
// are reported as by [NewFunction].
func NewHttpApi(scope constructs.Construct, id string, props HttpApiProps) *HttpApi {
	a := &HttpApi{faults: prop.NewFaults(scope, id), routes: map[string]string{}, settings: map[string]RouteSettings{}}
	props.check(a.faults)
	a.props = props
	a.readDocument()
	if problem := prop.TakenID(scope, id); problem != "" {
		a.faults.Add("%s", problem)
		id = prop.FreeID(scope, id)
	}
	if !a.faults.Try(func() { awsapigatewayv2.NewHttpApi_Override(a, scope, &id, a.props.apiProps()) }) {
		scope.Node().TryRemoveChild(&id)
		a.HttpApi = nil
		a.props.StageName = defaultStage
		awsapigatewayv2.NewHttpApi_Override(a, scope, &id, nil)
	}
	a.faults.Attach(a)
	a.faults.Try(a.complete)
	return a
}

// complete adds what the CDK has no props for.
func (a *HttpApi) complete() {
	a.setStage()
	a.authorizers = makeAuthorizers(a.faults, a.props.Auth.Authorizers, func(name string, authorizer HttpApiAuthorizer) namedAuthorizer {
		if a.document == nil {
			return authorizer.addToHttpApi(a, name)
		}
		s, problem := authorizer.httpScheme(a)
		if problem != "" {
			a.faults.Add("%s", problem)
			return namedAuthorizer{}
		}
		return a.document.addScheme(a, a.ApiId(), name, s)
	})
	a.importDocument()
	a.props.Auth.DefaultAuthorizer = checkDefault(a.faults, a.authorizers, a.props.Auth.DefaultAuthorizer)
	if d := a.props.Domain; d != nil {
		d.mapV2(a, a.stage)
	}
	prop.AddTags(a, a.props.Tags)
	atSynth(a.stage.Node().DefaultChild(), a.checkSettings)
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

// Stage is the API's only stage.
func (a *HttpApi) Stage() awsapigatewayv2.IHttpStage { return a.stage }

// ToString is overridden only because jsii takes a Go type as a subclass when it
// overrides something.
func (a *HttpApi) ToString() *string { return a.HttpApi.ToString() }

// Route sends the requests with a method and path to a function, or to an alias
// or version of one. It is the short form of an [HttpApiEvent], whose
// documentation says what the two may be.
func (a *HttpApi) Route(method, path string, function awslambda.IFunction) {
	a.faults.Position = prop.Position()
	if prop.IsNil(function) {
		a.faults.Add("the route %s %s has no function", method, path)
		return
	}
	a.faults.Try(func() {
		a.add(route{HttpApiEvent: HttpApiEvent{Method: method, Path: path}, function: function}, a.faults)
	})
}

// route is what becomes a route, an integration and a permission.
type route struct {
	HttpApiEvent
	function awslambda.IFunction
}

// add makes a route, or reports why not to whoever asked for it.
func (a *HttpApi) add(r route, faults *prop.Faults) {
	r.setDefaults()
	problems := r.check()
	for _, problem := range problems {
		faults.Add("%s", problem)
	}
	if len(problems) > 0 {
		return
	}
	key := r.Method + " " + r.Path
	if r.Path == catchAll {
		key = catchAll
	}
	if r.RouteSettings != nil {
		if problems := r.RouteSettings.check(); len(problems) > 0 {
			faults.Add("%s", problems[0])
			return
		}
	}
	if other, taken := a.routes[key]; taken {
		faults.Add("the route %q of %s already goes to %s: a route has one function", key, *a.Node().Path(), other)
		return
	}
	who, problem := a.authorize(r)
	if problem != "" {
		faults.Add("%s", problem)
		return
	}
	if a.document == nil {
		a.addRoute(r, key, who)
	} else if problem := a.integrate(r, key, who); problem != "" {
		faults.Add("%s", problem)
		return
	}
	a.routes[key] = *r.function.Node().Path()
	a.limit(key, r.RouteSettings)
}

// addRoute makes the route of an API without a document. The route owns its
// integration, so that its logical ids depend on nothing but method and path.
func (a *HttpApi) addRoute(r route, key string, who decision) {
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
			Authorizer:          who.http,
			AuthorizationScopes: prop.OptionalStrings(who.scopes),
		})
		return
	}
	a.AddRoutes(&awsapigatewayv2.AddRoutesOptions{
		Path:                &r.Path,
		Methods:             &[]awsapigatewayv2.HttpMethod{awsapigatewayv2.HttpMethod(r.Method)},
		Integration:         integration,
		Authorizer:          who.http,
		AuthorizationScopes: prop.OptionalStrings(who.scopes),
	})
}

// authorize says who may call a route, or what is wrong with what it says.
func (a *HttpApi) authorize(r route) (decision, string) {
	return decide(*a.Node().Path(), a.authorizers, a.props.Auth.DefaultAuthorizer, asked{
		given: !prop.IsNil(r.Authorizer), http: r.Authorizer, name: r.AuthorizerName, scopes: r.AuthorizationScopes,
	})
}

// limit gives a route settings of its own. API Gateway knows only those of a
// route that is there, so the stage comes after the routes that have some.
func (a *HttpApi) limit(key string, settings *RouteSettings) {
	if settings != nil {
		a.settings[key] = *settings
	}
	if _, limited := a.settings[key]; !limited {
		return
	}
	a.setRouteSettings()
	id := key
	if key == catchAll {
		id = "DefaultRoute"
	}
	if made := a.Node().TryFindChild(&id); made != nil {
		a.stage.Node().DefaultChild().Node().AddDependency(made)
	}
}

func (a *HttpApi) setRouteSettings() {
	all := map[string]any{}
	for key, settings := range a.settings {
		all[key] = settings.properties(a.props.ThrottlingRateLimit, a.props.ThrottlingBurstLimit)
	}
	if len(all) > 0 {
		a.stage.Node().DefaultChild().(awsapigatewayv2.CfnStage).SetRouteSettings(all)
	}
}

// checkSettings finds settings of routes that are not there, when all are.
func (a *HttpApi) checkSettings() {
	for _, key := range slices.Sorted(maps.Keys(a.settings)) {
		if _, routed := a.routes[key]; !routed && !a.document.has(key) {
			a.faults.Add("RouteSettings has %q, which is no route of the API: write the route's method and path", key)
		}
	}
	if a.document != nil {
		a.document.checkIntegrations(a.faults)
	}
}

func (p *HttpApiProps) check(faults *prop.Faults) {
	prop.SetDefault(&p.ThrottlingRateLimit, DefaultThrottlingRateLimit)
	prop.SetDefault(&p.ThrottlingBurstLimit, DefaultThrottlingBurstLimit)
	prop.SetDefault(&p.AccessLogRetention, DefaultLogRetention)
	prop.SetDefault(&p.AccessLogFormat, accessLogFormat())
	found := prop.CheckRetention("AccessLogRetention", p.AccessLogRetention)
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
	prop.SetDefault(&p.StageName, defaultStage)
	if problem := stageNameProblem(p.StageName); problem != "" {
		found = append(found, problem)
		p.StageName = defaultStage
	}
	for _, key := range slices.Sorted(maps.Keys(p.RouteSettings)) {
		for _, problem := range p.RouteSettings[key].check() {
			found = append(found, fmt.Sprintf("RouteSettings %q: %s", key, problem))
		}
	}
	found = append(found, checkVariables(p.StageVariables, func() { p.StageVariables = nil })...)
	found = append(found, checkTagsOf(p.Tags, func() { p.Tags = nil })...)
	if p.Domain != nil {
		p.Domain, found = p.Domain.checked(found, false)
	}
	if p.Domain != nil && p.Domain.MutualTlsAuthentication != nil {
		p.DisableExecuteApiEndpoint = true
	}
	for _, message := range found {
		faults.Add("%s", message)
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
		found = append(found, prop.DurationInRange("Cors.MaxAge", c.MaxAge, time.Second, 24*time.Hour)...)
	}
	return found
}

func (p *HttpApiProps) apiProps() *awsapigatewayv2.HttpApiProps {
	props := &awsapigatewayv2.HttpApiProps{
		ApiName:                   prop.Optional(p.Name),
		Description:               prop.Optional(p.Description),
		DisableExecuteApiEndpoint: prop.OptionalTrue(p.DisableExecuteApiEndpoint),
	}
	if p.StageName != defaultStage {
		props.CreateDefaultStage = jsii.Bool(false)
	}
	if p.Cors != nil && len(p.Cors.check()) == 0 {
		props.CorsPreflight = p.Cors.options()
	}
	return props
}

func (c *Cors) options() *awsapigatewayv2.CorsPreflightOptions {
	options := &awsapigatewayv2.CorsPreflightOptions{
		AllowCredentials: prop.OptionalTrue(c.AllowCredentials),
		AllowHeaders:     prop.OptionalStrings(c.AllowHeaders),
		AllowOrigins:     prop.OptionalStrings(c.AllowOrigins),
		ExposeHeaders:    prop.OptionalStrings(c.ExposeHeaders),
		MaxAge:           prop.OptionalDuration(c.MaxAge),
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

// setStage finds or makes the stage, and sets what the CDK has no props for.
func (a *HttpApi) setStage() {
	p := a.props
	a.stage = a.DefaultStage()
	if p.StageName != defaultStage {
		a.stage = awsapigatewayv2.NewHttpStage(a, jsii.String("Stage"), &awsapigatewayv2.HttpStageProps{
			HttpApi: a, StageName: &p.StageName, AutoDeploy: jsii.Bool(true),
		})
	}
	stage := a.stage.Node().DefaultChild().(awsapigatewayv2.CfnStage)
	stage.SetDefaultRouteSettings(&awsapigatewayv2.CfnStage_RouteSettingsProperty{
		ThrottlingRateLimit:  jsii.Number(p.ThrottlingRateLimit),
		ThrottlingBurstLimit: jsii.Number(p.ThrottlingBurstLimit),
	})
	if len(p.StageVariables) > 0 {
		stage.SetStageVariables(p.StageVariables)
	}
	maps.Copy(a.settings, p.RouteSettings)
	a.setRouteSettings()
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
