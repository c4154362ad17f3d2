//go:build unix

package apigateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const (
	lambdaAuthorizers = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html"
	authorizerOutput  = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html"
	authorizerInput   = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html"
	denials           = "https://repost.aws/knowledge-center/api-gateway-403-error-lambda-authorizer"
)

// guarded is an API whose routes have a Lambda authorizer.
func guarded(protocol model.Protocol, a *model.Authorizer, keys ...string) *model.API {
	api := apiOf(protocol, keys...)
	a.Name, a.Function = "Guard", &model.Function{ID: model.ID{Name: "Guard"}}
	for _, route := range api.Routes {
		route.AuthorizationType, route.Authorizer = "CUSTOM", a
	}
	return api
}

// guard answers for the authorizer with decision, and for the route's function
// with 200. It keeps the events of both.
type guard struct {
	decision       string
	failed         string
	asked          atomic.Int64
	last, function atomic.Value
}

func (g *guard) invoke(_ context.Context, fn *model.Function, in local.Invocation) (*local.Result, error) {
	if fn.Name == "Guard" {
		g.asked.Add(1)
		g.last.Store(string(in.Payload))
		return &local.Result{Payload: []byte(g.decision), FunctionError: g.failed}, nil
	}
	g.function.Store(string(in.Payload))
	return &local.Result{Payload: []byte(`{"statusCode":200,"body":"in"}`)}, nil
}

func allow(effect, resource string) string {
	return `{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"` + effect + `","Resource":"` + resource + `"}]},"context":{"key":"value","n":1}}`
}

const (
	httpIn     = plain200 + "in"
	restIn     = "200 application/json in"
	http401    = `401 application/json {"message":"Unauthorized"}`
	http403    = `403 application/json {"message":"Forbidden"}`
	restDenied = `403 application/json {"Message":"User is not authorized to access this resource with an explicit deny"}`
)

