package eventfork_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/eventfork"
)

// wantParts finds texts in a resource, and others not.
func (s *template) wantParts(t *testing.T, kind, begin string, want, not []string) {
	t.Helper()
	text := asJSON(t, s.only(t, kind, begin).Properties)
	for _, part := range want {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %s: %s", begin, part, text)
		}
	}
	for _, part := range not {
		if strings.Contains(text, part) {
			t.Errorf("%s has %s: %s", begin, part, text)
		}
	}
}

// What Firehose fails is told by the bucket, whoever made it, and recorded for
// the branch of the stream that it is of.
func TestUndelivered(t *testing.T) {
	stack := newStack(t)
	key := awskms.NewKey(stack, jsii.String("Key"), nil)
	lake := awss3.NewBucket(stack, jsii.String("Lake"), &awss3.BucketProps{EncryptionKey: key})
	given := awss3.Bucket_FromBucketName(stack, jsii.String("Given"), jsii.String("given"))
	eventfork.New(stack, "Orders", eventfork.Props{Branches: eventfork.Branches{
		"Own":      eventfork.Storage{ErrorPrefix: "failed*/!{firehose:error-output-type}/"},
		"First":    eventfork.Storage{Bucket: lake, Prefix: "first/"},
		"Second":   eventfork.Storage{Bucket: lake, Prefix: "second/", Buffered: true},
		"Imported": eventfork.Search{BackupBucket: given},
	}})
	s := synth(t, stack)
	s.wantNoFaults(t)

	s.wantParts(t, "AWS::S3::Bucket", "OrdersOwnBucket", []string{`"EventBridgeEnabled":true`}, nil)
	s.wantParts(t, "AWS::S3::Bucket", "OrdersRecordBucket", nil, []string{"EventBridge"})
	// The CDK merges it with what the app has the bucket tell others.
	s.wantParts(t, "Custom::S3BucketNotifications", "", []string{`"EventBridgeConfiguration":{}`, `"BucketName":{"Ref":"Lake`}, nil)

	for branch, pattern := range map[string]string{
		"Own":      `"wildcard":{"Fn::Join":["",["failed\\*/*",{"Ref":"OrdersOwnStream`,
		"First":    `"wildcard":{"Fn::Join":["",["errors/*",{"Ref":"OrdersFirstStream`,
		"Second":   `"wildcard":{"Fn::Join":["",["errors/*",{"Ref":"OrdersSecondStream`,
		"Imported": `"bucket":{"name":["given"]},"object":{"key":[{"wildcard":{"Fn::Join":["",["errors/*",{"Ref":"OrdersImportedStream`,
	} {
		s.wantParts(t, "AWS::Events::Rule", "Orders"+branch+"UndeliveredRule", []string{
			pattern, `"Arn":{"Fn::GetAtt":["OrdersRecordUndelivered`, `{\"branch\": \"` + branch + `\", `,
		}, []string{"EventBusName"})
	}
	s.wantParts(t, "AWS::IAM::Policy", "OrdersRecordCollector", []string{
		`"Action":"s3:GetObject","Effect":"Allow","Resource":{"Fn::Join":["",[{"Fn::GetAtt":["OrdersOwnBucket`, `"/failed*/*"`,
		`:s3:::given/errors/*"`, `"Action":"kms:Decrypt"`,
	}, []string{`"s3:*"`, "s3:ListBucket"})
	// The stream is where it goes again, the queue where all else of it does.
	s.wantParts(t, "AWS::Lambda::Function", "OrdersRecordResender", []string{
		`" stream ",{"Ref":"OrdersFirstStream`, `" queue ",{"Ref":"OrdersSecondQueue`, `" stream ",{"Ref":"OrdersSecondStream`,
	}, nil)
	s.wantParts(t, "AWS::IAM::Policy", "OrdersRecordResender", []string{`"firehose:PutRecordBatch"],"Effect":"Allow","Resource":{"Fn::GetAtt":["OrdersSecondStream`}, nil)
}

// The queue and what it brings to the record are encrypted like the rest, and
// EventBridge may use the key.
func TestUndeliveredKey(t *testing.T) {
	stack := newStack(t)
	key := awskms.NewKey(stack, jsii.String("Key"), nil)
	eventfork.New(stack, "Orders", eventfork.Props{EncryptionKey: key, Branches: eventfork.Branches{"Archive": eventfork.Storage{}}})
	s := synth(t, stack)
	s.wantNoFaults(t)
	for _, queue := range s.ids("AWS::SQS::Queue", "OrdersRecordUndelivered") {
		if text := asJSON(t, s.Resources[queue].Properties); !strings.Contains(text, "KmsMasterKeyId") {
			t.Errorf("%s is not encrypted with the key: %s", queue, text)
		}
	}
	s.wantParts(t, "AWS::KMS::Key", "", []string{"events.amazonaws.com"}, nil)
	s.wantParts(t, "AWS::IAM::Policy", "OrdersRecordCollector", []string{`"kms:Decrypt"`, `"kms:GenerateDataKey*"`}, nil)
}

// A fork without a record, or without a stream, has none of it, and a bucket may
// then hold failures and events below one prefix.
func TestNoUndelivered(t *testing.T) {
	stack := newStack(t)
	eventfork.New(stack, "Orders", eventfork.Props{DisableRecord: true, Branches: eventfork.Branches{
		"Archive": eventfork.Storage{Bucket: awss3.NewBucket(stack, jsii.String("Lake"), nil), ErrorPrefix: "!{firehose:error-output-type}/"},
		"Masked":  eventfork.Storage{RemoveFields: []string{"card"}},
	}})
	eventfork.New(stack, "Others", eventfork.Props{Branches: eventfork.Branches{"Checkout": eventfork.Branch{Function: checkout(stack, "Consumer")}}})
	s := synth(t, stack)
	s.wantNoFaults(t)
	for kind, begin := range map[string]string{
		"AWS::Events::Rule": "", "Custom::S3BucketNotifications": "", "AWS::SQS::Queue": "OthersRecord", "AWS::Lambda::Function": "OthersRecordCollector",
	} {
		if ids := s.ids(kind, begin); len(ids) > 0 {
			t.Errorf("there is %v", ids)
		}
	}
	if strings.Contains(s.text, "EventBridgeEnabled") {
		t.Error("a bucket tells EventBridge of its objects")
	}
}
