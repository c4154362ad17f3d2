package main

import (
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
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

var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

// The golden template guards what is deployed: a resource with another logical
// id is another resource to CloudFormation, and a table is not to be replaced.
func TestShop(t *testing.T) {
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
	stack := NewShop(app, "Shop", nil)
	artifact := app.Synth(nil).GetStackArtifact(stack.ArtifactId())
	for _, m := range *artifact.Messages() {
		t.Errorf("%s: %v", m.Level, m.Entry.Data)
	}
	template, _ := artifact.Template().(map[string]any)
	written, err := json.MarshalIndent(map[string]any{"Resources": template["Resources"], "Outputs": template["Outputs"]}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got := assetHash.ReplaceAllString(string(written), "HASH") + "\n"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("testdata/shop.json", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile("testdata/shop.json")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("the template differs from testdata/shop.json: run go test . -update and look at the diff")
	}
}
