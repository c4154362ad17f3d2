package idempotency_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/bailey-cdk/bailey/idempotency"
)

// table is a DynamoDB table as far as the store's three requests go: it reads
// the conditions that they carry, and refuses others.
type table struct {
	mutex sync.Mutex
	items map[string]map[string]types.AttributeValue
}

func (d *table) holds(condition string, item map[string]types.AttributeValue, values map[string]types.AttributeValue) bool {
	switch condition {
	case "attribute_not_exists(#id) OR #until < :now":
		return item == nil || number(item["until"]) < number(values[":now"])
	case "#token = :token":
		return item != nil && id(item["token"]) == id(values[":token"])
	}
	panic("an unknown condition: " + condition)
}

func number(v types.AttributeValue) int64 {
	n, err := strconv.ParseInt(v.(*types.AttributeValueMemberN).Value, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func id(v types.AttributeValue) string { return v.(*types.AttributeValueMemberS).Value }

func (d *table) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	old := d.items[id(in.Item["id"])]
	if !d.holds(*in.ConditionExpression, old, in.ExpressionAttributeValues) {
		failure := &types.ConditionalCheckFailedException{}
		if in.ReturnValuesOnConditionCheckFailure == types.ReturnValuesOnConditionCheckFailureAllOld {
			failure.Item = old
		}
		return nil, fmt.Errorf("operation error DynamoDB: %w", failure)
	}
	d.items[id(in.Item["id"])] = in.Item
	return &dynamodb.PutItemOutput{}, nil
}

func (d *table) DeleteItem(_ context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if !d.holds(*in.ConditionExpression, d.items[id(in.Key["id"])], in.ExpressionAttributeValues) {
		return nil, &types.ConditionalCheckFailedException{}
	}
	delete(d.items, id(in.Key["id"]))
	return &dynamodb.DeleteItemOutput{}, nil
}

// each runs a test with every store.
func each(t *testing.T, test func(t *testing.T, s idempotency.Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, new(idempotency.Memory)) })
	})
	t.Run("DynamoDB", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			test(t, idempotency.NewDynamoDB(&table{items: map[string]map[string]types.AttributeValue{}}, "Work"))
		})
	})
}

func counted(n *int, err error) func(context.Context) (int, error) {
	return func(context.Context) (int, error) { *n++; return *n, err }
}

func TestOnce(t *testing.T) {
	each(t, func(t *testing.T, s idempotency.Store) {
		n := 0
		for range 3 {
			got, err := idempotency.Do(t.Context(), s, "a", idempotency.Options{}, counted(&n, nil))
			if got != 1 || err != nil {
				t.Fatalf("got %d, %v; want the first result", got, err)
			}
		}
		if got, _ := idempotency.Do(t.Context(), s, "b", idempotency.Options{}, counted(&n, nil)); got != 2 {
			t.Errorf("another key got %d, want work of its own", got)
		}
	})
}

func TestFailureFreesTheKey(t *testing.T) {
	each(t, func(t *testing.T, s idempotency.Store) {
		n, failure := 0, errors.New("no stock")
		if _, err := idempotency.Do(t.Context(), s, "a", idempotency.Options{}, counted(&n, failure)); !errors.Is(err, failure) {
			t.Fatalf("the error is %v", err)
		}
		if got, err := idempotency.Do(t.Context(), s, "a", idempotency.Options{}, counted(&n, nil)); got != 2 || err != nil {
			t.Errorf("the next attempt got %d, %v", got, err)
		}
	})
}

func TestPanicFreesTheKey(t *testing.T) {
	each(t, func(t *testing.T, s idempotency.Store) {
		func() {
			defer func() { _ = recover() }()
			_, _ = idempotency.Do(t.Context(), s, "a", idempotency.Options{}, func(context.Context) (int, error) { panic("oh") })
		}()
		if n := 0; true {
			if _, err := idempotency.Do(t.Context(), s, "a", idempotency.Options{}, counted(&n, nil)); n != 1 || err != nil {
				t.Errorf("worked %d times, %v", n, err)
			}
		}
	})
}

