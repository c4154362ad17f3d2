// Package batch handles the messages of an SQS batch one by one, and tells
// Lambda which of them failed, so that only those come back.
//
//	func main() {
//		lambda.Start(batch.SQS(func(ctx context.Context, m events.SQSMessage) error {
//			return ship(ctx, m.Body)
//		}))
//	}
//
// The event source mapping must have ReportBatchItemFailures, as those of
// constructs/serverless and constructs/eventfork have by default. Without it
// Lambda takes the answer for success and deletes the whole batch.
//
// What it does beyond a loop:
//
//   - A panic fails its message alone.
//   - A message that would begin after the invocation's deadline, less [Margin],
//     is not begun and comes back.
//   - The messages of one FIFO group are handled in order, and after a failure
//     the rest of the group comes back unhandled, as AWS asks of FIFO consumers.
//   - An error that is [Permanent] needs no further attempt; with [GiveUp] the
//     message leaves the queue with the reason.
//
// Delivery is at least once: a message can come again although it was handled.
// Package idempotency is for that, and package eventhandler puts both together.
//
// See "Handling errors for an SQS event source in Lambda",
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
package batch
