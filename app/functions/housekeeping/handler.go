package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

const (
	// patience is how long an order may wait for fulfilment: longer than the
	// queue takes to give a message up.
	patience = 30 * time.Minute
	// most is how many orders one run queues. The others wait for the next, so
	// that a backlog does not hit a consumer that has just recovered all at
	// once.
	most = 100
)

type table interface {
	Pending(ctx context.Context, before time.Time, limit int32) ([]string, error)
}

type queue interface {
	Send(ctx context.Context, ids ...string) error
}

type handler struct {
	table table
	queue queue
	now   func() time.Time
}

// report is what a run did.
type report struct {
	// Queued is the number of orders that were queued again.
	Queued int `json:"queued"`
}

// handle ignores the event: what there is to do is in the table. A message that
// is sent twice does no harm, since fulfilment changes an order once.
func (h *handler) handle(ctx context.Context, _ events.EventBridgeEvent) (report, error) {
	ids, err := h.table.Pending(ctx, h.now().UTC().Truncate(time.Second).Add(-patience), most)
	if err != nil {
		return report{}, err
	}
	if len(ids) == 0 {
		return report{}, nil
	}
	if err := h.queue.Send(ctx, ids...); err != nil {
		return report{}, err
	}
	slog.WarnContext(ctx, "queued again", "orders", ids)
	return report{Queued: len(ids)}, nil
}
