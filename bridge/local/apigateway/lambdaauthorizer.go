package apigateway

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// authorizerTimeout is how long an authorizer may take:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const authorizerTimeout = 10 * time.Second

// decision is what a Lambda authorizer said.
type decision struct {
	// authorized is the answer of a simple response, policy of any other.
	authorized bool
	policy     *policy
	principal  string
	context    map[string]any
	apiKey     string // usageIdentifierKey
}

// errUnauthorized is an authorizer's own word for a 401: an error with the
// message "Unauthorized".
var errUnauthorized = errors.New("the authorizer failed with \"Unauthorized\"")

// authorizeLambda asks a Lambda authorizer:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
func (x *exchange) authorizeLambda(a *model.Authorizer) bool {
	if a.Function == nil {
		x.fail(x.authorizerFailure(), "the authorizer "+a.Name+" is no function of the application")
		return false
	}
	sources, missing := x.identitySources(a)
	if missing != "" {
		x.fail(x.unauthorized(), "the request has no "+missing+", which the authorizer "+a.Name+" needs")
		return false
	}
	d, err := x.decide(a, sources)
	switch {
	case errors.Is(err, errUnauthorized):
		x.fail(x.unauthorized(), err.Error())
		return false
	case err != nil:
		x.fail(x.authorizerFailure(), "the authorizer "+a.Name+": "+err.Error())
		return false
	}
	return x.enforce(a, d)
}

// enforce lets the request through or not, as the authorizer decided.
func (x *exchange) enforce(a *model.Authorizer, d *decision) bool {
	result := allowed
	if d.policy != nil {
		result = d.policy.evaluate(x.methodARN())
	} else if !d.authorized {
		result = explicitlyDenied
	}
	if result != allowed {
		denial := forbidden
		if x.api.Protocol == model.REST {
			denial = explicitDeny
			if result == implicitlyDenied {
				denial = implicitDeny
			}
		}
		x.fail(denial, "the authorizer "+a.Name+" denies "+x.methodARN())
		return false
	}
	x.identity.lambda, x.identity.principal = d.context, d.principal
	x.authorizerKey = d.apiKey
	if x.identity.lambda == nil && x.api.Protocol == model.HTTP {
		x.identity.lambda = map[string]any{}
	}
	return true
}

// decide takes the answer that was kept for these identity sources, or asks.
// Requests that come while the authorizer is being asked wait for its answer.
func (x *exchange) decide(a *model.Authorizer, sources []string) (*decision, error) {
	if a.ResultTTL <= 0 || len(sources) == 0 {
		return x.ask(a, sources)
	}
	kept, _ := x.authorizers.LoadOrStore(a, &decisionCache{})
	return kept.(*decisionCache).get(strings.Join(sources, "\x00"), a.ResultTTL, func() (*decision, error) { return x.ask(a, sources) })
}

// decisionCache keeps answers of one authorizer by its identity sources. What
// failed is not kept.
type decisionCache struct {
	mu      sync.Mutex
	entries map[string]*keptDecision
}

type keptDecision struct {
	mu       sync.Mutex
	until    time.Time
	decision *decision
}

// maxDecisions is how many answers are kept: beyond it all are forgotten.
const maxDecisions = 10000

func (c *decisionCache) get(key string, ttl time.Duration, ask func() (*decision, error)) (*decision, error) {
	c.mu.Lock()
	if c.entries == nil || len(c.entries) >= maxDecisions {
		c.entries = map[string]*keptDecision{}
	}
	e := c.entries[key]
	if e == nil {
		e = &keptDecision{}
		c.entries[key] = e
	}
	c.mu.Unlock()

	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Now().Before(e.until) {
		return e.decision, nil
	}
	d, err := ask()
	if err == nil {
		e.decision, e.until = d, time.Now().Add(ttl)
	}
	return d, err
}

// ask invokes the authorizer's function.
func (x *exchange) ask(a *model.Authorizer, sources []string) (*decision, error) {
	payload, err := encode(x.authorizerEvent(a, sources))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), authorizerTimeout)
	defer cancel()
	result, err := x.gateway.options.Invoke(ctx, a.Function, local.Invocation{Payload: payload, TraceID: x.id.lambdaTrace()})
	if err != nil {
		return nil, err
	}
	if result.FunctionError != "" {
		return nil, authorizerError(result.Payload)
	}
	d, err := readDecision(a, result.Payload)
	if err == nil && x.api.Protocol == model.REST {
		d.context, err = asTexts(d.context)
	}
	return d, err
}

// asTexts is a context as a REST API passes it on: numbers and booleans become
// text, and there may be nothing else. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func asTexts(context map[string]any) (map[string]any, error) {
	texts := make(map[string]any, len(context))
	for name, value := range context {
		switch value.(type) {
		case map[string]any, []any:
			return nil, errors.New("its context has an object or a list as " + name)
		case string, nil:
			texts[name] = value
		default:
			text, err := json.Marshal(value)
			if err != nil {
				return nil, err
			}
			texts[name] = string(text)
		}
	}
	return texts, nil
}

// authorizerError tells the failure that stands for a 401 from the others.
func authorizerError(payload []byte) error {
	var failure struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(payload, &failure) == nil && failure.Message == "Unauthorized" {
		return errUnauthorized
	}
	return errors.New("its function failed")
}

