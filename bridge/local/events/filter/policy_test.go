package filter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bailey-cdk/bailey/bridge/local/events/filter"
)

// text, num and list are message attributes.
func text(s string) filter.Attribute { return filter.Attribute{DataType: "String", StringValue: s} }
func num(s string) filter.Attribute  { return filter.Attribute{DataType: "Number", StringValue: s} }
func list(s string) filter.Attribute {
	return filter.Attribute{DataType: "String.Array", StringValue: s}
}

const snsGuide = "https://docs.aws.amazon.com/sns/latest/dg/"

// attributeRows are the examples of SNS's guide, row by row, for attributes.
var attributeRows = []struct {
	page, policy string
	attribute    filter.Attribute
	want         bool
}{
	{"string-value-matching.html#string-exact-matching", `["rugby","tennis"]`, text("rugby"), true},
	{"string-value-matching.html#string-exact-matching", `["rugby","tennis"]`, text("tennis"), true},
	{"string-value-matching.html#string-exact-matching", `["rugby","tennis"]`, list(`["rugby","tennis"]`), true},
	{"string-value-matching.html#string-exact-matching", `["rugby","tennis"]`, text("baseball"), false},
	{"string-value-matching.html#string-exact-matching", `["rugby","tennis"]`, list(`["baseball"]`), false},
	{"string-value-matching.html#string-anything-but-matching", `[{"anything-but":["rugby","tennis"]}]`, text("baseball"), true},
	{"string-value-matching.html#string-anything-but-matching", `[{"anything-but":["rugby","tennis"]}]`, text("football"), true},
	{"string-value-matching.html#string-anything-but-matching", `[{"anything-but":["rugby","tennis"]}]`, list(`["rugby","baseball"]`), true},
	{"string-value-matching.html#string-anything-but-matching", `[{"anything-but":["rugby","tennis"]}]`, text("rugby"), false},
	{"string-value-matching.html#string-anything-but-matching", `[{"anything-but":["rugby","tennis"]}]`, list(`["rugby"]`), false},
	{"string-value-matching.html#string-anything-but-matching-prefix", `[{"anything-but":{"prefix":"order-"}}]`, text("data-entry"), true},
	{"string-value-matching.html#string-anything-but-matching-prefix", `[{"anything-but":{"prefix":"order-"}}]`, text("order_number"), true},
	{"string-value-matching.html#string-anything-but-matching-prefix", `[{"anything-but":{"prefix":"order-"}}]`, text("order-cancelled"), false},
	{"string-value-matching.html#string-equals-ignore", `[{"equals-ignore-case":"tennis"}]`, text("TENNIS"), true},
	{"string-value-matching.html#string-equals-ignore", `[{"equals-ignore-case":"tennis"}]`, text("Tennis"), true},
	{"string-value-matching.html#string-equals-ignore", `[{"equals-ignore-case":"tennis"}]`, text("rugby"), false},
	{"string-value-matching.html#ip-address-matching", `[{"cidr":"10.0.0.0/24"}]`, text("10.0.0.0"), true},
	{"string-value-matching.html#ip-address-matching", `[{"cidr":"10.0.0.0/24"}]`, text("10.0.0.255"), true},
	{"string-value-matching.html#ip-address-matching", `[{"cidr":"10.0.0.0/24"}]`, text("10.1.1.0"), false},
	{"string-value-matching.html#string-prefix-matching", `[{"prefix":"bas"}]`, text("baseball"), true},
	{"string-value-matching.html#string-prefix-matching", `[{"prefix":"bas"}]`, text("basketball"), true},
	{"string-value-matching.html#string-prefix-matching", `[{"prefix":"bas"}]`, text("rugby"), false},
	{"string-value-matching.html#string-suffix-matching", `[{"suffix":"ball"}]`, text("baseball"), true},
	{"string-value-matching.html#string-suffix-matching", `[{"suffix":"ball"}]`, text("rugby"), false},
	{"numeric-value-matching.html#numeric-exact-matching", `[{"numeric":["=",301.5]}]`, num("301.5"), true},
	{"numeric-value-matching.html#numeric-exact-matching", `[{"numeric":["=",301.5]}]`, num("3.015e2"), true},
	{"numeric-value-matching.html#numeric-anything-but-matching", `[{"anything-but":[100,500]}]`, num("101"), true},
	{"numeric-value-matching.html#numeric-anything-but-matching", `[{"anything-but":[100,500]}]`, num("100.1"), true},
	{"numeric-value-matching.html#numeric-anything-but-matching", `[{"anything-but":[100,500]}]`, filter.Attribute{DataType: "Number.Array", StringValue: "[100, 50]"}, true},
	{"numeric-value-matching.html#numeric-anything-but-matching", `[{"anything-but":[100,500]}]`, num("100"), false},
	{"numeric-value-matching.html#numeric-value-range-matching", `[{"numeric":["<",0]}]`, num("-0.5"), true},
	{"numeric-value-matching.html#numeric-value-range-matching", `[{"numeric":["<",0]}]`, num("0"), false},
	{"numeric-value-matching.html#numeric-value-range-matching", `[{"numeric":[">",0,"<=",150]}]`, num("150"), true},
	{"numeric-value-matching.html#numeric-value-range-matching", `[{"numeric":[">",0,"<=",150]}]`, num("0"), false},
	{"numeric-value-matching.html#numeric-value-range-matching", `[{"numeric":[">",0,"<=",150]}]`, num("150.01"), false},
	{"attribute-key-matching.html", `[{"exists":true}]`, text("fan"), true},
	{"attribute-key-matching.html", `[{"exists":false}]`, text("fan"), false},
	{"and-or-logic.md#or-logic", `["rugby","football",{"prefix":"bas"}]`, text("basketball"), true},
	{"subscription-filter-policy-constraints.html", `["x"]`, filter.Attribute{DataType: "Binary", StringValue: "x"}, false},
	{"subscription-filter-policy-constraints.html", `[{"exists":false}]`, filter.Attribute{DataType: "Binary", StringValue: "x"}, true},
	{"subscription-filter-policy-constraints.html", `["Rugby"]`, text("rugby"), false},
	// A number and a string of the same digits differ.
	{"numeric-value-matching.html", `[100]`, text("100"), false},
	{"numeric-value-matching.html", `["100"]`, num("100"), false},
	{"numeric-value-matching.html", `[{"prefix":"1"}]`, num("100"), false},
	// Arrays hold strings, numbers, true, false and null.
	{"sns-message-attributes.html", `[true]`, list(`["a",true]`), true},
	{"sns-message-attributes.html", `[null]`, list(`[null]`), true},
	{"sns-message-attributes.html", `[7]`, list(`["a",7]`), true},
	{"sns-message-attributes.html", `[{"exists":true}]`, list(`[]`), false},
	{"sns-message-attributes.html", `["a"]`, list(`not JSON`), false},
}

