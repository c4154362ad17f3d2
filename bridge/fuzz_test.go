//go:build unix

package bridge_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge"
	"github.com/bailey-cdk/bailey/bridge/samtemplate"
)

// FuzzBridge takes an assembly all the way, in both formats. Whatever the
// templates and names are, nothing panics, nothing is written outside the
// output folder, and what is written for the SAM CLI in JSON is JSON.
func FuzzBridge(f *testing.F) {
	// One folder for all runs of a process: making one takes longer than a run.
	around := f.TempDir()
	for _, name := range []string{"http-api", "events", "nested", "environment", "layers-inline", "several-apis", "helpers"} {
		templates, _ := filepath.Glob(filepath.Join("testdata", "apps", name, "cdk.out", "*.template.json"))
		for _, file := range templates {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text), `{"Resources": {}}`, "Shop", "asset")
		}
	}
	f.Add(`{"Resources": {"N": {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "n.json"}}}}`, `{"Outputs": {"O": {"Value": {"Ref": "AWS::Region"}}}}`, "S/../T", "../../etc")
	f.Fuzz(func(t *testing.T, template, nested, path, asset string) {
		dir, out := filepath.Join(around, "cdk.out"), filepath.Join(around, "out")
		writeFuzzed(t, dir, template, nested, path, asset)
		app, err := bridge.Load(bridge.Options{Assembly: dir, Project: around})
		if err != nil {
			return
		}
		for _, function := range app.Functions {
			if code := function.Code.Path; code != "" && code != dir && !strings.HasPrefix(code, dir+"/") {
				t.Errorf("the code of a function is %q", code)
			}
			if !filepath.IsLocal(function.Name) || strings.ContainsAny(function.Name, `/\`) {
				t.Errorf("a function is named %q", function.Name)
			}
		}
		for _, format := range []samtemplate.Format{samtemplate.CloudFormation, samtemplate.SAM} {
			if err := os.RemoveAll(out); err != nil {
				t.Fatal(err)
			}
			result, err := samtemplate.Write(app, samtemplate.Options{Dir: out, Format: format, Helpers: true})
			if err != nil {
				continue
			}
			text, err := os.ReadFile(result.Template)
			if err != nil || format == samtemplate.CloudFormation && !json.Valid(text) {
				t.Errorf("the template is %q, %v", text, err)
			}
		}
		wantOnly(t, around, "cdk.out", "out")
	})
}

func writeFuzzed(t *testing.T, dir, template, nested, path, asset string) {
	t.Helper()
	manifest, err := json.Marshal(object{"version": "48.0.0", "artifacts": object{
		"Shop": object{
			"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region", "displayName": path,
			"properties": object{"templateFile": "Shop.template.json"}, "dependencies": []any{"Shop.assets"},
		},
		"Shop.assets": object{"type": "cdk:asset-manifest", "properties": object{"file": "Shop.assets.json"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	assets, err := json.Marshal(object{"version": "48.0.0", "files": object{
		"a": object{"source": object{"path": asset}, "destinations": object{"d": object{"objectKey": "a.zip"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "asset"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"manifest.json": string(manifest), "Shop.assets.json": string(assets), "Shop.template.json": template, "n.json": nested} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// wantOnly wants these files in a folder.
func wantOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range found {
		if entry.Name() != names[0] && entry.Name() != names[1] {
			t.Errorf("there is %s", entry.Name())
		}
	}
	above, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "evil*"))
	if err != nil || len(above) > 0 {
		t.Errorf("there is %v, %v", above, err)
	}
}
