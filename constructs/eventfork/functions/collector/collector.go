package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/bailey-cdk/bailey/batch"
	"github.com/bailey-cdk/bailey/constructs/eventfork/internal/failure"
	"github.com/bailey-cdk/bailey/internal/fork"
)

// API is what is needed of a *s3.Client.
type API interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	failure.Putter
}

type collector struct {
	api    API
	record string // the bucket
}

// collect records the events of the object that a message names.
func (c *collector) collect(ctx context.Context, m events.SQSMessage) error {
	var from fork.Undelivered
	if err := json.Unmarshal([]byte(m.Body), &from); err != nil || from.Branch == "" || from.Bucket == "" || from.Key == "" {
		return batch.Permanent(errors.New(`the message names no object: want {"branch": ..., "bucket": ..., "key": ...}`))
	}
	out, err := c.api.GetObject(ctx, &s3.GetObjectInput{Bucket: &from.Bucket, Key: &from.Key})
	if err != nil {
		return err
	}
	text, err := unpacked(out.Body)
	if err == nil {
		w := &writing{collector: c, from: from, places: make(chan struct{}, atATime)}
		err = w.all(ctx, text)
	}
	return errors.Join(err, out.Body.Close())
}

// atATime is how many records are written at a time. Writing waits for S3 alone,
// and an object has as many events as Firehose buffers.
const atATime = 32

// writing is the recording of one object's events.
type writing struct {
	*collector
	from    fork.Undelivered
	running sync.WaitGroup
	places  chan struct{}

	mutex      sync.Mutex // guards the rest
	written    int
	reason     failure.Reason // of one of them
	unread     []error
	notWritten []error
}

// all records every line of the text.
func (w *writing) all(ctx context.Context, text io.Reader) error {
	lines := bufio.NewReader(text)
	var ended error
	for number := 1; ended == nil; number++ {
		var line []byte
		line, ended = lines.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) == 0 || ended != nil && !errors.Is(ended, io.EOF) {
			continue
		}
		w.places <- struct{}{}
		w.running.Go(func() {
			w.one(ctx, number, line)
			<-w.places
		})
	}
	w.running.Wait()
	if w.written > 0 {
		slog.WarnContext(ctx, "Firehose gave events up", "branch", w.from.Branch, "bucket", w.from.Bucket, "key", w.from.Key, "events", w.written, "reason", w.reason.Message)
	}
	switch {
	case !errors.Is(ended, io.EOF):
		return fmt.Errorf("the object %s can't be read: %w", w.from.Key, ended)
	case len(w.notWritten) > 0:
		return fmt.Errorf("%d events could not be recorded: %w", len(w.notWritten), w.notWritten[0])
	case len(w.unread) > 0:
		return batch.Permanent(fmt.Errorf("the object %s has lines that are no events of Firehose's, %d in all: %w", w.from.Key, len(w.unread), w.unread[0]))
	}
	return nil
}

// one records a line. The key is made of the line's place, so writing it again
// changes nothing.
func (w *writing) one(ctx context.Context, number int, line []byte) {
	record, err := recordOf(w.from, number, line)
	if err != nil {
		w.mutex.Lock()
		defer w.mutex.Unlock()
		w.unread = append(w.unread, err)
		return
	}
	err = record.Put(ctx, w.api, w.record)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if err != nil {
		w.notWritten = append(w.notWritten, err)
		return
	}
	w.written, w.reason = w.written+1, record.Reason
}
