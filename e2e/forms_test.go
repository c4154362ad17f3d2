//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type resources map[string]any

// form is a template, and what the SAM CLI must make of it.
type form struct {
	name      string
	resources func() resources
	check     func(t *testing.T, r reading)
}

func properties(kind string, p resources) resources {
	return resources{"Type": kind, "Properties": p}
}

func function(path string, more resources) resources {
	p := resources{"Code": "../../fn", "Handler": "bootstrap", "Runtime": "provided.al2023", "Architectures": []string{"x86_64"}}
	for key, value := range more {
		p[key] = value
	}
	f := properties("AWS::Lambda::Function", p)
	f["Metadata"] = resources{"SamResourceId": path, "SkipBuild": true}
	return f
}

// api is an HTTP API with two functions, and a route to the first for each
// key: "GET /orders 2.0".
func api(routes ...string) resources {
	r := resources{
		"First":  function("App/First", nil),
		"Second": function("App/Second", nil),
		"Api":    properties("AWS::ApiGatewayV2::Api", resources{"Name": "Api", "ProtocolType": "HTTP"}),
		"Stage":  properties("AWS::ApiGatewayV2::Stage", resources{"ApiId": "Api", "StageName": "$default"}),
	}
	for i, route := range routes {
		words := strings.Fields(route)
		addRoute(r, fmt.Sprint("Route", i), "Api", words[0]+" "+words[1], words[2], "First")
	}
	return r
}

func addRoute(r resources, id, api, key, version, function string) {
	r[id+"Integration"] = properties("AWS::ApiGatewayV2::Integration", resources{
		"ApiId": api, "IntegrationType": "AWS_PROXY",
		"IntegrationUri": "arn:aws:lambda:us-east-1:123456789012:function:" + function, "PayloadFormatVersion": version,
	})
	r[id] = properties("AWS::ApiGatewayV2::Route", resources{"ApiId": api, "RouteKey": key, "OperationName": id, "Target": "integrations/" + id + "Integration"})
}

// in is a resource's properties.
func in(r resources, id string) resources {
	return r[id].(resources)["Properties"].(resources)
}

// changed is a template with something done to it.
func changed(r resources, change func(resources)) func() resources {
	return func() resources {
		change(r)
		return r
	}
}

// routesAre wants the routes, as "GET,POST /path function version".
func routesAre(want ...string) func(*testing.T, reading) {
	return func(t *testing.T, r reading) {
		t.Helper()
		if r.Error != "" {
			t.Fatal(r.Error)
		}
		var got []string
		for _, route := range r.Routes {
			methods := strings.Join(slices.DeleteFunc(route.Methods, func(m string) bool { return m == "OPTIONS" }), ",")
			got = append(got, strings.Join([]string{methods, route.Path, route.Function, route.Version}, " "))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("routes %q, want %q", got, want)
		}
	}
}

func failsWith(want string) func(*testing.T, reading) {
	return func(t *testing.T, r reading) {
		t.Helper()
		if !strings.Contains(r.Error, want) {
			t.Errorf("read %+v, want an error with %q", r, want)
		}
	}
}

func functionsAre(want ...string) func(*testing.T, reading) {
	return func(t *testing.T, r reading) {
		t.Helper()
		var got []string
		for _, f := range r.Functions {
			got = append(got, f.ID)
		}
		if r.Error != "" || !slices.Equal(got, want) {
			t.Errorf("functions %q, want %q; error %q", got, want, r.Error)
		}
	}
}

