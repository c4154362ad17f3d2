package serverless

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// ApiEvent invokes a function for a request to a REST API: SAM's Api event.
type ApiEvent struct {
	// Method is an HTTP method, or "ANY", in either case; "ANY" by default.
	Method string
	// Path begins with "/". {name} matches one segment, {name+} as the last
	// segment matches all that follow.
	Path string
	// Api is the stack's implicit one by default (see [ImplicitRestApi]).
	Api *RestApi
	// AuthorizerName is one of the API's Auth.Authorizers, AWSIAM or
	// NoAuthorizer; the API's Auth.DefaultAuthorizer by default.
	AuthorizerName string
	// Authorizer is one that was made with the CDK.
	Authorizer awsapigateway.IAuthorizer
	// AuthorizationScopes are those that a token of Cognito must have one of.
	AuthorizationScopes []string
	// ApiKeyRequired refuses requests without a key of a usage plan, as
	// Auth.ApiKeyRequired does for the whole API.
	ApiKeyRequired bool
	// RequestModel is what a request's body must be.
	RequestModel *RequestModel
	// RequestParameters are what a request has besides its path, by API
	// Gateway's names: "method.request.querystring.page",
	// "method.request.header.X-Shop". Those that are Required are checked.
	RequestParameters map[string]RequestParameter
	// TimeoutMillis is how long API Gateway waits, 50 to 29000 milliseconds,
	// and up to 15 minutes for an answer that is streamed; 29000 by default.
	TimeoutMillis int
	// ResponseTransferMode is "BUFFERED" by default; "STREAM" passes on what
	// the function writes while it writes it.
	ResponseTransferMode string
}

// RequestModel checks the body of a request before the function is invoked.
type RequestModel struct {
	// Model is one of the API's Models.
	Model string
	// ValidateBody refuses, with status 400, a body that the model does not
	// allow. ValidateParameters refuses a request without the parameters that
	// are Required.
	ValidateBody       bool
	ValidateParameters bool
}

// RequestParameter is a parameter of a request.
type RequestParameter struct {
	// Required refuses, with status 400, a request without it.
	Required bool
	// Caching makes it part of the key under which an answer is kept.
	Caching bool
}

// Bind implements [Event].
func (e ApiEvent) Bind(fn *Function, _ string) {
	api := e.Api
	if api == nil {
		api = ImplicitRestApi(awscdk.Stack_Of(fn))
	}
	api.add(restRoute{ApiEvent: e, function: fn}, fn.faults)
}

// restRoute is what becomes a method and a permission.
type restRoute struct {
	ApiEvent
	function awslambda.IFunction
}

func isMethod(name string) bool {
	return slices.Contains(methods, awsapigatewayv2.HttpMethod(name))
}

var requestParameter = regexp.MustCompile(`^method\.request\.(querystring|header|path|multivaluequerystring|multivalueheader)\.[\w.$-]+$`)

func (e *ApiEvent) check(a *RestApi) (found []string) {
	prop.SetDefault(&e.Method, "ANY")
	e.Method = strings.ToUpper(e.Method)
	if !isMethod(e.Method) {
		found = append(found, fmt.Sprintf("the method %q is none that API Gateway routes: use one of %s", e.Method, joined(methods)))
	}
	if e.Path == catchAll {
		found = append(found, `a REST API has no $default route: use the paths "/" and "/{proxy+}"`)
	} else if problem := pathProblem(e.Path); problem != "" {
		found = append(found, fmt.Sprintf("the path %q %s", e.Path, problem))
	}
	longest := 29000
	if e.ResponseTransferMode != "" {
		found = append(found, prop.OneOf("ResponseTransferMode", e.ResponseTransferMode, "BUFFERED", "STREAM")...)
		if e.ResponseTransferMode == "STREAM" {
			longest = 900000
		}
	}
	if e.TimeoutMillis != 0 {
		found = append(found, prop.InRange("TimeoutMillis", e.TimeoutMillis, 50, longest, "")...)
	}
	for _, name := range slices.Sorted(maps.Keys(e.RequestParameters)) {
		if !requestParameter.MatchString(name) {
			found = append(found, fmt.Sprintf(`the request parameter %q is none: write "method.request.querystring.NAME", or with header or path`, name))
		}
	}
	if m := e.RequestModel; m != nil && a.document == nil {
		if _, known := a.models[m.Model]; !known {
			found = append(found, fmt.Sprintf("the API %s has no model %q: add it to Models", *a.Node().Path(), m.Model))
		}
	}
	return found
}

