// Package eventhandler is the way to write a function that consumes a queue: each
// message is handled once and by itself, and one that can't be handled is put
// aside with the reason.
//
//	func main() { eventhandler.Start(handle) }
//
//	func handle(ctx context.Context, m events.SQSMessage) error {
//		var order Order
//		if err := json.Unmarshal([]byte(m.Body), &order); err != nil {
//			return batch.Permanent(err)
//		}
//		return ship(ctx, order)
//	}
//
// It joins package batch, which reports the messages of a batch that failed, and
// package idempotency, which remembers those that were handled. What it uses it
// finds in the environment, where a branch of constructs/eventfork puts it:
//
//   - IDEMPOTENCY_TABLE is the name of a DynamoDB table with the string partition
//     key "id" and time to live on "expires". Unset, nothing is remembered, and
//     the function must do no harm by handling a message twice.
//   - DEAD_LETTERS_... is the ARN of a queue, the URL of its dead-letter queue and
//     its redrive policy's count, with a space between. The last failure of a
//     message, or one that is batch.Permanent, then puts it there at once, with
//     the error as the attribute ERROR_MESSAGE. Unset, SQS moves it there by
//     itself, and the reason is in the function's log alone.
//
// Without the construct, set them yourself: the function needs the rights
// dynamodb:PutItem and dynamodb:DeleteItem on the table, sqs:SendMessage on the
// queue.
package eventhandler
