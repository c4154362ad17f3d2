package props

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/constructs-go/constructs/v10"
)

// TakenID says why id can't be used for a new construct in scope.
func TakenID(scope constructs.Construct, id string) string {
	switch {
	case id == "":
		return "the construct id is empty: give it a name that is unique in its scope"
	case IsToken(id):
		return "the construct id is a value that only CloudFormation knows: write a literal"
	case scope.Node().TryFindChild(&id) != nil:
		return fmt.Sprintf("the construct id %q is used twice in its scope: give one of the two another", id)
	}
	return ""
}

// FreeID is an id for a construct whose own can't be used.
func FreeID(scope constructs.Construct, id string) string {
	if IsToken(id) || id == "" {
		id = "Unnamed"
	}
	for i := 2; ; i++ {
		free := fmt.Sprintf("%s-duplicate-%d", id, i)
		if scope.Node().TryFindChild(&free) == nil {
			return free
		}
	}
}

// NilPointers finds the fields of a props struct that hold a nil pointer in an
// interface, and clears them.
func NilPointers(props any) (found []string) {
	value := reflect.ValueOf(props).Elem()
	for i := range value.NumField() {
		field := value.Field(i)
		if field.Kind() == reflect.Interface && !field.IsNil() && IsNil(field.Interface()) {
			found = append(found, fmt.Sprintf("%s is a nil %s: make it before it is passed", value.Type().Field(i).Name, field.Elem().Type()))
			field.SetZero()
		}
	}
	return found
}

// SetDefault sets a field that holds its zero value.
func SetDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Messages is a list of one message.
func Messages(format string, args ...any) []string {
	return []string{fmt.Sprintf(format, args...)}
}

// OneOf finds a value that is none of those allowed.
func OneOf[T ~string](name string, value T, allowed ...T) []string {
	if slices.Contains(allowed, value) || IsToken(string(value)) {
		return nil
	}
	quoted := make([]string, len(allowed))
	for i, a := range allowed {
		quoted[i] = fmt.Sprintf("%q", a)
	}
	return Messages("%s is %q: allowed are %s", name, value, strings.Join(quoted, ", "))
}

// InRange finds a number that is not from least to most.
func InRange(name string, value, least, most int, unit string) []string {
	if value >= least && value <= most {
		return nil
	}
	return Messages("%s is %d%s: allowed are %d to %d%s", name, value, unit, least, most, unit)
}

// DurationInRange finds a duration that is not from least to most, or has parts
// of a second.
func DurationInRange(name string, value, least, most time.Duration) []string {
	if value >= least && value <= most && value%time.Second == 0 {
		return nil
	}
	return Messages("%s is %s: allowed are %s to %s in whole seconds", name, value, Short(least), Short(most))
}

// Short writes a duration without the zero units of [time.Duration.String].
func Short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