// add makes a method, or reports why not to whoever asked for it.
func (a *RestApi) add(r restRoute, faults *prop.Faults) {
	problems := r.check(a)
	key := r.Method + " " + r.Path
	if len(problems) == 0 {
		problems = append(problems, a.conflicts(key, r.Path)...)
	}
	who, problem := decide(*a.Node().Path(), a.authorizers, a.props.Auth.DefaultAuthorizer, asked{
		given: !prop.IsNil(r.Authorizer), rest: r.Authorizer, name: r.AuthorizerName, scopes: r.AuthorizationScopes,
	})
	if problem != "" {
		problems = append(problems, problem)
	}
	for _, problem := range problems {
		faults.Add("%s", problem)
	}
	if len(problems) > 0 {
		return
	}
	if a.document != nil {
		if problem := a.integrate(r, key, who); problem != "" {
			faults.Add("%s", problem)
			return
		}
	}
	a.routes[key] = *r.function.Node().Path()
	if a.document == nil {
		a.addMethod(r, who)
	}
}

// addMethod makes the method of an API without a document.
func (a *RestApi) addMethod(r restRoute, who decision) {
	resource := a.Root()
	if r.Path != "/" {
		resource = resource.ResourceForPath(&r.Path)
	}
	method := resource.AddMethod(&r.Method, r.integration(), a.methodOptions(r, who))
	if r.RequestModel != nil {
		method.Node().AddDependency(a.models[r.RequestModel.Model])
	}
	if r.ResponseTransferMode == "STREAM" {
		a.stream(r, method)
	}
	a.preflight(r.Path, resource)
}

// conflicts finds what API Gateway would refuse beside the routes that are there.
func (a *RestApi) conflicts(key, path string) (found []string) {
	if other, taken := a.routes[key]; taken {
		return prop.Messages("the route %q of %s already goes to %s: a route has one function", key, *a.Node().Path(), other)
	}
	// A resource has at most one variable below it.
	parent := ""
	for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if strings.HasPrefix(segment, "{") {
			if other := a.variables[parent]; other != "" && other != segment {
				return prop.Messages("the path %q has %s where another has %s: a REST API takes one variable below a resource", path, segment, other)
			}
		}
		parent += "/" + segment
	}
	parent = ""
	for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if strings.HasPrefix(segment, "{") {
			a.variables[parent] = segment
		}
		parent += "/" + segment
	}
	return nil
}

func (r *restRoute) integration() awsapigateway.Integration {
	options := &awsapigateway.LambdaIntegrationOptions{AllowTestInvoke: jsii.Bool(false)}
	if r.TimeoutMillis != 0 && r.TimeoutMillis <= 29000 {
		options.Timeout = awscdk.Duration_Millis(jsii.Number(r.TimeoutMillis))
	}
	var keys []string
	for _, name := range slices.Sorted(maps.Keys(r.RequestParameters)) {
		if r.RequestParameters[name].Caching {
			keys = append(keys, name)
		}
	}
	options.CacheKeyParameters = prop.OptionalStrings(keys)
	return awsapigateway.NewLambdaIntegration(r.function, options)
}

func (a *RestApi) methodOptions(r restRoute, who decision) *awsapigateway.MethodOptions {
	options := &awsapigateway.MethodOptions{
		ApiKeyRequired:      prop.OptionalTrue(r.ApiKeyRequired || a.props.Auth.ApiKeyRequired),
		Authorizer:          who.rest,
		AuthorizationScopes: prop.OptionalStrings(who.scopes),
		RequestValidator:    a.validator(r),
	}
	if who.iam {
		options.AuthorizationType = awsapigateway.AuthorizationType_IAM
	}
	if m := r.RequestModel; m != nil {
		model := awsapigateway.Model_FromModelName(a, jsii.String(fmt.Sprintf("%s %s Model", r.Method, r.Path)), &m.Model)
		options.RequestModels = &map[string]awsapigateway.IModel{"application/json": model}
	}
	if len(r.RequestParameters) > 0 {
		required := map[string]*bool{}
		for name, p := range r.RequestParameters {
			required[name] = jsii.Bool(p.Required)
		}
		options.RequestParameters = &required
	}
	return options
}

