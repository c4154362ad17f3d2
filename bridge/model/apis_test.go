package model_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/model"
)

func apiNamed(t *testing.T, a *model.Application, protocol model.Protocol, path string) *model.API {
	t.Helper()
	for _, api := range a.APIs {
		if api.Protocol == protocol && strings.HasSuffix(api.Path, path) {
			return api
		}
	}
	t.Fatalf("there is no %s API %s", protocol, path)
	return nil
}

func staticRoute(t *testing.T, api *model.API, key string) *model.StaticRoute {
	t.Helper()
	for _, s := range api.StaticRoutes {
		if s.Method+" "+s.Path == key {
			return s
		}
	}
	t.Fatalf("there is no static route %s", key)
	return nil
}

func route(t *testing.T, api *model.API, key string) *model.Route {
	t.Helper()
	for _, r := range api.Routes {
		if r.Method+" "+r.Path == key {
			return r
		}
	}
	t.Fatalf("there is no route %s", key)
	return nil
}

func wantEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

// The preflight methods that the CDK makes, for one origin and for several.
func TestStaticRoutes(t *testing.T) {
	api := apiNamed(t, must(t, "rest-cors"), model.REST, "/Api")
	if len(api.APIID) != 10 {
		t.Errorf("API id %q", api.APIID)
	}
	one := staticRoute(t, api, "OPTIONS /hello")
	wantEqual(t, "status", one.StatusCode, 204)
	wantEqual(t, "origins", one.Origins, []string(nil))
	wantEqual(t, "headers", one.Headers, map[string]string{
		"Access-Control-Allow-Origin": "https://shop.example", "Access-Control-Allow-Headers": "content-type", "Vary": "Origin",
		"Access-Control-Allow-Methods": "OPTIONS,GET,PUT,POST,DELETE,PATCH,HEAD", "Access-Control-Allow-Credentials": "true",
	})
	many := staticRoute(t, api, "OPTIONS /many")
	wantEqual(t, "origins of many", many.Origins, []string{"https://b.example", "https://a.example"})
	wantEqual(t, "first origin of many", many.Headers["Access-Control-Allow-Origin"], "https://a.example")

	mapped := apiNamed(t, must(t, "rest-not-proxy"), model.REST, "/Api")
	wantEqual(t, "mock", *staticRoute(t, mapped, "GET /mock"), model.StaticRoute{Method: "GET", Path: "/mock", StatusCode: 200, Headers: map[string]string{}})
	for key, want := range map[string]string{"GET /away": "its integration is HTTP", "GET /service": "is no function of the application"} {
		if got := staticRoute(t, mapped, key).Unserved; !strings.Contains(got, want) {
			t.Errorf("%s: %q", key, got)
		}
	}
}

// What a REST API checks, and answers by itself, as the constructs and the CDK
// write it.
func TestRequestChecks(t *testing.T) {
	api := apiNamed(t, must(t, "go-serverless"), model.REST, "/Rest")
	wantEqual(t, "GET /rest/orders", route(t, api, "GET /rest/orders").Validation, &model.Validation{Parameters: []string{"method.request.querystring.page"}})
	wantEqual(t, "POST /rest/orders", route(t, api, "POST /rest/orders").Validation, &model.Validation{Models: map[string]string{"application/json": "Order"}})
	wantEqual(t, "models", api.Models, map[string]string{"Order": `{"required":["sku"],"type":"object"}`})
	got := map[string]model.GatewayResponse{}
	for _, g := range api.GatewayResponses {
		got[g.Type] = *g
	}
	wantEqual(t, "DEFAULT_4XX", got["DEFAULT_4XX"], model.GatewayResponse{Type: "DEFAULT_4XX", Parameters: map[string]string{"Access-Control-Allow-Origin": "'https://shop.example'"}, Templates: map[string]string{}})
	wantEqual(t, "UNAUTHORIZED", got["UNAUTHORIZED"], model.GatewayResponse{Type: "UNAUTHORIZED", StatusCode: 403, Parameters: map[string]string{}, Templates: map[string]string{}})
}

