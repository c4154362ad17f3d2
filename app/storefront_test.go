package main

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/internal/metadata"
)

var update = flag.Bool("update", false, "write the golden template instead of comparing with it")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
	os.Setenv("CDK_VALIDATION", "false")
	// The kernel that importing the CDK prepared has the environment from
	// before.
	jsii.Close()
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// synthesise makes the stack with the context of cdk.json, without compiling
// the functions.
func synthesise(t *testing.T) cxapi.CloudFormationStackArtifact {
	t.Helper()
	t.Chdir("..") // Where cdk.json is.
	text, err := os.ReadFile("cdk.json")
	if err != nil {
		t.Fatal(err)
	}
	var config struct{ Context map[string]any }
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	config.Context[metadata.ContextLocal] = "true"
	app := awscdk.NewApp(&awscdk.AppProps{Context: &config.Context, AnalyticsReporting: jsii.Bool(false)})
	stack := NewStorefront(app, "Storefront", nil)
	return app.Synth(nil).GetStackArtifact(stack.ArtifactId())
}

var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

// The golden template guards what is deployed: a resource with another logical
// id is another resource to CloudFormation, and a table is not to be replaced.
func TestStorefront(t *testing.T) {
	file, err := filepath.Abs("testdata/storefront.json")
	if err != nil {
		t.Fatal(err)
	}
	artifact := synthesise(t)
	for _, m := range *artifact.Messages() {
		t.Errorf("%s: %v", m.Level, m.Entry.Data)
	}
	template, _ := artifact.Template().(map[string]any)
	text, err := json.MarshalIndent(map[string]any{"Resources": template["Resources"], "Outputs": template["Outputs"]}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got := assetHash.ReplaceAllString(string(text), "HASH") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the template differs from %s: run go test ./app -update and look at the diff", file)
	}
}

// Each function's code is in this repository, at the place that its metadata
// names.
func TestEntriesAreThere(t *testing.T) {
	template, _ := synthesise(t).Template().(map[string]any)
	functions := 0
	for id, r := range template["Resources"].(map[string]any) {
		resource := r.(map[string]any)
		if resource["Type"] != "AWS::Lambda::Function" {
			continue
		}
		functions++
		bailey, _ := resource["Metadata"].(map[string]any)[metadata.Key].(map[string]any)
		entry, _ := bailey["Entry"].(string)
		if _, err := os.Stat(filepath.Join(entry, "main.go")); entry == "" || err != nil {
			t.Errorf("%s has the entry %q: %v", id, entry, err)
		}
	}
	if functions != 5 {
		t.Errorf("there are %d functions, want five", functions)
	}
}

// The infrastructure is linked again at each change of it, without what only
// the functions need.
func TestInfrastructureHasNoSDK(t *testing.T) {
	list := exec.Command("go", "list", "-deps", ".")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		if name == "net/http" || strings.HasPrefix(name, "github.com/aws/aws-sdk-go-v2") {
			t.Errorf("the infrastructure imports %s", name)
		}
	}
}
