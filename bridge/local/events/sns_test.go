package events_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// fork is an application with a topic and a queue for each branch.
func fork(topic string, branches ...*model.Subscription) *model.Application {
	app := &model.Application{Topics: []*model.Topic{{ID: model.ID{Path: "App/" + topic}, TopicName: topic, ARN: topicARN(topic), FIFO: strings.HasSuffix(topic, ".fifo")}}}
	for i, b := range branches {
		b.ID = model.ID{Path: "App/Branch" + strconv.Itoa(i)}
		b.TopicARN = topicARN(topic)
		if b.Protocol == "" {
			b.Protocol = "sqs"
		}
		if b.FilterPolicyScope == "" {
			b.FilterPolicyScope = "MessageAttributes"
		}
		if b.Protocol == "sqs" {
			app.Queues = append(app.Queues, queue(b.Endpoint))
			b.Endpoint = queueARN(b.Endpoint)
		}
		app.Subscriptions = append(app.Subscriptions, b)
	}
	return app
}

func publish(t testing.TB, r *running, topic, message string) string {
	t.Helper()
	out, err := r.sns.Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String(topicARN(topic)), Message: &message})
	if err != nil {
		t.Fatal(err)
	}
	return *out.MessageId
}

func TestPublishReachesEveryBranch(t *testing.T) {
	app := fork("Orders",
		&model.Subscription{Endpoint: "Wrapped"},
		&model.Subscription{Endpoint: "Raw", RawMessageDelivery: true},
		&model.Subscription{Endpoint: "Dear", FilterPolicy: `{"price":[{"numeric":[">=",100]}]}`},
		&model.Subscription{Endpoint: "Body", FilterPolicy: `{"kind":["order"]}`, FilterPolicyScope: "MessageBody", RawMessageDelivery: true},
	)
	r := start(t, t.TempDir(), app, nil)
	out, err := r.sns.Publish(t.Context(), &sns.PublishInput{
		TopicArn: aws.String(topicARN("Orders")), Message: aws.String(`{"kind":"order","text":"<a> & b"}`), Subject: aws.String("New"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"price": {DataType: aws.String("Number"), StringValue: aws.String("99")},
			"raw":   {DataType: aws.String("Binary"), BinaryValue: []byte{1, 2}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	wrapped := receive(t, r, "Wrapped", 10, 0)
	if len(wrapped) != 1 {
		t.Fatalf("%d wrapped messages, want 1", len(wrapped))
	}
	var envelope struct {
		Type, MessageID, TopicArn, Subject, Message, Timestamp, SignatureVersion, UnsubscribeURL string
		MessageAttributes                                                                        map[string]struct{ Type, Value string }
	}
	if err := json.Unmarshal([]byte(*wrapped[0].Body), &envelope); err != nil {
		t.Fatal(err)
	}
	if envelope.Type != "Notification" || envelope.MessageID != *out.MessageId || envelope.TopicArn != topicARN("Orders") || envelope.Subject != "New" ||
		envelope.Message != `{"kind":"order","text":"<a> & b"}` || envelope.MessageAttributes["price"].Value != "99" || envelope.MessageAttributes["raw"].Value != "AQI=" {
		t.Errorf("envelope %s", *wrapped[0].Body)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", envelope.Timestamp); err != nil {
		t.Error(err)
	}
	if len(wrapped[0].MessageAttributes) != 0 {
		t.Error("a wrapped message has its attributes outside too")
	}
	raw := receive(t, r, "Raw", 10, 0)
	if len(raw) != 1 || *raw[0].Body != `{"kind":"order","text":"<a> & b"}` || *raw[0].MessageAttributes["price"].StringValue != "99" {
		t.Errorf("raw message %+v", raw)
	}
	if dear := receive(t, r, "Dear", 10, 0); len(dear) != 0 {
		t.Error("a message passed a filter that it does not fit")
	}
	if body := receive(t, r, "Body", 10, 0); len(body) != 1 {
		t.Error("a message did not pass a filter on its body")
	}
	wantCount(t, r, "published", "", topicARN("Orders"), 1)
	wantCount(t, r, "delivered", topicARN("Orders"), queueARN("Raw"), 1)
	wantCount(t, r, "filtered", topicARN("Orders"), queueARN("Dear"), 1)
}

func wantCount(t testing.TB, r *running, what, source, target string, want int64) {
	t.Helper()
	counts, err := r.Counts()
	if err != nil {
		t.Fatal(err)
	}
	var got int64
	for _, c := range counts {
		if c.What == what && c.Source == source && c.Target == target {
			got = c.Count
		}
	}
	if got != want {
		t.Errorf("%d %s from %q to %q, want %d", got, what, source, target, want)
	}
}

func TestPublishReachesFunctions(t *testing.T) {
	f := &model.Function{ID: model.ID{Path: "App/Mail"}, FunctionName: "Mail", ARN: "arn:aws:lambda:us-east-1:123456789012:function:Mail", ReservedConcurrency: -1}
	app := fork("Orders", &model.Subscription{Protocol: "lambda", Endpoint: f.ARN, Function: f})
	app.Functions = []*model.Function{f}
	events := make(chan string, 1)
	r := start(t, t.TempDir(), app, func(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
		events <- string(in.Payload)
		return &local.Result{Payload: []byte("null")}, nil
	})
	id := publish(t, r, "Orders", "hello")
	var event struct {
		Records []struct {
			EventSource string
			Sns         struct{ MessageID, Message, TopicArn string }
		}
	}
	text := <-events
	if err := json.Unmarshal([]byte(text), &event); err != nil || len(event.Records) != 1 || event.Records[0].EventSource != "aws:sns" ||
		event.Records[0].Sns.MessageID != id || event.Records[0].Sns.Message != "hello" {
		t.Errorf("event %s", text)
	}
}

func TestPublishBatchAndFIFO(t *testing.T) {
	app := fork("Orders.fifo", &model.Subscription{Endpoint: "Branch.fifo", RawMessageDelivery: true})
	r := start(t, t.TempDir(), app, nil)
	entry := func(id, message, group, dedup string) types.PublishBatchRequestEntry {
		return types.PublishBatchRequestEntry{Id: &id, Message: &message, MessageGroupId: &group, MessageDeduplicationId: &dedup}
	}
	out, err := r.sns.PublishBatch(t.Context(), &sns.PublishBatchInput{
		TopicArn: aws.String(topicARN("Orders.fifo")),
		PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
			entry("a", "1", "g", "x"), entry("b", "2", "g", "y"), entry("c", "3", "g", "x"), entry("d", "", "g", "z"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Successful) != 3 || len(out.Failed) != 1 || *out.Successful[0].MessageId != *out.Successful[2].MessageId || *out.Successful[0].SequenceNumber >= *out.Successful[1].SequenceNumber {
		t.Errorf("published %+v", out)
	}
	if got := bodies(receive(t, r, "Branch.fifo", 10, 0)); fmt.Sprint(got) != "[1 2]" {
		t.Errorf("received %v, want 1 2", got)
	}
}

func TestTopicsAndSubscriptionsByRequests(t *testing.T) {
	r := start(t, t.TempDir(), queues("Late"), nil)
	ctx := t.Context()
	topic, err := r.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("New"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
	if err != nil || *topic.TopicArn != topicARN("New") {
		t.Fatalf("created %+v, %v", topic, err)
	}
	sub, err := r.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN("Late"))})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.sns.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{SubscriptionArn: sub.SubscriptionArn, AttributeName: aws.String("FilterPolicy"), AttributeValue: aws.String(`{"a":[{"nonsense":1}]}`)})
	wantCode(t, err, "InvalidParameter")
	for name, value := range map[string]string{"RawMessageDelivery": "true", "FilterPolicy": `{"a":["b"]}`} {
		if _, err := r.sns.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{SubscriptionArn: sub.SubscriptionArn, AttributeName: &name, AttributeValue: &value}); err != nil {
			t.Fatal(err)
		}
	}
	attributes, err := r.sns.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: sub.SubscriptionArn})
	if err != nil || attributes.Attributes["FilterPolicyScope"] != "MessageAttributes" || attributes.Attributes["PendingConfirmation"] != "false" {
		t.Errorf("attributes %v, %v", attributes, err)
	}
	list, err := r.sns.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: topic.TopicArn})
	if err != nil || len(list.Subscriptions) != 1 || *list.Subscriptions[0].SubscriptionArn != *sub.SubscriptionArn {
		t.Errorf("subscriptions %+v, %v", list, err)
	}
	publish(t, r, "New", "not for you")
	_, err = r.sns.Publish(ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("yours"), MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String"), StringValue: aws.String("b")}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := bodies(receive(t, r, "Late", 10, 0)); fmt.Sprint(got) != "[yours]" {
		t.Errorf("received %v", got)
	}
	if _, err := r.sns.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: sub.SubscriptionArn}); err != nil {
		t.Fatal(err)
	}
	got, err := r.sns.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: topic.TopicArn})
	if err != nil || got.Attributes["SubscriptionsConfirmed"] != "0" || got.Attributes["SubscriptionsDeleted"] != "1" {
		t.Errorf("topic %v, %v", got, err)
	}
	tags, err := r.sns.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: topic.TopicArn})
	if err != nil || len(tags.Tags) != 1 {
		t.Errorf("tags %v, %v", tags, err)
	}
	if _, err := r.sns.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: topic.TopicArn}); err != nil {
		t.Fatal(err)
	}
	_, err = r.sns.Publish(ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("x")})
	wantCode(t, err, "NotFound")
}

