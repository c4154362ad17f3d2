package service

import (
	"encoding/binary"
	"encoding/json"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendJSON appends a text as a JSON string. It escapes what it must and no
// more, and takes a fraction of the time of encoding/json, which makes most of
// the difference where messages are wrapped. Bytes that are not UTF-8 become
// U+FFFD, as there.
func AppendJSON[T string | []byte](b []byte, text T) []byte {
	if !valid(text) {
		quoted, _ := json.Marshal(string(text)) // never fails
		return append(b, quoted...)
	}
	b = append(b, '"')
	start := 0
	for i := range len(text) {
		c := text[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(b, text[start:]...), '"')
}

// Plain is how many bytes at the beginning of text, at least, are ASCII and no control
// characters below the space. It looks at eight at a time.
func Plain(text []byte) (n int) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; n+8 <= len(text); n += 8 {
		x := binary.LittleEndian.Uint64(text[n:])
		if (x|(x-0x20*ones))&highs != 0 {
			break
		}
	}
	return n
}

func valid[T string | []byte](text T) bool {
	switch text := any(text).(type) {
	case string:
		return utf8.ValidString(text)
	case []byte:
		return utf8.Valid(text)
	}
	return false
}