func TestLambdaAuthorizers(t *testing.T) {
	simple := func() *model.Authorizer {
		return &model.Authorizer{Type: "REQUEST", PayloadFormatVersion: "2.0", EnableSimpleResponses: true, IdentitySource: []string{"$request.header.Authorization"}}
	}
	policies := func() *model.Authorizer {
		return &model.Authorizer{Type: "REQUEST", PayloadFormatVersion: "2.0", IdentitySource: []string{"$request.header.Authorization"}}
	}
	token := func() *model.Authorizer {
		return &model.Authorizer{Type: "TOKEN", IdentitySource: []string{"method.request.header.Authorization"}}
	}
	pattern := token()
	pattern.IdentityValidation = "Bearer [a-z]+"
	several := &model.Authorizer{Type: "REQUEST", IdentitySource: []string{"method.request.header.A", "method.request.querystring.b"}}
	none := &model.Authorizer{Type: "REQUEST", PayloadFormatVersion: "2.0", EnableSimpleResponses: true}
	const arn = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234"
	for _, test := range []struct {
		page, name       string
		protocol         model.Protocol
		authorizer       *model.Authorizer
		headers          string
		decision, failed string
		want             string
	}{
		{lambdaAuthorizers, "simple yes", model.HTTP, simple(), "Authorization: x\n", `{"isAuthorized":true,"context":{"a":[1]}}`, "", httpIn},
		{lambdaAuthorizers, "simple no", model.HTTP, simple(), "Authorization: x\n", `{"isAuthorized":false}`, "", http403},
		{lambdaAuthorizers, "no identity source", model.HTTP, simple(), "", `{"isAuthorized":true}`, "", http401},
		{lambdaAuthorizers, "none needed", model.HTTP, none, "", `{"isAuthorized":true}`, "", httpIn},
		{lambdaAuthorizers, "no form that is known", model.HTTP, simple(), "Authorization: x\n", `{"yes":true}`, "", http500},
		{lambdaAuthorizers, "a policy where a simple response is enabled", model.HTTP, simple(), "Authorization: x\n", allow("Allow", "*"), "", http500},
		{lambdaAuthorizers, "it failed", model.HTTP, simple(), "Authorization: x\n", `{"errorMessage":"boom"}`, "Unhandled", http500},
		{lambdaAuthorizers, "policy yes", model.HTTP, policies(), "Authorization: x\n", allow("Allow", arn+"/$default/GET/pets/7"), "", httpIn},
		{lambdaAuthorizers, "policy for another route", model.HTTP, policies(), "Authorization: x\n", allow("Allow", arn+"/$default/POST/*"), "", http403},
		{lambdaAuthorizers, "policy no", model.HTTP, policies(), "Authorization: x\n", allow("Deny", "*"), "", http403},
		{authorizerOutput, "token yes", model.REST, token(), "Authorization: x\n", allow("Allow", arn+"/prod/*/pets/*"), "", restIn},
		{denials, "token no", model.REST, token(), "Authorization: x\n", allow("Deny", arn+"/prod/GET/*"), "", restDenied},
		{denials, "not spoken of", model.REST, token(), "Authorization: x\n", allow("Allow", arn+"/other/*"), "", `403 application/json {"Message":"User is not authorized to access this resource"}`},
		{gatewayResponses, "UNAUTHORIZED without token", model.REST, token(), "", allow("Allow", "*"), "", http401},
		{authorizerInput, "UNAUTHORIZED by its own word", model.REST, token(), "Authorization: x\n", `{"errorMessage":"Unauthorized"}`, "Unhandled", http401},
		{gatewayResponses, "AUTHORIZER_CONFIGURATION_ERROR", model.REST, token(), "Authorization: x\n", `{"errorMessage":"boom"}`, "Unhandled", `500 application/json {"message":null}`},
		{gatewayResponses, "AUTHORIZER_CONFIGURATION_ERROR for no policy", model.REST, token(), "Authorization: x\n", `{"principalId":"me"}`, "", `500 application/json {"message":null}`},
		{"https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-authorizer.html", "a token that does not match", model.REST, pattern, "Authorization: Bearer 7\n", allow("Allow", "*"), "", http401},
		{"https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-authorizer.html", "a token that matches", model.REST, pattern, "Authorization: Bearer abc\n", allow("Allow", "*"), "", restIn},
		{authorizerInput, "one of two sources is missing", model.REST, several, "A: x\n", allow("Allow", "*"), "", http401},
	} {
		t.Run(string(test.protocol)+" "+test.name, func(t *testing.T) {
			g := &guard{decision: test.decision, failed: test.failed}
			api := guarded(test.protocol, test.authorizer, "GET /pets/{id}")
			log := &logBuffer{}
			address, _ := serve(t, Options{Application: application(api), Invoke: g.invoke, Logs: log})
			got := told(exchangeRaw(t, address, "GET /pets/7 HTTP/1.1\nHost: localhost\n"+test.headers+"\n")).with("")
			if got != test.want {
				t.Errorf("%s\ngot  %q\nwant %q\n%s", test.page, got, test.want, log)
			}
			if called := g.function.Load() != nil; called != strings.HasPrefix(test.want, "200") {
				t.Errorf("the function was called: %v", called)
			}
			if strings.HasPrefix(test.want, "401") && test.failed == "" && g.asked.Load() != 0 {
				t.Error("the authorizer was invoked without an identity")
			}
		})
	}
}

