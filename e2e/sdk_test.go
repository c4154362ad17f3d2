//go:build e2e

package e2e

import (
	"bufio"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// sdkCalls invokes functions with the AWS SDK for Python, which the SAM CLI
// brings.
const sdkCalls = `
import base64, json, sys
import boto3
client = boto3.client("lambda", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
answer = client.invoke(FunctionName=sys.argv[2], Payload=sys.stdin.read(), LogType="Tail")
assert answer["StatusCode"] == 200 and "FunctionError" not in answer and answer["ExecutedVersion"] == "$LATEST", answer
assert "REPORT RequestId" in base64.b64decode(answer["LogResult"]).decode(), answer
print(json.dumps(json.loads(answer["Payload"].read())))
assert client.invoke(FunctionName=sys.argv[2], Payload="{}", InvocationType="Event")["StatusCode"] == 202
assert client.invoke(FunctionName=sys.argv[2], InvocationType="DryRun")["StatusCode"] == 204
try:
    client.invoke(FunctionName="nobody")
    raise AssertionError("there is no such function")
except client.exceptions.ResourceNotFoundException as e:
    print(e)
`

// TestSDK invokes the embedded engine's Lambda endpoint by AWS's own SDK, and
// gets what the other ways of invoking get.
func TestSDK(t *testing.T) {
	project := mixed(t)
	command := exec.Command(bailey(t), "local", "start-lambda", "--assembly", "cdk.out", "--port", "0")
	command.Dir, command.Env = project, e2e.Environment(t)
	log, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer command.Process.Kill()
	lines := bufio.NewScanner(log)
	url := ""
	for url == "" && lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), " at http://"); ok {
			url = "http://" + strings.SplitN(rest, ": ", 2)[0]
		}
	}
	go func() {
		for lines.Scan() { // keep the pipe empty
		}
	}()
	for _, function := range []string{"Node", "Service/Python", "Go"} {
		event := `{"do": "echo", "value": {"text": "süß", "n": 1}}`
		o := execute(t, project, event, e2e.Python(t), "-c", sdkCalls, url, function)
		if o.status != 0 {
			t.Errorf("%s: %s%s", function, o.stdout, o.stderr)
			continue
		}
		answer, refusal, _ := strings.Cut(o.stdout, "\n")
		if want := embedded.invoke(t, project, function, event); short(payloadOf(answer)) != short(want.payload) {
			t.Errorf("%s: the SDK got %s, bailey local invoke %s", function, answer, short(want.payload))
		}
		if !strings.Contains(refusal, "ResourceNotFoundException") {
			t.Errorf("%s: %s", function, refusal)
		}
	}
	_ = command.Process.Signal(syscall.SIGTERM)
	if err := command.Wait(); err != nil {
		t.Errorf("bailey local start-lambda ended with %v", err)
	}
}
