// Every kind of API that the packages serverless and graphql make, with all that
// they can have: an HTTP, a REST and a WebSocket API, two of OpenAPI documents,
// function URLs and GraphQL, in a Go app. SAM CLI #2610, #5209, #137, #4299.

package main

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/graphql"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

func serverlessAPIs(app awscdk.App) {
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	hello := serverless.NewFunction(stack, "Hello", serverless.FunctionProps{
		CodeUri: "../functions/node", Runtime: "nodejs20.x", Handler: "index.handler",
		FunctionUrlConfig: &serverless.FunctionUrlConfig{
			AuthType: serverless.NoAuthorizer, InvokeMode: "RESPONSE_STREAM",
			Cors: &serverless.Cors{AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{"GET"}, MaxAge: time.Hour},
		},
	})
	guard := serverless.NewFunction(stack, "Guard", serverless.FunctionProps{
		CodeUri: "../functions/node", Runtime: "nodejs20.x", Handler: "index.handler",
		FunctionUrlConfig: &serverless.FunctionUrlConfig{},
	})
	pool := awscognito.UserPool_FromUserPoolId(stack, jsii.String("Members"), jsii.String("eu-west-1_abc"))
	httpAPI(stack, hello, guard, pool)
	restAPI(stack, hello, guard, pool)
	documents(stack, hello, guard, pool)
	sockets(stack, hello, guard)
	graphql.NewApi(stack, "Graph", graphql.ApiProps{
		SchemaInline: "type Query { hello: String }",
		DataSources:  graphql.DataSources{Lambda: map[string]graphql.LambdaDataSource{"Hello": {Function: hello}}},
		Resolvers:    map[string]map[string]graphql.Resolver{"Query": {"hello": {DataSource: "Hello"}}},
	})
}

func httpAPI(stack awscdk.Stack, hello, guard *serverless.Function, pool awscognito.IUserPool) {
	client := awscognito.UserPoolClient_FromUserPoolClientId(stack, jsii.String("Web"), jsii.String("web"))
	api := serverless.NewHttpApi(stack, "Http", serverless.HttpApiProps{
		StageName: "live", StageVariables: map[string]string{"mode": "fast"},
		Cors: &serverless.Cors{
			AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{"GET", "POST"}, AllowHeaders: []string{"content-type"},
			ExposeHeaders: []string{"x-page"}, AllowCredentials: true, MaxAge: time.Hour,
		},
		Auth: serverless.HttpApiAuth{
			DefaultAuthorizer: "Login",
			Authorizers: map[string]serverless.HttpApiAuthorizer{
				"Login":   serverless.OAuth2Authorizer{Issuer: "https://login.example", Audience: []string{"shop"}, AuthorizationScopes: []string{"orders"}},
				"Members": serverless.CognitoAuthorizer{UserPool: pool, UserPoolClients: []awscognito.IUserPoolClient{client}},
				"Simple":  serverless.LambdaAuthorizer{Function: guard, Identity: serverless.AuthorizerIdentity{Headers: []string{"X-Key"}, QueryStrings: []string{"key"}, ReauthorizeEvery: time.Minute}},
				"Policy":  serverless.LambdaAuthorizer{Function: guard, AuthorizerPayloadFormatVersion: "1.0", Identity: serverless.AuthorizerIdentity{ReauthorizeEvery: serverless.ReauthorizeAlways}},
			},
		},
		Domain: &serverless.Domain{DomainName: "api.shop.example", CertificateArn: "arn:aws:acm:eu-west-1:123456789012:certificate/1", BasePath: []string{"v1"}},
	})
	events := map[string]serverless.HttpApiEvent{
		"HttpOrders":  {Method: "GET", Path: "/orders/{id}"},
		"HttpPlace":   {Method: "POST", Path: "/orders", AuthorizationScopes: []string{"write"}, TimeoutMillis: 5000, RouteSettings: &serverless.RouteSettings{ThrottlingRateLimit: 5}},
		"HttpMembers": {Method: "GET", Path: "/members", AuthorizerName: "Members"},
		"HttpSimple":  {Method: "GET", Path: "/simple", AuthorizerName: "Simple"},
		"HttpPolicy":  {Method: "GET", Path: "/policy", AuthorizerName: "Policy", PayloadFormatVersion: "1.0"},
		"HttpSigned":  {Method: "GET", Path: "/signed", AuthorizerName: serverless.AWSIAM},
		"HttpFiles":   {Path: "/files/{proxy+}", AuthorizerName: serverless.NoAuthorizer},
		"HttpRest":    {AuthorizerName: serverless.NoAuthorizer},
	}
	for _, id := range slices.Sorted(maps.Keys(events)) {
		event := events[id]
		event.Api = api
		hello.AddEvent(id, event)
	}
}

