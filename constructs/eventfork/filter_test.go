package eventfork

import (
	"math"
	"strings"
	"testing"
)

// Every operator is written as SNS and EventBridge take it.
func TestFilterText(t *testing.T) {
	for _, c := range []struct {
		filter Filter
		want   string
	}{
		{Filter{}, `{}`},
		{MatchAttributes(Where("a", Is("x", "y"))), `{"a":["x","y"]}`},
		{MatchAttributes(Where("a", Is("x"), Prefix("p"), Missing())), `{"a":["x",{"prefix":"p"},{"exists":false}]}`},
		{MatchAttributes(Where("a", IsNumber(1, 2.5))), `{"a":[{"numeric":["=",1]},{"numeric":["=",2.5]}]}`},
		{MatchBody(Where("a", IsBool(true), IsNull())), `{"a":[true,null]}`},
		{MatchAttributes(Where("a", Suffix("s"), IgnoreCase("i"))), `{"a":[{"suffix":"s"},{"equals-ignore-case":"i"}]}`},
		{MatchAttributes(Where("a", PrefixIgnoreCase("p"), SuffixIgnoreCase("s"))), `{"a":[{"prefix":{"equals-ignore-case":"p"}},{"suffix":{"equals-ignore-case":"s"}}]}`},
		{MatchAttributes(Where("a", IP("10.0.0.0/24"), Exists())), `{"a":[{"cidr":"10.0.0.0/24"},{"exists":true}]}`},
		{MatchAttributes(Where("a", Not("x", "y"), NotNumber(1), NotPrefix("p"))), `{"a":[{"anything-but":["x","y"]},{"anything-but":[1]},{"anything-but":{"prefix":"p"}}]}`},
		{MatchAttributes(Where("a", Numbers(Above(1)), Numbers(AtLeast(1)), Numbers(Below(1)), Numbers(AtMost(1)))), `{"a":[{"numeric":[">",1]},{"numeric":[">=",1]},{"numeric":["<",1]},{"numeric":["<=",1]}]}`},
		{MatchAttributes(Where("a", Numbers(Above(0), AtMost(150)))), `{"a":[{"numeric":[">",0,"<=",150]}]}`},
		{MatchBody(Within("a", Within("b", Where("c", Is("x"))), Where("d", Is("y")))), `{"a":{"b":{"c":["x"]},"d":["y"]}}`},
		{MatchAttributes(Where("s", Is("x")), AnyOf(Where("a", Is("x")), All(Where("b", Is("y")), Where("c", Is("z"))))), `{"$or":[{"a":["x"]},{"b":["y"],"c":["z"]}],"s":["x"]}`},
		{MatchEvent(Where("source", Wildcard("shop.*")), Within("detail", Where("a", NotSuffix("x")))), `{"detail":{"a":[{"anything-but":{"suffix":"x"}}]},"source":[{"wildcard":"shop.*"}]}`},
	} {
		if got := c.filter.String(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		if found := c.filter.check(c.filter.scope == envelope); len(found) > 0 {
			t.Errorf("%s: %q", c.want, found)
		}
	}
}

func TestFilterMistakes(t *testing.T) {
	six := make([]Condition, 6)
	for i := range six {
		six[i] = Where(string(rune('a'+i)), Is("x"))
	}
	values := strings.Fields(strings.Repeat("x ", 13))
	for _, c := range []struct {
		filter Filter
		bus    bool
		want   string
	}{
		{MatchAttributes(), false, "no conditions"},
		{MatchAttributes(Where("a", Is("x"))), true, "MatchAttributes is of a topic"},
		{MatchEvent(Where("a", Is("x"))), false, "MatchEvent is of a bus"},
		{MatchAttributes(six...), false, "6 fields: SNS allows 5"},
		{MatchAttributes(Where("a", Is(values...)), Where("b", Is(values...))), false, "SNS allows 150"},
		{MatchAttributes(Where("a", Is("x")), Where("a", Is("y"))), false, `names "a" twice`},
		{MatchAttributes(Where("", Is("x"))), false, `Where("") needs`},
		{MatchAttributes(Where("a")), false, `Where("a") needs`},
		{MatchAttributes(Where("a", Is())), false, "Is needs a value"},
		{MatchAttributes(Where("a", IsNumber())), false, "IsNumber needs"},
		{MatchAttributes(Where("a", Not())), false, "Not needs"},
		{MatchAttributes(Where("a", NotNumber())), false, "NotNumber needs"},
		{MatchAttributes(Where("a", IsNumber(2e9))), false, "2e+09 can't be compared"},
		{MatchAttributes(Where("a", Numbers(AtLeast(math.NaN())))), false, "NaN can't be compared"},
		{MatchAttributes(Where("a", Numbers())), false, "Numbers has 0 bounds"},
		{MatchAttributes(Where("a", Numbers(AtMost(1), AtLeast(0)))), false, "lower bound first"},
		{MatchAttributes(Where("a", Numbers(AtLeast(2), AtMost(1)))), false, "Numbers from 2 to 1 are none"},
		{MatchAttributes(Where("a", IP("10.0.0.1"))), false, `IP("10.0.0.1") is no network`},
		{MatchAttributes(Where("a", Wildcard("*"))), false, "EventBridge has and SNS has not"},
		{MatchAttributes(Within("a", Where("b", Is("x")))), false, "use MatchBody"},
		{MatchBody(Within("a")), false, `Within("a") needs`},
		{MatchBody(AnyOf(Where("a", Is("x")))), false, "at least two"},
		{MatchBody(All(Where("a", Is("x")))), false, "for the alternatives of AnyOf"},
		{MatchBody(AnyOf(All(), Where("a", Is("x")))), false, "All has no conditions"},
		{MatchBody(AnyOf(Where("a", Is("x")), Where("b", Is("x"))), AnyOf(Where("c", Is("x")), Where("d", Is("x")))), false, "two AnyOf"},
	} {
		found := strings.Join(c.filter.check(c.bus), "\n")
		if !strings.Contains(found, c.want) {
			t.Errorf("%s: found %q, want %q", c.filter, found, c.want)
		}
	}
}
