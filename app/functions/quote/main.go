package main

import (
	"log"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/bailey-cdk/bailey/app/pricing"
)

func main() {
	slog.SetDefault(lambdacontext.NewLogger())
	catalogue, err := pricing.Default()
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start((&handler{catalogue}).handle)
}
