package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"github.com/bailey-cdk/bailey/batch"
)

// stream records what it is given and refuses what says so.
type stream struct {
	requests [][]string
	err      error
	short    bool
}

func (s *stream) PutRecordBatch(_ context.Context, in *firehose.PutRecordBatchInput, _ ...func(*firehose.Options)) (*firehose.PutRecordBatchOutput, error) {
	var lines []string
	out := &firehose.PutRecordBatchOutput{}
	for _, r := range in.Records {
		lines = append(lines, string(r.Data))
		response := types.PutRecordBatchResponseEntry{RecordId: aws.String("1")}
		if strings.Contains(string(r.Data), "refused") {
			response = types.PutRecordBatchResponseEntry{ErrorCode: aws.String("ServiceUnavailableException"), ErrorMessage: aws.String("slow down")}
		}
		out.RequestResponses = append(out.RequestResponses, response)
	}
	s.requests = append(s.requests, lines)
	if s.short {
		out.RequestResponses = nil
	}
	return out, s.err
}

func neverGiveUp(context.Context, events.SQSMessage, error) (bool, error) { return false, nil }

func batchOf(bodies ...string) events.SQSEvent {
	var e events.SQSEvent
	for i, body := range bodies {
		e.Records = append(e.Records, events.SQSMessage{MessageId: fmt.Sprint(i), Body: body})
	}
	return e
}

func failed(t *testing.T, b *batcher, e events.SQSEvent) string {
	t.Helper()
	r, err := b.handle(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, f := range r.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return strings.Join(ids, " ")
}

func TestOneRequest(t *testing.T) {
	s := &stream{}
	b := &batcher{stream: "s", api: s, giveUp: neverGiveUp}
	if got := failed(t, b, batchOf(`{"a":1}`, `{"refused":true}`, "{\n  \"b\": 2\n}", "plain text")); got != "1" {
		t.Errorf("failed %q, want the refused one", got)
	}
	want := []string{"{\"a\":1}\n", "{\"refused\":true}\n", "{\"b\":2}\n", "plain text\n"}
	if len(s.requests) != 1 || strings.Join(s.requests[0], "") != strings.Join(want, "") {
		t.Errorf("the requests are %q", s.requests)
	}
}

func TestNoRecordsNoRequest(t *testing.T) {
	s := &stream{}
	if got := failed(t, &batcher{api: s, giveUp: neverGiveUp}, batchOf()); got != "" || len(s.requests) != 0 {
		t.Errorf("failed %q, %d requests", got, len(s.requests))
	}
}

func TestRequestsFitTheLimits(t *testing.T) {
	s := &stream{}
	b := &batcher{api: s, giveUp: neverGiveUp}
	small := make([]string, mostRecords+1)
	for i := range small {
		small[i] = "x"
	}
	failed(t, b, batchOf(small...))
	if len(s.requests) != 2 || len(s.requests[0]) != mostRecords {
		t.Errorf("%d requests for 501 events", len(s.requests))
	}
	s.requests = nil
	big := strings.Repeat("x", 900<<10)
	failed(t, b, batchOf(big, big, big, big, big))
	if len(s.requests) != 2 || len(s.requests[0]) != 4 {
		t.Errorf("%d requests for 4.5 MB", len(s.requests))
	}
	s.requests = nil
	if got := failed(t, b, batchOf("a", strings.Repeat("x", largest), "b")); got != "1" || len(s.requests[0]) != 2 {
		t.Errorf("failed %q: want the one that is too large, alone", got)
	}
}

func TestStreamIsAway(t *testing.T) {
	for _, s := range []*stream{{err: errors.New("no such stream")}, {short: true}} {
		if got := failed(t, &batcher{api: s, giveUp: neverGiveUp}, batchOf("a", "b")); got != "0 1" {
			t.Errorf("failed %q, want all", got)
		}
	}
}

// What can't be cleaned is not stored: it may hold what was to be removed.
func TestRemoveFields(t *testing.T) {
	s := &stream{}
	var reasons []string
	b := &batcher{api: s, shape: shape{remove: paths("payment.card-*, secrets ,items.note")}, giveUp: func(_ context.Context, m events.SQSMessage, reason error) (bool, error) {
		reasons = append(reasons, m.MessageId+": "+reason.Error())
		return batch.IsPermanent(reason), nil
	}}
	got := failed(t, b, batchOf(
		`{"id":12345678901234567890,"payment":{"card-number":"4111","card-cvc":1,"amount":1.10},"secrets":[1],"items":[{"note":"x","n":1},{"n":2}],"s":"<&>"}`,
		`payment card-number=4111`,
		`{"payment":{"card-number":1}} {"card-number":2}`,
		`[1,2]`,
	))
	if got != "" || len(reasons) != 2 || !strings.HasPrefix(reasons[0], "1: the event is no JSON") || !strings.HasPrefix(reasons[1], "2: ") {
		t.Errorf("failed %q; reasons %q", got, reasons)
	}
	want := `{"id":12345678901234567890,"items":[{"n":1},{"n":2}],"payment":{"amount":1.10},"s":"<&>"}` + "\n" + "[1,2]\n"
	if text := strings.Join(s.requests[0], ""); text != want {
		t.Errorf("stored %s want %s", text, want)
	}
}

func TestEnvelope(t *testing.T) {
	s := &stream{}
	b := &batcher{api: s, shape: shape{envelope: true}, giveUp: neverGiveUp}
	e := batchOf(`{"a": 1}`, "text")
	e.Records[0].Attributes = map[string]string{"SentTimestamp": "1700000000123", "MessageGroupId": "g"}
	e.Records[0].MessageAttributes = map[string]events.SQSMessageAttribute{
		"amount": {DataType: "Number", StringValue: aws.String("7.5")}, "kind": {DataType: "String", StringValue: aws.String("order")},
		"photo": {DataType: "Binary", BinaryValue: []byte{1}},
	}
	if got := failed(t, b, e); got != "" {
		t.Fatal(got)
	}
	want := `{"id":"0","time":"2023-11-14T22:13:20.123Z","group":"g","attributes":{"amount":7.5,"kind":"order","photo":"AQ=="},"event":{"a":1}}` + "\n" + `{"id":"1","event":"text"}` + "\n"
	if text := strings.Join(s.requests[0], ""); text != want {
		t.Errorf("stored %s want %s", text, want)
	}
}

func FuzzLine(f *testing.F) {
	f.Add(`{"payment":{"card-number":"4111"}}`, "payment.card-*")
	f.Add(`[{"a":{"b":1}}]`, "a.b,a.*")
	f.Add("", "[")
	f.Fuzz(func(t *testing.T, body, remove string) {
		s := shape{remove: paths(remove)}
		line, err := s.line(events.SQSMessage{Body: body})
		if err == nil && (len(line) == 0 || line[len(line)-1] != '\n') {
			t.Errorf("%q is no line", line)
		}
	})
}
