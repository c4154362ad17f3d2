package serverless

import (
	"fmt"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// Event is a source of a function's invocations: an [HttpApiEvent], a
// [ScheduleEvent], an [SQSEvent], or one of another package.
//
// Bind connects fn with the source. The id is unique among fn's children; an
// implementation gives it to the construct that it adds to fn, or makes the id
// of a construct elsewhere from it. Rights that the source needs are granted
// (AddPermission), rights that fn needs are added (AddToRolePolicy). A mistake
// is reported by [Function.AddFault], and Bind then adds nothing; a panic of
// the CDK is caught by the caller and reported likewise. Bind is called once
// for a function, in the order of the ids, and must not read anything that
// differs between two synths.
type Event interface {
	Bind(fn *Function, id string)
}

// Events are the sources of a function, by construct id.
type Events map[string]Event

// bindEvent is the way that every event comes to a function.
func (f *Function) bindEvent(id string, event Event) {
	if prop.IsNil(event) {
		f.AddFault("event %q is nil: remove it from Events", id)
		return
	}
	if id == "" {
		f.AddFault("an event has no id: the keys of Events are construct ids")
		return
	}
	if f.Node().TryFindChild(&id) != nil {
		f.AddFault("event %q has the id of another construct of the function: choose another", id)
		return
	}
	f.faults.About(fmt.Sprintf("event %q", id), func() { event.Bind(f, id) })
}