func TestInProgress(t *testing.T) {
	each(t, func(t *testing.T, s idempotency.Store) {
		n := 0
		_, err := idempotency.Do(t.Context(), s, "a", idempotency.Options{}, func(ctx context.Context) (int, error) {
			_, err := idempotency.Do(ctx, s, "a", idempotency.Options{}, counted(&n, nil))
			if !errors.Is(err, idempotency.ErrInProgress) {
				t.Errorf("the second worker got %v", err)
			}
			return 0, nil
		})
		if n != 0 || err != nil {
			t.Errorf("the second worked %d times; %v", n, err)
		}
	})
}

// A worker that died holds the key until its lease ends, and what it stores
// after that does not replace another's result.
func TestLease(t *testing.T) {
	each(t, func(t *testing.T, s idempotency.Store) {
		dead := idempotency.Claim{Key: "a", Token: "dead", Until: time.Now().Add(time.Minute)}
		if _, done, err := s.Begin(t.Context(), dead); done || err != nil {
			t.Fatal(done, err)
		}
		n := 0
		if _, err := idempotency.Do(t.Context(), s, "a", idempotency.Options{}, counted(&n, nil)); !errors.Is(err, idempotency.ErrInProgress) {
			t.Errorf("within the lease: %v", err)
		}
		time.Sleep(2 * time.Minute)
		if got, err := idempotency.Do(t.Context(), s, "a", idempotency.Options{}, counted(&n, nil)); got != 1 || err != nil {
			t.Errorf("after the lease: %d, %v", got, err)
		}
		if err := errors.Join(s.Complete(t.Context(), dead, []byte("99"), time.Now().Add(time.Hour)), s.Abandon(t.Context(), dead)); err != nil {
			t.Error(err)
		}
		if got, err := idempotency.Do(t.Context(), s, "a", idempotency.Options{}, counted(&n, nil)); got != 1 || err != nil {
			t.Errorf("the dead worker's result: %d, %v", got, err)
		}
	})
}

func TestKeep(t *testing.T) {
	each(t, func(t *testing.T, s idempotency.Store) {
		n, o := 0, idempotency.Options{Keep: time.Hour}
		for _, want := range []int{1, 1, 2} {
			if got, err := idempotency.Do(t.Context(), s, "a", o, counted(&n, nil)); got != want || err != nil {
				t.Fatalf("got %d, %v; want %d", got, err, want)
			}
			time.Sleep(40 * time.Minute)
		}
	})
}

// A worker with a deadline claims until then.
func TestDeadlineIsTheLease(t *testing.T) {
	each(t, func(t *testing.T, s idempotency.Store) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n := 0
		_, _ = idempotency.Do(ctx, s, "a", idempotency.Options{}, func(ctx context.Context) (int, error) {
			time.Sleep(2 * time.Second) // The function was ended meanwhile.
			_, err := idempotency.Do(t.Context(), s, "a", idempotency.Options{}, counted(&n, nil))
			return 0, err
		})
		if n != 1 {
			t.Errorf("worked %d times after the deadline, want once", n)
		}
	})
}

func TestManyWorkers(t *testing.T) {
	each(t, func(t *testing.T, s idempotency.Store) {
		var worked atomic.Int32
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() {
				_, err := idempotency.Do(t.Context(), s, "a", idempotency.Options{}, func(context.Context) (string, error) {
					worked.Add(1)
					time.Sleep(time.Second)
					return "x", nil
				})
				if err != nil && !errors.Is(err, idempotency.ErrInProgress) {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if worked.Load() != 1 {
			t.Errorf("worked %d times", worked.Load())
		}
	})
}

func TestMistakes(t *testing.T) {
	s := new(idempotency.Memory)
	if _, err := idempotency.Do(t.Context(), s, "", idempotency.Options{}, counted(new(int), nil)); err == nil {
		t.Error("an empty key is taken")
	}
	if _, err := idempotency.Do(t.Context(), s, "a", idempotency.Options{}, func(context.Context) (chan int, error) { return nil, nil }); err == nil {
		t.Error("a channel is kept")
	}
	foreign := &table{items: map[string]map[string]types.AttributeValue{"a": {
		"until": &types.AttributeValueMemberN{Value: strconv.FormatInt(time.Now().Add(time.Hour).UnixMilli(), 10)},
		"done":  &types.AttributeValueMemberBOOL{Value: true},
	}}}
	_, err := idempotency.Do(t.Context(), idempotency.NewDynamoDB(foreign, "Work"), "a", idempotency.Options{}, counted(new(int), nil))
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("another program")) {
		t.Errorf("an item without a result: %v", err)
	}
}
