package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	firehosetypes "github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/bailey-cdk/bailey/constructs/eventfork/internal/failure"
	"github.com/bailey-cdk/bailey/internal/fork"
	"github.com/bailey-cdk/bailey/internal/sqsmessage"
)

// Objects is what is needed of a *s3.Client.
type Objects interface {
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

// Stream is what is needed of a *firehose.Client.
type Stream interface {
	PutRecord(context.Context, *firehose.PutRecordInput, ...func(*firehose.Options)) (*firehose.PutRecordOutput, error)
}

type resender struct {
	objects  Objects
	queue    sqsmessage.Sender
	stream   Stream
	bucket   string
	branches map[string]fork.Branch
}

// Result is the answer.
type Result struct {
	Sent   int `json:"sent"`
	Failed int `json:"failed"`
	// Done is false where the function's time was over before all was read.
	Done bool `json:"done"`
}

type command struct {
	Branch string    `json:"branch"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Limit  int       `json:"limit"`
}

// margin is left of the function's time to answer.
const margin = 5 * time.Second

func (r *resender) handle(ctx context.Context, input json.RawMessage) (*Result, error) {
	var c command
	d := json.NewDecoder(bytes.NewReader(input))
	d.DisallowUnknownFields() // A misspelt limit must not send everything.
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("this is no command: %w; want {\"branch\": ..., \"from\": ..., \"to\": ..., \"limit\": ...}", err)
	}
	if _, known := r.branches[c.Branch]; c.Branch != "" && !known {
		return nil, fmt.Errorf("there is no branch %q: the fork has %s", c.Branch, strings.Join(slices.Sorted(maps.Keys(r.branches)), ", "))
	}
	result := &Result{}
	err := r.each(ctx, c, result)
	slog.InfoContext(ctx, "sent round again", "result", *result)
	return result, err
}

// each goes through the record. What it moves is behind it in the listing, so
// that a listing that goes on misses nothing.
func (r *resender) each(ctx context.Context, c command, result *Result) error {
	in := &s3.ListObjectsV2Input{Bucket: &r.bucket, Prefix: aws.String(failure.Prefix(c.Branch))}
	for {
		page, err := r.objects.ListObjectsV2(ctx, in)
		if err != nil {
			return fmt.Errorf("the record can't be listed: %w", err)
		}
		for _, object := range page.Contents {
			if late(ctx) {
				return nil
			}
			if c.Limit > 0 && result.Sent >= c.Limit {
				result.Done = true
				return nil
			}
			r.one(ctx, c, aws.ToString(object.Key), result)
		}
		if page.NextContinuationToken == nil {
			result.Done = true
			return nil
		}
		in.ContinuationToken = page.NextContinuationToken
	}
}

func late(ctx context.Context) bool {
	deadline, set := ctx.Deadline()
	return ctx.Err() != nil || set && time.Until(deadline) < margin
}

func (c command) holds(key string) bool {
	at, ok := failure.TimeOf(key)
	return ok && (c.From.IsZero() || !at.Before(c.From)) && (c.To.IsZero() || !at.After(c.To))
}

func (r *resender) one(ctx context.Context, c command, key string, result *Result) {
	if !c.holds(key) {
		return
	}
	if err := r.resend(ctx, key); err != nil {
		result.Failed++
		slog.ErrorContext(ctx, "an event could not be sent again", "key", key, "error", err.Error())
		return
	}
	result.Sent++
}

func (r *resender) resend(ctx context.Context, key string) error {
	out, err := r.objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &r.bucket, Key: &key})
	if err != nil {
		return err
	}
	text, err := io.ReadAll(out.Body)
	if err := errors.Join(err, out.Body.Close()); err != nil {
		return err
	}
	record, err := failure.Parse(text)
	if err != nil {
		return err
	}
	if err := r.send(ctx, record); err != nil {
		return err
	}
	return r.move(context.WithoutCancel(ctx), key, text)
}

func (r *resender) send(ctx context.Context, record failure.Record) error {
	branch, known := r.branches[record.Branch]
	if !known {
		return fmt.Errorf("the fork has no branch %q any more", record.Branch)
	}
	if record.From != failure.Stream && branch.Queue != "" {
		return sqsmessage.Send(ctx, r.queue, branch.Queue, []sqsmessage.Message{record.Message()})[record.MessageID]
	}
	if branch.Stream == "" {
		return fmt.Errorf("the branch %q has no stream any more", record.Branch)
	}
	_, err := r.stream.PutRecord(ctx, &firehose.PutRecordInput{
		DeliveryStreamName: &branch.Stream, Record: &firehosetypes.Record{Data: []byte(record.Body)},
	})
	return err
}

// move keeps the record of what was sent again, out of the way of the next
// command.
func (r *resender) move(ctx context.Context, key string, text []byte) error {
	to := failure.Resent + strings.TrimPrefix(key, failure.Failures)
	_, err := r.objects.PutObject(ctx, &s3.PutObjectInput{Bucket: &r.bucket, Key: &to, Body: bytes.NewReader(text), ContentType: aws.String("application/json")})
	if err == nil {
		_, err = r.objects.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &r.bucket, Key: &key})
	}
	if err != nil {
		return fmt.Errorf("it was sent, but is still in the record, so that it will be sent again: %w", err)
	}
	return nil
}
