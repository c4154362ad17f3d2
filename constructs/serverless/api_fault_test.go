package serverless_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2authorizers"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/constructtest"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

// wantMistakes makes all in one stack, and wants exactly one fault of each.
func wantMistakes(t *testing.T, mistakes func(stack awscdk.Stack) []mistake) {
	t.Helper()
	stack := newStack(t)
	write(t, "orders.yaml", ordersDocument)
	write(t, "bad.yaml", "a: [")
	write(t, "other.yaml", "a: 1\n")
	write(t, "pathless.yaml", "openapi: 3.0.1\n")
	constructtest.WantMistakes(t, stack, mistakes(stack))
}

// httpMistake is one of an HTTP API.
func httpMistake(name string, change func(p *serverless.HttpApiProps), fault string) mistake {
	return mistake{Name: name, Make: func(s awscdk.Stack, id string) {
		var p serverless.HttpApiProps
		change(&p)
		_ = *serverless.NewHttpApi(s, id, p).ApiEndpoint()
	}, Fault: fault}
}

func httpAuthorizer(name string, a serverless.HttpApiAuthorizer, fault string) mistake {
	return httpMistake(name, func(p *serverless.HttpApiProps) {
		p.Auth.Authorizers = map[string]serverless.HttpApiAuthorizer{"A": a}
	}, `authorizer "A": `+fault)
}

// eventMistake is one of an event of a function.
func eventMistake(name string, event serverless.Event, fault string) mistake {
	return mistake{Name: name, Make: func(s awscdk.Stack, id string) {
		serverless.NewFunction(s, id, with(serverless.Events{"E": event}))
	}, Fault: `event "E": ` + fault}
}

func domain(change func(d *serverless.Domain)) func(p *serverless.HttpApiProps) {
	return func(p *serverless.HttpApiProps) {
		p.Domain = &serverless.Domain{DomainName: "api.shop.example", CertificateArn: certificate}
		change(p.Domain)
	}
}

