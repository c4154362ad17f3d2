package firehose

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// record is a record on its way through the processors.
type record struct {
	id      string
	arrived time.Time
	data    []byte
	// raw is what was put.
	raw []byte
	// keys are its partition keys.
	keys map[string]string
	// failure is why it is not delivered, nil for none.
	failure *failure
}

// failure is a record of the error output.
type failure struct {
	AttemptsMade           int    `json:"attemptsMade"`
	ArrivalTimestamp       int64  `json:"arrivalTimestamp"`
	ErrorCode              string `json:"errorCode"`
	ErrorMessage           string `json:"errorMessage"`
	AttemptEndingTimestamp int64  `json:"attemptEndingTimestamp"`
	RawData                string `json:"rawData"`
	LambdaARN              string `json:"lambdaArn,omitempty"`
	EsDocumentID           string `json:"esDocumentId,omitempty"`
	EsIndexName            string `json:"esIndexName,omitempty"`

	kind string
}

// fail marks a record as failed.
func (r *record) fail(now time.Time, kind, code, message string, attempts int) {
	r.failure = &failure{
		AttemptsMade: attempts, ArrivalTimestamp: r.arrived.UnixMilli(), ErrorCode: code, ErrorMessage: message,
		AttemptEndingTimestamp: now.UnixMilli(), RawData: base64.StdEncoding.EncodeToString(r.raw), kind: kind,
	}
}

// The values of error-output-type, but for those of search destinations.
const (
	processingFailed = "processing-failed"
	conversionFailed = "format-conversion-failed"
)

// process runs the processors of a stream. It returns the records that are
// delivered and those that failed.
func (s *stream) process(ctx context.Context, records []*record) (good, bad []*record, err error) {
	good = records
	for i := range s.config.processors {
		p := &s.config.processors[i]
		switch p.kind {
		case "Lambda":
			good, err = s.transform(ctx, p, good)
		case "MetadataExtraction":
			s.extract(p, good)
		case "AppendDelimiterToRecord":
			appendDelimiter(p, good)
		case "RecordDeAggregation":
			good = separate(p, good)
		}
		if err != nil {
			return nil, nil, err
		}
		kept := good[:0:0]
		for _, r := range good {
			if r.failure != nil {
				bad = append(bad, r)
				continue
			}
			kept = append(kept, r)
		}
		good = kept
	}
	return good, bad, nil
}

// appendDelimiter puts a delimiter, a line's end by default, behind each record.
func appendDelimiter(p *processor, records []*record) {
	delimiter := "\n"
	if text, ok := p.parameters["Delimiter"]; ok {
		delimiter = unescape(text)
	}
	for _, r := range records {
		r.data = append(r.data[:len(r.data):len(r.data)], delimiter...)
	}
}

// unescape reads a delimiter as templates write it: "\\n".
func unescape(text string) string {
	if s, err := strconv.Unquote(`"` + text + `"`); err == nil {
		return s
	}
	return text
}

// separate makes records of what was put together in one.
func separate(p *processor, records []*record) []*record {
	var out []*record
	for _, r := range records {
		var parts [][]byte
		if p.parameters["SubRecordType"] == "DELIMITED" {
			parts = bytes.Split(r.data, []byte(unescape(p.parameters["Delimiter"])))
		} else {
			d := json.NewDecoder(bytes.NewReader(r.data))
			for {
				var one json.RawMessage
				if d.Decode(&one) != nil {
					break
				}
				parts = append(parts, one)
			}
		}
		for _, part := range parts {
			if len(part) > 0 {
				out = append(out, &record{id: r.id, arrived: r.arrived, data: part, raw: r.raw, keys: r.keys})
			}
		}
	}
	return out
}

// maxQuery is how long a query may run for one record.
const maxQuery = time.Second

// extract finds partition keys by JQ.
func (s *stream) extract(p *processor, records []*record) {
	for _, r := range records {
		keys, err := query(p, r.data)
		if err != nil {
			r.fail(s.now(), processingFailed, "DynamicPartitioning.MetadataExtractionFailed", err.Error(), 1)
			continue
		}
		if r.keys == nil {
			r.keys = map[string]string{}
		}
		for name, value := range keys {
			r.keys["query:"+name] = value
		}
	}
}