func restAPI(stack awscdk.Stack, hello, guard *serverless.Function, pool awscognito.IUserPool) {
	api := serverless.NewRestApi(stack, "Rest", serverless.RestApiProps{
		StageName: "live", Variables: map[string]string{"mode": "fast"},
		Cors: &serverless.Cors{AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{"GET", "POST"}, AllowHeaders: []string{"content-type"}, MaxAge: time.Hour},
		Auth: serverless.RestApiAuth{
			Authorizers: map[string]serverless.RestApiAuthorizer{
				"Members": serverless.CognitoAuthorizer{UserPool: pool, AuthorizationScopes: []string{"shop/read"}},
				"Token":   serverless.LambdaTokenAuthorizer{Function: guard, Header: "X-Token", ValidationExpression: "^Bearer .+", ReauthorizeEvery: time.Minute},
				"Request": serverless.LambdaRequestAuthorizer{Function: guard, Identity: serverless.AuthorizerIdentity{Headers: []string{"X-Key"}, QueryStrings: []string{"key"}, StageVariables: []string{"mode"}, ReauthorizeEvery: time.Hour}},
			},
			UsagePlan: &serverless.UsagePlan{ApiKeys: []string{"Partner"}},
		},
		Models:           map[string]map[string]any{"Order": {"type": "object", "required": []string{"sku"}}},
		GatewayResponses: map[string]serverless.GatewayResponse{"UNAUTHORIZED": {StatusCode: 403}},
		BinaryMediaTypes: []string{"image/png"}, MinimumCompressionSize: 1024,
		CanarySetting: &serverless.CanarySetting{PercentTraffic: 10},
	})
	events := map[string]serverless.ApiEvent{
		"RestPlace":   {Method: "POST", Path: "/rest/orders", RequestModel: &serverless.RequestModel{Model: "Order", ValidateBody: true}, AuthorizerName: "Token"},
		"RestOrders":  {Method: "GET", Path: "/rest/orders", RequestParameters: map[string]serverless.RequestParameter{"method.request.querystring.page": {Required: true}}},
		"RestMembers": {Method: "GET", Path: "/rest/members/{id}", AuthorizerName: "Members"},
		"RestPartner": {Method: "GET", Path: "/rest/partner", AuthorizerName: "Request", ApiKeyRequired: true},
		"RestSigned":  {Method: "GET", Path: "/rest/signed", AuthorizerName: serverless.AWSIAM, TimeoutMillis: 5000},
		"RestStream":  {Method: "GET", Path: "/rest/stream", ResponseTransferMode: "STREAM", TimeoutMillis: 60000},
		"RestFiles":   {Path: "/rest/files/{proxy+}"},
	}
	for _, id := range slices.Sorted(maps.Keys(events)) {
		event := events[id]
		event.Api = api
		hello.AddEvent(id, event)
	}
}

