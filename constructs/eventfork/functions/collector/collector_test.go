package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/klauspost/compress/snappy"

	"github.com/bailey-cdk/bailey/batch"
	"github.com/bailey-cdk/bailey/constructs/eventfork/internal/failure"
)

// buckets are objects by bucket and key.
type buckets struct {
	mutex   sync.Mutex
	objects map[string]string
	err     error // of a write
}

func (b *buckets) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	text, found := b.objects[*in.Bucket+"/"+*in.Key]
	if !found {
		return nil, errors.New("NoSuchKey")
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(text))}, nil
}

func (b *buckets) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	text, err := io.ReadAll(in.Body)
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.err == nil {
		b.objects[*in.Bucket+"/"+*in.Key] = string(text)
	}
	return &s3.PutObjectOutput{}, errors.Join(err, b.err)
}

// records are those of the record's bucket, in the order of their keys.
func (b *buckets) records(t *testing.T) (all []failure.Record) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(b.objects)) {
		key, found := strings.CutPrefix(name, "record/")
		if !found {
			continue
		}
		r, err := failure.Parse([]byte(b.objects[name]))
		if err != nil || r.Key() != key {
			t.Errorf("%s has %+v, %v", key, r, err)
		}
		all = append(all, r)
	}
	return all
}

const (
	object = "errors/processing-failed/s-1-2026-11-05-09-00-00-x.gz"
	// What Firehose writes of {"id":"1"} and {"id":"2"}, by the kind of failure.
	transformed = `{"attemptsMade":4,"arrivalTimestamp":1793869200000,"errorCode":"Lambda.FunctionError","errorMessage":"it panicked","attemptEndingTimestamp":1793869200123,"rawData":"eyJpZCI6IjEifQ==","lambdaArn":"arn:aws:lambda:eu-west-1:1:function:f:$LATEST"}`
	converted   = `{"attemptsMade":1,"arrivalTimestamp":1793869200000,"lastErrorCode":"DataFormatConversion.ParseError","lastErrorMessage":"a number was expected","attemptEndingTimestamp":1793869200123,"rawData":"eyJpZCI6IjEifQ==","sequenceNumber":"4","subSequenceNumber":0,"dataCatalogTable":{"tableName":"t"}}`
	indexed     = `{"attemptsMade":3,"arrivalTimestamp":1793869200000,"errorCode":"400","errorMessage":"mapper_parsing_exception","attemptEndingTimestamp":1793869200123,"rawData":"eyJpZCI6IjEifQ==","esDocumentId":"d","esIndexName":"orders","esTypeName":""}`
	second      = `{"attemptsMade":1,"arrivalTimestamp":1793869200000,"errorCode":"Lambda.ProcessingFailedStatus","errorMessage":"","attemptEndingTimestamp":1793869200123,"rawData":"eyJpZCI6IjIifQ=="}`
)

func message(branch, key string) events.SQSEvent {
	body, _ := json.Marshal(map[string]string{"branch": branch, "bucket": "archive", "key": key}) // texts
	return events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: string(body)}}}
}

