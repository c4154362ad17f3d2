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
)

type fakeTable struct {
	before time.Time
	limit  int32
	ids    []string
	err    error
}

func (f *fakeTable) Pending(_ context.Context, before time.Time, limit int32) ([]string, error) {
	f.before, f.limit = before, limit
	return f.ids, f.err
}

type fakeQueue struct {
	calls int
	sent  []string
	err   error
}

func (f *fakeQueue) Send(_ context.Context, ids ...string) error {
	f.calls++
	f.sent = append(f.sent, ids...)
	return f.err
}

func newHandler() (*handler, *fakeTable, *fakeQueue) {
	table, queue := &fakeTable{}, &fakeQueue{}
	return &handler{table, queue, func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 9, time.UTC) }}, table, queue
}

func TestOldOrdersAreQueuedAgain(t *testing.T) {
	h, table, queue := newHandler()
	table.ids = []string{"o1", "o2"}
	got, err := h.handle(t.Context(), events.EventBridgeEvent{})
	if err != nil || got.Queued != 2 || !reflect.DeepEqual(queue.sent, table.ids) {
		t.Errorf("got %+v, %v; sent %v", got, err, queue.sent)
	}
	if table.before != time.Date(2026, 11, 24, 11, 30, 0, 0, time.UTC) || table.limit != most {
		t.Errorf("asked for %d orders before %s", table.limit, table.before)
	}
}

func TestNothingToDo(t *testing.T) {
	h, _, queue := newHandler()
	if got, err := h.handle(t.Context(), events.EventBridgeEvent{}); err != nil || got.Queued != 0 || queue.calls != 0 {
		t.Errorf("got %+v, %v; %d calls", got, err, queue.calls)
	}
}

// The schedule tries again, and an alarm sees it.
func TestFailures(t *testing.T) {
	h, table, queue := newHandler()
	table.ids, queue.err = []string{"o1"}, errors.New("no connection")
	if _, err := h.handle(t.Context(), events.EventBridgeEvent{}); !errors.Is(err, queue.err) {
		t.Errorf("got %v", err)
	}
	table.err = errors.New("no table")
	if _, err := h.handle(t.Context(), events.EventBridgeEvent{}); !errors.Is(err, table.err) {
		t.Errorf("got %v", err)
	}
}

func TestExampleEvent(t *testing.T) {
	text, err := os.ReadFile("../../events/housekeeping.json")
	if err != nil {
		t.Fatal(err)
	}
	var event events.EventBridgeEvent
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	if event.DetailType != "Scheduled Event" {
		t.Errorf("the event is %+v", event)
	}
	h, _, _ := newHandler()
	if _, err := h.handle(t.Context(), event); err != nil {
		t.Error(err)
	}
}
