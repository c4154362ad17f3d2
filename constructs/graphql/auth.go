package graphql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsappsync"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// awsIAM lets in whose requests are signed by AWS's Signature Version 4, and
// whose IAM policies allow appsync:GraphQL.
const awsIAM = "AWS_IAM"

// ReauthorizeAlways as an AuthorizerResultTtl asks the function for each
// request.
const ReauthorizeAlways = prop.ReauthorizeAlways

// Auth is a way to prove who asks, with SAM's names.
type Auth struct {
	// Type is "AWS_IAM" by default, "API_KEY", "AMAZON_COGNITO_USER_POOLS",
	// "OPENID_CONNECT" or "AWS_LAMBDA".
	Type string
	// UserPool, OpenIDConnect or LambdaAuthorizer is for the last three.
	UserPool         *UserPool
	OpenIDConnect    *OpenIDConnect
	LambdaAuthorizer *LambdaAuthorizer
	// Additional are other ways, which a schema's directives ask for. They
	// have no Additional of their own.
	Additional []Auth
}

// UserPool lets in who signed in to a user pool of Amazon Cognito.
type UserPool struct {
	UserPool awscognito.IUserPool
	// AppIdClientRegex is a regular expression for client ids.
	AppIdClientRegex string
	// DefaultAction is "ALLOW" by default, or "DENY", which lets in only to
	// what the schema's directives name. An additional way has none: it always
	// needs the directives.
	DefaultAction string
}

// OpenIDConnect lets in who has a token of an OpenID Connect provider.
type OpenIDConnect struct {
	// Issuer is the provider's URL, "https://...".
	Issuer string
	// ClientId is a regular expression for client ids.
	ClientId string
	// AuthTTL and IatTTL are how long a token is good after sign-in and after
	// it was made; as long as it says itself by default.
	AuthTTL, IatTTL time.Duration
}

// LambdaAuthorizer asks a function who may ask.
type LambdaAuthorizer struct {
	Function awslambda.IFunction
	// AuthorizerResultTtl is how long an answer is kept, at most an hour; 5
	// minutes by default, and [ReauthorizeAlways] for not at all.
	AuthorizerResultTtl time.Duration
	// IdentityValidationExpression is a regular expression for tokens.
	IdentityValidationExpression string
}

var authTypes = map[string]awsappsync.AuthorizationType{
	"API_KEY": awsappsync.AuthorizationType_API_KEY, awsIAM: awsappsync.AuthorizationType_IAM,
	"AMAZON_COGNITO_USER_POOLS": awsappsync.AuthorizationType_USER_POOL,
	"OPENID_CONNECT":            awsappsync.AuthorizationType_OIDC, "AWS_LAMBDA": awsappsync.AuthorizationType_LAMBDA,
}

func (g *Auth) has(kind string) bool {
	return g.Type == kind || slices.ContainsFunc(g.Additional, func(a Auth) bool { return a.Type == kind })
}

func (g *Auth) check() (found []string) {
	found = prop.OneOf("Auth.Type", g.Type, sortedKeys(authTypes)...)
	for _, need := range []struct {
		kind, name string
		given      bool
	}{
		{"AMAZON_COGNITO_USER_POOLS", "UserPool", g.UserPool != nil},
		{"OPENID_CONNECT", "OpenIDConnect", g.OpenIDConnect != nil},
		{"AWS_LAMBDA", "LambdaAuthorizer", g.LambdaAuthorizer != nil},
	} {
		switch {
		case g.Type == need.kind && !need.given:
			found = append(found, fmt.Sprintf("Auth of the type %s has no %s: set it", g.Type, need.name))
		case g.Type != need.kind && need.given:
			found = append(found, fmt.Sprintf("Auth.%s needs the type %s, and Auth.Type is %q", need.name, need.kind, g.Type))
		}
	}
	if u := g.UserPool; u != nil {
		if prop.IsNil(u.UserPool) {
			found = append(found, "Auth.UserPool has no UserPool: make one and pass it")
		}
		if u.DefaultAction != "" {
			found = append(found, prop.OneOf("Auth.UserPool.DefaultAction", u.DefaultAction, "ALLOW", "DENY")...)
		}
	}
	if o := g.OpenIDConnect; o != nil && !prop.IsToken(o.Issuer) && !strings.HasPrefix(o.Issuer, "https://") {
		found = append(found, fmt.Sprintf(`Auth.OpenIDConnect.Issuer %q does not begin with "https://"`, o.Issuer))
	}
	if l := g.LambdaAuthorizer; l != nil {
		if prop.IsNil(l.Function) {
			found = append(found, "Auth.LambdaAuthorizer has no Function: make it before the API and pass it")
		}
		found = append(found, prop.CheckKept("AuthorizerResultTtl", l.AuthorizerResultTtl)...)
	}
	return found
}

// config is the CDK's for checked auth.
func (g *Auth) config(key *awsappsync.ApiKeyConfig) *awsappsync.AuthorizationConfig {
	config := &awsappsync.AuthorizationConfig{DefaultAuthorization: g.mode(key)}
	if len(g.Additional) > 0 {
		modes := make([]*awsappsync.AuthorizationMode, len(g.Additional))
		for i := range g.Additional {
			modes[i] = g.Additional[i].mode(key)
		}
		config.AdditionalAuthorizationModes = &modes
	}
	return config
}

func (g *Auth) mode(key *awsappsync.ApiKeyConfig) *awsappsync.AuthorizationMode {
	mode := &awsappsync.AuthorizationMode{AuthorizationType: authTypes[g.Type]}
	switch g.Type {
	case "API_KEY":
		mode.ApiKeyConfig = key
	case "AMAZON_COGNITO_USER_POOLS":
		mode.UserPoolConfig = &awsappsync.UserPoolConfig{UserPool: g.UserPool.UserPool, AppIdClientRegex: prop.Optional(g.UserPool.AppIdClientRegex)}
		if g.UserPool.DefaultAction == "DENY" {
			mode.UserPoolConfig.DefaultAction = awsappsync.UserPoolDefaultAction_DENY
		}
	case "OPENID_CONNECT":
		mode.OpenIdConnectConfig = &awsappsync.OpenIdConnectConfig{
			OidcProvider: &g.OpenIDConnect.Issuer, ClientId: prop.Optional(g.OpenIDConnect.ClientId),
			TokenExpiryFromAuth:  prop.OptionalNumber(int(g.OpenIDConnect.AuthTTL.Milliseconds())),
			TokenExpiryFromIssue: prop.OptionalNumber(int(g.OpenIDConnect.IatTTL.Milliseconds())),
		}
	case "AWS_LAMBDA":
		mode.LambdaAuthorizerConfig = &awsappsync.LambdaAuthorizerConfig{
			Handler: g.LambdaAuthorizer.Function, ValidationRegex: prop.Optional(g.LambdaAuthorizer.IdentityValidationExpression),
			ResultsCacheTtl: prop.Duration(prop.KeptFor(g.LambdaAuthorizer.AuthorizerResultTtl)),
		}
	}
	return mode
}
