package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const streamARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders/stream/2026-01-01T00:00:00.000"

// streamTest is one stream, one mapping, and what its function saw.
type streamTest struct {
	*memoryStream
	o Options
	m *model.EventSourceMapping

	mu      sync.Mutex
	batches [][]int
	answer  func(batch []int) (string, error)
}

func newStreamTest(change func(*model.EventSourceMapping)) *streamTest {
	s := &streamTest{memoryStream: newMemoryStream(), m: queueMapping(func(m *model.EventSourceMapping) {
		m.EventSourceARN, m.StartingPosition, m.MaximumRetryAttempts, m.MaximumRecordAge = streamARN, "TRIM_HORIZON", -1, -1
	})}
	if change != nil {
		change(s.m)
	}
	s.answer = func([]int) (string, error) { return "", nil }
	s.o = Options{Stream: s, Checkpoints: &memoryCheckpoints{}, Invoke: s.invoke, RetryInterval: time.Millisecond}
	return s
}

func (s *streamTest) invoke(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
	var e struct {
		Records []struct {
			N     int
			Value string
		}
	}
	if err := json.Unmarshal(in.Payload, &e); err != nil {
		return nil, err
	}
	var batch []int
	for _, r := range e.Records {
		batch = append(batch, r.N)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, batch)
	answer, err := s.answer(batch)
	if err != nil {
		return &local.Result{RequestID: "req", FunctionError: "Unhandled", Payload: []byte(err.Error())}, nil
	}
	return &local.Result{Payload: []byte(answer)}, nil
}

func (s *streamTest) seen() [][]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.batches)
}

func (s *streamTest) putN(n int) {
	for i := range n {
		s.put("k"+strconv.Itoa(i%7), "v", time.Now())
	}
}

func flat(batches [][]int) []int { return slices.Concat(batches...) }

func TestStreamInOrder(t *testing.T) {
	s := newStreamTest(func(m *model.EventSourceMapping) { m.BatchSize = 4 })
	s.putN(10)
	p := run(t, s.o, s.m)
	eventually(t, "all are read", func() bool { return len(flat(s.seen())) == 10 })
	p.Close()
	if got := s.seen(); !slices.Equal(got[0], []int{1, 2, 3, 4}) || len(got) != 3 || !slices.IsSorted(flat(got)) {
		t.Errorf("%v", got)
	}
	// it goes on where it was
	s.putN(1)
	run(t, s.o, s.m)
	eventually(t, "the new one is read", func() bool { return len(flat(s.seen())) >= 11 })
	if got := flat(s.seen()); got[10] != 11 {
		t.Errorf("%v", got)
	}
}

func TestStreamFromLatest(t *testing.T) {
	s := newStreamTest(func(m *model.EventSourceMapping) { m.StartingPosition = "LATEST" })
	s.putN(5)
	run(t, s.o, s.m)
	eventually(t, "its place is written down", func() bool {
		_, found := s.o.Checkpoints.Checkpoint("Shop/Poll|" + streamARN + "|" + testShard + "|0/1")
		return found
	})
	s.putN(2)
	eventually(t, "the new ones are read", func() bool { return len(flat(s.seen())) == 2 })
	if got := flat(s.seen()); got[0] != 6 {
		t.Errorf("%v", got)
	}
}

// TestStreamBisect: of 8 records one is bad, and it alone is given up.
func TestStreamBisect(t *testing.T) {
	s := newStreamTest(func(m *model.EventSourceMapping) {
		m.BisectBatchOnFunctionError, m.MaximumRetryAttempts, m.OnFailure = true, 1, "arn:aws:sqs:eu-west-1:123456789012:dead"
	})
	records := make(chan []byte, 10)
	s.o.Destination = func(_ context.Context, arn string, record []byte) error {
		if arn != s.m.OnFailure {
			t.Errorf("sent to %s", arn)
		}
		records <- record
		return nil
	}
	var good []int
	s.answer = func(batch []int) (string, error) {
		if slices.Contains(batch, 5) {
			return "", errors.New("no good")
		}
		good = append(good, batch...)
		return "", nil
	}
	s.putN(8)
	p := run(t, s.o, s.m)
	var d discarded
	if err := json.Unmarshal(<-records, &d); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the others are done", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(good) == 7 })
	p.Close()
	if !slices.Equal(good, []int{1, 2, 3, 4, 6, 7, 8}) {
		t.Errorf("done: %v", good)
	}
	info := d.DDBStreamBatchInfo
	if info == nil || info.StartSequenceNumber != "5" || info.EndSequenceNumber != "5" || info.BatchSize != 1 || info.StreamARN != streamARN || info.ShardID != testShard {
		t.Errorf("%+v", info)
	}
	if d.RequestContext.Condition != "RetryAttemptsExhausted" || d.RequestContext.ApproximateInvokeCount != 2 || d.ResponseContext.FunctionError != "Unhandled" || d.Version != "1.0" {
		t.Errorf("%+v", d)
	}
}

// TestStreamReportsFailures: a batch goes on at the first item that failed.
func TestStreamReportsFailures(t *testing.T) {
	s := newStreamTest(func(m *model.EventSourceMapping) { m.FunctionResponseTypes = []string{"ReportBatchItemFailures"} })
	s.answer = func(batch []int) (string, error) {
		if batch[0] == 1 {
			return `{"batchItemFailures":[{"itemIdentifier":"5"},{"itemIdentifier":"3"}]}`, nil
		}
		return `{"batchItemFailures":[]}`, nil
	}
	s.putN(6)
	run(t, s.o, s.m)
	eventually(t, "it was tried again", func() bool { return len(s.seen()) == 2 })
	if got := s.seen()[1]; !slices.Equal(got, []int{3, 4, 5, 6}) {
		t.Errorf("%v", got)
	}
}

