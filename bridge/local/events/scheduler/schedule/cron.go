package schedule

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// The years that AWS's cron knows.
const (
	firstYear = 1970
	lastYear  = 2199
)

// set is a set of numbers up to 63.
type set uint64

func (s set) has(n int) bool { return s&(1<<n) != 0 }

// cron is a parsed cron expression.
type cron struct {
	minutes, hours, months set
	years                  [lastYear - firstYear + 1]bool
	// days are the days of the month, and lastDay, weekday and nearLast the
	// marks L, 15W and LW.
	days     set
	lastDay  bool
	weekdays []int
	nearLast bool
	// week are the days of the week, 1 for Sunday; nth are FRI#2, by day and
	// count; lastOf are FRIL, the last Fridays.
	week   set
	nth    [][2]int
	lastOf set
	// byWeek says that the days of the week count.
	byWeek bool
}

var (
	monthNames = names("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
	dayNames   = names("SUN MON TUE WED THU FRI SAT")
)

func names(all string) map[string]int {
	m := map[string]int{}
	for i, name := range strings.Fields(all) {
		m[name] = i + 1
	}
	return m
}

// field is what one of the six fields takes.
type field struct {
	name     string
	min, max int
	names    map[string]int
}

var fields = []field{
	{"minutes", 0, 59, nil},
	{"hours", 0, 23, nil},
	{"day of month", 1, 31, nil},
	{"month", 1, 12, monthNames},
	{"day of week", 1, 7, dayNames},
	{"year", firstYear, lastYear, nil},
}

func parseCron(text string) (*cron, error) {
	parts := strings.Fields(strings.ToUpper(text))
	if len(parts) != len(fields) {
		return nil, fmt.Errorf("it has %d fields, and needs six: minutes, hours, day of month, month, day of week and year", len(parts))
	}
	if (parts[2] == "?") == (parts[4] == "?") {
		return nil, fmt.Errorf("one of day of month and day of week must be ?, and not both")
	}
	c := &cron{byWeek: parts[2] == "?"}
	for i, part := range parts {
		if part == "?" && (i == 2 || i == 4) {
			continue
		}
		for item := range strings.SplitSeq(part, ",") {
			if err := c.add(i, item); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// add takes one item of a field's list.
func (c *cron) add(i int, item string) error {
	f := &fields[i]
	if (i == 2 && c.dayMark(item)) || (i == 4 && c.weekMark(item)) {
		return nil
	}
	low, high, step, err := f.parse(item)
	if err != nil {
		return err
	}
	for n := low; n <= high; n += step {
		switch i {
		case 0:
			c.minutes |= 1 << n
		case 1:
			c.hours |= 1 << n
		case 2:
			c.days |= 1 << n
		case 3:
			c.months |= 1 << n
		case 4:
			c.week |= 1 << n
		case 5:
			c.years[n-firstYear] = true
		}
	}
	return nil
}

// dayMark takes L, LW and 15W.
func (c *cron) dayMark(item string) bool {
	switch item {
	case "L":
		c.lastDay = true
		return true
	case "LW":
		c.nearLast = true
		return true
	}
	text, ok := strings.CutSuffix(item, "W")
	n, err := fields[2].number(text)
	if !ok || err != nil {
		return false
	}
	c.weekdays = append(c.weekdays, n)
	return true
}

// weekMark takes L, which is Saturday, FRIL and FRI#2.
func (c *cron) weekMark(item string) bool {
	if item == "L" {
		c.week |= 1 << 7
		return true
	}
	if day, count, ok := strings.Cut(item, "#"); ok {
		n, err := fields[4].number(day)
		k, err2 := strconv.Atoi(count)
		if err != nil || err2 != nil || k < 1 || k > 5 {
			return false
		}
		c.nth = append(c.nth, [2]int{n, k})
		return true
	}
	day, ok := strings.CutSuffix(item, "L")
	n, err := fields[4].number(day)
	if !ok || err != nil {
		return false
	}
	c.lastOf |= 1 << n
	return true
}

// parse reads *, 5, 1-5, */10, 5/10 and 1-30/10.
func (f *field) parse(item string) (low, high, step int, err error) {
	span, increment, stepped := strings.Cut(item, "/")
	step = 1
	if stepped {
		step, err = strconv.Atoi(increment)
		if err != nil || step < 1 || step > f.max {
			return 0, 0, 0, fmt.Errorf("%q is no increment of %s", increment, f.name)
		}
	}
	from, to, ranged := strings.Cut(span, "-")
	switch {
	case span == "*":
		return f.min, f.max, step, nil
	case ranged:
		high, err = f.number(to)
	}
	if err == nil {
		low, err = f.number(from)
	}
	switch {
	case err != nil:
		return 0, 0, 0, err
	case ranged && low > high:
		return 0, 0, 0, fmt.Errorf("%q of %s runs backwards", span, f.name)
	case !ranged && stepped:
		high = f.max
	case !ranged:
		high = low
	}
	return low, high, step, nil
}

func (f *field) number(text string) (int, error) {
	if n, ok := f.names[text]; ok {
		return n, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.min || n > f.max || len(text) > 4 || text[0] == '+' {
		return 0, fmt.Errorf("%q is no %s (%d to %d)", text, f.name, f.min, f.max)
	}
	return n, nil
}

// next goes through the days of the calendar, and in each through the times of
// its clock.
func (c *cron) next(after time.Time, location *time.Location) time.Time {
	local := after.In(location)
	year, month, day := local.Date()
	if year < firstYear {
		year, month, day = firstYear, 1, 1
	}
	for date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC); date.Year() <= lastYear; date = date.AddDate(0, 0, 1) {
		y, m, d := date.Date()
		switch {
		case !c.years[y-firstYear]:
			date = time.Date(y, 12, 31, 0, 0, 0, 0, time.UTC)
			continue
		case !c.months.has(int(m)):
			date = time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC)
			continue
		case !c.onDay(date):
			continue
		}
		if t, ok := c.onClock(y, m, d, after, location); ok {
			return t
		}
	}
	return time.Time{}
}

// onClock is the first time of a day that is after a time.
func (c *cron) onClock(y int, m time.Month, d int, after time.Time, location *time.Location) (time.Time, bool) {
	for hours := c.hours; hours != 0; hours &= hours - 1 {
		hour := bits.TrailingZeros64(uint64(hours))
		for minutes := c.minutes; minutes != 0; minutes &= minutes - 1 {
			minute := bits.TrailingZeros64(uint64(minutes))
			t := time.Date(y, m, d, hour, minute, 0, 0, location)
			if t.After(after) && t.Hour() == hour && t.Minute() == minute { // else the clock skips it
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// onDay says whether a day is one of the expression's.
func (c *cron) onDay(date time.Time) bool {
	day, last := date.Day(), lastOfMonth(date)
	weekday := int(date.Weekday()) + 1
	if c.byWeek {
		if c.week.has(weekday) || c.lastOf.has(weekday) && day > last-7 {
			return true
		}
		for _, n := range c.nth {
			if n[0] == weekday && n[1] == (day+6)/7 {
				return true
			}
		}
		return false
	}
	if c.days.has(day) || c.lastDay && day == last || c.nearLast && day == nearest(date, last, last) {
		return true
	}
	for _, n := range c.weekdays {
		if n <= last && day == nearest(date, n, last) {
			return true
		}
	}
	return false
}

func lastOfMonth(date time.Time) int {
	return time.Date(date.Year(), date.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// nearest is the weekday nearest to a day, in the same month.
func nearest(date time.Time, day, last int) int {
	switch time.Date(date.Year(), date.Month(), day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == last {
			return day - 2
		}
		return day + 1
	default:
		return day
	}
}
