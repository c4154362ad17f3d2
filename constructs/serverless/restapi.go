package serverless

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// RestApiProps defines a [RestApi], by the names of SAM's AWS::Serverless::Api.
// All of it may be left out.
type RestApiProps struct {
	// Name is the physical name, the construct id by default. It need not be
	// unique.
	Name        string
	Description string
	// StageName is the first segment of every path, "Prod" by default.
	StageName string
	// Variables are given to functions with each request.
	Variables map[string]string
	// EndpointConfiguration is "REGIONAL" by default; "EDGE" puts CloudFront
	// before the API, "PRIVATE" makes it one of VPCEndpoints alone.
	EndpointConfiguration string
	// VPCEndpoints are those of a private API. Unless there is a
	// ResourcePolicy, they may call it and nobody else.
	VPCEndpoints []awsec2.IVpcEndpoint
	// ResourcePolicy says who may call the API at all.
	ResourcePolicy awsiam.PolicyDocument

	// Cors lets pages of other origins call the API; they can't by default.
	// API Gateway answers their preflight requests. Functions add the headers
	// to their own answers.
	Cors *Cors
	// Auth says who may call the API; everyone may by default.
	Auth RestApiAuth
	// Models are JSON schemas (draft 4) by name, for events' RequestModel.
	Models map[string]map[string]any
	// GatewayResponses replace what API Gateway itself answers, by response
	// type, such as "DEFAULT_4XX" or "UNAUTHORIZED".
	GatewayResponses map[string]GatewayResponse
	// BinaryMediaTypes are those whose bodies functions get and give in base64.
	BinaryMediaTypes []string
	// MinimumCompressionSize is from how many bytes on answers are compressed,
	// 1 to 10485760; none are by default.
	MinimumCompressionSize int

	// ThrottlingRateLimit is how many requests a second the API takes over
	// time, DefaultThrottlingRateLimit by default; ThrottlingBurstLimit how
	// many at once, DefaultThrottlingBurstLimit by default.
	ThrottlingRateLimit  int
	ThrottlingBurstLimit int
	// MethodSettings are those of single methods, by method and path, such as
	// "GET /orders".
	MethodSettings map[string]RouteSettings
	// CacheClusterSize, in GB such as "0.5", has the stage keep answers. AWS
	// charges for the cache by the hour.
	CacheClusterSize string
	// CanarySetting sends part of the requests to another deployment.
	CanarySetting *CanarySetting

	// DisableTracing makes the stage send no traces to AWS X-Ray.
	DisableTracing bool
	// DisableAccessLogs keeps no record of requests.
	DisableAccessLogs bool
	// AccessLogRetention is a month by default.
	AccessLogRetention awslogs.RetentionDays
	// AccessLogFormat replaces the JSON line that is written for each request.
	// It must contain $context.requestId or $context.extendedRequestId.
	AccessLogFormat string
	// DisableCloudWatchRole leaves the account's right to write API Gateway's
	// logs to someone else. An account has one for a region; each stack with
	// access logs sets it, to a role that stays when the stack is deleted.
	DisableCloudWatchRole bool

	// DisableExecuteApiEndpoint leaves only custom domains to call the API by.
	// A Domain with mutual TLS sets it.
	DisableExecuteApiEndpoint bool
	// Domain is a name of your own for the API.
	Domain *Domain

	// DefinitionBody or DefinitionUri is an OpenAPI document that defines the
	// API: Swagger 2.0 or OpenAPI 3.0, in Go maps, or in a file of JSON or
	// YAML, relative to the folder of cdk.json. The operations whose method
	// and path an event has call that function; the others have an
	// x-amazon-apigateway-integration. Models and CORS are the document's; so
	// is the security of operations that have one.
	DefinitionBody map[string]any
	DefinitionUri  string
	// FailOnWarnings gives a deployment up for a document that API Gateway
	// warns about.
	FailOnWarnings bool
	// Tags are put on the API and what belongs to it.
	Tags map[string]string
}

