// Package filter decides which events pass: the filter policies of SNS
// subscriptions, the event patterns of EventBridge rules and the filter
// criteria of Lambda's event source mappings. The three are dialects of one
// language, so that there is one matcher with three front ends:
//
//	policy, err := filter.ParsePolicy(text, filter.MessageAttributes)
//	policy.Matches(attributes, body)
//
//	pattern, err := filter.ParsePattern(text)
//	pattern.Matches(event)
//
//	criteria, err := filter.ParseCriteria(text)
//	criteria.Matches(record)
//
// A text is compiled once. A compiled one may be used by many goroutines at a
// time, reads an event in one pass, and looks only at the fields that it names.
//
// # Words
//
//   - A field is a path of names, "detail.state". A dot in a name and a level
//     of nesting are the same, as in AWS's own matcher.
//   - A value is a string, number, true, false or null of the event. An array
//     gives each of its values to the field that holds it. An object gives
//     none, and neither does an empty array: such a field does not exist.
//   - An operator says yes or no to one value. A field passes if any operator
//     says yes to any of its values, a rule if all its fields pass, and the
//     whole if any of its rules does: $or makes more than one rule.
//   - Fields of objects in the same array must pass in the same element.
//
// # Dialects
//
//	                         SNS   EventBridge   Lambda
//	exact, null, true, 1     yes   yes           yes
//	prefix, suffix           yes   yes           yes
//	prefix/suffix with
//	  equals-ignore-case     yes   yes           yes
//	equals-ignore-case       yes   yes           yes
//	anything-but             yes   yes           yes
//	  with prefix            yes   yes           -
//	  with suffix, wildcard,
//	    equals-ignore-case   -     yes           -
//	numeric, exists, $or     yes   yes           yes
//	cidr                     yes   yes           -
//	wildcard                 -     yes           -
//
// The tables of AWS are at
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html,
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
// and
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html.
//
// # Where the documents and the services differ
//
// EventBridge's user guide says that 300 and 300.0 are not equal. They are: the
// service compares numbers by value, and so does this package.
//
// An array passes anything-but if one of its values is another one, in all
// three dialects: SNS's guide had the example ["rugby", "baseball"] for a policy
// without rugby and tennis. A later wording of the guide asks that none of the
// elements is excluded; the matcher that AWS published has not changed.
//
// EventBridge refuses patterns whose wildcards make its automaton too large.
// This matcher has none, and takes them.
package filter
