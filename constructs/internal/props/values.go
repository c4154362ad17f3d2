package props

import (
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// The CDK wants pointers and takes a nil one for its own default. These turn a
// zero value into that.

// Optional is nil for an empty string.
func Optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// OptionalNumber is nil for 0.
func OptionalNumber(n int) *float64 {
	if n == 0 {
		return nil
	}
	return jsii.Number(n)
}

// OptionalTrue is nil for false.
func OptionalTrue(b bool) *bool {
	if !b {
		return nil
	}
	return &b
}

// OptionalDuration is nil for 0.
func OptionalDuration(d time.Duration) awscdk.Duration {
	if d == 0 {
		return nil
	}
	return Duration(d)
}

// Duration is the CDK's form of d.
func Duration(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Millis(jsii.Number(d.Milliseconds()))
}

// OptionalStrings is nil for an empty list.
func OptionalStrings(list []string) *[]*string {
	if len(list) == 0 {
		return nil
	}
	return jsii.Strings(list...)
}

// OptionalMap is nil for an empty map.
func OptionalMap(m map[string]string) *map[string]*string {
	if len(m) == 0 {
		return nil
	}
	pointers := make(map[string]*string, len(m))
	for key, value := range m {
		pointers[key] = &value
	}
	return &pointers
}

// IsNil also finds the nil pointer in an interface that is itself not nil, such
// as an *Table that was never set.
func IsNil(v any) bool {
	if v == nil {
		return true
	}
	value := reflect.ValueOf(v)
	return value.Kind() == reflect.Pointer && value.IsNil()
}

// IsToken tells whether a string holds a value that only CloudFormation knows,
// so that its form can't be checked.
func IsToken(s string) bool { return strings.Contains(s, "${Token[") }
