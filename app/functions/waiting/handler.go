package main

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bailey-cdk/bailey/app/orders"
)

type table interface {
	Waiting(ctx context.Context) iter.Seq2[orders.Backlog, error]
}

type handler struct {
	table table
}

// trouble is the last line where not all orders could be read. The status was
// sent before, so only the line can say it.
type trouble struct {
	Error string `json:"error"`
}

// handle answers at once, and writes the lines as they are read. A backlog may
// be larger than what an answer can hold at a time.
func (h *handler) handle(ctx context.Context, request events.LambdaFunctionURLRequest) (*events.LambdaFunctionURLStreamingResponse, error) {
	if method := request.RequestContext.HTTP.Method; method != http.MethodGet {
		return &events.LambdaFunctionURLStreamingResponse{StatusCode: http.StatusMethodNotAllowed, Headers: map[string]string{"allow": "GET"}}, nil
	}
	reader, writer := io.Pipe()
	go func() { _ = writer.CloseWithError(h.write(ctx, writer)) }()
	return &events.LambdaFunctionURLStreamingResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"content-type": "application/x-ndjson", "cache-control": "no-store"},
		Body:       reader,
	}, nil
}

func (h *handler) write(ctx context.Context, w io.Writer) error {
	lines := json.NewEncoder(w)
	for order, err := range h.table.Waiting(ctx) {
		if err != nil {
			slog.ErrorContext(ctx, "the backlog ends early", "error", err)
			return lines.Encode(trouble{"not all orders could be read: ask again"})
		}
		if err := lines.Encode(order); err != nil {
			return err
		}
	}
	return nil
}
