//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// plane starts testdata/plane, which serves a fork and nothing else.
func plane(t testing.TB) (endpoint string, process *os.Process) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plane")
	if out, err := exec.Command("go", "build", "-o", path, "./testdata/plane").CombinedOutput(); err != nil {
		t.Fatalf("build the plane: %v\n%s", err, out)
	}
	command := exec.Command(path, "-dir", t.TempDir())
	command.Stderr = os.Stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), command.Process
}

// planeEnvironment leads clients to a plane.
func planeEnvironment(t testing.TB, endpoint string) []string {
	return append(e2e.Environment(t),
		"AWS_ENDPOINT_URL="+endpoint, "AWS_ACCESS_KEY_ID=123456789012", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_PAGER=",
	)
}

// planeClient runs a client of a plane, which must succeed, and gives what it
// printed.
func planeClient(t testing.TB, endpoint, name string, arguments ...string) string {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Env = planeEnvironment(t, endpoint)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", name, err, stdout.String(), stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}

// boto3Queues goes through SQS and SNS as a Python program does. boto3 compares
// the checksums itself.
const boto3Queues = `
import boto3, json
sqs, sns = boto3.client("sqs"), boto3.client("sns")
urls = {u.rsplit("/", 1)[1]: u for u in sqs.list_queues()["QueueUrls"]}
assert sorted(urls) == ["Index", "Mail", "Store"], urls
topic = sns.list_topics()["Topics"][0]["TopicArn"]
sent = sns.publish(TopicArn=topic, Message="häll\u00f6 <&>", Subject="S", MessageAttributes={
    "kind": {"DataType": "String", "StringValue": "order"}, "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}})
raw = sqs.receive_message(QueueUrl=urls["Store"], WaitTimeSeconds=5, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])["Messages"][0]
assert raw["Body"] == "häll\u00f6 <&>" and raw["MessageAttributes"]["raw"]["BinaryValue"] == b"\x00\xff", raw
wrapped = json.loads(sqs.receive_message(QueueUrl=urls["Mail"])["Messages"][0]["Body"])
assert wrapped["MessageId"] == sent["MessageId"] and wrapped["Message"] == raw["Body"] and wrapped["Subject"] == "S", wrapped
sqs.delete_message(QueueUrl=urls["Store"], ReceiptHandle=raw["ReceiptHandle"])

fifo = sqs.create_queue(QueueName="Q.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
for body in ["1", "2", "1"]:
    sqs.send_message(QueueUrl=fifo, MessageBody=body, MessageGroupId="g")
got = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10)["Messages"]
assert [m["Body"] for m in got] == ["1", "2"], got
sqs.delete_message_batch(QueueUrl=fifo, Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)])

try:
    sqs.get_queue_url(QueueName="None")
    assert False
except sqs.exceptions.QueueDoesNotExist:
    pass
try:
    sns.publish(TopicArn=topic + "None", Message="x")
    assert False
except sns.exceptions.NotFoundException:
    pass
print("done")
`

func TestQueuesAndTopicsByBoto3(t *testing.T) {
	t.Parallel()
	endpoint, _ := plane(t)
	if out := planeClient(t, endpoint, e2e.Python(t), "-c", boto3Queues); out != "done" {
		t.Errorf("the client printed %s", out)
	}
}

// javascriptQueues goes through SQS and SNS as a program in Node.js does, whose
// SDK sends to the host of a queue's URL.
const javascriptQueues = `
import assert from "node:assert";
import { SQSClient, GetQueueUrlCommand, SendMessageBatchCommand, ReceiveMessageCommand, DeleteMessageBatchCommand, GetQueueAttributesCommand, CreateQueueCommand } from "@aws-sdk/client-sqs";
import { SNSClient, PublishBatchCommand, SubscribeCommand, ListSubscriptionsByTopicCommand, SetSubscriptionAttributesCommand } from "@aws-sdk/client-sns";
const sqs = new SQSClient({}), sns = new SNSClient({});
const topic = "arn:aws:sns:us-east-1:123456789012:Orders";
const url = (await sqs.send(new GetQueueUrlCommand({ QueueName: "Store" }))).QueueUrl;
const published = await sns.send(new PublishBatchCommand({ TopicArn: topic, PublishBatchRequestEntries: [{ Id: "a", Message: "1" }, { Id: "b", Message: "2" }] }));
assert.equal(published.Successful.length, 2);
const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: [{ Id: "c", MessageBody: "3", MessageAttributes: { n: { DataType: "Number", StringValue: "3" } } }] }));
assert.equal(sent.Successful.length, 1);
const got = (await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 5, MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All"] }))).Messages;
assert.deepEqual(got.map((m) => m.Body), ["1", "2", "3"]);
assert.equal(got[2].MessageAttributes.n.StringValue, "3");
const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries: got.map((m, i) => ({ Id: String(i), ReceiptHandle: m.ReceiptHandle })) }));
assert.equal(deleted.Successful.length, 3);
const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }));
assert.equal(Attributes.ApproximateNumberOfMessages, "0");
assert.equal(Attributes.ApproximateNumberOfMessagesNotVisible, "0");
await sqs.send(new CreateQueueCommand({ QueueName: "Late" }));
const { SubscriptionArn } = await sns.send(new SubscribeCommand({ TopicArn: topic, Protocol: "sqs", Endpoint: "arn:aws:sqs:us-east-1:123456789012:Late", Attributes: { FilterPolicy: '{"kind":["x"]}' } }));
await sns.send(new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName: "RawMessageDelivery", AttributeValue: "true" }));
assert.equal((await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: topic }))).Subscriptions.length, 4);
console.log("done");
`

func TestQueuesAndTopicsByJavaScript(t *testing.T) {
	t.Parallel()
	endpoint, _ := plane(t)
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(e2e.Clients(t), "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "queues.mjs")
	if err := os.WriteFile(script, []byte(javascriptQueues), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := planeClient(t, endpoint, "node", script); out != "done" {
		t.Errorf("the client printed %s", out)
	}
}

func TestQueuesAndTopicsByTheAWSCommand(t *testing.T) {
	t.Parallel()
	endpoint, _ := plane(t)
	aws := func(arguments ...string) string {
		t.Helper()
		// Version 1 of the command has an endpoint of its own for SQS, which
		// wins over the environment's.
		return planeClient(t, endpoint, e2e.AWSCLI(t), append(arguments, "--output", "text", "--endpoint-url", endpoint)...)
	}
	url := aws("sqs", "get-queue-url", "--queue-name", "Store", "--query", "QueueUrl")
	dead := aws("sqs", "create-queue", "--queue-name", "Dead", "--query", "QueueUrl")
	aws("sqs", "set-queue-attributes", "--queue-url", url, "--attributes",
		`{"VisibilityTimeout":"0","RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:Dead\",\"maxReceiveCount\":\"1\"}"}`)
	aws("sns", "publish", "--topic-arn", "arn:aws:sns:us-east-1:123456789012:Orders", "--message", "poison")
	receive := func(url string) string {
		t.Helper()
		return aws("sqs", "receive-message", "--queue-url", url, "--query", "Messages[0].Body", "--visibility-timeout", "0")
	}
	if body := receive(url); body != "poison" {
		t.Errorf("received %s, want poison", body)
	}
	if body := receive(url); body != "None" {
		t.Errorf("received %s, and it was received too often", body)
	}
	if body := receive(dead); body != "poison" {
		t.Errorf("the dead-letter queue gave %s, want poison", body)
	}
	aws("sqs", "start-message-move-task", "--source-arn", "arn:aws:sqs:us-east-1:123456789012:Dead")
	eventually(t, "the redriven message", func() (string, bool) {
		n := aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "ApproximateNumberOfMessages", "--query", "Attributes.ApproximateNumberOfMessages")
		return n + " messages", n == "1"
	})
}
