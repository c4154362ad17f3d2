package serverless_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2authorizers"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/constructtest"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

const certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"

// shopDomain is a domain with all that it can have.
func shopDomain() *serverless.Domain {
	return &serverless.Domain{
		DomainName: "api.shop.example", CertificateArn: certificate, BasePath: []string{"v1", "v2"},
		MutualTlsAuthentication: &serverless.MutualTlsAuthentication{TruststoreUri: "s3://shop-trust/clients/ca.pem", TruststoreVersion: "7"},
		Route53:                 &serverless.Route53{HostedZoneId: "Z123", IpV6: true},
	}
}

// members is a user pool with a client.
func members(stack awscdk.Stack) (awscognito.IUserPool, awscognito.IUserPoolClient) {
	pool := awscognito.UserPool_FromUserPoolId(stack, jsii.String("Members"), jsii.String("eu-west-1_abc"))
	return pool, awscognito.UserPoolClient_FromUserPoolClientId(stack, jsii.String("Web"), jsii.String("web-client"))
}

func TestHttpApiEverything(t *testing.T) {
	stack := newStack(t)
	guard := serverless.NewFunction(stack, "Guard", checkout)
	pool, client := members(stack)
	api := serverless.NewHttpApi(stack, "Api", serverless.HttpApiProps{
		StageName:      "live",
		StageVariables: map[string]string{"mode": "fast"},
		RouteSettings:  map[string]serverless.RouteSettings{"GET /orders/{id}": {ThrottlingRateLimit: 5, DetailedMetricsEnabled: true}},
		Auth: serverless.HttpApiAuth{
			DefaultAuthorizer: "Login",
			Authorizers: map[string]serverless.HttpApiAuthorizer{
				"Login":   serverless.OAuth2Authorizer{Issuer: "https://login.example", Audience: []string{"shop"}, AuthorizationScopes: []string{"orders"}},
				"Members": serverless.CognitoAuthorizer{UserPool: pool, UserPoolClients: []awscognito.IUserPoolClient{client}},
				"Simple":  serverless.LambdaAuthorizer{Function: guard, Identity: serverless.AuthorizerIdentity{Headers: []string{"X-Key"}, QueryStrings: []string{"key"}, ReauthorizeEvery: time.Minute}},
				"Policy":  serverless.LambdaAuthorizer{Function: guard, DisableSimpleResponses: true, Identity: serverless.AuthorizerIdentity{ReauthorizeEvery: serverless.ReauthorizeAlways}},
				"Old":     serverless.LambdaAuthorizer{Function: guard, AuthorizerPayloadFormatVersion: "1.0", Identity: serverless.AuthorizerIdentity{StageVariables: []string{"mode"}, Context: []string{"identity.sourceIp"}}},
			},
		},
		Domain: shopDomain(),
		Tags:   map[string]string{"team": "orders"},
	})
	serverless.NewFunction(stack, "Checkout", with(serverless.Events{
		"A": serverless.HttpApiEvent{Api: api, Method: "GET", Path: "/orders/{id}"},
		"B": serverless.HttpApiEvent{Api: api, Method: "POST", Path: "/orders", AuthorizationScopes: []string{"write"}, RouteSettings: &serverless.RouteSettings{ThrottlingBurstLimit: 2}},
		"C": serverless.HttpApiEvent{Api: api, Method: "GET", Path: "/members", AuthorizerName: "Members"},
		"D": serverless.HttpApiEvent{Api: api, Method: "GET", Path: "/simple", AuthorizerName: "Simple"},
		"E": serverless.HttpApiEvent{Api: api, Method: "GET", Path: "/policy", AuthorizerName: "Policy"},
		"F": serverless.HttpApiEvent{Api: api, Method: "GET", Path: "/old", AuthorizerName: "Old", PayloadFormatVersion: "1.0"},
		"G": serverless.HttpApiEvent{Api: api, Method: "GET", Path: "/signed", AuthorizerName: serverless.AWSIAM},
		"H": serverless.HttpApiEvent{Api: api, Method: "GET", Path: "/open", AuthorizerName: serverless.NoAuthorizer},
		"I": serverless.HttpApiEvent{Api: api, Path: "/{proxy+}"},
		"J": serverless.HttpApiEvent{Api: api, RouteSettings: &serverless.RouteSettings{ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1}},
		"K": serverless.HttpApiEvent{Api: api, Method: "GET", Path: "/cdk", Authorizer: awsapigatewayv2authorizers.NewHttpIamAuthorizer()},
	}))
	wantGolden(t, stack, "httpapi_everything")
}

