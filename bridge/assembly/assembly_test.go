package assembly

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const apps = "../testdata/apps"

func TestLoadStages(t *testing.T) {
	a, err := Load(filepath.Join(apps, "stages", "cdk.out"))
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Stages) != 2 || a.Stages[0].Name != "Prod" || a.Stages[1].Name != "Test" {
		t.Fatalf("stages: %+v", a.Stages)
	}
	s := a.Stages[0].Stacks[0]
	if s.Name != "Prod-Shop" || s.Path != "Prod/Shop" || s.Region != "" || s.Account != "" {
		t.Errorf("stack: %+v", s)
	}
	for id, r := range s.Template.Resources {
		if r.Type != "AWS::Lambda::Function" {
			continue
		}
		if path := s.ConstructPath(id); path != "Prod/Shop/Hello" {
			t.Errorf("construct path of %s: %s", id, path)
		}
		code := r.Properties["Code"].(map[string]any)
		path, ok, err := s.Assets.File(code["S3Key"].(string))
		if err != nil || !ok || filepath.Dir(path) != a.Dir {
			t.Errorf("the asset of a stage is in the outer assembly: %s, %v, %v", path, ok, err)
		}
	}
}

// TestLoadNested reads the same app with and without metadata in its
// templates, and from both finds the same constructs.
func TestLoadNested(t *testing.T) {
	for _, app := range []string{"nested", "path-metadata"} {
		a, err := Load(filepath.Join(apps, app, "cdk.out"))
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		var walk func(s *Stack)
		walk = func(s *Stack) {
			for _, id := range s.Template.LogicalIDs() {
				if s.Template.Resources[id].Type == "AWS::Lambda::Function" {
					found = append(found, s.Name+" "+s.ConstructPath(id))
				}
				if child := s.Nested[id]; child != nil {
					walk(child)
				}
			}
		}
		walk(a.Stages[0].Stacks[0])
		if got, want := strings.Join(found, ", "), "Shop-Logic-Deep Shop/Logic/Deep/Hello, Shop-Logic Shop/Logic/Hello"; got != want {
			t.Errorf("%s: got %s, want %s", app, got, want)
		}
	}
}

func TestConstructPathFallsBackOnLogicalID(t *testing.T) {
	dir := copyApp(t, "no-metadata")
	replace(t, filepath.Join(dir, "manifest.json"), `"additionalMetadataFile": "Shop.metadata.json"`, `"x": ""`)
	a, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if path := a.Stages[0].Stacks[0].ConstructPath("Hello4A628BD4"); path != "Shop/Hello4A628BD4" {
		t.Error(path)
	}
}

func TestImageAsset(t *testing.T) {
	a, err := Load(filepath.Join(apps, "image", "cdk.out"))
	if err != nil {
		t.Fatal(err)
	}
	var tag string
	for key := range a.Stages[0].Stacks[0].Assets.images {
		tag = key
	}
	image, ok, err := a.Stages[0].Stacks[0].Assets.Image("123456789012.dkr.ecr.us-east-1.amazonaws.com/cdk-assets:" + tag)
	if err != nil || !ok || image.Dockerfile != "Dockerfile" || image.Target != "runtime" || image.BuildArgs["BASE"] != "scratch" {
		t.Errorf("%+v, %v, %v", image, ok, err)
	}
	if _, err := os.Stat(filepath.Join(image.Context, "bootstrap")); err != nil {
		t.Error(err)
	}
}

