package batch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bailey-cdk/bailey/batch"
)

var quiet = batch.Logger(slog.New(slog.DiscardHandler))

// messages are named by their bodies; "group/body" is one of a FIFO queue.
func messages(bodies ...string) events.SQSEvent {
	var e events.SQSEvent
	for i, body := range bodies {
		m := events.SQSMessage{MessageId: body, Body: body, Attributes: map[string]string{"ApproximateReceiveCount": "1"}}
		if group, _, fifo := strings.Cut(body, "/"); fifo {
			m.Attributes["MessageGroupId"], m.Attributes["SequenceNumber"] = group, fmt.Sprint(i)
		}
		e.Records = append(e.Records, m)
	}
	return e
}

func failed(t *testing.T, handle batch.Handler, e events.SQSEvent, options ...batch.Option) string {
	t.Helper()
	return failedIn(t.Context(), t, handle, e, options...)
}

func failedIn(ctx context.Context, t *testing.T, handle batch.Handler, e events.SQSEvent, options ...batch.Option) string {
	t.Helper()
	r, err := batch.SQS(handle, append([]batch.Option{quiet}, options...)...)(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	if r.BatchItemFailures == nil {
		t.Error("BatchItemFailures is nil, which is null in JSON")
	}
	var ids []string
	for _, f := range r.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return strings.Join(ids, " ")
}

// bad fails what contains "bad" and panics at "panic".
func bad(_ context.Context, m events.SQSMessage) error {
	if strings.Contains(m.Body, "panic") {
		panic("at " + m.Body)
	}
	if strings.Contains(m.Body, "bad") {
		return errors.New("it is bad")
	}
	return nil
}

func TestFailures(t *testing.T) {
	for _, c := range []struct{ name, batch, want string }{
		{"none", "a b c", ""},
		{"empty", "", ""},
		{"one", "a bad c", "bad"},
		{"a panic", "a panic c", "panic"},
		{"all", "bad1 bad2", "bad1 bad2"},
		{"the rest of the group", "g/a g/bad g/c h/a g/d", "g/bad g/c g/d"},
		{"two groups", "g/bad h/bad g/a h/a i/a", "g/bad h/bad g/a h/a"},
	} {
		for _, concurrency := range []int{0, 1, 4} {
			t.Run(fmt.Sprintf("%s, %d at a time", c.name, concurrency), func(t *testing.T) {
				got := failed(t, bad, messages(strings.Fields(c.batch)...), batch.Concurrency(concurrency))
				if got != c.want {
					t.Errorf("failed: %q, want %q", got, c.want)
				}
			})
		}
	}
}

func TestGroupsKeepTheirOrder(t *testing.T) {
	var mutex sync.Mutex
	order := map[string][]string{}
	failed(t, func(_ context.Context, m events.SQSMessage) error {
		mutex.Lock()
		defer mutex.Unlock()
		group := m.Attributes["MessageGroupId"]
		order[group] = append(order[group], m.Body)
		return nil
	}, messages("g/1", "h/1", "g/2", "h/2", "g/3"), batch.Concurrency(8))
	if !slices.Equal(order["g"], []string{"g/1", "g/2", "g/3"}) || !slices.Equal(order["h"], []string{"h/1", "h/2"}) {
		t.Errorf("the order is %v", order)
	}
}

// A standard queue may have a group id too, for fairness: it orders nothing.
func TestGroupsOfStandardQueue(t *testing.T) {
	e := messages("bad", "b", "c")
	for i := range e.Records {
		e.Records[i].Attributes["MessageGroupId"] = "tenant"
	}
	if got := failed(t, bad, e); got != "bad" {
		t.Errorf("failed: %q, want the bad one alone", got)
	}
}

func TestNothingBeginsTooLate(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(batch.Margin/2))
	defer cancel()
	if got := failedIn(ctx, t, func(context.Context, events.SQSMessage) error {
		t.Error("a message was begun")
		return nil
	}, messages("a", "b")); got != "a b" {
		t.Errorf("failed: %q, want both", got)
	}
}

func TestGiveUp(t *testing.T) {
	var reasons []string
	take := func(taken bool, err error) batch.Option {
		return batch.GiveUp(func(_ context.Context, m events.SQSMessage, reason error) (bool, error) {
			reasons = append(reasons, m.MessageId+": "+reason.Error())
			return taken, err
		})
	}
	for _, c := range []struct {
		name   string
		option batch.Option
		want   string
	}{
		{"taken", take(true, nil), ""},
		{"not yet", take(false, nil), "g/bad g/b"},
		{"it failed", take(false, errors.New("no queue")), "g/bad g/b"},
	} {
		if got := failed(t, bad, messages("g/bad", "g/b"), c.option); got != c.want {
			t.Errorf("%s: failed %q, want %q", c.name, got, c.want)
		}
	}
	if len(reasons) != 3 || reasons[0] != "g/bad: it is bad" {
		t.Errorf("asked with %q", reasons)
	}
}

func TestPermanent(t *testing.T) {
	plain := errors.New("no JSON")
	marked := fmt.Errorf("order 7: %w", batch.Permanent(plain))
	if !batch.IsPermanent(marked) || batch.IsPermanent(plain) || batch.IsPermanent(nil) || batch.Permanent(nil) != nil {
		t.Error("the mark is not read as it was made")
	}
	if !errors.Is(marked, plain) || marked.Error() != "order 7: no JSON" {
		t.Errorf("the mark hides the error: %v", marked)
	}
}
