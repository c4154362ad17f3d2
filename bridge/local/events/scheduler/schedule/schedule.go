package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a machine or container without zone files has them so
)

// Schedule is a parsed expression.
type Schedule struct {
	expression string
	location   *time.Location
	// One of these is set.
	every time.Duration
	cron  *cron
	at    time.Time
}

var (
	form     = regexp.MustCompile(`^(rate|cron|at)\((.*)\)$`)
	rateForm = regexp.MustCompile(`^([0-9]{1,9}) (minute|hour|day)(s?)$`)
)

// Parse reads an expression. zone is a name of the IANA database, "" for UTC.
func Parse(expression, zone string) (*Schedule, error) {
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return nil, fmt.Errorf("%q is no time zone", zone)
	}
	m := form.FindStringSubmatch(strings.TrimSpace(expression))
	if m == nil {
		return nil, fmt.Errorf("%q is no schedule: it must be rate(...), cron(...) or at(...)", expression)
	}
	s := &Schedule{expression: expression, location: location}
	switch m[1] {
	case "rate":
		s.every, err = parseRate(m[2])
	case "cron":
		s.cron, err = parseCron(m[2])
	case "at":
		s.at, err = time.ParseInLocation("2006-01-02T15:04:05", m[2], location)
		if err != nil {
			err = fmt.Errorf("%q must be yyyy-mm-ddThh:mm:ss", m[2])
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the schedule %s: %w", expression, err)
	}
	return s, nil
}

func parseRate(text string) (time.Duration, error) {
	m := rateForm.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q must be a number and minutes, hours or days", text)
	}
	n, _ := strconv.Atoi(m[1]) // nine digits fit
	switch {
	case n == 0:
		return 0, fmt.Errorf("the number must be over 0")
	case n > 1 && m[3] == "":
		return 0, fmt.Errorf("%d needs the plural, %ss", n, m[2])
	}
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[m[2]]
	const longest = 100 * 366 * 24 * time.Hour
	if time.Duration(n) > longest/unit {
		return 0, fmt.Errorf("%q is over a hundred years", text)
	}
	return time.Duration(n) * unit, nil
}

// String is the expression.
func (s *Schedule) String() string { return s.expression }

// Once says that the schedule is due once: at(...).
func (s *Schedule) Once() bool { return s.cron == nil && s.every == 0 }

// Next is when the schedule is due next after a time, the zero time for never
// again. A rate counts from that time on.
func (s *Schedule) Next(after time.Time) time.Time {
	switch {
	case s.every > 0:
		return after.Add(s.every)
	case s.cron != nil:
		return s.cron.next(after, s.location)
	case s.at.After(after):
		return s.at
	}
	return time.Time{}
}
