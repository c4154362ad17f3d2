package dynamodb

import (
	"encoding/base64"
	"strings"
)

// size is about how many bytes DynamoDB counts for an item. See "DynamoDB item
// sizes and formats" in the Amazon DynamoDB Developer Guide.
func size(i item) int {
	n := 0
	for name, value := range i {
		n += len(name) + valueSize(value)
	}
	return n
}

func valueSize(value any) int {
	typed, _ := value.(map[string]any)
	for kind, v := range typed {
		switch v := v.(type) {
		case string:
			return scalarSize(kind, v)
		case []any:
			n := 0
			for _, e := range v {
				if text, ok := e.(string); ok {
					n += scalarSize(kind[:1], text)
				} else {
					n += valueSize(e) + 1
				}
			}
			if kind == "L" {
				n += 3
			}
			return n
		case map[string]any:
			return size(v) + 3 + len(v)
		}
	}
	return 1 // a Boolean or null
}

func scalarSize(kind, text string) int {
	switch kind {
	case "N":
		return (len(strings.Trim(text, "-.0"))+1)/2 + 1
	case "B":
		return base64.StdEncoding.DecodedLen(len(strings.TrimRight(text, "=")))
	}
	return len(text)
}
