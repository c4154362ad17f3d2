package apigateway

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// customize gives a REST API's own form of an answer, where it has one: of the
// answer's type, or of all answers with such a status. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
func (x *exchange) customize(a answer, h http.Header) answer {
	g := x.gatewayResponse(a)
	if g == nil {
		return a
	}
	for name, expression := range g.Parameters {
		if value := x.mapped(expression); value != "" && validHeaderName(name) && !strings.ContainsAny(value, "\r\n") {
			h.Set(name, value)
		}
	}
	contentType, template := chooseTemplate(g.Templates, x.r.Header.Get("Accept"))
	if template != "" {
		h.Set("Content-Type", contentType)
		a.body = x.substitute(template, a)
	}
	if g.StatusCode != 0 {
		a.status = g.StatusCode
	}
	return a
}

// notCustomized are answers that API Gateway has no gateway response for: it
// offers none for 413, and 501 is an answer of this server.
func notCustomized(a answer) bool {
	return a.kind == "REQUEST_TOO_LARGE" || a.status == http.StatusNotImplemented
}

func (x *exchange) gatewayResponse(a answer) *model.GatewayResponse {
	if x.api.Protocol != model.REST || len(x.api.GatewayResponses) == 0 || notCustomized(a) {
		return nil
	}
	fallback := "DEFAULT_4XX"
	if a.status >= http.StatusInternalServerError {
		fallback = "DEFAULT_5XX"
	}
	var found *model.GatewayResponse
	for _, g := range x.api.GatewayResponses {
		switch {
		case g.Type == a.kind && a.kind != "":
			return g
		case g.Type == fallback:
			found = g
		}
	}
	return found
}

// chooseTemplate takes the template of the type that the client asks for first,
// else that of JSON.
func chooseTemplate(templates map[string]string, accept string) (contentType, template string) {
	first, _, _ := strings.Cut(accept, ",")
	if wanted := mediaTypeOf(first); templates[wanted] != "" {
		return wanted, templates[wanted]
	}
	return "application/json", templates["application/json"]
}

// mapped is the value of a header's mapping expression: a literal in quotes, or
// a parameter of the request, the context or the stage.
func (x *exchange) mapped(expression string) string {
	if len(expression) >= 2 && expression[0] == '\'' && expression[len(expression)-1] == '\'' {
		return expression[1 : len(expression)-1]
	}
	if name, ok := strings.CutPrefix(expression, "method.request.path."); ok {
		return x.match.parameters()[name]
	}
	return x.identitySource(expression)
}

var templateVariable = regexp.MustCompile(`\$(context|stageVariables|method\.request)\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*`)

// substitute puts values in place of a template's variables. The templates of
// gateway responses know nothing else: they are no VTL.
func (x *exchange) substitute(template string, a answer) string {
	var own struct{ Message string } // "Message" too, as Go has it
	_ = json.Unmarshal([]byte(a.body), &own)
	return templateVariable.ReplaceAllStringFunc(template, func(variable string) string {
		switch name := strings.TrimPrefix(variable, "$"); name {
		case "context.error.message":
			return own.Message
		case "context.error.messageString":
			text, _ := json.Marshal(own.Message) // a text always encodes
			return string(text)
		case "context.error.responseType":
			return a.kind
		case "context.error.validationErrorString":
			return x.remark
		default:
			return x.mapped(name)
		}
	})
}
