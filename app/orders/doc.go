// Package orders says what an order is, what the queue carries of it, and what
// the stack and the functions have to agree on.
//
// It is without the AWS SDK because the infrastructure imports it, and would
// link the whole SDK at each change. What talks to AWS is in package store.
package orders
