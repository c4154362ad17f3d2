// Command checkout books orders: it is the consumer that the shop can't do
// without, and the one that is broken in the exercise of the README. With
// BUG_ENABLED it mixes up what it books.
package main

import (
	"context"
	"log"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/bailey-cdk/bailey/batch"
	"github.com/bailey-cdk/bailey/eventhandler"
	"github.com/bailey-cdk/bailey/examples/checkout-fork/orders"
)

func main() {
	c, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	b := &books{dynamodb.NewFromConfig(c), os.Getenv("TABLE"), os.Getenv("BUG_ENABLED") == "true"}
	eventhandler.Start(b.handle)
}

type table interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
}

type books struct {
	table table
	name  string
	bug   bool
}

// handle books an order. Booking it again, as a replay does, replaces what was
// booked before.
func (b *books) handle(ctx context.Context, m events.SQSMessage) error {
	order, err := orders.Parse([]byte(m.Body))
	if err != nil {
		// No attempt will mend it.
		return batch.Permanent(err)
	}
	key := order.SortKey()
	if b.bug {
		order = mixedUp(order)
	}
	item, err := attributevalue.MarshalMap(booking{
		Order: order.ID, Name: order.Customer.Name, Email: order.Customer.Email, Country: order.Customer.Country,
		Items: len(order.Items), Amount: order.Amount, Method: order.Payment.Method,
	})
	if err != nil {
		return err
	}
	for name, value := range map[string]string{orders.PartitionKey: order.Customer.ID, orders.SortKeyName: key} {
		if item[name], err = attributevalue.Marshal(value); err != nil {
			return err
		}
	}
	_, err = b.table.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(b.name), Item: item})
	return err
}

// booking is what the table keeps of an order: nothing of the card.
type booking struct {
	Order   string
	Name    string
	Email   string
	Country string
	Items   int
	Amount  float64
	Method  string
}

// mixedUp is the bug: four fields have another's or no value.
func mixedUp(o orders.Order) orders.Order {
	o.Customer.Name, o.Customer.Email = o.Customer.Email, strings.ToUpper(o.Customer.Name)
	o.Customer.Country = ""
	o.Amount = float64(len(o.Items))
	return o
}
