package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bailey-cdk/bailey/app/orders"
)

// fakeTable has orders, and then an error, if there is one.
type fakeTable struct {
	orders []orders.Backlog
	err    error
	// read is told of each order that was asked for.
	read chan string
}

func (f *fakeTable) Waiting(context.Context) iter.Seq2[orders.Backlog, error] {
	return func(yield func(orders.Backlog, error) bool) {
		for _, order := range f.orders {
			if f.read != nil {
				f.read <- order.ID
			}
			if !yield(order, nil) {
				return
			}
		}
		if f.err != nil {
			yield(orders.Backlog{}, f.err)
		}
	}
}

func example(t *testing.T) events.LambdaFunctionURLRequest {
	t.Helper()
	text, err := os.ReadFile("../../events/waiting.json")
	if err != nil {
		t.Fatal(err)
	}
	var request events.LambdaFunctionURLRequest
	if err := json.Unmarshal(text, &request); err != nil {
		t.Fatal(err)
	}
	return request
}

// ask is the status and the lines of the answer to the example event.
func ask(t *testing.T, s *fakeTable) (int, string) {
	t.Helper()
	answer, err := (&handler{s}).handle(t.Context(), example(t))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

var placedAt = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestEachOrderIsALine(t *testing.T) {
	status, lines := ask(t, &fakeTable{orders: []orders.Backlog{{ID: "o1", PlacedAt: placedAt}, {ID: "o2", PlacedAt: placedAt.Add(time.Hour)}}})
	want := `{"id":"o1","placedAt":"2026-11-24T12:00:00Z"}` + "\n" + `{"id":"o2","placedAt":"2026-11-24T13:00:00Z"}` + "\n"
	if status != 200 || lines != want {
		t.Errorf("got %d, %s", status, lines)
	}
	if status, lines := ask(t, &fakeTable{}); status != 200 || lines != "" {
		t.Errorf("of no orders, got %d, %q", status, lines)
	}
}

// The second order is read only once the first line was taken.
func TestLinesComeWhileOrdersAreRead(t *testing.T) {
	s := &fakeTable{orders: []orders.Backlog{{ID: "o1"}, {ID: "o2"}}, read: make(chan string)}
	answer, err := (&handler{s}).handle(t.Context(), example(t))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(answer.Body)
	for _, id := range []string{"o1", "o2"} {
		if got := <-s.read; got != id {
			t.Errorf("the order %s was read, want %s", got, id)
		}
		var order orders.Backlog
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &order) != nil || order.ID != id {
			t.Errorf("the line is %q, want that of %s", lines.Text(), id)
		}
	}
	if lines.Scan() {
		t.Errorf("there is one more line: %s", lines.Text())
	}
}

func TestLastLineTellsOfAnError(t *testing.T) {
	status, lines := ask(t, &fakeTable{orders: []orders.Backlog{{ID: "o1", PlacedAt: placedAt}}, err: errors.New("no connection to 10.0.0.1")})
	want := `{"id":"o1","placedAt":"2026-11-24T12:00:00Z"}` + "\n" + `{"error":"not all orders could be read: ask again"}` + "\n"
	if status != 200 || lines != want {
		t.Errorf("got %d, %s", status, lines)
	}
}

// A client that goes away ends the reading.
func TestClientGoesAway(t *testing.T) {
	reader, writer := io.Pipe()
	_ = reader.Close()
	if err := (&handler{&fakeTable{orders: []orders.Backlog{{ID: "o1"}}}}).write(t.Context(), writer); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

func TestOtherMethods(t *testing.T) {
	request := example(t)
	request.RequestContext.HTTP.Method = "DELETE"
	answer, err := (&handler{&fakeTable{}}).handle(t.Context(), request)
	if err != nil || answer.StatusCode != 405 || answer.Headers["allow"] != "GET" {
		t.Errorf("got %+v, %v", answer, err)
	}
}
