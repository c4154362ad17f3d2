package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/bailey-cdk/bailey/constructs/eventfork/internal/failure"
	"github.com/bailey-cdk/bailey/internal/fork"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// objects is a bucket that lists two keys a page.
type objects map[string]string

func (o objects) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	out := &s3.ListObjectsV2Output{}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !strings.HasPrefix(key, *in.Prefix) || key <= aws.ToString(in.ContinuationToken) {
			continue
		}
		if len(out.Contents) == 2 {
			out.NextContinuationToken = out.Contents[1].Key
			break
		}
		out.Contents = append(out.Contents, s3types.Object{Key: aws.String(key)})
	}
	return out, nil
}

func (o objects) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(o[*in.Key]))}, nil
}

func (o objects) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	text, err := io.ReadAll(in.Body)
	o[*in.Key] = string(text)
	return &s3.PutObjectOutput{}, err
}

func (o objects) DeleteObject(_ context.Context, in *s3.DeleteObjectInput, _ ...func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
	delete(o, *in.Key)
	return &s3.DeleteObjectOutput{}, nil
}

// targets are the branches' queue and stream.
type targets struct {
	sent []string
	err  error
}

func (q *targets) SendMessageBatch(_ context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	out := &sqs.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		q.sent = append(q.sent, *in.QueueUrl+" "+*e.MessageBody)
		out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: e.Id})
	}
	return out, q.err
}

func (q *targets) PutRecord(_ context.Context, in *firehose.PutRecordInput, _ ...func(*firehose.Options)) (*firehose.PutRecordOutput, error) {
	q.sent = append(q.sent, *in.DeliveryStreamName+" "+string(in.Record.Data))
	return &firehose.PutRecordOutput{}, q.err
}

// record has five failures of Checkout at noon, 12:01 ..., and one of Archive.
func newTest(t *testing.T) (*resender, objects, *targets) {
	t.Helper()
	o, q := objects{"failures/branch=Checkout/notes.txt": "not ours"}, &targets{}
	add := func(branch string, minute int) {
		r := failure.Record{Branch: branch, MessageID: fmt.Sprint(minute), Body: fmt.Sprint("event ", minute), Time: noon.Add(time.Duration(minute) * time.Minute)}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		o[r.Key()] = string(text)
	}
	for minute := range 5 {
		add("Checkout", minute)
	}
	add("Archive", 2)
	return &resender{objects: o, queue: q, stream: q, bucket: "record", branches: map[string]fork.Branch{
		"Checkout": {Name: "Checkout", Queue: "https://q"},
		"Archive":  {Name: "Archive", Stream: "stream"},
	}}, o, q
}

func TestCommands(t *testing.T) {
	for _, c := range []struct {
		command string
		want    []string
	}{
		{`{}`, []string{"https://q event 0", "https://q event 1", "https://q event 2", "https://q event 3", "https://q event 4", "stream event 2"}},
		{`{"branch":"Archive"}`, []string{"stream event 2"}},
		{`{"branch":"Checkout","from":"2026-11-01T12:01:00Z","to":"2026-11-01T12:02:00Z"}`, []string{"https://q event 1", "https://q event 2"}},
		{`{"branch":"Checkout","limit":3}`, []string{"https://q event 0", "https://q event 1", "https://q event 2"}},
	} {
		r, o, q := newTest(t)
		before := len(o)
		result, err := r.handle(t.Context(), json.RawMessage(c.command))
		if err != nil || result.Failed > 0 || !result.Done {
			t.Errorf("%s: %+v, %v", c.command, result, err)
		}
		slices.Sort(q.sent)
		if !slices.Equal(q.sent, c.want) || result.Sent != len(c.want) {
			t.Errorf("%s sent %q, want %q", c.command, q.sent, c.want)
		}
		moved := 0
		for key := range o {
			if strings.HasPrefix(key, failure.Resent) {
				moved++
			}
		}
		if moved != len(c.want) || len(o) != before {
			t.Errorf("%s moved %d of %d objects", c.command, moved, len(o))
		}
		if again, err := r.handle(t.Context(), json.RawMessage(`{"branch":"Archive","to":"2026-11-01T11:00:00Z"}`)); err != nil || again.Sent != 0 {
			t.Errorf("a window without events: %+v, %v", again, err)
		}
	}
}

// What Firehose gave up goes to the stream, also where a queue is before it.
func TestFromStream(t *testing.T) {
	for name, c := range map[string]struct {
		branch fork.Branch
		from   string
		want   []string
	}{
		"the queue's":       {fork.Branch{Name: "Masked", Queue: "https://q", Stream: "masked"}, "", []string{"https://q x"}},
		"the stream's":      {fork.Branch{Name: "Masked", Queue: "https://q", Stream: "masked"}, failure.Stream, []string{"masked x"}},
		"of a branch alike": {fork.Branch{Name: "Masked", Queue: "https://q"}, failure.Stream, nil},
	} {
		q := &targets{}
		r := &resender{queue: q, stream: q, branches: map[string]fork.Branch{"Masked": c.branch}}
		err := r.send(t.Context(), failure.Record{Branch: "Masked", MessageID: "1", Body: "x", From: c.from})
		if !slices.Equal(q.sent, c.want) || (err == nil) != (c.want != nil) {
			t.Errorf("%s: sent %q, %v; want %q", name, q.sent, err, c.want)
		}
	}
}

func TestFailedEventsStay(t *testing.T) {
	r, o, q := newTest(t)
	q.err = errors.New("away")
	result, err := r.handle(t.Context(), json.RawMessage(`{}`))
	if err != nil || *result != (Result{Failed: 6, Done: true}) {
		t.Errorf("got %+v, %v", result, err)
	}
	if len(o) != 7 {
		t.Errorf("the record has %d objects, want all", len(o))
	}
}

func TestBranchIsGone(t *testing.T) {
	r, _, _ := newTest(t)
	delete(r.branches, "Archive")
	result, err := r.handle(t.Context(), json.RawMessage(`{}`))
	if err != nil || *result != (Result{Sent: 5, Failed: 1, Done: true}) {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestNotDone(t *testing.T) {
	r, _, _ := newTest(t)
	ctx, cancel := context.WithTimeout(t.Context(), margin/2)
	defer cancel()
	if result, err := r.handle(ctx, json.RawMessage(`{}`)); err != nil || *result != (Result{}) {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestMistakes(t *testing.T) {
	for command, want := range map[string]string{
		`{"brnch":"Checkout"}`: "unknown field",
		`{"branch":"Other"}`:   "the fork has Archive, Checkout",
		`{"from":"yesterday"}`: "no command",
		`"Checkout"`:           "no command",
		`{"limit":"many"}`:     "no command",
	} {
		r, _, q := newTest(t)
		if _, err := r.handle(t.Context(), json.RawMessage(command)); err == nil || !strings.Contains(err.Error(), want) || len(q.sent) > 0 {
			t.Errorf("%s: %v", command, err)
		}
	}
}
