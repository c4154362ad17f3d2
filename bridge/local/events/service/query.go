package service

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxEntries bounds the lists of a [Form].
const maxEntries = 1000

// Form reads the parameters of the query protocol. Lists are "Name.1",
// "Name.2" and so on, or "Name.member.1": the names of lists that methods take
// include the ".member" or ".entry".
type Form struct {
	values url.Values
	prefix string
}

// NewForm reads values.
func NewForm(values url.Values) Form { return Form{values: values} }

// Text is a parameter, "" where it is not given.
func (f Form) Text(name string) string { return f.values.Get(f.prefix + name) }

// Has reports whether a parameter is given.
func (f Form) Has(name string) bool { return f.values.Has(f.prefix + name) }

// Number is a parameter as a number, nil where it is not given. What is no
// number is taken for one that is out of all bounds.
func (f Form) Number(name string) *int {
	if !f.Has(name) {
		return nil
	}
	n, err := strconv.Atoi(f.Text(name))
	if err != nil {
		n = -1 << 31
	}
	return &n
}

// Entries are the elements of a list of structures, at most 1,000.
func (f Form) Entries(list string) []Form {
	var all []Form
	for n := 1; n <= maxEntries; n++ {
		e := Form{f.values, f.prefix + list + "." + strconv.Itoa(n) + "."}
		if !e.present() {
			break
		}
		all = append(all, e)
	}
	return all
}

// present reports whether any parameter begins with the prefix.
func (f Form) present() bool {
	for name := range f.values {
		if strings.HasPrefix(name, f.prefix) {
			return true
		}
	}
	return false
}

// List is a list of texts, at most 1,000.
func (f Form) List(list string) []string {
	var all []string
	for n := 1; n <= maxEntries && f.Has(list+"."+strconv.Itoa(n)); n++ {
		all = append(all, f.Text(list+"."+strconv.Itoa(n)))
	}
	return all
}

// Pairs is a map, whose entries have a name and a value. It is nil where it is
// empty.
func (f Form) Pairs(list, name, value string) map[string]string {
	var all map[string]string
	for _, e := range f.Entries(list) {
		if all == nil {
			all = map[string]string{}
		}
		all[e.Text(name)] = e.Text(value)
	}
	return all
}

// XML writes the elements of an answer in the query protocol.
type XML struct{ b []byte }

// String is what was written.
func (x *XML) String() string { return string(x.b) }

// Element writes an element with a text.
func (x *XML) Element(name, value string) {
	x.Nest(name, func() { x.b = append(x.b, EscapeXML(value)...) })
}

// Optional writes an element unless its text is empty.
func (x *XML) Optional(name, value string) {
	if value != "" {
		x.Element(name, value)
	}
}

// Nest writes an element and has inside write what stands in it.
func (x *XML) Nest(name string, inside func()) {
	x.b = append(append(append(x.b, '<'), name...), '>')
	inside()
	x.b = append(append(append(x.b, "</"...), name...), '>')
}

// Pairs writes a map in the order of its keys, each as an element with two.
func (x *XML) Pairs(element, name, value string, all map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		x.Nest(element, func() {
			x.Element(name, key)
			x.Element(value, all[key])
		})
	}
}
