//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// reading is what the SAM CLI's own readers make of a template: see
// testdata/providers.py.
type reading struct {
	Error     string
	Functions []struct {
		ID, LogicalID, FunctionName, Code, Runtime, Handler string
		Architectures                                       []string
		Memory, Timeout                                     int
		Environment                                         map[string]string
		Layers                                              []string
		SkipBuild                                           bool
	}
	Stage struct {
		Name      string
		Variables map[string]string
	}
	Routes []struct {
		Path, Function, Version string
		Methods                 []string
	}
}

// read asks the SAM CLI's readers, of which one run takes a second.
func read(t testing.TB, templates ...string) []reading {
	t.Helper()
	script, err := filepath.Abs(filepath.Join("testdata", "providers.py"))
	if err != nil {
		t.Fatal(err)
	}
	var readings []reading
	out := succeed(t, work, e2e.Python(t), append([]string{script}, templates...)...)
	if err := json.Unmarshal([]byte(out), &readings); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return readings
}

// TestReading checks, without a container engine, that the SAM CLI finds in
// both formats the functions and routes that the app defines.
func TestReading(t *testing.T) {
	project := mixed(t)
	readings := read(t, templateOf(project, formats[0].name), templateOf(project, formats[1].name))
	for i, format := range formats {
		t.Run(format.name, func(t *testing.T) {
			r := readings[i]
			if r.Error != "" {
				t.Fatal(r.Error)
			}
			var ids []string
			for _, f := range r.Functions {
				ids = append(ids, f.ID)
				if _, err := os.Stat(f.Code); err != nil || !f.SkipBuild || f.Memory != 256 || f.Timeout != 20 && f.ID != "Service/Impatient" || f.Environment["TABLE"] != "Data-Orders" {
					t.Errorf("function %+v, %v", f, err)
				}
			}
			if want := []string{"Service/Go", "Service/Impatient", "Service/Node", "Service/Python"}; !slices.Equal(ids, want) {
				t.Errorf("functions %q, want %q", ids, want)
			}
			checkRoutes(t, r, format.name == "sam")
		})
	}
}

// checkRoutes wants each route to its function. Where merged, the SAM CLI has
// made one route of those with one path and function.
func checkRoutes(t *testing.T, r reading, merged bool) {
	t.Helper()
	var got []string
	for _, route := range r.Routes {
		for _, method := range route.Methods {
			if method != "OPTIONS" && len(route.Methods) < 5 && method != anyMethod {
				got = append(got, method+" "+route.Path+" "+route.Function+versionUnless(merged, route.Version))
			}
		}
		if len(route.Methods) >= 5 || slices.Contains(route.Methods, anyMethod) {
			got = append(got, "ANY "+route.Path+" "+route.Function+versionUnless(merged, route.Version))
		}
	}
	want := []string{
		"ANY /any Service/Python" + versionUnless(merged, "2.0"), "ANY $default Service/Go" + versionUnless(merged, "2.0"),
		"GET /users/{user_id} Service/Node" + versionUnless(merged, "2.0"),
	}
	for _, language := range languages {
		path, function := "/"+strings.ToLower(language), " Service/"+language
		want = append(want,
			"GET "+path+"/{id}"+function+versionUnless(merged, "2.0"),
			"POST "+path+function+versionUnless(merged, "2.0"),
			"GET "+path+function+versionUnless(merged, "1.0"),
			"ANY "+path+"/files/{proxy+}"+function+versionUnless(merged, "2.0"))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("routes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// anyMethod is what the SAM CLI calls ANY on the default route.
const anyMethod = "X-AMAZON-APIGATEWAY-ANY-METHOD"

func versionUnless(merged bool, version string) string {
	if merged {
		return ""
	}
	return " " + version
}

// TestValidate lints the SAM format by CloudFormation's own schema. The
// default format's local paths are outside it, so that the SAM CLI's plain
// validation is asked there.
func TestValidate(t *testing.T) {
	project := mixed(t)
	// The linter warns of runtimes near their end of life, which those of this
	// machine's interpreters may be. It is the template that is tested.
	node, python := hosts(t)
	linted := filepath.Join(project, "handover", "linted.yaml")
	text, err := os.ReadFile(templateOf(project, "sam"))
	if err == nil {
		err = os.WriteFile(linted, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	replaceIn(t, linted, node, "nodejs24.x", python, "python3.14")
	for _, arguments := range [][]string{
		{"--template", templateOf(project, "cloudformation"), "--region", "us-east-1"},
		{"--template", linted, "--lint"},
	} {
		out := succeed(t, project, e2e.SAM(t), append([]string{"validate"}, arguments...)...)
		if !strings.Contains(out, "is a valid SAM Template") {
			t.Errorf("sam validate %s: %s", strings.Join(arguments, " "), out)
		}
	}
}

// TestListResources has the SAM CLI list what is in the templates.
func TestListResources(t *testing.T) {
	project := mixed(t)
	for _, format := range formats {
		out := succeed(t, project, e2e.SAM(t), "list", "resources", "--output", "json", "--region", "us-east-1", "--template", templateOf(project, format.name))
		var resources []struct{ LogicalResourceID string }
		if err := json.Unmarshal([]byte(out), &resources); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, id := range append(slices.Clone(languages), "Api") {
			if !slices.ContainsFunc(resources, func(r struct{ LogicalResourceID string }) bool { return r.LogicalResourceID == id }) {
				t.Errorf("%s: %s is not listed in %s", format.name, id, out)
			}
		}
	}
}

// TestReadingForms holds the SAM CLI to what the bridge's format relies on.
// Each template differs from one that works in one way, and what the SAM CLI
// makes of it is why the bridge does not write that, or does.
func TestReadingForms(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".aws-sam", "build")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var templates []string
	for _, c := range forms {
		file := filepath.Join(dir, strings.ReplaceAll(c.name, " ", "-")+".yaml")
		text, err := json.Marshal(map[string]any{"Resources": c.resources()})
		if err == nil {
			err = os.WriteFile(file, text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		templates = append(templates, file)
	}
	readings := read(t, templates...)
	for i, c := range forms {
		t.Run(c.name, func(t *testing.T) { c.check(t, readings[i]) })
	}
}
