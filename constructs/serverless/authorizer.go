package serverless

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2authorizers"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// The names of authorizers that every API has, as SAM has them.
const (
	// AWSIAM lets callers in whose requests are signed by AWS's Signature
	// Version 4, and whose IAM policies allow execute-api:Invoke.
	AWSIAM = "AWS_IAM"
	// NoAuthorizer lets everyone in, whatever the API's default is.
	NoAuthorizer = "NONE"
)

// ReauthorizeAlways as a ReauthorizeEvery asks the function for each request.
const ReauthorizeAlways = prop.ReauthorizeAlways

// HttpApiAuth is who may call an [HttpApi].
type HttpApiAuth struct {
	// Authorizers are the API's, by name: [OAuth2Authorizer],
	// [CognitoAuthorizer] or [LambdaAuthorizer].
	Authorizers map[string]HttpApiAuthorizer
	// DefaultAuthorizer is the name of the one for events that name none, or
	// AWSIAM. Everyone may call those by default.
	DefaultAuthorizer string
}

// HttpApiAuthorizer is an authorizer that an [HttpApi] can have.
type HttpApiAuthorizer interface {
	check() []string
	addToHttpApi(a *HttpApi, name string) namedAuthorizer
	httpScheme(a *HttpApi) (scheme, string)
}

// OAuth2Authorizer checks the JSON Web Token of a request against the keys that
// its issuer publishes: SAM's OAuth2Authorizer, for an [HttpApi].
type OAuth2Authorizer struct {
	// Issuer is the URL of the tokens' issuer, "https://...", below which
	// /.well-known/openid-configuration is.
	Issuer string
	// Audience are client ids; a token must be for one of them.
	Audience []string
	// IdentitySource is where the token is, the header Authorization by
	// default: "$request.header.Authorization".
	IdentitySource string
	// AuthorizationScopes are what a token must have one of, where the event
	// names none.
	AuthorizationScopes []string
}

// CognitoAuthorizer lets in who signed in to a user pool of Amazon Cognito. For
// an [HttpApi] it is a JWT authorizer, for a [RestApi] SAM's CognitoAuthorizer.
type CognitoAuthorizer struct {
	UserPool awscognito.IUserPool
	// UserPoolClients are those that tokens must be for. An [HttpApi] needs
	// at least one; a [RestApi] takes the tokens of all.
	UserPoolClients []awscognito.IUserPoolClient
	// Header has the token, "Authorization" by default.
	Header string
	// AuthorizationScopes are what a token must have one of, where the event
	// names none. With scopes a [RestApi] wants an access token, without an
	// identity token.
	AuthorizationScopes []string
	// ReauthorizeEvery is how long a [RestApi] keeps an answer, at most an
	// hour; 5 minutes by default. An [HttpApi] knows the keys and keeps none.
	ReauthorizeEvery time.Duration
}

// LambdaAuthorizer asks a function who may call an [HttpApi].
type LambdaAuthorizer struct {
	Function awslambda.IFunction
	// AuthorizerPayloadFormatVersion is the form of the function's event and
	// answer, "2.0" by default, or "1.0".
	AuthorizerPayloadFormatVersion string
	// DisableSimpleResponses has the function answer with an IAM policy, as
	// that of payload 1.0 always does, instead of {"isAuthorized": true}.
	DisableSimpleResponses bool
	// Identity is which parts of a request make up the caller's identity.
	Identity AuthorizerIdentity
}

// AuthorizerIdentity is which parts of a request make up the identity of its
// caller. A request that lacks one is refused without asking the function, and
// the function's answers are kept for each identity. Names are as in SAM.
type AuthorizerIdentity struct {
	Headers        []string
	QueryStrings   []string
	StageVariables []string
	// Context are context variables, such as "identity.sourceIp".
	Context []string
	// ReauthorizeEvery is how long an answer is kept, at most an hour; 5
	// minutes by default. Keeping answers needs an identity, so where there is
	// none it must be ReauthorizeAlways.
	ReauthorizeEvery time.Duration
}

