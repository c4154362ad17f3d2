package model_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// TestWebSocketAPI: routes with their authorizer, route response and timeout,
// and one that answers by itself.
func TestWebSocketAPI(t *testing.T) {
	a, err := read(t, "websocket", model.Options{}, func(dir string) {
		file := filepath.Join(dir, "Shop.template.json")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var template map[string]map[string]map[string]any
		if err := json.Unmarshal(text, &template); err != nil {
			t.Fatal(err)
		}
		resources := template["Resources"]
		ref := func(id string) map[string]any { return map[string]any{"Ref": id} }
		api := ref("SocketFF70B135")
		resources["Guard"] = map[string]any{"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": map[string]any{
			"ApiId": api, "Name": "Guard", "AuthorizerType": "REQUEST", "IdentitySource": []any{"route.request.header.Auth"},
			"AuthorizerUri": map[string]any{"Fn::Sub": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Hello4A628BD4.Arn}/invocations"},
		}}
		connect := resources["SocketconnectRoute521C6EB6"]["Properties"].(map[string]any)
		connect["AuthorizationType"], connect["AuthorizerId"] = "CUSTOM", ref("Guard")
		resources["Response"] = map[string]any{"Type": "AWS::ApiGatewayV2::RouteResponse", "Properties": map[string]any{
			"ApiId": api, "RouteId": ref("SocketsayRouteF162870F"), "RouteResponseKey": "$default",
		}}
		resources["SocketsayRouteSay8C3380A9"]["Properties"].(map[string]any)["TimeoutInMillis"] = 5000
		resources["Mock"] = map[string]any{"Type": "AWS::ApiGatewayV2::Integration", "Properties": map[string]any{"ApiId": api, "IntegrationType": "MOCK"}}
		resources["Ping"] = map[string]any{"Type": "AWS::ApiGatewayV2::Route", "Properties": map[string]any{
			"ApiId": api, "RouteKey": "ping", "Target": map[string]any{"Fn::Sub": "integrations/${Mock}"},
		}}
		resources["Live848578DF"]["Properties"].(map[string]any)["StageVariables"] = map[string]any{"color": "blue"}
		if text, err = json.Marshal(template); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.WebSocketAPIs) != 1 || len(a.WebSocketAPIs[0].Routes) != 3 {
		t.Fatalf("%+v", a.WebSocketAPIs)
	}
	api := a.WebSocketAPIs[0]
	if len(api.APIID) != 10 || api.StageName != "live" || api.StageVariables["color"] != "blue" || api.RouteSelectionExpression != "$request.body.action" {
		t.Errorf("%+v", api)
	}
	connect, ping, say := api.Routes[0], api.Routes[1], api.Routes[2]
	if connect.Key != "$connect" || connect.AuthorizationType != "CUSTOM" || connect.Authorizer == nil || connect.Authorizer.Function.Path != "Shop/Hello" || connect.RouteResponse || connect.TimeoutMillis != 29000 {
		t.Errorf("%+v", connect)
	}
	if ping.Key != "ping" || ping.Function != nil {
		t.Errorf("%+v", ping)
	}
	if say.Key != "say" || say.Function.Path != "Shop/Talk" || !say.RouteResponse || say.TimeoutMillis != 5000 {
		t.Errorf("%+v", say)
	}
}
