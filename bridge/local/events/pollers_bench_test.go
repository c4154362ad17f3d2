package events_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// BenchmarkPollers is what an event source mapping costs for a message, with a
// function that costs nothing: received, made a record, deleted.
func BenchmarkPollers(b *testing.B) {
	app := queues("work")
	fn := function("Worker")
	app.Functions, app.EventSourceMappings = []*model.Function{fn}, []*model.EventSourceMapping{poll(fn, queueARN("work"), nil)}
	var handled atomic.Int64
	r := start(b, b.TempDir(), app, func(_ context.Context, _ *model.Function, in local.Invocation) (*local.Result, error) {
		handled.Add(int64(strings.Count(string(in.Payload), `"messageId"`)))
		return &local.Result{}, nil
	})
	body := []byte(`{"orderId":"0000001","note":"` + strings.Repeat("x", 200) + `"}`)
	b.ResetTimer()
	for range b.N {
		if err := r.Deliver(b.Context(), &service.Delivery{Target: queueARN("work"), Body: body}); err != nil {
			b.Fatal(err)
		}
	}
	for handled.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
}
