package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// Client sends requests to the plane at URL ("http://127.0.0.1:4566").
type Client struct {
	URL string
	// Region is the one that requests are signed for.
	Region string
}

// Message is what goes to a topic or a queue.
type Message struct {
	Body string
	// Subject is for topics.
	Subject string
	// Attributes are message attributes by name.
	Attributes map[string]Attribute
	// GroupID and DeduplicationID are for FIFO topics and queues.
	GroupID         string
	DeduplicationID string
	// Delay is for queues, in whole seconds; 0 for the queue's own.
	Delay time.Duration
}

// Attribute is a message attribute: its type, "String", "Number" or "Binary",
// and its value, in base64 where it is binary.
type Attribute struct{ DataType, Value string }

// Sent says under which id a message was taken.
type Sent struct {
	MessageID      string `json:"messageId"`
	SequenceNumber string `json:"sequenceNumber,omitempty"`
}

// Publish publishes to a topic.
func (c *Client) Publish(ctx context.Context, topicARN string, m *Message) (*Sent, error) {
	form := url.Values{"Action": {"Publish"}, "Version": {"2010-03-31"}, "TopicArn": {topicARN}, "Message": {m.Body}}
	for name, value := range map[string]string{"Subject": m.Subject, "MessageGroupId": m.GroupID, "MessageDeduplicationId": m.DeduplicationID} {
		if value != "" {
			form.Set(name, value)
		}
	}
	i := 0
	for _, name := range slices.Sorted(keys(m.Attributes)) {
		i++
		a := m.Attributes[name]
		entry := "MessageAttributes.entry." + strconv.Itoa(i) + "."
		form.Set(entry+"Name", name)
		form.Set(entry+"Value.DataType", a.DataType)
		form.Set(entry+"Value."+a.member(), a.Value)
	}
	body, err := c.do(ctx, "sns", "/", strings.NewReader(form.Encode()), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Result struct {
			MessageID      string `xml:"MessageId"`
			SequenceNumber string
		} `xml:"PublishResult"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("the event plane answered with no XML: %w", err)
	}
	return &Sent{answer.Result.MessageID, answer.Result.SequenceNumber}, nil
}

// member is which field the attribute's value is in.
func (a Attribute) member() string {
	if strings.HasPrefix(a.DataType, "Binary") {
		return "BinaryValue"
	}
	return "StringValue"
}

func keys[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// Send sends to a queue.
func (c *Client) Send(ctx context.Context, queueURL string, m *Message) (*Sent, error) {
	in := map[string]any{"QueueUrl": queueURL, "MessageBody": m.Body}
	for name, value := range map[string]string{"MessageGroupId": m.GroupID, "MessageDeduplicationId": m.DeduplicationID} {
		if value != "" {
			in[name] = value
		}
	}
	if m.Delay > 0 {
		in["DelaySeconds"] = int(m.Delay / time.Second)
	}
	if len(m.Attributes) > 0 {
		attributes := map[string]map[string]string{}
		for name, a := range m.Attributes {
			attributes[name] = map[string]string{"DataType": a.DataType, a.member(): a.Value}
		}
		in["MessageAttributes"] = attributes
	}
	var answer struct {
		MessageID      string `json:"MessageId"`
		SequenceNumber string
	}
	err := c.json(ctx, "sqs", "AmazonSQS.SendMessage", "1.0", in, &answer)
	return &Sent{answer.MessageID, answer.SequenceNumber}, err
}

// Event is an entry of PutEvents.
type Event struct {
	EventBusName string   `json:"EventBusName,omitempty"`
	Source       string   `json:"Source"`
	DetailType   string   `json:"DetailType"`
	Detail       string   `json:"Detail"`
	Resources    []string `json:"Resources,omitempty"`
	// Time is in RFC 3339, "" for now.
	Time string `json:"-"`
}

// PutEvents puts events on buses, and returns their ids in the same order. An
// error says which were not taken.
func (c *Client) PutEvents(ctx context.Context, events []Event) ([]string, error) {
	type entry struct {
		Event
		Time *int64 `json:"Time,omitempty"`
	}
	entries := make([]entry, len(events))
	for i, e := range events {
		entries[i].Event = e
		if e.Time == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, e.Time)
		if err != nil {
			return nil, fmt.Errorf("the time of an event is %q: want one such as 2026-11-01T12:00:00Z", e.Time)
		}
		seconds := at.Unix()
		entries[i].Time = &seconds
	}
	var ids []string
	var all []error
	for chunk := range slices.Chunk(entries, 10) { // the most that PutEvents takes
		var answer struct {
			Entries []struct{ EventID, ErrorCode, ErrorMessage string }
		}
		if err := c.json(ctx, "events", "AWSEvents.PutEvents", "1.1", map[string]any{"Entries": chunk}, &answer); err != nil {
			return ids, err
		}
		for _, e := range answer.Entries {
			ids = append(ids, e.EventID)
			if e.ErrorCode != "" {
				all = append(all, fmt.Errorf("event %d of %d: %s: %s", len(ids), len(events), e.ErrorCode, e.ErrorMessage))
			}
		}
	}
	return ids, errors.Join(all...)
}

// Moved says how a redrive ended.
type Moved struct {
	Moved int64 `json:"moved"`
}

// Redrive moves all messages of a dead-letter queue to a queue, "" for the one
// that each came from, at most so many a second, 0 for as fast as possible. It
// returns when they are moved.
func (c *Client) Redrive(ctx context.Context, sourceARN, destinationARN string, rate int) (*Moved, error) {
	in := map[string]any{"SourceArn": sourceARN}
	if destinationARN != "" {
		in["DestinationArn"] = destinationARN
	}
	if rate > 0 {
		in["MaxNumberOfMessagesPerSecond"] = rate
	}
	if err := c.json(ctx, "sqs", "AmazonSQS.StartMessageMoveTask", "1.0", in, nil); err != nil {
		return nil, err
	}
	for {
		var answer struct {
			Results []struct {
				Status, FailureReason            string
				ApproximateNumberOfMessagesMoved int64
			}
		}
		if err := c.json(ctx, "sqs", "AmazonSQS.ListMessageMoveTasks", "1.0", map[string]any{"SourceArn": sourceARN}, &answer); err != nil {
			return nil, err
		}
		if len(answer.Results) == 0 {
			return nil, errors.New("the event plane forgot that it moves messages")
		}
		task := answer.Results[0] // the latest one
		switch task.Status {
		case "COMPLETED":
			return &Moved{task.ApproximateNumberOfMessagesMoved}, nil
		case "FAILED", "CANCELLED":
			return nil, fmt.Errorf("after %d messages: %s %s", task.ApproximateNumberOfMessagesMoved, strings.ToLower(task.Status), task.FailureReason)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// FunctionError is the error that a function answered with.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// Invoke invokes a function and waits. The error is a [*FunctionError] where
// the function failed.
func (c *Client) Invoke(ctx context.Context, name string, payload []byte) ([]byte, error) {
	header := http.Header{"Content-Type": {"application/json"}}
	body, failed, err := c.send(ctx, "lambda", "/2015-03-31/functions/"+url.PathEscape(name)+"/invocations", bytes.NewReader(payload), header)
	if err != nil || failed.Get("X-Amz-Function-Error") == "" {
		return body, err
	}
	e := &FunctionError{}
	if json.Unmarshal(body, e) != nil {
		e.Message = string(body)
	}
	return nil, e
}

// Note is a note of the plane's journal, with the beginning of the message.
type Note struct {
	service.Note
	Body string `json:"body,omitempty"`
}

// Watch calls fn with what passes from now on, with backlog also with what the
// plane remembers, until ctx ends, the plane does, or fn returns an error.
func (c *Client) Watch(ctx context.Context, backlog bool, fn func(*Note) error) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+"/_bailey/watch?backlog="+strconv.FormatBool(backlog), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			if errors.Is(err, io.EOF) || ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("the event plane ended: %w", err)
		}
		var n Note
		if err := json.Unmarshal(line, &n); err != nil {
			return fmt.Errorf("the event plane's journal has a line that is no note: %w", err)
		}
		if err := fn(&n); err != nil {
			return err
		}
	}
}

// json does an operation of one of the JSON protocols.
func (c *Client) json(ctx context.Context, name, target, version string, in, out any) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	body, err := c.do(ctx, name, "/", bytes.NewReader(text), http.Header{"Content-Type": {"application/x-amz-json-" + version}, "X-Amz-Target": {target}})
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("the event plane answered with no JSON: %w", err)
	}
	return nil
}

func (c *Client) do(ctx context.Context, name, path string, body io.Reader, header http.Header) ([]byte, error) {
	answer, _, err := c.send(ctx, name, path, body, header)
	return answer, err
}

// send sends a request, signed in name only: the plane looks at no more than
// the region and service.
func (c *Client) send(ctx context.Context, name, path string, body io.Reader, header http.Header) ([]byte, http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+path, body)
	if err != nil {
		return nil, nil, err
	}
	r.Header = header
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20060102/"+c.Region+"/"+name+"/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, err
	}
	if response.StatusCode >= 300 {
		return nil, nil, failure(response, answer)
	}
	return answer, response.Header, nil
}

// failure is the error in an answer, of whichever protocol.
func failure(response *http.Response, body []byte) error {
	var inJSON struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
		Upper   string `json:"Message"`
	}
	if json.Unmarshal(body, &inJSON) == nil {
		code := inJSON.Type[strings.LastIndex(inJSON.Type, "#")+1:]
		if code == "" {
			code = response.Header.Get("X-Amzn-Errortype")
		}
		return &service.Error{Code: code, Message: inJSON.Message + inJSON.Upper, Status: response.StatusCode}
	}
	var inXML struct {
		Error struct{ Code, Message string }
	}
	if xml.Unmarshal(body, &inXML) == nil && inXML.Error.Code != "" {
		return &service.Error{Code: inXML.Error.Code, Message: inXML.Error.Message, Status: response.StatusCode}
	}
	return fmt.Errorf("the event plane answered %s: %s", response.Status, bytes.TrimSpace(body))
}

// ParseAttribute reads an attribute from a command line: NAME=VALUE, or
// NAME:TYPE=VALUE where the type is not "String". A binary value is in base64.
func ParseAttribute(text string) (name string, a Attribute, err error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return "", a, fmt.Errorf("the attribute %q has no value: want NAME=VALUE, or NAME:Number=VALUE", text)
	}
	a = Attribute{DataType: "String", Value: value}
	if n, kind, typed := strings.Cut(name, ":"); typed {
		name, a.DataType = n, kind
	}
	base, _, _ := strings.Cut(a.DataType, ".")
	switch base {
	case "String", "Number":
	case "Binary":
		if _, err := base64.StdEncoding.DecodeString(value); err != nil {
			return "", a, fmt.Errorf("the binary attribute %q is not in base64: %w", name, err)
		}
	default:
		return "", a, fmt.Errorf("the attribute %q is of type %q: want String, Number or Binary", name, a.DataType)
	}
	return name, a, nil
}
