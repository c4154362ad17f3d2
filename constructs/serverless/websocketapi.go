package serverless

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2authorizers"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// WebSocketApiProps defines a [WebSocketApi], by the names of SAM's
// AWS::Serverless::WebSocketApi. All of it may be left out.
type WebSocketApiProps struct {
	// Name is the physical name, the construct id by default.
	Name        string
	Description string
	// RouteSelectionExpression finds the route of a message,
	// "$request.body.action" by default.
	RouteSelectionExpression string
	// StageName is the path of the API's URL, "default" by default.
	StageName string
	// StageVariables are given to functions with each message.
	StageVariables map[string]string
	// Auth says who may connect; everyone may by default.
	Auth WebSocketApiAuth
	// ApiKeySelectionExpression finds the API key of a message, for routes
	// that want one.
	ApiKeySelectionExpression string
	// DisableSchemaValidation takes messages that are no JSON.
	DisableSchemaValidation bool

	// ThrottlingRateLimit is how many messages and connections a second the
	// API takes over time, DefaultThrottlingRateLimit by default;
	// ThrottlingBurstLimit how many at once, DefaultThrottlingBurstLimit by
	// default.
	ThrottlingRateLimit  int
	ThrottlingBurstLimit int
	// RouteSettings are those of single routes, by route key.
	RouteSettings map[string]RouteSettings
	// DisableAccessLogs keeps no record of messages.
	DisableAccessLogs bool
	// AccessLogRetention is a month by default.
	AccessLogRetention awslogs.RetentionDays
	// AccessLogFormat replaces the JSON line that is written for each message.
	AccessLogFormat string
	// DisableCloudWatchRole is as that of [RestApiProps].
	DisableCloudWatchRole bool
	// DisableExecuteApiEndpoint leaves only custom domains to connect by. A
	// Domain with mutual TLS sets it.
	DisableExecuteApiEndpoint bool
	// Domain is a name of your own for the API.
	Domain *Domain
	// Tags are put on the API and what belongs to it.
	Tags map[string]string
}

// WebSocketApiAuth is who may connect. API Gateway asks on $connect alone: who
// is connected stays so.
type WebSocketApiAuth struct {
	// AuthType is "NONE" by default, "AWS_IAM" or "CUSTOM".
	AuthType string
	// Function decides for "CUSTOM".
	Function awslambda.IFunction
	// IdentitySource are what a request to connect must have: the header
	// Authorization by default. A page in a browser can send no headers:
	// "route.request.querystring.token".
	IdentitySource []string
}

// DefaultWebSocketStageName is that of an API whose props say nothing, as in
// SAM.
const DefaultWebSocketStageName = "default"

// WebSocketApi is a WebSocket API of API Gateway. It is an
// [awsapigatewayv2.WebSocketApi].
type WebSocketApi struct {
	awsapigatewayv2.WebSocketApi

	faults     *prop.Faults
	props      WebSocketApiProps
	stage      awsapigatewayv2.WebSocketStage
	routes     map[string]string
	settings   map[string]RouteSettings
	authorizer awsapigatewayv2.IWebSocketRouteAuthorizer
}

// NewWebSocketApi adds an API with one stage, which is deployed by itself. Its
// routes come from [WebSocketEvent]s. Mistakes are reported as by
// [NewFunction].
func NewWebSocketApi(scope constructs.Construct, id string, props WebSocketApiProps) *WebSocketApi {
	a := &WebSocketApi{faults: prop.NewFaults(scope, id), routes: map[string]string{}, settings: map[string]RouteSettings{}}
	props.check(a.faults)
	a.props = props
	if problem := prop.TakenID(scope, id); problem != "" {
		a.faults.Add("%s", problem)
		id = prop.FreeID(scope, id)
	}
	if !a.faults.Try(func() { awsapigatewayv2.NewWebSocketApi_Override(a, scope, &id, a.props.apiProps()) }) {
		scope.Node().TryRemoveChild(&id)
		a.WebSocketApi = nil
		awsapigatewayv2.NewWebSocketApi_Override(a, scope, &id, nil)
	}
	a.faults.Attach(a)
	a.faults.Try(a.complete)
	return a
}

// ToString is overridden only because jsii takes a Go type as a subclass when it
// overrides something.
func (a *WebSocketApi) ToString() *string { return a.WebSocketApi.ToString() }

