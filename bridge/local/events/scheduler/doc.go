// Package scheduler is Amazon EventBridge Scheduler on this machine: the
// schedules of the application, and those that requests make.
//
// A schedule that is due delivers its target's input, and is noted. What cannot
// be delivered goes to the target's dead-letter queue. Times are exact to the
// second that the machine's clock gives: a flexible time window is taken and
// shown, and the schedule runs at its beginning. What was due while no plane
// ran is not made up for, and neither is an at() that has passed.
//
// A target is an ARN that the plane can deliver to. Universal targets
// (arn:aws:scheduler:::aws-sdk:...) go to their dead-letter queue.
//
// The variables <aws.scheduler.schedule-arn>, <aws.scheduler.scheduled-time>,
// <aws.scheduler.execution-id> and <aws.scheduler.attempt-number> in the input
// are filled. See
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html.
package scheduler