const ordersDocument = `
openapi: 3.0.1
info: {title: orders, version: "1"}
paths:
  /orders:
    post: {responses: {200: {description: placed}}}
  /orders/{id}:
    x-amazon-apigateway-any-method: {}
  /$default:
    x-amazon-apigateway-any-method: {}
  /status:
    get:
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: https://status.example, payloadFormatVersion: "1.0"}
`

// The events of functions answer the operations of a document.
func TestHttpApiOfDocument(t *testing.T) {
	stack := newStack(t)
	write(t, "orders.yaml", ordersDocument)
	api := serverless.NewHttpApi(stack, "Api", serverless.HttpApiProps{
		DefinitionUri: "orders.yaml", Description: "takes orders", FailOnWarnings: true, DisableExecuteApiEndpoint: true,
		Cors: &serverless.Cors{AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{"*"}, AllowHeaders: []string{"content-type"}, AllowCredentials: true, MaxAge: time.Hour},
	})
	serverless.NewFunction(stack, "Checkout", with(serverless.Events{
		"Place": serverless.HttpApiEvent{Api: api, Method: "POST", Path: "/orders", TimeoutMillis: 5000, RouteSettings: &serverless.RouteSettings{ThrottlingRateLimit: 3}},
		"One":   serverless.HttpApiEvent{Api: api, Path: "/orders/{id}", PayloadFormatVersion: "1.0"},
		"Rest":  serverless.HttpApiEvent{Api: api},
	}))
	wantGolden(t, stack, "httpapi_document")
}

func TestRestApi(t *testing.T) {
	stack := newStack(t)
	serverless.NewFunction(stack, "Checkout", with(serverless.Events{
		"Place": serverless.ApiEvent{Method: "POST", Path: "/orders"},
		"Read":  serverless.ApiEvent{Method: "get", Path: "/orders/{id}", TimeoutMillis: 5000},
		"Files": serverless.ApiEvent{Path: "/files/{path+}", ResponseTransferMode: "STREAM", TimeoutMillis: 60000},
		"Root":  serverless.ApiEvent{Path: "/"},
	}))
	wantGolden(t, stack, "event_api")
}

func TestRestApiEverything(t *testing.T) {
	stack := newStack(t)
	guard := serverless.NewFunction(stack, "Guard", checkout)
	pool, _ := members(stack)
	api := serverless.NewRestApi(stack, "Api", serverless.RestApiProps{
		Name: "shop", Description: "the shop", StageName: "live", Variables: map[string]string{"mode": "fast"},
		Cors: &serverless.Cors{AllowOrigins: []string{"https://shop.example"}, AllowHeaders: []string{"content-type"}, AllowMethods: []string{"GET", "POST"}, AllowCredentials: true, MaxAge: time.Hour},
		Auth: serverless.RestApiAuth{
			DefaultAuthorizer: "Members",
			Authorizers: map[string]serverless.RestApiAuthorizer{
				"Members": serverless.CognitoAuthorizer{UserPool: pool, AuthorizationScopes: []string{"shop/read"}},
				"Token":   serverless.LambdaTokenAuthorizer{Function: guard, Header: "X-Token", ValidationExpression: "^Bearer .+", ReauthorizeEvery: time.Minute},
				"Request": serverless.LambdaRequestAuthorizer{Function: guard, Identity: serverless.AuthorizerIdentity{Headers: []string{"X-Key"}, QueryStrings: []string{"key"}, StageVariables: []string{"mode"}, Context: []string{"identity.sourceIp"}}},
			},
			UsagePlan: &serverless.UsagePlan{
				UsagePlanName: "partners", Description: "for partners", ApiKeys: []string{"Alice", "Bob"},
				Quota: &serverless.Quota{Limit: 1000, Period: "DAY"}, Throttle: &serverless.RouteSettings{ThrottlingRateLimit: 5, ThrottlingBurstLimit: 2},
			},
		},
		Models: map[string]map[string]any{"Order": {"type": "object", "required": []string{"sku"}, "properties": map[string]any{"sku": map[string]any{"type": "string"}}}},
		GatewayResponses: map[string]serverless.GatewayResponse{
			"UNAUTHORIZED": {StatusCode: 403, Headers: map[string]string{"X-Why": "no token", "X-Id": "context.requestId"}, Templates: map[string]string{"application/json": `{"message": $context.error.messageString}`}},
		},
		BinaryMediaTypes: []string{"image/png"}, MinimumCompressionSize: 1024,
		MethodSettings:   map[string]serverless.RouteSettings{"GET /orders/{id}": {ThrottlingRateLimit: 3}},
		CacheClusterSize: "0.5",
		CanarySetting:    &serverless.CanarySetting{PercentTraffic: 10, StageVariableOverrides: map[string]string{"mode": "new"}, UseStageCache: true},
		Domain:           shopDomain(),
		Tags:             map[string]string{"team": "orders"},
	})
	serverless.NewFunction(stack, "Checkout", with(serverless.Events{
		"A": serverless.ApiEvent{Api: api, Method: "POST", Path: "/orders", RequestModel: &serverless.RequestModel{Model: "Order", ValidateBody: true}, AuthorizerName: "Token"},
		"B": serverless.ApiEvent{Api: api, Method: "GET", Path: "/orders", RequestParameters: map[string]serverless.RequestParameter{"method.request.querystring.page": {Required: true, Caching: true}}},
		"C": serverless.ApiEvent{Api: api, Method: "GET", Path: "/orders/{id}", AuthorizationScopes: []string{"shop/write"}},
		"D": serverless.ApiEvent{Api: api, Method: "GET", Path: "/partner", AuthorizerName: "Request", ApiKeyRequired: true},
		"E": serverless.ApiEvent{Api: api, Method: "GET", Path: "/signed", AuthorizerName: serverless.AWSIAM},
		"F": serverless.ApiEvent{Api: api, Path: "/open/{proxy+}", AuthorizerName: serverless.NoAuthorizer},
		"G": serverless.ApiEvent{Api: api, Method: "PUT", Path: "/orders", RequestModel: &serverless.RequestModel{Model: "Order", ValidateBody: true, ValidateParameters: true}, AuthorizerName: serverless.NoAuthorizer},
	}))
	wantGolden(t, stack, "restapi_everything")
	if keys := api.ApiKeys(); len(keys) != 2 || api.UsagePlan() == nil {
		t.Errorf("the API has %d keys, want two, and a usage plan", len(keys))
	}
}