func TestStreamRecordAge(t *testing.T) {
	s := newStreamTest(func(m *model.EventSourceMapping) {
		m.MaximumRecordAge, m.OnFailure = time.Hour, "arn:aws:s3:::bucket"
	})
	records := make(chan []byte, 10)
	s.o.Destination = func(_ context.Context, arn string, record []byte) error {
		if !strings.HasPrefix(arn, "arn:aws:s3:::bucket/aws/lambda/") || !strings.Contains(arn, "/"+testShard+"/") {
			t.Errorf("sent to %s", arn)
		}
		records <- record
		return nil
	}
	s.put("a", "old", time.Now().Add(-2*time.Hour))
	s.put("a", "new", time.Now())
	run(t, s.o, s.m)
	var d discarded
	if err := json.Unmarshal(<-records, &d); err != nil {
		t.Fatal(err)
	}
	if d.RequestContext.Condition != "RecordAgeExceeded" || d.RequestContext.ApproximateInvokeCount != 0 || !strings.Contains(string(d.Payload), `"old"`) {
		t.Errorf("%+v %s", d, d.Payload)
	}
	eventually(t, "the new one is read", func() bool { return len(s.seen()) == 1 })
	if got := s.seen()[0]; !slices.Equal(got, []int{2}) {
		t.Errorf("%v", got)
	}
}

// TestStreamLanes: with a parallelisation factor each key stays in order, and
// nothing is lost when the factor changes.
func TestStreamLanes(t *testing.T) {
	s := newStreamTest(func(m *model.EventSourceMapping) { m.ParallelizationFactor, m.BatchSize = 3, 5 })
	s.putN(70)
	p := run(t, s.o, s.m)
	eventually(t, "all are read", func() bool { return len(flat(s.seen())) == 70 })
	p.Close()
	byKey := map[int][]int{}
	for _, n := range flat(s.seen()) {
		byKey[n%7] = append(byKey[n%7], n)
	}
	for key, numbers := range byKey {
		if !slices.IsSorted(numbers) || len(numbers) != 10 {
			t.Errorf("key %d: %v", key, numbers)
		}
	}
	more := *s.m
	more.ParallelizationFactor = 2
	s.putN(7)
	p = run(t, s.o, &more)
	eventually(t, "the new ones are read", func() bool {
		seen := map[int]bool{}
		for _, n := range flat(s.seen()) {
			seen[n] = true
		}
		return len(seen) == 77
	})
	p.Close()
	back := *s.m
	read := len(flat(s.seen()))
	s.putN(7)
	run(t, s.o, &back)
	eventually(t, "the last ones are read", func() bool { return len(flat(s.seen())) >= read+7 })
	if got := len(flat(s.seen())); got > read+14 {
		t.Errorf("%d records were read again with the first factor", got-read-7)
	}
}

// TestStreamSwap: the new function gets its records when the old one has ended.
func TestStreamSwap(t *testing.T) {
	s := newStreamTest(func(m *model.EventSourceMapping) { m.BatchSize = 1 })
	began, end := make(chan bool), make(chan bool)
	s.o.Invoke = func(ctx context.Context, fn *model.Function, in local.Invocation) (*local.Result, error) {
		if fn.Name == "Worker" {
			close(began)
			<-end
		}
		return s.invoke(ctx, fn, in)
	}
	s.putN(2)
	p := run(t, s.o, s.m)
	<-began
	changed := *s.m
	changed.Function = &model.Function{ID: model.ID{Name: "Rebuilt"}}
	p.Swap([]*model.EventSourceMapping{&changed})
	time.Sleep(20 * time.Millisecond) // for one that does not wait
	if got := s.seen(); len(got) != 0 {
		t.Errorf("%v was done while the old function ran", got)
	}
	close(end)
	eventually(t, "all are read", func() bool { return len(flat(s.seen())) == 2 })
	if got := flat(s.seen()); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("%v", got)
	}
}

func TestStreamFilter(t *testing.T) {
	s := newStreamTest(func(m *model.EventSourceMapping) { m.FilterPatterns = []string{`"value":"wanted"`} })
	s.o.Filter = func(pattern string) (func([]byte) bool, error) {
		return func(record []byte) bool { return strings.Contains(string(record), pattern) }, nil
	}
	s.putN(3)
	s.put("a", "wanted", time.Now())
	run(t, s.o, s.m)
	eventually(t, "the wanted one is read", func() bool { return len(s.seen()) == 1 })
	if got := s.seen()[0]; !slices.Equal(got, []int{4}) {
		t.Errorf("%v", got)
	}
}

// FuzzItemFailures: no answer of a function makes a poller panic.
func FuzzItemFailures(f *testing.F) {
	for _, seed := range []string{`{"batchItemFailures":[{"itemIdentifier":"a"}]}`, `null`, `[]`, `{"batchItemFailures":{}}`, `{"batchItemFailures":[null]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		failed, err := itemFailures(payload, map[string]int{"a": 0})
		for id := range failed {
			if err != nil || id != "a" {
				t.Errorf("%q %v", id, err)
			}
		}
	})
}