// documents has an API of each kind that an OpenAPI document defines.
func documents(stack awscdk.Stack, hello, guard *serverless.Function, pool awscognito.IUserPool) {
	operations := func(paths ...string) map[string]any {
		all := map[string]any{}
		for _, path := range paths {
			all[path] = map[string]any{"get": map[string]any{}, "post": map[string]any{}}
		}
		return all
	}
	info := map[string]any{"title": "a", "version": "1"}
	http := serverless.NewHttpApi(stack, "HttpDocument", serverless.HttpApiProps{
		DefinitionBody: map[string]any{"openapi": "3.0.1", "info": info, "paths": operations("/documented/{id}", "/guarded")},
		Cors:           &serverless.Cors{AllowOrigins: []string{"*"}, AllowMethods: []string{"*"}, ExposeHeaders: []string{"x-page"}, MaxAge: time.Minute},
		Auth: serverless.HttpApiAuth{Authorizers: map[string]serverless.HttpApiAuthorizer{
			"Login":  serverless.OAuth2Authorizer{Issuer: "https://login.example", Audience: []string{"shop"}},
			"Simple": serverless.LambdaAuthorizer{Function: guard, Identity: serverless.AuthorizerIdentity{Headers: []string{"X-Key"}, QueryStrings: []string{"key"}, ReauthorizeEvery: time.Minute}},
		}},
	})
	keyed := operations("/rest-documented/{id}", "/rest-guarded")
	keyed["/rest-documented/{id}"].(map[string]any)["get"].(map[string]any)["security"] = []any{map[string]any{"key": []any{}}, map[string]any{"Members": []any{"shop/read"}}}
	rest := serverless.NewRestApi(stack, "RestDocument", serverless.RestApiProps{
		DefinitionBody: map[string]any{
			"swagger": "2.0", "info": info, "paths": keyed,
			"securityDefinitions": map[string]any{"key": map[string]any{"type": "apiKey", "name": "x-api-key", "in": "header"}},
		},
		BinaryMediaTypes: []string{"*/*"},
		Auth: serverless.RestApiAuth{Authorizers: map[string]serverless.RestApiAuthorizer{
			"Members": serverless.CognitoAuthorizer{UserPool: pool},
			"Token":   serverless.LambdaTokenAuthorizer{Function: guard, Header: "X-Token", ValidationExpression: "^Bearer .+"},
		}},
	})
	hello.AddEvent("DocumentGet", serverless.HttpApiEvent{Api: http, Method: "GET", Path: "/documented/{id}", TimeoutMillis: 5000})
	hello.AddEvent("DocumentPost", serverless.HttpApiEvent{Api: http, Method: "POST", Path: "/documented/{id}", PayloadFormatVersion: "1.0", AuthorizerName: "Login", AuthorizationScopes: []string{"write"}})
	hello.AddEvent("DocumentGuarded", serverless.HttpApiEvent{Api: http, Method: "GET", Path: "/guarded", AuthorizerName: "Simple"})
	hello.AddEvent("DocumentSigned", serverless.HttpApiEvent{Api: http, Method: "POST", Path: "/guarded", AuthorizerName: serverless.AWSIAM})
	hello.AddEvent("RestDocumentGet", serverless.ApiEvent{Api: rest, Method: "GET", Path: "/rest-documented/{id}", TimeoutMillis: 5000})
	hello.AddEvent("RestDocumentPost", serverless.ApiEvent{Api: rest, Method: "POST", Path: "/rest-documented/{id}", ResponseTransferMode: "STREAM"})
	hello.AddEvent("RestDocumentGuarded", serverless.ApiEvent{Api: rest, Method: "GET", Path: "/rest-guarded", AuthorizerName: "Token"})
	hello.AddEvent("RestDocumentSigned", serverless.ApiEvent{Api: rest, Method: "POST", Path: "/rest-guarded", AuthorizerName: serverless.AWSIAM})
}

func sockets(stack awscdk.Stack, hello, guard *serverless.Function) {
	api := serverless.NewWebSocketApi(stack, "Socket", serverless.WebSocketApiProps{
		StageVariables: map[string]string{"mode": "fast"},
		Auth:           serverless.WebSocketApiAuth{AuthType: "CUSTOM", Function: guard, IdentitySource: []string{"route.request.querystring.token"}},
	})
	hello.AddEvent("Connect", serverless.WebSocketEvent{Api: api, RouteKey: "$connect"})
	hello.AddEvent("Disconnect", serverless.WebSocketEvent{Api: api, RouteKey: "$disconnect"})
	hello.AddEvent("Default", serverless.WebSocketEvent{Api: api, RouteKey: "$default"})
	hello.AddEvent("Say", serverless.WebSocketEvent{Api: api, RouteKey: "say", ReturnResponse: true, TimeoutMillis: 5000, ApiKeyRequired: true})
	api.ManageConnections(hello, "SOCKET")
}
