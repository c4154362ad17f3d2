package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const queueARN = "arn:aws:sqs:eu-west-1:123456789012:orders"

// batchEvent is what a function reads of an event.
type batchEvent struct {
	Records []struct {
		MessageID  string            `json:"messageId"`
		Body       string            `json:"body"`
		Attributes map[string]string `json:"attributes"`
	}
}

// handler is a function: it gets the bodies and answers.
type handler func(e batchEvent) (answer string, err error)

func (h handler) invoke(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
	var e batchEvent
	if err := json.Unmarshal(in.Payload, &e); err != nil {
		return nil, err
	}
	answer, err := h(e)
	var throttled *local.ThrottledError
	switch {
	case errors.As(err, &throttled):
		return nil, err
	case err != nil:
		return &local.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"` + err.Error() + `"}`)}, nil
	}
	return &local.Result{Payload: []byte(answer)}, nil
}

func queueMapping(change func(*model.EventSourceMapping)) *model.EventSourceMapping {
	m := &model.EventSourceMapping{
		ID: model.ID{Path: "Shop/Poll"}, EventSourceARN: queueARN, Enabled: true,
		Function: &model.Function{ID: model.ID{Name: "Worker"}, ARN: "arn:aws:lambda:eu-west-1:123456789012:function:Worker", ReservedConcurrency: -1},
	}
	if change != nil {
		change(m)
	}
	return m
}

// run polls until the test ends.
func run(t *testing.T, o Options, m *model.EventSourceMapping) *Pollers {
	t.Helper()
	o.Grace = 5 * time.Second
	o.Logf = t.Logf
	p := New(o)
	t.Cleanup(p.Close)
	p.Swap([]*model.EventSourceMapping{m})
	return p
}

// eventually waits for a condition that no later moment undoes.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for range 3000 {
		if condition() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("it never came to be that %s", what)
}

func numbered(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("m%03d", i)
	}
	return all
}

func TestBatchesAndDeletes(t *testing.T) {
	q := newMemoryQueue(time.Minute)
	q.send("", numbered(25)...)
	var mu sync.Mutex
	var sizes []int
	run(t, Options{Queue: q, Invoke: handler(func(e batchEvent) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		sizes = append(sizes, len(e.Records))
		return "null", nil
	}).invoke}, queueMapping(nil))
	eventually(t, "all messages are deleted", func() bool { _, deleted, _ := q.counts(); return deleted == 25 })
	slices.Sort(sizes)
	if !slices.Equal(sizes, []int{5, 10, 10}) {
		t.Errorf("batches of %v: want 10, 10 and 5", sizes)
	}
}

func TestWindowFillsABatch(t *testing.T) {
	q := newMemoryQueue(time.Minute)
	sizes := make(chan int, 100)
	run(t, Options{Queue: q, Invoke: handler(func(e batchEvent) (string, error) {
		sizes <- len(e.Records)
		return "", nil
	}).invoke}, queueMapping(func(m *model.EventSourceMapping) { m.BatchSize, m.MaximumBatchingWindow = 40, 5*time.Minute }))
	for _, body := range numbered(40) {
		q.send("", body)
	}
	if size := <-sizes; size != 40 {
		t.Errorf("a batch of %d messages: want the 40 that fill it", size)
	}
}

func TestWindowCloses(t *testing.T) {
	q := newMemoryQueue(time.Minute)
	sizes := make(chan int, 100)
	run(t, Options{Queue: q, Invoke: handler(func(e batchEvent) (string, error) {
		sizes <- len(e.Records)
		return "", nil
	}).invoke}, queueMapping(func(m *model.EventSourceMapping) { m.BatchSize, m.MaximumBatchingWindow = 40, 200*time.Millisecond }))
	q.send("", "a", "b", "c")
	if size := <-sizes; size != 3 {
		t.Errorf("a batch of %d messages: want 3", size)
	}
}

func TestFilteredMessagesAreDeleted(t *testing.T) {
	q := newMemoryQueue(time.Minute)
	q.send("", `{"kind":"order"}`, `{"kind":"noise"}`, "text")
	var got []string
	filtered := make(chan Outcome, 10)
	run(t, Options{
		Queue: q,
		Filter: func(pattern string) (func([]byte) bool, error) {
			return func(record []byte) bool { return strings.Contains(string(record), pattern) }, nil
		},
		Observe: func(o Outcome) {
			if o.Result == Filtered {
				filtered <- o
			}
		},
		Invoke: handler(func(e batchEvent) (string, error) {
			for _, r := range e.Records {
				got = append(got, r.Body)
			}
			return "", nil
		}).invoke,
	}, queueMapping(func(m *model.EventSourceMapping) { m.FilterPatterns = []string{`"body":{"kind":"order"}`} }))
	eventually(t, "all messages are deleted", func() bool { _, deleted, _ := q.counts(); return deleted == 3 })
	if !slices.Equal(got, []string{`{"kind":"order"}`}) {
		t.Errorf("the function got %q", got)
	}
	if o := <-filtered; len(o.IDs) != 2 {
		t.Errorf("filtered: %v", o.IDs)
	}
}

// TestPartialFailures is each answer of the developer guide.
func TestPartialFailures(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		failed []string // nil stands for all
	}{
		"nothing":         {"", []string{}},
		"null":            {"null", []string{}},
		"empty object":    {"{}", []string{}},
		"empty list":      {`{"batchItemFailures":[]}`, []string{}},
		"null list":       {`{"batchItemFailures":null}`, []string{}},
		"two":             {`{"batchItemFailures":[{"itemIdentifier":"id-2"},{"itemIdentifier":"id-3"}]}`, []string{"b", "c"}},
		"not JSON":        {`{"batchItemFailures"`, nil},
		"a string":        {`"ok"`, nil},
		"empty id":        {`{"batchItemFailures":[{"itemIdentifier":""}]}`, nil},
		"null id":         {`{"batchItemFailures":[{"itemIdentifier":null}]}`, nil},
		"bad key":         {`{"batchItemFailures":[{"id":"id-1"}]}`, nil},
		"unknown message": {`{"batchItemFailures":[{"itemIdentifier":"id-9"}]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			q := newMemoryQueue(time.Minute)
			q.send("", "a", "b", "c")
			outcomes := make(chan Outcome, 10)
			p := run(t, Options{Queue: q, Observe: func(o Outcome) { outcomes <- o }, Invoke: handler(func(batchEvent) (string, error) {
				return test.answer, nil
			}).invoke}, queueMapping(func(m *model.EventSourceMapping) { m.FunctionResponseTypes = []string{"ReportBatchItemFailures"} }))
			<-outcomes
			p.Close()
			want := test.failed
			if want == nil {
				want = []string{"a", "b", "c"}
			}
			var left []string
			for _, h := range q.queued {
				left = append(left, h.Body)
			}
			if !slices.Equal(left, want) && len(left)+len(want) > 0 {
				t.Errorf("left in the queue: %q, want %q", left, want)
			}
		})
	}
}

