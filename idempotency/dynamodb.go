package idempotency

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The attributes of an item. A table for [DynamoDB] has the partition key [Key]
// and time to live on [Expires].
const (
	// Key is a string.
	Key = "id"
	// Expires is when the item may go, in seconds since 1970. DynamoDB deletes
	// it within days; until then the store itself heeds it.
	Expires = "expires"

	attributeToken  = "token"
	attributeUntil  = "until" // the claim's or the result's end, in milliseconds since 1970
	attributeDone   = "done"
	attributeResult = "result"
)

// API is what [DynamoDB] needs of a *dynamodb.Client. It needs the rights
// dynamodb:PutItem and dynamodb:DeleteItem.
type API interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// DynamoDB is a store in a table, for workers in several processes. Each of
// its methods is one conditional request.
type DynamoDB struct {
	api   API
	table string
}

// NewDynamoDB is a store in the table of that name or ARN.
func NewDynamoDB(api API, table string) *DynamoDB { return &DynamoDB{api, table} }

// free is true of a key without an item, and of one whose item is over.
const free = "attribute_not_exists(#id) OR #until < :now"

// Begin implements [Store].
func (d *DynamoDB) Begin(ctx context.Context, c Claim) ([]byte, bool, error) {
	_, err := d.api.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &d.table,
		Item: map[string]types.AttributeValue{
			Key:            &types.AttributeValueMemberS{Value: c.Key},
			attributeToken: &types.AttributeValueMemberS{Value: c.Token},
			attributeUntil: millis(c.Until),
			Expires:        seconds(c.Until),
			attributeDone:  &types.AttributeValueMemberBOOL{Value: false},
		},
		ConditionExpression:                 aws.String(free),
		ExpressionAttributeNames:            map[string]string{"#id": Key, "#until": attributeUntil},
		ExpressionAttributeValues:           map[string]types.AttributeValue{":now": millis(time.Now())},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var taken *types.ConditionalCheckFailedException
	if !errors.As(err, &taken) {
		return nil, false, err
	}
	if done, _ := taken.Item[attributeDone].(*types.AttributeValueMemberBOOL); done == nil || !done.Value {
		return nil, false, ErrInProgress
	}
	result, _ := taken.Item[attributeResult].(*types.AttributeValueMemberB)
	if result == nil {
		return nil, false, errors.New("the item of the key holds no result: another program wrote it")
	}
	return result.Value, true, nil
}

// Complete implements [Store].
func (d *DynamoDB) Complete(ctx context.Context, c Claim, result []byte, keep time.Time) error {
	_, err := d.api.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &d.table,
		Item: map[string]types.AttributeValue{
			Key:             &types.AttributeValueMemberS{Value: c.Key},
			attributeToken:  &types.AttributeValueMemberS{Value: c.Token},
			attributeUntil:  millis(keep),
			Expires:         seconds(keep),
			attributeDone:   &types.AttributeValueMemberBOOL{Value: true},
			attributeResult: &types.AttributeValueMemberB{Value: result},
		},
		ConditionExpression:       aws.String("#token = :token"),
		ExpressionAttributeNames:  map[string]string{"#token": attributeToken},
		ExpressionAttributeValues: map[string]types.AttributeValue{":token": &types.AttributeValueMemberS{Value: c.Token}},
	})
	return unlessTakenOver(err)
}

// Abandon implements [Store].
func (d *DynamoDB) Abandon(ctx context.Context, c Claim) error {
	_, err := d.api.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                 &d.table,
		Key:                       map[string]types.AttributeValue{Key: &types.AttributeValueMemberS{Value: c.Key}},
		ConditionExpression:       aws.String("#token = :token"),
		ExpressionAttributeNames:  map[string]string{"#token": attributeToken},
		ExpressionAttributeValues: map[string]types.AttributeValue{":token": &types.AttributeValueMemberS{Value: c.Token}},
	})
	return unlessTakenOver(err)
}

func unlessTakenOver(err error) error {
	var other *types.ConditionalCheckFailedException
	if errors.As(err, &other) {
		return nil
	}
	return err
}

func millis(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.UnixMilli(), 10)}
}

// seconds are rounded up, so that the item outlives the claim or result.
func seconds(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.Unix()+1, 10)}
}
