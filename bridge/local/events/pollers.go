package events

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events/dynamodb"
	"github.com/bailey-cdk/bailey/bridge/local/events/filter"
	"github.com/bailey-cdk/bailey/bridge/local/events/mapping"
	"github.com/bailey-cdk/bailey/bridge/local/events/s3"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/sqs"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// InvokeAsync takes an event for a function and returns when it is durable, for
// an endpoint of Lambda's that is not the plane's own: it is Async of a
// [lambdaapi.Handler].
func (p *Plane) InvokeAsync(ctx context.Context, fn *model.Function, in local.Invocation) error {
	return p.lambda.Submit(ctx, fn, in)
}

// pollers are the event source mappings as a service of the plane, one that
// nobody asks anything.
type pollers struct {
	env  service.Env
	runs *mapping.Pollers

	mu      sync.Mutex
	app     *model.Application
	started bool
}

func newPollers(p *Plane, env service.Env) *pollers {
	s := &pollers{env: env, app: env.App}
	p.byARN["s3"] = objects{p.s3}
	s.runs = mapping.New(mapping.Options{
		Invoke: env.Invoke, Queue: queueSource{p.sqs, env.Store}, Stream: streamSource{p.dynamodb},
		Checkpoints: checkpoints{env.Store}, Filter: criteria, Destination: s.discarded, Observe: s.observe, Logf: env.Logf,
	})
	return s
}

// Serve says that there is nothing to ask.
func (s *pollers) Serve(w http.ResponseWriter, r *service.Request) {
	service.FailJSON(w, r, "1.0", "", service.Errorf("UnknownOperationException", "event source mappings are run, not served"))
}

// Swap changes the mappings, once they run.
func (s *pollers) Swap(app *model.Application) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app = app
	if s.started {
		s.runs.Swap(app.EventSourceMappings)
	}
	return nil
}

// Start runs the mappings.
func (s *pollers) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = true
	s.runs.Swap(s.app.EventSourceMappings)
}

// Close ends them.
func (s *pollers) Close() error {
	s.runs.Close()
	return nil
}

// discarded sends the record of a batch that was given up.
func (s *pollers) discarded(ctx context.Context, arn string, record []byte) error {
	return s.env.Deliver(ctx, &service.Delivery{Target: arn, Body: record})
}

// objects takes records of what was given up for buckets. The ARN is that of
// the object: "arn:aws:s3:::bucket/key".
type objects struct{ s3 *s3.Service }

// Accept puts the object in its place in tx.
func (o objects) Accept(tx *store.Tx, d *service.Delivery) error {
	arn, _ := service.ParseARN(d.Target)
	bucket, key, ok := strings.Cut(arn.Resource, "/")
	if !ok {
		return fmt.Errorf("%s is no object", d.Target)
	}
	staged, _ := d.Prepared.(*s3.Staged) // by an earlier run of the transaction
	if staged == nil {
		var err error
		if staged, err = o.s3.Stage(bucket, key, bytes.NewReader(d.Body), http.Header{"Content-Type": {"application/json"}}); err != nil {
			return err
		}
		d.Prepared = staged
	}
	return staged.Commit(tx)
}

// observe notes what became of a batch. The deletions of a queue it notes
// itself.
func (s *pollers) observe(o mapping.Outcome) {
	what, ok := map[string]string{
		mapping.Invoked: service.Delivered, mapping.Failed: service.Failed, mapping.Filtered: service.Filtered, mapping.Discarded: service.Dropped,
	}[o.Result]
	if !ok {
		return
	}
	if o.Result == mapping.Discarded && o.Mapping.OnFailure != "" {
		what = service.DeadLettered
	}
	s.env.Store.Later(func(tx *store.Tx) error {
		n := service.Note{What: what, Source: o.Mapping.EventSourceARN, Target: o.Mapping.Function.ARN, Detail: o.Detail, Count: len(o.IDs)}
		if len(o.IDs) == 1 {
			n.MessageID = o.IDs[0]
		}
		s.env.Note(tx, n)
		return nil
	})
}

// criteria compiles a pattern of FilterCriteria.
func criteria(pattern string) (func([]byte) bool, error) {
	p, err := filter.ParseCriteria(pattern)
	if err != nil {
		return nil, err
	}
	return p.Matches, nil
}

// queueSource is SQS as mappings need it.
type queueSource struct {
	sqs   *sqs.Service
	store *store.Store
}

func (q queueSource) Receive(ctx context.Context, arn string, limit int, wait time.Duration) ([]mapping.Message, error) {
	received, err := q.sqs.Receive(ctx, arn, sqs.ReceiveOptions{Max: limit, Wait: wait, Visibility: -1})
	if err != nil {
		return nil, err
	}
	messages := make([]mapping.Message, len(received))
	for i, m := range received {
		messages[i] = mapping.Message{
			ID: m.MessageID, ReceiptHandle: m.ReceiptHandle, Body: string(m.Body), Attributes: m.Attributes,
			MD5OfBody: m.MD5OfBody, MD5OfMessageAttributes: m.MD5OfMessageAttributes, MessageAttributes: attributesOf(m.MessageAttributes),
		}
	}
	return messages, ctx.Err()
}

func attributesOf(all map[string]service.Attribute) map[string]mapping.Attribute {
	attributes := make(map[string]mapping.Attribute, len(all))
	for name, a := range all {
		attribute := mapping.Attribute{DataType: a.DataType, StringValue: string(a.Value)}
		if len(a.DataType) >= 6 && a.DataType[:6] == "Binary" {
			attribute.StringValue, attribute.BinaryValue = "", a.Value
		}
		attributes[name] = attribute
	}
	return attributes
}

func (q queueSource) Delete(_ context.Context, arn string, handles []string) error {
	return q.store.Update(func(tx *store.Tx) error { return q.sqs.Delete(tx, arn, handles...) })
}

func (q queueSource) Release(_ context.Context, arn string, handles []string) error {
	return q.sqs.Release(arn, handles...)
}

func (q queueSource) VisibilityTimeout(arn string) time.Duration {
	// A queue that is gone makes Receive say so.
	return cmp.Or(q.sqs.VisibilityTimeout(arn), time.Second)
}

// streamSource is DynamoDB Streams as mappings need them.
type streamSource struct{ *dynamodb.Service }

func (s streamSource) Read(ctx context.Context, arn, shard, after string, limit int, wait time.Duration) ([]mapping.Record, error) {
	read, err := s.Service.Read(ctx, arn, shard, after, limit, wait)
	records := make([]mapping.Record, len(read))
	for i, r := range read {
		records[i] = mapping.Record(r)
	}
	return records, err
}

// checkpoints keeps how far streams were read.
type checkpoints struct{ store *store.Store }

const checkpointTable = "mapping/checkpoints"

func (c checkpoints) Checkpoint(key string) (value string, found bool) {
	_ = c.store.View(func(tx *store.Tx) error { // a store that is closed has none
		b := tx.Get(checkpointTable, []byte(key))
		value, found = string(b), b != nil
		return nil
	})
	return value, found
}

func (c checkpoints) SetCheckpoint(key, value string) error {
	err := c.store.Update(func(tx *store.Tx) error {
		tx.Put(checkpointTable, []byte(key), []byte(value))
		return nil
	})
	if errors.Is(err, store.ErrClosed) {
		return nil // what ends now goes on from the checkpoint before
	}
	return err
}