func TestHttpApiFaults(t *testing.T) {
	wantMistakes(t, func(stack awscdk.Stack) []mistake {
		guard := serverless.NewFunction(stack, "Guard", checkout)
		pool, _ := members(stack)
		api := serverless.NewHttpApi(stack, "Api", serverless.HttpApiProps{Auth: serverless.HttpApiAuth{Authorizers: map[string]serverless.HttpApiAuthorizer{
			"Lambda": serverless.LambdaAuthorizer{Function: guard, Identity: serverless.AuthorizerIdentity{Headers: []string{"X"}}},
		}}})
		documented := serverless.NewHttpApi(stack, "Documented", serverless.HttpApiProps{DefinitionUri: "orders.yaml"})
		secured := serverless.NewHttpApi(stack, "Secured", serverless.HttpApiProps{
			Auth: serverless.HttpApiAuth{Authorizers: map[string]serverless.HttpApiAuthorizer{
				"Login":  serverless.OAuth2Authorizer{Issuer: "https://a.example", Audience: []string{"a"}},
				"Lambda": serverless.LambdaAuthorizer{Function: guard, Identity: serverless.AuthorizerIdentity{Headers: []string{"X"}}},
			}},
			DefinitionBody: map[string]any{"openapi": "3.0.1", "paths": map[string]any{
				"/own":  map[string]any{"get": map[string]any{"security": []any{map[string]any{"Login": []any{}}}}},
				"/none": map[string]any{"get": map[string]any{"x-amazon-apigateway-integration": map[string]any{}}},
			}},
		})
		for _, e := range []serverless.HttpApiEvent{{Method: "POST", Path: "/orders"}, {Path: "/orders/{id}"}, {}} {
			key := e.Method + e.Path
			e.Api = documented
			guard.AddEvent("Documented"+key, e)
		}
		return []mistake{
			httpMistake("stage name", func(p *serverless.HttpApiProps) { p.StageName = "my stage" }, `StageName "my stage" is none for API Gateway`),
			httpMistake("variable name", func(p *serverless.HttpApiProps) { p.StageVariables = map[string]string{"a-b": "c"} }, `the stage variable "a-b" has a name`),
			httpMistake("variable value", func(p *serverless.HttpApiProps) { p.StageVariables = map[string]string{"a": "b c"} }, `has the value "b c"`),
			httpMistake("tag", func(p *serverless.HttpApiProps) { p.Tags = map[string]string{"aws:a": "b"} }, "begins with aws:"),
			httpMistake("route settings", func(p *serverless.HttpApiProps) {
				p.RouteSettings = map[string]serverless.RouteSettings{"GET /none": {}}
			}, `RouteSettings has "GET /none", which is no route`),
			httpMistake("default authorizer", func(p *serverless.HttpApiProps) { p.Auth.DefaultAuthorizer = "Who" }, `DefaultAuthorizer "Who" is none of Authorizers: use one of AWS_IAM, NONE`),
			httpMistake("authorizer's name", func(p *serverless.HttpApiProps) {
				p.Auth.Authorizers = map[string]serverless.HttpApiAuthorizer{"NONE": serverless.OAuth2Authorizer{}}
			}, `authorizer "NONE": its name means something else`),
			httpMistake("authorizer of a part's name", func(p *serverless.HttpApiProps) {
				p.Auth.Authorizers = map[string]serverless.HttpApiAuthorizer{"AccessLogs": serverless.OAuth2Authorizer{Issuer: "https://a.example", Audience: []string{"b"}}}
			}, `authorizer "AccessLogs": the CDK refuses it`),
			httpAuthorizer("nil authorizer", nil, "it is nil"),
			httpAuthorizer("no issuer", serverless.OAuth2Authorizer{Audience: []string{"a"}}, "it has no Issuer"),
			httpAuthorizer("plain issuer", serverless.OAuth2Authorizer{Issuer: "http://a.example", Audience: []string{"a"}}, `the Issuer "http://a.example" does not begin with "https://"`),
			httpAuthorizer("no audience", serverless.OAuth2Authorizer{Issuer: "https://a.example"}, "it has no Audience"),
			httpAuthorizer("identity source", serverless.OAuth2Authorizer{Issuer: "https://a.example", Audience: []string{"a"}, IdentitySource: "Authorization"}, `the IdentitySource "Authorization" is none`),
			httpAuthorizer("no pool", serverless.CognitoAuthorizer{}, "it has no UserPool"),
			httpAuthorizer("no clients", serverless.CognitoAuthorizer{UserPool: pool}, "it has no UserPoolClients"),
			httpAuthorizer("nil client", serverless.CognitoAuthorizer{UserPool: pool, UserPoolClients: []awscognito.IUserPoolClient{nil}}, "UserPoolClients[0] is nil"),
			httpAuthorizer("no function", serverless.LambdaAuthorizer{Identity: serverless.AuthorizerIdentity{Headers: []string{"X"}}}, "it has no Function"),
			httpAuthorizer("no identity", serverless.LambdaAuthorizer{Function: guard}, "it has no Identity"),
			httpAuthorizer("long kept", serverless.LambdaAuthorizer{Function: guard, Identity: serverless.AuthorizerIdentity{Headers: []string{"X"}, ReauthorizeEvery: 2 * time.Hour}}, "ReauthorizeEvery is 2h0m0s: allowed are 1s to 1h"),
			httpAuthorizer("payload version", serverless.LambdaAuthorizer{Function: guard, AuthorizerPayloadFormatVersion: "3.0", Identity: serverless.AuthorizerIdentity{Headers: []string{"X"}}}, `AuthorizerPayloadFormatVersion is "3.0"`),
			httpMistake("host name", domain(func(d *serverless.Domain) { d.DomainName = "Shop" }), `Domain: DomainName "Shop" is no host name`),
			httpMistake("no certificate", domain(func(d *serverless.Domain) {
				d.CertificateArn = ""
				d.MutualTlsAuthentication = &serverless.MutualTlsAuthentication{TruststoreUri: "s3://shop-trust/ca.pem"}
			}), "Domain: it has no certificate"),
			httpMistake("truststore", domain(func(d *serverless.Domain) {
				d.MutualTlsAuthentication = &serverless.MutualTlsAuthentication{TruststoreUri: "ca.pem"}
			}), `Domain: TruststoreUri "ca.pem" is no object in S3`),
			httpMistake("edge domain", domain(func(d *serverless.Domain) { d.EndpointConfiguration = "EDGE" }), `Domain: EndpointConfiguration is "EDGE": allowed are "REGIONAL"`),
			httpMistake("ownership alone", domain(func(d *serverless.Domain) { d.OwnershipVerificationCertificateArn = certificate }), "needs MutualTlsAuthentication"),
			httpMistake("no zone", domain(func(d *serverless.Domain) { d.Route53 = &serverless.Route53{} }), "Domain: Route53 needs either HostedZoneId or HostedZoneName"),
			httpMistake("base path", domain(func(d *serverless.Domain) { d.BasePath = []string{"/v1"} }), `Domain: BasePath "/v1" begins or ends with "/"`),
			httpMistake("no document", func(p *serverless.HttpApiProps) { p.DefinitionUri = "none.yaml" }, `DefinitionUri "none.yaml" can't be read`),
			httpMistake("bad document", func(p *serverless.HttpApiProps) { p.DefinitionUri = "bad.yaml" }, `DefinitionUri "bad.yaml" is neither JSON nor YAML`),
			httpMistake("other document", func(p *serverless.HttpApiProps) { p.DefinitionUri = "other.yaml" }, `DefinitionUri "other.yaml" is no OpenAPI document`),
			httpMistake("no paths", func(p *serverless.HttpApiProps) { p.DefinitionUri = "pathless.yaml" }, `DefinitionUri "pathless.yaml" has no paths`),
			httpMistake("two documents", func(p *serverless.HttpApiProps) {
				p.DefinitionUri, p.DefinitionBody = "orders.yaml", map[string]any{"openapi": "3.0.1"}
			}, "DefinitionBody and DefinitionUri are both set"),
			httpMistake("Swagger", func(p *serverless.HttpApiProps) {
				p.DefinitionBody = map[string]any{"swagger": "2.0", "paths": map[string]any{}}
			}, "DefinitionBody is of Swagger 2.0: an HTTP API takes OpenAPI 3.0"),
			httpMistake("two CORS settings", func(p *serverless.HttpApiProps) {
				p.Cors = &serverless.Cors{AllowOrigins: []string{"*"}}
				p.DefinitionBody = map[string]any{"openapi": "3.0.1", "paths": map[string]any{}, "x-amazon-apigateway-cors": map[string]any{}}
			}, "Cors and the x-amazon-apigateway-cors of DefinitionBody are both set"),
			httpMistake("nothing answers", func(p *serverless.HttpApiProps) {
				p.DefinitionBody = map[string]any{"openapi": "3.0.1", "paths": map[string]any{"/a": map[string]any{"get": map[string]any{}}}}
			}, "nothing answers the operation GET /a of DefinitionBody"),
			eventMistake("unknown authorizer", serverless.HttpApiEvent{Api: api, Path: "/a", AuthorizerName: "Who"}, `the API Shop/Api has no authorizer "Who": use one of Lambda, AWS_IAM, NONE`),
			eventMistake("two authorizers", serverless.HttpApiEvent{Api: api, Path: "/b", AuthorizerName: "Lambda", Authorizer: awsapigatewayv2authorizers.NewHttpIamAuthorizer()}, "Authorizer and AuthorizerName \"Lambda\" are both set"),
			eventMistake("scopes without JWT", serverless.HttpApiEvent{Api: api, Path: "/c", AuthorizerName: "Lambda", AuthorizationScopes: []string{"a"}}, `AuthorizationScopes need an authorizer of JWTs, which "Lambda" is not`),
			eventMistake("scopes without authorizer", serverless.HttpApiEvent{Api: api, Path: "/d", AuthorizationScopes: []string{"a"}}, "AuthorizationScopes need an authorizer of JWTs: set AuthorizerName"),
			eventMistake("route limits", serverless.HttpApiEvent{Api: api, Path: "/e", RouteSettings: &serverless.RouteSettings{ThrottlingRateLimit: -1}}, "throttling is -1 requests a second"),
			eventMistake("no such operation", serverless.HttpApiEvent{Api: documented, Method: "PUT", Path: "/orders"}, `DefinitionUri "orders.yaml" has no operation PUT /orders`),
			eventMistake("operation with integration", serverless.HttpApiEvent{Api: documented, Method: "GET", Path: "/status"}, "the operation GET /status of DefinitionUri \"orders.yaml\" has an x-amazon-apigateway-integration of its own"),
			eventMistake("security twice", serverless.HttpApiEvent{Api: secured, Method: "GET", Path: "/own", AuthorizerName: "Login"}, "the operation GET /own of DefinitionBody has a security of its own"),
			eventMistake("the CDK's authorizer", serverless.HttpApiEvent{Api: secured, Method: "GET", Path: "/none", Authorizer: awsapigatewayv2authorizers.NewHttpIamAuthorizer()}, "an API of DefinitionBody can't have an authorizer of the CDK"),
			eventMistake("scopes of a scheme without", serverless.HttpApiEvent{Api: secured, Method: "GET", Path: "/none", AuthorizerName: "Lambda", AuthorizationScopes: []string{"a"}}, `AuthorizationScopes need an authorizer of JWTs, which "Lambda" is not`),
			httpMistake("no clients in a document", func(p *serverless.HttpApiProps) {
				p.DefinitionBody = map[string]any{"openapi": "3.0.1", "paths": map[string]any{}}
				p.Auth.Authorizers = map[string]serverless.HttpApiAuthorizer{"A": serverless.CognitoAuthorizer{UserPool: pool}}
			}, `authorizer "A": it has no UserPoolClients`),
		}
	})
}

