package sqs

import (
	"encoding/base64"
	"net/url"
	"strconv"
)

// form reads the parameters of the query protocol, in which lists are
// "Name.1", "Name.2" and so on.
type form struct {
	values url.Values
	prefix string
}

func (f form) text(name string) string { return f.values.Get(f.prefix + name) }

func (f form) has(name string) bool { return f.values.Has(f.prefix + name) }

// number is a parameter as a number, nil where it is not given. What is no
// number is taken for one that is out of all bounds.
func (f form) number(name string) *int {
	if !f.has(name) {
		return nil
	}
	n, err := strconv.Atoi(f.text(name))
	if err != nil {
		n = -1 << 31
	}
	return &n
}

// maxEntries bounds lists, which end where a number is left out.
const maxEntries = 1000

// entries are the elements of a list of structures.
func (f form) entries(name string) []form {
	var all []form
	for n := 1; n <= maxEntries; n++ {
		e := form{f.values, f.prefix + name + "." + strconv.Itoa(n) + "."}
		if !e.present() {
			break
		}
		all = append(all, e)
	}
	return all
}

// present reports whether any parameter begins with the prefix.
func (f form) present() bool {
	for name := range f.values {
		if len(name) >= len(f.prefix) && name[:len(f.prefix)] == f.prefix {
			return true
		}
	}
	return false
}

// list is a list of texts.
func (f form) list(name string) []string {
	var all []string
	for n := 1; n <= maxEntries && f.has(name+"."+strconv.Itoa(n)); n++ {
		all = append(all, f.text(name+"."+strconv.Itoa(n)))
	}
	return all
}

// pairs is a map, whose entries have a name and a value.
func (f form) pairs(list, name, value string) map[string]string {
	var all map[string]string
	for _, e := range f.entries(list) {
		if all == nil {
			all = map[string]string{}
		}
		all[e.text(name)] = e.text(value)
	}
	return all
}

// attributes are message attributes.
func (f form) attributes(list string) map[string]attributeValue {
	var all map[string]attributeValue
	for _, e := range f.entries(list) {
		a := attributeValue{DataType: e.text("Value.DataType")}
		if e.has("Value.StringValue") {
			text := e.text("Value.StringValue")
			a.StringValue = &text
		}
		if e.has("Value.BinaryValue") {
			b, err := base64.StdEncoding.DecodeString(e.text("Value.BinaryValue"))
			if err == nil {
				a.BinaryValue = b
			}
		}
		if all == nil {
			all = map[string]attributeValue{}
		}
		all[e.text("Name")] = a
	}
	return all
}
