package async

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const (
	workerARN = "arn:aws:lambda:us-east-1:123456789012:function:Worker"
	topicARN  = "arn:aws:sns:us-east-1:123456789012:orders"
	deadARN   = "arn:aws:sqs:us-east-1:123456789012:dead"
	doneARN   = "arn:aws:sqs:us-east-1:123456789012:done"
	busARN    = "arn:aws:events:us-east-1:123456789012:event-bus/shop"
)

// fixture is the service with everything around it recorded.
type fixture struct {
	t    *testing.T
	path string
	db   *store.Store
	*Service
	app *model.Application
	fn  *model.Function

	mu         sync.Mutex
	deliveries []*service.Delivery
	notes      []service.Note
	calls      []local.Invocation
	answer     func(call int, in local.Invocation) (*local.Result, error)
	refuse     string // the target that takes nothing
	fresh      chan struct{}
}

func newFixture(t *testing.T, change func(*fixture)) *fixture {
	t.Helper()
	f := &fixture{t: t, path: filepath.Join(t.TempDir(), "state.db"), fresh: make(chan struct{}, 1000)}
	f.fn = &model.Function{ID: model.ID{Path: "Shop/Worker", Name: "Worker"}, FunctionName: "Worker", ARN: workerARN, ReservedConcurrency: -1}
	f.app = &model.Application{Region: "us-east-1", AccountID: "123456789012", Functions: []*model.Function{f.fn}}
	f.answer = func(int, local.Invocation) (*local.Result, error) { return &local.Result{Payload: []byte(`"ok"`)}, nil }
	if change != nil {
		change(f)
	}
	f.open()
	t.Cleanup(f.close)
	return f
}

func (f *fixture) open() {
	f.t.Helper()
	var err error
	if f.db, err = store.Open(f.path); err != nil {
		f.t.Fatal(err)
	}
	f.Service, err = New(service.Env{
		App: f.app, Store: f.db, Now: time.Now, Invoke: f.invoke, Accept: f.accept, Note: f.noted, Logf: f.t.Logf,
	}, Options{RetryDelay: time.Millisecond})
	if err != nil {
		f.t.Fatal(err)
	}
	f.Start()
}

func (f *fixture) close() {
	_ = f.Close()
	_ = f.db.Close()
}

func (f *fixture) invoke(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
	f.mu.Lock()
	f.calls = append(f.calls, in)
	n := len(f.calls)
	answer := f.answer
	f.mu.Unlock()
	return answer(n, in)
}

func (f *fixture) accept(tx *store.Tx, d *service.Delivery) error {
	if d.Target == f.refuse {
		return errors.New("it takes nothing")
	}
	tx.AfterCommit(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.deliveries = append(f.deliveries, d)
	})
	return nil
}

func (f *fixture) noted(tx *store.Tx, n service.Note) {
	tx.AfterCommit(func() {
		f.mu.Lock()
		f.notes = append(f.notes, n)
		f.mu.Unlock()
		f.fresh <- struct{}{}
	})
}

// until waits until the journal has a note of what happened n times.
func (f *fixture) until(what string, n int) {
	f.t.Helper()
	limit := time.After(30 * time.Second)
	for {
		f.mu.Lock()
		count := 0
		for _, note := range f.notes {
			if note.What == what {
				count++
			}
		}
		f.mu.Unlock()
		if count >= n {
			return
		}
		select {
		case <-f.fresh:
		case <-limit:
			f.t.Fatalf("%q was noted %d times: want %d", what, count, n)
		}
	}
}