func restMistake(name string, change func(p *serverless.RestApiProps), fault string) mistake {
	return mistake{Name: name, Make: func(s awscdk.Stack, id string) {
		var p serverless.RestApiProps
		change(&p)
		api := serverless.NewRestApi(s, id, p)
		if p.DefinitionBody == nil && p.DefinitionUri == "" {
			api.Route("GET", "/", serverless.NewFunction(s, id+"Function", checkout))
		}
	}, Fault: fault}
}

func restAuthorizer(name string, a serverless.RestApiAuthorizer, fault string) mistake {
	return restMistake(name, func(p *serverless.RestApiProps) {
		p.Auth.Authorizers = map[string]serverless.RestApiAuthorizer{"A": a}
	}, `authorizer "A": `+fault)
}

func TestRestApiFaults(t *testing.T) {
	wantMistakes(t, func(stack awscdk.Stack) []mistake {
		guard := serverless.NewFunction(stack, "Guard", checkout)
		api := serverless.NewRestApi(stack, "Api", serverless.RestApiProps{
			Cors: &serverless.Cors{AllowOrigins: []string{"https://a.example", "https://b.example"}},
			Auth: serverless.RestApiAuth{Authorizers: map[string]serverless.RestApiAuthorizer{"Token": serverless.LambdaTokenAuthorizer{Function: guard}}},
		})
		api.Route("GET", "/orders/{id}", guard)
		own := awsapigateway.NewTokenAuthorizer(stack, jsii.String("Own"), &awsapigateway.TokenAuthorizerProps{Handler: guard})
		guard.AddEvent("Own", serverless.ApiEvent{Api: api, Method: "GET", Path: "/own", Authorizer: own})
		documented := serverless.NewRestApi(stack, "Documented", serverless.RestApiProps{DefinitionBody: map[string]any{
			"openapi": "3.0.1", "paths": map[string]any{"/a": map[string]any{"get": map[string]any{"x-amazon-apigateway-integration": map[string]any{"type": "mock"}}}},
		}})
		return []mistake{
			{Name: "no methods", Make: func(s awscdk.Stack, id string) { serverless.NewRestApi(s, id, serverless.RestApiProps{}) }, Fault: "the API has no methods"},
			restMistake("default stage", func(p *serverless.RestApiProps) { p.StageName = "$default" }, `StageName "$default" is none for API Gateway`),
			restMistake("variable", func(p *serverless.RestApiProps) { p.Variables = map[string]string{"a b": "c"} }, `the stage variable "a b"`),
			restMistake("retention", func(p *serverless.RestApiProps) { p.AccessLogRetention = "x" }, `AccessLogRetention "x" is none`),
			restMistake("log format", func(p *serverless.RestApiProps) { p.AccessLogFormat = "$context.path" }, "AccessLogFormat has no $context.requestId"),
			restMistake("canary", func(p *serverless.RestApiProps) { p.CanarySetting = &serverless.CanarySetting{PercentTraffic: 101} }, "CanarySetting.PercentTraffic is 101"),
			restMistake("canary variables", func(p *serverless.RestApiProps) {
				p.CanarySetting = &serverless.CanarySetting{StageVariableOverrides: map[string]string{"a": ""}}
			}, "the stage variable a has the value"),
			restMistake("endpoint", func(p *serverless.RestApiProps) { p.EndpointConfiguration = "GLOBAL" }, `EndpointConfiguration is "GLOBAL"`),
			restMistake("private without endpoints", func(p *serverless.RestApiProps) { p.EndpointConfiguration = "PRIVATE" }, "nobody may call a private API"),
			restMistake("endpoints of a public API", func(p *serverless.RestApiProps) { p.VPCEndpoints = []awsec2.IVpcEndpoint{nil} }, `VPCEndpoints need the EndpointConfiguration "PRIVATE"`),
			restMistake("mutual TLS at the edge", func(p *serverless.RestApiProps) {
				p.Domain = &serverless.Domain{DomainName: "api.shop.example", CertificateArn: certificate, EndpointConfiguration: "EDGE", MutualTlsAuthentication: &serverless.MutualTlsAuthentication{TruststoreUri: "s3://shop-trust/ca.pem"}}
			}, "Domain: mutual TLS needs the EndpointConfiguration REGIONAL"),
			restMistake("throttling", func(p *serverless.RestApiProps) { p.ThrottlingBurstLimit = -1 }, "throttling is 1000 requests a second and -1 at once"),
			restMistake("method settings", func(p *serverless.RestApiProps) {
				p.MethodSettings = map[string]serverless.RouteSettings{"/orders": {}}
			}, `MethodSettings "/orders": write a method and a path`),
			restMistake("cache size", func(p *serverless.RestApiProps) { p.CacheClusterSize = "1" }, `CacheClusterSize is "1"`),
			restMistake("compression", func(p *serverless.RestApiProps) { p.MinimumCompressionSize = -1 }, "MinimumCompressionSize is -1 bytes"),
			restMistake("CORS", func(p *serverless.RestApiProps) { p.Cors = &serverless.Cors{} }, "Cors has no AllowOrigins"),
			restMistake("model name", func(p *serverless.RestApiProps) {
				p.Models = map[string]map[string]any{"an order": {"type": "object"}}
			}, `the model "an order" has a name that API Gateway refuses`),
			restMistake("empty model", func(p *serverless.RestApiProps) { p.Models = map[string]map[string]any{"Order": {}} }, `the model "Order" is empty`),
			restMistake("gateway response", func(p *serverless.RestApiProps) {
				p.GatewayResponses = map[string]serverless.GatewayResponse{"DEFAULT_3XX": {}}
			}, `the gateway response "DEFAULT_3XX" is none of API Gateway's`),
			restMistake("gateway status", func(p *serverless.RestApiProps) {
				p.GatewayResponses = map[string]serverless.GatewayResponse{"THROTTLED": {StatusCode: 42}}
			}, "the gateway response THROTTLED has the status 42"),
			restMistake("media type", func(p *serverless.RestApiProps) { p.BinaryMediaTypes = []string{"png"} }, `the binary media type "png" is none`),
			restMistake("key source", func(p *serverless.RestApiProps) { p.Auth.ApiKeySourceType = "QUERY" }, `ApiKeySourceType is "QUERY"`),
			restMistake("quota", func(p *serverless.RestApiProps) {
				p.Auth.UsagePlan = &serverless.UsagePlan{Quota: &serverless.Quota{Limit: 0, Period: "DAY"}}
			}, "Quota.Limit is 0"),
			restMistake("quota period", func(p *serverless.RestApiProps) {
				p.Auth.UsagePlan = &serverless.UsagePlan{Quota: &serverless.Quota{Limit: 1, Period: "YEAR"}}
			}, `Quota.Period is "YEAR"`),
			restMistake("one key twice", func(p *serverless.RestApiProps) {
				p.Auth.UsagePlan = &serverless.UsagePlan{ApiKeys: []string{"A", "A"}}
			}, "the CDK refuses it: There is already a Construct with name 'A'"),
			restMistake("default authorizer", func(p *serverless.RestApiProps) { p.Auth.DefaultAuthorizer = "Who" }, `DefaultAuthorizer "Who" is none of Authorizers`),
			restAuthorizer("no function", serverless.LambdaTokenAuthorizer{}, "it has no Function"),
			restAuthorizer("long kept", serverless.LambdaTokenAuthorizer{Function: guard, ReauthorizeEvery: -time.Second}, "ReauthorizeEvery is -1s"),
			restAuthorizer("no identity", serverless.LambdaRequestAuthorizer{Function: guard}, "it has no Identity"),
			restAuthorizer("no pool", serverless.CognitoAuthorizer{}, "it has no UserPool"),
			restMistake("CORS and a document", func(p *serverless.RestApiProps) {
				p.Cors = &serverless.Cors{AllowOrigins: []string{"*"}}
				p.DefinitionBody = map[string]any{"openapi": "3.0.1", "paths": map[string]any{}}
			}, "Cors and DefinitionBody are both set"),
			restMistake("models and a document", func(p *serverless.RestApiProps) {
				p.Models = map[string]map[string]any{"Order": {"type": "object"}}
				p.DefinitionBody = map[string]any{"openapi": "3.0.1", "paths": map[string]any{}}
			}, "Models and DefinitionBody are both set"),
			restMistake("nothing answers", func(p *serverless.RestApiProps) {
				p.DefinitionBody = map[string]any{"swagger": "2.0", "paths": map[string]any{"/a": map[string]any{"get": map[string]any{}}}}
			}, "nothing answers the operation GET /a"),
			eventMistake("unknown method", serverless.ApiEvent{Api: api, Method: "FETCH", Path: "/a"}, `the method "FETCH" is none that API Gateway routes`),
			eventMistake("no path", serverless.ApiEvent{Api: api, Method: "GET"}, `the path "" does not begin with "/"`),
			eventMistake("$default", serverless.ApiEvent{Api: api, Path: "$default"}, "a REST API has no $default route"),
			eventMistake("timeout", serverless.ApiEvent{Api: api, Path: "/a", TimeoutMillis: 29001}, "TimeoutMillis is 29001: allowed are 50 to 29000"),
			eventMistake("transfer mode", serverless.ApiEvent{Api: api, Path: "/a", ResponseTransferMode: "CHUNKED"}, `ResponseTransferMode is "CHUNKED"`),
			eventMistake("parameter", serverless.ApiEvent{Api: api, Path: "/a", RequestParameters: map[string]serverless.RequestParameter{"page": {}}}, `the request parameter "page" is none`),
			eventMistake("no model", serverless.ApiEvent{Api: api, Path: "/a", RequestModel: &serverless.RequestModel{Model: "Order"}}, `the API Shop/Api has no model "Order"`),
			eventMistake("unknown authorizer", serverless.ApiEvent{Api: api, Path: "/a", AuthorizerName: "Who"}, `the API Shop/Api has no authorizer "Who": use one of Token, AWS_IAM, NONE`),
			eventMistake("scopes of a token", serverless.ApiEvent{Api: api, Path: "/a", AuthorizerName: "Token", AuthorizationScopes: []string{"a"}}, `AuthorizationScopes need an authorizer of JWTs, which "Token" is not`),
			eventMistake("route twice", serverless.ApiEvent{Api: api, Method: "get", Path: "/orders/{id}"}, `the route "GET /orders/{id}" of Shop/Api already goes to Shop/Guard`),
			eventMistake("two CORS answers", serverless.ApiEvent{Api: api, Method: "OPTIONS", Path: "/orders/{id}"}, `the route "OPTIONS /orders/{id}" of Shop/Api already goes to the API's Cors`),
			eventMistake("two variables", serverless.ApiEvent{Api: api, Path: "/orders/{name}/lines"}, `the path "/orders/{name}/lines" has {name} where another has {id}`),
			eventMistake("no such operation", serverless.ApiEvent{Api: documented, Method: "GET", Path: "/b"}, "DefinitionBody has no operation GET /b"),
			eventMistake("key elsewhere", serverless.ApiEvent{Api: documented, Method: "GET", Path: "/c", ApiKeyRequired: true}, "the API key, model and parameters of GET /c are in DefinitionBody"),
			eventMistake("the CDK's authorizer", serverless.ApiEvent{Api: documented, Method: "GET", Path: "/a", Authorizer: own}, "an API of DefinitionBody can't have an authorizer of the CDK"),
			{Name: "route without function", Make: func(s awscdk.Stack, id string) {
				api := serverless.NewRestApi(s, id, serverless.RestApiProps{})
				api.Root().AddMethod(jsii.String("GET"), nil, nil)
				api.Route("GET", "/none", nil)
			}, Fault: "the route GET /none has no function"},
		}
	})
}