// run collects the object, and tells why its message was given up, "" where it
// was not, and whether it comes back.
func run(t *testing.T, b *buckets, e events.SQSEvent) (givenUp string, back bool) {
	t.Helper()
	c := &collector{api: b, record: "record"}
	response, err := batch.SQS(c.collect, batch.GiveUp(func(_ context.Context, _ events.SQSMessage, reason error) (bool, error) {
		if batch.IsPermanent(reason) {
			givenUp = reason.Error()
		}
		return givenUp != "", nil
	}))(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return givenUp, len(response.BatchItemFailures) > 0
}

func TestCollect(t *testing.T) {
	one, two := `{"id":"1"}`, `{"id":"2"}`
	for name, c := range map[string]struct {
		text    string
		bodies  []string
		reason  failure.Reason // of the first
		givenUp string         // what the reason of the message has
	}{
		"a failed transformation":  {transformed + "\n", []string{one}, failure.Reason{Code: "Lambda.FunctionError", Message: "it panicked", Receives: 4}, ""},
		"a failed conversion":      {converted + "\n", []string{one}, failure.Reason{Code: "DataFormatConversion.ParseError", Message: "a number was expected", Receives: 1}, ""},
		"its codes of other names": {strings.NewReplacer("lastErrorCode", "ErrorCode", "lastErrorMessage", "ErrorMessage").Replace(converted), []string{one}, failure.Reason{Code: "DataFormatConversion.ParseError", Message: "a number was expected", Receives: 1}, ""},
		"a refused document":       {indexed + "\n", []string{one}, failure.Reason{Code: "400", Message: "mapper_parsing_exception", Receives: 3}, ""},
		"two events":               {transformed + "\n" + second + "\n", []string{one, two}, failure.Reason{Code: "Lambda.FunctionError", Message: "it panicked", Receives: 4}, ""},
		"no message":               {second, []string{two}, failure.Reason{Code: "Lambda.ProcessingFailedStatus", Message: "Lambda.ProcessingFailedStatus", Receives: 1}, ""},
		"a bad line between":       {transformed + "\nno JSON\n" + second + "\n", []string{one, two}, failure.Reason{Code: "Lambda.FunctionError", Message: "it panicked", Receives: 4}, "the object " + object + " has lines that are no events of Firehose's, 1 in all: line 2 is not of Firehose's form"},
		"an event of the archive":  {one + "\n", nil, failure.Reason{}, "line 1 is not of Firehose's form: it has no rawData"},
		"data that is no base64":   {strings.Replace(second, "eyJ", "***", 1), nil, failure.Reason{}, "line 1 is not of Firehose's form: illegal base64"},
		"data that is no text":     {strings.Replace(second, "eyJpZCI6IjIifQ==", "//4=", 1), nil, failure.Reason{}, "the event of line 1 is no text"},
		"an empty object":          {"", nil, failure.Reason{}, ""},
	} {
		b := &buckets{objects: map[string]string{"archive/" + object: c.text}}
		givenUp, back := run(t, b, message("Archive", object))
		if back || !strings.Contains(givenUp, c.givenUp) || (givenUp == "") != (c.givenUp == "") {
			t.Errorf("%s: the message is given up for %q, want %q; it comes back: %v", name, givenUp, c.givenUp, back)
		}
		var bodies []string
		for _, r := range b.records(t) {
			bodies = append(bodies, r.Body)
			if r.Branch != "Archive" || r.From != failure.Stream || !r.Time.Equal(time.UnixMilli(1793869200123)) {
				t.Errorf("%s: the record is %+v", name, r)
			}
			if len(bodies) == 1 && r.Reason != c.reason {
				t.Errorf("%s: the reason is %+v, want %+v", name, r.Reason, c.reason)
			}
		}
		if !slices.Equal(bodies, c.bodies) {
			t.Errorf("%s: recorded are %q, want %q", name, bodies, c.bodies)
		}
	}
}

// An object that is named again makes the same keys, and another one others,
// though its events have the same time.
func TestCollectedTwice(t *testing.T) {
	b := &buckets{objects: map[string]string{"archive/" + object: transformed + "\n" + second, "archive/errors/other": transformed}}
	for range 2 {
		if givenUp, back := run(t, b, message("Archive", object)); givenUp != "" || back {
			t.Fatal(givenUp, back)
		}
		if n := len(b.records(t)); n != 2 {
			t.Errorf("there are %d records of two events", n)
		}
	}
	run(t, b, message("Archive", "errors/other"))
	if n := len(b.records(t)); n != 3 {
		t.Errorf("there are %d records of three events", n)
	}
}

// All forms that a stream may compress its objects in, whatever the key says.
func TestCompressions(t *testing.T) {
	for name, writer := range map[string]func(io.Writer) io.WriteCloser{
		"gzip":   func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"snappy": func(w io.Writer) io.WriteCloser { return snappy.NewBufferedWriter(w) },
		"zip":    func(w io.Writer) io.WriteCloser { return &zipped{zip.NewWriter(w)} },
	} {
		var packed bytes.Buffer
		w := writer(&packed)
		_, err := io.WriteString(w, transformed+"\n"+second+"\n")
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		b := &buckets{objects: map[string]string{"archive/" + object: packed.String()}}
		if givenUp, back := run(t, b, message("Archive", object)); givenUp != "" || back || len(b.records(t)) != 2 {
			t.Errorf("%s: %q, %v; recorded are %v", name, givenUp, back, b.records(t))
		}
	}
}

// zipped writes an archive of one file.
type zipped struct{ *zip.Writer }

func (z *zipped) Write(text []byte) (int, error) {
	file, err := z.Create("events")
	if err != nil {
		return 0, err
	}
	return file.Write(text)
}

// More events than are written at a time, with a line longer than any buffer.
func TestManyEvents(t *testing.T) {
	const n = 3*atATime + 1
	long := strings.Replace(second, `"errorMessage":""`, `"errorMessage":"`+strings.Repeat("x", 1<<20)+`"`, 1)
	b := &buckets{objects: map[string]string{"archive/" + object: strings.Repeat(second+"\n", n-1) + long}}
	if givenUp, back := run(t, b, message("Archive", object)); givenUp != "" || back {
		t.Fatal(givenUp, back)
	}
	if got := len(b.records(t)); got != n {
		t.Errorf("there are %d records of %d events", got, n)
	}
}

// What another attempt may mend comes back; a message that names nothing is
// given up.
func TestNotCollected(t *testing.T) {
	text := map[string]string{"archive/" + object: second, "archive/broken": "\x1f\x8b" + second}
	for name, c := range map[string]struct {
		event   events.SQSEvent
		err     error
		givenUp bool
	}{
		"S3 is away":         {message("Archive", object), errors.New("away"), false},
		"no such object":     {message("Archive", "gone"), nil, false},
		"a broken object":    {message("Archive", "broken"), nil, false},
		"no branch":          {message("", object), nil, true},
		"no key":             {message("Archive", ""), nil, true},
		"somebody's message": {events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: "hello"}}}, nil, true},
	} {
		b := &buckets{objects: maps.Clone(text), err: c.err}
		givenUp, back := run(t, b, c.event)
		if (givenUp != "") != c.givenUp || back == c.givenUp || len(b.records(t)) > 0 {
			t.Errorf("%s: given up for %q, comes back %v, recorded %v", name, givenUp, back, b.records(t))
		}
	}
}

func TestConfiguration(t *testing.T) {
	if _, _, err := newCollector(t.Context()); err == nil || !strings.Contains(err.Error(), "BUCKET") {
		t.Errorf("without a bucket: %v", err)
	}
	t.Setenv("BUCKET", "b")
	c, giveUp, err := newCollector(t.Context())
	if err != nil || c.record != "b" || giveUp == nil {
		t.Errorf("got %+v, %v", c, err)
	}
	t.Setenv("DEAD_LETTERS_1", "nonsense")
	if _, _, err := newCollector(t.Context()); err == nil {
		t.Error("half of a dead-letter queue is read")
	}
}
