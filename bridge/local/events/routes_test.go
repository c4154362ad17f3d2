package events_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/model"
	contract "github.com/bailey-cdk/bailey/internal/fork"
)

func arnOf(service, resource string) string {
	return "arn:aws:" + service + ":" + region + ":" + account + ":" + resource
}

// forkApp has a bus and a topic that both go to a bucket and an index by
// Firehose, and a bucket that tells a queue.
func forkApp() *model.Application {
	s3 := func(prefix string) map[string]any {
		return map[string]any{"BucketARN": "arn:aws:s3:::archive", "Prefix": prefix}
	}
	withFunction := s3("orders/")
	withFunction["ProcessingConfiguration"] = map[string]any{"Enabled": true, "Processors": []any{map[string]any{
		"Type":       "Lambda",
		"Parameters": []any{map[string]any{"ParameterName": "LambdaArn", "ParameterValue": arnOf("lambda", "function:Lines")}},
	}}}
	return &model.Application{
		Functions:  []*model.Function{{FunctionName: "Lines", ARN: arnOf("lambda", "function:Lines")}},
		EventBuses: []*model.EventBus{{BusName: "shop"}},
		Topics:     []*model.Topic{{TopicName: "placed", ARN: arnOf("sns", "placed")}},
		Queues: []*model.Queue{
			{QueueName: "arrived", ARN: arnOf("sqs", "arrived"), VisibilityTimeout: time.Minute},
			{QueueName: "dead", ARN: arnOf("sqs", "dead"), VisibilityTimeout: time.Minute},
			{QueueName: "big.fifo", ARN: arnOf("sqs", "big.fifo"), FIFO: true, ContentBasedDeduplication: true, VisibilityTimeout: time.Minute},
		},
		Buckets: []*model.Bucket{{BucketName: "archive", Notifications: []model.Notification{{Events: []string{"s3:ObjectCreated:*"}, Prefix: "orders/", TargetARN: arnOf("sqs", "arrived")}}}},
		DeliveryStreams: []*model.DeliveryStream{
			{DeliveryStreamName: "store", ARN: arnOf("firehose", "deliverystream/store"), Properties: map[string]any{"ExtendedS3DestinationConfiguration": withFunction}},
			{DeliveryStreamName: "index", ARN: arnOf("firehose", "deliverystream/index"), Properties: map[string]any{"AmazonopensearchserviceDestinationConfiguration": map[string]any{
				"DomainARN": arnOf("es", "domain/shop"), "IndexName": "orders", "IndexRotationPeriod": "NoRotation", "S3Configuration": map[string]any{"BucketARN": "arn:aws:s3:::imported", "Prefix": "es/"},
			}}},
		},
		Subscriptions: []*model.Subscription{{TopicARN: arnOf("sns", "placed"), Protocol: "firehose", Endpoint: arnOf("firehose", "deliverystream/store"), RawMessageDelivery: true}},
		Rules: []*model.Rule{{
			ID: model.ID{Path: "Shop/Big", Name: "Big"}, RuleName: "Big", BusName: "shop", Enabled: true, Pattern: `{"detail":{"total":[{"numeric":[">",10]}]}}`,
			Targets: []model.Target{
				{ID: "1", ARN: arnOf("firehose", "deliverystream/index"), InputPath: "$.detail"},
				{ID: "2", ARN: arnOf("sns", "placed"), InputTemplate: `{"id":<id>}`, InputPaths: map[string]string{"id": "$.detail.id"}},
				{ID: "3", ARN: arnOf("sqs", "big.fifo"), MessageGroupID: "g"},
				{ID: "4", ARN: arnOf("lambda", "function:Gone"), DeadLetterARN: arnOf("sqs", "dead")},
			},
		}},
	}
}

// lines is the function of the stream: it puts a line's end behind each record.
func lines(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
	var event struct{ Records []map[string]any }
	if err := json.Unmarshal(in.Payload, &event); err != nil {
		return nil, err
	}
	for _, r := range event.Records {
		data, err := base64.StdEncoding.DecodeString(r["data"].(string))
		if err != nil {
			return nil, err
		}
		r["result"], r["data"] = "Ok", base64.StdEncoding.EncodeToString(append(data, '\n'))
	}
	payload, err := json.Marshal(map[string]any{"records": event.Records})
	return &local.Result{Payload: payload}, err
}

