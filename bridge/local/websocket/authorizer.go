package websocket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// refusal is why a handshake fails: what the client gets, and what is logged.
type refusal struct {
	status  int
	message string
	cause   string
	// body is the function's, where the route has a response; else an object
	// with the message.
	body []byte
}

func (r *refusal) Error() string { return r.message + ": " + r.cause }

func refuse(status int, message, cause string) *refusal {
	return &refusal{status: status, message: message, cause: cause}
}

// The messages of refusals.
const (
	unauthorized  = "Unauthorized"
	forbidden     = "Forbidden"
	internalError = "Internal server error"
	timedOut      = "Endpoint request timed out"
)

// authorize holds the handshake to what the route of $connect asks for. With a
// Lambda authorizer it sets the connection's authorizer context, which every
// later event has too.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
func (c *connection) authorize(ctx context.Context, a *api, route *model.WebSocketRoute, r *http.Request, e event) *refusal {
	if route.APIKeyRequired && r.Header.Get("X-Api-Key") == "" {
		return refuse(http.StatusForbidden, forbidden, "the route requires an API key, and the request has no x-api-key")
	}
	switch route.AuthorizationType {
	case "AWS_IAM":
		if !signed(r) {
			return refuse(http.StatusForbidden, "Missing Authentication Token", "the route requires IAM authorisation, and the request is not signed")
		}
	case "CUSTOM":
		return c.askAuthorizer(ctx, a, route.Authorizer, e)
	}
	return nil
}

// signed says whether a request bears a signature, which nobody can check
// here: the secret keys are AWS's.
func signed(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") || r.URL.Query().Get("X-Amz-Signature") != ""
}

func (c *connection) askAuthorizer(ctx context.Context, a *api, authorizer *model.Authorizer, e event) *refusal {
	if authorizer == nil || authorizer.Function == nil {
		return refuse(http.StatusInternalServerError, internalError, "the authorizer of $connect is no function of the application")
	}
	for _, source := range authorizer.IdentitySource {
		present, err := e.has(source)
		if err != nil {
			return refuse(http.StatusInternalServerError, internalError, err.Error())
		}
		if !present {
			return refuse(http.StatusUnauthorized, unauthorized, "the request has no "+source)
		}
	}
	e.Type, e.MethodARN = "REQUEST", a.methodARN("$connect")
	e.IsBase64Encoded, e.RequestContext.Authorizer = nil, nil
	if e.StageVariables == nil {
		e.StageVariables = &map[string]string{}
	}
	result, err := c.server.invoke(ctx, authorizer.Function, e.payload(), e.Headers["X-Amzn-Trace-Id"], authorizerTimeout)
	switch {
	case err != nil:
		return refuse(http.StatusInternalServerError, internalError, "the authorizer "+authorizer.Function.Path+" could not be run: "+err.Error())
	case result.FunctionError != "" && errorMessage(result.Payload) == unauthorized:
		return refuse(http.StatusUnauthorized, unauthorized, "the authorizer "+authorizer.Function.Path+" says so")
	case result.FunctionError != "":
		return refuse(http.StatusInternalServerError, internalError, "the authorizer "+authorizer.Function.Path+" failed: "+string(result.Payload))
	}
	verdict, err := parseVerdict(result.Payload)
	if err != nil {
		return refuse(http.StatusInternalServerError, internalError, "the authorizer "+authorizer.Function.Path+" answered wrongly: "+err.Error())
	}
	if !verdict.allows(a.methodARN("$connect")) {
		return refuse(http.StatusForbidden, forbidden, "the authorizer "+authorizer.Function.Path+" does not allow "+a.methodARN("$connect"))
	}
	c.authorizer = verdict.context
	return nil
}

// errorMessage is the message of a function's error.
func errorMessage(payload []byte) string {
	var failure struct {
		ErrorMessage string `json:"errorMessage"`
	}
	_ = json.Unmarshal(payload, &failure) // then there is none
	return failure.ErrorMessage
}

