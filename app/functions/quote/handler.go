package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bailey-cdk/bailey/app/jsonapi"
	"github.com/bailey-cdk/bailey/app/pricing"
)

type quoter interface {
	Quote(pricing.Basket) (*pricing.Quote, error)
}

type handler struct{ quoter quoter }

func (h *handler) handle(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	var basket pricing.Basket
	if err := jsonapi.Decode(request, &basket); err != nil {
		return jsonapi.Fail(err)
	}
	quote, err := h.quoter.Quote(basket)
	var invalid *pricing.Invalid
	if errors.As(err, &invalid) {
		problem := jsonapi.NewProblem(http.StatusUnprocessableEntity, "the basket has no price")
		problem.Errors = invalid.Faults
		return jsonapi.Fail(problem)
	}
	if err != nil {
		return jsonapi.Fail(err)
	}
	slog.InfoContext(ctx, "quoted", "country", quote.Country, "lines", len(quote.Lines), "total", quote.Total)
	return jsonapi.Respond(http.StatusOK, quote), nil
}
