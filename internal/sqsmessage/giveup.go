package sqsmessage

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bailey-cdk/bailey/batch"
	"github.com/bailey-cdk/bailey/internal/fork"
)

// The limits of SQS for a message, and our own for the reason in it.
const (
	mostAttributes = 10
	longestReason  = 2048
)

// GiveUp puts messages that will not succeed into their dead-letter queue, with
// the reason, and leaves all others. all is by the ARN of the messages' queue.
func GiveUp(queue Sender, all map[string]fork.DeadLetters) batch.GivingUp {
	return func(ctx context.Context, m events.SQSMessage, reason error) (bool, error) {
		letters, known := all[m.EventSourceARN]
		if !known || !last(m, reason, letters.MaxReceiveCount) {
			return false, nil
		}
		message := Of(m)
		if len(message.Attributes)+2 > mostAttributes {
			return false, nil // SQS moves it, without the reason.
		}
		if message.Attributes == nil {
			message.Attributes = map[string]Attribute{}
		}
		message.Attributes[fork.ReasonAttribute] = Text(sendable(reason.Error()))
		message.Attributes[fork.OriginAttribute] = Text(m.MessageId)
		failed := Send(context.WithoutCancel(ctx), queue, letters.URL, []Message{message})
		if err := failed[message.ID]; err != nil {
			return false, fmt.Errorf("to %s: %w", letters.URL, err)
		}
		return true, nil
	}
}

// last tells whether the message will not be received again, or need not be.
func last(m events.SQSMessage, reason error, most int) bool {
	received, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	return batch.IsPermanent(reason) || err == nil && received >= most
}

// sendable is a text that SQS takes as an attribute: not empty, not too long,
// and of characters that XML knows.
func sendable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, text)
	if len(text) > longestReason {
		text = strings.ToValidUTF8(text[:longestReason], "") + "..."
	}
	if text == "" {
		return "the handler gave no reason"
	}
	return text
}
