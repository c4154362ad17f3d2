package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/bailey-cdk/bailey/internal/sqsmessage"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// buffer is the branch's queue: messages by their body, which is the minute
// after noon at which they came.
type buffer struct {
	sqsmessage.Sender
	waiting []string
	hidden  map[string]bool
	failing error
}

func newBuffer(minutes ...string) *buffer {
	return &buffer{waiting: minutes, hidden: map[string]bool{}}
}

func sent(minute string) string {
	n, _ := strconv.Atoi(minute)
	return strconv.FormatInt(noon.Add(time.Duration(n)*time.Minute).UnixMilli(), 10)
}

func (b *buffer) ReceiveMessage(_ context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	out := &sqs.ReceiveMessageOutput{}
	for _, minute := range b.waiting {
		if b.hidden[minute] || len(out.Messages) == int(in.MaxNumberOfMessages) {
			continue
		}
		b.hidden[minute] = true
		out.Messages = append(out.Messages, types.Message{
			MessageId: aws.String("id" + minute), ReceiptHandle: aws.String(minute), Body: aws.String(minute),
			Attributes:        map[string]string{"SentTimestamp": sent(minute)},
			MessageAttributes: map[string]types.MessageAttributeValue{"minute": sqsmessage.Text(minute)},
		})
	}
	return out, nil
}

func (b *buffer) DeleteMessageBatch(_ context.Context, in *sqs.DeleteMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	if b.failing != nil {
		return nil, b.failing
	}
	for _, e := range in.Entries {
		b.waiting = slices.DeleteFunc(b.waiting, func(m string) bool { return m == *e.ReceiptHandle })
	}
	return &sqs.DeleteMessageBatchOutput{}, nil
}

func (b *buffer) ChangeMessageVisibilityBatch(_ context.Context, in *sqs.ChangeMessageVisibilityBatchInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	for _, e := range in.Entries {
		b.hidden[*e.ReceiptHandle] = e.VisibilityTimeout > 0
	}
	return &sqs.ChangeMessageVisibilityBatchOutput{}, nil
}

// destination keeps what is replayed and refuses some of it.
type destination struct {
	got    []string
	refuse string
}

func (d *destination) forward(_ context.Context, all []sqsmessage.Message) map[string]error {
	failed := map[string]error{}
	for _, m := range all {
		if m.Body == d.refuse {
			failed[m.ID] = errors.New("no")
			continue
		}
		d.got = append(d.got, m.Body)
	}
	return failed
}

func newTest(b *buffer, d *destination) *replayer {
	return &replayer{queue: b, buffer: "https://sqs/1/buffer", forward: d.forward, sleep: func(context.Context, time.Duration) {}, now: func() time.Time { return noon.Add(time.Hour) }}
}

func ask(t *testing.T, r *replayer, command string) Result {
	t.Helper()
	got, err := r.handle(t.Context(), json.RawMessage(command))
	if err != nil {
		t.Fatal(err)
	}
	return *got.(*Result)
}

func minutes(from, to int) (all []string) {
	for i := from; i <= to; i++ {
		all = append(all, strconv.Itoa(i))
	}
	return all
}