func TestRestApiOfDocument(t *testing.T) {
	stack := newStack(t)
	document := map[string]any{
		"swagger": "2.0", "info": map[string]any{"title": "orders", "version": "1"},
		"paths": map[string]any{
			"/orders":      map[string]any{"post": map[string]any{}},
			"/orders/{id}": map[string]any{"x-amazon-apigateway-any-method": map[string]any{}},
		},
	}
	api := serverless.NewRestApi(stack, "Api", serverless.RestApiProps{
		DefinitionBody: document, BinaryMediaTypes: []string{"*/*"},
		Auth: serverless.RestApiAuth{ApiKeySourceType: "AUTHORIZER", UsagePlan: &serverless.UsagePlan{}},
	})
	serverless.NewFunction(stack, "Checkout", with(serverless.Events{
		"Place": serverless.ApiEvent{Api: api, Method: "POST", Path: "/orders", TimeoutMillis: 5000},
		"One":   serverless.ApiEvent{Api: api, Path: "/orders/{id}", ResponseTransferMode: "STREAM"},
	}))
	wantGolden(t, stack, "restapi_document")
	if text := asJSON(t, document); strings.Contains(text, "integration") {
		t.Errorf("the app's own document was changed: %s", text)
	}
}

// An API with a document has its authorizers there, whichever they are.
func TestAuthorizersOfDocuments(t *testing.T) {
	stack := newStack(t)
	guard := serverless.NewFunction(stack, "Guard", checkout)
	pool, client := members(stack)
	operations := func() map[string]any {
		paths := map[string]any{}
		for _, path := range []string{"/a", "/b", "/c", "/d", "/e", "/f"} {
			paths[path] = map[string]any{"get": map[string]any{}}
		}
		paths["/own"] = map[string]any{"get": map[string]any{"security": []any{map[string]any{"B": []any{"mine"}}}}}
		return paths
	}
	http := serverless.NewHttpApi(stack, "Http", serverless.HttpApiProps{
		DefinitionBody: map[string]any{
			"openapi": "3.0.1", "paths": operations(),
			"components": map[string]any{"securitySchemes": map[string]any{"A": map[string]any{"type": "openIdConnect", "openIdConnectUrl": "https://login.example/.well-known/openid-configuration"}}},
		},
		Auth: serverless.HttpApiAuth{DefaultAuthorizer: "A", Authorizers: map[string]serverless.HttpApiAuthorizer{
			"A": serverless.OAuth2Authorizer{Issuer: "https://login.example", Audience: []string{"shop"}, AuthorizationScopes: []string{"orders"}},
			"B": serverless.CognitoAuthorizer{UserPool: pool, UserPoolClients: []awscognito.IUserPoolClient{client}},
			"C": serverless.LambdaAuthorizer{Function: guard, Identity: serverless.AuthorizerIdentity{Headers: []string{"X", "Y"}}},
			"D": serverless.LambdaAuthorizer{Function: guard, AuthorizerPayloadFormatVersion: "1.0", Identity: serverless.AuthorizerIdentity{ReauthorizeEvery: serverless.ReauthorizeAlways}},
		}},
	})
	rest := serverless.NewRestApi(stack, "Rest", serverless.RestApiProps{
		DefinitionBody: map[string]any{"swagger": "2.0", "paths": operations()},
		Auth: serverless.RestApiAuth{DefaultAuthorizer: "A", Authorizers: map[string]serverless.RestApiAuthorizer{
			"A": serverless.LambdaTokenAuthorizer{Function: guard, ValidationExpression: "^x", ReauthorizeEvery: time.Minute},
			"B": serverless.CognitoAuthorizer{UserPool: pool},
			"C": serverless.LambdaRequestAuthorizer{Function: guard, Identity: serverless.AuthorizerIdentity{QueryStrings: []string{"key"}}},
			"D": serverless.LambdaRequestAuthorizer{Function: guard, Identity: serverless.AuthorizerIdentity{ReauthorizeEvery: serverless.ReauthorizeAlways}},
		}},
	})
	f := serverless.NewFunction(stack, "Checkout", checkout)
	for path, name := range map[string]string{"/a": "", "/b": "B", "/c": "C", "/d": "D", "/e": serverless.AWSIAM, "/f": serverless.NoAuthorizer, "/own": ""} {
		f.AddEvent("Http"+path[1:], serverless.HttpApiEvent{Api: http, Method: "GET", Path: path, AuthorizerName: name})
		f.AddEvent("Rest"+path[1:], serverless.ApiEvent{Api: rest, Method: "GET", Path: path, AuthorizerName: name})
	}
	wantNoFaults(t, stack)
	for api, body := range map[string]any{
		"http": only(t, stack, "AWS::ApiGatewayV2::Api")["Body"], "rest": only(t, stack, "AWS::ApiGateway::RestApi")["Body"],
	} {
		document := body.(map[string]any)
		for path, want := range map[string]string{
			"/a": `[{"A":[]}]`, "/b": `[{"B":[]}]`, "/c": `[{"C":[]}]`, "/d": `[{"D":[]}]`, "/e": `[{"AWS_IAM":[]}]`, "/f": "null", "/own": `[{"B":["mine"]}]`,
		} {
			if api == "http" && path == "/a" {
				want = `[{"A":["orders"]}]`
			}
			operation := document["paths"].(map[string]any)[path].(map[string]any)["get"].(map[string]any)
			if got := asJSON(t, operation["security"]); got != want {
				t.Errorf("%s: the security of %s is %s, want %s", api, path, got, want)
			}
		}
		delete(document, "paths")
		text := asJSON(t, document)
		for _, want := range map[string][]string{
			"http": {
				`"type":"openIdConnect"`, `"jwtConfiguration":{"audience":["shop"],"issuer":"https://login.example"}`, `"audience":["web-client"]`,
				`"identitySource":"$request.header.X, $request.header.Y"`, `"enableSimpleResponses":true`, `"authorizerPayloadFormatVersion":"1.0"`, `"awsSigv4"`,
			},
			"rest": {
				`"identityValidationExpression":"^x"`, `"authorizerResultTtlInSeconds":60`, `"providerARNs":[`, `"x-amazon-apigateway-authtype":"custom"`,
				`"identitySource":"method.request.querystring.key"`, `"authorizerResultTtlInSeconds":0`, `"awsSigv4"`,
			},
		}[api] {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the document has no %s: %s", api, want, text)
			}
		}
	}
	if got := strings.Count(asJSON(t, resources(t, stack, "AWS::Lambda::Permission")), "/authorizers/*"); got != 5 {
		t.Errorf("%d authorizers may ask the function, want five", got)
	}
}