// What the authorizer gets, and what the function gets of it.
func TestAuthorizerEvents(t *testing.T) {
	const arn = `"arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/`
	for _, test := range []struct {
		page, name string
		api        *model.API
		decision   string
		fields     map[string]string // of the authorizer's event
		passed     string            // requestContext.authorizer of the function's
	}{
		{
			lambdaAuthorizers, "2.0", guarded(model.HTTP, &model.Authorizer{Type: "REQUEST", PayloadFormatVersion: "2.0", EnableSimpleResponses: true, IdentitySource: []string{"$request.header.authorization", "$request.querystring.q", "$context.routeKey", "$stageVariables.color"}}, "POST /pets/{id}"),
			`{"isAuthorized":true,"context":{"a":[1],"b":true}}`,
			map[string]string{
				"version": `"2.0"`, "type": `"REQUEST"`, "routeArn": arn + `$default/POST/pets/7"`, "identitySource": `["tok","1","POST /pets/{id}","blue"]`,
				"body": "(absent)", "isBase64Encoded": "(absent)", "routeKey": `"POST /pets/{id}"`, "pathParameters.id": `"7"`, "headers.authorization": `"tok"`,
			},
			`{"lambda":{"a":[1],"b":true}}`,
		},
		{
			lambdaAuthorizers, "1.0 of an HTTP API", guarded(model.HTTP, &model.Authorizer{Type: "REQUEST", PayloadFormatVersion: "1.0", IdentitySource: []string{"$request.header.Authorization", "$request.querystring.q"}}, "POST /pets/{id}"),
			allow("Allow", "*"),
			map[string]string{
				"version": `"1.0"`, "type": `"REQUEST"`, "methodArn": arn + `$default/POST/pets/7"`, "identitySource": `"tok,1"`, "authorizationToken": `"tok,1"`,
				"resource": `"/pets/{id}"`, "body": "(absent)", "requestContext.resourcePath": `"/pets/{id}"`,
			},
			`{"lambda":{"key":"value","n":1}}`,
		},
		{
			authorizerInput, "TOKEN", guarded(model.REST, &model.Authorizer{Type: "TOKEN", IdentitySource: []string{"method.request.header.Authorization"}}, "POST /pets/{id}"),
			allow("Allow", "*"),
			map[string]string{"type": `"TOKEN"`, "authorizationToken": `"tok"`, "methodArn": arn + `prod/POST/pets/7"`, "headers": "(absent)"},
			`{"key":"value","n":"1","principalId":"me"}`,
		},
		{
			authorizerInput, "REQUEST", guarded(model.REST, &model.Authorizer{Type: "REQUEST", IdentitySource: []string{"method.request.header.Authorization"}}, "POST /pets/{id}"),
			allow("Allow", "*"),
			map[string]string{
				"type": `"REQUEST"`, "methodArn": arn + `prod/POST/pets/7"`, "version": "(absent)", "identitySource": "(absent)", "httpMethod": `"POST"`,
				"pathParameters": `{"id":"7"}`, "stageVariables": `{"color":"blue"}`, "body": "(absent)", "requestContext.stage": `"prod"`,
			},
			`{"key":"value","n":"1","principalId":"me"}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.api.StageVariables = map[string]string{"color": "blue"}
			g := &guard{decision: test.decision}
			address, _ := serve(t, Options{Application: application(test.api), Invoke: g.invoke})
			reply, body := exchangeRaw(t, address, "POST /pets/7?q=1 HTTP/1.1\nHost: localhost\nAuthorization: tok\nContent-Length: 2\n\nhi")
			if reply.StatusCode != 200 {
				t.Fatalf("%s %s", reply.Status, body)
			}
			event := g.last.Load().(string)
			for name, want := range test.fields {
				if got := field(t, event, name); got != want {
					t.Errorf("%s\n%s is %s, want %s\n%s", test.page, name, got, want, event)
				}
			}
			if got := field(t, g.function.Load().(string), "requestContext.authorizer"); got != test.passed {
				t.Errorf("%s\nthe function got %s, want %s", test.page, got, test.passed)
			}
		})
	}
}

// Answers are kept by identity source for their time, and a policy that was
// kept is evaluated for the route of each request.
func TestAuthorizerCache(t *testing.T) {
	a := &model.Authorizer{Type: "REQUEST", PayloadFormatVersion: "2.0", IdentitySource: []string{"$request.header.Authorization"}, ResultTTL: time.Hour}
	api := guarded(model.HTTP, a, "GET /open", "GET /shut")
	g := &guard{decision: allow("Allow", "*/GET/open")}
	address, gateway := serve(t, Options{Application: application(api), Invoke: g.invoke})
	get := func(path, token string) int {
		reply, _ := exchangeRaw(t, address, "GET "+path+" HTTP/1.1\nHost: localhost\nAuthorization: "+token+"\n\n")
		return reply.StatusCode
	}
	for _, step := range []struct {
		path, token string
		want        int
		asked       int64
	}{
		{"/open", "a", 200, 1},
		{"/open", "a", 200, 1},
		{"/shut", "a", 403, 1},
		{"/open", "b", 200, 2},
	} {
		if got := get(step.path, step.token); got != step.want || g.asked.Load() != step.asked {
			t.Errorf("%s with %s: %d, asked %d times; want %d, %d", step.path, step.token, got, g.asked.Load(), step.want, step.asked)
		}
	}
	gateway.Swap(application(api))
	if get("/open", "a"); g.asked.Load() != 3 {
		t.Error("an answer outlived its application")
	}
	a.ResultTTL = 0
	get("/open", "a")
	if get("/open", "a"); g.asked.Load() != 5 {
		t.Error("an answer was kept without a time")
	}
}

func TestPolicies(t *testing.T) {
	const arn = "arn:aws:execute-api:eu-west-1:1:api/prod/GET/pets/7"
	for _, test := range []struct {
		statement string
		want      verdict
	}{
		{`[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + arn + `"}]`, allowed},
		{`{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + arn + `"}`, allowed},
		{`[{"Effect":"Allow","Action":["execute-api:Invoke"],"Resource":["x","arn:aws:execute-api:*:*:api/*/GET/*"]}]`, allowed},
		{`[{"Effect":"Allow","Action":"EXECUTE-API:*","Resource":"*"}]`, allowed},
		{`[{"Effect":"Allow","Action":"*","Resource":"*/pets/?"}]`, allowed},
		{`[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]`, implicitlyDenied},
		{`[{"Effect":"Allow","Action":"*","Resource":"*/pets/??"}]`, implicitlyDenied},
		{`[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*/pets/*"}]`, explicitlyDenied},
		{`[{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}]`, allowed},
		{`[{"Effect":"Allow","Action":"*","NotResource":"*/pets/*"}]`, implicitlyDenied},
		{`[]`, implicitlyDenied},
	} {
		p, err := parsePolicy(json.RawMessage(`{"Statement":` + test.statement + `}`))
		if err != nil {
			t.Errorf("%s: %v", test.statement, err)
			continue
		}
		if got := p.evaluate(arn); got != test.want {
			t.Errorf("%s: %v, want %v", test.statement, got, test.want)
		}
	}
	for _, broken := range []string{``, `{}`, `{"Statement":7}`, `{"Statement":[{"Effect":"Maybe"}]}`, `{"Statement":[{"Effect":"Allow","Action":{}}]}`} {
		if _, err := parsePolicy(json.RawMessage(broken)); err == nil {
			t.Errorf("%s is taken", broken)
		}
	}
}

func TestIAM(t *testing.T) {
	const signature = "Authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261124/eu-west-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=abc\n"
	for _, test := range []struct {
		page     string
		protocol model.Protocol
		target   string
		headers  string
		want     string
	}{
		{"https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html", model.HTTP, "/x", signature, httpIn},
		{"https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html", model.HTTP, "/x", "", http403},
		{gatewayResponses, model.REST, "/x", signature, restIn},
		{gatewayResponses, model.REST, "/x", "", `403 application/json {"message":"Missing Authentication Token"}`},
		{"https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html", model.REST, "/x?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLE%2F20261124%2Feu-west-1%2Fexecute-api%2Faws4_request&X-Amz-SignedHeaders=host&X-Amz-Signature=abc", "", restIn},
		{"https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html", model.FunctionURL, "/x", signature, restIn},
		{"https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html", model.FunctionURL, "/x", "Authorization: Bearer x\n", `403 application/json {"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}`},
		{"a scope that is none", model.HTTP, "/x", "Authorization: AWS4-HMAC-SHA256 Credential=AKIA, SignedHeaders=host, Signature=abc\n", http403},
	} {
		api := apiOf(test.protocol, "GET /x")
		if test.protocol == model.FunctionURL {
			api = apiOf(test.protocol, "$default")
		}
		api.Routes[0].AuthorizationType = "AWS_IAM"
		g := &guard{}
		address, _ := serve(t, Options{Application: application(api), Invoke: g.invoke})
		got := told(exchangeRaw(t, address, "GET "+test.target+" HTTP/1.1\nHost: localhost\n"+test.headers+"\n")).with("")
		if got != test.want {
			t.Errorf("%s\n%s %s: %s, want %s", test.page, test.protocol, test.target, got, test.want)
			continue
		}
		if !strings.HasPrefix(got, "200") {
			continue
		}
		path := "requestContext.authorizer.iam.accessKey"
		if test.protocol == model.REST {
			path = "requestContext.identity.accessKey"
		}
		if key := field(t, g.function.Load().(string), path); key != `"AKIAEXAMPLE"` {
			t.Errorf("%s: %s is %s", test.protocol, path, key)
		}
	}
}

func TestAPIKeys(t *testing.T) {
	const page = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html"
	for _, test := range []struct {
		keys   []string
		header string
		want   int
	}{
		{[]string{"abc", "def"}, "X-Api-Key: def\n", 200},
		{[]string{"abc"}, "X-Api-Key: xyz\n", 403},
		{[]string{"abc"}, "", 403},
		{nil, "X-Api-Key: anything\n", 200}, // AWS makes the value
		{nil, "", 403},
	} {
		api := apiOf(model.REST, "GET /x")
		api.APIKeys, api.Routes[0].APIKeyRequired = test.keys, true
		g := &guard{}
		address, _ := serve(t, Options{Application: application(api), Invoke: g.invoke})
		reply, body := exchangeRaw(t, address, "GET /x HTTP/1.1\nHost: localhost\n"+test.header+"\n")
		if reply.StatusCode != test.want || test.want == 403 && body != `{"message":"Forbidden"}` {
			t.Errorf("%s\n%v, %q: %s %s", page, test.keys, test.header, reply.Status, body)
		}
	}
}

// A Lambda authorizer may give the key.
func TestAuthorizerGivesAPIKey(t *testing.T) {
	for key, want := range map[string]int{"abc": 200, "xyz": 403} {
		api := guarded(model.REST, &model.Authorizer{Type: "TOKEN"}, "GET /x")
		api.APIKeys, api.Routes[0].APIKeyRequired = []string{"abc"}, true
		g := &guard{decision: strings.TrimSuffix(allow("Allow", "*"), "}") + `,"usageIdentifierKey":"` + key + `"}`}
		address, _ := serve(t, Options{Application: application(api), Invoke: g.invoke})
		if reply, body := exchangeRaw(t, address, "GET /x HTTP/1.1\nHost: localhost\nAuthorization: x\n\n"); reply.StatusCode != want {
			t.Errorf("%s\n%s: %s %s", authorizerOutput, key, reply.Status, body)
		}
	}
}

// An authorizer that the application lacks shuts the route, and one that was
// disabled opens it.
func TestNoAuthorizer(t *testing.T) {
	for _, disabled := range []bool{false, true} {
		api := apiOf(model.HTTP, "GET /x")
		api.Routes[0].AuthorizationType = "JWT"
		g := &guard{}
		address, _ := serve(t, Options{Application: application(api), Invoke: g.invoke, DisableAuthorizers: disabled})
		reply, _ := exchangeRaw(t, address, "GET /x HTTP/1.1\nHost: localhost\n\n")
		if want := map[bool]int{false: http.StatusInternalServerError, true: http.StatusOK}[disabled]; reply.StatusCode != want {
			t.Errorf("disabled %v: %s", disabled, reply.Status)
		}
	}
}

func TestWildcards(t *testing.T) {
	long := strings.Repeat("a", 1000)
	for pattern, want := range map[string]bool{"*": true, "a*": true, "*a": true, "*b*": false, strings.Repeat("*a", 500): true, strings.Repeat("*a", 500) + "b": false, "a?": false} {
		if got := wildcardMatch(pattern, long); got != want {
			t.Error(fmt.Sprintf("%.10s…", pattern), got)
		}
	}
}
