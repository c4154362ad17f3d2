package sqsmessage

import (
	"strings"
	"testing"
)

func TestSendable(t *testing.T) {
	for text, want := range map[string]string{
		"plain\ttext\n":           "plain\ttext\n",
		"":                        "the handler gave no reason",
		"\x00\x1b[31mred\xff":     "[31mred",
		strings.Repeat("é", 2000): strings.Repeat("é", 1024) + "...",
	} {
		if got := sendable(text); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}
