// Command mask takes the card out of orders before Firehose archives them: a
// transformation function as any user would write it. (Where nothing else is to
// be done, the branch's RemoveFields do the same without a function of yours.)
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(handle) }

func handle(_ context.Context, e events.KinesisFirehoseEvent) (events.KinesisFirehoseResponse, error) {
	var response events.KinesisFirehoseResponse
	for _, r := range e.Records {
		out := events.KinesisFirehoseResponseRecord{RecordID: r.RecordID, Result: events.KinesisFirehoseTransformedStateOk}
		var err error
		if out.Data, err = mask(r.Data); err != nil {
			// It may hold a card: Firehose puts it aside, below errors/, and it
			// ends in the failure record.
			out.Data, out.Result = r.Data, events.KinesisFirehoseTransformedStateProcessingFailed
		}
		response.Records = append(response.Records, out)
	}
	return response, nil
}

// mask removes payment.card-*.
func mask(text []byte) ([]byte, error) {
	var order map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&order); err != nil {
		return nil, err
	}
	if payment, ok := order["payment"].(map[string]any); ok {
		for name := range payment {
			if strings.HasPrefix(name, "card-") {
				delete(payment, name)
			}
		}
	}
	return json.Marshal(order)
}