// Stage is the API's only stage; its Url is what clients connect to.
func (a *WebSocketApi) Stage() awsapigatewayv2.WebSocketStage { return a.stage }

// Route sends the messages of a route to a function, or to an alias or version
// of one. It is the short form of a [WebSocketEvent].
func (a *WebSocketApi) Route(key string, function awslambda.IFunction) {
	a.faults.Position = prop.Position()
	if prop.IsNil(function) {
		a.faults.Add("the route %s has no function", key)
		return
	}
	a.faults.Try(func() {
		a.add(socketRoute{WebSocketEvent: WebSocketEvent{RouteKey: key}, function: function}, a.faults)
	})
}

// ManageConnections lets a function send to the API's connections, look at them
// and close them. The function finds the endpoint of the management API, which
// the AWS SDK is given as BaseEndpoint, in the environment variable.
func (a *WebSocketApi) ManageConnections(function *Function, variable string) {
	a.faults.Position = prop.Position()
	if function == nil {
		a.faults.Add("ManageConnections has no function")
		return
	}
	if problems := checkEnvironment(&FunctionProps{Environment: map[string]string{variable: ""}}); len(problems) > 0 {
		a.faults.Add("ManageConnections: %s", problems[0])
		return
	}
	a.faults.Try(func() {
		function.AddEnvironment(&variable, a.stage.CallbackUrl(), nil)
		a.stage.GrantManagementApiAccess(function)
	})
}

func (p *WebSocketApiProps) check(faults *prop.Faults) {
	found := prop.NilPointers(p)
	prop.SetDefault(&p.RouteSelectionExpression, "$request.body.action")
	prop.SetDefault(&p.StageName, DefaultWebSocketStageName)
	prop.SetDefault(&p.ThrottlingRateLimit, DefaultThrottlingRateLimit)
	prop.SetDefault(&p.ThrottlingBurstLimit, DefaultThrottlingBurstLimit)
	prop.SetDefault(&p.AccessLogRetention, DefaultLogRetention)
	prop.SetDefault(&p.AccessLogFormat, socketAccessLogFormat())
	if problem := stageNameProblem(p.StageName); problem != "" || p.StageName == defaultStage {
		found = append(found, fmt.Sprintf("StageName %q is none for a WebSocket API: use at most 128 letters, digits, - and _", p.StageName))
		p.StageName = DefaultWebSocketStageName
	}
	if p.ThrottlingRateLimit < 0 || p.ThrottlingBurstLimit < 0 {
		found = append(found, fmt.Sprintf("throttling is %d requests a second and %d at once: give positive numbers", p.ThrottlingRateLimit, p.ThrottlingBurstLimit))
		p.ThrottlingRateLimit, p.ThrottlingBurstLimit = DefaultThrottlingRateLimit, DefaultThrottlingBurstLimit
	}
	for _, key := range slices.Sorted(maps.Keys(p.RouteSettings)) {
		for _, problem := range p.RouteSettings[key].check() {
			found = append(found, fmt.Sprintf("RouteSettings %q: %s", key, problem))
		}
	}
	if problems := prop.CheckRetention("AccessLogRetention", p.AccessLogRetention); len(problems) > 0 {
		found, p.AccessLogRetention = append(found, problems...), DefaultLogRetention
	}
	found = append(found, checkVariables(p.StageVariables, func() { p.StageVariables = nil })...)
	found = append(found, checkTagsOf(p.Tags, func() { p.Tags = nil })...)
	if problems := p.Auth.check(); len(problems) > 0 {
		found, p.Auth = append(found, problems...), WebSocketApiAuth{}
	}
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

var socketIdentity = regexp.MustCompile(`^(route\.request\.(header|querystring|multivalueheader|multivaluequerystring)|context|stageVariables)\.[\w.-]+$`)

func (a *WebSocketApiAuth) check() (found []string) {
	prop.SetDefault(&a.AuthType, NoAuthorizer)
	found = prop.OneOf("Auth.AuthType", a.AuthType, NoAuthorizer, AWSIAM, "CUSTOM")
	switch {
	case a.AuthType == "CUSTOM" && prop.IsNil(a.Function):
		found = append(found, "Auth has no Function: make it before the API and pass it")
	case a.AuthType != "CUSTOM" && (!prop.IsNil(a.Function) || len(a.IdentitySource) > 0):
		found = append(found, `Auth.Function and Auth.IdentitySource need the AuthType "CUSTOM"`)
	}
	for _, source := range a.IdentitySource {
		if !socketIdentity.MatchString(source) {
			found = append(found, fmt.Sprintf(`Auth.IdentitySource has %q, which is none: write "route.request.querystring.NAME" or "route.request.header.NAME"`, source))
		}
	}
	return found
}

func (p *WebSocketApiProps) apiProps() *awsapigatewayv2.WebSocketApiProps {
	return &awsapigatewayv2.WebSocketApiProps{
		ApiName:                  prop.Optional(p.Name),
		Description:              prop.Optional(p.Description),
		RouteSelectionExpression: &p.RouteSelectionExpression,
		DisableSchemaValidation:  prop.OptionalTrue(p.DisableSchemaValidation),
	}
}

// complete adds what the CDK has no props for.
func (a *WebSocketApi) complete() {
	p := &a.props
	api := a.Node().DefaultChild().(awsapigatewayv2.CfnApi)
	if p.ApiKeySelectionExpression != "" {
		api.SetApiKeySelectionExpression(&p.ApiKeySelectionExpression)
	}
	if p.DisableExecuteApiEndpoint {
		api.SetDisableExecuteApiEndpoint(true)
	}
	a.setStage()
	switch p.Auth.AuthType {
	case AWSIAM:
		a.authorizer = awsapigatewayv2authorizers.NewWebSocketIamAuthorizer()
	case "CUSTOM":
		a.authorizer = awsapigatewayv2authorizers.NewWebSocketLambdaAuthorizer(jsii.String("Authorizer"), p.Auth.Function,
			&awsapigatewayv2authorizers.WebSocketLambdaAuthorizerProps{IdentitySource: prop.OptionalStrings(p.Auth.IdentitySource)})
	}
	if p.Domain != nil {
		p.Domain.mapV2(a, a.stage)
	}
	prop.AddTags(a, p.Tags)
	atSynth(a.stage.Node().DefaultChild(), a.checkRoutes)
}

func (a *WebSocketApi) setStage() {
	p := a.props
	a.stage = awsapigatewayv2.NewWebSocketStage(a, jsii.String("Stage"), &awsapigatewayv2.WebSocketStageProps{
		WebSocketApi: a, StageName: &p.StageName, AutoDeploy: jsii.Bool(true),
	})
	stage := a.cfnStage()
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
		DestinationArn: logs.LogGroupArn(), Format: &p.AccessLogFormat,
	})
	if !p.DisableCloudWatchRole {
		stage.Node().AddDependency(logAccount(a.Stack()))
	}
}

