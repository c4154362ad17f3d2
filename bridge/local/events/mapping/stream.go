package mapping

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
)

const (
	// defaultStreamBatch is a stream's batch size where a mapping says nothing.
	defaultStreamBatch = 100
	// retention is how long DynamoDB and, by default, Kinesis keep a record.
	retention = 24 * time.Hour
	// shardInterval is how often the list of shards is read.
	shardInterval = time.Second
	// invocationSlack is how long a throttled batch of a stream is tried again
	// before its age is looked at anew.
	invocationSlack = 30 * time.Second
	startLatest     = "LATEST"
)

// pollStream runs the lanes of each shard, also of shards that come later.
func (p *poller) pollStream(ctx context.Context) {
	if p.last != nil {
		p.last.lanes.Wait()
		p.last = nil
	}
	known := map[string]bool{}
	var failing trouble
	for ctx.Err() == nil {
		shards, err := p.o.Stream.Shards(ctx, p.m.EventSourceARN)
		if err != nil {
			failing.pause(ctx, p, "read", err)
			continue
		}
		failing.over()
		for _, shard := range shards {
			if known[shard] {
				continue
			}
			if known[shard] = p.startShard(ctx, shard); !known[shard] {
				break // a later shard must not overtake it
			}
		}
		pause(ctx, shardInterval)
	}
}

// startShard starts a shard's lanes where its checkpoints say.
func (p *poller) startShard(ctx context.Context, shard string) bool {
	lanes := make([]*lane, max(p.m.ParallelizationFactor, 1))
	for i := range lanes {
		lanes[i] = &lane{poller: p, shard: shard, index: i, count: len(lanes)}
	}
	if err := p.begin(ctx, shard, lanes); err != nil {
		if ctx.Err() == nil {
			p.o.Logf("%s cannot read %s: %v", p.m.Path, p.m.EventSourceARN, err)
		}
		return false
	}
	for _, l := range lanes {
		p.lane(func() { l.run(ctx) })
	}
	return true
}

// begin finds where the lanes of a shard read on: each at its checkpoint. Where
// there was another number of lanes, with the keys divided differently, all go
// on where the one furthest behind was. A shard that was never read begins at
// the starting position; LATEST is written down as the newest record of this
// moment, so that nothing is lost between now and the next start.
func (p *poller) begin(ctx context.Context, shard string, lanes []*lane) error {
	key := fmt.Sprintf("%s|%s|%s", p.m.Path, p.m.EventSourceARN, shard)
	count := strconv.Itoa(len(lanes))
	last, known := p.o.Checkpoints.Checkpoint(key)
	if last == count {
		for _, l := range lanes {
			l.after, _ = p.o.Checkpoints.Checkpoint(l.key())
		}
		return nil
	}
	after := ""
	if known {
		after = p.furthestBehind(shard, last)
	} else if p.m.StartingPosition == startLatest {
		var err error
		if after, err = p.o.Stream.Newest(ctx, p.m.EventSourceARN, shard); err != nil {
			return err
		}
	}
	for _, l := range lanes {
		l.after = after
		if err := p.o.Checkpoints.SetCheckpoint(l.key(), after); err != nil {
			return err
		}
	}
	return p.o.Checkpoints.SetCheckpoint(key, count)
}

// furthestBehind is the earliest checkpoint of the lanes that last ran.
func (p *poller) furthestBehind(shard, last string) (after string) {
	count, _ := strconv.Atoi(last)
	for i := range count {
		old := lane{poller: p, shard: shard, index: i, count: count}
		if value, _ := p.o.Checkpoints.Checkpoint(old.key()); i == 0 || before(value, after) {
			after = value
		}
	}
	return after
}

// lane reads the records of a shard whose key hashes to its index.
type lane struct {
	*poller
	shard        string
	index, count int
	// after is the sequence number up to which the lane has dealt with all.
	after string
}

// key is where the lane's checkpoint stands.
func (l *lane) key() string {
	return fmt.Sprintf("%s|%s|%s|%d/%d", l.m.Path, l.m.EventSourceARN, l.shard, l.index, l.count)
}