// TestLoadErrors breaks a real assembly in one way each.
func TestLoadErrors(t *testing.T) {
	for name, test := range map[string]struct {
		breakIt func(t *testing.T, dir string)
		want    string
	}{
		"no folder":           {func(t *testing.T, dir string) { remove(t, dir) }, "no cloud assembly in DIR: it has no manifest.json; run `bailey synth` or `cdk synth` first"},
		"no manifest":         {func(t *testing.T, dir string) { remove(t, dir+"/manifest.json") }, "no cloud assembly in DIR: it has no manifest.json"},
		"manifest cut off":    {func(t *testing.T, dir string) { truncate(t, dir+"/manifest.json") }, "manifest DIR/manifest.json:"},
		"manifest not JSON":   {func(t *testing.T, dir string) { write(t, dir+"/manifest.json", "artifacts:\n") }, "manifest DIR/manifest.json:1:1: not JSON"},
		"newer schema":        {func(t *testing.T, dir string) { replace(t, dir+"/manifest.json", `"55.0.0"`, `"56.0.0"`) }, "DIR/manifest.json: cloud assembly schema 56.0.0 is not supported: this Bailey reads 36 to 55"},
		"older schema":        {func(t *testing.T, dir string) { replace(t, dir+"/manifest.json", `"55.0.0"`, `"20.0.0"`) }, "schema 20.0.0 is not supported"},
		"no version":          {func(t *testing.T, dir string) { replace(t, dir+"/manifest.json", `"55.0.0"`, `""`) }, `its version is "", which is no version`},
		"template gone":       {func(t *testing.T, dir string) { remove(t, dir+"/Shop.template.json") }, "stack Shop: DIR/Shop.template.json is gone; synthesise again"},
		"template not JSON":   {func(t *testing.T, dir string) { write(t, dir+"/Shop.template.json", "Resources: {}\n") }, "stack Shop: template DIR/Shop.template.json:1:1: not JSON"},
		"template cut off":    {func(t *testing.T, dir string) { truncate(t, dir+"/Shop.template.json") }, "Shop.template.json:"},
		"asset manifest gone": {func(t *testing.T, dir string) { remove(t, dir+"/Shop.assets.json") }, "asset manifest Shop.assets: DIR/Shop.assets.json is gone"},
		"template outside": {func(t *testing.T, dir string) {
			replace(t, dir+"/manifest.json", `"Shop.template.json"`, `"../../../../../../../etc/passwd"`)
		}, "lies outside the cloud assembly DIR, so it is not read"},
		"template by a link": {func(t *testing.T, dir string) {
			remove(t, dir+"/Shop.template.json")
			link(t, "/etc/passwd", dir+"/Shop.template.json")
		}, "lies outside the cloud assembly"},
		"template by a path": {func(t *testing.T, dir string) {
			replace(t, dir+"/manifest.json", `"Shop.template.json"`, `"/etc/passwd"`)
		}, "lies outside the cloud assembly"},
		"no stacks": {func(t *testing.T, dir string) { write(t, dir+"/manifest.json", `{"version": "55.0.0"}`) }, "has no stacks"},
		"assembly in itself": {func(t *testing.T, dir string) {
			write(t, dir+"/manifest.json", `{"version": "55.0.0", "artifacts": {"a": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}}}`)
		}, "contains itself"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyApp(t, "http-api")
			test.breakIt(t, dir)
			_, err := Load(dir)
			if want := strings.ReplaceAll(test.want, "DIR", dir); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestNestedStackInItself(t *testing.T) {
	dir := copyApp(t, "nested")
	templates, _ := filepath.Glob(filepath.Join(dir, "ShopLogic*.nested.template.json"))
	shop := filepath.Join(dir, "Shop.template.json")
	for _, template := range templates {
		remove(t, template)
		link(t, shop, template)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "contains itself") {
		t.Errorf("got %v", err)
	}
}

func TestErrorTypes(t *testing.T) {
	var notFound *NotFoundError
	if _, err := Load(t.TempDir()); !errors.As(err, &notFound) {
		t.Errorf("got %v", err)
	}
}

// TestAssetGone: an asset matters only to who asks for it.
func TestAssetGone(t *testing.T) {
	dir := copyApp(t, "http-api")
	assets, _ := filepath.Glob(filepath.Join(dir, "asset.*"))
	for _, asset := range assets {
		remove(t, asset)
	}
	a, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimPrefix(filepath.Base(assets[0]), "asset.") + ".zip"
	if _, ok, err := a.Stages[0].Stacks[0].Assets.File(key); !ok || err == nil || !strings.Contains(err.Error(), "is gone; synthesise again") {
		t.Errorf("got %v, %v", ok, err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, app := range []string{"http-api", "nested", "stages", "image", "old-schema"} {
		manifest, err := os.ReadFile(filepath.Join(apps, app, "cdk.out", "manifest.json"))
		if err != nil {
			f.Fatal(err)
		}
		assets, _ := filepath.Glob(filepath.Join(apps, app, "cdk.out", "*.assets.json"))
		text := []byte("{}")
		if len(assets) > 0 {
			text, _ = os.ReadFile(assets[0])
		}
		f.Add(manifest, text, []byte(`{"Resources": {"N": {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "t.json"}}}}`))
	}
	f.Fuzz(func(t *testing.T, manifest, assets, template []byte) {
		dir := t.TempDir()
		for name, data := range map[string][]byte{"manifest.json": manifest, "Shop.assets.json": assets, "Shop.template.json": template, "t.json": template} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		a, err := Load(dir)
		if err != nil {
			return
		}
		for _, stage := range a.Stages {
			for _, s := range stage.Stacks {
				for key := range s.Assets.files {
					if path, _, err := s.Assets.File(key); err == nil && path != "" && path != dir && !strings.HasPrefix(path, dir+string(filepath.Separator)) {
						t.Errorf("the asset %q leads out of the assembly, to %s", key, path)
					}
				}
			}
		}
	})
}

func copyApp(t *testing.T, app string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cdk.out")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(apps, app, "cdk.out"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()/2); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func replace(t *testing.T, path, old, new string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("%s does not hold %s", path, old)
	}
	write(t, path, strings.Replace(string(data), old, new, 1))
}
