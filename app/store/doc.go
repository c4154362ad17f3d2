// Package store keeps orders in a DynamoDB table and sends them to the queue
// that fulfils them. It is for the functions: the infrastructure imports only
// package orders.
//
// An order is placed once and fulfilled once, however often a client, a queue or
// a schedule repeats itself: each change is a conditional write.
package store
