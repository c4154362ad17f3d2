// Command go is a function that does what its event asks for, so that one
// function can be asked many things by many engines. Those in Node.js and
// Python beside it do the same.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type noSuchOrder struct{ id string }

func (e noSuchOrder) Error() string { return "no such order: " + e.id }

var variables = []string{
	"TABLE", "QUEUE_URL", "TITLE", "QUOTES", "UNICODE", "EMPTY",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_REGION", "AWS_DEFAULT_REGION", "_HANDLER",
}

func main() { lambda.Start(handle) }

func handle(ctx context.Context, event json.RawMessage) (any, error) {
	var asked struct {
		RequestContext json.RawMessage
		Action         string
		Size           int
	}
	_ = json.Unmarshal(event, &asked) // any other event is echoed
	if asked.RequestContext != nil {
		return answer(event)
	}
	switch asked.Action {
	case "environment":
		values := map[string]string{}
		for _, name := range variables {
			values[name] = os.Getenv(name)
		}
		return values, nil
	case "context":
		return about(ctx), nil
	case "fail":
		return nil, noSuchOrder{"7"}
	case "exit":
		os.Exit(3)
	case "sleep":
		time.Sleep(time.Minute)
	case "big":
		return strings.Repeat("x", asked.Size), nil
	}
	return map[string]any{"echo": event}, nil
}

func about(ctx context.Context) map[string]any {
	c, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return map[string]any{
		"memory":  lambdacontext.MemoryLimitInMB,
		"version": lambdacontext.FunctionVersion,
		"id":      len(c.AwsRequestID),
		"left":    time.Until(deadline) > 0,
	}
}

// request is what the payload formats 1.0 and 2.0 of an HTTP API have in
// common.
type request struct {
	Version, RouteKey, Resource string
	HTTPMethod, Path            string
	PathParameters              map[string]string
	QueryStringParameters       map[string]string
	Body                        string
	IsBase64Encoded             bool
	RequestContext              struct {
		HTTP struct{ Method, Path string }
	}
}

func answer(event json.RawMessage) (any, error) {
	var r request
	if err := json.Unmarshal(event, &r); err != nil {
		return nil, err
	}
	if r.Version == "1.0" {
		r.RouteKey, r.RequestContext.HTTP.Method, r.RequestContext.HTTP.Path = r.Resource, r.HTTPMethod, r.Path
	}
	if r.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = string(decoded)
	}
	body, err := json.Marshal(map[string]any{
		"version": r.Version, "route": r.RouteKey, "method": r.RequestContext.HTTP.Method, "path": r.RequestContext.HTTP.Path,
		"parameters": orEmpty(r.PathParameters), "query": orEmpty(r.QueryStringParameters), "body": r.Body,
	})
	response := map[string]any{
		"statusCode": 201,
		"headers":    map[string]string{"content-type": "application/json", "x-from": "go"},
		"body":       string(body),
	}
	if r.Version == "2.0" {
		response["cookies"] = []string{"a=1; HttpOnly", "b=2"}
	}
	return response, err
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
