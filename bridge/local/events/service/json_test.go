package service

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// awkward has what is escaped, at each place of a group of eight bytes.
func awkward() (texts []string) {
	for _, c := range []string{`"`, `\`, "\n", "\r", "\t", "\x00", "\x1f", " ", "!", "#", "[", "]", "\x7f", "é", "\u2028", "\xff", "😀"} {
		for before := range 18 {
			texts = append(texts, strings.Repeat("x", before)+c, strings.Repeat("x", before)+c+"yyyyyyyyy", strings.Repeat(c, before))
		}
	}
	return texts
}

func checkJSON(t *testing.T, text string) {
	t.Helper()
	for _, quoted := range [][]byte{AppendJSON([]byte("["), text), AppendJSON([]byte("["), []byte(text))} {
		var got []string
		if err := json.Unmarshal(append(quoted, ']'), &got); err != nil || got[0] != strings.ToValidUTF8(text, "\uFFFD") && utf8.ValidString(text) {
			t.Errorf("%q becomes %s: %v", text, quoted, err)
		}
	}
	n := Plain([]byte(text))
	for _, c := range []byte(text[:n]) {
		if c < 0x20 || c >= utf8.RuneSelf {
			t.Errorf("%q: %d bytes are told to be plain", text, n)
		}
	}
}

func TestAppendJSON(t *testing.T) {
	for _, text := range awkward() {
		checkJSON(t, text)
	}
	if got := string(AppendJSON(nil, "0123456789\"abc\\\n\x01<é>")); got != `"0123456789\"abc\\\n\u0001<é>"` {
		t.Error(got)
	}
	if n := Plain([]byte("0123456789abcdef0")); n != 16 {
		t.Errorf("%d plain bytes, want 16", n)
	}
}

func FuzzAppendJSON(f *testing.F) {
	for _, text := range awkward() {
		f.Add(text)
	}
	f.Fuzz(checkJSON)
}
