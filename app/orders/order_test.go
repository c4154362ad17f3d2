package orders

import (
	"strings"
	"testing"
)

func TestParseMessage(t *testing.T) {
	for body, want := range map[string]string{
		`{"orderId":"o1"}`:                ``,
		`{"orderId":"o1","priority":"x"}`: ``,
		``:                                `the message is not JSON`,
		`{"orderId":7}`:                   `the message is not JSON`,
		`{}`:                              `the message has no orderId`,
	} {
		_, err := ParseMessage(body)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
}