// GatewayResponse is what API Gateway answers by itself, without a function.
type GatewayResponse struct {
	// StatusCode is the response type's own by default.
	StatusCode int
	// Headers are values in single quotes, or such as "context.requestId", by
	// name. A value without either is put in quotes.
	Headers map[string]string
	// Templates are bodies by media type.
	Templates map[string]string
}

// CanarySetting is a stage's canary release.
type CanarySetting struct {
	// PercentTraffic is how much goes to the canary, 0 to 100.
	PercentTraffic float64
	// StageVariableOverrides are the stage variables that it has.
	StageVariableOverrides map[string]string
	// UseStageCache shares the stage's cache with it.
	UseStageCache bool
}

// DefaultStageName is that of a REST API whose props say nothing, as in SAM.
const DefaultStageName = "Prod"

// RestApi is a REST API of API Gateway. It is an [awsapigateway.RestApi]. One
// with a document has no Methods, and no AddModel or AddRequestValidator.
type RestApi struct {
	awsapigateway.RestApi

	faults      *prop.Faults
	props       RestApiProps
	routes      map[string]string
	authorizers map[string]namedAuthorizer
	models      map[string]awsapigateway.CfnModel
	validators  map[string]awsapigateway.RequestValidator
	variables   map[string]string // the variable child of a path
	keys        []awsapigateway.IApiKey
	plan        awsapigateway.UsagePlan
	document    *document
}

// NewRestApi adds an API with one stage, which is deployed again with each
// change. Mistakes are reported as by [NewFunction].
func NewRestApi(scope constructs.Construct, id string, props RestApiProps) *RestApi {
	a := &RestApi{
		faults: prop.NewFaults(scope, id), routes: map[string]string{}, models: map[string]awsapigateway.CfnModel{},
		validators: map[string]awsapigateway.RequestValidator{}, variables: map[string]string{},
	}
	props.check(a.faults)
	a.props = props
	a.readDocument()
	if problem := prop.TakenID(scope, id); problem != "" {
		a.faults.Add("%s", problem)
		id = prop.FreeID(scope, id)
	}
	a.create(scope, id)
	a.faults.Attach(a)
	a.faults.Try(a.complete)
	return a
}

// create makes the construct, if need be of safe values.
func (a *RestApi) create(scope constructs.Construct, id string) {
	made := a.faults.Try(func() {
		if a.document != nil {
			awsapigateway.NewSpecRestApi_Override(a, scope, &id, a.props.specProps(a.document))
			return
		}
		awsapigateway.NewRestApi_Override(a, scope, &id, a.props.apiProps())
	})
	if made {
		return
	}
	scope.Node().TryRemoveChild(&id)
	a.RestApi, a.document, a.props = nil, nil, RestApiProps{DisableAccessLogs: true}
	a.props.setDefaults()
	awsapigateway.NewRestApi_Override(a, scope, &id, nil)
}

// implicitRestID is the id that SAM has for the API that nobody defined.
const implicitRestID = "ServerlessRestApi"

// ImplicitRestApi is the API of a stack's [ApiEvent]s that name none. It is
// made, with defaults, when it is first asked for.
func ImplicitRestApi(stack awscdk.Stack) *RestApi {
	if made, ok := stack.Node().TryFindChild(jsii.String(implicitRestID)).(*RestApi); ok {
		return made
	}
	return NewRestApi(stack, implicitRestID, RestApiProps{})
}

// ToString is overridden only because jsii takes a Go type as a subclass when it
// overrides something.
func (a *RestApi) ToString() *string { return a.RestApi.ToString() }

// Route sends the requests with a method and path to a function, or to an alias
// or version of one. It is the short form of an [ApiEvent].
func (a *RestApi) Route(method, path string, function awslambda.IFunction) {
	a.faults.Position = prop.Position()
	if prop.IsNil(function) {
		a.faults.Add("the route %s %s has no function", method, path)
		return
	}
	a.faults.Try(func() {
		a.add(restRoute{ApiEvent: ApiEvent{Method: method, Path: path}, function: function}, a.faults)
	})
}

