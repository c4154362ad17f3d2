package serverless_test

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/serverless"
	"github.com/bailey-cdk/bailey/internal/metadata"
)

// assets are the code assets in the stack's assembly, as folders.
func assets(t *testing.T, stack awscdk.Stack) []string {
	t.Helper()
	folder := *awscdk.Stage_Of(stack).Synth(&awscdk.StageSynthesisOptions{Force: jsii.Bool(true)}).Directory()
	found, err := filepath.Glob(filepath.Join(folder, "asset.*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// files are the names of what a folder holds.
func files(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func digest(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// A synth that deploys compiles each function for its own architecture.
func TestSynthCompiles(t *testing.T) {
	stack := newStackWith(t, map[string]any{})
	serverless.NewFunction(stack, "Checkout", checkout)
	props := checkout
	props.Architecture = serverless.X86_64
	serverless.NewFunction(stack, "Intel", props)
	wantNoFaults(t, stack)

	machines := map[elf.Machine]bool{}
	for _, asset := range assets(t, stack) {
		if got := files(t, asset); got != "bootstrap" {
			t.Errorf("the asset holds %s, want bootstrap alone", got)
		}
		file, err := elf.Open(filepath.Join(asset, "bootstrap"))
		if err != nil {
			t.Fatal(err)
		}
		machines[file.Machine] = true
		if file.Section(".interp") != nil || file.Section(".symtab") != nil {
			t.Errorf("%s is not static and stripped", file.Machine)
		}
		file.Close()
	}
	if len(machines) != 2 || !machines[elf.EM_AARCH64] || !machines[elf.EM_X86_64] {
		t.Errorf("the assets are for %v", machines)
	}
	for id, function := range resources(t, stack, "AWS::Lambda::Function") {
		got := asJSON(t, function["Metadata"].(map[string]any)[metadata.Key])
		if got != `{"Entry":"./functions/checkout"}` {
			t.Errorf("the metadata of %s is %s", id, got)
		}
	}
}

// The same source gives the same bytes, in another folder too.
func TestSynthIsReproducible(t *testing.T) {
	var sums []string
	for range 2 {
		stack := newStackWith(t, map[string]any{})
		serverless.NewFunction(stack, "Checkout", checkout)
		found := assets(t, stack)
		if len(found) != 1 {
			t.Fatalf("there are %d assets, want one", len(found))
		}
		sums = append(sums, filepath.Base(found[0])+" "+digest(t, filepath.Join(found[0], "bootstrap")))
	}
	if sums[0] != sums[1] {
		t.Errorf("two synths wrote\n%s and\n%s", sums[0], sums[1])
	}
}

// Nothing is compiled for a local synth, or for cdk ls and the like, which set
// no stack to bundle for.
func TestSynthLeavesPlaceholder(t *testing.T) {
	for name, context := range map[string]map[string]any{
		"local, from the command line": {metadata.ContextLocal: "true"},
		"local, from cdk.json":         {metadata.ContextLocal: true},
		"no bundling":                  {"aws:cdk:bundling-stacks": []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			stack := newStackWith(t, context)
			serverless.NewFunction(stack, "Checkout", checkout)
			// It would not compile, which nobody notices here.
			serverless.NewFunction(stack, "Broken", serverless.FunctionProps{Entry: "./functions/broken"})
			wantNoFaults(t, stack)
			found := assets(t, stack)
			if len(found) != 1 {
				t.Fatalf("there are %d assets, want one for all functions: %v", len(found), found)
			}
			if got := files(t, found[0]); got != metadata.Placeholder {
				t.Errorf("the asset holds %s, want %s", got, metadata.Placeholder)
			}
			text, err := os.ReadFile(filepath.Join(found[0], metadata.Placeholder))
			if err != nil || !strings.Contains(string(text), "must not be deployed") {
				t.Errorf("the placeholder says %q, %v", text, err)
			}
		})
	}
}

// The compiler's message is shown once, with what else is wrong.
func TestEntryDoesNotCompile(t *testing.T) {
	stack := newStackWith(t, map[string]any{})
	broken := serverless.FunctionProps{Entry: "./functions/broken"}
	serverless.NewFunction(stack, "Broken", broken)
	broken.Memory = 1
	serverless.NewFunction(stack, "Again", broken)
	serverless.NewFunction(stack, "Unknown", serverless.FunctionProps{Entry: "example.com/project/functions/none"})
	all := strings.Join(faults(stack), "\n")
	if n := strings.Count(all, "undefined: undefined"); n != 1 {
		t.Errorf("the compiler's message is there %d times, want once", n)
	}
	wantFault(t, stack, "Shop/Broken: Entry: ./functions/broken does not compile", "functions/broken/main.go:3:")
	wantFault(t, stack, `Shop/Again: Entry "./functions/broken" does not compile, as said above`)
	wantFault(t, stack, "Shop/Again: Memory is 1 MB")
	wantFault(t, stack, "Shop/Unknown: Entry: example.com/project/functions/none")
	if n := len(faults(stack)); n != 4 {
		t.Errorf("there are %d faults, want four:\n%s", n, all)
	}
}

// Build tags choose the source.
func TestBuildTags(t *testing.T) {
	stack := newStackWith(t, map[string]any{})
	write(t, "functions/checkout/main.go", "//go:build !fancy\n\npackage main\n\nfunc main() { println(\"plain\") }\n")
	write(t, "functions/checkout/fancy.go", "//go:build fancy\n\npackage main\n\nfunc main() { println(\"fan\" + \"cy-build\") }\n")
	props := checkout
	props.BuildTags = []string{"fancy"}
	serverless.NewFunction(stack, "Checkout", props)
	wantNoFaults(t, stack)
	content, err := os.ReadFile(filepath.Join(assets(t, stack)[0], "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), "fancy-build") {
		t.Error("the executable is not the one for the tag fancy")
	}
	if got := asJSON(t, resources(t, stack, "AWS::Lambda::Function")); !strings.Contains(got, `"Tags":["fancy"]`) {
		t.Errorf("the metadata lacks the tags: %s", got)
	}
}

// A folder that can't be written is a fault, not a panic.
func TestBuildFolderCannotBeWritten(t *testing.T) {
	for name, context := range map[string]map[string]any{"local": {metadata.ContextLocal: "true"}, "deployed": {}} {
		t.Run(name, func(t *testing.T) {
			stack := newStackWith(t, context)
			write(t, ".bailey", "a file where the folder should be")
			serverless.NewFunction(stack, "Checkout", checkout)
			wantFault(t, stack, "Shop/Checkout: ", ".bailey")
			if n := len(assets(t, stack)); n != 1 {
				t.Errorf("there are %d assets, want one", n)
			}
		})
	}
}

func ExampleNewFunction() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	orders := serverless.NewTable(stack, "Orders", serverless.TableProps{PartitionKey: "id"})
	checkout := serverless.NewFunction(stack, "Checkout", serverless.FunctionProps{
		Entry:       "./functions/checkout",
		Environment: map[string]string{"ORDERS": *orders.TableName()},
		Events: serverless.Events{
			"Place": serverless.HttpApiEvent{Method: "POST", Path: "/orders"},
		},
		Policies: []serverless.Policy{serverless.DynamoDBCrudPolicy(orders)},
	})
	// It is an awslambda.Function.
	checkout.MetricErrors(nil).CreateAlarm(stack, jsii.String("Failing"), &awscloudwatch.CreateAlarmOptions{
		Threshold: jsii.Number(1), EvaluationPeriods: jsii.Number(1),
	})
	app.Synth(nil)
}
