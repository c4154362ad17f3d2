package sqs

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

func text(n int) string { return strconv.Itoa(n) }

// answer is what an operation answers with: JSON by encoding/json, unless it
// writes its own, and XML by itself.
type answer interface {
	xml(x *service.XML)
}

type queueURL struct {
	URL string `json:"QueueUrl"`
}

func (a queueURL) xml(x *service.XML) { x.Element("QueueUrl", a.URL) }

// queueURLs is ListQueues's and ListDeadLetterSourceQueues's answer, whose JSON
// names differ in the case of a letter.
type queueURLs struct {
	QueueURLs []string `json:"QueueUrls,omitempty"`
	Sources   []string `json:"queueUrls,omitempty"`
	NextToken string   `json:"NextToken,omitempty"`
}

func (a *queueURLs) xml(x *service.XML) {
	for _, url := range append(a.QueueURLs, a.Sources...) {
		x.Element("QueueUrl", url)
	}
	x.Optional("NextToken", a.NextToken)
}

type queueAttributes struct {
	Attributes map[string]string `json:"Attributes,omitempty"`
}

func (a queueAttributes) xml(x *service.XML) { x.Pairs("Attribute", "Name", "Value", a.Attributes) }

type queueTags struct {
	Tags map[string]string `json:"Tags,omitempty"`
}

func (a queueTags) xml(x *service.XML) { x.Pairs("Tag", "Key", "Value", a.Tags) }

// sendAnswer is what became of a message that was sent. ID is for batches.
type sendAnswer struct {
	ID                           string `json:"Id,omitempty"`
	MessageID                    string `json:"MessageId"`
	MD5OfMessageBody             string
	MD5OfMessageAttributes       string `json:"MD5OfMessageAttributes,omitempty"`
	MD5OfMessageSystemAttributes string `json:"MD5OfMessageSystemAttributes,omitempty"`
	SequenceNumber               string `json:"SequenceNumber,omitempty"`
}

func (a *sendAnswer) xml(x *service.XML) {
	x.Optional("Id", a.ID)
	x.Element("MessageId", a.MessageID)
	x.Element("MD5OfMessageBody", a.MD5OfMessageBody)
	x.Optional("MD5OfMessageAttributes", a.MD5OfMessageAttributes)
	x.Optional("MD5OfMessageSystemAttributes", a.MD5OfMessageSystemAttributes)
	x.Optional("SequenceNumber", a.SequenceNumber)
}

// batchAnswer is what became of a batch. Its entry's name is for XML.
type batchAnswer struct {
	entry      string
	Successful []*sendAnswer
	Failed     []batchError
}

type batchError struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string `json:"Message,omitempty"`
}

// MarshalJSON gives an entry of a batch without checksums where there are
// none: those of DeleteMessageBatch have their Id alone.
func (a *batchAnswer) MarshalJSON() ([]byte, error) {
	type id struct {
		ID string `json:"Id"`
	}
	var successful any = a.Successful
	if a.entry != "SendMessageBatchResultEntry" {
		ids := make([]id, len(a.Successful))
		for i, s := range a.Successful {
			ids[i] = id{s.ID}
		}
		successful = ids
	} else if a.Successful == nil {
		successful = []id{}
	}
	return json.Marshal(struct {
		Successful any
		Failed     []batchError `json:"Failed,omitempty"`
	}{successful, a.Failed})
}

func (a *batchAnswer) xml(x *service.XML) {
	for _, s := range a.Successful {
		x.Nest(a.entry, func() {
			if a.entry == "SendMessageBatchResultEntry" {
				s.xml(x)
			} else {
				x.Element("Id", s.ID)
			}
		})
	}
	for _, f := range a.Failed {
		x.Nest("BatchResultErrorEntry", func() {
			x.Element("Id", f.ID)
			x.Element("SenderFault", strconv.FormatBool(f.SenderFault))
			x.Element("Code", f.Code)
			x.Optional("Message", f.Message)
		})
	}
}

func (a *batchAnswer) fail(id string, e *service.Error) {
	a.Failed = append(a.Failed, batchError{id, e.Status < 500, e.Code, e.Message})
}

// messages is ReceiveMessage's answer. It is the one that most depends on, and
// writes its JSON itself.
type messages []*Message

