// Package sqs is Amazon SQS on this machine: all operations of its API, in the
// JSON and in the query protocol.
//
// See https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
// and .../SQSDeveloperGuide/.
//
// # Durability
//
// A message is acknowledged when it is durable, and so is its deletion. How
// often it was received and until when it is invisible is written a tenth of a
// second later: when the process is killed before, the message is visible again
// and counts one receive less, which at-least-once delivery allows.
//
// In memory is for each message where in its queue it is, about 150 bytes; the
// message itself is in the store.
//
// # For other services
//
// Messages come in by [Service.Accept], in the sender's transaction. Event
// source mappings take them by [Service.Receive], [Service.Delete] and
// [Service.Release].
//
// # Where it differs
//
//   - The name alone tells queues apart: there is one region and account.
//   - A queue can be made again right after it was deleted, and purged any
//     number of times a minute.
//   - Permissions and encryption are kept as attributes, and do nothing.
//     AddPermission and RemovePermission are accepted.
//   - An attribute has its effect at once, and counts are exact.
//   - A standard queue is in order as long as nothing comes back, and delivers
//     twice only after a kill.
package sqs