func TestPrivateRestApi(t *testing.T) {
	stack := newStack(t)
	endpoint := awsec2.InterfaceVpcEndpoint_FromInterfaceVpcEndpointAttributes(stack, jsii.String("Endpoint"), &awsec2.InterfaceVpcEndpointAttributes{
		VpcEndpointId: jsii.String("vpce-1"), Port: jsii.Number(443),
	})
	api := serverless.NewRestApi(stack, "Api", serverless.RestApiProps{
		EndpointConfiguration: "PRIVATE", VPCEndpoints: []awsec2.IVpcEndpoint{endpoint},
		DisableAccessLogs: true, DisableTracing: true,
	})
	api.Route("GET", "/orders", serverless.NewFunction(stack, "Checkout", checkout))
	wantNoFaults(t, stack)
	got := asJSON(t, only(t, stack, "AWS::ApiGateway::RestApi"))
	for _, want := range []string{`"Types":["PRIVATE"]`, `"VpcEndpointIds":["vpce-1"]`, `"aws:SourceVpce":["vpce-1"]`} {
		if !strings.Contains(got, want) {
			t.Errorf("the API has no %s: %s", want, got)
		}
	}
	if stage := only(t, stack, "AWS::ApiGateway::Stage"); stage["TracingEnabled"] != false || stage["AccessLogSetting"] != nil {
		t.Errorf("the stage traces or logs: %s", asJSON(t, stage))
	}
	if made := resources(t, stack, "AWS::ApiGateway::Account"); len(made) > 0 {
		t.Errorf("without logs, the account was set: %v", made)
	}
}

