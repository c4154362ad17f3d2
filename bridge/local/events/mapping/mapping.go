package mapping

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// Queue is what a mapping needs of a queue service. Queues are named by ARN.
type Queue interface {
	// Receive takes at most limit messages, and waits for the first one for as
	// long as wait. It returns none where none came, and ctx's error where ctx
	// ended.
	Receive(ctx context.Context, queueARN string, limit int, wait time.Duration) ([]Message, error)
	// Delete removes messages by their receipt handles. A handle that has
	// expired is no error.
	Delete(ctx context.Context, queueARN string, receiptHandles []string) error
	// Release makes messages visible at once that were received and not used.
	Release(ctx context.Context, queueARN string, receiptHandles []string) error
	// VisibilityTimeout is how long a message stays invisible after Receive.
	VisibilityTimeout(queueARN string) time.Duration
}

// Message is one message of a queue.
type Message struct {
	ID            string
	ReceiptHandle string
	Body          string
	// Attributes are the system attributes: "SentTimestamp",
	// "ApproximateReceiveCount", "MessageGroupId", ...
	Attributes        map[string]string
	MessageAttributes map[string]Attribute
	// MD5OfBody and MD5OfMessageAttributes are in hexadecimal; the latter is ""
	// where the message has no attributes.
	MD5OfBody              string
	MD5OfMessageAttributes string
}

// Attribute is a message attribute. One of the values is set.
type Attribute struct {
	// DataType is "String", "Number" or "Binary", with or without a label of
	// the user's: "Number.float".
	DataType    string
	StringValue string
	BinaryValue []byte
}

// Stream is what a mapping needs of a stream service. Streams are named by ARN.
type Stream interface {
	// Shards are the ids of the stream's shards, oldest first.
	Shards(ctx context.Context, streamARN string) ([]string, error)
	// Read returns at most limit records of a shard that come after a sequence
	// number, from the oldest kept where that is "". It waits for the first for
	// as long as wait, and returns none where none came.
	Read(ctx context.Context, streamARN, shardID, after string, limit int, wait time.Duration) ([]Record, error)
	// Newest is the sequence number of a shard's newest record, "" where it
	// has never had one.
	Newest(ctx context.Context, streamARN, shardID string) (string, error)
}

// Record is one record of a stream.
type Record struct {
	SequenceNumber string
	// Key decides which records stay in order with each other.
	Key string
	// At is when the record arrived.
	At time.Time
	// Event is the record as a function's event has it, a JSON object.
	Event []byte
}

// Checkpoints keep how far streams have been read. They are durable.
type Checkpoints interface {
	// Checkpoint is the value of a key, "" and false where there is none.
	Checkpoint(key string) (value string, found bool)
	SetCheckpoint(key, value string) error
}

// Outcome is what became of a batch, for who watches.
type Outcome struct {
	Mapping *model.EventSourceMapping
	// IDs are the message ids or sequence numbers.
	IDs []string
	// Result is one of the constants below.
	Result string
	// Detail says why, where the function did not simply succeed.
	Detail string
}

// The results of an Outcome.
const (
	Invoked   = "invoked"   // the function did it
	Failed    = "failed"    // it did not, and will get it again
	Filtered  = "filtered"  // it does not get it
	Throttled = "throttled" // it could not run now
	Discarded = "discarded" // it was given up
)

// Options are what pollers work with. Invoke is required, Queue and Stream for
// mappings of those kinds.
type Options struct {
	// Invoke runs a function, as [local.Engine.Invoke] does.
	Invoke func(ctx context.Context, fn *model.Function, in local.Invocation) (*local.Result, error)
	Queue  Queue
	Stream Stream
	// Checkpoints are required where there are streams.
	Checkpoints Checkpoints
	// Filter compiles one pattern of FilterCriteria: a JSON text. What it
	// returns takes a record as JSON.
	Filter func(pattern string) (matches func(record []byte) bool, err error)
	// Destination sends the record of a batch that was given up, a JSON text,
	// to the ARN of an on-failure destination: of an object, where that is a
	// bucket. Nil where there is none.
	Destination func(ctx context.Context, arn string, record []byte) error
	// Observe is told of each batch. Nil tells nobody.
	Observe func(Outcome)
	// Logf tells a developer what they should know: a mapping that cannot run,
	// a batch that was given up. Nil tells nobody.
	Logf func(format string, args ...any)
	// MaxConcurrency is the most invocations that one mapping has under way at
	// a time: 10 where it is 0, for each is a process of this machine.
	MaxConcurrency int
	// RetryInterval is the wait before a failed batch of a stream is tried
	// again, doubled each time up to a hundredfold: 200 ms where it is 0. AWS
	// does not say what Lambda's is.
	RetryInterval time.Duration
	// Grace is how long Close lets invocations go on: 3 s where it is 0.
	Grace time.Duration
}

const (
	defaultMaxConcurrency = 10
	defaultRetryInterval  = 200 * time.Millisecond
	defaultGrace          = 3 * time.Second
	// maxPayload keeps an event within what Lambda takes: 6 MB.
	maxPayload = 6*1024*1024 - 1024
)

