// Package orders is what the functions of the shop share: the form of an order,
// and what must be true of one.
package orders

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Order is what a customer buys, as the checkout sends it.
type Order struct {
	ID       string    `json:"id"`
	Date     time.Time `json:"date"`
	Customer Customer  `json:"customer"`
	Items    []Item    `json:"items"`
	Payment  Payment   `json:"payment"`
	// Amount is the total in the shop's currency.
	Amount float64 `json:"amount"`
}

// Customer is who buys.
type Customer struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Email   string `json:"email"`
	Country string `json:"country"`
}

// Item is one line of an order.
type Item struct {
	SKU      string  `json:"sku"`
	Quantity int     `json:"quantity"`
	Price    float64 `json:"price"`
}

// Payment is how it is paid. The archive must not have the card.
type Payment struct {
	Method     string `json:"method"`
	CardNumber string `json:"card-number,omitempty"`
	CardExpiry string `json:"card-expiry,omitempty"`
	CardCVC    string `json:"card-cvc,omitempty"`
}

// Parse reads an order and checks it. An error says what is wrong with the
// order: the same text will always have it.
func Parse(text []byte) (Order, error) {
	var o Order
	if err := json.Unmarshal(text, &o); err != nil {
		return o, fmt.Errorf("the order can't be read: %w", err)
	}
	return o, o.check()
}

func (o Order) check() error {
	switch {
	case o.ID == "":
		return errors.New("the order has no id")
	case o.Customer.ID == "":
		return fmt.Errorf("order %s has no customer", o.ID)
	case len(o.Items) == 0:
		return fmt.Errorf("order %s has no items", o.ID)
	case o.Amount <= 0:
		return fmt.Errorf("order %s has an amount of %v", o.ID, o.Amount)
	}
	return nil
}

// SortKey orders a customer's orders in the table: by date, and unique.
func (o Order) SortKey() string { return o.Date.UTC().Format(time.DateOnly) + "-" + o.ID }

// The attributes of the table's key.
const (
	PartitionKey = "CustomerId"
	SortKeyName  = "DateOrderId"
)

// AmountAttribute is the message attribute that branches filter by.
const AmountAttribute = "amount"
