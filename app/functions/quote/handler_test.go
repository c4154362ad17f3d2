package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bailey-cdk/bailey/app/pricing"
)

func newHandler(t *testing.T) *handler {
	t.Helper()
	catalogue, err := pricing.Default()
	if err != nil {
		t.Fatal(err)
	}
	return &handler{catalogue}
}

func request(body string) events.APIGatewayV2HTTPRequest {
	return events.APIGatewayV2HTTPRequest{Body: body}
}

// The event that the README shows gets the answer that it shows.
func TestQuoteOfTheExampleEvent(t *testing.T) {
	text, err := os.ReadFile("../../events/quote.json")
	if err != nil {
		t.Fatal(err)
	}
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	got, err := newHandler(t).handle(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"country":"DE","currency":"EUR","lines":[` +
		`{"sku":"BOOK-BRIDGES","name":"Bridges and how they stand","quantity":1,"unitPrice":3450,"net":3450},` +
		`{"sku":"BOLT-M8","name":"Hex bolt M8, 100 pieces","quantity":2,"unitPrice":1290,"net":2580}],` +
		`"net":6030,"delivery":0,"taxes":[{"rate":700,"net":3450,"tax":242},{"rate":1900,"net":2580,"tax":490}],"tax":732,"total":6762}`
	if got.StatusCode != http.StatusOK || got.Body != want {
		t.Errorf("got %d %s\nwant 200 %s", got.StatusCode, got.Body, want)
	}
}

func TestQuoteRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"no body":       {``, 400, `{"status":400,"title":"Bad Request","detail":"the body is empty"}`},
		"bad JSON":      {`{"country":"DE",}`, 400, `{"status":400,"title":"Bad Request","detail":"the body is not JSON: at byte 17, invalid character '}' looking for beginning of object key string"}`},
		"unknown field": {`{"country":"DE","coupon":"x"}`, 400, `{"status":400,"title":"Bad Request","detail":"the body is not what it should be: unknown field \"coupon\""}`},
		"two mistakes": {
			`{"country":"DE","lines":[{"sku":"NOTHING","quantity":0}]}`, 422,
			`{"status":422,"title":"Unprocessable Entity","detail":"the basket has no price","errors":[` +
				`{"field":"lines[0].sku","message":"is \"NOTHING\", which we do not sell"},` +
				`{"field":"lines[0].quantity","message":"is 0: allowed are 1 to 999"}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newHandler(t).handle(t.Context(), request(c.body))
			if err != nil || got.StatusCode != c.status || got.Body != c.want {
				t.Errorf("got %d %s, %v\nwant %d %s", got.StatusCode, got.Body, err, c.status, c.want)
			}
		})
	}
}

type broken struct{}

var errBroken = errors.New("the catalogue is gone")

func (broken) Quote(pricing.Basket) (*pricing.Quote, error) { return nil, errBroken }

// What is not the client's fault makes the invocation fail.
func TestQuoteFails(t *testing.T) {
	if _, err := (&handler{broken{}}).handle(t.Context(), request(`{}`)); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}