// A change of a model or document is deployed: the deployment is another one.
func TestRestApiIsDeployedAgain(t *testing.T) {
	deployment := func(model, path string) string {
		stack := newStack(t)
		api := serverless.NewRestApi(stack, "Api", serverless.RestApiProps{Models: map[string]map[string]any{"Order": {"type": model}}})
		api.Route("GET", path, serverless.NewFunction(stack, "Checkout", checkout))
		for id := range resources(t, stack, "AWS::ApiGateway::Deployment") {
			return id
		}
		return ""
	}
	first := deployment("object", "/a")
	if again := deployment("object", "/a"); again != first {
		t.Errorf("the same app has the deployments %s and %s", first, again)
	}
	if other := deployment("string", "/a"); other == first {
		t.Errorf("another model has the same deployment %s", first)
	}
	if other := deployment("object", "/b"); other == first {
		t.Errorf("another route has the same deployment %s", first)
	}
}

func TestWebSocketApi(t *testing.T) {
	stack := newStack(t)
	guard := serverless.NewFunction(stack, "Guard", checkout)
	api := serverless.NewWebSocketApi(stack, "Chat", serverless.WebSocketApiProps{
		Description: "the chat", StageVariables: map[string]string{"mode": "fast"},
		Auth:                      serverless.WebSocketApiAuth{AuthType: "CUSTOM", Function: guard, IdentitySource: []string{"route.request.querystring.token"}},
		ApiKeySelectionExpression: "$request.header.x-api-key",
		RouteSettings:             map[string]serverless.RouteSettings{"$default": {ThrottlingRateLimit: 5}},
		Domain:                    shopDomain(),
		Tags:                      map[string]string{"team": "chat"},
	})
	f := serverless.NewFunction(stack, "Checkout", with(serverless.Events{
		"Open":  serverless.WebSocketEvent{Api: api, RouteKey: "$connect"},
		"Close": serverless.WebSocketEvent{Api: api, RouteKey: "$disconnect"},
		"Rest":  serverless.WebSocketEvent{Api: api, RouteKey: "$default", ReturnResponse: true},
		"Say":   serverless.WebSocketEvent{Api: api, RouteKey: "say", ReturnResponse: true, TimeoutMillis: 5000, ApiKeyRequired: true, RouteSettings: &serverless.RouteSettings{ThrottlingBurstLimit: 2}},
	}))
	api.Route("leave", f.AddAlias(jsii.String("live"), nil))
	api.ManageConnections(f, "CHAT_ENDPOINT")
	wantGolden(t, stack, "websocketapi")
}