// TestFailuresReachTheDeadLetterQueue: all others are handled, and the poisoned
// one no more often than the queue says.
func TestFailuresReachTheDeadLetterQueue(t *testing.T) {
	q := newMemoryQueue(20 * time.Millisecond)
	q.maxReceive = 3
	bodies := numbered(30)
	bodies[7] = "poison"
	q.send("", bodies...)
	var tries atomic.Int32
	run(t, Options{Queue: q, Invoke: handler(func(e batchEvent) (string, error) {
		if e.Records[0].Body == "poison" {
			tries.Add(1)
			return "", errors.New("no good")
		}
		return "", nil
	}).invoke}, queueMapping(func(m *model.EventSourceMapping) { m.BatchSize = 1 }))
	eventually(t, "the queue is empty", func() bool { queued, _, _ := q.counts(); return queued == 0 })
	if _, deleted, dead := q.counts(); deleted != 29 || dead != 1 || tries.Load() != 3 {
		t.Errorf("%d deleted, %d dead after %d tries: want 29, 1 and 3", deleted, dead, tries.Load())
	}
}

// TestFIFO: messages of a group are handled one after another, a failing one
// holds up its own group alone.
func TestFIFO(t *testing.T) {
	q := newMemoryQueue(30 * time.Millisecond)
	q.fifo = true
	q.send("a", "a1", "a2", "a3")
	q.send("b", "b1", "b2", "b3")
	var mu sync.Mutex
	order := map[byte][]string{}
	failed := false
	run(t, Options{Queue: q, Invoke: handler(func(e batchEvent) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		body := e.Records[0].Body
		if body == "a2" && !failed {
			failed = true
			return "", errors.New("once")
		}
		order[body[0]] = append(order[body[0]], body)
		return "", nil
	}).invoke}, queueMapping(func(m *model.EventSourceMapping) { m.BatchSize, m.EventSourceARN = 1, queueARN+".fifo" }))
	eventually(t, "all messages are deleted", func() bool { _, deleted, _ := q.counts(); return deleted == 6 })
	if !slices.Equal(order['a'], []string{"a1", "a2", "a3"}) || !slices.Equal(order['b'], []string{"b1", "b2", "b3"}) {
		t.Errorf("%v", order)
	}
}