// ApiKeys are those of Auth.UsagePlan, in its order.
func (a *RestApi) ApiKeys() []awsapigateway.IApiKey { return a.keys }

// UsagePlan is that of Auth, nil where there is none.
func (a *RestApi) UsagePlan() awsapigateway.UsagePlan { return a.plan }

func (p *RestApiProps) setDefaults() {
	prop.SetDefault(&p.StageName, DefaultStageName)
	prop.SetDefault(&p.EndpointConfiguration, "REGIONAL")
	prop.SetDefault(&p.ThrottlingRateLimit, DefaultThrottlingRateLimit)
	prop.SetDefault(&p.ThrottlingBurstLimit, DefaultThrottlingBurstLimit)
	prop.SetDefault(&p.AccessLogRetention, DefaultLogRetention)
	prop.SetDefault(&p.AccessLogFormat, restAccessLogFormat())
}

// specProps are the CDK's for an API with a document.
func (p *RestApiProps) specProps(d *document) *awsapigateway.SpecRestApiProps {
	return &awsapigateway.SpecRestApiProps{
		ApiDefinition:             awsapigateway.ApiDefinition_FromInline(d.body),
		RestApiName:               prop.Optional(p.Name),
		Description:               prop.Optional(p.Description),
		DisableExecuteApiEndpoint: prop.OptionalTrue(p.DisableExecuteApiEndpoint),
		EndpointConfiguration:     p.endpoint(),
		FailOnWarnings:            prop.OptionalTrue(p.FailOnWarnings),
		MinCompressionSize:        p.compression(),
		Policy:                    p.ResourcePolicy,
		CloudWatchRole:            jsii.Bool(false),
		DeployOptions:             p.stageOptions(),
	}
}

// apiProps are the CDK's for checked ones of ours.
func (p *RestApiProps) apiProps() *awsapigateway.RestApiProps {
	return &awsapigateway.RestApiProps{
		RestApiName:               prop.Optional(p.Name),
		Description:               prop.Optional(p.Description),
		DisableExecuteApiEndpoint: prop.OptionalTrue(p.DisableExecuteApiEndpoint),
		EndpointConfiguration:     p.endpoint(),
		BinaryMediaTypes:          prop.OptionalStrings(p.BinaryMediaTypes),
		MinCompressionSize:        p.compression(),
		ApiKeySourceType:          awsapigateway.ApiKeySourceType(p.Auth.ApiKeySourceType),
		Policy:                    p.ResourcePolicy,
		CloudWatchRole:            jsii.Bool(false),
		DeployOptions:             p.stageOptions(),
	}
}

func (p *RestApiProps) endpoint() *awsapigateway.EndpointConfiguration {
	endpoint := &awsapigateway.EndpointConfiguration{
		Types: &[]awsapigateway.EndpointType{awsapigateway.EndpointType(p.EndpointConfiguration)},
	}
	if len(p.VPCEndpoints) > 0 {
		endpoint.VpcEndpoints = &p.VPCEndpoints
	}
	return endpoint
}

func (p *RestApiProps) compression() awscdk.Size {
	if p.MinimumCompressionSize == 0 {
		return nil
	}
	return awscdk.Size_Bytes(jsii.Number(p.MinimumCompressionSize))
}

func (p *RestApiProps) stageOptions() *awsapigateway.StageOptions {
	stage := &awsapigateway.StageOptions{
		StageName:            &p.StageName,
		Variables:            prop.OptionalMap(p.Variables),
		TracingEnabled:       jsii.Bool(!p.DisableTracing),
		ThrottlingRateLimit:  jsii.Number(p.ThrottlingRateLimit),
		ThrottlingBurstLimit: jsii.Number(p.ThrottlingBurstLimit),
	}
	if p.CacheClusterSize != "" {
		stage.CacheClusterSize, stage.CacheClusterEnabled = &p.CacheClusterSize, jsii.Bool(true)
		stage.CachingEnabled, stage.CacheDataEncrypted = jsii.Bool(true), jsii.Bool(true)
	}
	if len(p.MethodSettings) > 0 {
		all := map[string]*awsapigateway.MethodDeploymentOptions{}
		for key, settings := range p.MethodSettings {
			all[methodPath(key)] = settings.method(p.ThrottlingRateLimit, p.ThrottlingBurstLimit)
		}
		stage.MethodOptions = &all
	}
	return stage
}

