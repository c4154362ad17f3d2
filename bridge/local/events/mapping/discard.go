package mapping

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
)

// Why a batch of a stream was given up, in Lambda's words.
const (
	conditionRetries = "RetryAttemptsExhausted"
	conditionAge     = "RecordAgeExceeded"
)

// discarded is the record of a batch that was given up, as an on-failure
// destination gets it. It names where the records stand in the stream; only an
// S3 bucket gets the records themselves, as Payload. See "Retain discarded
// records for a DynamoDB event source in Lambda" in the AWS Lambda Developer
// Guide.
type discarded struct {
	RequestContext     requestContext   `json:"requestContext"`
	ResponseContext    *responseContext `json:"responseContext,omitempty"`
	Version            string           `json:"version"`
	Timestamp          string           `json:"timestamp"`
	KinesisBatchInfo   *batchInfo       `json:"KinesisBatchInfo,omitempty"`
	DDBStreamBatchInfo *batchInfo       `json:"DDBStreamBatchInfo,omitempty"`
	Payload            json.RawMessage  `json:"payload,omitempty"`
}

type requestContext struct {
	RequestID              string `json:"requestId"`
	FunctionARN            string `json:"functionArn"`
	Condition              string `json:"condition"`
	ApproximateInvokeCount int    `json:"approximateInvokeCount"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

type batchInfo struct {
	ShardID             string `json:"shardId"`
	StartSequenceNumber string `json:"startSequenceNumber"`
	EndSequenceNumber   string `json:"endSequenceNumber"`
	FirstArrival        string `json:"approximateArrivalOfFirstRecord"`
	LastArrival         string `json:"approximateArrivalOfLastRecord"`
	BatchSize           int    `json:"batchSize"`
	StreamARN           string `json:"streamArn"`
}

// timestamps are in UTC and have milliseconds.
const timestamps = "2006-01-02T15:04:05.000Z"

// discard gives a batch up: its record goes to the on-failure destination.
func (l *lane) discard(records []Record, condition string, invocations int, result *local.Result, reason string) {
	ids := sequenceNumbers(records)
	l.observe(Discarded, reason, ids...)
	first, last := records[0], records[len(records)-1]
	l.o.Logf("%s gives up %d records of %s, from %s to %s: %s", l.m.Path, len(records), l.m.EventSourceARN, first.SequenceNumber, last.SequenceNumber, reason)
	if l.m.OnFailure == "" || l.o.Destination == nil {
		return
	}
	record := l.discardedRecord(records, condition, invocations, result)
	destination := l.m.OnFailure
	if serviceOf(destination) == "s3" {
		destination += "/aws/lambda/" + l.m.Name + "/" + l.shard + time.Now().UTC().Format("/2006/01/02/2006-01-02T15.04.05-") + newUUID()
	}
	for range 3 { // one more than nothing; Lambda itself gives up too
		err := l.o.Destination(l.invoking, destination, record)
		if err == nil {
			return
		}
		l.o.Logf("%s cannot send the record of a failed batch to %s: %v: %s", l.m.Path, destination, err, record)
		if !pause(l.invoking, l.o.RetryInterval) {
			return
		}
	}
}

func (l *lane) discardedRecord(records []Record, condition string, invocations int, result *local.Result) []byte {
	first, last := records[0], records[len(records)-1]
	info := &batchInfo{
		ShardID: l.shard, StartSequenceNumber: first.SequenceNumber, EndSequenceNumber: last.SequenceNumber,
		FirstArrival: first.At.UTC().Format(timestamps), LastArrival: last.At.UTC().Format(timestamps),
		BatchSize: len(records), StreamARN: l.m.EventSourceARN,
	}
	d := discarded{
		RequestContext: requestContext{RequestID: newUUID(), FunctionARN: l.m.Function.ARN, Condition: condition, ApproximateInvokeCount: invocations},
		Version:        "1.0",
		Timestamp:      time.Now().UTC().Format(timestamps),
	}
	if result != nil {
		d.RequestContext.RequestID = result.RequestID
		d.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: "$LATEST", FunctionError: result.FunctionError}
	}
	if serviceOf(l.m.EventSourceARN) == "kinesis" {
		d.KinesisBatchInfo = info
	} else {
		d.DDBStreamBatchInfo = info
	}
	if serviceOf(l.m.OnFailure) == "s3" {
		d.Payload = event(jsonOf(records))
	}
	return encode(d)
}

// newUUID is a random UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
