package failure_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/bailey-cdk/bailey/constructs/eventfork/internal/failure"
)

func text(s string) events.SQSMessageAttribute {
	return events.SQSMessageAttribute{DataType: "String", StringValue: aws.String(s)}
}

func message(attributes map[string]events.SQSMessageAttribute) events.SQSMessage {
	attributes["kind"] = text("order")
	attributes["photo"] = events.SQSMessageAttribute{DataType: "Binary", BinaryValue: []byte{1}}
	return events.SQSMessage{
		MessageId: "dead-1", Body: "{}", MessageAttributes: attributes,
		Attributes: map[string]string{"SentTimestamp": "1793869200123", "ApproximateReceiveCount": "2", "MessageGroupId": "g"},
	}
}

// Whoever put the event there says why in words of its own.
func TestReasons(t *testing.T) {
	for name, c := range map[string]struct {
		attributes map[string]events.SQSMessageAttribute
		id         string
		want       failure.Reason
	}{
		"a handler": {map[string]events.SQSMessageAttribute{"ERROR_MESSAGE": text("no stock"), "ORIGINAL_MESSAGE_ID": text("a-1")}, "a-1", failure.Reason{Message: "no stock", Receives: 2}},
		"EventBridge": {
			map[string]events.SQSMessageAttribute{"ERROR_CODE": text("NO_PERMISSIONS"), "ERROR_MESSAGE": text("denied"), "RULE_ARN": text("arn"), "RETRY_ATTEMPTS": text("3")},
			"dead-1",
			failure.Reason{Code: "NO_PERMISSIONS", Message: "denied", Receives: 2},
		},
		"SNS": {map[string]events.SQSMessageAttribute{"ErrorCode": text("AccessDenied"), "ErrorMessage": text("denied"), "RequestID": text("r")}, "dead-1", failure.Reason{Code: "AccessDenied", Message: "denied", Receives: 2}},
		"SQS": {map[string]events.SQSMessageAttribute{}, "dead-1", failure.Reason{Receives: 2, Message: "it was received as often as the queue allows, without success: the consumer's log has the errors"}},
	} {
		r := failure.Of("Checkout", message(c.attributes))
		if r.Reason != c.want || r.MessageID != c.id {
			t.Errorf("%s: id %s, reason %+v", name, r.MessageID, r.Reason)
		}
		if len(r.Attributes) != 2 {
			t.Errorf("%s: the event's own attributes are %v", name, r.Attributes)
		}
	}
}

func TestKeyAndBack(t *testing.T) {
	r := failure.Of("Checkout", message(map[string]events.SQSMessageAttribute{"ERROR_MESSAGE": text("x")}))
	if want := "failures/branch=Checkout/year=2026/month=11/day=05/hour=09/1793869200123-dead-1.json"; r.Key() != want {
		t.Errorf("the key is %s, want %s", r.Key(), want)
	}
	at, ok := failure.TimeOf(r.Key())
	if !ok || !at.Equal(time.UnixMilli(1793869200123)) {
		t.Errorf("the key's time is %s", at)
	}
	if _, ok := failure.TimeOf("failures/other"); ok {
		t.Error("another key has a time")
	}
	written, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	read, err := failure.Parse(written)
	if err != nil || !reflect.DeepEqual(read, r) {
		t.Errorf("read %+v, %v; written %+v", read, err, r)
	}
	m := read.Message()
	if m.ID != "dead-1" || m.Body != "{}" || m.Group != "g" || *m.Attributes["kind"].StringValue != "order" || string(m.Attributes["photo"].BinaryValue) != "\x01" {
		t.Errorf("the message is %+v", m)
	}
}

func TestParseMistakes(t *testing.T) {
	for _, text := range []string{"", "[]", "{}"} {
		if _, err := failure.Parse([]byte(text)); err == nil {
			t.Errorf("%q is a record", text)
		}
	}
}