func TestMaximumConcurrency(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*model.EventSourceMapping)
		most   int32
	}{
		"bound of this machine": {nil, 8},
		"MaximumConcurrency":    {func(m *model.EventSourceMapping) { m.MaximumConcurrency = 2 }, 2},
		"reserved concurrency":  {func(m *model.EventSourceMapping) { m.Function.ReservedConcurrency = 3 }, 3},
	} {
		t.Run(name, func(t *testing.T) {
			q := newMemoryQueue(time.Minute)
			q.send("", numbered(100)...)
			var now, most atomic.Int32
			run(t, Options{MaxConcurrency: 8, Queue: q, Invoke: handler(func(batchEvent) (string, error) {
				n := now.Add(1)
				defer now.Add(-1)
				for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
				}
				time.Sleep(10 * time.Millisecond)
				return "", nil
			}).invoke}, queueMapping(func(m *model.EventSourceMapping) {
				m.BatchSize = 1
				if test.change != nil {
					test.change(m)
				}
			}))
			eventually(t, "all messages are deleted", func() bool { _, deleted, _ := q.counts(); return deleted == 100 })
			if most.Load() != test.most {
				t.Errorf("%d at a time: want %d", most.Load(), test.most)
			}
		})
	}
}

// TestThrottledIsTriedAgain while its messages are invisible: their receive
// count does not rise.
func TestThrottledIsTriedAgain(t *testing.T) {
	q := newMemoryQueue(time.Minute)
	q.send("", "a")
	var tries atomic.Int32
	counts := make(chan string, 10)
	run(t, Options{Queue: q, Invoke: handler(func(e batchEvent) (string, error) {
		if tries.Add(1) < 3 {
			return "", &local.ThrottledError{Function: "Worker", Limit: 1}
		}
		counts <- e.Records[0].Attributes["ApproximateReceiveCount"]
		return "", nil
	}).invoke}, queueMapping(nil))
	if count := <-counts; count != "1" {
		t.Errorf("received %s times: want once", count)
	}
}

func TestLargeMessagesAreDivided(t *testing.T) {
	q := newMemoryQueue(time.Minute)
	for range 8 {
		q.send("", strings.Repeat("x", 1<<20))
	}
	var records atomic.Int32
	run(t, Options{Queue: q, Invoke: func(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
		if len(in.Payload) > 6*1024*1024 {
			t.Errorf("an event of %d bytes: Lambda takes no more than 6 MB", len(in.Payload))
		}
		records.Add(int32(strings.Count(string(in.Payload), `"messageId"`)))
		return &local.Result{}, nil
	}}, queueMapping(nil))
	eventually(t, "all messages are deleted", func() bool { _, deleted, _ := q.counts(); return deleted == 8 })
	if records.Load() != 8 {
		t.Errorf("%d records delivered: want 8", records.Load())
	}
}

// TestSwap: an unchanged mapping runs on, a changed one delivers to the new
// function, and what is gone takes no more.
func TestSwap(t *testing.T) {
	q := newMemoryQueue(time.Minute)
	names := make(chan string, 10)
	o := Options{Queue: q, Invoke: func(_ context.Context, fn *model.Function, _ local.Invocation) (*local.Result, error) {
		names <- fn.Name
		return &local.Result{}, nil
	}}
	m := queueMapping(nil)
	p := run(t, o, m)
	before := p.running[m.Path]
	p.Swap([]*model.EventSourceMapping{m})
	if p.running[m.Path] != before {
		t.Error("an unchanged mapping was started again")
	}
	q.send("", "a")
	if name := <-names; name != "Worker" {
		t.Errorf("%s was invoked", name)
	}
	changed := queueMapping(func(m *model.EventSourceMapping) { m.Function.Name = "Rebuilt" })
	p.Swap([]*model.EventSourceMapping{changed})
	q.send("", "b")
	if name := <-names; name != "Rebuilt" {
		t.Errorf("%s was invoked", name)
	}
	p.Swap(nil)
	q.send("", "c")
	p.Close()
	if queued, _, _ := q.counts(); queued != 1 {
		t.Errorf("%d messages left: want the last one", queued)
	}
}

// missing is a queue that is not there.
type missing struct{ *memoryQueue }

func (missing) Receive(context.Context, string, int, time.Duration) ([]Message, error) {
	return nil, errors.New("there is no such queue")
}

