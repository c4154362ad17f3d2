package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bailey-cdk/bailey/app/jsonapi"
	"github.com/bailey-cdk/bailey/app/orders"
	"github.com/bailey-cdk/bailey/app/pricing"
)

type quoter interface {
	Quote(pricing.Basket) (*pricing.Quote, error)
}

type table interface {
	Create(ctx context.Context, o *orders.Order, fingerprint string) error
	Get(ctx context.Context, id string) (*orders.Order, string, error)
}

type queue interface {
	Send(ctx context.Context, ids ...string) error
}

type handler struct {
	quoter quoter
	table  table
	queue  queue
	now    func() time.Time
}

func (h *handler) handle(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	switch request.RouteKey {
	case "POST /orders":
		return h.place(ctx, request)
	case "GET /orders/{id}":
		return h.show(ctx, request.PathParameters["id"])
	}
	return jsonapi.Fail(jsonapi.NewProblem(http.StatusNotFound, "there is no route %q", request.RouteKey))
}

// checkoutRequest is the body of POST /orders.
type checkoutRequest struct {
	pricing.Basket
	// Reference is the customer's own name for the order.
	Reference string `json:"reference"`
	// Total is what the customer agreed to pay, in minor units. It guards
	// against a price that changed since the quote.
	Total int64 `json:"total"`
}

// place takes an order. A request that is repeated with its Idempotency-Key
// gets the same order again, with status 200 instead of 201.
func (h *handler) place(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	var body checkoutRequest
	if err := jsonapi.Decode(request, &body); err != nil {
		return jsonapi.Fail(err)
	}
	quote, err := h.price(body)
	if err != nil {
		return jsonapi.Fail(err)
	}
	id, err := orderID(request.Headers["idempotency-key"])
	if err != nil {
		return jsonapi.Fail(err)
	}
	order := &orders.Order{
		ID: id, State: orders.Placed, Reference: body.Reference, Quote: quote,
		PlacedAt: h.now().UTC().Truncate(time.Second),
	}
	mark := fingerprint(body)
	switch err := h.table.Create(ctx, order, mark); {
	case errors.Is(err, orders.ErrExists):
		return h.repeat(ctx, id, mark)
	case err != nil:
		return jsonapi.Fail(err)
	}
	// The order is taken: a failure to queue it is not the client's to solve.
	// Housekeeping queues what is left behind.
	if err := h.queue.Send(ctx, id); err != nil {
		slog.WarnContext(ctx, "not queued, left to housekeeping", "order", id, "error", err)
	}
	slog.InfoContext(ctx, "placed", "order", id, "total", quote.Total)
	return created(order), nil
}

func created(order *orders.Order) events.APIGatewayV2HTTPResponse {
	response := jsonapi.Respond(http.StatusCreated, order)
	response.Headers["location"] = "/orders/" + order.ID
	return response
}

// repeat answers a request whose order exists.
func (h *handler) repeat(ctx context.Context, id, mark string) (events.APIGatewayV2HTTPResponse, error) {
	order, first, err := h.table.Get(ctx, id)
	if err != nil {
		return jsonapi.Fail(err)
	}
	if first != mark {
		return jsonapi.Fail(jsonapi.NewProblem(http.StatusConflict, "this Idempotency-Key was used for another order: make a new key for each order"))
	}
	return jsonapi.Respond(http.StatusOK, order), nil
}

func (h *handler) show(ctx context.Context, id string) (events.APIGatewayV2HTTPResponse, error) {
	order, _, err := h.table.Get(ctx, id)
	if errors.Is(err, orders.ErrNotFound) {
		err = jsonapi.NewProblem(http.StatusNotFound, "there is no order %q", id)
	}
	if err != nil {
		return jsonapi.Fail(err)
	}
	return jsonapi.Respond(http.StatusOK, order), nil
}

// price quotes the basket and checks the rest of the request against it. It
// needs no AWS service, so a request that can't be an order costs none.
func (h *handler) price(body checkoutRequest) (*pricing.Quote, error) {
	var faults []pricing.Fault
	if len(body.Reference) > 64 {
		faults = append(faults, pricing.Fault{Field: "reference", Message: "is longer than 64 bytes"})
	}
	quote, err := h.quoter.Quote(body.Basket)
	var invalid *pricing.Invalid
	if errors.As(err, &invalid) {
		faults = append(faults, invalid.Faults...)
	} else if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		problem := jsonapi.NewProblem(http.StatusUnprocessableEntity, "this can't be ordered")
		problem.Errors = faults
		return nil, problem
	}
	if body.Total != quote.Total {
		problem := jsonapi.NewProblem(http.StatusConflict, "the total is %d %s in minor units, not %d: ask for a new quote", quote.Total, quote.Currency, body.Total)
		problem.Errors = quote
		return nil, problem
	}
	return quote, nil
}

// orderID is the same for the same key, so that the table itself refuses a
// second order. Without a key it is random.
func orderID(key string) (string, error) {
	if key == "" {
		return strings.ToLower(rand.Text()), nil
	}
	// A short key would let clients guess each other's, and so their orders.
	if len(key) < 16 || len(key) > 255 {
		return "", jsonapi.NewProblem(http.StatusBadRequest, "the Idempotency-Key has %d characters: allowed are 16 to 255", len(key))
	}
	sum := sha256.Sum256([]byte(key))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26]), nil
}

// fingerprint is the same for two requests that mean the same order.
func fingerprint(body checkoutRequest) string {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // Its types all have a form in JSON.
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
