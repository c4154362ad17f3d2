package filter

import (
	"fmt"
	"strings"
)

// Error says why a policy, pattern or criterion is not valid, in AWS's words.
type Error struct {
	// Reason is what is wrong: `Unrecognized match type EXISTS`.
	Reason string
	// Location is where, as AWS's own parser writes it, "" where it says
	// nothing: ` at [Source: (String)"{...}"; line: 1, column: 28]`.
	Location string
	// Scope is what goes before the reason in the message of the service:
	// "FilterPolicy: " of SNS, "Event pattern is not valid. Reason: " of
	// EventBridge, or "".
	Scope string
}

// Error is the message that the service gives. SNS puts "Invalid parameter: "
// before it, and "Invalid parameter: Attributes Reason: " in Subscribe.
func (e *Error) Error() string {
	text := e.Scope + e.Reason
	if e.Location != "" {
		text += "\n" + e.Location
	}
	return text
}

// shownSource is how much of a text AWS's parser quotes.
const shownSource = 500

// locate names a place in a text, by the number of bytes before it.
func locate(source string, offset int) string {
	offset = min(offset, len(source))
	before := source[:offset]
	line := 1 + strings.Count(before, "\n")
	column := offset - (strings.LastIndexByte(before, '\n') + 1) + 1
	shown, more := source, ""
	if len(source) > shownSource {
		shown, more = source[:shownSource], fmt.Sprintf("[truncated %d chars]", len(source)-shownSource)
	}
	return fmt.Sprintf(" at [Source: (String)\"%s\"%s; line: %d, column: %d]", shown, more, line, column)
}
