// Package eventbridge is Amazon EventBridge on this machine: buses, rules with
// patterns and schedules, and their targets.
//
// The buses and rules of the application are there from the start, besides the
// bus "default". What requests make or change is kept in the store, goes before
// the application's of the same name, and lasts until the state is removed.
//
// # Events
//
// PutEvents returns when each event is with all targets whose rule it matches,
// in one transaction: what was acknowledged is not lost. An event for a bus that
// is not there vanishes, as on AWS, but the journal and the log say so.
//
// # Targets
//
// A target is whatever the plane can deliver to by its ARN: functions, queues,
// topics, Firehose and Kinesis streams, buses; and log groups, whose events go
// to the plane's log. A local delivery works at once or never will: there is
// nothing to retry. RetryPolicy is taken and shown. What cannot be delivered
// goes to the target's dead-letter queue with the attributes that EventBridge
// gives, or is noted as dropped. An event goes from bus to bus up to
// eight times.
//
// Input, InputPath and InputTransformer are as in
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html.
// Where a path finds nothing, its variable is the empty string. Objects and
// arrays inside of quotation marks lose their own.
//
// # Schedules
//
// A rule with a schedule sends a "Scheduled Event" to its targets. A rate counts
// from when the plane was opened. What was due while it was closed is not made
// up for.
//
// # Requests
//
// PutEvents, TestEventPattern; Put, Describe, List, Delete, Enable and
// DisableRule, ListRuleNamesByTarget; PutTargets, RemoveTargets,
// ListTargetsByRule; Create, Describe, List and DeleteEventBus; and the tagging
// of resources, which keeps no tags. Archives, replays, connections and
// partners are not there.
package eventbridge
