package sqs

import (
	"encoding/base64"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// form is the parameters of a request in the query protocol.
type form struct{ service.Form }

func (f form) entries(list string) []form {
	var all []form
	for _, e := range f.Entries(list) {
		all = append(all, form{e})
	}
	return all
}

// attributes are message attributes.
func (f form) attributes(list string) map[string]attributeValue {
	var all map[string]attributeValue
	for _, e := range f.Entries(list) {
		a := attributeValue{DataType: e.Text("Value.DataType")}
		if e.Has("Value.StringValue") {
			text := e.Text("Value.StringValue")
			a.StringValue = &text
		}
		if e.Has("Value.BinaryValue") {
			b, err := base64.StdEncoding.DecodeString(e.Text("Value.BinaryValue"))
			if err == nil {
				a.BinaryValue = b
			}
		}
		if all == nil {
			all = map[string]attributeValue{}
		}
		all[e.Text("Name")] = a
	}
	return all
}
