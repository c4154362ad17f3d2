package samtemplate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// application is an application with one function of a real folder.
func application(t *testing.T) (*model.Application, *model.Function) {
	t.Helper()
	code := t.TempDir()
	if err := os.WriteFile(filepath.Join(code, "index.js"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFunction("Shop/Hello", code)
	return &model.Application{Functions: []*model.Function{f}}, f
}

func newFunction(path, code string) *model.Function {
	name := filepath.Base(path)
	return &model.Function{
		ID: model.ID{Path: path, Stack: "Shop", LogicalID: name + "1A2B", Name: name}, FunctionName: name,
		Runtime: "nodejs20.x", Handler: "index.handler", Architecture: "x86_64", MemorySize: 128, Timeout: 3 * time.Second,
		EphemeralStorage: 512, ReservedConcurrency: -1, Code: model.Code{Path: code}, Tracing: "Active",
	}
}

func write(t *testing.T, app *model.Application, o Options) (*Result, error) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "out")
	}
	return Write(app, o)
}

// TestSecretsStayOut: neither the value nor a trace of it is in any file.
func TestSecretsStayOut(t *testing.T) {
	app, f := application(t)
	f.Environment = map[string]string{"PASSWORD": "hunter2", "TABLE": "orders"}
	f.Secrets = []string{"PASSWORD"}
	for _, format := range []Format{CloudFormation, SAM} {
		dir := t.TempDir()
		result, err := write(t, app, Options{Dir: dir, Format: format})
		if err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, file := range files {
			data, _ := os.ReadFile(file)
			if strings.Contains(string(data), "hunter2") {
				t.Errorf("%s holds the secret", file)
			}
		}
		if len(result.Notes) != 1 || !strings.Contains(result.Notes[0].Message, "PASSWORD is not written") {
			t.Errorf("notes: %+v", result.Notes)
		}
	}
}

// TestChecks: what would fail in the SAM CLI fails here, with nothing written.
func TestChecks(t *testing.T) {
	for name, test := range map[string]struct {
		change func(app *model.Application, f *model.Function)
		want   string
	}{
		"code gone": {
			func(_ *model.Application, f *model.Function) { f.Code.Path += "/gone" },
			"template: Resources.Hello: Code: ",
		},
		"no bootstrap": {
			func(_ *model.Application, f *model.Function) { f.Runtime = "provided.al2023" },
			"has no bootstrap, which a provided.* runtime starts",
		},
		"not executable": {func(_ *model.Application, f *model.Function) {
			f.Runtime = "provided.al2023"
			bootstrap(f, []byte("#!/bin/sh\n"), 0o644)
		}, "is not executable; chmod +x it"},
		"other architecture": {func(_ *model.Application, f *model.Function) {
			f.Runtime = "provided.al2023"
			self, _ := os.ReadFile("/proc/self/exe")
			bootstrap(f, self, 0o755)
			f.Architecture = map[string]string{"x86_64": "arm64", "arm64": "x86_64"}[elfArchitecture("/proc/self/exe")]
		}, "and the function says"},
		"one path twice": {func(app *model.Application, f *model.Function) {
			app.Functions = append(app.Functions, newFunction("Shop/Hello", f.Code.Path))
		}, `it answers to "Shop/Hello", and so does Hello`},
		"one route twice": {func(app *model.Application, f *model.Function) {
			route := &model.Route{Method: "GET", Path: "/x", Function: f, PayloadFormatVersion: "2.0", AuthorizationType: "NONE"}
			app.APIs = []*model.API{{ID: model.ID{Name: "Api"}, Routes: []*model.Route{route, route}}}
		}, `its route "GET /x" is also that of`},
	} {
		t.Run(name, func(t *testing.T) {
			app, f := application(t)
			test.change(app, f)
			dir := filepath.Join(t.TempDir(), "out")
			_, err := write(t, app, Options{Dir: dir})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("something was written")
			}
		})
	}
}

func bootstrap(f *model.Function, data []byte, mode os.FileMode) {
	if err := os.WriteFile(filepath.Join(f.Code.Path, "bootstrap"), data, mode); err != nil {
		panic(err)
	}
}

// TestRewrite: a second run changes nothing on disk, and removes what an
// earlier application left.
func TestRewrite(t *testing.T) {
	app, f := application(t)
	api := func(name string) *model.API {
		return &model.API{ID: model.ID{Name: name, Path: "Shop/" + name}, StageName: "$default", Routes: []*model.Route{
			{Method: "GET", Path: "/", Function: f, PayloadFormatVersion: "2.0", AuthorizationType: "NONE"},
		}}
	}
	dir := t.TempDir()
	app.APIs = []*model.API{api("A"), api("B")}
	result, err := write(t, app, Options{Dir: dir})
	if err != nil || len(result.APIs) != 2 {
		t.Fatalf("%+v, %v", result, err)
	}
	before, err := os.Stat(result.Template)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := write(t, app, Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	after, _ := os.Stat(result.Template)
	if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("the template was written although nothing changed")
	}
	app.APIs = app.APIs[:1]
	if _, err := write(t, app, Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "api-*")); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) != 0 {
		t.Errorf("temporary files: %v", left)
	}
}

// TestRouteNames: the parameters that the SAM CLI cannot serve, one by one.
func TestRouteNames(t *testing.T) {
	app, f := application(t)
	api := &model.API{ID: model.ID{Name: "Api", Path: "Shop/Api"}, StageName: "$default"}
	app.APIs = []*model.API{api}
	want := map[string]string{
		"GET /a/{order-id}":  "GET /a/{order_id}",
		"GET /b/{a.b+}":      "GET /b/{a_b+}",
		"GET /c/{2x}":        "GET /c/{_2x}",
		"GET /d/{id}/e/{id}": "GET /d/{id}/e/{_id}",
		"GET /f/{class}":     "GET /f/{class}",
		"GET /g/<x>":         "",
	}
	for key := range want {
		method, path, _ := strings.Cut(key, " ")
		api.Routes = append(api.Routes, &model.Route{Method: method, Path: path, Function: f, PayloadFormatVersion: "2.0", AuthorizationType: "NONE"})
	}
	result, err := write(t, app, Options{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(result.Template)
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Properties struct{ RouteKey string }
		}
	}
	if err := json.Unmarshal(data, &template); err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	for _, r := range template.Resources {
		written[r.Properties.RouteKey] = true
	}
	for key, route := range want {
		if (route != "") != written[route] && route != "" {
			t.Errorf("%s is not written as %s: %v", key, route, written)
		}
	}
	if len(result.Notes) != 5 {
		t.Errorf("%d notes, want 5: %+v", len(result.Notes), result.Notes)
	}
}

// TestMergedRoutes: what the SAM format cannot keep apart is told, and what
// the other can is not.
func TestMergedRoutes(t *testing.T) {
	app, f := application(t)
	app.APIs = []*model.API{{ID: model.ID{Name: "Api", Path: "Shop/Api"}, Protocol: model.HTTP, StageName: "$default", Routes: []*model.Route{
		{Method: "GET", Path: "/x", Function: f, PayloadFormatVersion: "2.0", AuthorizationType: "NONE"},
		{Method: "POST", Path: "/x", Function: f, PayloadFormatVersion: "1.0", AuthorizationType: "NONE"},
	}}}
	for format, notes := range map[Format]int{CloudFormation: 0, SAM: 1} {
		result, err := write(t, app, Options{Format: format})
		if err != nil || len(result.Notes) != notes {
			t.Errorf("%s: %v, %+v", format, err, result.Notes)
		}
	}
}
