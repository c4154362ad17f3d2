package main

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

type topic struct {
	published []*sns.PublishInput
	err       error
}

func (t *topic) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	t.published = append(t.published, in)
	return &sns.PublishOutput{}, t.err
}

func order(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../events/order.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPublishes(t *testing.T) {
	for _, encoded := range []bool{false, true} {
		body := order(t)
		if encoded {
			body = base64.StdEncoding.EncodeToString([]byte(body))
		}
		topic := &topic{}
		got, err := (&api{topic, "arn"}).handle(t.Context(), events.APIGatewayV2HTTPRequest{Body: body, IsBase64Encoded: encoded})
		if err != nil || got.StatusCode != 202 || got.Body != `{"order":"1001"}` {
			t.Errorf("answered %+v, %v", got, err)
		}
		if len(topic.published) != 1 || *topic.published[0].Message != order(t) || *topic.published[0].MessageAttributes["amount"].StringValue != "125" {
			t.Errorf("published %+v", topic.published)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, request := range []events.APIGatewayV2HTTPRequest{{Body: "{}"}, {Body: "?", IsBase64Encoded: true}} {
		topic := &topic{}
		got, err := (&api{topic, "arn"}).handle(t.Context(), request)
		if err != nil || got.StatusCode != 400 || !strings.Contains(got.Body, "error") || len(topic.published) > 0 {
			t.Errorf("answered %+v, %v", got, err)
		}
	}
}

func TestTopicIsAway(t *testing.T) {
	_, err := (&api{&topic{err: errors.New("away")}, "arn"}).handle(t.Context(), events.APIGatewayV2HTTPRequest{Body: order(t)})
	if err == nil || !strings.Contains(err.Error(), "order 1001") {
		t.Errorf("the error is %v", err)
	}
}
