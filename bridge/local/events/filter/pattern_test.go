package filter_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/local/events/filter"
)

const ebGuide = "https://docs.aws.amazon.com/eventbridge/latest/userguide/"

// instance is an event of EC2, as in EventBridge's guide.
const instance = `{"version":"0","id":"6a7e8feb","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2",
"account":"111122223333","time":"2017-12-22T18:43:48Z","region":"us-west-1",
"resources":["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],
"detail":{"instance-id":"i-1234567890abcdef0","state":"terminated","c-count":5,"d-count":9,"x-limit":301.8,
"source-ip":"10.0.0.33","FileName":"image.PNG","FilePath":"dir/lib/file.class","empty":"","nothing":null,"yes":true,"none":[],
"items":[{"id":1,"tags":["a","b"]},{"id":2,"tags":["c"],"gone":true}]}}`

// patternRows are the examples of EventBridge's guide, row by row, and what
// follows from its words.
var patternRows = []struct {
	page, pattern string
	want          bool
}{
	{"eb-event-patterns.html", `{"source":["aws.ec2"]}`, true},
	{"eb-event-patterns.html", `{"source":["aws.ec2"],"detail-type":["EC2 Instance State-change Notification"],"detail":{"state":["terminated"]}}`, true},
	{"eb-event-patterns.html", `{"detail":{"state":["running","terminated"]}}`, true},
	{"eb-event-patterns.html", `{"detail":{"state":["running"]}}`, false},
	{"eb-event-patterns.html", `{"Source":["aws.ec2"]}`, false},
	{"eb-event-patterns.html", `{"detail.state":["terminated"]}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-prefix-matching", `{"time":[{"prefix":"2017-12-22"}]}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-prefix-matching", `{"source":[{"prefix":{"equals-ignore-case":"AWS."}}]}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-prefix-matching", `{"detail":{"c-count":[{"prefix":"5"}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-suffix-matching", `{"detail":{"FileName":[{"suffix":".png"}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-suffix-matching", `{"detail":{"FileName":[{"suffix":{"equals-ignore-case":".png"}}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but", `{"detail":{"state":[{"anything-but":"initializing"}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but", `{"detail":{"x-limit":[{"anything-but":123}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but", `{"detail":{"x-limit":[{"anything-but":[301.8,2]}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but", `{"detail":{"state":[{"anything-but":["stopped","overloaded"]}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but", `{"detail":{"missing":[{"anything-but":"a"}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but", `{"detail":{"nothing":[{"anything-but":"a"}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but-ignore-case", `{"detail":{"state":[{"anything-but":{"equals-ignore-case":"TERMINATED"}}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but-ignore-case", `{"detail":{"state":[{"anything-but":{"equals-ignore-case":["a","b"]}}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but-prefix", `{"detail":{"state":[{"anything-but":{"prefix":"init"}}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but-prefix", `{"detail":{"state":[{"anything-but":{"prefix":["init","term"]}}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but-suffix", `{"detail":{"FileName":[{"anything-but":{"suffix":".txt"}}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but-suffix", `{"detail":{"FileName":[{"anything-but":{"suffix":[".txt",".PNG"]}}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but-wildcard", `{"detail":{"FilePath":[{"anything-but":{"wildcard":"*/lib/*"}}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-anything-but-wildcard", `{"detail":{"FilePath":[{"anything-but":{"wildcard":["*/bin/*","*.java"]}}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-numeric-matching", `{"detail":{"c-count":[{"numeric":[">",0,"<=",5]}],"d-count":[{"numeric":["<",10]}],"x-limit":[{"numeric":["=",3.018e2]}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-numeric-matching", `{"detail":{"c-count":[{"numeric":[">",5]}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-numeric-matching", `{"detail":{"state":[{"numeric":[">",0]}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-ip-matching", `{"detail":{"source-ip":[{"cidr":"10.0.0.0/24"}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-ip-matching", `{"detail":{"source-ip":[{"cidr":"10.0.1.0/24"}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-exists-matching", `{"detail":{"c-count":[{"exists":true}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-exists-matching", `{"detail":{"e-count":[{"exists":false}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-exists-matching", `{"detail":[{"exists":true}]}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-exists-matching", `{"detail":{"nothing":[{"exists":true}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-exists-matching", `{"detail":{"none":[{"exists":true}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-equals-ignore-case-matching", `{"detail-type":[{"equals-ignore-case":"ec2 instance state-change notification"}]}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-wildcard-matching", `{"detail":{"FilePath":[{"wildcard":"dir/*.class"}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-wildcard-matching", `{"detail":{"FilePath":[{"wildcard":"*/bin/*"}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-wildcard-matching", `{"detail":{"FilePath":[{"wildcard":"dir/lib/file.class\\*"}]}}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-complex-example", `{"time":[{"prefix":"2017-12"}],"detail":{"state":[{"anything-but":"initializing"}],"d-count":[{"numeric":["<",10]}],"x-limit":[{"anything-but":[100,200,300]}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-complex-example-or", `{"detail":{"$or":[{"c-count":[{"numeric":[">",9]}]},{"d-count":[{"numeric":["<",10]}]},{"x-limit":[{"numeric":["=",3.018e1]}]}]}}`, true},
	{"eb-create-pattern-operators.html#eb-filtering-complex-example-or", `{"source":["aws.s3"],"$or":[{"region":["us-west-1"]},{"account":["111122223333"]}]}`, false},
	{"eb-create-pattern-operators.html#eb-filtering-complex-example-or", `{"$or":[{"region":["us-east-1"]},{"detail":{"$or":[{"state":["x"]},{"yes":[true]}]}}]}`, true},
	{"eb-event-patterns.html#eb-event-patterns-arrays", `{"resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-b","arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"]}`, true},
	{"eb-event-patterns.html#eb-event-patterns-null", `{"detail":{"empty":[""]}}`, true},
	{"eb-event-patterns.html#eb-event-patterns-null", `{"detail":{"nothing":[null]}}`, true},
	{"eb-event-patterns.html#eb-event-patterns-null", `{"detail":{"empty":[null]}}`, false},
	{"eb-event-patterns.html#eb-event-patterns-null", `{"detail":{"none":[null]}}`, false},
	{"eb-event-patterns.html#numbers, as the service has it", `{"detail":{"c-count":[5.0]}}`, true},
	{"eb-event-patterns.html#numbers, as the service has it", `{"detail":{"c-count":["5"]}}`, false},
	// Objects in arrays: fields must pass in the same element.
	{"objects in arrays", `{"detail":{"items":{"id":[2],"tags":["c"]}}}`, true},
	{"objects in arrays", `{"detail":{"items":{"id":[1],"tags":["c"]}}}`, false},
	{"objects in arrays", `{"detail":{"items":{"id":[1],"gone":[{"exists":false}]}}}`, true},
	{"objects in arrays", `{"detail":{"items":{"id":[2],"gone":[{"exists":false}]}}}`, false},
	{"objects in arrays", `{"detail":{"items":{"id":[{"exists":true}]},"state":["terminated"]}}`, true},
	// The later of two fields of one name counts, also through $or.
	{"named twice", `{"source":["x"],"$or":[{"source":["aws.ec2"]},{"region":["y"]}]}`, true},
}

func TestPattern(t *testing.T) {
	if !json.Valid([]byte(instance)) {
		t.Fatal("the event is no JSON")
	}
	for _, row := range patternRows {
		p, err := filter.ParsePattern(row.pattern)
		if err != nil {
			t.Errorf("%s%s: %s: %v", ebGuide, row.page, row.pattern, err)
			continue
		}
		if got := p.Matches([]byte(instance)); got != row.want {
			t.Errorf("%s%s: %s = %v", ebGuide, row.page, row.pattern, got)
		}
	}
}

func TestPatternSubtleties(t *testing.T) {
	for _, row := range []struct {
		pattern, event string
		want           bool
	}{
		{`{"a":["é\"\n"]}`, `{"a":"\u00e9\"\n"}`, true},
		{`{"\u0061":["x"]}`, `{"a":"x"}`, true},
		{`{"a":["x"]}`, `{"\u0061":"x"}`, true},
		{`{"a":[{"equals-ignore-case":"STRASSE"}]}`, `{"a":"strasse"}`, true},
		{`{"a":[{"prefix":{"equals-ignore-case":"ſ"}}]}`, `{"a":"Sun"}`, true},
		{`{"a":[9007199254740993]}`, `{"a":9007199254740992}`, false},
		{`{"a":[9007199254740993]}`, `{"a":9007199254740993}`, true},
		{`{"a":[{"numeric":["=",0]}]}`, `{"a":-0.0e5}`, true},
		{`{"a":[0]}`, `{"a":1e-400}`, false},
		{`{"a":["2001:db8::1"]}`, `{"a":"2001:0db8:0:0::1"}`, true},
		{`{"a":[{"cidr":"2001:db8::/32"}]}`, `{"a":"2001:db8:1::5"}`, true},
		{`{"a":[{"wildcard":"*a*b*"}]}`, `{"a":"xxaxxbxx"}`, true},
		{`{"a":[{"wildcard":"ab*ba"}]}`, `{"a":"aba"}`, false},
		{`{"a":[{"wildcard":"*"}]}`, `{"a":""}`, true},
		{`{"a":[{"wildcard":""}]}`, `{"a":"x"}`, false},
		{`{"a":[{"wildcard":"\\*\\\\*"}]}`, `{"a":"*\\anything"}`, true},
		{`{"a":{"b":["x"]}}`, `{"a.b":"x"}`, true},
		{`{"a":{"b":["x"]}}`, `{"a":"{\"b\":\"x\"}"}`, false},
		{`{"a":{"b":["x"],"c":["y"]}}`, `{"a":[[{"b":"x","c":"n"}],[{"b":"n","c":"y"},{"b":"x","c":"y"}]]}`, true},
		{`{"a":{"b":["x"],"c":["y"]}}`, `{"a":[[{"b":"x"}],[{"c":"y"}]]}`, false},
		{`{"a":{"b":["x"],"c":["y"]}}`, `{"a":[{"b":["n","x"],"c":["y","n"]}]}`, true},
		{`{"a":[{"exists":false},"x"]}`, `{"a":"y"}`, false},
		{`{"a":[{"exists":false}],"b":["x"]}`, `{"b":"x"}`, true},
		{`{"a":[{"exists":false}]}`, `{"a":{"b":1}}`, true},
		{`{"a":["x"]}`, `{"a":"x"`, false},
		{`{"a":["x"]}`, `{"a":"x",}`, false},
		{`{"a":["x"]}`, `{"a":"x"}}`, false},
		{`{"a":["x"]}`, `{"a":"x","b":tru}`, false},
		{`{"a":["x"]}`, "{\"a\":\"x\",\"b\":\"\n\"}", false},
		{`{"a":["x"]}`, `{"a":"x","b":"\q"}`, false},
		{`{"a":["x"]}`, `"a"`, false},
		{`{"a":["x"]}`, ``, false},
	} {
		p, err := filter.ParsePattern(row.pattern)
		if err != nil {
			t.Errorf("%s: %v", row.pattern, err)
			continue
		}
		if got := p.Matches([]byte(row.event)); got != row.want {
			t.Errorf("%s on %s = %v", row.pattern, row.event, got)
		}
	}
}

func TestPatternFaults(t *testing.T) {
	for pattern, want := range map[string]string{
		`{}`:                                                `Empty objects are not allowed`,
		`{"a":{}}`:                                          `Empty objects are not allowed`,
		`{"a":[]}`:                                          `Empty arrays are not allowed`,
		`{"a":1}`:                                           `"a" must be an object or an array`,
		`{"a":[["b"]]}`:                                     `Match value must be String, number, true, false, or null`,
		`{"a":[{"EXISTS":true}]}`:                           `Unrecognized match type EXISTS`,
		`{"a":[{"exists":"no"}]}`:                           `exists match pattern must be either true or false.`,
		`{"a":[{"prefix":1}]}`:                              `prefix match pattern must be a string`,
		`{"a":[{"prefix":"b","suffix":"c"}]}`:               `Only one key allowed in match expression`,
		`{"a":[{"suffix":{"prefix":"b"}}]}`:                 `Unsupported suffix pattern: prefix`,
		`{"a":[{"numeric":10}]}`:                            `Value of numeric must be an array.`,
		`{"a":[{"numeric":[]}]}`:                            `Invalid member in numeric match: ]`,
		`{"a":[{"numeric":["~",1]}]}`:                       `Unrecognized numeric range operator: ~`,
		`{"a":[{"numeric":["=","1"]}]}`:                     `Value of equals must be numeric`,
		`{"a":[{"numeric":[">",0,">",1]}]}`:                 `Bad numeric range operator: >`,
		`{"a":[{"numeric":["<",9,">",1]}]}`:                 `Too many elements in numeric expression`,
		`{"a":[{"numeric":[">",0,"<",9,"<",8]}]}`:           `Too many terms in numeric range expression`,
		`{"a":[{"wildcard":"b**"}]}`:                        `Consecutive wildcard characters at pos 2`,
		`{"a":[{"wildcard":"\\b"}]}`:                        `Invalid escape character at pos 1`,
		`{"a":[{"cidr":"xx.11/8"}]}`:                        `Nonstandard IP address: xx.11`,
		`{"a":[{"cidr":"10.0.0.0/b"}]}`:                     `Malformed CIDR, mask bits must be an integer`,
		`{"a":[{"anything-but":null}]}`:                     `Value of anything-but must be an array or single string/number value.`,
		`{"a":[{"anything-but":["b",1]}]}`:                  `Inside anything but list, either all values are number or string, mixed type is not supported`,
		`{"a":[{"anything-but":["b",null]}]}`:               `Inside anything but list, start|null|boolean is not supported.`,
		`{"a":[{"anything-but":{"prefix":""}}]}`:            `Null prefix/suffix not allowed`,
		`{"a":[{"anything-but":{"equals-ignore-case":1}}]}`: `Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.`,
		`{"$or":[{"a":[1]}]}`:                               `There must have at least 2 Objects in $or relationship.`,
		`{"$or":["a","b"]}`:                                 `Only JSON object is allowed in array of $or relationship.`,
		`{"$or":{"a":[1]}}`:                                 `It must be an Array followed with $or.`,
		`{"$or":[{"prefix":["a"]},{"b":[1]}]}`:              `prefix is Ruler reserved fieldName which cannot be used inside $or.`,
		`this is no JSON`:                                   `Unrecognized token 'this': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')`,
		`{'a': 'b'}`:                                        `Unexpected character (''' (code 39)): was expecting double-quote to start field name`,
		`["a"]`:                                             `Filter is not an object`,
		`{"a":[1]} {}`:                                      `Unexpected character ('{' (code 123)) after the end of the JSON object`,
		`{` + strings.Repeat(`"$or":[{"a":[1]},{"b":[1]}],`, 10) + `"c":[1]}`: `Rule is too complex`,
		strings.Repeat(`{"a":`, 1001):                                         `Document nesting depth exceeds the maximum allowed`,
	} {
		_, err := filter.ParsePattern(pattern)
		if want = "Event pattern is not valid. Reason: " + want; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.80s:\n got %v\nwant %s", pattern, err, want)
		}
	}
}

func TestCriteria(t *testing.T) {
	// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
	record := []byte(`{"messageId":"1","body":{"RecordNumber":1000,"AskPrice":123.79,"Location":"New York"}}`)
	for pattern, want := range map[string]bool{
		`{"body":{"RecordNumber":[{"numeric":[">=",900,"<=",1100]}]}}`:     true,
		`{"body":{"Location":["New York"],"AskPrice":[{"exists":true}]}}`:  true,
		`{"body":{"Location":[{"anything-but":["Los Angeles"]}]}}`:         true,
		`{"body":{"$or":[{"Location":["Rome"]},{"RecordNumber":[1000]}]}}`: true,
		`{"body":{"Location":[{"prefix":"Old"}]}}`:                         false,
		`{"body":["plain text"]}`:                                          false,
		`{}`:                                                               true,
	} {
		p, err := filter.ParseCriteria(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		if got := p.Matches(record); got != want {
			t.Errorf("%s = %v", pattern, got)
		}
	}
	for _, pattern := range []string{`{"body":[{"cidr":"10.0.0.0/8"}]}`, `{"body":[{"wildcard":"a*"}]}`, `{"body":[{"anything-but":{"prefix":"a"}}]}`, `{"body":"a"}`} {
		if _, err := filter.ParseCriteria(pattern); err == nil || !strings.HasPrefix(err.Error(), "Invalid filter pattern definition. ") {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

// TestHardArrays holds the search for elements that agree to its bound.
func TestHardArrays(t *testing.T) {
	array := `[` + strings.Repeat(`{"b":1,"c":2},`, 200) + `{}]`
	event := `{"p":` + array + `,"q":` + array + `,"r":` + array + `,"s":[{"x":1},{"y":1}]}`
	p, err := filter.ParsePattern(`{"p":{"b":[1]},"q":{"b":[1]},"r":{"b":[1]},"s":{"x":[1],"y":[1]}}`)
	if err != nil {
		t.Fatal(err)
	}
	if p.Matches([]byte(event)) {
		t.Error("fields of different elements passed")
	}
}

// FuzzPattern looks for panics, and for verdicts on what is not JSON.
func FuzzPattern(f *testing.F) {
	for _, row := range patternRows {
		f.Add(row.pattern, instance)
	}
	f.Fuzz(func(t *testing.T, pattern, event string) {
		for _, parse := range []func(string) (*filter.Pattern, error){filter.ParsePattern, filter.ParseCriteria} {
			p, err := parse(pattern)
			if err != nil {
				continue
			}
			if !json.Valid([]byte(pattern)) {
				t.Errorf("%q was taken, and is no JSON", pattern)
			}
			if p.Matches([]byte(event)) && !json.Valid([]byte(event)) {
				t.Errorf("%q passed, and is no JSON", event)
			}
		}
	})
}

// FuzzPolicy looks for panics in the front end of SNS.
func FuzzPolicy(f *testing.F) {
	for _, row := range attributeRows {
		f.Add(`{"key":`+row.policy+`}`, row.attribute.DataType, row.attribute.StringValue, `{"key":"a"}`)
	}
	f.Fuzz(func(t *testing.T, policy, kind, value, body string) {
		for _, scope := range []filter.Scope{filter.MessageAttributes, filter.MessageBody} {
			p, err := filter.ParsePolicy(policy, scope)
			if err == nil {
				p.Matches(map[string]filter.Attribute{"key": {DataType: kind, StringValue: value}}, []byte(body))
			}
		}
	})
}

func BenchmarkPattern(b *testing.B) {
	event := []byte(instance)
	for name, pattern := range map[string]string{
		"exact":  `{"source":["aws.ec2"],"detail":{"state":["terminated"]}}`,
		"many":   patternRows[len(patternRows)-18].pattern,
		"arrays": `{"detail":{"items":{"id":[2],"tags":["c"]}}}`,
	} {
		p, err := filter.ParsePattern(pattern)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(event)))
			b.ReportAllocs()
			for b.Loop() {
				p.Matches(event)
			}
		})
	}
}

func BenchmarkPolicy(b *testing.B) {
	p, err := filter.ParsePolicy(`{"store":["example_corp"],"event":[{"anything-but":"order_cancelled"}],"price_usd":[{"numeric":[">=",100]}]}`, filter.MessageAttributes)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Matches(purchase, nil)
	}
}
