// Package sns is Amazon SNS on this machine.
//
// See https://docs.aws.amazon.com/sns/latest/api/ and
// https://docs.aws.amazon.com/sns/latest/dg/.
//
// # Delivery
//
// A publish is acknowledged when all its deliveries are durable, and they are
// in one transaction: to queues, functions and Firehose streams, which lie
// within the plane, the message is handed over in it, so that no kill can lose
// or double it. Deliveries to HTTP endpoints wait in the store until they
// succeed, or their retries are used up.
//
// A target that does not take a message, a queue that is gone say, is the
// client's error, which SNS does not retry: the message goes to the
// subscription's dead-letter queue, or is dropped with a line in the log.
//
// # Where it differs
//
//   - HTTP endpoints are called on loopback hosts alone. What would leave the
//     machine, to other hosts, by mail, SMS or push, is logged.
//   - A subscription of the application needs no confirmation, nor one that is
//     not to an HTTP endpoint.
//   - Notifications have the fields of a signature but no valid one: the key is
//     AWS's.
//   - There are no platform applications, no SMS sandbox, no archive of FIFO
//     topics and no data protection.
package sns
