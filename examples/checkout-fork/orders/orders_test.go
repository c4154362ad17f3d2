package orders_test

import (
	"os"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/examples/checkout-fork/orders"
)

func TestParse(t *testing.T) {
	text, err := os.ReadFile("../events/order.json")
	if err != nil {
		t.Fatal(err)
	}
	o, err := orders.Parse(text)
	if err != nil || o.ID != "1001" || o.SortKey() != "2026-11-24-1001" || o.Payment.CardNumber == "" {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestParseMistakes(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 "can't be read",
		`{}`:                               "no id",
		`{"id":"1"}`:                       "order 1 has no customer",
		`{"id":"1","customer":{"id":"c"}}`: "no items",
		`{"id":"1","customer":{"id":"c"},"items":[{}],"amount":-1}`: "an amount of -1",
	} {
		if _, err := orders.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
