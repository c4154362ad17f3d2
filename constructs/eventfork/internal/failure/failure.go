// Package failure is the form of the failure record: one object in S3 for each
// event that a branch gave up on. The recorder and the collector write it, the
// resender reads it.
//
// The key says the branch and the hour in which the event came to the
// dead-letter queue, or Firehose gave it up, so that both are found by prefix,
// and by a query engine as partitions:
//
//	failures/branch=Checkout/year=2026/month=11/day=24/hour=09/1793869200123-MESSAGEID.json
//
// An event that was sent round again is moved below "resent/".
package failure

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bailey-cdk/bailey/internal/fork"
	"github.com/bailey-cdk/bailey/internal/sqsmessage"
)

// The prefixes of keys.
const (
	Failures = "failures/"
	Resent   = "resent/"
)

// Record is one failure.
type Record struct {
	Branch string `json:"branch"`
	// From is [Stream] where Firehose gave the event up: it is sent there again,
	// and not to the queue before. It is "" where a dead-letter queue had it.
	From string `json:"from,omitempty"`
	// MessageID is the event's in the branch's queue, where that is known, else
	// in the dead-letter queue. One of Firehose's is made of where it lay.
	MessageID string `json:"messageId"`
	// Time is when the event came to the dead-letter queue, or Firehose tried it
	// last.
	Time time.Time `json:"time"`
	// Reason is what is known of why.
	Reason Reason `json:"reason"`
	// Body, Attributes and Group are the event's own.
	Body       string               `json:"body"`
	Attributes map[string]Attribute `json:"attributes,omitempty"`
	Group      string               `json:"group,omitempty"`
}

// Stream as a Record's From is the branch's Firehose stream.
const Stream = "stream"

// Reason is why a branch gave up. Receives counts its attempts.
type Reason struct {
	Code     string `json:"code,omitempty"`
	Message  string `json:"message"`
	Receives int    `json:"receives,omitempty"`
}

// Attribute is a message attribute.
type Attribute struct {
	Type   string  `json:"type"`
	Value  *string `json:"value,omitempty"`
	Binary []byte  `json:"binary,omitempty"`
}

// reasons are the attributes in which something else than the event's publisher
// says why, in order: a handler of ours, EventBridge, SNS. They are not the
// event's own.
var reasons = map[string]bool{
	fork.ReasonAttribute: true, fork.OriginAttribute: true,
	"ERROR_CODE": true, "RULE_ARN": true, "TARGET_ARN": true, "EXHAUSTED_RETRY_CONDITION": true, "RETRY_ATTEMPTS": true,
	"ErrorMessage": true, "ErrorCode": true, "RequestID": true,
}

// Of is the record of a message in a dead-letter queue.
func Of(branch string, m events.SQSMessage) Record {
	text := func(names ...string) string {
		for _, name := range names {
			if a := m.MessageAttributes[name]; a.StringValue != nil {
				return *a.StringValue
			}
		}
		return ""
	}
	r := Record{
		Branch:    branch,
		MessageID: cmp.Or(text(fork.OriginAttribute), m.MessageId),
		Time:      time.Unix(0, 0).UTC(),
		Body:      m.Body,
		Group:     m.Attributes["MessageGroupId"],
		Reason: Reason{
			Code:    text("ERROR_CODE", "ErrorCode"),
			Message: text(fork.ReasonAttribute, "ErrorMessage"),
		},
	}
	if ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
		r.Time = time.UnixMilli(ms).UTC()
	}
	r.Reason.Receives, _ = strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	if r.Reason.Message == "" {
		r.Reason.Message = "it was received as often as the queue allows, without success: the consumer's log has the errors"
	}
	for name, a := range sqsmessage.Of(m).Attributes {
		if reasons[name] {
			continue
		}
		if r.Attributes == nil {
			r.Attributes = map[string]Attribute{}
		}
		r.Attributes[name] = Attribute{Type: *a.DataType, Value: a.StringValue, Binary: a.BinaryValue}
	}
	return r
}

// Key is where the record lies. It is the same however often the message is
// recorded.
func (r Record) Key() string {
	return fmt.Sprintf("%s%s/%d-%s.json", Prefix(r.Branch), r.Time.Format("year=2006/month=01/day=02/hour=15"), r.Time.UnixMilli(), r.MessageID)
}

// Prefix is that of a branch's records, or of all where branch is "".
func Prefix(branch string) string {
	if branch == "" {
		return Failures
	}
	return Failures + "branch=" + branch + "/"
}

// Parse reads a record's object.
func Parse(text []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("it is no failure record: %w", err)
	}
	if r.Branch == "" {
		return r, fmt.Errorf("it is no failure record: it names no branch")
	}
	return r, nil
}

// TimeOf is the time in a key; false where the key is none of a record.
func TimeOf(key string) (time.Time, bool) {
	ms, _, found := strings.Cut(path.Base(key), "-")
	n, err := strconv.ParseInt(ms, 10, 64)
	return time.UnixMilli(n).UTC(), found && err == nil
}

// Message is what is sent when the event goes round again.
func (r Record) Message() sqsmessage.Message {
	m := sqsmessage.Message{ID: r.MessageID, Body: r.Body, Group: r.Group}
	for name, a := range r.Attributes {
		if m.Attributes == nil {
			m.Attributes = map[string]sqsmessage.Attribute{}
		}
		m.Attributes[name] = sqsmessage.Attribute{DataType: &a.Type, StringValue: a.Value, BinaryValue: a.Binary}
	}
	return m
}