func TestReplaysTheWindowAlone(t *testing.T) {
	b, d := newBuffer(minutes(0, 30)...), &destination{}
	got := ask(t, newTest(b, d), `{"from":"2026-11-01T12:10:00Z","to":"2026-11-01T12:20:00Z"}`)
	if want := (Result{Replayed: 11, PassedOver: 20, Done: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !slices.Equal(d.got, minutes(10, 20)) || len(b.waiting) != 20 {
		t.Errorf("replayed %v, left %v", d.got, b.waiting)
	}
	for minute, hidden := range b.hidden {
		if hidden && slices.Contains(b.waiting, minute) {
			t.Errorf("%s stays hidden", minute)
		}
	}
	// What was passed over is there for another window.
	if got := ask(t, newTest(b, d), `{}`); got.Replayed != 20 || len(b.waiting) != 0 {
		t.Errorf("the rest: %+v", got)
	}
}

// Events that come while the replay goes on are not replayed, or it could last
// for ever.
func TestNewEventsWait(t *testing.T) {
	b, d := newBuffer("59", "60", "61"), &destination{}
	if got := ask(t, newTest(b, d), `{}`); got.Replayed != 2 || got.PassedOver != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestRefusedEventsStay(t *testing.T) {
	b, d := newBuffer("1", "2", "3"), &destination{refuse: "2"}
	if got := ask(t, newTest(b, d), `{}`); got != (Result{Replayed: 2, Failed: 1, Done: true}) {
		t.Errorf("got %+v", got)
	}
	if !slices.Equal(b.waiting, []string{"2"}) || b.hidden["2"] {
		t.Errorf("left %v, hidden %v", b.waiting, b.hidden)
	}
}

func TestLimit(t *testing.T) {
	b, d := newBuffer(minutes(0, 30)...), &destination{}
	if got := ask(t, newTest(b, d), `{"limit":13}`); got.Replayed != 13 || !got.Done || len(b.waiting) != 18 {
		t.Errorf("got %+v, left %d", got, len(b.waiting))
	}
}

// The time is nearly over: nothing is begun, and the answer says so.
func TestNotDone(t *testing.T) {
	b, d := newBuffer("1"), &destination{}
	ctx, cancel := context.WithTimeout(t.Context(), margin/2)
	defer cancel()
	got, err := newTest(b, d).handle(ctx, json.RawMessage(`{}`))
	if err != nil || got.(*Result).Done || len(d.got) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		rate    float64
		command string
		want    time.Duration
	}{{0, `{}`, 0}, {10, `{}`, 2 * time.Second}, {10, `{"rate":4}`, 5 * time.Second}} {
		clock := noon.Add(time.Hour)
		b, d := newBuffer(minutes(0, 19)...), &destination{}
		r := newTest(b, d)
		r.rate, r.now = c.rate, func() time.Time { return clock }
		r.sleep = func(_ context.Context, d time.Duration) { clock = clock.Add(d) }
		ask(t, r, c.command)
		if took := clock.Sub(noon.Add(time.Hour)); took != c.want || len(d.got) != 20 {
			t.Errorf("20 events at a rate of %v, %s: took %s, want %s", c.rate, c.command, took, c.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for command, want := range map[string]string{
		`{"form":"2026-11-01T12:00:00Z"}`:                             "unknown field",
		`{"from":"yesterday"}`:                                        `"from" is "yesterday"`,
		`{"from":"2026-11-02T00:00:00Z","to":"2026-11-01T00:00:00Z"}`: "before its start",
		`{"rate":-1}`: "negative",
		`[]`:          "no replay",
	} {
		b, d := newBuffer("1"), &destination{}
		_, err := newTest(b, d).handle(t.Context(), json.RawMessage(command))
		if err == nil || !strings.Contains(err.Error(), want) || len(d.got) > 0 {
			t.Errorf("%s: %v, replayed %v", command, err, d.got)
		}
	}
}

func TestCannotBeTakenOut(t *testing.T) {
	b, d := newBuffer("1"), &destination{}
	b.failing = errors.New("denied")
	_, err := newTest(b, d).handle(t.Context(), json.RawMessage(`{}`))
	if err == nil || !strings.Contains(err.Error(), "after 1 replayed events: ") {
		t.Errorf("the error is %v", err)
	}
}

// By the switch, what is not in the window, or refused, stays in the queue.
func TestSwitch(t *testing.T) {
	b, d := newBuffer(), &destination{refuse: "12"}
	r := newTest(b, d)
	var slept time.Duration
	r.sleep = func(_ context.Context, d time.Duration) { slept += d }
	r.rate, r.concurrency = 4, 2
	if err := r.standing.read("2026-11-01T12:10:00Z", ""); err != nil {
		t.Fatal(err)
	}
	var batch events.SQSEvent
	for _, minute := range []string{"9", "10", "11", "12"} {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: "id" + minute, ReceiptHandle: minute, Body: minute, Attributes: map[string]string{"SentTimestamp": sent(minute)}})
	}
	input, err := json.Marshal(batch)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.handle(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(got)
	if string(text) != `{"batchItemFailures":[{"itemIdentifier":"id9"},{"itemIdentifier":"id12"}]}` || !slices.Equal(d.got, []string{"10", "11"}) {
		t.Errorf("answered %s, replayed %v", text, d.got)
	}
	if !b.hidden["12"] || b.hidden["9"] {
		t.Errorf("the refused one is to be tried soon: %v", b.hidden)
	}
	if slept != 1500*time.Millisecond {
		t.Errorf("three events at 2 a second took %s", slept)
	}
	if got, err := r.handle(t.Context(), json.RawMessage(`{"Records":[]}`)); err != nil || len(got.(events.SQSEventResponse).BatchItemFailures) != 0 {
		t.Errorf("an empty batch: %v, %v", got, err)
	}
}

// function is the consumer that events are replayed to.
type function struct {
	batch  events.SQSEvent
	answer string
	failed *string
}

func (f *function) Invoke(_ context.Context, in *awslambda.InvokeInput, _ ...func(*awslambda.Options)) (*awslambda.InvokeOutput, error) {
	if f.answer == "away" {
		return nil, errors.New("away")
	}
	if err := json.Unmarshal(in.Payload, &f.batch); err != nil {
		return nil, err
	}
	return &awslambda.InvokeOutput{Payload: []byte(f.answer), FunctionError: f.failed}, nil
}

func TestToFunction(t *testing.T) {
	all := []sqsmessage.Message{{ID: "1", Body: "a", Attributes: map[string]sqsmessage.Attribute{"k": sqsmessage.Text("v")}}, {ID: "2", Body: "b"}}
	for _, c := range []struct {
		answer string
		failed *string
		want   string
	}{
		{`{"batchItemFailures":[{"itemIdentifier":"2"}]}`, nil, "2"},
		{`{"batchItemFailures":[]}`, nil, ""},
		{`null`, nil, ""},
		{`"done"`, nil, ""},
		{`{"batchItemFailures":[{"itemIdentifier":""}]}`, nil, "1 2"},
		{`{"errorMessage":"oh"}`, aws.String("Unhandled"), "1 2"},
		{"away", nil, "1 2"},
	} {
		f := &function{answer: c.answer, failed: c.failed}
		failed := toFunction(f, "arn:aws:lambda:eu-west-1:1:function:f", "arn:aws:sqs:eu-west-1:1:q")(t.Context(), all)
		var ids []string
		for id := range failed {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: failed %q, want %q", c.answer, got, c.want)
		}
		if c.answer != "away" && (f.batch.Records[0].EventSourceARN != "arn:aws:sqs:eu-west-1:1:q" || *f.batch.Records[0].MessageAttributes["k"].StringValue != "v") {
			t.Errorf("the function got %+v", f.batch)
		}
	}
}

func TestConfiguration(t *testing.T) {
	if _, err := newReplayer(aws.Config{}); err == nil {
		t.Error("an empty environment is taken")
	}
	t.Setenv("BUFFER_QUEUE_URL", "https://sqs/1/buffer")
	t.Setenv("DESTINATION", "https://sqs/1/q")
	t.Setenv("DESTINATION_ARN", "arn:aws:sqs:eu-west-1:1:q")
	t.Setenv("RATE", "2.5")
	t.Setenv("WINDOW_START", "2026-11-01T12:00:00Z")
	r, err := newReplayer(aws.Config{Region: "eu-west-1"})
	if err != nil || r.rate != 2.5 || !r.standing.start.Equal(noon) {
		t.Errorf("got %+v, %v", r, err)
	}
	t.Setenv("WINDOW_END", "later")
	if _, err := newReplayer(aws.Config{}); err == nil || !strings.Contains(err.Error(), "later") {
		t.Errorf("the error is %v", err)
	}
}

func ExampleResult() {
	text, _ := json.Marshal(Result{Replayed: 812, PassedOver: 40, Done: true})
	fmt.Println(string(text))
	// Output: {"replayed":812,"passedOver":40,"failed":0,"done":true}
}
