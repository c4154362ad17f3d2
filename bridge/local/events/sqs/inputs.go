package sqs

import (
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// attributeValue is a message attribute as the API has it.
type attributeValue struct {
	DataType    string  `json:"DataType"`
	StringValue *string `json:"StringValue,omitempty"`
	BinaryValue []byte  `json:"BinaryValue,omitempty"`
}

func attributesFrom(values map[string]attributeValue) map[string]service.Attribute {
	if len(values) == 0 {
		return nil
	}
	all := make(map[string]service.Attribute, len(values))
	for name, v := range values {
		a := service.Attribute{DataType: v.DataType, Value: v.BinaryValue}
		if v.StringValue != nil && !strings.HasPrefix(v.DataType, "Binary") {
			a.Value = []byte(*v.StringValue)
		}
		all[name] = a
	}
	return all
}

func attributesTo(attributes map[string]service.Attribute) map[string]attributeValue {
	if len(attributes) == 0 {
		return nil
	}
	all := make(map[string]attributeValue, len(attributes))
	for name, a := range attributes {
		v := attributeValue{DataType: a.DataType}
		if strings.HasPrefix(a.DataType, "Binary") {
			v.BinaryValue = a.Value
		} else {
			text := string(a.Value)
			v.StringValue = &text
		}
		all[name] = v
	}
	return all
}

// queueInput is what nearly all operations take.
type queueInput struct {
	QueueURL  string `json:"QueueUrl"`
	QueueName string
	// Attributes and tags are for queues.
	Attributes     map[string]string
	Tags           map[string]string `json:"Tags"`
	TagKeys        []string
	AttributeNames []string

	QueueNamePrefix string
	MaxResults      *int
	NextToken       string

	SourceArn                    string
	DestinationArn               string
	MaxNumberOfMessagesPerSecond *int
	TaskHandle                   string
}

func (f form) queueInput() *queueInput {
	in := &queueInput{
		QueueURL: f.Text("QueueUrl"), QueueName: f.Text("QueueName"),
		Attributes: f.Pairs("Attribute", "Name", "Value"), Tags: f.Pairs("Tag", "Key", "Value"),
		TagKeys: f.List("TagKey"), AttributeNames: f.List("AttributeName"),
		QueueNamePrefix: f.Text("QueueNamePrefix"), MaxResults: f.Number("MaxResults"), NextToken: f.Text("NextToken"),
		SourceArn: f.Text("SourceArn"), DestinationArn: f.Text("DestinationArn"),
		MaxNumberOfMessagesPerSecond: f.Number("MaxNumberOfMessagesPerSecond"), TaskHandle: f.Text("TaskHandle"),
	}
	if f.Has("Attribute.Name") { // one attribute may be given without a number
		in.Attributes = map[string]string{f.Text("Attribute.Name"): f.Text("Attribute.Value")}
	}
	return in
}

// sendEntry is a message to send, alone or in a batch.
type sendEntry struct {
	ID                      string `json:"Id"`
	MessageBody             string
	DelaySeconds            *int
	MessageAttributes       map[string]attributeValue
	MessageSystemAttributes map[string]attributeValue
	MessageDeduplicationID  string `json:"MessageDeduplicationId"`
	MessageGroupID          string `json:"MessageGroupId"`
}

func (f form) sendEntry() sendEntry {
	return sendEntry{
		ID: f.Text("Id"), MessageBody: f.Text("MessageBody"), DelaySeconds: f.Number("DelaySeconds"),
		MessageAttributes: f.attributes("MessageAttribute"), MessageSystemAttributes: f.attributes("MessageSystemAttribute"),
		MessageDeduplicationID: f.Text("MessageDeduplicationId"), MessageGroupID: f.Text("MessageGroupId"),
	}
}

// outgoing checks what does not depend on the queue.
func (e *sendEntry) outgoing() (*outgoing, *service.Error) {
	o := &outgoing{
		body: []byte(e.MessageBody), attributes: attributesFrom(e.MessageAttributes),
		group: e.MessageGroupID, dedup: e.MessageDeduplicationID, delay: -1,
	}
	if d := e.DelaySeconds; d != nil {
		if *d < 0 || *d > 900 {
			return nil, invalid("DelaySeconds", text(*d), "DelaySeconds must be >= 0 and <= 900.")
		}
		o.delay = time.Duration(*d) * time.Second
	}
	for name, v := range e.MessageSystemAttributes {
		if name != "AWSTraceHeader" || v.StringValue == nil {
			return nil, invalid("MessageSystemAttributes", name, "AWSTraceHeader, a String, is the only one that can be sent.")
		}
		o.trace = *v.StringValue
	}
	return o, nil
}

// sendInput is SendMessage's and SendMessageBatch's.
type sendInput struct {
	sendEntry
	QueueURL string `json:"QueueUrl"`
	Entries  []sendEntry
}

func (f form) sendInput() *sendInput {
	in := &sendInput{sendEntry: f.sendEntry(), QueueURL: f.Text("QueueUrl")}
	for _, e := range f.entries("SendMessageBatchRequestEntry") {
		in.Entries = append(in.Entries, e.sendEntry())
	}
	return in
}

// receiveInput is ReceiveMessage's.
type receiveInput struct {
	QueueURL                    string `json:"QueueUrl"`
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	ReceiveRequestAttemptID     string `json:"ReceiveRequestAttemptId"`
}

func (f form) receiveInput() *receiveInput {
	return &receiveInput{
		QueueURL: f.Text("QueueUrl"), AttributeNames: f.List("AttributeName"),
		MessageSystemAttributeNames: f.List("MessageSystemAttributeName"), MessageAttributeNames: f.List("MessageAttributeName"),
		MaxNumberOfMessages: f.Number("MaxNumberOfMessages"), VisibilityTimeout: f.Number("VisibilityTimeout"),
		WaitTimeSeconds: f.Number("WaitTimeSeconds"), ReceiveRequestAttemptID: f.Text("ReceiveRequestAttemptId"),
	}
}

// handleEntry is a message in flight, alone or in a batch.
type handleEntry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string
	VisibilityTimeout *int
}

func (f form) handleEntry() handleEntry {
	return handleEntry{f.Text("Id"), f.Text("ReceiptHandle"), f.Number("VisibilityTimeout")}
}

// handleInput is that of DeleteMessage, ChangeMessageVisibility and their
// batches.
type handleInput struct {
	handleEntry
	QueueURL string `json:"QueueUrl"`
	Entries  []handleEntry
}

func (f form) handleInput() *handleInput {
	in := &handleInput{handleEntry: f.handleEntry(), QueueURL: f.Text("QueueUrl")}
	for _, list := range []string{"DeleteMessageBatchRequestEntry", "ChangeMessageVisibilityBatchRequestEntry"} {
		for _, e := range f.entries(list) {
			in.Entries = append(in.Entries, e.handleEntry())
		}
	}
	return in
}
