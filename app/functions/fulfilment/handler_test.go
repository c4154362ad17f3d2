package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bailey-cdk/bailey/app/orders"
)

// fakeTable knows which orders are fulfilled.
type fakeTable struct {
	fulfilled map[string]bool
	writes    int
}

func (f *fakeTable) Fulfil(_ context.Context, id string, at time.Time) (bool, error) {
	done, known := f.fulfilled[id]
	switch {
	case id == "throttled":
		return false, errors.New("throttled")
	case !known:
		return false, orders.ErrNotFound
	case done:
		return false, nil
	case at.IsZero():
		return false, errors.New("no time")
	}
	f.fulfilled[id] = true
	f.writes++
	return true, nil
}

func newHandler() (*handler, *fakeTable) {
	table := &fakeTable{fulfilled: map[string]bool{"o1": false, "o2": false, "old": true}}
	return &handler{table, time.Now}, table
}

func message(id, body string) events.SQSMessage {
	return events.SQSMessage{MessageId: id, Body: body, Attributes: map[string]string{"ApproximateReceiveCount": "1"}}
}

func failures(t *testing.T, h *handler, messages ...events.SQSMessage) []string {
	t.Helper()
	response, err := h.handle(t.Context(), events.SQSEvent{Records: messages})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, f := range response.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return ids
}

func TestBatchIsFulfilled(t *testing.T) {
	h, table := newHandler()
	if failed := failures(t, h, message("m1", `{"orderId":"o1"}`), message("m2", `{"orderId":"o2"}`)); len(failed) > 0 {
		t.Errorf("failed were %v", failed)
	}
	if !table.fulfilled["o1"] || !table.fulfilled["o2"] {
		t.Errorf("the orders are %v", table.fulfilled)
	}
}

// A queue delivers at least once: the second delivery changes nothing, and is
// no failure.
func TestRedelivery(t *testing.T) {
	h, table := newHandler()
	m := message("m1", `{"orderId":"o1"}`)
	for range 3 {
		if failed := failures(t, h, m, m); len(failed) > 0 {
			t.Errorf("failed were %v", failed)
		}
	}
	if failed := failures(t, h, message("m2", `{"orderId":"old"}`)); len(failed) > 0 {
		t.Errorf("failed were %v", failed)
	}
	if table.writes != 1 {
		t.Errorf("there were %d writes, want one", table.writes)
	}
}

// Only what failed comes back.
func TestPartialFailure(t *testing.T) {
	h, table := newHandler()
	got := failures(t, h,
		message("m1", `{"orderId":"o1"}`),
		message("m2", `not JSON`),
		message("m3", `{"orderId":"throttled"}`),
		message("m4", `{"orderId":"o2","carrier":"a field of tomorrow"}`),
		message("m5", `{"orderId":"unknown"}`),
		message("m6", `{}`),
	)
	if want := []string{"m2", "m3", "m5", "m6"}; !reflect.DeepEqual(got, want) {
		t.Errorf("failed were %v, want %v", got, want)
	}
	if table.writes != 2 {
		t.Errorf("there were %d writes, want two", table.writes)
	}
}

// Lambda takes a response without the list for a failure of the whole batch.
func TestResponseOfSuccess(t *testing.T) {
	h, _ := newHandler()
	response, err := h.handle(t.Context(), events.SQSEvent{})
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := json.Marshal(response); string(text) != `{"batchItemFailures":[]}` {
		t.Errorf("the response is %s", text)
	}
}

func TestExampleEvent(t *testing.T) {
	text, err := os.ReadFile("../../events/fulfilment.json")
	if err != nil {
		t.Fatal(err)
	}
	var event events.SQSEvent
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	h, table := newHandler()
	table.fulfilled["6f1c9a525d0e4b9f9d521c2f8f"] = false
	// The second message of the example is one that no order has.
	if got := failures(t, h, event.Records...); !reflect.DeepEqual(got, []string{"2e1424d4-f796-459a-8184-9c92662be6da"}) {
		t.Errorf("failed were %v", got)
	}
}
