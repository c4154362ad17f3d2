package eventfork_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/eventfork"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

func checkout(stack awscdk.Stack, id string) *serverless.Function {
	return serverless.NewFunction(stack, id, serverless.FunctionProps{Entry: "./functions/checkout"})
}

// whole is a fork with a branch of each kind, and all that they can have.
func whole(stack awscdk.Stack) *eventfork.Fork {
	f := eventfork.New(stack, "Orders", eventfork.Props{
		Branches: eventfork.Branches{
			// It comes first by its id, and leads to another.
			"Aftermath": eventfork.Replay{ToBranch: "Checkout", Rate: 50},
			"Archive":   eventfork.Storage{},
			"Checkout":  eventfork.Branch{Function: checkout(stack, "Consumer")},
			"Lake": eventfork.Storage{
				Parquet:       &eventfork.Parquet{Columns: []eventfork.Column{{"id", "string"}, {"amount", "double"}}},
				PartitionKeys: map[string]string{"country": ".customer.country"},
				Transform:     checkout(stack, "Transform"),
			},
			"Masked": eventfork.Storage{RemoveFields: []string{"payment.card-*"}, Envelope: true, Expiration: 365 * 24 * time.Hour},
			"Index": eventfork.Search{
				Filter:    eventfork.MatchAttributes(eventfork.Where("amount", eventfork.Numbers(eventfork.AtLeast(100)))),
				Retention: 30 * 24 * time.Hour,
			},
			"Partner": eventfork.Branch{Queue: serverless.NewQueue(stack, "PartnerQueue", serverless.QueueProps{}), Wrapped: true},
		},
	})
	f.AddBranch("Retry", eventfork.Replay{ToFunction: checkout(stack, "Retried"), Enabled: true, Start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
	return f
}

// The golden template guards what is deployed.
func TestWholeFork(t *testing.T) {
	stack := newStack(t)
	whole(stack)
	synth(t, stack).wantGolden(t, "whole")
}

// A FIFO fork keeps its order through every queue, but for a replay's.
func TestFifo(t *testing.T) {
	stack := newStack(t)
	f := eventfork.New(stack, "Orders", eventfork.Props{Fifo: true, TopicName: "orders.fifo", ContentBasedDeduplication: true, Branches: eventfork.Branches{
		"Archive": eventfork.Storage{}, "Checkout": eventfork.Branch{Function: checkout(stack, "Consumer")},
	}})
	f.AddBranch("Replay", eventfork.Replay{ToBranch: "Checkout"})
	s := synth(t, stack)
	s.wantNoFaults(t)
	for id, want := range map[string]bool{"OrdersArchiveQueue": true, "OrdersCheckoutQueue": true, "OrdersReplayQueue": false} {
		for _, queue := range s.ids("AWS::SQS::Queue", id) {
			if got := s.Resources[queue].Properties["FifoQueue"] == true; got != want {
				t.Errorf("%s is a FIFO queue: %v, want %v", queue, got, want)
			}
		}
	}
	if n := len(s.ids("AWS::SNS::Subscription", "")); n != 3 {
		t.Errorf("there are %d subscriptions", n)
	}
	for _, id := range s.ids("AWS::SNS::Subscription", "") {
		if s.Resources[id].Properties["Protocol"] != "sqs" {
			t.Errorf("%s: a FIFO topic delivers to queues alone", id)
		}
	}
}

// A fork of a bus: rules instead of subscriptions.
func TestBus(t *testing.T) {
	stack := newStack(t)
	bus := awsevents.NewEventBus(stack, jsii.String("Bus"), nil)
	eventfork.New(stack, "Orders", eventfork.Props{Bus: bus, Branches: eventfork.Branches{
		"Archive": eventfork.Storage{},
		"Large":   eventfork.Branch{Function: checkout(stack, "Consumer"), Filter: eventfork.MatchBody(eventfork.Where("amount", eventfork.Numbers(eventfork.Above(100))))},
		"Whole":   eventfork.Branch{Queue: serverless.NewQueue(stack, "Given", serverless.QueueProps{}), Wrapped: true, Filter: eventfork.MatchEvent(eventfork.Where("source", eventfork.Wildcard("shop.*")))},
	}})
	s := synth(t, stack)
	s.wantGolden(t, "bus")
	for begin, want := range map[string][]string{
		"OrdersArchiveRule": {`"EventPattern":{"source":[{"prefix":""}]}`, `"InputPath":"$.detail"`, `"RoleArn":`, `"DeadLetterConfig":`},
		"OrdersLargeRule":   {`"EventPattern":{"detail":{"amount":[{"numeric":["\u003e",100]}]}}`, `"InputPath":"$.detail"`},
		"OrdersWholeRule":   {`"EventPattern":{"source":[{"wildcard":"shop.*"}]}`},
	} {
		text := asJSON(t, s.only(t, "AWS::Events::Rule", begin).Properties)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %s: %s", begin, part, text)
			}
		}
	}
	if text := asJSON(t, s.only(t, "AWS::Events::Rule", "OrdersWholeRule").Properties); strings.Contains(text, "InputPath") {
		t.Errorf("a wrapped event loses its envelope: %s", text)
	}
}

