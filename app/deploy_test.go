//go:build e2e

package main

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cloudformationtypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/bailey-cdk/bailey/app/orders"
	"github.com/bailey-cdk/bailey/internal/e2e"
)

// account is an emulated AWS account, bootstrapped for the CDK.
type account struct {
	variables []string
	endpoint  string
	config    aws.Config
}

func newAccount(t *testing.T) *account {
	a := &account{variables: e2e.AWS(t)}
	for _, variable := range a.variables {
		if value, ok := strings.CutPrefix(variable, "AWS_ENDPOINT_URL="); ok {
			a.endpoint = value
		}
	}
	a.config = aws.Config{
		Region: e2e.Region, BaseEndpoint: &a.endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(e2e.Account, "test", ""),
	}
	a.cdk(t, "bootstrap", "aws://"+e2e.Account+"/"+e2e.Region)
	return a
}

// cdk runs the CDK CLI on the storefront, which must go well.
func (a *account) cdk(t *testing.T, arguments ...string) result {
	t.Helper()
	got := runIn(t, a.variables, root(t), arguments...)
	if got.status != 0 {
		t.Fatalf("cdk %s ended with %d:\n%s", strings.Join(arguments, " "), got.status, got.all)
	}
	return got
}

// get reads a resource of one of AWS's JSON APIs that the app itself does not
// use, and for which no SDK is needed.
func (a *account) get(t *testing.T, path string, v any) {
	t.Helper()
	a.ask(t, http.MethodGet, path, "", v)
}

func (a *account) ask(t *testing.T, method, path, body string, v any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, a.endpoint+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); answer.StatusCode >= 300 || err != nil {
		t.Fatalf("%s %s: %s: %s", method, path, answer.Status, text)
	}
}

// physical are the deployed stack's physical ids by logical id.
func (a *account) physical(t *testing.T) map[string]cloudformationtypes.StackResource {
	t.Helper()
	got, err := cloudformation.NewFromConfig(a.config).DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: aws.String("Storefront")})
	if err != nil {
		t.Fatal(err)
	}
	resources := map[string]cloudformationtypes.StackResource{}
	for _, r := range got.StackResources {
		resources[*r.LogicalResourceId] = r
	}
	return resources
}

// deployed is the storefront in an account.
type deployed struct {
	*account
	assembly  string
	template  template
	resources map[string]cloudformationtypes.StackResource
	outputs   map[string]string
}

// template is the part of the synthesised template that the tests look at.
type template struct {
	Resources map[string]struct {
		Type           string
		DeletionPolicy string
		Properties     map[string]any
	}
}

// id is the physical id of the only resource whose logical id begins so, before
// the eight characters of the CDK's hash.
func (d *deployed) id(t *testing.T, name string) string {
	t.Helper()
	for logical, r := range d.resources {
		if regexp.MustCompile("^" + name + "[0-9A-F]{8}$").MatchString(logical) {
			return *r.PhysicalResourceId
		}
	}
	t.Fatalf("the stack has no resource %s", name)
	return ""
}

func deploy(t *testing.T, a *account) *deployed {
	d := &deployed{account: a, assembly: t.TempDir()}
	file := filepath.Join(t.TempDir(), "outputs.json")
	a.cdk(t, "deploy", "--require-approval", "never", "--outputs-file", file, "--output", d.assembly)
	var outputs map[string]map[string]string
	readJSON(t, file, &outputs)
	d.outputs = outputs["Storefront"]
	readJSON(t, filepath.Join(d.assembly, "Storefront.template.json"), &d.template)
	d.resources = a.physical(t)
	return d
}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// TestDeploy takes the storefront through its life with the real CDK CLI:
// bootstrap, deploy, diff and destroy.
func TestDeploy(t *testing.T) {
	d := deploy(t, newAccount(t))
	t.Run("resources", d.testResources)
	t.Run("differences from AWS", d.testDifferences)
	t.Run("local functions", d.testFromStack)
	if got := runIn(t, d.variables, root(t), "diff", "--fail", "--output", t.TempDir()); got.status != 0 || !strings.Contains(got.all, "There were no differences") {
		t.Errorf("cdk diff after the deployment ended with %d:\n%s", got.status, got.all)
	}
	d.cdk(t, "destroy", "--force", "--output", t.TempDir())
	d.testDestroyed(t)
}

