package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/dev"
)

// A line of a function's log has its request id, and a colour of the function's own
// where the output has colours.
func TestLogLines(t *testing.T) {
	printed := func(colours bool, function string) string {
		var out bytes.Buffer
		p := &devPrinter{out: &out, colours: colours, width: 8}
		p.print(dev.Event{Kind: dev.Log, Function: function, RequestID: "4a99e360-d144-4d7f", Message: "sold"})
		return out.String()
	}
	if got := printed(false, "Checkout"); got != "Checkout 4a99e360 | sold\n" {
		t.Errorf("without colours %q", got)
	}
	checkout, quote := printed(true, "Checkout"), printed(true, "Quote")
	for _, line := range []string{checkout, quote} {
		if !strings.HasPrefix(line, "\x1b[") || !strings.HasSuffix(line, "m sold\n") || !strings.Contains(line, "4a99e360") {
			t.Errorf("with colours %q", line)
		}
	}
	colour := func(line string) string { code, _, _ := strings.Cut(line, "m"); return code }
	if colour(checkout) == colour(quote) || checkout != printed(true, "Checkout") {
		t.Errorf("the colours are %q and %q", checkout, quote)
	}
}
