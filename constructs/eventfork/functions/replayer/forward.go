package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/bailey-cdk/bailey/internal/sqsmessage"
)

// forwarder sends events to the destination and returns the errors of those that
// it did not take, by id.
type forwarder func(ctx context.Context, all []sqsmessage.Message) map[string]error

func isFunction(destination string) bool { return strings.Contains(destination, ":lambda:") }

func toQueue(api sqsmessage.Sender, url string) forwarder {
	return func(ctx context.Context, all []sqsmessage.Message) map[string]error {
		return sqsmessage.Send(ctx, api, url, all)
	}
}

// Invoker is what is needed of a *lambda.Client.
type Invoker interface {
	Invoke(context.Context, *awslambda.InvokeInput, ...func(*awslambda.Options)) (*awslambda.InvokeOutput, error)
}

// toFunction invokes a function as Lambda would with a batch of a queue, and
// waits for it, so that what it could not handle stays in the buffer.
func toFunction(api Invoker, function, queueARN string) forwarder {
	return func(ctx context.Context, all []sqsmessage.Message) map[string]error {
		var batch events.SQSEvent
		for _, m := range all {
			batch.Records = append(batch.Records, m.Event(queueARN, map[string]string{"ApproximateReceiveCount": "1"}))
		}
		failed, err := invoke(ctx, api, function, batch)
		if err == nil {
			return failed
		}
		failed = map[string]error{}
		for _, m := range all {
			failed[m.ID] = err
		}
		return failed
	}
}

func invoke(ctx context.Context, api Invoker, function string, batch events.SQSEvent) (map[string]error, error) {
	payload, err := json.Marshal(batch)
	if err != nil {
		return nil, err
	}
	out, err := api.Invoke(ctx, &awslambda.InvokeInput{FunctionName: &function, Payload: payload})
	if err != nil {
		return nil, err
	}
	if out.FunctionError != nil {
		return nil, fmt.Errorf("the function failed: %s: %s", aws.ToString(out.FunctionError), out.Payload)
	}
	var response events.SQSEventResponse
	// A function that answers something else, or nothing, has handled all.
	_ = json.Unmarshal(out.Payload, &response)
	failed := map[string]error{}
	for _, f := range response.BatchItemFailures {
		if f.ItemIdentifier == "" {
			return nil, errors.New("the function reports the failure of a message without an id, which is all of them")
		}
		failed[f.ItemIdentifier] = errors.New("the function could not handle it")
	}
	return failed, nil
}
