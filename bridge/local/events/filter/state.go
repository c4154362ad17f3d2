package filter

import "sync"

// state is what is known of one event.
type state struct {
	program *program
	// passed are the conditions that a value outside of arrays passed, and
	// present the fields that have any value.
	passed, present []bool
	// place is where the reader is: the element of each array around it.
	place []element
	// hits are the conditions passed by values in arrays of objects, and sights
	// all values of fields that are watched for their absence.
	hits   []hit
	sights []sight
	// places keeps the places of hits and sights.
	places []element
}

// element is one element of an array of the event. Arrays are numbered as they
// are met.
type element struct{ array, index int }

type hit struct {
	condition int
	place     []element
}

type sight struct {
	field int
	place []element
}

var states = sync.Pool{New: func() any { return new(state) }}

func newState(p *program) *state {
	s := states.Get().(*state)
	s.program = p
	s.passed = cleared(s.passed, len(p.conditions))
	s.present = cleared(s.present, len(p.fields))
	s.place, s.places = s.place[:0], s.places[:0]
	s.hits, s.sights = s.hits[:0], s.sights[:0]
	return s
}

func cleared(b []bool, n int) []bool {
	if cap(b) < n {
		return make([]bool, n)
	}
	b = b[:n]
	clear(b)
	return b
}

// keptPlaces bounds what a state that is put back holds on to.
const keptPlaces = 1 << 12

func (s *state) free() {
	s.program = nil
	if cap(s.places) <= keptPlaces {
		states.Put(s)
	}
}

// value notes a value of a field.
func (s *state) value(f int, v value) {
	field := &s.program.fields[f]
	s.present[f] = true
	inArray := len(s.place) > 0
	if field.watched {
		s.sights = append(s.sights, sight{f, s.keep()})
	}
	for _, id := range field.conditions {
		if s.passed[id] || !s.program.conditions[id].match(v) {
			continue
		}
		if inArray {
			s.hits = append(s.hits, hit{id, s.keep()})
			continue
		}
		s.passed[id] = true
	}
}

// keep copies the reader's place.
func (s *state) keep() []element {
	start := len(s.places)
	s.places = append(s.places, s.place...)
	return s.places[start:len(s.places):len(s.places)]
}

// verdict is whether any rule passes.
func (s *state) verdict() bool {
	if s.program.rules == nil {
		return true
	}
	for _, rule := range s.program.rules {
		if s.rule(rule) {
			return true
		}
	}
	return false
}

func (s *state) rule(conditions []int) bool {
	var open []int
	for _, id := range conditions {
		c := &s.program.conditions[id]
		switch {
		case s.passed[id], c.absent && !s.present[c.field]:
		case !s.present[c.field], len(s.hits) == 0 && len(s.sights) == 0:
			return false
		default:
			open = append(open, id)
		}
	}
	if len(open) == 0 {
		return true
	}
	budget := maxSteps
	return s.agree(open, nil, nil, &budget)
}

// maxSteps bounds how many values the search for elements that agree looks at.
// Only events that were made to reach it do, and those do not pass.
const maxSteps = 1_000_000

// agree looks for one place for each condition so that no two of them are in
// different elements of the same array. The absences are looked at last, when
// the elements are known.
func (s *state) agree(open, absences []int, chosen []element, budget *int) bool {
	if len(open) == 0 {
		for _, id := range absences {
			if !s.absentAt(s.program.conditions[id].field, chosen) {
				return false
			}
		}
		return true
	}
	id, rest := open[0], open[1:]
	for i := range s.hits {
		h := &s.hits[i]
		if *budget--; *budget < 0 {
			return false
		}
		if h.condition != id || !consistent(h.place, chosen) {
			continue
		}
		if s.agree(rest, absences, append(chosen[:len(chosen):len(chosen)], h.place...), budget) {
			return true
		}
	}
	if s.program.conditions[id].absent {
		return s.agree(rest, append(absences[:len(absences):len(absences)], id), chosen, budget)
	}
	return false
}

// absentAt says that a field has no value that goes with the chosen elements.
func (s *state) absentAt(f int, chosen []element) bool {
	for i := range s.sights {
		if s.sights[i].field == f && consistent(s.sights[i].place, chosen) {
			return false
		}
	}
	return true
}

// consistent says that two places are not in different elements of an array.
func consistent(a, b []element) bool {
	for _, x := range a {
		for _, y := range b {
			if x.array == y.array && x.index != y.index {
				return false
			}
		}
	}
	return true
}
