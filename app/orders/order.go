package orders

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bailey-cdk/bailey/app/pricing"
)

// What the stack and the code have to agree on.
const (
	// Key is the table's partition key.
	Key = "id"
	// PendingIndex finds placed orders by age. Its partition key, the attribute
	// PendingKey, is taken off an order that is fulfilled, so that the index
	// stays as small as the backlog.
	PendingIndex = "pending"
	PendingKey   = "pending"
	PendingSort  = "placedAt"
)

// State is where an order is on its way.
type State string

// The states, in order.
const (
	Placed    State = "PLACED"
	Fulfilled State = "FULFILLED"
)

// Order is a basket that someone bought.
type Order struct {
	ID    string `json:"id"`
	State State  `json:"state"`
	// Reference is the customer's own, at most 64 characters.
	Reference   string         `json:"reference,omitempty"`
	Quote       *pricing.Quote `json:"quote"`
	PlacedAt    time.Time      `json:"placedAt"`
	FulfilledAt *time.Time     `json:"fulfilledAt,omitempty"`
}

// Backlog is an order that is not fulfilled.
type Backlog struct {
	ID       string    `json:"id"`
	PlacedAt time.Time `json:"placedAt"`
}

// The errors of the table that a caller handles.
var (
	ErrNotFound = errors.New("there is no such order")
	ErrExists   = errors.New("there is an order with this id")
)

// Message is what the queue carries of an order.
type Message struct {
	OrderID string `json:"orderId"`
}

// ParseMessage reads the body of a queue message. Fields that it does not know
// are ignored: a newer version of the sender may have added them, and the
// messages of both are in the queue during a deployment.
func ParseMessage(body string) (Message, error) {
	var m Message
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return m, fmt.Errorf("the message is not JSON: %w", err)
	}
	if m.OrderID == "" {
		return m, errors.New("the message has no orderId")
	}
	return m, nil
}
