// Command api takes orders: POST /checkout publishes the order, and is done.
// What follows from it is no business of the customer who waits.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/bailey-cdk/bailey/examples/checkout-fork/orders"
)

func main() {
	c, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start((&api{sns.NewFromConfig(c), os.Getenv("TOPIC_ARN")}).handle)
}

type publisher interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

type api struct {
	topic publisher
	arn   string
}

func (a *api) handle(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	text := []byte(request.Body)
	if request.IsBase64Encoded {
		var err error
		if text, err = base64.StdEncoding.DecodeString(request.Body); err != nil {
			return refuse(err), nil
		}
	}
	order, err := orders.Parse(text)
	if err != nil {
		return refuse(err), nil
	}
	_, err = a.topic.Publish(ctx, &sns.PublishInput{
		TopicArn: &a.arn, Message: aws.String(string(text)),
		MessageAttributes: map[string]types.MessageAttributeValue{
			orders.AmountAttribute: {DataType: aws.String("Number"), StringValue: aws.String(strconv.FormatFloat(order.Amount, 'f', -1, 64))},
		},
	})
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("order %s could not be published: %w", order.ID, err)
	}
	return answer(202, fmt.Sprintf(`{"order":%q}`, order.ID)), nil
}

func refuse(err error) events.APIGatewayV2HTTPResponse {
	return answer(400, fmt.Sprintf(`{"error":%q}`, err.Error()))
}

func answer(status int, body string) events.APIGatewayV2HTTPResponse {
	return events.APIGatewayV2HTTPResponse{StatusCode: status, Body: body, Headers: map[string]string{"Content-Type": "application/json"}}
}