func (i AuthorizerIdentity) check() (found []string) {
	found = prop.CheckKept("ReauthorizeEvery", i.ReauthorizeEvery)
	if i.ReauthorizeEvery != ReauthorizeAlways && len(i.sources("", "", "", "")) == 0 {
		found = append(found, "it has no Identity: name the Headers, QueryStrings, StageVariables or Context that tell callers apart, or set ReauthorizeEvery to ReauthorizeAlways")
	}
	return found
}

// cached is how long an answer is kept, zero for not at all.
func (i AuthorizerIdentity) cached() time.Duration { return prop.KeptFor(i.ReauthorizeEvery) }

// sources are the identity sources in the terms of an API, by its prefixes.
func (i AuthorizerIdentity) sources(header, query, variable, context string) (all []string) {
	for _, part := range []struct {
		prefix string
		names  []string
	}{{header, i.Headers}, {query, i.QueryStrings}, {variable, i.StageVariables}, {context, i.Context}} {
		for _, name := range part.names {
			all = append(all, part.prefix+name)
		}
	}
	return all
}

func (o OAuth2Authorizer) check() (found []string) {
	switch {
	case o.Issuer == "":
		found = append(found, `it has no Issuer: give the URL of who makes the tokens, such as "https://login.example.com"`)
	case !prop.IsToken(o.Issuer) && !strings.HasPrefix(o.Issuer, "https://"):
		found = append(found, fmt.Sprintf(`the Issuer %q does not begin with "https://"`, o.Issuer))
	}
	if len(o.Audience) == 0 {
		found = append(found, "it has no Audience: name the client ids that tokens are for")
	}
	if o.IdentitySource != "" && !strings.HasPrefix(o.IdentitySource, "$request.header.") && !strings.HasPrefix(o.IdentitySource, "$request.querystring.") {
		found = append(found, fmt.Sprintf(`the IdentitySource %q is none: write "$request.header.NAME" or "$request.querystring.NAME"`, o.IdentitySource))
	}
	return found
}

func (o OAuth2Authorizer) addToHttpApi(a *HttpApi, name string) namedAuthorizer {
	prop.SetDefault(&o.IdentitySource, "$request.header.Authorization")
	made := awsapigatewayv2.NewHttpAuthorizer(a, &name, &awsapigatewayv2.HttpAuthorizerProps{
		HttpApi: a, AuthorizerName: &name, Type: awsapigatewayv2.HttpAuthorizerType_JWT,
		IdentitySource: jsii.Strings(o.IdentitySource), JwtIssuer: &o.Issuer, JwtAudience: jsii.Strings(o.Audience...),
	})
	return importedAuthorizer(a, name, made, "JWT", o.AuthorizationScopes)
}

func (c CognitoAuthorizer) check() (found []string) {
	if prop.IsNil(c.UserPool) {
		found = append(found, "it has no UserPool: make one and pass it")
	}
	for i, client := range c.UserPoolClients {
		if prop.IsNil(client) {
			found = append(found, fmt.Sprintf("UserPoolClients[%d] is nil", i))
		}
	}
	return append(found, prop.CheckKept("ReauthorizeEvery", c.ReauthorizeEvery)...)
}

func (c CognitoAuthorizer) addToHttpApi(a *HttpApi, name string) namedAuthorizer {
	jwt, problem := c.oauth2()
	if problem != "" {
		a.faults.Add("%s", problem)
		return namedAuthorizer{}
	}
	return jwt.addToHttpApi(a, name)
}

// oauth2 is what the pool is for an HTTP API, or what is missing for it.
func (c CognitoAuthorizer) oauth2() (jwt OAuth2Authorizer, problem string) {
	if len(c.UserPoolClients) == 0 {
		return jwt, "it has no UserPoolClients: an HTTP API wants the clients that tokens are for"
	}
	for _, client := range c.UserPoolClients {
		jwt.Audience = append(jwt.Audience, *client.UserPoolClientId())
	}
	prop.SetDefault(&c.Header, "Authorization")
	jwt.Issuer = fmt.Sprintf("https://cognito-idp.%s.amazonaws.com/%s", *c.UserPool.Env().Region, *c.UserPool.UserPoolId())
	jwt.IdentitySource, jwt.AuthorizationScopes = "$request.header."+c.Header, c.AuthorizationScopes
	return jwt, ""
}

