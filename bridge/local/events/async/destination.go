package async

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/bailey-cdk/bailey/bridge/local"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/local/events/store"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// Why an event came to its end, in Lambda's words.
const (
	conditionSuccess = "Success"
	conditionRetries = "RetriesExhausted"
	conditionAge     = "EventAgeExceeded"
	conditionZero    = "ZeroReservedConcurrency"
)

// invocationRecord is what a destination gets. See "Capturing records of Lambda
// asynchronous invocations" in the AWS Lambda Developer Guide.
type invocationRecord struct {
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	RequestContext  requestContext   `json:"requestContext"`
	RequestPayload  json.RawMessage  `json:"requestPayload"`
	ResponseContext *responseContext `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage  `json:"responsePayload,omitempty"`
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

// outcome is how an event ended: with the last result, if there was one.
type outcome struct {
	reason string
	result *local.Result
}

func (s *Service) record(fn *model.Function, r *record, condition string, result *local.Result) []byte {
	count := r.Failures
	if condition == conditionSuccess {
		count++
	}
	record := invocationRecord{
		Version: "1.0", Timestamp: s.env.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		RequestContext: requestContext{RequestID: r.RequestID, FunctionARN: fn.ARN + ":$LATEST", Condition: condition, ApproximateInvokeCount: count},
		RequestPayload: asJSON(r.Payload),
	}
	if result != nil {
		record.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: "$LATEST", FunctionError: result.FunctionError}
		record.ResponsePayload = asJSON(result.Payload)
	}
	return encode(record)
}

// asJSON is a payload as a part of JSON: what is none becomes a string.
func asJSON(payload []byte) json.RawMessage {
	if json.Valid(payload) {
		return payload
	}
	return encode(string(payload))
}

// encode writes JSON as AWS does: "<", ">" and "&" as they are.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // texts, numbers and valid JSON always are
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// succeed ends an event whose function succeeded.
func (s *Service) succeed(fn *model.Function, config *model.EventInvokeConfig, r *record, result *local.Result) {
	s.update(func(tx *store.Tx) error {
		if config.OnSuccess != "" {
			s.send(tx, fn, r, config.OnSuccess, s.record(fn, r, conditionSuccess, result), conditionSuccess)
		}
		r.remove(tx)
		s.note(tx, service.Consumed, r, r.FunctionARN, "")
		return nil
	})
}

// giveUp ends an event without success. fn is nil where it is gone.
func (s *Service) giveUp(fn *model.Function, config *model.EventInvokeConfig, r *record, condition string, o outcome) {
	s.update(func(tx *store.Tx) error {
		sent := false
		if fn != nil && config.OnFailure != "" {
			sent = s.send(tx, fn, r, config.OnFailure, s.record(fn, r, condition, o.result), condition)
		}
		if fn != nil && fn.DeadLetterARN != "" {
			sent = s.bury(tx, fn, r, o) || sent
		}
		r.remove(tx)
		if !sent {
			s.note(tx, service.Dropped, r, r.FunctionARN, o.reason)
			tx.AfterCommit(func() {
				s.env.Logf("%s gives up an event, and has neither an on-failure destination nor a dead-letter queue for it: request %s: %s", r.FunctionARN, r.RequestID, o.reason)
			})
		}
		return nil
	})
}

// send gives a record to a destination. One that does not take it is reported
// and no reason to keep the event: Lambda does so too.
func (s *Service) send(tx *store.Tx, fn *model.Function, r *record, target string, body []byte, condition string) bool {
	what := service.DeadLettered
	if condition == conditionSuccess {
		what = service.Delivered
	}
	switch arn, _ := service.ParseARN(target); arn.Service {
	case "events":
		body = busEvent(fn, target, body, condition)
	case "s3":
		now := s.env.Now().UTC()
		target += "/aws/lambda/async/" + fn.FunctionName + now.Format("/2006/01/02/2006-01-02T15.04.05-") + service.NewID()
	}
	return s.hand(tx, r, what, &service.Delivery{Target: target, Source: fn.ARN, Body: body})
}

// busRecord is a record as an event.
type busRecord struct {
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

func busEvent(fn *model.Function, target string, body []byte, condition string) []byte {
	kind := "Failure"
	if condition == conditionSuccess {
		kind = "Success"
	}
	return encode(busRecord{
		Source: "lambda", DetailType: "Lambda Function Invocation Result - " + kind, Detail: body,
		Resources: []string{target, fn.ARN + ":$LATEST"},
	})
}

// bury sends an event to the function's dead-letter queue or topic as it came.
// See "Adding a dead-letter queue" in the AWS Lambda Developer Guide.
func (s *Service) bury(tx *store.Tx, fn *model.Function, r *record, o outcome) bool {
	code := "200"
	if o.result == nil {
		code = "429"
	}
	return s.hand(tx, r, service.DeadLettered, &service.Delivery{
		Target: fn.DeadLetterARN, Source: fn.ARN, Body: r.Payload,
		Attributes: map[string]service.Attribute{
			"RequestID":    {DataType: "String", Value: []byte(r.RequestID)},
			"ErrorCode":    {DataType: "Number", Value: []byte(code)},
			"ErrorMessage": {DataType: "String", Value: []byte(firstKB(errorMessage(o)))},
		},
	})
}

// hand accepts a delivery in tx and notes it.
func (s *Service) hand(tx *store.Tx, r *record, what string, d *service.Delivery) bool {
	if err := s.env.Accept(tx, d); err != nil {
		tx.AfterCommit(func() {
			s.env.Logf("what became of an asynchronous invocation of %s cannot be sent to %s: %v", r.FunctionARN, d.Target, err)
		})
		return false
	}
	s.env.Note(tx, service.Note{What: what, Source: r.FunctionARN, Target: d.Target, MessageID: r.RequestID, Body: d.Body})
	return true
}

// errorMessage is the message of a function's error, or why it did not run.
func errorMessage(o outcome) string {
	if o.result == nil {
		return o.reason
	}
	var e struct {
		ErrorMessage string `json:"errorMessage"`
	}
	if json.Unmarshal(o.result.Payload, &e) != nil || e.ErrorMessage == "" {
		return "Unhandled"
	}
	return e.ErrorMessage
}

// firstKB is the first 1 KB of a text, in whole characters.
func firstKB(text string) string {
	if len(text) <= 1024 {
		return text
	}
	end := 1024
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