// TestMissingQueueIsToldOnce: not once a second.
func TestMissingQueueIsToldOnce(t *testing.T) {
	said := make(chan string, 10)
	p := New(Options{Queue: missing{newMemoryQueue(time.Minute)}, Invoke: handler(nil).invoke, Logf: func(format string, args ...any) { said <- fmt.Sprintf(format, args...) }})
	defer p.Close()
	p.Swap([]*model.EventSourceMapping{queueMapping(nil)})
	if text := <-said; !strings.Contains(text, "Shop/Poll cannot receive from "+queueARN+": there is no such queue") {
		t.Error(text)
	}
	time.Sleep(1200 * time.Millisecond) // it has asked again by then
	if len(said) > 0 {
		t.Errorf("it is said again: %s", <-said)
	}
}

func TestRecordOfAMessage(t *testing.T) {
	got := newSQSRecord(&Message{
		ID: "059f36b4", ReceiptHandle: "AQEB", Body: `{"a":"<b>"}`, MD5OfBody: "e4e6", MD5OfMessageAttributes: "d41d",
		Attributes: map[string]string{"ApproximateReceiveCount": "1", "SenderId": "AIDA", "SentTimestamp": "1545082649183", "ApproximateFirstReceiveTimestamp": "1545082649185"},
		MessageAttributes: map[string]Attribute{
			"n": {DataType: "Number", StringValue: "1"}, "b": {DataType: "Binary", BinaryValue: []byte("hi")}, "e": {DataType: "String", StringValue: ""},
		},
	}, queueARN).json()
	const want = `{"messageId":"059f36b4","receiptHandle":"AQEB","body":"{\"a\":\"<b>\"}",` +
		`"attributes":{"ApproximateFirstReceiveTimestamp":"1545082649185","ApproximateReceiveCount":"1","SenderId":"AIDA","SentTimestamp":"1545082649183"},` +
		`"messageAttributes":{"b":{"binaryValue":"aGk=","stringListValues":[],"binaryListValues":[],"dataType":"Binary"},` +
		`"e":{"stringValue":"","stringListValues":[],"binaryListValues":[],"dataType":"String"},` +
		`"n":{"stringValue":"1","stringListValues":[],"binaryListValues":[],"dataType":"Number"}},` +
		`"md5OfMessageAttributes":"d41d","md5OfBody":"e4e6","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:123456789012:orders","awsRegion":"eu-west-1"}`
	if string(got) != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// dies is a function that ends its own process in the middle of each third
// batch, after it has done a part of it.
const dies = `const fs = require('node:fs');
let batches = 0;
exports.handler = async (event) => {
  batches++;
  for (const record of event.Records) {
    fs.appendFileSync(process.env.SEEN, record.body + '\n');
    if (batches % 3 === 0 && record === event.Records[4]) process.kill(process.pid, 'SIGKILL');
  }
};
`

// TestConsumerDiesInABatch: each message is handled or in the dead-letter
// queue, however often the consumer's process is killed.
func TestConsumerDiesInABatch(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("Node.js is not installed: ", err)
	}
	code, seen := t.TempDir(), filepath.Join(t.TempDir(), "seen")
	if err := os.WriteFile(filepath.Join(code, "index.js"), []byte(dies), 0o600); err != nil {
		t.Fatal(err)
	}
	engine, err := local.New(local.Options{Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	q := newMemoryQueue(2 * time.Second)
	q.maxReceive = 20
	q.send("", numbered(300)...)
	p := run(t, Options{MaxConcurrency: 2, Queue: q, Invoke: engine.Invoke}, queueMapping(func(m *model.EventSourceMapping) {
		m.Function = &model.Function{
			ID: model.ID{Path: "Shop/Dies", Name: "Dies"}, Runtime: "nodejs20.x", Handler: "index.handler", ReservedConcurrency: -1,
			Timeout: 10 * time.Second, Code: model.Code{Path: code}, Environment: map[string]string{"SEEN": seen},
		}
	}))
	eventually(t, "the queue is empty", func() bool { queued, _, _ := q.counts(); return queued == 0 })
	p.Close()
	text, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(text))
	if len(lines) == 300 {
		t.Error("no batch was delivered again: the process did not die")
	}
	times := map[string]int{}
	for _, line := range lines {
		times[line]++
	}
	for _, body := range numbered(300) {
		if times[body] == 0 && !slices.Contains(q.dead, body) {
			t.Errorf("%s was neither handled nor given up", body)
		}
	}
}
