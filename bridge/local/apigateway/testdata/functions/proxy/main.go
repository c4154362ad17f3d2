// Command proxy answers an API's event as the event's body asks it to: with
// the event itself, with a response that is given, or not at all.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// order is the body of a request.
type order struct {
	// Return is what the handler returns.
	Return json.RawMessage `json:"return"`
	Fail   string          `json:"fail"`
	Exit   bool            `json:"exit"`
	Sleep  string          `json:"sleep"`
}

func handle(_ context.Context, event json.RawMessage) (json.RawMessage, error) {
	var envelope struct {
		Body            string `json:"body"`
		IsBase64Encoded bool   `json:"isBase64Encoded"`
	}
	if err := json.Unmarshal(event, &envelope); err != nil {
		return nil, err
	}
	body := []byte(envelope.Body)
	if envelope.IsBase64Encoded {
		body, _ = base64.StdEncoding.DecodeString(envelope.Body)
	}
	var o order
	_ = json.Unmarshal(body, &o) // any other body asks for the event
	if o.Sleep != "" {
		d, err := time.ParseDuration(o.Sleep)
		if err != nil {
			return nil, err
		}
		time.Sleep(d)
	}
	switch {
	case o.Exit:
		os.Exit(3)
	case o.Fail != "":
		return nil, errors.New(o.Fail)
	case o.Return != nil:
		return o.Return, nil
	}
	return json.Marshal(map[string]any{
		"statusCode": 200, "headers": map[string]string{"Content-Type": "application/json"}, "body": string(event),
	})
}

func main() { lambda.Start(handle) }
