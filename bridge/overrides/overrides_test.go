package overrides

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/model"
)

func TestParseParameters(t *testing.T) {
	for _, test := range []struct {
		texts []string
		want  map[string]string
		err   string
	}{
		{nil, map[string]string{}, ""},
		{[]string{"A=1 B=two"}, map[string]string{"A": "1", "B": "two"}, ""},
		{[]string{"A=1", "B=2", "A=3"}, map[string]string{"A": "3", "B": "2"}, ""},
		{[]string{`A="x y" B="say \"hi\""`}, map[string]string{"A": "x y", "B": `say "hi"`}, ""},
		{[]string{"ParameterKey=A,ParameterValue=1 ParameterKey=B,ParameterValue=a,b"}, map[string]string{"A": "1", "B": "a,b"}, ""},
		{[]string{"A=b=c"}, map[string]string{"A": "b=c"}, ""},
		{[]string{"A="}, map[string]string{"A": ""}, ""},
		{[]string{"A"}, nil, `"A" is neither Key=Value nor ParameterKey=Key,ParameterValue=Value`},
		{[]string{"=1"}, nil, "is neither"},
		{[]string{`A="x`}, nil, "a double quote is not closed"},
	} {
		got, err := ParseParameters(test.texts)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q: got %v, want %q", test.texts, err, test.err)
			}
			continue
		}
		if err != nil || !maps.Equal(got, test.want) {
			t.Errorf("%q: got %v, %v, want %v", test.texts, got, err, test.want)
		}
	}
}

func TestParseEnvVars(t *testing.T) {
	e, err := ParseEnvVars("env.json", []byte(`{"Checkout": {"A": "x", "N": 1.50, "B": true}}`))
	if err != nil || e["Checkout"]["A"] != "x" || e["Checkout"]["N"] != "1.50" || e["Checkout"]["B"] != "true" {
		t.Errorf("%v, %v", e, err)
	}
	for text, want := range map[string]string{
		`{"A": {"B": {}}}`:   "A.B is not a text, number or boolean",
		`{"A": {"B": null}}`: "A.B is not a text",
		`{"A": "x"}`:         `it must be like {"Function": {"NAME": "value"}}`,
		`{`:                  "env.json:1:2: the JSON ends too early",
	} {
		if _, err := ParseEnvVars("env.json", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

// TestOrder: the file of --env-vars wins over bailey.toml, that over the
// template, and a function's own variables over those of all.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	settings := write("bailey.toml", `
[parameters]
Level = "debug"
Size = "small"
[env.Parameters]
A = "toml all"
B = "toml all"
[env.Checkout]
B = "toml"
C = "toml"
`)
	env := write("env.json", `{"Parameters": {"A": "file all"}, "Shop/Checkout": {"C": "file", "Undeclared": "x"}, "Nobody": {"A": "x"}}`)
	s, err := Load([]string{"Level=trace"}, env, settings)
	if err != nil {
		t.Fatal(err)
	}
	if s.Parameters["Level"] != "trace" || s.Parameters["Size"] != "small" {
		t.Errorf("parameters: %v", s.Parameters)
	}
	f := &model.Function{ID: model.ID{Path: "Shop/Checkout", Name: "Checkout"}, Environment: map[string]string{"A": "t", "B": "t", "C": "t", "D": "t"}}
	remarks := s.Apply(&model.Application{Functions: []*model.Function{f}})
	want := map[string]string{"A": "file all", "B": "toml", "C": "file", "D": "t"}
	if !maps.Equal(f.Environment, want) {
		t.Errorf("got %v, want %v", f.Environment, want)
	}
	if strings.Join(f.Secrets, " ") != "A C" {
		t.Errorf("what --env-vars gave may be secret: %v", f.Secrets)
	}
	text := strings.Join(remarks, "\n")
	if len(remarks) != 2 || !strings.Contains(text, `"Undeclared" of Shop/Checkout is not set`) || !strings.Contains(text, `no function is named "Nobody"`) {
		t.Errorf("remarks: %s", text)
	}
}

func TestSettingsFileErrors(t *testing.T) {
	for text, want := range map[string]string{
		"[parameter]\nA = \"x\"": "unknown setting: it has the tables [parameters] and [env.FUNCTION]",
		"[parameters":            "bailey.toml:1:",
		"[parameters]\nA = 1":    "bailey.toml:2:",
	} {
		path := filepath.Join(t.TempDir(), File)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(nil, "", path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func FuzzParseParameters(f *testing.F) {
	f.Add(`A=1 B="x \" y"`)
	f.Add("ParameterKey=A,ParameterValue=1")
	f.Fuzz(func(t *testing.T, text string) {
		parameters, err := ParseParameters([]string{text})
		if _, empty := parameters[""]; err == nil && empty {
			t.Errorf("%q has a parameter without a name", text)
		}
	})
}

func FuzzParseEnvVars(f *testing.F) {
	f.Add([]byte(`{"A": {"B": "c"}}`))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = ParseEnvVars("f", data) })
}

// FuzzSettings reads a bailey.toml and applies it. What was read can be applied
// to any application, and sets declared variables alone.
func FuzzSettings(f *testing.F) {
	f.Add("[parameters]\nLevel = \"debug\"\n[env.Checkout]\nTABLE = \"mine\"\n")
	f.Add("[env.Parameters]\nTABLE = '''x'''\n[env.\"S/Checkout\"]\nTABLE = \"\\u0000\"\n")
	f.Add("env.Checkout.TABLE = 1")
	f.Add("[[env]]")
	f.Fuzz(func(t *testing.T, text string) {
		saved, err := parseFile(File, []byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), File) {
				t.Errorf("the message does not begin with the file: %v", err)
			}
			return
		}
		app := &model.Application{Functions: []*model.Function{{ID: model.ID{Name: "Checkout", Path: "S/Checkout"}, Environment: map[string]string{"TABLE": "t"}}}}
		(&Settings{Saved: saved.Env}).Apply(app)
		if len(app.Functions[0].Environment) != 1 {
			t.Errorf("the environment is %v", app.Functions[0].Environment)
		}
	})
}