// Pollers are the pollers of an application. Their methods may be called from
// many goroutines.
type Pollers struct {
	o Options
	// invoking ends the invocations under way.
	invoking context.Context
	abort    context.CancelFunc
	// underWay counts the pollers and their invocations.
	underWay sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	running map[string]*poller // by the mapping's path
}

// poller is one mapping that runs.
type poller struct {
	*Pollers
	m       *model.EventSourceMapping
	matches func(record []byte) bool
	stop    context.CancelFunc
	// last is what this one takes over from, nil for nothing. lanes are what
	// reads a stream: the next poller of it waits for them, or a record could
	// overtake one that is still worked on.
	last  *poller
	lanes sync.WaitGroup
}

// New makes pollers that run no mapping yet: [Pollers.Swap] gives them some,
// [Pollers.Close] ends them.
func New(o Options) *Pollers {
	o.MaxConcurrency = cmp.Or(o.MaxConcurrency, defaultMaxConcurrency)
	o.RetryInterval = cmp.Or(o.RetryInterval, defaultRetryInterval)
	o.Grace = cmp.Or(o.Grace, defaultGrace)
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	if o.Observe == nil {
		o.Observe = func(Outcome) {}
	}
	p := &Pollers{o: o, running: map[string]*poller{}}
	p.invoking, p.abort = context.WithCancel(context.Background())
	return p
}

// Swap makes these the mappings that run. One that has not changed runs on
// undisturbed. One that is gone or has changed takes no more records; its
// invocations under way end on the function that they began with.
func (p *Pollers) Swap(mappings []*model.EventSourceMapping) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	wanted := map[string]*model.EventSourceMapping{}
	for _, m := range mappings {
		if m.Enabled {
			wanted[m.Path] = m
		}
	}
	stopped := map[string]*poller{}
	for path, old := range p.running {
		if m := wanted[path]; m != nil && same(m, old.m) {
			delete(wanted, path)
			continue
		}
		old.stop()
		stopped[path] = old
		delete(p.running, path)
	}
	for path, m := range wanted {
		if started := p.start(m, stopped[path]); started != nil {
			p.running[path] = started
		}
	}
}

// same reports whether a mapping would do the same as another. A function that
// was built anew is another function.
func same(a, b *model.EventSourceMapping) bool {
	return a.Function == b.Function && reflect.DeepEqual(a, b)
}

// start starts the poller of a mapping, or says why there is none.
func (p *Pollers) start(m *model.EventSourceMapping, last *poller) *poller {
	matches, err := p.filter(m.FilterPatterns)
	if err != nil {
		p.o.Logf("%s does not run: %v", m.Path, err)
		return nil
	}
	ctx, stop := context.WithCancel(p.invoking)
	started := &poller{Pollers: p, m: m, matches: matches, stop: stop, last: last}
	switch service := serviceOf(m.EventSourceARN); {
	case service == "sqs" && p.o.Queue != nil:
		p.underWay.Go(func() { started.pollQueue(ctx) })
	case service == "dynamodb" && p.o.Stream != nil:
		started.lane(func() { started.pollStream(ctx) })
	default:
		stop()
		p.o.Logf("%s does not run: its event source %s is none that a local run has", m.Path, m.EventSourceARN)
		return nil
	}
	return started
}

// lane runs a part of a stream's poller.
func (p *poller) lane(run func()) {
	p.lanes.Add(1)
	p.underWay.Go(func() {
		defer p.lanes.Done()
		run()
	})
}

// filter compiles filter criteria: a record passes where one of the patterns
// matches, or where there is none.
func (p *Pollers) filter(patterns []string) (func([]byte) bool, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	if p.o.Filter == nil {
		return nil, fmt.Errorf("it has filter criteria, and there is nothing to match them with")
	}
	matchers := make([]func([]byte) bool, len(patterns))
	for i, pattern := range patterns {
		var err error
		if matchers[i], err = p.o.Filter(pattern); err != nil {
			return nil, fmt.Errorf("its filter pattern %s: %w", pattern, err)
		}
	}
	return func(record []byte) bool {
		for _, matches := range matchers {
			if matches(record) {
				return true
			}
		}
		return false
	}, nil
}

// Close takes no more records, lets invocations under way end for a while, and
// then ends them. It returns when nothing runs any more.
func (p *Pollers) Close() {
	p.mu.Lock()
	p.closed = true
	for path, running := range p.running {
		running.stop()
		delete(p.running, path)
	}
	p.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		p.underWay.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(p.o.Grace):
		p.abort()
		<-ended
	}
	p.abort()
}

// serviceOf is the service of an ARN.
func serviceOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[2]
	}
	return ""
}

// regionOf is the region of an ARN.
func regionOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[3]
	}
	return ""
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *poller) observe(result, detail string, ids ...string) {
	p.o.Observe(Outcome{Mapping: p.m, IDs: ids, Result: result, Detail: detail})
}

// reports says that the function names what failed in a batch.
func (p *poller) reports() bool {
	for _, kind := range p.m.FunctionResponseTypes {
		if kind == "ReportBatchItemFailures" {
			return true
		}
	}
	return false
}
