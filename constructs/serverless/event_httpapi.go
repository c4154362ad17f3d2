package serverless

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// HttpApiEvent invokes a function for an HTTP request: SAM's HttpApi event.
type HttpApiEvent struct {
	// Method is an HTTP method, or "ANY", in either case; "ANY" by default.
	Method string
	// Path begins with "/". {name} matches one segment, {name+} as the last
	// segment matches all that follow. Without Method and Path, the function
	// gets every request that no other route matches.
	Path string
	// Api is the stack's implicit one by default (see [ImplicitHttpApi]).
	Api *HttpApi
	// PayloadFormatVersion is "2.0" by default, or "1.0", the form of a REST
	// API.
	PayloadFormatVersion string
	// TimeoutMillis is how long API Gateway waits, 50 to 29000 milliseconds;
	// 29000 by default.
	TimeoutMillis int
	// AuthorizerName is one of the API's Auth.Authorizers, AWSIAM or
	// NoAuthorizer; the API's Auth.DefaultAuthorizer by default.
	AuthorizerName string
	// Authorizer is one that was made with the CDK.
	Authorizer awsapigatewayv2.IHttpRouteAuthorizer
	// AuthorizationScopes are those that a JWT must have one of.
	AuthorizationScopes []string
	// RouteSettings are limits of this route alone.
	RouteSettings *RouteSettings
}

// Bind implements [Event].
func (e HttpApiEvent) Bind(fn *Function, _ string) {
	api := e.Api
	if api == nil {
		api = ImplicitHttpApi(awscdk.Stack_Of(fn))
	}
	api.add(route{HttpApiEvent: e, function: fn}, fn.faults)
}

// methods are those that API Gateway has routes for.
var methods = []awsapigatewayv2.HttpMethod{
	awsapigatewayv2.HttpMethod_ANY, awsapigatewayv2.HttpMethod_DELETE, awsapigatewayv2.HttpMethod_GET,
	awsapigatewayv2.HttpMethod_HEAD, awsapigatewayv2.HttpMethod_OPTIONS, awsapigatewayv2.HttpMethod_PATCH,
	awsapigatewayv2.HttpMethod_POST, awsapigatewayv2.HttpMethod_PUT,
}

// catchAll is API Gateway's name of the route for what no other matches.
const catchAll = "$default"

func (e *HttpApiEvent) setDefaults() {
	if e.Method == "" && e.Path == "" {
		e.Path = catchAll
	}
	prop.SetDefault(&e.Method, "ANY")
	e.Method = strings.ToUpper(e.Method)
	prop.SetDefault(&e.PayloadFormatVersion, "2.0")
}

func (e *HttpApiEvent) check() (found []string) {
	if !slices.Contains(methods, awsapigatewayv2.HttpMethod(e.Method)) {
		found = append(found, fmt.Sprintf("the method %q is none that API Gateway routes: use one of %s", e.Method, joined(methods)))
	}
	if problem := pathProblem(e.Path); problem != "" {
		found = append(found, fmt.Sprintf("the path %q %s", e.Path, problem))
	}
	if e.TimeoutMillis != 0 {
		found = append(found, prop.InRange("TimeoutMillis", e.TimeoutMillis, 50, 29000, "")...)
	}
	return append(found, prop.OneOf("PayloadFormatVersion", e.PayloadFormatVersion, "1.0", "2.0")...)
}

var pathVariable = regexp.MustCompile(`^\{[\w.:-]+\+?\}$`)

// pathProblem says what API Gateway would refuse. Source: "Create routes for
// HTTP APIs in API Gateway",
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func pathProblem(path string) string {
	if path == catchAll || path == "/" {
		return ""
	}
	if !strings.HasPrefix(path, "/") {
		return `does not begin with "/"`
	}
	if strings.HasSuffix(path, "/") {
		return `ends with "/": leave it out`
	}
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		switch {
		case segment == "":
			return `has an empty segment: leave one "/" out`
		case strings.ContainsAny(segment, "?#* "):
			return "has a character that no path has: API Gateway matches {name} and {name+} only"
		case strings.ContainsAny(segment, "{}") && !pathVariable.MatchString(segment):
			return "has a variable that is not a whole segment: write /{name}/"
		case strings.HasSuffix(segment, "+}") && i < len(segments)-1:
			return "goes on after a {name+} variable, which matches all that follows"
		}
	}
	return ""
}

func joined[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}

func (e *HttpApiEvent) payloadFormat() awsapigatewayv2.PayloadFormatVersion {
	if e.PayloadFormatVersion == "1.0" {
		return awsapigatewayv2.PayloadFormatVersion_VERSION_1_0()
	}
	return awsapigatewayv2.PayloadFormatVersion_VERSION_2_0()
}

func (e *HttpApiEvent) timeout() awscdk.Duration {
	if e.TimeoutMillis == 0 {
		return nil
	}
	return awscdk.Duration_Millis(jsii.Number(e.TimeoutMillis))
}
