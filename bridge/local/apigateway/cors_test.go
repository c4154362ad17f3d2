//go:build unix

package apigateway

import (
	"testing"

	"github.com/bailey-cdk/bailey/bridge/model"
)

const (
	corsPage    = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html"
	urlCORSPage = "https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors"
	restCORS    = "https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html"
)

func TestCORS(t *testing.T) {
	with := func(api *model.API, cors model.CORS) *model.API {
		api.CORS = &cors
		return api
	}
	shop := model.CORS{AllowOrigins: []string{"https://shop.example", "http://*.example"}, AllowMethods: []string{"GET", "POST"}, AllowHeaders: []string{"authorization", "x-a"}, ExposeHeaders: []string{"x-b"}, MaxAge: 600, AllowCredentials: true}
	all := model.CORS{AllowOrigins: []string{"*"}, AllowMethods: []string{"*"}}
	mock := apiOf(model.REST, "GET /x")
	mock.StaticRoutes = []*model.StaticRoute{
		{Method: "OPTIONS", Path: "/x", StatusCode: 204, Headers: map[string]string{"Access-Control-Allow-Origin": "https://a.example", "Access-Control-Allow-Methods": "GET", "Vary": "Origin"}, Origins: []string{"https://b.example"}},
		{Method: "GET", Path: "/mock", StatusCode: 200, Body: `{"a":1}`, Headers: map[string]string{"Content-Type": "application/json"}},
		{Method: "GET", Path: "/away", Unserved: "its integration is HTTP_PROXY"},
	}
	const (
		ask     = "Access-Control-Request-Method: POST\n"
		names   = "Access-Control-Allow-Origin,Access-Control-Allow-Methods,Access-Control-Allow-Headers,Access-Control-Allow-Credentials,Access-Control-Expose-Headers,Access-Control-Max-Age"
		granted = "Access-Control-Allow-Origin=https://shop.example Access-Control-Allow-Methods=GET,POST Access-Control-Allow-Headers=authorization,x-a Access-Control-Allow-Credentials=true Access-Control-Expose-Headers=x-b Access-Control-Max-Age=600 "
		added   = "Access-Control-Allow-Origin=https://shop.example Access-Control-Allow-Credentials=true Access-Control-Expose-Headers=x-b "
	)
	for _, test := range []struct {
		page, name, request string
		api                 *model.API
		headers             string
		want                string
	}{
		{corsPage, "preflight without an OPTIONS route", "OPTIONS /x", with(apiOf(model.HTTP, "GET /x"), shop), "Origin: https://shop.example\n" + ask, "204  " + granted},
		{corsPage, "also where there is no path", "OPTIONS /none", with(apiOf(model.HTTP, "GET /x"), shop), "Origin: https://shop.example\n" + ask, "204  " + granted},
		{corsPage, "preflight of another origin", "OPTIONS /x", with(apiOf(model.HTTP, "GET /x"), shop), "Origin: https://else.example\n" + ask, "204  "},
		{corsPage, "an origin by wildcard", "OPTIONS /x", with(apiOf(model.HTTP, "GET /x"), shop), "Origin: http://a.example\n" + ask, "204  Access-Control-Allow-Origin=http://a.example Access-Control-Allow-Methods=GET,POST Access-Control-Allow-Headers=authorization,x-a Access-Control-Allow-Credentials=true Access-Control-Expose-Headers=x-b Access-Control-Max-Age=600 "},
		{corsPage, "every origin", "OPTIONS /x", with(apiOf(model.HTTP, "GET /x"), all), "Origin: https://else.example\n" + ask, "204  Access-Control-Allow-Origin=* Access-Control-Allow-Methods=* "},
		{corsPage, "$default takes OPTIONS", "OPTIONS /x", with(apiOf(model.HTTP, "$default"), shop), "Origin: https://shop.example\n" + ask, plain200 + added + "fn"},
		{corsPage, "OPTIONS without preflight headers", "OPTIONS /x", with(apiOf(model.HTTP, "GET /x"), shop), "Origin: https://shop.example\n", "404 application/json " + added + `{"message":"Not Found"}`},
		{corsPage, "the function's headers are replaced", "GET /x", with(apiOf(model.HTTP, "GET /x"), shop), "Origin: https://shop.example\n", plain200 + added + "fn"},
		{corsPage, "and dropped for other origins", "GET /x", with(apiOf(model.HTTP, "GET /x"), shop), "Origin: https://else.example\n", plain200 + "fn"},
		{corsPage, "and without origin", "GET /x", with(apiOf(model.HTTP, "GET /x"), shop), "", plain200 + "fn"},
		{corsPage, "they stay without configuration", "GET /x", apiOf(model.HTTP, "GET /x"), "Origin: http://localhost:1\n", plain200 + "Access-Control-Allow-Origin=function Access-Control-Max-Age=1 fn"},
		{urlCORSPage, "a function URL answers preflight itself", "OPTIONS /x", with(apiOf(model.FunctionURL, "$default"), shop), "Origin: https://shop.example\n" + ask, "200  " + granted},
		{urlCORSPage, "its configuration takes precedence", "GET /x", with(apiOf(model.FunctionURL, "$default"), shop), "Origin: https://shop.example\n", "200 application/json " + added + "Access-Control-Max-Age=1 fn"},
		{restCORS, "the OPTIONS method of a REST API", "OPTIONS /x", mock, "Origin: https://else.example\n" + ask, "204  Access-Control-Allow-Origin=https://a.example Access-Control-Allow-Methods=GET "},
		{restCORS, "for a second origin", "OPTIONS /x", mock, "Origin: https://b.example\n" + ask, "204  Access-Control-Allow-Origin=https://b.example Access-Control-Allow-Methods=GET "},
		{restCORS, "the function's headers are its own", "GET /x", mock, "Origin: https://a.example\n", "200 application/json Access-Control-Allow-Origin=function Access-Control-Max-Age=1 fn"},
		{"https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html", "another mock", "GET /mock", mock, "", `200 application/json {"a":1}`},
		{"a route that a local run cannot serve says so", "HTTP_PROXY", "GET /away", mock, "", `501 application/json {"message":"a local run cannot serve this route: its integration is HTTP_PROXY"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := &invoker{payload: `{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"function","Access-Control-Max-Age":"1"},"body":"fn"}`}
			address, _ := serve(t, Options{Application: application(test.api), Invoke: i.invoke})
			got := told(exchangeRaw(t, address, test.request+" HTTP/1.1\nHost: localhost\n"+test.headers+"\n")).with(names)
			if got != test.want {
				t.Errorf("%s\ngot  %q\nwant %q", test.page, got, test.want)
			}
		})
	}
}
