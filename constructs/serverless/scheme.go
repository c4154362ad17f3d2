package serverless

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// authorizerExtension is what a security scheme of a document asks. Source:
// "x-amazon-apigateway-authorizer object",
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
const authorizerExtension = "x-amazon-apigateway-authorizer"

// A scheme is an authorizer in the words of an OpenAPI document: API Gateway
// takes no other of an API that has one.
type scheme struct {
	properties map[string]any
	function   awslambda.IFunction // nil for those that ask none
	scopes     []string
	jwt        bool
}

// header is a scheme for a header of requests; OpenAPI knows no better word for
// the authorizers of API Gateway.
func header(name string, authorizer map[string]any) map[string]any {
	return map[string]any{"type": "apiKey", "in": "header", "name": name, authorizerExtension: authorizer}
}

// iamScheme asks for requests that are signed.
func iamScheme() map[string]any {
	return map[string]any{"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "awsSigv4"}
}

func (o OAuth2Authorizer) httpScheme(*HttpApi) (scheme, string) {
	prop.SetDefault(&o.IdentitySource, "$request.header.Authorization")
	return scheme{jwt: true, scopes: o.AuthorizationScopes, properties: map[string]any{
		"type": "oauth2",
		authorizerExtension: map[string]any{
			"type": "jwt", "identitySource": o.IdentitySource,
			"jwtConfiguration": map[string]any{"issuer": o.Issuer, "audience": o.Audience},
		},
	}}, ""
}

func (c CognitoAuthorizer) httpScheme(a *HttpApi) (scheme, string) {
	jwt, problem := c.oauth2()
	if problem != "" {
		return scheme{}, problem
	}
	return jwt.httpScheme(a)
}

func (l LambdaAuthorizer) httpScheme(a *HttpApi) (scheme, string) {
	prop.SetDefault(&l.AuthorizerPayloadFormatVersion, "2.0")
	authorizer := map[string]any{
		"type": "request", "authorizerUri": invocationURI(a, l.Function),
		"authorizerPayloadFormatVersion": l.AuthorizerPayloadFormatVersion,
		"authorizerResultTtlInSeconds":   l.Identity.cached().Seconds(),
	}
	if l.AuthorizerPayloadFormatVersion == "2.0" {
		authorizer["enableSimpleResponses"] = !l.DisableSimpleResponses
	}
	if sources := l.sources(); len(sources) > 0 {
		authorizer["identitySource"] = strings.Join(sources, ", ")
	}
	return scheme{function: l.Function, properties: header("Unused", authorizer)}, ""
}

func (l LambdaTokenAuthorizer) restScheme(a *RestApi) scheme {
	prop.SetDefault(&l.Header, "Authorization")
	authorizer := map[string]any{
		"type": "token", "authorizerUri": invocationURI(a, l.Function),
		"authorizerResultTtlInSeconds": prop.KeptFor(l.ReauthorizeEvery).Seconds(),
	}
	if l.ValidationExpression != "" {
		authorizer["identityValidationExpression"] = l.ValidationExpression
	}
	return scheme{function: l.Function, properties: custom(l.Header, authorizer)}
}

func (l LambdaRequestAuthorizer) restScheme(a *RestApi) scheme {
	authorizer := map[string]any{
		"type": "request", "authorizerUri": invocationURI(a, l.Function),
		"authorizerResultTtlInSeconds": l.Identity.cached().Seconds(),
	}
	if sources := l.sources(); len(sources) > 0 {
		authorizer["identitySource"] = strings.Join(sources, ", ")
	}
	return scheme{function: l.Function, properties: custom("Unused", authorizer)}
}

func (c CognitoAuthorizer) restScheme(*RestApi) scheme {
	prop.SetDefault(&c.Header, "Authorization")
	properties := header(c.Header, map[string]any{
		"type": "cognito_user_pools", "providerARNs": []string{*c.UserPool.UserPoolArn()},
		"authorizerResultTtlInSeconds": prop.KeptFor(c.ReauthorizeEvery).Seconds(),
	})
	properties["x-amazon-apigateway-authtype"] = "cognito_user_pools"
	return scheme{jwt: true, scopes: c.AuthorizationScopes, properties: properties}
}

func custom(name string, authorizer map[string]any) map[string]any {
	properties := header(name, authorizer)
	properties["x-amazon-apigateway-authtype"] = "custom"
	return properties
}

// addScheme adds an authorizer of an API to its document, and lets API Gateway
// ask its function. Only API Gateway knows the authorizer's id, so the right is
// for all of the API. What the document says of the scheme itself stays.
func (d *document) addScheme(api awscdk.Resource, apiID *string, name string, s scheme) namedAuthorizer {
	properties := child(d.schemes(), name)
	for key, value := range s.properties {
		if _, said := properties[key]; !said || strings.HasPrefix(key, "x-amazon-") {
			properties[key] = value
		}
	}
	if s.function != nil {
		s.function.AddPermission(jsii.String(name+"Permission"), &awslambda.Permission{
			Scope:     api,
			Principal: awsiam.NewServicePrincipal(jsii.String("apigateway.amazonaws.com"), nil),
			SourceArn: api.Stack().FormatArn(&awscdk.ArnComponents{
				Service: jsii.String("execute-api"), Resource: apiID, ResourceName: jsii.String("authorizers/*"),
			}),
		})
	}
	return namedAuthorizer{scheme: true, scopes: s.scopes, jwt: s.jwt}
}

// schemes are the document's, where its version has them.
func (d *document) schemes() map[string]any {
	parent, key := d.body, "securityDefinitions"
	if d.body["swagger"] == nil {
		parent, key = child(d.body, "components"), "securitySchemes"
	}
	return child(parent, key)
}

// child is the map below a key, which is made where there is none.
func child(parent map[string]any, key string) map[string]any {
	if made, ok := parent[key].(map[string]any); ok {
		return made
	}
	made := map[string]any{}
	parent[key] = made
	return made
}

// secure says in an operation who may call it, unless it says so itself. It
// tells what is wrong.
func (d *document) secure(key string, who decision, named bool) string {
	operation := d.operation(key)
	if operation["security"] != nil {
		if named {
			return "the operation " + key + " of " + d.where + " has a security of its own: remove that, or AuthorizerName"
		}
		return ""
	}
	if who.scheme == "" {
		return ""
	}
	if who.scheme == AWSIAM {
		d.schemes()[AWSIAM] = iamScheme()
	}
	scopes := who.scopes
	if scopes == nil {
		scopes = []string{}
	}
	operation["security"] = []any{map[string]any{who.scheme: scopes}}
	return ""
}
