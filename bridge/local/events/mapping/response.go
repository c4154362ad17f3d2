package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// itemFailures reads a function's answer to a batch whose failures it reports:
// the identifiers of the items that failed. An error means that the batch
// failed as a whole.
//
// Nothing, null and an empty list mean that all succeeded. An answer that is
// no JSON object, an identifier that is missing, null, empty or not in the
// batch, mean that all failed. See "Implementing partial batch responses" in
// the AWS Lambda Developer Guide.
func itemFailures(payload []byte, known map[string]int) (map[string]bool, error) {
	payload = bytes.TrimSpace(payload)
	if len(payload) == 0 || string(payload) == "null" {
		return nil, nil
	}
	var response struct {
		BatchItemFailures []map[string]any `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(payload, &response); err != nil {
		return nil, fmt.Errorf("its answer does not report batch item failures: %w", err)
	}
	failed := map[string]bool{}
	for _, item := range response.BatchItemFailures {
		id, _ := item["itemIdentifier"].(string)
		if _, ok := known[id]; !ok {
			return nil, fmt.Errorf("its answer reports the item %q, which is not in the batch", id)
		}
		failed[id] = true
	}
	return failed, nil
}
