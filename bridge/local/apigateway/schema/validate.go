package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bailey-cdk/bailey/internal/lazyregexp"
)

// Decode reads one JSON value, whose numbers stay as they are written.
func Decode(r io.Reader) (any, error) {
	d := json.NewDecoder(r)
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is more than one value")
	}
	return v, nil
}

// Validate tells what of a value, as [Decode] returns it, does not follow the
// schema: the first such place.
func (s *Schema) Validate(v any) error { return s.check(v, "") }

func (s *Schema) check(v any, where string) error {
	if s == nil {
		return nil
	}
	if s.ref != nil {
		return s.ref.check(v, where)
	}
	if s.nothing {
		return fault(where, "must not be there")
	}
	if s.types != nil && !slices.ContainsFunc(s.types, func(t string) bool { return isType(v, t) }) {
		return fault(where, "must be of type "+strings.Join(s.types, " or "))
	}
	if s.enum != nil && !slices.ContainsFunc(s.enum, func(e any) bool { return equal(e, v) }) {
		return fault(where, "is none of the values that it can have")
	}
	var err error
	switch v := v.(type) {
	case string:
		err = s.checkText(v, where)
	case json.Number:
		err = s.checkNumber(v, where)
	case []any:
		err = s.checkArray(v, where)
	case map[string]any:
		err = s.checkObject(v, where)
	}
	if err != nil {
		return err
	}
	return s.checkAll(v, where)
}

func fault(where, what string) error {
	if where == "" {
		where = "the value"
	}
	return fmt.Errorf("%s %s", where, what)
}

func isType(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	case json.Number:
		// Draft 4: 1.0 is no integer.
		return name == "number" || name == "integer" && !strings.ContainsAny(v.String(), ".eE")
	}
	return false
}

func (s span) check(n int, where, what string) error {
	if n < s.min {
		return fault(where, fmt.Sprintf("must have at least %d %s", s.min, what))
	}
	if s.max >= 0 && n > s.max {
		return fault(where, fmt.Sprintf("must have at most %d %s", s.max, what))
	}
	return nil
}

func (s *Schema) checkText(v, where string) error {
	if s.pattern != nil && !s.pattern.MatchString(v) {
		return fault(where, "must match "+s.pattern.String())
	}
	if !isFormat(v, s.format) {
		return fault(where, "is no "+s.format)
	}
	return s.lengths.check(utf8.RuneCountInString(v), where, "characters")
}

func (s *Schema) checkNumber(v json.Number, where string) error {
	if s.minimum == nil && s.maximum == nil && s.multipleOf == nil {
		return nil
	}
	n, err := rational(v)
	if err != nil {
		return fault(where, err.Error())
	}
	if s.minimum != nil && (n.Cmp(s.minimum) < 0 || s.aboveMinimum && n.Cmp(s.minimum) == 0) {
		return fault(where, "is too small")
	}
	if s.maximum != nil && (n.Cmp(s.maximum) > 0 || s.belowMaximum && n.Cmp(s.maximum) == 0) {
		return fault(where, "is too large")
	}
	if s.multipleOf != nil && !n.Quo(n, s.multipleOf).IsInt() {
		return fault(where, "must be a multiple of "+s.multipleOf.RatString())
	}
	return nil
}

func (s *Schema) checkArray(v []any, where string) error {
	if err := s.counts.check(len(v), where, "items"); err != nil {
		return err
	}
	for i, item := range v {
		which := s.items
		if s.isTuple {
			which = s.additionalItems
			if i < len(s.tuple) {
				which = s.tuple[i]
			}
		}
		if err := which.check(item, where+"/"+strconv.Itoa(i)); err != nil {
			return err
		}
		if s.uniqueItems && slices.ContainsFunc(v[:i], func(other any) bool { return equal(other, item) }) {
			return fault(where, "has the same item twice")
		}
	}
	return nil
}

func (s *Schema) checkObject(v map[string]any, where string) error {
	if err := s.sizes.check(len(v), where, "properties"); err != nil {
		return err
	}
	for _, name := range s.required {
		if _, ok := v[name]; !ok {
			return fault(where, "must have "+name)
		}
	}
	for name, value := range v {
		inner := where + "/" + name
		which, known := s.properties[name]
		if err := which.check(value, inner); err != nil {
			return err
		}
		for pattern, which := range s.patterns {
			if !pattern.MatchString(name) {
				continue
			}
			known = true
			if err := which.check(value, inner); err != nil {
				return err
			}
		}
		if !known {
			if err := s.additional.check(value, inner); err != nil {
				return err
			}
		}
		for _, other := range s.needs[name] {
			if _, ok := v[other]; !ok {
				return fault(where, "must have "+other+" beside "+name)
			}
		}
		if err := s.dependencies[name].check(v, where); err != nil {
			return err
		}
	}
	return nil
}

// checkAll checks by the schemas for the value itself.
func (s *Schema) checkAll(v any, where string) error {
	for _, which := range s.allOf {
		if err := which.check(v, where); err != nil {
			return err
		}
	}
	followed := func(all []*Schema) (n int) {
		for _, which := range all {
			if which.check(v, where) == nil {
				n++
			}
		}
		return n
	}
	if s.anyOf != nil && followed(s.anyOf) == 0 {
		return fault(where, "follows none of anyOf")
	}
	if s.oneOf != nil && followed(s.oneOf) != 1 {
		return fault(where, "must follow one of oneOf")
	}
	if s.not != nil && s.not.check(v, where) == nil {
		return fault(where, "follows what it must not")
	}
	return nil
}

// equal compares numbers by value, as draft 4 does.
func equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		x, errX := rational(a)
		y, errY := rational(b)
		return errX == nil && errY == nil && x.Cmp(y) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, value := range a {
			if other, ok := b[name]; !ok || !equal(value, other) {
				return false
			}
		}
		return true
	case string, bool, nil:
		switch b.(type) {
		case string, bool, nil:
			return a == b
		}
	}
	return false
}

var hostname = lazyregexp.New(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$`)

// isFormat checks the formats of draft 4. Others are for people.
func isFormat(v, format string) bool {
	switch format {
	case "date-time":
		_, err := time.Parse(time.RFC3339, strings.ToUpper(v))
		return err == nil
	case "email":
		address, err := mail.ParseAddress(v)
		return err == nil && address.Address == v
	case "hostname":
		return hostname.MatchString(v) && len(v) <= 254
	case "ipv4", "ipv6":
		address, err := netip.ParseAddr(v)
		return err == nil && address.Zone() == "" && address.Is4() == (format == "ipv4")
	case "uri":
		u, err := url.Parse(v)
		return err == nil && u.IsAbs()
	}
	return true
}