func readDecision(a *model.Authorizer, payload []byte) (*decision, error) {
	var fields struct {
		IsAuthorized   *bool           `json:"isAuthorized"`
		PrincipalID    json.RawMessage `json:"principalId"`
		PolicyDocument json.RawMessage `json:"policyDocument"`
		Context        map[string]any  `json:"context"`
		APIKey         string          `json:"usageIdentifierKey"`
	}
	if err := json.Unmarshal(payload, &fields); err != nil {
		return nil, errors.New("its response is no object of the form that API Gateway reads")
	}
	principal, _, err := scalar(fields.PrincipalID)
	if err != nil {
		return nil, errors.New("its principalId is no text")
	}
	d := &decision{principal: principal, context: fields.Context, apiKey: fields.APIKey}
	if a.EnableSimpleResponses {
		if fields.IsAuthorized == nil {
			return nil, errors.New("its response has no isAuthorized, which a simple response needs")
		}
		d.authorized = *fields.IsAuthorized
		return d, nil
	}
	d.policy, err = parsePolicy(fields.PolicyDocument)
	return d, err
}

// authorizerEvent is what the authorizer's function gets:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
func (x *exchange) authorizerEvent(a *model.Authorizer, sources []string) any {
	if a.Type == "TOKEN" {
		return map[string]string{"type": "TOKEN", "methodArn": x.methodARN(), "authorizationToken": strings.Join(sources, ",")}
	}
	if x.api.Protocol == model.HTTP && a.PayloadFormatVersion != payload1 {
		e := authorizerEvent2{event2: *x.event2()}
		e.Type, e.RouteARN, e.IdentitySource = "REQUEST", x.methodARN(), sources
		return e
	}
	e := authorizerEvent1{event1: *x.event1()}
	e.Type, e.MethodARN = "REQUEST", x.methodARN()
	e.RequestContext.Authorizer = nil
	if e.PathParameters == nil {
		e.PathParameters = map[string]string{}
	}
	if e.QueryStringParameters == nil {
		e.QueryStringParameters, e.MultiValueQueryStringParameters = map[string]string{}, map[string][]string{}
	}
	if e.StageVariables == nil {
		e.StageVariables = map[string]string{}
	}
	if x.api.Protocol == model.HTTP {
		e.IdentitySource = strings.Join(sources, ",")
		e.AuthorizationToken = e.IdentitySource
	}
	return e
}

// identitySources are the values that say who calls. missing is the first
// source without one.
func (x *exchange) identitySources(a *model.Authorizer) (values []string, missing string) {
	sources := a.IdentitySource
	if a.Type == "TOKEN" && len(sources) == 0 {
		sources = []string{"method.request.header.Authorization"}
	}
	for _, source := range sources {
		value := x.identitySource(source)
		if value == "" || a.Type == "TOKEN" && !validToken(a.IdentityValidation, value) {
			return nil, source
		}
		values = append(values, value)
	}
	return values, ""
}

func validToken(expression, token string) bool {
	if expression == "" {
		return true
	}
	compiled, err := regexp.Compile("^(?:" + expression + ")$")
	return err != nil || compiled.MatchString(token)
}

// identitySource evaluates an expression of an HTTP API
// ("$request.header.Name", "$request.querystring.name", "$context.routeKey",
// "$stageVariables.name") or of a REST API ("method.request.header.Name",
// "method.request.querystring.name", "context.httpMethod",
// "stageVariables.name").
func (x *exchange) identitySource(source string) string {
	source = strings.TrimPrefix(source, "$")
	source = strings.TrimPrefix(source, "method.")
	kind, name, _ := strings.Cut(source, ".")
	switch kind {
	case "stageVariables":
		return x.api.StageVariables[name]
	case "context":
		return x.contextVariable(name)
	case "request":
	default:
		return ""
	}
	kind, name, _ = strings.Cut(name, ".")
	switch kind {
	case "header":
		return toText(strings.Join(x.r.Header.Values(name), ","))
	case "querystring":
		q := parseQuery(x.r.URL.RawQuery)
		return strings.Join(q.values[name], ",")
	}
	return ""
}

// contextVariable is one of the variables that make sense for a cache:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
func (x *exchange) contextVariable(name string) string {
	domain, prefix := x.domain()
	if x.match.target != nil {
		switch name {
		case "routeKey":
			return x.routeKey()
		case "resourcePath":
			return x.match.path
		}
	}
	if x.match.target != nil && x.match.route != nil && name == "resourceId" {
		return x.match.route.ResourceID
	}
	switch name {
	case "httpMethod", "http.method":
		return x.r.Method
	case "path", "http.path":
		return x.stagePath(x.path)
	case "stage":
		return x.api.StageName
	case "apiId":
		return x.api.APIID
	case "accountId":
		return x.application.AccountID
	case "domainName":
		return domain
	case "domainPrefix":
		return prefix
	case "protocol":
		return x.r.Proto
	case "identity.sourceIp", "http.sourceIp":
		return sourceIP(x.r)
	case "identity.userAgent", "http.userAgent":
		return x.userAgent()
	case "identity.apiKey":
		return x.r.Header.Get("X-Api-Key")
	case "requestId":
		return x.id.id
	}
	return ""
}
