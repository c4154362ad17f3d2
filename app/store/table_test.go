package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/bailey-cdk/bailey/app/orders"
	"github.com/bailey-cdk/bailey/app/pricing"
)

// fakeDynamoDB holds items by id and does what the requests of a Table mean.
type fakeDynamoDB struct {
	items  map[string]map[string]types.AttributeValue
	err    error
	put    *dynamodb.PutItemInput
	update *dynamodb.UpdateItemInput
	query  *dynamodb.QueryInput
	page   int // how many items a query gives at once, all if 0
}

func (f *fakeDynamoDB) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	f.put = in
	id := str(in.Item["id"])
	if f.err != nil {
		return nil, f.err
	}
	if _, taken := f.items[id]; taken && *in.ConditionExpression == "attribute_not_exists(id)" {
		return nil, &types.ConditionalCheckFailedException{}
	}
	f.items[id] = in.Item
	return &dynamodb.PutItemOutput{}, nil
}

func (f *fakeDynamoDB) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return &dynamodb.GetItemOutput{Item: f.items[str(in.Key["id"])]}, f.err
}

func (f *fakeDynamoDB) UpdateItem(_ context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	f.update = in
	if f.err != nil {
		return nil, f.err
	}
	item := f.items[str(in.Key["id"])]
	if item == nil || str(item["state"]) != str(in.ExpressionAttributeValues[":placed"]) {
		return nil, &types.ConditionalCheckFailedException{Item: item}
	}
	item["state"] = in.ExpressionAttributeValues[":fulfilled"]
	item["fulfilledAt"] = in.ExpressionAttributeValues[":at"]
	delete(item, "pending")
	return &dynamodb.UpdateItemOutput{}, nil
}

func (f *fakeDynamoDB) Query(_ context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	f.query = in
	out := &dynamodb.QueryOutput{}
	before := str(in.ExpressionAttributeValues[":before"])
	for _, item := range f.items {
		placed := str(item["placedAt"])
		if item["pending"] != nil && (before == "" || placed < before) && placed > str(in.ExclusiveStartKey["placedAt"]) {
			out.Items = append(out.Items, item)
		}
	}
	slices.SortFunc(out.Items, func(a, b map[string]types.AttributeValue) int {
		return strings.Compare(str(a["placedAt"]), str(b["placedAt"]))
	})
	if f.page > 0 && len(out.Items) > f.page {
		out.Items = out.Items[:f.page]
		out.LastEvaluatedKey = out.Items[f.page-1]
	}
	return out, f.err
}