// Everything is encrypted with the key, and SNS may use it.
func TestKey(t *testing.T) {
	stack := newStack(t)
	key := awskms.NewKey(stack, jsii.String("Key"), nil)
	eventfork.New(stack, "Orders", eventfork.Props{EncryptionKey: key, AlarmTopic: awssns.NewTopic(stack, jsii.String("Pager"), nil), Branches: eventfork.Branches{
		"Archive": eventfork.Storage{}, "Checkout": eventfork.Branch{Function: checkout(stack, "Consumer")},
	}})
	s := synth(t, stack)
	s.wantNoFaults(t)
	for id, r := range s.Resources {
		text := asJSON(t, r.Properties)
		switch {
		case !strings.HasPrefix(id, "Orders") || strings.Contains(id, "AccessLogs"):
		case r.Type == "AWS::SQS::Queue" && !strings.Contains(text, "KmsMasterKeyId"),
			r.Type == "AWS::SNS::Topic" && !strings.Contains(text, `"KmsMasterKeyId":{"Fn::GetAtt"`),
			r.Type == "AWS::S3::Bucket" && !strings.Contains(text, "aws:kms"),
			r.Type == "AWS::DynamoDB::Table" && !strings.Contains(text, "KMSMasterKeyId"):
			t.Errorf("%s is not encrypted with the key: %s", id, text)
		case r.Type == "AWS::CloudWatch::Alarm" && !strings.Contains(text, "AlarmActions"):
			t.Errorf("%s tells nobody", id)
		}
	}
	if policy := asJSON(t, s.only(t, "AWS::KMS::Key", "").Properties["KeyPolicy"]); !strings.Contains(policy, "sns.amazonaws.com") {
		t.Errorf("SNS may not use the key: %s", policy)
	}
}

// What is switched off is not there.
func TestWithout(t *testing.T) {
	stack := newStack(t)
	eventfork.New(stack, "Orders", eventfork.Props{
		DisableRecord: true, DisableAlarms: true, DisableIdempotency: true, Topic: awssns.NewTopic(stack, jsii.String("Mine"), nil),
		Branches: eventfork.Branches{"Checkout": eventfork.Branch{Function: checkout(stack, "Consumer")}},
	})
	s := synth(t, stack)
	s.wantNoFaults(t)
	for _, kind := range []string{"AWS::CloudWatch::Alarm", "AWS::DynamoDB::Table", "AWS::S3::Bucket"} {
		if ids := s.ids(kind, ""); len(ids) > 0 {
			t.Errorf("there is %v", ids)
		}
	}
	if n := len(s.ids("AWS::SNS::Topic", "")); n != 1 {
		t.Errorf("there are %d topics, want the given one", n)
	}
}
