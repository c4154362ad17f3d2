package serverless

import (
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// The CDK wants pointers and takes a nil one for its own default. These turn a
// zero value into that.

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func optionalNumber(n int) *float64 {
	if n == 0 {
		return nil
	}
	return jsii.Number(n)
}

func optionalTrue(b bool) *bool {
	if !b {
		return nil
	}
	return &b
}

func optionalDuration(d time.Duration) awscdk.Duration {
	if d == 0 {
		return nil
	}
	return duration(d)
}

func duration(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Millis(jsii.Number(d.Milliseconds()))
}

func optionalStrings(list []string) *[]*string {
	if len(list) == 0 {
		return nil
	}
	return jsii.Strings(list...)
}

func optionalMap(m map[string]string) *map[string]*string {
	if len(m) == 0 {
		return nil
	}
	pointers := make(map[string]*string, len(m))
	for key, value := range m {
		pointers[key] = &value
	}
	return &pointers
}

// isNil also finds the nil pointer in an interface that is itself not nil, such
// as an *Table that was never set.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	value := reflect.ValueOf(v)
	return value.Kind() == reflect.Pointer && value.IsNil()
}

// isToken tells whether a string holds a value that only CloudFormation knows,
// so that its form can't be checked.
func isToken(s string) bool { return strings.Contains(s, "${Token[") }
