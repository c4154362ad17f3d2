//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// pollersManifest and pollersTemplate are a small application of queues, a table
// with a stream, and functions in Node.js that follow them.
const pollersManifest = `{"version": "48.0.0", "artifacts": {"Shop": {"type": "aws:cloudformation:stack", "environment": "aws://123456789012/us-east-1", "displayName": "Shop", "properties": {"templateFile": "Shop.template.json", "stackName": "Shop"}}}}`

func pollersTemplate(t *testing.T) string {
	t.Helper()
	function := func(path, code string) map[string]any {
		return resource("AWS::Lambda::Function", path, map[string]any{
			"Runtime": "nodejs20.x", "Handler": "index.handler", "Timeout": 10, "Role": "arn:aws:iam::123456789012:role/r",
			"FunctionName": filepath.Base(path), "Code": map[string]any{"ZipFile": code}, "Environment": map[string]any{"Variables": map[string]any{"SEEN": "unset"}},
		})
	}
	const write = `require('node:fs').appendFileSync(process.env.SEEN, text + '\n')`
	arn := func(id, attribute string) map[string]any { return map[string]any{"Fn::GetAtt": []any{id, attribute}} }
	queue := func(name string, more map[string]any) map[string]any {
		more["QueueName"] = name
		return resource("AWS::SQS::Queue", "Shop/"+name, more)
	}
	resources := map[string]any{
		"Work": queue("Work", map[string]any{"VisibilityTimeout": 10, "RedrivePolicy": map[string]any{"deadLetterTargetArn": arn("Dead", "Arn"), "maxReceiveCount": 100}}),
		"Dead": queue("Dead", map[string]any{}), "Failures": queue("Failures", map[string]any{}), "Letters": queue("Letters", map[string]any{}),
		"Orders": resource("AWS::DynamoDB::Table", "Shop/Orders", map[string]any{
			"TableName": "Orders", "BillingMode": "PAY_PER_REQUEST",
			"AttributeDefinitions": []any{map[string]any{"AttributeName": "id", "AttributeType": "S"}},
			"KeySchema":            []any{map[string]any{"AttributeName": "id", "KeyType": "HASH"}},
			"StreamSpecification":  map[string]any{"StreamViewType": "NEW_AND_OLD_IMAGES"},
		}),
		// dies in the middle of each fourth batch
		"Worker": function("Shop/Worker", `let n = 0; exports.handler = async (event) => { n++; for (const r of event.Records) { const text = r.body; `+write+`; if (n % 4 === 0 && r === event.Records[2]) process.kill(process.pid, 'SIGKILL'); } };`),
		"Follow": function("Shop/Follow", `exports.handler = async (event) => { for (const r of event.Records) { const text = r.eventName + ' ' + r.dynamodb.Keys.id.S; `+write+`; } };`),
		"Async":  function("Shop/Async", `exports.handler = async (event) => { if (event.fail) throw new RangeError('no good'); return event; };`),
		"Poll":   resource("AWS::Lambda::EventSourceMapping", "Shop/Worker/Poll", map[string]any{"FunctionName": map[string]any{"Ref": "Worker"}, "EventSourceArn": arn("Work", "Arn"), "BatchSize": 5}),
		"Stream": resource("AWS::Lambda::EventSourceMapping", "Shop/Follow/Stream", map[string]any{"FunctionName": map[string]any{"Ref": "Follow"}, "EventSourceArn": arn("Orders", "StreamArn"), "StartingPosition": "TRIM_HORIZON"}),
		"Config": resource("AWS::Lambda::EventInvokeConfig", "Shop/Async/Config", map[string]any{
			"FunctionName": map[string]any{"Ref": "Async"}, "Qualifier": "$LATEST", "MaximumRetryAttempts": 1,
			"DestinationConfig": map[string]any{"OnFailure": map[string]any{"Destination": arn("Failures", "Arn")}},
		}),
	}
	text, err := json.Marshal(map[string]any{"Resources": resources})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func resource(kind, path string, properties map[string]any) map[string]any {
	return map[string]any{"Type": kind, "Properties": properties, "Metadata": map[string]any{"aws:cdk:path": path + "/Resource"}}
}

// eventPlane is a bailey local start-events in a folder.
type eventPlane struct {
	t       *testing.T
	dir     string
	command *exec.Cmd
	environ []string
	log     *os.File
}

func newEventPlane(t *testing.T) *eventPlane {
	t.Helper()
	p := &eventPlane{t: t, dir: t.TempDir()}
	for name, text := range map[string]string{
		"cdk.out/manifest.json": pollersManifest, "cdk.out/Shop.template.json": pollersTemplate(t),
		"env.json": fmt.Sprintf(`{"Parameters": {"SEEN": %q}}`, filepath.Join(p.dir, "seen")),
	} {
		path := filepath.Join(p.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if p.log, err = os.Create(filepath.Join(p.dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.log.Close() })
	return p
}

// start starts it and waits until it serves.
func (p *eventPlane) start() {
	p.t.Helper()
	p.command = exec.Command(bailey(p.t), "local", "start-events", "--port", "0", "--retry-delay", "100ms", "--env-vars", "env.json", "--json")
	p.command.Dir, p.command.Env, p.command.Stderr = p.dir, e2e.Environment(p.t), p.log
	out, err := p.command.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = p.command.Process.Kill() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		text, _ := os.ReadFile(p.log.Name())
		p.t.Fatalf("it did not start: %v\n%s", err, text)
	}
	var said struct {
		URL     string
		Environ []string
	}
	if err := json.Unmarshal(line, &said); err != nil {
		p.t.Fatal(err)
	}
	p.environ = said.Environ
}

func (p *eventPlane) end(signal syscall.Signal) {
	p.t.Helper()
	_ = p.command.Process.Signal(signal)
	err := p.command.Wait()
	if signal != syscall.SIGKILL && err != nil {
		p.t.Errorf("bailey local start-events ended with %v", err)
	}
}

// python runs a program with boto3, as a user's that has the printed
// environment.
func (p *eventPlane) python(program string, arguments ...string) string {
	p.t.Helper()
	command := exec.Command(e2e.Python(p.t), append([]string{"-c", program}, arguments...)...)
	command.Dir, command.Env = p.dir, append(e2e.Environment(p.t), p.environ...)
	out, err := command.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// seen are the lines that the functions wrote.
func (p *eventPlane) seen() map[string]int {
	text, err := os.ReadFile(filepath.Join(p.dir, "seen"))
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	lines := map[string]int{}
	for _, line := range strings.Fields(strings.ReplaceAll(string(text), " ", "_")) {
		lines[line]++
	}
	return lines
}

func (p *eventPlane) until(what string, condition func() bool) {
	p.t.Helper()
	for range 1200 {
		if condition() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	text, _ := os.ReadFile(p.log.Name())
	p.t.Fatalf("it never came to be that %s; the log:\n%s", what, text[max(0, len(text)-4000):])
}

const sendNumbers = `
import boto3, sys
sqs = boto3.client("sqs")
url = sqs.get_queue_url(QueueName="Work")["QueueUrl"]
first, last = int(sys.argv[1]), int(sys.argv[2])
for start in range(first, last, 10):
    answer = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": "m%d" % i} for i in range(start, min(start + 10, last))])
    assert "Failed" not in answer, answer
`

// TestConsumersDieAndThePlaneToo: functions kill themselves in the middle of
// batches, and the plane is killed meanwhile. Every message is handled.
func TestConsumersDieAndThePlaneToo(t *testing.T) {
	t.Parallel()
	p := newEventPlane(t)
	const messages = 300
	for i := range 3 {
		p.start()
		p.python(sendNumbers, fmt.Sprint(i*messages/3), fmt.Sprint((i+1)*messages/3))
		if i < 2 {
			p.end(syscall.SIGKILL)
		}
	}
	p.until("all messages are handled", func() bool {
		seen := p.seen()
		for i := range messages {
			if seen[fmt.Sprintf("m%d", i)] == 0 {
				return false
			}
		}
		return true
	})
	left := p.python(`
import boto3
sqs = boto3.client("sqs")
a = sqs.get_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName="Dead")["QueueUrl"], AttributeNames=["All"])["Attributes"]
print(a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"])
`)
	if strings.TrimSpace(left) != "0 0" {
		t.Errorf("in the dead-letter queue: %s", left)
	}
	p.end(syscall.SIGINT)
}

const tableWork = `
import boto3, sys
table = boto3.resource("dynamodb").Table("Orders")
client = boto3.client("dynamodb")
n = sys.argv[1]
table.put_item(Item={"id": "a" + n, "v": 1})
table.update_item(Key={"id": "a" + n}, UpdateExpression="SET v = v + :one", ExpressionAttributeValues={":one": 1})
client.transact_write_items(TransactItems=[
    {"Put": {"TableName": "Orders", "Item": {"id": {"S": "b" + n}}, "ConditionExpression": "attribute_not_exists(id)"}},
    {"Update": {"TableName": "Orders", "Key": {"id": {"S": "c" + n}}, "UpdateExpression": "SET x = :x", "ExpressionAttributeValues": {":x": {"S": "y"}}}},
])
try:
    client.transact_write_items(TransactItems=[
        {"Put": {"TableName": "Orders", "Item": {"id": {"S": "d" + n}}}},
        {"Put": {"TableName": "Orders", "Item": {"id": {"S": "b" + n}}, "ConditionExpression": "attribute_not_exists(id)"}},
    ])
    raise AssertionError("a transaction whose condition fails was done")
except client.exceptions.TransactionCanceledException as e:
    assert [r["Code"] for r in e.response["CancellationReasons"]] == ["None", "ConditionalCheckFailed"], e.response
assert "Item" not in table.get_item(Key={"id": "d" + n})
with table.batch_writer() as batch:
    batch.put_item(Item={"id": "e" + n})
    batch.delete_item(Key={"id": "b" + n})
assert table.get_item(Key={"id": "a" + n})["Item"]["v"] == 2
streams = boto3.client("dynamodbstreams")
stream = streams.list_streams(TableName="Orders")["Streams"][0]["StreamArn"]
shard = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
records = streams.get_records(ShardIterator=iterator)["Records"]
for r in records:
    if r["dynamodb"]["Keys"]["id"]["S"].endswith(n):
        print(r["eventName"], r["dynamodb"]["Keys"]["id"]["S"], r["dynamodb"].get("OldImage", {}).get("v", {}).get("N"), r["dynamodb"].get("NewImage", {}).get("v", {}).get("N"))
`

// TestTableAndStream: a table by boto3, its stream by boto3 and by a function,
// across a kill of the plane, which leaves no process behind.
func TestTableAndStream(t *testing.T) {
	t.Parallel()
	p := newEventPlane(t)
	for _, n := range []string{"1", "2"} {
		p.start()
		got := strings.Split(strings.TrimSpace(p.python(tableWork, n)), "\n")
		want := []string{"INSERT a1 None 1", "MODIFY a1 1 2", "INSERT b1 None None", "INSERT c1 None None", "INSERT e1 None None", "REMOVE b1 None None"}
		for i := range want {
			want[i] = strings.Replace(want[i], "1 ", n+" ", 1)
		}
		if strings.Join(got, ",") != strings.Join(want, ",") {
			t.Errorf("the stream has %q\nwant %q", got, want)
		}
		p.until("the function followed", func() bool {
			seen := p.seen()
			return seen["MODIFY_a"+n] > 0 && seen["REMOVE_b"+n] > 0 && seen["INSERT_c"+n] > 0
		})
		p.end(syscall.SIGKILL)
		p.until("no process is left", func() bool { return len(processesOf(t, p.dir)) == 0 })
	}
}

// processesOf are the command lines of processes that work on a folder.
func processesOf(t *testing.T, dir string) (found []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), dir) {
			found = append(found, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return found
}

const asyncWork = `
import boto3, json
client, sqs = boto3.client("lambda"), boto3.client("sqs")
assert client.invoke(FunctionName="Async", InvocationType="Event", Payload=json.dumps({"fail": True}))["StatusCode"] == 202
assert json.load(client.invoke(FunctionName="Async", Payload=json.dumps({"n": 1}))["Payload"]) == {"n": 1}
messages = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="Failures")["QueueUrl"], WaitTimeSeconds=20)["Messages"]
record = json.loads(messages[0]["Body"])
assert record["requestPayload"] == {"fail": True}, record
assert record["responsePayload"]["errorType"] == "RangeError", record
print(record["requestContext"]["condition"], record["requestContext"]["approximateInvokeCount"], record["requestContext"]["functionArn"], record["responseContext"]["functionError"])
`

// TestAsynchronousInvocation: retries and the on-failure destination, by boto3.
func TestAsynchronousInvocation(t *testing.T) {
	t.Parallel()
	p := newEventPlane(t)
	p.start()
	if got, want := strings.TrimSpace(p.python(asyncWork)), "RetriesExhausted 2 arn:aws:lambda:us-east-1:123456789012:function:Async:$LATEST Unhandled"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	p.end(syscall.SIGINT)
}

// TestCommandsMeetTheSDK: what the commands send, boto3 receives, and tail sees
// both.
func TestCommandsMeetTheSDK(t *testing.T) {
	t.Parallel()
	p := newEventPlane(t)
	p.start()
	var follow sync.WaitGroup
	var tail output
	ready := make(chan struct{})
	follow.Go(func() {
		close(ready)
		tail = execute(t, p.dir, "", bailey(t), "local", "tail", "Letters", "--json", "--backlog", "--count", "2")
	})
	<-ready
	o := execute(t, p.dir, "", bailey(t), "local", "send", "Letters", "hello", "-a", "n:Number=7", "--json")
	if o.status != 0 {
		t.Fatal(o.stderr)
	}
	got := p.python(`
import boto3
sqs = boto3.client("sqs")
url = sqs.get_queue_url(QueueName="Letters")["QueueUrl"]
m = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MessageAttributeNames=["All"])["Messages"][0]
sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
print(m["Body"], m["MessageAttributes"]["n"], m["MessageId"])
`)
	if !strings.HasPrefix(got, "hello {'StringValue': '7', 'DataType': 'Number'} ") || !strings.Contains(o.stdout, strings.Fields(got)[5]) {
		t.Errorf("%s%s", got, o.stdout)
	}
	follow.Wait()
	if !strings.Contains(tail.stdout, `"what":"published"`) || !strings.Contains(tail.stdout, `"what":"consumed"`) {
		t.Errorf("tail: %+v", tail)
	}
	p.end(syscall.SIGINT)
}
