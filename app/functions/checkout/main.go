package main

import (
	"context"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/bailey-cdk/bailey/app/pricing"
	"github.com/bailey-cdk/bailey/app/store"
)

func main() {
	slog.SetDefault(lambdacontext.NewLogger())
	catalogue, err := pricing.Default()
	if err != nil {
		log.Fatal(err)
	}
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatalf("the AWS SDK can't be set up: %v", err)
	}
	h := &handler{
		quoter: catalogue,
		table:  store.NewTable(dynamodb.NewFromConfig(settings), os.Getenv("ORDERS_TABLE")),
		queue:  store.NewQueue(sqs.NewFromConfig(settings), os.Getenv("ORDERS_QUEUE_URL")),
		now:    time.Now,
	}
	lambda.Start(h.handle)
}
