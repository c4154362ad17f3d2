// Package idempotency does a piece of work once for a key, although it is asked
// for several times: SQS, SNS, EventBridge and Lambda all deliver at least once.
//
//	store := idempotency.NewDynamoDB(dynamodb.NewFromConfig(config), "Work")
//	receipt, err := idempotency.Do(ctx, store, "charge-"+order.ID, idempotency.Options{}, func(ctx context.Context) (Receipt, error) {
//		return charge(ctx, order)
//	})
//
// The first call claims the key, works and stores the result; a later one gets
// that result and does not work. A call while another is at work gets
// [ErrInProgress], which a queue's consumer returns, so that the message comes
// back later. Where the work fails, the key is free again. Where the worker
// dies, its claim ends after [Options].Lease.
//
// # What it can't do
//
// The work and the store are two systems. A worker that dies after its work and
// before the result is stored has worked, and the next one will work again. Give
// the key to the system that the work calls, where it takes one.
//
// # Stores
//
// [DynamoDB] keeps one item a key in a table with the partition key "id" and
// time to live on "expires". [Memory] is for tests. [Store] is for others.
package idempotency
