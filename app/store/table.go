package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/bailey-cdk/bailey/app/orders"
)

// pendingYes is the only value of [orders.PendingKey].
const pendingYes = "yes"

// DynamoDB is what a [Table] needs of the AWS SDK's client.
type DynamoDB interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// Table keeps orders in DynamoDB.
type Table struct {
	client DynamoDB
	name   string
}

// NewTable is the table of a name.
func NewTable(client DynamoDB, name string) *Table { return &Table{client, name} }

// record is an order as an item: with what the API does not show.
type record struct {
	orders.Order
	// Fingerprint is of the request that placed the order.
	Fingerprint string `json:"fingerprint"`
	Pending     string `json:"pending,omitempty"`
}

// Create keeps a new order with the fingerprint of its request. It returns
// [orders.ErrExists] if there is one with its id, which stays as it is.
func (t *Table) Create(ctx context.Context, o *orders.Order, fingerprint string) error {
	item, err := encode(record{*o, fingerprint, pendingYes})
	if err != nil {
		return fmt.Errorf("order %s has no form in DynamoDB: %w", o.ID, err)
	}
	_, err = t.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           &t.name,
		Item:                item,
		ConditionExpression: aws.String("attribute_not_exists(id)"),
	})
	if refused(err) {
		return orders.ErrExists
	}
	if err != nil {
		return fmt.Errorf("order %s can't be kept: %w", o.ID, err)
	}
	return nil
}

// Get returns an order and the fingerprint of the request that placed it, or
// [orders.ErrNotFound]. It sees every write that ended before.
func (t *Table) Get(ctx context.Context, id string) (*orders.Order, string, error) {
	got, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &t.name,
		Key:            key(id),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, "", fmt.Errorf("order %s can't be read: %w", id, err)
	}
	if len(got.Item) == 0 {
		return nil, "", orders.ErrNotFound
	}
	var r record
	if err := attributevalue.UnmarshalMapWithOptions(got.Item, &r, func(o *attributevalue.DecoderOptions) { o.TagKey = "json" }); err != nil {
		return nil, "", fmt.Errorf("order %s is not readable: %w", id, err)
	}
	return &r.Order, r.Fingerprint, nil
}

// Fulfil moves an order from placed to fulfilled. It tells whether it did: an
// order that was fulfilled before stays as it is. It returns
// [orders.ErrNotFound] if there is none.
func (t *Table) Fulfil(ctx context.Context, id string, at time.Time) (bool, error) {
	when, err := attributevalue.Marshal(at)
	if err != nil {
		return false, err
	}
	_, err = t.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:           &t.name,
		Key:                 key(id),
		UpdateExpression:    aws.String("SET #state = :fulfilled, fulfilledAt = :at REMOVE pending"),
		ConditionExpression: aws.String("#state = :placed"),
		// STATE is a reserved word of DynamoDB.
		ExpressionAttributeNames: map[string]string{"#state": "state"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":placed":    text(string(orders.Placed)),
			":fulfilled": text(string(orders.Fulfilled)),
			":at":        when,
		},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &failed) && len(failed.Item) == 0:
		return false, orders.ErrNotFound
	case errors.As(err, &failed):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("order %s can't be changed: %w", id, err)
	}
	return true, nil
}

// Pending returns the ids of the oldest orders that were placed before a time
// and are not fulfilled, at most limit.
func (t *Table) Pending(ctx context.Context, before time.Time, limit int32) ([]string, error) {
	when, err := attributevalue.Marshal(before)
	if err != nil {
		return nil, err
	}
	got, err := t.client.Query(ctx, &dynamodb.QueryInput{
		TableName:              &t.name,
		IndexName:              aws.String(orders.PendingIndex),
		KeyConditionExpression: aws.String("pending = :yes AND placedAt < :before"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":yes":    text(pendingYes),
			":before": when,
		},
		ProjectionExpression: aws.String("id"),
		Limit:                &limit,
	})
	if err != nil {
		return nil, fmt.Errorf("the pending orders can't be read: %w", err)
	}
	var ids []string
	for _, item := range got.Items {
		if id, ok := item[orders.Key].(*types.AttributeValueMemberS); ok {
			ids = append(ids, id.Value)
		}
	}
	return ids, nil
}

// Waiting are all orders that are not fulfilled, the oldest first. They are
// read page by page, as far as the caller goes. An error is the last thing.
func (t *Table) Waiting(ctx context.Context) iter.Seq2[orders.Backlog, error] {
	return func(yield func(orders.Backlog, error) bool) {
		pages := dynamodb.NewQueryPaginator(t.client, &dynamodb.QueryInput{
			TableName:                 &t.name,
			IndexName:                 aws.String(orders.PendingIndex),
			KeyConditionExpression:    aws.String("pending = :yes"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":yes": text(pendingYes)},
			ProjectionExpression:      aws.String("id, placedAt"),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(orders.Backlog{}, fmt.Errorf("the waiting orders can't be read: %w", err))
				return
			}
			for _, item := range page.Items {
				var order orders.Backlog
				err := attributevalue.UnmarshalMapWithOptions(item, &order, func(o *attributevalue.DecoderOptions) { o.TagKey = "json" })
				if !yield(order, err) || err != nil {
					return
				}
			}
		}
	}
}

// encode uses the JSON names for the attributes as well.
func encode(r record) (map[string]types.AttributeValue, error) {
	return attributevalue.MarshalMapWithOptions(r, func(o *attributevalue.EncoderOptions) { o.TagKey = "json" })
}

func key(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{orders.Key: text(id)}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// refused tells whether the condition of a write did not hold.
func refused(err error) bool {
	var failed *types.ConditionalCheckFailedException
	return errors.As(err, &failed)
}