func (a *WebSocketApi) cfnStage() awsapigatewayv2.CfnStage {
	return a.stage.Node().DefaultChild().(awsapigatewayv2.CfnStage)
}

func (a *WebSocketApi) setRouteSettings() {
	all := map[string]any{}
	for key, settings := range a.settings {
		all[key] = settings.properties(a.props.ThrottlingRateLimit, a.props.ThrottlingBurstLimit)
	}
	if len(all) > 0 {
		a.cfnStage().SetRouteSettings(all)
	}
}

// checkRoutes finds what is missing, when all routes are there.
func (a *WebSocketApi) checkRoutes() {
	if len(a.routes) == 0 {
		a.faults.Add("the API has no routes: give a function a WebSocketEvent for it, or call Route")
		return
	}
	if a.authorizer != nil && a.routes["$connect"] == "" {
		a.faults.Add("Auth is set, but no function has the route $connect, on which alone API Gateway asks it: give one an event for it")
	}
	for _, key := range slices.Sorted(maps.Keys(a.settings)) {
		if a.routes[key] == "" {
			a.faults.Add("RouteSettings has %q, which is no route of the API", key)
		}
	}
}

// socketAccessLogFormat is a JSON object on one line. Source: "Monitor
// WebSocket API execution with CloudWatch metrics" and "Set up logging for a
// WebSocket API",
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-logging.html
func socketAccessLogFormat() string {
	line, _ := json.Marshal(map[string]string{
		"requestId":          "$context.requestId",
		"requestTime":        "$context.requestTime",
		"sourceIp":           "$context.identity.sourceIp",
		"eventType":          "$context.eventType",
		"routeKey":           "$context.routeKey",
		"connectionId":       "$context.connectionId",
		"status":             "$context.status",
		"integrationLatency": "$context.integrationLatency",
		"errorMessage":       "$context.error.message",
	})
	return string(line)
}
