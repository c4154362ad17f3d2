package lazyregexp

import "testing"

func TestMatchString(t *testing.T) {
	r := New("^a{2,3}$")
	for text, want := range map[string]bool{"a": false, "aa": true, "aaa": true, "aaaa": false} {
		if got := r.MatchString(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestBadExpression(t *testing.T) {
	r := New("(") // not before it is used
	defer func() {
		if recover() == nil {
			t.Error("took what is no regular expression")
		}
	}()
	r.MatchString("")
}