// has says whether an identity source is in the event, not empty:
// "route.request.header.Auth", "route.request.querystring.token",
// "stageVariables.name" or "context.identity.sourceIp".
func (e event) has(source string) (bool, error) {
	source = strings.TrimPrefix(source, "$")
	if name, ok := strings.CutPrefix(source, "route.request.header."); ok {
		for header, value := range e.Headers {
			if strings.EqualFold(header, name) && value != "" {
				return true, nil
			}
		}
		return false, nil
	}
	if name, ok := strings.CutPrefix(source, "route.request.querystring."); ok {
		return e.Query[name] != "", nil
	}
	if name, ok := strings.CutPrefix(source, "stageVariables."); ok {
		return e.StageVariables != nil && (*e.StageVariables)[name] != "", nil
	}
	if path, ok := strings.CutPrefix(source, "context."); ok {
		context, err := json.Marshal(e.RequestContext)
		if err != nil {
			return false, err
		}
		steps, err := parsePath(bodyVariable + "." + path)
		if err != nil {
			return false, fmt.Errorf("the identity source %q cannot be read: %w", source, err)
		}
		value, ok := lookUp(context, steps)
		return ok && value != "", nil
	}
	return false, fmt.Errorf("the identity source %q is unknown: there are route.request.header.NAME, route.request.querystring.NAME, stageVariables.NAME and context.NAME", source)
}

// verdict is what an authorizer answers: a policy, and a context for events.
type verdict struct {
	statements []statement
	context    map[string]any
}

type statement struct {
	Effect   string `json:"Effect"`
	Action   words  `json:"Action"`
	Resource words  `json:"Resource"`
}

// words is a text or a list of texts.
type words []string

func (w *words) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(w))
}

// parseVerdict reads an authorizer's answer: see "Output from an API Gateway
// Lambda authorizer",
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func parseVerdict(payload []byte) (verdict, error) {
	if len(payload) > maxAuthorizerResult {
		return verdict{}, fmt.Errorf("it has %d bytes, and may have %d", len(payload), maxAuthorizerResult)
	}
	var raw struct {
		PrincipalID    *string `json:"principalId"`
		PolicyDocument *struct {
			Statement []statement `json:"Statement"`
		} `json:"policyDocument"`
		Context map[string]json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(payload, &raw); err != nil {
		return verdict{}, err
	}
	if raw.PrincipalID == nil || raw.PolicyDocument == nil {
		return verdict{}, errors.New("it needs a principalId and a policyDocument")
	}
	v := verdict{statements: raw.PolicyDocument.Statement, context: map[string]any{"principalId": *raw.PrincipalID}}
	for name, value := range raw.Context {
		text, ok := scalar(value)
		if !ok && string(value) != "null" {
			return verdict{}, fmt.Errorf("the value of %q in its context is no text, number or boolean", name)
		}
		v.context[name] = nil
		if ok {
			v.context[name] = text
		}
	}
	return v, nil
}

// allows evaluates the policy as IAM does: a statement that denies counts most,
// and what no statement allows is denied.
func (v verdict) allows(arn string) bool {
	allowed := false
	for _, s := range v.statements {
		if !s.Action.match("execute-api:Invoke", true) || !s.Resource.match(arn, false) {
			continue
		}
		switch s.Effect {
		case "Deny":
			return false
		case "Allow":
			allowed = true
		}
	}
	return allowed
}

func (w words) match(text string, anyCase bool) bool {
	for _, pattern := range w {
		if anyCase {
			pattern, text = strings.ToLower(pattern), strings.ToLower(text)
		}
		if wildcard(pattern, text) {
			return true
		}
	}
	return false
}

// wildcard matches a pattern of IAM, where * stands for any characters and ?
// for one. It goes back to the last star alone, so that it takes no more than
// the product of the lengths.
func wildcard(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
