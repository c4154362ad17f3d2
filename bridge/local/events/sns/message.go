package sns

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bailey-cdk/bailey/bridge/local/events/filter"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/internal/lazyregexp"
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

	// envelope is the beginning of the notification of a protocol, which all
	// its subscriptions share.
	envelope    []byte
	envelopeFor string
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

var fifoID = lazyregexp.New("^[A-Za-z0-9!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]{1,128}$")

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

// object writes the JSON of notifications.
type object struct{ b []byte }

func (o *object) raw(text string) { o.b = append(o.b, text...) }

// open begins an object.
func (o *object) open() { o.b = append(o.b, '{') }

func (o *object) close() { o.b = append(o.b, '}') }

// field writes a name and a text.
func (o *object) field(name, text string) {
	o.name(name)
	o.b = service.AppendJSON(o.b, text)
}

func (o *object) name(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(service.AppendJSON(o.b, name), ':')
}

// unsubscribeURL is where a subscription is ended.
func (s *Service) unsubscribeURL(sub *subscription) string {
	return s.env.URL + "/?Action=Unsubscribe&Version=2010-03-31&SubscriptionArn=" + sub.escaped
}

// notSigned stands in the place of a signature, base64 as it is.
var notSigned = base64.StdEncoding.EncodeToString([]byte("not signed: sent by a local event plane"))

// signature writes the fields of a signature.
func (s *Service) signature(o *object, urlName string) {
	o.field("SignatureVersion", "1")
	o.field("Signature", notSigned)
	o.field(urlName, s.env.URL+"/SimpleNotificationService.pem")
}

// notification is the JSON that queues, streams and HTTP endpoints get.
// See https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
func (s *Service) notification(t *topic, sub *subscription, m *message) []byte {
	if m.envelopeFor != sub.Protocol {
		m.envelope, m.envelopeFor = s.envelope(t, sub.Protocol, m), sub.Protocol
	}
	o := &object{append(make([]byte, 0, len(m.envelope)+300), m.envelope...)}
	o.field("UnsubscribeURL", s.unsubscribeURL(sub))
	if len(m.attributes) > 0 {
		o.name("MessageAttributes")
		o.attributes(m.attributes)
	}
	o.close()
	return o.b
}

// envelope is the beginning of a notification, with all that does not depend on
// the subscription.
func (s *Service) envelope(t *topic, protocol string, m *message) []byte {
	text := m.textFor(protocol)
	o := &object{make([]byte, 0, 500+len(text)*5/4)}
	o.open()
	o.field("Type", "Notification")
	o.field("MessageId", m.id)
	if m.sequence != "" {
		o.field("SequenceNumber", m.sequence)
	}
	o.field("TopicArn", t.ARN)
	if m.subject != "" {
		o.field("Subject", m.subject)
	}
	o.field("Message", text)
	o.field("Timestamp", m.at.UTC().Format(timeFormat))
	if !t.fifo() && protocol != "firehose" {
		s.signature(o, "SigningCertURL")
	}
	return o.b
}

func (o *object) attributes(attributes map[string]service.Attribute) {
	o.open()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		o.name(name)
		o.open()
		o.field("Type", a.DataType)
		if strings.HasPrefix(a.DataType, "Binary") {
			o.field("Value", base64.StdEncoding.EncodeToString(a.Value))
		} else {
			o.field("Value", string(a.Value))
		}
		o.close()
	}
	o.close()
}

// event is the JSON that a function gets.
// See https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
func (s *Service) event(t *topic, sub *subscription, m *message) []byte {
	text := m.textFor(sub.Protocol)
	o := &object{make([]byte, 0, 1000+len(text)*9/8)}
	o.raw(`{"Records":[{`)
	o.field("EventSource", "aws:sns")
	o.field("EventVersion", "1.0")
	o.field("EventSubscriptionArn", sub.ARN)
	o.raw(`,"Sns":{`)
	o.field("Type", "Notification")
	o.field("MessageId", m.id)
	o.field("TopicArn", t.ARN)
	if m.subject != "" {
		o.field("Subject", m.subject)
	} else {
		o.raw(`,"Subject":null`)
	}
	o.field("Message", text)
	o.field("Timestamp", m.at.UTC().Format(timeFormat))
	s.signature(o, "SigningCertUrl")
	o.field("UnsubscribeUrl", s.unsubscribeURL(sub))
	o.name("MessageAttributes")
	o.attributes(m.attributes)
	o.raw(`}}]}`)
	return o.b
}