// before compares sequence numbers: decimal numbers of any length.
func before(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

func (l *lane) run(ctx context.Context) {
	var failing trouble
	for ctx.Err() == nil {
		records, last, err := l.gather(ctx)
		if err != nil {
			failing.pause(ctx, l.poller, "read", err)
			continue
		}
		failing.over()
		if len(records) > 0 && !l.process(ctx, records, 0) {
			return // stopped: the batch comes again from its checkpoint
		}
		l.advance(last)
	}
}

// advance writes down how far the lane is.
func (l *lane) advance(to string) {
	if to == l.after {
		return
	}
	l.after = to
	if err := l.o.Checkpoints.SetCheckpoint(l.key(), to); err != nil {
		l.o.Logf("%s cannot write down how far %s was read; records may come again: %v", l.m.Path, l.m.EventSourceARN, err)
	}
}

// gather reads a batch: as many records as one may have, or what came within
// the batching window. last is the sequence number to go on after, be it that
// of a record of another lane or of one that the filter leaves out.
func (l *lane) gather(ctx context.Context) (records []Record, last string, err error) {
	limit := cmp.Or(l.m.BatchSize, defaultStreamBatch)
	last = l.after
	size := 0
	var closes time.Time
	for len(records) < limit {
		wait := longPoll
		if !closes.IsZero() {
			if wait = time.Until(closes); wait <= 0 {
				break
			}
		}
		read, err := l.o.Stream.Read(ctx, l.m.EventSourceARN, l.shard, last, limit-len(records), wait)
		if err != nil {
			return nil, "", err
		}
		if len(read) == 0 {
			break
		}
		full := false
		for _, r := range read {
			if mine := l.mine(r); mine && len(records) > 0 && size+len(r.Event) > maxPayload {
				full = true
				break
			} else if mine {
				records = append(records, r)
				size += len(r.Event) + 1
			}
			last = r.SequenceNumber
		}
		if full || l.m.MaximumBatchingWindow <= 0 || ctx.Err() != nil {
			break
		}
		if closes.IsZero() && len(records) > 0 {
			closes = time.Now().Add(l.m.MaximumBatchingWindow)
		}
	}
	return records, last, nil
}

// mine reports whether a record is for this lane and passes the filter.
func (l *lane) mine(r Record) bool {
	if l.count > 1 {
		h := fnv.New32a()
		_, _ = h.Write([]byte(r.Key))
		if int(h.Sum32()%uint32(l.count)) != l.index { //nolint:gosec // at most 10
			return false
		}
	}
	if l.matches != nil && !l.matches(r.Event) {
		l.observe(Filtered, "", r.SequenceNumber)
		return false
	}
	return true
}

// process invokes the function with a batch until all of it is done or given
// up. It reports false where ctx ended first. attempts counts the failures so
// far; halves of a batch that is split keep their count, for splitting uses up
// no retry.
func (l *lane) process(ctx context.Context, records []Record, attempts int) bool {
	wait := l.o.RetryInterval
	for invocations := attempts + 1; ; invocations++ {
		if records = l.dropOld(records, invocations-1); len(records) == 0 {
			return true
		}
		result, err := l.invoke(event(jsonOf(records)), time.Now().Add(invocationSlack))
		done, reason := l.judge(records, result, err)
		if reason == "" {
			l.observe(Invoked, "", sequenceNumbers(records)...)
			return true
		}
		if l.invoking.Err() != nil {
			return false
		}
		if done > 0 {
			l.observe(Invoked, "", sequenceNumbers(records[:done])...)
		}
		records = records[done:]
		l.observe(Failed, reason, sequenceNumbers(records)...)
		switch {
		case err != nil: // not a matter of the function: its retries are not used up
			l.o.Logf("%s: a batch waits: %v", l.m.Path, err)
		case done == 0 && l.m.BisectBatchOnFunctionError && len(records) > 1:
			half := len(records) / 2
			return l.process(ctx, records[:half], attempts) && l.process(ctx, records[half:], attempts)
		default:
			attempts++
		}
		if l.m.MaximumRetryAttempts >= 0 && attempts > l.m.MaximumRetryAttempts {
			l.discard(records, conditionRetries, invocations, result, reason)
			return true
		}
		if !pause(ctx, wait) {
			return false
		}
		wait = min(2*wait, 100*l.o.RetryInterval)
	}
}

// judge reads the outcome of an invocation: how many records at the beginning
// are done, and why the rest is not.
func (l *lane) judge(records []Record, result *local.Result, err error) (done int, reason string) {
	if reason := reasonOf(result, err); reason != "" {
		return 0, reason
	}
	if !l.reports() {
		return len(records), ""
	}
	known := make(map[string]int, len(records))
	for i, r := range records {
		known[r.SequenceNumber] = i
	}
	failed, err := itemFailures(result.Payload, known)
	if err != nil {
		l.o.Logf("%s: %s failed a whole batch: %v", l.m.Path, l.m.Function.Name, err)
		return 0, err.Error()
	}
	if len(failed) == 0 {
		return len(records), ""
	}
	// Lambda goes on at the lowest sequence number, whatever is said of those
	// after it.
	first := len(records)
	for id := range failed {
		first = min(first, known[id])
	}
	return first, "the function reported " + records[first].SequenceNumber + " as failed"
}

// dropOld gives up the records at the beginning that are too old.
func (l *lane) dropOld(records []Record, invocations int) []Record {
	limit := retention
	if l.m.MaximumRecordAge > 0 {
		limit = min(limit, l.m.MaximumRecordAge)
	}
	old := 0
	for old < len(records) && time.Since(records[old].At) > limit {
		old++
	}
	if old > 0 {
		l.discard(records[:old], conditionAge, invocations, nil, "they are older than "+limit.String())
	}
	return records[old:]
}

func jsonOf(records []Record) [][]byte {
	all := make([][]byte, len(records))
	for i, r := range records {
		all[i] = r.Event
	}
	return all
}

func sequenceNumbers(records []Record) []string {
	all := make([]string, len(records))
	for i, r := range records {
		all[i] = r.SequenceNumber
	}
	return all
}