// testResources looks at what was made with the services' own eyes, since a
// stack could say that it is complete without.
func (d *deployed) testResources(t *testing.T) {
	for logical, r := range d.template.Resources {
		if got := d.resources[logical]; r.Type != "AWS::CDK::Metadata" && (got.ResourceStatus != cloudformationtypes.ResourceStatusCreateComplete || *got.ResourceType != r.Type) {
			t.Errorf("%s, a %s, is %+v", logical, r.Type, got)
		}
	}
	table, err := dynamodb.NewFromConfig(d.config).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(d.id(t, "Orders"))})
	if err != nil || *table.Table.KeySchema[0].AttributeName != orders.Key || *table.Table.GlobalSecondaryIndexes[0].IndexName != orders.PendingIndex {
		t.Errorf("the table is %+v, %v", table, err)
	}
	queue, err := sqs.NewFromConfig(d.config).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(d.id(t, "Placed")), AttributeNames: []sqstypes.QueueAttributeName{"All"},
	})
	if err != nil || !strings.Contains(queue.Attributes["RedrivePolicy"], "PlacedDeadLetterQueue") {
		t.Errorf("the queue is %+v, %v", queue, err)
	}
	var function struct {
		Configuration struct {
			Runtime       string
			Architectures []string
			Environment   struct{ Variables map[string]string }
			CodeSize      int
		}
	}
	d.get(t, "/2015-03-31/functions/"+d.id(t, "Checkout"), &function)
	c := function.Configuration
	if c.Runtime != "provided.al2023" || c.Architectures[0] != "arm64" || c.CodeSize < 1<<20 || c.Environment.Variables["ORDERS_TABLE"] != d.id(t, "Orders") || c.Environment.Variables["ORDERS_QUEUE_URL"] != d.id(t, "Placed") {
		t.Errorf("the function Checkout is %+v", c)
	}
	var routes struct{ Items []struct{ RouteKey string } }
	d.get(t, "/v2/apis/"+d.id(t, "ServerlessHttpApi")+"/routes", &routes)
	keys := map[string]bool{}
	for _, r := range routes.Items {
		keys[r.RouteKey] = true
	}
	if want := map[string]bool{"POST /quotes": true, "POST /orders": true, "GET /orders/{id}": true}; !maps.Equal(keys, want) {
		t.Errorf("the API has the routes %v, want %v", keys, want)
	}
}

// testDestroyed wants nothing left but what the template says stays.
func (d *deployed) testDestroyed(t *testing.T) {
	if _, err := cloudformation.NewFromConfig(d.config).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("Storefront")}); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("after cdk destroy, the stack answers %v", err)
	}
	tables, err := dynamodb.NewFromConfig(d.config).ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil || !slices.Equal(tables.TableNames, []string{d.id(t, "Orders")}) {
		t.Errorf("there are the tables %v, %v; the orders must stay", tables, err)
	}
	queues, err := sqs.NewFromConfig(d.config).ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil || len(queues.QueueUrls) != 0 {
		t.Errorf("there are the queues %v, %v", queues, err)
	}
	var functions struct{ Functions []any }
	d.get(t, "/2015-03-31/functions/", &functions)
	var apis struct{ Items []any }
	d.get(t, "/v2/apis", &apis)
	if len(functions.Functions) != 0 || len(apis.Items) != 0 {
		t.Errorf("there are the functions %v and APIs %v", functions, apis)
	}
}

// testDifferences holds internal/e2e/EMULATOR.md true, in both directions.
func (d *deployed) testDifferences(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "internal", "e2e", "EMULATOR.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([a-z-]+) \|`).FindAllSubmatch(text, -1) {
		listed[string(row[1])] = true
	}
	delete(listed, "difference") // the head of the table
	checks := d.differences()
	for name := range listed {
		if checks[name] == nil {
			t.Errorf("EMULATOR.md has the row %s, which no test checks", name)
		}
	}
	for name, there := range checks {
		if !listed[name] {
			t.Errorf("EMULATOR.md has no row %s", name)
		}
		if !there(t) {
			t.Errorf("the emulator is as AWS is: EMULATOR.md must lose the row %s", name)
		}
	}
}

// differences tell whether each is still there.
func (d *deployed) differences() map[string]func(*testing.T) bool {
	matches := func(pattern, text string) bool { return regexp.MustCompile("^" + pattern + "$").MatchString(text) }
	return map[string]func(*testing.T) bool{
		"code-architecture": func(t *testing.T) bool {
			var answer map[string]any
			d.ask(t, http.MethodPost, "/2015-03-31/functions/"+d.id(t, "Quote")+"/invocations", "{}", &answer)
			message, _ := answer["errorMessage"].(string)
			return strings.Contains(message, "Exec format error") == (runtime.GOARCH != "arm64")
		},
		"api-endpoint": func(t *testing.T) bool {
			return matches(`http://`+d.id(t, "ServerlessHttpApi")+`\.execute-api\.127\.0\.0\.1:\d+`, d.outputs["ApiUrl"])
		},
		"queue-url": func(t *testing.T) bool {
			return matches(`http://127\.0\.0\.1:\d+/`+e2e.Account+`/Storefront-Placed.*`, d.id(t, "Placed"))
		},
		"log-group-name": func(t *testing.T) bool {
			return matches(`/aws/cloudformation/Storefront/CheckoutLogGroup[0-9A-F]{8}`, d.id(t, "CheckoutLogGroup"))
		},
		"route-id": func(t *testing.T) bool {
			return matches(d.id(t, "ServerlessHttpApi")+"/[0-9a-f]+", d.id(t, "ServerlessHttpApiPOSTorders"))
		},
		"cdk-metadata": func(*testing.T) bool {
			_, there := d.resources["CDKMetadata"]
			return !there
		},
		"permissions": func(t *testing.T) bool {
			nobody := d.config.Copy()
			nobody.Credentials = credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "wrong", "")
			_, err := dynamodb.NewFromConfig(nobody).ListTables(t.Context(), &dynamodb.ListTablesInput{})
			return err == nil
		},
	}
}