func TestFunctionUrl(t *testing.T) {
	stack := newStack(t)
	props := checkout
	props.FunctionUrlConfig = &serverless.FunctionUrlConfig{}
	signed := serverless.NewFunction(stack, "Signed", props)
	props.FunctionUrlConfig = &serverless.FunctionUrlConfig{
		AuthType: serverless.NoAuthorizer, InvokeMode: "RESPONSE_STREAM",
		Cors: &serverless.Cors{AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{"GET", "POST"}, AllowHeaders: []string{"content-type"}, ExposeHeaders: []string{"x-page"}, AllowCredentials: true, MaxAge: time.Hour},
	}
	open := serverless.NewFunction(stack, "Open", props)
	signed.FunctionUrl().GrantInvokeUrl(open)
	awscdk.NewCfnOutput(stack, jsii.String("Url"), &awscdk.CfnOutputProps{Value: open.FunctionUrl().Url()})
	if url := serverless.NewFunction(stack, "Plain", checkout).FunctionUrl(); url != nil {
		t.Errorf("a function without FunctionUrlConfig has the URL %v", url)
	}
	wantNoFaults(t, stack)
	urls := asJSON(t, resources(t, stack, "AWS::Lambda::Url"))
	for _, want := range []string{
		`"AuthType":"AWS_IAM"`, `"AuthType":"NONE"`, `"InvokeMode":"RESPONSE_STREAM"`, `"AllowOrigins":["https://shop.example"]`,
		`"AllowMethods":["GET","POST"]`, `"MaxAge":3600`, `"ExposeHeaders":["x-page"]`, `"AllowCredentials":true`,
	} {
		if !strings.Contains(urls, want) {
			t.Errorf("no URL has %s: %s", want, urls)
		}
	}
	// Both rights are needed to call a URL without a signature; nobody has them
	// on the signed one.
	permissions := asJSON(t, resources(t, stack, "AWS::Lambda::Permission"))
	for _, want := range []string{`"Action":"lambda:InvokeFunctionUrl"`, `"InvokedViaFunctionUrl":true`} {
		if strings.Count(permissions, want) != 1 {
			t.Errorf("there is not one permission with %s: %s", want, permissions)
		}
	}
}

// Each API is what the CDK takes for one.
func TestApisAreTheCDKs(t *testing.T) {
	stack := newStack(t)
	rest := serverless.NewRestApi(stack, "Rest", serverless.RestApiProps{})
	socket := serverless.NewWebSocketApi(stack, "Socket", serverless.WebSocketApiProps{})
	http := serverless.NewHttpApi(stack, "Http", serverless.HttpApiProps{StageName: "live"})
	f := serverless.NewFunction(stack, "Checkout", checkout)
	rest.Route("GET", "/a", f)
	socket.Route("$default", f)
	http.Route("GET", "/a", f)

	rest.Root().AddMethod(jsii.String("GET"), awsapigateway.NewLambdaIntegration(f, nil), nil)
	socket.GrantManageConnections(f)
	awsapigateway.NewUsagePlan(stack, jsii.String("Plan"), &awsapigateway.UsagePlanProps{ApiStages: &[]*awsapigateway.UsagePlanPerApiStage{{Api: rest, Stage: rest.DeploymentStage()}}})
	for id, url := range map[string]*string{"Rest": rest.Url(), "Socket": socket.Stage().Url(), "Http": http.Stage().Url()} {
		awscdk.NewCfnOutput(stack, jsii.String(id+"Url"), &awscdk.CfnOutputProps{Value: url})
	}
	constructtest.WantVisited(t, stack, rest, socket, http)
	wantNoFaults(t, stack)
	if policy := asJSON(t, resources(t, stack, "AWS::IAM::Policy")); !strings.Contains(policy, "execute-api:ManageConnections") {
		t.Errorf("the function may not manage connections: %s", policy)
	}
	// One account setting serves all APIs of the stack.
	only(t, stack, "AWS::ApiGateway::Account")
}

// Two synths of one app write the same template.
func TestApisAreReproducible(t *testing.T) {
	write := func() string {
		stack := newStack(t)
		rest := serverless.NewRestApi(stack, "Rest", serverless.RestApiProps{Variables: map[string]string{"a": "1", "b": "2", "c": "3"}, Models: map[string]map[string]any{"A": {"a": 1, "b": 2}, "B": {"c": 1}}})
		serverless.NewFunction(stack, "Other", with(serverless.Events{
			"A": serverless.ApiEvent{Api: rest, Method: "GET", Path: "/a", RequestParameters: map[string]serverless.RequestParameter{"method.request.header.a": {}, "method.request.header.b": {}}},
			"B": serverless.ApiEvent{Api: rest, Method: "POST", Path: "/a"},
		}))
		return asJSON(t, synthesised(stack).Template())
	}
	first := write()
	for range 2 {
		if again := write(); again != first {
			t.Fatalf("two synths differ:\n%s\n%s", first, again)
		}
	}
}

var (
	_ awslambda.IFunction = (*serverless.Function)(nil)
	_ awsiam.IGrantable   = (*serverless.Function)(nil)
)