func (s RouteSettings) method(rate, burst int) *awsapigateway.MethodDeploymentOptions {
	prop.SetDefault(&s.ThrottlingRateLimit, rate)
	prop.SetDefault(&s.ThrottlingBurstLimit, burst)
	return &awsapigateway.MethodDeploymentOptions{
		ThrottlingRateLimit: jsii.Number(s.ThrottlingRateLimit), ThrottlingBurstLimit: jsii.Number(s.ThrottlingBurstLimit),
		MetricsEnabled: prop.OptionalTrue(s.DetailedMetricsEnabled),
	}
}

// complete adds what the CDK has no props for.
func (a *RestApi) complete() {
	p := &a.props
	if p.EndpointConfiguration == "PRIVATE" && prop.IsNil(p.ResourcePolicy) {
		a.GrantInvokeFromVpcEndpointsOnly(&p.VPCEndpoints)
	}
	a.setStage()
	a.addModels()
	a.addGatewayResponses()
	a.authorizers = makeAuthorizers(a.faults, p.Auth.Authorizers, func(name string, authorizer RestApiAuthorizer) namedAuthorizer {
		if a.document == nil {
			return authorizer.addToRestApi(a, name)
		}
		return a.document.addScheme(a, a.RestApiId(), name, authorizer.restScheme(a))
	})
	if a.document != nil {
		a.Node().DefaultChild().(awsapigateway.CfnRestApi).SetBody(a.document.body)
	}
	p.Auth.DefaultAuthorizer = checkDefault(a.faults, a.authorizers, p.Auth.DefaultAuthorizer)
	a.addUsagePlan()
	if p.Domain != nil {
		p.Domain.mapREST(a)
	}
	prop.AddTags(a, p.Tags)
	atSynth(a.Node().DefaultChild(), a.checkMethods)
}

// checkMethods finds an API that nobody can call, when all is known. The CDK
// refuses it too, but as the only fault that it tells.
func (a *RestApi) checkMethods() {
	if a.document != nil {
		a.document.checkIntegrations(a.faults)
		return
	}
	if len(*a.Methods()) == 0 {
		a.faults.Add("the API has no methods: give a function an ApiEvent for it, or call Route")
		a.Root().AddMethod(jsii.String("GET"), awsapigateway.NewMockIntegration(nil), nil)
	}
}

// setStage sets what the CDK has no props for on the stage.
func (a *RestApi) setStage() {
	p := a.props
	stage := a.DeploymentStage().Node().DefaultChild().(awsapigateway.CfnStage)
	if c := p.CanarySetting; c != nil {
		canary := &awsapigateway.CfnStage_CanarySettingProperty{PercentTraffic: &c.PercentTraffic}
		if len(c.StageVariableOverrides) > 0 {
			canary.StageVariableOverrides = c.StageVariableOverrides
		}
		if c.UseStageCache {
			canary.UseStageCache = true
		}
		stage.SetCanarySetting(canary)
	}
	if p.DisableAccessLogs {
		return
	}
	logs := awslogs.NewLogGroup(a, jsii.String("AccessLogs"), &awslogs.LogGroupProps{Retention: p.AccessLogRetention})
	stage.SetAccessLogSetting(&awsapigateway.CfnStage_AccessLogSettingProperty{
		DestinationArn: logs.LogGroupArn(), Format: &p.AccessLogFormat,
	})
	if !p.DisableCloudWatchRole {
		stage.Node().AddDependency(logAccount(a.Stack()))
	}
}

// accountID is the id of what lets API Gateway write logs.
const accountID = "ServerlessApiGatewayAccount"

