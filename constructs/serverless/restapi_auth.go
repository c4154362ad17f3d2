package serverless

import (
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// RestApiAuth is who may call a [RestApi].
type RestApiAuth struct {
	// Authorizers are the API's, by name: [CognitoAuthorizer],
	// [LambdaTokenAuthorizer] or [LambdaRequestAuthorizer]. One that no event
	// uses is not made.
	Authorizers map[string]RestApiAuthorizer
	// DefaultAuthorizer is the name of the one for events that name none, or
	// AWSIAM. Everyone may call those by default.
	DefaultAuthorizer string
	// ApiKeyRequired refuses requests without a key of a usage plan. Keys
	// count and limit callers; they are no secret that proves who calls.
	ApiKeyRequired bool
	// ApiKeySourceType is "HEADER" by default, X-API-Key; with "AUTHORIZER"
	// the answer of a Lambda authorizer has the key.
	ApiKeySourceType string
	// UsagePlan makes API keys, and limits those who have one.
	UsagePlan *UsagePlan
}

// UsagePlan is a plan for the API's stage, with keys.
type UsagePlan struct {
	// UsagePlanName is the physical name; CloudFormation makes one by default.
	UsagePlanName string
	Description   string
	// ApiKeys are the construct ids of keys that are made; one, "ApiKey", by
	// default. API Gateway makes their values.
	ApiKeys []string
	// Quota is how many requests a key has in a period; any number by default.
	Quota *Quota
	// Throttle is how many requests a second a key has; those of the API by
	// default.
	Throttle *RouteSettings
}

// Quota is a number of requests in a period.
type Quota struct {
	Limit int
	// Period is "DAY", "WEEK" or "MONTH".
	Period string
}

// RestApiAuthorizer is an authorizer that a [RestApi] can have.
type RestApiAuthorizer interface {
	check() []string
	addToRestApi(a *RestApi, name string) namedAuthorizer
	restScheme(a *RestApi) scheme
}

// LambdaTokenAuthorizer asks a function about the token in one header of a
// request: SAM's LambdaTokenAuthorizer.
type LambdaTokenAuthorizer struct {
	Function awslambda.IFunction
	// Header has the token, "Authorization" by default.
	Header string
	// ValidationExpression is a regular expression for tokens. Others are
	// refused without asking the function.
	ValidationExpression string
	// ReauthorizeEvery is how long an answer is kept, at most an hour; 5
	// minutes by default.
	ReauthorizeEvery time.Duration
}

// LambdaRequestAuthorizer asks a function about a whole request: SAM's
// LambdaRequestAuthorizer.
type LambdaRequestAuthorizer struct {
	Function awslambda.IFunction
	Identity AuthorizerIdentity
}

func (a *RestApiAuth) check() (found []string) {
	if a.ApiKeySourceType != "" {
		if problems := prop.OneOf("ApiKeySourceType", a.ApiKeySourceType, "HEADER", "AUTHORIZER"); len(problems) > 0 {
			found, a.ApiKeySourceType = problems, ""
		}
	}
	u := a.UsagePlan
	if u == nil {
		return found
	}
	if q := u.Quota; q != nil {
		problems := prop.OneOf("Quota.Period", q.Period, "DAY", "WEEK", "MONTH")
		if q.Limit < 1 {
			problems = append(problems, fmt.Sprintf("Quota.Limit is %d: give a positive number", q.Limit))
		}
		if len(problems) > 0 {
			found, a.UsagePlan = append(found, problems...), nil
		}
	}
	if u.Throttle != nil {
		if problems := u.Throttle.check(); len(problems) > 0 {
			found, a.UsagePlan = append(found, problems...), nil
		}
	}
	return found
}

func (l LambdaTokenAuthorizer) check() (found []string) {
	if prop.IsNil(l.Function) {
		found = append(found, "it has no Function: make it before the API and pass it")
	}
	return append(found, prop.CheckKept("ReauthorizeEvery", l.ReauthorizeEvery)...)
}

func (l LambdaTokenAuthorizer) addToRestApi(a *RestApi, name string) namedAuthorizer {
	prop.SetDefault(&l.Header, "Authorization")
	return restAuthorizer(nil, func() awsapigateway.IAuthorizer {
		return awsapigateway.NewTokenAuthorizer(a, &name, &awsapigateway.TokenAuthorizerProps{
			Handler: l.Function, AuthorizerName: &name, ValidationRegex: prop.Optional(l.ValidationExpression),
			IdentitySource:  awsapigateway.IdentitySource_Header(&l.Header),
			ResultsCacheTtl: prop.Duration(prop.KeptFor(l.ReauthorizeEvery)),
		})
	})
}

func (l LambdaRequestAuthorizer) check() (found []string) {
	if prop.IsNil(l.Function) {
		found = append(found, "it has no Function: make it before the API and pass it")
	}
	return append(found, l.Identity.check()...)
}

func (l LambdaRequestAuthorizer) addToRestApi(a *RestApi, name string) namedAuthorizer {
	return restAuthorizer(nil, func() awsapigateway.IAuthorizer {
		return awsapigateway.NewRequestAuthorizer(a, &name, &awsapigateway.RequestAuthorizerProps{
			Handler: l.Function, AuthorizerName: &name,
			IdentitySources: jsii.Strings(l.sources()...),
			ResultsCacheTtl: prop.Duration(l.Identity.cached()),
		})
	})
}

func (l LambdaRequestAuthorizer) sources() []string {
	return l.Identity.sources("method.request.header.", "method.request.querystring.", "stageVariables.", "context.")
}

func (c CognitoAuthorizer) addToRestApi(a *RestApi, name string) namedAuthorizer {
	prop.SetDefault(&c.Header, "Authorization")
	made := restAuthorizer(c.AuthorizationScopes, func() awsapigateway.IAuthorizer {
		return awsapigateway.NewCognitoUserPoolsAuthorizer(a, &name, &awsapigateway.CognitoUserPoolsAuthorizerProps{
			CognitoUserPools: &[]awscognito.IUserPool{c.UserPool}, AuthorizerName: &name,
			IdentitySource:  awsapigateway.IdentitySource_Header(&c.Header),
			ResultsCacheTtl: prop.Duration(prop.KeptFor(c.ReauthorizeEvery)),
		})
	})
	made.jwt = true
	return made
}

// restAuthorizer is one that is made when a method first asks for it: the CDK
// refuses, at the end of a synth, one that belongs to no API.
func restAuthorizer(scopes []string, make func() awsapigateway.IAuthorizer) namedAuthorizer {
	return namedAuthorizer{rest: sync.OnceValue(make), scopes: scopes}
}

func (a *RestApi) addUsagePlan() {
	u := a.props.Auth.UsagePlan
	if u == nil {
		return
	}
	props := &awsapigateway.UsagePlanProps{
		Name: prop.Optional(u.UsagePlanName), Description: prop.Optional(u.Description),
		ApiStages: &[]*awsapigateway.UsagePlanPerApiStage{{Api: a, Stage: a.DeploymentStage()}},
	}
	if q := u.Quota; q != nil {
		props.Quota = &awsapigateway.QuotaSettings{Limit: jsii.Number(q.Limit), Period: awsapigateway.Period(q.Period)}
	}
	if t := u.Throttle; t != nil {
		props.Throttle = &awsapigateway.ThrottleSettings{RateLimit: jsii.Number(t.ThrottlingRateLimit), BurstLimit: jsii.Number(t.ThrottlingBurstLimit)}
	}
	a.plan = a.AddUsagePlan(jsii.String("UsagePlan"), props)
	ids := u.ApiKeys
	if len(ids) == 0 {
		ids = []string{"ApiKey"}
	}
	for _, id := range ids {
		key := a.AddApiKey(&id, nil)
		a.plan.AddApiKey(key, nil)
		a.keys = append(a.keys, key)
	}
}