var forms = []form{
	{
		"literal ids are enough", func() resources { return api("GET /orders/{id} 2.0") },
		routesAre("GET /orders/{id} App/First 2.0"),
	},
	{"code is relative to the template", func() resources { return api() }, func(t *testing.T, r reading) {
		if got, want := r.Functions[0].Code, "/fn"; !strings.HasSuffix(got, want) || strings.Contains(got, ".aws-sam") || !filepath.IsAbs(got) {
			t.Errorf("code is %q, want the folder fn two above the template's", got)
		}
	}},
	{
		"an OperationName of its own keeps a route apart", func() resources { return api("GET /same 1.0", "POST /same 2.0") },
		routesAre("GET /same App/First 1.0", "POST /same App/First 2.0"),
	},
	{"routes without OperationName are merged", changed(api("GET /same 1.0", "POST /same 2.0"), func(r resources) {
		delete(in(r, "Route0"), "OperationName")
		delete(in(r, "Route1"), "OperationName")
	}), routesAre("GET,POST /same App/First 2.0")},
	{"a function is found by its FunctionName", changed(api("GET /a 2.0"), func(r resources) {
		in(r, "First")["FunctionName"] = "orders-first"
		in(r, "Route0Integration")["IntegrationUri"] = "arn:aws:lambda:us-east-1:123456789012:function:orders-first"
	}), routesAre("GET /a App/First 2.0")},
	{"and by its logical id too", changed(api("GET /a 2.0"), func(r resources) {
		in(r, "First")["FunctionName"] = "orders-first"
	}), routesAre("GET /a App/First 2.0")},
	{"but not by its SamResourceId", changed(api("GET /a 2.0"), func(r resources) {
		in(r, "Route0Integration")["IntegrationUri"] = "arn:aws:lambda:us-east-1:123456789012:function:App/First"
	}), routesAre("GET /a  2.0")},
	{"two functions of one SamResourceId become one", changed(api(), func(r resources) {
		r["Second"] = function("App/First", nil)
	}), functionsAre("App/First")},
	{"a serverless function hides the API", changed(resources{}, func(r resources) {
		// Keys are written in alphabetical order, and the first of the two
		// families decides.
		r["AServerless"] = properties("AWS::Serverless::Function", resources{"CodeUri": "../../fn", "Handler": "bootstrap", "Runtime": "provided.al2023"})
		for id, resource := range api("GET /a 2.0") {
			r[id] = resource
		}
	}), routesAre()},
	{"stage variables are read as Variables", changed(api("GET /a 2.0"), func(r resources) {
		in(r, "Stage")["Variables"] = resources{"read": "yes"}
		in(r, "Stage")["StageVariables"] = resources{"read": "no"}
	}), func(t *testing.T, r reading) {
		if r.Stage.Variables["read"] != "yes" {
			t.Errorf("stage %+v", r.Stage)
		}
	}},
	{"a parameter with a hyphen ends start-api", func() resources { return api("GET /users/{user-id} 2.0") }, failsWith("user-id")},
	{"a parameter with a digit first does", func() resources { return api("GET /users/{1st} 2.0") }, failsWith("1st")},
	{"and a parameter twice in a path", func() resources { return api("GET /{id}/{id} 2.0") }, failsWith("duplicate argument")},
	{"a dot beside a parameter is fine", func() resources { return api("GET /v1.0/{id}.json 2.0") }, routesAre("GET /v1.0/{id}.json App/First 2.0")},
	{"two APIs become one", changed(api("GET /a 2.0"), func(r resources) {
		r["Other"] = properties("AWS::ApiGatewayV2::Api", resources{"Name": "Other", "ProtocolType": "HTTP"})
		addRoute(r, "Route9", "Other", "GET /b", "2.0", "Second")
	}), routesAre("GET /a App/First 2.0", "GET /b App/Second 2.0")},
	{"a layer is referred to by Ref", changed(api(), func(r resources) {
		r["Layer"] = properties("AWS::Lambda::LayerVersion", resources{"Content": "../../layer"})
		in(r, "First")["Layers"] = []any{resources{"Ref": "Layer"}}
	}), func(t *testing.T, r reading) {
		if r.Error != "" || len(r.Functions[0].Layers) != 1 || !strings.HasSuffix(r.Functions[0].Layers[0], "/layer") {
			t.Errorf("read %+v", r)
		}
	}},
	{"a layer's logical id alone is taken for an ARN", changed(api(), func(r resources) {
		r["Layer"] = properties("AWS::Lambda::LayerVersion", resources{"Content": "../../layer"})
		in(r, "First")["Layers"] = []any{"Layer"}
	}), func(t *testing.T, r reading) {
		if r.Error != "" || !slices.Equal(r.Functions[0].Layers, []string{"Layer"}) {
			t.Errorf("read %+v", r)
		}
	}},
	{"a function without Handler ends it", changed(api(), func(r resources) { delete(in(r, "First"), "Handler") }), failsWith("Handler")},
	{"metadata of null ends it", changed(api(), func(r resources) { r["First"].(resources)["Metadata"] = nil }), failsWith("NoneType")},
	{"an intrinsic is read as something else", changed(api(), func(r resources) {
		in(r, "First")["Environment"] = resources{"Variables": resources{
			"TABLE": resources{"Ref": "Table"}, "ARN": resources{"Fn::GetAtt": []string{"Table", "Arn"}}, "IMPORT": resources{"Fn::ImportValue": "x"},
		}}
		r["Table"] = properties("AWS::DynamoDB::Table", resources{"TableName": "orders"})
	}), func(t *testing.T, r reading) {
		want := map[string]string{"TABLE": "Table", "ARN": "arn:aws:lambda:us-east-1:123456789012:function:Table", "IMPORT": ""}
		for name, value := range want {
			if got := r.Functions[0].Environment[name]; got != value {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		}
	}},
}
