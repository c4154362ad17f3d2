package firehose

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/bailey-cdk/bailey/bridge/local/events/service"
)

// expression is "!{namespace:value}".
var expression = regexp.MustCompile(`!\{([A-Za-z]+):([^}]*)\}`)

// defaultTimestamp is what a prefix without a time gets.
const defaultTimestamp = "!{timestamp:yyyy/MM/dd/HH/}"

// checkPrefixes holds prefixes to Firehose's rules:
// https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html#prefix-rules
func checkPrefixes(prefix, errorPrefix string) error {
	has := expression.MatchString
	switch {
	case strings.Contains(prefix, "error-output-type"):
		return fmt.Errorf("its Prefix must not contain !{firehose:error-output-type}")
	case has(prefix) && errorPrefix == "":
		return fmt.Errorf("its ErrorOutputPrefix can't be null when Prefix contains expressions")
	case has(errorPrefix) && !strings.Contains(errorPrefix, "!{firehose:error-output-type}"):
		return fmt.Errorf("its ErrorOutputPrefix must contain !{firehose:error-output-type}")
	case strings.Contains(errorPrefix, "!{partitionKeyFrom"):
		return fmt.Errorf("its ErrorOutputPrefix must not contain partition keys")
	}
	for _, text := range []string{prefix, errorPrefix} {
		if strings.Contains(expression.ReplaceAllString(text, ""), "!{") {
			return fmt.Errorf("its prefix %q has an expression that is none", text)
		}
		if _, err := evaluate(text, time.Unix(0, 0), "x", nil); err != nil {
			return err
		}
	}
	return nil
}

// prefixAt is where objects of a time go. failure is the error output type, ""
// for what succeeded.
func (c *s3Config) prefixAt(at time.Time, failure string, keys map[string]string) (string, error) {
	text := c.prefix
	switch {
	case failure == "":
		if !strings.Contains(text, "!{timestamp:") {
			text += defaultTimestamp
		}
	case c.errorPrefix == "":
		text += "!{firehose:error-output-type}/" + defaultTimestamp
	case !expression.MatchString(c.errorPrefix):
		text = c.errorPrefix + "!{firehose:error-output-type}/" + defaultTimestamp
	default:
		text = c.errorPrefix
	}
	return evaluate(text, at.In(c.zone), failure, keys)
}

// evaluate replaces the expressions of a prefix. keys are the partition keys of
// a record, as "query:name" and "lambda:name"; nil leaves them empty.
func evaluate(text string, at time.Time, failure string, keys map[string]string) (string, error) {
	var fault error
	out := expression.ReplaceAllStringFunc(text, func(match string) string {
		m := expression.FindStringSubmatch(match)
		switch namespace, value := m[1], m[2]; {
		case namespace == "timestamp":
			formatted, err := formatTime(value, at)
			if err != nil {
				fault = err
			}
			return formatted
		case namespace == "firehose" && value == "random-string":
			return service.NewID()[:11]
		case namespace == "firehose" && value == "error-output-type":
			return failure
		case namespace == "partitionKeyFromQuery" || namespace == "partitionKeyFromLambda":
			key, ok := keys[strings.ToLower(strings.TrimPrefix(namespace, "partitionKeyFrom"))+":"+value]
			if keys != nil && !ok {
				fault = fmt.Errorf("the record has no partition key %s", value)
			}
			return key
		}
		fault = fmt.Errorf("the expression %s is none", match)
		return ""
	})
	return out, fault
}

// letters are the letters of Java's DateTimeFormatter that make sense in a key.
// Each gets the time and how often the letter stands.
var letters = map[byte]func(t time.Time, n int) string{
	'y': year, 'u': year, 'Y': func(t time.Time, n int) string { y, _ := t.ISOWeek(); return padded(y, n) },
	'M': month, 'L': month,
	'd': func(t time.Time, n int) string { return padded(t.Day(), n) },
	'D': func(t time.Time, n int) string { return padded(t.YearDay(), n) },
	'H': func(t time.Time, n int) string { return padded(t.Hour(), n) },
	'k': func(t time.Time, n int) string { return padded((t.Hour()+23)%24+1, n) },
	'h': func(t time.Time, n int) string { return padded((t.Hour()+11)%12+1, n) },
	'K': func(t time.Time, n int) string { return padded(t.Hour()%12, n) },
	'm': func(t time.Time, n int) string { return padded(t.Minute(), n) },
	's': func(t time.Time, n int) string { return padded(t.Second(), n) },
	'S': func(t time.Time, n int) string { return fmt.Sprintf("%09d", t.Nanosecond())[:min(n, 9)] },
	'w': func(t time.Time, n int) string { _, w := t.ISOWeek(); return padded(w, n) },
	'e': func(t time.Time, n int) string { return padded(int(t.Weekday())+1, n) },
	'a': func(t time.Time, _ int) string { return t.Format("PM") },
	'E': func(t time.Time, n int) string { return named(t.Weekday().String(), n) },
	'Q': func(t time.Time, n int) string { return padded((int(t.Month())+2)/3, n) },
	'z': func(t time.Time, _ int) string { return t.Format("MST") },
	'Z': func(t time.Time, _ int) string { return t.Format("-0700") },
	'X': func(t time.Time, _ int) string { return t.Format("Z07") },
}

func padded(v, n int) string { return fmt.Sprintf("%0*d", n, v) }

func year(t time.Time, n int) string {
	if n == 2 {
		return padded(t.Year()%100, 2)
	}
	return padded(t.Year(), n)
}

func month(t time.Time, n int) string {
	if n <= 2 {
		return padded(int(t.Month()), n)
	}
	return named(t.Month().String(), n)
}

// named is a name in full, or its first three letters.
func named(name string, n int) string {
	if n == 4 {
		return name
	}
	return name[:3]
}

// formatTime formats a time by a pattern of Java's DateTimeFormatter.
func formatTime(pattern string, t time.Time) (string, error) {
	var b strings.Builder
	for i := 0; i < len(pattern); {
		c := pattern[i]
		if c == '\'' {
			end := strings.IndexByte(pattern[i+1:], '\'')
			switch {
			case end < 0:
				return "", fmt.Errorf("the time pattern %s has an open quotation mark", strconv.Quote(pattern))
			case end == 0:
				b.WriteByte('\'')
			}
			b.WriteString(pattern[i+1 : i+1+end])
			i += end + 2
			continue
		}
		n := 1
		for i+n < len(pattern) && pattern[i+n] == c {
			n++
		}
		switch format := letters[c]; {
		case format != nil && n <= 9:
			b.WriteString(format(t, n))
		case format != nil || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			return "", fmt.Errorf("the time pattern %s has the letters %s, which are not there locally", strconv.Quote(pattern), pattern[i:i+n])
		default:
			b.WriteString(pattern[i : i+n])
		}
		i += n
	}
	return b.String(), nil
}
