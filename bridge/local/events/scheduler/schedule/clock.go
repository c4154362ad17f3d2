package schedule

import (
	"context"
	"sync"
	"time"
)

// Clock knows when which of many schedules is due. Its methods may be called
// from many goroutines.
type Clock struct {
	mu      sync.Mutex
	alarms  map[string]*alarm
	changed chan struct{}
}

type alarm struct {
	key      string
	schedule *Schedule
	next     time.Time
	end      time.Time
}

// Alarm is one schedule of a clock.
type Alarm struct {
	Schedule *Schedule
	// Key is what makes it another one: a schedule that is set anew with the
	// same key goes on, and its rate is not begun again.
	Key string
	// Start and End bound when it is due, the zero time for no bound.
	Start, End time.Time
}

// NewClock makes a clock without schedules.
func NewClock() *Clock {
	return &Clock{alarms: map[string]*alarm{}, changed: make(chan struct{}, 1)}
}

// Set replaces all schedules, by their names.
func (c *Clock) Set(now time.Time, alarms map[string]Alarm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.alarms
	c.alarms = map[string]*alarm{}
	for name, a := range alarms {
		if kept := old[name]; kept != nil && kept.key == a.Key {
			c.alarms[name] = kept
			continue
		}
		made := &alarm{key: a.Key, schedule: a.Schedule, end: a.End}
		from := now
		if a.Start.After(now) {
			from = a.Start.Add(-time.Nanosecond) // it may be due at its start
		}
		made.next = a.Schedule.Next(from)
		if a.Schedule.every > 0 && a.Start.After(now) {
			made.next = a.Start // a rate is due first at its start
		}
		c.alarms[name] = made
	}
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Due is a schedule that is due.
type Due struct {
	Name string
	At   time.Time
}

// Due takes what is due, and says when the next one is, the zero time for
// never. A schedule that was due several times, on a machine that slept say, is
// due once.
func (c *Clock) Due(now time.Time) (due []Due, next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, a := range c.alarms {
		if !a.next.IsZero() && !a.next.After(now) {
			if a.end.IsZero() || !a.next.After(a.end) {
				due = append(due, Due{name, a.next})
			}
			a.next = a.after(now)
		}
		if !a.next.IsZero() && (next.IsZero() || a.next.Before(next)) {
			next = a.next
		}
	}
	return due, next
}

// after is when a schedule that was due is due again. A rate keeps its beat.
func (a *alarm) after(now time.Time) time.Time {
	if every := a.schedule.every; every > 0 {
		missed := now.Sub(a.next) / every
		return a.next.Add((missed + 1) * every)
	}
	return a.schedule.Next(now)
}

// Run calls fire with all that is due, until ctx ends. now is time.Now, or a
// test's clock.
func (c *Clock) Run(ctx context.Context, now func() time.Time, fire func(Due)) {
	for {
		due, next := c.Due(now())
		for _, d := range due {
			fire(d)
		}
		// The clock of the machine may be set meanwhile: it is looked at often.
		wait := time.Minute
		if !next.IsZero() {
			wait = max(min(wait, next.Sub(now())), time.Millisecond)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-c.changed:
			timer.Stop()
		case <-timer.C:
		}
	}
}
