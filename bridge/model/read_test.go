package model_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/assembly"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// read reads the first stage of an app below testdata/apps, after change.
func read(t *testing.T, app string, o model.Options, change func(dir string)) (*model.Application, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cdk.out")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "testdata", "apps", app, "cdk.out"))); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(dir)
	}
	a, err := assembly.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return model.Read(a.Stages[0], o)
}

func must(t *testing.T, app string) *model.Application {
	t.Helper()
	a, err := read(t, app, model.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func function(t *testing.T, a *model.Application, name string) *model.Function {
	t.Helper()
	f, err := a.Function(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFunctionSettings(t *testing.T) {
	f := function(t, must(t, "layers-inline"), "Layered")
	if f.Runtime != "python3.11" || f.Handler != "index.handler" || f.Architecture != "arm64" || f.MemorySize != 512 ||
		f.Timeout != 20*time.Second || f.EphemeralStorage != 1024 || f.ReservedConcurrency != 3 || f.LogFormat != "JSON" ||
		f.ApplicationLogLevel != "DEBUG" || f.Tracing != "Active" || f.Description != "A function with layers" {
		t.Errorf("%+v", f)
	}
	if len(f.Layers) != 2 || f.Layers[0].Path == "" || !strings.HasPrefix(f.Layers[1].ARN, "arn:aws:lambda:us-east-1:580247275435:layer:") {
		t.Errorf("layers: %+v", f.Layers)
	}
}

// TestDefaults: what Lambda takes where a template says nothing.
func TestDefaults(t *testing.T) {
	f := function(t, must(t, "layers-inline"), "Inline")
	if f.Architecture != "x86_64" || f.MemorySize != 128 || f.Timeout != 3*time.Second || f.EphemeralStorage != 512 ||
		f.ReservedConcurrency != -1 || f.LogFormat != "Text" || f.LogGroup != "/aws/lambda/Inline" || f.Tracing != "PassThrough" {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(f.Code.Inline, `return {"inline": True}`) {
		t.Errorf("code: %+v", f.Code)
	}
}

// TestNames: every name of a function finds it, and only it.
func TestNames(t *testing.T) {
	a := must(t, "cross-stack")
	for name, path := range map[string]string{
		"Logic-Worker": "Logic/Worker",
		"Logic/Worker": "Logic/Worker",
		"Data-Worker":  "Data/Worker",
		"Other":        "Logic/Other",
		"the-other":    "Logic/Other",
		"arn:aws:lambda:us-east-1:123456789012:function:the-other": "Logic/Other",
	} {
		if f := function(t, a, name); f.Path != path {
			t.Errorf("%s means %s, want %s", name, f.Path, path)
		}
	}
	other := function(t, a, "Other")
	if f := function(t, a, other.LogicalID); f != other {
		t.Errorf("the logical id %s means %s", other.LogicalID, f.Path)
	}
}

func TestUnknownNames(t *testing.T) {
	for _, test := range []struct{ app, name, want string }{
		{"cross-stack", "Worker", `"Worker" may mean Data/Worker or Logic/Worker; name one of them`},
		{"cross-stack", "Othr", `no function is named "Othr"; there are: Other, Data-Worker, Logic-Worker`},
		{"cross-stack", "logic-worker", `no function is named "logic-worker"; there are: Logic-Worker, Data-Worker, Other`},
		{"helpers", "x", `no function is named "x"; there are: Mine`},
	} {
		if _, err := must(t, test.app).Function(test.name); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
	if _, err := (&model.Application{}).Function("x"); err == nil || err.Error() != `no function is named "x": the application has no functions` {
		t.Error(err)
	}
}

// TestQualifiers: an alias or version names its function.
func TestQualifiers(t *testing.T) {
	a := must(t, "events")
	for _, name := range []string{"Worker:live", "Shop/Worker:1", "Worker:$LATEST", "arn:aws:lambda:us-east-1:123456789012:function:Worker:live"} {
		if f := function(t, a, name); f.Path != "Shop/Worker" {
			t.Errorf("%s means %s", name, f.Path)
		}
	}
	if _, err := a.Function("Worker:dead"); err == nil || err.Error() != `Shop/Worker has no alias "dead"; it has: live` {
		t.Error(err)
	}
}

func TestTwoFunctionsWithOneName(t *testing.T) {
	_, err := read(t, "several-apis", model.Options{}, func(dir string) {
		file := filepath.Join(dir, "Shop.template.json")
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(data), `"Handler": "index.handler"`, `"Handler": "index.handler", "FunctionName": "same"`)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	want := `two functions are named "same": Shop/Read and Shop/Write; give one of them another FunctionName (Shop.template.json: Resources.Write20B66CD8.Properties.FunctionName)`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestSameNameInTwoRegions is no fault: only on this machine is there one
// place for both.
func TestSameNameInTwoRegions(t *testing.T) {
	a, err := read(t, "cross-stack", model.Options{}, func(dir string) {
		for name, change := range map[string][2]string{
			"Data.template.json": {`"Handler": "index.handler"`, `"Handler": "index.handler", "FunctionName": "the-other"`},
			"manifest.json":      {`"aws://unknown-account/unknown-region"`, `"aws://unknown-account/eu-west-1"`},
		} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(string(data), change[0], change[1], 1)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range a.Functions {
		if names[f.FunctionName] {
			t.Errorf("two functions are called %s", f.FunctionName)
		}
		names[f.FunctionName] = true
	}
	if len(a.Diagnostics) == 0 || !strings.Contains(a.Diagnostics[0].Message, "has the same FunctionName") {
		t.Errorf("diagnostics: %+v", a.Diagnostics)
	}
}

func TestRoutesAcrossStacks(t *testing.T) {
	a := must(t, "cross-stack")
	if len(a.APIs) != 1 || len(a.APIs[0].Routes) != 1 || a.APIs[0].Routes[0].Function.Path != "Logic/Worker" {
		t.Fatalf("%+v", a.APIs)
	}
	if f := function(t, a, "Logic-Worker"); f.Environment["TABLE"] != "Data-Orders" {
		t.Errorf("environment: %v", f.Environment)
	}
}

func TestEventSources(t *testing.T) {
	a := must(t, "events")
	if len(a.EventSourceMappings) != 3 || len(a.Rules) != 2 {
		t.Fatalf("%d mappings, %d schedules", len(a.EventSourceMappings), len(a.Rules))
	}
	for _, m := range a.EventSourceMappings {
		if m.Function.Path != "Shop/Worker" {
			t.Errorf("%s invokes %s", m.Path, m.Function.Path)
		}
		if strings.HasSuffix(m.EventSourceARN, "Shop-Work") && (m.BatchSize != 25 || m.MaximumBatchingWindow != 5*time.Second || m.MaximumConcurrency != 4 || len(m.FilterPatterns) != 1 || !m.Enabled) {
			t.Errorf("%+v", m)
		}
		if strings.HasSuffix(m.EventSourceARN, "Shop-Late") && m.Enabled {
			t.Errorf("%s is enabled", m.Path)
		}
	}
	if s := a.Rules[0]; s.Expression != "cron(0 3 * * ? *)" || s.Targets[0].Input != `{"task":"sweep"}` || !s.Enabled {
		t.Errorf("%+v", s)
	}
}

func TestHelpers(t *testing.T) {
	for _, f := range must(t, "helpers").Functions {
		if f.Helper == (f.Path == "Shop/Mine") {
			t.Errorf("%s: helper is %v", f.Path, f.Helper)
		}
	}
}

func TestSecrets(t *testing.T) {
	a, err := read(t, "environment", model.Options{ParameterOverrides: map[string]string{"Password": "hunter2", "Level": "debug"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := function(t, a, "Show")
	if f.Environment["PASSWORD"] != "hunter2" || len(f.Secrets) != 1 || f.Secrets[0] != "PASSWORD" {
		t.Errorf("%v, secrets %v", f.Environment["PASSWORD"], f.Secrets)
	}
	if f.Environment["VERBOSE"] != "yes" {
		t.Errorf("a condition does not see the override: %v", f.Environment["VERBOSE"])
	}
}

// TestConditionalFunction: what a condition excludes is not there.
func TestConditionalFunction(t *testing.T) {
	a, err := read(t, "http-api", model.Options{}, func(dir string) {
		file := filepath.Join(dir, "Shop.template.json")
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(data), `"Type": "AWS::Lambda::Function"`, `"Condition": "Never", "Type": "AWS::Lambda::Function"`, 1)
		text = strings.Replace(text, `"Resources": {`, `"Conditions": {"Never": {"Fn::Equals": [1, 2]}}, "Resources": {`, 1)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if err != nil || len(a.Functions) != 0 || len(a.APIs[0].Routes) != 0 {
		t.Errorf("%v, %d functions", err, len(a.Functions))
	}
}

// TestGoSource: metadata leads to a Go package of the project, and not out of
// it.
func TestGoSource(t *testing.T) {
	project := t.TempDir()
	if err := os.MkdirAll(filepath.Join(project, "functions", "hello"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		metadata, want, warning string
	}{
		{`{"Entry": "./functions/hello", "Tags": ["x"]}`, "./functions/hello", ""},
		{`{"Entry": "example.com/shop/functions/hello"}`, "example.com/shop/functions/hello", ""},
		{`{"Entry": "./functions/gone"}`, "", ""},
		{`{"Entry": "../elsewhere"}`, "", "lies outside the project"},
		{`{"Entry": "/etc"}`, "", "lies outside the project"},
		{`{"Entry": ""}`, "", "does not say which Go package"},
		{`[1]`, "", "does not say which Go package"},
	} {
		a, err := read(t, "http-api", model.Options{Project: project}, func(dir string) {
			file := filepath.Join(dir, "Shop.template.json")
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Replace(string(data), `"Type": "AWS::Lambda::Function"`, `"Metadata": {"Bailey": `+test.metadata+`}, "Type": "AWS::Lambda::Function"`, 1)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		f := a.Functions[0]
		got := ""
		if f.Code.Go != nil {
			got = f.Code.Go.Package
		}
		if got != test.want || (f.Code.Path == "") != (test.want != "") {
			t.Errorf("%s: %+v", test.metadata, f.Code)
		}
		if test.warning != "" && (len(a.Diagnostics) != 1 || !strings.Contains(a.Diagnostics[0].Message, test.warning)) {
			t.Errorf("%s: %+v", test.metadata, a.Diagnostics)
		}
	}
}
