package sns

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bailey-cdk/bailey/bridge/local/events/filter"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// The sizes of messages. See https://docs.aws.amazon.com/general/latest/gr/sns.html
const (
	defaultMessage = 256 << 10
	maxBatch       = 256 << 10
	maxMessage     = 1 << 20
)

// message is a message that is being published.
type message struct {
	id         string
	subject    string
	text       string
	byProtocol map[string]string // with the message structure "json"
	attributes map[string]service.Attribute
	group      string
	dedup      string
	at         time.Time
	sequence   string // of FIFO topics

	filtered map[string]filter.Attribute // the attributes as filters want them
}

// textFor is what a protocol gets.
func (m *message) textFor(protocol string) string {
	if text, ok := m.byProtocol[protocol]; ok {
		return text
	}
	if text, ok := m.byProtocol["default"]; ok {
		return text
	}
	return m.text
}

// structure reads a message whose structure is "json".
func (m *message) structure() *service.Error {
	var texts map[string]any
	if json.Unmarshal([]byte(m.text), &texts) != nil {
		return invalid("Invalid parameter: Message Structure - JSON message body failed to parse")
	}
	m.byProtocol = map[string]string{}
	for protocol, text := range texts {
		if text, ok := text.(string); ok {
			m.byProtocol[protocol] = text
		}
	}
	if _, ok := m.byProtocol["default"]; !ok {
		return invalid("Invalid parameter: Message Structure - No default entry in JSON message body")
	}
	return nil
}

var fifoID = regexp.MustCompile("^[A-Za-z0-9!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]{1,128}$")

