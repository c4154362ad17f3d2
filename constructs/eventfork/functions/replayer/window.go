package main

import (
	"fmt"
	"strconv"
	"time"
)

// window is a span of time; a zero end is open. Both ends are part of it.
type window struct{ start, end time.Time }

// read sets the ends from RFC 3339 texts; an empty one leaves its end.
func (w *window) read(start, end string) error {
	for _, e := range []struct {
		name, text string
		end        *time.Time
	}{{"from", start, &w.start}, {"to", end, &w.end}} {
		if e.text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, e.text)
		if err != nil {
			return fmt.Errorf("%q is %q: want a time such as 2026-11-01T12:00:00Z", e.name, e.text)
		}
		*e.end = t
	}
	if !w.start.IsZero() && !w.end.IsZero() && w.end.Before(w.start) {
		return fmt.Errorf("the window ends at %s, before its start at %s", w.end.Format(time.RFC3339), w.start.Format(time.RFC3339))
	}
	return nil
}

func (w window) holds(t time.Time) bool {
	return (w.start.IsZero() || !t.Before(w.start)) && (w.end.IsZero() || !t.After(w.end))
}

// holdsMessage is about when a message came to its queue. One that does not say is
// in all windows: it is better replayed than forgotten.
func (w window) holdsMessage(attributes map[string]string) bool {
	ms, err := strconv.ParseInt(attributes["SentTimestamp"], 10, 64)
	return err != nil || w.holds(time.UnixMilli(ms))
}
