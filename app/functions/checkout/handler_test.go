package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bailey-cdk/bailey/app/orders"
	"github.com/bailey-cdk/bailey/app/pricing"
)

type kept struct {
	order       orders.Order
	fingerprint string
}

// fakeTable keeps orders in memory, or fails with err.
type fakeTable struct {
	kept map[string]kept
	err  error
}

func (f *fakeTable) Create(_ context.Context, o *orders.Order, fingerprint string) error {
	if f.err != nil {
		return f.err
	}
	if _, taken := f.kept[o.ID]; taken {
		return orders.ErrExists
	}
	f.kept[o.ID] = kept{*o, fingerprint}
	return nil
}

func (f *fakeTable) Get(_ context.Context, id string) (*orders.Order, string, error) {
	if f.err != nil {
		return nil, "", f.err
	}
	k, ok := f.kept[id]
	if !ok {
		return nil, "", orders.ErrNotFound
	}
	return &k.order, k.fingerprint, nil
}

type fakeQueue struct {
	sent []string
	err  error
}

func (f *fakeQueue) Send(_ context.Context, ids ...string) error {
	if f.err != nil {
		return f.err
	}
	f.sent = append(f.sent, ids...)
	return nil
}

func newHandler(t *testing.T) (*handler, *fakeTable, *fakeQueue) {
	t.Helper()
	catalogue, err := pricing.Default()
	if err != nil {
		t.Fatal(err)
	}
	table, queue := &fakeTable{kept: map[string]kept{}}, &fakeQueue{}
	now := time.Date(2026, 11, 24, 13, 0, 0, 7, time.FixedZone("CET", 3600))
	return &handler{catalogue, table, queue, func() time.Time { return now }}, table, queue
}

const (
	good = `{"country":"DE","lines":[{"sku":"GLOVES-L","quantity":1}],"reference":"PO 7","total":1653}`
	key  = "6f1c9a52-5d0e-4b9f-9d52-1c2f8f1d7a11"
)

func post(body string, headers map[string]string) events.APIGatewayV2HTTPRequest {
	return events.APIGatewayV2HTTPRequest{RouteKey: "POST /orders", Body: body, Headers: headers}
}