// logAccount lets API Gateway write logs in the stack's account and region,
// where REST and WebSocket APIs can't log before. It is kept with its role:
// other stacks have come to rely on it. Source: "Set up CloudWatch logging for
// REST APIs in API Gateway",
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
func logAccount(stack awscdk.Stack) constructs.IConstruct {
	if made := stack.Node().TryFindChild(jsii.String(accountID)); made != nil {
		return made
	}
	account := awsapigateway.NewCfnAccount(stack, jsii.String(accountID), nil)
	role := awsiam.NewRole(account, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("apigateway.amazonaws.com"), nil),
		ManagedPolicies: &[]awsiam.IManagedPolicy{
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("service-role/AmazonAPIGatewayPushToCloudWatchLogs")),
		},
	})
	account.SetCloudWatchRoleArn(role.RoleArn())
	role.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN)
	account.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	return account
}

func (a *RestApi) addModels() {
	for _, name := range slices.Sorted(maps.Keys(a.props.Models)) {
		model := awsapigateway.NewCfnModel(a, jsii.String("Model"+name), &awsapigateway.CfnModelProps{
			RestApiId: a.RestApiId(), Name: jsii.String(name), ContentType: jsii.String("application/json"),
			Schema: a.props.Models[name],
		})
		a.models[name] = model
		a.redeploy(model, map[string]any{"model": name, "schema": a.props.Models[name]})
	}
}

// redeploy makes a change of a part of the API one of the deployment, which
// CloudFormation makes anew only where its logical id differs.
func (a *RestApi) redeploy(part constructs.IDependable, content any) {
	if deployment := a.LatestDeployment(); deployment != nil {
		deployment.Node().AddDependency(part)
		deployment.AddToLogicalId(content)
	}
}

// addGatewayResponses adds those of the user, and has the errors of an API for
// pages of one origin, or of all, carry it: without, a browser does not show
// the page that it was refused, or why.
func (a *RestApi) addGatewayResponses() {
	all := maps.Clone(a.props.GatewayResponses)
	if c := a.props.Cors; c != nil && len(c.check()) == 0 && len(c.AllowOrigins) == 1 {
		for _, kind := range []string{"DEFAULT_4XX", "DEFAULT_5XX"} {
			if _, set := all[kind]; set {
				continue
			}
			if all == nil {
				all = map[string]GatewayResponse{}
			}
			all[kind] = GatewayResponse{Headers: c.errorHeaders()}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		a.addGatewayResponse(kind, all[kind])
	}
}

func (c *Cors) errorHeaders() map[string]string {
	headers := map[string]string{"Access-Control-Allow-Origin": c.AllowOrigins[0]}
	if c.AllowCredentials {
		headers["Access-Control-Allow-Credentials"] = "true"
	}
	return headers
}

func (a *RestApi) addGatewayResponse(kind string, r GatewayResponse) {
	options := &awsapigateway.GatewayResponseOptions{
		Type: awsapigateway.ResponseType_Of(&kind), ResponseHeaders: prop.OptionalMap(quoted(r.Headers)), Templates: prop.OptionalMap(r.Templates),
	}
	if r.StatusCode != 0 {
		options.StatusCode = jsii.String(fmt.Sprint(r.StatusCode))
	}
	a.AddGatewayResponse(jsii.String("GatewayResponse"+kind), options)
}

// restAccessLogFormat is a JSON object on one line. Source: "Variables for
// access logging for API Gateway",
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
func restAccessLogFormat() string {
	line, _ := json.Marshal(map[string]string{
		"requestId":          "$context.requestId",
		"requestTime":        "$context.requestTime",
		"sourceIp":           "$context.identity.sourceIp",
		"userAgent":          "$context.identity.userAgent",
		"httpMethod":         "$context.httpMethod",
		"path":               "$context.path",
		"resourcePath":       "$context.resourcePath",
		"protocol":           "$context.protocol",
		"status":             "$context.status",
		"responseLength":     "$context.responseLength",
		"responseLatency":    "$context.responseLatency",
		"integrationLatency": "$context.integrationLatency",
		"integrationError":   "$context.integration.error",
		"errorMessage":       "$context.error.message",
		"xrayTraceId":        "$context.xrayTraceId",
	})
	return string(line)
}
