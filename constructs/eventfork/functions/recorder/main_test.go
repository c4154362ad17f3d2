package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/bailey-cdk/bailey/batch"
	"github.com/bailey-cdk/bailey/constructs/eventfork/internal/failure"
)

type bucket struct {
	objects map[string]string
	err     error
}

func (b *bucket) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	text, err := io.ReadAll(in.Body)
	if err == nil && b.err == nil {
		b.objects[*in.Bucket+"/"+*in.Key] = string(text)
	}
	return &s3.PutObjectOutput{}, errors.Join(err, b.err)
}

func event(queue string) events.SQSEvent {
	return events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: "1", Body: "poison", EventSourceARN: queue, Attributes: map[string]string{"SentTimestamp": "1793869200123"},
		MessageAttributes: map[string]events.SQSMessageAttribute{"ERROR_MESSAGE": {DataType: "String", StringValue: aws.String("no stock")}},
	}}}
}

func TestRecord(t *testing.T) {
	b := &bucket{objects: map[string]string{}}
	r := &recorder{api: b, bucket: "failures", branches: map[string]string{"arn:dead": "Checkout"}}
	for range 2 {
		response, err := batch.SQS(r.record)(t.Context(), event("arn:dead"))
		if err != nil || len(response.BatchItemFailures) > 0 {
			t.Fatal(response, err)
		}
	}
	if len(b.objects) != 1 {
		t.Fatalf("the objects are %v", b.objects)
	}
	for key, text := range b.objects {
		record, err := failure.Parse([]byte(text))
		if err != nil || record.Branch != "Checkout" || record.Body != "poison" || record.Reason.Message != "no stock" || key != "failures/"+record.Key() {
			t.Errorf("%s is %s, %v", key, text, err)
		}
	}
}

// What could not be written stays in the dead-letter queue.
func TestNotRecorded(t *testing.T) {
	for name, r := range map[string]*recorder{
		"S3 is away":             {api: &bucket{err: errors.New("away")}, branches: map[string]string{"arn:dead": "Checkout"}},
		"the queue of no branch": {api: &bucket{objects: map[string]string{}}},
	} {
		response, err := batch.SQS(r.record)(t.Context(), event("arn:dead"))
		if err != nil || len(response.BatchItemFailures) != 1 {
			t.Errorf("%s: %v, %v", name, response, err)
		}
	}
}

func TestConfiguration(t *testing.T) {
	if _, err := newRecorder(t.Context()); err == nil || !strings.Contains(err.Error(), "BUCKET") {
		t.Errorf("without a bucket: %v", err)
	}
	t.Setenv("BUCKET", "b")
	t.Setenv("BRANCH_1", "Checkout arn:dead queue https://sqs/1/q")
	r, err := newRecorder(t.Context())
	if err != nil || r.branches["arn:dead"] != "Checkout" {
		t.Errorf("got %+v, %v", r, err)
	}
	t.Setenv("BRANCH_1", "nonsense")
	if _, err := newRecorder(t.Context()); err == nil {
		t.Error("half a branch is read")
	}
}