func TestPolicyOnAttributes(t *testing.T) {
	for _, row := range attributeRows {
		p, err := filter.ParsePolicy(`{"key":`+row.policy+`}`, filter.MessageAttributes)
		if err != nil {
			t.Errorf("%s%s: %s: %v", snsGuide, row.page, row.policy, err)
			continue
		}
		attributes := map[string]filter.Attribute{"key": row.attribute, "other": text("rugby")}
		if got := p.Matches(attributes, nil); got != row.want {
			t.Errorf("%s%s: %s on %+v = %v", snsGuide, row.page, row.policy, row.attribute, got)
		}
	}
}

// purchase is the message of the guide's and-or-logic page.
var purchase = map[string]filter.Attribute{
	"customer_interests": list(`["soccer","rugby","hockey"]`),
	"store":              text("example_corp"),
	"event":              text("order_placed"),
	"price_usd":          num("210.75"),
}

func TestPolicyOnPurchase(t *testing.T) {
	for _, row := range []struct {
		policy string
		want   bool
	}{
		// https://docs.aws.amazon.com/sns/latest/dg/example-filter-policies.html
		{`{"store":["example_corp"],"event":[{"anything-but":"order_cancelled"}],"customer_interests":["rugby","football","baseball"],"price_usd":[{"numeric":[">=",100]}]}`, true},
		{`{"store":["example_corp"],"event":["order_cancelled"],"encrypted":[false],"customer_interests":["basketball","baseball"]}`, false},
		// https://docs.aws.amazon.com/sns/latest/dg/and-or-logic.html
		{`{"customer_interests":["rugby"],"price_usd":[{"numeric":[">",100]}]}`, true},
		{`{"store":["example_corp"],"$or":[{"event":["order_cancelled"]},{"price_usd":[{"numeric":[">",200]}]}]}`, true},
		{`{"store":["example_corp"],"$or":[{"event":["order_cancelled"]},{"price_usd":[{"numeric":["<",200]}]}]}`, false},
		{`{"$or":[{"event":["x"]},{"store":["example_corp"],"$or":[{"price_usd":[210.75]},{"price_usd":[1]}]}]}`, true},
		// https://docs.aws.amazon.com/sns/latest/dg/attribute-key-matching.html
		{`{"store":[{"exists":true}],"missing":[{"exists":false}]}`, true},
		{`{"missing":[{"anything-but":"a"}]}`, false},
		{`{"missing":[{"anything-but":"a"},{"exists":false}]}`, true},
		{`{}`, true},
	} {
		p, err := filter.ParsePolicy(row.policy, filter.MessageAttributes)
		if err != nil {
			t.Fatalf("%s: %v", row.policy, err)
		}
		if got := p.Matches(purchase, []byte("no JSON")); got != row.want {
			t.Errorf("%s = %v", row.policy, got)
		}
	}
}

