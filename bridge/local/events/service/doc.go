// Package service is what the event plane and its services agree on: how a
// service is added, what it is given, and how AWS's protocols are spoken.
//
// # Adding a service
//
// A service is a package below bridge/local/events. It imports this package and
// store, never another service nor the plane itself, and has a function
//
//	func New(env service.Env) (*Service, error)
//
// whose result is a [Service]. In bridge/local/events/services.go one entry adds
// it:
//
//	{Scopes: []string{"sqs"}, Targets: []string{"AmazonSQS"}, Versions: []string{"2012-11-05"}, ARNs: []string{"sqs"},
//		New: func(p *Plane, env service.Env) (service.Service, error) { return sqs.New(env) }}
//
// New must not start anything that calls other services: that is for
// [Service.Start], when all are there.
//
// # Requests
//
// The plane has checked Host and Origin, and read the body: a [Request] has it
// whole, at most [MaxBody] bytes. The plane chooses the service by, in this
// order, the prefix of X-Amz-Target; the service in the credential scope of
// the signature (of the Authorization header or of X-Amz-Credential); the
// Version of a query protocol's request; the beginning of the path. What is
// left goes to S3. Signatures are not verified.
//
// # Deliveries
//
// [Delivery] is one message on its way to something with an ARN: a queue, a
// topic, a function (asynchronously), a bus, a Firehose or Kinesis stream. A
// service that can be such a target is an [Acceptor]. Accept stores the message
// in a transaction of the caller's, so that a service that takes a message from
// A and gives it to B does both or neither:
//
//	err := env.Store.Update(func(tx *store.Tx) error {
//		tx.Delete("scheduler/due", key)
//		return env.Accept(tx, &service.Delivery{Target: arn, Source: rule, Body: body})
//	})
//
// Accept writes nothing where it returns an error, and the caller may then try
// another target, a dead-letter queue say, in the same transaction.
//
// # Journal
//
// Whatever passes is noted by [Env.Note] in the transaction that makes it pass:
// the counters of the journal are exact to the last message.
package service
