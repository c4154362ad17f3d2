package apigateway

import (
	"github.com/bailey-cdk/bailey/bridge/model"
)

// event1 is the event of a REST API, and payload format 1.0 of an HTTP API:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
type event1 struct {
	Version string `json:"version,omitempty"` // of an HTTP API alone
	// These four are an authorizer's.
	Type               string `json:"type,omitempty"`
	MethodARN          string `json:"methodArn,omitempty"`
	IdentitySource     string `json:"identitySource,omitempty"`
	AuthorizationToken string `json:"authorizationToken,omitempty"`

	Resource                        string              `json:"resource"`
	Path                            string              `json:"path"`
	HTTPMethod                      string              `json:"httpMethod"`
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	RequestContext                  context1            `json:"requestContext"`
	PathParameters                  map[string]string   `json:"pathParameters"`
	StageVariables                  map[string]string   `json:"stageVariables"`
	Body                            *string             `json:"body"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

// authorizerEvent1 is the same without a body.
type authorizerEvent1 struct {
	event1
	Body            *struct{} `json:"body,omitempty"`
	IsBase64Encoded *struct{} `json:"isBase64Encoded,omitempty"`
}

type context1 struct {
	AccountID         string         `json:"accountId"`
	APIID             string         `json:"apiId"`
	Authorizer        map[string]any `json:"authorizer,omitempty"`
	DomainName        string         `json:"domainName"`
	DomainPrefix      string         `json:"domainPrefix"`
	ExtendedRequestID string         `json:"extendedRequestId"`
	HTTPMethod        string         `json:"httpMethod"`
	Identity          identity1      `json:"identity"`
	OperationName     string         `json:"operationName,omitempty"`
	Path              string         `json:"path"`
	Protocol          string         `json:"protocol"`
	RequestID         string         `json:"requestId"`
	RequestTime       string         `json:"requestTime"`
	RequestTimeEpoch  int64          `json:"requestTimeEpoch"`
	ResourceID        *string        `json:"resourceId"`
	ResourcePath      string         `json:"resourcePath"`
	Stage             string         `json:"stage"`
}

// identity1 says who calls. What is not known is null.
type identity1 struct {
	AccessKey                     *string `json:"accessKey"`
	AccountID                     *string `json:"accountId"`
	APIKey                        string  `json:"apiKey,omitempty"`
	APIKeyID                      string  `json:"apiKeyId,omitempty"`
	Caller                        *string `json:"caller"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	SourceIP                      string  `json:"sourceIp"`
	User                          *string `json:"user"`
	UserAgent                     string  `json:"userAgent"`
	UserARN                       *string `json:"userArn"`
}

// event1 is the event without its body.
func (x *exchange) event1() *event1 {
	q := parseQuery(x.r.URL.RawQuery)
	isHTTP := x.api.Protocol == model.HTTP
	multi := x.headers(isHTTP)
	single := make(map[string]string, len(multi))
	for name, values := range multi {
		single[name] = values[len(values)-1]
	}
	domain, prefix := x.domain()
	e := &event1{
		Resource: x.match.path, Path: toText(x.rawPath), HTTPMethod: x.r.Method,
		Headers: single, MultiValueHeaders: multi,
		QueryStringParameters: q.last(), MultiValueQueryStringParameters: q.values,
		PathParameters: x.pathParameters(), StageVariables: stageVariables(x.api),
		RequestContext: context1{
			AccountID: x.application.AccountID, APIID: x.api.APIID, Authorizer: x.identity.format1(),
			DomainName: domain, DomainPrefix: prefix, ExtendedRequestID: x.id.extended, HTTPMethod: x.r.Method,
			Identity: x.identity1(), OperationName: x.match.route.OperationName,
			Path: toText(x.stagePath(x.rawPath)), Protocol: x.r.Proto, RequestID: x.id.id,
			RequestTime: x.began.UTC().Format(timeFormat), RequestTimeEpoch: x.began.UnixMilli(),
			ResourceID: textOrNil(x.match.route.ResourceID), ResourcePath: x.match.path, Stage: x.api.StageName,
		},
	}
	if isHTTP {
		e.Version = payload1
		e.Path = toText(x.stagePath(x.rawPath))
		if e.RequestContext.Authorizer == nil {
			e.RequestContext.Authorizer = map[string]any{"claims": nil, "scopes": nil}
		}
		route := x.routeKey()
		e.RequestContext.ResourceID = &route
	}
	return e
}

func (x *exchange) identity1() identity1 {
	i := identity1{SourceIP: sourceIP(x.r), UserAgent: x.userAgent(), APIKey: x.identity.apiKey, APIKeyID: x.identity.apiKeyID}
	if caller := x.identity.iam; caller != nil {
		i.AccessKey, i.AccountID, i.Caller = &caller.AccessKey, &caller.AccountID, &caller.CallerID
		i.User, i.UserARN = &caller.UserID, &caller.UserARN
	}
	return i
}

// textOrNil is nil for "".
func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
