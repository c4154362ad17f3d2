package schedule

import (
	"context"
	"strings"
	"testing"
	"time"
)

// TestNext has the examples of
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
// and https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html,
// and what follows from their words. 2026-01-01 is a Thursday.
func TestNext(t *testing.T) {
	for _, row := range []struct{ expression, zone, after, want string }{
		{"cron(0 10 * * ? *)", "", "2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"},
		{"cron(15 12 * * ? *)", "", "2026-01-01T10:00:00Z", "2026-01-01T12:15:00Z"},
		{"cron(0 18 ? * MON-FRI *)", "", "2026-01-02T18:00:00Z", "2026-01-05T18:00:00Z"},
		{"cron(0 8 1 * ? *)", "", "2026-01-02T00:00:00Z", "2026-02-01T08:00:00Z"},
		{"cron(0/15 * * * ? *)", "", "2026-01-01T10:07:31Z", "2026-01-01T10:15:00Z"},
		{"cron(0/10 * ? * MON-FRI *)", "", "2026-01-02T23:55:00Z", "2026-01-05T00:00:00Z"},
		{"cron(0/5 8-17 ? * MON-FRI *)", "", "2026-01-01T17:55:00Z", "2026-01-02T08:00:00Z"},
		{"cron(0/30 20-2 ? * MON-FRI *)", "", "", "runs backwards"},
		{"cron(0 0 L * ? *)", "", "2028-02-01T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"cron(0 0 3W * ? *)", "", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"}, // the 3rd is a Saturday
		{"cron(0 0 1W * ? *)", "", "2026-01-02T00:00:00Z", "2026-02-02T00:00:00Z"}, // the 1st is a Sunday
		{"cron(0 0 1W 8 ? *)", "", "2026-01-02T00:00:00Z", "2026-08-03T00:00:00Z"}, // a Saturday: not in July
		{"cron(0 0 LW 5 ? *)", "", "2026-01-01T00:00:00Z", "2026-05-29T00:00:00Z"}, // the 31st is a Sunday
		{"cron(0 0 31W * ? *)", "", "2026-02-01T00:00:00Z", "2026-03-31T00:00:00Z"},
		{"cron(0 0 ? * 3#2 *)", "", "2026-01-01T00:00:00Z", "2026-01-13T00:00:00Z"},
		{"cron(0 0 ? * FRI#5 *)", "", "2026-02-01T00:00:00Z", "2026-05-29T00:00:00Z"},
		{"cron(0 0 ? * 6L *)", "", "2026-01-01T00:00:00Z", "2026-01-30T00:00:00Z"},
		{"cron(0 0 ? * L *)", "", "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"},
		{"cron(0 0 ? * 1 *)", "", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"},
		{"cron(0 0 29 2 ? *)", "", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"cron(0 0 1 1 ? 2022-2026)", "", "2026-01-01T00:00:00Z", ""},
		{"cron(0 0 1 jan ? 2030/5)", "", "2031-01-01T00:00:00Z", "2035-01-01T00:00:00Z"},
		{"cron(0 0 30 2 ? *)", "", "2026-01-01T00:00:00Z", ""},
		{"cron(0 9 * * ? *)", "America/New_York", "2026-07-01T13:00:00Z", "2026-07-02T13:00:00Z"},
		{"cron(0 9 * * ? *)", "America/New_York", "2026-12-01T13:00:00Z", "2026-12-01T14:00:00Z"},
		{"cron(30 2 * * ? *)", "America/New_York", "2026-03-07T08:00:00Z", "2026-03-09T06:30:00Z"}, // 2:30 is skipped on the 8th
		{"cron(30 1 * * ? *)", "America/New_York", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}, // and not twice here
		{"rate(1 minute)", "", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"},
		{"rate(1 minutes)", "", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"},
		{"rate(5 minutes)", "", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"},
		{"rate(1 hour)", "", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"},
		{"rate(7 days)", "", "2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z"},
		{"at(2026-11-20T13:00:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-11-20T12:00:00Z"},
		{"at(2026-11-20T13:00:00)", "", "2026-11-20T13:00:00Z", ""},
		{"rate(5 minute)", "", "", "needs the plural"},
		{"rate(0 minutes)", "", "", "over 0"},
		{"rate(5 seconds)", "", "", "minutes, hours or days"},
		{"rate(999999999 days)", "", "", "hundred years"},
		{"cron(0 10 * * *)", "", "", "five fields|5 fields"},
		{"cron(0 10 * * * *)", "", "", "must be ?"},
		{"cron(0 10 ? * ? *)", "", "", "must be ?"},
		{"cron(60 10 * * ? *)", "", "", `"60" is no minutes`},
		{"cron(0 0 ? * 8 *)", "", "", "is no day of week"},
		{"cron(0 0 ? * FRI#6 *)", "", "", "is no day of week"},
		{"cron(0 0 ? * # *)", "", "", "is no day of week"},
		{"cron(0/0 0 1 * ? *)", "", "", "is no increment"},
		{"cron(0 0 1 * ? 2200)", "", "", "is no year"},
		{"cron(, 0 1 * ? *)", "", "", "is no minutes"},
		{"at(tomorrow)", "", "", "yyyy-mm-dd"},
		{"every day", "", "", "must be rate(...)"},
		{"rate(1 hour)", "Mars/Olympus", "", "is no time zone"},
	} {
		s, err := Parse(row.expression, row.zone)
		if err != nil || row.after == "" {
			if err == nil || !anyIn(err.Error(), row.want) {
				t.Errorf("%s: error %v, want %s", row.expression, err, row.want)
			}
			continue
		}
		after, _ := time.Parse(time.RFC3339, row.after)
		got := ""
		if next := s.Next(after); !next.IsZero() {
			got = next.UTC().Format(time.RFC3339)
		}
		if got != row.want {
			t.Errorf("%s in %q after %s = %s, want %s", row.expression, row.zone, row.after, got, row.want)
		}
	}
}

func anyIn(text, alternatives string) bool {
	for a := range strings.SplitSeq(alternatives, "|") {
		if strings.Contains(text, a) {
			return true
		}
	}
	return false
}

func TestClock(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	parse := func(expression string) *Schedule {
		s, err := Parse(expression, "")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	c := NewClock()
	alarms := map[string]Alarm{
		"five":  {Schedule: parse("rate(5 minutes)"), Key: "a"},
		"once":  {Schedule: parse("at(2026-01-01T00:07:00)"), Key: "a"},
		"later": {Schedule: parse("rate(1 hour)"), Key: "a", Start: start.Add(6 * time.Minute), End: start.Add(time.Hour)},
	}
	c.Set(start, alarms)
	for _, row := range []struct {
		minutes int
		want    string
	}{
		{4, ""},
		{5, "five@5"},
		{5, ""},
		{6, "later@6"},
		{7, "once@7"},
		{23, "five@10"},
		{24, ""},
		{25, "five@25"},
		{66, "five@30"},
		{67, ""},
		{126, "five@70"},
	} {
		due, _ := c.Due(start.Add(time.Duration(row.minutes) * time.Minute))
		got := ""
		for _, d := range due {
			got += d.Name + "@" + d.At.Sub(start).Truncate(time.Minute).String()
		}
		got = strings.TrimSuffix(strings.ReplaceAll(got, "1h10m", "70m"), "m0s")
		if got != row.want {
			t.Errorf("at %d minutes: %s, want %s", row.minutes, got, row.want)
		}
	}
	// The same key goes on, another one begins anew.
	now := start.Add(130 * time.Minute)
	c.Set(now.Add(2*time.Minute), map[string]Alarm{"five": alarms["five"]})
	if _, next := c.Due(now); !next.Equal(start.Add(130*time.Minute)) && !next.Equal(start.Add(135*time.Minute)) {
		t.Errorf("next is %v", next)
	}
	c.Set(now, map[string]Alarm{"five": {Schedule: parse("rate(5 minutes)"), Key: "b"}})
	if _, next := c.Due(now); !next.Equal(now.Add(5 * time.Minute)) {
		t.Errorf("next is %v", next)
	}
}

func TestClockRuns(t *testing.T) {
	now := time.Now()
	s, err := Parse("rate(1 minute)", "")
	if err != nil {
		t.Fatal(err)
	}
	c := NewClock()
	ctx, cancel := context.WithCancel(t.Context())
	fired := make(chan Due, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.Run(ctx, time.Now, func(d Due) { fired <- d })
	}()
	c.Set(now, map[string]Alarm{"soon": {Schedule: s, Start: now.Add(20 * time.Millisecond)}})
	if d := <-fired; d.Name != "soon" {
		t.Errorf("%+v", d)
	}
	cancel()
	<-ended
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"cron(0/15 8-17 ? JAN,MAR MON-FRI 2026/2)", "cron(0 0 LW * ? *)", "cron(1 1 ? * 3#2,6L *)", "rate(5 minutes)", "at(2026-11-20T13:00:00)"} {
		f.Add(s, "Europe/Berlin", int64(1767225600))
	}
	f.Fuzz(func(t *testing.T, expression, zone string, after int64) {
		s, err := Parse(expression, zone)
		if err != nil {
			return
		}
		from := time.Unix(after%8_000_000_000, 0)
		if next := s.Next(from); !next.IsZero() && !next.After(from) {
			t.Errorf("%s after %v is %v", expression, from, next)
		}
	})
}