func str(v types.AttributeValue) string {
	s, _ := v.(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

var placedAt = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func sample() *orders.Order {
	return &orders.Order{
		ID: "o1", State: orders.Placed, Reference: "ref", PlacedAt: placedAt,
		Quote: &pricing.Quote{Country: "DE", Currency: "EUR", Total: 1653, Taxes: []pricing.Tax{{Rate: 1900, Net: 1389, Tax: 264}}},
	}
}

func newFake() (*fakeDynamoDB, *Table) {
	f := &fakeDynamoDB{items: map[string]map[string]types.AttributeValue{}}
	return f, NewTable(f, "orders")
}

func TestOrderIsKeptAndRead(t *testing.T) {
	fake, table := newFake()
	if err := table.Create(t.Context(), sample(), "print"); err != nil {
		t.Fatal(err)
	}
	if *fake.put.TableName != "orders" {
		t.Errorf("it was put in %s", *fake.put.TableName)
	}
	// The names that the stack's key and index are made of.
	item := fake.items["o1"]
	if str(item["state"]) != "PLACED" || str(item[orders.PendingKey]) != "yes" || str(item[orders.PendingSort]) != "2026-11-24T12:00:00Z" {
		t.Errorf("the item is %v", item)
	}
	got, fingerprint, err := table.Get(t.Context(), "o1")
	if err != nil || fingerprint != "print" || !reflect.DeepEqual(got, sample()) {
		t.Errorf("got %+v, %q, %v", got, fingerprint, err)
	}
}

func TestOrderIsCreatedOnce(t *testing.T) {
	_, table := newFake()
	_ = table.Create(t.Context(), sample(), "first")
	if err := table.Create(t.Context(), sample(), "second"); !errors.Is(err, orders.ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
	if _, fingerprint, _ := table.Get(t.Context(), "o1"); fingerprint != "first" {
		t.Errorf("the order is the %s one", fingerprint)
	}
}

func TestOrderIsFulfilledOnce(t *testing.T) {
	_, table := newFake()
	_ = table.Create(t.Context(), sample(), "")
	later := placedAt.Add(time.Minute)
	for i, want := range []bool{true, false} {
		if done, err := table.Fulfil(t.Context(), "o1", later.Add(time.Duration(i)*time.Hour)); done != want || err != nil {
			t.Errorf("call %d: got %v, %v, want %v", i, done, err, want)
		}
	}
	got, _, _ := table.Get(t.Context(), "o1")
	if got.State != orders.Fulfilled || !got.FulfilledAt.Equal(later) {
		t.Errorf("the order is %+v", got)
	}
}

func TestOrderNotFound(t *testing.T) {
	_, table := newFake()
	if _, _, err := table.Get(t.Context(), "none"); !errors.Is(err, orders.ErrNotFound) {
		t.Errorf("Get: got %v, want ErrNotFound", err)
	}
	if _, err := table.Fulfil(t.Context(), "none", placedAt); !errors.Is(err, orders.ErrNotFound) {
		t.Errorf("Fulfil: got %v, want ErrNotFound", err)
	}
}

func TestPending(t *testing.T) {
	fake, table := newFake()
	_ = table.Create(t.Context(), sample(), "")
	young := sample()
	young.ID, young.PlacedAt = "o2", placedAt.Add(time.Hour)
	_ = table.Create(t.Context(), young, "")
	got, err := table.Pending(t.Context(), placedAt.Add(time.Minute), 25)
	if err != nil || !reflect.DeepEqual(got, []string{"o1"}) {
		t.Errorf("got %v, %v, want o1", got, err)
	}
	if *fake.query.IndexName != orders.PendingIndex || *fake.query.Limit != 25 {
		t.Errorf("the query is %+v", fake.query)
	}
	_, _ = table.Fulfil(t.Context(), "o1", placedAt)
	if got, _ := table.Pending(t.Context(), placedAt.Add(time.Minute), 25); len(got) != 0 {
		t.Errorf("a fulfilled order is pending: %v", got)
	}
}

func TestWaiting(t *testing.T) {
	fake, table := newFake()
	fake.page = 2
	var want []orders.Backlog
	for i := range 5 {
		order := sample()
		order.ID, order.PlacedAt = fmt.Sprint("o", i), placedAt.Add(time.Duration(i)*time.Hour)
		_ = table.Create(t.Context(), order, "")
		want = append(want, orders.Backlog{ID: order.ID, PlacedAt: order.PlacedAt})
	}
	_, _ = table.Fulfil(t.Context(), "o1", placedAt)
	want = slices.Delete(want, 1, 2)
	var got []orders.Backlog
	for order, err := range table.Waiting(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, order)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the waiting orders are %v, want %v", got, want)
	}
	if *fake.query.IndexName != orders.PendingIndex {
		t.Errorf("the query is %+v", fake.query)
	}
	for range table.Waiting(t.Context()) {
		break // A client that goes away ends the reading.
	}
	fake.err = errors.New("no connection")
	for order, err := range table.Waiting(t.Context()) {
		if !errors.Is(err, fake.err) {
			t.Errorf("got %v, %v", order, err)
		}
	}
}

func TestTableErrorsNameTheOrder(t *testing.T) {
	fake, table := newFake()
	fake.err = errors.New("no connection")
	_, _, get := table.Get(t.Context(), "o1")
	_, fulfil := table.Fulfil(t.Context(), "o1", placedAt)
	for name, err := range map[string]error{"Create": table.Create(t.Context(), sample(), ""), "Get": get, "Fulfil": fulfil} {
		if !errors.Is(err, fake.err) || !strings.Contains(err.Error(), "order o1") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := table.Pending(t.Context(), placedAt, 1); !errors.Is(err, fake.err) {
		t.Errorf("Pending: got %v", err)
	}
}
