package apigateway

import (
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// event2 is payload format 2.0, of HTTP APIs and function URLs:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
type event2 struct {
	Version string `json:"version"`
	// These three are an authorizer's.
	Type           string   `json:"type,omitempty"`
	RouteARN       string   `json:"routeArn,omitempty"`
	IdentitySource []string `json:"identitySource,omitempty"`

	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        context2          `json:"requestContext"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	StageVariables        map[string]string `json:"stageVariables,omitempty"`
	Body                  *string           `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

// authorizerEvent2 is the same without a body.
type authorizerEvent2 struct {
	event2
	Body            *struct{} `json:"body,omitempty"`
	IsBase64Encoded *struct{} `json:"isBase64Encoded,omitempty"`
}

type context2 struct {
	AccountID    string       `json:"accountId"`
	APIID        string       `json:"apiId"`
	Authorizer   *authorizer2 `json:"authorizer,omitempty"`
	DomainName   string       `json:"domainName"`
	DomainPrefix string       `json:"domainPrefix"`
	HTTP         http2        `json:"http"`
	RequestID    string       `json:"requestId"`
	RouteKey     string       `json:"routeKey"`
	Stage        string       `json:"stage"`
	Time         string       `json:"time"`
	TimeEpoch    int64        `json:"timeEpoch"`
}

type http2 struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// authorizer2 is what an authorizer found out: one of the three.
type authorizer2 struct {
	JWT    *jwtIdentity   `json:"jwt,omitempty"`
	Lambda map[string]any `json:"lambda,omitempty"`
	IAM    *iamIdentity   `json:"iam,omitempty"`
}

// event2 is the event without its body.
func (x *exchange) event2() *event2 {
	q := parseQuery(x.r.URL.RawQuery)
	domain, prefix := x.domain()
	path := x.stagePath(x.path)
	return &event2{
		Version: payload2, RouteKey: x.routeKey(), RawPath: path, RawQueryString: toText(q.raw),
		Cookies: x.cookies(), Headers: x.joinedHeaders(), QueryStringParameters: q.joined(),
		PathParameters: x.pathParameters(), StageVariables: stageVariables(x.api),
		RequestContext: context2{
			AccountID: x.application.AccountID, APIID: x.api.APIID, Authorizer: x.identity.format2(),
			DomainName: domain, DomainPrefix: prefix,
			HTTP:      http2{x.r.Method, path, x.r.Proto, sourceIP(x.r), x.userAgent()},
			RequestID: x.id.id, RouteKey: x.routeKey(), Stage: x.api.StageName,
			Time: x.began.UTC().Format(timeFormat), TimeEpoch: x.began.UnixMilli(),
		},
	}
}

// joinedHeaders are the headers with lower-case names, and with commas between
// the values of one name. Cookies have a field of their own.
func (x *exchange) joinedHeaders() map[string]string {
	all := x.headers(true)
	joined := make(map[string]string, len(all))
	for name, values := range all {
		if name != "cookie" {
			joined[name] = strings.Join(values, ",")
		}
	}
	return joined
}

// routeKey is "GET /pets/{id}", or "$default".
func (x *exchange) routeKey() string {
	if x.match.path == "$default" || x.api.Protocol == model.FunctionURL {
		return "$default"
	}
	return x.match.method + " " + x.match.path
}
