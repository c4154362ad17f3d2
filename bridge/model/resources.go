package model

import "strings"

// Topic finds a topic by its short name, construct path, logical id, physical
// name or ARN, or by the end of its path where that means only one. The error
// is a [NotFoundError].
func (a *Application) Topic(name string) (*Topic, error) {
	return find("topic", name, a.Topics, func(t *Topic) called { return called{t.ID, t.TopicName, t.ARN} })
}

// Queue finds a queue as [Application.Topic] finds a topic, or by its URL.
func (a *Application) Queue(name string) (*Queue, error) {
	for _, q := range a.Queues {
		if q.URL == name && name != "" {
			return q, nil
		}
	}
	return find("queue", name, a.Queues, func(q *Queue) called { return called{q.ID, q.QueueName, q.ARN} })
}

// EventBus finds an event bus as [Application.Topic] finds a topic. The default
// bus is none of the application's.
func (a *Application) EventBus(name string) (*EventBus, error) {
	return find("event bus", name, a.EventBuses, func(b *EventBus) called { return called{b.ID, b.BusName, b.ARN} })
}

// called is how a resource may be called.
type called struct {
	ID
	physical, arn string
}

func (c called) is(name string) bool {
	return name != "" && (c.Name == name || c.Path == name || c.physical == name || c.arn == name)
}

// mayBe says that a name could mean the resource, if it means no other.
func (c called) mayBe(name string) bool {
	return name != "" && (c.LogicalID == name || strings.HasSuffix(c.Path, "/"+strings.TrimPrefix(name, "/")))
}

// find finds the one resource of a kind that has a name.
func find[T any](kind, name string, all []T, of func(T) called) (found T, err error) {
	var ends []T
	var known, ambiguous []string
	for _, resource := range all {
		c := of(resource)
		if c.is(name) {
			return resource, nil
		}
		if c.mayBe(name) {
			ends, ambiguous = append(ends, resource), append(ambiguous, c.Path)
		}
		known = append(known, c.Name)
	}
	if len(ends) == 1 {
		return ends[0], nil
	}
	return found, &NotFoundError{Kind: kind, Name: name, Ambiguous: ambiguous, Known: nearest(name, known)}
}