// receiveAll takes the messages of a queue that are there.
func (r *running) receiveAll(t *testing.T, queue string) []string {
	t.Helper()
	var all []string
	for {
		out, err := r.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(r.url + "/" + account + "/" + queue), MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		for _, m := range out.Messages {
			all = append(all, *m.Body)
			if _, err := r.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String(r.url + "/" + account + "/" + queue), ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRoutes follows events by every route of the plane: by the bus and the
// topic to a bucket, an index and queues.
func TestRoutes(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, forkApp(), lines)
	config := aws.Config{Region: region, BaseEndpoint: aws.String(r.url), Credentials: credentials.NewStaticCredentialsProvider(account, "local", "")}
	put, err := eventbridge.NewFromConfig(config).PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{
		{EventBusName: aws.String("shop"), Source: aws.String("shop"), DetailType: aws.String("Order"), Detail: aws.String(`{"id":"o1","total":12}`)},
		{EventBusName: aws.String("shop"), Source: aws.String("shop"), DetailType: aws.String("Order"), Detail: aws.String(`{"id":"o2","total":9}`)},
	}})
	if err != nil || put.FailedEntryCount != 0 {
		t.Fatal(put, err)
	}
	if _, err := r.sns.Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String(arnOf("sns", "placed")), Message: aws.String(`{"id":"o3"}`)}); err != nil {
		t.Fatal(err)
	}
	// All of it was acknowledged: it is there when the plane is opened again.
	r.stop()
	r = start(t, dir, forkApp(), lines)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	archived, err := filepath.Glob(filepath.Join(dir, "s3", "archive", "orders", "*", "*", "*", "*", "store-1-*"))
	if err != nil || len(archived) != 1 {
		t.Fatalf("archived are %v, %v", archived, err)
	}
	if text, err := os.ReadFile(archived[0]); err != nil || string(text) != "{\"id\":\"o1\"}\n{\"id\":\"o3\"}\n" {
		t.Errorf("the object is %q, %v", text, err)
	}
	found, err := http.Get(r.url + "/_opensearch/shop/orders/_search?q=id:o1")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Body.Close()
	if text, err := io.ReadAll(found.Body); err != nil || !strings.Contains(string(text), `"_source":{"id":"o1","total":12}`) {
		t.Errorf("the index has %s, %v", text, err)
	}
	if all := r.receiveAll(t, "arrived"); len(all) != 1 || !strings.Contains(all[0], `"eventName":"ObjectCreated:Put"`) {
		t.Errorf("the bucket told %s", all)
	}
	if all := r.receiveAll(t, "big.fifo"); len(all) != 1 || !strings.Contains(all[0], `"detail":{"id":"o1","total":12}`) {
		t.Errorf("the FIFO queue got %s", all)
	}
	if all := r.receiveAll(t, "dead"); len(all) != 1 || !strings.Contains(all[0], `"detail":{"id":"o1","total":12}`) {
		t.Errorf("the dead-letter queue got %s", all)
	}
}

