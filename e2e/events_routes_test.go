//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/internal/e2e"
)

// planeServer is a bailey local start-events, with the environment of its
// clients.
type planeServer struct {
	t       testing.TB
	dir     string
	url     string
	environ []string
	process *exec.Cmd
}

// routes is a copy of testdata/apps/routes, bridged: buckets, buses, delivery
// streams and schedules that lead to queues. Its assembly is written by hand.
func routes(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "routes")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "apps", "routes"))); err != nil {
		t.Fatal(err)
	}
	_, python := hosts(t)
	replaceIn(t, filepath.Join(dir, "cdk.out", "Routes.template.json"), "python3.13", python, "x86_64", e2e.Architecture())
	succeed(t, dir, bailey(t), "bridge", "cdk.out")
	return dir
}

// startPlane serves the events of a project.
func startPlane(t testing.TB, dir string) *planeServer {
	t.Helper()
	p := &planeServer{t: t, dir: dir, process: exec.Command(bailey(t), "local", "start-events", "--port", "0", "--json")}
	p.process.Dir, p.process.Env, p.process.Stderr = dir, e2e.Environment(t), os.Stderr
	out, err := p.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("start-events ended: %v", err)
	}
	var announced struct {
		URL     string
		Environ []string
	}
	if err := json.Unmarshal(line, &announced); err != nil {
		t.Fatalf("start-events printed %s: %v", line, err)
	}
	p.url, p.environ = announced.URL, append(e2e.Environment(t), announced.Environ...)
	return p
}

func (p *planeServer) kill() {
	_ = p.process.Process.Kill() // it may have ended
	_ = p.process.Wait()
}