func (f *fixture) send(body string) {
	f.t.Helper()
	err := f.db.Update(func(tx *store.Tx) error {
		return f.Accept(tx, &service.Delivery{Target: workerARN, Source: topicARN, Body: []byte(body)})
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// left is how many events the store holds.
func (f *fixture) left() int {
	n := 0
	_ = f.db.View(func(tx *store.Tx) error {
		for _, table := range []string{payloadsTable, statesTable} {
			_ = tx.Scan(table, nil, func(_, _ []byte) error { n++; return nil })
		}
		return nil
	})
	return n
}

func failing(int, local.Invocation) (*local.Result, error) {
	return &local.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"Error","errorMessage":"no good"}`)}, nil
}

func (f *fixture) config(change func(*model.EventInvokeConfig)) {
	c := &model.EventInvokeConfig{Function: f.fn, MaximumEventAge: 6 * time.Hour, MaximumRetryAttempts: 2}
	change(c)
	f.app.EventInvokeConfigs = []*model.EventInvokeConfig{c}
}

func TestSucceeds(t *testing.T) {
	f := newFixture(t, func(f *fixture) {
		f.config(func(c *model.EventInvokeConfig) { c.OnSuccess, c.OnFailure = doneARN, deadARN })
	})
	f.send(`{"n":"<1>"}`)
	f.until(service.Consumed, 1)
	if f.left() != 0 || len(f.calls) != 1 || string(f.calls[0].Payload) != `{"n":"<1>"}` || !f.calls[0].Async {
		t.Errorf("%d left, calls %+v", f.left(), f.calls)
	}
	checkRecord(t, f, doneARN, `"requestContext":{"requestId":"ID","functionArn":"`+workerARN+`:$LATEST","condition":"Success","approximateInvokeCount":1},`+
		`"requestPayload":{"n":"<1>"},"responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":"ok"}`)
}

// checkRecord compares the only delivery with a record, but for its time.
func checkRecord(t *testing.T, f *fixture, target, want string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.deliveries) != 1 || f.deliveries[0].Target != target {
		t.Fatalf("deliveries: %+v", f.deliveries)
	}
	got := strings.Replace(string(f.deliveries[0].Body), f.calls[0].RequestID, "ID", 1)
	const start = `{"version":"1.0","timestamp":"2006-01-02T15:04:05.000Z",`
	if len(got) < len(start) || got[len(start):] != want || !strings.HasPrefix(got, start[:29]) {
		t.Errorf("%s\nwant ... %s", got, want)
	}
}

// TestFailsThreeTimes: the record of the developer guide goes to the on-failure
// destination.
func TestFailsThreeTimes(t *testing.T) {
	f := newFixture(t, func(f *fixture) {
		f.answer = failing
		f.config(func(c *model.EventInvokeConfig) { c.OnFailure = deadARN })
	})
	f.send(`{"n":1}`)
	f.until(service.DeadLettered, 1)
	if len(f.calls) != 3 || f.left() != 0 {
		t.Errorf("%d calls, %d left", len(f.calls), f.left())
	}
	if f.calls[0].RequestID == "" || f.calls[0].RequestID != f.calls[2].RequestID {
		t.Error("retries have another request id")
	}
	checkRecord(t, f, deadARN, `"requestContext":{"requestId":"ID","functionArn":"`+workerARN+`:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},`+
		`"requestPayload":{"n":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorType":"Error","errorMessage":"no good"}}`)
}

func TestDeadLetterQueue(t *testing.T) {
	f := newFixture(t, func(f *fixture) {
		f.answer = failing
		f.fn.DeadLetterARN = deadARN
		f.config(func(c *model.EventInvokeConfig) { c.MaximumRetryAttempts = 0 })
	})
	f.send(`{"n":1}`)
	f.until(service.DeadLettered, 1)
	d := f.deliveries[0]
	if len(f.calls) != 1 || string(d.Body) != `{"n":1}` || d.Target != deadARN {
		t.Errorf("%d calls, delivery %+v", len(f.calls), d)
	}
	for name, want := range map[string]service.Attribute{
		"RequestID": {DataType: "String", Value: []byte(f.calls[0].RequestID)}, "ErrorCode": {DataType: "Number", Value: []byte("200")}, "ErrorMessage": {DataType: "String", Value: []byte("no good")},
	} {
		if got := d.Attributes[name]; got.DataType != want.DataType || !bytes.Equal(got.Value, want.Value) {
			t.Errorf("%s: %s %s", name, got.DataType, got.Value)
		}
	}
}

// TestNothingTakesIt: it is dropped and said so.
func TestNothingTakesIt(t *testing.T) {
	f := newFixture(t, func(f *fixture) {
		f.answer, f.refuse = failing, deadARN
		f.config(func(c *model.EventInvokeConfig) { c.OnFailure = deadARN })
	})
	f.send(`{}`)
	f.until(service.Dropped, 1)
	if f.left() != 0 {
		t.Errorf("%d left", f.left())
	}
}

func TestEventBus(t *testing.T) {
	f := newFixture(t, func(f *fixture) {
		f.config(func(c *model.EventInvokeConfig) { c.OnSuccess = busARN })
	})
	f.send(`{"n":1}`)
	f.until(service.Consumed, 1)
	var event busRecord
	if err := json.Unmarshal(f.deliveries[0].Body, &event); err != nil {
		t.Fatal(err)
	}
	if event.Source != "lambda" || event.DetailType != "Lambda Function Invocation Result - Success" || event.Detail[0] != '{' || event.Resources[0] != busARN {
		t.Errorf("%+v", event)
	}
}

// TestBucket: the record is an object, under the key that Lambda gives it.
func TestBucket(t *testing.T) {
	f := newFixture(t, func(f *fixture) {
		f.answer = failing
		f.config(func(c *model.EventInvokeConfig) { c.OnFailure, c.MaximumRetryAttempts = "arn:aws:s3:::failures", 0 })
	})
	f.send(`{}`)
	f.until(service.DeadLettered, 1)
	if key := regexp.MustCompile(`^arn:aws:s3:::failures/aws/lambda/async/Worker/\d{4}/\d\d/\d\d/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$`); !key.MatchString(f.deliveries[0].Target) {
		t.Error(f.deliveries[0].Target)
	}
}

// TestEnds is each way without three failures.
func TestEnds(t *testing.T) {
	for name, test := range map[string]struct {
		change    func(*fixture)
		condition string
		calls     int
	}{
		"no reserved concurrency": {func(f *fixture) { f.fn.ReservedConcurrency = 0 }, "ZeroReservedConcurrency", 0},
		"too old":                 {func(f *fixture) { f.app.EventInvokeConfigs[0].MaximumEventAge = 0 }, "EventAgeExceeded", 0},
		"too old when throttled": {func(f *fixture) {
			f.app.EventInvokeConfigs[0].MaximumEventAge = 500 * time.Millisecond
			f.answer = func(int, local.Invocation) (*local.Result, error) { return nil, &local.ThrottledError{} }
		}, "EventAgeExceeded", 1},
		"mended": {func(f *fixture) {
			f.app.EventInvokeConfigs[0].OnSuccess = deadARN
			f.answer = func(call int, in local.Invocation) (*local.Result, error) {
				if call < 3 {
					return failing(call, in)
				}
				return &local.Result{Payload: []byte("1")}, nil
			}
		}, "Success", 3},
		"one retry": {func(f *fixture) {
			f.answer = failing
			f.app.EventInvokeConfigs[0].MaximumRetryAttempts = 1
		}, "RetriesExhausted", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(f *fixture) {
				f.config(func(c *model.EventInvokeConfig) { c.OnFailure = deadARN })
				test.change(f)
			})
			f.send(`{"n":1}`)
			if test.condition == "Success" {
				f.until(service.Consumed, 1)
			} else {
				f.until(service.DeadLettered, 1)
			}
			var r invocationRecord
			if err := json.Unmarshal(f.deliveries[0].Body, &r); err != nil {
				t.Fatal(err)
			}
			if r.RequestContext.Condition != test.condition || len(f.calls) != test.calls {
				t.Errorf("%s after %d calls", r.RequestContext.Condition, len(f.calls))
			}
		})
	}
}