// validator is that for what a route wants checked; an API has at most three.
func (a *RestApi) validator(r restRoute) awsapigateway.IRequestValidator {
	body, parameters := false, false
	if m := r.RequestModel; m != nil {
		body, parameters = m.ValidateBody, m.ValidateParameters
	}
	for _, p := range r.RequestParameters {
		parameters = parameters || p.Required
	}
	id := ""
	switch {
	case body && parameters:
		id = "ValidateBodyAndParameters"
	case body:
		id = "ValidateBody"
	case parameters:
		id = "ValidateParameters"
	default:
		return nil
	}
	if a.validators[id] == nil {
		a.validators[id] = a.AddRequestValidator(&id, &awsapigateway.RequestValidatorOptions{
			ValidateRequestBody: jsii.Bool(body), ValidateRequestParameters: jsii.Bool(parameters),
		})
	}
	return a.validators[id]
}

// stream has API Gateway pass an answer on while it is written. The CDK does
// not know of it yet. Source: "Set up a Lambda proxy integration with payload
// response streaming in API Gateway",
// https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
func (a *RestApi) stream(r restRoute, method awsapigateway.Method) {
	resource := method.Node().DefaultChild().(awsapigateway.CfnMethod)
	resource.AddPropertyOverride(jsii.String("Integration.ResponseTransferMode"), "STREAM")
	resource.AddPropertyOverride(jsii.String("Integration.Uri"), streamingURI(a, r.function))
	if r.TimeoutMillis > 29000 {
		resource.AddPropertyOverride(jsii.String("Integration.TimeoutInMillis"), r.TimeoutMillis)
	}
}

func streamingURI(a *RestApi, function awslambda.IFunction) string {
	uri := strings.Replace(invocationURI(a, function), "path/2015-03-31/", "path/2021-11-15/", 1)
	return strings.TrimSuffix(uri, "invocations") + "response-streaming-invocations"
}

// preflight answers cross-origin requests for a path of a route, once, unless
// a function does.
func (a *RestApi) preflight(path string, resource awsapigateway.IResource) {
	c, key := a.props.Cors, "OPTIONS "+path
	if c == nil || a.routes[key] != "" {
		return
	}
	a.routes[key] = "the API's Cors"
	options := &awsapigateway.CorsOptions{
		AllowOrigins: prop.OptionalStrings(c.AllowOrigins), AllowCredentials: prop.OptionalTrue(c.AllowCredentials),
		AllowHeaders: prop.OptionalStrings(c.AllowHeaders), ExposeHeaders: prop.OptionalStrings(c.ExposeHeaders),
		MaxAge: prop.OptionalDuration(c.MaxAge),
	}
	if len(c.AllowMethods) > 0 && !slices.Contains(c.AllowMethods, "*") {
		options.AllowMethods = jsii.Strings(c.AllowMethods...)
	}
	resource.AddCorsPreflight(options)
}

// integrate makes a route of an operation of the API's document. It tells what
// is wrong.
func (a *RestApi) integrate(r restRoute, key string, who decision) string {
	if !prop.IsNil(r.Authorizer) {
		return fmt.Sprintf("an API of %s can't have an authorizer of the CDK: add it to Auth.Authorizers and name it", a.document.where)
	}
	if r.ApiKeyRequired || r.RequestModel != nil || len(r.RequestParameters) > 0 {
		return fmt.Sprintf("the API key, model and parameters of %s are in %s: set them there", key, a.document.where)
	}
	integration := map[string]any{"type": "aws_proxy", "httpMethod": "POST", "uri": invocationURI(a, r.function)}
	if r.ResponseTransferMode == "STREAM" {
		integration["responseTransferMode"], integration["uri"] = "STREAM", streamingURI(a, r.function)
	}
	if r.TimeoutMillis != 0 {
		integration["timeoutInMillis"] = r.TimeoutMillis
	}
	if problem := a.document.answer(key, integration, who, r.AuthorizerName != ""); problem != "" {
		return problem
	}
	a.Node().DefaultChild().(awsapigateway.CfnRestApi).SetBody(a.document.body)
	allowRoute(a, a.RestApiId(), key, "*/"+strings.Replace(r.Method, "ANY", "*", 1)+pathVariables.ReplaceAllString(r.Path, "*"), r.function)
	return ""
}

// pathVariables are what the ARN of an execution has "*" for.
var pathVariables = regexp.MustCompile(`\{[^}]*\}`)
