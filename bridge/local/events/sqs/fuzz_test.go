package sqs

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// newService is SQS with a standard and a FIFO queue, and nothing around it.
func newService(t testing.TB) *Service {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	env := service.Env{
		Store: db, URL: "http://localhost", Region: "us-east-1", AccountID: "123456789012", Now: time.Now,
		Note: func(*store.Tx, service.Note) {}, Logf: t.Logf,
	}
	s, err := New(env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	app := &model.Application{}
	for _, name := range []string{"Q", "Q.fifo"} {
		app.Queues = append(app.Queues, &model.Queue{QueueName: name, ARN: "arn:aws:sqs:us-east-1:123456789012:" + name, MessageRetentionPeriod: time.Hour})
	}
	if err := s.Swap(app); err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends one request. It does not wait for messages.
func ask(t testing.TB, s *Service, operation string, payload []byte, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/", nil)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.Serve(w, &service.Request{Request: r, Payload: payload, Operation: operation, Form: form, ID: "id"})
	return w
}

// FuzzJSON sends JSON to every operation: each answers in JSON, and never with
// an error of the server's.
func FuzzJSON(f *testing.F) {
	names := slices.Sorted(maps.Keys(operations))
	for i := range names {
		f.Add(i, []byte(`{"QueueUrl":"http://localhost/1/Q","QueueName":"N","MessageBody":"x","Entries":[{"Id":"a","MessageBody":"b","ReceiptHandle":"c"}]}`))
	}
	f.Add(0, []byte(`{"QueueUrl":"/Q.fifo","MessageGroupId":"g","MessageDeduplicationId":"d","MessageBody":"\u0000","DelaySeconds":-1}`))
	f.Add(1, []byte(`{"QueueUrl":"Q","Attributes":{"RedrivePolicy":"{\"maxReceiveCount\":[]}"},"AttributeNames":[null],"MaxResults":0}`))
	f.Add(2, []byte(`[`))
	s := newService(f)
	f.Fuzz(func(t *testing.T, n int, payload []byte) {
		name := names[uint(n)%uint(len(names))]
		if name == "DeleteQueue" || name == "CreateQueue" {
			return // the queues should stay, and be few
		}
		w := ask(t, s, name, payload, nil)
		if w.Code >= 500 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if body := w.Body.Bytes(); len(body) > 0 && !json.Valid(body) {
			t.Errorf("%s answers %q, which is no JSON", name, body)
		}
	})
}

// FuzzForm sends forms to every operation: each answers in XML.
func FuzzForm(f *testing.F) {
	names := slices.Sorted(maps.Keys(operations))
	for i := range names {
		f.Add(i, "QueueUrl=/1/Q&MessageBody=x&MaxNumberOfMessages=x&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=%01")
	}
	f.Add(0, "QueueUrl=/Q&MessageBody=%EF%BF%BE&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=Binary&MessageAttribute.1.Value.BinaryValue=!")
	s := newService(f)
	f.Fuzz(func(t *testing.T, n int, text string) {
		name := names[uint(n)%uint(len(names))]
		form, err := url.ParseQuery(text)
		if err != nil || name == "DeleteQueue" || name == "CreateQueue" {
			return
		}
		form.Set("Action", name)
		w := ask(t, s, name, nil, form)
		if w.Code >= 500 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		wellFormed(t, w.Body.String())
	})
}

func wellFormed(t testing.TB, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%q is no XML: %v", text, err)
		}
	}
}

// FuzzRecord reads stored messages: what can be read is written back the same.
func FuzzRecord(f *testing.F) {
	full := &record{
		id: "id", sent: 1, due: 2, first: 3, count: 4, group: "g", dedup: "d", origin: "o", trace: "t", sender: "s",
		attributes: map[string]service.Attribute{"a": {DataType: "Binary", Value: []byte{0}}}, body: []byte("body"),
	}
	full.seal()
	f.Add(full.encode())
	f.Add((&record{body: []byte("x")}).encode())
	f.Add([]byte{recordVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(r.encode())
		if err != nil || again.id != r.id || again.group != r.group || string(again.body) != string(r.body) || len(again.attributes) != len(r.attributes) {
			t.Errorf("read %+v, then %+v, %v", r, again, err)
		}
	})
}

// TestQueryProtocol goes through a message's life as an old SDK does.
func TestQueryProtocol(t *testing.T) {
	s := newService(t)
	text := func(operation, form string) string {
		t.Helper()
		values, err := url.ParseQuery(form)
		if err != nil {
			t.Fatal(err)
		}
		values.Set("Action", operation)
		w := ask(t, s, operation, nil, values)
		wellFormed(t, w.Body.String())
		return w.Body.String()
	}
	sent := text("SendMessage", "QueueUrl=http://localhost/1/Q&MessageBody=%3Chi%3E&MessageAttribute.1.Name=kind&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=order")
	if !strings.Contains(sent, "<SendMessageResult><MessageId>") || !strings.Contains(sent, "<MD5OfMessageAttributes>") {
		t.Errorf("sent: %s", sent)
	}
	received := text("ReceiveMessage", "QueueUrl=http://localhost/1/Q&AttributeName.1=All&MessageAttributeName.1=All&VisibilityTimeout=30")
	for _, want := range []string{"<Body>&lt;hi&gt;</Body>", "<Name>ApproximateReceiveCount</Name><Value>1</Value>", "<MessageAttribute><Name>kind</Name><Value><StringValue>order</StringValue>"} {
		if !strings.Contains(received, want) {
			t.Errorf("received %s, which has no %s", received, want)
		}
	}
	_, rest, _ := strings.Cut(received, "<ReceiptHandle>")
	handle, _, _ := strings.Cut(rest, "<")
	deleted := text("DeleteMessageBatch", "QueueUrl=/1/Q&DeleteMessageBatchRequestEntry.1.Id=a&DeleteMessageBatchRequestEntry.1.ReceiptHandle="+url.QueryEscape(handle))
	if !strings.Contains(deleted, "<DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry>") {
		t.Errorf("deleted: %s", deleted)
	}
	if empty := text("ReceiveMessage", "QueueUrl=/1/Q"); !strings.Contains(empty, "<ReceiveMessageResult></ReceiveMessageResult>") {
		t.Errorf("received %s, want an empty result", empty)
	}
	if gone := text("GetQueueUrl", "QueueName=None"); !strings.Contains(gone, "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>") {
		t.Errorf("error %s", gone)
	}
}
