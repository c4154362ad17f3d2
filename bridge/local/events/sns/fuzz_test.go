package sns

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// newService is SNS with a topic that has a subscription of each kind. accept
// takes what is delivered.
func newService(t testing.TB, accept func(*service.Delivery)) *Service {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(service.Env{
		Store: db, URL: "http://localhost", Region: "us-east-1", AccountID: "123456789012", Now: time.Now,
		Note: func(*store.Tx, service.Note) {}, Logf: func(string, ...any) {}, Prepare: func(*service.Delivery) {},
		Accept: func(_ *store.Tx, d *service.Delivery) error { accept(d); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	const arn = "arn:aws:sns:us-east-1:123456789012:T"
	app := &model.Application{Topics: []*model.Topic{{TopicName: "T", ARN: arn}, {TopicName: "T.fifo", ARN: arn + ".fifo"}}}
	for _, protocol := range []string{"sqs", "lambda", "firehose", "email"} {
		app.Subscriptions = append(app.Subscriptions, &model.Subscription{
			ID: model.ID{Path: protocol}, TopicARN: arn, Protocol: protocol, Endpoint: "arn:aws:" + protocol + ":us-east-1:123456789012:E",
		})
	}
	if err := s.Swap(app); err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzForm sends forms to every operation: each answers in XML, never with an
// error of the server's, and what it delivers to functions is JSON.
func FuzzForm(f *testing.F) {
	names := slices.Sorted(maps.Keys(operations))
	for i := range names {
		f.Add(i, "TopicArn=arn:aws:sns:us-east-1:123456789012:T&Message=m&Subject=s&Name=N&MessageStructure=json&PublishBatchRequestEntries.member.1.Id=a&PublishBatchRequestEntries.member.1.Message=%01%22%ff")
		f.Add(i, "TopicArn=arn:aws:sns:us-east-1:123456789012:T.fifo&Message=m&MessageGroupId=g&MessageDeduplicationId=d&Protocol=sqs&Endpoint=arn:aws:sqs:::&Attributes.entry.1.key=FilterPolicy&Attributes.entry.1.value={")
	}
	s := newService(f, func(d *service.Delivery) {
		if !json.Valid(d.Body) {
			panic("delivered " + string(d.Body))
		}
	})
	f.Fuzz(func(t *testing.T, n int, text string) {
		name := names[uint(n)%uint(len(names))]
		form, err := url.ParseQuery(text)
		if err != nil || name == "DeleteTopic" || name == "CreateTopic" || name == "Subscribe" {
			return // topics and subscriptions should stay, and be few
		}
		form.Set("Action", name)
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		s.Serve(w, &service.Request{Request: r, Operation: name, Form: form, ID: "id"})
		if w.Code >= 500 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		d := xml.NewDecoder(strings.NewReader(w.Body.String()))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%q is no XML: %v", w.Body, err)
			}
		}
	})
}

// TestNotificationsAsDocumented compares what each protocol gets.
func TestNotificationsAsDocumented(t *testing.T) {
	got := map[string]map[string]any{}
	s := newService(t, func(d *service.Delivery) {
		var body map[string]any
		if err := json.Unmarshal(d.Body, &body); err != nil {
			t.Error(err)
		}
		arn, _ := service.ParseARN(d.Target)
		got[arn.Service] = body
	})
	form := url.Values{
		"TopicArn": {"arn:aws:sns:us-east-1:123456789012:T"}, "MessageStructure": {"json"}, "Message": {`{"default":"d","sqs":"for queues"}`},
		"MessageAttributes.entry.1.Name": {"n"}, "MessageAttributes.entry.1.Value.DataType": {"Number"}, "MessageAttributes.entry.1.Value.StringValue": {"1"},
	}
	var x service.XML
	if err := s.publish(service.NewForm(form), &x); err != nil {
		t.Fatal(err)
	}
	keys := func(m map[string]any) string { return strings.Join(slices.Sorted(maps.Keys(m)), " ") }
	if k := keys(got["sqs"]); k != "Message MessageAttributes MessageId Signature SignatureVersion SigningCertURL Timestamp TopicArn Type UnsubscribeURL" || got["sqs"]["Message"] != "for queues" {
		t.Errorf("a queue gets %v", got["sqs"])
	}
	if k := keys(got["firehose"]); k != "Message MessageAttributes MessageId Timestamp TopicArn Type UnsubscribeURL" || got["firehose"]["Message"] != "d" {
		t.Errorf("a stream gets %v", got["firehose"])
	}
	record := got["lambda"]["Records"].([]any)[0].(map[string]any)
	if k := keys(record); k != "EventSource EventSubscriptionArn EventVersion Sns" {
		t.Errorf("a function gets %s", k)
	}
	if k := keys(record["Sns"].(map[string]any)); k != "Message MessageAttributes MessageId Signature SignatureVersion SigningCertUrl Subject Timestamp TopicArn Type UnsubscribeUrl" {
		t.Errorf("a function gets %s", k)
	}
}