// TestRoutesOfRequests has what chooses the service: S3 gets what is signed for
// it, or says nothing else, and no more.
func TestRoutesOfRequests(t *testing.T) {
	r := start(t, t.TempDir(), forkApp(), lines)
	c := s3.NewFromConfig(aws.Config{Region: region, BaseEndpoint: aws.String(r.url), Credentials: credentials.NewStaticCredentialsProvider(account, "local", "")}, func(o *s3.Options) { o.UsePathStyle = true })
	large := bytes.Repeat([]byte("x"), 20<<20) // over what the plane reads whole
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("archive"), Key: aws.String("large"), Body: bytes.NewReader(large)}); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		method, host, path, target, want string
	}{
		{http.MethodGet, "", "/archive?list-type=2", "", "<Key>large</Key>"},
		{http.MethodGet, "archive.localhost", "/?list-type=2", "", "<Key>large</Key>"},
		{http.MethodGet, "archive.localhost", "/none", "", "NoSuchKey"},
		{http.MethodPut, "", "/archive/unsigned", "", ""},
		{http.MethodPost, "", "/", "Kinesis_20131202.PutRecord", "has no service for this request"},
		{http.MethodPost, "", "/?Action=Nothing&Version=2000-01-01", "", "has no service for this request"},
		{http.MethodGet, "archive.example.com", "/", "", "this server answers programs on this machine alone"},
	} {
		request, err := http.NewRequest(row.method, r.url+row.path, strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		if row.host != "" {
			request.Host = row.host
		}
		if row.target != "" {
			request.Header.Set("X-Amz-Target", row.target)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if !strings.Contains(string(text), row.want) {
			t.Errorf("%s gave %s", fmt.Sprint(row), text)
		}
	}
}

// What Firehose gives up is told, by S3 and EventBridge, to the queue of a
// fork's collector: only that, and of this stream alone.
func TestUndeliveredIsTold(t *testing.T) {
	stream := func(name string) *model.DeliveryStream {
		return &model.DeliveryStream{DeliveryStreamName: name, ARN: arnOf("firehose", "deliverystream/"+name), Properties: map[string]any{"ExtendedS3DestinationConfiguration": map[string]any{
			"BucketARN": "arn:aws:s3:::archive", "Prefix": "events/", "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
			"ProcessingConfiguration": map[string]any{"Enabled": true, "Processors": []any{map[string]any{
				"Type": "Lambda", "Parameters": []any{map[string]any{"ParameterName": "LambdaArn", "ParameterValue": arnOf("lambda", "function:Picky")}},
			}}},
		}}}
	}
	app := queues("undelivered")
	app.Functions = []*model.Function{{FunctionName: "Picky", ARN: arnOf("lambda", "function:Picky")}}
	app.Buckets = []*model.Bucket{{BucketName: "archive", EventBridge: true}}
	app.DeliveryStreams = []*model.DeliveryStream{stream("Shop-Orders"), stream("Shop-Others")}
	app.Rules = []*model.Rule{{
		ID: model.ID{Path: "Shop/Undelivered", Name: "Undelivered"}, RuleName: "Undelivered", BusName: "default", Enabled: true,
		Pattern: `{"source":["aws.s3"],"detail-type":["Object Created"],"detail":{"bucket":{"name":["archive"]},"object":{"key":[{"wildcard":"errors/*Shop-Orders-*"}]}}}`,
		Targets: []model.Target{{
			ID: "Collector", ARN: queueARN("undelivered"), InputTemplate: `{"branch": "Archive", "bucket": <bucket>, "key": <key>}`,
			InputPaths: map[string]string{"bucket": "$.detail.bucket.name", "key": "$.detail.object.key"},
		}},
	}}
	dir := t.TempDir()
	r := start(t, dir, app, picky)
	for _, name := range []string{"Shop-Orders", "Shop-Others"} {
		for _, text := range []string{"good", "bad", "worse, and bad"} {
			if err := r.Deliver(t.Context(), &service.Delivery{Target: arnOf("firehose", "deliverystream/"+name), Body: []byte(text)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var told contract.Undelivered
	messages := r.receiveAll(t, "undelivered")
	if len(messages) != 1 || json.Unmarshal([]byte(messages[0]), &told) != nil || told.Branch != "Archive" || told.Bucket != "archive" {
		t.Fatalf("the collector is told %q", messages)
	}
	text, err := os.ReadFile(filepath.Join(dir, "s3", told.Bucket, told.Key))
	if err != nil || strings.Count(string(text), "\n") != 2 || !strings.Contains(string(text), `"rawData":"`+base64.StdEncoding.EncodeToString([]byte("bad"))+`"`) {
		t.Errorf("%s is %s, %v", told.Key, text, err)
	}
}

// picky is a transformation that fails what is bad.
func picky(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
	var event struct{ Records []map[string]any }
	if err := json.Unmarshal(in.Payload, &event); err != nil {
		return nil, err
	}
	for _, r := range event.Records {
		data, err := base64.StdEncoding.DecodeString(r["data"].(string))
		if err != nil {
			return nil, err
		}
		r["result"] = "Ok"
		if strings.HasSuffix(string(data), "bad") {
			r["result"] = "ProcessingFailed"
		}
	}
	payload, err := json.Marshal(map[string]any{"records": event.Records})
	return &local.Result{Payload: payload}, err
}
