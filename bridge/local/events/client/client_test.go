package client_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events"
	"github.com/bailey-cdk/bailey/bridge/local/events/client"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const (
	topicARN = "arn:aws:sns:us-east-1:123456789012:orders"
	workARN  = "arn:aws:sqs:us-east-1:123456789012:work"
	deadARN  = "arn:aws:sqs:us-east-1:123456789012:dead"
)

// plane is a real plane with a topic, a bus, a queue with a dead-letter queue
// and a function that takes what comes into the queue and fails on "poison".
func plane(t *testing.T, got chan<- string) *client.Client {
	t.Helper()
	fn := &model.Function{
		ID: model.ID{Path: "Shop/Worker", Name: "Worker"}, FunctionName: "Worker", ReservedConcurrency: -1,
		ARN: "arn:aws:lambda:us-east-1:123456789012:function:Worker",
	}
	app := &model.Application{
		Region: "us-east-1", AccountID: "123456789012", Functions: []*model.Function{fn},
		Topics: []*model.Topic{{ID: model.ID{Path: "Shop/Orders"}, TopicName: "orders", ARN: topicARN}},
		Queues: []*model.Queue{
			{ID: model.ID{Path: "Shop/Work"}, QueueName: "work", ARN: workARN, VisibilityTimeout: time.Second, MessageRetentionPeriod: time.Hour, DeadLetterARN: deadARN, MaxReceiveCount: 1},
			{ID: model.ID{Path: "Shop/Dead"}, QueueName: "dead", ARN: deadARN, VisibilityTimeout: time.Second, MessageRetentionPeriod: time.Hour},
		},
		Subscriptions: []*model.Subscription{{ID: model.ID{Path: "Shop/ToWork"}, TopicARN: topicARN, Protocol: "sqs", Endpoint: workARN, RawMessageDelivery: true}},
		EventBuses:    []*model.EventBus{{ID: model.ID{Path: "Shop/Bus"}, BusName: "shop", ARN: "arn:aws:events:us-east-1:123456789012:event-bus/shop"}},
		Rules: []*model.Rule{{
			ID: model.ID{Path: "Shop/Rule"}, RuleName: "rule", BusName: "shop", Pattern: `{"source":["shop"]}`, Enabled: true,
			Targets: []model.Target{{ID: "T", ARN: workARN, InputPath: "$.detail"}},
		}},
		EventSourceMappings: []*model.EventSourceMapping{{ID: model.ID{Path: "Shop/Poll"}, Function: fn, EventSourceARN: workARN, BatchSize: 1, Enabled: true}},
	}
	invoke := func(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
		var e struct {
			Records []struct {
				Body              string
				MessageAttributes map[string]struct{ StringValue, BinaryValue, DataType string }
			}
		}
		_ = json.Unmarshal(in.Payload, &e)
		if len(e.Records) == 0 {
			return &local.Result{Payload: in.Payload}, nil
		}
		r := e.Records[0]
		if strings.Contains(r.Body, "poison") {
			return &local.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"Error","errorMessage":"no good"}`)}, nil
		}
		for _, name := range []string{"n", "b"} {
			if a, ok := r.MessageAttributes[name]; ok {
				r.Body += " " + name + "=" + a.StringValue + a.BinaryValue + ":" + a.DataType
			}
		}
		got <- r.Body
		return &local.Result{}, nil
	}
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	p, err := events.Open(events.Options{Application: app, Invoke: invoke, Dir: t.TempDir(), URL: url})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = p
	server.Start()
	t.Cleanup(func() {
		p.Close()
		server.Close()
	})
	return &client.Client{URL: url, Region: "us-east-1"}
}

func want(t *testing.T, got <-chan string, body string) {
	t.Helper()
	select {
	case b := <-got:
		if b != body {
			t.Errorf("the function got %q, want %q", b, body)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("the function never got %q", body)
	}
}

func TestMessagesArrive(t *testing.T) {
	got := make(chan string, 10)
	c := plane(t, got)
	ctx := t.Context()
	message := &client.Message{Body: `{"id": 1}`, Subject: "s", Attributes: map[string]client.Attribute{
		"n": {DataType: "Number", Value: "120"}, "b": {DataType: "Binary", Value: base64.StdEncoding.EncodeToString([]byte("hi"))},
	}}
	sent, err := c.Publish(ctx, topicARN, message)
	if err != nil || sent.MessageID == "" {
		t.Fatal(sent, err)
	}
	want(t, got, `{"id": 1} n=120:Number b=aGk=:Binary`)
	if sent, err = c.Send(ctx, c.URL+"/123456789012/work", message); err != nil || sent.MessageID == "" {
		t.Fatal(sent, err)
	}
	want(t, got, `{"id": 1} n=120:Number b=aGk=:Binary`)
	ids, err := c.PutEvents(ctx, []client.Event{{EventBusName: "shop", Source: "shop", DetailType: "Placed", Detail: `{"id":3}`, Time: "2026-11-01T12:00:00Z"}})
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	want(t, got, `{"id":3}`)
}

func TestErrors(t *testing.T) {
	c := plane(t, nil)
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"NotFound":          func() error { _, err := c.Publish(ctx, topicARN+"x", &client.Message{Body: "x"}); return err },
		"QueueDoesNotExist": func() error { _, err := c.Send(ctx, c.URL+"/1/none", &client.Message{Body: "x"}); return err },
		"want one such as":  func() error { _, err := c.PutEvents(ctx, []client.Event{{Time: "soon"}}); return err },
		"event 1 of 1":      func() error { _, err := c.PutEvents(ctx, []client.Event{{Source: "s"}}); return err },
		"ResourceNotFound":  func() error { _, err := c.Invoke(ctx, "None", []byte("{}")); return err },
		"SourceArn":         func() error { _, err := c.Redrive(ctx, deadARN+"x", "", 0); return err },
	} {
		err := call()
		found := false
		for _, part := range strings.Split(name, "|") {
			found = found || err != nil && strings.Contains(err.Error(), part)
		}
		if !found {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRedrive: a poisoned message ends in the dead-letter queue, is moved back,
// and ends there again. What passes is seen.
func TestRedrive(t *testing.T) {
	c := plane(t, nil)
	ctx := t.Context()
	if _, err := c.Send(ctx, c.URL+"/123456789012/work", &client.Message{Body: "poison"}); err != nil {
		t.Fatal(err)
	}
	buried := 0
	enough := errors.New("enough")
	err := c.Watch(ctx, true, func(n *client.Note) error {
		if n.What != service.DeadLettered {
			return nil
		}
		if buried++; buried == 2 {
			return enough
		}
		moved, err := c.Redrive(ctx, deadARN, "", 0)
		if err != nil || moved.Moved != 1 {
			t.Errorf("%v %v", moved, err)
		}
		return err
	})
	if !errors.Is(err, enough) {
		t.Error(err)
	}
}

func TestInvoke(t *testing.T) {
	c := plane(t, nil)
	answer, err := c.Invoke(t.Context(), "Worker", []byte(`{"a":1}`))
	if err != nil || string(answer) != `{"a":1}` {
		t.Errorf("%s %v", answer, err)
	}
	_, err = c.Invoke(t.Context(), "Worker", []byte(`{"Records":[{"body":"poison"}]}`))
	failed := &client.FunctionError{}
	if !errors.As(err, &failed) || failed.Message != "no good" {
		t.Error(err)
	}
}

func TestParseAttribute(t *testing.T) {
	for text, want := range map[string]client.Attribute{
		"a=b": {DataType: "String", Value: "b"}, "a=b=c": {DataType: "String", Value: "b=c"}, "a=": {DataType: "String"},
		"a:Number=1": {DataType: "Number", Value: "1"}, "a:Number.int=1": {DataType: "Number.int", Value: "1"}, "a:Binary=aGk=": {DataType: "Binary", Value: "aGk="},
	} {
		if name, got, err := client.ParseAttribute(text); err != nil || name != "a" || got != want {
			t.Errorf("%s: %s %+v %v", text, name, got, err)
		}
	}
	for _, text := range []string{"a", "=b", "a:Date=1", "a:Binary=%"} {
		if _, _, err := client.ParseAttribute(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