func TestPolicyOnBody(t *testing.T) {
	body := `{"store":"example_corp","event":"order_placed","encrypted":false,"note":null,"price":{"usd":210.75},
		"customer_interests":["soccer","rugby"],"items":[{"sku":"a","left":0},{"sku":"b","left":4}]}`
	for _, row := range []struct {
		policy, body string
		want         bool
	}{
		// https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
		{`{"store":["example_corp"],"event":[{"anything-but":"order_cancelled"}]}`, body, true},
		{`{"price":{"usd":[{"numeric":[">=",100]}]}}`, body, true},
		{`{"price.usd":[210.75]}`, body, true},
		{`{"price":[210.75]}`, body, false},
		{`{"encrypted":[false]}`, body, true},
		{`{"encrypted":["false"]}`, body, false},
		{`{"note":[null]}`, body, true},
		{`{"note":[{"exists":true}]}`, body, true},
		{`{"price":[{"exists":true}]}`, body, false},
		{`{"customer_interests":[{"anything-but":["soccer"]}]}`, body, true},
		{`{"items":{"sku":["b"],"left":[4]}}`, body, true},
		{`{"items":{"sku":["a"],"left":[4]}}`, body, false},
		// Where a message is no JSON object, only the empty policy passes.
		{`{"store":[{"exists":false}]}`, `plain text`, false},
		{`{"store":[{"exists":false}]}`, `["a"]`, false},
		{`{"store":[{"exists":false}]}`, `{"a":1} {"b":1}`, false},
		{`{"store":[{"exists":false}]}`, `{"a":01}`, false},
		{`{}`, `plain text`, true},
	} {
		p, err := filter.ParsePolicy(row.policy, filter.MessageBody)
		if err != nil {
			t.Fatalf("%s: %v", row.policy, err)
		}
		if got := p.Matches(nil, []byte(row.body)); got != row.want {
			t.Errorf("%s on %s = %v", row.policy, row.body, got)
		}
	}
}

func TestPolicyFaults(t *testing.T) {
	values := func(n int) string { return `["v` + strings.Repeat(`","v`, n-1) + `"]` }
	for _, row := range []struct {
		policy string
		scope  filter.Scope
		want   string
	}{
		{`{"a":[]}`, filter.MessageAttributes, "FilterPolicy: Empty arrays are not allowed\n" + ` at [Source: (String)"{"a":[]}"; line: 1, column: 8]`},
		{`{"a":"b"}`, filter.MessageAttributes, `FilterPolicy: "a" must be an object or an array` + "\n" + ` at [Source: (String)"{"a":"b"}"; line: 1, column: 7]`},
		{"{\n \"a\": [{\"is\": 1}]}", filter.MessageBody, "FilterPolicy: Unrecognized match type is\n" + " at [Source: (String)\"{\n \"a\": [{\"is\": 1}]}\"; line: 2, column: 16]"},
		{`{"a":[{"wildcard":"b*"}]}`, filter.MessageAttributes, "FilterPolicy: Unrecognized match type wildcard"},
		{`{"a":[{"anything-but":{"suffix":"b"}}]}`, filter.MessageAttributes, "FilterPolicy: Unsupported anything-but pattern: suffix"},
		{`{"a":[{"numeric":[">",3,"<",1]}]}`, filter.MessageAttributes, "FilterPolicy: Bottom must be less than top"},
		{`{"a":[{"cidr":"10.0.0.0"}]}`, filter.MessageAttributes, "FilterPolicy: Malformed CIDR, one '/' required"},
		{`{"a":{"b":["c"]}}`, filter.MessageAttributes, "Filter policy scope MessageAttributes does not support nested filter policy"},
		{`{"a":["b"]}`, "Message", "FilterPolicyScope: Invalid value [Message]. Please use either MessageBody or MessageAttributes"},
		{`{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}`, filter.MessageAttributes, "FilterPolicy: Filter policy can not have more than 5 keys"},
		{`{"a":` + values(15) + `,"b":` + values(11) + `}`, filter.MessageAttributes, "FilterPolicy: Filter policy is too complex"},
		{`{"a":{"b":` + values(15) + `,"c":` + values(3) + `}}`, filter.MessageBody, "FilterPolicy: Filter policy is too complex"},
		{`{"a":["b"]`, filter.MessageAttributes, "FilterPolicy: failed to parse JSON. "},
		{`["a"]`, filter.MessageAttributes, "FilterPolicy: Filter is not an object"},
		{`{"a":["` + strings.Repeat("b", 256*1024) + `"]}`, filter.MessageAttributes, "FilterPolicy: Filter policy is too long"},
	} {
		_, err := filter.ParsePolicy(row.policy, row.scope)
		if err == nil || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%.80s:\n got %v\nwant %s", row.policy, err, row.want)
		}
	}
	// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html:
	// 3 x 4 levels x 3 x 3 levels = 108, and 15 x 10 = 150 just fits.
	for _, policy := range []string{
		`{"a":{"b":{"c":{"d":` + values(3) + `}},"e":{"f":` + values(3) + `}}}`,
		`{"a":` + values(15) + `,"b":` + values(10) + `}`,
	} {
		if _, err := filter.ParsePolicy(policy, filter.MessageBody); err != nil {
			t.Errorf("%s: %v", policy, err)
		}
	}
}

func ExampleParsePolicy() {
	policy, err := filter.ParsePolicy(`{"store": [{"prefix": "example"}]}`, filter.MessageAttributes)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(policy.Matches(map[string]filter.Attribute{"store": {DataType: "String", StringValue: "example_corp"}}, nil))
	// Output: true
}
