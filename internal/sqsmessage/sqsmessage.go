// Package sqsmessage sends messages that a function received on to another
// queue, as they are.
package sqsmessage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// BatchSize is the most messages of one request: SendMessageBatch's limit.
const BatchSize = 10

// Sender is what is needed of a *sqs.Client, with the right sqs:SendMessage.
type Sender interface {
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
}

// Attribute is a message attribute of SQS.
type Attribute = types.MessageAttributeValue

// Message is what is sent.
type Message struct {
	// ID is the caller's name for it. It is also the deduplication id of a FIFO
	// queue, so that a message which is sent twice arrives once.
	ID         string
	Body       string
	Attributes map[string]Attribute
	// Group is the FIFO message group, "" for a standard queue.
	Group string
}

// Of is a message as Lambda hands it to a function.
func Of(m events.SQSMessage) Message {
	message := Message{ID: m.MessageId, Body: m.Body, Group: m.Attributes["MessageGroupId"]}
	for name, a := range m.MessageAttributes {
		value, sendable := attribute(a)
		if !sendable {
			continue
		}
		if message.Attributes == nil {
			message.Attributes = map[string]Attribute{}
		}
		message.Attributes[name] = value
	}
	return message
}

// attribute leaves out the lists, which Lambda's event has and SQS never fills
// and refuses to take.
func attribute(a events.SQSMessageAttribute) (types.MessageAttributeValue, bool) {
	value := types.MessageAttributeValue{DataType: aws.String(a.DataType)}
	switch {
	case strings.HasPrefix(a.DataType, "Binary"):
		value.BinaryValue = a.BinaryValue
	case a.StringValue != nil:
		value.StringValue = a.StringValue
	default:
		return value, false
	}
	return value, true
}

// Text is a string attribute.
func Text(s string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &s}
}

// Event is a message as Lambda would hand it to a function that has queueARN as
// its event source.
func (m Message) Event(queueARN string, systemAttributes map[string]string) events.SQSMessage {
	e := events.SQSMessage{
		MessageId: m.ID, Body: m.Body, Attributes: systemAttributes,
		EventSource: "aws:sqs", EventSourceARN: queueARN, MessageAttributes: map[string]events.SQSMessageAttribute{},
	}
	if parts := strings.Split(queueARN, ":"); len(parts) > 3 {
		e.AWSRegion = parts[3]
	}
	for name, a := range m.Attributes {
		e.MessageAttributes[name] = events.SQSMessageAttribute{
			DataType: aws.ToString(a.DataType), StringValue: a.StringValue, BinaryValue: a.BinaryValue,
		}
	}
	return e
}

// Send sends all, and returns the errors of those that were not sent, by ID.
// A request that fails as a whole fails each message in it.
func Send(ctx context.Context, api Sender, url string, all []Message) map[string]error {
	failed := map[string]error{}
	for begin := 0; begin < len(all); begin += BatchSize {
		part := all[begin:min(begin+BatchSize, len(all))]
		errs := send(ctx, api, url, part)
		for i, m := range part {
			if errs[i] != nil {
				failed[m.ID] = errs[i]
			}
		}
	}
	return failed
}

// send returns an error for each position.
func send(ctx context.Context, api Sender, url string, part []Message) []error {
	errs := make([]error, len(part))
	in := &sqs.SendMessageBatchInput{QueueUrl: &url}
	for i, m := range part {
		in.Entries = append(in.Entries, m.entry(i, Fifo(url)))
	}
	out, err := api.SendMessageBatch(ctx, in)
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	for _, f := range out.Failed {
		for i := range part {
			if aws.ToString(f.Id) == position(i) {
				errs[i] = fmt.Errorf("the queue refuses the message: %s: %s", aws.ToString(f.Code), aws.ToString(f.Message))
			}
		}
	}
	if len(out.Successful)+len(out.Failed) != len(part) {
		for i := range errs {
			errs[i] = errors.Join(errs[i], fmt.Errorf("the queue answered for %d of %d messages", len(out.Successful)+len(out.Failed), len(part)))
		}
	}
	return errs
}

func position(i int) string { return fmt.Sprintf("m%d", i) }

// entry gives a message for a FIFO queue what it must have: a group, its own
// where it has none, and a deduplication id.
func (m Message) entry(i int, fifo bool) types.SendMessageBatchRequestEntry {
	e := types.SendMessageBatchRequestEntry{Id: aws.String(position(i)), MessageBody: &m.Body, MessageAttributes: m.Attributes}
	if group := cmp.Or(m.Group, m.ID); fifo || m.Group != "" {
		e.MessageGroupId = &group
	}
	if fifo {
		e.MessageDeduplicationId = &m.ID
	}
	return e
}

// Fifo tells whether a queue is one, by the end of its URL or ARN.
func Fifo(queue string) bool { return strings.HasSuffix(queue, ".fifo") }