// run runs a client, which must succeed, and gives its standard output.
func (p *planeServer) run(name string, arguments ...string) string {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	command := exec.Command(name, arguments...)
	command.Dir, command.Env, command.Stdout, command.Stderr = p.dir, p.environ, &stdout, &stderr
	if err := command.Run(); err != nil {
		p.t.Fatalf("%s: %v\n%s%s", strings.Join(arguments, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// eventually waits for a condition, and fails with what is there instead.
func eventually(t testing.TB, what string, check func() (string, bool)) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		got, ok := check()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: after 30 s there is %s", what, got)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// boto3Routes goes through S3, EventBridge, Firehose and Scheduler as a Python
// program does, and asserts what each answers.
const boto3Routes = `
import base64, json, os, time, urllib.error, urllib.request
import boto3
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

s3 = boto3.client("s3")
bucket = "routes-archive"

def code(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "none"

put = s3.put_object(Bucket=bucket, Key="in/order 1.json", Body=b"hello", ContentType="application/json", Metadata={"who": "me"})
assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"', put
got = s3.get_object(Bucket=bucket, Key="in/order 1.json", ChecksumMode="ENABLED")
assert got["Body"].read() == b"hello" and got["Metadata"] == {"who": "me"} and got["ContentType"] == "application/json", got
assert s3.get_object(Bucket=bucket, Key="in/order 1.json", Range="bytes=1-2")["Body"].read() == b"el"
for algorithm in ["CRC32", "CRC32C", "SHA1", "SHA256"]:
    if algorithm == "CRC32C":
        continue  # needs awscrt
    s3.put_object(Bucket=bucket, Key="sum", Body=b"x" * 100000, ChecksumAlgorithm=algorithm)
    assert len(s3.get_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")["Body"].read()) == 100000
with open("stream", "wb") as f:
    f.write(os.urandom(3000))
with open("stream", "rb") as f:
    s3.put_object(Bucket=bucket, Key="stream", Body=f)

big = os.urandom(13 << 20)
with open("big", "wb") as f:
    f.write(big)
s3.upload_file("big", bucket, "big", Config=TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20))
assert s3.get_object(Bucket=bucket, Key="big")["Body"].read() == big
assert s3.head_object(Bucket=bucket, Key="big")["ETag"].endswith('-3"')

for n in range(25):
    s3.put_object(Bucket=bucket, Key=f"many/{n:02}/x", Body=b"")
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="many/", Delimiter="/", PaginationConfig={"PageSize": 10})
prefixes = [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])]
assert prefixes == [f"many/{n:02}/" for n in range(25)], prefixes
s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "in/order 1.json"})
assert s3.get_object(Bucket=bucket, Key="copy")["Metadata"] == {"who": "me"}
url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "in/order 1.json"})
assert urllib.request.urlopen(url).read() == b"hello"
url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "presigned"})
urllib.request.urlopen(urllib.request.Request(url, data=b"up", method="PUT"))
assert s3.get_object(Bucket=bucket, Key="presigned")["Body"].read() == b"up"
deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"many/{n:02}/x"} for n in range(25)]})
assert len(deleted["Deleted"]) == 25 and "Errors" not in deleted, deleted
s3.delete_object(Bucket=bucket, Key="in/order 1.json")
assert code(s3.get_object, Bucket=bucket, Key="in/order 1.json") == "NoSuchKey"
assert code(s3.get_object, Bucket="none", Key="x") == "NoSuchBucket"
assert code(s3.get_object, Bucket=bucket, Key="sum", Range="bytes=100000-") == "InvalidRange"
assert code(s3.put_object, Bucket=bucket, Key="sum", Body=b"", IfNoneMatch="*") == "PreconditionFailed"

events = boto3.client("events")
answer = events.put_events(Entries=[
    {"EventBusName": "routes-shop", "Source": "shop", "DetailType": "Order", "Detail": json.dumps({"id": "o1", "total": 12})},
    {"EventBusName": "routes-shop", "Source": "shop", "DetailType": "Order", "Detail": json.dumps({"id": "o2", "total": 9})},
    {"EventBusName": "routes-shop", "Source": "shop", "DetailType": "Order", "Detail": "no"},
])
assert answer["FailedEntryCount"] == 1 and answer["Entries"][2]["ErrorCode"] == "MalformedDetail", answer
assert events.test_event_pattern(EventPattern='{"a":[{"prefix":"x"}]}', Event='{"a":"xy"}')["Result"]
assert code(events.put_rule, Name="bad", EventPattern='{"a":[]}') == "InvalidEventPatternException"
names = [r["Name"] for r in events.list_rules(EventBusName="routes-shop")["Rules"]]
assert names == ["routes-big-orders"], names

firehose = boto3.client("firehose")
batch = firehose.put_record_batch(DeliveryStreamName="routes-store", Records=[{"Data": b"one"}, {"Data": b"drop me"}, {"Data": b"two"}])
assert batch["FailedPutCount"] == 0 and len(batch["RequestResponses"]) == 3, batch
firehose.put_record(DeliveryStreamName="routes-index", Record={"Data": b"not JSON"})
assert "routes-store" in firehose.list_delivery_streams()["DeliveryStreamNames"]
assert firehose.describe_delivery_stream(DeliveryStreamName="routes-store")["DeliveryStreamDescription"]["DeliveryStreamStatus"] == "ACTIVE"

scheduler = boto3.client("scheduler")
assert [s["Name"] for s in scheduler.list_schedules()["Schedules"]] == ["Nightly"]
scheduler.create_schedule(Name="Soon", ScheduleExpression="at(%s)" % time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 2)),
    FlexibleTimeWindow={"Mode": "OFF"}, Target={"Arn": "arn:aws:sqs:us-east-1:123456789012:routes-ticks", "RoleArn": "arn:aws:iam::123456789012:role/any", "Input": '{"soon":true}'})

sqs = boto3.client("sqs")
def receive(queue, wanted):
    got = []
    end = time.time() + 20
    while len(got) < wanted and time.time() < end:
        for m in sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], WaitTimeSeconds=2, MaxNumberOfMessages=10).get("Messages", []):
            got.append(m["Body"])
    return got
big = receive("routes-big", 1)
assert [json.loads(m) for m in big] == [{"order": "o1", "text": "order o1 of 12"}], big
arrived = json.loads(receive("routes-arrived", 1)[0])["Records"][0]
assert arrived["eventName"] == "ObjectCreated:Put" and arrived["s3"]["object"]["key"] == "in/order+1.json", arrived
assert receive("routes-deleted", 1) == ['"in/order 1.json"']
assert receive("routes-ticks", 1) == ['{"soon":true}']
print("done")
`

// TestRoutesByBoto3 has a Python program use the plane, and looks at what it
// leaves on disk.
func TestRoutesByBoto3(t *testing.T) {
	t.Parallel()
	p := startPlane(t, routes(t))
	if got := p.run(e2e.Python(t), "-c", boto3Routes); strings.TrimSpace(got) != "done" {
		t.Errorf("the program printed %s", got)
	}
	stored := filepath.Join(p.dir, ".bailey", "s3", "routes-archive", "stored", time.Now().UTC().Format("2006"), "routes-store-1-*.gz")
	eventually(t, "the stored records", func() (string, bool) {
		text, err := unzipAll(stored)
		if err != nil {
			return err.Error(), false
		}
		got := strings.Join(strings.Fields(text), " ")
		return got, got == `{"ID":"O1","TOTAL":12} ONE TWO`
	})
	eventually(t, "the index", func() (string, bool) {
		text, err := get(p.url + "/_opensearch/shop/orders/_search?q=id:o1")
		if err != nil {
			return err.Error(), false
		}
		return text, strings.Contains(text, `"_source":{"id":"o1","total":12}`)
	})
	eventually(t, "the document that is none", func() (string, bool) {
		found, err := filepath.Glob(filepath.Join(p.dir, ".bailey", "s3", "routes-archive", "unindexed", "elasticsearch-failed", "*", "*", "*", "*", "*"))
		return strings.Join(found, " "), err == nil && len(found) == 1
	})
}

// get is the body that a URL answers with.
func get(url string) (string, error) {
	answer, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

// nodeRoutes goes through the same services as a Node.js program does, with
// streams, whose checksums the SDK sends behind them.
const nodeRoutes = `
const { S3Client, PutObjectCommand, GetObjectCommand, ListObjectsV2Command, DeleteObjectsCommand, HeadObjectCommand } = require("@aws-sdk/client-s3");
const { Upload } = require("@aws-sdk/lib-storage");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");
const { EventBridgeClient, PutEventsCommand } = require("@aws-sdk/client-eventbridge");
const { FirehoseClient, PutRecordBatchCommand } = require("@aws-sdk/client-firehose");
const { SchedulerClient, ListSchedulesCommand } = require("@aws-sdk/client-scheduler");
const { Readable } = require("node:stream");
const assert = require("node:assert");

(async () => {
  const s3 = new S3Client({});
  const Bucket = "routes-archive";
  await s3.send(new PutObjectCommand({ Bucket, Key: "a b/ü.txt", Body: "hello", Metadata: { who: "me" }, ContentType: "text/plain" }));
  let got = await s3.send(new GetObjectCommand({ Bucket, Key: "a b/ü.txt", ChecksumMode: "ENABLED" }));
  assert.equal(await got.Body.transformToString(), "hello"); assert.equal(got.Metadata.who, "me");
  for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"]) {
    await s3.send(new PutObjectCommand({ Bucket, Key: "sum", Body: "x".repeat(100000), ChecksumAlgorithm }));
    got = await s3.send(new GetObjectCommand({ Bucket, Key: "sum", ChecksumMode: "ENABLED" }));
    assert.equal((await got.Body.transformToByteArray()).length, 100000);
  }
  const big = Buffer.alloc(12 << 20, "z");
  await new Upload({ client: s3, params: { Bucket, Key: "big", Body: Readable.from((function* () { for (let i = 0; i < 12; i++) yield big.subarray(i << 20, (i + 1) << 20); })()) } }).done();
  assert.equal((await s3.send(new HeadObjectCommand({ Bucket, Key: "big" }))).ContentLength, 12 << 20);
  await s3.send(new PutObjectCommand({ Bucket, Key: "stream", Body: Readable.from(["abc", "def"]), ContentLength: 6 }));
  assert.equal(await (await s3.send(new GetObjectCommand({ Bucket, Key: "stream" }))).Body.transformToString(), "abcdef");
  const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "signed" }));
  assert.equal((await fetch(url, { method: "PUT", body: "up" })).status, 200);
  assert.equal(await (await fetch(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "signed" })))).text(), "up");
  const list = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "a b/" }));
  assert.equal(list.Contents[0].Key, "a b/ü.txt");
  const del = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "sum" }, { Key: "nix" }] } }));
  assert.equal(del.Deleted.length, 2);
  await assert.rejects(s3.send(new GetObjectCommand({ Bucket, Key: "sum" })), { name: "NoSuchKey" });
  const put = await new EventBridgeClient().send(new PutEventsCommand({ Entries: [{ EventBusName: "routes-shop", Source: "shop", DetailType: "Order", Detail: '{"total":99}', Time: new Date() }] }));
  assert.equal(put.FailedEntryCount, 0);
  const batch = await new FirehoseClient().send(new PutRecordBatchCommand({ DeliveryStreamName: "routes-store", Records: [{ Data: Buffer.from("x") }] }));
  assert.equal(batch.FailedPutCount, 0);
  assert.equal((await new SchedulerClient().send(new ListSchedulesCommand())).Schedules[0].Name, "Nightly");
  console.log("done");
})().catch((error) => { console.error(error); process.exit(1); });
`

// TestRoutesByNode has a Node.js program use the plane, with no setting but the
// environment.
func TestRoutesByNode(t *testing.T) {
	t.Parallel()
	p := startPlane(t, routes(t))
	p.environ = append(p.environ, "NODE_PATH="+filepath.Join(e2e.Clients(t), "node_modules"), "NODE_NO_WARNINGS=1")
	if got := p.run("node", "-e", nodeRoutes); strings.TrimSpace(got) != "done" {
		t.Errorf("the program printed %s", got)
	}
}

// unzipAll is the content of files, one behind the other, in the order of their
// names.
func unzipAll(pattern string) (string, error) {
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		return "", errors.Join(err, errors.New("no files"))
	}
	var all strings.Builder
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer file.Close()
		z, err := gzip.NewReader(file)
		if err != nil {
			return "", err
		}
		if _, err := io.Copy(&all, z); err != nil {
			return "", err
		}
	}
	return all.String(), nil
}

// TestRoutesByCLI has the aws command use the plane, also after it was killed.
func TestRoutesByCLI(t *testing.T) {
	t.Parallel()
	aws := e2e.AWSCLI(t)
	dir := routes(t)
	p := startPlane(t, dir)
	for name, text := range map[string]string{"files/a.txt": "first", "files/deep/b ü.txt": "second"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // over the size of a multipart upload
	if err := os.WriteFile(filepath.Join(dir, "large"), large, 0o644); err != nil {
		t.Fatal(err)
	}
	p.run(aws, "s3", "mb", "s3://routes-mine")
	p.run(aws, "s3", "sync", "files", "s3://routes-mine/copy")
	p.run(aws, "s3", "cp", "large", "s3://routes-mine/large")
	p.run(aws, "s3", "mv", "s3://routes-mine/copy/a.txt", "s3://routes-mine/moved.txt")
	p.run(aws, "events", "put-events", "--entries", `[{"EventBusName":"routes-shop","Source":"shop","DetailType":"Order","Detail":"{\"id\":\"o7\",\"total\":70}"}]`)
	p.run(aws, "firehose", "put-record", "--delivery-stream-name", "routes-store", "--record", `{"Data":"by hand"}`)
	// What was acknowledged is there after a kill at this instant.
	p.kill()
	p = startPlane(t, dir)
	if got := p.run(aws, "s3", "ls", "--recursive", "s3://routes-mine"); !strings.Contains(got, " copy/deep/b ü.txt\n") || !strings.Contains(got, " moved.txt\n") || strings.Contains(got, "copy/a.txt") {
		t.Errorf("listed are\n%s", got)
	}
	p.run(aws, "s3", "cp", "s3://routes-mine/large", "back")
	if back, err := os.ReadFile(filepath.Join(dir, "back")); err != nil || !bytes.Equal(back, large) {
		t.Errorf("%d bytes came back, %v", len(back), err)
	}
	if got := p.run(aws, "s3", "cp", "s3://routes-mine/moved.txt", "-"); got != "first" {
		t.Errorf("the object is %q", got)
	}
	url := strings.TrimSpace(p.run(aws, "s3", "presign", "s3://routes-mine/moved.txt"))
	if got, err := get(url); err != nil || got != "first" {
		t.Errorf("the presigned URL gave %q, %v", got, err)
	}
	// Version 1 of the command sets the endpoint of SQS itself, whatever
	// AWS_ENDPOINT_URL says.
	queue := p.run(aws, "--endpoint-url", p.url, "sqs", "get-queue-url", "--queue-name", "routes-big", "--query", "QueueUrl", "--output", "text")
	got := p.run(aws, "--endpoint-url", p.url, "sqs", "receive-message", "--queue-url", strings.TrimSpace(queue), "--wait-time-seconds", "5", "--query", "Messages[0].Body", "--output", "text")
	if strings.TrimSpace(got) != `{"order":"o7","text":"order o7 of 70"}` {
		t.Errorf("the queue has %s", got)
	}
	eventually(t, "the stored records", func() (string, bool) {
		text, err := unzipAll(filepath.Join(dir, ".bailey", "s3", "routes-archive", "stored", "*", "routes-store-1-*.gz"))
		if err != nil {
			return err.Error(), false
		}
		return text, strings.Contains(text, "BY HAND") && strings.Contains(text, `{"ID":"O7","TOTAL":70}`)
	})
	for _, arguments := range [][]string{
		{"events", "list-rules", "--event-bus-name", "routes-shop"},
		{"events", "list-event-buses"},
		{"events", "list-targets-by-rule", "--rule", "routes-removed"},
		{"firehose", "list-delivery-streams"},
		{"firehose", "describe-delivery-stream", "--delivery-stream-name", "routes-index"},
		{"scheduler", "get-schedule", "--name", "Nightly"},
		{"s3api", "get-bucket-notification-configuration", "--bucket", "routes-archive"},
	} {
		if got := p.run(aws, arguments...); !json.Valid([]byte(got)) {
			t.Errorf("%s printed %s", strings.Join(arguments, " "), got)
		}
	}
	p.run(aws, "s3", "rb", "--force", "s3://routes-mine")
	if got := p.run(aws, "s3", "ls"); strings.Contains(got, "routes-mine") {
		t.Errorf("after its removal there is\n%s", got)
	}
}