func query(p *processor, data []byte) (map[string]string, error) {
	var input any
	if err := json.Unmarshal(data, &input); err != nil {
		return nil, fmt.Errorf("the record is no JSON: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), maxQuery)
	defer cancel()
	value, ok := p.query.RunWithContext(ctx, input).Next()
	if err, failed := value.(error); failed {
		return nil, err
	}
	object, isObject := value.(map[string]any)
	if !ok || !isObject {
		return nil, errors.New("the query gives no object")
	}
	keys := map[string]string{}
	for name, v := range object {
		switch v := v.(type) {
		case string:
			keys[name] = v
		case float64:
			keys[name] = strconv.FormatFloat(v, 'f', -1, 64)
		case int, bool:
			keys[name] = fmt.Sprint(v)
		}
		if keys[name] == "" {
			return nil, fmt.Errorf("the query gives no value for %s", name)
		}
	}
	return keys, nil
}

// transformRecord is a record in the event of a function.
type transformRecord struct {
	RecordID  string `json:"recordId"`
	Timestamp int64  `json:"approximateArrivalTimestamp"`
	Data      string `json:"data"`
}

// transformed is a record in the answer of a function.
type transformed struct {
	RecordID string `json:"recordId"`
	Result   string `json:"result"`
	Data     string `json:"data"`
	Metadata struct {
		PartitionKeys map[string]any `json:"partitionKeys"`
	} `json:"metadata"`
}

// What a function processor takes where its configuration says nothing.
const (
	defaultRetries = 3
	defaultBatch   = 1.0
	// maxBatch keeps an event below the 6 MB of an invocation in base64.
	maxBatch = 3.0
	// retryWait is the wait before a failed invocation is tried again.
	retryWait = 100 * time.Millisecond
)

// transform has a function transform the records, in batches.
func (s *stream) transform(ctx context.Context, p *processor, records []*record) ([]*record, error) {
	limit := defaultBatch
	if v, err := strconv.ParseFloat(p.parameters["BufferSizeInMBs"], 64); err == nil && v > 0 {
		limit = min(v, maxBatch)
	}
	var out []*record
	for len(records) > 0 {
		n, size := 0, 0
		for n < len(records) && (n == 0 || float64(size+len(records[n].data)) <= limit*megabyte) {
			size += len(records[n].data)
			n++
		}
		done, err := s.transformBatch(ctx, p, records[:n])
		if err != nil {
			return nil, err
		}
		out = append(out, done...)
		records = records[n:]
	}
	return out, nil
}

// transformBatch invokes the function, and again where it fails. An error means
// that the batch was not tried to an end, and is tried again later.
func (s *stream) transformBatch(ctx context.Context, p *processor, records []*record) ([]*record, error) {
	event := map[string]any{"invocationId": service.NewID(), "deliveryStreamArn": s.arn, "region": s.service.env.Region}
	var all []transformRecord
	for _, r := range records {
		all = append(all, transformRecord{r.id, r.arrived.UnixMilli(), base64.StdEncoding.EncodeToString(r.data)})
	}
	event["records"] = all
	payload, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	retries := defaultRetries
	if v, err := strconv.Atoi(p.parameters["NumberOfRetries"]); err == nil && v >= 0 {
		retries = v
	}
	code, message := "", ""
	for attempt := 0; attempt <= retries; attempt++ {
		if attempt > 0 && !sleep(ctx, retryWait<<min(attempt, 6)) {
			return nil, ctx.Err()
		}
		var answers map[string]*transformed
		answers, code, message = s.invoke(ctx, p, payload)
		if code == "" {
			return s.sort(p, records, answers), nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	s.service.env.Logf("the delivery stream %s gives up %d records: %s", s.name, len(records), message)
	for _, r := range records {
		r.fail(s.now(), processingFailed, code, message, retries+1)
		r.failure.LambdaARN = p.parameters["LambdaArn"]
	}
	return records, nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// invoke gives the function's answers by the ids of their records, or an error
// code with a message.
func (s *stream) invoke(ctx context.Context, p *processor, payload []byte) (answers map[string]*transformed, code, message string) {
	fn, err := s.service.function(p.parameters["LambdaArn"])
	if err != nil {
		return nil, "Lambda.ResourceNotFound", err.Error()
	}
	result, err := s.service.env.Invoke(ctx, fn, local.Invocation{Payload: payload})
	switch {
	case err != nil:
		return nil, "Lambda.InvokeAccessDenied", err.Error()
	case result.FunctionError != "":
		return nil, "Lambda.FunctionError", "The Lambda function was successfully invoked but it returned an error result: " + string(result.Payload)
	}
	var answer struct{ Records []*transformed }
	if err := json.Unmarshal(result.Payload, &answer); err != nil {
		return nil, "Lambda.JsonProcessingException", "The Lambda function's response is not valid: " + err.Error()
	}
	answers = map[string]*transformed{}
	for _, a := range answer.Records {
		if a == nil {
			continue
		}
		if answers[a.RecordID] != nil {
			return nil, "Lambda.DuplicatedRecordId", "Multiple records were returned with the same record ID."
		}
		answers[a.RecordID] = a
	}
	return answers, "", ""
}

// sort takes the answers over into the records, and leaves out the dropped.
func (s *stream) sort(p *processor, records []*record, answers map[string]*transformed) []*record {
	var out []*record
	for _, r := range records {
		a := answers[r.id]
		if a != nil && a.Result == "Dropped" {
			continue
		}
		out = append(out, r)
		var data []byte
		var err error
		switch {
		case a == nil:
			r.fail(s.now(), processingFailed, "Lambda.MissingRecordId", "One or more record Ids were not returned. Ensure that the Lambda function returns all received record Ids.", 1)
		case a.Result == "ProcessingFailed":
			r.fail(s.now(), processingFailed, "Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record", 1)
		case a.Result != "Ok":
			r.fail(s.now(), processingFailed, "Lambda.UnknownResult", "The result "+strconv.Quote(a.Result)+" is none of Ok, Dropped and ProcessingFailed", 1)
		default:
			if data, err = base64.StdEncoding.DecodeString(a.Data); err != nil {
				r.fail(s.now(), processingFailed, "Lambda.JsonProcessingException", "The data of the record is no base64: "+err.Error(), 1)
			}
		}
		if r.failure != nil {
			r.failure.LambdaARN = p.parameters["LambdaArn"]
			continue
		}
		r.data = data
		if r.keys == nil {
			r.keys = map[string]string{}
		}
		for name, value := range a.Metadata.PartitionKeys {
			r.keys["lambda:"+name] = fmt.Sprint(value)
		}
	}
	return out
}