func socketMistake(name string, change func(p *serverless.WebSocketApiProps), fault string) mistake {
	return mistake{Name: name, Make: func(s awscdk.Stack, id string) {
		var p serverless.WebSocketApiProps
		change(&p)
		serverless.NewWebSocketApi(s, id, p).Route("say", serverless.NewFunction(s, id+"Function", checkout))
	}, Fault: fault}
}

func TestWebSocketApiFaults(t *testing.T) {
	wantMistakes(t, func(stack awscdk.Stack) []mistake {
		guard := serverless.NewFunction(stack, "Guard", checkout)
		api := serverless.NewWebSocketApi(stack, "Api", serverless.WebSocketApiProps{})
		api.Route("say", guard)
		return []mistake{
			{Name: "no routes", Make: func(s awscdk.Stack, id string) {
				serverless.NewWebSocketApi(s, id, serverless.WebSocketApiProps{})
			}, Fault: "the API has no routes"},
			socketMistake("stage", func(p *serverless.WebSocketApiProps) { p.StageName = "$default" }, `StageName "$default" is none for a WebSocket API`),
			socketMistake("throttling", func(p *serverless.WebSocketApiProps) { p.ThrottlingRateLimit = -1 }, "throttling is -1"),
			socketMistake("retention", func(p *serverless.WebSocketApiProps) { p.AccessLogRetention = "x" }, `AccessLogRetention "x"`),
			socketMistake("variables", func(p *serverless.WebSocketApiProps) { p.StageVariables = map[string]string{"a": "<"} }, "the stage variable a has"),
			socketMistake("auth type", func(p *serverless.WebSocketApiProps) { p.Auth.AuthType = "JWT" }, `Auth.AuthType is "JWT"`),
			socketMistake("no function", func(p *serverless.WebSocketApiProps) { p.Auth.AuthType = "CUSTOM" }, "Auth has no Function"),
			socketMistake("function alone", func(p *serverless.WebSocketApiProps) { p.Auth.Function = guard }, `need the AuthType "CUSTOM"`),
			socketMistake("identity", func(p *serverless.WebSocketApiProps) {
				p.Auth = serverless.WebSocketApiAuth{AuthType: "CUSTOM", Function: guard, IdentitySource: []string{"token"}}
			}, `Auth.IdentitySource has "token"`),
			socketMistake("nobody is asked", func(p *serverless.WebSocketApiProps) { p.Auth.AuthType = serverless.AWSIAM }, "no function has the route $connect"),
			socketMistake("route settings", func(p *serverless.WebSocketApiProps) {
				p.RouteSettings = map[string]serverless.RouteSettings{"none": {}}
			}, `RouteSettings has "none"`),
			socketMistake("domain", func(p *serverless.WebSocketApiProps) { p.Domain = &serverless.Domain{DomainName: "api.shop.example"} }, "Domain: it has no certificate"),
			eventMistake("no API", serverless.WebSocketEvent{RouteKey: "say"}, "the Api is missing"),
			eventMistake("route key", serverless.WebSocketEvent{Api: api, RouteKey: "$join"}, `the route key "$join" is none`),
			eventMistake("no route key", serverless.WebSocketEvent{Api: api}, `the route key "" is none`),
			eventMistake("timeout", serverless.WebSocketEvent{Api: api, RouteKey: "a", TimeoutMillis: 1}, "TimeoutMillis is 1"),
			eventMistake("route twice", serverless.WebSocketEvent{Api: api, RouteKey: "say"}, `the route "say" of Shop/Api already goes to Shop/Guard`),
			{Name: "manage without function", Make: func(s awscdk.Stack, id string) {
				api := serverless.NewWebSocketApi(s, id, serverless.WebSocketApiProps{})
				api.Route("say", guard)
				api.ManageConnections(nil, "URL")
			}, Fault: "ManageConnections has no function"},
			{Name: "manage with a bad variable", Make: func(s awscdk.Stack, id string) {
				api := serverless.NewWebSocketApi(s, id, serverless.WebSocketApiProps{})
				api.Route("leave", guard)
				api.ManageConnections(guard, "AWS_REGION")
			}, Fault: "ManageConnections: the environment variable AWS_REGION is reserved"},
		}
	})
}