func TestUndeliverableMessageGoesToTheDeadLetterQueue(t *testing.T) {
	app := fork("Orders", &model.Subscription{Protocol: "lambda", Endpoint: "arn:aws:lambda:us-east-1:123456789012:function:Gone", DeadLetterARN: queueARN("Dead")})
	app.Queues = append(app.Queues, queue("Dead"))
	r := start(t, t.TempDir(), app, nil)
	publish(t, r, "Orders", "lost")
	got := receive(t, r, "Dead", 1, 0)
	if len(got) != 1 || !strings.Contains(*got[0].Body, `"Message":"lost"`) || got[0].MessageAttributes["ErrorMessage"].StringValue == nil {
		t.Fatalf("dead letters %+v", got)
	}
	wantCount(t, r, "dead-lettered", topicARN("Orders"), queueARN("Dead"), 1)
}

func TestHTTPSubscriptionIsConfirmedAndGetsNotifications(t *testing.T) {
	r := start(t, t.TempDir(), queues("Unused"), nil)
	ctx := t.Context()
	topic, err := r.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("Web")})
	if err != nil {
		t.Fatal(err)
	}
	bodies := make(chan string, 10)
	var confirmed atomic.Bool
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		text, _ := io.ReadAll(req.Body)
		var m struct{ Type, SubscribeURL string }
		json.Unmarshal(text, &m)
		if m.Type == "SubscriptionConfirmation" {
			answer, err := http.Get(m.SubscribeURL)
			if err == nil {
				answer.Body.Close()
			}
			confirmed.Store(err == nil && answer.StatusCode == 200)
		}
		bodies <- req.Header.Get("X-Amz-Sns-Message-Type") + " " + string(text)
	}))
	defer endpoint.Close()
	sub, err := r.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("http"), Endpoint: &endpoint.URL})
	if err != nil || *sub.SubscriptionArn != "pending confirmation" {
		t.Fatalf("subscribed %+v, %v", sub, err)
	}
	if first := <-bodies; !strings.HasPrefix(first, "SubscriptionConfirmation {") || !confirmed.Load() {
		t.Fatalf("got %s", first)
	}
	publish(t, r, "Web", "hello")
	if second := <-bodies; !strings.HasPrefix(second, "Notification {") || !strings.Contains(second, `"Message":"hello"`) {
		t.Errorf("got %s", second)
	}
}

func TestWatch(t *testing.T) {
	r := start(t, t.TempDir(), fork("Orders", &model.Subscription{Endpoint: "Branch"}), nil)
	answer, err := http.Get(r.url + "/_bailey/watch")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	id := publish(t, r, "Orders", "seen")
	lines := json.NewDecoder(answer.Body)
	for _, want := range []string{"published", "delivered"} {
		var line struct{ What, MessageID, Body string }
		if err := lines.Decode(&line); err != nil || line.What != want || line.MessageID != id || line.Body != "seen" {
			t.Fatalf("%+v, %v, want %s", line, err, want)
		}
	}
}
