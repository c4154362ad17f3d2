package model_test

import (
	"testing"

	"github.com/bailey-cdk/bailey/bridge/model"
)

func TestResourcesByName(t *testing.T) {
	app := &model.Application{
		Topics: []*model.Topic{
			{ID: model.ID{Path: "Shop/Orders/Topic", Name: "Orders-Topic", LogicalID: "OrdersTopicA1"}, TopicName: "Shop-OrdersTopicA1", ARN: "arn:aws:sns:us-east-1:1:Shop-OrdersTopicA1"},
			{ID: model.ID{Path: "Shop/Refunds/Topic", Name: "Refunds-Topic", LogicalID: "RefundsTopicB2"}, TopicName: "Shop-RefundsTopicB2", ARN: "arn:aws:sns:us-east-1:1:Shop-RefundsTopicB2"},
		},
		Queues:     []*model.Queue{{ID: model.ID{Path: "Shop/Work", Name: "Work", LogicalID: "WorkC3"}, QueueName: "Shop-WorkC3", ARN: "arn:aws:sqs:us-east-1:1:Shop-WorkC3", URL: "http://127.0.0.1:4566/1/Shop-WorkC3"}},
		EventBuses: []*model.EventBus{{ID: model.ID{Path: "Shop/Bus", Name: "Bus"}, BusName: "shop"}},
	}
	for _, name := range []string{"Orders-Topic", "Shop/Orders/Topic", "Orders/Topic", "/Orders/Topic", "OrdersTopicA1", "Shop-OrdersTopicA1", "arn:aws:sns:us-east-1:1:Shop-OrdersTopicA1"} {
		if topic, err := app.Topic(name); err != nil || topic != app.Topics[0] {
			t.Errorf("%s: %v %v", name, topic, err)
		}
	}
	for _, name := range []string{"Work", "http://127.0.0.1:4566/1/Shop-WorkC3"} {
		if queue, err := app.Queue(name); err != nil || queue != app.Queues[0] {
			t.Errorf("%s: %v %v", name, queue, err)
		}
	}
	if bus, err := app.EventBus("shop"); err != nil || bus != app.EventBuses[0] {
		t.Error(bus, err)
	}
	for name, want := range map[string]string{
		"Topic":         `"Topic" may mean Shop/Orders/Topic or Shop/Refunds/Topic; name one of them`,
		"Refund-Topics": `no topic is named "Refund-Topics"; there are: Refunds-Topic, Orders-Topic`,
		"":              `no topic is named ""; there are: Orders-Topic, Refunds-Topic`,
	} {
		if _, err := app.Topic(name); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", name, err, want)
		}
	}
	if _, err := (&model.Application{}).Queue("Work"); err == nil || err.Error() != `no queue is named "Work": the application has no queues` {
		t.Error(err)
	}
}
