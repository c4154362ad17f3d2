package main

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/bailey-cdk/bailey/batch"
)

type fakeTable struct {
	items []map[string]any
	err   error
}

func (f *fakeTable) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	var item map[string]any
	if err := attributevalue.UnmarshalMap(in.Item, &item); err != nil {
		return nil, err
	}
	f.items = append(f.items, item)
	return &dynamodb.PutItemOutput{}, f.err
}

func order(t *testing.T) events.SQSMessage {
	t.Helper()
	text, err := os.ReadFile("../../events/order.json")
	if err != nil {
		t.Fatal(err)
	}
	return events.SQSMessage{Body: string(text)}
}

func TestBooks(t *testing.T) {
	f := &fakeTable{}
	if err := (&books{f, "t", false}).handle(t.Context(), order(t)); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"CustomerId": "customer-7", "DateOrderId": "2026-11-24-1001", "Order": "1001", "Name": "Ada Lovelace",
		"Email": "ada@example.com", "Country": "GB", "Items": 2.0, "Amount": 125.0, "Method": "card",
	}
	if len(f.items) != 1 || len(f.items[0]) != len(want) {
		t.Fatalf("booked %v", f.items)
	}
	for name, value := range want {
		if f.items[0][name] != value {
			t.Errorf("%s is %v, want %v", name, f.items[0][name], value)
		}
	}
}

// The bug leaves the key, so that a replay finds what it must mend.
func TestBug(t *testing.T) {
	f := &fakeTable{}
	for _, bug := range []bool{false, true} {
		if err := (&books{f, "t", bug}).handle(t.Context(), order(t)); err != nil {
			t.Fatal(err)
		}
	}
	wrong := 0
	for name, value := range f.items[1] {
		if f.items[0][name] != value {
			wrong++
		}
	}
	if wrong != 4 || f.items[0]["DateOrderId"] != f.items[1]["DateOrderId"] {
		t.Errorf("the bug changes %d fields: %v", wrong, f.items[1])
	}
}

func TestPoison(t *testing.T) {
	if err := (&books{&fakeTable{}, "t", false}).handle(t.Context(), events.SQSMessage{Body: "{}"}); !batch.IsPermanent(err) {
		t.Errorf("the error is %v", err)
	}
}

func TestTableIsAway(t *testing.T) {
	away := errors.New("away")
	err := (&books{&fakeTable{err: away}, "t", false}).handle(t.Context(), order(t))
	if !errors.Is(err, away) || batch.IsPermanent(err) {
		t.Errorf("the error is %v", err)
	}
}
