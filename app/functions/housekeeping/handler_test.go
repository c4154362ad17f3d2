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

type fakeStore struct {
	before time.Time
	limit  int32
	ids    []string
	err    error
}

func (f *fakeStore) Pending(_ context.Context, before time.Time, limit int32) ([]string, error) {
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

func newHandler() (*handler, *fakeStore, *fakeQueue) {
	store, queue := &fakeStore{}, &fakeQueue{}
	return &handler{store, queue, func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 9, time.UTC) }}, store, queue
}

func TestOldOrdersAreQueuedAgain(t *testing.T) {
	h, store, queue := newHandler()
	store.ids = []string{"o1", "o2"}
	got, err := h.handle(t.Context(), events.EventBridgeEvent{})
	if err != nil || got.Queued != 2 || !reflect.DeepEqual(queue.sent, store.ids) {
		t.Errorf("got %+v, %v; sent %v", got, err, queue.sent)
	}
	if store.before != time.Date(2026, 11, 24, 11, 30, 0, 0, time.UTC) || store.limit != most {
		t.Errorf("asked for %d orders before %s", store.limit, store.before)
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
	h, store, queue := newHandler()
	store.ids, queue.err = []string{"o1"}, errors.New("no connection")
	if _, err := h.handle(t.Context(), events.EventBridgeEvent{}); !errors.Is(err, queue.err) {
		t.Errorf("got %v", err)
	}
	store.err = errors.New("no table")
	if _, err := h.handle(t.Context(), events.EventBridgeEvent{}); !errors.Is(err, store.err) {
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