// TestGoesOnAfterADeath: what was accepted runs in the next process, with its
// failures counted, whether it was running or waiting.
func TestGoesOnAfterADeath(t *testing.T) {
	f := newFixture(t, func(f *fixture) {
		f.answer = func(int, local.Invocation) (*local.Result, error) { return nil, local.ErrClosed }
	})
	for i := range 5 {
		f.send(fmt.Sprintf(`{"n":%d}`, i))
	}
	if err := f.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.close()
	f.answer = func(int, local.Invocation) (*local.Result, error) { return &local.Result{}, nil }
	f.open()
	f.until(service.Consumed, 5)
	f.send(`{"n":5}`)
	f.until(service.Consumed, 6)
	seen := map[string]bool{}
	for _, call := range f.calls {
		seen[string(call.Payload)] = true
	}
	if len(seen) != 6 || f.left() != 0 {
		t.Errorf("%d events seen, %d left", len(seen), f.left())
	}
}

func TestConcurrencyIsBounded(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	f := newFixture(t, func(f *fixture) {
		f.fn.ReservedConcurrency = 3
		f.answer = func(int, local.Invocation) (*local.Result, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(5 * time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
			return &local.Result{}, nil
		}
	})
	for range 60 {
		f.send(`{}`)
	}
	f.until(service.Consumed, 60)
	if most != 3 {
		t.Errorf("%d at a time: want 3", most)
	}
}

// TestInvoke: the invocation type Event is durable before it is answered.
func TestInvoke(t *testing.T) {
	f := newFixture(t, nil)
	serve := func(kind, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/2015-03-31/functions/Worker/invocations", nil)
		r.Header.Set("X-Amz-Invocation-Type", kind)
		w := httptest.NewRecorder()
		f.Serve(w, &service.Request{Request: r, Payload: []byte(body)})
		return w
	}
	if w := serve("Event", `{"n":1}`); w.Code != http.StatusAccepted {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	f.until(service.Consumed, 1)
	if w := serve("RequestResponse", `{"n":2}`); w.Code != http.StatusOK || w.Body.String() != `"ok"` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := serve("Event", `"`+strings.Repeat("x", maxPayload)+`"`); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", w.Code)
	}
	if len(f.calls) != 2 || string(f.calls[0].Payload) != `{"n":1}` {
		t.Errorf("%+v", f.calls)
	}
}

func TestUnknownFunction(t *testing.T) {
	f := newFixture(t, nil)
	err := f.db.Update(func(tx *store.Tx) error {
		return f.Accept(tx, &service.Delivery{Target: workerARN + "s", Body: []byte("{}")})
	})
	if err == nil || !strings.Contains(err.Error(), "no function") {
		t.Error(err)
	}
}

func TestFirstKBKeepsCharactersWhole(t *testing.T) {
	if got := firstKB(strings.Repeat("a", 1023) + "é"); got != strings.Repeat("a", 1023) {
		t.Errorf("%q", got[1000:])
	}
}