func (l LambdaAuthorizer) check() (found []string) {
	if prop.IsNil(l.Function) {
		found = append(found, "it has no Function: make it before the API and pass it")
	}
	if l.AuthorizerPayloadFormatVersion != "" {
		found = append(found, prop.OneOf("AuthorizerPayloadFormatVersion", l.AuthorizerPayloadFormatVersion, "1.0", "2.0")...)
	}
	return append(found, l.Identity.check()...)
}

func (l LambdaAuthorizer) addToHttpApi(a *HttpApi, name string) namedAuthorizer {
	version, simple := awsapigatewayv2.AuthorizerPayloadVersion_VERSION_2_0, jsii.Bool(!l.DisableSimpleResponses)
	if l.AuthorizerPayloadFormatVersion == "1.0" {
		version, simple = awsapigatewayv2.AuthorizerPayloadVersion_VERSION_1_0, nil
	}
	sources := l.sources()
	made := awsapigatewayv2.NewHttpAuthorizer(a, &name, &awsapigatewayv2.HttpAuthorizerProps{
		HttpApi: a, AuthorizerName: &name, Type: awsapigatewayv2.HttpAuthorizerType_LAMBDA,
		AuthorizerUri:         jsii.String(invocationURI(a, l.Function)),
		PayloadFormatVersion:  version,
		EnableSimpleResponses: simple,
		IdentitySource:        jsii.Strings(sources...),
		ResultsCacheTtl:       prop.Duration(l.Identity.cached()),
	})
	if len(sources) == 0 {
		made.Node().DefaultChild().(awsapigatewayv2.CfnAuthorizer).AddPropertyDeletionOverride(jsii.String("IdentitySource"))
	}
	allowAuthorizer(a, *a.ApiId(), *made.AuthorizerId(), name, l.Function)
	return importedAuthorizer(a, name, made, "CUSTOM", nil)
}

func (l LambdaAuthorizer) sources() []string {
	return l.Identity.sources("$request.header.", "$request.querystring.", "$stageVariables.", "$context.")
}

// invocationURI is by which API Gateway calls a function.
func invocationURI(in constructs.IConstruct, function awslambda.IFunction) string {
	stack := awscdk.Stack_Of(in)
	return fmt.Sprintf("arn:%s:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations", *stack.Partition(), *stack.Region(), *function.FunctionArn())
}

// allowAuthorizer lets API Gateway ask an authorizer's function. The right is
// the API's child, which may be in another stack than the function.
func allowAuthorizer(api constructs.Construct, apiID, authorizerID, name string, function awslambda.IFunction) {
	stack := awscdk.Stack_Of(api)
	function.AddPermission(jsii.String(name+"Permission"), &awslambda.Permission{
		Scope:     api,
		Principal: awsiam.NewServicePrincipal(jsii.String("apigateway.amazonaws.com"), nil),
		SourceArn: stack.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("execute-api"), Resource: &apiID, ResourceName: jsii.String("authorizers/" + authorizerID),
		}),
	})
}

// namedAuthorizer is an authorizer that was made, for the API of one kind.
type namedAuthorizer struct {
	http   awsapigatewayv2.IHttpRouteAuthorizer
	rest   func() awsapigateway.IAuthorizer
	scheme bool // of a document
	scopes []string
	jwt    bool // whose tokens can have scopes
}

