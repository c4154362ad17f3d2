//go:build unix

package apigateway

import (
	"testing"

	"github.com/bailey-cdk/bailey/bridge/model"
)

const (
	validationPage = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html"
	customizedPage = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html"
)

func TestValidation(t *testing.T) {
	api := apiOf(model.REST, "POST /x/{id}", "POST /free")
	api.Models = map[string]string{
		"Order":  `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","required":["id"],"properties":{"id":{"type":"string"},"items":{"type":"array","items":{"$ref":"https://apigateway.amazonaws.com/restapis/abcdef1234/models/Item"}}}}`,
		"Item":   `{"type":"object","required":["n"],"properties":{"n":{"type":"integer","minimum":1}}}`,
		"Own":    `{"definitions":{"Item":{"type":"string"}},"$ref":"#/definitions/Item"}`,
		"Open":   `{"$ref":"#/components/schemas/Item"}`,
		"Broken": `{"type":7}`,
		"File":   `{"$ref":"file:///etc/passwd"}`,
	}
	api.Routes[0].Validation = &model.Validation{
		Parameters: []string{"method.request.header.X-A", "method.request.path.id", "method.request.querystring.q"},
		Models:     map[string]string{"application/json": "Order", "application/own": "Own", "application/open": "Open", "application/broken": "Broken", "application/file": "File"},
	}
	const (
		invalid = `400 application/json {"message": "Invalid request body"}`
		all     = "/x/7?q=1"
		header  = "X-A: 1\n"
	)
	for _, test := range []struct {
		name, target, headers, body, want string
	}{
		{"all is there", all, header, `{"id":"a","items":[{"n":1}]}`, restIn},
		{"no query parameter", "/x/7", header, `{"id":"a"}`, `400 application/json {"message":"Missing required request parameters: [q]"}`},
		{"a blank one", "/x/7?q=", header, `{"id":"a"}`, `400 application/json {"message":"Missing required request parameters: [q]"}`},
		{"nor a header", "/x/7", "", `{"id":"a"}`, `400 application/json {"message":"Missing required request parameters: [X-A, q]"}`},
		{"a body that misses something", all, header, `{"items":[]}`, invalid},
		{"in a model of another model", all, header, `{"id":"a","items":[{"n":0}]}`, invalid},
		{"that is no JSON", all, header, `{`, invalid},
		{"that is empty", all, header, ``, invalid},
		{"of a type without model", all, header + "Content-Type: text/plain\n", `{`, restIn},
		{"by a definition of its own", all, header + "Content-Type: application/own\n", `"text"`, restIn},
		{"not that", all, header + "Content-Type: application/own\n", `{"n":1}`, invalid},
		{"as an OpenAPI document refers", all, header + "Content-Type: application/open\n", `{"n":1}`, restIn},
		{"not that", all, header + "Content-Type: application/open\n", `"text"`, invalid},
		{"a model that is no schema", all, header + "Content-Type: application/broken\n", `1`, restIn},
		{"a model that names a file", all, header + "Content-Type: application/file\n", `1`, restIn},
		{"a method without", "/free", "", `{`, restIn},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := &guard{}
			log := &logBuffer{}
			address, _ := serve(t, Options{Application: application(api), Invoke: g.invoke, Logs: log})
			got := told(exchangeRaw(t, address, "POST "+test.target+" HTTP/1.1\nHost: localhost\nContent-Length: "+itoa(len(test.body))+"\n"+test.headers+"\n"+test.body)).with("")
			if got != test.want {
				t.Errorf("%s\ngot %s, want %s\n%s", validationPage, got, test.want, log)
			}
		})
	}
}

func TestGatewayResponses(t *testing.T) {
	api := apiOf(model.REST, "GET /shut/{id}", "GET /key", "GET /boom", "GET /slow")
	api.StageVariables = map[string]string{"color": "blue"}
	api.Routes[0].AuthorizationType, api.Routes[0].Authorizer = "CUSTOM", &model.Authorizer{Type: "TOKEN", Function: &model.Function{}}
	api.Routes[1].APIKeyRequired = true
	api.GatewayResponses = []*model.GatewayResponse{
		{Type: "DEFAULT_4XX", Parameters: map[string]string{"Access-Control-Allow-Origin": "'*'"}},
		{Type: "DEFAULT_5XX", StatusCode: 599, Parameters: map[string]string{"X-Path": "method.request.querystring.p", "X-Bad": "method.request.header.x-bad"}},
		{Type: "UNAUTHORIZED", StatusCode: 418, Parameters: map[string]string{"X-Id": "method.request.path.id", "X-Stage": "context.stage"}, Templates: map[string]string{
			"application/json": `{"m":$context.error.messageString,"t":"$context.error.responseType","p":"$context.resourcePath","c":"$stageVariables.color","n":"$context.none"}`,
			"text/plain":       "$context.error.message!",
		}},
	}
	const names = "Access-Control-Allow-Origin,X-Id,X-Stage,X-Path,X-Bad"
	for _, test := range []struct{ name, target, headers, want string }{
		{"one of its own type", "/shut/7", "", `418 application/json X-Id=7 X-Stage=prod {"m":"Unauthorized","t":"UNAUTHORIZED","p":"/shut/{id}","c":"blue","n":""}`},
		{"as the client asks for", "/shut/7", "Accept: text/plain, */*\n", `418 text/plain X-Id=7 X-Stage=prod Unauthorized!`},
		{"the default of 4XX", "/key", "", `403 application/json Access-Control-Allow-Origin=* {"message":"Forbidden"}`},
		{"where there is no route", "/none", "", `403 application/json Access-Control-Allow-Origin=* {"message":"Missing Authentication Token"}`},
		{"the default of 5XX", "/boom?p=q", "", `599 application/json X-Path=q {"message": "Internal server error"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := &invoker{failed: "Unhandled"}
			address, _ := serve(t, Options{Application: application(api), Invoke: i.invoke})
			if got := told(exchangeRaw(t, address, "GET "+test.target+" HTTP/1.1\nHost: localhost\n"+test.headers+"\n")).with(names); got != test.want {
				t.Errorf("%s\ngot  %s\nwant %s", customizedPage, got, test.want)
			}
		})
	}
}
