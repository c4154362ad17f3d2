package main

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

func TestMask(t *testing.T) {
	text, err := os.ReadFile("../../events/order.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := handle(t.Context(), events.KinesisFirehoseEvent{Records: []events.KinesisFirehoseEventRecord{
		{RecordID: "1", Data: text}, {RecordID: "2", Data: []byte("card-number=4111")}, {RecordID: "3", Data: []byte(`{"id":"7"}`)},
	}})
	if err != nil || len(got.Records) != 3 {
		t.Fatal(got, err)
	}
	first := string(got.Records[0].Data)
	if got.Records[0].Result != "Ok" || strings.Contains(first, "card-") || strings.Contains(first, "4111") || !strings.Contains(first, `"method":"card"`) {
		t.Errorf("the first is %s: %s", got.Records[0].Result, first)
	}
	if got.Records[1].Result != "ProcessingFailed" || got.Records[1].RecordID != "2" {
		t.Errorf("what is no JSON is %s", got.Records[1].Result)
	}
	if string(got.Records[2].Data) != `{"id":"7"}` {
		t.Errorf("an order without a payment is %s", got.Records[2].Data)
	}
}