// check checks a message for a topic.
func (m *message) check(t *topic) *service.Error {
	size := len(m.text)
	for name, a := range m.attributes {
		size += len(name) + len(a.DataType) + len(a.Value)
		if e := checkAttribute(name, a); e != nil {
			return e
		}
	}
	switch {
	case m.text == "":
		return invalid("Invalid parameter: Empty message")
	case !utf8.ValidString(m.text):
		return invalid("Invalid parameter: Message is not UTF-8")
	case size > t.maxSize():
		return invalid("Invalid parameter: Message too long")
	case len(m.subject) > 100 || strings.ContainsFunc(m.subject, func(r rune) bool { return r < ' ' }):
		return invalid("Invalid parameter: Subject")
	case m.group != "" && !fifoID.MatchString(m.group):
		return invalid("Invalid parameter: MessageGroupId Reason: it has 1 to 128 alphanumeric or punctuation characters")
	case !t.fifo() && m.dedup != "":
		return invalid("Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	case !t.fifo():
		return nil
	case m.group == "":
		return invalid("Invalid parameter: The MessageGroupId parameter is required for FIFO topics")
	case m.dedup == "" && t.Attributes["ContentBasedDeduplication"] != "true":
		return invalid("Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	case m.dedup != "" && !fifoID.MatchString(m.dedup):
		return invalid("Invalid parameter: MessageDeduplicationId Reason: it has 1 to 128 alphanumeric or punctuation characters")
	}
	return nil
}

func checkAttribute(name string, a service.Attribute) *service.Error {
	kind, _, _ := strings.Cut(a.DataType, ".")
	switch {
	case name == "" || len(name) > 256:
		return service.Errorf("ParameterValueInvalid", "The message attribute name must have 1 to 256 characters")
	case kind != "String" && kind != "Number" && kind != "Binary":
		return service.Errorf("ParameterValueInvalid", "The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	case len(a.Value) == 0:
		return service.Errorf("ParameterValueInvalid", "The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, a.DataType)
	}
	if kind == "Number" {
		if _, err := strconv.ParseFloat(string(a.Value), 64); err != nil {
			return service.Errorf("ParameterValueInvalid", "Could not cast message attribute '%s' value to number.", name)
		}
	}
	return nil
}

// passes reports whether a subscription's filter policy lets the message
// through.
func (m *message) passes(sub *subscription) bool {
	if sub.policy == nil {
		return true
	}
	if m.filtered == nil {
		m.filtered = make(map[string]filter.Attribute, len(m.attributes))
		for name, a := range m.attributes {
			m.filtered[name] = filter.Attribute{DataType: a.DataType, StringValue: string(a.Value)}
		}
	}
	return sub.policy.Matches(m.filtered, []byte(m.text))
}

// timeFormat is ISO 8601 with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

// quote is a text as JSON.
func quote(b *bytes.Buffer, text string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a buffer takes every text
	b.Truncate(b.Len() - 1)
}

func field(b *bytes.Buffer, name, text string) {
	if b.Bytes()[b.Len()-1] != '{' {
		b.WriteByte(',')
	}
	b.WriteByte('"')
	b.WriteString(name)
	b.WriteString(`":`)
	quote(b, text)
}

// unsubscribeURL is where a subscription is ended.
func (s *Service) unsubscribeURL(sub *subscription) string {
	return s.env.URL + "/?Action=Unsubscribe&Version=2010-03-31&SubscriptionArn=" + url.QueryEscape(sub.ARN)
}

// notSigned stands in the place of a signature, base64 as it is.
var notSigned = base64.StdEncoding.EncodeToString([]byte("not signed: sent by a local event plane"))

// signature writes the fields of a signature.
func (s *Service) signature(b *bytes.Buffer, urlName string) {
	field(b, "SignatureVersion", "1")
	field(b, "Signature", notSigned)
	field(b, urlName, s.env.URL+"/SimpleNotificationService.pem")
}

// notification is the JSON that queues, streams and HTTP endpoints get.
// See https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
func (s *Service) notification(t *topic, sub *subscription, m *message) []byte {
	b := &bytes.Buffer{}
	text := m.textFor(sub.Protocol)
	b.Grow(700 + len(text)*9/8)
	b.WriteByte('{')
	field(b, "Type", "Notification")
	field(b, "MessageId", m.id)
	if m.sequence != "" {
		field(b, "SequenceNumber", m.sequence)
	}
	field(b, "TopicArn", t.ARN)
	if m.subject != "" {
		field(b, "Subject", m.subject)
	}
	field(b, "Message", text)
	field(b, "Timestamp", m.at.UTC().Format(timeFormat))
	if !t.fifo() && sub.Protocol != "firehose" {
		s.signature(b, "SigningCertURL")
	}
	field(b, "UnsubscribeURL", s.unsubscribeURL(sub))
	if len(m.attributes) > 0 {
		b.WriteString(`,"MessageAttributes":`)
		writeAttributes(b, m.attributes)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func writeAttributes(b *bytes.Buffer, attributes map[string]service.Attribute) {
	separator := byte('{')
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		b.WriteByte(separator)
		separator = ','
		quote(b, name)
		b.WriteString(`:{`)
		field(b, "Type", a.DataType)
		if strings.HasPrefix(a.DataType, "Binary") {
			field(b, "Value", base64.StdEncoding.EncodeToString(a.Value))
		} else {
			field(b, "Value", string(a.Value))
		}
		b.WriteByte('}')
	}
	if separator == '{' {
		b.WriteByte('{')
	}
	b.WriteByte('}')
}

// event is the JSON that a function gets.
// See https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
func (s *Service) event(t *topic, sub *subscription, m *message) []byte {
	b := &bytes.Buffer{}
	text := m.textFor(sub.Protocol)
	b.Grow(900 + len(text)*9/8)
	b.WriteString(`{"Records":[{`)
	field(b, "EventSource", "aws:sns")
	field(b, "EventVersion", "1.0")
	field(b, "EventSubscriptionArn", sub.ARN)
	b.WriteString(`,"Sns":{`)
	field(b, "Type", "Notification")
	field(b, "MessageId", m.id)
	field(b, "TopicArn", t.ARN)
	if m.subject != "" {
		field(b, "Subject", m.subject)
	} else {
		b.WriteString(`,"Subject":null`)
	}
	field(b, "Message", text)
	field(b, "Timestamp", m.at.UTC().Format(timeFormat))
	s.signature(b, "SigningCertUrl")
	field(b, "UnsubscribeUrl", s.unsubscribeURL(sub))
	b.WriteString(`,"MessageAttributes":`)
	writeAttributes(b, m.attributes)
	b.WriteString(`}}]}`)
	return b.Bytes()
}