func handle(t *testing.T, h *handler, request events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	t.Helper()
	response, err := h.handle(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func TestOrderIsPlacedAndShown(t *testing.T) {
	h, table, queue := newHandler(t)
	response := handle(t, h, post(good, nil))
	var order orders.Order
	if err := json.Unmarshal([]byte(response.Body), &order); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusCreated || response.Headers["location"] != "/orders/"+order.ID {
		t.Errorf("got %+v", response)
	}
	if order.State != orders.Placed || order.Reference != "PO 7" || order.Quote.Total != 1653 ||
		order.PlacedAt.String() != "2026-11-24 12:00:00 +0000 UTC" {
		t.Errorf("the order is %+v", order)
	}
	if len(queue.sent) != 1 || queue.sent[0] != order.ID {
		t.Errorf("queued were %v, want %s", queue.sent, order.ID)
	}
	if len(table.kept) != 1 {
		t.Errorf("there are %d orders", len(table.kept))
	}
	shown := handle(t, h, events.APIGatewayV2HTTPRequest{RouteKey: "GET /orders/{id}", PathParameters: map[string]string{"id": order.ID}})
	if shown.StatusCode != http.StatusOK || shown.Body != response.Body {
		t.Errorf("shown is %d %s, want 200 %s", shown.StatusCode, shown.Body, response.Body)
	}
}

// A client that lost the answer repeats the request, and has still one order.
func TestRepeatedRequestIsOneOrder(t *testing.T) {
	h, table, queue := newHandler(t)
	headers := map[string]string{"idempotency-key": key}
	first := handle(t, h, post(good, headers))
	again := handle(t, h, post(" "+good, headers))
	if first.StatusCode != http.StatusCreated || again.StatusCode != http.StatusOK || first.Body != again.Body {
		t.Errorf("got %d %s\nand %d %s", first.StatusCode, first.Body, again.StatusCode, again.Body)
	}
	if len(table.kept) != 1 || len(queue.sent) != 1 {
		t.Errorf("there are %d orders, %d were queued; want one each", len(table.kept), len(queue.sent))
	}
	other := handle(t, h, post(strings.Replace(good, "PO 7", "PO 8", 1), headers))
	if other.StatusCode != http.StatusConflict || !strings.Contains(other.Body, "was used for another order") {
		t.Errorf("another order with the key gets %d %s", other.StatusCode, other.Body)
	}
}

func TestOrdersWithoutKeyDiffer(t *testing.T) {
	h, table, _ := newHandler(t)
	handle(t, h, post(good, nil))
	handle(t, h, post(good, nil))
	if len(table.kept) != 2 {
		t.Errorf("there are %d orders, want two", len(table.kept))
	}
}

// The order is taken even if it can't be queued: housekeeping finds it.
func TestOrderIsTakenWithoutQueue(t *testing.T) {
	h, table, queue := newHandler(t)
	queue.err = errors.New("no connection")
	if response := handle(t, h, post(good, nil)); response.StatusCode != http.StatusCreated {
		t.Errorf("got %d %s", response.StatusCode, response.Body)
	}
	if len(table.kept) != 1 {
		t.Errorf("there are %d orders, want one", len(table.kept))
	}
}

// What can't be an order is refused without the table: it is nil here.
func TestOrderIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		request events.APIGatewayV2HTTPRequest
		status  int
		want    []string
	}{
		"no body":       {post("", nil), 400, []string{"the body is empty"}},
		"bad JSON":      {post("{", nil), 400, []string{"the body is not JSON"}},
		"unknown field": {post(`{"country":"DE","price":1}`, nil), 400, []string{`unknown field \"price\"`}},
		"empty basket":  {post(`{"country":"DE","lines":[],"total":0}`, nil), 422, []string{`{"field":"lines","message":"are 0: a basket has 1 to 100"}`}},
		"two mistakes": {
			post(`{"country":"XX","lines":[{"sku":"BOLT-M8","quantity":1}],"reference":"`+strings.Repeat("x", 65)+`"}`, nil), 422,
			[]string{`"field":"reference"`, `"field":"country"`},
		},
		"an old price": {post(strings.Replace(good, "1653", "1652", 1), nil), 409, []string{"the total is 1653 EUR in minor units, not 1652", `"delivery":490`}},
		"a short key":  {post(good, map[string]string{"idempotency-key": "1"}), 400, []string{"the Idempotency-Key has 1 characters"}},
		"no route":     {events.APIGatewayV2HTTPRequest{RouteKey: "DELETE /orders"}, 404, []string{`there is no route \"DELETE /orders\"`}},
	} {
		t.Run(name, func(t *testing.T) {
			h, _, _ := newHandler(t)
			h.table, h.queue = nil, nil
			response := handle(t, h, c.request)
			if response.StatusCode != c.status {
				t.Errorf("got %d %s, want %d", response.StatusCode, response.Body, c.status)
			}
			for _, want := range c.want {
				if !strings.Contains(response.Body, want) {
					t.Errorf("the body lacks %s: %s", want, response.Body)
				}
			}
		})
	}
}

func TestUnknownOrder(t *testing.T) {
	h, _, _ := newHandler(t)
	response := handle(t, h, events.APIGatewayV2HTTPRequest{RouteKey: "GET /orders/{id}", PathParameters: map[string]string{"id": "none"}})
	if response.StatusCode != http.StatusNotFound || !strings.Contains(response.Body, `there is no order \"none\"`) {
		t.Errorf("got %d %s", response.StatusCode, response.Body)
	}
}

// A table that does not answer makes the invocation fail, so that alarms see it.
func TestTableFails(t *testing.T) {
	h, table, queue := newHandler(t)
	table.err = errors.New("no connection")
	for name, request := range map[string]events.APIGatewayV2HTTPRequest{
		"place": post(good, nil),
		"show":  {RouteKey: "GET /orders/{id}", PathParameters: map[string]string{"id": "o1"}},
	} {
		if _, err := h.handle(t.Context(), request); !errors.Is(err, table.err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if len(queue.sent) != 0 {
		t.Errorf("queued was %v", queue.sent)
	}
}

// The events of the README are what this function takes.
func TestExampleEvents(t *testing.T) {
	for file, status := range map[string]int{"order.json": 201, "order-refused.json": 422} {
		text, err := os.ReadFile("../../events/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var event events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(text, &event); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		h, table, _ := newHandler(t)
		if response := handle(t, h, event); response.StatusCode != status {
			t.Errorf("%s: got %d %s, want %d", file, response.StatusCode, response.Body, status)
		}
		for id := range maps.Keys(table.kept) {
			if len(id) != 26 {
				t.Errorf("the order's id is %q", id)
			}
		}
	}
}