func (a messages) appendJSON(b []byte) []byte {
	if len(a) == 0 {
		return append(b, "{}"...)
	}
	b = append(b, `{"Messages":[`...)
	for i, m := range a {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, `{"MessageId":"`...), m.MessageID...)
		b = append(append(b, `","ReceiptHandle":"`...), m.ReceiptHandle...)
		b = append(append(b, `","MD5OfBody":"`...), m.MD5OfBody...)
		b = service.AppendJSON(append(b, `","Body":`...), m.Body)
		if len(m.Attributes) > 0 {
			b = append(b, `,"Attributes":`...)
			separator := byte('{')
			for name, value := range m.Attributes {
				b = append(append(append(b, separator, '"'), name...), `":`...)
				b = service.AppendJSON(b, value)
				separator = ','
			}
			b = append(b, '}')
		}
		if len(m.MessageAttributes) > 0 {
			b = appendAttributes(append(b, `,"MessageAttributes":`...), m.MessageAttributes)
			b = append(append(append(b, `,"MD5OfMessageAttributes":"`...), m.MD5OfMessageAttributes...), '"')
		}
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

func appendAttributes(b []byte, attributes map[string]service.Attribute) []byte {
	values, err := json.Marshal(attributesTo(attributes))
	if err != nil { // never: texts and bytes
		return append(b, "{}"...)
	}
	return append(b, values...)
}

func (a messages) xml(x *service.XML) {
	for _, m := range a {
		x.Nest("Message", func() {
			x.Element("MessageId", m.MessageID)
			x.Element("ReceiptHandle", m.ReceiptHandle)
			x.Element("MD5OfBody", m.MD5OfBody)
			x.Element("Body", string(m.Body))
			x.Pairs("Attribute", "Name", "Value", m.Attributes)
			x.Optional("MD5OfMessageAttributes", m.MD5OfMessageAttributes)
			values := attributesTo(m.MessageAttributes)
			for _, name := range slices.Sorted(maps.Keys(values)) {
				x.Nest("MessageAttribute", func() {
					x.Element("Name", name)
					x.Nest("Value", func() {
						if v := values[name]; v.StringValue != nil {
							x.Element("StringValue", *v.StringValue)
						} else {
							x.Element("BinaryValue", base64.StdEncoding.EncodeToString(v.BinaryValue))
						}
						x.Element("DataType", values[name].DataType)
					})
				})
			}
		})
	}
}

type taskHandle struct{ TaskHandle string }

func (a taskHandle) xml(x *service.XML) { x.Element("TaskHandle", a.TaskHandle) }

type movedAnswer struct{ ApproximateNumberOfMessagesMoved int64 }

func (a movedAnswer) xml(x *service.XML) {
	x.Element("ApproximateNumberOfMessagesMoved", strconv.FormatInt(a.ApproximateNumberOfMessagesMoved, 10))
}

type taskAnswer struct {
	TaskHandle                        string `json:"TaskHandle,omitempty"`
	Status                            string
	SourceArn                         string
	DestinationArn                    string `json:"DestinationArn,omitempty"`
	MaxNumberOfMessagesPerSecond      int    `json:"MaxNumberOfMessagesPerSecond,omitempty"`
	ApproximateNumberOfMessagesMoved  int64
	ApproximateNumberOfMessagesToMove int64
	FailureReason                     string `json:"FailureReason,omitempty"`
	StartedTimestamp                  int64
}

type taskList struct{ Results []taskAnswer }

func (a taskList) xml(x *service.XML) {
	for _, t := range a.Results {
		x.Nest("ListMessageMoveTasksResultEntry", func() {
			x.Optional("TaskHandle", t.TaskHandle)
			x.Element("Status", t.Status)
			x.Element("SourceArn", t.SourceArn)
			x.Optional("DestinationArn", t.DestinationArn)
			if t.MaxNumberOfMessagesPerSecond > 0 {
				x.Element("MaxNumberOfMessagesPerSecond", text(t.MaxNumberOfMessagesPerSecond))
			}
			x.Element("ApproximateNumberOfMessagesMoved", strconv.FormatInt(t.ApproximateNumberOfMessagesMoved, 10))
			x.Element("ApproximateNumberOfMessagesToMove", strconv.FormatInt(t.ApproximateNumberOfMessagesToMove, 10))
			x.Optional("FailureReason", t.FailureReason)
			x.Element("StartedTimestamp", strconv.FormatInt(t.StartedTimestamp, 10))
		})
	}
}
