package mapping

import (
	"bytes"
	"encoding/json"
)

// sqsRecord is a message as a function's event has it.
type sqsRecord struct {
	MessageID              string                  `json:"messageId"`
	ReceiptHandle          string                  `json:"receiptHandle"`
	Body                   any                     `json:"body"`
	Attributes             map[string]string       `json:"attributes"`
	MessageAttributes      map[string]sqsAttribute `json:"messageAttributes"`
	MD5OfMessageAttributes string                  `json:"md5OfMessageAttributes,omitempty"`
	MD5OfBody              string                  `json:"md5OfBody"`
	EventSource            string                  `json:"eventSource"`
	EventSourceARN         string                  `json:"eventSourceARN"`
	AWSRegion              string                  `json:"awsRegion"`
}

// sqsAttribute is a message attribute in an event. The lists are reserved by
// SQS and always empty.
type sqsAttribute struct {
	StringValue      *string  `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues []string `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

func newSQSRecord(m *Message, queueARN string) sqsRecord {
	r := sqsRecord{
		MessageID: m.ID, ReceiptHandle: m.ReceiptHandle, Body: m.Body, Attributes: m.Attributes,
		MessageAttributes: map[string]sqsAttribute{}, MD5OfMessageAttributes: m.MD5OfMessageAttributes, MD5OfBody: m.MD5OfBody,
		EventSource: "aws:sqs", EventSourceARN: queueARN, AWSRegion: regionOf(queueARN),
	}
	if r.Attributes == nil {
		r.Attributes = map[string]string{}
	}
	for name, a := range m.MessageAttributes {
		attribute := sqsAttribute{DataType: a.DataType, StringListValues: []string{}, BinaryListValues: []string{}}
		if a.BinaryValue != nil {
			attribute.BinaryValue = a.BinaryValue
		} else {
			attribute.StringValue = &a.StringValue
		}
		r.MessageAttributes[name] = attribute
	}
	return r
}

// json is the record as it is delivered.
func (r sqsRecord) json() []byte { return encode(r) }

// filtered is the record as filter criteria see it: a body that is a JSON
// object is one. See "Control which events Lambda sends to your function" in
// the AWS Lambda Developer Guide.
func (r sqsRecord) filtered() []byte {
	if text, _ := r.Body.(string); len(text) > 0 {
		if body := bytes.TrimSpace([]byte(text)); len(body) > 0 && body[0] == '{' && json.Valid(body) {
			r.Body = json.RawMessage(body)
		}
	}
	return encode(r)
}

// encode writes JSON as AWS does: "<", ">" and "&" as they are.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// What is encoded here is made of strings, numbers and valid JSON.
	_ = e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// event is the event of a batch: {"Records": [...]}.
func event(records [][]byte) []byte {
	size := len(`{"Records":[]}`) + len(records)
	for _, r := range records {
		size += len(r)
	}
	b := make([]byte, 0, size)
	b = append(b, `{"Records":[`...)
	for i, r := range records {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, r...)
	}
	return append(b, `]}`...)
}
