package bridge_test

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// What the APIs of package serverless say is all in the model: routes with who
// may call them, limits of time, payloads, streams, CORS, stage variables, and
// the routes of sockets.
func TestServerlessAPIs(t *testing.T) {
	app := load(t, "go-serverless")
	for _, d := range app.Diagnostics {
		t.Errorf("a remark: %+v", d)
	}
	wantAPIs(t, app, wantServerless)
	if url := app.Functions[1].Environment["SOCKET"]; !strings.HasSuffix(url, ".execute-api.us-east-1.amazonaws.com/default") {
		t.Errorf("the function finds the management API at %q", url)
	}
}

// So it is where CloudFormation's own resources say it. A route to a function
// of another application is left out alone.
func TestAPIsOfPlainResources(t *testing.T) {
	app := load(t, "apis-l1")
	wantAPIs(t, app, wantPlain)
	if len(app.Diagnostics) != 1 || !strings.Contains(app.Diagnostics[0].Message, "function:elsewhere, which is no function of the application") {
		t.Errorf("the remarks are %+v", app.Diagnostics)
	}
}

func load(t *testing.T, name string) *model.Application {
	t.Helper()
	project := copyCase(t, name)
	app, err := bridge.Load(bridge.Options{Assembly: filepath.Join(project, "cdk.out"), Project: project})
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// wantAPIs compares all that the model has of APIs with a text of it.
func wantAPIs(t *testing.T, app *model.Application, want string) {
	t.Helper()
	var got []string
	for _, api := range app.APIs {
		got = append(got, apiText(api))
		var routes []string
		for _, route := range api.Routes {
			routes = append(routes, "  "+routeText(route))
		}
		slices.Sort(routes)
		got = append(got, routes...)
	}
	for _, api := range app.WebSocketAPIs {
		got = append(got, fmt.Sprintf("%s %s %s %v", api.Path, api.StageName, api.RouteSelectionExpression, api.StageVariables))
		for _, r := range api.Routes {
			got = append(got, fmt.Sprintf("  %s %s %d %s%s%s%s", r.Key, r.Function.Name, r.TimeoutMillis, r.AuthorizationType,
				when(r.RouteResponse, " answers"), when(r.APIKeyRequired, " key"), authorizerText(r.Authorizer)))
		}
	}
	if have := strings.Join(got, "\n"); have != strings.TrimSpace(want) {
		t.Errorf("the model has\n%s", have)
	}
}

const wantServerless = `
Shop/Guard/FunctionUrl URL $default
  ANY $default Guard 2.0 10000 AWS_IAM
Shop/Hello/FunctionUrl URL $default CORS [https://shop.example] [GET] [] [] 3600 false streams
  ANY $default Hello 2.0 10000 NONE
Shop/Http HTTP live map[mode:fast] CORS [https://shop.example] [GET POST] [content-type] [x-page] 3600 true
  ANY $default Hello 2.0 30000 NONE
  ANY /files/{proxy+} Hello 2.0 30000 NONE
  GET /members Hello 2.0 30000 JWT by Members JWT [$request.header.Authorization] https://cognito-idp.us-east-1.amazonaws.com/eu-west-1_abc web
  GET /orders/{id} Hello 2.0 30000 JWT [orders] by Login JWT [$request.header.Authorization] https://login.example shop
  GET /policy Hello 1.0 30000 CUSTOM by Policy REQUEST Guard 1.0
  GET /signed Hello 2.0 30000 AWS_IAM
  GET /simple Hello 2.0 30000 CUSTOM by Simple REQUEST Guard 2.0 1m0s [$request.header.X-Key $request.querystring.key] simple
  POST /orders Hello 2.0 5000 JWT [write] by Login JWT [$request.header.Authorization] https://login.example shop
Shop/HttpDocument HTTP $default CORS [*] [*] [] [x-page] 60 false
  GET /documented/{id} Hello 2.0 5000 NONE
  GET /guarded Hello 2.0 30000 CUSTOM by Simple REQUEST Guard 2.0 1m0s [$request.header.X-Key $request.querystring.key] simple
  POST /documented/{id} Hello 1.0 30000 JWT [write] by Login JWT [$request.header.Authorization] https://login.example shop
  POST /guarded Hello 2.0 30000 AWS_IAM
Shop/Rest REST live map[mode:fast] CORS [https://shop.example] [GET POST] [content-type] [] 3600 false binary [image/png]
  ANY /rest/files/{proxy+} Hello 1.0 29000 NONE
  GET /rest/members/{id} Hello 1.0 29000 COGNITO_USER_POOLS [shop/read] by Members COGNITO_USER_POOLS 5m0s [method.request.header.Authorization] arn:aws:cognito-idp:us-east-1:123456789012:userpool/eu-west-1_abc
  GET /rest/orders Hello 1.0 29000 NONE
  GET /rest/partner Hello 1.0 29000 CUSTOM key by Request REQUEST Guard 1.0 1h0m0s [method.request.header.X-Key method.request.querystring.key stageVariables.mode]
  GET /rest/signed Hello 1.0 5000 AWS_IAM
  GET /rest/stream Hello 1.0 60000 NONE streams
  POST /rest/orders Hello 1.0 29000 CUSTOM by Token TOKEN Guard 1.0 1m0s [method.request.header.X-Token] ^Bearer .+
Shop/RestDocument REST Prod binary [*/*]
  GET /rest-documented/{id} Hello 1.0 5000 COGNITO_USER_POOLS [shop/read] key by Members COGNITO_USER_POOLS 5m0s [method.request.header.Authorization] arn:aws:cognito-idp:us-east-1:123456789012:userpool/eu-west-1_abc
  GET /rest-guarded Hello 1.0 29000 CUSTOM by Token TOKEN Guard 1.0 5m0s [method.request.header.X-Token] ^Bearer .+
  POST /rest-documented/{id} Hello 1.0 29000 NONE streams
  POST /rest-guarded Hello 1.0 29000 AWS_IAM
Shop/Socket default $request.body.action map[mode:fast]
  $connect Hello 29000 CUSTOM by Authorizer REQUEST Guard - [route.request.querystring.token]
  $default Hello 29000 NONE
  $disconnect Hello 29000 NONE
  say Hello 5000 NONE answers key
`

const wantPlain = `
Shop/Http HTTP live map[mode:fast] CORS [https://shop.example] [GET] [] [x-page] 60 false
  ANY /simple Hello 1.0 30000 CUSTOM by simple REQUEST Guard 2.0 1m0s [$request.header.X-Key] simple
  GET /orders/{id} Hello 2.0 5000 JWT [orders] by login JWT [$request.header.Authorization] https://login.example shop
Shop/Rest REST live map[mode:fast] binary [image/png]
  ANY /shop/{proxy+} Hello 1.0 5000 CUSTOM by token TOKEN Guard 1.0 5m0s [method.request.header.X-Token] ^Bearer .+
  GET /shop Hello 1.0 29000 NONE key streams
Shop/Url URL $default CORS [*] [] [] [] 0 false streams
  ANY $default Hello 2.0 3000 NONE
Shop/Socket live $request.body.kind map[]
  $connect Hello 29000 CUSTOM by who REQUEST Guard - [route.request.querystring.token]
  say Hello 29000 NONE answers
`

func apiText(api *model.API) string {
	text := fmt.Sprintf("%s %s %s", api.Path, api.Protocol, api.StageName)
	if len(api.StageVariables) > 0 {
		text += fmt.Sprintf(" %v", api.StageVariables)
	}
	if c := api.CORS; c != nil {
		text += fmt.Sprintf(" CORS %v %v %v %v %d %v", c.AllowOrigins, c.AllowMethods, c.AllowHeaders, c.ExposeHeaders, c.MaxAge, c.AllowCredentials)
	}
	if len(api.BinaryMediaTypes) > 0 {
		text += fmt.Sprintf(" binary %v", api.BinaryMediaTypes)
	}
	return text + when(api.ResponseStream, " streams")
}

func routeText(r *model.Route) string {
	text := fmt.Sprintf("%s %s %s %s %d %s", r.Method, r.Path, r.Function.Name, r.PayloadFormatVersion, r.TimeoutMillis, r.AuthorizationType)
	if len(r.Scopes) > 0 {
		text += fmt.Sprintf(" %v", r.Scopes)
	}
	return text + when(r.APIKeyRequired, " key") + when(r.ResponseStream, " streams") + authorizerText(r.Authorizer)
}

func authorizerText(a *model.Authorizer) string {
	if a == nil {
		return ""
	}
	text := fmt.Sprintf(" by %s %s", a.Name, a.Type)
	if a.Function != nil {
		text += " " + a.Function.Name + " " + cmp.Or(a.PayloadFormatVersion, "-")
	}
	if a.ResultTTL > 0 {
		text += " " + a.ResultTTL.Round(time.Second).String()
	}
	if len(a.IdentitySource) > 0 {
		text += fmt.Sprintf(" %v", a.IdentitySource)
	}
	for _, part := range append([]string{a.IdentityValidation, a.Issuer}, a.Audience...) {
		if part != "" {
			text += " " + part
		}
	}
	return text + when(a.EnableSimpleResponses, " simple")
}

func when(is bool, text string) string {
	if is {
		return text
	}
	return ""
}