// change rewrites the only template of an app.
func change(t *testing.T, edit func(resources map[string]any)) func(dir string) {
	return func(dir string) {
		files, err := filepath.Glob(filepath.Join(dir, "*.template.json"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		var template map[string]any
		if err := json.Unmarshal(data, &template); err != nil {
			t.Fatal(err)
		}
		edit(template["Resources"].(map[string]any))
		if data, err = json.Marshal(template); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(files[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// byType are the properties of the resources of a type.
func byType(resources map[string]any, kind string) (all []map[string]any) {
	for _, r := range resources {
		if object := r.(map[string]any); object["Type"] == kind {
			all = append(all, object["Properties"].(map[string]any))
		}
	}
	return all
}

// A key counts where the template gives its value and a usage plan joins it
// with the API.
func TestAPIKeys(t *testing.T) {
	for value, want := range map[string][]string{"": nil, "a-key-of-twenty-letters": {"a-key-of-twenty-letters"}} {
		app, err := read(t, "rest-keys", model.Options{}, change(t, func(resources map[string]any) {
			for _, key := range byType(resources, "AWS::ApiGateway::ApiKey") {
				if value != "" {
					key["Value"] = value
				}
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		api := apiNamed(t, app, model.REST, "/Api")
		wantEqual(t, "keys", api.APIKeys, want)
		if hello := route(t, api, "GET /hello"); !hello.APIKeyRequired || hello.Validation == nil {
			t.Errorf("%+v", hello)
		}
	}
}

// The same in an OpenAPI document, of either version.
func TestOpenAPIChecks(t *testing.T) {
	documents := map[string]string{
		"2.0": `{"swagger":"2.0","definitions":{"Order":{"type":"object"}},"paths":{"/x":{"post":{
			"x-amazon-apigateway-request-validator":"all","consumes":["application/json","application/x"],
			"parameters":[{"in":"query","name":"q","required":true},{"in":"header","name":"h"},{"in":"body","name":"b","schema":{"$ref":"#/definitions/Order"}}],
			INTEGRATION}}},EXTENSIONS}`,
		"3.0": `{"openapi":"3.0.1","components":{"schemas":{"Order":{"type":"object"}}},"x-amazon-apigateway-request-validator":"all","paths":{"/x":{"post":{
			"parameters":[{"in":"query","name":"q","required":true}],
			"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Order"}},"application/x":{"schema":{"type":"string"}}}},
			INTEGRATION},"get":{"x-amazon-apigateway-request-validator":"none",INTEGRATION}}},EXTENSIONS}`,
	}
	extensions := `"x-amazon-apigateway-request-validators":{"all":{"validateRequestBody":true,"validateRequestParameters":true}},
		"x-amazon-apigateway-gateway-responses":{"DEFAULT_4XX":{"statusCode":404,"responseParameters":{"gatewayresponse.header.X-A":"'b'"},"responseTemplates":{"application/json":"{}"}}}`
	for version, text := range documents {
		var app *model.Application
		app, err := read(t, "rest-spec", model.Options{}, change(t, func(resources map[string]any) {
			var uri string
			for id, r := range resources {
				if r.(map[string]any)["Type"] == "AWS::Lambda::Function" {
					uri = `{"Fn::Sub":"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${` + id + `.Arn}/invocations"}`
				}
			}
			text = strings.ReplaceAll(text, "INTEGRATION", `"x-amazon-apigateway-integration":{"type":"aws_proxy","httpMethod":"POST","timeoutInMillis":5000,"uri":`+uri+`}`)
			text = strings.ReplaceAll(text, "EXTENSIONS", extensions)
			var body any
			if err := json.Unmarshal([]byte(text), &body); err != nil {
				t.Fatal(err)
			}
			byType(resources, "AWS::ApiGateway::RestApi")[0]["Body"] = body
		}))
		if err != nil {
			t.Fatal(err)
		}
		api := app.APIs[0]
		other := "Order"
		if version == "3.0" {
			other = "POST /x application/x"
			wantEqual(t, "a schema of its own", api.Models[other], `{"type":"string"}`)
			wantEqual(t, "GET", route(t, api, "GET /x").Validation, (*model.Validation)(nil))
		}
		wantEqual(t, version, route(t, api, "POST /x").Validation, &model.Validation{
			Parameters: []string{"method.request.querystring.q"}, Models: map[string]string{"application/json": "Order", "application/x": other},
		})
		wantEqual(t, "timeout", route(t, api, "POST /x").TimeoutMillis, 5000)
		wantEqual(t, "responses", *api.GatewayResponses[0], model.GatewayResponse{Type: "DEFAULT_4XX", StatusCode: 404, Parameters: map[string]string{"X-A": "'b'"}, Templates: map[string]string{"application/json": "{}"}})
	}
}
