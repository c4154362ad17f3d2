package dynamodb

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzIterator: what a client sends as a shard iterator is read or refused, and
// one that is read stays the same.
func FuzzIterator(f *testing.F) {
	f.Add(iterator{ARN: ordersStream, After: 7}.String())
	f.Add("arn:aws:dynamodb|1|e30")
	f.Add("")
	f.Add("|")
	f.Fuzz(func(t *testing.T, text string) {
		i, ok := parseIterator(text)
		if !ok {
			return
		}
		if again, ok := parseIterator(i.String()); !ok || again.After != i.After || again.ARN != strings.ToValidUTF8(i.ARN, "\ufffd") {
			t.Errorf("%+v became %+v", i, again)
		}
	})
}

// FuzzLocalNames: table names in the place of ARNs leave a request as JSON, and
// all else in it.
func FuzzLocalNames(f *testing.F) {
	f.Add([]byte(`{"TableName":"arn:aws:dynamodb:eu-west-1:123456789012:table/Orders","Key":{"id":{"S":"arn:aws:x:table/"}}}`))
	f.Add([]byte(`{"RequestItems":{"arn:aws:dynamodb:eu-west-1:123456789012:table/Orders":[]}}`))
	f.Add([]byte(`{"TableName":":table/"}`))
	f.Add([]byte(`[":table/"]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		named, err := localNames(body)
		if err != nil || !json.Valid(body) {
			return
		}
		var before, after map[string]json.RawMessage
		if json.Unmarshal(body, &before) != nil {
			return
		}
		if err := json.Unmarshal(named, &after); err != nil || len(after) < len(before) {
			t.Errorf("%s became %s: %v", body, named, err)
		}
	})
}

func TestLocalNames(t *testing.T) {
	for body, want := range map[string]string{
		`{"TableName":"Orders"}`: `{"TableName":"Orders"}`,
		`{"Limit":1,"TableName":"arn:aws:dynamodb:eu-west-1:123456789012:table/Orders"}`:                   `{"Limit":1,"TableName":"Orders"}`,
		`{"RequestItems":{"arn:aws:dynamodb:eu-west-1:123456789012:table/Orders":[{"PutRequest":{}}]}}`:    `{"RequestItems":{"Orders":[{"PutRequest":{}}]}}`,
		`{"Item":{"a":{"S":"arn:aws:dynamodb:eu-west-1:123456789012:table/Orders"}},"TableName":"Orders"}`: `{"Item":{"a":{"S":"arn:aws:dynamodb:eu-west-1:123456789012:table/Orders"}},"TableName":"Orders"}`,
	} {
		if got, err := localNames([]byte(body)); err != nil || string(got) != want {
			t.Errorf("%s became %s: %v", body, got, err)
		}
	}
}
