package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bailey-cdk/bailey/app/orders"
)

type table interface {
	Fulfil(ctx context.Context, id string, at time.Time) (bool, error)
}

type handler struct {
	table table
	now   func() time.Time
}

// handle fulfils the orders of a batch and names the messages that failed: they
// alone come back, and after a few times go to the dead-letter queue. It never
// returns an error, which would bring the others back too.
func (h *handler) handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	// Not nil: Lambda takes null for a failure of the whole batch.
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, message := range batch.Records {
		if err := h.fulfil(ctx, message); err != nil {
			slog.ErrorContext(ctx, "not fulfilled", "message", message.MessageId, "receives", message.Attributes["ApproximateReceiveCount"], "error", err)
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
		}
	}
	return response, nil
}

// fulfil handles a message as often as it comes: an order that was fulfilled
// before is done.
func (h *handler) fulfil(ctx context.Context, message events.SQSMessage) error {
	order, err := orders.ParseMessage(message.Body)
	if err != nil {
		return err
	}
	changed, err := h.table.Fulfil(ctx, order.OrderID, h.now().UTC().Truncate(time.Second))
	if err != nil {
		return err
	}
	if !changed {
		slog.InfoContext(ctx, "fulfilled before", "order", order.OrderID)
		return nil
	}
	slog.InfoContext(ctx, "fulfilled", "order", order.OrderID)
	return nil
}
