package firehose

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/smithy-go"
	"github.com/klauspost/compress/snappy"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events/internal/servicetest"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

const streamARN = "arn:aws:firehose:us-east-1:123456789012:deliverystream/S"

// shelf is a bucket service: objects in a table of the store.
type shelf struct{ fail error }

type shelved struct{ key, content []byte }

func (s *shelf) stage(bucket, key string, content []byte, _ string) (Staged, error) {
	if s.fail != nil {
		return nil, s.fail
	}
	return &shelved{[]byte(bucket + "/" + key), content}, nil
}

func (s *shelved) Commit(tx *store.Tx) error {
	tx.Put("test/objects", s.key, s.content)
	return nil
}
func (s *shelved) Discard() {}

// objects are all objects, by bucket and key.
func objects(t testing.TB, db *store.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := db.View(func(tx *store.Tx) error {
		return tx.Scan("test/objects", nil, func(key, value []byte) error {
			all[string(key)] = string(value)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

type trial struct {
	*testing.T
	p     *servicetest.Plane
	s     *Service
	c     *sdk.Client
	shelf *shelf
	url   string
}

// start makes a service with one stream, S, of the properties.
func start(t *testing.T, properties string, options ...func(*Options, *service.Env)) *trial {
	t.Helper()
	app := &model.Application{Functions: []*model.Function{{FunctionName: "T", ARN: "arn:aws:lambda:us-east-1:123456789012:function:T"}}}
	if properties != "" {
		d := &model.DeliveryStream{DeliveryStreamName: "S", ARN: streamARN}
		if err := json.Unmarshal([]byte(properties), &d.Properties); err != nil {
			t.Fatal(err)
		}
		app.DeliveryStreams = append(app.DeliveryStreams, d)
	}
	p := servicetest.New(t, app, "")
	tr := &trial{T: t, p: p, shelf: &shelf{}}
	o := Options{Stage: tr.shelf.stage}
	for _, option := range options {
		option(&o, &p.Env)
	}
	var err error
	if tr.s, err = New(p.Env, o); err != nil {
		t.Fatal(err)
	}
	tr.url = p.Serve(tr.s, true)
	tr.c = sdk.NewFromConfig(p.Config(tr.url))
	return tr
}

func (t *trial) put(records ...string) {
	t.Helper()
	in := &sdk.PutRecordBatchInput{DeliveryStreamName: aws.String("S")}
	for _, r := range records {
		in.Records = append(in.Records, types.Record{Data: []byte(r)})
	}
	out, err := t.c.PutRecordBatch(t.Context(), in)
	if err != nil || *out.FailedPutCount != 0 || len(out.RequestResponses) != len(records) {
		t.Fatalf("%+v, %v", out, err)
	}
}

func (t *trial) flush() {
	t.Helper()
	if err := t.s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// keys are the objects, with their random parts as #, in order.
func (t *trial) keys() []string {
	var all []string
	for key := range objects(t, t.p.Env.Store) {
		all = append(all, hidden.ReplaceAllString(key, "#"))
	}
	slices.Sort(all)
	return all
}

var hidden = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

func (t *trial) wantKeys(want ...string) {
	t.Helper()
	if got := t.keys(); !slices.Equal(got, want) {
		t.Errorf("the objects are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// content is the one object whose key has a part.
func (t *trial) content(part string) string {
	t.Helper()
	for key, content := range objects(t, t.p.Env.Store) {
		if strings.Contains(key, part) {
			return content
		}
	}
	t.Fatalf("no object of %s", part)
	return ""
}

const toS3 = `"BucketARN":"arn:aws:s3:::archive","RoleARN":"arn:aws:iam::123456789012:role/r"`

func TestPlain(t *testing.T) {
	tr := start(t, `{"S3DestinationConfiguration":{`+toS3+`}}`)
	out, err := tr.c.PutRecord(t.Context(), &sdk.PutRecordInput{DeliveryStreamName: aws.String("S"), Record: &types.Record{Data: []byte("a\n")}})
	if err != nil || *out.RecordId == "" {
		t.Fatal(out, err)
	}
	tr.put("b\n", "c\n")
	err = tr.p.Env.Store.Update(func(tx *store.Tx) error {
		return tr.s.Accept(tx, &service.Delivery{Target: streamARN, Body: []byte("d")})
	})
	if err != nil {
		t.Fatal(err)
	}
	tr.wantKeys()
	tr.flush()
	tr.wantKeys("archive/2026/11/24/10/S-1-2026-11-24-10-30-15-#")
	if got := tr.content("archive"); got != "a\nb\nc\nd" {
		t.Errorf("the object is %q", got)
	}
	tr.flush()
	if n := len(tr.keys()); n != 1 {
		t.Errorf("%d objects after another flush", n)
	}
	notes := strings.Join(tr.p.Notes(), "\n")
	if strings.Count(notes, "published "+streamARN) != 4 || strings.Count(notes, "delivered arn:aws:s3:::archive") != 4 {
		t.Errorf("noted:\n%s", notes)
	}
}

// TestPrefixes has the examples of
// https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html.
func TestPrefixes(t *testing.T) {
	at := time.Date(2018, 8, 27, 10, 30, 5, 123e6, time.UTC)
	random := regexp.MustCompile(`rand=[0-9a-f-]{11}$`)
	for _, row := range []struct{ prefix, errorPrefix, good, bad string }{
		{"", "myFirehoseFailures/!{firehose:error-output-type}/", "2018/08/27/10/", "myFirehoseFailures/processing-failed/"},
		{"myFirehosePrefix/", "", "myFirehosePrefix/2018/08/27/10/", "myFirehosePrefix/processing-failed/2018/08/27/10/"},
		{"myFirehosePrefix", "failed/", "myFirehosePrefix2018/08/27/10/", "failed/processing-failed/2018/08/27/10/"},
		{"", "", "2018/08/27/10/", "processing-failed/2018/08/27/10/"},
		{
			"myPrefix/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/",
			"myErrorPrefix/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/!{firehose:error-output-type}",
			"myPrefix/year=2018/month=08/day=27/hour=10/", "myErrorPrefix/year=2018/month=08/day=27/hour=10/processing-failed",
		},
		{
			"!{timestamp:yy-M-d H:m:s.SSS 'at' E EEEE MMM MMMM D h a ''''}/", "!{firehose:error-output-type}!{timestamp:'year='yyyy}",
			"18-8-27 10:30:5.123 at Mon Monday Aug August 239 10 AM ''/", "processing-failedyear=2018",
		},
		{"!{timestamp:yyyy}/c=!{partitionKeyFromQuery:customer}/!{partitionKeyFromLambda:kind}/", "!{firehose:error-output-type}/", "2018/c=7/x/", "processing-failed/"},
	} {
		if err := checkPrefixes(row.prefix, row.errorPrefix); err != nil {
			t.Errorf("%s, %s: %v", row.prefix, row.errorPrefix, err)
			continue
		}
		c := &s3Config{prefix: row.prefix, errorPrefix: row.errorPrefix, zone: time.UTC}
		good, err := c.prefixAt(at, "", map[string]string{"query:customer": "7", "lambda:kind": "x"})
		bad, err2 := c.prefixAt(at, processingFailed, nil)
		if err := errors.Join(err, err2); good != row.good || bad != row.bad || err != nil {
			t.Errorf("%s, %s: %q, %q, %v\nwant %q, %q", row.prefix, row.errorPrefix, good, bad, err, row.good, row.bad)
		}
	}
	c := &s3Config{prefix: "!{timestamp:yyyy}/rand=!{firehose:random-string}", zone: time.UTC}
	if got, err := c.prefixAt(at, "", nil); !random.MatchString(got) || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, row := range []struct{ prefix, errorPrefix, want string }{
		{"!{timestamp:yyyy/MM/dd}", "", "can't be null when Prefix contains expressions"},
		{"!{firehose:error-output-type}/", "x/", "must not contain !{firehose:error-output-type}"},
		{"", "!{timestamp:yyyy}/", "must contain !{firehose:error-output-type}"},
		{"!{nonsense:x}", "x/", "is none"},
		{"a!{b", "", "is none"},
		{"!{timestamp:yyyy'}", "x/", "open quotation mark"},
		{"!{timestamp:yyyyVV}", "x/", "not there locally"},
	} {
		if err := checkPrefixes(row.prefix, row.errorPrefix); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s, %s: %v, want %s", row.prefix, row.errorPrefix, err, row.want)
		}
	}
}

// transformer is a function that upper-cases, by what a record says.
func transformer(t *testing.T, calls *int) service.InvokeFunc {
	return func(_ context.Context, fn *model.Function, in local.Invocation) (*local.Result, error) {
		*calls++
		var event struct {
			InvocationID string `json:"invocationId"`
			Stream       string `json:"deliveryStreamArn"`
			Records      []transformRecord
		}
		if err := json.Unmarshal(in.Payload, &event); err != nil || fn.FunctionName != "T" || event.Stream != streamARN || event.InvocationID == "" {
			t.Errorf("the event is %s, %v", in.Payload, err)
		}
		answer := map[string]any{}
		var all []any
		for _, r := range event.Records {
			data, err := base64.StdEncoding.DecodeString(r.Data)
			if err != nil || r.Timestamp != time.Date(2026, 11, 24, 10, 30, 15, 0, time.UTC).UnixMilli() {
				t.Errorf("%+v, %v", r, err)
			}
			text := string(data)
			one := map[string]any{"recordId": r.RecordID, "result": "Ok", "data": base64.StdEncoding.EncodeToString([]byte(strings.ToUpper(text)))}
			switch {
			case strings.HasPrefix(text, "drop"):
				one["result"] = "Dropped"
			case strings.HasPrefix(text, "fail"):
				one["result"] = "ProcessingFailed"
			case strings.HasPrefix(text, "lose"):
				continue
			case strings.HasPrefix(text, "odd"):
				one["result"] = "Odd"
			case strings.HasPrefix(text, "text"):
				one["data"] = "!"
			case strings.HasPrefix(text, "crash"):
				return &local.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"no"}`)}, nil
			}
			one["metadata"] = map[string]any{"partitionKeys": map[string]any{"kind": text[:1]}}
			all = append(all, one)
		}
		answer["records"] = all
		payload, err := json.Marshal(answer)
		return &local.Result{Payload: payload}, err
	}
}

const lambdaProcessor = `{"Type":"Lambda","Parameters":[{"ParameterName":"LambdaArn","ParameterValue":"arn:aws:lambda:us-east-1:123456789012:function:T"},{"ParameterName":"NumberOfRetries","ParameterValue":"1"},{"ParameterName":"BufferSizeInMBs","ParameterValue":"0.2"}]}`

func TestTransform(t *testing.T) {
	calls := 0
	tr := start(t, `{"ExtendedS3DestinationConfiguration":{`+toS3+`,"Prefix":"good/","ErrorOutputPrefix":"bad/!{firehose:error-output-type}/",
		"S3BackupMode":"Enabled","S3BackupConfiguration":{"BucketARN":"arn:aws:s3:::source","Prefix":"raw/"},
		"ProcessingConfiguration":{"Enabled":true,"Processors":[`+lambdaProcessor+`,{"Type":"AppendDelimiterToRecord","Parameters":[{"ParameterName":"Delimiter","ParameterValue":"\\n"}]}]}}}`,
		func(_ *Options, env *service.Env) { env.Invoke = transformer(t, &calls) })
	tr.put("one", "drop it", "fail it", "lose it", "odd it", "text it", "two")
	tr.flush()
	tr.wantKeys("archive/bad/processing-failed/S-1-2026-11-24-10-30-15-#", "archive/good/2026/11/24/10/S-1-2026-11-24-10-30-15-#", "source/raw/2026/11/24/10/S-1-2026-11-24-10-30-15-#")
	if got := tr.content("good/"); got != "ONE\nTWO\n" {
		t.Errorf("the object is %q", got)
	}
	if got := tr.content("raw/"); got != "onedrop itfail itlose itodd ittext ittwo" {
		t.Errorf("the backup is %q", got)
	}
	var codes []string
	for text := range strings.Lines(tr.content("bad/")) {
		var f failure
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatal(err)
		}
		data, _ := base64.StdEncoding.DecodeString(f.RawData)
		codes = append(codes, string(data)+": "+f.ErrorCode)
		if f.LambdaARN == "" || f.ArrivalTimestamp == 0 || f.AttemptEndingTimestamp == 0 {
			t.Errorf("%s", text)
		}
	}
	want := "fail it: Lambda.ProcessingFailedStatus, lose it: Lambda.MissingRecordId, odd it: Lambda.UnknownResult, text it: Lambda.JsonProcessingException"
	if got := strings.Join(codes, ", "); got != want {
		t.Errorf("failed are %s\nwant %s", got, want)
	}
	notes := strings.Join(tr.p.Notes(), "\n")
	for what, n := range map[string]int{"published": 7, "delivered": 2, "dead-lettered": 4, "filtered": 1} {
		if got := strings.Count(notes, what+" "); got != n {
			t.Errorf("%d are noted as %s, want %d:\n%s", got, what, n, notes)
		}
	}
	// A function that fails is tried again, and its batch given up.
	calls = 0
	tr.put("crash", strings.Repeat("x", 250_000), "fine")
	tr.flush()
	if calls != 4 { // two tries of the first batch, one each of the others
		t.Errorf("the function was called %d times", calls)
	}
	if got := objects(t, tr.p.Env.Store); len(got) != 6 {
		t.Errorf("%d objects", len(got))
	}
}

// A stream that would convert its records fails those that it could not read.
func TestUnconvertible(t *testing.T) {
	converting := func(enabled string) *trial {
		tr := start(t, `{"ExtendedS3DestinationConfiguration":{`+toS3+`,"Prefix":"good/","ErrorOutputPrefix":"bad/!{firehose:error-output-type}/",
			"DataFormatConversionConfiguration":{"Enabled":`+enabled+`}}}`)
		tr.put(`{"id":1}`, "no JSON", `{"id":2}{"id":3}`, `[1]`, `null`, `{"id":4}`+"\n", `{"id":5}x`)
		tr.flush()
		return tr
	}
	tr := converting("true")
	if got := tr.content("good/"); got != `{"id":1}{"id":2}{"id":3}{"id":4}`+"\n" {
		t.Errorf("the object is %q", got)
	}
	var failed []string
	for text := range strings.Lines(tr.content("bad/format-conversion-failed/")) {
		var f failure
		if err := json.Unmarshal([]byte(text), &f); err != nil || f.ErrorCode != "DataFormatConversion.ParseError" || f.ErrorMessage == "" || f.AttemptEndingTimestamp == 0 {
			t.Errorf("%s: %v", text, err)
		}
		data, _ := base64.StdEncoding.DecodeString(f.RawData)
		failed = append(failed, string(data))
	}
	if got := strings.Join(failed, ", "); got != `no JSON, [1], null, {"id":5}x` {
		t.Errorf("failed are %s", got)
	}
	converting("false").wantKeys("archive/good/2026/11/24/10/S-1-2026-11-24-10-30-15-#")
}

func TestPartitions(t *testing.T) {
	tr := start(t, `{"ExtendedS3DestinationConfiguration":{`+toS3+`,"Prefix":"c=!{partitionKeyFromQuery:customer}/n=!{partitionKeyFromQuery:n}/!{timestamp:yyyy}/","ErrorOutputPrefix":"bad/!{firehose:error-output-type}/",
		"DynamicPartitioningConfiguration":{"Enabled":true},"CompressionFormat":"UNCOMPRESSED","FileExtension":".jsonl",
		"ProcessingConfiguration":{"Enabled":"true","Processors":[
			{"Type":"RecordDeAggregation","Parameters":[{"ParameterName":"SubRecordType","ParameterValue":"JSON"}]},
			{"Type":"MetadataExtraction","Parameters":[{"ParameterName":"MetadataExtractionQuery","ParameterValue":"{customer: .detail.customer, n: .n}"},{"ParameterName":"JsonParsingEngine","ParameterValue":"JQ-1.6"}]},
			{"Type":"AppendDelimiterToRecord"}]}}}`)
	tr.put(`{"detail":{"customer":"a"},"n":1}{"detail":{"customer":"b"},"n":1.5}`, `{"detail":{"customer":"a"},"n":1}`, `{"detail":{}}`)
	tr.flush()
	tr.wantKeys(
		"archive/bad/processing-failed/S-1-2026-11-24-10-30-15-#.jsonl",
		"archive/c=a/n=1/2026/S-1-2026-11-24-10-30-15-#.jsonl", "archive/c=b/n=1.5/2026/S-1-2026-11-24-10-30-15-#.jsonl",
	)
	if got := tr.content("c=a/"); got != strings.Repeat(`{"detail":{"customer":"a"},"n":1}`+"\n", 2) {
		t.Errorf("the object is %q", got)
	}
	if got := tr.content("bad/"); !strings.Contains(got, `"errorCode":"DynamicPartitioning.MetadataExtractionFailed"`) {
		t.Errorf("the failures are %s", got)
	}
}

func TestPartitionsByFunction(t *testing.T) {
	calls := 0
	tr := start(t, `{"ExtendedS3DestinationConfiguration":{`+toS3+`,"Prefix":"k=!{partitionKeyFromLambda:kind}/","ErrorOutputPrefix":"!{firehose:error-output-type}/",
		"DynamicPartitioningConfiguration":{"Enabled":true},"ProcessingConfiguration":{"Enabled":true,"Processors":[`+lambdaProcessor+`]}}}`,
		func(_ *Options, env *service.Env) { env.Invoke = transformer(t, &calls) })
	tr.put("apple", "bread", "avocado")
	tr.flush()
	tr.wantKeys("archive/k=a/2026/11/24/10/S-1-2026-11-24-10-30-15-#", "archive/k=b/2026/11/24/10/S-1-2026-11-24-10-30-15-#")
}

func TestCompression(t *testing.T) {
	text := strings.Repeat("many words ", 60000)
	for format, read := range map[string]func([]byte) (io.Reader, error){
		"GZIP":   func(b []byte) (io.Reader, error) { return gzip.NewReader(bytes.NewReader(b)) },
		"Snappy": func(b []byte) (io.Reader, error) { return snappy.NewReader(bytes.NewReader(b)), nil },
		"ZIP": func(b []byte) (io.Reader, error) {
			z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				return nil, err
			}
			return z.File[0].Open()
		},
		"HADOOP_SNAPPY": func(b []byte) (io.Reader, error) {
			var out bytes.Buffer
			for len(b) > 0 {
				length, packed := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
				block, err := snappy.Decode(nil, b[8:8+packed])
				if err != nil || len(block) != int(length) {
					return nil, fmt.Errorf("a block of %d: %w", len(block), err)
				}
				out.Write(block)
				b = b[8+packed:]
			}
			return &out, nil
		},
	} {
		tr := start(t, `{"ExtendedS3DestinationConfiguration":{`+toS3+`,"CompressionFormat":"`+format+`"}}`)
		tr.put(text)
		tr.flush()
		tr.wantKeys("archive/2026/11/24/10/S-1-2026-11-24-10-30-15-#" + compressions[format].extension)
		r, err := read([]byte(tr.content("archive")))
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if got, err := io.ReadAll(r); string(got) != text || err != nil {
			t.Errorf("%s: %d bytes, %v", format, len(got), err)
		}
	}
}

func TestBuffering(t *testing.T) {
	tr := start(t, `{"ExtendedS3DestinationConfiguration":{`+toS3+`,"BufferingHints":{"IntervalInSeconds":60,"SizeInMBs":1}}}`)
	st, err := tr.s.stream("S")
	if err != nil {
		t.Fatal(err)
	}
	if st.due() != -1 {
		t.Errorf("an empty buffer is due in %v", st.due())
	}
	tr.put("a")
	tr.p.Advance(20 * time.Second)
	tr.put("b")
	if st.due() != 40*time.Second {
		t.Errorf("the buffer is due in %v", st.due())
	}
	tr.put(strings.Repeat("x", 600_000))
	tr.put(strings.Repeat("y", 600_000))
	if st.due() != 0 {
		t.Errorf("a full buffer is due in %v", st.due())
	}
	if n, err := st.deliver(t.Context()); n != 3 || err != nil {
		t.Errorf("%d records were delivered, %v", n, err)
	}
	if st.due() != 60*time.Second {
		t.Errorf("the rest is due in %v", st.due())
	}
	tr.s.o.MaxInterval = 2 * time.Second
	if st.due() != 2*time.Second {
		t.Errorf("with a bound it is due in %v", st.due())
	}
	// While the bucket fails nothing is lost.
	tr.shelf.fail = errors.New("no bucket")
	if err := tr.s.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "no bucket") {
		t.Errorf("the error is %v", err)
	}
	tr.shelf.fail = nil
	tr.flush()
	if n := len(tr.keys()); n != 2 {
		t.Errorf("%d objects", n)
	}
}

func TestRuns(t *testing.T) {
	tr := start(t, `{"ExtendedS3DestinationConfiguration":{`+toS3+`,"BufferingHints":{"IntervalInSeconds":0,"SizeInMBs":1}}}`, func(_ *Options, env *service.Env) { env.Now = time.Now })
	tr.s.Start()
	tr.put("a")
	for len(tr.keys()) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	if err := tr.s.Close(); err != nil {
		t.Fatal(err)
	}
	// What comes while it is closed, and waits, is delivered by the next Close.
	again := start(t, `{"ExtendedS3DestinationConfiguration":{`+toS3+`}}`)
	again.s.Start()
	again.put("b")
	if err := again.s.Close(); err != nil || len(again.keys()) != 1 {
		t.Errorf("%v, %v", again.keys(), err)
	}
}

const toSearch = `"DomainARN":"arn:aws:es:us-east-1:123456789012:domain/shop","IndexName":"orders","S3Configuration":{"BucketARN":"arn:aws:s3:::archive","Prefix":"es/"}`

func TestSearch(t *testing.T) {
	tr := start(t, `{"AmazonopensearchserviceDestinationConfiguration":{`+toSearch+`,"IndexRotationPeriod":"OneMonth"}}`)
	tr.put(
		`{"id":"o1","total":12.5,"who":{"name":"Ada Lovelace"},"tags":["new","gift"],"at":"2026-11-24"}`,
		`{"id":"o2","total":7,"who":{"name":"Alan Turing"},"tags":["new"],"note":null}`,
		`{"id":"o3","total":99,"who":{"name":"Grace Hopper"},"city":"New York"}`, `not JSON`, `["a"]`,
	)
	tr.flush()
	tr.wantKeys("archive/es/elasticsearch-failed/2026/11/24/10/S-1-2026-11-24-10-30-15-#")
	if got := tr.content("archive"); strings.Count(got, `"esIndexName":"orders-2026-11"`) != 2 {
		t.Errorf("the failures are %s", got)
	}
	for query, want := range map[string]string{
		`{}`:                          "o1 o2 o3",
		`{"query":{"match_all":{}}}`:  "o1 o2 o3",
		`{"query":{"match_none":{}}}`: "",
		`{"query":{"match":{"who.name":"ada turing"}}}`:                                                                       "o1 o2",
		`{"query":{"match":{"who.name":{"query":"Ada Turing","operator":"and"}}}}`:                                            "",
		`{"query":{"match_phrase":{"city":"new york"}}}`:                                                                      "o3",
		`{"query":{"term":{"id":"o2"}}}`:                                                                                      "o2",
		`{"query":{"term":{"total":{"value":7}}}}`:                                                                            "o2",
		`{"query":{"terms":{"id.keyword":["o1","o3"]}}}`:                                                                      "o1 o3",
		`{"query":{"term":{"tags":"gift"}}}`:                                                                                  "o1",
		`{"query":{"prefix":{"who.name":"A"}}}`:                                                                               "o1 o2",
		`{"query":{"wildcard":{"city":"N*k"}}}`:                                                                               "o3",
		`{"query":{"exists":{"field":"note"}}}`:                                                                               "",
		`{"query":{"exists":{"field":"city"}}}`:                                                                               "o3",
		`{"query":{"range":{"total":{"gte":7,"lt":99}}}}`:                                                                     "o1 o2",
		`{"query":{"range":{"at":{"gt":"2026-11-23"}}}}`:                                                                      "o1",
		`{"query":{"bool":{"must":[{"term":{"tags":"new"}}],"must_not":{"term":{"id":"o1"}}}}}`:                               "o2",
		`{"query":{"bool":{"should":[{"term":{"id":"o1"}},{"term":{"id":"o3"}}]}}}`:                                           "o1 o3",
		`{"query":{"bool":{"filter":{"exists":{"field":"total"}},"should":[{"term":{"id":"o1"}}],"minimum_should_match":1}}}`: "o1",
		`{"query":{"query_string":{"query":"ada OR grace"}}}`:                                                                 "o1 o3",
		`{"query":{"query_string":{"query":"tags:new AND NOT (who.name:\"Ada Lovelace\")"}}}`:                                 "o2",
		`{"query":{"query_string":{"query":"hop*"}}}`:                                                                         "o3",
		`{"query":{"query_string":{"query":"lovelace","default_field":"city"}}}`:                                              "",
		`{"sort":[{"total":"desc"}],"size":2}`:                                                                                "o3 o1",
		`{"sort":[{"total":{"order":"asc"}}],"from":1,"size":1}`:                                                              "o1",
		`{"from":1,"size":1}`:                                                                                                 "o2",
	} {
		if got := tr.ids(http.MethodPost, "shop/orders-*/_search", query); got != want {
			t.Errorf("%s found %q, want %q", query, got, want)
		}
	}
	if got := tr.ids(http.MethodGet, "shop/_search?q=id:o2&size=5", ""); got != "o2" {
		t.Errorf("q found %q", got)
	}
	for path, want := range map[string]string{
		"shop/orders-2026-11/_count":             `"count":3`,
		"shop/_cat/indices":                      `"docs.count":"3"`,
		"shop":                                   `"cluster_name":"shop"`,
		"shop/none/_search":                      `"index_not_found_exception"`,
		"shop/..%2f..%2fetc/_search":             `"index_not_found_exception"`,
		"..%2f/x/_search":                        `not_found`,
		"shop/orders-2026-11/_doc/x":             `"resource_not_found_exception"`,
		"shop/orders-2026-11/_mapping":           `"illegal_argument_exception"`,
		"shop/orders-2026-11/_search?size=20000": `"illegal_argument_exception"`,
	} {
		if got := tr.ask(http.MethodGet, path, ""); !strings.Contains(got, want) {
			t.Errorf("%s gave %s", path, got)
		}
	}
	for _, query := range []string{`{"query":{"knn":{}}}`, `{"query":[]}`, `{"query":{"query_string":{"query":"(a"}}}`, `x`, `{"query":{"terms":{"a":"b"}}}`, `{"sort":7}`} {
		if got := tr.ask(http.MethodPost, "shop/_search", query); !strings.Contains(got, `parsing_exception`) {
			t.Errorf("%s gave %s", query, got)
		}
	}
	lines, err := os.ReadFile(filepath.Join(tr.p.Env.Dir, "opensearch", "shop", "orders-2026-11.ndjson"))
	if err != nil || bytes.Count(lines, []byte("\n")) != 3 {
		t.Errorf("the file is %s, %v", lines, err)
	}
	// What was written and did not come to count is written over.
	if err := os.WriteFile(filepath.Join(tr.p.Env.Dir, "opensearch", "shop", "orders-2026-11.ndjson"), append(lines, `{"_id":"half`+strings.Repeat("x", 500)...), 0o644); err != nil {
		t.Fatal(err)
	}
	tr.put(`{"id":"o4"}`)
	tr.flush()
	if got := tr.ids(http.MethodPost, "shop/orders-2026-11/_search", ""); got != "o1 o2 o3 o4" {
		t.Errorf("then there are %s", got)
	}
}

func (t *trial) ask(method, path, body string) string {
	t.Helper()
	r, err := http.NewRequest(method, t.url+searchPath+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ids are the ids that the documents found have in themselves.
func (t *trial) ids(method, path, body string) string {
	t.Helper()
	var answer struct {
		Hits struct {
			Hits []struct {
				Source struct{ ID string } `json:"_source"`
			}
		}
	}
	text := t.ask(method, path, body)
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var all []string
	for _, h := range answer.Hits.Hits {
		all = append(all, h.Source.ID)
	}
	return strings.Join(all, " ")
}

func TestIndexRotation(t *testing.T) {
	at := time.Date(2026, 1, 1, 23, 59, 0, 0, time.UTC)
	for rotation, want := range map[string]string{"NoRotation": "i", "OneHour": "i-2026-01-01-23", "OneDay": "i-2026-01-01", "": "i-2026-01-01", "OneWeek": "i-2026-w01", "OneMonth": "i-2026-01"} {
		if got := (&searchConfig{index: "i", rotation: rotation}).indexAt(at); got != want {
			t.Errorf("%s is %s, want %s", rotation, got, want)
		}
	}
}

func TestRealCluster(t *testing.T) {
	var mu sync.Mutex
	var bodies []string
	status := http.StatusServiceUnavailable
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.URL.Path+" "+string(body))
		w.WriteHeader(status)
		var id struct {
			Index struct {
				ID string `json:"_id"`
			}
		}
		_ = json.Unmarshal(bytes.SplitN(body, []byte("\n"), 2)[0], &id)
		fmt.Fprintf(w, `{"items":[{"index":{"_id":%q,"status":400,"error":{"type":"mapper_parsing_exception"}}}]}`, id.Index.ID)
	}))
	defer cluster.Close()
	tr := start(t, `{"AmazonopensearchserviceDestinationConfiguration":{`+toSearch+`,"S3BackupMode":"AllDocuments"}}`, func(o *Options, _ *service.Env) { o.OpenSearch = cluster.URL })
	tr.put(`{"id": "bad"}`, `{"id":"good"}`)
	if err := tr.s.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("the error is %v", err)
	}
	mu.Lock()
	status = http.StatusOK
	mu.Unlock()
	tr.flush()
	if !regexp.MustCompile(`^/_bulk \{"index":\{"_id":"[0-9a-f]+","_index":"orders-2026-11-24"\}\}\n\{"id":"bad"\}\n`).MatchString(bodies[1]) {
		t.Errorf("sent was %s", bodies[1])
	}
	tr.wantKeys("archive/es/2026/11/24/10/S-1-2026-11-24-10-30-15-#", "archive/es/elasticsearch-failed/2026/11/24/10/S-1-2026-11-24-10-30-15-#")
	if got := tr.content("failed"); !strings.Contains(got, "mapper_parsing_exception") || strings.Count(got, "\n") != 1 {
		t.Errorf("the failures are %s", got)
	}
}

func TestRequests(t *testing.T) {
	tr := start(t, `{"ExtendedS3DestinationConfiguration":{`+toS3+`}}`)
	ctx := t.Context()
	wantCode := func(err error, code string) {
		t.Helper()
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != code {
			t.Errorf("the error is %v, want %s", err, code)
		}
	}
	destination := &types.ExtendedS3DestinationConfiguration{BucketARN: aws.String("arn:aws:s3:::mine"), RoleARN: aws.String("arn:aws:iam::123456789012:role/r"), BufferingHints: &types.BufferingHints{IntervalInSeconds: aws.Int32(1)}}
	created, err := tr.c.CreateDeliveryStream(ctx, &sdk.CreateDeliveryStreamInput{DeliveryStreamName: aws.String("Mine"), ExtendedS3DestinationConfiguration: destination})
	if err != nil || *created.DeliveryStreamARN != "arn:aws:firehose:us-east-1:123456789012:deliverystream/Mine" {
		t.Fatal(created, err)
	}
	_, err = tr.c.CreateDeliveryStream(ctx, &sdk.CreateDeliveryStreamInput{DeliveryStreamName: aws.String("Mine"), ExtendedS3DestinationConfiguration: destination})
	wantCode(err, "ResourceInUseException")
	_, err = tr.c.CreateDeliveryStream(ctx, &sdk.CreateDeliveryStreamInput{DeliveryStreamName: aws.String("Other")})
	wantCode(err, "InvalidArgumentException")
	list, err := tr.c.ListDeliveryStreams(ctx, &sdk.ListDeliveryStreamsInput{Limit: aws.Int32(1)})
	if err != nil || len(list.DeliveryStreamNames) != 1 || !*list.HasMoreDeliveryStreams {
		t.Errorf("%+v, %v", list, err)
	}
	described, err := tr.c.DescribeDeliveryStream(ctx, &sdk.DescribeDeliveryStreamInput{DeliveryStreamName: aws.String("Mine")})
	if err != nil || described.DeliveryStreamDescription.DeliveryStreamStatus != types.DeliveryStreamStatusActive || *described.DeliveryStreamDescription.Destinations[0].ExtendedS3DestinationDescription.BucketARN != "arn:aws:s3:::mine" {
		t.Errorf("%+v, %v", described, err)
	}
	if _, err := tr.c.PutRecord(ctx, &sdk.PutRecordInput{DeliveryStreamName: aws.String("Mine"), Record: &types.Record{Data: []byte("x")}}); err != nil {
		t.Error(err)
	}
	_, err = tr.c.PutRecord(ctx, &sdk.PutRecordInput{DeliveryStreamName: aws.String("None"), Record: &types.Record{Data: []byte("x")}})
	wantCode(err, "ResourceNotFoundException")
	_, err = tr.c.PutRecord(ctx, &sdk.PutRecordInput{DeliveryStreamName: aws.String("S"), Record: &types.Record{Data: make([]byte, maxRecord+1)}})
	wantCode(err, "ValidationException")
	_, err = tr.c.PutRecordBatch(ctx, &sdk.PutRecordBatchInput{DeliveryStreamName: aws.String("S"), Records: slices.Repeat([]types.Record{{Data: []byte("x")}}, 501)})
	wantCode(err, "ValidationException")
	_, err = tr.c.DeleteDeliveryStream(ctx, &sdk.DeleteDeliveryStreamInput{DeliveryStreamName: aws.String("S")})
	wantCode(err, "InvalidArgumentException")
	if _, err := tr.c.DeleteDeliveryStream(ctx, &sdk.DeleteDeliveryStreamInput{DeliveryStreamName: aws.String("Mine")}); err != nil {
		t.Error(err)
	}
}

func TestConfigurations(t *testing.T) {
	for properties, want := range map[string]string{
		`{"ExtendedS3DestinationConfiguration":{}}`:                                                                                                 "it has no BucketARN",
		`{"ExtendedS3DestinationConfiguration":{"BucketARN":"arn:aws:s3:::b","CompressionFormat":"LZ4"}}`:                                           `its CompressionFormat "LZ4" is none`,
		`{"ExtendedS3DestinationConfiguration":{"BucketARN":"arn:aws:s3:::b","CustomTimeZone":"Mars"}}`:                                             `its CustomTimeZone "Mars" is none`,
		`{"ExtendedS3DestinationConfiguration":{"BucketARN":"arn:aws:s3:::b","ProcessingConfiguration":{"Processors":[{"Type":"Decompression"}]}}}`: "its processor Decompression is not there locally",
		`{"ExtendedS3DestinationConfiguration":{"BucketARN":"arn:aws:s3:::b","ProcessingConfiguration":{"Processors":[{"Type":"MetadataExtraction","Parameters":[{"ParameterName":"MetadataExtractionQuery","ParameterValue":"{"}]}]}}}`: "no JQ expression",
		`{"SplunkDestinationConfiguration":{}}`: "its destination Splunk is not there locally",
		`{"ExtendedS3DestinationConfiguration":{"BucketARN":"arn:aws:s3:::b","DataFormatConversionConfiguration":{"Enabled":true}}}`: "not converted to Parquet",
		`{"DeliveryStreamType":"KinesisStreamAsSource","S3DestinationConfiguration":{` + toS3 + `}}`:                                 "reads no Kinesis stream locally",
		`{}`: "it has no destination",
	} {
		tr := start(t, properties)
		if !strings.Contains(tr.p.Logs(), want) {
			t.Errorf("%s logged %q, want %s", properties, tr.p.Logs(), want)
		}
	}
}

// TestKilled has a child process put records and deliver them, until it is
// killed. Every acknowledged record is then in the buffer or in one object.
func TestKilled(t *testing.T) {
	properties := `{"ExtendedS3DestinationConfiguration":{` + toS3 + `,"BufferingHints":{"IntervalInSeconds":0}}}`
	if dir := os.Getenv("FIREHOSE_TEST_DIR"); dir != "" {
		putUntilKilled(t, dir, properties)
		return
	}
	for range servicetest.Kills() {
		dir := t.TempDir()
		child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), "FIREHOSE_TEST_DIR="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		last := 0
		for last < 200 {
			if _, err := fmt.Fscanln(out, &last); err != nil {
				t.Fatal(err)
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
		p, s := killedService(t, dir, properties)
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		times := map[string]int{}
		for _, content := range objects(t, p.Env.Store) {
			for text := range strings.FieldsSeq(content) {
				times[text]++
			}
		}
		for n := 1; n <= last; n++ {
			if got := times[fmt.Sprint(n)]; got != 1 {
				t.Errorf("the record %d is there %d times", n, got)
			}
		}
	}
}

func killedService(t *testing.T, dir, properties string) (*servicetest.Plane, *Service) {
	d := &model.DeliveryStream{DeliveryStreamName: "S"}
	if err := json.Unmarshal([]byte(properties), &d.Properties); err != nil {
		t.Fatal(err)
	}
	p := servicetest.New(t, &model.Application{DeliveryStreams: []*model.DeliveryStream{d}}, dir)
	p.Env.Now = time.Now
	s, err := New(p.Env, Options{Stage: (&shelf{}).stage})
	if err != nil {
		t.Fatal(err)
	}
	return p, s
}

func putUntilKilled(t *testing.T, dir, properties string) {
	_, s := killedService(t, dir, properties)
	s.Start()
	for n := 1; ; n++ {
		if _, err := s.put("S", []blob{{fmt.Appendf(nil, "%d\n", n)}}); err != nil {
			t.Fatal(err)
		}
		fmt.Println(n)
	}
}

func FuzzPrefix(f *testing.F) {
	f.Add("a/!{timestamp:yyyy'x'MM}/!{firehose:random-string}/!{partitionKeyFromQuery:k}", "!{firehose:error-output-type}")
	f.Fuzz(func(t *testing.T, prefix, errorPrefix string) {
		if checkPrefixes(prefix, errorPrefix) != nil {
			return
		}
		c := &s3Config{prefix: prefix, errorPrefix: errorPrefix, zone: time.UTC}
		for _, failure := range []string{"", processingFailed} {
			if _, err := c.prefixAt(time.Unix(1e9, 0), failure, nil); err != nil {
				t.Errorf("%q, %q passed the check, and then: %v", prefix, errorPrefix, err)
			}
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add(`{"bool":{"must":[{"term":{"a":"b"}}],"should":{"match":{"a.b":"c d"}}}}`, `a:"b c" OR (NOT x* AND y)`, `{"a":{"b":["c",1,null]}}`)
	f.Fuzz(func(t *testing.T, query, text, document string) {
		var source map[string]any
		if json.Unmarshal([]byte(document), &source) != nil {
			return
		}
		if p, err := parseQuery(json.RawMessage(query)); err == nil {
			p("1", source)
		}
		if p, err := parseQueryString(text, ""); err == nil {
			p("1", source)
		}
		if _, err := parseSort(json.RawMessage(query)); err != nil {
			return
		}
	})
}