func importedAuthorizer(a *HttpApi, name string, made awsapigatewayv2.HttpAuthorizer, kind string, scopes []string) namedAuthorizer {
	id := name + "Authorizer"
	route := awsapigatewayv2.HttpAuthorizer_FromHttpAuthorizerAttributes(a, &id, &awsapigatewayv2.HttpAuthorizerAttributes{
		AuthorizerId: made.AuthorizerId(), AuthorizerType: &kind,
	})
	return namedAuthorizer{http: route, scopes: scopes, jwt: kind == "JWT"}
}

// checked is an authorizer of any API.
type checked interface{ check() []string }

// makeAuthorizers makes those of an API in the order of their names. What is
// wrong with one does not keep the others from being made.
func makeAuthorizers[T checked](faults *prop.Faults, all map[string]T, add func(name string, authorizer T) namedAuthorizer) map[string]namedAuthorizer {
	made := map[string]namedAuthorizer{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		faults.About(fmt.Sprintf("authorizer %q", name), func() {
			made[name] = namedAuthorizer{} // known, so that routes which name it are no second fault
			switch {
			case prop.IsNil(all[name]):
				faults.Add("it is nil: remove it from Authorizers")
				return
			case name == "" || name == AWSIAM || name == NoAuthorizer:
				faults.Add("its name means something else: choose another")
				return
			}
			problems := all[name].check()
			for _, problem := range problems {
				faults.Add("%s", problem)
			}
			if len(problems) == 0 {
				made[name] = add(name, all[name])
			}
		})
	}
	return made
}

// checkDefault finds a default that is none of the API's, once instead of for
// each route, and gives the one to go on with.
func checkDefault(faults *prop.Faults, known map[string]namedAuthorizer, name string) string {
	if _, ok := known[name]; ok || name == "" || name == AWSIAM || name == NoAuthorizer {
		return name
	}
	faults.Add("DefaultAuthorizer %q is none of Authorizers: %s", name, authorizerNames(known))
	return ""
}

// asked is what a route says about who may call it.
type asked struct {
	given  bool // an authorizer of the CDK
	http   awsapigatewayv2.IHttpRouteAuthorizer
	rest   awsapigateway.IAuthorizer
	name   string
	scopes []string
}

// decision is who may call a route.
type decision struct {
	http   awsapigatewayv2.IHttpRouteAuthorizer
	rest   awsapigateway.IAuthorizer
	iam    bool
	scheme string // of a document
	scopes []string
}

// decide finds the authorizer of a route of an API, or what is wrong.
func decide(api string, known map[string]namedAuthorizer, byDefault string, a asked) (d decision, problem string) {
	if a.given {
		if a.name != "" {
			return d, fmt.Sprintf("Authorizer and AuthorizerName %q are both set: choose one", a.name)
		}
		return decision{http: a.http, rest: a.rest, scopes: a.scopes}, ""
	}
	name := a.name
	prop.SetDefault(&name, byDefault)
	switch name {
	case "", NoAuthorizer, AWSIAM:
		if len(a.scopes) > 0 {
			return d, "AuthorizationScopes need an authorizer of JWTs: set AuthorizerName"
		}
		if d.iam = name == AWSIAM; d.iam {
			d.scheme = AWSIAM
			d.http = awsapigatewayv2authorizers.NewHttpIamAuthorizer()
		}
		return d, ""
	}
	found, ok := known[name]
	if !ok {
		return d, fmt.Sprintf("the API %s has no authorizer %q: %s", api, name, authorizerNames(known))
	}
	scopes := a.scopes
	if len(scopes) == 0 {
		scopes = found.scopes
	} else if !found.jwt && (found.http != nil || found.rest != nil || found.scheme) {
		return d, fmt.Sprintf("AuthorizationScopes need an authorizer of JWTs, which %q is not", name)
	}
	d = decision{http: found.http, scopes: scopes}
	if found.scheme {
		d.scheme = name
	}
	if found.rest != nil {
		d.rest = found.rest()
	}
	return d, ""
}

func authorizerNames(known map[string]namedAuthorizer) string {
	names := append(slices.Sorted(maps.Keys(known)), AWSIAM, NoAuthorizer)
	return "use one of " + strings.Join(names, ", ")
}