func TestFunctionUrlFaults(t *testing.T) {
	url := func(name string, c serverless.FunctionUrlConfig, fault string) mistake {
		return mistake{Name: name, Make: func(s awscdk.Stack, id string) {
			p := checkout
			p.FunctionUrlConfig = &c
			if serverless.NewFunction(s, id, p).FunctionUrl() != nil {
				t.Errorf("%s: the wrong URL was made", name)
			}
		}, Fault: fault}
	}
	wantMistakes(t, func(awscdk.Stack) []mistake {
		return []mistake{
			url("auth type", serverless.FunctionUrlConfig{AuthType: "JWT"}, `FunctionUrlConfig.AuthType is "JWT": allowed are "AWS_IAM", "NONE"`),
			url("invoke mode", serverless.FunctionUrlConfig{InvokeMode: "STREAM"}, `FunctionUrlConfig.InvokeMode is "STREAM"`),
			url("origins", serverless.FunctionUrlConfig{Cors: &serverless.Cors{}}, "FunctionUrlConfig: Cors has no AllowOrigins"),
			url("method", serverless.FunctionUrlConfig{Cors: &serverless.Cors{AllowOrigins: []string{"*"}, AllowMethods: []string{"OPTIONS"}}}, `FunctionUrlConfig: Cors.AllowMethods has "OPTIONS"`),
		}
	})
}

// An id that is taken is a fault of each kind of API, and the API is made.
func TestApiConstructIDs(t *testing.T) {
	stack := newStack(t)
	f := serverless.NewFunction(stack, "Checkout", checkout)
	for range 2 {
		serverless.NewRestApi(stack, "Rest", serverless.RestApiProps{}).Route("GET", "/", f)
		serverless.NewWebSocketApi(stack, "Socket", serverless.WebSocketApiProps{}).Route("say", f)
	}
	for _, id := range []string{"Rest", "Socket"} {
		wantFault(t, stack, fmt.Sprintf("Shop/%s: the construct id %q is used twice in its scope", id, id))
	}
	if got := faults(stack); len(got) != 2 {
		t.Errorf("there are %d faults, want two:\n%s", len(got), strings.Join(got, "\n"))
	}
}
