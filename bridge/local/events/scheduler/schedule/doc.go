// Package schedule reads AWS's schedule expressions and says when they are due.
//
//	s, err := schedule.Parse("cron(0 10 ? * MON-FRI *)", "Europe/Berlin")
//	next := s.Next(time.Now())
//
// There are three forms:
//
//   - rate(5 minutes): from a start on, every so many minutes, hours or days.
//   - cron(minutes hours day-of-month month day-of-week year): six fields with
//     the marks , - * / ? L W and #. Days of the week are 1 to 7 from Sunday on.
//     One of the two day fields must be "?".
//   - at(2026-11-20T13:00:00): once.
//
// Clocks that are put forward skip what falls into the missing hour; clocks that
// are put back do not repeat what was due already.
//
// See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
// and https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html.
//
// The cron libraries that Go programs use have five fields or seconds, number
// Sunday 0, and know neither L, W, # nor a year, so that this is a parser of its
// own.
package schedule
