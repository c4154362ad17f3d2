//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// root is this repository: the folder of the storefront's cdk.json.
const root = ".."

var synthStorefront sync.Once

// storefront is the reference app, synthesised and bridged as its README says.
func storefront(t testing.TB) string {
	t.Helper()
	synthStorefront.Do(func() { succeed(t, root, bailey(t), "synth") })
	if t.Failed() {
		t.FailNow()
	}
	return root
}

// quote is the event that make demo uses.
func quote(t testing.TB) string {
	t.Helper()
	event, err := os.ReadFile(filepath.Join(root, "app", "events", "quote.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(event)
}

// TestStorefront runs the reference app's Go function, from CDK code to a
// response, in every engine.
func TestStorefront(t *testing.T) {
	project := storefront(t)
	inProcess := invokeQuote(t, project, "process")
	if body, _ := inProcess.(map[string]any); body["statusCode"] != 200.0 {
		t.Fatalf("the embedded engine answered %v", inProcess)
	}
	e2e.Docker(t)
	e2e.BaseImage(t, "provided.al2023")
	bySAM := samResponse(t, execute(t, project, quote(t), e2e.SAM(t), "local", "invoke", "Quote", "--event", "-", "--skip-pull-image"))
	if !reflect.DeepEqual(bySAM.payload, inProcess) {
		t.Errorf("sam local invoke answered %v, the embedded engine %v", bySAM.payload, inProcess)
	}
	if handed := invokeQuote(t, project, "sam", "--", "--skip-pull-image"); !reflect.DeepEqual(handed, inProcess) {
		t.Errorf("--engine sam answered %v, the embedded engine %v", handed, inProcess)
	}
}

func invokeQuote(t *testing.T, project, engine string, more ...string) any {
	t.Helper()
	o := execute(t, project, quote(t), bailey(t), append([]string{"local", "invoke", "Quote", "--event", "-", "--engine", engine}, more...)...)
	if o.status != 0 {
		t.Fatalf("--engine %s: exit status %d\n%s", engine, o.status, o.stderr)
	}
	return payloadOf(o.stdout)
}

// TestStorefrontAPI asks the storefront's API as a client does, through the
// real sam local start-api.
func TestStorefrontAPI(t *testing.T) {
	project := storefront(t)
	e2e.Docker(t)
	e2e.BaseImage(t, "provided.al2023")
	s := serve(t, "start-api", filepath.Join(project, ".aws-sam", "build", "template.yaml"))
	answer, body := s.request(t, "POST", "/quotes", `{"country": "DE", "lines": [{"sku": "BOLT-M8", "quantity": 2}]}`, map[string]string{"content-type": "application/json"})
	quoted, _ := payloadOf(string(body)).(map[string]any)
	if answer.StatusCode != 200 || quoted["total"] == nil {
		t.Errorf("%s: %s", answer.Status, body)
	}
	answer, body = s.request(t, "POST", "/quotes", `{"country": "DE"`, map[string]string{"content-type": "application/json"})
	if answer.StatusCode != 400 {
		t.Errorf("a cut-off body: %s: %s", answer.Status, body)
	}
}
